"""One conversation with a target: pace, retries, budgets, checking. Every request of a run goes through `Session.send`.

Knows when to send, not what. The rate headers decide the pace, also when other jobs use the same window; a 429, a 5XX
or a lost answer is waited out and tried again, and whether it counts is the oracle's business alone. Before a request
is given up for good, another one shows whether the target is there at all: an outage is waited out, not reported.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass, field

from tracksync.contract.bounds import bounds
from tracksync.engine.pace import Pace
from tracksync.engine.targets import Target
from tracksync.generate.build import Step
from tracksync.generate.renaming import Identifier, identifiers_of
from tracksync.model.events import Event, ExchangeChecked, InterpretationLearned, Paused, Retried
from tracksync.model.exchange import Exchange, FailureKind
from tracksync.model.finding import Finding
from tracksync.oracle import Belief, CheckResult, check
from tracksync.values.jsontext import read_json

TRIES = 4  # of one request, before it is given up
BACKOFF = 0.5  # seconds, doubled with each try
LONGEST_BACKOFF = 30.0
LOG_KEPT = 2000  # exchanges that are remembered, at least; a night has too many to keep them all


class BudgetSpent(Exception):
    """Requests, seconds or data points are used up; the message says which."""


class TargetLost(Exception):
    """Nothing answers any more."""


@dataclass(frozen=True, slots=True)
class Budget:
    """What a run may spend. None: without limit."""

    requests: int | None = None
    seconds: float | None = None
    data_points: int | None = None


@dataclass(frozen=True, slots=True)
class Sent:
    """One step that was sent, and what came of it."""

    step: Step
    exchange: Exchange
    findings: tuple[Finding, ...]
    phase: str


@dataclass(slots=True)
class Session:
    """A conversation with `target`; `emit` gets an event for everything that happens."""

    target: Target
    belief: Belief
    emit: Callable[[Event], None]
    budget: Budget = field(default_factory=Budget)
    phase: str = "directed"
    pace: bool = True
    rng: random.Random = field(default_factory=lambda: random.Random(0))
    log: list[Sent] = field(default_factory=list)
    requests: int = 0
    data_points: int = 0
    started: float = 0.0
    keep_log: bool = True
    keep_users: bool = False
    # Per kind of finding: what was sent up to its first appearance, and the finding.
    found: dict[Hashable, tuple[list[Sent], Finding]] = field(default_factory=dict)
    likeness: Callable[[Finding], Hashable] = lambda finding: finding.clause
    reserve: Callable[[], tuple[int, float]] = lambda: (0, 0.0)  # requests and seconds of the budget, kept for later
    waited: float = 0.0  # seconds that answers took, in all
    lost: bool = False  # a write may come through although its answer did not
    pulse: Callable[[int], Step] | None = None  # a plain request, another one for each number
    patience: float = 0.0  # seconds for which an outage is waited out
    shown: dict[str, Exchange] = field(default_factory=dict)  # per ambiguity: what showed its interpretation
    rates: Pace = field(default_factory=Pace)
    users: dict[Identifier, None] = field(default_factory=dict)  # all that were named, for cleaning up
    prefix: str = "ts"
    _pulses: int = 0
    _answered: bool = False
    _interpretations: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.started = self.target.now()
        self._interpretations = self.belief.interpretations()

    def left(self) -> int | None:
        """How many requests the budget still allows, None for any number."""
        return None if self.budget.requests is None else max(self.budget.requests - self.requests, 0)

    def send(self, step: Step) -> Exchange | None:
        """Send one step, again if need be, checking every try. Returns the last exchange, None without the key for it.

        Raises BudgetSpent before it would go beyond the budget, TargetLost when nothing can be reached.
        """
        if not self.target.can(step.credential):
            return None
        if step.settle:
            self._pause(self.target.settling, "what is queued is applied")
        exchange: Exchange | None = None
        for attempt in range(1, TRIES + 1):
            exchange = self._try(step)
            wait = self._wait_after(exchange, attempt)
            if wait is None:
                self._answered = True
                return exchange
            if attempt == TRIES - 1 and not _limited(exchange):
                self._outlast()
            if attempt < TRIES:
                why = _transient_failure(exchange)
                self._pause(wait, why)
                self.emit(Retried(attempt + 1, why))
        if exchange is not None and exchange.failure and exchange.failure.kind is FailureKind.UNREACHABLE:
            raise TargetLost(f"{self.target.name} cannot be reached ({exchange.failure.detail})")
        return exchange

    def deliver(self, step: Step) -> Exchange:
        """Send one step as it is: at once and unjudged, but counted and told. For whoever cleans up."""
        self.rates.sending(step.request.path)
        exchange = self.target.send(step)
        self.requests += 1
        self.emit(ExchangeChecked(self.requests, exchange, (), frozenset(), self.phase, 0))
        self.rates.read(step.request.path, exchange.response, exchange.received)
        return exchange

    def over(self) -> str:
        """Why not one more request may be sent, "" where it may. Keeps nothing back."""
        budget = self.budget
        if budget.requests is not None and self.requests >= budget.requests:
            return f"the budget of {budget.requests} requests is spent"
        if budget.seconds is not None and self.target.now() - self.started >= budget.seconds:
            return f"the budget of {budget.seconds:g} seconds is spent"
        return ""

    def check_budget(self, step: Step) -> None:
        """Raise BudgetSpent if `step` would go beyond the budget."""
        self._check_budget(data_points(step))

    def pause(self, seconds: float, why: str) -> None:
        """Let time pass, and say so. Raises BudgetSpent where the budget of seconds would be over."""
        self._pause(seconds, why)

    def _try(self, step: Step) -> Exchange:
        cost = data_points(step)
        self._check_budget(cost)
        self._keep_pace(step)
        self.rates.sending(step.request.path)
        if self.keep_users:
            self.users.update(dict.fromkeys(identifiers_of(step.request, self.prefix)))
        exchange = self.target.send(step)
        if self.keep_users and exchange.request is not step.request:
            self.users.update(dict.fromkeys(identifiers_of(exchange.request, self.prefix)))
        self._check(step, exchange, cost)
        return exchange

    def _outlast(self) -> None:
        """Wait until the target answers anything, for as long as the patience lasts."""
        if self.pulse is None or not self._answered:
            return
        waited = 0.0
        for attempt in range(1, 1000):
            self._pulses += 1
            exchange = self._try(self.pulse(self._pulses))
            wait = self._wait_after(exchange, attempt + 2)
            if wait is None or _limited(exchange):
                return
            if waited + wait > self.patience:
                raise TargetLost(
                    f"{self.target.name} has answered nothing for {waited:.0f} s ({_transient_failure(exchange)})"
                )
            self._pause(wait, f"the target answers nothing ({_transient_failure(exchange)})")
            waited += wait

    def _check(self, step: Step, exchange: Exchange, cost: int) -> None:
        self.requests += 1
        self.lost = self.lost or _is_lost(exchange)
        self.waited += max(exchange.received - exchange.sent, 0.0)
        self.data_points += cost
        check_result: CheckResult = check(self.belief, exchange)
        self.belief = check_result.belief
        if self.keep_log:
            self._remember(Sent(step, exchange, check_result.findings, self.phase))
        self.emit(
            ExchangeChecked(self.requests, exchange, check_result.findings, check_result.covered, self.phase, cost)
        )
        if "TS-INTERPRETATION-KEPT" in check_result.covered:
            for ambiguity, interpretation in check_result.interpretations.items():
                if self._interpretations.get(ambiguity) != interpretation:
                    self._interpretations[ambiguity] = interpretation
                    self.shown[ambiguity] = exchange
                    self.emit(InterpretationLearned(ambiguity, interpretation, exchange))
        self.rates.read(step.request.path, exchange.response, exchange.received)

    def _remember(self, sent: Sent) -> None:
        if len(self.log) >= 2 * LOG_KEPT:
            del self.log[:LOG_KEPT]
        self.log.append(sent)
        for finding in sent.findings:
            kind = self.likeness(finding)
            if kind not in self.found:
                self.found[kind] = (list(self.log), finding)

    def _check_budget(self, cost: int) -> None:
        budget = self.budget
        kept_requests, kept_seconds = self.reserve()
        if budget.requests is not None and self.requests >= budget.requests - kept_requests:
            raise BudgetSpent(f"the budget of {budget.requests} requests is spent")
        if budget.seconds is not None and self.target.now() - self.started >= budget.seconds - kept_seconds:
            raise BudgetSpent(f"the budget of {budget.seconds:g} seconds is spent")
        if budget.data_points is not None and self.data_points + cost > budget.data_points:
            raise BudgetSpent(f"the budget of {budget.data_points} data points is spent")

    # --- pace ---------------------------------------------------------------------------------------------------

    def _keep_pace(self, step: Step) -> None:
        """Wait for the next window when this one has nothing left for us."""
        if self.pace:
            wait = self.rates.wait(step.request.path, self.target.now())
            if wait:
                self._pause(wait, "the rate window is used up")

    def _wait_after(self, exchange: Exchange, attempt: int) -> float | None:
        """Seconds to wait before the same request is tried again, None where the answer stands."""
        backoff: float = min(BACKOFF * 2 ** (attempt - 1), LONGEST_BACKOFF)
        jitter = self.rng.uniform(0.0, backoff / 2)
        if _limited(exchange):
            return self.rates.wait_after_limit(exchange.request.path, self.target.now())
        return backoff + jitter if _is_lost(exchange) else None

    def _pause(self, seconds: float, why: str) -> None:
        if self.budget.seconds is not None:
            left = self.budget.seconds - self.reserve()[1] - (self.target.now() - self.started)
            if seconds > left:
                raise BudgetSpent(f"the budget of {self.budget.seconds:g} seconds is spent")
        self.emit(Paused(seconds, why))
        self.target.sleep(seconds)


def _limited(exchange: Exchange) -> bool:
    return exchange.response is not None and exchange.response.status == 429


def _is_lost(exchange: Exchange) -> bool:
    return exchange.response is None or exchange.response.status >= 500


def _transient_failure(exchange: Exchange) -> str:
    if exchange.failure is not None:
        return exchange.failure.kind.value
    assert exchange.response is not None
    return str(exchange.response.status)


def data_points(step: Step) -> int:
    """What a request may cost: every custom attribute sent to the endpoint is one data point (SYNC)."""
    if step.request.path not in ("/users/track/sync", "/users/track") or b"attributes" not in step.request.body:
        return 0
    value = read_json(step.request.body).value
    section = value.get("attributes") if isinstance(value, dict) else None
    objects = section if isinstance(section, list) else [section]
    return sum(
        1
        for target in objects
        if isinstance(target, dict)
        for key in target
        if key not in bounds().object_members["attributes"]
    )


def findings_of(log: Sequence[Sent]) -> list[tuple[int, Finding]]:
    """Every finding with the index of its exchange."""
    return [(index, finding) for index, sent in enumerate(log) for finding in sent.findings]
