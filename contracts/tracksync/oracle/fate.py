"""Writes without a plain success: turned down, perhaps applied, queued, or accepted with an effect nobody can say.

Knows what such a request does to the belief; finds nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Final

from msgspec.structs import replace

from tracksync.limits import CONTACTS
from tracksync.oracle import neighbours, users
from tracksync.oracle.belief import CONSISTENT_AFTER, CellKey, Identifier, User, linked_user
from tracksync.oracle.case import Case, operations
from tracksync.oracle.intake import identifier_key
from tracksync.oracle.late import given_up, reached_by, unknown_like

MOST_FLOATING: Final = 64  # writes that are remembered for one email or phone


def _each_user(case: Case, change: Callable[[User], User]) -> None:
    """Apply `change(user) -> user` to every profile that the request may be about."""
    for candidate in users.candidates(case.belief, case.ask):
        user = change(candidate.user)
        if user is not candidate.user:
            case.belief, _ = users.linked(case.belief, case.ask, candidate, user, proven=False)


def refused(case: Case) -> None:
    """Nothing changed. What was turned down is remembered, to recognise it should it show up later."""
    writes = operations(case)
    if not writes:
        return

    def remember(user: User) -> User:
        for key, operation in writes:
            cell = user.cell(key)
            user = user.with_cell(key, replace(cell, refused=(*cell.refused[-3:], operation)))
        return user

    for candidate in users.candidates(case.belief, case.ask):
        if candidate.uid is not None:
            user = remember(candidate.user)
            case.belief = replace(case.belief, users=case.belief.users.insert(candidate.uid, user))


def perhaps_applied(case: Case) -> None:
    """No answer, or a 5XX: the write may take effect now, later, or never."""
    if case.ask.endpoint == "track":
        queue(case, accepted=False)
    elif case.ask.endpoint == "unclear":
        neighbours.elsewhere(case)
    elif case.ask.endpoint == "delete":
        case.belief = neighbours.forget(case.belief, case.ask)
    elif any(ground.must for ground in case.ask.grounds) or case.ask.endpoint != "sync":
        return
    elif case.ask.vague:
        stain(case, lasting=True)  # whatever it does, it may do at any later time
    else:
        pend(case)


def pend(case: Case, due: float | None = None) -> None:
    """The writes of the request may reach their cells once, at any later time, but not after `due` if it is given."""
    kinds = {kind for kind, _ in case.ask.identifiers}
    contacts = kinds.intersection(CONTACTS)
    writes = [(key, replace(write, due=None if contacts else due)) for key, write in operations(case)]
    creates = due is not None and kinds == {"external_id"} and case.ask.update_only is not True

    moves = bool(contacts) and contacts != kinds and case.ask.section == "attributes"

    def change(user: User) -> User:
        user = replace(reached_by(user, writes), unsettled=True, adrift=user.adrift or moves)
        return user if user.exists else replace(user, exists=None, due=due if creates else None, coming=True)

    _each_user(case, change)
    if moves:
        case.belief = users.adrift(case.belief)
    if contacts == kinds:
        for kind, value in case.ask.identifiers:
            _float(case, identifier_key(kind, value), writes)


def _float(case: Case, key: Identifier, writes: Sequence[tuple[CellKey, Any]]) -> None:
    """Whom an email or phone leads to may change before a write by it comes through."""
    belief = case.belief
    people = belief.users
    for link in belief.names[key]:
        uid = linked_user(link)
        people = people.insert(uid, reached_by(people[uid], writes))
    floating = belief.floating.insert(key, (*belief.floating.get(key, ()), *writes)[-MOST_FLOATING:])
    case.belief = replace(belief, users=people, floating=floating)


def queue(case: Case, *, accepted: bool) -> None:
    """What /users/track was sent is applied at some later time, in any order; surely where it was accepted."""
    for ask in neighbours.queued(case.ask):
        inner = Case(case.belief, case.exchange, ask)
        if ask.vague or any(ground.must for ground in ask.grounds):
            stain(inner, lasting=True)
        else:
            pend(inner, due=case.exchange.received + CONSISTENT_AFTER if accepted else None)
        case.belief = inner.belief


def stain(case: Case, lasting: bool = False) -> None:
    """Something was accepted whose effect nobody can say: the cells it names are unknown from now on."""
    keys = case.ask.cells()

    def change(user: User) -> User:
        for key in keys:
            cell = user.cell(key)
            value = unknown_like(cell)
            user = user.with_cell(key, given_up(cell, value, case.exchange.received, volatile=lasting))
        return user if user.exists else replace(user, exists=None, coming=user.coming or lasting)

    if case.ask.identifiers:
        _each_user(case, change)
