"""The other endpoints that a run uses: /users/track, /users/delete and /users/export/ids.

Knows what their responses promise, and what such a request does to the belief about users.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from msgspec.structs import replace
from rpds import HashTrieMap

from tracksync.model.finding import NOTHING, Finding
from tracksync.oracle.belief import (
    ABSENT,
    CONSISTENT_AFTER,
    UNKNOWN,
    Belief,
    Cell,
    Counter,
    Identifier,
    Link,
    User,
)
from tracksync.oracle.counters import within
from tracksync.oracle.outcomes import appears
from tracksync.oracle.request import ParsedRequest, objects_of
from tracksync.values.numbers import is_integer
from tracksync.values.times import read_time

if TYPE_CHECKING:
    from tracksync.oracle.context import Context

BODY: Final = "/response/body"
MEMBERS: Final[tuple[tuple[str, type, str], ...]] = (
    ("custom_attributes", dict, "an object"),
    ("custom_events", list, "a list"),
    ("purchases", list, "a list"),
)


def check_neighbour(context: Context, body: dict[str, Any]) -> None:
    """Check the response to an accepted request to /users/track, /users/delete or /users/export/ids."""
    parsed = context.parsed
    if parsed.endpoint == "track":
        context.covered.add("TS-TRACK-ACCEPTED")
        if body.get("message") != "success":
            text = 'the message of an accepted request is not "success"'
            context.findings.append(
                Finding("TS-TRACK-ACCEPTED", text, f"{BODY}/message", "success", body.get("message", NOTHING))
            )
    elif parsed.endpoint == "delete":
        context.covered.add("TS-DELETE-ANSWER")
        context.findings += _check_delete(parsed, body)
        context.belief = forget(context.belief, parsed)
    else:
        context.covered.add("TS-EXPORT-ANSWER")
        context.findings += _check_export(context, body)


def queued(parsed: ParsedRequest) -> list[ParsedRequest]:
    """The objects of a /users/track request, each as a request of its own."""
    return objects_of(parsed)


def _check_delete(parsed: ParsedRequest, body: dict[str, Any]) -> list[Finding]:
    clause = "TS-DELETE-ANSWER"
    findings = []
    if body.get("message") != "success":
        text = 'the message of an accepted deletion is not "success"'
        findings.append(Finding(clause, text, f"{BODY}/message", "success", body.get("message", NOTHING)))
    lists = list(parsed.body.values())
    sent = sum(map(len, lists)) if all(isinstance(one, list) for one in lists) else 0
    deleted = body.get("deleted", NOTHING)
    if not is_integer(deleted) or deleted < 0 or (sent and deleted > sent):
        text = f"deleted is not a number from 0 to {sent}"
        findings.append(Finding(clause, text, f"{BODY}/deleted", f"0 … {sent}", deleted))
    return findings


def forget(belief: Belief, parsed: ParsedRequest) -> Belief:
    """The belief after a deletion was queued: its users may exist or not, and what they hold is unknown."""
    body = parsed.body if isinstance(parsed.body, dict) else {}
    ids = body.get("external_ids")
    for one in ids if isinstance(ids, list) else []:
        for link in belief.links.get(Identifier("external_id", str(one)), ()):
            belief = forget_user(belief, link.uid)
    if body.keys() - {"external_ids"}:  # by another identifier it may be any user
        for uid in belief.users:
            belief = forget_user(belief, uid)
    return belief


def forget_user(belief: Belief, uid: int) -> Belief:
    """The belief in which nothing is known of a user, not even whether it exists."""
    user = replace(belief.users[uid], exists=None, fresh=False, cells=HashTrieMap())
    return replace(belief, users=belief.users.insert(uid, user))


def elsewhere(context: Context) -> None:
    """An endpoint that is not checked accepted the request. Some of the host's endpoints write to users."""
    request = context.exchange.request
    path = request.path.lower()
    if request.method in ("POST", "PUT", "PATCH", "DELETE") and ("/users" in path or "/trigger" in path):
        context.belief = forget_all(context.belief)


def forget_all(belief: Belief) -> Belief:
    """The belief after another endpoint may have created, renamed, merged or changed any user."""
    return replace(belief.among_strangers(_never), windows=belief.windows)


def _never(kind: str, text: str) -> bool:
    return False


def _check_export(context: Context, body: dict[str, Any]) -> list[Finding]:
    clause = "TS-EXPORT-ANSWER"
    listed = body.get("users", NOTHING)
    findings = []
    if body.get("message") != "success":
        text = 'the message of an export is not "success"'
        findings.append(Finding(clause, text, f"{BODY}/message", "success", body.get("message", NOTHING)))
    if not isinstance(listed, list) or not all(isinstance(one, dict) for one in listed):
        text = "users of an export is not a list of objects"
        return [*findings, Finding(clause, text, f"{BODY}/users", "a list of objects", listed)]
    for index, entry in enumerate(listed):
        where = f"{BODY}/users/{index}"
        readable = True
        for member, kind, wanted in MEMBERS:
            if entry.get(member) is not None and not isinstance(entry[member], kind):
                text = f"{member} of an exported user is not {wanted}"
                findings.append(Finding(clause, text, f"{where}/{member}", wanted, entry[member]))
                readable = False
        uid = _certain_user(context.belief, entry.get("external_id"))
        if readable and uid is not None:
            findings += _check_profile(context, context.belief.users[uid], entry, where)
    return findings


def _certain_user(belief: Belief, external_id: Any) -> int | None:
    """The user of this external_id, unless another identifier perhaps leads there: it may have been written by that."""
    links = belief.links.get(Identifier("external_id", external_id), ()) if isinstance(external_id, str) else ()
    if len(links) != 1 or not links[0].sure:
        return None
    perhaps = Link(links[0].uid, sure=False)
    return None if any(perhaps in some for some in belief.links.values()) else links[0].uid


def _check_profile(context: Context, user: User, entry: dict[str, Any], where: str) -> list[Finding]:
    """What is exported is what the responses showed, or a former value where that is not long ago."""
    findings: list[Finding] = []
    fields = context.parsed.body.get("fields_to_export")
    wanted = fields if isinstance(fields, list) else []
    attributes = entry.get("custom_attributes") or {}
    events, purchases = _by_name(entry.get("custom_events")), _by_name(entry.get("purchases"))
    members = {"attributes": "custom_attributes", "events": "custom_events", "purchases": "purchases"}
    for section, name in sorted(user.cells):
        cell = user.cells[section, name]
        if wanted and members[section] not in wanted:
            continue
        if cell.volatile or any(state.pending for state in cell.states):
            continue
        settled = context.exchange.sent - cell.touched > CONSISTENT_AFTER
        context.covered.add("TS-EXPORT-AGREES")
        if section == "attributes":
            shown = attributes.get(name, ABSENT)
            if not _attribute_agrees(cell, shown, settled):
                findings.append(_disagrees(f"{where}/custom_attributes/{name}", name, cell.states[0].value, shown))
        else:
            found = (events if section == "events" else purchases).get(name)
            count = found.get("count") if found else 0
            if not _count_agrees(cell, found, count, settled):
                member = members[section]
                findings.append(_disagrees(f"{where}/{member}", name, cell.states[0].value.count, count))
    return findings


def _by_name(listed: list[Any] | None) -> dict[str, dict[str, Any]]:
    return {one["name"]: one for one in listed or () if isinstance(one, dict) and isinstance(one.get("name"), str)}


def _disagrees(where: str, name: str, expected: Any, shown: Any) -> Finding:
    text = f"the exported profile has another value of {name!r} than the completed requests wrote"
    return Finding(
        "TS-EXPORT-AGREES",
        text,
        where,
        NOTHING if expected is ABSENT else expected,
        NOTHING if shown is ABSENT else shown,
    )


def _attribute_agrees(cell: Cell, shown: Any, settled: bool) -> bool:
    values = [state.value for state in cell.states]
    if not settled:
        values += [cell.before, ABSENT]
    for value in values:
        if value is UNKNOWN or (value is ABSENT and shown in (ABSENT, None)):
            return True
        if value is not ABSENT and shown is not ABSENT and appears(value, shown):
            return True
    return False


def _count_agrees(cell: Cell, found: dict[str, Any] | None, count: Any, settled: bool) -> bool:
    counts = [state.value.count for state in cell.states if isinstance(state.value, Counter)]
    known = [one for one in counts if one is not None]
    if len(known) < len(counts) or not is_integer(count):
        return len(known) < len(counts)
    if not settled:
        return bool(count <= max(known))
    return any(
        state.value.count == count and (not count or _times_agree(state.value, found or {}))
        for state in cell.states
        if isinstance(state.value, Counter)
    )


def _times_agree(state: Counter, found: dict[str, Any]) -> bool:
    for name, interval in (("first", state.first), ("last", state.last)):
        shown = found.get(name)
        instant = read_time(shown).instant if isinstance(shown, str) else None
        if instant is not None and interval is not None and not within(instant, interval):
            return False
    return True
