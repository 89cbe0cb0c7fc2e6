"""What /users/export/ids shows: which users, and of each the fields that were asked for.

Whether their values are right is checked in `exported_values`. An endpoint that depends on others may lag behind
(LIMITS): only what has been so for longer than that is held against an export.
"""

from __future__ import annotations

import re
from collections import Counter as Tally
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, Final

from msgspec.structs import replace

from tracksync.model.finding import NOTHING, Finding
from tracksync.oracle.belief import Belief, User
from tracksync.oracle.deletions import identifiers_in, leads_nowhere, settled_user
from tracksync.oracle.exported_values import ExportedUser, check_values, requested_fields
from tracksync.oracle.identifiers import Identifier, Link, identifier_of
from tracksync.oracle.same_user import apart
from tracksync.oracle.spelling import with_identifier

if TYPE_CHECKING:
    from tracksync.oracle.context import Context

BODY: Final = "/response/body"
USERS: Final = f"{BODY}/users"
_UNKNOWN: Final = f"{BODY}/invalid_user_ids"
_CLAUSE: Final = "TS-EXPORT-USERS"

NamedIdentifiers = list[tuple[str, Any]]  # the identifiers of an export, each as its kind and its value


def check_export(context: Context, body: dict[str, Any]) -> None:
    """Check the body of an accepted export."""
    message = body.get("message", NOTHING)
    if message != "success":
        text = 'the message of an export is not "success"'
        context.findings.append(Finding("TS-EXPORT-ANSWER", text, f"{BODY}/message", "success", message))
    listed = body.get("users", NOTHING)
    if not isinstance(listed, list) or not all(isinstance(one, dict) for one in listed):
        text = "users of an export is not a list of objects"
        context.findings.append(Finding("TS-EXPORT-ANSWER", text, USERS, "a list of objects", listed))
        return
    named = list(identifiers_in(context.parsed.body))
    belief = context.belief
    found = [
        ExportedUser(entry, f"{USERS}/{index}", _user_of(belief, named, entry, alone=len(listed) == 1))
        for index, entry in enumerate(listed)
    ]
    if not any(one.pointer.startswith("/request/body") for one in context.parsed.conditions):
        context.covered.add(_CLAUSE)
        context.findings += _wrong_users(context, named, found)
        context.findings += _wrong_unknowns(context, named, body.get("invalid_user_ids"))
        context.findings += _missing_fields(context, named, found)
    for one in found:
        if one.uid is not None:
            context.findings += check_values(context, belief.users[one.uid], one)
            if _is_settled(context, belief.users[one.uid]):  # otherwise it may be of a user that was there before
                context.belief = _with_braze_id(context.belief, one.uid, one.entry.get("braze_id"))


def _with_braze_id(belief: Belief, uid: int, braze_id: Any) -> Belief:
    """The belief in which a braze_id that an export shows leads to its user: the server assigned it, for good."""
    if not isinstance(braze_id, str):
        return belief
    identifier, user = Identifier("braze_id", braze_id), belief.users[uid]
    if belief.links.get(identifier) or any(one.kind == "braze_id" for one in user.identifiers):
        return belief
    user = replace(user, identifiers=(*user.identifiers, identifier), named=True)
    links = belief.links.insert(identifier, (Link(uid),))
    spellings = with_identifier(belief.spellings, identifier)
    return replace(belief, links=links, spellings=spellings, users=belief.users.insert(uid, user))


def _user_of(belief: Belief, named: NamedIdentifiers, entry: dict[str, Any], *, alone: bool) -> int | None:
    """The user that an entry is certainly about, by its external_id, or as the only one that was asked for."""
    external_id = entry.get("external_id")
    if isinstance(external_id, str):
        return _certain_user(belief, Identifier("external_id", external_id))
    if external_id is None and alone and len(named) == 1:
        return _certain_user(belief, identifier_of(*named[0]))
    return None


def _certain_user(belief: Belief, identifier: Identifier) -> int | None:
    """The user of this identifier, unless another one perhaps leads there: it may have been written by that."""
    links = belief.links.get(identifier, ())
    if len(links) != 1 or not links[0].sure:
        return None
    return None if belief.may_lead_elsewhere(links[0].uid) else links[0].uid


def _wrong_users(context: Context, named: NamedIdentifiers, found: list[ExportedUser]) -> Iterator[Finding]:
    """Every user that was asked for is there, each once, and no other one is."""
    shown = [(one.where, one.entry["external_id"]) for one in found if isinstance(one.entry.get("external_id"), str)]
    names = [name for _, name in shown]
    yield from _unwanted_users(context.belief, named, shown)
    for name in _repeated(names):
        times = names.count(name)
        yield Finding(_CLAUSE, f"the user {name!r} is exported {times} times", USERS, 1, times)
    if len(set(names)) == len(found):
        ids = [one.entry["braze_id"] for one in found if isinstance(one.entry.get("braze_id"), str)]
        for braze_id in _repeated(ids):
            text = f"{ids.count(braze_id)} users are exported with one braze_id"
            yield Finding(_CLAUSE, text, USERS, 1, braze_id)
    yield from _missing_users(context, named, found)


def _repeated(texts: list[str]) -> list[str]:
    """The texts that are there more than once, each once."""
    return [text for text, times in Tally(texts).items() if times > 1]


def _unwanted_users(belief: Belief, named: NamedIdentifiers, shown: list[tuple[str, str]]) -> Iterator[Finding]:
    """Users that were not asked for, or that do not exist; `shown`: pointers, and each external_id."""
    by_external_id = all(kind == "external_id" for kind, _ in named)
    wanted = [str(value) for _, value in named]
    for where, name in shown:
        if by_external_id and name not in wanted:
            text = "a user is exported that was not asked for"
            yield Finding(_CLAUSE, text, f"{where}/external_id", wanted, name)
        elif leads_nowhere(belief, "external_id", name):
            deleted = Identifier("external_id", name) in belief.deleted
            text = f"a user is exported that {'was deleted' if deleted else 'does not exist'}"
            yield Finding("TS-DELETE-DONE" if deleted else _CLAUSE, text, f"{where}/external_id", NOTHING, name)


def _missing_users(context: Context, named: NamedIdentifiers, found: list[ExportedUser]) -> Iterator[Finding]:
    """More users are missing than entries that cannot be told apart."""
    belief = context.belief
    certain = {_present_user(belief, kind, value, context.exchange.sent) for kind, value in named} - {None}
    shown = [one.uid for one in found if one.uid is not None]
    others = [uid for uid in certain if uid is not None and uid not in shown]
    missing = set(apart(belief, [*shown, *others])).difference(shown)
    if len(missing) > sum(one.uid is None for one in found):
        by_track = all(not belief.users[uid].exists for uid in missing)
        why = "/users/track was to make them" if by_track else "they exist"
        text = f"{len(missing)} of the users that were asked for are not exported, although {why}"
        yield Finding("TS-TRACK-APPLIED" if by_track else _CLAUSE, text, USERS, len(certain), len(found))


def _present_user(belief: Belief, kind: str, value: Any, sent: float) -> int | None:
    """The user to whom an identifier certainly leads, if an export must know it by now."""
    uid = settled_user(belief, kind, value, sent)
    if uid is not None:
        return uid
    made = _certain_user(belief, identifier_of(kind, value))
    due = None if made is None else belief.users[made].due  # of one that /users/track was to make
    return made if due is not None and due < sent else None


def _wrong_unknowns(context: Context, named: NamedIdentifiers, listed: Any) -> Iterator[Finding]:
    """An identifier that leads to no user is listed as such, and no other one is."""
    if listed is not None and not isinstance(listed, list):
        yield Finding("TS-EXPORT-ANSWER", "invalid_user_ids is not a list", _UNKNOWN, "a list", listed)
        return
    actual = NOTHING if listed is None else listed
    shown = {str(one) for one in listed or ()}
    if any(identifier_of(*one) in context.belief.deleted for one in named):
        context.covered.add("TS-DELETE-DONE")
    for kind, value in named:
        if kind != "external_id":  # no document shows the others there
            continue
        if str(value) in shown and settled_user(context.belief, kind, value, context.exchange.sent) is not None:
            text = "an identifier is listed as unknown that leads to a user"
            yield Finding(_CLAUSE, text, _UNKNOWN, f"without {value!r}", actual)
        if str(value) not in shown and leads_nowhere(context.belief, kind, value):
            text = "an identifier that leads to no user is not listed as unknown"
            yield Finding(_CLAUSE, text, _UNKNOWN, f"with {value!r}", actual)


def _missing_fields(context: Context, named: NamedIdentifiers, found: list[ExportedUser]) -> Iterator[Finding]:
    """A user has the fields that were asked for, those by which it is found with the values that were sent."""
    fields = requested_fields(context)
    by_external_id = all(kind == "external_id" for kind, _ in named)
    if "external_id" in fields and by_external_id:
        context.covered.add("TS-EXPORT-FIELDS")
        for one in found:
            if one.entry.get("external_id") is None:
                yield _lacks(one, "external_id", "a text")
        fields = [field for field in fields if field != "external_id"]
    for one in found:
        if one.uid is not None and _is_settled(context, context.belief.users[one.uid]):
            context.covered.add("TS-EXPORT-FIELDS")
            yield from _missing_fields_of(context.belief, one, one.uid, fields)


def _is_settled(context: Context, user: User) -> bool:
    """Whether an export must show by which identifiers this user is found."""
    long_ago = context.exchange.sent - user.touched > context.belief.settings.consistent_after
    return long_ago and bool(user.exists) and not user.contacts_unsettled


def _missing_fields_of(belief: Belief, one: ExportedUser, uid: int, fields: list[Any]) -> Iterator[Finding]:
    braze_id = one.entry.get("braze_id")
    if "braze_id" in fields and not (isinstance(braze_id, str) and braze_id):
        yield _lacks(one, "braze_id", "a text")
    for identifier in belief.users[uid].identifiers:
        field = "user_aliases" if identifier.kind == "user_alias" else identifier.kind
        leads = belief.links.get(identifier) == (Link(uid),)
        if field in fields and leads and not _shows(identifier, one.entry.get(field)):
            yield _lacks(one, field, identifier.text)


def _shows(identifier: Identifier, shown: Any) -> bool:
    """Whether an exported field shows an identifier; an email in any case, a phone in any notation."""
    if identifier.kind == "user_alias":
        wanted = {"alias_name": identifier.text, "alias_label": identifier.label}.items()
        return isinstance(shown, list) and any(isinstance(one, dict) and wanted <= one.items() for one in shown)
    if identifier.kind == "email":
        return isinstance(shown, str) and shown.casefold() == identifier.text.casefold()
    if identifier.kind == "phone":
        return isinstance(shown, str) and re.sub(r"\D", "", shown) == re.sub(r"\D", "", identifier.text)
    return str(shown) == identifier.text


def _lacks(one: ExportedUser, field: str, expected: Any) -> Finding:
    text = f"the exported user lacks its {field}, which was asked for"
    return Finding("TS-EXPORT-FIELDS", text, f"{one.where}/{field}", expected, one.entry.get(field, NOTHING))
