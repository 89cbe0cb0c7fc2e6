"""The client check: one exchange as the server's end saw it in, a new belief and the broken clauses out.

    check_client(belief, observed) -> ClientCheckResult(belief, findings, evidence, covered)
    conclude(belief)               -> ClientCheckResult, for what only the end of the traffic shows

Pure and sans-IO like the oracle: it sends nothing, never sleeps and reads no clock. Exchanges come in the order in
which they ended. `client_rules` checks each request alone, `retries` how a request is tried again; this file checks
whether a client waits: for a reset time, for the response before the next request, for a slow response.

A request that may have been under way before the client could know better is not held against the client, nor is a
429 that another of its processes met (LIMITS: whoever meets one pauses; nothing tells the others). No document speaks
of redirects, so that a request to where a server has sent the client is not checked at all.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable
from dataclasses import dataclass, field, replace
from typing import Final
from urllib.parse import urljoin, urlsplit

from rpds import HashTrieMap

from tracksync.gate.client_rules import read_client_request
from tracksync.gate.findings import ClientFindings
from tracksync.gate.retries import EARLY, RetryBelief, check_retries, never_retried, request_key
from tracksync.model.exchange import Exchange, header
from tracksync.model.finding import Finding
from tracksync.oracle.identifiers import identifier_of
from tracksync.oracle.request import PATHS, ParsedRequest
from tracksync.wire.observed import Observed, reset_time

SECONDS: Final = 1.9  # the documents speak of seconds, so of two at least; a tenth is left for timers that differ
TEN_SECONDS: Final = 9.5  # no document names this bound; half a second is left for timers and networks
SLOW: Final = 1.0  # seconds from which a response shows how long a client waits
IN_FLIGHT: Final = 0.15  # seconds within which a request on another connection may have been under way already
CONNECTING: Final = 0.5  # the same for one that opened a connection first: on a busy machine that takes so long
IGNORED: Final = 2  # new connections in a row, each opened after the 429 on the one before, that show a client at fault


@dataclass(frozen=True, slots=True)
class Limited:
    """A 429 that is in force: nothing is to be sent before `reset`, seconds since the epoch.

    `ignored`: how many requests in a row, this one the last, were sent on new connections after the 429 before.
    """

    observed: Observed
    reset: float
    ignored: int = 0


@dataclass(frozen=True, slots=True)
class ClientBelief:
    """What is remembered of a client's traffic: the limits by endpoint, the last exchange by cell, and the retries.

    Of the limits that the same process knows of, the newest is remembered. `redirects`: to which path and query a 3XX
    has led, with how many requests that are still to follow one.
    """

    limited: HashTrieMap[str, tuple[Limited, ...]] = field(default_factory=HashTrieMap)
    cells: HashTrieMap[Hashable, Observed] = field(default_factory=HashTrieMap)
    retries: RetryBelief = field(default_factory=RetryBelief)
    redirects: HashTrieMap[str, int] = field(default_factory=HashTrieMap)

    def without_tries(self) -> ClientBelief:
        """The belief for a part of the traffic whose requests are not tries of earlier ones."""
        return replace(self, retries=replace(self.retries, tries=RetryBelief().tries))


@dataclass(frozen=True, slots=True)
class ClientCheckResult:
    """What one exchange showed of the client.

    `evidence` has, for each finding in turn, the earlier exchanges that belong to it; the checked one comes after them.
    `covered`: the clauses that the exchange bore on.
    """

    belief: ClientBelief
    findings: tuple[Finding, ...] = ()
    evidence: tuple[tuple[Exchange, ...], ...] = ()
    covered: frozenset[str] = frozenset()


def check_client(belief: ClientBelief, observed: Observed) -> ClientCheckResult:
    """Check one exchange of a client. Pure; never raises on any exchange."""
    found = ClientFindings()
    follows = observed.exchange.request.path in belief.redirects
    belief = replace(belief, redirects=_redirects(belief.redirects, observed.exchange))
    if follows:
        return _result(belief, found)
    request = read_client_request(observed)
    found.covered |= request.covered
    for finding in request.findings:
        found.add(finding)
    if request.ours:
        _check_time_out(observed, found)
        belief = _check_rate(belief, observed, request.parsed, found)
        belief = _check_order(belief, observed, request.parsed, found)
        belief = replace(belief, retries=check_retries(belief.retries, observed, request.parsed, found))
    return _result(belief, found)


def conclude(belief: ClientBelief) -> ClientCheckResult:
    """What the end of the traffic shows: requests that met a 5XX and were not sent again."""
    found = ClientFindings()
    never_retried(belief.retries, found)
    return _result(belief, found)


def _result(belief: ClientBelief, found: ClientFindings) -> ClientCheckResult:
    found.covered.update(finding.clause for finding in found.findings)
    return ClientCheckResult(belief, tuple(found.findings), tuple(found.evidence), frozenset(found.covered))


def _redirects(before: HashTrieMap[str, int], exchange: Exchange) -> HashTrieMap[str, int]:
    """Where redirects lead after `exchange`. A path that is documented may be used without one, so it counts down."""
    path, response = exchange.request.path, exchange.response
    if path in before and path.partition("?")[0] in PATHS:
        before = before.insert(path, before[path] - 1) if before[path] > 1 else before.remove(path)
    location = header(response.headers, "location") if response and 300 <= response.status < 400 else None
    if not location:
        return before
    try:
        parts = urlsplit(urljoin(path, location))
    except ValueError:
        return before
    target = f"{parts.path or '/'}?{parts.query}" if parts.query else parts.path or "/"
    return before.insert(target, before.get(target, 0) + 1)


# --- rate ---------------------------------------------------------------------------------------------------------


def _check_rate(belief: ClientBelief, observed: Observed, parsed: ParsedRequest, found: ClientFindings) -> ClientBelief:
    exchange = observed.exchange
    limits = belief.limited.get(parsed.endpoint, ())
    limited = next((one for one in limits if _is_told(observed, one)), None)
    ignored = 0
    if limited is not None:
        early = limited.reset - exchange.sent
        ignored = limited.ignored + 1 if early > EARLY and _opened_after(observed, limited) else 0
        knew = _knew(observed, limited)
        if knew:
            found.covered.add("TC-RATE-WAIT")
        if early > EARLY and (knew or ignored >= IGNORED):
            text = f"sent {early:.2f} s before the reset time that the 429 had named"
            wrong = Finding("TC-RATE-WAIT", text, "/request", limited.reset, round(exchange.sent, 3))
            found.add(wrong, limited.observed.exchange)
    response = exchange.response
    reset = reset_time(response.headers) if response is not None and response.status == 429 else None
    if reset is None:
        return belief
    if limited is not None:
        reset = max(reset, limited.reset)
    others = (one for one in limits if one is not limited and one.reset > exchange.sent)
    limits = (Limited(observed, reset, ignored), *others)
    return replace(belief, limited=belief.limited.insert(parsed.endpoint, limits))


def _is_told(observed: Observed, limited: Limited) -> bool:
    """Whether whoever sent the request could learn of the 429. Where processes are not known, everyone could.

    The process that met the 429 knows of it. If it has ended, the nearest process above it that lives knows; and so
    does every process that one of these started since.
    """
    met, sends = limited.observed.sender, observed.sender
    if met is None or sends is None:
        return True
    knows = next((process for process in met.line if process in sends.living), None)
    if knows is None or knows not in sends.line:
        return knows is None
    return met.living.isdisjoint(sends.line[: sends.line.index(knows)])


def _knew(observed: Observed, limited: Limited) -> bool:
    """Whether the client must have read the 429 before it sent this request."""
    after = observed.exchange.sent - limited.observed.known
    if after < 0:
        return False
    same_connection = observed.connection == limited.observed.connection
    same_request = request_key(observed.exchange) == request_key(limited.observed.exchange)
    under_way = CONNECTING if _opened_after(observed, limited) else IN_FLIGHT
    return same_connection or same_request or after > under_way


def _opened_after(observed: Observed, limited: Limited) -> bool:
    """Whether the request came on a new connection that was opened after the 429."""
    return observed.opened is not None and observed.opened >= limited.observed.known


# --- order --------------------------------------------------------------------------------------------------------


def _check_order(
    belief: ClientBelief, observed: Observed, parsed: ParsedRequest, found: ClientFindings
) -> ClientBelief:
    """Exchanges come in the order of their ends, so an overlap shows when the later one of the two has ended."""
    cells = belief.cells
    reported = False
    for name, cell in cells_of(parsed):
        before = cells.get(cell)
        if before is not None:
            found.covered.add("TC-ORDER")
            if not reported and before.known > observed.exchange.sent and observed.known > before.exchange.sent:
                reported = True
                text = f"two requests about {name} of one user were under way at the same time"
                overlap = _overlap(before, observed)
                wrong = Finding("TC-ORDER", text, "/request/body", "one after the other", overlap)
                found.add(wrong, before.exchange)
        if before is None or before.known <= observed.known:
            cells = cells.insert(cell, observed)
    return replace(belief, cells=cells)


def _overlap(before: Observed, after: Observed) -> str:
    shared = min(before.known, after.known) - max(before.exchange.sent, after.exchange.sent)
    return f"{max(shared, 0) * 1000:.0f} ms at the same time"


_WORDS: Final = {"attributes": "the attribute", "events": "the event", "purchases": "the product"}


def cells_of(parsed: ParsedRequest) -> Iterable[tuple[str, Hashable]]:
    """What a request to /users/track/sync is about: each attribute, event, product or field, in words and as a key."""
    if parsed.endpoint != "sync" or not parsed.identifiers:
        return
    user = identifier_of(*parsed.identifiers[0])
    for section, name in parsed.cells():
        yield f"{_WORDS[section]} {name[:60]!r}", (user, section, name)
    for name in parsed.profile:
        if (name, parsed.profile[name]) not in parsed.identifiers:
            yield f"the field {name!r}", (user, "profile", name)


# --- time-out -----------------------------------------------------------------------------------------------------


def _check_time_out(observed: Observed, found: ClientFindings) -> None:
    exchange = observed.exchange
    waited = exchange.received - exchange.sent
    if waited >= SLOW:
        found.covered |= {"TC-TIMEOUT", "TC-TIMEOUT-TEN"}
    if not observed.gave_up or waited >= TEN_SECONDS:
        return
    clause, bound = ("TC-TIMEOUT", 2.0) if waited < SECONDS else ("TC-TIMEOUT-TEN", 10.0)
    text = f"the client hung up after {waited:.1f} s, before the response was complete"
    found.add(Finding(clause, text, "/response", bound, round(waited, 2)))
