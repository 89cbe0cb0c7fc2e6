"""Which finding of a cause names the defect best. Pure.

A direct finding leads, one that explains many others, with a short sequence. What is nearer to the write that went
wrong comes first: a wrong look-up before what shows only after it, a refused request that had an effect before that.
"""

from __future__ import annotations

from collections.abc import Sequence

from tracksync.contract.clauses import catalogue
from tracksync.engine.replayed_finding import HELD, LOST, WITNESSES, ReplayedFinding, connected


def leading_first(group: Sequence[ReplayedFinding]) -> list[ReplayedFinding]:
    """The findings of one cause, the leading one first and the others in their order."""
    lead = _lost_state(group) or min(group, key=_Ranking(group).rank)
    return [lead, *(one for one in group if one is not lead)]


def _lost_state(group: Sequence[ReplayedFinding]) -> ReplayedFinding | None:
    """The first finding on state, where clauses of many concerns are broken and none of them shows before it."""
    direct = [one for one in group if not one.indirect]
    state = [one for one in group if one.on_state and not one.nearer]
    if not state or len({one.concern for one in direct} & HELD) < LOST:
        return None
    first = state[0].requests <= min(one.requests for one in direct)
    return state[0] if first and {one.clause for one in direct}.isdisjoint(state[0].earlier) else None


class _Ranking:
    def __init__(self, group: Sequence[ReplayedFinding]) -> None:
        self.group = group
        self.firm = [one for one in group if one.on_state or not one.indirect]
        direct = [one for one in group if not one.indirect and not one.special]
        self.shortest = min((one.requests for one in direct), default=0)
        self.clauses = {one.clause for one in group}

    def rank(self, one: ReplayedFinding) -> tuple[bool, bool, bool, bool, bool, int, int, int]:
        """Less for what names the defect better; equal findings stay in their order."""
        others = [other for other in self.group if other is not one]
        names_it = self._names_it(one, others)
        behind = not names_it and self._behind(one, others)
        exported = any(other.concern == "export" for other in others)
        explained = [other for other in others if not other.indirect and one.clause in other.beside]
        return (
            one.nearer in self.clauses,
            behind,
            one.concern == "batches" and exported,  # what a wrong export shows says little of the writes
            one.concern in WITNESSES,
            not names_it,
            -sum(other.clause not in one.beside for other in explained),
            one.requests,
            0 if behind else _order(one.clause),
        )

    def _names_it(self, one: ReplayedFinding, others: Sequence[ReplayedFinding]) -> bool:
        """Whether a clause that says nothing of the write names the defect best: every finding shows with it only."""
        if one.special:
            return all(one.clause in other.beside for other in others)
        if one.concern == "spelling":
            return all(one.clause in other.beside for other in self.firm)
        if one.on_refusal:
            return all(other.needs_refusal for other in self.firm)
        return bool(one.look_up and self.shortest) and self._only_after(one)

    def _only_after(self, look_up: ReplayedFinding) -> bool:
        return all(
            one is look_up or look_up.clause in one.beside or one.needs_look_up([look_up.look_up]) for one in self.firm
        )

    def _behind(self, one: ReplayedFinding, others: Sequence[ReplayedFinding]) -> bool:
        """Whether a finding stands behind the direct ones."""
        if any(_of_one_element(one, other) for other in others):
            return not one.on_state
        if one.on_state or one.special:
            return one.requests >= self.shortest
        return one.indirect or any(
            _follows(one, other) for other in others if not other.look_up or self._only_after(other)
        )


def _of_one_element(one: ReplayedFinding, other: ReplayedFinding) -> bool:
    """Whether both are about one event or product of one response, and one of them knows where its count came from."""
    element, _, member = one.finding.pointer.rpartition("/")
    same = element == other.finding.pointer.rpartition("/")[0] and member in ("count", "first", "last")
    origin = one.on_state is not other.on_state
    return same and origin and one.clause in other.beside and other.clause in one.beside


def _follows(one: ReplayedFinding, other: ReplayedFinding) -> bool:
    """Whether what the other finding shows comes first in the sequence of this one, and not the reverse."""
    if other.concern == "interpretations" or one.clause in other.beside or not connected(one, other):
        return False
    return other.length is not None and one.length is not None and other.length < one.length


def _order(clause: str) -> int:
    return list(catalogue(None)).index(clause) if clause in catalogue(None) else 0
