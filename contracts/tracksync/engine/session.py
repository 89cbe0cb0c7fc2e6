"""One conversation with a target: pace, retries, budgets, judging. Every request of a run goes through `Session.send`.

Knows when to send, not what. The rate headers decide the pace, also when other jobs use the same window; a 429, a 5XX
or a lost answer is waited out and tried again, and whether it counts is the oracle's business alone.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from tracksync.engine.targets import Target
from tracksync.events import Event, ExchangeJudged, Paused, ReadingLearned, Retried
from tracksync.exchange import Exchange, FailureKind, header
from tracksync.findings import Finding
from tracksync.generate.build import SYNC, Step
from tracksync.limits import CONTROL_KEYS
from tracksync.oracle import Belief, Judgement, judge
from tracksync.values.identifiers import attribute_kind
from tracksync.values.jsontext import read_json

TRIES = 4  # of one request, before it is given up
BACKOFF = 0.5  # seconds, doubled with each try
LONGEST_BACKOFF = 30.0


class BudgetSpent(Exception):  # noqa: N818 - it ends a phase, and is no error
    """Requests, seconds or data points are used up; the message says which."""


class TargetLost(Exception):  # noqa: N818
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
    """A conversation. `emit` gets an event for everything that happens; `target` is a tracksync.engine.targets.Target."""

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
    _reset: float = 0.0
    _remaining: int | None = None
    _readings: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.started = self.target.now()

    def left(self) -> int | None:
        """How many requests the budget still allows, None for any number."""
        return None if self.budget.requests is None else max(self.budget.requests - self.requests, 0)

    def send(self, step: Step) -> Exchange | None:
        """Send one step, again if need be, and judge every try. Returns the last exchange; None where no key is at hand.

        Raises BudgetSpent before it would go beyond the budget, TargetLost when nothing can be reached.
        """
        if not self.target.can(step.credential):
            return None
        exchange: Exchange | None = None
        for attempt in range(1, TRIES + 1):
            cost = data_points(step)
            self._check_budget(cost)
            self._keep_pace(step)
            exchange = self.target.send(step)
            self._judge(step, exchange, cost)
            wait = self._wait_after(exchange, attempt)
            if wait is None:
                return exchange
            if attempt < TRIES:
                why = _trouble(exchange)
                self._pause(wait, why)
                self.emit(Retried(attempt + 1, why))
        if exchange is not None and exchange.failure and exchange.failure.kind is FailureKind.UNREACHABLE:
            raise TargetLost(f"{self.target.name} cannot be reached ({exchange.failure.detail})")
        return exchange

    def _judge(self, step: Step, exchange: Exchange, cost: int) -> None:
        self.requests += 1
        self.data_points += cost
        judgement: Judgement = judge(self.belief, exchange)
        self.belief = judgement.belief
        if self.keep_log:
            self.log.append(Sent(step, exchange, judgement.findings, self.phase))
        self.emit(
            ExchangeJudged(self.requests, exchange, judgement.findings, judgement.exercised, self.phase, cost)
        )
        if "TS-READING-KEPT" in judgement.exercised:
            for row, reading in judgement.readings.items():
                if self._readings.get(row) != reading:
                    self._readings[row] = reading
                    self.emit(ReadingLearned(row, reading))
        self._read_rate(step, exchange)

    def _check_budget(self, cost: int) -> None:
        budget = self.budget
        if budget.requests is not None and self.requests >= budget.requests:
            raise BudgetSpent(f"the budget of {budget.requests} requests is spent")
        if budget.seconds is not None and self.target.now() - self.started >= budget.seconds:
            raise BudgetSpent(f"the budget of {budget.seconds:g} seconds is spent")
        if budget.data_points is not None and self.data_points + cost > budget.data_points:
            raise BudgetSpent(f"the budget of {budget.data_points} data points is spent")

    # --- pace ---------------------------------------------------------------------------------------------------

    def _read_rate(self, step: Step, exchange: Exchange) -> None:
        if exchange.response is None or step.request.path != SYNC:
            return
        remaining = header(exchange.response.headers, "x-ratelimit-remaining")
        reset = header(exchange.response.headers, "x-ratelimit-reset")
        if remaining and remaining.isdigit() and reset and reset.isdigit() and len(reset) < 12:
            self._remaining, self._reset = int(remaining), float(reset)

    def _keep_pace(self, step: Step) -> None:
        """Wait for the next window when this one has nothing left."""
        if not self.pace or self._remaining is None or self._remaining > 0:
            return
        wait = self._reset - self.target.now()
        if 0 < wait <= 120:
            self._pause(wait + 0.05, "the rate window is used up")
        self._remaining = None

    def _wait_after(self, exchange: Exchange, attempt: int) -> float | None:
        """Seconds to wait before the same request is tried again, None where the answer stands."""
        backoff = min(BACKOFF * 2 ** (attempt - 1), LONGEST_BACKOFF)
        jitter = self.rng.uniform(0.0, backoff / 2)
        if exchange.response is None:
            return backoff + jitter
        status = exchange.response.status
        if status == 429:
            wait = self._reset - self.target.now()
            return wait + 0.05 if 0 < wait <= 120 else backoff + jitter
        return backoff + jitter if status >= 500 else None

    def _pause(self, seconds: float, why: str) -> None:
        if self.budget.seconds is not None:
            left = self.budget.seconds - (self.target.now() - self.started)
            if seconds > left:
                raise BudgetSpent(f"the budget of {self.budget.seconds:g} seconds is spent")
        self.emit(Paused(seconds, why))
        self.target.sleep(seconds)


def _trouble(exchange: Exchange) -> str:
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
        if key not in CONTROL_KEYS and attribute_kind(key) == "custom"
    )


def findings_of(log: Sequence[Sent]) -> list[tuple[int, Finding]]:
    """Every finding with the index of its exchange."""
    return [(index, finding) for index, sent in enumerate(log) for finding in sent.findings]


