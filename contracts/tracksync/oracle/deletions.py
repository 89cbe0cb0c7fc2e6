"""/users/delete: whom a request names, and when these users are certainly gone.

A deletion is queued (DELETE: usually under a second, up to five minutes). Until then its users may exist or not, and
whatever is written to them may be deleted as well; afterwards those that nothing has touched are gone, with every
identifier that led to them. Finds nothing.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from msgspec import Struct
from msgspec.structs import replace

from tracksync.contract.bounds import bounds
from tracksync.model.exchange import Exchange
from tracksync.oracle.belief import Belief, Deletion, User, identifier_of
from tracksync.oracle.forgetting import forget_all, forget_user
from tracksync.oracle.pending import pending_of
from tracksync.oracle.request import ParsedRequest
from tracksync.oracle.request_object import is_alias
from tracksync.oracle.users import lookup

LISTS: Final = {  # the members of a deletion or an export, and the kind of the identifiers in each
    "external_ids": "external_id",
    "user_aliases": "user_alias",
    "braze_ids": "braze_id",
    "braze_id": "braze_id",
    "email_addresses": "email",
    "email_address": "email",
    "phone_numbers": "phone",
    "phone": "phone",
}
_FOR_GOOD: Final = float("inf")


class NamedUsers(Struct, frozen=True):
    """Whom a deletion names. `certain`: it deletes them. `perhaps`: it may. `anyone`: it may delete any user."""

    certain: frozenset[int]
    perhaps: frozenset[int]
    anyone: bool


def identifiers_in(body: dict[str, Any]) -> Iterator[tuple[str, Any]]:
    """Each identifier of a deletion or an export, as its kind and its value; nothing else of the body."""
    for member, kind in LISTS.items():
        value = body.get(member)
        for one in value if isinstance(value, list) else [value]:
            if kind in bounds().contacts and isinstance(one, dict):
                one = one.get(kind)
            if is_alias(one) if kind == "user_alias" else isinstance(one, (str, int)):
                yield kind, one


def settled_user(belief: Belief, kind: str, value: Any, sent: float, *, pending: bool = False) -> int | None:
    """The user to whom an identifier certainly leads, and has for so long that every endpoint knows it.

    None where no user, or another one, may be meant, and unless `pending` where a pending write may still change it.
    """
    identifier = identifier_of(kind, value)
    links = belief.links.get(identifier, ())
    if len(links) != 1 or not links[0].sure or identifier in belief.moved:
        return None
    uid = links[0].uid
    user = belief.users[uid]
    old = sent - user.touched > belief.settings.consistent_after
    if not (user.exists and old) or user.contacts_unsettled or (_is_pending(user) and not pending):
        return None
    return None if belief.may_lead_elsewhere(uid) else uid


def _is_pending(user: User) -> bool:
    return any(cell.volatile or pending_of(cell.states) for cell in user.cells.values())


def leads_nowhere(belief: Belief, kind: str, value: Any) -> bool:
    """Whether an identifier certainly leads to no user."""
    found = lookup(belief, kind, value)
    return all(one.user.exists is False for one in found)


def named_users(belief: Belief, parsed: ParsedRequest, sent: float) -> NamedUsers:
    """Whom the request names."""
    body = parsed.body if isinstance(parsed.body, dict) else {}
    certain: set[int] = set()
    perhaps: set[int] = set()
    anyone = bool(body.keys() - LISTS.keys() - {"prioritization"})
    for kind, value in identifiers_in(body):
        uid = settled_user(belief, kind, value, sent)
        # Which profiles a prioritization leaves out is not documented. One that has nothing else is meant by it.
        if uid is not None and not (kind in bounds().contacts and belief.users[uid].named):
            certain.add(uid)
            continue
        links = belief.links.get(identifier_of(kind, value), ())
        perhaps.update(link.uid for link in links)
        anyone = anyone or (not any(link.sure for link in links) and not leads_nowhere(belief, kind, value))
    return NamedUsers(frozenset(certain), frozenset(perhaps - certain), anyone)


def begin(belief: Belief, parsed: ParsedRequest, exchange: Exchange, *, accepted: bool) -> Belief:
    """The belief after a deletion was accepted, or may have been.

    What was answered is done in time, also where the documents do not say what it does. Without a response it may still
    be under way.
    """
    named = named_users(belief, parsed, exchange.sent)
    answered = exchange.response is not None and exchange.response.status < 300
    until = exchange.received + belief.settings.consistent_after if answered else _FOR_GOOD
    plain = accepted and not any(one.pointer.startswith("/request/body") for one in parsed.conditions)
    if named.anyone:
        belief = forget_all(belief)
        return replace(belief, unsettled_until=max(belief.unsettled_until, until))
    for uid in named.certain | named.perhaps:
        earlier = belief.deletions.get(uid)
        latest = max(until, earlier.until) if earlier else until
        belief = _noted(belief, uid, latest, certain=plain and uid in named.certain)
    return belief


def _noted(belief: Belief, uid: int, until: float, *, certain: bool) -> Belief:
    belief = forget_user(belief, uid)
    return replace(belief, deletions=belief.deletions.insert(uid, Deletion(until, certain, belief.users[uid])))


def ended(belief: Belief, sent: float) -> Belief:
    """The belief at the time `sent`: whom a deletion has certainly reached by then is gone."""
    for uid, deletion in belief.deletions.items():
        if deletion.until < sent:
            belief = replace(belief, deletions=belief.deletions.discard(uid))
            if deletion.certain:
                belief = _gone(belief, uid)
    return belief


def _gone(belief: Belief, uid: int) -> Belief:
    """The belief in which the user is no more, and nothing leads to it; each of its identifiers is free again."""
    links, freed = belief.links, set()
    user = belief.users.get(uid)
    for identifier in user.identifiers if user is not None else ():
        there = links.get(identifier, ())
        others = tuple(link for link in there if link.uid != uid)
        if others != there:
            freed.add(identifier)
            links = links.insert(identifier, others)
    writers = belief.writers
    for cell, (writer, _) in belief.writers.items():
        if writer == uid:
            writers = writers.discard(cell)
    users = belief.users.discard(uid)
    return replace(belief, links=links, users=users, writers=writers, deleted=belief.deleted | freed)


def unsettled(belief: Belief, received: float) -> Belief:
    """The belief after an exchange: of users that may still be deleted it has learned nothing."""
    if belief.unsettled_until >= received:
        belief = forget_all(belief)
    for uid, deletion in belief.deletions.items():
        user = belief.users.get(uid)
        if user is None:
            belief = replace(belief, deletions=belief.deletions.discard(uid))
        elif user is not deletion.forgotten:
            belief = _noted(belief, uid, deletion.until, certain=False)
    return belief
