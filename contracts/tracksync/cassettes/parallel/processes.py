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
from tracksync.cassettes.exchange_lines import interaction_of
from tracksync.cassettes.interaction import TimedLine
from tracksync.cassettes.parallel.part import Answer, Change, Gap, Item, Partition, Question, Routed, Run, Summary
from tracksync.engine.child_processes import ENDED, end_with_parent, interrupts_blocked
from tracksync.engine.garbage import rare_collections
from tracksync.errors import Incomplete
from tracksync.oracle import Settings
from tracksync.oracle.parts import Beside

_AHEAD: Final = 8  # items that are checked between two looks at what the first process asks

Packed = tuple[Any, ...]


def packed(item: Item) -> Packed:
    """The item as it travels: an exchange as its line."""
    if isinstance(item, Gap):
        return item.index, item.places
    line, beside = item.interaction.source, item.beside
    assert line is not None
    known = (beside.moment, beside.answered, beside.latest, beside.findings, beside.covered)
    around = (*known, beside.in_flight, beside.written, beside.objects)
    return item.index, item.place, (line.line, line.text, line.sent, line.received), around, item.home


def unpacked(packed: Packed) -> Item:
    """The item of which `packed` was made."""
    if len(packed) == 2:
        return Gap(*packed)
    index, place, line, around, home = packed
    return Routed(index, place, interaction_of(TimedLine(*line)), Beside(*around), home)


@rare_collections()
def _serve(connection: Connection, settings: Settings, foreign: bool) -> None:
    """Do what the first process asks of one part, and check ahead meanwhile, until it closes the connection."""
    end_with_parent()
    part = Partition(settings, foreign=foreign)
    try:
        while True:
            while not connection.poll() and _checked_some(part):
                pass
            name, arguments = connection.recv()
            if name == "take":
                part.take(map(unpacked, *arguments))
            elif name == "settle":
                part.settle(*arguments)
            else:
                connection.send(getattr(part, name)(*arguments))
    except (EOFError, BrokenPipeError):
        return
    except Exception:  # noqa: BLE001 - the first process tells of it
        connection.send(_Broken(traceback.format_exc()))


def _checked_some(part: Partition) -> bool:
    return all(part.check_next() for _ in range(_AHEAD))


class _Broken:
    """A defect of tracksync itself in another process."""

    def __init__(self, text: str) -> None:
        self.text = text


class PartsInProcesses:
    """The first part in this process, which also directs; the others in processes of their own."""

    def __init__(self, own: Partition, connections: Sequence[Connection]) -> None:
        self._own = own
        self._connections = connections

    @property
    def count(self) -> int:
        """How many there are."""
        return 1 + len(self._connections)

    def take(self, items: Sequence[Sequence[Item]]) -> None:
        """Give every part the items that come next."""
        self._own.take(items[0])
        for connection, its in zip(self._connections, items[1:], strict=True):
            if its:
                _send(connection, "take", list(map(packed, its)))

    def run(self, until: int) -> list[Run]:
        """Let every part check its items with an index below `until`, and say how far it came."""
        self._send("run", until)
        return [self._own.run(until), *self._received()]

    def answers(self, questions: Sequence[Question]) -> list[list[Answer]]:
        """What each part answers."""
        self._send("answers", questions)
        return [self._own.answers(questions), *self._received()]

    def commit(self, upto: int, change: Change | None, answers: Mapping[int, Answer]) -> list[Summary]:
        """Tell every part what is certain and what it changed, and let it say what its exchanges came to."""
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
def parts_in_processes(count: int, settings: Settings, *, foreign: bool) -> Iterator[PartsInProcesses]:
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
        yield PartsInProcesses(Partition(settings, foreign=foreign), ours)
    finally:
        for connection in ours:
            connection.close()
        for process in started:
            process.terminate()
            process.join()
