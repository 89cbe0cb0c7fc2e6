"""Which consistency held on each cell, from the strongest that explains its history to none.

The documents promise an order only to requests that follow each other. What a server does beyond that is worth
knowing, and breaks nothing: everything here reports.
"""

from __future__ import annotations

import enum
import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace

from tracksync.engine.garbage import rare_collections
from tracksync.engine.shrink import shrink
from tracksync.race.cells import UNKNOWN, CellModel, cell_value, final_fits
from tracksync.race.history import UNSEEN, History, Place, RaceOperation, WriteOutcome, cut_is_sound
from tracksync.race.linear import BUDGET, Decision, ProgramOrder, RealTime, decide

SHRINK_BUDGET = 20_000  # configurations for one candidate while a history is shrunk
PROGRAM_BUDGET = 10_000  # without the clock there are far more orders, and they say less


class Level(enum.StrEnum):
    """The levels of consistency, strongest first."""

    LINEARIZABLE = "linearizable"
    SEQUENTIAL = "sequential"
    FINAL = "final value only"
    NONE = "none"
    UNKNOWN = "unknown"


SENTENCES = {
    Level.LINEARIZABLE: "one order explains every response, and it is the order in time",
    Level.SEQUENTIAL: "one order explains every response: that of each client, but not that in time",
    Level.FINAL: "responses contradict each other, but the final value is what all writes make",
    Level.NONE: "not even the final value is what the writes make: a write was lost",
    Level.UNKNOWN: "too many orders are possible to try them all",
}


@dataclass(frozen=True, slots=True)
class CellReport:
    """What held on one cell. `decision` is that of the linearizability check."""

    place: Place
    level: Level
    operations: int
    decision: Decision


@rare_collections()
def report(history: History, *, fresh: bool = True, budget: int = BUDGET) -> list[CellReport]:
    """One report a cell. `fresh`: the users were created for this history, so that events not yet seen count 0."""
    return [cell_report(place, part, fresh=fresh, budget=budget) for place, part in history.partition().items()]


def cell_report(place: Place, part: History, *, fresh: bool = True, budget: int = BUDGET) -> CellReport:
    """The strongest level that explains the history of one cell."""
    model = CellModel.of(part, fresh=fresh)
    decision = decide(part.operations, model, RealTime, budget=budget)
    level = Level.LINEARIZABLE if decision.holds else Level.UNKNOWN
    if decision.holds is False:
        rest, begun = _after_opening(part, model)
        program = decide(rest, begun, ProgramOrder, budget=min(budget, PROGRAM_BUDGET))
        level = Level.SEQUENTIAL if program.holds else _weaker(part, fresh, open_=program.holds is None)
    return CellReport(place, level, len(part), decision)


def _after_opening(part: History, model: CellModel) -> tuple[Sequence[RaceOperation], CellModel]:
    """What followed the first value, where that was set before any other operation was called.

    Without the clock others could otherwise come before it, and responses be explained by a state that never existed.
    """
    first, *rest = part
    alone = (
        first.write.verb == "set"
        and first.outcome is WriteOutcome.DONE
        and all(first.return_ < one.call for one in rest)
    )
    return (rest, replace(model, start=cell_value(first.write.value))) if alone else (part.operations, model)


def _weaker(part: History, fresh: bool, *, open_: bool) -> Level:
    """The level when no order explains every response: decided by the last operation, if it came after all others."""
    last = max(part, key=lambda operation: operation.call)
    alone = all(one is last or one.outcome is WriteOutcome.AMBIGUOUS or one.return_ < last.call for one in part)
    if not alone or last.shown is UNSEEN:
        return Level.UNKNOWN if open_ else Level.NONE
    if final_fits(part, last.shown, fresh=fresh):
        return Level.UNKNOWN if open_ else Level.FINAL
    return Level.NONE


def count(reports: Sequence[CellReport]) -> dict[Level, int]:
    """How many cells reached each level."""
    counted = Counter(one.level for one in reports)
    return {level: counted[level] for level in Level}


def unexplained(part: History, *, fresh: bool = True) -> tuple[RaceOperation, ...]:
    """The smallest part of a cell's history that no order explains; empty where one explains the whole.

    First the shortest beginning: up to some response, where operations without a response by then are ambiguous. Each
    beginning of a linearizable history is linearizable, so that a binary search finds the shortest that is not. Then
    everything goes that the failure does not need.
    """
    if decide(part.operations, CellModel.of(part, fresh=fresh)).holds is not False:
        return ()
    responses = sorted(one.return_ for one in part if one.outcome is WriteOutcome.DONE)
    low, high = 0, len(responses) - 1
    while low < high:
        middle = (low + high) // 2
        beginning = _until(part, responses[middle])
        if decide(beginning, CellModel.of(History(tuple(beginning)), fresh=fresh)).holds is False:
            high = middle
        else:
            low = middle + 1
    whole = _until(part, responses[low])

    def fails(candidate: Sequence[RaceOperation]) -> bool:
        model = replace(CellModel.of(History.of(candidate)), start=UNKNOWN)
        return cut_is_sound(whole, candidate) and decide(candidate, model, budget=SHRINK_BUDGET).holds is False

    return shrink(whole, fails) if fails(whole) else tuple(whole)


def _until(part: History, moment: float) -> list[RaceOperation]:
    """What was called until `moment`, as it was known then; the operation that returns at `moment` comes last."""
    begun = [one for one in part if one.call <= moment]
    seen = [
        one if one.return_ <= moment else replace(one, return_=math.inf, shown=UNSEEN, outcome=WriteOutcome.AMBIGUOUS)
        for one in begun
        if one.outcome is not WriteOutcome.REFUSED
    ]
    return sorted(seen, key=lambda one: one.return_ if one.outcome is WriteOutcome.DONE else one.call)
