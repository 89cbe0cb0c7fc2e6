"""What the oracle makes of x-ratelimit-reset: the end of the window in which the response came."""

from __future__ import annotations

import pytest
from oracle_harness import RESET, SHOWN, TIME, OracleHarness, counted

BODY = {"events": [{"external_id": "u", "name": "seen", "time": TIME}]}


def headers(remaining: int, reset: str, date: str | None = None) -> dict[str, str | None]:
    named = {"limit": "500", "remaining": str(remaining), "reset": reset}
    return {**{f"x-ratelimit-{name}": value for name, value in named.items()}, "date": date}


def check(reset: str, date: str | None = None, took: float = 0.0) -> set[str]:
    response = counted({"external_id": "u"}, "seen", SHOWN, SHOWN, 1)
    return OracleHarness().clauses(BODY, response, headers=headers(499, reset, date), took=took)


@pytest.mark.parametrize("reset", [str(RESET + 1), str(RESET - 180), str(RESET + 180), "30", str(RESET * 1000)])
def test_the_reset_is_the_end_of_the_clock_minute(reset: str) -> None:
    assert check(reset) == {"TS-RATE-RESET"}


def test_the_servers_own_clock_decides_which_minute_it_is() -> None:
    assert check(str(RESET + 600), date="Fri, 15 Jan 2027 08:10:17 GMT") == set()


@pytest.mark.parametrize(
    ("date", "took", "found"),
    [  # the reset is 08:01:00, to two seconds and the time that the response took
        ("Fri, 15 Jan 2027 08:01:02 GMT", 0.0, set()),
        ("Fri, 15 Jan 2027 08:01:03 GMT", 0.0, {"TS-RATE-RESET"}),
        ("Fri, 15 Jan 2027 08:01:03 GMT", 0.01, {"TS-RATE-RESET"}),
        ("Fri, 15 Jan 2027 08:01:03 GMT", 1.0, set()),
        ("Fri, 15 Jan 2027 07:59:58 GMT", 0.0, set()),
        ("Fri, 15 Jan 2027 07:59:57 GMT", 0.0, {"TS-RATE-RESET"}),
        ("no date at all", 0.0, set()),
    ],
)
def test_a_reset_is_the_end_of_the_minute_by_the_servers_date(date: str, took: float, found: set[str]) -> None:
    assert check(str(RESET), date, took) == found


@pytest.mark.parametrize(
    ("date", "reset", "found"),
    [
        ("08:00:17", "08:00:20", set()),  # ten or twenty seconds
        ("08:00:17", "08:00:18", set()),  # one second
        ("08:00:17", "09:00:00", set()),  # an hour
        ("08:00:17", "24:00:00", set()),  # a day
        ("08:00:17", "08:01:17", {"TS-RATE-RESET"}),  # not on the clock
        ("08:00:17", "08:02:00", {"TS-RATE-RESET"}),  # the minute after
        ("08:00:17", "08:00:00", {"TS-RATE-RESET"}),  # over
    ],
)
def test_a_window_may_be_another_one_of_the_clock_than_a_minute(date: str, reset: str, found: set[str]) -> None:
    hours, minutes, seconds = map(int, reset.split(":"))
    at = RESET - 60 + (hours - 8) * 3600 + minutes * 60 + seconds
    assert check(str(at), f"Fri, 15 Jan 2027 {date} GMT") == found


def test_a_reset_at_the_beginning_of_time_is_no_window() -> None:
    over = OracleHarness().clauses(BODY, {"message": "over"}, 429, headers=headers(0, "0"))
    assert check("0") == over == {"TS-RATE-RESET"}
