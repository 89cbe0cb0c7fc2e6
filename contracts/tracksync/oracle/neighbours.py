"""The neighbours that a run needs: /users/track, /users/delete and /users/export/ids, as far as they bear on it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from msgspec.structs import replace
from rpds import HashTrieMap

from tracksync.model.finding import NOTHING, Finding
from tracksync.oracle.belief import ABSENT, CONSISTENT_AFTER, UNKNOWN, Belief, Cell, Counter, User, linked_user
from tracksync.oracle.cells import appears
from tracksync.oracle.counters import within
from tracksync.oracle.request import ParsedRequest, objects_of
from tracksync.values.numbers import is_integer
from tracksync.values.times import read_time

if TYPE_CHECKING:
    from tracksync.oracle.context import Context

BODY = "/response/body"


def check_neighbour(context: Context, body: dict[str, Any]) -> None:
    """An accepted request to a neighbour."""
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
    """The objects of a /users/track request, as asks of their own."""
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
        text = f"deleted is no number from 0 to {sent}"
        findings.append(Finding(clause, text, f"{BODY}/deleted", f"0 … {sent}", deleted))
    return findings


def forget(belief: Belief, parsed: ParsedRequest) -> Belief:
    """Deletion is queued: the users may be there or not, and what they hold is unknown."""
    ids = parsed.body.get("external_ids") if isinstance(parsed.body, dict) else None
    for one in ids if isinstance(ids, list) else []:
        for link in belief.names.get(("external_id", str(one)), ()):
            index = linked_user(link)
            user = replace(belief.users[index], exists=None, fresh=False, cells=HashTrieMap())
            belief = replace(belief, users=belief.users.insert(index, user))
    if isinstance(parsed.body, dict) and parsed.body.keys() - {"external_ids"}:  # by another name it may be anybody
        for index, user in belief.users.items():
            gone = replace(user, exists=None, fresh=False, cells=HashTrieMap())
            belief = replace(belief, users=belief.users.insert(index, gone))
    return belief


def elsewhere(context: Context) -> None:
    """An endpoint that is not checked here took a request. The host has some that write to users."""
    request = context.exchange.request
    path = request.path.lower()
    if request.method in ("POST", "PUT", "PATCH", "DELETE") and ("/users" in path or "/trigger" in path):
        context.belief = forget_everybody(context.belief)


def forget_everybody(belief: Belief) -> Belief:
    """Another endpoint may have created, renamed, merged or changed anybody."""
    return replace(belief.among_strangers(_unsaid), windows=belief.windows)


def _unsaid(kind: str, text: str) -> bool:
    return False


def _check_export(context: Context, body: dict[str, Any]) -> list[Finding]:
    clause = "TS-EXPORT-ANSWER"
    listed = body.get("users", NOTHING)
    findings = []
    if body.get("message") != "success":
        text = 'the message of an export is not "success"'
        findings.append(Finding(clause, text, f"{BODY}/message", "success", body.get("message", NOTHING)))
    if not isinstance(listed, list) or not all(isinstance(one, dict) for one in listed):
        text = "users of an export is no list of objects"
        return [*findings, Finding(clause, text, f"{BODY}/users", "a list of objects", listed)]
    for index, entry in enumerate(listed):
        where = f"{BODY}/users/{index}"
        formless = False
        for member, kind in (("custom_attributes", dict), ("custom_events", list), ("purchases", list)):
            if entry.get(member) is not None and not isinstance(entry[member], kind):
                text = f"{member} of an exported user is no {'object' if kind is dict else 'list'}"
                findings.append(Finding(clause, text, f"{where}/{member}", kind.__name__, entry[member]))
                formless = True
        if formless:
            continue
        name = entry.get("external_id")
        links = context.belief.names.get(("external_id", name), ()) if isinstance(name, str) else ()
        if len(links) == 1 and links[0] >= 0 and not _doubtful(context.belief, links[0]):
            findings += _check_profile(context, context.belief.users[links[0]], entry, where)
    return findings


def _doubtful(belief: Belief, uid: int) -> bool:
    """Whether some identifier may or may not lead to this user: what was written by it may stand on the profile."""
    return any(~uid in links for links in belief.names.values())


def _check_profile(context: Context, user: User, entry: dict[str, Any], where: str) -> list[Finding]:
    """What is exported must be what an answer claimed, or a former value while the platform may still lag behind."""
    findings: list[Finding] = []
    asked = context.parsed.body.get("fields_to_export")
    wanted = asked if isinstance(asked, list) else []
    attributes = entry.get("custom_attributes") or {}
    events, purchases = _by_name(entry.get("custom_events")), _by_name(entry.get("purchases"))
    members = {"attributes": "custom_attributes", "events": "custom_events", "purchases": "purchases"}
    for section, name in sorted(user.cells):
        cell = user.cells[section, name]
        if wanted and members[section] not in wanted:
            continue
        if cell.volatile or any(state.pending for state in cell.states):
            continue
        late = context.exchange.sent - cell.touched > CONSISTENT_AFTER
        context.covered.add("TS-EXPORT-AGREES")
        if section == "attributes":
            shown = attributes.get(name, ABSENT)
            if not _attribute_agrees(cell, shown, late):
                findings.append(_disagrees(f"{where}/custom_attributes/{name}", name, cell.states[0].value, shown))
        else:
            found = (events if section == "events" else purchases).get(name)
            count = found.get("count") if found else 0
            if not _count_agrees(cell, found, count, late):
                member = members[section]
                findings.append(_disagrees(f"{where}/{member}", name, cell.states[0].value.count, count))
    return findings


def _by_name(ambiguities: list[Any] | None) -> dict[str, dict[str, Any]]:
    return {one["name"]: one for one in ambiguities or () if isinstance(one, dict) and isinstance(one.get("name"), str)}


def _disagrees(where: str, name: str, expected: Any, shown: Any) -> Finding:
    text = f"the exported profile holds another value of {name!r} than the completed requests"
    return Finding(
        "TS-EXPORT-AGREES",
        text,
        where,
        NOTHING if expected is ABSENT else expected,
        NOTHING if shown is ABSENT else shown,
    )


def _attribute_agrees(cell: Cell, shown: Any, late: bool) -> bool:
    values = [state.value for state in cell.states]
    if not late:
        values += [cell.before, ABSENT]
    for value in values:
        if value is UNKNOWN or (value is ABSENT and shown in (ABSENT, None)):
            return True
        if value is not ABSENT and shown is not ABSENT and appears(value, shown):
            return True
    return False


def _count_agrees(cell: Cell, found: dict[str, Any] | None, count: Any, late: bool) -> bool:
    counts = [state.value.count for state in cell.states if isinstance(state.value, Counter)]
    known = [one for one in counts if one is not None]
    if len(known) < len(counts) or not is_integer(count):
        return len(known) < len(counts)
    if not late:
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
