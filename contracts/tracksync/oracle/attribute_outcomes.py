"""Step three for attributes: every lawful outcome of one write to one custom attribute.

Pure rules over values; knows the ambiguities by name and nothing of responses, users or HTTP.
"""

from __future__ import annotations

from typing import Any

from msgspec import Struct

from tracksync.contract.bounds import bounds
from tracksync.oracle.array_outcomes import array_edited, array_set
from tracksync.oracle.belief import ABSENT, ANYTHING, OMITTED, UNKNOWN
from tracksync.oracle.identifiers import Identifier
from tracksync.oracle.interpretations import (
    DATE_AS_SENT,
    DATE_NORMALISED,
    INC_FROM_ZERO,
    INC_NOT_APPLIED,
    LENGTH_IN_CODE_POINTS,
    LENGTH_IN_UTF16,
)
from tracksync.oracle.object_outcomes import OBJECT_EDITS, object_set, objects_edited, objects_set
from tracksync.oracle.outcomes import (
    CellOutcome,
    ExactText,
    Limits,
    open_outcomes,
    refused_outcomes,
    removed_outcomes,
)
from tracksync.values.numbers import within_int64
from tracksync.values.text import fits
from tracksync.values.times import Certainty, is_date_like, read_time


class AttributeWrite(Struct, frozen=True, gc=False):
    """One custom attribute of a request.

    `value`: the JSON value. `merge`: whether `_merge_objects` is true; None where it is not a boolean.
    `odd`: no rule covers the attribute's name.
    `due`: of a write that was queued, the time in epoch seconds by which it must have been applied.
    `via`: the email or phone by which it reaches its user, who may be another one by then.
    """

    value: Any
    merge: bool | None = False
    odd: bool = False
    due: float | None = None
    via: Identifier | None = None


def attribute_outcomes(write: AttributeWrite, prior: Any, limits: Limits) -> list[CellOutcome]:
    """All lawful outcomes of `write` on an attribute whose state is `prior` (a JSON value, ABSENT or UNKNOWN).

    `limits`: the workspace's array limit lies within these bounds.
    """
    value = write.value
    if write.odd or write.merge is None:
        return open_outcomes()
    if value is None:
        return _after_null(prior)
    if isinstance(value, str):
        return _after_text(value, prior)
    if isinstance(value, (int, float)):  # booleans, too
        return open_outcomes() if _is_extreme(value) else [CellOutcome(value, value)]
    if isinstance(value, list):
        of_objects = value and all(isinstance(item, dict) for item in value)
        return objects_set(value, prior) if of_objects else array_set(value, prior, limits)
    keys = value.keys()
    if keys == {"inc"}:
        return _incremented(value["inc"], prior)
    if keys and keys <= {"add", "remove"}:
        return array_edited(value, prior, limits)
    if not keys.isdisjoint(OBJECT_EDITS):
        return objects_edited(value, prior, write.merge)
    return object_set(value, prior, write.merge)


def _is_extreme(number: float) -> bool:
    """Whether the documents are silent on a number of this size, and stores differ."""
    if isinstance(number, int) and not within_int64(number):
        return True
    return abs(number) > 1e300 or 0 < abs(number) < 1e-300


def _after_null(prior: Any) -> list[CellOutcome]:
    if prior is ABSENT or prior is UNKNOWN:
        return [CellOutcome(ABSENT, None), CellOutcome(ABSENT, OMITTED)]
    return removed_outcomes()


def _after_text(value: str, prior: Any) -> list[CellOutcome]:
    if len(value) > bounds().text_characters:
        return refused_outcomes(prior)
    if "\0" in value:
        return [CellOutcome(value, value), *open_outcomes()]
    if (value[:1].isdigit() and value[-1:] == "Z") or (len(value) > 19 and value[-3:-2] == ":"):
        return _after_date(value)
    if not fits(value, "utf16", bounds().text_characters):
        stored = [CellOutcome(value, value, (LENGTH_IN_CODE_POINTS,))]
        return stored + refused_outcomes(prior, (LENGTH_IN_UTF16,))
    return [CellOutcome(value, value)]


def _after_date(value: str) -> list[CellOutcome]:
    """A text that is certainly a time is shown as it was sent, or normalised (ambiguity date-attribute)."""
    time = read_time(value)
    if not is_date_like(value, bounds().date_years) or time.certainty is not Certainty.CERTAIN:
        return [CellOutcome(value, value)]
    if time.year is not None and time.year < 1000:  # strftime writes such years without their zeros on some systems
        return [CellOutcome(value, value), CellOutcome(UNKNOWN, ANYTHING)]
    return [CellOutcome(value, ExactText(value), (DATE_AS_SENT,)), CellOutcome(value, value, (DATE_NORMALISED,))]


def _incremented(step: Any, prior: Any) -> list[CellOutcome]:
    if not _is_int(step):
        return open_outcomes()
    if prior is ABSENT:
        return [
            CellOutcome(step, step, (INC_FROM_ZERO,)),
            CellOutcome(ABSENT, OMITTED, (INC_NOT_APPLIED,)),
            CellOutcome(ABSENT, None, (INC_NOT_APPLIED,)),
        ]
    if not _is_int(prior) or not within_int64(prior + step):
        return open_outcomes()
    return [CellOutcome(prior + step, prior + step)]


def _is_int(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)
