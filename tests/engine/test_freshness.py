"""Only identifiers that carry a whole prefix of the run count as new to a workspace."""

from __future__ import annotations

from typing import Any

import pytest

from tracksync.cassettes.resending import ResendPlan, settings_for
from tracksync.engine.freshness import Prefixes, everything, nothing
from tracksync.race.plan import RacePlan, settings


def test_an_identifier_with_one_of_the_prefixes_is_new() -> None:
    fresh = Prefixes("ts1a2b3c", "ts4d5e6f")
    assert fresh("external_id", "ts1a2b3c-u")
    assert fresh("email", "ts4d5e6f-u@example.com")


def test_an_identifier_that_only_shares_letters_with_a_prefix_may_be_known() -> None:
    assert not Prefixes("ts1a2b3c")("external_id", "last-year-s-user")


@pytest.mark.parametrize("kind", ["phone", "braze_id"])
def test_kinds_that_carry_no_prefix_may_be_known(kind: str) -> None:
    assert not Prefixes("ts1a2b3c")(kind, "ts1a2b3c-u")


@pytest.mark.parametrize("wrong", [(["ts1a2b3c"],), tuple("ts1a2b3c"), ("",)])
def test_a_list_or_the_letters_of_a_prefix_are_refused(wrong: tuple[Any, ...]) -> None:
    with pytest.raises((TypeError, ValueError), match="prefix"):
        Prefixes(*wrong)


def test_an_empty_workspace_knows_no_identifier_and_an_unknown_one_may_know_all() -> None:
    assert everything("phone", "+15005550006")
    assert not nothing("external_id", "ts1a2b3c-u")


def test_an_old_user_is_not_new_to_a_race() -> None:
    fresh = settings(RacePlan(), "ts1a2b3c", clock_skew=5).fresh
    assert (fresh("external_id", "ts1a2b3c-u"), fresh("external_id", "customer-1")) == (True, False)


def test_an_old_user_is_not_new_when_a_recording_is_sent_again() -> None:
    plan = ResendPlan(paths=(), target="http://127.0.0.1", key="k")
    fresh = settings_for(plan, "ts1a2b3c", clock_skew=5).fresh
    assert (fresh("external_id", "ts1a2b3c-u"), fresh("external_id", "customer-1")) == (True, False)
