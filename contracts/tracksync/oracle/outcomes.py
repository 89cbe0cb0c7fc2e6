"""The outcome of one write to one attribute: what is stored afterwards, and what the response may show of it.

Pure data, and the comparison of an outcome with what a response shows. Knows nothing of which outcomes are lawful.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from msgspec import Struct

from tracksync.contract.bounds import bounds
from tracksync.oracle.belief import ABSENT, ANYTHING, OMITTED, UNKNOWN
from tracksync.oracle.interpretations import (
    REFUSED_IS_OMITTED,
    REFUSED_IS_PREVIOUS,
    REMOVED_IS_NULL,
    REMOVED_IS_OMITTED,
    Requires,
)
from tracksync.values.numbers import same, same_double
from tracksync.values.times import Certainty, is_date_like, read_time, same_instant

Limits = tuple[int, int]  # the least and the greatest possible limit of the workspace's arrays, in elements


class ExactText(Struct, frozen=True, gc=False):
    """The response shows this text to the letter; another form of the same instant does not fit."""

    text: str


class WithoutFarTimes(Struct, frozen=True, gc=False):
    """The response shows none of the far times of this value; see `has_far_time`."""

    value: Any


class CellOutcome(Struct, frozen=True, gc=False):
    """One lawful outcome.

    `after`: the JSON value that is stored, ABSENT, or UNKNOWN for whatever the response shows.
    `shows`: a JSON value, OMITTED, ANYTHING, ExactText or WithoutFarTimes.
    `requires`: the interpretations under which it is lawful.
    `limits`: the workspace's array limit must lie within these bounds, both included; None: it has no part in this.
    """

    after: Any
    shows: Any
    requires: Requires = ()
    limits: Limits | None = None


def open_outcomes(requires: Requires = (), limits: Limits | None = None) -> list[CellOutcome]:
    """The response may show any value or omit the attribute, and what is stored is known only from that."""
    return [CellOutcome(UNKNOWN, ANYTHING, requires, limits), CellOutcome(UNKNOWN, OMITTED, requires, limits)]


def refused_outcomes(prior: Any, requires: Requires = (), limits: Limits | None = None) -> list[CellOutcome]:
    """The update is not made: the response shows the value `prior`, or omits it (ambiguity refused-attribute)."""
    if prior is UNKNOWN:
        return open_outcomes(requires, limits)
    if prior is ABSENT:
        return [CellOutcome(ABSENT, OMITTED, requires, limits), CellOutcome(ABSENT, None, requires, limits)]
    return [
        CellOutcome(prior, prior, (*requires, REFUSED_IS_PREVIOUS), limits),
        CellOutcome(prior, OMITTED, (*requires, REFUSED_IS_OMITTED), limits),
    ]


def removed_outcomes(requires: Requires = ()) -> list[CellOutcome]:
    """An attribute that existed is removed (ambiguity removed-attribute)."""
    return [
        CellOutcome(ABSENT, None, (*requires, REMOVED_IS_NULL)),
        CellOutcome(ABSENT, OMITTED, (*requires, REMOVED_IS_OMITTED)),
    ]


def fitting(outcomes: Iterable[CellOutcome], shown: Any) -> Iterator[CellOutcome]:
    """The outcomes that fit what the response shows, a JSON value or OMITTED.

    Where an outcome leaves open what is stored, the one that is returned stores what was shown.
    """
    for outcome in outcomes:
        shows = outcome.shows
        if shows is ANYTHING:
            if shown is not OMITTED:
                yield CellOutcome(_stored(outcome.after, shown), shown, outcome.requires, outcome.limits)
        elif shows is OMITTED:
            if shown is OMITTED:
                yield outcome
        elif isinstance(shows, WithoutFarTimes):
            if shown is not OMITTED and not _shows_far_time(shows.value, shown):
                yield CellOutcome(_stored(UNKNOWN, shown), shown, outcome.requires, outcome.limits)
        elif isinstance(shows, ExactText):
            if shown == shows.text:
                yield outcome
        elif appears(shows, shown):
            known = outcome.after is not UNKNOWN
            yield outcome if known else CellOutcome(shown, shown, outcome.requires, outcome.limits)


def _stored(after: Any, shown: Any) -> Any:
    if after is not UNKNOWN:
        return after
    return ABSENT if shown is None else shown


def appears(stored: Any, shown: Any) -> bool:
    """Whether `shown` is a lawful form of `stored`: the same JSON value, or the same instant where it is a time."""
    if same(stored, shown):
        return True
    if isinstance(stored, str):
        return isinstance(shown, str) and _same_time(stored, shown)
    if isinstance(stored, dict):
        if stored.keys() == {"$time"}:
            text = shown.get("$time") if isinstance(shown, dict) and shown.keys() == {"$time"} else shown
            return isinstance(text, str) and isinstance(stored["$time"], str) and _same_time(stored["$time"], text)
        if not isinstance(shown, dict) or stored.keys() != shown.keys():
            return False
        return all(appears(item, shown[key]) for key, item in stored.items())
    if isinstance(stored, list):
        if not isinstance(shown, list) or len(stored) != len(shown):
            return False
        return all(appears(one, other) for one, other in zip(stored, shown, strict=True))
    return same_double(stored, shown)


def _same_time(sent: str, shown: str) -> bool:
    """Whether `shown` is another form of the time `sent`; no other text changes its form."""
    time = read_time(sent)
    if time.certainty is Certainty.NOT or not is_date_like(sent, bounds().date_years) or not in_date_range(sent):
        return False
    other = read_time(shown)
    if other.instant is None or other.certainty is Certainty.NOT or shown != shown.strip():
        return False
    return time.instant is None or same_instant(time.instant, other.instant)


def in_date_range(text: str) -> bool:
    """Whether a text that reads as a time has a year that is stored as one (TYPES); True where it names no year."""
    year = read_time(text).year
    first, last = bounds().date_years
    return year is None or first <= year <= last


def has_far_time(value: Any) -> bool:
    """Whether a $time at any depth is certainly a time, and outside the years that are stored (TYPES)."""
    if isinstance(value, dict):
        text = value.get("$time")
        if isinstance(text, str) and read_time(text).certainty is Certainty.CERTAIN and not in_date_range(text):
            return True
        return any(has_far_time(item) for item in value.values())
    return isinstance(value, list) and any(has_far_time(item) for item in value)


def _shows_far_time(sent: Any, shown: Any) -> bool:
    """Whether `shown` has a value, in whatever form, where `sent` has a far time."""
    if isinstance(sent, dict):
        if has_far_time(sent) and "$time" in sent:
            return shown is not None
        if isinstance(shown, dict):
            return any(
                key in shown and has_far_time(item) and _shows_far_time(item, shown[key]) for key, item in sent.items()
            )
    if isinstance(sent, list) and isinstance(shown, list):
        return any(_shows_far_time(one, other) for one, other in zip(sent, shown, strict=False))
    return False
