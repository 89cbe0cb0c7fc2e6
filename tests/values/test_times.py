"""Times: which texts are certainly one, which are certainly none, and which instant they name."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tracksync.values.times import Certainty, is_date_like, read_time, same_instant, write_time

SECOND = 1_000_000
DAY = 86_400 * SECOND
YEAR_9_DIGITS = 999_999_999 * 365 * DAY


def instant_of(moment: datetime) -> int:
    return (moment - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1)


DECEMBER = instant_of(datetime(2022, 12, 6, 19, 20, 45, tzinfo=UTC))
MIDNIGHT = instant_of(datetime(2022, 12, 6, tzinfo=UTC))


@pytest.mark.parametrize(
    ("text", "instant", "offset"),
    [
        ("2022-12-06T19:20:45Z", DECEMBER, 0),
        ("2022-12-06T19:20:45", DECEMBER, None),
        ("2022-12-06 19:20:45", DECEMBER, None),
        ("2022-12-06 19:20:45Z", DECEMBER, 0),
        ("2022-12-06T20:20:45+01:00", DECEMBER, 60),
        ("2022-12-06T13:50:45-05:30", DECEMBER, -330),
        ("2022-12-07T09:20:45+14:00", DECEMBER, 840),
        ("2022-12-06T19:20:45.5Z", DECEMBER + 500_000, 0),
        ("2022-12-06T19:20:45.123456789Z", DECEMBER + 123_456, 0),
        ("2022-12-06T19:20:45:012Z", DECEMBER + 12_000, 0),
        ("1970-01-01T00:00:00Z", 0, 0),
        ("1969-12-31T23:59:59.999Z", -1000, 0),
        ("0001-01-01T00:00:00Z", instant_of(datetime(1, 1, 1, tzinfo=UTC)), 0),
        ("9999-12-31T23:59:59Z", instant_of(datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC)), 0),
        ("2000-02-29T00:00:00Z", instant_of(datetime(2000, 2, 29, tzinfo=UTC)), 0),
    ],
)
def test_a_full_time_is_certain(text: str, instant: int, offset: int | None) -> None:
    time = read_time(text)
    assert time.certainty is Certainty.CERTAIN
    assert (time.instant, time.offset_minutes, time.zoned) == (instant, offset, offset is not None)
    assert time.year == int(text[:4])


@pytest.mark.parametrize(
    ("text", "instant"),
    [
        ("2022-12-06", MIDNIGHT),
        ("12/06/2022", MIDNIGHT),
        ("Tue 12 06 19:20:45.Z 2022", DECEMBER),
        ("Tue 12 06 20:20:45.+01:00 2022", DECEMBER),
        ("Tue Dec 06 19:20:45 UTC 2022", DECEMBER),
        ("2022-12-06T19:20:45,5Z", DECEMBER + 500_000),
        ("2022-12-06T19:20:45.0000000000001Z", DECEMBER),
        ("2022-12-06T19:20Z", DECEMBER - 45 * SECOND),
        ("2022-12-06t19:20:45z", DECEMBER),
        (" 2022-12-06T19:20:45Z", DECEMBER),
        ("2022-12-06T19:20:45Z\n", DECEMBER),
        ("2022-12-06T19:20:45 Z", DECEMBER),
        ("2022-12-06T20:20:45+0100", DECEMBER),
        ("2022-12-06T20:20:45+01", DECEMBER),
        ("2022-12-06T19:20:45-00:00", DECEMBER),
        ("2022-12-07T18:20:45+23:00", DECEMBER),
        ("2022-12-06 19:20:45:012Z", DECEMBER + 12_000),
        ("20221206T192045Z", DECEMBER),
        ("2022-340T19:20:45Z", DECEMBER),
        ("2022-W49-2T19:20:45Z", DECEMBER),
        ("2022W492", MIDNIGHT),
        ("2020-W01-1", instant_of(datetime(2019, 12, 30, tzinfo=UTC))),
        ("2024-366", instant_of(datetime(2024, 12, 31, tzinfo=UTC))),
        ("2022-12-05T24:00:00Z", MIDNIGHT),
        ("2016-12-31T23:59:60Z", instant_of(datetime(2017, 1, 1, tzinfo=UTC))),
        ("0000-01-01T00:00:00Z", instant_of(datetime(1, 1, 1, tzinfo=UTC)) - 366 * DAY),
        ("-0001-12-31T00:00:00Z", instant_of(datetime(1, 1, 1, tzinfo=UTC)) - 367 * DAY),
        ("10000-01-01T00:00:00Z", instant_of(datetime(9999, 12, 31, tzinfo=UTC)) + DAY),
        ("+2022-12-06T19:20:45Z", DECEMBER),
    ],
)
def test_a_rarer_form_is_lenient_and_its_instant_known(text: str, instant: int) -> None:
    time = read_time(text)
    assert (time.certainty, time.instant) == (Certainty.LENIENT, instant)


@pytest.mark.parametrize(
    "text",
    [
        "2022-02-30T00:00:00Z",
        "2022-02-29",
        "1900-02-29T00:00:00Z",
        "0100-02-29",
        "2022-04-31T00:00:00Z",
        "2023-366",
        "2022-12-06T24:30:00Z",
        "2022-12-06T19:20:45+25:00",
        "2022-12-06T19:20:45 EST",
        "2022-12-06T19:20:45Z and more",
        "Tue Dec 06 19:20:45 PST 2022",
        "Tue, 6 Dec 2022 19:20:45 GMT",
        "6 December 2022",
        "13/01/2022",
        "20221206",
        "1670354445",
        "1670354445.5",
        "-5",
        "2022",
        "2022-12",
        "12:30 PM",
        "２０２２-12-06T19:20:45Z",
        "٢",
        "monday",
        "1" * 1000,
        "9999999999999-01-01T00:00:00Z",
    ],
)
def test_a_text_that_only_some_parsers_read_is_lenient_without_an_instant(text: str) -> None:
    time = read_time(text)
    assert (time.certainty, time.instant) == (Certainty.LENIENT, None)


@pytest.mark.parametrize(
    "text",
    [
        "",
        " ",
        "yesterday",
        "not a time",
        "not-a-date-5",
        "T",
        "Z",
        "2022-13-45T99:00:00Z",
        "2022-13-01",
        "2022-00-01T00:00:00Z",
        "2022-12-00T00:00:00Z",
        "2022-12-32T00:00:00Z",
        "0000-00-00T00:00:00Z",
        "2022-12-06T25:00:00Z",
        "2022-12-06T19:60:00Z",
        "2022-12-06T19:20:61Z",
        "13/45/2022",
        "00/10/2022",
        "2022-W54-1",
        "2022-W10-8",
        "2022-000",
        "2022-367",
        "2022-13-06 EST",
        "decline 5",
        "{}",
        "\x00",
        "true",
        "x" * 1000,
    ],
)
def test_a_text_that_no_parser_reads_is_not_a_time(text: str) -> None:
    time = read_time(text)
    assert (time.certainty, time.instant, time.year) == (Certainty.NOT, None, None)


@given(st.text(max_size=80) | st.text(alphabet="0123456789-+:/.,TtZzW ", max_size=40))
def test_no_text_makes_reading_raise_and_only_dates_have_instants(text: str) -> None:
    time = read_time(text)
    assert time.certainty is not Certainty.CERTAIN or time.instant is not None
    assert time.instant is None or time.year is not None
    assert time.certainty is not Certainty.NOT or not is_date_like(text, (0, 3000))


@given(st.datetimes(timezones=st.integers(-14 * 60, 14 * 60).map(lambda m: timezone(timedelta(minutes=m)))))
def test_reading_agrees_with_the_standard_library(moment: datetime) -> None:
    text = moment.isoformat()
    time = read_time(text)
    assert (time.certainty, time.instant) == (Certainty.CERTAIN, instant_of(moment))


@given(st.datetimes())
def test_week_dates_agree_with_the_standard_library(moment: datetime) -> None:
    year, week, day = moment.isocalendar()
    midnight = instant_of(moment.replace(tzinfo=UTC, hour=0, minute=0, second=0, microsecond=0))
    assert read_time(f"{year:04d}-W{week:02d}-{day}").instant == midnight
    assert read_time(f"{moment:%Y}".zfill(4) + f"-{moment:%j}").instant == midnight


@pytest.mark.parametrize(
    "text",
    [
        "2022-12-06T19:20:45Z",
        "2022-12-06T19:20:45:000Z",
        "2022-12-06T19:20:45",
        "2022-12-06 19:20:45",
        "2022-12-06",
        "12/06/2022",
        "Tue 12 06 19:20:45.Z 2022",
        "0000-01-01",
        "3000-12-31",
        "2022-02-30",
        " 2022-12-06",
    ],
)
def test_a_string_in_a_documented_date_form_may_become_a_time(text: str) -> None:
    assert is_date_like(text, (0, 3000))


@pytest.mark.parametrize(
    "text",
    [
        "3001-01-01",
        "9999-12-31T23:59:59Z",
        "-0001-01-01",
        "2022-13-01",
        "fruit",
        "",
        "2022",
        "20221206",
        "1670354445",
        "+14155550100",
        "12.5",
        "12:30",
        "may",
        "2022-12-06 is my birthday",
    ],
)
def test_any_other_string_stays_a_string(text: str) -> None:
    assert not is_date_like(text, (0, 3000))


@pytest.mark.parametrize(("difference", "same"), [(0, True), (999, True), (-999, True), (1000, False), (-1000, False)])
def test_instants_are_the_same_to_the_millisecond(difference: int, same: bool) -> None:
    assert same_instant(DECEMBER, DECEMBER + difference) is same


def instant_named_by(text: str) -> int | None:
    return read_time(text).instant


@pytest.mark.parametrize(
    ("text", "plain"),
    [
        ("2023-01-02 10:00:00 GMT", "2023-01-02T10:00:00Z"),
        ("12/05/2023", "2023-12-05T00:00:00Z"),
        ("Thu 12 22 16:59:42.250 UTC 2022", "2022-12-22T16:59:42.250Z"),
        ("2023-W01", "2023-01-02T00:00:00Z"),
        ("2023-W01-2", "2023-01-03T00:00:00Z"),
        ("2023-005", "2023-01-05T00:00:00Z"),
    ],
)
def test_a_rarer_form_names_the_instant_named_by_the_usual_one(text: str, plain: str) -> None:
    assert instant_named_by(text) == instant_named_by(plain) is not None
    assert read_time(text).year == int(plain[:4])
    assert read_time(text).certainty is Certainty.LENIENT


@pytest.mark.parametrize("zone", ["+24:00", "-24:00", "+10:60", "+24:60"])
def test_a_zone_that_no_clock_has_leaves_the_instant_open(zone: str) -> None:
    time = read_time(f"2023-01-01T00:00:00{zone}")
    assert (time.certainty, time.instant, time.zoned, time.offset_minutes) == (Certainty.LENIENT, None, True, None)


@pytest.mark.parametrize(
    ("text", "certainty"),
    [
        ("2023-01-01T23:59:59Z", Certainty.CERTAIN),
        ("2023-01-01T23:59:60Z", Certainty.LENIENT),
        ("2023-01-01T23:59:61Z", Certainty.NOT),
        ("2023-01-01T00:00:00+14:00", Certainty.CERTAIN),
        ("2023-01-01T00:00:00+14:01", Certainty.LENIENT),
    ],
)
def test_leap_seconds_and_zones_beyond_fourteen_hours_are_left_to_servers(text: str, certainty: Certainty) -> None:
    assert read_time(text).certainty is certainty


@pytest.mark.parametrize(("text", "year"), [("13/12/2023", 2023), ("31/01/1999", 1999)])
def test_a_day_before_its_month_may_be_read_or_not(text: str, year: int) -> None:
    time = read_time(text)
    assert (time.certainty, time.instant, time.year) == (Certainty.LENIENT, None, year)


def test_only_digits_of_ascii_make_a_date_that_is_certainly_none() -> None:
    assert read_time("2023-13-01 pm").certainty is Certainty.NOT
    assert read_time("\u0662\u0660\u0662\u0663-\u0661\u0663-\u0660\u0661 pm").certainty is Certainty.LENIENT


@pytest.mark.parametrize("day", ["2023-01-15", "2023-02-01", "2023-03-31", "2023-12-02"])
def test_a_date_before_words_of_dates_may_be_that_date(day: str) -> None:
    time = read_time(f"{day} at 5 pm")
    assert (time.certainty, time.instant, time.year) == (Certainty.LENIENT, None, 2023)


@pytest.mark.parametrize("day", ["2023-00-15", "2023-13-15", "2023-02-00", "2023-03-32"])
def test_a_date_that_is_none_is_none_before_words_too(day: str) -> None:
    assert read_time(f"{day} at 5 pm").certainty is Certainty.NOT


def test_the_last_year_of_four_digits_is_written_without_a_sign() -> None:
    last = instant_named_by("9999-12-31T23:59:59Z")
    assert last is not None
    assert write_time(last, "utc-millis") == "9999-12-31T23:59:59.000Z"
    assert write_time(last + 1_000_000, "utc-millis") == "+10000-01-01T00:00:00.000Z"


def test_digits_of_other_scripts_are_none() -> None:
    for text in ("\u0662\u0660\u0662\u0664-01-01", "\u0662\u0660\u0662\u0664-01-01T00:00:00Z"):
        assert read_time(text).certainty is not Certainty.CERTAIN
