"""Interactions of recordings of any size: read line by line, put in the order of their responses, in bounded memory.

Times are those of the first line's kind: exact (`at` and `elapsed`), coarse (`at`, or a `Date` header), or none; see
`timestamps`. A recorder that works in parallel writes lines somewhat out of order; WINDOW lines are held to sort them.
What is held are lines as they stand in the file: one is read when its turn has come.
"""

from __future__ import annotations

import heapq
import itertools
from collections.abc import Iterator, Sequence
from typing import Final

from msgspec.structs import replace

from tracksync.cassettes.exchange_lines import read_line, read_timed, read_times
from tracksync.cassettes.interaction import Draft, Flown, Interaction, RecordingProblem, TimedLine
from tracksync.cassettes.timestamps import SKEW, UNKNOWN_SKEW, Settler, is_coarse, is_exact
from tracksync.model.exchange import Request
from tracksync.wire.bodies import Unreadable

WINDOW: Final = 200  # lines that are held to put them in order, and to see what is in flight
LATE: Final = f"its line comes more than {WINDOW} lines after one with a later response"
_NO_TIMES: Final = "it has no `at` and `elapsed`, which the first line has"

Line = tuple[int, bytes]


class Stream:
    """The interactions of a file with one exchange a line. `clock_skew` in seconds, known from the beginning."""

    def __init__(self, lines: Iterator[Line]) -> None:
        rest = _lines(lines)
        begin, first = _up_to_first(rest)
        self._lines = itertools.chain(begin, rest)
        self._exact = first is not None and is_exact(first)
        self._timed = first is not None and (self._exact or is_coarse(first))
        self.clock_skew = SKEW if self._timed else UNKNOWN_SKEW
        self._settler = Settler()
        self._held: list[tuple[float, int, TimedLine]] = []  # a heap, by when the response came
        self._starts: list[tuple[float, float, int]] = []  # a heap of the same, by when the request was sent
        self._read: dict[int, Interaction | RecordingProblem] = {}  # of those held, by their numbers

    def __iter__(self) -> Iterator[Interaction | RecordingProblem]:
        """Every interaction, in the order of the responses, and every line that could not be read."""
        for one in self.with_flights():
            yield one if isinstance(one, RecordingProblem) else one[0]

    def with_flights(self) -> Iterator[Flown | RecordingProblem]:
        """The same, each with the requests that were in flight when its response came."""
        latest = float("-inf")
        for line in self._in_order():
            one = line if isinstance(line, RecordingProblem) else self._interaction(line)
            if isinstance(one, RecordingProblem):
                yield one
                continue
            exchange = one.exchange
            if exchange.received < latest:
                one = replace(one, gap=LATE)
            else:
                latest = exchange.received
            yield one, self._in_flight(one)

    def _in_order(self) -> Iterator[TimedLine | RecordingProblem]:
        held = self._held
        for line in self._lines:
            timed = line if isinstance(line, RecordingProblem) else self._with_times(*line)
            if isinstance(timed, RecordingProblem):
                yield timed
                continue
            heapq.heappush(held, (timed.received, timed.line, timed))
            heapq.heappush(self._starts, (timed.sent, timed.received, timed.line))
            if len(held) > WINDOW:
                yield heapq.heappop(held)[2]
        while held:
            yield heapq.heappop(held)[2]

    def _with_times(self, number: int, line: bytes) -> TimedLine | RecordingProblem:
        if self._exact and (times := read_times(line)) is not None:
            return TimedLine(number, line, *times)
        try:
            draft = read_line(line, number)
        except Unreadable as broken:
            return RecordingProblem(broken.line, broken.message)
        if self._exact:
            return RecordingProblem(number, _NO_TIMES)
        if self._timed and not is_coarse(draft):
            return RecordingProblem(number, "it has no time, which the first line has")
        return TimedLine(number, line, *self._settler.times(draft, exact=False))

    def _interaction(self, line: TimedLine) -> Interaction | RecordingProblem:
        read = self._read.pop(line.line, None) if self._read else None
        return self._new(line) if read is None else read

    def _new(self, line: TimedLine) -> Interaction | RecordingProblem:
        found = read_timed(line)
        return self._settler.numbered(found) if isinstance(found, Interaction) else found

    def _in_flight(self, one: Interaction) -> Sequence[Request]:
        """The requests of the same origin that were sent before the response to `one` came, and have none yet."""
        received, starts = one.exchange.received, self._starts
        while starts and starts[0][1:] <= (received, one.line):
            heapq.heappop(starts)
        if not starts or starts[0][0] > received:  # the usual case
            return ()
        found = []
        for _, number, line in sorted(self._held):
            if line.sent <= received:
                other = self._read[number] = self._read.get(number) or self._new(line)
                if isinstance(other, Interaction) and other.origin == one.origin:
                    found.append(other.exchange.request)
        return found


def _lines(lines: Iterator[Line]) -> Iterator[Line | RecordingProblem]:
    try:
        yield from lines
    except Unreadable as end:  # the rest of the file cannot be read
        yield RecordingProblem(end.line, end.message)


def _up_to_first(lines: Iterator[Line | RecordingProblem]) -> tuple[list[Line | RecordingProblem], Draft | None]:
    """The lines up to the first that can be read, and what stands in it."""
    before: list[Line | RecordingProblem] = []
    for line in lines:
        before.append(line)
        if not isinstance(line, RecordingProblem):
            try:
                return before, read_line(line[1], line[0])
            except Unreadable:
                continue
    return before, None
