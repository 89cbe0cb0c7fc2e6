"""What the judge makes of the rate headers."""

from __future__ import annotations

import pytest

from court import RESET, SHOWN, TIME, Court, counted
from tracksync.exchange import Credential

NAMES = ("x-ratelimit-limit", "x-ratelimit-remaining", "x-ratelimit-reset")


def body(number: int) -> dict[str, object]:
    return {"events": [{"external_id": f"u{number}", "name": "seen", "time": TIME}]}


def answer(number: int) -> dict[str, object]:
    return counted({"external_id": f"u{number}"}, "seen", SHOWN, SHOWN, 1)


def hear(court: Court, number: int = 0, status: int = 201, **headers: str | None) -> set[str]:
    named = {f"x-ratelimit-{key}": value for key, value in headers.items()}
    shown = answer(number) if status == 201 else {"message": "over the limit"}
    return court.clauses(body(number), shown, status, headers=named)


@pytest.mark.parametrize("name", ["limit", "remaining", "reset"])
@pytest.mark.parametrize("value", [None, "", "many", "4.5", "-1"])
def test_every_answer_carries_three_whole_numbers(name: str, value: str | None) -> None:
    assert hear(Court(), **{name: value}) == {"TS-RATE-HEADERS"}


def test_an_answer_without_any_rate_header_is_found() -> None:
    assert hear(Court(), limit=None, remaining=None, reset=None) == {"TS-RATE-HEADERS"}


@pytest.mark.parametrize("value", ["", "500"])
def test_on_a_401_they_may_be_empty(value: str) -> None:
    reset = str(RESET) if value else ""
    headers = dict(zip(NAMES, (value, value and "499", reset), strict=True))
    refused = {"message": "Invalid API key"}
    assert Court().hear(body(0), refused, 401, credential=Credential.INVALID, headers=headers) == []


def test_on_a_401_they_may_not_be_missing() -> None:
    refused = {"message": "Invalid API key"}
    headers = dict.fromkeys(NAMES)
    found = Court().clauses(body(0), refused, 401, credential=Credential.INVALID, headers=headers)
    assert found == {"TS-RATE-HEADERS"}


def test_the_case_of_header_names_does_not_matter() -> None:
    headers: dict[str, str | None] = dict.fromkeys(NAMES) | {"X-RateLimit-Limit": "500", "X-Ratelimit-Remaining": "499"}
    assert Court().hear(body(0), answer(0), headers=headers | {"X-RATELIMIT-RESET": str(RESET)}) == []


def test_the_limit_is_the_one_that_was_told_and_stays() -> None:
    assert hear(Court(rate_limit=500)) == set()
    assert hear(Court(rate_limit=100)) == {"TS-RATE-LIMIT"}
    court = Court()
    hear(court, limit="500")
    assert "TS-RATE-LIMIT" in hear(court, 1, limit="400")


def test_remaining_goes_down_with_each_accepted_request() -> None:
    court = Court()
    assert hear(court, 0, remaining="400") == set()
    assert hear(court, 1, remaining="390") == set()
    assert hear(court, 2, remaining="390") == {"TS-RATE-REMAINING"}
    assert hear(court, 3, remaining="395") == {"TS-RATE-REMAINING"}


def test_remaining_stays_below_the_limit() -> None:
    assert hear(Court(), remaining="500") == {"TS-RATE-REMAINING"}


@pytest.mark.parametrize("reset", [str(RESET + 1), str(RESET - 180), str(RESET + 180), "30", str(RESET * 1000)])
def test_the_reset_is_the_end_of_the_clock_minute(reset: str) -> None:
    assert hear(Court(), reset=reset) == {"TS-RATE-RESET"}


def test_the_servers_own_clock_decides_which_minute_it_is() -> None:
    late = {"x-ratelimit-reset": str(RESET + 600), "date": "Fri, 15 Jan 2027 08:10:17 GMT"}
    assert Court().hear(body(0), answer(0), headers=late) == []


def test_over_the_limit_nothing_is_accepted() -> None:
    court = Court()
    assert hear(court, 0, remaining="0") == set()
    assert "TS-RATE-EXCEEDED" in hear(court, 1, remaining="0")


def test_a_429_comes_with_nothing_remaining() -> None:
    assert hear(Court(), status=429, remaining="0") == set()
    assert hear(Court(), status=429, remaining="3") == {"TS-RATE-429"}


def test_a_429_of_the_window_before_shows_the_next_one_untouched_and_no_other() -> None:
    for remaining, found in (("500", set()), ("499", {"TS-RATE-429"})):
        court = Court()
        hear(court, remaining="1")
        court.now = RESET - 0.005
        assert hear(court, 1, status=429, remaining=remaining, reset=str(RESET + 60)) == found


def test_a_429_while_requests_remain_and_nobody_else_is_there_is_too_early() -> None:
    court = Court()
    for number in range(3):
        hear(court, number, remaining=str(499 - number))
    assert hear(court, 3, status=429, remaining="0") == {"TS-RATE-429"}


def test_another_job_on_the_workspace_explains_an_early_429() -> None:
    court = Court()
    hear(court, 0, remaining="400")
    hear(court, 1, remaining="300")
    assert hear(court, 2, status=429, remaining="0") == set()


def test_a_429_changes_nothing() -> None:
    court = Court()
    court.event(1)
    court.hear(
        {"events": [{"external_id": "u", "name": "seen", "time": TIME}]},
        {"message": "over"},
        429,
        headers={"x-ratelimit-remaining": "0"},
    )
    court.now = RESET + 1.0
    assert court.event(3) == {"TS-STATE-REFUSED"}
