"""What one cell does when it is used by one client alone: the sequential specification behind the consistency check.

Pure. A state is hashable; `step` gives every state that an operation may leave, and none where its answer does not
fit. There can be several: a purchase of three counts three or one, as the server reads the documents.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final, Protocol, TypeVar

from tracksync.race.history import UNSEEN, History, RaceOperation, Write, WriteOutcome
from tracksync.values.numbers import canonical, same

State = TypeVar("State")
MOST_TOTALS: Final = 20_000  # sums that are worked out; with more, a final value is given the benefit of the doubt


class Model(Protocol[State]):
    """A sequential object: how it begins, and what an operation makes of it."""

    def initial(self) -> State:
        """The state before the first operation; hashable."""
        ...

    def step(self, state: State, operation: RaceOperation) -> Iterable[State]:
        """The states that `operation` may leave, given what it was shown; empty where that does not fit."""
        ...

    def hopeless(self, state: State, operation: RaceOperation) -> bool:
        """Whether no operation whatever can bring `state` to where the answer of `operation` fits. False is safe."""
        ...


class _Unknown:
    def __repr__(self) -> str:
        return "unknown"


UNKNOWN: Final = _Unknown()


@dataclass(frozen=True, slots=True)
class Held:
    """A JSON value as a state: equal where the values are the same."""

    key: Any
    value: Any

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Held) and self.key == other.key

    def __hash__(self) -> int:
        return hash(self.key)


def held(value: Any) -> Held:
    """The state that holds a value."""
    return Held(canonical(value), value)


@dataclass(frozen=True, slots=True)
class CellModel:
    """One attribute, event or product.

    `start` is the state before the history, UNKNOWN where nobody can say. `grows`: the cell is only ever added to, so
    that what is not shown now can never be shown again; then a wrong path is given up early.
    """

    start: Held | _Unknown = UNKNOWN
    grows: bool = False

    @classmethod
    def of(cls, history: History, *, fresh: bool = False) -> CellModel:
        """The model for the history of one cell. `fresh`: its user was made for it, so an unseen event counts 0."""
        inserted = [canonical(operation.write.value) for operation in history if operation.write.verb == "insert"]
        once = len(set(inserted)) == len(inserted)  # an element that is inserted again moves to the end
        grows = once and all(_grows(operation.write) for operation in history)
        counted = bool(history.operations) and history.operations[0].place[1] != "attributes"
        return cls(held(0) if fresh and counted else UNKNOWN, grows)

    def initial(self) -> Held | _Unknown:
        """See Model."""
        return self.start

    def step(self, state: Held | _Unknown, operation: RaceOperation) -> Iterable[Held | _Unknown]:
        """See Model."""
        shown = operation.shown
        if isinstance(state, _Unknown):
            if shown is not UNSEEN:
                return [held(shown)] if _possible(operation.write, shown) else []
            write = operation.write
            return [held(write.value)] if write.verb == "set" else [state]
        after = [held(value) for value in results(operation.write, state.value)]
        return after if shown is UNSEEN else [one for one in after if same(one.value, shown)]

    def hopeless(self, state: Held | _Unknown, operation: RaceOperation) -> bool:
        """See Model."""
        if not self.grows or isinstance(state, _Unknown) or operation.shown is UNSEEN:
            return False
        value, shown = state.value, operation.shown
        if isinstance(value, int) and isinstance(shown, int):
            write = operation.write
            return value + (write.value if write.verb == "add" else int(write.verb == "count")) > shown
        if isinstance(value, list) and isinstance(shown, list):
            return not same(value, shown[: len(value)])
        return False


def _grows(write: Write) -> bool:
    if write.verb in ("add", "count"):
        return isinstance(write.value, int) and write.value >= 0
    return write.verb in ("insert", "read")


def _possible(write: Write, shown: Any) -> bool:
    """Whether this write can leave what is shown, from some state."""
    if write.verb == "set":
        return same(write.value, shown)
    if write.verb == "insert":
        return isinstance(shown, list) and bool(shown) and same(shown[-1], write.value)
    if write.verb == "merge":
        return isinstance(shown, dict) and all(
            name in shown and same(shown[name], value) for name, value in write.value.items()
        )
    if write.verb == "count":
        return isinstance(shown, int) and shown >= 1
    return not (write.verb == "remove" and isinstance(shown, list) and write.value in shown)


def results(write: Write, value: Any) -> list[Any]:
    """What a write may leave of a known value. A write that does not suit the value leaves it alone."""
    if write.verb == "set":
        return [write.value]
    if write.verb == "count":
        return [value + write.value] if write.value == 1 else [value + write.value, value + 1]
    if write.verb == "add" and isinstance(value, int):
        return [value + write.value]
    if write.verb in ("insert", "remove") and isinstance(value, list):
        rest = [item for item in value if not same(item, write.value)]
        return [[*rest, write.value]] if write.verb == "insert" else [rest]
    if write.verb == "merge" and isinstance(value, dict):
        return [{**value, **write.value}]
    return [value]


def final_fits(history: History, final: Any, *, fresh: bool = False) -> bool:
    """Whether the value at the end is one that some order of all the writes leaves, whatever was shown in between.

    Writes that add commute, so that their sum decides; of values that are set one must have been the last, and what was
    added before it is gone.
    """
    writes = [
        operation for operation in history if operation.write.changes and operation.fate is not WriteOutcome.REFUSED
    ]
    done = [operation.write for operation in writes if operation.fate is WriteOutcome.DONE]
    unsure = [operation.write for operation in writes if operation.fate is WriteOutcome.OPEN]
    starts = [operation.write.value for operation in writes if operation.write.verb == "set"]
    if not starts:
        starts = [0] if fresh and writes and writes[0].place[1] != "attributes" else []
        if not starts:
            return True
    if len(starts) > 1:  # any of the additions may have come before the last setting
        unsure, done = [*unsure, *done], []
    return any(_reaches(start, done, unsure, final) for start in starts)


def _reaches(start: Any, done: list[Write], unsure: list[Write], final: Any) -> bool:
    if isinstance(start, int) and isinstance(final, int):
        totals = _sums(start, done, unsure)
        return final in totals or len(totals) >= MOST_TOTALS
    if isinstance(start, list) and isinstance(final, list):
        must = {canonical(write.value) for write in done if write.verb == "insert"} | set(map(canonical, start))
        may = must | {canonical(write.value) for write in unsure if write.verb == "insert"}
        gone = {canonical(write.value) for write in (*done, *unsure) if write.verb == "remove"}
        found = set(map(canonical, final))
        return must - gone <= found <= may
    return same(start, final) or isinstance(start, dict)


def _sums(start: int, done: list[Write], unsure: list[Write]) -> set[int]:
    """Every total that the additions can come to; adding commutes."""
    totals = {start}
    for write in done:
        if write.verb in ("add", "count"):
            steps = {write.value} if write.verb == "add" else {write.value, 1}
            totals = {total + step for total in totals for step in steps}
    for write in unsure:
        if write.verb in ("add", "count") and len(totals) < MOST_TOTALS:
            totals |= {total + write.value for total in totals}
    return totals
