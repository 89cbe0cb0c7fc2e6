"""Pending writes: what they may have made of a cell by now, or may still make of it.

Knows states and how to follow them; what one write does to one value is an argument. No possibility is left out: where
there are too many to follow, the functions say so.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence
from typing import Any, Final

from msgspec.structs import replace

from tracksync.oracle.belief import (
    ABSENT,
    ANY_COUNTER,
    MAX_PENDING,
    MAX_STATES,
    NEVER_COUNTED,
    UNKNOWN,
    VOLATILE,
    Cell,
    Counter,
    State,
    User,
)
from tracksync.oracle.identifiers import CellKey, Identifier

MAX_FOLLOWED: Final = 96  # states: four pending writes, in every order

Apply = Callable[[Any, Any], Iterable[Any]]  # (write, value) -> the values that may result
PendingWrite = tuple[CellKey, Any]  # an AttributeWrite, a CounterOp or VOLATILE, and the cell that it may reach


def reach(states: Sequence[State], apply: Apply) -> list[State] | None:
    """`states` first, then all that pending writes may have made of them; None where these are too many."""
    reached = list(states)
    if not any(state.pending for state in states):
        return reached
    texts: dict[int, str] = {}

    def key_of(state: State) -> tuple[str, ...]:
        return repr(state.value), *(texts.setdefault(id(write), repr(write)) for write in state.pending)

    seen = {key_of(state) for state in states}
    for state in reached:
        for index, write in enumerate(state.pending):
            rest = state.pending[:index] + state.pending[index + 1 :]
            for value in apply(write, state.value):
                after = State(value, rest)
                key = key_of(after)
                if key in seen:
                    continue
                if len(reached) >= MAX_FOLLOWED:
                    return None
                seen.add(key)
                reached.append(after)
    return reached


def pending_of(states: Iterable[State]) -> tuple[Any, ...]:
    """Every write that is pending in some state, once: what may still take effect."""
    return tuple({id(write): write for state in states for write in state.pending}.values())


def at_most(states: tuple[State, ...], unknown: Any) -> tuple[State, ...]:
    """`states`, or where they are too many one state with the value `unknown`."""
    return states if len(states) <= MAX_STATES else (State(unknown, pending_of(states)),)


def given_up(cell: Cell, value: Any, touched: float, *, volatile: bool = False) -> Cell:
    """A cell that holds `value` from now on, mostly the unknown one; what is pending may still reach it, or has."""
    late = tuple(map(without_due, pending_of(cell.states)))
    return Cell((State(value, late),), touched, cell.volatile or volatile)


def without_due(write: Any) -> Any:
    """A pending write without a time by which it must have taken effect."""
    return write if write is VOLATILE or write.due is None else replace(write, due=None)


def or_absent(cell: Cell) -> Cell:
    """The cell when its user may be gone with it; what is pending may reach it, or the one in its place, anyway."""
    late = {id(one): without_due(one) for one in pending_of(cell.states)}
    states = tuple([State(one.value, tuple([late[id(write)] for write in one.pending])) for one in cell.states])
    gone = State(absent_like(cell), tuple(late.values()))
    unknown = unknown_like(cell)
    if any(one.value == unknown for one in states):
        states = (State(unknown, gone.pending),)
    elif gone not in states:
        states = at_most((*states, gone), unknown)
    return replace(cell, states=states)


def emptied(cell: Cell) -> Cell:
    """The cell when its user does not exist; what is pending may still reach the one that is made later."""
    return replace(cell, states=(State(absent_like(cell), pending_of(cell.states)),))


def with_pending(cell: Cell, write: Any) -> Cell:
    """The cell when `write` may reach it once, at any later time."""
    if any(len(state.pending) >= MAX_PENDING for state in cell.states):
        return cell if cell.volatile else replace(cell, volatile=True)
    return replace(cell, states=tuple([State(state.value, (*state.pending, write)) for state in cell.states]))


def reached_by(user: User, writes: Iterable[PendingWrite]) -> User:
    """The user when each of `writes` may reach its cell; those that are pending there already are not added again."""
    reached: dict[CellKey, Cell] = {}
    for key, write in writes:
        cell = reached.get(key) or user.cell(key)
        if write is VOLATILE:
            if not cell.volatile:
                reached[key] = replace(cell, volatile=True)
        elif not any(one is write for state in cell.states for one in state.pending):
            reached[key] = with_pending(cell, write)
    return user.with_cells(reached) if reached else user


def is_overdue(write: Any, sent: float, moved: Collection[Identifier]) -> bool:
    """Whether a pending write was queued, and must have taken effect here before `sent`, in epoch seconds.

    `moved`: identifiers that may have led to another user when it did.
    """
    return write.due is not None and write.due < sent and write.via not in moved


def overdue(writes: Iterable[Any], sent: float, moved: Collection[Identifier]) -> bool:
    """Whether one of these pending writes is overdue."""
    return any(is_overdue(write, sent, moved) for write in writes)


def is_queued(cell: Cell) -> bool:
    """Whether something that /users/track accepted may still reach the cell."""
    return any(write.due is not None for state in cell.states for write in state.pending)


def unknown_like(cell: Cell) -> Any:
    """The unknown value, of the kind that this cell holds."""
    return ANY_COUNTER if cell.states and isinstance(cell.states[0].value, Counter) else UNKNOWN


def absent_like(cell: Cell) -> Any:
    """The value of a cell of this kind on a profile that does not hold it."""
    return NEVER_COUNTED if unknown_like(cell) is ANY_COUNTER else ABSENT
