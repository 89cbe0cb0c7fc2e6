"""Parts in processes of this machine. Lines travel as they stand in the file, and are read where they are checked."""

from __future__ import annotations

import multiprocessing
import traceback
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from multiprocessing.connection import Connection
from multiprocessing.context import SpawnProcess
from typing import Any, Final

from tracksync.cassettes.checking import Place
from tracksync.cassettes.exchange_lines import read_line
from tracksync.cassettes.interaction import Interaction
from tracksync.cassettes.parallel.part import Answer, Change, Gap, Item, Partition, Question, Routed, Run, Summary
from tracksync.cassettes.timestamps import settled_at
from tracksync.engine.child_processes import ENDED, end_with_parent, interrupts_blocked
from tracksync.engine.garbage import rare_collections
from tracksync.errors import Incomplete
from tracksync.oracle import Settings
from tracksync.oracle.parts import Beside

_LATE: Final = 1000  # lines of a file that are kept for interactions that come out of order
_DIRECTING: Final = 0.27  # the time that it takes to direct an exchange, by the time that it takes to check one

Packed = tuple[Any, ...]


class KeptLines:
    """The lines that were read of a file and not yet sent to a part, by their numbers."""

    def __init__(self, lines: Iterator[tuple[int, bytes]]) -> None:
        self._lines = lines
        self._kept: dict[int, bytes] = {}

    def __iter__(self) -> Iterator[tuple[int, bytes]]:
        """The lines, as they are read."""
        for number, line in self._lines:
            self._kept[number] = line
            yield number, line

    def line(self, number: int) -> bytes:
        """A line that was read."""
        return self._kept[number]

    def drop(self, sent: Sequence[int]) -> None:
        """Forget lines that were sent, and older ones that never will be."""
        for number in sent:
            self._kept.pop(number, None)
        before = min(sent, default=0) - _LATE
        while self._kept and (first := next(iter(self._kept))) < before:
            del self._kept[first]


def packed(item: Item, lines: KeptLines) -> Packed:
    """The item as it travels."""
    if isinstance(item, Gap):
        return item.index, item.places
    one, beside = item.interaction, item.beside
    exchange = one.exchange
    known = (beside.moment, beside.answered, beside.latest, beside.findings, beside.covered)
    around = (*known, beside.in_flight, beside.written)
    line = lines.line(one.line)
    return item.index, item.place, line, one.line, exchange.sent, exchange.received, item.home, beside.objects, around


def unpacked(packed: Packed) -> Item:
    """The item of which `packed` was made."""
    if len(packed) == 2:
        return Gap(*packed)
    index, place, line, number, sent, received, home, objects, around = packed
    interaction = settled_at(read_line(line, number), sent, received)
    assert isinstance(interaction, Interaction)  # it could be read before
    return Routed(index, place, interaction, Beside(*(*around, objects)), home)


@rare_collections()
def _serve(connection: Connection, settings: Settings, foreign: bool) -> None:
    """Do what the first process asks of one part, until it closes the connection."""
    end_with_parent()
    part = Partition(settings, foreign=foreign)
    try:
        while True:
            name, arguments = connection.recv()
            if name == "run":
                items, until = arguments
                connection.send(part.run(map(unpacked, items), until))
            elif name == "settle":
                part.settle(*arguments)
            else:
                connection.send(getattr(part, name)(*arguments))
    except (EOFError, BrokenPipeError):
        return
    except Exception:  # noqa: BLE001 - the first process tells of it
        connection.send(_Broken(traceback.format_exc()))


class _Broken:
    """A defect of tracksync itself in another process."""

    def __init__(self, text: str) -> None:
        self.text = text


class PartsInProcesses:
    """The first part in this process, which also directs; the others in processes of their own.

    `lines`: of the file that is read.
    """

    def __init__(self, own: Partition, connections: Sequence[Connection], lines: KeptLines) -> None:
        self._own = own
        self._connections = connections
        self._lines = lines
        self._next: tuple[Sequence[Item], int] = ((), 0)

    @property
    def count(self) -> int:
        """How many there are."""
        return 1 + len(self._connections)

    def part_of(self, leader: int) -> int:
        """The part of the users for which an identifier stands. The first has fewer, since directing takes time too."""
        others = len(self._connections)
        drawn, thousandth = divmod(leader, 1000)
        share = (1 - _DIRECTING * others) / (1 + others)
        return 0 if thousandth < 1000 * share else 1 + drawn % others

    def run(self, items: Sequence[Sequence[Item]], until: int) -> None:
        """Let every part take its items in and check those with an index below `until`."""
        self._next = items[0], until
        for connection, its in zip(self._connections, items[1:], strict=True):
            _send(connection, "run", [packed(item, self._lines) for item in its], until)
        self._lines.drop([item.interaction.line for its in items for item in its if isinstance(item, Routed)])

    def runs(self) -> list[Run]:
        """How far each came."""
        return [self._own.run(*self._next), *self._received()]

    def answers(self, questions: Sequence[Question]) -> list[list[Answer]]:
        """What each part answers."""
        self._send("answers", questions)
        return [self._own.answers(questions), *self._received()]

    def commit(self, upto: int, change: Change | None, answers: Mapping[int, Answer]) -> list[Summary]:
        """Let every part go back to `upto`, take over what is certain, and say what its exchanges came to."""
        self._send("commit", upto, change, answers)
        return [self._own.commit(upto, change, answers), *self._received()]

    def settle(self, change: Change, until: float) -> None:
        """Tell every part until when any user of the workspace may be deleted."""
        place: Place = change.place
        self._own.settle(place, until)
        self._send("settle", place, until)

    def _send(self, name: str, *arguments: Any) -> None:
        for connection in self._connections:
            _send(connection, name, *arguments)

    def _received(self) -> list[Any]:
        try:
            found = [connection.recv() for connection in self._connections]
        except (EOFError, OSError):
            raise Incomplete(ENDED) from None
        for one in found:
            if isinstance(one, _Broken):
                raise RuntimeError(f"in another process:\n{one.text}")
        return found


def _send(connection: Connection, name: str, *arguments: Any) -> None:
    try:
        connection.send((name, arguments))
    except OSError:
        raise Incomplete(ENDED) from None


@contextmanager
def parts_in_processes(
    count: int, lines: KeptLines, settings: Settings, *, foreign: bool
) -> Iterator[PartsInProcesses]:
    """`count` parts, all but one in processes that end with the block."""
    context = multiprocessing.get_context("spawn")
    started: list[SpawnProcess] = []
    ours: list[Connection] = []
    try:
        for _ in range(count - 1):
            our_end, other_end = context.Pipe()
            process = context.Process(target=_serve, args=(other_end, settings, foreign), daemon=True)
            with interrupts_blocked():
                process.start()
            started.append(process)
            ours.append(our_end)
            other_end.close()
        yield PartsInProcesses(Partition(settings, foreign=foreign), ours, lines)
    finally:
        for connection in ours:
            connection.close()
        for process in started:
            process.terminate()
            process.join()
