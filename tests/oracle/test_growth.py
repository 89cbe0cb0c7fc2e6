"""What a check takes does not grow with the users that a recording has."""

from __future__ import annotations

import sys
from types import FrameType
from typing import Any

import pytest
from oracle_harness import SYNC, OracleHarness

FEW, MANY = 20, 200  # users
TRACK = "/users/track"


def names_of(number: int, kinds: tuple[str, ...]) -> dict[str, str]:
    every = {"external_id": f"u{number}", "email": f"u{number}@example.com"}
    return {kind: every[kind] for kind in kinds}


@pytest.mark.parametrize("path", [SYNC, TRACK])
@pytest.mark.parametrize("kinds", [("external_id",), ("email",), ("external_id", "email")])
def test_an_exchange_takes_as_many_steps_among_many_users_as_among_few(path: str, kinds: tuple[str, ...]) -> None:
    harness = OracleHarness(new=False)
    counted: list[int] = []

    def step(frame: FrameType, event: str, argument: Any) -> Any:
        counted[-1] += 1
        frame.f_trace_opcodes = True
        return step

    for number in range(MANY + 1):
        names = names_of(number, kinds)
        shown: dict[str, Any] = {"message": "success", "attributes_processed": 1}
        if path == SYNC:
            shown = {"message": "success", "users": [{**names, "custom_attributes": {"n": 1}}]}
        before = sys.gettrace()
        if number in (FEW, MANY):
            counted.append(0)
            sys.settrace(step)
        try:
            harness.check({"attributes": [{**names, "n": 1}]}, shown, path=path)
        finally:
            sys.settrace(before)
    few, many = counted
    assert many < 1.2 * few


def test_who_else_an_email_may_lead_to_is_one_user_however_often_that_is_open() -> None:
    harness = OracleHarness(new=False)
    made = []
    for number in range(40):
        names = names_of(0, (("external_id", "email"), ("email",), ("external_id",))[number % 3])
        harness.event(number + 1, names=names)
        made.append(harness.belief.users_made)
    assert made[-1] == made[10] < 5
