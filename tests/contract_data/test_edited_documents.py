"""Edit the document, and something is found in servers that stayed as they were: every constraint binds."""

from __future__ import annotations

import copy
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import edited_documents as edited
import pytest
import yaml
from edited_documents import ORIGINAL, REQUEST, RESPONSE, installed
from fuzz_plans import fuzz_plan

import tracksync
from tracksync.contract import spec
from tracksync.contract.bounds import SYNC
from tracksync.contract.responses import SCHEMA_CLAUSE, Responses
from tracksync.engine import fuzz
from tracksync.mock import MockApp, MockConfig
from tracksync.model.events import Event, FindingConfirmed
from tracksync.wire.serve import served

SCHEMAS = "/components/schemas"
# One of each kind of keyword, with the clause that names what is found. `tools/edited-document` does all of them.
SEEN = {
    "Purchase/properties/quantity/maximum": "TS-PURCHASE-QUANTITY",
    "Purchase/properties/quantity/minimum": "TS-OK-STATUS",
    "Purchase/properties/product_id/maxLength": "TS-PURCHASE-PRODUCT-LENGTH",
    "Purchase/properties/price/exclusiveMinimum": "TS-PURCHASE-REFUND",
    "Event/properties/name/pattern": "TS-OK-STATUS",
    "Event/additionalProperties": "TS-OK-STATUS",
    "Currency/enum": "TS-PURCHASE-CURRENCY-VALID",
    "Email/maxLength": "TS-OK-STATUS",
    "UserAttributes/properties/time_zone/format": "TS-PROFILE-ACCEPTED",
    "UserAttributes/properties/twitter/x-open": "TS-PROFILE-ACCEPTED",
    "CustomText/x-max-length": "TS-ATTR-LENGTH-OVER",
    "CustomText/x-years": "TS-ATTR-DATE-RANGE",
    "CustomArray/x-max-elements": "TS-ARRAY-LIMIT",
    "Number/x-integer-range": "TS-OK-STATUS",
    "EventRequest/properties/events/maxItems": "TS-OK-STATUS",
    "SyncRequest/x-max-bytes": "TS-OK-STATUS",
    "SyncRequest/x-max-depth": "TS-OK-STATUS",
}


@pytest.mark.parametrize("name", SEEN)
def test_a_constraint_of_requests_that_is_another_shows(name: str) -> None:
    found = [outcome.clauses for outcome in edited.outcomes(REQUEST[f"{SCHEMAS}/{name}"])]
    assert SEEN[name] in frozenset().union(*found)


def test_the_servers_keep_the_document_as_it_is() -> None:
    assert edited.findings_of([one for some in edited.recorded().values() for one in some]) == frozenset()
    exchanges = [one for some in edited.responses().values() for one in some]
    assert edited.findings_of(exchanges, new=False) == frozenset()


FOUND = [
    "TS-EVENT-PROPERTIES",
    "TS-EVENT-RESERVED",
    "TS-PURCHASE-CURRENCY-VALID",
    "TS-PURCHASE-PRODUCT-LENGTH",
    "TS-PURCHASE-QUANTITY",
]


def stricter() -> dict[str, Any]:
    """The document with five edits that make it ask for more than the servers do."""
    document = copy.deepcopy(ORIGINAL)
    schemas = document["components"]["schemas"]
    schemas["Purchase"]["properties"]["quantity"]["maximum"] = 50
    schemas["Purchase"]["properties"]["product_id"]["maxLength"] = 100
    schemas["PropertyName"]["not"]["enum"].append("colour")
    schemas["Currency"]["enum"].remove("EUR")
    schemas["Event"]["required"].append("properties")
    return document


def test_a_run_reports_exactly_the_edits_each_under_its_clause() -> None:
    events: list[Event] = []
    with installed(stricter()):
        fuzz(fuzz_plan(seed=1, requests=800, shrink=False, phases=("probes", "boundaries")), events.append)
    found = {one.finding.clause: one.finding.message for one in events if isinstance(one, FindingConfirmed)}
    assert sorted(found) == FOUND
    assert "over 50" in found["TS-PURCHASE-QUANTITY"]
    assert "colour" in found["TS-EVENT-RESERVED"]
    assert "properties is missing" in found["TS-EVENT-PROPERTIES"]


def installation(folder: Path, document: str) -> dict[str, str]:
    """An installation of tracksync in `folder` that has another document, as the environment of a process."""
    package = folder / "tracksync"
    (package / "spec").mkdir(parents=True)
    for part in Path(tracksync.__file__).parent.iterdir():
        if part.name not in ("spec", "__pycache__"):
            (package / part.name).symlink_to(part)
    (package / "spec" / "openapi.yaml").write_text(document, encoding="utf-8")
    (package / "spec" / "examples").symlink_to(spec.directory() / "examples")
    return {**os.environ, "PYTHONPATH": str(folder)}


def found_by(environment: dict[str, str], folder: Path, *options: str) -> list[str]:
    """The clauses that a run of such an installation finds broken."""
    command = [sys.executable, "-m", "tracksync", "fuzz", "--seed", "1", "-q", "--json", "result.json", *options]
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 1, done.stderr
    result = json.loads((folder / "result.json").read_text(encoding="utf-8"))
    return sorted({finding["clause"] for finding in result["findings"]})


def test_an_installed_copy_reports_the_same_of_the_mock_and_of_a_server(tmp_path: Path) -> None:
    environment = installation(tmp_path, yaml.safe_dump(stricter(), sort_keys=False))
    phases = ("--phases", "probes,boundaries", "--max-requests", "800")
    assert found_by(environment, tmp_path, *phases) == FOUND
    config = MockConfig(rate_limit=100_000)
    environment |= {"TRACKSYNC_API_KEY": config.key, "TRACKSYNC_UNPRIVILEGED_KEY": config.unprivileged_key}
    with served(MockApp(config)) as url:
        # Of a run with all its waiting, the probes of these clauses; no probe has a property called colour.
        only = [word for clause in FOUND for word in ("--only", clause)]
        options = ("--target", url, "--rate-limit", "100000", "--phases", "probes", "--consistent-after", "1")
        found = found_by(environment, tmp_path, *only, *options)
    assert found == [clause for clause in FOUND if clause != "TS-EVENT-RESERVED"]


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (("      x-max-distinct-properties: 256\n", ""), "at /components/schemas/Properties/x-max-distinct-properties"),
        (("          maximum: 100\n", "          maximum: many\n"), "quantity/maximum there is"),
        (("openapi: 3.1.0", "openapi: [3.1.0"), "it is not YAML"),
        (("pattern: '^[A-Z]{2}$'", "pattern: '^[A-Z{2}$'"), "regex"),
    ],
)
def test_a_document_that_cannot_be_used_ends_a_run_with_a_sentence(
    change: tuple[str, str], said: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    text = spec.path().read_text(encoding="utf-8")
    file = tmp_path / "openapi.yaml"
    file.write_text(text.replace(*change), encoding="utf-8")
    monkeypatch.setattr(spec, "path", lambda: file)
    with pytest.raises(spec.SpecificationError) as error, installed(spec.load()):
        fuzz(fuzz_plan(requests=10), lambda event: None)
    assert said in str(error.value)
    assert str(file) in str(error.value)
    assert error.value.exit_code == 2


def test_every_constraint_without_an_effect_is_one_of_the_document() -> None:
    pointers = [one if one.startswith("/") else f"{SCHEMAS}/{one}" for one in edited.without_effect()]
    assert set(pointers) <= set(REQUEST)
    assert len(pointers) == len(set(pointers))
    assert not [one for one in pointers if edited.is_open(REQUEST[one])]


# --- responses --------------------------------------------------------------------------------------------------------

# A response that breaks what no edit can make a lawful response break: that it is less strict shows nothing.
BROKEN: dict[str, tuple[int, str, Any]] = {
    "/components/headers/RateLimitReset/required": (201, "x-ratelimit-reset", None),
    "/components/headers/RateLimitRemaining/required": (201, "x-ratelimit-remaining", None),
    "/components/headers/RateLimitLimit/required": (201, "x-ratelimit-limit", None),
    "/components/headers/RateLimitOrEmpty/required": (401, "x-ratelimit-limit", None),
    f"{SCHEMAS}/SyncSuccess/properties/errors/maxItems": (201, "errors", ["one"]),
    f"{SCHEMAS}/SyncSuccess/properties/errors/type": (201, "errors", "one"),
}


@pytest.mark.parametrize("pointer", [pointer for pointer in RESPONSE if pointer not in BROKEN])
def test_a_constraint_of_responses_that_is_another_shows(pointer: str) -> None:
    one = RESPONSE[pointer]
    clauses = frozenset().union(*edited.mismatches(one))
    assert clauses
    if one.kind != "required" and "/anyOf/" not in pointer:  # another name, another alternative has another clause
        assert (one.clause or SCHEMA_CLAUSE) in clauses


@pytest.mark.parametrize("pointer", BROKEN)
def test_a_constraint_of_responses_that_is_gone_is_missed(pointer: str) -> None:
    status, name, value = BROKEN[pointer]
    _, headers, body = edited.shown(SYNC, str(status))[0]
    broken = (status, {**headers, "x-ratelimit-limit": headers["x-ratelimit-limit"]}, {**body})
    if value is None:
        del broken[1][name]
    else:
        broken[2][name] = value
    found = Responses(ORIGINAL).validate(SYNC, *broken)
    assert [one.clause for one in found] == [RESPONSE[pointer].clause]
    document = copy.deepcopy(ORIGINAL)
    holder, _, key = pointer.rpartition("/")
    del spec.at(document, holder)[key]
    assert Responses(document).validate(SYNC, *broken) == ()
