"""Lawful behaviour that the documents do not suggest at first: the oracle finds nothing."""

from __future__ import annotations

from typing import Any

import pytest
from oracle_harness import REFUSAL, RESET, TIME, OracleHarness, attributed

EVENT = {"events": [{"external_id": "u", "name": "seen", "time": TIME}]}
NEIGHBOURS: dict[str, Any] = {
    "/users/track": EVENT,
    "/users/delete": {"external_ids": ["u"]},
    "/users/export/ids": {"external_ids": ["u"], "fields_to_export": ["custom_attributes"]},
}


@pytest.mark.parametrize("status", [401, 403, 404, 405])
@pytest.mark.parametrize("content", [b"<html>", b'{"message": "Not found"}'])
@pytest.mark.parametrize("path", NEIGHBOURS)
def test_a_server_need_not_offer_the_other_endpoints(path: str, content: bytes, status: int) -> None:
    harness = OracleHarness()
    assert harness.check(NEIGHBOURS[path], content, status, path=path) == []
    assert harness.last is not None
    assert not any(clause.startswith(("TS-TRACK", "TS-DELETE", "TS-EXPORT")) for clause in harness.last.covered)


def test_another_endpoint_that_is_offered_may_not_refuse_a_lawful_request() -> None:
    assert OracleHarness().clauses(EVENT, REFUSAL, 400, path="/users/track") == {"TS-TRACK-ACCEPTED"}


def test_the_partner_of_older_pages_may_be_unknown() -> None:
    body = {"attributes": [{"external_id": "u", "a": 1}], "partner": "p"}
    assert OracleHarness().check(body, REFUSAL, 400) == []
    assert OracleHarness().check(body, attributed({"external_id": "u"}, {"a": 1})) == []


def test_a_415_may_come_from_before_the_endpoint() -> None:
    assert OracleHarness().check(EVENT, b"<html>", 415, media="text/plain") == []


def test_a_text_with_a_nul_may_be_refused() -> None:
    assert OracleHarness().check({"attributes": [{"external_id": "u", "a": "x\0y"}]}, REFUSAL, 400) == []


def test_a_wrong_object_may_be_refused_in_more_than_one_way() -> None:
    harness = OracleHarness()
    harness.write({"o": {"k": 1}})
    assert harness.check({"attributes": [{"external_id": "u", "o": {"a.b": 1}}]}, REFUSAL, 400) == []
    assert harness.write({"o": {"k": "x" * 256}}, {"o": {"k": 1}}) == set()
    assert harness.write({"o": {"k": "x" * 256}}) == {"TS-OBJECT-LIMITS"}


@pytest.mark.parametrize("edit", [{"add": ["d"]}, {"$add": [{"a": 1}]}])
def test_an_edit_of_an_absent_attribute_may_do_nothing(edit: dict[str, Any]) -> None:
    harness = OracleHarness()
    assert harness.write({"n": 1, "list": edit}, {"n": 1}) == set()
    assert harness.write({"list": ["a"]}) == set()
    assert harness.write({"list": {"add": ["b"]}}, {"list": ["a"]}) != set()


@pytest.mark.parametrize("shown", [[1, "1"], [1, "1", True], [1, "1", True, 1.0]])
def test_whether_one_is_true_in_an_array_is_the_servers_language(shown: list[Any]) -> None:
    harness = OracleHarness()
    assert harness.write({"list": [1, "1", True, 1.0]}, {"list": shown}) == set()
    assert harness.write({"other": ["a", "b", "a"]}, {"other": ["a", "b"]}) == set()


def test_a_year_of_few_digits_may_lose_its_zeros() -> None:
    harness = OracleHarness()
    assert harness.write({"d": "0044-03-15T12:00:00Z"}, {"d": "44-03-15T12:00:00Z"}) == set()
    assert harness.write({"d": "1815-12-10T00:00:00Z"}, {"d": "1815-12-11T00:00:00Z"}) == {"TS-ATTR-DATE"}


@pytest.mark.parametrize("status", [201, 429])
def test_a_response_at_the_end_of_a_window_may_show_the_next_one_unused(status: int) -> None:
    harness = OracleHarness()
    whole = {"x-ratelimit-remaining": "500"}
    response = attributed({"external_id": "u"}, {"a": 1}) if status == 201 else {"message": "over the limit"}
    body = {"attributes": [{"external_id": "u", "a": 1}]}
    harness.write({"a": 1})
    harness.now = RESET - 0.1
    assert harness.check(body, response, status, took=0.2, headers=whole) == []
    assert harness.check(body, response, status, headers=whole) != []


def test_the_first_response_of_all_may_show_that_it_was_counted_or_not() -> None:
    body = {"attributes": [{"external_id": "u", "a": 1}]}
    response = attributed({"external_id": "u"}, {"a": 1})
    for remaining, found in (("499", set()), ("500", set()), ("501", {"TS-RATE-REMAINING"})):
        assert OracleHarness().clauses(body, response, headers={"x-ratelimit-remaining": remaining}) == found
