"""Users that a request to /users/track creates, and findings that are named by the identifier."""

from __future__ import annotations

import json
from typing import Any

import pytest
from oracle_harness import (
    EMAIL,
    EVENT,
    NO_USER,
    ONLY,
    PHONE,
    SHOWN,
    OracleHarness,
    U,
    bought,
    counted,
    covered,
    purchase,
    seen,
)

from tracksync.model.exchange import FailureKind

# --- failures in a row ------------------------------------------------------------------------------------------------

BARE = {"events": EVENT["events"][0]}


@pytest.mark.parametrize(
    ("queued", "certain"),
    [
        (seen(U), True),
        (seen(U, _update_existing_only=False), True),
        (seen(U, **ONLY), False),
        (seen({**U, **EMAIL}), False),
        ({"attributes": [{**U, "a": 1}]}, True),
    ],
)
def test_a_user_that_track_was_to_create_exists_in_the_end(queued: dict[str, Any], certain: bool) -> None:
    for wait, found in ((1.0, set()), (400.0, {"TS-TRACK-APPLIED"} if certain else set())):
        harness = OracleHarness()
        assert harness.queue(queued) == []
        requested = {"attributes": [{**U, "b": 1, **ONLY}]}
        assert harness.clauses(requested, NO_USER, wait=wait) == found


ALIAS = {"user_alias": {"alias_name": "a", "alias_label": "l"}}


@pytest.mark.parametrize(
    ("queued", "certain"),
    [
        ({"attributes": [{**ALIAS, "a": 1, "_update_existing_only": False}]}, True),
        ({"attributes": [{**ALIAS, "a": 1}]}, False),
        ({"attributes": [{**ALIAS, "a": 1, "_update_existing_only": "false"}]}, False),
        (seen(ALIAS, _update_existing_only=False), False),
        ({"attributes": [{**ALIAS, **U, "a": 1, "_update_existing_only": False}]}, False),
    ],
)
def test_a_user_that_track_was_to_create_by_alias_exists_in_the_end(queued: dict[str, Any], certain: bool) -> None:
    for wait, found in ((1.0, set()), (400.0, {"TS-TRACK-APPLIED"} if certain else set())):
        harness = OracleHarness()
        harness.queue(queued)
        assert harness.clauses({"attributes": [{**ALIAS, "b": 1}]}, NO_USER, wait=wait) == found


def test_a_user_that_track_created_is_known() -> None:
    harness = OracleHarness()
    harness.queue(seen(U))
    assert harness.event(2, names=U, flag=ONLY, wait=400.0) == set()
    assert harness.last is not None
    assert {"TS-TRACK-APPLIED", "TS-USER-UPDATE-KNOWN"} <= harness.last.covered


def test_a_user_that_track_was_to_create_is_due_after_five_minutes_and_not_before() -> None:
    for wait, right in ((300.0, True), (300.5, False)):
        harness = OracleHarness()
        harness.queue(seen(U))
        findings = harness.check(seen(U, **ONLY), NO_USER, wait=wait)
        assert (findings == []) == right
        if findings:
            (found,) = findings
            assert (found.clause, found.pointer, found.expected, found.actual) == (
                "TS-TRACK-APPLIED",
                "/response/body/users",
                "one entry",
                [],
            )
            assert found.message == "a user that /users/track was to create does not exist"


def test_a_user_that_track_creates_may_appear_after_it_was_missing() -> None:
    harness = OracleHarness()
    harness.queue(seen(U))
    assert harness.check(seen(U, **ONLY), NO_USER) == []
    assert harness.event(2, names=U, flag=ONLY) == set()


def test_a_request_to_track_without_a_response_is_never_due() -> None:
    harness = OracleHarness()
    harness.check(seen(U), path="/users/track", failure=FailureKind.TIMEOUT)
    assert harness.check({"attributes": [{**U, "b": 1, **ONLY}]}, NO_USER, wait=400.0) == []
    harness = OracleHarness()
    harness.event(1, names=U)
    harness.check(seen(U), path="/users/track", failure=FailureKind.TIMEOUT)
    assert harness.event(2, names=U, wait=400.0) == set()
    assert harness.event(4, names=U) == set()


@pytest.mark.parametrize(
    ("body", "media", "clause"),
    [
        (BARE, "application/json", "TS-FORM-BARE"),
        ({"attributes": [], **EVENT}, "application/json", "TS-FORM-EMPTY-SECTIONS"),
        (seen({"external_id": 5}), "application/json", "TS-FORM-INTEGER-ID"),
        (EVENT, "text/plain", "TS-ROUTE-MEDIA"),
        (json.dumps(EVENT).encode().ljust(4 * 1024 * 1024 + 1), "application/json", "TS-ROUTE-SIZE"),
    ],
)
def test_every_form_that_may_be_refused_is_handled_right_where_it_is_accepted(
    body: Any, media: str, clause: str
) -> None:
    names = {"external_id": 5} if clause == "TS-FORM-INTEGER-ID" else U
    assert clause in OracleHarness().clauses(body, counted(names, "seen", SHOWN, SHOWN, 2), media=media)
    harness = OracleHarness()
    assert harness.check(body, counted(names, "seen", SHOWN, SHOWN, 1), media=media) == []
    assert clause in covered(harness)


def test_the_state_of_the_phones_user_shown_for_an_email_and_a_phone_breaks_the_clause_on_which_leads() -> None:
    both = {**EMAIL, **PHONE}
    for shown, led in ((21, True), (11, False), (5, False)):
        harness = OracleHarness()
        harness.write({"n": 10}, names=U, control=EMAIL)
        harness.write({"n": 20}, names={"external_id": "other"}, control=PHONE)
        found = harness.write({"n": {"inc": 1}}, {"n": shown}, names=both)
        assert ("TS-USER-EMAIL-LEADS" in found) is led
        assert bool(found) is (shown != 11)
    harness = OracleHarness()
    harness.event(1, names=both)
    assert "TS-USER-EMAIL-LEADS" not in harness.event(5, names=both)


@pytest.mark.parametrize("contact", [EMAIL, PHONE])
def test_another_users_state_shown_for_an_email_or_a_phone_breaks_the_clause_on_finding(
    contact: dict[str, Any],
) -> None:
    (kind,) = contact
    harness = OracleHarness()
    harness.write({"a": 1}, names=U, control=contact)
    bodies = {"purchases": [{**purchase()["purchases"][0], **contact}]}
    bodies["purchases"][0].pop("external_id")
    response = {"users": [{**contact, **bought(7)["users"][0]}], "message": "success"}
    response["users"][0].pop("external_id")
    assert harness.clauses(bodies, response) == {f"TS-USER-{kind.upper()}-FINDS"}
    harness = OracleHarness()
    for value in (1, 5):
        harness.write({"n": value}, names=U, control=contact)
    assert harness.write({"n": {"inc": 1}}, {"n": 2}, names=contact) == {f"TS-USER-{kind.upper()}-FINDS"}


def test_a_user_made_by_a_lost_write_and_deleted_does_not_come_back() -> None:
    harness = OracleHarness()
    harness.check(EVENT, failure=FailureKind.TIMEOUT)
    assert harness.event(2) == set()
    harness.check({"external_ids": ["u"]}, {"deleted": 1, "message": "success"}, path="/users/delete")
    assert harness.check(seen(U, **ONLY), NO_USER, wait=400.0) == []
    assert "TS-USER-UPDATE-ONLY" in harness.event(1, flag=ONLY)
