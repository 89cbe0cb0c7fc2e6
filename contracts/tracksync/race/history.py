"""A history: what several clients asked of a workspace, when, and what they were shown. Plain data and its partition.

Knows nothing of HTTP and of how a history came about, so that one from a text book can be written down as it is.
An interval is closed: an operation takes effect at one moment from its call to its return, both included. Two that
touch in one moment overlap, and either may have been the first. That errs on the lenient side: a clock that ticks
slowly makes two operations touch which in truth followed each other, never the other way round.
"""

from __future__ import annotations

import enum
import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal

from tracksync.model.exchange import Exchange, Request

Place = tuple[str, str, str]  # user, section, key: what the documents promise an order for

Verb = Literal["set", "add", "insert", "remove", "merge", "count", "read"]


class _Unseen:
    """Marks an answer that shows nothing of the operation's effect."""

    def __repr__(self) -> str:
        return "unseen"


UNSEEN: Final = _Unseen()


class WriteOutcome(enum.StrEnum):
    """What is known of an operation from its answer."""

    DONE = "done"
    OPEN = "open"  # no answer, or a 5XX: it takes effect at any later moment, or never
    REFUSED = "refused"  # it changed nothing


@dataclass(frozen=True, slots=True)
class Write:
    """What an operation does to one cell.

    `set` a value; `add` a number; `insert` an element at the end of an array, or `remove` one; `merge` members into an
    object; `count` an event or so many purchases; `read` changes nothing.
    """

    verb: Verb
    value: Any = None

    @property
    def changes(self) -> bool:
        """Whether the cell can be another one afterwards."""
        return self.verb != "read"

    def __str__(self) -> str:
        return self.verb if self.value is None else f"{self.verb} {_short(self.value)}"


@dataclass(frozen=True, slots=True)
class RaceOperation:
    """One operation of one client on one cell.

    `call` and `return_` are seconds on one clock; `return_` is infinite where the fate is open. `shown` is the cell as
    the answer shows it, or UNSEEN. `exchange` is what went over the wire, `rivals` the requests on the same cell, and
    `crowd` any one request at all, that were under way when the answer came.
    """

    client: int
    place: Place
    write: Write
    call: float
    return_: float = math.inf
    shown: Any = UNSEEN
    fate: WriteOutcome = WriteOutcome.DONE
    exchange: Exchange | None = None
    rivals: tuple[Request, ...] = ()
    crowd: tuple[Request, ...] = ()

    def overlaps(self, other: RaceOperation) -> bool:
        """Whether the two share a moment."""
        return self.call <= other.return_ and other.call <= self.return_

    def answer(self) -> str:
        """What came back, in a few words."""
        if self.fate is WriteOutcome.REFUSED:
            return "refused"
        if self.fate is WriteOutcome.OPEN:
            return "no answer"
        return "accepted" if self.shown is UNSEEN else _short(self.shown)


def _short(value: Any) -> str:
    if isinstance(value, list | tuple):
        shown = [_short(item) for item in value]
        return f"[{', '.join(shown)}]" if len(shown) < 4 else f"[{shown[0]}, … {shown[-2]}, {shown[-1]}]"
    if isinstance(value, dict):
        shown = [f"{name}: {_short(item)}" for name, item in value.items()]
        inner = ", ".join(shown) if len(shown) < 4 else f"{shown[0]}, … {shown[-1]}"
        return f"{{{inner}}}"
    text = str(value)
    return text if len(text) <= 24 else f"{text[:23]}…"


@dataclass(frozen=True, slots=True)
class History:
    """Operations in the order of their calls."""

    operations: tuple[RaceOperation, ...] = ()

    @classmethod
    def of(cls, operations: Iterable[RaceOperation]) -> History:
        """The history of these operations, in whatever order they come."""
        return cls(tuple(sorted(operations, key=lambda operation: operation.call)))

    def __iter__(self) -> Iterator[RaceOperation]:
        return iter(self.operations)

    def __len__(self) -> int:
        return len(self.operations)

    def partition(self) -> dict[Place, History]:
        """The history of each cell by itself, in the order in which the cells first appear."""
        parts: dict[Place, list[RaceOperation]] = {}
        for operation in self.operations:
            parts.setdefault(operation.place, []).append(operation)
        return {place: History(tuple(part)) for place, part in parts.items()}

    def by_answer(self) -> list[RaceOperation]:
        """The operations that an oracle can look at, in the order of their answers."""
        checked = [operation for operation in self.operations if operation.exchange is not None]
        return sorted(checked, key=lambda operation: _received(operation))


def _received(operation: RaceOperation) -> float:
    assert operation.exchange is not None
    return operation.exchange.received


def cut_is_sound(whole: Sequence[RaceOperation], kept: Sequence[RaceOperation]) -> bool:
    """Whether leaving out the rest leaves a history that a correct server can have given, from an unknown state.

    Of a cell that stays, what changes it may go only if all of it lies before everything that stays, so that the
    unknown beginning covers it, or after. What only reads may go at any time, and so may cells as a whole.
    """
    first: dict[Place, float] = {}
    last: dict[Place, float] = {}
    for operation in kept:
        place = operation.place
        first[place] = min(first.get(place, math.inf), operation.call)
        last[place] = max(last.get(place, -math.inf), operation.return_)
    stays = {id(operation) for operation in kept}
    for operation in whole:
        if id(operation) in stays or operation.place not in first:
            continue
        if not operation.write.changes or operation.fate is WriteOutcome.REFUSED:
            continue
        if not (operation.return_ < first[operation.place] or operation.call > last[operation.place]):
            return False
    return True
