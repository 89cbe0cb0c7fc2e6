"""The document with one constraint changed, and what the oracle then finds in servers that stayed as they were.

Two servers keep the contract and are not changed: the embedded mock, and one that refuses what the documents leave
open. What they answer to the boundary cases is recorded once, each case for a workspace of its own; an edited document
only has to be held against the recordings.
"""

from __future__ import annotations

import copy
import json
import random
import sys
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any, Final
from unittest.mock import patch

from msgspec import Struct

from tracksync.contract import spec
from tracksync.contract.bounds import DELETE, EXPORT, SYNC, TRACK, bounds
from tracksync.contract.classify import classify_body, require_usable
from tracksync.contract.constraints import Constraint, Direction, constraints
from tracksync.contract.refusals import RequestClass
from tracksync.contract.responses import Responses
from tracksync.engine.freshness import everything
from tracksync.engine.targets import EmbeddedMock
from tracksync.generate.boundaries import boundary_plan
from tracksync.generate.build import SentKey, Step, json_request, raw_request
from tracksync.generate.harmless import Namer
from tracksync.mock import MockConfig
from tracksync.model.exchange import Exchange, Response, lowered
from tracksync.oracle import Belief, Settings, check
from tracksync.values.jsontext import read_json

ORIGINAL: Final = spec.load()
REQUEST: Final[Mapping[str, Constraint]] = {
    one.pointer: one for one in reversed(constraints()) if one.direction is Direction.REQUEST
}
RESPONSE: Final[Mapping[str, Constraint]] = {
    one.pointer: one for one in reversed(constraints()) if one.direction is Direction.RESPONSE
}
_REFUSAL: Final = b'{"message":"Valid data must be provided.","errors":["it is odd"]}'
NAMER: Final = Namer("tsbounds", random.Random(0))
NAMES: Final = {"external_id": NAMER.external_id("u")}
TIME: Final = "2022-12-06T18:20:45.000Z"


class Outcome(Struct, frozen=True):
    """What one edit showed. `stops`: the document cannot be used, with the words that whoever starts a run is told."""

    edit: str
    clauses: frozenset[str] = frozenset()
    stops: str = ""


# --- edits ------------------------------------------------------------------------------------------------------------


def edits(pointer: str, value: Any) -> Iterator[tuple[str, dict[str, Any]]]:
    """Copies of the document in which the keyword at `pointer` is another, each with a name for the change."""
    holder, _, key = pointer.rpartition("/")
    for name, changed in _values(spec.at(ORIGINAL, holder), key, value):
        document = copy.deepcopy(ORIGINAL)
        node = spec.at(document, holder)
        if changed is _GONE:
            del node[int(key) if isinstance(node, list) else key]
        else:
            node[int(key) if isinstance(node, list) else key] = changed
        yield name, document


_GONE: Final = object()


def _values(holder: Any, key: str, value: Any) -> Iterator[tuple[str, Any]]:
    if isinstance(holder, list):  # a name of `required`, or an alternative of `not`
        yield "dropped", _GONE
        yield "another", "another" if isinstance(value, str) else {}
    elif isinstance(value, bool):
        yield "dropped", _GONE
    elif isinstance(value, int | float):
        yield "less", _scaled(value, less=True)
        yield "more", _scaled(value, less=False)
    elif isinstance(value, list) and value and all(isinstance(one, int | float) for one in value):
        yield "less", [_scaled(one, less=True) for one in value]
        yield "more", [_scaled(one, less=False) for one in value]
    else:
        if isinstance(value, list):
            yield "one gone", value[1:]
        yield "dropped", _GONE
        yield "another", _another(key, value)


def _scaled(value: float, *, less: bool) -> float:
    """A number far on the other side of what servers were asked; a small one moves by one where it gets less."""
    if isinstance(value, int) and abs(value) <= _SMALL:
        return value - 1 if less else _FAR
    return type(value)(value / _FACTOR if less else value * _FACTOR)


def _another(key: str, value: Any) -> Any:
    if key in _OTHERS:
        return _OTHERS[key]
    if key == "type":
        return "boolean" if "boolean" not in value else "array"
    return ["another"] if isinstance(value, list) else {} if isinstance(value, Mapping) else "another"


_SMALL: Final = 3
_FACTOR: Final = 40
_FAR: Final = 10**12
_OTHERS: Final[Mapping[str, Any]] = {
    "pattern": "^(?!)",
    "format": "ipv4",
    "x-open": "app-id",
    "anyOf": [{"const": "another"}],
    "oneOf": [{"const": "another"}],
}


# --- an edited document in the place of ours --------------------------------------------------------------------------


@contextmanager
def installed(document: Mapping[str, Any]) -> Iterator[None]:
    """`document` as the project's own, for oracle and generation."""
    with patch.object(spec, "document", lambda: document), patch.object(spec, "load", lambda: copy.deepcopy(document)):
        _forget()
        try:
            yield
        finally:
            _forget()


def _forget() -> None:
    """Forget everything that was read from the document."""
    for remembered in _remembered():
        remembered.cache_clear()


@cache
def _remembered() -> Sequence[Any]:
    parts = ("contract", "oracle", "generate", "engine")
    modules = [module for name, module in sys.modules.items() if name.split(".")[:1] == ["tracksync"]]
    found = {
        id(one): one
        for module in modules
        if module.__name__.split(".")[1:2] and module.__name__.split(".")[1] in parts
        for one in vars(module).values()
        if hasattr(one, "cache_clear") and getattr(one, "__module__", "").startswith("tracksync.")
    }
    kept = {"loader", "path"}
    return [one for one in found.values() if one.__name__ not in kept]


# --- recordings -------------------------------------------------------------------------------------------------------


@cache
def recorded() -> Mapping[str, Sequence[Exchange]]:
    """By constraint of requests: its boundary cases with the responses of both servers."""
    made: dict[str, list[Exchange]] = {}
    for case in boundary_plan(NAMER).cases:
        exchanges = _by_both(case.step)
        for test in case.tests:
            made.setdefault(test.pointer, []).extend(exchanges)
    for body in _FURTHER:
        for exchange in _by_both(Step(json_request(body))):
            made.setdefault("", []).append(exchange)
    return made


def _mock() -> EmbeddedMock:
    return EmbeddedMock(MockConfig(rate_limit=bounds().rate_limit, interpretations=_SHOWING))


_SHOWING: Final = {"date-attribute": "normalised"}
"""Interpretations under which a response shows what it otherwise hides."""


def _by_both(step: Step) -> list[Exchange]:
    exchange = _mock().send(step)
    text = read_json(step.request.body)
    valid = classify_body(step.request.path, text.value).request_class is RequestClass.VALID
    if valid or exchange.response is None or exchange.response.status == 400:
        return [exchange]
    refusal = Response(400, exchange.response.headers, _REFUSAL)
    return [exchange, Exchange(step.request, refusal, exchange.sent, exchange.received)]


# Members of attributes that no server has to accept.
OPEN_MEMBERS: Final = {
    "push_token_import": True,
    "subscription_groups": [{"subscription_group_id": "g", "subscription_state": "subscribed"}],
    "push_tokens": [{"app_id": "a", "token": "t", "device_id": "d"}],
    "marked_email_as_spam_at": TIME,
    "image_url": "https://example.com/a.png",
    "facebook": {"id": "1"},
    "twitter": {"id": 1},
    "alias_name": "n",
    "alias_label": "l",
}
_FURTHER: Final[Sequence[Any]] = (
    *({"attributes": [{**NAMES, "text": "x", name: value}]} for name, value in OPEN_MEMBERS.items()),
    {"events": [{**NAMES, "name": "n", "time": TIME, "app_id": "a"}]},
    {"attributes": [{"braze_id": "b", "text": "x"}]},
    {"attributes": [{**NAMES, "email_subscribe": "opted_in"}]},
    {"attributes": [{**NAMES, "push_subscribe": "opted_in"}]},
    {"attributes": [{**NAMES, "push_subscribe": "perhaps"}]},
)


@cache
def responses() -> Mapping[tuple[str, str], Sequence[Exchange]]:
    """By path and status as the document writes it: exchanges with the mock that have such a response."""
    mock = _mock()
    event = {**NAMES, "name": "seen", "time": TIME}
    purchase = {**NAMES, "product_id": "sku", "currency": "EUR", "price": 9.5, "time": TIME}
    alias = {"user_alias": NAMER.alias("u"), "_update_existing_only": False, "n": 1}
    others = [NAMER.external_id(f"u{number}") for number in range(3)]
    bodies: dict[str, Sequence[Any]] = {
        SYNC: (
            *({"attributes": [{"external_id": name, "n": 1}]} for name in [NAMES["external_id"], *others]),
            {"attributes": [{"email": NAMER.email("u"), "n": 1}]},
            {"attributes": [{"phone": NAMER.phone("u"), "n": 1}]},
            {"attributes": [alias]},
            {"events": [event]},
            {"purchases": [purchase]},
        ),
        TRACK: ({"attributes": [{**NAMES, "n": 2}], "events": [event], "purchases": [purchase]},),
        EXPORT: ({"external_ids": [*NAMES.values(), NAMER.external_id("unknown")], "fields_to_export": _FIELDS},),
        DELETE: ({"external_ids": others},),
    }
    found: dict[tuple[str, str], list[Exchange]] = {}
    for path, valid in bodies.items():
        for step in [
            *(Step(json_request(body, path=path)) for body in valid),
            Step(json_request({}, path=path)),
            Step(raw_request(b"{", path=path)),
            Step(json_request(valid[0], path=path), SentKey.INVALID),
            Step(json_request(valid[0], path=path), SentKey.UNPRIVILEGED),
        ]:
            exchange = mock.send(step)
            assert exchange.response is not None
            found.setdefault((path, str(exchange.response.status)), []).append(exchange)
    texts = EmbeddedMock(MockConfig(rate_limit=bounds().rate_limit, interpretations={"error-entries": "texts"}))
    found[SYNC, "400"].append(texts.send(Step(json_request({}))))
    while (SYNC, "429") not in found:
        exchange = mock.send(Step(json_request(bodies[SYNC][0])))
        if exchange.response is not None and exchange.response.status == 429:
            found[SYNC, "429"] = [exchange]
    return found


_FIELDS: Final = ["external_id", "custom_attributes", "custom_events", "purchases"]


@cache
def shown(path: str, status: str) -> Sequence[tuple[int, Mapping[str, str], Any]]:
    """Responses of a path and status: status, headers, body. Of a status that the mock never has, those of 403."""
    exchanges = responses().get((path, status)) or responses()[SYNC, "403"]
    found = [
        (int(status), lowered(one.response.headers), json.loads(one.response.body)) for one in exchanges if one.response
    ]
    headers, details = found[0][1], ["one of them", {"type": "x", "input_array": "events", "index": 0}]
    more: dict[str, Any] = {"message": "no", "errors": details}
    if (path, status) == (TRACK, "201"):
        more = {"message": "success", "errors": details}
    elif (path, status) == (SYNC, "201"):
        more = {"message": "success", "users": [{"braze_id": "b", "custom_attributes": {}}], "errors": []}
    return [*found, (int(status), headers, more)] if path in (SYNC, TRACK) else found


# --- what is found ----------------------------------------------------------------------------------------------------


def findings_of(exchanges: Sequence[Exchange], *, new: bool = True) -> frozenset[str]:
    """The clauses that each exchange by itself breaks. `new`: no user was there before it."""
    fresh = {"fresh": everything} if new else {}
    purchases = {"purchase-events": "available"}
    settings = Settings(rate_limit=bounds().rate_limit, clock_skew=2.0, interpretations=purchases, **fresh)
    return frozenset(
        finding.clause for exchange in exchanges for finding in check(Belief.start(settings), exchange).findings
    )


def outcomes(one: Constraint, *, thorough: bool = False, anew: bool = False) -> Iterator[Outcome]:
    """What each edit of a constraint of requests shows in the cases that were recorded for it.

    `thorough`: in all recordings. `anew`: where they show nothing, in new cases for the edited constraint.
    """
    if thorough:
        exchanges = list({id(exchange): exchange for some in recorded().values() for exchange in some}.values())
    else:
        exchanges = [*recorded().get(one.pointer, ()), *recorded()[""]]
    for name, document in edits(one.pointer, spec.at(ORIGINAL, one.pointer)):
        try:
            with installed(document):
                require_usable()
                found = findings_of(exchanges)
            if anew and not found:
                found |= _of_own_cases(document, one.pointer)
            yield Outcome(name, found)
        except spec.SpecificationError as error:
            yield Outcome(name, stops=str(error))


def _of_own_cases(document: Mapping[str, Any], pointer: str) -> frozenset[str]:
    """What the cases show that are made for the edited constraint, sent to the servers that stayed as they were."""
    with installed(document):
        cases = boundary_plan(NAMER, pointers=[pointer]).cases
    exchanges = [exchange for case in cases for exchange in _by_both(case.step)]
    with installed(document):
        return findings_of(exchanges)


def mismatches(one: Constraint) -> Iterator[frozenset[str]]:
    """Of a constraint of responses: the clauses that responses of the mock break after each edit."""
    for _, document in edits(one.pointer, spec.at(ORIGINAL, one.pointer)):
        found = None if one.kind == "required" else constraints()  # a clause is looked up by the name that is missing
        validate = Responses(document, found).validate
        try:
            yield frozenset(
                mismatch.clause
                for status, headers, body in shown(one.path, one.status or "")
                for mismatch in validate(one.path, status, headers, body)
            )
        except ValueError:  # it cannot be compiled
            yield frozenset()


_OPEN_NAMES: Final = {one.place.split("/")[-1] for one in REQUEST.values() if one.kind == "x-open"} | {"braze_ids"}


def is_open(one: Constraint) -> bool:
    """Whether it bounds what is open whatever it is, so that the bound is for readers and generators alone."""
    return one.kind != "x-open" and bool(set(one.place.split("/")) & _OPEN_NAMES)


@cache
def without_effect() -> Mapping[str, str]:
    """The other constraints whose edit shows nothing, by their pointers without `/components/schemas/`: the reasons."""
    rows = tomllib.loads((Path(__file__).parents[1] / "contract_data" / "without_effect.toml").read_text("utf-8"))
    return {pointer: reason for reason, pointers in rows.items() for pointer in pointers}
