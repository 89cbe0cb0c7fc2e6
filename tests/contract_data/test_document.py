"""The OpenAPI document: sound, in step with the project, and right about what is refused and what is not."""

from __future__ import annotations

import itertools
import shutil
import string
import tomllib
from pathlib import Path
from typing import Any

import openapi_spec_validator
import pytest
from jsonschema import Draft202012Validator
from spec_schemas import attributes, event, purchase, validator

from tracksync.contract import spec
from tracksync.contract.clauses import catalogue
from tracksync.values import currencies

DOCUMENT = spec.load()
SCHEMAS = DOCUMENT["components"]["schemas"]
EXAMPLES = spec.examples()
EXAMPLE_NAMES = {"attributes": "Attributes", "event": "Event", "purchase": "Purchase"}


def resolved(node: Any) -> Any:
    while "$ref" in node:
        target: Any = DOCUMENT
        for step in node["$ref"].removeprefix("#/").split("/"):
            target = target[step]
        node = target
    return node


# --- sound ----------------------------------------------------------------------------------------------------
def test_the_document_is_valid_openapi() -> None:
    openapi_spec_validator.validate(spec.load())


@pytest.mark.parametrize("name", SCHEMAS)
def test_every_schema_is_a_json_schema(name: str) -> None:
    Draft202012Validator.check_schema(SCHEMAS[name])


@pytest.mark.parametrize("name", SCHEMAS)
def test_every_schema_says_what_it_is(name: str) -> None:
    assert SCHEMAS[name]["description"].endswith((".", ".\n")), name


def schemas_within(node: Any) -> list[Any]:
    inner = node.values() if isinstance(node, dict) else node if isinstance(node, list) else ()
    return [node, *(schema for one in inner for schema in schemas_within(one))]


def test_no_schema_is_there_that_nothing_fits() -> None:
    assert [one for one in schemas_within(SCHEMAS) if isinstance(one, dict) and one.get("not") == {}] == []


def test_every_path_tells_every_documented_answer() -> None:
    assert set(DOCUMENT["paths"]) == {"/users/track/sync", "/users/track", "/users/delete", "/users/export/ids"}
    for path, operations in DOCUMENT["paths"].items():
        assert set(operations) == {"post"}, path
        documented = set(operations["post"]["responses"])
        assert {"201", "400", "401", "403", "404", "405", "413", "415", "429", "5XX"} <= documented, path


def test_every_clause_that_is_named_is_in_the_catalogue() -> None:
    named = {
        clause
        for one in schemas_within(DOCUMENT)
        if isinstance(one, dict) and "x-clause" in one
        for clause in (one["x-clause"].values() if isinstance(one["x-clause"], dict) else [one["x-clause"]])
    }
    assert named <= set(catalogue())
    assert len(named) > 30


def test_every_path_wants_a_bearer_key() -> None:
    assert DOCUMENT["security"] == [{"apiKey": []}]
    assert DOCUMENT["components"]["securitySchemes"]["apiKey"]["scheme"] == "bearer"


@pytest.mark.parametrize("status", ["201", "400", "401", "403", "429"])
def test_the_rate_headers_are_required_on(status: str) -> None:
    for path, operations in DOCUMENT["paths"].items():
        answer = resolved(operations["post"]["responses"][status])
        headers = {name: resolved(header) for name, header in answer["headers"].items()}
        assert set(headers) == {"x-ratelimit-limit", "x-ratelimit-remaining", "x-ratelimit-reset"}, path
        assert all(header["required"] for header in headers.values()), path


def test_the_rate_headers_of_a_401_may_be_empty() -> None:
    schema = DOCUMENT["components"]["headers"]["RateLimitOrEmpty"]["schema"]
    assert Draft202012Validator(schema).is_valid("")
    assert Draft202012Validator(schema).is_valid("500")
    assert not Draft202012Validator(schema).is_valid("many")


# --- in step with the rest of the project ---------------------------------------------------------------------
def test_the_currencies_are_those_on_which_no_servers_differ() -> None:
    codes = map("".join, itertools.product(string.ascii_uppercase, repeat=3))
    certain = {code for code in codes if currencies.is_currency(code) and not currencies.is_doubtful(code)}
    assert set(SCHEMAS["Currency"]["enum"]) == certain


# --- the documented exchanges ---------------------------------------------------------------------------------
def test_the_three_documented_exchanges_are_there() -> None:
    assert set(EXAMPLES) == {"attributes", "event", "purchase"}


@pytest.mark.parametrize("name", EXAMPLES)
def test_the_documented_exchange_matches_the_schemas(name: str) -> None:
    exchange = EXAMPLES[name]
    validator("SyncRequest").validate(exchange["request"]["body"])
    validator("SyncSuccess").validate(exchange["response"]["body"])


@pytest.mark.parametrize("name", EXAMPLES)
def test_the_documented_exchange_is_the_one_in_the_document(name: str) -> None:
    documented = DOCUMENT["components"]["examples"]
    assert documented[f"{EXAMPLE_NAMES[name]}Request"]["value"] == EXAMPLES[name]["request"]["body"]
    assert documented[f"{EXAMPLE_NAMES[name]}Response"]["value"] == EXAMPLES[name]["response"]["body"]


def test_every_correction_is_explained() -> None:
    explained = (spec.directory() / "examples" / "README.md").read_text(encoding="utf-8")
    made = {mark for exchange in EXAMPLES.values() for mark in exchange["corrected"]}
    assert made == {"trailing-comma", "missing-comma", "impossible-day", "unconverted-offset", "masked-email"}
    assert all(f"| `{mark}` |" in explained for mark in made)


def media() -> list[tuple[str, Any, Any]]:
    """Every example of the document, where it stands and the schema that it illustrates."""
    found = []
    for path, operations in DOCUMENT["paths"].items():
        operation = operations["post"]
        places = [("request", operation["requestBody"])]
        places += [(status, resolved(answer)) for status, answer in operation["responses"].items()]
        for place, holder in places:
            content = holder.get("content", {}).get("application/json", {})
            for name, example in content.get("examples", {}).items():
                found.append((f"{path} {place} {name}", content["schema"], resolved(example)["value"]))
    return found


@pytest.mark.parametrize(("schema", "value"), [pytest.param(*rest, id=place) for place, *rest in media()])
def test_the_example_matches_its_schema(schema: Any, value: Any) -> None:
    validator(schema["$ref"].rpartition("/")[2]).validate(value)


@pytest.mark.parametrize(
    ("schema", "body"),
    [
        ("TrackRequest", {}),
        ("TrackRequest", {"attributes": []}),
        ("TrackRequest", []),
        ("DeleteRequest", {}),
        ("DeleteRequest", {"prioritization": ["identified"]}),
        ("ExportRequest", {"fields_to_export": ["email"]}),
        ("ExportRequest", None),
    ],
)
def test_requests_of_the_other_endpoints_name_a_user(schema: str, body: Any) -> None:
    assert not validator(schema).is_valid(body)


@pytest.mark.parametrize(
    ("schema", "body"),
    [
        ("TrackRequest", attributes(text="x") | event() | purchase()),
        ("DeleteRequest", {"external_ids": ["u"]}),
        ("DeleteRequest", {"user_aliases": [{"alias_name": "n", "alias_label": "l"}]}),
        ("DeleteRequest", {"email_addresses": [{"email": "person@example.com", "prioritization": ["identified"]}]}),
        ("ExportRequest", {"external_ids": ["u"], "fields_to_export": ["custom_attributes"]}),
        ("ExportRequest", {"phone": "+12025550123", "fields_to_export": ["email"]}),
    ],
)
def test_documented_requests_of_the_other_endpoints_fit(schema: str, body: Any) -> None:
    validator(schema).validate(body)


# --- answers --------------------------------------------------------------------------------------------------
TALLY = {"first": "2022-01-01T00:00:00.000Z", "last": "2022-12-06T18:20:45.000Z", "count": 1}


@pytest.mark.parametrize(
    "answer",
    [
        pytest.param({"message": "success"}, id="no user, left out"),
        pytest.param({"message": "success", "users": []}, id="no user, empty"),
        pytest.param({"message": "success", "users": [{"external_id": 5}]}, id="integer echoed"),
        pytest.param({"message": "success", "users": [], "request_id": "r"}, id="an extra field"),
        pytest.param(
            {"message": "success", "users": [{"email": "e", "custom_attributes": {}, "custom_events": []}]},
            id="unused kinds, empty",
        ),
    ],
)
def test_a_lawful_success_matches(answer: Any) -> None:
    validator("SyncSuccess").validate(answer)


@pytest.mark.parametrize(
    "answer",
    [
        pytest.param({"users": []}, id="no message"),
        pytest.param({"message": "Success"}, id="another message"),
        pytest.param({"message": "success", "errors": [{"type": "x"}]}, id="errors in a success"),
        pytest.param({"message": "success", "users": {"external_id": "u"}}, id="users as an object"),
        pytest.param({"message": "success", "users": [{"external_id": "u"}] * 2}, id="two users"),
        pytest.param({"message": "success", "users": [{"custom_attributes": {}}]}, id="no identifier"),
        pytest.param(
            {"message": "success", "users": [{"email": "e", "custom_events": [TALLY | {"name": "n", "count": 0}]}]},
            id="a count of zero",
        ),
        pytest.param(
            {
                "message": "success",
                "users": [{"email": "e", "custom_events": [TALLY | {"name": "n", "first": "once"}]}],
            },
            id="a first that is not a time",
        ),
        pytest.param({"message": "success", "users": [{"email": "e", "purchase_events": [TALLY]}]}, id="no product_id"),
    ],
)
def test_an_unlawful_success_does_not_match(answer: Any) -> None:
    assert not validator("SyncSuccess").is_valid(answer)


@pytest.mark.parametrize("detail", ["words", {"type": "words", "input_array": "events", "index": 0}])
def test_a_fatal_error_has_details_of_either_form(detail: Any) -> None:
    validator("BadRequestError").validate({"message": "words", "errors": [detail]})


@pytest.mark.parametrize("body", [{"message": "words"}, {"message": "words", "errors": []}, {"errors": ["words"]}])
def test_a_fatal_error_without_message_or_details_does_not_match(body: Any) -> None:
    assert not validator("BadRequestError").is_valid(body)


def test_a_fatal_error_does_not_call_itself_a_success() -> None:
    assert not validator("FatalError").is_valid({"message": "success"})


# --- shipping -------------------------------------------------------------------------------------------------
def test_the_wheel_carries_the_document_where_the_loader_looks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    project = spec.directory().parent
    settings = tomllib.loads((project / "pyproject.toml").read_text(encoding="utf-8"))
    target = settings["tool"]["hatch"]["build"]["targets"]["wheel"]["force-include"]["spec"]
    shutil.copytree(spec.directory(), tmp_path / target)
    monkeypatch.setattr(spec, "_PLACES", (tmp_path / "tracksync" / "spec",))
    assert spec.load() == DOCUMENT


def test_an_installation_without_the_document_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(spec, "_PLACES", (tmp_path / "spec",))
    with pytest.raises(spec.SpecificationMissingError, match="install tracksync anew"):
        spec.load()


def test_each_load_gives_a_copy_of_its_own() -> None:
    spec.load()["paths"].clear()
    assert spec.load()["paths"]
