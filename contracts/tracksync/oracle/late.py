"""Writes whose fate is not known: what they may have made of a cell by now, or may still make of it.

Knows states and how to follow them; what one write does to one value is handed in. Never leaves a possibility out:
where they are too many to follow, it says so.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any, Final

from tracksync.oracle.belief import Cell, State

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


def given_up(cell: Cell, value: Any, touched: float, *, volatile: bool = False) -> Cell:
    """A cell that holds `value` (mostly the marker for any) from now on; what is pending may still reach it."""
    return Cell((State(value, pending_of(cell.states)),), touched, cell.volatile or volatile)
