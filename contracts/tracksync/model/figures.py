"""What a command may add to a report beside its findings: a table of its own, and drawings of who did what when.

Plain data. Knows nothing of how either is shown.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Mark = Literal["plain", "fault", "context"]


@dataclass(frozen=True, slots=True)
class Bar:
    """Something that took a while. `start` and `end` are seconds on one clock; `end` None: nobody knows.

    `lane` is who did it. `mark`: "fault" where no explanation is left, "context" for what was merely under way.
    """

    lane: str
    text: str
    start: float
    end: float | None
    mark: Mark = "plain"


@dataclass(frozen=True, slots=True)
class Figure:
    """A drawing of bars along one clock, with a sentence that says what to see."""

    title: str
    bars: tuple[Bar, ...]
    note: str = ""


@dataclass(frozen=True, slots=True)
class Section:
    """A command's own part of a report: a table whose rows have a cell a column, and drawings under it."""

    title: str
    text: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    figures: tuple[Figure, ...] = ()
