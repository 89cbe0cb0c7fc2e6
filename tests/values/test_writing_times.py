"""Times that are written: in every form, and read back as the same instant."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tracksync.contract.ambiguities import ambiguity_catalogue
from tracksync.values.times import Certainty, read_time, same_instant, write_time

SECOND = 1_000_000
DAY = 86_400 * SECOND
YEAR_9_DIGITS = 999_999_999 * 365 * DAY
INSTANTS = st.integers(-YEAR_9_DIGITS, YEAR_9_DIGITS)
FORMS = tuple(ambiguity_catalogue()["time-form"].interpretations)


def instant_of(moment: datetime) -> int:
    return (moment - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1)


DECEMBER = instant_of(datetime(2022, 12, 6, 19, 20, 45, tzinfo=UTC))


@given(INSTANTS)
def test_what_is_written_to_the_microsecond_is_read_back(instant: int) -> None:
    assert read_time(write_time(instant, "utc-micros")).instant == instant


@given(INSTANTS, st.sampled_from(FORMS), st.integers(-14 * 60, 14 * 60))
def test_every_form_names_the_same_instant(instant: int, form: str, offset: int) -> None:
    read = read_time(write_time(instant, form, offset))
    assert read.instant is not None
    assert same_instant(read.instant, instant)
    assert read.zoned


@given(st.datetimes(timezones=st.just(UTC)), st.sampled_from(FORMS))
def test_what_is_written_within_four_digit_years_is_certain(moment: datetime, form: str) -> None:
    assert read_time(write_time(instant_of(moment), form)).certainty is Certainty.CERTAIN


@pytest.mark.parametrize(
    ("form", "offset", "text"),
    [
        ("utc-millis", 60, "2022-12-06T18:20:45.000Z"),
        ("utc-offset", 60, "2022-12-06T18:20:45.000+00:00"),
        ("utc-micros", 60, "2022-12-06T18:20:45.000000Z"),
        ("as-sent", 60, "2022-12-06T19:20:45.000+01:00"),
        ("as-sent", -570, "2022-12-06T08:50:45.000-09:30"),
        ("as-sent", 0, "2022-12-06T18:20:45.000Z"),
    ],
)
def test_a_form_is_written_as_the_ambiguities_shows_it(form: str, offset: int, text: str) -> None:
    assert write_time(DECEMBER - 3600 * SECOND, form, offset) == text


def test_every_form_of_the_ambiguities_can_be_written() -> None:
    assert all(write_time(0, form).startswith("1970-01-01T00:00:00.000") for form in FORMS)


def test_an_unknown_form_is_named_in_the_error() -> None:
    with pytest.raises(ValueError, match="'rfc822'"):
        write_time(0, "rfc822")


@pytest.mark.parametrize(
    ("instant", "text"),
    [
        (-1, "1969-12-31T23:59:59.999Z"),
        (instant_of(datetime(1, 1, 1, tzinfo=UTC)) - DAY, "0000-12-31T00:00:00.000Z"),
        (instant_of(datetime(1, 1, 1, tzinfo=UTC)) - 367 * DAY, "-0001-12-31T00:00:00.000Z"),
        (instant_of(datetime(9999, 12, 31, tzinfo=UTC)) + DAY, "+10000-01-01T00:00:00.000Z"),
    ],
)
def test_instants_outside_datetimes_range_are_written(instant: int, text: str) -> None:
    assert write_time(instant, "utc-millis") == text
