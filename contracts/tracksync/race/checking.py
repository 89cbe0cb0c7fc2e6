"""Checks a history with the oracle, in the order of the responses, and finds the smallest part that still fails.

Knows nothing of clients and connections. In an ordered run no two requests on one cell overlap, so the oracle may
expect of each response exactly what the completed requests make it. Where requests did overlap, the oracle is told
so and expects nothing of that cell.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from tracksync.engine.freshness import nothing
from tracksync.engine.shrink import shrink
from tracksync.model.finding import Finding
from tracksync.oracle import Belief, CheckResult, Settings, check
from tracksync.race.history import Place, RaceOperation, cut_is_sound

LONGEST_SHRUNK = 400  # operations before a finding that are looked at when its history is shrunk


@dataclass(frozen=True, slots=True)
class CheckedHistory:
    """One operation and the result of the oracle's check."""

    operation: RaceOperation
    check_result: CheckResult

    @property
    def findings(self) -> tuple[Finding, ...]:
        """The clauses that the response broke."""
        return self.check_result.findings


class HistoryChecker:
    """Takes operations in the order of their responses, one at a time, and remembers the belief."""

    def __init__(self, settings: Settings) -> None:
        self.belief = Belief.start(settings)

    def __call__(self, operation: RaceOperation) -> CheckedHistory:
        """Check the response of one operation."""
        assert operation.exchange is not None
        check_result = check(self.belief, operation.exchange, (*operation.same_cell, *operation.in_flight))
        self.belief = check_result.belief
        return CheckedHistory(operation, check_result)


def checked_history(operations: Iterable[RaceOperation], settings: Settings) -> Iterator[CheckedHistory]:
    """Check operations that come in the order of their responses."""
    checker = HistoryChecker(settings)
    for operation in operations:
        yield checker(operation)


def minimal_history(
    operations: Sequence[RaceOperation], clause: str, settings: Settings
) -> tuple[RaceOperation, ...] | None:
    """The smallest part of `operations` whose last one still breaks `clause`. They end with that finding.

    Only cuts are tried after which a correct server could still have given the rest: see `cut_is_sound`. None if the
    finding needs more than the last LONGEST_SHRUNK operations of its user.
    """
    last = operations[-1]
    mine = [one for one in operations[-LONGEST_SHRUNK:] if one.place[0] == last.place[0]]
    unknown = replace(settings, fresh=nothing)
    for whole, start in (
        ([one for one in mine if one.place == last.place], unknown),
        (mine, unknown),
        ([one for one in operations if one.place == last.place][-LONGEST_SHRUNK:], settings),
        (mine if len(operations) <= LONGEST_SHRUNK else [], settings),
    ):
        if whole and _breaks(whole, clause, start):
            return shrink(whole, _StillBreaks(whole, clause, start, whole_cells=start is settings))
    return None


@dataclass(frozen=True, slots=True)
class _StillBreaks:
    """Whether a candidate is a sound cut that still breaks the clause.

    `whole_cells`: the state at the beginning is known, so that a cell can be left out only as a whole.
    """

    whole: Sequence[RaceOperation]
    clause: str
    settings: Settings
    whole_cells: bool

    def __call__(self, chosen: Sequence[RaceOperation]) -> bool:
        if self.whole_cells:
            places = {one.place for one in chosen}
            stays = {id(one) for one in chosen}
            sound = all(id(one) in stays or one.place not in places or not one.write.changes for one in self.whole)
        else:
            sound = cut_is_sound(self.whole, chosen)
        return sound and _breaks(chosen, self.clause, self.settings)


def _breaks(operations: Sequence[RaceOperation], clause: str, settings: Settings) -> bool:
    found: tuple[Finding, ...] = ()
    for one in checked_history(operations, settings):
        found = one.findings
    return any(finding.clause == clause for finding in found)


def concurrent_with(
    history: Sequence[RaceOperation], chosen: Sequence[RaceOperation], most: int = 6
) -> list[RaceOperation]:
    """The other operations on the same users that overlapped `chosen`: the last `most`, in the order of their calls.

    They are not needed to show the failure, and yet may have caused it.
    """
    places: set[Place] = {one.place for one in chosen}
    stays = {id(one) for one in chosen}
    users = {place[0] for place in places}
    # A write can only carry over what it could see: from the response before the last one on.
    begin = chosen[-2].call if len(chosen) > 1 else chosen[0].call
    end = chosen[-1].return_
    found = [
        one
        for one in history
        if id(one) not in stays and one.place[0] in users and one.call <= end and one.return_ >= begin
    ]
    return sorted(found, key=lambda one: one.call)[-most:]
