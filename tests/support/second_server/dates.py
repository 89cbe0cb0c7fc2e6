"""Reading and writing times."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone

ISO = re.compile(
    r"(\d{4})-(\d\d)-(\d\d)"
    r"(?:[Tt ](\d\d):(\d\d)(?::(\d\d)(?:[.,:](\d{1,9}))?)?\s?([Zz]|[+-]\d\d(?::?\d\d)?)?)?",
    re.ASCII,
)
SLASHED = re.compile(r"(\d\d)/(\d\d)/(\d{4})", re.ASCII)
WORDED = re.compile(r"[A-Z][a-z]{2} (\d\d) (\d\d) (\d\d):(\d\d):(\d\d)\.?([Zz]|[+-]\d\d:?\d\d) (\d{4})", re.ASCII)
LAST_YEAR = 3000


@dataclass(frozen=True)
class Moment:
    """A time held as the value of an attribute, with the text it was made from."""

    text: str
    at: datetime
    nested: bool = False


def _zone(text: str | None) -> timezone:
    if not text or text in "Zz":
        return UTC
    digits = text[1:].replace(":", "").ljust(4, "0")
    if int(digits[2:]) > 59:
        raise ValueError(text)
    span = timedelta(hours=int(digits[:2]), minutes=int(digits[2:]))
    return timezone(-span if text[0] == "-" else span)


def read(text: object, loosely: bool = False) -> datetime | None:
    """The instant that a text names, in UTC, or None. Loosely: any other ISO 8601 form will do too."""
    if not isinstance(text, str):
        return None
    try:
        if match := ISO.fullmatch(text):
            year, month, day, hour, minute, second, fraction, zone = match.groups()
            micro = int((fraction or "").ljust(6, "0")[:6])
            at = datetime(int(year), int(month), int(day), int(hour or 0), int(minute or 0), int(second or 0), micro)
            return at.replace(tzinfo=_zone(zone)).astimezone(UTC)
        if match := SLASHED.fullmatch(text):
            month, day, year = map(int, match.groups())
            return datetime(year, month, day, tzinfo=UTC)
        if match := WORDED.fullmatch(text):
            *clock, zone, year = match.groups()
            return datetime(int(year), *map(int, clock), tzinfo=_zone(zone)).astimezone(UTC)
        if loosely and not text.isdigit():
            at = datetime.fromisoformat(text)
            return (at if at.tzinfo else at.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, OverflowError):
        return None
    return None


def write(at: datetime, form: str = "milliseconds") -> str:
    """One of the lawful forms of an instant."""
    if form == "rounded":
        at, form = at + timedelta(microseconds=500), "milliseconds"
    if form == "offset":
        return at.isoformat(timespec="milliseconds")
    if form == "compact_offset":
        return at.isoformat(timespec="milliseconds").replace("+00:00", "+0000")
    if form == "other_zone":
        try:
            return at.astimezone(timezone(timedelta(hours=9))).isoformat(timespec="milliseconds")
        except OverflowError:
            form = "milliseconds"
    timespec = "microseconds" if form in ("microseconds", "nanoseconds") else "milliseconds"
    if form == "seconds" and at.microsecond < 1000:
        timespec = "seconds"
    return at.replace(tzinfo=None).isoformat(timespec=timespec) + ("000Z" if form == "nanoseconds" else "Z")
