"""Reading and writing times in every form that the documents name, and knowing how certain that is.

An instant is an int: microseconds since 1970-01-01T00:00:00Z in the proleptic Gregorian calendar. It may lie outside
the range of `datetime`. A time without a zone means UTC (ATTR TYPES). Sources: ATTR, TYPES, SYNC's example.
"""

from __future__ import annotations

import enum
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import lru_cache
from typing import Final

from msgspec import Struct


class Certainty(enum.StrEnum):
    """How sure it is that a text is a time."""

    CERTAIN = "certain"  # every server must take it
    LENIENT = "lenient"  # servers lawfully differ
    NOT = "not"  # no parser reads it as a time


@dataclass(frozen=True, slots=True)
class TimeText:
    """What a text says of a time.

    `instant` is None where it is not certain which one is meant (30 February, bare digits). `year` is that of the text,
    before any change of zone, and is set if the whole text reads as a full date, with or without a time of day.
    `offset_minutes` is that of the zone, None without a known one; `zoned` says whether there is any. `impossible`: it
    names a day that its month does not have, a time after 24:00:00, or a zone of more than 23:59 hours, which some
    readers carry over.
    """

    certainty: Certainty
    instant: int | None = None
    zoned: bool = False
    year: int | None = None
    offset_minutes: int | None = None
    impossible: bool = False


class Interval(Struct, frozen=True, gc=False):
    """Between which instants, in microseconds since 1970, a time lies; both may be it."""

    earliest: int
    latest: int


def read_time(text: str) -> TimeText:
    """What `text` says as a time. Never raises.

    CERTAIN: a date, T or a space, a time with seconds and up to nine digits of fraction, and Z, ±hh:mm or no zone;
    also yyyy-MM-ddTHH:mm:ss:SSSZ. LENIENT: the other documented forms, ISO 8601's rarer ones, and texts that some
    parsers read. NOT: everything else, such as month 13 or a text without digits.
    """
    return _read_cached(text) if len(text) <= _CACHED_LENGTH else _read(text)


@lru_cache(maxsize=8192)
def write_time(instant: int, form: str, offset_minutes: int = 0) -> str:
    """`instant` in `form`, an interpretation of the ambiguity `time-form`; `offset_minutes` is for "as-sent" only.

    Parts below the form's precision are cut off. Years outside 0 to 9999 get a sign.
    """
    if form not in _FORMS:
        raise ValueError(f"a time is written in one of the forms {', '.join(_FORMS)}, not {form!r}")
    offset = offset_minutes if form == "as-sent" else 0
    cycles, rest = divmod(instant + offset * _MINUTE, _CYCLE)
    moment = _EPOCH + timedelta(microseconds=rest)
    year = moment.year + 400 * cycles
    years = f"{year:04d}" if 0 <= year <= 9999 else f"{year:+05d}"
    if form == "utc-micros":
        return f"{years}{moment.isoformat(timespec='microseconds')[4:]}Z"
    zone = "+00:00" if form == "utc-offset" else _zone(offset)
    return f"{years}{moment.isoformat(timespec='milliseconds')[4:]}{zone}"


def is_date_like(text: str, years: tuple[int, int]) -> bool:
    """Whether a string attribute with this text may become a time (ATTR): a full date, its year one of `years` (TYPES).

    Wide on purpose: where `read_time` says LENIENT, a lawful server may as well keep the string.
    """
    time = read_time(text)
    return time.year is not None and years[0] <= time.year <= years[1]


def same_instant(a: int, b: int) -> bool:
    """Whether `a` and `b` are equal to the millisecond, which is what responses show."""
    return abs(a - b) < 1000


def _read(text: str) -> TimeText:
    match = _FULL.fullmatch(text)
    if match:
        year, month, day, hour, minute, second, fraction, zone = match.groups()
        return _time(year, month, day, hour, minute, second, fraction, zone, plain=True)
    inner = text.strip()
    for pattern, reader in _READERS:
        match = pattern.fullmatch(inner)
        if match:
            return reader(match)
    return _read_vaguely(inner)


_read_cached = lru_cache(maxsize=8192)(_read)


def _time(
    year: str,
    month: str,
    day: str,
    hour: str | None,
    minute: str | None,
    second: str | None,
    fraction: str | None,
    zone: str | None,
    *,
    plain: bool = False,
) -> TimeText:
    """The time made of these digits; `plain` says that they stood in a form which every server must take."""
    y, m, d = int(year), int(month), int(day)
    if not (1 <= m <= 12 and 1 <= d <= 31):
        return NOT_A_TIME
    days = _day_number(y, m, d)
    return _at(y, days, hour, minute, second, fraction, zone, plain=plain)


def _at(
    year: int,
    days: int | None,
    hour: str | None,
    minute: str | None,
    second: str | None,
    fraction: str | None,
    zone: str | None,
    *,
    plain: bool = False,
) -> TimeText:
    """The time on the day with number `days`, None for a day that its month does not have."""
    h, mi, s = int(hour or 0), int(minute or 0), int(second or 0)
    if h > 24 or mi > 59 or s > 60:
        return NOT_A_TIME
    offset = _offset(zone) if zone else None
    unknown_zone = zone is not None and offset is None
    beyond = days is None or (h == 24 and bool(mi or s)) or (unknown_zone and zone is not None and zone[0] in "+-")
    if days is None or beyond or unknown_zone:
        return TimeText(Certainty.LENIENT, None, zone is not None, year, offset, beyond)
    minutes = (days * 24 + h) * 60 + mi - (offset or 0)
    instant = minutes * _MINUTE + s * 1_000_000 + int(f"{fraction or '':0<6.6}")
    usual = plain and h < 24 and s < 60 and 1 <= year <= 9999 and abs(offset or 0) <= 14 * 60 and zone != "-00:00"
    return TimeText(Certainty.CERTAIN if usual else Certainty.LENIENT, instant, zone is not None, year, offset)


def _offset(zone: str) -> int | None:
    """Minutes east of UTC, or None for a zone that is not known."""
    if zone.upper() in ("Z", "UTC", "GMT"):
        return 0
    digits = zone[1:].replace(":", "")
    if zone[0] not in "+-" or not digits.isdecimal():
        return None
    hours, minutes = int(digits[:2]), int(digits[2:] or 0)
    if hours > 23 or minutes > 59:
        return None
    return (hours * 60 + minutes) * (-1 if zone[0] == "-" else 1)


def _zone(offset: int) -> str:
    if offset == 0:
        return "Z"
    hours, minutes = divmod(abs(offset), 60)
    return f"{'-' if offset < 0 else '+'}{hours:02d}:{minutes:02d}"


def _day_number(year: int, month: int, day: int) -> int | None:
    """Days since 1970-01-01, or None if the month has no such day. The calendar repeats every 400 years."""
    cycles, place = divmod(year, 400)
    try:
        there = date(place + 400, month, day)
    except ValueError:
        return None
    return there.toordinal() - _EPOCH_ORDINAL + (cycles - 1) * _CYCLE_DAYS


def _read_iso(match: re.Match[str]) -> TimeText:
    return _time(*match.groups())


def _read_us(match: re.Match[str]) -> TimeText:
    month, day, year, *rest = match.groups()
    if int(month) > 12 >= int(day) >= 1:
        return TimeText(Certainty.LENIENT, year=int(year))  # day before month, as elsewhere in the world
    return _time(year, month, day, *rest)


def _read_weekday(match: re.Match[str]) -> TimeText:
    month, day, hour, minute, second, fraction, zone, year = match.groups()
    if not month.isdecimal():
        month = str(_MONTHS.index(month.lower()) + 1)
    return _time(year, month, day, hour, minute, second, fraction, zone)


def _read_ordinal(match: re.Match[str]) -> TimeText:
    year, day, *rest = match.groups()
    first = _day_number(int(year), 1, 1)
    if not 1 <= int(day) <= 366 or first is None:
        return NOT_A_TIME
    there = int(day) <= 365 or _day_number(int(year), 2, 29) is not None
    return _at(int(year), first + int(day) - 1 if there else None, *rest)


def _read_week(match: re.Match[str]) -> TimeText:
    year, week, weekday, *rest = match.groups()
    if not (1 <= int(week) <= 53 and 1 <= int(weekday or 1) <= 7):
        return NOT_A_TIME
    fourth = _day_number(int(year), 1, 4)  # always in week 1, and 1970-01-01 was a Thursday
    if fourth is None:
        return NOT_A_TIME
    monday = fourth - (fourth + 3) % 7
    return _at(int(year), monday + (int(week) - 1) * 7 + int(weekday or 1) - 1, *rest)


def _read_vaguely(text: str) -> TimeText:
    """For text in no known form: parsers that guess read digits among the words of dates, or a date before garbage."""
    start = _ISO_DATE.match(text)
    if start and not (1 <= int(start[2]) <= 12 and 1 <= int(start[3]) <= 31):
        return NOT_A_TIME
    digits = any(character.isdigit() for character in text)
    words = _WORD.findall(text)
    vocabulary = _DATE_WORDS if digits else _NAMES
    if (digits or words) and all(vocabulary.fullmatch(word.lower()) for word in words):
        return TimeText(Certainty.LENIENT, year=int(start[1])) if start else _SOMETHING
    return _SOMETHING if start else NOT_A_TIME


NOT_A_TIME: Final = TimeText(Certainty.NOT)
_SOMETHING: Final = TimeText(Certainty.LENIENT)
_FORMS: Final = ("utc-millis", "utc-offset", "utc-micros", "as-sent")
_CACHED_LENGTH: Final = 64  # longer texts are rare, and would make the cache heavy
_MINUTE: Final = 60_000_000
_EPOCH: Final = datetime(1970, 1, 1)
_EPOCH_ORDINAL: Final = date(1970, 1, 1).toordinal()
_CYCLE_DAYS: Final = 146_097  # 400 years
_CYCLE: Final = _CYCLE_DAYS * 24 * 60 * _MINUTE
_MONTHS: Final = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
# Whole words only, so that "decline" is not read as December, nor "may5be" as May.
_NAMES: Final = re.compile(
    r"(?:jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?|sept?(?:ember)?|oct(?:ober)?"
    r"|nov(?:ember)?|dec(?:ember)?|mon(?:day)?|tue(?:s|sday)?|wed(?:nesday)?|thu(?:rs?|rsday)?|fri(?:day)?"
    r"|sat(?:urday)?|sun(?:day)?)"
)
_DATE_WORDS: Final = re.compile(
    rf"{_NAMES.pattern}|[ap]m?|[tzw]|utc|gmt|[ecmpbkij]st|[ecmp]dt|ces?t|msk|st|nd|rd|th|of|at"
)
_WORD: Final = re.compile(r"[^\W\d_]+")
_ISO_DATE: Final = re.compile(r"(\d{4})-(\d\d)-(\d\d)", re.ASCII)
_FULL: Final = re.compile(
    r"(\d{4})-(\d\d)-(\d\d)[T ](\d\d):(\d\d):(\d\d)(?:(?:\.|(?<=T..:..:..):(?=\d{3}Z))(\d{1,9}))?(Z|[+-]\d\d:\d\d)?",
    re.ASCII,
)
_CLOCK: Final = r"(\d{1,2}):(\d{1,2})(?::(\d{1,2})(?:[.,:](\d+))?)?\s*(Z|UTC|GMT|[+-]\d\d(?::?\d\d)?)?"
_BASIC_CLOCK: Final = r"(\d\d)(\d\d)(?:(\d\d)(?:[.,](\d+))?)?(Z|[+-]\d\d(?::?\d\d)?)?"


def _pattern(text: str) -> re.Pattern[str]:
    return re.compile(text, re.ASCII | re.IGNORECASE)


_READERS: Final[tuple[tuple[re.Pattern[str], Callable[[re.Match[str]], TimeText]], ...]] = (
    (_pattern(rf"([+-]?\d{{4,9}})-(\d{{1,2}})-(\d{{1,2}})(?:[T\s]\s*{_CLOCK})?"), _read_iso),
    (_pattern(rf"(\d{{4}})(\d\d)(\d\d)[T\s]{_BASIC_CLOCK}"), _read_iso),
    (_pattern(rf"(\d{{1,2}})/(\d{{1,2}})/(\d{{4}})(?:[T\s]\s*{_CLOCK})?"), _read_us),
    (
        _pattern(
            rf"(?:mon|tue|wed|thu|fri|sat|sun),?\s+(\d{{1,2}}|{'|'.join(_MONTHS)})\s+(\d{{1,2}})\s+"
            r"(\d\d):(\d\d):(\d\d)(?:[.,](\d+))?[.\s]*([A-Z]{1,5}|[+-]\d\d:?\d\d)?\s+(\d{4})"
        ),
        _read_weekday,
    ),
    (_pattern(rf"(\d{{4}})-(\d{{3}})(?:[T\s]\s*{_CLOCK})?"), _read_ordinal),
    (_pattern(rf"(\d{{4}})-?W(\d\d)(?:-?(\d))?(?:T(?:{_CLOCK}))?"), _read_week),
)
