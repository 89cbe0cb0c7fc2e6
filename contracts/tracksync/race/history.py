"""A history: the operations of several clients on a workspace, their times and results. Plain data and its partition.

Knows nothing of HTTP and of how a history was made, so that one from a text book can be written down as it is.
An interval is closed: an operation takes effect at one moment from its call to its return, both included. Two that
touch at one moment overlap, and either may have been the first. That is lenient: a coarse clock makes two operations
touch that in truth followed each other, never the other way round.
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
    """Marks a response that shows nothing of the operation's effect."""

    def __repr__(self) -> str:
        return "unseen"


UNSEEN: Final = _Unseen()


class WriteOutcome(enum.StrEnum):
    """What is known of an operation from its response."""

    DONE = "done"
    AMBIGUOUS = "ambiguous"  # no response, or a 5XX: the write may take effect at any later moment, or never
    REFUSED = "refused"  # it changed nothing


@dataclass(frozen=True, slots=True)
class Write:
    """What an operation does to one cell.

    `set` a value; `add` a number; `insert` an element at the end of an array, or `remove` one; `merge` members into an
    object; `count` an event, or a number of purchases; `read` changes nothing.
    """

    verb: Verb
    value: Any = None

    @property
    def changes(self) -> bool:
        """Whether the operation can change the cell."""
        return self.verb != "read"

    def __str__(self) -> str:
        return self.verb if self.value is None else f"{self.verb} {_short(self.value)}"


@dataclass(frozen=True, slots=True)
class RaceOperation:
    """One operation of one client on one cell.

    `call` and `return_` are seconds on one clock; `return_` is infinite where the outcome is ambiguous. `shown` is the
    cell as the response shows it, or UNSEEN. `exchange` is what went over the wire. `same_cell`: the requests on the
    same cell that were in flight when the response came; `in_flight`: any one request that was, or empty.
    """

    client: int
    place: Place
    write: Write
    call: float
    return_: float = math.inf
    shown: Any = UNSEEN
    outcome: WriteOutcome = WriteOutcome.DONE
    exchange: Exchange | None = None
    same_cell: tuple[Request, ...] = ()
    in_flight: tuple[Request, ...] = ()

    def overlaps(self, other: RaceOperation) -> bool:
        """Whether the two share a moment."""
        return self.call <= other.return_ and other.call <= self.return_

    def result_text(self) -> str:
        """The result, in a few words."""
        if self.outcome is WriteOutcome.REFUSED:
            return "refused"
        if self.outcome is WriteOutcome.AMBIGUOUS:
            return "no response"
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
        """The operations that an oracle can look at, in the order of their responses."""
        checked = [operation for operation in self.operations if operation.exchange is not None]
        return sorted(checked, key=lambda operation: _received(operation))


def _received(operation: RaceOperation) -> float:
    assert operation.exchange is not None
    return operation.exchange.received


def cut_is_sound(whole: Sequence[RaceOperation], chosen: Sequence[RaceOperation]) -> bool:
    """Whether a correct server can have given the history `chosen` alone, from an unknown state.

    A change of a cell in `chosen` may be left out only if it lies before all of the cell's operations in `chosen`,
    where the unknown state covers it, or after them. Reads may always be left out, and so may all of a cell.
    """
    first: dict[Place, float] = {}
    last: dict[Place, float] = {}
    for operation in chosen:
        place = operation.place
        first[place] = min(first.get(place, math.inf), operation.call)
        last[place] = max(last.get(place, -math.inf), operation.return_)
    stays = {id(operation) for operation in chosen}
    for operation in whole:
        if id(operation) in stays or operation.place not in first:
            continue
        if not operation.write.changes or operation.outcome is WriteOutcome.REFUSED:
            continue
        if not (operation.return_ < first[operation.place] or operation.call > last[operation.place]):
            return False
    return True
