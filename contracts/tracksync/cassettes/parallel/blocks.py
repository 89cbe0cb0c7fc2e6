"""The parts of a recording go through it block by block, so that each knows what the others have learned.

Within a block every part goes on by itself, under what was shared at its beginning. If one of them learns something,
the block ends after the first exchange that changed what is shared: all parts go back to it, take the change over, and
go on from there. Changes are few and most come early, so that blocks begin short and grow. The result is that of one
process: up to the end of its block, each exchange was checked under what is known of all that came before it.

A part has the items of the next block before a block is certain, so that it need not wait for the others.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Protocol

from msgspec import Struct

from tracksync.cassettes.interaction import Kept
from tracksync.cassettes.parallel.part import Answer, Change, Item, Partition, Question, Run, Summary
from tracksync.cassettes.parallel.routing import Directed

SHORTEST: Final = 32  # interactions of a block
LONGEST: Final = 1024


class Parts(Protocol):
    """The parts of a recording, wherever they are."""

    @property
    def count(self) -> int:
        """How many there are."""

    def take(self, items: Sequence[Sequence[Item]]) -> None:
        """Give every part the items that come next."""

    def run(self, until: int) -> list[Run]:
        """Let every part check its items with an index below `until`, and say how far it came."""

    def answers(self, questions: Sequence[Question]) -> list[list[Answer]]:
        """What each part answers."""

    def commit(self, upto: int, change: Change | None, answers: Mapping[int, Answer]) -> list[Summary]:
        """Tell every part what is certain and what it changed, and let it say what its exchanges came to."""

    def settle(self, change: Change, until: float) -> None:
        """Tell every part until when a user of the workspace that is met may be deleted."""


class PartsHere:
    """Parts in this process."""

    def __init__(self, parts: Sequence[Partition]) -> None:
        self._parts = parts

    @property
    def count(self) -> int:
        """How many there are."""
        return len(self._parts)

    def take(self, items: Sequence[Sequence[Item]]) -> None:
        """Give every part the items that come next."""
        for part, own in zip(self._parts, items, strict=True):
            part.take(own)

    def run(self, until: int) -> list[Run]:
        """Let every part check its items with an index below `until`, and say how far it came."""
        return [part.run(until) for part in self._parts]

    def answers(self, questions: Sequence[Question]) -> list[list[Answer]]:
        """What each part answers."""
        return [part.answers(questions) for part in self._parts]

    def commit(self, upto: int, change: Change | None, answers: Mapping[int, Answer]) -> list[Summary]:
        """Tell every part what is certain and what it changed, and let it say what its exchanges came to."""
        return [part.commit(upto, change, answers) for part in self._parts]

    def settle(self, change: Change, until: float) -> None:
        """Tell every part until when a user of the workspace that is met may be deleted."""
        for part in self._parts:
            part.settle(change.place, until)


class Passed(Struct, frozen=True, gc=False):
    """An interaction that was given to the parts, or `skipped` for this reason."""

    index: int
    kept: Kept
    skipped: str


@dataclass(frozen=True, slots=True)
class Block:
    """Interactions that were checked, and what they came to; `change`: what the last of them changed for all."""

    passed: list[Passed]
    summaries: list[Summary]
    change: Change | None


def check_in_blocks(directed: Iterable[Directed], parts: Parts, *, longest: int = LONGEST) -> Iterator[Block]:
    """Check all interactions, and tell of each block when it is certain."""
    shortest = min(SHORTEST, longest)
    giving = _Giving(directed, parts)
    start, size = 0, shortest
    while giving.up_to(start + size + min(2 * size, longest)):
        block = _checked(giving, parts, start + size)
        yield block
        start = block.passed[-1].index + 1
        size = min(2 * size, longest) if block.change is None else max(size // 2, shortest)


class _Giving:
    """Gives the parts their items, and holds what is not certain yet."""

    def __init__(self, directed: Iterable[Directed], parts: Parts) -> None:
        self._rest = iter(directed)
        self._parts = parts
        self._passed: deque[Passed] = deque()

    def up_to(self, until: int) -> bool:
        """Give the items of interactions with an index below `until`; returns whether any are not certain yet."""
        items: list[list[Item]] = [[] for _ in range(self._parts.count)]
        while (not self._passed or self._passed[-1].index < until - 1) and (one := next(self._rest, None)) is not None:
            self._passed.append(Passed(one.index, one.interaction.source or one.interaction, one.skipped))
            for part, item in one.items:
                items[part].append(item)
        if any(items):
            self._parts.take(items)
        return bool(self._passed)

    def last_before(self, until: int) -> int:
        """The index of the last interaction below `until`."""
        return min(until - 1, self._passed[-1].index)

    def certain(self, upto: int) -> list[Passed]:
        """Those up to this index, which are held no more."""
        found = []
        while self._passed and self._passed[0].index <= upto:
            found.append(self._passed.popleft())
        return found


def _checked(giving: _Giving, parts: Parts, until: int) -> Block:
    """The block that ends before `until`, or after the first exchange that changes what is shared."""
    runs = parts.run(until)
    change = min((run.change for run in runs if run.change), key=lambda one: one.index, default=None)
    upto = change.index if change else giving.last_before(until)
    summaries = parts.commit(upto, change, _answered(parts, runs, upto))
    if change is not None and change.effect.forgot:
        parts.settle(change, max(one.unsettled_until for one in summaries))
    return Block(giving.certain(upto), summaries, change)


def _answered(parts: Parts, runs: Iterable[Run], upto: int) -> dict[int, Answer]:
    """By the index of each exchange with findings: who wrote its cells last, in any part."""
    questions = [one for run in runs for one in run.questions if one.index <= upto]
    if not questions or parts.count == 1:
        return {}
    found: dict[int, Answer] = {one.index: {} for one in questions}
    for answers in parts.answers(questions):
        for question, answer in zip(questions, answers, strict=True):
            known = found[question.index]
            for key, writer in answer.items():
                if key not in known or known[key].moment < writer.moment:
                    known[key] = writer
    return found
