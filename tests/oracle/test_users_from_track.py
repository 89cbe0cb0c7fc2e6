"""Users that a request to /users/track creates: when they may exist and when they have to."""

from __future__ import annotations

from typing import Any

import pytest
from oracle_harness import EMAIL, NO_USER, ONLY, OracleHarness, U, seen

from tracksync.model.exchange import FailureKind


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
        assert harness.check(queued, {"message": "success"}, path="/users/track") == []
        requested = {"attributes": [{**U, "b": 1, **ONLY}]}
        assert harness.clauses(requested, NO_USER, wait=wait) == found


def test_a_user_that_track_created_is_known() -> None:
    harness = OracleHarness()
    harness.check(seen(U), {"message": "success"}, path="/users/track")
    assert harness.event(2, names=U, flag=ONLY, wait=400.0) == set()
    assert harness.last is not None
    assert {"TS-TRACK-APPLIED", "TS-USER-UPDATE-KNOWN"} <= harness.last.covered


def test_a_user_that_track_was_to_create_is_due_after_five_minutes_and_not_before() -> None:
    for wait, right in ((300.0, True), (300.5, False)):
        harness = OracleHarness()
        harness.check(seen(U), {"message": "success"}, path="/users/track")
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
    harness.check(seen(U), {"message": "success"}, path="/users/track")
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
