"""Whom a request addresses: which profile an identifier leads to, and whether the write may create one.

Knows identifiers and links between users; knows nothing of cells, answers or HTTP.
"""

from __future__ import annotations

from msgspec import Struct
from msgspec.structs import replace

from tracksync.contract.bounds import bounds
from tracksync.oracle.belief import Belief, Requires, User
from tracksync.oracle.pending import reached_by
from tracksync.oracle.request import ParsedRequest, identifier_key

LEADERS = {  # which kind leads of two, or else which, under each interpretation of identifier-precedence
    "external-id": ("external_id", "user_alias"),
    "alias": ("user_alias", "external_id"),
    "braze-id": ("braze_id", "external_id"),
}


class Candidate(Struct, frozen=True):
    """A profile that the request may be about. `uid` None: one that was never seen, described by `user`."""

    uid: int | None
    user: User
    kind: str
    requires: Requires = ()


def candidates(belief: Belief, parsed: ParsedRequest) -> list[Candidate]:
    """The profiles that the request may address; usually one."""
    if len(parsed.identifiers) == 1:
        return _lookup(belief, *parsed.identifiers[0])
    by_kind = dict(parsed.identifiers)
    strong = [kind for kind in bounds().profile_identifiers if kind in by_kind]
    if len(strong) > 1:
        found = []
        for interpretation, order in LEADERS.items():
            kind = next(one for one in order if one in by_kind)
            for one in _lookup(belief, kind, by_kind[kind]):
                found.append(replace(one, requires=(("identifier-precedence", interpretation),)))
        return found
    if strong:
        return _lookup(belief, strong[0], by_kind[strong[0]])
    for kind in bounds().contacts:
        if kind in by_kind:
            return _lookup(belief, kind, by_kind[kind])
    return []


def _lookup(belief: Belief, kind: str, value: object) -> list[Candidate]:
    key = identifier_key(kind, value)
    links = belief.names.get(key, ())
    if len(links) == 1 and links[0] >= 0 and belief.users[links[0]].exists:  # the usual case, at less cost
        return [Candidate(links[0], belief.users[links[0]], kind)]
    sure = [link for link in links if link >= 0]
    doubtful = [~link for link in links if link < 0]
    holders = [uid for uid in sure if belief.users[uid].exists is not False]
    there = [uid for uid in holders if belief.users[uid].exists]
    perhaps = [uid for uid in holders if uid not in there]  # gone, they leave it to the others, or to nobody
    chosen = [*(uid for some in (holders, there) for uid in _meant(belief, kind, some)), *perhaps]
    if not holders and kind not in bounds().contacts:
        chosen = sure
    found = [Candidate(uid, belief.users[uid], kind) for uid in dict.fromkeys([*chosen, *doubtful])]
    if not chosen or (not there and kind in bounds().contacts and _named_otherwise(belief, holders)):
        fresh = belief.settings.fresh(kind, key[1]) or key in belief.names
        stranger = User(exists=False if fresh else None, fresh=fresh, external=kind == "external_id")
        if key in belief.pending_by_contact:  # a write by this name may have made somebody meanwhile
            stranger = replace(reached_by(stranger, belief.pending_by_contact[key]), exists=None)
        found.insert(len(chosen), Candidate(None, stranger, kind))
    return found


def _named_otherwise(belief: Belief, uids: list[int]) -> bool:
    """Whether one of these is known by more than an email or phone: gone, it is another than who comes by these."""
    return any(
        uid in links for (kind, _), links in belief.names.items() if kind not in bounds().contacts for uid in uids
    )


def _meant(belief: Belief, kind: str, holders: list[int]) -> list[int]:
    """Which of these profiles, that all have the identifier, is meant by it."""
    return holders if kind == "phone" else _most_recent(belief, holders)  # the documents say it of emails only


def _most_recent(belief: Belief, holders: list[int]) -> list[int]:
    """Of several profiles with one email or phone: those with an external_id first, then the most recently updated.

    Whether an event counts as an update nobody says: both ways of counting are followed.
    """
    if len(holders) < 2:
        return holders
    external = [uid for uid in holders if belief.users[uid].external] or holders
    if any(belief.users[uid].unsettled for uid in external):
        return external
    by_any = max(external, key=lambda uid: belief.users[uid].seen)
    by_profile = max(external, key=lambda uid: belief.users[uid].profiled)
    return [by_any, by_profile]


def paths(parsed: ParsedRequest, candidate: Candidate) -> list[tuple[bool, Requires]]:
    """Whether a user is found or created (True) or not (False): the lawful ways, each with its interpretations."""
    exists = candidate.user.exists
    if exists:
        return [(True, ())]
    ways: list[tuple[bool, Requires]] = [] if exists is False else [(True, ())]
    kind = candidate.kind
    if kind == "braze_id":
        return [*ways, (False, (("unknown-braze-id", "no-user"),))]
    if parsed.update_unclear:
        return [(True, ()), (False, ())]
    if parsed.update_only is True:
        return [*ways, (False, ())]
    if kind == "user_alias":
        if parsed.update_only is None:
            return [*ways, (False, ())]
        if parsed.section == "attributes":
            return [(True, ())]
        return [*ways, (True, (("alias-create", "created"),)), (False, (("alias-create", "never"),))]
    return [(True, ())]


def linked(
    belief: Belief, parsed: ParsedRequest, candidate: Candidate, user: User, *, proven: bool = True, found: bool = True
) -> tuple[Belief, int]:
    """The belief after the request reached `user`: stored, and found by what the request says of it.

    Not `proven`: it may have reached another; a doubtful link stays doubtful. Not `found`: the answer showed nobody, so
    that nothing else leads there.
    """
    uid = candidate.uid if candidate.uid is not None else belief.made
    names = belief.names
    said = [(kind, value) for kind, value in parsed.identifiers if found or kind == candidate.kind]
    for kind, value in said:
        key = identifier_key(kind, value)
        links = names.get(key, ())
        if uid in links or (not proven and ~uid in links):
            continue
        if key in belief.pending_by_contact:
            user = replace(reached_by(user, belief.pending_by_contact[key]), unsettled=True)
        contact = kind in bounds().contacts
        if contact and user.unplaced:  # what it surely held before is doubtful as well: see adrift
            if ~uid not in links:
                names = names.insert(key, (*links, ~uid))
            continue
        if kind == candidate.kind:
            names = names.insert(key, _surely(links, uid) if contact else (uid,))
        elif (
            contact
            and proven
            and parsed.section == "attributes"
            and any(kind in bounds().profile_identifiers for kind, _ in parsed.identifiers)
        ):
            for former in user.held:  # a profile has one email and one phone; the former one leads to it no longer
                if former[0] == kind:
                    names = names.insert(former, tuple(~uid if one == uid else one for one in names[former]))
            names = names.insert(key, _surely(links, uid))
        elif ~uid not in links:  # whether the other identifier was taken over nobody says
            names = names.insert(key, (*links, ~uid))
            continue
        else:
            continue
        if contact:
            user = replace(user, held=(*(one for one in user.held if one[0] != kind), key))
    made = max(belief.made, uid + 1)
    return replace(belief, users=belief.users.insert(uid, user), names=names, made=made), uid


def unplaced(belief: Belief) -> Belief:
    """The belief in which nothing surely leads by email or phone to users whose own may change at any time."""
    names = belief.names
    for uid, user in belief.users.items():
        for key in user.held if user.unplaced else ():
            names = names.insert(key, tuple(~uid if one == uid else one for one in names[key]))
    return replace(belief, names=names)


def _surely(links: tuple[int, ...], uid: int) -> tuple[int, ...]:
    return (*(one for one in links if one != ~uid), uid)
