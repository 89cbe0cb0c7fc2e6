"""/users/delete: whom a request names, and when these users are certainly gone.

A deletion is queued (DELETE: usually under a second, up to five minutes). Until then its users are as they were or
gone, and whatever is written to them may be deleted as well; afterwards those that nothing has touched are gone, with
every identifier that led to them. Whether it looks for its users when it is accepted or when it is carried out is not
documented: it may reach whoever an identifier leads to until then. Finds nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, Final

from msgspec import Struct
from msgspec.structs import replace

from tracksync.contract.bounds import bounds
from tracksync.model.exchange import Exchange
from tracksync.oracle.belief import Belief, Deletion, UnknownDeletion, User
from tracksync.oracle.forgetting import perhaps_gone
from tracksync.oracle.identifiers import Identifier, Link, UnknownKind, identifier_of
from tracksync.oracle.pending import pending_of
from tracksync.oracle.request import ParsedRequest, objects_of
from tracksync.oracle.request_object import is_alias
from tracksync.oracle.users import has_braze_id, lookup, never_assigned
from tracksync.values.jsontext import read_json

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
_LONG_AGO: Final = float("-inf")


class NamedUsers(Struct, frozen=True):
    """Whom a deletion names. `certain`: it deletes them. `perhaps`: it may.

    `unknown`, `new`: as in UnknownDeletion.
    """

    certain: frozenset[int]
    perhaps: frozenset[int]
    unknown: frozenset[str]
    new: frozenset[str]


def identifiers_in(body: dict[str, Any]) -> Iterator[tuple[str, Any]]:
    """Each identifier of a deletion or an export, as its kind and its value; nothing else of the body."""
    for member, kind in LISTS.items():
        value = body.get(member)
        for one in value if isinstance(value, list) else [value]:
            if kind in bounds().contacts and isinstance(one, dict):
                one = one.get(kind)
            if is_alias(one) if kind == "user_alias" else isinstance(one, (str, int)):
                yield kind, one


def other_texts(body: dict[str, Any]) -> Iterator[str]:
    """Every text and number in members that no document names, by which a lenient server might delete users.

    DELETE says of its members that they name users, and of nothing else that it deletes any. So a member that is not
    documented is ignored, or refused, or names users as well; it never makes a deletion one of others.
    """
    waiting = [value for member, value in body.items() if member not in LISTS and member != "prioritization"]
    while waiting:
        value = waiting.pop()
        if isinstance(value, (list, dict)):
            waiting += value.values() if isinstance(value, dict) else value
        elif isinstance(value, (str, int)):
            yield str(value)


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
    unknown: set[str] = set()
    named = [(identifier_of(kind, value), value) for kind, value in identifiers_in(body)]
    for identifier, value in named:
        uid = settled_user(belief, identifier.kind, value, sent)
        # Which profiles a prioritization leaves out is not documented. One that has nothing else is meant by it.
        if uid is not None and not (identifier.kind in bounds().contacts and belief.users[uid].named):
            certain.add(uid)
            continue
        links = belief.links.get(identifier, ())
        perhaps.update(link.uid for link in links)
        if not any(link.sure for link in links) and not leads_nowhere(belief, identifier.kind, value):
            unknown.add(identifier.kind)
    texts = frozenset(other_texts(body))
    others = [identifier for identifier in belief.links if identifier.text in texts] if texts else []
    perhaps.update(link.uid for identifier in others for link in belief.links[identifier])
    # Users that were met by other kinds of identifier may be those that are named.
    new: set[str] = set()
    for identifier in (*(identifier for identifier, _ in named), *others):
        for link in belief.links.get(identifier, ()):
            user = belief.users[link.uid]
            if user.exists is not False:
                (new if user.fresh else unknown).add(identifier.kind)
                if not user.fresh and any(one.kind == "braze_id" for one in user.identifiers):
                    unknown.add("braze_id")
    return NamedUsers(frozenset(certain), frozenset(perhaps - certain), frozenset(unknown), frozenset(new - unknown))


def begin(belief: Belief, parsed: ParsedRequest, exchange: Exchange, *, accepted: bool) -> Belief:
    """The belief after a deletion was accepted, or may have been.

    What was answered is done in time, also where the documents do not say what it does. Without a response it may still
    be under way.
    """
    found = named_users(belief, parsed, exchange.sent)
    answered = exchange.response is not None and exchange.response.status < 300
    until = exchange.received + belief.settings.consistent_after if answered else _FOR_GOOD
    plain = accepted and not any(one.pointer.startswith("/request/body") for one in parsed.conditions)
    for uid in found.certain | found.perhaps:
        belief = _noted(belief, uid, until, certain=plain and uid in found.certain)
    named = belief.named_in_deletions
    for identifier, end in named.items():
        if end < exchange.sent:
            named = named.discard(identifier)
    body = parsed.body if isinstance(parsed.body, dict) else {}
    also: list[Identifier | UnknownKind] = [identifier_of(*one) for one in identifiers_in(body)]
    also += map(UnknownKind, other_texts(body))
    for one in also:
        named = named.insert(one, max(until, named.get(one, until)))
    belief = replace(belief, named_in_deletions=named)
    if not found.unknown and not found.new:
        return belief
    return reach_unknown(belief, UnknownDeletion(found.unknown, found.new, until))


def reach_unknown(belief: Belief, deletion: UnknownDeletion) -> Belief:
    """The belief in which every user that may have an identifier of the deletion may be deleted.

    It creates and renames no user, so that it does not mean whoever is certainly new later: a braze_id is one that the
    server had assigned, and each other identifier of the deletion is noted by itself.
    """
    for uid, user in belief.users.items():
        if any(_may_have(belief, uid, user, kind) for kind in deletion.kinds) or (
            has_braze_id(belief, uid) and any(_may_have(belief, uid, user, kind) for kind in deletion.new)
        ):
            belief = _noted(belief, uid, deletion.until, certain=False)
    return replace(belief, unknown_deletion=deletion, unsettled_until=max(belief.unsettled_until, deletion.until))


def _may_have(belief: Belief, uid: int, user: User, kind: str) -> bool:
    """Whether the user may have an identifier of the kind of which nothing is known: each has one of some kinds.

    A user that was certainly new has what requests gave it, and the braze_id that the server assigned.
    """
    if user.exists is False or (user.fresh and kind != "braze_id"):
        return False
    single = kind in ("external_id", "braze_id")
    return not (single and any(one.kind == kind and Link(uid) in belief.links.get(one, ()) for one in user.identifiers))


def _noted(belief: Belief, uid: int, until: float, *, certain: bool) -> Belief:
    """The belief in which the user may be deleted until a time."""
    earlier = belief.deletions.get(uid)
    until = max(until, earlier.until) if earlier else until
    belief = perhaps_gone(belief, uid)
    return replace(
        belief,
        deletions=belief.deletions.insert(uid, Deletion(until, certain, belief.users[uid])),
        first_over=min(belief.first_over, until),
    )


def named_by_all(parsed: ParsedRequest, exchange: Exchange) -> list[tuple[str, Any]]:
    """The identifiers that an exchange is about, those that the response to an export shows among them."""
    if parsed.endpoint == "track":
        return [one for target in objects_of(parsed) for one in target.identifiers]
    if parsed.endpoint not in ("delete", "export") or not isinstance(parsed.body, dict):
        return list(parsed.identifiers)
    found = list(identifiers_in(parsed.body))
    if parsed.endpoint == "export" and exchange.response is not None:
        found += (("external_id", name) for name in exported_names(exchange.response.body))
    return found


def exported_names(body: bytes) -> list[str]:
    """The external_ids in the response to an export."""
    value = read_json(body).value
    listed = value.get("users") if isinstance(value, dict) else None
    shown = [one.get("external_id") for one in listed if isinstance(one, dict)] if isinstance(listed, list) else []
    return [one for one in shown if isinstance(one, str)]


def overlapped(belief: Belief, named: Iterable[tuple[str, Any]], body: dict[str, Any]) -> Belief:
    """The belief in which those users of an exchange about the `named` identifiers may be gone whom a deletion names.

    `body`: of the deletion, which has no response yet. What it does afterwards is noted when that comes.
    """
    doomed = {identifier_of(*one) for one in identifiers_in(body)}
    texts = frozenset(other_texts(body))
    unknown = {one.kind for one in doomed if not _certainly_new(belief, one)}
    for uid in {link.uid for one in named for link in belief.links.get(identifier_of(*one), ())}:
        user = belief.users[uid]
        meant = any(one in doomed or one.text in texts for one in user.identifiers)
        if user.exists is not False and (meant or any(_may_have(belief, uid, user, kind) for kind in unknown)):
            belief = perhaps_gone(belief, uid)
    return belief


def _certainly_new(belief: Belief, identifier: Identifier) -> bool:
    """Whether an identifier led to no user before a request named it."""
    if identifier.kind == "braze_id":
        return never_assigned(belief, identifier.text)
    return identifier.is_any(lambda text: belief.settings.fresh(identifier.kind, text))


def ended(belief: Belief, sent: float) -> Belief:
    """The belief at the time `sent`: whom a deletion has certainly reached by then is gone."""
    if belief.first_over >= sent:
        return belief
    first = _FOR_GOOD
    for uid, deletion in belief.deletions.items():
        if deletion.until < sent:
            belief = replace(belief, deletions=belief.deletions.discard(uid))
            if deletion.certain and belief.users.get(uid) is deletion.user:
                belief = _gone(belief, uid)
        else:
            first = min(first, deletion.until)
    return replace(belief, first_over=first)


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
    return replace(belief, links=links, users=users, writers=writers, deleted=belief.deleted.update(freed))


def unsettled(before: Belief, belief: Belief, named: Iterable[tuple[str, Any]], received: float) -> Belief:
    """The belief after an exchange that was about the `named` identifiers: whoever it touched may be deleted after it.

    `before`: the belief before the exchange. So it is with users that may still be deleted, with those of an identifier
    that a deletion named, and with those that were met first while anyone may be.
    """
    touched: set[int] = set()
    for kind, value in named:
        identifier = identifier_of(kind, value)
        links = (*before.links.get(identifier, ()), *belief.links.get(identifier, ()))
        uids = {link.uid for link in links if link.uid in belief.users}
        touched |= uids
        named_until = belief.named_in_deletions.get
        until = max(named_until(one, _LONG_AGO) for one in (identifier, UnknownKind(identifier.text)))
        for uid in uids if until >= received else ():
            if uid not in belief.deletions:
                belief = _noted(belief, uid, until, certain=False)
    for uid in range(before.users_made, belief.users_made) if belief.unsettled_until >= received else ():
        user = belief.users.get(uid)
        if user is not None and not user.fresh and uid not in belief.deletions:
            belief = _noted(belief, uid, belief.unsettled_until, certain=False)
    for uid in touched:
        deletion = belief.deletions.get(uid)
        if deletion is not None and belief.users[uid] is not deletion.user:
            belief = _noted(belief, uid, deletion.until, certain=False)
    return belief
