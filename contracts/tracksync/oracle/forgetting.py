"""What becomes unknown: one user, or all. What is pending stays pending, since it may still take effect.

Knows belief only; finds nothing.
"""

from __future__ import annotations

from typing import Any, Final

from msgspec.structs import replace
from rpds import HashTrieSet

from tracksync.contract.bounds import bounds
from tracksync.oracle.belief import VOLATILE, Belief, User
from tracksync.oracle.identifiers import Identifier, Link
from tracksync.oracle.pending import PendingWrite, given_up, or_absent, pending_of, unknown_like, without_due
from tracksync.oracle.users import doubted

_LONG_AGO: Final = float("-inf")


def forgotten(user: User) -> User:
    """The user when nothing is known of it, not even whether it exists."""
    cells = {
        key: given_up(cell, unknown_like(cell), _LONG_AGO)
        for key, cell in user.cells.items()
        if cell.volatile or pending_of(cell.states)
    }
    return replace(user, exists=None, fresh=False, due=None, cells={}, former=()).with_cells(cells)


def forget_user(belief: Belief, uid: int) -> Belief:
    """The belief in which nothing is known of a user, not even whether it exists."""
    return replace(belief, users=belief.users.insert(uid, forgotten(belief.users[uid])))


def perhaps_gone(belief: Belief, uid: int) -> Belief:
    """The belief in which a user is as it was, or was deleted, with or without another one in its place.

    That one need not have all identifiers of the user: one leads to whichever there is, the others perhaps.
    """
    user = belief.users[uid]
    earlier = belief.deletions.get(uid)
    done = earlier.user.cells if earlier is not None else {}  # as this function left them
    changed = {key: or_absent(cell) for key, cell in user.cells.items() if done.get(key) is not cell}
    leading = [one for one in user.identifiers if Link(uid) in belief.links.get(one, ())]
    leading.sort(key=lambda one: one.kind in bounds().contacts)
    links = doubted(belief.links, uid, leading[1:])
    user = replace(user, exists=None if user.exists else user.exists, due=None, former=()).with_cells(changed)
    return replace(belief, links=links, users=belief.users.insert(uid, user))


def forget_all(belief: Belief) -> Belief:
    """The belief after another endpoint may have created, renamed, merged or changed any user."""
    pending = belief.pending_by_identifier
    endless: dict[int, Any] = {}  # the writes, without a time by which they must have reached a user that may be gone
    for identifier in belief.links:
        writes = _pending_for(belief, identifier)
        if writes:
            late = [(key, endless.setdefault(id(one), without_due(one))) for key, one in writes]
            pending = pending.insert(identifier, tuple(late))
    deletions = (one.until for one in belief.deletions.values())
    until = max([belief.unsettled_until, *deletions, *belief.named_in_deletions.values()])
    belief = replace(belief, pending_by_identifier=pending, unsettled_until=until)
    return replace(belief.among_strangers(_never), windows=belief.windows, deleted=HashTrieSet())


def after_gap(belief: Belief) -> Belief:
    """The belief after exchanges that were not seen: any user may have been changed, and the windows used up."""
    return replace(forget_all(belief), windows={})


def _pending_for(belief: Belief, identifier: Identifier) -> tuple[PendingWrite, ...]:
    """Every write that may still reach a user to whom the identifier leads, each once."""
    known = {(key, id(write)): (key, write) for key, write in belief.pending_by_identifier.get(identifier, ())}
    for link in belief.links[identifier]:
        for key, cell in belief.users[link.uid].cells.items():
            writes = (*pending_of(cell.states), *((VOLATILE,) if cell.volatile else ()))
            known |= {(key, id(write)): (key, write) for write in writes}
    return tuple(known.values())


def _never(kind: str, text: str) -> bool:
    return False
