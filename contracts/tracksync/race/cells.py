"""How one cell behaves when one client alone uses it: the sequential specification behind the consistency check.

Pure. A state is hashable; `step` gives every state that an operation may leave, and none where its response does not
fit. There can be several: a purchase of three counts three or one, by the interpretation of the server.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final, Protocol, TypeVar

from tracksync.race.history import UNSEEN, History, RaceOperation, Write, WriteOutcome
from tracksync.values.numbers import canonical, same

State = TypeVar("State")
MOST_TOTALS: Final = 20_000  # sums that are computed; with more, any final value is accepted


class Model(Protocol[State]):
    """A sequential object: how it begins, and what an operation makes of it."""

    def initial(self) -> State:
        """The state before the first operation; hashable."""
        ...

    def step(self, state: State, operation: RaceOperation) -> Iterable[State]:
        """The states that `operation` may leave, given what its response showed; empty where that does not fit."""
        ...

    def hopeless(self, state: State, operation: RaceOperation) -> bool:
        """Whether no other operation can lead from `state` to one that fits the response of `operation`.

        False is always allowed.
        """
        ...


class _Unknown:
    def __repr__(self) -> str:
        return "unknown"


UNKNOWN: Final = _Unknown()


@dataclass(frozen=True, slots=True)
class CellValue:
    """A JSON value as a state: equal where the values are the same."""

    key: Any
    value: Any

    def __eq__(self, other: object) -> bool:
        return isinstance(other, CellValue) and self.key == other.key

    def __hash__(self) -> int:
        return hash(self.key)


def cell_value(value: Any) -> CellValue:
    """The state that holds a value."""
    return CellValue(canonical(value), value)


@dataclass(frozen=True, slots=True)
class CellModel:
    """One attribute, event or product.

    `start` is the state before the history, or UNKNOWN. `grows`: operations only add to the cell, so that a value that
    was passed can never be shown again; then a wrong path is given up early.
    """

    start: CellValue | _Unknown = UNKNOWN
    grows: bool = False

    @classmethod
    def of(cls, history: History, *, fresh: bool = False) -> CellModel:
        """The model for the history of one cell. `fresh`: its user was created for it, so an unseen event counts 0."""
        inserted = [canonical(operation.write.value) for operation in history if operation.write.verb == "insert"]
        once = len(set(inserted)) == len(inserted)  # an element that is inserted again moves to the end
        grows = once and all(_grows(operation.write) for operation in history)
        counted = bool(history.operations) and history.operations[0].place[1] != "attributes"
        return cls(cell_value(0) if fresh and counted else UNKNOWN, grows)

    def initial(self) -> CellValue | _Unknown:
        """See Model."""
        return self.start

    def step(self, state: CellValue | _Unknown, operation: RaceOperation) -> Iterable[CellValue | _Unknown]:
        """See Model."""
        shown = operation.shown
        if isinstance(state, _Unknown):
            if shown is not UNSEEN:
                return [cell_value(shown)] if _possible(operation.write, shown) else []
            write = operation.write
            return [cell_value(write.value)] if write.verb == "set" else [state]
        after = [cell_value(value) for value in results(operation.write, state.value)]
        return after if shown is UNSEEN else [one for one in after if same(one.value, shown)]

    def hopeless(self, state: CellValue | _Unknown, operation: RaceOperation) -> bool:
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
    """Whether some order of all the writes leaves the value `final`, whatever was shown in between.

    Additions commute, so that their sum decides. Of several values that were set, one was the last, and what was added
    before it is gone.
    """
    writes = [
        operation for operation in history if operation.write.changes and operation.outcome is not WriteOutcome.REFUSED
    ]
    done = [operation.write for operation in writes if operation.outcome is WriteOutcome.DONE]
    unsure = [operation.write for operation in writes if operation.outcome is WriteOutcome.AMBIGUOUS]
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
