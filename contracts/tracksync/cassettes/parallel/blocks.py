"""The parts of a recording go through it block by block, so that each knows what the others have learned.

Within a block every part goes on by itself, under what was shared at its beginning. If one of them learns something,
the block ends after the first exchange that changed what is shared: all parts go back to it, take the change over, and
go on from there. Changes are few and most come early, so that blocks begin short and grow. The result is that of one
process: up to the end of its block, each exchange was checked under what is known of all that came before it.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Protocol

from tracksync.cassettes.parallel.part import Answer, Change, Item, Partition, Question, Run, Summary
from tracksync.cassettes.parallel.routing import Directed

SHORTEST: Final = 32  # interactions of a block
LONGEST: Final = 4096


class Parts(Protocol):
    """The parts of a recording, wherever they are. Requests are sent first and their results taken later."""

    @property
    def count(self) -> int:
        """How many there are."""

    def run(self, items: Sequence[Sequence[Item]], until: int) -> None:
        """Let every part take its items in and check those with an index below `until`."""

    def runs(self) -> list[Run]:
        """How far each came."""

    def answers(self, questions: Sequence[Question]) -> list[list[Answer]]:
        """What each part answers."""

    def commit(self, upto: int, change: Change | None, answers: Mapping[int, Answer]) -> list[Summary]:
        """Let every part go back to `upto`, take over what is certain, and say what its exchanges came to."""

    def settle(self, change: Change, until: float) -> None:
        """Tell every part until when a user of the workspace that is met may be deleted."""


class PartsHere:
    """Parts in this process."""

    def __init__(self, parts: Sequence[Partition]) -> None:
        self._parts = parts
        self._runs: list[Run] = []

    @property
    def count(self) -> int:
        """How many there are."""
        return len(self._parts)

    def run(self, items: Sequence[Sequence[Item]], until: int) -> None:
        """Let every part take its items in and check those with an index below `until`."""
        self._runs = [part.run(own, until) for part, own in zip(self._parts, items, strict=True)]

    def runs(self) -> list[Run]:
        """How far each came."""
        return self._runs

    def answers(self, questions: Sequence[Question]) -> list[list[Answer]]:
        """What each part answers."""
        return [part.answers(questions) for part in self._parts]

    def commit(self, upto: int, change: Change | None, answers: Mapping[int, Answer]) -> list[Summary]:
        """Let every part go back to `upto`, take over what is certain, and say what its exchanges came to."""
        return [part.commit(upto, change, answers) for part in self._parts]

    def settle(self, change: Change, until: float) -> None:
        """Tell every part until when a user of the workspace that is met may be deleted."""
        for part in self._parts:
            part.settle(change.place, until)


@dataclass(frozen=True, slots=True)
class Block:
    """Interactions that were checked, and what they came to; `change`: what the last of them changed for all."""

    directed: list[Directed]
    summaries: list[Summary]
    change: Change | None


def check_in_blocks(directed: Iterable[Directed], parts: Parts, *, longest: int = LONGEST) -> Iterator[Block]:
    """Check all interactions, and tell of each block when it is certain."""
    rest = iter(directed)
    waiting: deque[Directed] = deque()  # sent to the parts and not certain yet
    ahead: deque[Directed] = deque()  # directed while the parts were at work
    start, size = 0, min(SHORTEST, longest)
    certain: Block | None = None  # it is told of while the parts are at the next one
    while True:
        items: list[list[Item]] = [[] for _ in range(parts.count)]
        while (waiting[-1].index if waiting else start - 1) < start + size - 1:
            one = ahead.popleft() if ahead else next(rest, None)
            if one is None:
                break
            waiting.append(one)
            for part, item in one.items:
                items[part].append(item)
        if waiting:
            parts.run(items, start + size)
        if certain is not None:
            yield certain
        if not waiting:
            return
        while len(ahead) < 2 * size and (one := next(rest, None)) is not None:
            ahead.append(one)
        runs = parts.runs()
        change = min((run.change for run in runs if run.change), key=lambda one: one.index, default=None)
        upto = change.index if change else min(start + size - 1, waiting[-1].index)
        summaries = parts.commit(upto, change, _answered(parts, runs, upto))
        if change is not None and change.effect.forgot:
            parts.settle(change, max(one.unsettled_until for one in summaries))
        block = []
        while waiting and waiting[0].index <= upto:
            block.append(waiting.popleft())
        certain = Block(block, summaries, change)
        start = upto + 1
        size = min(2 * size, longest) if change is None else max(size // 2, min(SHORTEST, longest))


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
