"""Writes without a plain success: refused, perhaps applied, queued, or accepted with an effect that is not documented.

Knows what such a request does to the belief; finds nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Final

from msgspec.structs import replace

from tracksync.contract.bounds import bounds
from tracksync.oracle import deletions, neighbours, users
from tracksync.oracle.belief import VOLATILE, User
from tracksync.oracle.context import Context, writes_of
from tracksync.oracle.identifiers import CellKey, Identifier, identifier_of
from tracksync.oracle.pending import given_up, reached_by, unknown_like, without_due
from tracksync.oracle.request import ParsedRequest
from tracksync.oracle.unread import forget_unread

MAX_PENDING_BY_CONTACT: Final = 64  # writes that are followed for one email or phone; of more only the cells are
MAX_REFUSED: Final = 4  # refused writes that are remembered for one cell


def _each_user(context: Context, change: Callable[[User], User]) -> None:
    """Apply `change(user) -> user` to every profile that the request may be about."""
    for candidate in users.candidates(context.belief, context.parsed):
        user = change(candidate.user)
        if user is not candidate.user:
            context.belief, _ = users.linked(context.belief, context.parsed, candidate, user, proven=False)


def refused(context: Context) -> None:
    """Nothing changed. The writes are remembered, to recognise them if their effect shows later."""
    writes = writes_of(context)
    for candidate in users.candidates(context.belief, context.parsed) if writes else ():
        if candidate.uid is not None:
            user, cells = candidate.user, {}
            for key, write in writes:
                cell = user.cell(key)
                cells[key] = replace(cell, refused=(*cell.refused, write)[-MAX_REFUSED:])
            user = user.with_cells(cells)
            context.belief = replace(context.belief, users=context.belief.users.insert(candidate.uid, user))


def perhaps_applied(context: Context) -> None:
    """There was no response, or a 5XX: the write may take effect now, later, or never."""
    parsed = context.parsed
    if parsed.unread and parsed.endpoint in ("sync", "track", "delete") and not parsed.refused:
        unknown_effect(context, lasting=True)
    elif parsed.endpoint == "track":
        queue(context, accepted=False)
    elif parsed.endpoint == "unclear":
        neighbours.elsewhere(context)
    elif parsed.endpoint == "delete":
        context.belief = deletions.begin(context.belief, parsed, context.exchange, accepted=False)
    elif parsed.refused or parsed.endpoint != "sync":
        return
    elif parsed.vague:
        unknown_effect(context, lasting=True)
    else:
        pend(context)


def pend(context: Context, due: float | None = None) -> None:
    """The writes of the request may reach their cells once, at any later time.

    `due`: of a request that was queued, the time in epoch seconds by which they must have reached them.
    """
    parsed = context.parsed
    kinds = {kind for kind, _ in parsed.identifiers}
    contacts = kinds.intersection(bounds().contacts)
    via = _settled_contact(context, kinds) if contacts else None
    alone = len(users.candidates(context.belief, parsed)) == 1  # otherwise it reaches one of several, whichever that is
    due_here = due if alone and (via is not None or not contacts) else None
    writes = [(key, replace(write, due=due_here, via=via)) for key, write in writes_of(context)]
    creates = _surely_creates(parsed, kinds)
    gives_contact = bool(contacts) and contacts != kinds and parsed.section == "attributes"
    never_creates = parsed.update_only is True or (kinds == {"user_alias"} and parsed.update_only is None)
    unbounded = [(key, without_due(write)) for key, write in writes]

    def change(user: User) -> User:
        unsettled = user.contacts_unsettled or gives_contact
        touched = context.exchange.received
        if user.exists is False and never_creates and not parsed.update_unclear:
            return replace(reached_by(user, unbounded), touched=touched)  # it may come once another one creates it
        applied = user.exists or creates
        user = replace(
            reached_by(user, writes if applied else unbounded),
            update_time_unknown=True,
            contacts_unsettled=unsettled,
            touched=touched,
        )
        made = due if creates and alone else None
        return user if user.exists else replace(user, exists=None, due=made, may_be_created=True)

    _each_user(context, change)
    if gives_contact:
        context.belief = users.with_contacts_doubted(context.belief, parsed.identifiers)
    if contacts == kinds:
        for kind, value in parsed.identifiers:
            _pend_by_contact(context, identifier_of(kind, value), writes)


def _surely_creates(parsed: ParsedRequest, kinds: set[str]) -> bool:
    """Whether the write, once it is applied, has created its user if that was not there."""
    if parsed.update_unclear:
        return False
    if kinds == {"user_alias"}:
        return parsed.update_only is False and parsed.section == "attributes"
    return kinds == {"external_id"} and parsed.update_only is not True


def _settled_contact(context: Context, kinds: set[str]) -> Identifier | None:
    """The email or phone by which the request names its user, if that is settled and the only one it names."""
    if len(kinds) != 1:
        return None
    ((kind, value),) = context.parsed.identifiers
    sent = context.exchange.sent
    settled = deletions.settled_user(context.belief, kind, value, sent, pending=True)
    return identifier_of(kind, value) if settled is not None else None


def _pend_by_contact(context: Context, identifier: Identifier, writes: Sequence[tuple[CellKey, Any]]) -> None:
    """To which user an email or phone leads may change before a write by it takes effect."""
    belief = context.belief
    reached = belief.users
    for link in belief.links[identifier]:
        reached = reached.insert(link.uid, reached_by(reached[link.uid], writes))
    pending = (*belief.pending_by_identifier.get(identifier, ()), *writes)
    if len(pending) > MAX_PENDING_BY_CONTACT:
        pending = tuple((key, VOLATILE) for key in dict.fromkeys(key for key, _ in pending))
    pending_by_identifier = belief.pending_by_identifier.insert(identifier, pending)
    context.belief = replace(belief, users=reached, pending_by_identifier=pending_by_identifier)


def queue(context: Context, *, accepted: bool) -> None:
    """The objects of a /users/track request are applied at some later time, in any order; surely if it was accepted."""
    due = context.exchange.received + context.belief.settings.consistent_after
    for number, parsed in enumerate(neighbours.queued(context.parsed)):
        if context.objects is not None and number not in context.objects:
            continue
        inner = Context(context.belief, context.exchange, parsed)
        if parsed.vague or parsed.refused or context.parsed.vague:
            make_unknown(inner, lasting=True)
        else:
            pend(inner, due=due if accepted else None)
        context.belief = inner.belief


def unknown_effect(context: Context, lasting: bool = False) -> None:
    """The request was accepted, or may be, and what it does is not documented.

    `lasting`: it may take effect at any later time.
    """
    parsed = context.parsed
    if parsed.endpoint == "track":
        queue(context, accepted=False)
    elif parsed.endpoint == "delete":
        context.belief = deletions.begin(context.belief, parsed, context.exchange, accepted=False)
    make_unknown(context, lasting=lasting)
    if (parsed.unread or parsed.refused) and parsed.endpoint != "export":
        context.belief = forget_unread(context.belief, context.exchange.request)


def make_unknown(context: Context, lasting: bool = False) -> None:
    """The effect of the request is not documented: the cells that it names are unknown from now on.

    `lasting`: it may take effect at any later time.
    """
    keys = context.parsed.cells()

    def change(user: User) -> User:
        cells = {}
        for key in keys:
            cell = user.cell(key)
            cells[key] = given_up(cell, unknown_like(cell), context.exchange.received, volatile=lasting)
        user = user.with_cells(cells) if cells else user
        user = replace(user, touched=context.exchange.received, perhaps_updated=context.belief.moment)
        return user if user.exists else replace(user, exists=None, may_be_created=user.may_be_created or lasting)

    if context.parsed.identifiers:
        _each_user(context, change)
