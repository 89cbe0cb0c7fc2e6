"""Runs of which the oracle is shown only a part: at random, a request or a response is put so that it is not examined.

What happened stays what it was. So whatever is found in such a run of a correct server is false, and with a fault only
users are accused whom the fault has reached. The same seed gives the same run.
"""

from __future__ import annotations

import gzip
import json
import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any, Final

from braze_ids import FORMS, assigned
from fuzz_plans import fuzz_plan

from tracksync.contract.ambiguities import ambiguity_catalogue
from tracksync.engine import fuzz
from tracksync.engine.freshness import everything, nothing
from tracksync.engine.plan import EMBEDDED_RATE
from tracksync.model.events import Event, ExchangeChecked
from tracksync.model.exchange import Exchange, Failure, FailureKind, Request, Response
from tracksync.model.finding import Finding
from tracksync.oracle import Belief, Settings, check
from tracksync.values.jsontext import DEPTH

SHARES: Final = (0.02, 0.1, 0.3)  # of the exchanges of a run
_DEEP: Final = b'"not examined":' + b"[" * (DEPTH + 2) + b"]" * (DEPTH + 2)
_PHASES: Final = (("probes",), ("probes", "boundaries"), ("probes", "stateful"), ("stateful",))


def with_member(body: bytes, member: bytes) -> bytes:
    """The JSON object `body` with one member more, written first."""
    inner = body.strip()[1:]
    return b"{" + member + (b"" if inner.lstrip().startswith(b"}") else b",") + inner


def _is_object(body: bytes) -> bool:
    try:
        return isinstance(json.loads(body), dict)
    except (ValueError, RecursionError):
        return False


def _written_twice(body: bytes) -> bytes:
    inner = body.strip()[1:-1].strip()
    return b"{" + inner + b"," + inner + b"}" if inner else body


def _utf16(body: bytes) -> bytes:
    return body.decode("utf-8", "replace").encode("utf-16", "surrogatepass")


def _with_body(change: Callable[[bytes], bytes]) -> Callable[[Exchange], Exchange]:
    def blinded(exchange: Exchange) -> Exchange:
        if not _is_object(exchange.request.body):
            return exchange
        return replace(exchange, request=replace(exchange.request, body=change(exchange.request.body)))

    return blinded


def _compressed(exchange: Exchange) -> Exchange:
    request = exchange.request
    headers = (*request.headers, ("Content-Encoding", "gzip"))
    return replace(exchange, request=replace(request, headers=headers, body=gzip.compress(request.body)))


def _at(path: Callable[[str], str]) -> Callable[[Exchange], Exchange]:
    return lambda exchange: replace(exchange, request=replace(exchange.request, path=path(exchange.request.path)))


def _lost(kind: FailureKind) -> Callable[[Exchange], Exchange]:
    return lambda exchange: replace(exchange, response=None, failure=Failure(kind))


def _gateway(exchange: Exchange) -> Exchange:
    return replace(exchange, response=Response(502, (("content-type", "text/html"),), b"<html>"), failure=None)


def _deep_response(exchange: Exchange) -> Exchange:
    response = exchange.response
    if response is None or not _is_object(response.body):
        return exchange
    return replace(exchange, response=replace(response, body=with_member(response.body, _DEEP)))


# Every reason that the oracle has not to examine something, and how an exchange looks then.
REASONS: Final[dict[str, Callable[[Exchange], Exchange]]] = {
    "request too deep": _with_body(lambda body: with_member(body, _DEEP)),
    "request with equal names": _with_body(_written_twice),
    "request in UTF-16": _with_body(_utf16),
    "request in no encoding": _with_body(lambda body: with_member(body, b'"x":"\xff"')),
    "request compressed": _compressed,
    "path with a slash": _at(lambda path: f"{path}/"),
    "another endpoint": _at(lambda path: "/users/merge"),
    "response too deep": _deep_response,
    "response timed out": _lost(FailureKind.TIMEOUT),
    "response reset": _lost(FailureKind.RESET),
    "response truncated": _lost(FailureKind.TRUNCATED),
    "response of a gateway": _gateway,
    "another request in flight": lambda exchange: exchange,
}
_FAILS: Final = frozenset({"response timed out", "response reset", "response truncated", "response of a gateway"})


@dataclass(frozen=True, slots=True)
class Accusation:
    """A finding of the exchange with this number, from 1, and what was not examined before it, latest last."""

    number: int
    exchange: Exchange
    finding: Finding
    blinded: tuple[tuple[int, str], ...] = ()


def recorded(seed: int, *, requests: int = 300, faults: tuple[str, ...] = ()) -> list[Exchange]:
    """The exchanges of a fuzz run against the embedded mock, under interpretations and braze_ids drawn with `seed`."""
    rng = random.Random(seed)
    drawn = {name: rng.choice(list(one.interpretations)) for name, one in ambiguity_catalogue().items()}
    found: list[Exchange] = []

    def note(event: Event) -> None:
        if isinstance(event, ExchangeChecked):
            found.append(event.exchange)

    phases = _PHASES[seed % len(_PHASES)]
    plan = fuzz_plan(
        seed=seed, requests=requests, phases=phases, faults=faults, mock_interpretations=drawn, shrink=False
    )
    with assigned(rng.choice(list(FORMS))):
        fuzz(plan, note)
    return found


def accusations(
    exchanges: list[Exchange], seed: int, *, share: float | None = None, overlapping: bool = False
) -> Iterator[Accusation]:
    """What is found in `exchanges` if a share of them is not examined; None: one of SHARES.

    `overlapping`: some were sent earlier and answered later than they were, so that others are in flight.
    """
    rng = random.Random(seed)
    part = rng.choice(SHARES) if share is None else share
    fresh = rng.choice((everything, nothing)) if overlapping else everything
    belief = Belief.start(Settings(rate_limit=EMBEDDED_RATE, fresh=fresh, clock_skew=1.0))
    blinded: list[tuple[int, str]] = []
    failed: set[Request] = set()
    shown = [_stretched(exchange, rng) if overlapping else exchange for exchange in exchanges]
    for number, exchange in enumerate(shown, start=1):
        if rng.random() < part and exchange.response is not None:
            reason = rng.choice(list(REASONS))
            if not (reason in _FAILS and exchange.request in failed):  # which fails again and again is found
                shown[number - 1] = REASONS[reason](exchange)
                blinded.append((number, reason))
                failed |= {exchange.request} if reason in _FAILS else set()
    for number, exchange, in_flight in _in_order(shown):
        if (number, "another request in flight") in blinded:
            in_flight = (*in_flight, exchange.request)
        checked = check(belief, exchange, in_flight)
        belief = checked.belief
        for finding in checked.findings:
            yield Accusation(number, exchange, finding, tuple(one for one in blinded if one[0] <= number))


def _stretched(exchange: Exchange, rng: random.Random) -> Exchange:
    """The exchange or, of three about one, it with a longer way for its request and its response."""
    if rng.random() > 0.3:
        return exchange
    longest = rng.choice((0.03, 0.2, 1.0))  # seconds
    return replace(
        exchange, sent=exchange.sent - rng.random() * longest, received=exchange.received + rng.random() * longest
    )


def _in_order(exchanges: list[Exchange]) -> Iterator[tuple[int, Exchange, tuple[Request, ...]]]:
    """The exchanges in the order of their responses, each with its number, from 1, and the requests in flight then."""
    order = sorted(range(len(exchanges)), key=lambda one: exchanges[one].received)
    for place, index in enumerate(order):
        received = exchanges[index].received
        later = (exchanges[one] for one in order[place + 1 :])
        yield index + 1, exchanges[index], tuple(one.request for one in later if one.sent <= received)


def identifiers_of(exchange: Exchange) -> frozenset[str]:
    """Every identifier that the request of an exchange names, as text."""
    found: set[str] = set()

    def look(value: Any) -> None:
        if isinstance(value, dict):
            for key, inner in value.items():
                named = key in ("external_id", "braze_id", "email", "phone", "alias_name")
                if named and isinstance(inner, str | int):
                    found.add(f"{key} {inner}")
                elif key in ("external_ids", "braze_ids") and isinstance(inner, list):
                    found.update(f"{key[:-1]} {one}" for one in inner)
                look(inner)
        elif isinstance(value, list):
            for inner in value:
                look(inner)

    try:
        look(json.loads(exchange.request.body))
    except (ValueError, RecursionError):
        found.add(f"text {exchange.request.body[:200]!r}")
    return frozenset(found)
