"""Pending writes by an email or a phone, and pending writes that give one: which user they may reach."""

from __future__ import annotations

from typing import Any

import pytest
from oracle_harness import (
    EMAIL,
    NO_USER,
    ONLY,
    PHONE,
    TIME,
    OracleHarness,
    U,
    V,
    attributed,
    seen,
)

from tracksync.model.exchange import FailureKind
from tracksync.oracle.identifiers import Link

BRAZE = {"braze_id": "b"}
SURELY, PERHAPS = Link(0), Link(0, sure=False)
DELETED = {"deleted": 1, "message": "success"}


def given(harness: OracleHarness, names: dict[str, Any], contact: dict[str, Any]) -> None:
    assert harness.write({"given": True}, names=names, control=contact) == set()


def delete(harness: OracleHarness, name: str) -> None:
    assert harness.check({"external_ids": [name]}, DELETED, path="/users/delete") == []


def test_a_lost_write_by_an_unknown_email_may_have_created_a_user() -> None:
    for count in (1, 2):
        harness = OracleHarness()
        harness.check(seen(EMAIL), failure=FailureKind.TIMEOUT)
        assert harness.event(count, names=EMAIL) == set()
    harness = OracleHarness()
    harness.check(seen(EMAIL), failure=FailureKind.TIMEOUT)
    assert harness.event(3, names=EMAIL) != set()


def test_a_lost_write_by_an_unknown_email_may_create_a_user_later() -> None:
    harness = OracleHarness()
    harness.check(seen(EMAIL), failure=FailureKind.TIMEOUT)
    assert harness.check(seen(EMAIL, **ONLY), NO_USER) == []
    assert harness.event(2, names=EMAIL, flag=ONLY) == set()
    assert harness.check(seen(EMAIL, **ONLY), NO_USER) != []


def test_a_lost_write_by_an_email_may_create_a_user_also_where_all_users_were_forgotten() -> None:
    harness = OracleHarness()
    harness.check(seen(EMAIL), failure=FailureKind.TIMEOUT)
    assert harness.check({}, {"message": "success"}, 200, path="/users/merge") == []
    for _ in range(2):
        assert harness.check(seen(EMAIL, **ONLY), NO_USER) == []
    assert harness.event(2, names=EMAIL, flag=ONLY) == set()


def test_a_lost_write_by_an_email_reaches_the_user_that_is_given_it_meanwhile() -> None:
    harness = OracleHarness()
    harness.check(seen(EMAIL), failure=FailureKind.TIMEOUT)
    given(harness, U, EMAIL)
    assert harness.event(2, names=U) == set()
    assert harness.event(4, names=U) != set()


def test_a_lost_write_by_a_phone_may_make_its_profile_the_most_recent_of_an_email() -> None:
    for contacts in ({**EMAIL, **PHONE}, EMAIL):
        harness = OracleHarness()
        given(harness, U, contacts)
        harness.event(1, names=U)
        given(harness, V, EMAIL)
        harness.check({"attributes": [{**PHONE, "late": 1}]}, failure=FailureKind.TIMEOUT)
        assert (harness.event(2, names=EMAIL) == set()) == (contacts != EMAIL)


def test_a_lost_write_may_make_a_profile_the_most_recent() -> None:
    for lost, right in ((True, True), (False, False)):
        harness = OracleHarness()
        given(harness, U, EMAIL)
        harness.event(1, names=U)
        given(harness, V, EMAIL)
        if lost:
            harness.check({"attributes": [{**U, "late": 1}]}, failure=FailureKind.TIMEOUT)
        assert (harness.event(2, names=EMAIL) == set()) == right


def test_every_lost_write_by_an_email_may_reach_the_user_that_is_given_it() -> None:
    for count, right in ((1, True), (2, True), (3, True), (4, False)):
        harness = OracleHarness()
        for _ in range(2):
            harness.check(seen(EMAIL), failure=FailureKind.TIMEOUT)
        given(harness, U, EMAIL)
        assert (harness.event(count, names=U) == set()) == right


def test_a_write_that_was_lost_before_its_phone_led_to_a_user_may_reach_it_too() -> None:
    harness = OracleHarness()
    harness.check({"attributes": [{**PHONE, "late": 1}]}, failure=FailureKind.TIMEOUT)
    given(harness, U, {**EMAIL, **PHONE})
    harness.event(1, names=U)
    given(harness, V, EMAIL)
    assert harness.event(2, names=EMAIL) == set()


def test_a_lost_write_by_a_doubtful_phone_leaves_it_doubtful() -> None:
    harness = OracleHarness()
    harness.write({"a": 1}, names={**EMAIL, **PHONE})
    harness.check(seen(PHONE), failure=FailureKind.TIMEOUT)
    assert harness.check(seen(PHONE, **ONLY), NO_USER) == []


def test_a_user_that_is_found_by_a_phone_has_it_beside_the_others() -> None:
    harness = OracleHarness()
    given(harness, U, PHONE)
    for count in (1, 2, 3):
        harness.event(count, names=U)
    harness.write({"a": 1}, names={**EMAIL, **PHONE})
    harness.event(1, names=EMAIL)
    assert harness.event(2, names=PHONE) == set()
    assert harness.event(4, names=PHONE) == set()


# --- pending writes that give an email or a phone ---------------------------------------------------------------------


def test_a_lost_write_that_gives_an_email_may_have_given_it_or_not() -> None:
    for count in (1, 2):
        harness = OracleHarness()
        harness.event(1, names=U)
        harness.check({"attributes": [{**U, **EMAIL, "a": 1}]}, failure=FailureKind.TIMEOUT)
        assert harness.event(count, names=EMAIL) == set()
    harness = OracleHarness()
    harness.event(1, names=U)
    harness.check({"attributes": [{**U, **EMAIL, "a": 1}]}, failure=FailureKind.TIMEOUT)
    assert harness.event(3, names=EMAIL) != set()


def test_a_lost_write_that_gives_an_email_may_have_taken_the_former_one() -> None:
    for lost, right in (({"attributes": [{**U, "email": "new@example.com", "a": 1}]}, True), (seen(U), False)):
        harness = OracleHarness()
        given(harness, U, EMAIL)
        harness.write({"n": 5}, names=U)
        harness.check(lost, failure=FailureKind.TIMEOUT)
        assert (harness.write({"n": 1}, names=EMAIL, control=ONLY) == set()) is True
        harness = OracleHarness()
        given(harness, U, EMAIL)
        harness.check(lost, failure=FailureKind.TIMEOUT)
        assert (harness.check(seen(EMAIL, **ONLY), NO_USER) == []) == right


def test_a_user_that_may_have_another_email_may_get_a_phone_too() -> None:
    harness = OracleHarness()
    given(harness, U, EMAIL)
    harness.event(1, names=U)
    harness.check({"attributes": [{**U, "email": "new@example.com", "a": 1}]}, failure=FailureKind.TIMEOUT)
    assert harness.write({"b": 1}, names=U, control={**EMAIL, **PHONE}) == set()
    assert harness.event(2, names=PHONE) == set()


def test_a_lost_event_gives_no_user_an_email() -> None:
    harness = OracleHarness()
    given(harness, U, EMAIL)
    harness.event(1, names=U)
    harness.check({"events": [{**U, "email": "new@example.com", "name": "other", "time": TIME}]},
               failure=FailureKind.TIMEOUT)  # fmt: skip
    assert harness.clauses(seen(EMAIL, **ONLY), NO_USER) == {"TS-USER-UPDATE-KNOWN"}


def test_a_lost_write_by_email_and_phone_gives_neither_to_their_users() -> None:
    harness = OracleHarness()
    given(harness, U, EMAIL)
    harness.event(1, names=U)
    harness.check({"attributes": [{**EMAIL, **PHONE, "a": 1}]}, failure=FailureKind.TIMEOUT)
    assert harness.clauses(seen(EMAIL, **ONLY), NO_USER) == {"TS-USER-UPDATE-KNOWN"}


@pytest.mark.parametrize("contact", [EMAIL, PHONE])
def test_a_request_to_track_by_email_or_phone_reaches_the_user_who_has_had_it_for_long(contact: dict[str, Any]) -> None:
    for wait, found in ((1.0, set()), (400.0, {"TS-TRACK-APPLIED"})):
        harness = OracleHarness()
        given(harness, U, contact)
        harness.event(1, names=U)
        assert harness.queue(seen(contact), wait=wait) == []
        assert harness.event(2, names=U, wait=400.0) == found


@pytest.mark.parametrize("contact", [EMAIL, PHONE])
def test_a_request_to_track_by_email_or_phone_may_reach_the_user_who_gets_it_meanwhile(contact: dict[str, Any]) -> None:
    harness = OracleHarness()
    given(harness, U, contact)
    harness.event(1, names=U)
    assert harness.queue(seen(contact), wait=400.0) == []
    given(harness, V, contact)
    assert harness.event(2, names=U, wait=400.0) == set()
    assert harness.event(4, names=U) == set()


def test_the_user_that_is_shown_for_an_email_is_the_one_that_is_updated() -> None:
    harness = OracleHarness()
    given(harness, U, EMAIL)
    assert harness.check({"attributes": [{**EMAIL, "n": 1}]}, attributed(EMAIL, {"n": 1})) == []
    assert harness.write({"n": {"inc": 1}}, {"n": 2}, names=U) == set()
    assert harness.write({"n": {"inc": 1}}, {"n": 2}, names=U) != set()


def test_however_many_writes_by_an_email_are_pending_each_may_reach_the_user_that_is_given_it() -> None:
    harness = OracleHarness()
    harness.check(seen(EMAIL), failure=FailureKind.TIMEOUT)
    for number in range(70):
        harness.check({"attributes": [{**EMAIL, f"n{number}": 1}]}, failure=FailureKind.TIMEOUT)
    given(harness, U, EMAIL)
    assert harness.event(2) == set()
