"""Lost responses, queued and parallel requests, deletions and exports: what later responses may show."""

from __future__ import annotations

import pytest
from oracle_harness import (
    SHOWN,
    SYNC,
    TIME,
    OracleHarness,
    bought,
    counted,
    purchase,
)

from tracksync.model.exchange import FailureKind, Request
from tracksync.model.finding import NOTHING

NAME = {"events": [{"external_id": "u", "name": "seen", "time": TIME}]}


@pytest.mark.parametrize("kind", [FailureKind.TIMEOUT, FailureKind.RESET, FailureKind.TRUNCATED])
@pytest.mark.parametrize("count", [2, 3])
def test_a_write_with_a_lost_response_may_have_been_applied_or_not(kind: FailureKind, count: int) -> None:
    harness = OracleHarness()
    harness.event(1)
    assert harness.check(NAME, failure=kind) == []
    assert harness.event(count) == set()


def test_a_write_with_a_lost_response_is_applied_at_most_once() -> None:
    harness = OracleHarness()
    harness.event(1)
    harness.check(NAME, failure=FailureKind.TIMEOUT)
    assert harness.event(4) & {"TS-EVENT-COUNT", "TS-STATE-KEYS-APART"}


def test_a_write_with_a_lost_response_may_still_be_applied_later() -> None:
    harness = OracleHarness()
    harness.event(1)
    harness.check(NAME, failure=FailureKind.TIMEOUT)
    assert harness.event(2) == set()
    assert harness.event(4) == set()
    assert harness.event(6) != set()


def test_a_request_that_was_never_sent_changes_nothing() -> None:
    harness = OracleHarness()
    harness.event(1)
    harness.check(NAME, failure=FailureKind.UNREACHABLE)
    assert harness.event(3) != set()


def test_a_500_may_have_been_applied() -> None:
    harness = OracleHarness()
    harness.event(1)
    harness.check(NAME, b"", 502)
    assert harness.event(3) == set()


def test_what_track_accepted_is_applied_once_and_in_the_end() -> None:
    queued = {"events": [{"external_id": "u", "name": "seen", "time": TIME}]}
    harness = OracleHarness()
    harness.event(1)
    assert harness.queue(queued) == []
    assert harness.event(2) == set()
    assert harness.event(4, wait=400.0) == set()
    harness = OracleHarness()
    harness.event(1)
    harness.queue(queued)
    assert harness.event(2, wait=400.0) == {"TS-TRACK-APPLIED"}
    harness = OracleHarness()
    harness.event(1)
    harness.queue(queued)
    assert harness.event(4) != set()


def _event_of(user: str) -> Request:
    body = b'{"events":[{"external_id":"%s","name":"seen","time":"2022-12-06T19:20:45+01:00"}]}' % user.encode()
    return Request("POST", SYNC, (("content-type", "application/json"),), body)


def test_requests_that_overlap_on_one_cell_promise_nothing() -> None:
    harness = OracleHarness()
    harness.event(1)
    other = _event_of("u")
    assert harness.event(3, in_flight=(other,)) == set()
    assert harness.event(7, took=0.01) == set()
    assert harness.event(7) != set()


def test_requests_that_overlap_on_different_cells_are_held_to_the_contract() -> None:
    harness = OracleHarness()
    harness.event(1)
    other = _event_of("v")
    assert harness.event(3, in_flight=(other,)) != set()


def test_a_finding_does_not_cause_further_findings() -> None:
    harness = OracleHarness()
    harness.event(1)
    assert harness.event(5) != set()
    assert harness.event(6) == set()


def test_after_a_deletion_the_user_may_exist_or_not() -> None:
    for count in (1, 2):
        harness = OracleHarness()
        harness.event(1)
        assert harness.check({"external_ids": ["u"]}, {"deleted": 1, "message": "success"}, path="/users/delete") == []
        assert harness.event(count) == set()


def test_an_export_must_agree_once_consistency_is_due_and_may_lag_before() -> None:
    wanted = {"external_ids": ["u"], "fields_to_export": ["custom_attributes"]}
    stale = {"users": [{"external_id": "u", "custom_attributes": {}}], "message": "success"}
    harness = OracleHarness()
    harness.write({"a": 1})
    assert harness.check(wanted, stale, path="/users/export/ids") == []
    assert harness.clauses(wanted, stale, path="/users/export/ids", wait=400.0) == {"TS-EXPORT-AGREES"}
    wrong = {"users": [{"external_id": "u", "custom_attributes": {"a": 2}}], "message": "success"}
    assert harness.clauses(wanted, wrong, path="/users/export/ids") == {"TS-EXPORT-AGREES"}


def test_which_of_two_identifiers_leads_is_learned_and_must_stay() -> None:
    harness = OracleHarness()
    bob = {"user_alias": {"alias_name": "bob", "alias_label": "l"}}
    harness.event(1)
    harness.write({"n": 1}, names=bob, control={"_update_existing_only": False})
    both = {"events": [{"external_id": "u", **bob, "name": "seen", "time": TIME}]}
    assert harness.clauses(both, counted({"external_id": "u"}, "seen", SHOWN, SHOWN, 2)) == set()
    assert harness.clauses(both, counted(bob, "seen", SHOWN, SHOWN, 1)) == {"TS-INTERPRETATION-KEPT"}


def test_an_export_must_agree_with_every_part_of_the_responses() -> None:
    ambiguity = {"first": SHOWN, "last": SHOWN, "count": 1}
    right = {
        "external_id": "u",
        "custom_attributes": {"a": 1},
        "custom_events": [{"name": "seen", **ambiguity}],
        "purchases": [{"name": "sku", **ambiguity}],
    }
    wrong = [
        {"custom_attributes": {"a": 2}},
        {"custom_events": [{"name": "seen", **ambiguity, "count": 2}]},
        {"custom_events": []},
        {"purchases": [{"name": "sku", **ambiguity, "count": 2}]},
    ]
    for change in [{}, *wrong]:
        harness = OracleHarness()
        assert harness.write({"a": 1}) == set()
        assert harness.event(1) == set()
        assert harness.check(purchase(), bought(1)) == []
        response = {"users": [{**right, **change}], "message": "success"}
        clauses = harness.clauses({"external_ids": ["u"]}, response, path="/users/export/ids", wait=400.0)
        assert clauses == ({"TS-EXPORT-AGREES"} if change else set())
        assert harness.last is not None
        assert {"TS-EXPORT-ANSWER", "TS-EXPORT-AGREES"} <= harness.last.covered


def test_an_export_needs_users() -> None:
    for response in ({"message": "success"}, {"users": None, "message": "success"}):
        harness = OracleHarness()
        findings = harness.check({"external_ids": ["u"]}, response, path="/users/export/ids")
        assert [one.clause for one in findings] == ["TS-EXPORT-ANSWER"]
        assert findings[0].actual == response.get("users", NOTHING)


def test_an_attribute_removed_with_null_and_still_shown_is_found() -> None:
    harness = OracleHarness()
    assert harness.write({"a": 1}) == set()
    assert harness.write({"a": None}, {"a": 1}) == {"TS-ATTR-NULL"}
