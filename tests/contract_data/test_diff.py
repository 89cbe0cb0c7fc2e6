"""A document of another hand, compared with ours and with a later copy of itself."""

from __future__ import annotations

import copy
import json
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml
from process import tracksync_here as tracksync

from tracksync.contract import spec
from tracksync.contract.bounds import SYNC
from tracksync.contract.diff import DocumentComparison, Relation, compare, contradicted_requests
from tracksync.contract.foreign import modern, read_document
from tracksync.errors import ConfigError

OURS = modern(spec.load())
PURCHASE = {
    "allOf": [
        {"type": "object", "required": ["product_id"]},
        {
            "properties": {
                "product_id": {"type": "string", "maxLength": 255},
                "quantity": {"$ref": "#/components/schemas/Q"},
            }
        },
    ]
}
THEIRS: dict[str, Any] = {  # as generators make it of a Postman collection: 3.0, a path in the server, few schemas
    "openapi": "3.0.3",
    "info": {"title": "Endpoints", "version": "1.0.0"},
    "servers": [{"url": "https://rest.iad-01.example.com/users"}],
    "paths": {
        "/track/sync": {
            "post": {
                "requestBody": {
                    "content": {
                        "application/json": {
                            "schema": {
                                "type": "object",
                                "properties": {"purchases": {"type": "array", "items": PURCHASE}},
                            }
                        }
                    }
                },
                "responses": {
                    "201": {
                        "description": "",
                        "content": {
                            "application/json": {
                                "schema": {
                                    "type": "object",
                                    "required": ["message"],
                                    "properties": {"message": {"type": "string", "nullable": True}},
                                }
                            }
                        },
                    }
                },
            }
        }
    },
    "components": {"schemas": {"Q": {"type": "integer", "minimum": 0, "exclusiveMinimum": True, "maximum": 100}}},
}


def theirs(*steps: Any, **changes: Any) -> dict[str, Any]:
    """Their document with members of the object at `steps` changed."""
    document = copy.deepcopy(THEIRS)
    node = document
    for step in steps:
        node = node[step]
    node.update(changes)
    return document


def quantity(**changes: Any) -> dict[str, Any]:
    return theirs("components", "schemas", "Q", **changes)


def the(compared: tuple[DocumentComparison, ...], place: str, kind: str, name: str = "") -> DocumentComparison:
    [one] = [
        one
        for one in compared
        if (one.key.place, one.key.kind, one.key.name) == (place, kind, name) and one.key.status in ("", "201")
    ]
    return one


def against_ours(document: dict[str, Any], place: str, kind: str, name: str = "") -> DocumentComparison:
    return the(compare(OURS, modern(document)), place, kind, name)


# --- against ours -----------------------------------------------------------------------------------------------------
def test_our_document_agrees_with_itself_everywhere() -> None:
    compared = compare(OURS, OURS)
    assert len(compared) > 1000
    assert {one.relation for one in compared} == {Relation.AGREES}
    assert contradicted_requests(OURS) == ()


def test_each_constraint_stands_in_its_relation_to_ours() -> None:
    compared = compare(OURS, modern(THEIRS))
    product = "/purchases/0/product_id"
    assert the(compared, product, "maxLength").relation is Relation.AGREES
    assert the(compared, product, "pattern").relation is Relation.SILENT
    assert the(compared, "/purchases/0", "required", "product_id").relation is Relation.AGREES
    assert the(compared, "/purchases/0", "required", "price").relation is Relation.SILENT
    assert the(compared, "/purchases/0/quantity", "exclusiveMinimum").relation is Relation.ADDS
    assert the(compared, "/message", "type").second == ["string", "null"]
    assert the(compared, "/message", "type").relation is Relation.LOOSER
    assert contradicted_requests(modern(THEIRS)) == ()


@pytest.mark.parametrize(
    ("changes", "relation"),
    [({"maximum": 50}, Relation.STRICTER), ({"maximum": 500}, Relation.LOOSER), ({"maximum": 100}, Relation.AGREES)],
)
def test_a_bound_is_stricter_or_looser(changes: dict[str, Any], relation: Relation) -> None:
    one = against_ours(quantity(**changes), "/purchases/0/quantity", "maximum")
    assert (one.relation, one.first, one.second) == (relation, 100, changes["maximum"])
    assert one.clauses == ("TS-PURCHASE-QUANTITY",)


def test_the_ambiguities_of_the_clauses_are_named() -> None:
    one = against_ours(quantity(minimum=1), "/purchases/0/quantity", "exclusiveMinimum")
    assert "quantity-low" in one.ambiguities


@pytest.mark.parametrize(
    ("document", "place"),
    [
        (quantity(maximum=50), "/purchases/0/quantity"),
        (quantity(enum=[1, 2]), "/purchases/0/quantity"),
        (theirs("paths", "/track/sync", "post", "requestBody", "content", "application/json", "schema",
                "properties", "purchases", "items", "allOf", 0, required=["quantity"]), "/purchases/0"),
        (theirs("paths", "/track/sync", "post", "requestBody", "content", "application/json", "schema",
                additionalProperties=False), ""),
        (theirs("paths", "/track/sync", "post", "requestBody", "content", "application/json", "schema",
                "properties", purchases={"type": "object"}), "/purchases"),
    ],
)  # fmt: skip
def test_a_request_that_ours_makes_valid_and_theirs_forbids_contradicts(document: dict[str, Any], place: str) -> None:
    found = contradicted_requests(modern(document))
    assert {one.place for one in found} == {place}


def test_a_stricter_constraint_on_what_is_open_contradicts_nothing() -> None:
    assert contradicted_requests(modern(quantity(minimum=1, exclusiveMinimum=False))) == ()


def test_a_response_that_cannot_fit_both_contradicts() -> None:
    content = ("paths", "/track/sync", "post", "responses", "201", "content", "application/json", "schema")
    one = against_ours(theirs(*content, properties={"message": {"enum": ["ok"]}}), "/message", "enum")
    assert one.contradiction
    assert "TS-OK-MESSAGE" in one.clauses
    one = against_ours(theirs(*content, properties={"message": {"enum": ["ok", "success"]}}), "/message", "enum")
    assert one.relation is Relation.LOOSER
    assert not one.contradiction


# --- two copies -------------------------------------------------------------------------------------------------------
def test_between_two_copies_only_what_changed_differs() -> None:
    compared = compare(modern(THEIRS), modern(quantity(maximum=50)))
    changed = [one for one in compared if one.relation is not Relation.AGREES]
    assert [(one.key.kind, one.first, one.second, one.clauses) for one in changed] == [
        ("maximum", 100, 50, ("TS-PURCHASE-QUANTITY",))
    ]


# --- reading ----------------------------------------------------------------------------------------------------------
def test_a_path_may_stand_in_the_server_or_end_in_a_slash() -> None:
    assert set(modern(THEIRS)["paths"]) == {SYNC}
    plain = {**THEIRS, "servers": [], "paths": {f"{SYNC}/": THEIRS["paths"]["/track/sync"]}}
    assert set(modern(plain)["paths"]) == {SYNC}


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("a: [", "neither YAML nor JSON"),
        ("", "not an OpenAPI document"),
        ("[1, 2]", "not an OpenAPI document"),
        ("swagger: '2.0'\npaths: {/users/track/sync: {post: {}}}", "3.0 or 3.1 is needed"),
        ("openapi: 3.0.0\npaths: {/campaigns/list: {get: {}}}", "none of /users/track/sync"),
        ("openapi: 3.0.0\npaths: &a {/users/track/sync: {post: *a}}", "refers to itself"),
        ("[" * 100_000, "neither YAML nor JSON"),
    ],
)
def test_what_is_no_such_document_is_refused_in_words(tmp_path: Path, text: str, words: str) -> None:
    file = tmp_path / "document.yaml"
    file.write_text(text)
    with pytest.raises(ConfigError, match=words):
        read_document(file)


def test_an_anchor_that_multiplies_is_not_followed_for_ever(tmp_path: Path) -> None:
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 12)]
    file = tmp_path / "document.yaml"
    file.write_text("\n".join(["openapi: 3.0.0", *lines, f"paths: {{{SYNC}: {{post: {{x: *a11}}}}}}"]))
    with pytest.raises(ConfigError, match="too large"):
        read_document(file)


@pytest.mark.parametrize("target", ["#/components/schemas/Nowhere", "other.yaml#/Q", 5])
def test_a_reference_that_leads_nowhere_is_an_error_in_words(target: Any) -> None:
    document = modern(theirs("components", "schemas", Q={"$ref": target}))
    with pytest.raises(ConfigError, match="not valid OpenAPI"):
        compare(OURS, document)
    with pytest.raises(ConfigError, match="cannot be used"):
        contradicted_requests(document)


def test_a_schema_that_refers_to_itself_is_followed_once() -> None:
    document = modern(theirs("components", "schemas", Q={"properties": {"inner": {"$ref": "#/components/schemas/Q"}}}))
    assert len(compare(OURS, document)) > 100


# --- the command ------------------------------------------------------------------------------------------------------
def diff(tmp_path: Path, *documents: dict[str, Any], json_: bool = False) -> subprocess.CompletedProcess[str]:
    files = [tmp_path / f"{index}.yaml" for index, _ in enumerate(documents)]
    for file, document in zip(files, documents, strict=True):
        file.write_text(yaml.safe_dump(document))
    return tracksync("spec", "diff", *files, *(["--json", "-"] if json_ else []), cwd=tmp_path)


def test_the_command_ends_with_one_on_a_contradiction_alone(tmp_path: Path) -> None:
    assert diff(tmp_path, THEIRS).returncode == 0
    done = diff(tmp_path, quantity(maximum=50))
    assert done.returncode == 1
    assert "stricter (1)" in done.stdout
    assert "/purchases/0/quantity: maximum: 100, then 50 [TS-PURCHASE-QUANTITY" in done.stdout
    assert "contradictions (1)" in done.stdout


def test_the_command_ends_with_one_on_any_change_between_copies(tmp_path: Path) -> None:
    assert diff(tmp_path, THEIRS, THEIRS).returncode == 0
    done = diff(tmp_path, THEIRS, quantity(maximum=500))
    assert done.returncode == 1
    assert "now looser (1)" in done.stdout


def test_the_command_writes_json(tmp_path: Path) -> None:
    done = diff(tmp_path, quantity(maximum=50), json_=True)
    written = json.loads(done.stdout)
    assert any(one["relation"] == "stricter" and one["keyword"] == "maximum" for one in written["constraints"])
    assert written["forbidden_requests"][0]["place"] == "/purchases/0/quantity"


def test_the_command_says_what_is_wrong_with_a_file(tmp_path: Path) -> None:
    done = tracksync("spec", "diff", "absent.yaml", cwd=tmp_path)
    assert done.returncode == 2
    assert "cannot read" in done.stderr


def test_the_command_prints_both_forms(tmp_path: Path) -> None:
    assert tracksync("spec", cwd=tmp_path).stdout == spec.path().read_text()
    lenient = json.loads(tracksync("spec", "--lenient", cwd=tmp_path).stdout)
    assert "LenientSyncRequest" in lenient["components"]["schemas"]
