"""A run with a document of other hands: its schema cases are sent, and responses have to fit it as well."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from fuzz_plans import fuzz_plan
from process import tracksync_here as tracksync
from second_documents import theirs, written

from tracksync.contract import spec
from tracksync.contract.bounds import SYNC, TRACK
from tracksync.contract.second_document import second_document
from tracksync.engine import fuzz
from tracksync.errors import ConfigError
from tracksync.generate.harmless import is_harmless
from tracksync.model.events import Event, ExchangeChecked, FindingConfirmed
from tracksync.model.finding import Finding


def events_of(document: Path, **flat: Any) -> list[Event]:
    events: list[Event] = []
    fuzz(fuzz_plan(second_document=str(document), **flat), events.append)
    return events


def findings(events: list[Event]) -> list[Finding]:
    return [event.finding for event in events if isinstance(event, FindingConfirmed)]


def test_its_cases_are_sent_beside_ours_and_none_can_reach_a_person(tmp_path: Path) -> None:
    events = events_of(written(theirs(), tmp_path), seed=2, requests=60, phases=("schema",))
    requests = [one.exchange.request for one in events if isinstance(one, ExchangeChecked) and one.phase == "schema"]
    assert all(is_harmless(request, "ts00000002") is None for request in requests)
    assert {request.path for request in requests} == {SYNC, TRACK}
    assert sum(b'"theirs"' in request.body for request in requests) >= 3
    assert sum(b'"theirs"' not in request.body and request.path == SYNC for request in requests) >= 10
    assert findings(events) == []


def test_a_response_that_does_not_fit_it_is_found_once_for_each_place_and_the_document_is_named(tmp_path: Path) -> None:
    document = theirs()
    schemas = document["components"]["schemas"]
    schemas["Updated"]["required"].append("request_id")
    schemas["User"]["properties"]["external_id"]["maxLength"] = 3
    file = written(document, tmp_path)
    found = findings(events_of(file, requests=120, phases=("probes",)))
    assert [(one.clause, one.pointer) for one in found] == [
        ("TS-ANSWER-SCHEMA", "/response/body/request_id"),
        ("TS-ANSWER-SCHEMA", "/response/body/users/0/external_id"),
    ]
    assert all(str(file) in one.message for one in found)
    assert found[1].expected == {"maxLength": 3}


def test_what_both_documents_forbid_is_told_once_under_the_clause_of_ours(tmp_path: Path) -> None:
    found = findings(events_of(written(theirs(), tmp_path), only=("TS-OK-MESSAGE",), faults=("message-ok",)))
    assert [one.clause for one in found] == ["TS-OK-MESSAGE"]


def test_another_copy_of_ours_finds_nothing_where_it_agrees_and_names_the_clause_where_it_does_not(
    tmp_path: Path,
) -> None:
    ours = spec.load()
    assert findings(events_of(written(ours, tmp_path), requests=40, phases=("probes",))) == []
    ours["components"]["schemas"]["EventSummary"]["properties"]["count"]["maximum"] = 0
    ours["components"]["schemas"]["EventSummary"]["properties"]["count"].pop("$ref")
    (tmp_path / "other").mkdir()
    found = findings(events_of(written(ours, tmp_path / "other"), only=("TS-EVENT-COUNT",)))
    assert [(one.clause, one.expected) for one in found] == [("TS-OK-FORM", {"maximum": 0})]


# --- what cannot be used ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("pointer", "value", "words"),
    [
        ("#/components/schemas/User", {"type": "strin"}, "its responses cannot be used"),
        ("#/components/schemas/User", {"$ref": "#/nowhere"}, "its responses cannot be used"),
        ("#/components/schemas/User", {"$ref": "other.yaml#/U"}, "its responses cannot be used"),
        ("#/components/schemas/Attributes", {"minimum": "x"}, "the request schema of /users/track/sync cannot be used"),
        ("#/components/schemas/Attributes", {"$ref": 7}, "the request schema of /users/track/sync cannot be used"),
        ("#/components/requestBodies/One", {"$ref": "#/gone"}, "the request of /users/track/sync cannot be used"),
        ("#/components/requestBodies/One", [], "the request of /users/track/sync cannot be used"),
    ],
)
def test_an_unsound_document_is_refused_in_one_sentence(tmp_path: Path, pointer: str, value: Any, words: str) -> None:
    document = theirs()
    holder, _, name = pointer.rpartition("/")
    spec.at(document, holder)[name] = value
    with pytest.raises(ConfigError) as refused:
        second_document(written(document, tmp_path))
    assert words in str(refused.value)
    assert "\n" not in str(refused.value)


def test_a_document_without_requests_is_held_against_responses_alone(tmp_path: Path) -> None:
    document = theirs()
    for item in document["paths"].values():
        del item["post"]["requestBody"]
    assert second_document(written(document, tmp_path)).request_paths == ()


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (None, "cannot read"),
        ("a: [", "neither YAML nor JSON"),
        ("openapi: 3.0.0\npaths: {/campaigns/list: {get: {}}}", "none of /users/track/sync"),
    ],
)
def test_the_command_ends_with_two_and_one_sentence(tmp_path: Path, text: str | None, words: str) -> None:
    if text is not None:
        (tmp_path / "d.yaml").write_text(text)
    done = tracksync("fuzz", "--spec", "d.yaml", cwd=tmp_path)
    assert done.returncode == 2
    assert words in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1


def test_the_command_takes_one(tmp_path: Path) -> None:
    document = theirs()
    document["components"]["schemas"]["Updated"]["required"].append("request_id")
    written(document, tmp_path)
    done = tracksync("fuzz", "--spec", "braze.yaml", "--only", "TS-OK-MESSAGE", "--json", "-", cwd=tmp_path)
    assert done.returncode == 1
    (finding,) = json.loads(done.stdout)["findings"]
    assert finding["clause"] == "TS-ANSWER-SCHEMA"
    assert "braze.yaml" in finding["message"]
    assert "--spec braze.yaml" in finding["reproduce"]
