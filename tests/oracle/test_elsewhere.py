"""The host has more endpoints than the ones that are checked: they are let be, and what they may do is not forgotten."""

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
def test_an_endpoint_that_is_not_checked_may_answer_as_it_likes(path: str, status: int) -> None:
    assert OracleHarness().hear({"anything": 1}, DONE, status, path=path) == []


def test_a_misspelt_path_of_the_endpoint_is_not_found() -> None:
    assert OracleHarness().clauses({"events": []}, DONE, 201, path="/users/track/synchronous") == {"TS-ROUTE-URL"}


@pytest.mark.parametrize(
    "path", ["/users/merge", "/users/identify", "/users/alias/new", "/users/track/bulk", SYNC + "/", SYNC.upper()]
)
def test_what_was_written_elsewhere_may_show(path: str) -> None:
    harness = OracleHarness()
    harness.event(1)
    harness.hear({"events": [{"external_id": "u", "name": "seen"}]}, DONE, 201, path=path)
    assert harness.event(7) == set()
    assert harness.event(8) == set()
    assert harness.event(8) == {"TS-EVENT-COUNT"}


def test_an_alias_that_was_given_elsewhere_leads_to_a_user() -> None:
    harness = OracleHarness()
    alias = {"alias_name": "a", "alias_label": "l"}
    harness.hear({"user_aliases": [{"external_id": "u", **alias}]}, DONE, 201, path="/users/alias/new")
    assert harness.event(4, who={"user_alias": alias}) == set()


def test_what_is_refused_elsewhere_changes_nothing() -> None:
    harness = OracleHarness()
    harness.event(1)
    harness.hear({"merge_updates": []}, REFUSAL, 400, path="/users/merge")
    assert harness.event(7) == {"TS-EVENT-COUNT"}


def test_what_was_lost_elsewhere_may_have_been_done() -> None:
    harness = OracleHarness()
    harness.event(1)
    harness.hear({"merge_updates": []}, path="/users/merge", failure=FailureKind.RESET)
    assert harness.event(7) == set()
