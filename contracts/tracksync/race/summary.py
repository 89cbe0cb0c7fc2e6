"""What a race showed, for reports: the table of consistency, figures of what no order explains, a sentence.

Pure: rounds in, sections and texts out.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

from tracksync.model.figures import Figure, Section
from tracksync.race.checking import concurrent_with
from tracksync.race.consistency import SENTENCES, CellReport, Level, count, report, unexplained
from tracksync.race.figure import figure
from tracksync.race.history import History, RaceOperation, WriteOutcome
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


def sentence(plan: RacePlan, rounds: Sequence[Round]) -> str:
    """The result of a race in one sentence."""
    how = "overlapping on each cell" if plan.overlap else "each waiting for the response on its cell"
    parts = [
        f"{sum(cell.level is Level.LINEARIZABLE for cell in one.reports)} of {len(one.reports)} cells linearizable "
        f"on {one.endpoint}"
        for one in rounds
    ]
    return f"{plan.clients} clients, {how}: {', '.join(parts)}"


def consistency_section(plan: RacePlan, rounds: Sequence[Round]) -> Section:
    """The table of consistency levels, with figures of the smallest histories that no order explains."""
    counted = [count(one.reports) for one in rounds]
    rows = [
        (level.value, *(str(levels[level]) for levels in counted), SENTENCES[level])
        for level in Level
        if level is not Level.UNKNOWN or any(levels[level] for levels in counted)
    ]
    text = "Each attribute, event and product of each user by itself. " + (
        "Nothing is promised to requests that overlap on one of them."
        if plan.overlap
        else "Each request was sent after the response to the one before it, from whichever client; "
        "sync promises that it sees it, /users/track does not."
    )
    columns = ("consistency", *(f"cells on {one.endpoint}" for one in rounds), "what it means")
    figures = tuple(drawn for one in rounds for drawn in _unexplained_cells(one))
    return Section("Which consistency held", text, columns, tuple(rows), figures)


def _unexplained_cells(one: Round) -> list[Figure]:
    parts = one.history.partition()
    found = [(cell, unexplained(parts[cell.place])) for cell in one.not_linearizable[:FIGURES]]
    return [_unexplained_cell(one.endpoint, cell, operations) for cell, operations in found if operations]


def _unexplained_cell(endpoint: Endpoint, cell: CellReport, operations: Sequence[RaceOperation]) -> Figure:
    user, _, key = cell.place
    note = "No order of these explains every response; the last response is marked."
    if any(operation.outcome is WriteOutcome.AMBIGUOUS for operation in operations):
        note += " An arrow: no response by then, so that the write may take effect at any time."
    return figure(f"{key} of {user.rpartition('-')[2]} on {endpoint}: {cell.level.value}", operations, note=note)


def finding_figure(clause: str, operations: Sequence[RaceOperation], history: History) -> Figure:
    """The operations that show a broken clause, among those that were under way on the same user."""
    return figure(
        f"The smallest part of the history that breaks {clause}",
        operations,
        concurrent_with(history.operations, operations),
        note="Marked !: the response that no order explains. Dotted: under way on the same user at the time.",
    )
