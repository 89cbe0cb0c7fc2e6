"""What a JSON Schema cannot say of a value: whether a text is a time, an email address, a currency, a time zone.

Formats serve the schemas of the spec, predicates the rows of `refusals.toml`.
"""

from __future__ import annotations

import zoneinfo
from collections.abc import Callable, Mapping
from functools import cache
from typing import Any, Final

from tracksync.contract.bounds import bounds
from tracksync.contract.sizes import depth, keeps_loosely
from tracksync.values.currencies import is_doubtful
from tracksync.values.identifiers import plausible_email
from tracksync.values.times import Certainty, read_time


def is_not_time(value: Any) -> bool:
    """Whether a text is certainly not a time: no form of one, or one that does not exist."""
    if type(value) is not str:
        return False
    time = read_time(value)
    return time.certainty is Certainty.NOT or time.impossible


def is_not_email(value: Any) -> bool:
    """Whether a text is certainly not an email address."""
    return type(value) is str and plausible_email(value) is False


def is_doubtful_currency(value: Any) -> bool:
    """Whether lawful servers differ on a currency; ISO 4217 numbers its currencies as well."""
    digits = str(value) if type(value) in (str, int) else ""
    return is_doubtful(value) or (len(digits) == 3 and digits.isascii() and digits.isdecimal())


def is_too_deep(value: Any) -> bool:
    """Whether a body is nested deeper than every reader of JSON takes."""
    return depth(value) > bounds().body_depth


def is_over_the_least_size(value: Any) -> bool:
    """Whether properties are over the least size that the documents name for them."""
    return type(value) is dict and not keeps_loosely(value, bounds().properties_bytes.least)


def is_nested_time(text: str) -> bool:
    """Format `nested-time`: a certain time in the years in which a text becomes one, or certainly none."""
    time = read_time(text)
    if time.certainty is Certainty.NOT:
        return True
    first, last = bounds().date_years
    certain = time.certainty is Certainty.CERTAIN or (len(text) == _DATE and time.instant is not None)
    return certain and time.year is not None and max(first, 1) <= time.year <= last


def is_time_zone(text: str) -> bool:
    """Format `time-zone`: a name of the IANA database."""
    return text in _zones()


@cache
def _zones() -> frozenset[str]:
    return frozenset(name for name in zoneinfo.available_timezones() if "/" in name or name == "UTC")


_DATE: Final = len("yyyy-MM-dd")
FORMATS: Final[Mapping[str, Callable[[str], bool]]] = {"nested-time": is_nested_time, "time-zone": is_time_zone}
PREDICATES: Final[Mapping[str, Callable[[Any], bool]]] = {
    "not-time": is_not_time,
    "not-email": is_not_email,
    "doubtful-currency": is_doubtful_currency,
    "too-deep": is_too_deep,
    "over-the-least-size": is_over_the_least_size,
}
