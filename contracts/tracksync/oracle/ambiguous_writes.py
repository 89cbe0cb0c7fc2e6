"""Writes without a plain success: turned down, perhaps applied, queued, or accepted with an effect nobody can say.

Knows what such a request does to the belief; finds nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Final

from msgspec.structs import replace

from tracksync.contract.bounds import bounds
from tracksync.oracle import neighbours, users
from tracksync.oracle.belief import CONSISTENT_AFTER, CellKey, Identifier, User, linked_user
from tracksync.oracle.context import Context, operations
from tracksync.oracle.pending import given_up, reached_by, unknown_like
from tracksync.oracle.request import identifier_key

MOST_PENDING_BY_CONTACT: Final = 64  # writes that are remembered for one email or phone


def _each_user(context: Context, change: Callable[[User], User]) -> None:
    """Apply `change(user) -> user` to every profile that the request may be about."""
    for candidate in users.candidates(context.belief, context.parsed):
        user = change(candidate.user)
        if user is not candidate.user:
            context.belief, _ = users.linked(context.belief, context.parsed, candidate, user, proven=False)


def refused(context: Context) -> None:
    """Nothing changed. What was turned down is remembered, to recognise it should it show up later."""
    writes = operations(context)
    if not writes:
        return

    def remember(user: User) -> User:
        for key, operation in writes:
            cell = user.cell(key)
            user = user.with_cell(key, replace(cell, refused=(*cell.refused[-3:], operation)))
        return user

    for candidate in users.candidates(context.belief, context.parsed):
        if candidate.uid is not None:
            user = remember(candidate.user)
            context.belief = replace(context.belief, users=context.belief.users.insert(candidate.uid, user))


def perhaps_applied(context: Context) -> None:
    """No answer, or a 5XX: the write may take effect now, later, or never."""
    if context.parsed.endpoint == "track":
        queue(context, accepted=False)
    elif context.parsed.endpoint == "unclear":
        neighbours.elsewhere(context)
    elif context.parsed.endpoint == "delete":
        context.belief = neighbours.forget(context.belief, context.parsed)
    elif context.parsed.refused or context.parsed.endpoint != "sync":
        return
    elif context.parsed.vague:
        make_unknown(context, lasting=True)  # whatever it does, it may do at any later time
    else:
        pend(context)


def pend(context: Context, due: float | None = None) -> None:
    """The writes of the request may reach their cells once, at any later time, but not after `due` if it is given."""
    kinds = {kind for kind, _ in context.parsed.identifiers}
    contacts = kinds.intersection(bounds().contacts)
    writes = [(key, replace(write, due=None if contacts else due)) for key, write in operations(context)]
    creates = due is not None and kinds == {"external_id"} and context.parsed.update_only is not True

    moves = bool(contacts) and contacts != kinds and context.parsed.section == "attributes"

    def change(user: User) -> User:
        user = replace(reached_by(user, writes), unsettled=True, unplaced=user.unplaced or moves)
        return user if user.exists else replace(user, exists=None, due=due if creates else None, coming=True)

    _each_user(context, change)
    if moves:
        context.belief = users.unplaced(context.belief)
    if contacts == kinds:
        for kind, value in context.parsed.identifiers:
            _pend_by_contact(context, identifier_key(kind, value), writes)


def _pend_by_contact(context: Context, key: Identifier, writes: Sequence[tuple[CellKey, Any]]) -> None:
    """Whom an email or phone leads to may change before a write by it comes through."""
    belief = context.belief
    people = belief.users
    for link in belief.names[key]:
        uid = linked_user(link)
        people = people.insert(uid, reached_by(people[uid], writes))
    pending_by_contact = belief.pending_by_contact.insert(
        key, (*belief.pending_by_contact.get(key, ()), *writes)[-MOST_PENDING_BY_CONTACT:]
    )
    context.belief = replace(belief, users=people, pending_by_contact=pending_by_contact)


def queue(context: Context, *, accepted: bool) -> None:
    """What /users/track was sent is applied at some later time, in any order; surely where it was accepted."""
    for parsed in neighbours.queued(context.parsed):
        inner = Context(context.belief, context.exchange, parsed)
        if parsed.vague or parsed.refused:
            make_unknown(inner, lasting=True)
        else:
            pend(inner, due=context.exchange.received + CONSISTENT_AFTER if accepted else None)
        context.belief = inner.belief


def make_unknown(context: Context, lasting: bool = False) -> None:
    """Something was accepted whose effect nobody can say: the cells it names are unknown from now on."""
    keys = context.parsed.cells()

    def change(user: User) -> User:
        for key in keys:
            cell = user.cell(key)
            value = unknown_like(cell)
            user = user.with_cell(key, given_up(cell, value, context.exchange.received, volatile=lasting))
        return user if user.exists else replace(user, exists=None, coming=user.coming or lasting)

    if context.parsed.identifiers:
        _each_user(context, change)
