"""Two kinds of identifier may lead to one user, and a braze_id is the server's to make."""

from __future__ import annotations

from itertools import permutations
from typing import Any

import pytest
from oracle_harness import ALIAS, EMAIL, ONLY, PHONE, TIME, OracleHarness, U, V, seen

from tracksync.engine.freshness import everything
from tracksync.model.exchange import FailureKind
from tracksync.oracle.same_user import MAX_KINDS

B = {"braze_id": "b"}
UNASSIGNED = {"braze_id": "b-unassigned"}
OLD = 400.0  # seconds: longer than any queue and any lag
REFUSED = {"message": "no", "errors": ["no"]}
EXPORT = "/users/export/ids"
LISTS = {"external_id": "external_ids", "user_alias": "user_aliases", "braze_id": "braze_ids"}
PAIRS = list(permutations((U, ALIAS, EMAIL, PHONE, B), 2))


def exported(harness: OracleHarness, *names: dict[str, Any], shown: list[Any]) -> list[str]:
    asked: dict[str, list[Any]] = {}
    for one in names:
        ((kind, value),) = one.items()
        asked.setdefault(LISTS[kind], []).append(value)
    body = {**asked, "fields_to_export": ["external_id", "braze_id", "custom_events", "custom_attributes"]}
    found = harness.check(body, {"users": shown, "message": "success"}, 200, path=EXPORT, wait=OLD)
    return [one.clause for one in found]


def event(count: int) -> dict[str, Any]:
    return {"name": "seen", "first": TIME, "last": TIME, "count": count}


@pytest.mark.parametrize(("one", "other"), PAIRS)
def test_two_kinds_of_identifier_may_lead_to_one_old_user(one: dict[str, Any], other: dict[str, Any]) -> None:
    harness = OracleHarness(new=False)
    for count, names in enumerate((one, other, one, one, other), 5):
        assert harness.event(count, names=names) == set()
    assert harness.write({"n": 1}, names=one) == set()
    assert harness.write({"n": {"inc": 1}}, {"n": 2}, names=other) == set()
    assert harness.write({"n": {"inc": 1}}, {"n": 3}, names=one) == set()
    assert harness.write({"n": {"inc": 1}}, {"n": 5}, names=one) != set()  # nothing else was written in between


def test_two_users_that_are_named_by_one_kind_are_two() -> None:
    harness = OracleHarness(new=False)
    for count, names in ((5, U), (8, V)):
        assert harness.event(count, names=names) == set()
    assert harness.event(7, names=U) != set()


@pytest.mark.parametrize(
    "how",
    [
        {"failure": FailureKind.TIMEOUT},
        {"path": "/users/track", "shown": {"message": "success", "events_processed": 1}},
    ],
)
def test_what_may_still_be_written_by_another_kind_may_come_in_between(how: dict[str, Any]) -> None:
    harness = OracleHarness(new=False)
    harness.event(5)
    harness.check(seen(EMAIL), **how)
    assert harness.event(6) == set()
    assert harness.event(8) == set()


def test_a_write_by_another_kind_at_the_same_time_may_come_before_or_after() -> None:
    harness = OracleHarness(new=False)
    harness.event(5)
    assert harness.event(6, names=EMAIL, took=5.0) == set()
    harness.now -= 4.0
    assert harness.event(6, took=5.0) == set()
    assert harness.event(8) == set()


def test_a_braze_id_that_may_be_known_says_nothing_of_unknown_ones() -> None:
    harness = OracleHarness(new=False, fresh=everything)
    assert harness.event(1) == set()
    assert harness.event(2, names=B) == set()
    assert harness.check(seen(UNASSIGNED), REFUSED, 400) == []
    assert harness.check(seen({"braze_id": "c"}), {"users": [], "message": "success"}) == []
    assert harness.check(seen(UNASSIGNED), {"users": [], "message": "success"}) != []


def test_a_braze_id_that_no_server_makes_leads_nowhere() -> None:
    harness = OracleHarness(new=False, fresh=everything)
    assert harness.event(1, names=UNASSIGNED) == {"TS-USER-BRAZE-ID"}


@pytest.mark.parametrize("text", ["b-unassigned", "B-Unassigned "])
def test_a_server_may_make_a_braze_id_of_the_text_of_another_identifier(text: str) -> None:
    harness = OracleHarness(new=False, fresh=everything)
    names = {"external_id": text}
    assert harness.check(seen(UNASSIGNED), {"users": [], "message": "success"}) == []
    assert harness.event(1, names=names) == set()
    assert harness.event(2, names=UNASSIGNED) == set()
    assert harness.event(3, names=names) == set()
    assert harness.event(3, names=UNASSIGNED) != set()
    assert (
        harness.check({"braze_ids": ["b-unassigned"]}, {"deleted": 1, "message": "success"}, path="/users/delete") == []
    )
    assert harness.event(1, names=names) == set()


@pytest.mark.parametrize("lost", [True, False])
def test_a_write_by_such_a_braze_id_may_come_later(lost: bool) -> None:
    harness = OracleHarness(new=False, fresh=everything)
    names = {"external_id": "b-unassigned"}
    harness.event(1, names=names)
    if lost:
        harness.clauses(seen(UNASSIGNED), failure=FailureKind.TIMEOUT)
    else:
        harness.check(seen(UNASSIGNED), {"message": "success", "events_processed": 1}, path="/users/track")
    assert harness.event(3, names=names) == set()


def test_such_a_braze_id_may_lead_nowhere_where_the_other_user_need_not_exist() -> None:
    harness = OracleHarness(new=False, fresh=everything)
    names = {"external_id": "b-unassigned"}
    harness.clauses(seen(names), failure=FailureKind.TIMEOUT)
    assert harness.check(seen(UNASSIGNED), {"users": [], "message": "success"}) == []
    assert harness.event(2, names=names) == set()
    assert harness.event(3, names=UNASSIGNED) == set()


def test_a_user_whose_braze_id_an_export_has_shown_has_no_other_one() -> None:
    harness = OracleHarness(new=False, fresh=everything)
    names = {"external_id": "b-unassigned"}
    harness.event(1, names=names)
    assert exported(harness, names, shown=[{**names, **B, "custom_events": [event(1)], "custom_attributes": {}}]) == []
    assert "TS-USER-BRAZE-ID" in harness.event(2, names=UNASSIGNED)


def test_a_braze_id_that_an_export_shows_leads_to_its_user() -> None:
    for count, right in ((2, True), (1, False)):
        harness = OracleHarness(new=False, fresh=everything)
        harness.event(1)
        assert exported(harness, U, shown=[{**U, **B, "custom_events": [event(1)], "custom_attributes": {}}]) == []
        assert (harness.event(count, names=B) == set()) == right
    harness.event(2, names=B)
    assert harness.event(3, flag=ONLY) == set()


def test_a_braze_id_is_not_given_again_to_the_user_that_is_made_anew() -> None:
    harness = OracleHarness(new=False, fresh=everything)
    harness.event(1)
    exported(harness, U, shown=[{**U, **B, "custom_events": [event(1)], "custom_attributes": {}}])
    assert harness.check({"braze_ids": ["b"]}, {"deleted": 1, "message": "success"}, path="/users/delete") == []
    assert harness.event(1) == set()
    assert harness.check(seen(B), {"users": [], "message": "success"}, wait=OLD) == []
    assert harness.event(1) == set()
    assert harness.check(seen(B), {"users": [], "message": "success"}) == []


def test_users_that_may_be_one_count_as_one_in_exports_and_deletions() -> None:
    harness = OracleHarness(new=False)
    for count, names in ((5, U), (6, ALIAS)):
        harness.event(count, names=names)
    assert exported(harness, U, ALIAS, shown=[{**U, "custom_events": [event(6)], "custom_attributes": {}}]) == []
    both = {"external_ids": ["u"], "user_aliases": [ALIAS["user_alias"]]}
    assert harness.check(both, {"deleted": 1, "message": "success"}, path="/users/delete", wait=OLD) == []


def test_a_deletion_by_one_kind_may_reach_the_user_of_another() -> None:
    harness = OracleHarness(new=False)
    for count, names in ((5, U), (6, ALIAS)):
        harness.event(count, names=names)
    assert (
        harness.check({"external_ids": ["u"]}, {"deleted": 1, "message": "success"}, path="/users/delete", wait=OLD)
        == []
    )
    assert harness.check(seen(ALIAS), {"users": [], "message": "success"}, wait=OLD) == []


def test_aliases_under_any_number_of_labels_may_lead_to_one_user() -> None:
    harness = OracleHarness(new=False)
    harness.event(1)
    for number in range(2, 2 * MAX_KINDS):
        alias = {"alias_name": "a", "alias_label": f"label {number}"}
        assert harness.event(number, names={"user_alias": alias}) == set()
    assert harness.event(number + 1) == set()
    assert harness.event(number + 1, names={"user_alias": {**alias, "alias_label": "label 2"}}) == set()
    assert max(len(kinds) for _, kinds in harness.belief.written.times.items()) <= MAX_KINDS + 5


def test_an_email_that_an_old_user_was_given_may_have_replaced_that_of_another() -> None:
    harness = OracleHarness(new=False, fresh=everything)
    assert harness.write({"n": 5}, control=EMAIL) == set()
    assert harness.write({"m": 1}, names=B, control={"email": "new@example.com"}) == set()
    assert harness.write({"n": {"inc": 1}}, {"n": 1}, names=EMAIL) == set()
    assert harness.write({"n": {"inc": 1}}, {"n": 6}, names={"email": "new@example.com"}) == set()
    assert harness.write({"n": {"inc": 1}}, {"n": 7}) == set()
