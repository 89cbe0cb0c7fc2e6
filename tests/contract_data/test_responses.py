"""A response that does not fit the document is found, once, under the nearest clause."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from tracksync.contract import spec
from tracksync.contract.bounds import DELETE, EXPORT, SYNC
from tracksync.contract.responses import Mismatch, Responses, unexplained, validate_response

HEADERS = {"x-ratelimit-limit": "500", "x-ratelimit-remaining": "499", "x-ratelimit-reset": "1670350860"}
SHOWN = {"name": "seen", "first": "2022-12-06T18:20:45Z", "last": "2022-12-06T18:20:45Z", "count": 1}


def success(**entry: Any) -> dict[str, Any]:
    return {"message": "success", "users": [{"external_id": "u", **entry}]}


def the(found: tuple[Mismatch, ...]) -> tuple[str, str]:
    [mismatch] = found
    return mismatch.clause, mismatch.pointer


@pytest.mark.parametrize("name", spec.examples())
def test_the_documented_responses_fit(name: str) -> None:
    response = spec.examples()[name]["response"]
    assert validate_response(SYNC, 201, HEADERS, response["body"]) == ()


@pytest.mark.parametrize(
    ("status", "body", "clause", "pointer"),
    [
        (201, {"users": []}, "TS-OK-MESSAGE", "/message"),
        (201, {"message": "ok"}, "TS-OK-MESSAGE", "/message"),
        (201, success() | {"errors": ["e"]}, "TS-OK-NO-ERRORS", "/errors"),
        (201, success(custom_events=[{**SHOWN, "count": 0}]), "TS-OK-COUNT-FORM", "/users/0/custom_events/0/count"),
        (201, success(custom_events=[{**SHOWN, "first": "soon"}]), "TS-OK-TIME-FORM", "/users/0/custom_events/0/first"),
        (201, success(custom_attributes=[1]), "TS-OK-FORM", "/users/0/custom_attributes"),
        (201, success(phone=3), "TS-ANSWER-SCHEMA", "/users/0/phone"),
        (400, {"message": "bad"}, "TS-REFUSE-BODY", "/errors"),
        (400, {"message": "success", "errors": ["e"]}, "TS-REFUSE-BODY", "/message"),
        (403, {}, "TS-REFUSE-BODY", "/message"),
    ],
)
def test_what_does_not_fit_is_found_under_the_nearest_clause(status: int, body: Any, clause: str, pointer: str) -> None:
    assert the(validate_response(SYNC, status, HEADERS, body)) == (clause, f"/response/body{pointer}")


@pytest.mark.parametrize("changes", [{"x-ratelimit-reset": "soon"}, {"x-ratelimit-reset": ""}])
def test_a_header_that_is_not_a_number_is_found(changes: dict[str, str]) -> None:
    found = validate_response(SYNC, 201, HEADERS | changes, success())
    assert the(found) == ("TS-RATE-HEADERS", "/response/headers/x-ratelimit-reset")
    assert validate_response(SYNC, 201, HEADERS | {"x-more": "soon"}, success()) == ()


def test_a_header_that_is_missing_is_found_unless_headers_are_not_looked_at() -> None:
    found = validate_response(SYNC, 201, {}, success())
    assert {one.pointer for one in found} == {f"/response/headers/{name}" for name in HEADERS}
    assert not any(one.present for one in found)
    assert validate_response(SYNC, 201, None, success()) == ()


@pytest.mark.parametrize(
    "entry",
    [
        {"custom_attributes": None},
        {"custom_attributes": []},
        {"custom_events": {}},
        {"email": None},
        {"custom_events": [{**SHOWN, "first": "2022-12-06 18:20:45"}]},
        {"something": "else"},
    ],
)
def test_what_no_page_forbids_is_not_found(entry: dict[str, Any]) -> None:
    assert validate_response(SYNC, 201, HEADERS, success(**entry)) == ()


def test_a_null_is_found_where_a_value_is_required() -> None:
    found = validate_response(SYNC, 201, HEADERS, success(custom_events=[{**SHOWN, "last": None}]))
    assert the(found) == ("TS-OK-TIME-FORM", "/response/body/users/0/custom_events/0/last")


def test_every_path_has_its_own_form() -> None:
    assert the(validate_response(DELETE, 200, None, {"message": "success", "deleted": -1}))[0] == "TS-DELETE-ANSWER"
    assert the(validate_response(EXPORT, 201, None, {"message": "success"}))[0] == "TS-EXPORT-ANSWER"
    assert validate_response("/elsewhere", 201, None, {}) == ()
    assert validate_response(SYNC, 302, None, {}) == ()


def test_where_no_clause_stands_near_the_general_one_names_it() -> None:
    document = copy.deepcopy(spec.load())
    document["components"]["schemas"]["SyncSuccess"] = {"required": ["id"], "properties": {"id": {"type": "integer"}}}
    validate = Responses(document).validate
    assert the(validate(SYNC, 201, None, {"id": "x"})) == ("TS-ANSWER-SCHEMA", "/response/body/id")
    assert the(validate(SYNC, 201, None, {})) == ("TS-ANSWER-SCHEMA", "/response/body/id")


def test_a_place_of_which_another_finding_speaks_is_not_told_again() -> None:
    found = validate_response(SYNC, 201, HEADERS, success(phone=3, custom_events=[{**SHOWN, "count": 0}]))
    at = "/response/body/users/0"
    assert [one.pointer for one in unexplained(found, [f"{at}/phone"])] == [f"{at}/custom_events/0/count"]
    assert [one.pointer for one in unexplained(found, [f"{at}/custom_events"])] == [f"{at}/phone"]
    assert list(unexplained(found, [f"{at}"])) == []
    assert len(list(unexplained([*found, *found], ["/response/status"]))) == 2
