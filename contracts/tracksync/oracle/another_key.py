"""Exchanges with another key of the same host, which may be of the same workspace: no document says how many it has.

What they write may be there or not, as of a request without a response. What they show is not looked at.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Collection, Iterable
from typing import Any

from msgspec.structs import replace
from rpds import HashTrieMap

from tracksync.model.exchange import Exchange, Failure, FailureKind
from tracksync.oracle import deletions, same_user
from tracksync.oracle.belief import Belief
from tracksync.oracle.checking import check_beside
from tracksync.oracle.forgetting import forget_user
from tracksync.oracle.identifiers import identifier_of
from tracksync.oracle.in_flight import NONE_IN_FLIGHT
from tracksync.oracle.rates import RateCheck
from tracksync.oracle.request import ParsedRequest, objects_of, read_request
from tracksync.oracle.unread import WRITERS


def perhaps_written(belief: Belief, exchange: Exchange, objects: Collection[int] | None = None) -> Belief:
    """The belief after an exchange with another key, about those of the users that it names who are known.

    `objects`: of a batch, the numbers of the objects that the belief is about; None for all.
    """
    parsed = read_request(exchange)
    if parsed.endpoint not in WRITERS or exchange.without_effect:
        return belief
    written = same_user.noted(belief.written, belief.settings, exchange, parsed)
    belief = belief if written is belief.written else replace(belief, written=written)
    if parsed.endpoint == "track":
        known = [number for number, one in enumerate(objects_of(parsed)) if _is_known(belief, one.identifiers)]
        objects = frozenset(known if objects is None else objects).intersection(known)
    named = deletions.named_by_all(parsed, exchange)
    if not _is_known(belief, named) or (objects is not None and not objects):
        return belief
    if parsed.unread or parsed.refused:
        for uid in _uids(belief, named):
            belief = forget_user(belief, uid)
        return belief
    return _with_users(belief, _after_lost(belief, exchange, parsed, objects), named)


def _after_lost(belief: Belief, exchange: Exchange, parsed: ParsedRequest, objects: Collection[int] | None) -> Belief:
    """The belief after the exchange if it had no response. Deletions under way are left out."""
    lost = dataclasses.replace(exchange, response=None, failure=Failure(FailureKind.TIMEOUT))
    rate = RateCheck(belief.windows, [], frozenset())
    known = replace(belief, deletions=HashTrieMap(), first_over=float("inf"))
    return check_beside(known, lost, {}, parsed, NONE_IN_FLIGHT, rate, objects=objects).belief


def _with_users(belief: Belief, after: Belief, named: Iterable[tuple[str, Any]]) -> Belief:
    """The belief with the named users as they are `after` the exchange. All else of the server stays as it was."""
    users, deleting = belief.users, belief.deletions
    for uid in _uids(after, named):
        users = users.insert(uid, after.users[uid])
        if uid in after.deletions:
            deleting = deleting.insert(uid, after.deletions[uid])
    return replace(
        belief,
        links=after.links,
        spellings=after.spellings,
        users=users,
        users_made=after.users_made,
        pending_by_identifier=after.pending_by_identifier,
        moved=after.moved,
        deletions=deleting,
        first_over=min(belief.first_over, after.first_over),
        named_in_deletions=after.named_in_deletions,
        deleted=after.deleted,
    )


def _is_known(belief: Belief, identifiers: Iterable[tuple[str, Any]]) -> bool:
    """Whether an identifier leads to a user, or did until that was deleted."""
    named = {identifier_of(*one) for one in identifiers}
    return any(one in belief.links or one in belief.deleted for one in named)


def _uids(belief: Belief, identifiers: Iterable[tuple[str, Any]]) -> set[int]:
    """The users to whom the identifiers lead, or may."""
    return {link.uid for one in identifiers for link in belief.links.get(identifier_of(*one), ())}
