"""What a command may add to a report beside its findings: a table, and drawings of events along a clock.

Plain data. Knows nothing of how it is shown.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Mark = Literal["plain", "fault", "context"]


@dataclass(frozen=True, slots=True)
class Bar:
    """Something with a duration. `start` and `end` are seconds on one clock; `end` is None where it is not known.

    `lane` names who did it, for example a client. `mark`: "fault" for the response that nothing explains, "context"
    for what only happened at the same time.
    """

    lane: str
    text: str
    start: float
    end: float | None
    mark: Mark = "plain"


@dataclass(frozen=True, slots=True)
class Figure:
    """A drawing of bars along one clock. `note` is a sentence that says what to look at."""

    title: str
    bars: tuple[Bar, ...]
    note: str = ""


@dataclass(frozen=True, slots=True)
class Section:
    """A part of a report that belongs to one command: a table (each row has one cell per column) and drawings."""

    title: str
    text: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    figures: tuple[Figure, ...] = ()
