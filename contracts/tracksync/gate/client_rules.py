"""What one request of a client owes the documents, read alone: form, key, members, limits.

Knows nothing of time, of answers or of other requests. The interpretation of requests is the oracle's (`read_request`): where
a server must refuse, the client was wrong. Beyond that a client owes more than a server may demand: a price in quotes
may be accepted, but the documents ask for a number.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Any, Final

from tracksync.contract.limits import (
    ARRAY_MAX,
    CONTROL_KEYS,
    IDENTIFIERS,
    OBJECT_BYTES,
    PRODUCT_ID_CHARACTERS,
    PROPERTY_COUNT,
    PROPERTY_NAME_CHARACTERS,
    QUANTITY_MAX,
    SECTIONS,
    STRING_CHARACTERS,
    TRACK_OBJECTS,
)
from tracksync.model.exchange import Credential
from tracksync.model.finding import NOTHING, Finding
from tracksync.oracle.request import PATHS, ParsedRequest, Refusal, objects_of, read_request
from tracksync.values.identifiers import attribute_kind
from tracksync.values.jsontext import read_json
from tracksync.values.numbers import is_integer, is_number
from tracksync.values.objects import ObjectProblem, problems, serialized_size
from tracksync.values.text import length
from tracksync.values.times import Certainty, read_time
from tracksync.wire.observed import KeyForm, Observed

SYNC_PATH: Final = "/users/track/sync"
EVERY_REQUEST: Final = frozenset({"TC-URL", "TC-METHOD", "TC-MEDIA", "TC-JSON", "TC-BODY-SIZE", "TC-DOUBT"})
EVERY_OBJECT: Final = frozenset({"TC-IDENTIFIER", "TC-TYPES"})
KEY_CLAUSES: Final = frozenset({"TC-KEY-SENT", "TC-KEY-BEARER", "TC-KEY-UNQUOTED", "TC-KEY-HEADER-ONLY"})

# Where a server refuses, or may, for this clause of its own, the client broke that one of its.
_MIRROR: Final = {
    "TS-REFUSE-SYNTAX": "TC-JSON",
    "TS-REFUSE-EMPTY": "TC-ONE-OBJECT",
    "TS-REFUSE-SECTIONS": "TC-ONE-OBJECT",
    "TS-REFUSE-OBJECTS": "TC-ONE-OBJECT",
    "TS-REFUSE-IDENTIFIER": "TC-IDENTIFIER",
    "TS-REFUSE-ALIAS": "TC-ALIAS",
    "TS-REFUSE-TYPE": "TC-TYPES",
    "TS-ROUTE-URL": "TC-URL",
    "TS-ROUTE-METHOD": "TC-METHOD",
    "TS-EVENT-NAME-REQUIRED": "TC-EVENT-NAME",
    "TS-EVENT-TIME-REQUIRED": "TC-EVENT-TIME",
    "TS-EVENT-TIME-VALID": "TC-EVENT-TIME",
    "TS-EVENT-RESERVED": "TC-PROPERTY-RESERVED",
    "TS-PURCHASE-PRODUCT-REQUIRED": "TC-PURCHASE-PRODUCT",
    "TS-PURCHASE-CURRENCY-REQUIRED": "TC-PURCHASE-CURRENCY",
    "TS-PURCHASE-CURRENCY-VALID": "TC-PURCHASE-CURRENCY",
    "TS-PURCHASE-PRICE-REQUIRED": "TC-PURCHASE-PRICE",
    "TS-PURCHASE-QUANTITY": "TC-PURCHASE-QUANTITY",
    "TS-PURCHASE-TIME-REQUIRED": "TC-PURCHASE-TIME",
}
_MIRROR_OF_MAY: Final = {"TS-ROUTE-MEDIA": "TC-MEDIA", "TS-ROUTE-SIZE": "TC-BODY-SIZE"}
_NO_JSON: Final = {
    "bom": "a byte order mark stands before the JSON text",
    "nan": "NaN and Infinity are no JSON",
    "not-utf8": "the body is not UTF-8",
}
# What a server may refuse for reasons that no client can help: an app or an address that a workspace does not have.
_NOISE: Final = ("/app_id", "/request/path")


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
    findings += _ground_findings(parsed.refusals)
    if parsed.endpoint == "unclear":
        findings += _unclear(observed)
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
            findings += _ground_findings(one.refusals)
    return RequestFindings(parsed, _once(findings), frozenset(covered))


def _is_meant_for_us(path: str) -> bool:
    tidy = "/" + "/".join(part for part in path.lower().split("/") if part)
    if tidy in PATHS or ("track" in tidy and "sync" in tidy):
        return True
    return any(tidy.endswith(known) for known in PATHS) or bool(difflib.get_close_matches(tidy, PATHS, 1, 0.85))


def _unclear(observed: Observed) -> Iterator[Finding]:
    request = observed.exchange.request
    path = request.path.partition("?")[0]
    if path not in PATHS:
        yield Finding("TC-URL", "the URL is another spelling of the documented one", "/request/path", SYNC_PATH, path)
    elif request.method != "POST":
        yield Finding("TC-METHOD", f"the method is {request.method}", "/request/method", "POST", request.method)


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


# --- grounds of the oracle ------------------------------------------------------------------------------------------


def _ground_findings(refusals: Iterable[Refusal]) -> Iterator[Finding]:
    for refusal in refusals:
        if refusal.must:
            yield Finding(_MIRROR.get(refusal.clause, "TC-TYPES"), refusal.why, refusal.pointer)
        elif refusal.clause in _MIRROR_OF_MAY:
            yield Finding(_MIRROR_OF_MAY[refusal.clause], refusal.why, refusal.pointer)
        elif not refusal.pointer.endswith(_NOISE):
            open_ambiguity = f"; ambiguity {refusal.ambiguity} of the ambiguities" if refusal.ambiguity else ""
            text = f"{refusal.why}: some lawful servers refuse this{open_ambiguity}"
            yield Finding("TC-DOUBT", text, refusal.pointer)


def _quirks(body: bytes) -> Iterator[Finding]:
    text = read_json(body)
    for quirk in sorted(text.quirks & _NO_JSON.keys()):
        yield Finding("TC-JSON", _NO_JSON[quirk], "/request/body")


def _once(findings: list[Finding]) -> tuple[Finding, ...]:
    """The findings without repetition; doubt about a place where a clause is broken says nothing more."""
    broken = {finding.pointer for finding in findings if finding.clause != "TC-DOUBT"}
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
    for section in SECTIONS:
        value = parsed.body.get(section)
        for index, target in enumerate(value if isinstance(value, list) else [value]):
            if isinstance(target, dict):
                yield section, f"/request/body/{section}/{index}", target


def _batch(parsed: ParsedRequest) -> Iterator[Finding]:
    number = sum(1 for _ in _objects(parsed))
    if number > TRACK_OBJECTS:
        text = f"the request carries {number} objects"
        yield Finding("TC-TRACK-BATCH", text, "/request/body", TRACK_OBJECTS, number)


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
    for flag in ("_update_existing_only", "_merge_objects", "push_token_import"):
        if flag in target and not isinstance(target[flag], bool):
            yield Finding("TC-TYPES", f"{flag} is no boolean", f"{where}/{flag}", True, target[flag])
    if section == "attributes":
        for name, value in _custom(target).items():
            yield from _attribute(f"{where}/{name}", value)
        return
    yield from _time(section, where, target)
    yield from _properties(where, target)
    if section == "purchases":
        yield from _purchase(where, target)


def _custom(target: dict[str, Any]) -> dict[str, Any]:
    skipped = CONTROL_KEYS | set(IDENTIFIERS)
    return {name: value for name, value in target.items() if name not in skipped and attribute_kind(name) == "custom"}


def _attribute(where: str, value: Any) -> Iterator[Finding]:
    if isinstance(value, str):
        if _too_long(value):
            yield _over("TC-STRING-LIMIT", "a string", where, STRING_CHARACTERS, len(value))
    elif isinstance(value, list):
        yield from _array(where, value)
    elif isinstance(value, dict):
        yield from _object(where, value)


def _array(where: str, items: list[Any]) -> Iterator[Finding]:
    if all(isinstance(item, dict) for item in items):
        yield from _nested(where, items)
        return
    if len(items) > ARRAY_MAX:
        yield _over("TC-ARRAY-LIMIT", "an array", where, ARRAY_MAX, len(items), "elements")
    for index, item in enumerate(items):
        if isinstance(item, str) and _too_long(item):
            yield _over("TC-STRING-LIMIT", "a string", f"{where}/{index}", STRING_CHARACTERS, len(item))


def _object(where: str, value: dict[str, Any]) -> Iterator[Finding]:
    if value.keys() == {"inc"}:
        if not (is_number(value["inc"]) and is_integer(value["inc"])):
            yield Finding("TC-TYPES", "inc is no integer", f"{where}/inc", 1, value["inc"])
    elif value.keys() <= {"add", "remove"} and value:
        for name, items in value.items():
            if isinstance(items, list):
                yield from _array(f"{where}/{name}", items)
            else:
                yield Finding("TC-TYPES", f"{name} is no array", f"{where}/{name}", [], items)
    elif value.keys() & {"$add", "$update", "$remove"}:
        for name, items in value.items():
            if not isinstance(items, list):
                yield Finding("TC-TYPES", f"{name} is no array", f"{where}/{name}", [], items)
                continue
            if name == "$add":
                yield from _nested(f"{where}/{name}", items)
            elif name == "$update":
                new = [item.get("$new_object", {}) for item in items if isinstance(item, dict)]
                yield from _nested(f"{where}/{name}", new)
    else:
        yield from _nested(where, value)


_PROBLEMS: Final = {
    ObjectProblem.NULL: "there is a null in an object: the whole update is dropped",
    ObjectProblem.BAD_TIME: "there is an ill-formed $time in an object: the whole update is dropped",
    ObjectProblem.KEY_NAME: "a key of an object has a dot, a dollar sign or a space in it",
    ObjectProblem.KEY_LENGTH: "a key of an object is over 255 characters",
}


def _nested(where: str, value: Any) -> Iterator[Finding]:
    found = problems(value, "code-points") & problems(value, "utf16")  # wrong however characters are counted
    for problem in sorted(found):
        if problem in _PROBLEMS:
            yield Finding("TC-OBJECT-VALID", _PROBLEMS[problem], where)
        elif problem is ObjectProblem.STRING_LENGTH:
            yield Finding("TC-STRING-LIMIT", f"a string in an object is over {STRING_CHARACTERS} characters", where)
        else:
            size = serialized_size(value)
            yield _over("TC-OBJECT-SIZE", "an object", where, OBJECT_BYTES, size, "bytes")


def _time(section: str, where: str, target: dict[str, Any]) -> Iterator[Finding]:
    value = target.get("time")
    clause = "TC-EVENT-TIME" if section == "events" else "TC-PURCHASE-TIME"
    example = "2030-01-01T12:00:00Z"
    if isinstance(value, str):
        time = read_time(value)
        if time.certainty is not Certainty.NOT and not time.zoned:
            yield Finding("TC-TIME-ZONE", "the time has no zone", f"{where}/time", example, value)
    elif value is not None:
        yield Finding(clause, "time is no text in a documented form", f"{where}/time", example, value)


def _properties(where: str, target: dict[str, Any]) -> Iterator[Finding]:
    if "properties" not in target:
        return
    value = target["properties"]
    where = f"{where}/properties"
    if not isinstance(value, dict):
        yield Finding("TC-TYPES", "properties is no object", where, {}, value)
        return
    for name, item in value.items():
        if not name or name.startswith("$") or _too_long(name, PROPERTY_NAME_CHARACTERS):
            text = "a property's name is empty, begins with a dollar sign or is over 255 characters"
            yield Finding("TC-PROPERTY-NAMES", text, f"{where}/{name}", NOTHING, name)
        if isinstance(item, str) and _too_long(item):
            yield _over("TC-PROPERTY-LIMIT", "a property's text", f"{where}/{name}", STRING_CHARACTERS, len(item))
    if len(value) > PROPERTY_COUNT:
        text = f"there are {len(value)} properties; only the first {PROPERTY_COUNT} are kept"
        yield Finding("TC-PROPERTY-LIMIT", text, where, PROPERTY_COUNT, len(value))
    size = serialized_size(value)
    if size > OBJECT_BYTES:
        yield _over("TC-OBJECT-SIZE", "the properties", where, OBJECT_BYTES, size, "bytes")


def _purchase(where: str, target: dict[str, Any]) -> Iterator[Finding]:
    product, price, quantity = target.get("product_id"), target.get("price"), target.get("quantity", 1)
    if isinstance(product, str) and _too_long(product, PRODUCT_ID_CHARACTERS):
        yield _over("TC-PURCHASE-PRODUCT", "product_id", f"{where}/product_id", PRODUCT_ID_CHARACTERS, len(product))
    if price is not None and not is_number(price):
        yield Finding("TC-PURCHASE-PRICE", "price is no number", f"{where}/price", 9.99, price)
    if not (is_number(quantity) and is_integer(quantity) and quantity <= QUANTITY_MAX):
        text = f"quantity is no integer of at most {QUANTITY_MAX}"
        yield Finding("TC-PURCHASE-QUANTITY", text, f"{where}/quantity", QUANTITY_MAX, quantity)


def _too_long(text: str, limit: int = STRING_CHARACTERS) -> bool:
    """Longer than `limit` however characters are counted (row string-length)."""
    return len(text) > limit and length(text, "utf16") > limit


def _over(clause: str, what: str, where: str, limit: int, size: int, unit: str = "characters") -> Finding:
    return Finding(clause, f"{what} has {size} {unit}, over the limit of {limit}", where, limit, size)
