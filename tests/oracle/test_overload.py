"""An overload that is told as a 5XX over the limit, where the documents say 429."""

from __future__ import annotations

import pytest
from oracle_harness import RESET, SHOWN, TIME, OracleHarness, counted


def check(harness: OracleHarness, number: int = 0, status: int = 201, **headers: str) -> set[str]:
    user = {"external_id": f"u{number}"}
    named: dict[str, str | None] = {f"x-ratelimit-{key}": value for key, value in headers.items()}
    shown = counted(user, "seen", SHOWN, SHOWN, 1) if status == 201 else {"message": "over the limit"}
    return harness.clauses({"events": [user | {"name": "seen", "time": TIME}]}, shown, status, headers=named)


def failing(harness: OracleHarness, *statuses: int, remaining: str = "0") -> list[set[str]]:
    """The clauses of each of these responses to a request of its own, with no retry among them."""
    return [check(harness, 100 + number, status=status, remaining=remaining) for number, status in enumerate(statuses)]


@pytest.mark.parametrize("status", [500, 502, 503, 504])
def test_an_overload_is_told_as_429(status: int) -> None:
    check(harness := OracleHarness(), remaining="0")
    assert failing(harness, status, status, status, status) == [set(), set(), {"TS-RATE-EXCEEDED"}, set()]


def test_a_transient_failure_over_the_limit_is_none_of_the_limit() -> None:
    check(harness := OracleHarness(), remaining="0")
    assert failing(harness, 503, 503, 429, 503, 503, 429) == [set()] * 6


def test_an_outage_that_uses_up_the_window_itself_is_no_overload() -> None:
    check(harness := OracleHarness(), remaining="1")
    assert failing(harness, 503, 503, 503, 503) == [set()] * 4


def test_an_outage_with_requests_left_is_no_overload() -> None:
    check(harness := OracleHarness(), remaining="3")
    assert failing(harness, 503, 503, 503, 503, remaining="3") == [set()] * 4


def test_an_outage_that_goes_on_in_the_next_window_is_no_overload_of_that_one() -> None:
    check(harness := OracleHarness(), remaining="0")
    assert failing(harness, 503, 503) == [set()] * 2
    harness.now = RESET + 1.0
    headers = {"remaining": "0", "reset": str(RESET + 60)}
    assert [check(harness, number, status=503, **headers) for number in range(4)] == [set()] * 4
