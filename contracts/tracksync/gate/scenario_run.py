"""Runs the command once under one scenario, with a mock and a port of its own, and checks its traffic.

Emits nothing and decides nothing: what came of it is a `ScenarioRun`. May be used in any thread.
"""

from __future__ import annotations

import queue
import threading
import time
from contextlib import suppress
from typing import Final

from tracksync.contract.bounds import SYNC
from tracksync.gate.client_behaviour import ClientBelief, ClientCheckResult, check_client, conclude
from tracksync.gate.command import CommandEnd, Printed, Sink, run_command
from tracksync.gate.plan import CheckedExchange, ObservePlan, ScenarioRun, SeenFinding
from tracksync.gate.retries import unreadable
from tracksync.gate.scenarios import Family, bounded, expectation
from tracksync.mock import MockApp, MockConfig
from tracksync.mock.scenarios import Scenario
from tracksync.model.exchange import Exchange
from tracksync.model.finding import Finding
from tracksync.wire.observed import Observed
from tracksync.wire.recorder import Recorder
from tracksync.wire.senders import sender_of
from tracksync.wire.serving import serving

LIMIT_DELAY: Final = 0.04  # seconds by which a 429 is delayed; see Recorder
_SETTLE: Final = 2.0  # seconds to wait for requests that were under way when the command ended


class _Stopped(Exception):
    """The whole run was stopped by hand."""


def run_scenario(plan: ObservePlan, scenario: Scenario, out: Sink, err: Sink, stop: threading.Event) -> ScenarioRun:
    """Run the command under `scenario`. `out` and `err` take what it prints; `stop` ends it early.

    Raises UsageError where the command cannot be started, or the port cannot be listened on.
    """
    return _ScenarioPlay(plan, scenario).run(out, err, stop)


class _ScenarioPlay:
    """One run of the command under one scenario."""

    def __init__(self, plan: ObservePlan, scenario: Scenario) -> None:
        self._plan, self._scenario = plan, scenario
        self._family = expectation(scenario).family
        self._ended: queue.SimpleQueue[Observed] = queue.SimpleQueue()
        self._belief = ClientBelief()
        self._printed = Printed()
        self._begun = time.time()
        self._checked: list[CheckedExchange] = []
        self._found: list[SeenFinding] = []
        self._excused = 0
        self._disturbed: Exchange | None = None
        self._unapplied: Exchange | None = None
        self._risky = False

    def run(self, out: Sink, err: Sink, stop: threading.Event) -> ScenarioRun:
        plan, scenario = self._plan, self._scenario
        played = bounded(scenario)
        config = MockConfig(
            key=plan.key,
            rate_limit=plan.rate_limit,
            interpretations=plan.interpretations,
            scenario=played,
            seed=plan.seed,
        )
        recorder = Recorder(
            MockApp(config),
            self._ended.put,
            plan.key,
            config.unprivileged_key,
            limit_delay=LIMIT_DELAY,
            sender_of=sender_of,
        )

        def tick() -> None:
            self._check_ended()
            if stop.is_set():
                raise _Stopped

        end: CommandEnd | None = None
        with serving(recorder, played, plan.port) as (url, trust):
            with suppress(_Stopped):
                end = run_command(
                    plan.command,
                    {**trust, **plan.environment(url, scenario)},
                    key=plan.key,
                    timeout=plan.timeout,
                    out=out,
                    err=err,
                    tick=tick,
                    printed=self._printed,
                )
            self._settle(recorder, end)
        self._check_ended(end, ended=True)
        covered = self._conclude(end)
        return ScenarioRun(
            scenario=scenario,
            end=end,
            begun=self._begun,
            seconds=time.time() - self._begun,
            checked=tuple(self._checked),
            found=tuple(self._found),
            covered=covered,
            excused=self._excused,
            disturbed=self._disturbed,
            unapplied=self._unapplied,
            risky=self._risky,
        )

    def _settle(self, recorder: Recorder, end: CommandEnd | None) -> None:
        """Let requests end that were under way when the command ended: their client is gone, so that is soon."""
        deadline = time.monotonic() + _SETTLE
        while recorder.ended < recorder.arrived and time.monotonic() < deadline:
            self._check_ended(end, ended=True)
            time.sleep(0.01)

    def _check_ended(self, end: CommandEnd | None = None, *, ended: bool = False) -> None:
        while True:
            try:
                observed = self._ended.get_nowait()
            except queue.Empty:
                return
            if ended and observed.gave_up and _ended_by_us(end, observed):
                self._excused += 1
            else:
                self._check(observed)

    def _check(self, observed: Observed) -> None:
        result = check_client(self._belief, observed)
        self._belief = result.belief
        exchange = observed.exchange
        self._note_outcome(observed)
        self._checked.append(CheckedExchange(exchange, result.findings, result.covered))
        for finding, before in zip(result.findings, result.evidence, strict=True):
            self._found.append(SeenFinding(finding, (*before, exchange), self._moment(exchange)))

    def _note_outcome(self, observed: Observed) -> None:
        """Note what the exchange means for the end: a failure, doubt whether it was applied, a success that is none."""
        exchange = observed.exchange
        status = exchange.response.status if exchange.response else None
        if not observed.gave_up and (status is None or status >= 400):
            self._disturbed = exchange
        # To send a count again after one of these may count it twice, and not to send it is prudent.
        self._risky = self._risky or status in (None, 500, 504) or unreadable(exchange)
        # The asynchronous sibling shows no result, so no client of it can tell.
        synchronous = exchange.request.path.partition("?")[0] == SYNC
        if self._family is Family.UNAPPLIED and status == 201 and synchronous:
            no_user = any(act.do == "no-user" for act in self._scenario.acts)
            if no_user or b'"attributes"' in exchange.request.body:
                self._unapplied = exchange

    def _moment(self, exchange: Exchange) -> str:
        line = self._printed.before(exchange.sent)
        after = f", after the command had printed {line[:80]!r}" if line else ""
        return f"scenario {self._scenario.name}, {max(exchange.sent - self._begun, 0):.2f} s after its start{after}"

    def _conclude(self, end: CommandEnd | None) -> frozenset[str]:
        """Add what the end of the command shows; the clauses that it bore on."""
        if end is None:
            return frozenset()
        name = f"scenario {self._scenario.name}"
        result = ClientCheckResult(self._belief) if end.timed_out else conclude(self._belief)
        for finding, before in zip(result.findings, result.evidence, strict=True):
            self._found.append(SeenFinding(finding, before, self._moment(before[-1]) if before else name))
        for stream in end.key_printed:
            finding = Finding("TC-KEY-SECRET", f"the key stands in the command's {stream}")
            self._found.append(SeenFinding(finding, (), name))
        return result.covered | {"TC-KEY-SECRET"}


def _ended_by_us(end: CommandEnd | None, observed: Observed) -> bool:
    """Whether the client hung up because we ended its process."""
    if end is None:
        return True
    return (end.timed_out or bool(end.left_behind)) and observed.exchange.received >= end.stopped
