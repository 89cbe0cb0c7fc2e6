"""Short names for outcomes and values, for the tests that write down every lawful outcome of a write."""

from __future__ import annotations

from typing import Any

from tracksync.oracle.attribute_outcomes import AttributeWrite, attribute_outcomes
from tracksync.oracle.belief import ABSENT, ANYTHING, OMITTED, UNKNOWN
from tracksync.oracle.interpretations import (
    REFUSED_IS_OMITTED,
    REFUSED_IS_PREVIOUS,
    REMOVED_IS_NULL,
    REMOVED_IS_OMITTED,
    Interpretation,
)
from tracksync.oracle.outcomes import CellOutcome, Limits
from tracksync.values.objects import serialized_size

WIDE: Limits = (25, 500)
OPEN = [CellOutcome(UNKNOWN, ANYTHING), CellOutcome(UNKNOWN, OMITTED)]
GONE = [CellOutcome(ABSENT, None), CellOutcome(ABSENT, OMITTED)]
LONG = "x" * 256
FAR = {"a": {"$time": "3500-01-01T00:00:00Z"}}
NOON, NOON_ELSEWHERE = "2024-01-01T12:00:00Z", "2024-01-01T13:00:00+01:00"
ASTRAL = "\U0001f600" * 128  # 128 code points, 256 units of UTF-16


def lawful(value: Any, prior: Any = ABSENT, *, merge: bool | None = False, limits: Limits = WIDE) -> list[CellOutcome]:
    return attribute_outcomes(AttributeWrite(value, merge), prior, limits)


def refused(prior: Any, *requires: Interpretation, limit: Limits | None = None) -> list[CellOutcome]:
    """The outcomes of an update that is not made."""
    if prior is UNKNOWN:
        return [CellOutcome(UNKNOWN, ANYTHING, requires, limit), CellOutcome(UNKNOWN, OMITTED, requires, limit)]
    if prior is ABSENT:
        return [CellOutcome(ABSENT, OMITTED, requires, limit), CellOutcome(ABSENT, None, requires, limit)]
    return [
        CellOutcome(prior, prior, (*requires, REFUSED_IS_PREVIOUS), limit),
        CellOutcome(prior, OMITTED, (*requires, REFUSED_IS_OMITTED), limit),
    ]


def removed(*requires: Interpretation) -> list[CellOutcome]:
    """The outcomes of a removal of what was there."""
    return [
        CellOutcome(ABSENT, None, (*requires, REMOVED_IS_NULL)),
        CellOutcome(ABSENT, OMITTED, (*requires, REMOVED_IS_OMITTED)),
    ]


def stored(value: Any, *requires: Interpretation, limit: Limits | None = None) -> CellOutcome:
    return CellOutcome(value, value, requires, limit)


def idle(prior: Any) -> CellOutcome:
    """An edit without effect may pass for an update that is not made."""
    return CellOutcome(prior, OMITTED, (REFUSED_IS_OMITTED,))


def sized(size: int, prefix: str = "k") -> dict[str, str]:
    """An object of that many bytes, whose texts are within their limit."""
    made = {f"{prefix}{number:03}": "x" * 200 for number in range((size - 100) // 210)}  # 210 bytes each
    made |= {f"{prefix}y": "y" * 45, f"{prefix}z": ""}
    made[f"{prefix}z"] = "z" * (size - serialized_size(made))
    assert serialized_size(made) == size
    assert len(made[f"{prefix}z"]) < 255
    return made
