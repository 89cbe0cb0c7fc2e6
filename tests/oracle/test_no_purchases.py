"""A workspace without purchase events may refuse purchases, or accept them without effect (PURCH, 2026)."""

from __future__ import annotations

from typing import Any

import pytest
from oracle_harness import SHOWN, TIME, OracleHarness, bought, purchase

REFUSED = {"message": "Valid data must be provided.", "errors": ["purchase events are not available"]}
NOTHING_SHOWN: list[Any] = [
    {"users": [], "message": "success"},
    {"message": "success"},
    {"users": [{"external_id": "u"}], "message": "success"},
    {"users": [{"external_id": "u", "purchase_events": []}], "message": "success"},
]


@pytest.mark.parametrize("status", [400, 403, 404])
def test_every_purchase_may_be_refused(status: int) -> None:
    harness = OracleHarness()
    for _ in range(2):
        assert harness.check(purchase(), REFUSED, status) == []
    assert harness.belief.interpretations()["purchase-events"] == "refused"


@pytest.mark.parametrize("shown", NOTHING_SHOWN)
def test_every_purchase_may_be_without_effect(shown: Any) -> None:
    harness = OracleHarness()
    for _ in range(2):
        assert harness.check(purchase(), shown) == []


@pytest.mark.parametrize("shown", NOTHING_SHOWN)
def test_a_workspace_that_has_shown_a_purchase_applies_the_next_one(shown: Any) -> None:
    harness = OracleHarness()
    assert harness.check(purchase(), bought(1)) == []
    assert harness.clauses(purchase(), shown) & {"TS-OK-SHOWS", "TS-OK-USERS", "TS-USER-CREATE"}


def test_a_workspace_that_has_shown_a_purchase_does_not_refuse_the_next_one() -> None:
    harness = OracleHarness()
    assert harness.check(purchase(), bought(1)) == []
    assert "TS-OK-STATUS" in harness.clauses(purchase(), REFUSED, 400)


def test_a_workspace_that_refuses_purchases_does_not_apply_one() -> None:
    harness = OracleHarness()
    harness.check(purchase(), REFUSED, 400)
    assert harness.clauses(purchase(), bought(1)) == {"TS-INTERPRETATION-KEPT"}


def test_a_success_without_effect_has_its_message_all_the_same() -> None:
    assert OracleHarness().clauses(purchase(), {"users": [], "message": "ok"}) == {"TS-OK-MESSAGE"}


def test_the_count_after_a_purchase_without_effect_is_not_known() -> None:
    harness = OracleHarness()
    harness.check(purchase(), NOTHING_SHOWN[0])
    assert "TS-PURCHASE-COUNT" not in harness.clauses(purchase(), bought(7, SHOWN, SHOWN))


def test_an_entry_without_a_purchase_does_not_tell_how_no_user_is_shown() -> None:
    harness = OracleHarness()
    entry = {"users": [{"external_id": "u"}], "message": "success"}
    assert harness.check(purchase(_update_existing_only=True), entry) == []
    event = {"events": [{"external_id": "v", "name": "seen", "time": TIME, "_update_existing_only": True}]}
    assert harness.check(event, {"users": [], "message": "success"}) == []
