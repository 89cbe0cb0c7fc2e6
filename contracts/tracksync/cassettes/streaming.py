"""Interactions of recordings of any size: read line by line, put in the order of their responses, in bounded memory.

Times are those of the first line's kind: exact (`at` and `elapsed`), coarse (`at`, or a `Date` header), or none; see
`timestamps`. A recorder that works in parallel writes lines somewhat out of order; WINDOW lines are held to sort them.
"""

from __future__ import annotations

import heapq
import itertools
from collections.abc import Iterable, Iterator
from typing import Final

from msgspec.structs import replace

from tracksync.cassettes.exchange_lines import read_line
from tracksync.cassettes.interaction import Draft, Interaction, RecordingProblem
from tracksync.cassettes.timestamps import SKEW, UNKNOWN_SKEW, Settler, is_coarse, is_exact
from tracksync.wire.bodies import Unreadable

WINDOW: Final = 200  # interactions that are held to put them in order
LATE: Final = f"its line comes more than {WINDOW} lines after one with a later response"


class Stream:
    """The interactions of a file with one exchange a line. `clock_skew` in seconds, known from the beginning."""

    def __init__(self, lines: Iterator[tuple[int, bytes]]) -> None:
        self._drafts = _drafts(lines)
        self._problems: list[RecordingProblem] = []
        first = next((one for one in self._drafts if self._is_draft(one)), None)
        self._exact = isinstance(first, Draft) and is_exact(first)
        coarse = isinstance(first, Draft) and (self._exact or is_coarse(first))
        self.clock_skew = SKEW if coarse else UNKNOWN_SKEW
        self._settler = Settler()
        self._timed = coarse
        self._rest: Iterable[Draft | RecordingProblem] = itertools.chain([first] if first else [], self._drafts)

    def _is_draft(self, one: Draft | RecordingProblem) -> bool:
        if isinstance(one, RecordingProblem):
            self._problems.append(one)
        return isinstance(one, Draft)

    def __iter__(self) -> Iterator[Interaction | RecordingProblem]:
        """Every interaction, in the order of the responses, and every line that could not be read."""
        yield from self._problems
        held: list[tuple[float, int, Interaction]] = []
        latest = float("-inf")
        for one in self._rest:
            settled = one if isinstance(one, RecordingProblem) else self._settled(one)
            if isinstance(settled, RecordingProblem):
                yield settled
                continue
            heapq.heappush(held, (settled.exchange.received, settled.line, settled))
            if len(held) > WINDOW:
                received, _, first = heapq.heappop(held)
                yield first if received >= latest else replace(first, gap=LATE)
                latest = max(latest, received)
        while held:
            received, _, first = heapq.heappop(held)
            yield first if received >= latest else replace(first, gap=LATE)

    def _settled(self, draft: Draft) -> Interaction | RecordingProblem:
        if self._exact:
            if not is_exact(draft):
                return RecordingProblem(draft.line, "it has no `at` and `elapsed`, which the first line has")
        elif self._timed and not is_coarse(draft):
            return RecordingProblem(draft.line, "it has no time, which the first line has")
        return self._settler.settled(draft, exact=self._exact)


def _drafts(lines: Iterator[tuple[int, bytes]]) -> Iterator[Draft | RecordingProblem]:
    try:
        for number, line in lines:
            try:
                yield read_line(line, number)
            except Unreadable as broken:
                yield RecordingProblem(broken.line, broken.message)
    except Unreadable as end:  # the rest of the file cannot be read
        yield RecordingProblem(end.line, end.message)
