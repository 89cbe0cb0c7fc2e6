"""How a client tries a request again: whether, after which pause, how often, and what must not be tried again.

Pure. Two requests are tries of one if they have the same content. Two events that differ in their time alone are two
(TRACK: every event counts). Where a pause is checked, chance is allowed for: a backoff with jitter may draw a shorter
pause once, and a busy machine stretches any.
"""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass, field, replace
from typing import Any, Final

from rpds import HashTrieMap

from tracksync.gate.findings import ClientFindings
from tracksync.model.exchange import Exchange
from tracksync.model.finding import Finding
from tracksync.oracle.request import ParsedRequest, objects_of
from tracksync.values.jsontext import read_json
from tracksync.wire.observed import Observed, identity, reset_time

REFUSALS: Final = frozenset({400, 401, 403, 404, 413})
MAYBE_APPLIED: Final = frozenset({500, 504})  # ERRORS: with 502 and 503 the request did not reach its destination
TRIES: Final = 12  # of one request in a row; more than any sensible backoff makes within minutes
AT_ONCE: Final = 0.05  # seconds; a shorter pause is none
SAME_PAUSE: Final = 0.05  # two pauses within this share of each other are the same pause
TIMER: Final = 0.015  # seconds by which two equal pauses may differ beside
GROWN: Final = 1.15  # the longest pause against the first
EARLY: Final = 0.1  # seconds by which timers and clocks may differ
AGAIN: Final = 60.0  # seconds within which the same refused request counts as sent again


@dataclass(frozen=True, slots=True)
class Tries:
    """How often the same request was sent in a row. `pauses`: seconds before each try that followed a 5XX.

    `waited`: how many of the tries came after a 429, and not before the reset time that it named.
    `done`: the last one succeeded, so that the same request starts a new row.
    """

    last: Observed
    first: Exchange
    number: int = 1
    waited: int = 0
    pauses: tuple[float, ...] = ()
    repeatable: bool = False
    done: bool = False


@dataclass(frozen=True, slots=True)
class Suspicion:
    """How often something looked wrong (`marks`), of the times that it could have (`trials`)."""

    marks: int = 0
    trials: int = 0

    def confirmed(self, to_come: int = 0) -> bool:
        """Whether it was seen at two places and in two thirds of the cases, so that chance does not explain it.

        `to_come`: cases that are under way, and may come to nothing.
        """
        return self.marks >= 2 and 3 * self.marks >= 2 * (self.trials + to_come)

    def after(self, *, marks: int, trials: int) -> Suspicion:
        """The suspicion after so many cases more."""
        return Suspicion(self.marks + marks, self.trials + trials)


@dataclass(frozen=True, slots=True)
class RetryBelief:
    """The tries of each request. `at_once`: tries without a pause; `steady`: pauses that do not grow."""

    tries: HashTrieMap[Hashable, Tries] = field(default_factory=HashTrieMap)
    at_once: Suspicion = Suspicion()
    steady: Suspicion = Suspicion()


def request_key(exchange: Exchange, *, timeless: bool = False) -> Hashable:
    """What the tries of one request have in common: its content, and the use of the key.

    `timeless`: but for the time, for where a client may name another one at each try.
    """
    return identity(exchange.request, timeless=timeless), exchange.credential


def check_retries(belief: RetryBelief, observed: Observed, parsed: ParsedRequest, found: ClientFindings) -> RetryBelief:
    """The belief after `observed`; what is broken is added to `found`."""
    exchange = observed.exchange
    key = request_key(exchange)
    before = belief.tries.get(key)
    if before is not None and observed.known <= before.last.exchange.sent:
        # An earlier try whose body was still on its way when the client, which had the status, sent the next one.
        return _insert(belief, key, replace(before, number=before.number + 1))
    status = _status(exchange)
    tries = Tries(observed, exchange, repeatable=_is_repeatable(parsed))
    if before is not None and not before.done and exchange.sent >= before.last.known:
        tries = _again(before, observed, parsed, found)
        if tries.pauses is not before.pauses:
            belief = _check_pauses(belief, tries, before, found)
    if status is not None and status >= 500 and tries.repeatable:
        found.covered.add("TC-RETRY-SERVER-ERROR")
    if status is not None and status in REFUSALS:
        found.covered.add("TC-NO-RETRY")
    done = status is not None and 200 <= status < 300 and not observed.gave_up and not unreadable(exchange)
    return _insert(belief, key, replace(tries, done=done))


def never_retried(belief: RetryBelief, found: ClientFindings) -> None:
    """Add to `found` the requests that met a 5XX, can be repeated without harm, and were not sent again."""
    for tries in belief.tries.values():
        status = _status(tries.last.exchange)
        if status is not None and status >= 500 and tries.number == 1 and tries.repeatable:
            text = f"the response was {status}, and the request was never sent again, though to repeat it does no harm"
            found.add(Finding("TC-RETRY-SERVER-ERROR", text, "/response/status", "a second try"), tries.last.exchange)


def unreadable(exchange: Exchange) -> bool:
    """Whether the client could not read the response: a success that is cut short is like none."""
    response = exchange.response
    if response is None:
        return exchange.failure is not None
    return 200 <= response.status < 300 and not isinstance(read_json(response.body).value, dict)


def _insert(belief: RetryBelief, key: Hashable, tries: Tries) -> RetryBelief:
    return replace(belief, tries=belief.tries.insert(key, tries))


def _again(before: Tries, observed: Observed, parsed: ParsedRequest, found: ClientFindings) -> Tries:
    """The same request once more: is that right after what came back the last time?"""
    last, exchange = before.last.exchange, observed.exchange
    status = _status(last)
    # Whoever did not wait for the end of the body paused since the status line.
    pause = exchange.sent - (last.received if exchange.sent >= last.received else before.last.known)
    pauses = before.pauses
    number = before.number + 1
    if status is not None and status in REFUSALS and pause < AGAIN:
        text = f"the same request was sent again {pause:.2f} s after it had been refused with {status}"
        found.add(Finding("TC-NO-RETRY", text, "/request", "another request, or none"), last)
    elif status is not None and status >= 500:
        pauses = (*pauses, pause)
        found.covered.add("TC-RETRY-BOUNDED")
    waits = _waited(last, exchange)
    waited = before.waited + waits
    counted = number - waited
    if counted == TRIES + 1 and not waits:
        text = f"the same request was sent {counted} times in a row"
        found.add(Finding("TC-RETRY-BOUNDED", text, "/request", TRIES, counted), before.first, last)
    lost = status is None and not last.unreached
    maybe_applied = lost or status in MAYBE_APPLIED or unreadable(last)
    if parsed.endpoint == "sync" and maybe_applied and not _is_repeatable(parsed):
        text = f"sent again after a try that ended {_doubt(status)}: if that one was applied, this counts twice"
        found.add(Finding("TC-APPLIED-TWICE", text, "/request/body"), last)
    return replace(before, last=observed, number=number, waited=waited, pauses=pauses)


def _check_pauses(belief: RetryBelief, tries: Tries, before: Tries, found: ClientFindings) -> RetryBelief:
    """Hold the newest pause after a 5XX against those before it, and both against what other requests showed."""
    found.covered.add("TC-RETRY-BACKOFF")
    pauses = tries.pauses
    count, first, newest = len(pauses), pauses[0], pauses[-1]
    at_once = belief.at_once
    if count == 2 or (count == 1 and not _is_5xx(tries.last.exchange)):
        # A first try at once is a backoff that begins with nothing, where the next one pauses.
        at_once = at_once.after(marks=sum(one < AT_ONCE for one in pauses) if newest < AT_ONCE else 0, trials=count)
    same = count == 2 and abs(newest - first) <= SAME_PAUSE * first + TIMER
    level = count == 3 and max(pauses[1:]) < GROWN * first
    paused = min(first, newest) >= AT_ONCE
    steady = belief.steady.after(marks=paused and (same or level), trials=paused and count == 2)
    text = None
    if at_once.confirmed() and at_once.marks > belief.at_once.marks:
        text = f"sent again {newest * 1000:.0f} ms after a 5XX"
    elif steady.marks > belief.steady.marks and steady.confirmed(_beside(belief, tries)):
        text = (
            f"the second pause after a 5XX is as long as the first ({first:.2f} s)"
            if same
            else "the pauses between tries after a 5XX do not grow"
        )
    if text:
        shown = [round(one, 3) for one in pauses]
        last = before.last.exchange
        evidence = (last,) if tries.first is last else (tries.first, last)
        found.add(Finding("TC-RETRY-BACKOFF", text, "/request", "pauses that grow", shown), *evidence)
    return replace(belief, at_once=at_once, steady=steady)


def _beside(belief: RetryBelief, tries: Tries) -> int:
    """How many other requests met a 5XX at about the same time and are to be sent a second or third time.

    What stretches the pause of one of them stretches those of all, so that they count as cases already.
    """
    since = tries.last.exchange.sent - 2 * tries.pauses[-1]
    return sum(
        len(one.pauses) < 2 and not one.done and _is_5xx(one.last.exchange) and one.last.known > since
        for one in belief.tries.values()
        if one.first is not tries.first
    )


def _waited(last: Exchange, exchange: Exchange) -> bool:
    """Whether `last` was a 429, and `exchange` was not sent before the reset time: what the documents ask for."""
    if last.response is None or last.response.status != 429:
        return False
    reset = reset_time(last.response.headers)
    return reset is None or exchange.sent >= reset - EARLY


def _is_5xx(exchange: Exchange) -> bool:
    status = _status(exchange)
    return status is not None and status >= 500


def _status(exchange: Exchange) -> int | None:
    return exchange.response.status if exchange.response else None


def _doubt(status: int | None) -> str:
    """How a try ended after which it may be applied."""
    if status is None:
        return "without a complete response"
    return "with a 5XX after which it may be applied" if status in MAYBE_APPLIED else f"with {status} and no result"


def _is_repeatable(parsed: ParsedRequest) -> bool:
    """Whether the request may be applied twice without harm: everything but counts and increments."""
    objects = {"track": lambda: objects_of(parsed), "sync": lambda: [parsed]}.get(parsed.endpoint, list)()
    return bool(objects) and all(
        one.counter is None
        and one.section == "attributes"
        and not any(_adds_up(value) for value in one.attributes.values())
        for one in objects
    )


def _adds_up(value: Any) -> bool:
    return isinstance(value, dict) and bool(value.keys() & {"inc", "$add"})
