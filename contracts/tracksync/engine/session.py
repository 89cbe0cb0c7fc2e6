"""One conversation with a target: pace, retries, budgets, checking. Every request of a run goes through `Session.send`.

Knows when to send, not what. The rate headers decide the pace, also when other jobs use the same window; a 429, a 5XX
or a lost response is waited out and tried again, and whether it counts is the oracle's business alone. Before a request
is given up for good, another one shows whether the target is there at all: an outage is waited out, not reported.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Hashable
from dataclasses import dataclass, field
from typing import Final

from tracksync.engine.budget import NO_RESERVE, Budget, BudgetSpent, Reserve, Spending, data_points
from tracksync.engine.pace import Pace
from tracksync.engine.targets import Target
from tracksync.generate.build import Step
from tracksync.generate.renaming import Identifier, identifiers_of
from tracksync.model.events import Event, ExchangeChecked, InterpretationLearned, Paused, PhaseStarted, Retried
from tracksync.model.exchange import Exchange
from tracksync.model.finding import Finding
from tracksync.oracle import Belief, CheckResult, check

TRIES: Final = 4  # of one request, before it is given up
FIRST_TRIES: Final = 2  # of the first request of a run: where nothing listens, nothing is waited for
BACKOFF: Final = 0.5  # seconds, doubled with each try
LONGEST_BACKOFF: Final = 30.0
LOG_LENGTH: Final = 2000  # exchanges that are remembered, at least; a long run has too many to keep them all


class TargetLost(Exception):
    """Nothing responds any more."""


@dataclass(frozen=True, slots=True)
class Sent:
    """One step that was sent, and what came of it."""

    step: Step
    exchange: Exchange
    findings: tuple[Finding, ...]
    phase: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionConfig:
    """How a session behaves.

    `pace`: keep to the rate window. `outage_timeout`: seconds for which an outage is waited out. `pulse`: a plain
    request, another one for each number, that shows whether the target is there. `prefix`: note the users that begin
    with it; None notes none. `kind_of`: findings of one kind are remembered once. `reserve`: what of the budget to
    keep. `seed`: of the pauses between tries.
    """

    budget: Budget = Budget()  # noqa: RUF009 - frozen
    pace: bool = True
    outage_timeout: float = 0.0
    pulse: Callable[[int], Step] | None = None
    prefix: str | None = None
    kind_of: Callable[[Finding], Hashable] = lambda finding: finding.clause
    reserve: Callable[[], Reserve] = lambda: NO_RESERVE
    seed: int = 0
    phase: str = "probes"


@dataclass(slots=True)
class Workspace:
    """What several sessions with one target share: its rate windows, the users that were made, whether it responds.

    `lost`: a write may come through although its response did not. `reached`: a request may have had an effect.
    """

    rates: Pace = field(default_factory=Pace)
    users: dict[Identifier, None] = field(default_factory=dict)
    lost: bool = False
    reached: bool = False
    answered: bool = False
    fails_for_good: bool = False  # a request failed with every try while the target answered others


class Session:
    """A conversation with `target`; `emit` gets an event for everything that happens."""

    def __init__(
        self,
        target: Target,
        belief: Belief,
        emit: Callable[[Event], None],
        config: SessionConfig | None = None,
        workspace: Workspace | None = None,
    ) -> None:
        self.target = target
        self.belief = belief
        self.emit = emit
        self.config = config or SessionConfig()
        self.workspace = workspace or Workspace()
        self.spending = Spending(self.config.budget, target.now(), target.now)
        self.phase = self.config.phase
        self.log: list[Sent] = []
        # Per kind of finding: what was sent up to its first appearance, and the finding.
        self.found: dict[Hashable, tuple[list[Sent], Finding]] = {}
        self._rng = random.Random(self.config.seed)
        self._pulses = 0
        self._interpretations = belief.interpretations()

    def begin(self, phase: str) -> None:
        """The phase `phase` begins."""
        self.phase = phase
        self.emit(PhaseStarted(phase))

    def send(self, step: Step) -> Exchange | None:
        """Send one step, again if need be, checking every try. Returns the last exchange, None without the key for it.

        Raises BudgetSpent before it would go beyond the budget, TargetLost when nothing can be reached.
        """
        if not self.target.can(step.credential):
            return None
        if step.settle:
            self.pause(self.target.settling, "what is queued is applied")
        exchange = self._try(step)
        attempt = 1
        while (wait := self._wait_after(exchange, attempt)) is not None and attempt < self._tries(exchange):
            why = _transient_failure(exchange)
            self.pause(wait, why)
            attempt += 1
            self.emit(Retried(attempt, why))
            exchange = self._try(step)
            if attempt == TRIES - 1 and _is_lost(exchange):
                self._outlast()
        if wait is None:
            self.workspace.answered = True
        elif _is_lost(exchange):
            self._give_up(exchange)
        return exchange

    def deliver(self, step: Step) -> Exchange:
        """Send one step as it is: at once and unchecked, but counted and told. For whoever cleans up."""
        self.workspace.rates.sending(step.request.path)
        exchange = self.target.send(step)
        self.spending.requests += 1
        self.emit(ExchangeChecked(self.spending.requests, exchange, (), frozenset(), self.phase, 0))
        self.workspace.rates.read(step.request.path, exchange.response, exchange.received)
        return exchange

    def check_budget(self, step: Step) -> None:
        """Raise BudgetSpent if `step` would go beyond the budget."""
        self.spending.check(self.config.reserve(), data_points(step))

    def pause(self, seconds: float, why: str) -> None:
        """Let time pass, and say so. Raises BudgetSpent where the budget of seconds would be over."""
        if seconds > self.spending.seconds_left(self.config.reserve()):
            raise BudgetSpent(f"the budget of {self.spending.budget.seconds:g} seconds is spent")
        if seconds > 0:
            self.emit(Paused(seconds, why))
            self.target.sleep(seconds)

    # --- one try ------------------------------------------------------------------------------------------------

    def _try(self, step: Step) -> Exchange:
        cost = data_points(step)
        self.spending.check(self.config.reserve(), cost)
        self._keep_pace(step)
        self.workspace.rates.sending(step.request.path)
        self._note_users(step)
        exchange = self.target.send(step)
        if exchange.request is not step.request:
            self._note_users(Step(exchange.request))
        self._check(step, exchange, cost)
        return exchange

    def _note_users(self, step: Step) -> None:
        if self.config.prefix is not None:
            self.workspace.users.update(dict.fromkeys(identifiers_of(step.request, self.config.prefix)))

    def _check(self, step: Step, exchange: Exchange, cost: int) -> None:
        spending, workspace = self.spending, self.workspace
        spending.requests += 1
        spending.waited += max(exchange.received - exchange.sent, 0.0)
        spending.data_points += cost
        workspace.lost = workspace.lost or _is_lost(exchange)
        workspace.reached = workspace.reached or not exchange.unreached
        checked: CheckResult = check(self.belief, exchange)
        self.belief = checked.belief
        self._remember(Sent(step, exchange, checked.findings, self.phase))
        self.emit(ExchangeChecked(spending.requests, exchange, checked.findings, checked.covered, self.phase, cost))
        if "TS-INTERPRETATION-KEPT" in checked.covered:
            for ambiguity, interpretation in checked.interpretations.items():
                if self._interpretations.get(ambiguity) != interpretation:
                    self._interpretations[ambiguity] = interpretation
                    self.emit(InterpretationLearned(ambiguity, interpretation, exchange))
        workspace.rates.read(step.request.path, exchange.response, exchange.received)

    def _remember(self, sent: Sent) -> None:
        if len(self.log) >= 2 * LOG_LENGTH:
            del self.log[:LOG_LENGTH]
        self.log.append(sent)
        for finding in sent.findings:
            kind = self.config.kind_of(finding)
            if kind not in self.found:
                self.found[kind] = (list(self.log), finding)

    # --- pace and failures ----------------------------------------------------------------------------------------

    def _tries(self, exchange: Exchange) -> int:
        """How often the request may be tried in all."""
        if exchange.unreached and not self.workspace.answered:
            return FIRST_TRIES
        return 1 if self.workspace.fails_for_good and _is_lost(exchange) and not self._outage() else TRIES

    def _outage(self) -> bool:
        """Whether the target answers nothing at the moment, seen by a plain request."""
        if self.config.pulse is None:
            return True
        self._pulses += 1
        return _is_lost(self._try(self.config.pulse(self._pulses)))

    def _give_up(self, exchange: Exchange) -> None:
        if exchange.unreached:
            raise TargetLost(f"{self.target.name} cannot be reached ({_detail(exchange)})")
        self.workspace.fails_for_good = self.workspace.answered and self.config.pulse is not None

    def _outlast(self) -> None:
        """Wait until the target answers anything, for at most `outage_timeout`."""
        if self.config.pulse is None or not self.workspace.answered:
            return
        waited = 0.0
        for attempt in range(1, 1000):
            self._pulses += 1
            exchange = self._try(self.config.pulse(self._pulses))
            wait = self._wait_after(exchange, attempt + 2)
            if wait is None or _limited(exchange):
                return
            why = _transient_failure(exchange)
            if waited + wait > self.config.outage_timeout:
                raise TargetLost(f"{self.target.name} has answered nothing for {waited:.0f} s ({why})")
            self.pause(wait, f"the target answers nothing ({why})")
            waited += wait

    def _keep_pace(self, step: Step) -> None:
        """Wait for the next window when this one has nothing left for us."""
        if self.config.pace:
            wait = self.workspace.rates.wait(step.request.path, self.target.now())
            if wait:
                self.pause(wait, "the rate window is used up")

    def _wait_after(self, exchange: Exchange, attempt: int) -> float | None:
        """Seconds to wait before the same request is tried again, None where the response stands."""
        backoff: float = min(BACKOFF * 2 ** (attempt - 1), LONGEST_BACKOFF)
        jitter = self._rng.uniform(0.0, backoff / 2)
        if _limited(exchange):
            return self.workspace.rates.wait_after_limit(exchange.request.path, self.target.now())
        return backoff + jitter if _is_lost(exchange) else None


def _limited(exchange: Exchange) -> bool:
    return exchange.response is not None and exchange.response.status == 429


def _is_lost(exchange: Exchange) -> bool:
    return exchange.response is None or exchange.response.status >= 500


def _detail(exchange: Exchange) -> str:
    return exchange.failure.detail if exchange.failure else ""


def _transient_failure(exchange: Exchange) -> str:
    if exchange.failure is not None:
        return exchange.failure.kind.value
    assert exchange.response is not None
    return str(exchange.response.status)
