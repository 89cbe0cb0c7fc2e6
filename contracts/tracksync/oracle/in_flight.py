"""Requests that have no response yet when that to another one comes: each may have been carried out before it, or not.

What they write, whom they create or delete, and whom a request that is not read may touch, is unknown meanwhile. The
same holds of users whose identifiers change under an exchange. What a request did is noted when its own response comes.
Finds nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import Any, Final, TypeAlias

from msgspec import Struct
from msgspec.structs import replace

from tracksync.contract.bounds import bounds
from tracksync.model.exchange import Credential, Exchange, Request
from tracksync.oracle import deletions, users
from tracksync.oracle.belief import Belief
from tracksync.oracle.forgetting import forget_all, forget_user
from tracksync.oracle.identifiers import CellKey, Identifier, identifier_of
from tracksync.oracle.request import ParsedRequest, objects_of, read_request
from tracksync.oracle.unread import may_reach_anyone, texts_in
from tracksync.values.numbers import same

_Identifiers: TypeAlias = Sequence[tuple[str, Any]]
_WRITES: Final = ("sync", "track")


class InFlight(Struct, frozen=True, gc=False):
    """What requests without a response yet may do to an exchange.

    `cells`: those of the exchange that they may write. `created`: its identifiers by which they may create a user.
    `deletions`: those of them that delete users. `unread`: those that may touch whomever their texts name, since they
    are not read or may change who has which identifier. `anyone`: one may touch any user.
    """

    cells: frozenset[CellKey] = frozenset()
    created: frozenset[Identifier] = frozenset()
    deletions: tuple[Request, ...] = ()
    unread: tuple[Request, ...] = ()
    anyone: bool = False


NONE_IN_FLIGHT: Final = InFlight()


class _Write(Struct, frozen=True, gc=False):
    """One object of a request that writes. `creates`: the identifier by which it may create its user."""

    identifiers: _Identifiers
    cells: frozenset[CellKey]
    creates: Identifier | None


class _Effect(Struct, frozen=True, gc=False):
    """What one request may do. `only`: the one identifier of one user to whom it writes, and it does nothing else."""

    writes: tuple[_Write, ...] = ()
    deletes: bool = False
    unread: bool = False
    anyone: bool = False
    only: Identifier | None = None


def in_flight_at(parsed: ParsedRequest, exchange: Exchange, requests: Iterable[Request]) -> InFlight:
    """What `requests` without a response yet may do to an exchange."""
    named = deletions.named_by_all(parsed, exchange)
    own = {identifier_of(*one) for one in named}
    users_named = [parsed.identifiers] if parsed.endpoint == "sync" else [[one] for one in named]
    mine, shows_all = frozenset(parsed.cells()), parsed.endpoint == "export"
    only = next(iter(own)) if parsed.endpoint == "sync" and len(own) == 1 else None
    cells: set[CellKey] = set()
    created: set[Identifier] = set()
    deleting, unread, anyone = [], [], False
    for request in requests:
        effect = _effect(request, exchange.credential)
        other = effect.only
        if only is not None and other is not None and other.kind == only.kind and other != only:
            continue  # the usual case: certainly another user
        for write in effect.writes:
            if write.creates in own:
                created.add(write.creates)
            written = write.cells if shows_all else mine & write.cells
            if written and any(_may_be_one_user(one, write.identifiers) for one in users_named):
                cells |= written
        deleting += [request] if effect.deletes else []
        unread += [request] if effect.unread else []
        anyone = anyone or effect.anyone
    if not (cells or created or deleting or unread or anyone):
        return NONE_IN_FLIGHT
    return InFlight(frozenset(cells), frozenset(created), tuple(deleting), tuple(unread), anyone)


@lru_cache(maxsize=1024)
def _effect(request: Request, credential: Credential) -> _Effect:
    """One is looked at for every response that it awaits."""
    parsed = read_request(Exchange(request, None, 0.0, 0.0, credential))
    anyone = not parsed.refused and may_reach_anyone(request, parsed)
    if parsed.endpoint == "delete":
        return _Effect(deletes=True, unread=parsed.unread, anyone=anyone)
    if parsed.endpoint not in _WRITES:
        return _Effect(anyone=anyone)
    writes = tuple(map(_write, objects_of(parsed) if parsed.endpoint == "track" else [parsed]))
    unread = parsed.unread or any(len(one.identifiers) > 1 for one in writes)
    if unread or anyone or len(writes) != 1 or len(writes[0].identifiers) != 1:
        return _Effect(writes, unread=unread, anyone=anyone)
    return _Effect(writes, only=identifier_of(*writes[0].identifiers[0]))


def _write(parsed: ParsedRequest) -> _Write:
    creates = len(parsed.identifiers) == 1 and parsed.update_only is not True
    return _Write(
        parsed.identifiers,
        frozenset(parsed.cells()),
        identifier_of(*parsed.identifiers[0]) if creates else None,
    )


def _may_be_one_user(some: _Identifiers, others: _Identifiers) -> bool:
    """Two requests surely concern different users only where both name one by the same kind, and differently."""
    for kind, value in some:
        for other_kind, other_value in others:
            if kind == other_kind:
                return same(value, other_value) or str(value) == str(other_value)
    return True


def perhaps_before(belief: Belief, parsed: ParsedRequest, exchange: Exchange, around: InFlight) -> Belief:
    """The belief when any of the requests in flight may have been carried out."""
    for identifier in around.created:
        belief = users.perhaps_created(belief, identifier)
    return perhaps_after(belief, parsed, exchange, around)


def perhaps_after(belief: Belief, parsed: ParsedRequest, exchange: Exchange, around: InFlight) -> Belief:
    """The belief about the users of an exchange when a request in flight may still be carried out after it."""
    if around.anyone:
        return forget_all(belief)
    named = deletions.named_by_all(parsed, exchange)
    for request in around.deletions:
        body = read_request(Exchange(request, None, 0.0, 0.0, exchange.credential)).body
        belief = deletions.overlapped(belief, named, body if isinstance(body, dict) else {})
    for request in around.unread:
        belief = _forget_named(belief, named, texts_in(request.body))
    return belief


def with_own(around: InFlight, belief: Belief, parsed: ParsedRequest, exchange: Exchange) -> InFlight:
    """`around`, with the request itself if it may have changed whose an identifier is while others were carried out.

    So it may if it has several, and where it names a user by an email or phone that another one may have been given.
    """
    named = parsed.identifiers
    if not named or (len(named) == 1 and named[0][0] not in bounds().contacts):
        return around
    links = (link for one in named for link in belief.links.get(identifier_of(*one), ()))
    if any(belief.users[link.uid].touched >= exchange.sent for link in links):
        return replace(around, unread=(*around.unread, exchange.request))
    return around


def _forget_named(belief: Belief, named: Iterable[tuple[str, Any]], texts: frozenset[str]) -> Belief:
    """The belief in which nothing is known of those of the named users that have an identifier among the texts."""
    for identifier in {identifier_of(*one) for one in named}:
        uids = {link.uid for link in belief.links.get(identifier, ())}
        if not uids and identifier.is_any(texts.__contains__):
            belief = users.perhaps_created(belief, identifier)
            uids = {link.uid for link in belief.links[identifier]}
        for uid in uids:
            others = belief.users[uid].identifiers
            if identifier.is_any(texts.__contains__) or any(one.is_any(texts.__contains__) for one in others):
                belief = forget_user(belief, uid)
    return belief
