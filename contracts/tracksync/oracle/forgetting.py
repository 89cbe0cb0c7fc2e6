"""What becomes unknown: one user, or all. What is pending stays pending, since it may still take effect.

Knows belief only; finds nothing.
"""

from __future__ import annotations

from typing import Any, Final

from msgspec.structs import replace

from tracksync.oracle.belief import Belief, Identifier, User
from tracksync.oracle.pending import PendingWrite, given_up, pending_of, unknown_like

_LONG_AGO: Final = float("-inf")
_FOR_GOOD: Final = float("inf")


def forgotten(user: User) -> User:
    """The user when nothing is known of it, not even whether it exists."""
    cells = user.cells  # not a new map, whose order would be another one each time
    for key, cell in user.cells.items():
        if cell.volatile or pending_of(cell.states):
            cells = cells.insert(key, given_up(cell, unknown_like(cell), _LONG_AGO))
        else:
            cells = cells.discard(key)
    return replace(user, exists=None, fresh=False, due=None, cells=cells)


def forget_user(belief: Belief, uid: int) -> Belief:
    """The belief in which nothing is known of a user, not even whether it exists."""
    former = frozenset(one for one in belief.former if one[1] != uid)
    return replace(belief, users=belief.users.insert(uid, forgotten(belief.users[uid])), former=former)


def forget_all(belief: Belief) -> Belief:
    """The belief after another endpoint may have created, renamed, merged or changed any user."""
    pending = belief.pending_by_identifier
    endless: dict[int, Any] = {}  # the writes, without a time by which they must have reached a user that may be gone
    for identifier in belief.links:
        writes = _pending_for(belief, identifier)
        if writes:
            without_due = [(key, endless.setdefault(id(one), replace(one, due=None))) for key, one in writes]
            pending = pending.insert(identifier, tuple(without_due))
    volatile = any(cell.volatile for user in belief.users.values() for cell in user.cells.values())
    until = max([belief.unsettled_until, *(one.until for one in belief.deletions.values())])
    belief = replace(belief, pending_by_identifier=pending, unsettled_until=_FOR_GOOD if volatile else until)
    return replace(belief.among_strangers(_never), windows=belief.windows, deleted=frozenset(), former=frozenset())


def _pending_for(belief: Belief, identifier: Identifier) -> tuple[PendingWrite, ...]:
    """Every write that may still reach a user to whom the identifier leads, each once."""
    known = {id(write): (key, write) for key, write in belief.pending_by_identifier.get(identifier, ())}
    for link in belief.links[identifier]:
        for key, cell in belief.users[link.uid].cells.items():
            known |= {id(write): (key, write) for write in pending_of(cell.states)}
    return tuple(known.values())


def _never(kind: str, text: str) -> bool:
    return False
