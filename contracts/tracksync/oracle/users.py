"""Which user a request is about: to which profile an identifier leads, and whether the write may create one.

Knows identifiers and links between users; knows nothing of cells, responses or HTTP.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

from msgspec import Struct
from msgspec.structs import replace
from rpds import HashTrieMap

from tracksync.contract.bounds import bounds
from tracksync.oracle.belief import Belief, User
from tracksync.oracle.identifiers import Identifier, Link, identifier_of
from tracksync.oracle.interpretations import (
    ALIAS_CREATES,
    ALIAS_NEVER_CREATES,
    UNKNOWN_BRAZE_ID_IS_NO_USER,
    Interpretation,
    Requires,
)
from tracksync.oracle.pending import reached_by
from tracksync.oracle.request import ParsedRequest
from tracksync.oracle.spelling import folded, with_identifier

LEADERS: Final = {  # of two identifiers the one that counts, or else which, by interpretation
    Interpretation("identifier-precedence", "external-id"): ("external_id", "user_alias"),
    Interpretation("identifier-precedence", "alias"): ("user_alias", "external_id"),
    Interpretation("identifier-precedence", "braze-id"): ("braze_id", "external_id"),
}


class Candidate(Struct, frozen=True, gc=False):
    """A profile that the request may be about.

    `uid`: its number, None for a profile that was never seen, which `user` describes.
    `kind`: of the identifier that leads to it. `requires`: the interpretations under which it does.
    `sure`: the identifier certainly leads to it and to no other.
    """

    uid: int | None
    user: User
    kind: str
    requires: Requires = ()
    sure: bool = False


class UserPath(Struct, frozen=True, gc=False):
    """One lawful way on: a user is `found` (or created) or not, under the interpretations of `requires`."""

    found: bool
    requires: Requires = ()


def candidates(belief: Belief, parsed: ParsedRequest) -> list[Candidate]:
    """The profiles that the request may be about; usually one."""
    if len(parsed.identifiers) == 1:
        return lookup(belief, *parsed.identifiers[0])
    by_kind = dict(parsed.identifiers)
    strong = [kind for kind in bounds().profile_identifiers if kind in by_kind]
    if len(strong) > 1:
        found = []
        for interpretation, order in LEADERS.items():
            kind = next(one for one in order if one in by_kind)
            for one in lookup(belief, kind, by_kind[kind]):
                found.append(replace(one, requires=(interpretation,)))
        return found
    if strong:
        return lookup(belief, strong[0], by_kind[strong[0]])
    for kind in bounds().contacts:
        if kind in by_kind:
            return lookup(belief, kind, by_kind[kind])
    return []


def lookup(belief: Belief, kind: str, value: Any) -> list[Candidate]:
    """The profiles to which one identifier may lead, likely ones first."""
    key = identifier_of(kind, value)
    links = belief.links.get(key, ())
    if len(links) == 1 and links[0].sure:  # the usual case, at less cost
        uid = links[0].uid
        user = belief.users[uid]
        if user.exists:
            return [Candidate(uid, user, kind, sure=True)]
    owners = [link.uid for link in links if link.sure]
    likely = _meant(belief, kind, owners)
    doubtful = [link.uid for link in links if not link.sure]
    if kind == "braze_id":
        doubtful += [
            link.uid for some in _like(belief, key.text) for link in some if not has_braze_id(belief, link.uid)
        ]
    found = [Candidate(uid, belief.users[uid], kind) for uid in dict.fromkeys([*likely, *doubtful])]
    stranger = not likely or (kind in bounds().contacts and _may_be_a_stranger(belief, owners))
    if stranger and not any(_may_be_the_stranger(belief.users[uid], key) for uid in doubtful):
        found.insert(len(set(likely)), Candidate(None, _stranger(belief, key), kind))
    return found


def _meant(belief: Belief, kind: str, owners: list[int]) -> list[int]:
    """Which of the profiles that have the identifier it may lead to; some of them may not exist."""
    possible = [uid for uid in owners if belief.users[uid].exists is not False]
    certain = [uid for uid in possible if belief.users[uid].exists]
    perhaps = [uid for uid in possible if uid not in certain]  # if these do not exist, it leads to one of the others
    if not possible and kind not in bounds().contacts:
        return owners
    if kind == "email":  # the documents say it of emails only
        return [*_most_recent(belief, possible), *_most_recent(belief, certain), *perhaps]
    return [*possible, *certain, *perhaps]


def _most_recent(belief: Belief, owners: list[int]) -> list[int]:
    """Of several profiles with one email: those with an external_id, and of these the most recently updated.

    The documents do not say whether an event counts as an update: both ways of counting are followed.
    """
    if len(owners) < 2:
        return owners
    external = [uid for uid in owners if belief.users[uid].external] or owners
    perhaps = [uid for uid in owners if belief.users[uid].perhaps_external and uid not in external]
    if perhaps or any(belief.users[uid].update_time_unknown for uid in external):
        return [*external, *perhaps]
    by_any = max(external, key=lambda uid: belief.users[uid].updated)
    by_profile = max(external, key=lambda uid: belief.users[uid].profile_updated)
    latest = belief.users[by_profile].profile_updated
    return [by_any, by_profile, *(uid for uid in external if belief.users[uid].perhaps_updated > latest)]


def _may_be_a_stranger(belief: Belief, owners: list[int]) -> bool:
    """Whether an email or phone may lead to a profile never seen, although there are profiles that have it.

    So it is if none of these certainly exists, and one of them is known by another identifier: if that one does not
    exist, the email or phone leads to a profile of its own.
    """
    if any(belief.users[uid].exists for uid in owners):
        return False
    return any(belief.users[uid].named and belief.users[uid].exists is not False for uid in owners)


def _may_be_the_stranger(user: User, key: Identifier) -> bool:
    """Whether the user was never seen by another identifier: it stands for whoever else this one may lead to."""
    return user.identifiers == (key,) and user.exists is not False


def _stranger(belief: Belief, key: Identifier) -> User:
    """The profile, never seen, to which an identifier may lead."""
    new = _leads_nowhere_else(belief, key) or key.is_any(lambda text: belief.settings.fresh(key.kind, text))
    fresh = new and not key.is_any(belief.known_texts.__contains__)
    external = key.kind == "external_id"
    unknown = not (fresh or external)
    user = User(exists=False if fresh else None, fresh=fresh, external=external, perhaps_external=unknown)
    if key in belief.pending_by_identifier:  # a pending write by this identifier may have created it
        user = replace(reached_by(user, belief.pending_by_identifier[key]), exists=None)
    return user


def perhaps_created(belief: Belief, identifier: Identifier) -> Belief:
    """The belief in which a user may be there by now to whom an identifier leads, if there was none."""
    there = belief.links.get(identifier, ())
    if there:
        for link in there:
            user = belief.users[link.uid]
            if user.exists is False:
                belief = replace(belief, users=belief.users.insert(link.uid, replace(user, exists=None)))
        return belief
    uid, user = belief.users_made, _stranger(belief, identifier)
    user = replace(_named_by(belief, user, identifier, surely=True), exists=None)
    return replace(
        belief,
        users=belief.users.insert(uid, user),
        links=belief.links.insert(identifier, (Link(uid),)),
        spellings=with_identifier(belief.spellings, identifier),
        users_made=uid + 1,
    )


def _leads_nowhere_else(belief: Belief, key: Identifier) -> bool:
    """Whether a response has shown that there is no user, or the only one whom the identifier can name was deleted."""
    links = belief.links.get(key)
    if links == ():
        return key.kind not in bounds().contacts
    return any(link.sure and belief.users[link.uid].exists is False for link in links or ())


def never_assigned(belief: Belief, braze_id: Any) -> bool:
    """Whether no server can have assigned this braze_id to a user: only then is it certainly unknown."""
    key = identifier_of("braze_id", braze_id)
    if not belief.settings.fresh(key.kind, key.text) or key.text in belief.known_texts:
        return False
    if any(belief.users[link.uid].exists is not False for link in belief.links.get(key, ())):
        return False
    alike = _like(belief, key.text)
    return all(some and all(has_braze_id(belief, link.uid) for link in some) for some in alike)


def _like(belief: Belief, braze_id: str) -> list[tuple[Link, ...]]:
    """The links of every identifier of another kind that has this text in some spelling.

    No document says what a server makes a braze_id of: it may be such a text.
    """
    alike = belief.spellings.get(folded(braze_id), ())
    return [belief.links[one] for one in alike if one.kind != "braze_id"]


def has_braze_id(belief: Belief, uid: int) -> bool:
    """Whether a braze_id certainly leads to the user."""
    return any(
        one.kind == "braze_id" and Link(uid) in belief.links.get(one, ()) for one in belief.users[uid].identifiers
    )


def paths(belief: Belief, parsed: ParsedRequest, candidate: Candidate) -> list[UserPath]:
    """Whether a user is found or created, or not: every lawful way on."""
    exists = candidate.user.exists
    if exists:
        return [UserPath(True)]
    found = [UserPath(True)] if exists is None else []
    if candidate.kind == "braze_id":
        # One that was assigned once, and one beside another identifier, show nothing of those that never were.
        shows = len(parsed.identifiers) == 1 and never_assigned(belief, parsed.identifiers[0][1])
        return [*found, UserPath(False, (UNKNOWN_BRAZE_ID_IS_NO_USER,) if shows else ())]
    if parsed.update_unclear:
        return [UserPath(True), UserPath(False)]
    if parsed.update_only is True:
        return [*found, UserPath(False)]
    if candidate.kind != "user_alias":
        return [UserPath(True)]
    if parsed.update_only is None:
        return [*found, UserPath(False)]
    if parsed.section == "attributes":
        return [UserPath(True)]
    return [*found, UserPath(True, (ALIAS_CREATES,)), UserPath(False, (ALIAS_NEVER_CREATES,))]


def linked(
    belief: Belief, parsed: ParsedRequest, candidate: Candidate, user: User, *, proven: bool = True, found: bool = True
) -> tuple[Belief, int]:
    """The belief after the request reached `user`, which is stored and linked, and the number of the user.

    Not `proven`: the request may have reached another user, and a doubtful link stays doubtful.
    Not `found`: the response showed no user, so that only the identifier of the candidate leads there.
    """
    uid = candidate.uid if candidate.uid is not None else belief.users_made
    if candidate.sure and len(parsed.identifiers) == 1:  # the usual case: every link is there
        return replace(belief, users=belief.users.insert(uid, user)), uid
    links, spellings, former = belief.links, belief.spellings, user.former
    for kind, value in parsed.identifiers:
        if not found and kind != candidate.kind:
            continue
        identifier = identifier_of(kind, value)
        former = tuple(one for one in former if one != identifier)
        there = links.get(identifier, ())
        if Link(uid) in there:
            continue
        surely = (proven or not there) and _leads_surely(parsed, candidate, user, kind, proven=proven)
        if kind in bounds().contacts and kind != candidate.kind and (surely or parsed.section == "attributes"):
            # A profile has one email and one phone: if it takes this one, the former one leads to it no longer.
            replaced = [one for one in user.held if one.kind == kind and one != identifier]
            links = doubted(links, uid, replaced)
            former += tuple(replaced) if surely else ()
        if proven or Link(uid, sure=False) not in there:
            user = _named_by(belief, user, identifier, surely=surely)
            links = links.insert(identifier, _with_link(there, uid, kind, surely=surely))
            spellings = with_identifier(spellings, identifier)
    made = max(belief.users_made, uid + 1)
    users = belief.users.insert(uid, replace(user, former=former))
    return replace(belief, users=users, links=links, spellings=spellings, users_made=made), uid


def with_write(belief: Belief, parsed: ParsedRequest, candidate: Candidate, user: User) -> Belief:
    """The belief after the response showed that the request wrote `user`: stored, linked, the writer of its cells."""
    belief, uid = linked(belief, parsed, candidate, user)
    writer = uid, belief.moment
    return replace(belief, writers=belief.writers.update(dict.fromkeys(parsed.cells(), writer)))


def unlinked(belief: Belief, parsed: ParsedRequest, uid: int) -> Belief:
    """The belief in which the braze_id of a request leads to this user no longer, nor perhaps."""
    braze_id = identifier_of("braze_id", dict(parsed.identifiers)["braze_id"])
    user = belief.users[uid]
    user = replace(user, identifiers=tuple(one for one in user.identifiers if one != braze_id))
    links = belief.links.insert(braze_id, tuple(link for link in belief.links.get(braze_id, ()) if link.uid != uid))
    return replace(belief, links=links, users=belief.users.insert(uid, user))


def _with_link(there: tuple[Link, ...], uid: int, kind: str, *, surely: bool) -> tuple[Link, ...]:
    """The links of an identifier that now leads to the user, too, or, if it surely does, to no other one.

    An email or phone may lead to several users.
    """
    doubtful = Link(uid, sure=False)
    if not surely:
        return there if doubtful in there else (*there, doubtful)
    others = [one for one in there if one != doubtful] if kind in bounds().contacts else []
    return (*others, Link(uid))


def _named_by(belief: Belief, user: User, identifier: Identifier, *, surely: bool) -> User:
    """The user, once an identifier leads to it."""
    if identifier not in user.identifiers:
        user = replace(user, identifiers=(*user.identifiers, identifier))
    if identifier in belief.pending_by_identifier:
        user = replace(reached_by(user, belief.pending_by_identifier[identifier]), update_time_unknown=True)
    if not surely:
        return user
    if identifier.kind not in bounds().contacts:
        return user if user.named else replace(user, named=True)
    return replace(user, held=(*(one for one in user.held if one.kind != identifier.kind), identifier))


def _leads_surely(parsed: ParsedRequest, candidate: Candidate, user: User, kind: str, *, proven: bool) -> bool:
    """Whether the request's identifier of this kind certainly leads to `user` afterwards.

    So it does if the user was found by it, or was given it as an attribute. The documents do not say whether another
    identifier beside the one that leads is taken over.
    """
    if kind in bounds().contacts and user.contacts_unsettled:
        return False
    if kind == candidate.kind:
        return True
    beside_strong = parsed.section == "attributes" and any(
        one in bounds().profile_identifiers for one, _ in parsed.identifiers
    )
    return proven and kind in bounds().contacts and beside_strong


def with_contacts_doubted(belief: Belief, named: Iterable[tuple[str, Any]]) -> Belief:
    """The belief in which no email or phone certainly leads to those of the named users whose own may change."""
    links = belief.links
    for uid in {link.uid for one in named for link in belief.links.get(identifier_of(*one), ())}:
        user = belief.users[uid]
        if user.contacts_unsettled:
            links = doubted(links, uid, user.held)
    return belief if links is belief.links else replace(belief, links=links)


def doubted(
    links: HashTrieMap[Identifier, tuple[Link, ...]], uid: int, identifiers: Iterable[Identifier]
) -> HashTrieMap[Identifier, tuple[Link, ...]]:
    """The links in which `identifiers` lead to the user perhaps, no longer surely."""
    for identifier in identifiers:
        links = links.insert(
            identifier, tuple(Link(uid, sure=False) if one == Link(uid) else one for one in links[identifier])
        )
    return links
