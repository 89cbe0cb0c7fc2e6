"""Every exchange of the recordings of a correct server, altered in one place: what does the oracle find in each?

An altered response is the smallest fault of a server, an altered request the smallest mistake of a client.
`altered` checks some of them, each with the exchanges that follow. There are many: each is made when it is used.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cache, partial
from itertools import islice
from pathlib import Path
from typing import Any, Final
from zlib import crc32

from tracksync.cassettes.checking import settings_of
from tracksync.cassettes.manifest import ManifestEntry, read_manifest
from tracksync.cassettes.reading import read_recording
from tracksync.model.exchange import Credential, Exchange, Failure, FailureKind, Request, Response
from tracksync.model.finding import Finding
from tracksync.oracle import Belief, check

PROBES: Final = Path(__file__).resolve().parents[2] / "cassettes" / "probes"
REMOVED: Final = object()
MAX_BYTES: Final = 20_000  # of a request body that is checked again and again
FOLLOWING: Final = 3  # exchanges checked after an altered one, where its effect on the belief shows
STATUSES: Final = (200, 201, 202, 204, 302, 400, 401, 403, 404, 413, 415, 429, 500)
REFUSED: Final = b'{"message":"not accepted","errors":[{"type":"not accepted","input_array":"%s","index":0}]}'
BODIES: Final = (b"", b"null", b"[]", b"{}", b"<html>", b'{"users":[],', b'"\xff"', b'{"message":"success"}')
PATHS: Final = ("/users/track", "/users/track/sync/", "/users/track/sync?a=b", "/Users/Track/Sync", "/users/track/synk")
LENGTHS: Final = (1, 127, 128, 254, 255, 256, 257)
Made = Callable[[], Exchange]


@dataclass(frozen=True, slots=True)
class Altered:
    """What the oracle found in an altered exchange (index 0) and in those that followed it."""

    alteration: str
    exchanges: tuple[Exchange, ...]
    findings: tuple[tuple[int, Finding], ...]
    covered: frozenset[str]
    interpretations: tuple[tuple[str, str], ...]

    @property
    def clauses(self) -> tuple[str, ...]:
        return tuple(sorted({finding.clause for _, finding in self.findings}))


@dataclass(frozen=True, slots=True)
class Recorded:
    """A recording of a correct server, and what the oracle makes of each of its exchanges.

    `beliefs`: before each exchange. `covered`: by each exchange. `interpretations`: after the last one.
    """

    exchanges: tuple[Exchange, ...]
    beliefs: tuple[Belief, ...]
    covered: tuple[frozenset[str], ...]
    interpretations: dict[str, str]


@cache
def _manifest() -> Mapping[str, ManifestEntry]:
    return read_manifest(PROBES.parent)


@cache
def recorded(probe: str) -> Recorded:
    path = PROBES / f"{probe}.yaml"
    entry = _manifest()[f"probes/{path.name}"]
    recording = read_recording(path)
    belief = Belief.start(settings_of(entry, recording.clock_skew))
    beliefs, covered = [], []
    for one in recording.interactions:
        beliefs.append(belief)
        result = check(belief, one.exchange)
        belief = result.belief
        covered.append(result.covered)
    exchanges = tuple(one.exchange for one in recording.interactions)
    return Recorded(exchanges, tuple(beliefs), tuple(covered), belief.interpretations())


def names() -> list[str]:
    return sorted(path.stem for path in PROBES.glob("*.yaml"))


def check_altered(
    probe: str, index: int, alteration: str, exchange: Exchange, in_flight: tuple[Request, ...] = ()
) -> Altered:
    """Check one altered exchange in the place of the recorded one, and those that follow it as they are."""
    original = recorded(probe)
    exchanges = (exchange, *original.exchanges[index + 1 : index + 1 + FOLLOWING])
    belief, findings, covered = original.beliefs[index], [], frozenset[str]()
    for later, one in enumerate(exchanges):
        result = check(belief, one, () if later else in_flight)
        findings += [(later, finding) for finding in result.findings]
        belief, covered = result.belief, covered | result.covered
    interpretations = tuple(sorted(belief.interpretations().items()))
    return Altered(alteration, exchanges, tuple(findings), covered, interpretations)


def with_altered_response(exchange: Exchange) -> Iterator[tuple[str, Made]]:
    """The same request with a response that is altered in one place, or with none."""
    for change, response in altered_responses(exchange.response) if exchange.response else ():
        yield change, lambda response=response: replace(exchange, response=response())
    for kind, lost in without_response(exchange):
        yield kind, lambda lost=lost: lost


def without_response(exchange: Exchange) -> Iterator[tuple[FailureKind, Exchange]]:
    """The same request where the response is lost, by the way in which it is."""
    for kind in FailureKind:
        yield kind, replace(exchange, response=None, failure=Failure(kind))


def with_altered_request(exchange: Exchange) -> Iterator[tuple[str, Made]]:
    """A request that is altered in one place, with the response to the recorded one, and with a refusal."""
    if exchange.response is None:
        return
    section = re.search(rb'"(attributes|events|purchases)"', exchange.request.body)
    body = REFUSED % (section[1] if section else b"events")
    responses = {"": exchange.response, " refused": replace(exchange.response, status=400, body=body)}
    for change, request in altered_requests(exchange.request):
        for how, response in responses.items():
            yield (
                change + how,
                lambda request=request, response=response: replace(exchange, request=request(), response=response),
            )
    for credential in Credential:
        yield f"credential {credential}", partial(replace, exchange, credential=credential)


def altered(probe: str, index: int, responses: bool, most: int) -> Iterator[Altered]:
    """At most `most` alterations of one exchange, checked: always the same ones, most of them within the JSON."""
    original = recorded(probe)
    exchange = original.exchanges[index]
    changes = dict((with_altered_response if responses else with_altered_request)(exchange))
    inside = [change for change in changes if change.startswith(("/", " "))]
    around = [change for change in changes if not change.startswith(("/", " "))]
    chosen = _some(changes, inside, most * 3 // 4, index) | _some(changes, around, most // 4, index)
    for change in changes:
        if change in chosen:
            yield check_altered(probe, index, change, chosen[change])
    for before in original.exchanges[max(0, index - 1) : index + 1] if responses else ():
        yield check_altered(probe, index, "another in flight", exchange, (before.request,))


def _some(changes: Mapping[str, Made], among: list[str], number: int, index: int) -> dict[str, Exchange]:
    """The first so many of some changes, in an order that differs by index, of which the request is not too long."""
    order = sorted(among, key=lambda one: crc32(f"{index} {one}".encode("utf-8", "replace")))
    made = ((change, changes[change]()) for change in order)
    return dict(islice(((change, one) for change, one in made if len(one.request.body) < MAX_BYTES), number))


def altered_responses(response: Response) -> Iterator[tuple[str, Callable[[], Response]]]:
    for status in STATUSES:
        if status != response.status:
            yield f"status {status}", partial(replace, response, status=status)
            body = REFUSED % b"events" if status >= 400 else response.body
            yield f"status {status} and a body", partial(replace, response, status=status, body=body)
    for i, (name, value) in enumerate(response.headers):
        for how, new in (("empty", ""), ("text", "soon"), *_numbers_near(value)):
            headers = (*response.headers[:i], (name, new), *response.headers[i + 1 :])
            yield f"{name} {how}", partial(replace, response, headers=headers)
        yield f"{name} removed", partial(replace, response, headers=response.headers[:i] + response.headers[i + 1 :])
    for body in BODIES:
        yield f"body {body!r}", partial(replace, response, body=body)
    for change, make in _altered_json(response.body):
        yield change, partial(_with_json, response, make)


def _numbers_near(value: str) -> list[tuple[str, str]]:
    if not value.isdigit():
        return []
    return [(f"{by:+}", str(int(value) + by)) for by in (-1, 1, -60, 60, 10**6)]


def altered_requests(request: Request) -> Iterator[tuple[str, Callable[[], Request]]]:
    for method in ("GET", "PUT"):
        yield method, partial(replace, request, method=method)
    for path in PATHS:
        yield path, partial(replace, request, path=path)
    for value in (None, "text/plain", "application/json; charset=utf-8", "application/xml"):
        rest = tuple(one for one in request.headers if one[0].lower() != "content-type")
        headers = rest if value is None else (*rest, ("Content-Type", value))
        yield f"content-type {value}", partial(replace, request, headers=headers)
    for body in BODIES:
        yield f"body {body!r}", partial(replace, request, body=body)
    for change, make in _altered_json(request.body, lengths=True):
        yield change, partial(_with_json, request, make)


def _with_json(message: Any, make: Callable[[], Any]) -> Any:
    """A request or response with another JSON text."""
    return replace(message, body=json.dumps(make(), ensure_ascii=False).encode("utf-8", "surrogatepass"))


def _altered_json(body: bytes, *, lengths: bool = False) -> Iterator[tuple[str, Callable[[], Any]]]:
    """A JSON text with one value altered, for each value."""
    try:
        whole = json.loads(body)
    except ValueError:
        return
    if isinstance(whole, dict | list):
        yield from _within(whole, "", lengths)


def _within(value: Any, pointer: str, lengths: bool) -> Iterator[tuple[str, Callable[[], Any]]]:
    for how, new in _instead_of(value, lengths):
        if pointer or new is not REMOVED:
            yield f"{pointer} {how}", lambda new=new: new
    if isinstance(value, dict):
        for key, item in value.items():
            short = key if len(key) < 40 else f"{key[:12]}..{len(key)}"
            for change, make in _within(item, f"{pointer}/{short}", lengths):
                yield change, partial(_with_member, value, key, make)
            for new_key in (key.upper(), f"{key}_", f"${key}", f"{key}.x"):
                if new_key != key:
                    yield f"{pointer}/{short} as {new_key[:40]}", partial(_renamed, value, key, new_key)
    if isinstance(value, list):
        for i, item in enumerate(value[:3]):
            for change, make in _within(item, f"{pointer}/{i}", lengths):
                yield change, partial(_with_item, value, i, make)


def _with_member(value: dict[str, Any], key: str, make: Callable[[], Any]) -> dict[str, Any]:
    new = make()
    return {k: (new if k == key else v) for k, v in value.items() if k != key or new is not REMOVED}


def _renamed(value: dict[str, Any], key: str, new_key: str) -> dict[str, Any]:
    return {(new_key if k == key else k): v for k, v in value.items()}


def _with_item(value: list[Any], i: int, make: Callable[[], Any]) -> list[Any]:
    new = make()
    return value[:i] + ([] if new is REMOVED else [new]) + value[i + 1 :]


def _instead_of(value: Any, lengths: bool) -> Iterator[tuple[str, Any]]:
    if isinstance(value, str) and len(value) > 300:
        value = value[:300]
    if isinstance(value, list | dict) and len(value) > 60:
        return
    yield "removed", REMOVED
    if value is not None:
        yield "null", None
    match value:
        case bool():
            yield from (("not", not value), ("as number", int(value)), ("as text", str(value).lower()))
        case int() | float():
            yield from (("+1", value + 1), ("-1", value - 1), ("as text", str(value)), ("true", True))
            yield from (("half more", value + 0.5), ("0", 0), ("negative", -value), ("tenfold", value * 10))
            if lengths:
                yield from ((str(n), n) for n in (2**31, 2**53 + 1, 2**63 - 1, 2**63, 10**300, 10**301, 1e300))
        case str():
            yield from (("empty", ""), ("longer", f"{value}x"), ("shorter", value[:-1]), ("a number", 7))
            yield from (("a list", [value]), ("upper", value.upper()), ("spaced", f" {value} "))
            if digits := list(re.finditer(r"\d", value)):
                for place in (digits[-1], digits[len(digits) // 2]):
                    digit = str((int(place[0]) + 1) % 10)
                    yield f"digit {place.start()}", value[: place.start()] + digit + value[place.end() :]
            if lengths:
                yield from ((f"{n} long", (value * n + "x" * n)[:n]) for n in LENGTHS)
                yield from (("true", True), ("an object", {"a": value}), ("a symbol", value + "\N{GRINNING FACE}"))
        case list():
            yield from (("empty", []), ("twice", value * 2), ("reversed", value[::-1]), ("an object", {"0": value}))
            yield from (("one more", [*value, None]), ("a text", "list"))
            if lengths and value and not isinstance(value[0], dict):
                yield from ((f"{n} items", [f"i{i}" for i in range(n)]) for n in (24, 25, 26, 500, 501))
        case dict():
            yield from (("empty", {}), ("with more", {**value, "surplus": 1}), ("in a list", [value]), ("a text", "x"))
            if lengths:
                yield from (
                    ("with _merge", {**value, "_merge": True}),
                    ("upd", {**value, "_update_existing_only": True}),
                )
                yield from (("alias", {**value, "user_alias": {"alias_name": "a", "alias_label": "b"}}),)
                yield from (("mail", {**value, "email": "x@example.com"}), ("inc", {**value, "n": {"inc": 2}}))
                yield from (
                    ("deep", {**value, "d": {"a": {"b": {"c": [{"d": 1}]}}}}),
                    ("null in", {**value, "n": None}),
                )
                yield from (("time", {**value, "time": "2024-02-30T00:00:00Z"}), ("reserved", {**value, "price": "x"}))
