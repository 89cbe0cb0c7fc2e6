"""The client check: one exchange as the server's end saw it in, a new belief and the broken clauses out.

    judge_client(belief, observed) -> ClientJudgement(belief, findings, evidence, covered)
    conclude(belief)               -> ClientJudgement, for what only the end of the traffic shows

Pure and sans-IO like the oracle: it sends nothing, sleeps never, reads no clock. Exchanges come in the order in which
they ended. `client_rules` checks each request alone; this file checks what a client does over time: whether it waits,
in which order it sends, how often it tries again.

Two rules keep it fair. A request that may have been on its way before the client could know better is not held
against it. And where a pause is checked, chance is given its due: a backoff with jitter may shrink once.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable
from dataclasses import dataclass, field, replace
from typing import Any, Final

from rpds import HashTrieMap

from tracksync.gate.client_rules import read_client_request
from tracksync.model.exchange import Exchange, FailureKind, Response, header
from tracksync.model.finding import Finding
from tracksync.oracle.belief import identifier_of
from tracksync.oracle.request import ParsedRequest, objects_of
from tracksync.values.jsontext import read_json
from tracksync.wire.observed import Observed, identity

REFUSALS: Final = frozenset({400, 401, 403, 404, 413})
NOT_BEFORE: Final = frozenset({500, 504})  # the request may have reached its destination (ERRORS: 502 and 503 not)
TRIES: Final = 12  # of one request in a row; more than any sensible backoff makes within minutes
PATIENCE: Final = 10.0  # seconds
SLOW: Final = 1.0  # seconds from which an answer puts a client's patience to the test
AT_ONCE: Final = 0.05  # seconds; a shorter pause is none
IN_FLIGHT: Final = 0.15  # seconds within which a request on another connection may have been on its way already
EARLY: Final = 0.1  # seconds by which timers and clocks may differ
SAME_PAUSE: Final = 0.05  # two pauses within this share of each other are the same pause
GROWN: Final = 1.15  # the longest pause against the first
AGAIN: Final = 60.0  # seconds within which the same refused request counts as sent again


@dataclass(frozen=True, slots=True)
class Limited:
    """A 429 that is in force: nothing is to be sent before `reset`, seconds since the epoch."""

    exchange: Exchange
    connection: str
    reset: float


@dataclass(frozen=True, slots=True)
class Tries:
    """How often the same request was sent in a row. `pauses`: seconds before each try that followed a 5XX."""

    last: Exchange
    number: int = 1
    pauses: tuple[float, ...] = ()
    repeatable: bool = False
    first: Exchange | None = None


@dataclass(frozen=True, slots=True)
class Suspicion:
    """How often something looked wrong, of the times that it could. One pause proves nothing: jitter may draw a short
    one, and a busy machine stretches any. The same thing at two places, and at most of all, is the client's way.
    """

    marks: int = 0
    trials: int = 0

    @property
    def confirmed(self) -> bool:
        """Whether it is seen often enough to be told."""
        return self.marks >= 2 and 3 * self.marks >= 2 * self.trials

    def after(self, *, marked: bool, trial: bool) -> Suspicion:
        """With one more look."""
        return Suspicion(self.marks + marked, self.trials + trial)


@dataclass(frozen=True, slots=True)
class ClientBelief:
    """What is remembered of a client's traffic. `at_once`, `steady`: tries without a pause, pauses that do not grow."""

    limited: HashTrieMap[str, Limited] = field(default_factory=HashTrieMap)
    tries: HashTrieMap[Hashable, Tries] = field(default_factory=HashTrieMap)
    cells: HashTrieMap[Hashable, Exchange] = field(default_factory=HashTrieMap)
    at_once: Suspicion = Suspicion()
    steady: Suspicion = Suspicion()


@dataclass(frozen=True, slots=True)
class ClientCheckResult:
    """What one exchange showed of the client.

    `evidence` has, for each finding in turn, the earlier exchanges that belong to it; the checked one comes after them.
    """

    belief: ClientBelief
    findings: tuple[Finding, ...] = ()
    evidence: tuple[tuple[Exchange, ...], ...] = ()
    covered: frozenset[str] = frozenset()


class _Notes:
    """Collects what is found while one exchange is checked."""

    def __init__(self) -> None:
        self.found: list[tuple[Finding, tuple[Exchange, ...]]] = []
        self.covered: set[str] = set()

    def add(self, finding: Finding, *before: Exchange) -> None:
        self.found.append((finding, before))

    def close(self, belief: ClientBelief) -> ClientCheckResult:
        self.covered.update(finding.clause for finding, _ in self.found)
        return ClientCheckResult(
            belief,
            tuple(finding for finding, _ in self.found),
            tuple(before for _, before in self.found),
            frozenset(self.covered),
        )


def check_client(belief: ClientBelief, observed: Observed) -> ClientCheckResult:
    """Check one exchange of a client. Pure; never raises on any exchange."""
    notes = _Notes()
    interpretation = read_client_request(observed)
    notes.covered |= interpretation.covered
    for finding in interpretation.findings:
        notes.add(finding)
    if not interpretation.ours:
        return notes.close(belief)
    belief = _check_rate(belief, observed, interpretation.parsed, notes)
    belief = _check_order(belief, observed, interpretation.parsed, notes)
    _check_patience(observed, notes)
    belief = _check_tries(belief, observed, interpretation.parsed, notes)
    return notes.close(belief)


def conclude(belief: ClientBelief) -> ClientCheckResult:
    """What the end of the traffic shows: requests that a 5XX turned away, and that were not sent again."""
    notes = _Notes()
    for tries in belief.tries.values():
        status = _status(tries.last)
        if status is not None and status >= 500 and tries.number == 1 and tries.repeatable:
            text = f"the request was answered {status} and never sent again, though to repeat it does no harm"
            notes.add(Finding("TC-RETRY-SERVER-ERROR", text, "/response/status", "a second try"), tries.last)
    return notes.close(belief)


# --- rate ---------------------------------------------------------------------------------------------------------


def _check_rate(belief: ClientBelief, observed: Observed, parsed: ParsedRequest, notes: _Notes) -> ClientBelief:
    exchange = observed.exchange
    limited = belief.limited.get(parsed.endpoint)
    if limited is not None and _knew(observed, limited):
        notes.covered.add("TC-RATE-WAIT")
        early = limited.reset - exchange.sent
        if early > EARLY:
            text = f"sent {early:.2f} s before the reset time that the 429 had named"
            pointer = "/request"
            notes.add(Finding("TC-RATE-WAIT", text, pointer, limited.reset, round(exchange.sent, 3)), limited.exchange)
    response = exchange.response
    if response is None or response.status != 429:
        return belief
    reset = _reset(response)
    if reset is None:
        return belief
    if limited is not None:
        reset = max(reset, limited.reset)
    now = Limited(exchange, observed.connection, reset)
    return replace(belief, limited=belief.limited.insert(parsed.endpoint, now))


def _knew(observed: Observed, limited: Limited) -> bool:
    """Whether the client must have read the 429 before it sent this request."""
    after = observed.exchange.sent - limited.exchange.received
    if after < 0:
        return False
    same = observed.connection == limited.connection or _key(observed) == _key_of(limited.exchange)
    return same or after > IN_FLIGHT


def _reset(response: Response) -> float | None:
    value = header(response.headers, "x-ratelimit-reset") or ""
    return float(value) if value.isascii() and value.isdigit() and len(value) < 16 else None


# --- order --------------------------------------------------------------------------------------------------------


def _check_order(belief: ClientBelief, observed: Observed, parsed: ParsedRequest, notes: _Notes) -> ClientBelief:
    """Exchanges come in the order of their ends, so an overlap shows when the later one of the two has ended."""
    exchange = observed.exchange
    cells = belief.cells
    told = False
    for name, cell in _cells(parsed):
        before = cells.get(cell)
        if before is not None:
            notes.covered.add("TC-ORDER")
            if before.received > exchange.sent and not told:
                told = True
                text = f"two requests about {name} of one user were on their way at the same time"
                notes.add(Finding("TC-ORDER", text, "/request/body", NOTHING_ELSE, _overlap(before, exchange)), before)
        if before is None or before.received <= exchange.received:
            cells = cells.insert(cell, exchange)
    return replace(belief, cells=cells)


NOTHING_ELSE: Final = "one after the other"


def _overlap(before: Exchange, exchange: Exchange) -> str:
    shared = min(before.received, exchange.received) - max(before.sent, exchange.sent)
    return f"{max(shared, 0) * 1000:.0f} ms at the same time"


def _cells(parsed: ParsedRequest) -> Iterable[tuple[str, Hashable]]:
    if parsed.endpoint != "sync" or not parsed.identifiers:
        return
    user = identifier_of(*parsed.identifiers[0])
    word = {"attributes": "the attribute", "events": "the event", "purchases": "the product"}
    for section, name in parsed.cells():
        yield f"{word[section]} {name[:60]!r}", (user, section, name)
    for name in parsed.profile:
        if (name, parsed.profile[name]) not in parsed.identifiers:
            yield f"the field {name!r}", (user, "profile", name)


# --- patience -----------------------------------------------------------------------------------------------------


def _check_patience(observed: Observed, notes: _Notes) -> None:
    exchange = observed.exchange
    waited = exchange.received - exchange.sent
    if waited >= SLOW:
        notes.covered.add("TC-TIMEOUT")
    if observed.gave_up and waited < PATIENCE:
        text = f"the client hung up after {waited:.1f} s, before the answer was there"
        notes.add(Finding("TC-TIMEOUT", text, "/response", PATIENCE, round(waited, 2)))


# --- tries --------------------------------------------------------------------------------------------------------


def _key_of(exchange: Exchange) -> Hashable:
    return identity(exchange.request), exchange.credential


def _key(observed: Observed) -> Hashable:
    return _key_of(observed.exchange)


def _status(exchange: Exchange) -> int | None:
    return exchange.response.status if exchange.response else None


def _check_tries(belief: ClientBelief, observed: Observed, parsed: ParsedRequest, notes: _Notes) -> ClientBelief:
    exchange = observed.exchange
    key = _key(observed)
    before = belief.tries.get(key)
    tries = Tries(exchange, repeatable=_is_repeatable(parsed), first=exchange)
    if before is not None and exchange.sent >= before.last.received:
        tries = _again(before, exchange, parsed, notes)
        if tries.pauses is not before.pauses:
            belief = _check_pauses(belief, tries, before, notes)
    status = _status(exchange)
    if status is not None and status >= 500 and tries.repeatable:
        notes.covered.add("TC-RETRY-SERVER-ERROR")
    if status is not None and status in REFUSALS:
        notes.covered.add("TC-NO-RETRY")
    if status is not None and 200 <= status < 300 and not observed.gave_up and not unreadable(exchange):
        return replace(belief, tries=belief.tries.discard(key))
    return replace(belief, tries=belief.tries.insert(key, tries))


def _again(before: Tries, exchange: Exchange, parsed: ParsedRequest, notes: _Notes) -> Tries:
    """The same request once more: is that right after what came back the last time?"""
    last, first = before.last, before.first or before.last
    status = _status(last)
    pause = exchange.sent - last.received
    pauses = before.pauses
    number = before.number + 1
    if status is not None and status in REFUSALS and pause < AGAIN:
        text = f"the same request was sent again {pause:.2f} s after it had been refused with {status}"
        notes.add(Finding("TC-NO-RETRY", text, "/request", "another request, or none"), last)
    elif status is not None and status >= 500:
        pauses = (*pauses, pause)
        notes.covered.add("TC-RETRY-BOUNDED")
    if number == TRIES + 1:
        text = f"the same request was sent {number} times in a row"
        notes.add(Finding("TC-RETRY-BOUNDED", text, "/request", TRIES, number), first, last)
    lost = status is None and not _never_arrived(last)
    if not _is_repeatable(parsed) and parsed.endpoint == "sync" and (lost or status in NOT_BEFORE or unreadable(last)):
        what = "with a 5XX that leaves it open" if status in NOT_BEFORE else "without a complete answer"
        text = f"sent again after a try that ended {what}: if that one was applied, this counts twice"
        notes.add(Finding("TC-APPLIED-TWICE", text, "/request/body"), last)
    return replace(before, last=exchange, number=number, pauses=pauses)


def _check_pauses(belief: ClientBelief, tries: Tries, before: Tries, notes: _Notes) -> ClientBelief:
    """Hold the newest pause after a 5XX against those before it, and both against what other requests showed."""
    notes.covered.add("TC-RETRY-BACKOFF")
    pauses = tries.pauses
    count, first, newest = len(pauses), pauses[0], pauses[-1]
    hasty = newest < AT_ONCE
    at_once = belief.at_once.after(marked=hasty and count <= 2, trial=count <= 2)
    same = count == 2 and abs(newest - first) <= SAME_PAUSE * first + 0.015
    level = count == 3 and max(pauses[1:]) < GROWN * first
    paused = min(first, newest) >= AT_ONCE
    steady = belief.steady.after(marked=paused and (same or level), trial=paused and count == 2)
    text = None
    if at_once.confirmed and at_once.marks > belief.at_once.marks:
        text = f"sent again {newest * 1000:.0f} ms after a 5XX"
    elif steady.confirmed and steady.marks > belief.steady.marks:
        text = (
            f"the second pause after a 5XX is as long as the first ({first:.2f} s)"
            if same
            else "the pauses between tries after a 5XX do not grow"
        )
    if text:
        shown = [round(one, 3) for one in pauses]
        evidence = (tries.first, before.last) if tries.first and tries.first is not before.last else (before.last,)
        notes.add(Finding("TC-RETRY-BACKOFF", text, "/request", "pauses that grow", shown), *evidence)
    return replace(belief, at_once=at_once, steady=steady)


def _never_arrived(exchange: Exchange) -> bool:
    return exchange.failure is not None and exchange.failure.kind is FailureKind.UNREACHABLE


def unreadable(exchange: Exchange) -> bool:
    """Whether the client could not read the answer: a success cut short is as good as none."""
    response = exchange.response
    if response is None:
        return exchange.failure is not None
    return 200 <= response.status < 300 and not isinstance(read_json(response.body).value, dict)


def _is_repeatable(parsed: ParsedRequest) -> bool:
    """Whether the request may be applied twice without harm: everything but counts and increments."""
    parsed_requests = (
        objects_of(parsed) if parsed.endpoint == "track" else [parsed] if parsed.endpoint == "sync" else []
    )
    return bool(parsed_requests) and all(
        one.counter is None
        and one.section == "attributes"
        and not any(_adds_up(value) for value in one.attributes.values())
        for one in parsed_requests
    )


def _adds_up(value: Any) -> bool:
    return isinstance(value, dict) and bool(value.keys() & {"inc", "$add"})
