"""Holds a history against the contract: the one oracle, in the order of the answers, and the shortest part that fails.

Knows nothing of clients and connections. In an ordered run no two requests on one cell overlap, so the oracle may
expect of each answer exactly what the completed ones make it; where requests did overlap it is told so, and expects
nothing of that cell.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from tracksync.engine.shrink import shrink
from tracksync.model.finding import Finding
from tracksync.oracle import Belief, CheckResult, Settings, check
from tracksync.race.history import Place, RaceOperation, cut_is_sound

LONGEST_SHRUNK = 400  # operations before a finding that are looked at when it is made short


@dataclass(frozen=True, slots=True)
class CheckedHistory:
    """One operation and what its answer broke."""

    operation: RaceOperation
    check_result: CheckResult

    @property
    def findings(self) -> tuple[Finding, ...]:
        """What the answer broke."""
        return self.check_result.findings


class HistoryChecker:
    """Takes operations in the order of their answers, one at a time, and remembers what may be believed."""

    def __init__(self, settings: Settings) -> None:
        self.belief = Belief.start(settings)

    def __call__(self, operation: RaceOperation) -> CheckedHistory:
        """Check the answer of one operation."""
        assert operation.exchange is not None
        check_result = check(self.belief, operation.exchange, (*operation.rivals, *operation.crowd))
        self.belief = check_result.belief
        return CheckedHistory(operation, check_result)


def checked_history(operations: Iterable[RaceOperation], settings: Settings) -> Iterator[CheckedHistory]:
    """Check operations that come in the order of their answers."""
    decide = HistoryChecker(settings)
    for operation in operations:
        yield decide(operation)


def smallest(operations: Sequence[RaceOperation], clause: str, settings: Settings) -> tuple[RaceOperation, ...] | None:
    """The shortest part of `operations`, which end with a finding of `clause`, in which the last one still breaks it.

    Only cuts are tried after which a correct server could still have given the rest: see `cut_is_sound`. None if the
    finding needs more than the last few hundred operations of its user.
    """
    last = operations[-1]
    mine = [one for one in operations[-LONGEST_SHRUNK:] if one.place[0] == last.place[0]]
    unknown = replace(settings, fresh=_nobody)
    for whole, start in (
        ([one for one in mine if one.place == last.place], unknown),
        (mine, unknown),
        ([one for one in operations if one.place == last.place][-LONGEST_SHRUNK:], settings),
        (mine if len(operations) <= LONGEST_SHRUNK else [], settings),
    ):
        if whole and _breaks(whole, clause, start):
            return shrink(whole, _Test(whole, clause, start, whole_cells=start is settings))
    return None


def _nobody(kind: str, text: str) -> bool:
    return False


@dataclass(frozen=True, slots=True)
class _Test:
    """Whether a candidate is a sound cut that still breaks the clause.

    `whole_cells`: the state at the beginning is known, so that a cell can go only as a whole.
    """

    whole: Sequence[RaceOperation]
    clause: str
    settings: Settings
    whole_cells: bool

    def __call__(self, kept: Sequence[RaceOperation]) -> bool:
        if self.whole_cells:
            places = {one.place for one in kept}
            stays = {id(one) for one in kept}
            sound = all(id(one) in stays or one.place not in places or not one.write.changes for one in self.whole)
        else:
            sound = cut_is_sound(self.whole, kept)
        return sound and _breaks(kept, self.clause, self.settings)


def _breaks(operations: Sequence[RaceOperation], clause: str, settings: Settings) -> bool:
    found: tuple[Finding, ...] = ()
    for one in checked_history(operations, settings):
        found = one.findings
    return any(finding.clause == clause for finding in found)


def around(history: Sequence[RaceOperation], kept: Sequence[RaceOperation], most: int = 6) -> list[RaceOperation]:
    """What else was under way on the same user between the first call and the last return of `kept`.

    It is not needed for the failure to show, and yet may be what caused it. Those nearest to the end come first to
    mind, so that of many the last ones stay.
    """
    places: set[Place] = {one.place for one in kept}
    stays = {id(one) for one in kept}
    users = {place[0] for place in places}
    # What a write may have carried over is what it could see: from the answer before the last one on.
    begin = kept[-2].call if len(kept) > 1 else kept[0].call
    end = kept[-1].return_
    found = [
        one
        for one in history
        if id(one) not in stays and one.place[0] in users and one.call <= end and one.return_ >= begin
    ]
    return sorted(found, key=lambda one: one.call)[-most:]
