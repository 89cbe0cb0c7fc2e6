"""The host has more endpoints than the ones that are checked: the oracle does not check their responses."""

from __future__ import annotations

import pytest
from oracle_harness import REFUSAL, SYNC, OracleHarness

from tracksync.model.exchange import FailureKind

DONE = {"message": "success"}


@pytest.mark.parametrize(
    "path",
    ["/users/identify", "/users/alias/new", "/users/merge", "/messages/send", "/campaigns/list", "/users/track/bulk"],
)
@pytest.mark.parametrize("status", [200, 201, 202])
def test_an_endpoint_that_is_not_checked_may_respond_in_any_way(path: str, status: int) -> None:
    assert OracleHarness().check({"anything": 1}, DONE, status, path=path) == []


def test_a_misspelt_path_of_the_endpoint_is_not_found() -> None:
    assert OracleHarness().clauses({"events": []}, DONE, 201, path="/users/track/synchronous") == {"TS-ROUTE-URL"}


@pytest.mark.parametrize(
    "path", ["/users/merge", "/users/identify", "/users/alias/new", "/users/track/bulk", SYNC + "/", SYNC.upper()]
)
def test_a_write_by_another_endpoint_may_show(path: str) -> None:
    harness = OracleHarness()
    harness.event(1)
    harness.check({"events": [{"external_id": "u", "name": "seen"}]}, DONE, 201, path=path)
    assert harness.event(7) == set()
    assert harness.event(8) == set()
    assert harness.event(8) == {"TS-EVENT-COUNT"}


def test_an_alias_given_by_another_endpoint_leads_to_a_user() -> None:
    harness = OracleHarness()
    alias = {"alias_name": "a", "alias_label": "l"}
    harness.check({"user_aliases": [{"external_id": "u", **alias}]}, DONE, 201, path="/users/alias/new")
    assert harness.event(4, names={"user_alias": alias}) == set()


def test_a_refusal_by_another_endpoint_changes_nothing() -> None:
    harness = OracleHarness()
    harness.event(1)
    harness.check({"merge_updates": []}, REFUSAL, 400, path="/users/merge")
    assert harness.event(7) == {"TS-EVENT-COUNT"}


def test_a_lost_request_to_another_endpoint_may_have_been_applied() -> None:
    harness = OracleHarness()
    harness.event(1)
    harness.check({"merge_updates": []}, path="/users/merge", failure=FailureKind.RESET)
    assert harness.event(7) == set()


def test_of_a_cell_with_too_many_pending_writes_nothing_is_known_afterwards_and_of_others_all_that_is_shown() -> None:
    harness = OracleHarness()
    for second in range(6):
        lost = {"events": [{"external_id": "u", "name": "seen", "time": f"2022-12-06T19:20:0{second}Z"}]}
        harness.check(lost, failure=FailureKind.TIMEOUT)
    harness.check({"merge_updates": []}, DONE, 201, path="/users/merge")
    assert harness.event(9) == harness.event(4) == set()
    assert harness.write({"n": 5}) == harness.write({"n": {"inc": 1}}, {"n": 6}) == set()
    assert harness.write({"n": {"inc": 1}}, {"n": 9}) == {"TS-ATTR-INC"}
