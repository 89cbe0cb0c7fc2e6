"""Months in times: their names, also those of days of the week, and their lengths."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from tracksync.values.times import Certainty, read_time

MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


@pytest.mark.parametrize(("number", "name"), list(enumerate(MONTHS, 1)))
def test_a_month_is_named_by_its_first_three_letters(number: int, name: str) -> None:
    wanted = read_time(f"2022-{number:02d}-06T18:20:45Z").instant
    for spelled in (name, name.upper(), name.lower()):
        assert read_time(f"Tue {spelled} 06 18:20:45 UTC 2022").instant == wanted


@pytest.mark.parametrize("year", [2023, 2024, 2100, 2000])
@pytest.mark.parametrize("month", range(1, 13))
def test_a_month_ends_with_its_last_day(year: int, month: int) -> None:
    last = (datetime(year + month // 12, month % 12 + 1, 1) - timedelta(days=1)).day
    assert read_time(f"{year}-{month:02d}-{last}T00:00:00Z").certainty is Certainty.CERTAIN
    for day in range(last + 1, 32):
        beyond = read_time(f"{year}-{month:02d}-{day}T00:00:00Z")
        assert (beyond.certainty, beyond.instant) == (Certainty.LENIENT, None)


@pytest.mark.parametrize(("month", "last"), list(enumerate((31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31), start=1)))
def test_no_month_has_a_day_after_its_last(month: int, last: int) -> None:
    for form in ("2023-{0:02}-{1:02}T00:00:00Z", "2023-{0:02}-{1:02}"):
        assert read_time(form.format(month, last)).instant is not None
        after = read_time(form.format(month, last + 1))
        assert after.instant is None
        assert after.certainty is not Certainty.CERTAIN


@pytest.mark.parametrize(
    "name",
    [
        *("january", "february", "march", "april", "may", "june", "july", "august", "september", "october", "november"),
        *("december", "jan", "feb", "mar", "apr", "jun", "jul", "aug", "sep", "sept", "oct", "nov", "dec"),
        *("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"),
        *("mon", "tue", "tues", "wed", "thu", "thur", "thurs", "fri", "sat", "sun", "OCTOBER", "Friday", "Sun"),
    ],
)
def test_a_name_of_a_month_or_a_day_may_be_read_as_a_time(name: str) -> None:
    assert read_time(name).certainty is Certainty.LENIENT
    assert read_time(f"{name}x").certainty is Certainty.NOT
    assert read_time(f"5 {name} 2024").certainty is Certainty.LENIENT
