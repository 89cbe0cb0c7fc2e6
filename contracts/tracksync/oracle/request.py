"""Step one: read the request alone. Which user does it name, what does it write, and what does a server owe it?

What is refused, open or valid is the contract's to say (`contract.classify`); here the request is read. Knows nothing
of belief, responses or state.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from typing import Any, Final

from msgspec import Struct, field
from msgspec.structs import replace

from tracksync.contract.bounds import DELETE, EXPORT, SYNC, TRACK, bounds
from tracksync.contract.classify import USUAL, VALID, Classification, Line, classify, classify_object, place_of
from tracksync.contract.conditions import Condition
from tracksync.model.exchange import Exchange, Headers, header, media_type
from tracksync.oracle.identifiers import CellKey
from tracksync.oracle.request_object import (
    CounterWrite,
    covered_by_object,
    read_attributes,
    read_counter,
    read_identifiers,
)
from tracksync.values.jsontext import JsonText, read_json

PATHS: Final = {SYNC: "sync", TRACK: "track", DELETE: "delete", EXPORT: "export"}
_CHECKED_METHODS: Final = ("GET", "POST", "PUT", "DELETE", "PATCH")
_ANSWERS: Final = {  # the clause on the response of each endpoint but sync
    "track": "TS-TRACK-ACCEPTED",
    "delete": "TS-DELETE-ANSWER",
    "export": "TS-EXPORT-ANSWER",
}


class ParsedRequest(Struct, frozen=True, gc=False):
    """What one request asks for.

    `endpoint`: sync, track, delete or export; nowhere, wrong-method, or unclear for what is not checked here.
    `vague`: what it does when it is accepted cannot be checked.
    `unread`: a server may read it in another way, so that it may touch whatever its texts name.
    `covers`: clauses that its acceptance covers.
    """

    endpoint: str
    classification: Classification = VALID
    section: str | None = None
    identifiers: tuple[tuple[str, Any], ...] = ()
    update_only: bool | None = None
    update_unclear: bool = False
    attributes: dict[str, Any] = field(default_factory=dict)
    odd_attributes: frozenset[str] = frozenset()
    profile: dict[str, Any] = field(default_factory=dict)
    merge: bool | None = False  # None: unclear
    counter: CounterWrite | None = None
    vague: bool = False
    unread: bool = False
    covers: frozenset[str] = frozenset()
    body: Any = None

    @property
    def conditions(self) -> tuple[Condition, ...]:
        """Why a server must or may refuse the request."""
        return self.classification.conditions

    @property
    def refused(self) -> bool:
        """Whether the documents say that the request is refused."""
        return self.classification.refused

    def cells(self) -> tuple[CellKey, ...]:
        """The cells that the request writes."""
        if self.counter is not None:
            return (cell_key(self.counter.section, name_key(self.counter.name)),)
        return tuple(cell_key("attributes", name) for name in self.attributes)


def name_key(name: Any) -> str:
    """Under which text an event or product is remembered: an integer and its decimal text are one."""
    return str(name)


@lru_cache(maxsize=4096)
def cell_key(section: str, name: str) -> CellKey:
    """The key of a cell: one object for the cells of many users, which all hold it."""
    return section, name


def read_request(exchange: Exchange) -> ParsedRequest:
    """What `exchange`'s request asks for. Never raises."""
    request = exchange.request
    text = read_json(request.body)
    line = _line(request.method, request.path, request.headers, exchange.credential)
    parsed = _read(request.body, text, line)
    if line.encoding in ("", "identity") and isinstance(text.value, dict) and not text.quirks & _READ_OTHERWISE:
        return parsed
    return replace(parsed, unread=True)


def endpoint_of(exchange: Exchange) -> str:
    """The endpoint that a request is sent to, as ParsedRequest has it."""
    request = exchange.request
    if request.method == "POST" and request.path == SYNC:
        return "sync"
    return _endpoint(_line(request.method, request.path, request.headers, exchange.credential))


@lru_cache(maxsize=1024)
def _line(method: str, path: str, headers: Headers, credential: str) -> Line:
    """The request without its body. A client mostly sends the same headers."""
    encoding = (header(headers, "content-encoding") or "").lower()
    return Line(method, path.partition("?")[0], media_type(headers), encoding, credential)


def _read(body: bytes, text: JsonText, line: Line) -> ParsedRequest:
    endpoint = "sync" if line == USUAL else _endpoint(line)
    classification = classify(line, body, text)
    if endpoint not in _ENDPOINTS:
        return ParsedRequest(endpoint, classification, vague=endpoint == "unclear")
    covers = _covered(classification)
    vague = not classification.effect_known
    if not isinstance(text.value, dict):
        return ParsedRequest(endpoint, classification, vague=vague, covers=covers)
    if endpoint != "sync":
        if not any(one.pointer.startswith("/request/body") for one in classification.conditions):
            covers |= {_ANSWERS[endpoint]}
        return ParsedRequest(endpoint, classification, vague=vague, covers=covers, body=text.value)
    section, target, where = _object(text.value)
    if section is None or target is None:
        return ParsedRequest(endpoint, classification, section, vague=vague, covers=covers, body=text.value)
    return _read_object(section, target, where, classification, covers, text.value)


def objects_of(parsed: ParsedRequest) -> list[ParsedRequest]:
    """The single objects of a /users/track request, each read as if it stood alone."""
    found = []
    for section, index, target in _placed(parsed.body) if isinstance(parsed.body, dict) else ():
        where = f"/request/body/{section}/{index}"
        classification = classify_object(section, target, where)
        covers = _covered(classification)
        found.append(_read_object(section, target, where, classification, covers, None))
    return found


def objects_in(body: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """The single objects of the body of a batch, in the order of `objects_of`."""
    return (target for _, _, target in _placed(body))


def targets_in(body: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Every object of a request, also one that does not stand in an array."""
    for section in bounds().sections:
        value = body.get(section)
        for target in value if isinstance(value, list) else (value,):
            if isinstance(target, dict):
                yield target


def _placed(body: dict[str, Any]) -> Iterator[tuple[str, int, dict[str, Any]]]:
    """Each object of a batch: its section, its index there, and itself."""
    for section in bounds().sections:
        value = body.get(section)
        for index, target in enumerate(value if isinstance(value, list) else ()):
            if isinstance(target, dict):
                yield section, index, target


def _covered(classification: Classification) -> frozenset[str]:
    """The clauses that acceptance of the request covers because of what is open about it."""
    if not classification.conditions:
        return _NOTHING
    return frozenset(one.clause for one in classification.conditions if one.covers)


def _endpoint(line: Line) -> str:
    place = place_of(line)
    if place != "known":
        return "nowhere" if place == "wrong" else "unclear"
    if line.method == "POST":
        return PATHS[line.path]
    return "wrong-method" if line.method in _CHECKED_METHODS else "unclear"


def _object(body: dict[str, Any]) -> tuple[str | None, dict[str, Any] | None, str]:
    """The first section that holds something, the object in it if it is one, and its JSON Pointer."""
    for section in bounds().sections:
        value = body.get(section)
        if isinstance(value, dict) or (isinstance(value, list) and value):
            target = value[0] if isinstance(value, list) else value
            return section, target if isinstance(target, dict) else None, f"/request/body/{section}/0"
    return None, None, ""


def _read_object(
    section: str,
    target: dict[str, Any],
    where: str,
    classification: Classification,
    covers: frozenset[str],
    body: Any,
) -> ParsedRequest:
    identifiers = read_identifiers(target)
    flag = target.get("_update_existing_only")
    update_only = flag if isinstance(flag, bool) else None
    conditions: dict[str, Condition] = {}
    if classification.conditions:
        conditions = {one.pointer[len(where) + 1 :]: one for one in classification.conditions}
    covers |= covered_by_object(section, target, conditions, identifiers)
    custom: dict[str, Any] = {}
    profile: dict[str, Any] = {}
    odd, counter = _NOTHING, None
    merge: bool | None = False
    if section != "attributes":
        counter = read_counter(section, target)
    else:
        custom, profile, merge = read_attributes(target)
        if conditions:
            odd = frozenset(name for name, one in conditions.items() if one.row == "attribute-name") & custom.keys()
    return ParsedRequest(
        "sync",
        classification,
        section,
        identifiers,
        update_only,
        "_update_existing_only" in target and update_only is None,
        custom,
        odd,
        profile,
        merge,
        counter,
        vague=not classification.effect_known,
        covers=covers,
        body=body,
    )


# Quirks of JSON under which two readers see different members.
_READ_OTHERWISE: Final = frozenset({"duplicate-keys", "not-utf8", "too-deep"})
_ENDPOINTS: Final = frozenset(PATHS.values())
_NOTHING: Final[frozenset[str]] = frozenset()
