"""What the documents ask of one request of a client, taken alone: form, key, members, limits.

Knows nothing of time, of responses or of other requests. Where the contract says that a request is refused, the client
was wrong; where it leaves that open, the table of refusals says which clause the client broke. What a server accepts
and does not apply, or cuts, is the client's fault as well: those bounds are checked here.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Any, Final

from tracksync.contract.bounds import bounds
from tracksync.contract.clauses import client_clauses
from tracksync.contract.conditions import Condition
from tracksync.model.exchange import Credential
from tracksync.model.finding import Finding
from tracksync.oracle.request import PATHS, ParsedRequest, objects_of, read_request
from tracksync.values.jsontext import read_json
from tracksync.values.objects import ObjectProblem, problems, serialized_size
from tracksync.values.text import length
from tracksync.values.times import Certainty, read_time
from tracksync.wire.observed import KeyForm, Observed

EVERY_REQUEST: Final = frozenset({"TC-URL", "TC-METHOD", "TC-MEDIA", "TC-JSON", "TC-BODY-SIZE", "TC-DOUBT"})
EVERY_OBJECT: Final = frozenset({"TC-IDENTIFIER", "TC-TYPES"})
KEY_CLAUSES: Final = frozenset({"TC-KEY-SENT", "TC-KEY-BEARER", "TC-KEY-UNQUOTED", "TC-KEY-HEADER-ONLY"})
_REDUCED: Final = re.compile(r"\d{4}(?:-?\d{2,4})?")  # ISO 8601 without a day of the month, or without hyphens
_NO_JSON: Final = {
    "bom": "a byte order mark stands before the JSON text",
    "nan": "NaN and Infinity are not JSON",
    "not-utf8": "the body is not UTF-8",
}


@dataclass(frozen=True, slots=True)
class RequestFindings:
    """One request as the rules see it. `ours`: it went to an endpoint that this project knows, or was meant to."""

    parsed: ParsedRequest
    findings: tuple[Finding, ...]
    covered: frozenset[str]
    ours: bool = True


def read_client_request(observed: Observed) -> RequestFindings:
    """Check the request of `observed` alone. Never raises."""
    # What the key is worth is checked from KeyUse; to the rules about the rest of the request it is a good one.
    parsed = read_request(replace(observed.exchange, credential=Credential.VALID))
    path = observed.exchange.request.path.partition("?")[0]
    ours = parsed.endpoint not in ("nowhere", "unclear") or _is_meant_for_us(path)
    findings = list(_key_findings(observed))
    covered = set(KEY_CLAUSES)
    if not ours:
        return RequestFindings(parsed, tuple(findings), frozenset(covered), ours=False)
    covered |= EVERY_REQUEST
    findings += _findings(parsed.conditions)
    if parsed.endpoint not in ("nowhere", "unclear", "wrong-method"):
        findings += _quirks(observed.exchange.request.body)
    if parsed.endpoint == "sync":
        covered.add("TC-ONE-OBJECT")
    for section, where, target in _objects(parsed):
        covered |= _covered(section, target)
        findings += _object_findings(section, where, target)
    if parsed.endpoint == "track":
        covered.add("TC-TRACK-BATCH")
        findings += _batch(parsed)
        for one in objects_of(parsed):
            findings += _findings(one.conditions)
    return RequestFindings(parsed, _once(findings), frozenset(covered))


def _is_meant_for_us(path: str) -> bool:
    tidy = "/" + "/".join(part for part in path.lower().split("/") if part)
    if tidy in PATHS or ("track" in tidy and "sync" in tidy):
        return True
    return any(tidy.endswith(known) for known in PATHS) or bool(difflib.get_close_matches(tidy, PATHS, 1, 0.85))


# --- the key -----------------------------------------------------------------------------------------------------

_FORMS: Final = {
    KeyForm.MISSING: ("TC-KEY-SENT", "the request carries no key"),
    KeyForm.OTHER: ("TC-KEY-SENT", "the request carries another key than the one that the client was given"),
    KeyForm.QUOTED: ("TC-KEY-UNQUOTED", "the key is wrapped in quotes"),
    KeyForm.SPELLED: ("TC-KEY-BEARER", "the Authorization header is not `Bearer`, one space, and the key"),
}


def _key_findings(observed: Observed) -> Iterator[Finding]:
    if observed.key.form in _FORMS:
        clause, why = _FORMS[observed.key.form]
        yield Finding(clause, why, "/request/headers/authorization", "Bearer $KEY")
    for place in observed.key.elsewhere:
        yield Finding("TC-KEY-HEADER-ONLY", f"the key stands in {place.removeprefix('/request/')} as well", place)


# --- what the contract says of the request ------------------------------------------------------------------------


def _findings(conditions: Iterable[Condition]) -> Iterator[Finding]:
    for condition in conditions:
        if condition.refused:
            yield Finding(client_clauses().get(condition.clause, "TC-TYPES"), condition.reason, condition.pointer)
        elif condition.client != "none":
            text = condition.reason
            if condition.client == "TC-DOUBT":
                ambiguity = f" (ambiguity {condition.ambiguity})" if condition.ambiguity else ""
                text = f"{text}: some lawful servers refuse this{ambiguity}"
            yield Finding(condition.client, text, condition.pointer)


def _quirks(body: bytes) -> Iterator[Finding]:
    text = read_json(body)
    for quirk in sorted(text.quirks & _NO_JSON.keys()):
        yield Finding("TC-JSON", _NO_JSON[quirk], "/request/body")


def _once(findings: list[Finding]) -> tuple[Finding, ...]:
    """The findings without repetition; doubt about a place where a clause is broken says nothing more."""
    broken = {finding.pointer for finding in findings if finding.clause not in ("TC-DOUBT", "TC-TIME-ZONE")}
    kept = {
        (finding.clause, finding.pointer): finding
        for finding in findings
        if finding.clause != "TC-DOUBT" or finding.pointer not in broken
    }
    return tuple(kept.values())


# --- objects ------------------------------------------------------------------------------------------------------


def _objects(parsed: ParsedRequest) -> Iterator[tuple[str, str, dict[str, Any]]]:
    if parsed.endpoint not in ("sync", "track") or not isinstance(parsed.body, dict):
        return
    for section in bounds().sections:
        value = parsed.body.get(section)
        for index, target in enumerate(value if isinstance(value, list) else [value]):
            if isinstance(target, dict):
                yield section, f"/request/body/{section}/{index}", target


def _batch(parsed: ParsedRequest) -> Iterator[Finding]:
    number = sum(1 for _ in _objects(parsed))
    most = bounds().track_objects
    if number > most:
        yield Finding("TC-TRACK-BATCH", f"the request carries {number} objects", "/request/body", most, number)


_BY_SECTION: Final = {
    "attributes": frozenset[str](),
    "events": frozenset({"TC-EVENT-NAME", "TC-EVENT-TIME", "TC-TIME-ZONE"}),
    "purchases": frozenset(
        {
            "TC-PURCHASE-PRODUCT",
            "TC-PURCHASE-CURRENCY",
            "TC-PURCHASE-PRICE",
            "TC-PURCHASE-QUANTITY",
            "TC-PURCHASE-TIME",
            "TC-TIME-ZONE",
        }
    ),
}


def _covered(section: str, target: dict[str, Any]) -> set[str]:
    found = set(EVERY_OBJECT | _BY_SECTION[section])
    if "user_alias" in target:
        found.add("TC-ALIAS")
    if section == "attributes":
        for value in _custom(target).values():
            if isinstance(value, str):
                found.add("TC-STRING-LIMIT")
            elif isinstance(value, list):
                found.add("TC-ARRAY-LIMIT")
            elif isinstance(value, dict):
                found |= {"TC-OBJECT-VALID", "TC-OBJECT-SIZE"}
    elif isinstance(target.get("properties"), dict):
        found |= {"TC-PROPERTY-RESERVED", "TC-PROPERTY-NAMES", "TC-PROPERTY-LIMIT", "TC-OBJECT-SIZE"}
    return found


def _object_findings(section: str, where: str, target: dict[str, Any]) -> Iterator[Finding]:
    if section == "attributes":
        for name, value in _custom(target).items():
            yield from _attribute(f"{where}/{name}", value)
        return
    yield from _time("TC-EVENT-TIME" if section == "events" else "TC-PURCHASE-TIME", where, target.get("time"))
    properties = target.get("properties")
    if isinstance(properties, dict):
        yield from _properties(f"{where}/properties", properties)
    product, limit = target.get("product_id"), bounds().product_id_characters
    if section == "purchases" and isinstance(product, str) and _too_long(product, limit):
        yield _over("TC-PURCHASE-PRODUCT", "product_id", f"{where}/product_id", limit, len(product))


def _custom(target: dict[str, Any]) -> dict[str, Any]:
    known = bounds().object_members["attributes"]
    return {name: value for name, value in target.items() if name not in known}


def _attribute(where: str, value: Any) -> Iterator[Finding]:
    if isinstance(value, str):
        yield from _text("TC-STRING-LIMIT", "a string", where, value, bounds().text_characters)
    elif isinstance(value, list):
        yield from _array(where, value)
    elif isinstance(value, dict):
        yield from _object(where, value)


def _array(where: str, items: list[Any]) -> Iterator[Finding]:
    if all(isinstance(item, dict) for item in items):
        yield from _nested(where, items)
        return
    limits = bounds()
    if len(items) > limits.array_elements.most:
        yield _over("TC-ARRAY-LIMIT", "an array", where, limits.array_elements.most, len(items), "elements")
    for index, item in enumerate(items):
        yield from _text("TC-STRING-LIMIT", "a string", f"{where}/{index}", item, limits.nested_characters)


def _object(where: str, value: dict[str, Any]) -> Iterator[Finding]:
    """An object, or the new values of an edit; whether the edit has a documented form is the contract's to say."""
    if value and value.keys() <= {"inc", "add", "remove"}:
        for name in ("add", "remove"):
            if isinstance(value.get(name), list):
                yield from _array(f"{where}/{name}", value[name])
    elif value.keys() & {"$add", "$update", "$remove"}:
        yield from _nested(f"{where}/$add", value.get("$add", []))
        updates = value.get("$update")
        new = (
            [item.get("$new_object") for item in updates if isinstance(item, dict)] if isinstance(updates, list) else []
        )
        yield from _nested(f"{where}/$update", [item for item in new if isinstance(item, dict)])
    else:
        yield from _nested(where, value)


_PROBLEMS: Final = {
    ObjectProblem.NULL: "there is a null in an object: the whole update is dropped",
    ObjectProblem.BAD_TIME: "there is an ill-formed $time in an object: the whole update is dropped",
    ObjectProblem.KEY_NAME: "a key of an object has a dot, a dollar sign or a space in it",
    ObjectProblem.KEY_LENGTH: "a key of an object is over {characters} characters",
}


def _nested(where: str, value: Any) -> Iterator[Finding]:
    limits = bounds().object_limits
    found = problems(value, "code-points", limits) & problems(value, "utf16", limits)  # however characters are counted
    for problem in sorted(found):
        if problem in _PROBLEMS:
            yield Finding("TC-OBJECT-VALID", _PROBLEMS[problem].format(characters=limits.characters), where)
        elif problem is ObjectProblem.STRING_LENGTH:
            yield Finding("TC-STRING-LIMIT", f"a string in an object is over {limits.characters} characters", where)
        else:
            yield _over("TC-OBJECT-SIZE", "an object", where, limits.most_bytes, serialized_size(value), "bytes")


def _time(clause: str, where: str, value: Any) -> Iterator[Finding]:
    if isinstance(value, str):
        time = read_time(value)
        if time.certainty is Certainty.LENIENT and time.year is None and not _REDUCED.fullmatch(value.strip()):
            yield Finding(clause, "the time has none of the documented forms", f"{where}/time", "ISO 8601", value)
        elif time.certainty is not Certainty.NOT and not time.zoned:
            yield Finding("TC-TIME-ZONE", "the time has no zone", f"{where}/time", "2030-01-01T12:00:00Z", value)


def _properties(where: str, value: dict[str, Any]) -> Iterator[Finding]:
    limits = bounds()
    for name, item in value.items():
        yield from _text("TC-PROPERTY-LIMIT", "a property's text", f"{where}/{name}", item, limits.nested_characters)
    if len(value) > limits.properties_count:
        text = f"there are {len(value)} properties; only the first {limits.properties_count} are kept"
        yield Finding("TC-PROPERTY-LIMIT", text, where, limits.properties_count, len(value))
    size, most = serialized_size(value), limits.properties_bytes.most
    if size > most:
        yield _over("TC-OBJECT-SIZE", "the properties", where, most, size, "bytes")


def _text(clause: str, what: str, where: str, value: Any, limit: int) -> Iterator[Finding]:
    if isinstance(value, str) and _too_long(value, limit):
        yield _over(clause, what, where, limit, len(value))


def _too_long(text: str, limit: int) -> bool:
    """Longer than `limit` however characters are counted (ambiguity string-length)."""
    return len(text) > limit and length(text, "utf16") > limit


def _over(clause: str, what: str, where: str, limit: int, size: int, unit: str = "characters") -> Finding:
    return Finding(clause, f"{what} has {size} {unit}, over the limit of {limit}", where, limit, size)
