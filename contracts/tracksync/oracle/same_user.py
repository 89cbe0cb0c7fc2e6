"""Users that were met by different kinds of identifier may be one: a user that the workspace had before has identifiers
that are not known, and every user has a braze_id, which the server assigned.

So what another one wrote to a cell of that name since makes the cell unknown. Which writes there were, and by which
kinds of identifier, is known from the exchanges alone, whoever their users are. Finds nothing.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import Any, Final

from msgspec.structs import replace

from tracksync.contract.bounds import SYNC, bounds
from tracksync.model.exchange import Exchange, header
from tracksync.oracle.belief import Belief, Cell, Settings, User
from tracksync.oracle.identifiers import CellKey, Identifier, Link, identifier_of
from tracksync.oracle.pending import given_up, unknown_like
from tracksync.oracle.request import ParsedRequest, objects_of
from tracksync.oracle.unread import is_short, may_reach_anyone
from tracksync.oracle.users import doubted as doubted_links
from tracksync.oracle.written import Cells, Contact, IdentifierKind, Origin, Written, WrittenPlace

Times = Mapping[WrittenPlace, tuple[tuple[IdentifierKind, float], ...]]
"""When a cell was written last by each kind of identifier, in epoch seconds."""

NO_TIMES: Final[Times] = {}
MAX_KINDS: Final = 32  # kinds of identifier that are told apart; each label of an alias is one
_NEVER: Final = float("-inf")
_FOR_GOOD: Final = float("inf")


def _kind_of(identifier: Identifier, settings: Settings, written: Written) -> IdentifierKind:
    """The kind of an identifier, and whose it may be."""
    new = not written.strangers and _is_new(identifier, settings)
    origin = Origin.GIVEN if identifier in written.given else Origin.NEW if new else Origin.OLD
    return IdentifierKind(identifier.kind, identifier.label, origin)


def _is_new(identifier: Identifier, settings: Settings) -> bool:
    fresh, kind, label = settings.fresh, identifier.kind, identifier.label
    return fresh(kind, identifier.text) or (label is not None and fresh(kind, label))


def noted_usual(written: Written, settings: Settings, exchange: Exchange, only: Identifier | None) -> Written | None:
    """As `noted` where the request need not be read for it, else None. `only`: the one identifier of its body."""
    request, response = exchange.request, exchange.response
    if only is None or response is None or not (200 <= response.status < 300 and is_short(request.body)):
        return None
    if request.method != "POST" or request.path != SYNC or header(request.headers, "content-encoding") is not None:
        return None
    return _noted_alone(written, settings, only, exchange.received)


def _noted_alone(written: Written, settings: Settings, only: Identifier, until: float) -> Written | None:
    """The writes of before and of one by this identifier alone, if all of them are of one group, else None."""
    if not written.alone:
        return None
    group = _group_of(_kind_of(only, settings, written))
    return _with_alone(written, group, until) if _is_of(written, group) else None


def noted(written: Written, settings: Settings, exchange: Exchange, parsed: ParsedRequest) -> Written:
    """The writes of before and of an exchange."""
    if parsed.endpoint == "unclear" or parsed.unread or parsed.refused:
        written = _after_unread(written, exchange, parsed)
        if not parsed.refused or parsed.unread:
            return written
    until = _until(exchange, parsed, settings.consistent_after)
    if until is None:
        return written
    if parsed.endpoint == "sync" and len(parsed.identifiers) == 1 and until == exchange.received:
        usual = _noted_alone(written, settings, identifier_of(*parsed.identifiers[0]), until)
        if usual is not None:
            return usual
    for one in objects_of(parsed) if parsed.endpoint == "track" else [parsed]:
        named = [identifier_of(*pair) for pair in one.identifiers]
        leading = [identifier for identifier in named if identifier.kind not in bounds().contacts] or named[:1]
        kinds = [_kind_of(identifier, settings, written) for identifier in leading]
        places: list[WrittenPlace] = [*one.cells()]
        if len(named) > 1:
            if any(kind.origin is not Origin.NEW for kind in kinds):
                written = replace(written, given=written.given.update(named))
            places += (Contact(identifier.kind) for identifier in named if identifier not in leading)
        for kind in kinds:
            written = _with(written, kind, places, until, later=until > exchange.received)
    return written


def _after_unread(written: Written, exchange: Exchange, parsed: ParsedRequest) -> Written:
    """After a request that may have changed any user, no identifier is certainly new."""
    if written.strangers or exchange.without_effect:
        return written
    return replace(written, strangers=True) if may_reach_anyone(exchange.request, parsed) else written


def _until(exchange: Exchange, parsed: ParsedRequest, consistent_after: float) -> float | None:
    """When a request has written, at the latest; None where it writes nothing."""
    if parsed.endpoint not in ("sync", "track") or exchange.without_effect:
        return None
    if exchange.response is None or exchange.response.status >= 300:
        return _FOR_GOOD
    return exchange.received + (consistent_after if parsed.endpoint == "track" else 0)


def _group_of(kind: IdentifierKind) -> IdentifierKind | None:
    return None if kind.origin is Origin.NEW else kind  # users that are certainly new are never met by two kinds


def _is_of(written: Written, group: IdentifierKind | None) -> bool:
    """Whether there is no write by another group."""
    return group in written.groups if len(written.groups) == 1 else not written.groups


def _with_alone(written: Written, group: IdentifierKind | None, until: float) -> Written:
    groups = written.groups or frozenset((group,))
    return replace(written, groups=groups, last=max(written.last, until))


def _with(
    written: Written, kind: IdentifierKind, places: Collection[WrittenPlace], until: float, *, later: bool
) -> Written:
    group = _group_of(kind)
    if written.alone and _is_of(written, group) and not later:
        return _with_alone(written, group, until)
    times = written.times
    if written.alone and not _is_of(written, group):  # the first write by another kind
        for earlier in written.groups:
            times = times.insert(Cells.EACH, ((earlier or IdentifierKind("", None, Origin.NEW), written.last),))
        written = replace(written, alone=False)
    for key in (*places, Cells.LAST):
        there = dict(times.get(key, ()))
        if len(there) >= MAX_KINDS and kind not in there:
            kind = IdentifierKind(kind.name, None, kind.origin)  # an alias under any label
        there[kind] = max(until, there.get(kind, until))
        times = times.insert(key, tuple(there.items()))
    return replace(written, groups=written.groups | {group} if written.alone else written.groups, times=times)


def times_for(written: Written, parsed: ParsedRequest) -> Times:
    """Those of the writes that bear on a request."""
    if written.alone:
        return NO_TIMES
    keys: list[WrittenPlace] = [Cells.EACH, *map(Contact, bounds().contacts)]
    keys += [Cells.LAST] if parsed.endpoint == "export" else parsed.cells()
    return {key: written.times[key] for key in keys if key in written.times}


def doubted(
    belief: Belief, exchange: Exchange, parsed: ParsedRequest, named: Iterable[tuple[str, Any]], times: Times
) -> tuple[Belief, frozenset[CellKey]]:
    """The belief in which those cells of the named users are unknown that another user, who may be the same, wrote.

    Also the cells of the request that such a one may write while it is under way.
    """
    overlapping: set[CellKey] = set()
    every, exporting = times.get(Cells.EACH, ()), parsed.endpoint == "export"
    for identifier in {identifier_of(*one) for one in named}:
        links = belief.links.get(identifier, ())
        for uid in {link.uid for link in links}:
            user = belief.users[uid]
            belief = _with_contacts_doubted(belief, uid, user, times)
            user = belief.users[uid]
            has = known_kinds(belief, uid, user)
            others = _by_others((*times.get(Cells.LAST, ()), *every), has, fresh=user.fresh)
            if exporting and max(others, default=_NEVER) > _NEVER:
                user = replace(user, fresh=False)  # it may have more than was written to it by what is known
            keys = user.cells if exporting else parsed.cells()
            given: dict[CellKey, Cell] = {}
            for key in keys:
                shown = times.get(Cells.LAST if exporting else key, ())
                latest = max(_by_others((*shown, *every), has, fresh=user.fresh), default=_NEVER)
                cell = user.cell(key)
                if latest >= exchange.sent:
                    overlapping.add(key)
                if latest > cell.touched:
                    given[key] = given_up(cell, unknown_like(cell), cell.touched)
            user = user.with_cells(given) if given else user
            if user is not belief.users[uid]:
                belief = replace(belief, users=belief.users.insert(uid, user))
        if not links and not exporting:
            has = {(identifier.kind, identifier.label)}
            new = _is_new(identifier, belief.settings)
            for key in parsed.cells():
                if max(_by_others((*times.get(key, ()), *every), has, fresh=new), default=_NEVER) >= exchange.sent:
                    overlapping.add(key)
    return belief, frozenset(overlapping)


def _by_others(
    times: Iterable[tuple[IdentifierKind, float]], has: Collection[tuple[str, str | None]], *, fresh: bool
) -> Iterator[float]:
    """When users wrote who may be one that has identifiers of the kinds `has`; `fresh`: it was certainly new."""
    for kind, time in times:
        if (kind.name, kind.label) in has:
            continue
        if kind.origin is Origin.NEW:
            if not fresh and ("braze_id", None) in has:
                yield time
        elif not fresh or kind.name == "braze_id" or kind.origin is Origin.GIVEN:
            yield time


def _with_contacts_doubted(belief: Belief, uid: int, user: User, times: Times) -> Belief:
    """The belief in which an email or phone perhaps leads to the user, if another one, who may be it, was given one."""
    links = belief.links
    for kind in bounds().contacts:
        has = known_kinds(belief, uid, user) - {(kind, None)}
        if max(_by_others(times.get(Contact(kind), ()), has, fresh=user.fresh), default=_NEVER) > _NEVER:
            links = doubted_links(links, uid, [one for one in user.held if one.kind == kind])
    return belief if links is belief.links else replace(belief, links=links)


def known_kinds(belief: Belief, uid: int, user: User) -> set[tuple[str, str | None]]:
    """The kinds of which the user certainly has the identifier: another user with another one of these is not it."""
    return {(one.kind, one.label) for one in user.identifiers if Link(uid) in belief.links.get(one, ())}


def apart(belief: Belief, uids: Iterable[int]) -> list[int]:
    """As many of the users as are certainly not one another."""
    found: list[tuple[int, set[tuple[str, str | None]], bool]] = []
    for uid in uids:
        user = belief.users[uid]
        has = known_kinds(belief, uid, user)
        if not any(_may_be_one(has, user.fresh, others, fresh) for _, others, fresh in found):
            found.append((uid, has, user.fresh))
    return [uid for uid, _, _ in found]


def _may_be_one(
    has: set[tuple[str, str | None]], fresh: bool, others: set[tuple[str, str | None]], other_fresh: bool
) -> bool:
    if has & others or (fresh and other_fresh):
        return False
    if fresh or other_fresh:
        return ("braze_id", None) in (others if fresh else has)
    return True
