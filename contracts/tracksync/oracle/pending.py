"""Writes whose fate is not known: what they may have made of a cell by now, or may still make of it.

Knows states and how to follow them; what one write does to one value is handed in. Never leaves a possibility out:
where they are too many to follow, it says so.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any, Final

from msgspec.structs import replace

from tracksync.oracle.belief import ANY_COUNTER, MAX_PENDING, MAX_STATES, UNKNOWN, Cell, CellKey, Counter, State, User

MOST: Final = 96  # states that are followed: four pending writes, in every order

Apply = Callable[[Any, Any], Iterable[Any]]  # (write, value) -> the values that may result


def reach(states: Sequence[State], apply: Apply) -> list[State] | None:
    """The states first, then all that pending writes may have made of them; None where these are too many."""
    reached = list(states)
    if not any(state.pending for state in states):
        return reached
    written: dict[int, str] = {}

    def mark(state: State) -> tuple[str, ...]:
        return repr(state.value), *(written.setdefault(id(write), repr(write)) for write in state.pending)

    seen = {mark(state) for state in states}
    for state in reached:
        for index, write in enumerate(state.pending):
            rest = state.pending[:index] + state.pending[index + 1 :]
            for value in apply(write, state.value):
                late = State(value, rest)
                key = mark(late)
                if key in seen:
                    continue
                if len(reached) >= MOST:
                    return None
                seen.add(key)
                reached.append(late)
    return reached


def pending_of(states: Iterable[State]) -> tuple[Any, ...]:
    """Every write that is pending in some state: what may still come where the states are given up."""
    return tuple({id(write): write for state in states for write in state.pending}.values())


def at_most(states: tuple[State, ...], unknown: Any) -> tuple[State, ...]:
    """The states, or the one that stands for any where they are too many."""
    return states if len(states) <= MAX_STATES else (State(unknown, pending_of(states)),)


def given_up(cell: Cell, value: Any, touched: float, *, volatile: bool = False) -> Cell:
    """A cell that holds `value` (mostly the marker for any) from now on; what is pending may still reach it."""
    return Cell((State(value, pending_of(cell.states)),), touched, cell.volatile or volatile)


def with_pending(cell: Cell, write: Any) -> Cell:
    """The cell when `write` may reach it once, at any later time."""
    states = tuple(State(state.value, (*state.pending, write)) for state in cell.states)
    if any(len(state.pending) > MAX_PENDING for state in states):
        return replace(cell, volatile=True)
    return replace(cell, states=states)


def reached_by(user: User, writes: Iterable[tuple[CellKey, Any]]) -> User:
    """The user when each of `writes` may reach its cell; those that are pending there already are not added again."""
    for key, write in writes:
        cell = user.cell(key)
        if not any(one is write for one in pending_of(cell.states)):
            user = user.with_cell(key, with_pending(cell, write))
    return user


def unknown_like(cell: Cell) -> Any:
    """The state that stands for any, of the kind that this cell holds."""
    return ANY_COUNTER if cell.states and isinstance(cell.states[0].value, Counter) else UNKNOWN
