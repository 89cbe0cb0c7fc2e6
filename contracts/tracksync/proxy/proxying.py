"""Serves the proxy and has what it sees checked, both sides at once, until it is stopped.

    proxy(plan, emit, keys, ready)

The oracle checks the endpoint, the client check the client; this module only gives them what they need, in the order of
the responses. As with a recording of others, the workspace is unknown when it begins: a user is believed to be what the
first response shows of it.
"""

from __future__ import annotations

import queue
import signal
import ssl
import threading
import time
from collections import Counter, deque
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType
from typing import Final

from tracksync.cassettes.pseudonyms import identifiers_in
from tracksync.contract.clauses import Side, catalogue
from tracksync.gate.client_behaviour import ClientBelief, check_client, conclude
from tracksync.model.events import (
    Event,
    ExchangeChecked,
    FindingConfirmed,
    InterpretationLearned,
    PhaseStarted,
    RunEnded,
    RunStarted,
    Skipped,
    Verdict,
)
from tracksync.model.exchange import Exchange
from tracksync.model.finding import Finding
from tracksync.model.verdict import evidence_of, fails, fingerprint
from tracksync.oracle import Belief, Settings, check
from tracksync.oracle.forgetting import after_gap
from tracksync.proxy.credentials import Keys
from tracksync.wire.forwarding import Forwarder, Sighting
from tracksync.wire.serve import served

PHASE: Final = "proxy"
SHOWN: Final = 5  # findings of one clause that are reported one by one
LED_TO: Final = 8  # exchanges that are shown of those that led to a finding
REMEMBERED: Final = 2000  # exchanges among which those are looked for
SMALL: Final = 64 * 1024  # bytes of a body that may be remembered
TICK: Final = 0.05  # seconds between two looks at the clock while nothing comes
# What only the command that a client runs in could show.
GATE_ONLY: Final = frozenset(
    "TC-KEY-SECRET TC-TOLERANT TC-RECOVERS TC-NOT-APPLIED TC-FAILURE-TOLD TC-SUCCESS-TOLD TC-ASKED-FOR "
    "TC-ATTEMPTS-TOLD TC-NO-RESULT TC-OUTCOME-KIND TC-OUTCOME-TRUE TC-VALUES-TOLD".split()
)


@dataclass(frozen=True, slots=True, kw_only=True)
class ProxyPlan:
    """Where to listen, what to hand on to, and what is known of the workspace.

    `context`: how to trust the endpoint's certificate, None for the public CAs. `allowed`: clauses whose findings are
    known and fail nothing. `timeout`: seconds to wait for the endpoint's next byte. `shared`: others use up the
    workspace's rate limit too. `max_requests`, `max_seconds`: when to end without being stopped. `reproduce`: the
    command line that serves this plan again.
    """

    upstream: str
    host: str = "127.0.0.1"
    port: int = 0
    context: ssl.SSLContext | None = field(default=None, repr=False)
    certificate: Path | None = None
    certificate_key: Path | None = None
    loopback: bool = False
    timeout: float = 120.0
    interpretations: Mapping[str, str] = field(default_factory=dict)
    rate_limit: int | None = None
    array_limit: int | None = None
    shared: bool = True
    strict: bool = False
    allowed: frozenset[str] = frozenset()
    max_requests: int | None = None
    max_seconds: float | None = None
    reproduce: str = ""


def proxy(
    plan: ProxyPlan,
    emit: Callable[[Event], None],
    keys: Keys,
    ready: Callable[[str], None] = lambda url: None,
    stopped: Callable[[], bool] = lambda: False,
) -> None:
    """Serve `plan` until Ctrl-C, one of its limits or `stopped`, then say how it went.

    `ready` is called with the address.

    Raises UsageError where the port is taken or the certificate cannot be read; all else ends in a RunEnded event.
    """
    _ProxyRun(plan, emit, keys).run(ready, stopped)


@contextmanager
def _signals() -> Iterator[threading.Event]:
    """An event that Ctrl-C or SIGTERM sets: an exception could come in the middle of a result, and lose it."""
    stop = threading.Event()
    if threading.current_thread() is not threading.main_thread():
        yield stop
        return

    def on_signal(number: int, frame: FrameType | None) -> None:
        stop.set()

    before = {number: signal.signal(number, on_signal) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield stop
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


class _ProxyRun:
    def __init__(self, plan: ProxyPlan, emit: Callable[[Event], None], keys: Keys) -> None:
        self._plan, self._emit, self._keys = plan, emit, keys
        settings = Settings(
            rate_limit=plan.rate_limit,
            array_limit=plan.array_limit,
            interpretations=plan.interpretations,
            clock_skew=5.0 if plan.loopback else 300.0,
            shared=plan.shared,
        )
        self._server = Belief.start(settings)
        self._client = ClientBelief()
        self._sightings: queue.SimpleQueue[Sighting] = queue.SimpleQueue()
        self._halves: dict[int, tuple[tuple[Finding, ...], frozenset[str]]] = {}
        self._found: set[tuple[str, str]] = set()
        self._shown: Counter[str] = Counter()
        self._recent: deque[tuple[frozenset[str], Exchange]] = deque(maxlen=REMEMBERED)
        self._interpretations: dict[str, str] = {}
        self._gaps: Counter[str] = Counter()
        self._unreached = ""
        self._checked = 0
        self._seen = 0
        self._broken = False

    # --- serving --------------------------------------------------------------------------------------------------
    def run(self, ready: Callable[[str], None], stopped: Callable[[], bool]) -> None:
        plan = self._plan
        forwarder = Forwarder(
            plan.upstream,
            self._sightings.put,
            self._keys,
            context=plan.context,
            timeout=plan.timeout,
            loopback=plan.loopback,
        )
        why = "its limit was reached"
        begun = time.monotonic()
        with served(
            forwarder,
            host=plan.host,
            port=plan.port,
            certificate=plan.certificate,
            key=plan.certificate_key,
            keep_case=True,
            transparent=True,
        ) as url:
            self._emit(RunStarted("proxy", plan.upstream, time.time(), strict=plan.strict))
            self._emit(PhaseStarted(PHASE))
            ready(url)
            with _signals() as asked:
                while not self._enough(time.monotonic() - begun):
                    if stopped() or asked.is_set():
                        why = "it was stopped by hand"
                        break
                    self._next(TICK)
        # The server has ended: what was under way has been handed over by now.
        while self._next(0):
            pass
        self._end(why)

    def _enough(self, seconds: float) -> bool:
        plan = self._plan
        if plan.max_requests is not None and self._seen >= plan.max_requests:
            return True
        return plan.max_seconds is not None and seconds >= plan.max_seconds

    def _next(self, wait: float) -> bool:
        """Check the next sighting. Returns whether there was one within `wait` seconds."""
        try:
            sighting = self._sightings.get(timeout=wait) if wait else self._sightings.get_nowait()
        except queue.Empty:
            return False
        self._seen += sighting.last
        self._check(sighting)
        return True

    # --- checking --------------------------------------------------------------------------------------------------
    def _check(self, sighting: Sighting) -> None:
        findings, covered = self._halves.pop(sighting.number, ((), frozenset[str]()))
        news: list[tuple[Finding, tuple[Exchange, ...]]] = []
        if sighting.client is not None:
            result = check_client(self._client, sighting.client)
            self._client = result.belief
            findings, covered = findings + result.findings, covered | result.covered
            last = sighting.client.exchange
            news += [(one, (*before, last)) for one, before in zip(result.findings, result.evidence, strict=True)]
        if sighting.server is not None:
            exchange = sighting.server
            names = identifiers_in(exchange.request.body)
            before = self._server
            check_result = check(before, exchange, sighting.in_flight)
            self._server = check_result.belief
            findings, covered = findings + check_result.findings, covered | check_result.covered
            news += [(one, (*self._leading_to(names), exchange)) for one in check_result.findings]
            if (
                len(exchange.request.body) <= SMALL
                and len(exchange.response.body if exchange.response else b"") <= SMALL
            ):
                self._recent.append((names, exchange))
            if check_result.belief.ambiguities is not before.ambiguities:
                self._learn(exchange)
        for finding, evidence in news:
            self._confirm(finding, evidence)
        if not sighting.last:
            self._halves[sighting.number] = (findings, covered)
        elif sighting.server is not None:
            self._checked += 1
            self._emit(ExchangeChecked(self._checked, sighting.server, findings, covered, PHASE))
        else:
            self._gap(sighting)

    def _gap(self, sighting: Sighting) -> None:
        if sighting.effect:
            self._server = after_gap(self._server)
        if sighting.unreached:
            self._unreached = sighting.gap
        self._gaps["could not be handed on" if sighting.unreached else sighting.gap] += 1
        self._emit(Skipped(f"request {sighting.number}", sighting.gap))

    def _leading_to(self, names: frozenset[str]) -> tuple[Exchange, ...]:
        """The nearest earlier exchanges that name the same user."""
        found: list[Exchange] = []
        for others, exchange in reversed(self._recent):
            if len(found) == LED_TO - 1:
                break
            if names & others:
                found.append(exchange)
        return tuple(found[::-1])

    def _learn(self, exchange: Exchange) -> None:
        for ambiguity, interpretation in self._server.interpretations().items():
            if ambiguity not in self._plan.interpretations and self._interpretations.get(ambiguity) != interpretation:
                self._interpretations[ambiguity] = interpretation
                self._emit(InterpretationLearned(ambiguity, interpretation, exchange))

    def _confirm(self, finding: Finding, exchanges: tuple[Exchange, ...]) -> None:
        known = finding.clause in self._plan.allowed
        self._broken = self._broken or fails(evidence_of(finding.clause), strict=self._plan.strict, known=known)
        place = (finding.clause, fingerprint(finding.clause, finding.pointer))
        if place in self._found or self._shown[finding.clause] >= SHOWN:
            return
        self._found.add(place)
        self._shown[finding.clause] += 1
        self._emit(FindingConfirmed(finding, exchanges, self._plan.reproduce, known))

    # --- the end --------------------------------------------------------------------------------------------------
    def _end(self, why: str) -> None:
        last = conclude(self._client)
        for finding, evidence in zip(last.findings, last.evidence, strict=True):
            self._confirm(finding, evidence)
        verdict: Verdict = "failed" if self._broken else "passed" if self._checked else "incomplete"
        self._emit(RunEnded(verdict, self._reason(why), time.time(), self._interpretations, self._why_not()))

    def _reason(self, why: str) -> str:
        if not self._seen:
            return f"no request came ({why}); give the client the proxy's address as its endpoint"
        parts = [f"{self._checked} of {self._seen} requests were checked; {why}"]
        parts += [f"{count} {gap}" for gap, count in sorted(self._gaps.items())]
        if self._unreached:
            parts.append(self._unreached)
        return "; ".join(parts)

    def _why_not(self) -> dict[str, str]:
        never = "no exchange that came through the proxy bore on it"
        beyond = "only `tracksync gate` sees what the client's own command makes of it"
        reasons = dict.fromkeys(catalogue(None), never)
        return reasons | {id_: beyond for id_ in GATE_ONLY if id_ in catalogue(Side.CLIENT)}
