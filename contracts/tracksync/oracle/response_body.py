"""Step four, first half: read what a response shows, and check its form.

Knows the forms of success and fatal error; knows nothing of belief. What is shown of the writes is returned as data.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from msgspec import Struct

from tracksync.contract.bounds import bounds
from tracksync.contract.responses import Mismatch, unexplained
from tracksync.model.exchange import Response, as_media_type
from tracksync.model.finding import NOTHING, Finding
from tracksync.oracle.counters import ShownCounter
from tracksync.oracle.request import ParsedRequest, name_key
from tracksync.values.jsontext import read_json
from tracksync.values.numbers import is_integer, same
from tracksync.values.times import Certainty, read_time

BODY = "/response/body"
ENTRY = "/response/body/users/0"
STATUSES = frozenset({201, 400, 401, 403, 404, 413, 429})

# Quirks of bodies that some JSON readers refuse. A byte order mark is among them: RFC 8259 forbids writing one.
NOT_JSON = frozenset({"nan", "not-utf8", "bom"})


def schema_findings(mismatches: Iterable[Mismatch], found: Iterable[Finding]) -> list[Finding]:
    """A finding for each place that does not fit the document, except those of which `found` speaks."""
    return [
        Finding(one.clause, one.message, one.pointer, one.expected, one.actual if one.present else NOTHING)
        for one in unexplained(mismatches, [finding.pointer for finding in found])
    ]


class Success(Struct, frozen=True, gc=False):
    """What a 201 shows.

    `found`: whether it lists a user, None when that cannot be told. `entry`: of that user.
    `users`: the raw member, NOTHING when left out.
    """

    found: bool | None
    entry: dict[str, Any] | None = None
    users: Any = NOTHING


def read_body(response: Response, headers: Mapping[str, str]) -> tuple[Any, list[Finding]]:
    """Returns (body, findings): the JSON object of the body, or None where it is not one.

    `headers`: by their names in small letters.
    """
    findings = []
    text = read_json(response.body)
    if "too-deep" in text.quirks:
        return None, []  # it is not examined, so nothing can be held against it
    if not text.valid or not isinstance(text.value, dict) or text.quirks & NOT_JSON:
        start = response.body[:80].decode("utf-8", "replace")
        what = f"is not a JSON object: it begins {start!r}" if start else "has no body"
        message = f"the response ({response.status}) {what}"
        return None, [Finding("TS-ANSWER-JSON", message, BODY, "a JSON object", start)]
    media = as_media_type(headers.get("content-type"))
    if media != "application/json":
        message = f"the content type of the response is {media or 'missing'}"
        findings.append(
            Finding("TS-ANSWER-MEDIA", message, "/response/headers/content-type", "application/json", media)
        )
    return text.value, findings


def check_fatal(parsed: ParsedRequest, status: int, body: dict[str, Any]) -> tuple[list[Finding], str | None]:
    """Check the body of a refusal.

    Returns (findings, interpretation): of the ambiguity error-entries the one that is shown, or None.
    """
    findings = []
    message = body.get("message", NOTHING)
    if not isinstance(message, str) or not message or message == "success":
        text = f"a fatal error ({status}) has no message of its own"
        findings.append(Finding("TS-REFUSE-BODY", text, f"{BODY}/message", "a text other than success", message))
    errors = body.get("errors", NOTHING)
    where = f"{BODY}/errors"
    if errors is NOTHING:
        if status == 400:
            text = "a fatal error (400) has no list of errors"
            findings.append(Finding("TS-REFUSE-BODY", text, where, "a list with at least one entry"))
        return findings, None
    if not isinstance(errors, list) or (status == 400 and not errors):
        text = f"errors of a fatal error ({status}) is not a list with entries"
        findings.append(Finding("TS-REFUSE-BODY", text, where, "a list with at least one entry", errors))
        return findings, None
    kinds = set()
    for index, entry in enumerate(errors):
        if isinstance(entry, dict):
            kinds.add("objects")
            findings += _check_entry(parsed, status, entry, f"{where}/{index}")
        elif isinstance(entry, str):
            kinds.add("texts")
            if not entry:
                text = "an entry of errors is an empty text"
                findings.append(Finding("TS-REFUSE-BODY", text, f"{where}/{index}", "a text", entry))
        else:
            text = "an entry of errors is neither an object nor a text"
            findings.append(Finding("TS-REFUSE-BODY", text, f"{where}/{index}", "an object or a text", entry))
    # SYNC shows objects for errors within an object, ERRORS texts for errors of every kind: both may be right.
    own = (
        status == 400
        and _of_one_object(parsed)
        and all(condition.clause != "TS-REFUSE-TYPE" for condition in parsed.conditions)
    )
    shown = kinds.pop() if len(kinds) == 1 and own else None
    return findings, shown


def _says_something(value: Any) -> bool:
    """Whether `value` has a text in it, at any depth."""
    if isinstance(value, str):
        return bool(value)
    inner: Any = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return any(_says_something(one) for one in inner)


def _of_one_object(parsed: ParsedRequest) -> bool:
    """Whether all that may be wrong with the request is within one object."""
    return bool(parsed.conditions) and all(condition.pointer.count("/") > 3 for condition in parsed.conditions)


def _check_entry(parsed: ParsedRequest, status: int, entry: dict[str, Any], where: str) -> list[Finding]:
    findings = []
    if not _says_something(entry):
        text = "an entry of errors says nothing"
        findings.append(Finding("TS-REFUSE-BODY", text, where, "a text in it", entry))
    if status != 400 or not _of_one_object(parsed):
        return findings
    sections = [
        key for key in ("attributes", "events", "purchases") if isinstance(parsed.body, dict) and parsed.body.get(key)
    ]
    named = entry.get("input_array", NOTHING)
    if named is not NOTHING and sections and named not in sections:
        text = f"the error names the section {named!r}; the request has {' and '.join(sections)}"
        findings.append(Finding("TS-REFUSE-ENTRY", text, f"{where}/input_array", sections[0], named))
    index = entry.get("index", NOTHING)
    if index is not NOTHING and named in sections and not (is_integer(index) and index == 0):
        text = f"the error names the index {index!r} of 1 object"
        findings.append(Finding("TS-REFUSE-ENTRY", text, f"{where}/index", 0, index))
    return findings


def check_success(body: dict[str, Any]) -> tuple[Success, list[Finding]]:
    """Check message, errors and users of a 201 of /users/track/sync. Returns (what it shows, findings)."""
    findings = check_message(body)
    users = body.get("users", NOTHING)
    if users is NOTHING or users == []:
        return Success(False, None, users), findings
    where = f"{BODY}/users"
    if not isinstance(users, list):
        findings.append(Finding("TS-OK-USERS", "users is not a list", where, "a list of one entry", users))
        entry = users if isinstance(users, dict) else None
        return Success(None if entry is None else True, entry, users), findings
    if len(users) != 1:
        text = f"users has {len(users)} entries; the request names one user"
        findings.append(Finding("TS-OK-USERS", text, where, 1, len(users)))
    entry = next((one for one in users if isinstance(one, dict)), None)
    if entry is None:
        findings.append(
            Finding("TS-OK-USERS", "the entry of users is not an object", f"{where}/0", "an object", users[0])
        )
        return Success(None), findings
    return Success(True, entry, users), findings


def check_message(body: dict[str, Any]) -> list[Finding]:
    """Check that `message` is success and that there are no errors."""
    findings = []
    message = body.get("message", NOTHING)
    if message != "success":
        text = 'the message of a 201 is not "success"'
        findings.append(Finding("TS-OK-MESSAGE", text, f"{BODY}/message", "success", message))
    if body.get("errors"):
        text = "a success carries errors"
        findings.append(Finding("TS-OK-NO-ERRORS", text, f"{BODY}/errors", NOTHING, body["errors"]))
    return findings


def check_identifier(parsed: ParsedRequest, entry: dict[str, Any]) -> tuple[list[Finding], str | None]:
    """Check that the entry names the user as the request did.

    Returns (findings, interpretation): of the ambiguity integer-identifiers the one that is shown, or None.
    """
    if not parsed.identifiers:
        return [], None
    interpretation = None
    named = False
    for kind, value in parsed.identifiers:
        shown = entry.get(kind)
        if shown is None:
            continue
        if same(shown, value):
            named = True
            if kind == "external_id" and not isinstance(value, str):
                interpretation = "integer"
        elif kind == "external_id" and shown == name_key(value):
            named = True
            interpretation = "string"
        elif kind in _leading(parsed):  # others may be the profile's: further members are allowed
            text = f"the entry names another {kind} than the request"
            return [Finding("TS-OK-IDENTIFIER", text, f"{ENTRY}/{kind}", value, shown)], None
    if not named:
        kind, value = parsed.identifiers[0]
        text = f"the entry does not name the user by {kind} as the request did"
        others = {kind: entry[kind] for kind in bounds().identifiers if kind in entry}
        return [Finding("TS-OK-IDENTIFIER", text, f"{ENTRY}/{kind}", value, others or NOTHING)], None
    return [], interpretation


def _leading(parsed: ParsedRequest) -> set[str]:
    """The kinds of identifier that say which user the request means."""
    return {kind for kind, _ in parsed.identifiers if kind not in bounds().contacts} or {parsed.identifiers[0][0]}


def check_attributes_listed(
    parsed: ParsedRequest, entry: dict[str, Any]
) -> tuple[dict[str, Any] | None, list[Finding]]:
    """Returns (values by name, None where the list cannot be read; findings): only what the request names is listed."""
    listed = entry.get("custom_attributes")
    where = f"{ENTRY}/custom_attributes"
    if listed is None or listed == []:
        return {}, []
    if not isinstance(listed, dict):
        return None, [Finding("TS-OK-FORM", "custom_attributes is not an object", where, "an object", listed)]
    findings = []
    for name, value in listed.items():
        if name in parsed.attributes or name in bounds().older_fields.intersection(parsed.profile):
            continue
        custom = name not in bounds().object_members["attributes"]
        clause = "TS-OK-ONLY-ATTRIBUTES" if custom else "TS-OK-CUSTOM-ONLY"
        text = (
            f"custom_attributes lists {name!r}, which the request did not name"
            if custom
            else f"custom_attributes lists {name!r}, which is not a custom attribute"
        )
        findings.append(Finding(clause, text, f"{where}/{_escaped(name)}", NOTHING, value))
    return listed, findings


SECTION_MEMBERS = {"events": ("custom_events", "name"), "purchases": ("purchase_events", "product_id")}
ONLY = {"events": "TS-OK-ONLY-EVENTS", "purchases": "TS-OK-ONLY-PURCHASES"}


def check_other_sections(section: str, entry: dict[str, Any]) -> list[Finding]:
    """Check that the lists of other sections than the request's are left out or empty."""
    findings = []
    if section != "attributes" and entry.get("custom_attributes"):
        text = f"the response to one of {section} lists custom attributes"
        actual = entry["custom_attributes"]
        findings.append(Finding("TS-OK-ONLY-ATTRIBUTES", text, f"{ENTRY}/custom_attributes", NOTHING, actual))
    for other, (member, _) in SECTION_MEMBERS.items():
        if other != section and entry.get(member):
            text = f"the response to one of {section} lists {member}"
            findings.append(Finding(ONLY[other], text, f"{ENTRY}/{member}", NOTHING, entry[member]))
    return findings


def read_counter(parsed: ParsedRequest, entry: dict[str, Any]) -> tuple[dict[str, Any] | None, str, list[Finding]]:
    """Find the request's event or product in the entry.

    Returns (element, pointer, findings): what is listed, or None; the JSON Pointer to it, or to the list.
    """
    assert parsed.counter is not None
    section = parsed.counter.section
    member, key = SECTION_MEMBERS[section]
    listed = entry.get(member)
    where = f"{ENTRY}/{member}"
    wanted = parsed.counter.name
    clause = "TS-EVENT-NAME" if section == "events" else "TS-PURCHASE-PRODUCT"
    if listed is None or listed == [] or listed == {}:
        text = f"the response does not show {wanted!r}"
        return None, where, [Finding("TS-OK-SHOWS", text, where, wanted, NOTHING if listed is None else listed)]
    if not isinstance(listed, list) or not all(isinstance(one, dict) for one in listed):
        return None, where, [Finding("TS-OK-FORM", f"{member} is not a list of objects", where, "a list", listed)]
    findings: list[Finding] = []
    match: dict[str, Any] | None = None
    pointer = where
    for index, one in enumerate(listed):
        shown = one.get(key, NOTHING)
        if _named(wanted, shown) and match is None:
            match, pointer = one, f"{where}/{index}"
        elif len(listed) == 1:
            text = f"the response shows {shown!r} where the request named {wanted!r}"
            findings.append(Finding(clause, text, f"{where}/{index}/{key}", wanted, shown))
            match, pointer = one, f"{where}/{index}"
        else:
            text = f"{member} lists {shown!r} beside what the request named"
            findings.append(Finding(ONLY[section], text, f"{where}/{index}", NOTHING, one))
    if match is None:
        findings.append(Finding("TS-OK-SHOWS", f"the response does not show {wanted!r}", where, wanted, listed))
    return match, pointer, findings


def check_too_long(parsed: ParsedRequest, body: dict[str, Any]) -> list[Finding]:
    """Check that a product_id over the documented length is not recorded as it is; it may be refused or ignored."""
    if parsed.counter is None or not parsed.counter.too_long:
        return []
    users = body.get("users")
    entry = users[0] if isinstance(users, list) and users and isinstance(users[0], dict) else {}
    listed = entry.get("purchase_events")
    for index, one in enumerate(listed if isinstance(listed, list) else []):
        if isinstance(one, dict) and one.get("product_id") == parsed.counter.name:
            text = f"a product_id of {len(parsed.counter.name)} characters was recorded"
            where = f"{ENTRY}/purchase_events/{index}/product_id"
            most = f"at most {bounds().product_id_characters} characters"
            return [Finding("TS-PURCHASE-PRODUCT-LENGTH", text, where, most, parsed.counter.name)]
    return []


def _named(wanted: Any, shown: Any) -> bool:
    return same(wanted, shown) or bool(shown == name_key(wanted))


def read_shown(element: dict[str, Any], where: str) -> tuple[ShownCounter | None, list[Finding]]:
    """Read count, first and last of one listed element. Returns (what they show, None with findings; findings)."""
    findings = []
    count = element.get("count", NOTHING)
    if not is_integer(count) or count < 1:
        text = "count is not a positive integer"
        findings.append(Finding("TS-OK-COUNT-FORM", text, f"{where}/count", "a positive integer", count))
    instants: dict[str, int] = {}
    for key in ("first", "last"):
        value = element.get(key, NOTHING)
        time = read_time(value) if isinstance(value, str) and value == value.strip() else None
        if time is None or time.instant is None or time.certainty is Certainty.NOT:
            text = f"{key} is not an ISO 8601 time"
            findings.append(Finding("TS-OK-TIME-FORM", text, f"{where}/{key}", "an ISO 8601 time", value))
        else:
            instants[key] = time.instant
    if len(instants) == 2 and instants["first"] > instants["last"]:
        text = "first is after last"
        actual = f"{element['first']} > {element['last']}"
        findings.append(Finding("TS-OK-TIME-FORM", text, f"{where}/first", "first <= last", actual))
    if findings:
        return None, findings
    return ShownCounter(int(count), instants["first"], instants["last"]), []


def _escaped(name: str) -> str:
    return name.replace("~", "~0").replace("/", "~1")


def pointer_to_attribute(name: str) -> str:
    """The JSON Pointer of one custom attribute in the response."""
    return f"{ENTRY}/custom_attributes/{_escaped(name)}"
