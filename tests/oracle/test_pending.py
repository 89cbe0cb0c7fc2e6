"""Pending writes: how many are followed, in which order they may come, and for how long."""

from __future__ import annotations

import json
from typing import Any

import pytest
from oracle_harness import JSON, NO_USER, ONLY, SYNC, TIME, OracleHarness, U, bought, purchase

from tracksync.model.exchange import FailureKind, Request
from tracksync.model.finding import NOTHING
from tracksync.oracle.attribute_outcomes import AttributeWrite
from tracksync.oracle.belief import ABSENT, Cell, State
from tracksync.oracle.identifiers import identifier_of
from tracksync.oracle.pending import MAX_FOLLOWED, at_most, given_up, overdue, pending_of, reach, with_pending


def seen(**more: Any) -> dict[str, Any]:
    return {"events": [{**U, "name": "seen", "time": TIME, **more}]}


def lost(harness: OracleHarness, body: Any, times: int = 1, **how: Any) -> None:
    for _ in range(times):
        harness.check(body, failure=FailureKind.TIMEOUT, **how)


def request(body: Any) -> Request:
    return Request("POST", SYNC, JSON, json.dumps(body).encode())


# --- how many, and in which order -------------------------------------------------------------------------------------


def test_four_lost_writes_of_one_event_are_followed_and_more_than_that_are_not() -> None:
    harness = OracleHarness()
    harness.event(1)
    lost(harness, seen(), 4)
    assert harness.event(7) != set()
    harness = OracleHarness()
    harness.event(1)
    lost(harness, seen(), 5)
    for count in (100, 3, 70):
        assert harness.event(count) == set()


def test_lost_writes_may_come_in_any_order() -> None:
    for shown, right in (
        (["x", "y", "z"], True),
        (["y", "x", "z"], True),
        (["z"], True),
        (["y", "z", "x"], True),
        (["z", "w"], False),
    ):
        harness = OracleHarness()
        harness.write({"a": []})
        for one in ("x", "y"):
            lost(harness, {"attributes": [{**U, "a": {"add": [one]}}]})
        assert (harness.write({"a": {"add": ["z"]}}, {"a": shown}) == set()) == right


def test_the_states_that_lost_writes_lead_to_are_followed_to_a_number() -> None:
    def apply(write: int, value: int) -> list[int]:
        return [value + write]

    assert [state.value for state in reach([State(0, (1, 10))], apply) or []] == [0, 1, 10, 11]
    assert reach([State(value, (1,)) for value in range(0, 3 * MAX_FOLLOWED, 3)], apply) is None
    assert reach([State(value) for value in range(2 * MAX_FOLLOWED)], apply) is not None


def test_what_is_pending_stays_where_the_value_is_given_up() -> None:
    first, second = AttributeWrite("x"), AttributeWrite("y")
    cell = Cell((State(1, (first, second)), State(2, (second,))))
    assert pending_of(cell.states) == (first, second)
    after = given_up(cell, ABSENT, 5.0)
    assert after == Cell((State(ABSENT, (first, second)),), 5.0)
    assert given_up(cell, ABSENT, 5.0, volatile=True).volatile is True
    assert given_up(given_up(cell, ABSENT, 5.0, volatile=True), 3, 6.0).volatile is True


def test_too_many_states_are_as_good_as_any() -> None:
    write = AttributeWrite("x")
    states = tuple(State(number, (write,)) for number in range(25))
    assert at_most(states[:24], ABSENT) == states[:24]
    assert at_most(states, ABSENT) == (State(ABSENT, (write,)),)


def test_one_write_too_many_makes_a_cell_uncertain_for_good() -> None:
    cell = Cell((State(1),))
    for _ in range(4):
        cell = with_pending(cell, AttributeWrite("x"))
        assert not cell.volatile
    assert with_pending(cell, AttributeWrite("x")).volatile


def test_a_lost_write_may_come_after_one_that_overlapped_another() -> None:
    for count, right in ((6, True), (7, False)):
        harness = OracleHarness()
        harness.event(1)
        lost(harness, seen())
        harness.event(2, in_flight=(request(seen()),))
        assert harness.event(4) == set()
        assert (harness.event(count) == set()) == right


def test_two_lost_writes_may_come_after_one_that_overlapped_another() -> None:
    for count, right in ((7, True), (8, False)):
        harness = OracleHarness()
        harness.event(1)
        lost(harness, seen(), 2)
        harness.event(2, in_flight=(request(seen()),))
        assert harness.event(4) == set()
        assert (harness.event(count) == set()) == right


# --- for how long -----------------------------------------------------------------------------------------------------


def test_what_track_accepted_is_due_after_five_minutes_and_not_before() -> None:
    for wait, found in ((300.0, set()), (300.5, {"TS-TRACK-APPLIED"})):
        harness = OracleHarness()
        harness.event(1)
        harness.queue(seen())
        assert harness.event(2, wait=wait) == found


def test_a_write_that_was_not_queued_is_never_overdue() -> None:
    assert not overdue([], 5.0, ())
    assert not overdue([AttributeWrite("x")], 5.0, ())
    assert not overdue([AttributeWrite("x", due=5.0)], 5.0, ())
    assert overdue([AttributeWrite("x"), AttributeWrite("x", due=4.9)], 5.0, ())
    email = identifier_of("email", "e@example.com")
    assert overdue([AttributeWrite("x", due=4.9, via=email)], 5.0, ())
    assert not overdue([AttributeWrite("x", due=4.9, via=email)], 5.0, {email})


def test_an_attribute_that_track_accepted_and_that_does_not_show_is_found() -> None:
    harness = OracleHarness()
    harness.write({"n": 1})
    harness.queue({"attributes": [{**U, "n": 5}]})
    (found,) = harness.check(
        {"attributes": [{**U, "n": {"inc": 1}}]},
        {"users": [{**U, "custom_attributes": {"n": 2}}], "message": "success"},
        wait=400.0,
    )
    assert found.clause == "TS-TRACK-APPLIED"
    assert found.message.startswith("'n' lacks")
    assert (found.pointer, found.expected, found.actual) == (
        "/response/body/users/0/custom_attributes/n",
        NOTHING,
        2,
    )
    harness = OracleHarness()
    harness.write({"n": 1})
    harness.queue({"attributes": [{**U, "n": None}]})
    assert harness.write({"n": {"inc": 1}}, {"n": 2}, wait=400.0) == {"TS-TRACK-APPLIED"}


def test_a_count_that_lacks_what_track_accepted_is_found() -> None:
    harness = OracleHarness()
    harness.event(1)
    harness.queue(seen())
    response = {"users": [{**U, "custom_events": [ambiguity(2)]}], "message": "success"}
    (found,) = harness.check(seen(), response, wait=400.0)
    assert (found.clause, found.pointer, found.actual) == (
        "TS-TRACK-APPLIED",
        "/response/body/users/0/custom_events/0/count",
        2,
    )


def ambiguity(count: int) -> dict[str, Any]:
    shown = "2022-12-06T18:20:45.000Z"
    return {"name": "seen", "first": shown, "last": shown, "count": count}


# --- what overlaps ----------------------------------------------------------------------------------------------------


def test_a_request_sent_at_the_time_of_another_response_overlaps_it() -> None:
    for wait, right in ((0.0, True), (0.001, False)):
        harness = OracleHarness()
        harness.event(1)
        assert (harness.event(5, wait=wait) == set()) == right


def test_what_is_known_of_a_cell_is_one_state_with_nothing_pending() -> None:
    assert Cell((State(1),)).known == 1
    for states in ((State(1), State(2)), (State(1, (AttributeWrite(2),)),), (State(1), State(2, (AttributeWrite(3),)))):
        assert Cell(states).known not in (1, 2, 3)


# --- writes whose effect is not documented ----------------------------------------------------------------------------


@pytest.mark.parametrize("answered", [True, False])
def test_what_track_accepted_and_should_have_refused_may_do_anything_at_any_time(answered: bool) -> None:
    wrong = {"events": [{**U, "name": "seen"}]}  # without its time
    harness = OracleHarness()
    harness.event(1)
    if answered:
        harness.queue(wrong)
    else:
        lost(harness, wrong, path="/users/track")
    for count in (5, 3, 70):
        assert harness.event(count) == set()


def test_what_sync_accepted_and_should_have_refused_is_uncertain_until_the_next_response() -> None:
    harness = OracleHarness()
    harness.event(1)
    assert harness.clauses({"events": [{**U, "name": "seen"}]}, NO_USER) != set()
    assert harness.event(5) == set()
    assert harness.event(9) != set()


def test_a_lost_write_of_unknown_effect_may_create_its_user_at_any_later_time() -> None:
    for flag in (1, "true"):
        vague = {"events": [{**U, "name": "seen", "time": TIME, "_update_existing_only": flag}]}
        harness = OracleHarness()
        lost(harness, vague)
        assert harness.check(seen(**ONLY), NO_USER) == []
        assert harness.event(2, flag=ONLY) == set()


def test_a_lost_write_of_an_odd_name_may_create_its_user_at_any_later_time() -> None:
    harness = OracleHarness()
    lost(harness, {"events": [{**U, "name": 5.5, "time": TIME}]})
    for _ in range(2):
        assert harness.check(seen(**ONLY), NO_USER) == []
    assert harness.event(1, flag=ONLY) == set()
    harness = OracleHarness()
    assert (
        harness.check({"events": [{**U, "name": 5.5, "time": TIME}]}, {"users": [], "message": "success"}) is not None
    )
    assert harness.check(seen(**ONLY), NO_USER) == []
    assert harness.event(1, flag=ONLY) != set()


@pytest.mark.parametrize("body", [b"[", b"[1]", {"events": 5}, {"events": {**U, "name": "seen", "time": TIME}}, {}])
def test_a_lost_request_to_track_that_names_no_objects_changes_nothing(body: Any) -> None:
    harness = OracleHarness()
    harness.event(1)
    lost(harness, body, path="/users/track")
    assert harness.event(3) != set()


# --- what was refused -------------------------------------------------------------------------------------------------


def test_the_last_refused_writes_are_remembered() -> None:
    refusal = {"message": "wrong", "errors": ["'currency' is required"]}
    for amount, name in ((5, "first"), (7, "second")):
        harness = OracleHarness()
        assert harness.check(purchase(), bought(1)) == []
        for quantity in (5, 7):
            harness.check(purchase(quantity=quantity, currency=...), refusal, 400)
        findings = harness.check(purchase(), bought(2 + amount))
        assert [one.clause for one in findings] == ["TS-STATE-REFUSED"], name


def test_an_attribute_that_shows_a_refused_edit_is_found_also_after_another() -> None:
    for amount in (5, 70):
        harness = OracleHarness()
        harness.write({"n": 1})
        for step in (5, 70):
            harness.check({"attributes": [{**U, "n": {"inc": step}}]}, {"message": "Invalid API key"}, 401,
                       tags=("refused",))  # fmt: skip
        assert harness.write({"n": {"inc": 1}}, {"n": 2 + amount}) == {"TS-STATE-REFUSED"}
