"""What a race showed, for reports: the table of consistency, figures of what no order explains, a sentence.

Pure: rounds in, sections and texts out.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from tracksync.model.figures import Figure, Section
from tracksync.race.checking import concurrent_with
from tracksync.race.consistency import SENTENCES, CellReport, Level, count, report, unexplained
from tracksync.race.figure import figure
from tracksync.race.history import History, Place, RaceOperation, WriteOutcome
from tracksync.race.plan import RacePlan
from tracksync.race.workload import Endpoint

FIGURES: Final = 3  # figures of cells that no order explains, for each round


@dataclass(frozen=True, slots=True)
class Round:
    """The operations of one round, and which consistency held on each of its cells."""

    endpoint: Endpoint
    history: History
    reports: Sequence[CellReport] = field(default=())

    @classmethod
    def of(cls, endpoint: Endpoint, operations: Sequence[RaceOperation]) -> Round:
        """The round in which these operations were made on `endpoint`."""
        history = History.of(operations)
        return cls(endpoint, history, report(history))

    @property
    def not_linearizable(self) -> list[CellReport]:
        """The cells that are certainly not linearizable, the shortest histories first."""
        return sorted((one for one in self.reports if one.decision.holds is False), key=lambda one: one.operations)


@dataclass(frozen=True, slots=True)
class Consistency:
    """How many cells of an endpoint reached each level, and figures of the smallest that no order explains.

    `broken`: whether a cell is certainly not linearizable.
    """

    endpoint: Endpoint
    levels: Mapping[Level, int]
    broken: bool = False
    figures: tuple[Figure, ...] = ()

    @classmethod
    def of(cls, one: Round) -> Consistency:
        """What a round showed."""
        return cls(one.endpoint, count(one.reports), bool(one.not_linearizable), tuple(_unexplained_cells(one)))


def sentence(plan: RacePlan, rounds: Sequence[Round]) -> str:
    """The result of a race in one sentence."""
    how = "overlapping on each cell" if plan.overlap else "each waiting for the response on its cell"
    levels = [(one.endpoint, count(one.reports)) for one in rounds]
    return f"{plan.clients} clients, {how}: {linearizable_cells(levels)}"


def linearizable_cells(found: Iterable[tuple[Endpoint, Mapping[Level, int]]]) -> str:
    """How many of the cells of each endpoint are linearizable."""
    return ", ".join(
        f"{levels.get(Level.LINEARIZABLE, 0)} of {sum(levels.values())} cells linearizable on {endpoint}"
        for endpoint, levels in found
    )


def consistency_section(found: Sequence[Consistency], text: str) -> Section:
    """The table of consistency levels, with the figures. `text`: what was promised to these requests."""
    rows = [
        (level.value, *(str(one.levels.get(level, 0)) for one in found), SENTENCES[level])
        for level in Level
        if level is not Level.UNKNOWN or any(one.levels.get(level) for one in found)
    ]
    columns = ("consistency", *(f"cells on {one.endpoint}" for one in found), "what it means")
    figures = tuple(drawn for one in found for drawn in one.figures)
    whole = f"Each attribute, event and product of each user by itself. {text}"
    return Section("Which consistency held", whole, columns, tuple(rows), figures)


def promised(plan: RacePlan) -> str:
    """What the documents promise to the requests of a race."""
    if plan.overlap:
        return "Nothing is promised to requests that overlap on one of them."
    return (
        "Each request was sent after the response to the one before it, from whichever client; "
        "sync promises that it sees it, /users/track does not."
    )


def _unexplained_cells(one: Round) -> list[Figure]:
    parts = one.history.partition()
    found = [(cell, unexplained(parts[cell.place])) for cell in one.not_linearizable[:FIGURES]]
    return [
        unexplained_cell(one.endpoint, cell.place, cell.level, operations) for cell, operations in found if operations
    ]


def unexplained_cell(endpoint: Endpoint, place: Place, level: Level, operations: Sequence[RaceOperation]) -> Figure:
    """The figure of operations on one cell that no order explains."""
    user, _, key = place
    note = "No order of these explains every response; the last response is marked."
    if any(operation.outcome is WriteOutcome.AMBIGUOUS for operation in operations):
        note += " An arrow: no response by then, so that the write may take effect at any time."
    return figure(f"{key} of {user.rpartition('-')[2]} on {endpoint}: {level.value}", operations, note=note)


def finding_figure(clause: str, operations: Sequence[RaceOperation], history: History) -> Figure:
    """The operations that show a broken clause, among those that were under way on the same user."""
    return figure(
        f"The smallest part of the history that breaks {clause}",
        operations,
        concurrent_with(history.operations, operations),
        note="Marked !: the response that no order explains. Dotted: under way on the same user at the time.",
    )
