"""A history of any size: divided by user and cell into files, which are decided one by one, by several processes.

    cells = CellFiles(directory)
    cells.add(workspace, exchange, fresh=…)     for each exchange, in any order
    decided(cells.paths(), submit)              what came of it, by endpoint

In memory are few operations at a time, and while a file is decided those of its cells. No decision needs two cells
(`linear`), so that the result does not depend on the number of files and of processes.
"""

from __future__ import annotations

import math
import pickle
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, NamedTuple, TypeAlias
from zlib import crc32

from tracksync.contract.bounds import TRACK
from tracksync.engine.garbage import rare_collections
from tracksync.errors import Incomplete
from tracksync.model.exchange import Exchange
from tracksync.model.figures import Figure
from tracksync.race.consistency import Level, cell_report, unexplained
from tracksync.race.history import UNSEEN, History, Place, RaceOperation, Verb, Write, WriteOutcome
from tracksync.race.summary import FIGURES, Consistency, unexplained_cell
from tracksync.race.workload import CLIENT, Endpoint, outcome_of, planned, shown

FILES: Final = 256  # among which the cells are divided
HELD: Final = 50_000  # operations in memory before they are written

Cell: TypeAlias = tuple[tuple[Any, ...], Place]  # its workspace, and where it is
Call = Callable[..., Any]


class _Record(NamedTuple):
    """One operation as it stands in a file: as a tuple of plain values. Times are in epoch seconds.

    `fresh`: its user certainly did not exist. `track`: it went to /users/track. `seen`: what the response showed; None
    where it showed nothing.
    """

    cell: Cell
    fresh: bool
    track: bool
    client: int
    verb: Verb
    value: Any
    sent: float
    received: float
    outcome: str
    seen: tuple[Any] | None


class CellFiles:
    """Files in `directory`, each with the operations on some cells. Raises Incomplete where it is full."""

    def __init__(self, directory: Path, *, files: int = FILES, held: int = HELD) -> None:
        self._directory = directory
        self._most = held
        self._held: list[list[_Record]] = [[] for _ in range(files)]
        self._number = 0

    def add(self, workspace: tuple[Any, ...], exchange: Exchange, *, fresh: Callable[[str, str], bool]) -> bool:
        """Take in one exchange; False where it is not an operation of a race.

        `workspace`: what tells it apart from others; its users are its own. `fresh`: as of the oracle's settings. Users
        of a race are fresh: it creates them.
        """
        found = planned(exchange.request)
        if found is None:
            return False
        place, write = found
        self._number += 1
        outcome, client = outcome_of(exchange), _client(exchange.tags)
        seen = shown(place, exchange)
        record = _Record(
            cell=(workspace, place),
            fresh=client is not None or fresh("external_id", place[0]),
            track=exchange.request.path == TRACK,
            client=-self._number if client is None else client,
            verb=write.verb,
            value=write.value,
            sent=exchange.sent,
            received=math.inf if outcome is WriteOutcome.AMBIGUOUS else exchange.received,
            outcome=outcome.value,
            seen=None if seen is UNSEEN else (seen,),
        )
        self._held[crc32(repr(record.cell).encode()) % len(self._held)].append(record)
        if self._number % self._most == 0:
            self._write()
        return True

    def paths(self) -> list[Path]:
        """Every file, once nothing is added any more."""
        self._write()
        return sorted(self._directory.iterdir())

    def _write(self) -> None:
        try:
            for number, records in enumerate(self._held):
                if records:
                    with (self._directory / f"{number:03d}").open("ab") as file:
                        pickle.dump(list(map(tuple, records)), file, pickle.HIGHEST_PROTOCOL)
                    records.clear()
        except OSError as error:
            raise Incomplete(
                f"the operations cannot be written to {self._directory.parent}: {error.strerror or error}; "
                "TMPDIR names another directory"
            ) from None


def _client(tags: tuple[str, ...]) -> int | None:
    """The number of the client. Where it is not known, each operation is of a client of its own: that holds less."""
    names = (tag.removeprefix(CLIENT) for tag in tags if tag.startswith(CLIENT))
    return next((int(name) for name in names if name.isdecimal()), None)


class _BrokenCell(NamedTuple):
    """A cell that is certainly not linearizable. In order: those with the shortest histories come first."""

    operations: int
    call: float
    cell: Cell
    level: Level
    path: Path


@dataclass(slots=True)
class _Decided:
    """What the cells of some files came to, by endpoint. `broken`: the first FIGURES of them."""

    levels: dict[Endpoint, Counter[Level]] = field(default_factory=dict)
    broken: dict[Endpoint, list[_BrokenCell]] = field(default_factory=dict)

    def add(self, other: _Decided) -> None:
        for endpoint, levels in other.levels.items():
            self.levels.setdefault(endpoint, Counter()).update(levels)
        for endpoint, broken in other.broken.items():
            self.broken[endpoint] = sorted([*self.broken.get(endpoint, ()), *broken])[:FIGURES]


def decided(paths: Sequence[Path], submit: Call | None = None) -> list[Consistency]:
    """Which consistency the cells had, by endpoint, with figures of the smallest that no order explains.

    `submit` has a function called in another process and gives what will have its result; None: all is done here.
    """
    whole = _Decided()
    pending = [submit(_decide_file, path) for path in paths] if submit else None
    for number, path in enumerate(paths):
        whole.add(pending[number].result() if pending else _decide_file(path))
    return [
        Consistency(
            endpoint, levels, endpoint in whole.broken, tuple(_figures(endpoint, whole.broken.get(endpoint, [])))
        )
        for endpoint, levels in sorted(whole.levels.items())
    ]


@rare_collections()
def _decide_file(path: Path) -> _Decided:
    """What the cells of one file came to."""
    found = _Decided()
    for cell, one in _cells(path).items():
        endpoint: Endpoint = "track" if one.track else "sync"
        report = cell_report(cell[1], one.history(), fresh=one.fresh)
        levels = Counter([report.level])
        broken: dict[Endpoint, list[_BrokenCell]] = {}
        if report.decision.holds is False:
            broken[endpoint] = [_BrokenCell(report.operations, one.first_call(), cell, report.level, path)]
        found.add(_Decided({endpoint: levels}, broken))
    return found


@dataclass(slots=True)
class _StoredCell:
    """The operations on one cell. `track`: some of them went to /users/track."""

    fresh: bool
    track: bool = False
    records: list[_Record] = field(default_factory=list)

    def first_call(self) -> float:
        return min(record.sent for record in self.records)

    def history(self) -> History:
        return History.of(map(_operation, self.records))


def _cells(path: Path) -> dict[Cell, _StoredCell]:
    cells: dict[Cell, _StoredCell] = {}
    with path.open("rb") as file:
        for record in _records(file):
            one = cells.setdefault(record.cell, _StoredCell(record.fresh))
            one.track = one.track or record.track
            one.records.append(record)
    return cells


def _records(file: Any) -> Iterator[_Record]:
    while True:
        try:
            yield from map(_Record._make, pickle.load(file))  # noqa: S301 - this run wrote it, into a directory of its own
        except EOFError:
            return


def _operation(record: _Record) -> RaceOperation:
    return RaceOperation(
        client=record.client,
        place=record.cell[1],
        write=Write(record.verb, record.value),
        call=record.sent,
        return_=record.received,
        shown=record.seen[0] if record.seen else UNSEEN,
        outcome=WriteOutcome(record.outcome),
    )


def _figures(endpoint: Endpoint, broken: list[_BrokenCell]) -> Iterator[Figure]:
    for one in broken:
        stored = _cells(one.path)[one.cell]
        operations = unexplained(stored.history(), fresh=stored.fresh)
        if operations:
            yield unexplained_cell(endpoint, one.cell[1], one.level, operations)
