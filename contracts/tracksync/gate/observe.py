"""Observe: runs a command against a served mock under each scenario, several at a time, and checks its traffic.

    observe_command(plan, emit, output) -> ObserveReport

Everything that a report should know is emitted as events. Each scenario is concluded when it has ended, and `normal`
with it, since that says whether the command succeeds where nothing is wrong. Ctrl-C keeps what was found until then.
"""

from __future__ import annotations

import os
import shlex
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, replace
from typing import Any, Final

from tracksync.errors import UsageError
from tracksync.gate.exit_status import evidence_of_exit, own_failure
from tracksync.gate.guidance import advice
from tracksync.gate.output import CommandOutput
from tracksync.gate.plan import ObservePlan, ScenarioRun, SeenFinding
from tracksync.gate.repetition import without_repetition
from tracksync.gate.scenario_run import run_scenario
from tracksync.gate.scenarios import NORMAL, duration
from tracksync.gate.summary import ScenarioSummary, conclusion, section, summarise, why_not
from tracksync.gate.timeline import timeline
from tracksync.mock.scenarios import Scenario
from tracksync.model.events import (
    Event,
    ExchangeChecked,
    FindingConfirmed,
    PhaseStarted,
    RunEnded,
    RunStarted,
    SectionAdded,
    Skipped,
)
from tracksync.model.verdict import fingerprint

_SHOWN: Final = 5  # new findings of one clause that are reported one by one
_LOOK: Final = 0.1  # seconds between two looks at what has ended
_NOTE: Final = 10.0  # seconds between two lines that say what is running
_MOST_JOBS: Final = 8


@dataclass(frozen=True, slots=True)
class ObserveReport:
    """What a gate adds to the result: each scenario, and why the command itself counts as failed, if it does."""

    scenarios: tuple[ScenarioSummary, ...] = ()
    runs: tuple[ScenarioRun, ...] = ()
    own_failure: str = ""

    def as_json(self) -> dict[str, Any]:
        """The member `test_command` of the result."""
        return {
            "failed": bool(self.own_failure),
            "why": self.own_failure,
            "runs": [summary.as_json() for summary in self.scenarios],
        }


def default_jobs() -> int:
    """How many scenarios are run at a time unless it is said: most of them wait most of the time."""
    return min(_MOST_JOBS, 2 * (os.cpu_count() or 1))


def observe_command(plan: ObservePlan, emit: Callable[[Event], None], output: CommandOutput) -> ObserveReport:
    """Run the command of `plan`, and give its findings to `emit` as events. `output` takes what it prints.

    Raises UsageError where it cannot be run, and KeyboardInterrupt after what was found until then was emitted.
    """
    if not plan.command:
        raise UsageError("there is no command; write it after --, as in `tracksync gate -- npm test`")
    return _Observation(plan, emit, output).run()


@dataclass(slots=True)
class _FoundOnce:
    """One finding, as it was first seen in the order of the scenarios; where else; and how often in all."""

    seen: SeenFinding
    run: ScenarioRun
    scenarios: list[str]
    times: int = 1


class _Observation:
    def __init__(self, plan: ObservePlan, emit: Callable[[Event], None], output: CommandOutput) -> None:
        self._plan, self._emit, self._output = plan, emit, output
        self._stop = threading.Event()
        self._ended: dict[str, ScenarioRun] = {}
        self._concluded: dict[str, ScenarioRun] = {}
        self._index = 0
        self._begun = time.monotonic()
        self._started: dict[str, float] = {}

    def run(self) -> ObserveReport:
        plan = self._plan
        name = shlex.join(plan.command)
        self._emit(RunStarted("gate", name, time.time(), plan.seed, fail_on=plan.fail_on))
        try:
            self._run_all()
        except BaseException:
            self._conclude_all()
            self._report()
            raise
        finally:
            self._output.close()
        self._conclude_all()
        summaries = self._report()
        own = self._own_failure()
        verdict, reason = conclusion(plan, summaries, own)
        runs = tuple(self._concluded[name] for name in self._names() if name in self._concluded)
        self._emit(RunEnded(verdict, reason, time.time(), why_not=why_not(runs)))
        return ObserveReport(summaries, runs, own)

    def _names(self) -> Sequence[str]:
        return [scenario.name for scenario in self._plan.scenarios]

    # --- running --------------------------------------------------------------------------------------------------
    def _run_all(self) -> None:
        """Run every scenario, the longest first, and stop early where the command does not speak to the mock at all."""
        plan = self._plan
        order = sorted(plan.scenarios, key=lambda scenario: (scenario.name != NORMAL, -duration(scenario)))
        with ThreadPoolExecutor(max_workers=plan.jobs, thread_name_prefix="tracksync-gate") as pool:
            waiting = {pool.submit(self._one, scenario) for scenario in order}
            try:
                noted = time.monotonic()
                while waiting:
                    done, waiting = wait(waiting, timeout=_LOOK, return_when=FIRST_COMPLETED)
                    self._take(done)
                    if time.monotonic() - noted > _NOTE and plan.jobs > 1:
                        noted = time.monotonic()
                        self._note_running()
            except BaseException:
                self._stop.set()
                done, _ = wait(waiting)
                self._ended |= {run.scenario.name: run for run in map(_result, done) if run is not None}
                raise

    def _one(self, scenario: Scenario) -> ScenarioRun | None:
        """Run one scenario in a thread of the pool; None where the whole run was stopped before."""
        if self._stop.is_set():
            return None
        self._started[scenario.name] = time.monotonic()
        try:
            return run_scenario(self._plan, scenario, *self._output.sinks(scenario.name), self._stop)
        finally:
            self._started.pop(scenario.name, None)
            self._output.done(scenario.name)

    def _take(self, done: set[Future[ScenarioRun | None]]) -> None:
        for future in done:
            run = future.result()
            if run is not None:
                self._ended[run.scenario.name] = run
        if {NORMAL} & {*self._ended, *self._concluded} or NORMAL not in self._names():
            for name in sorted(self._ended, key=lambda name: name != NORMAL):
                self._conclude(self._ended.pop(name))
        normal = self._concluded.get(NORMAL)
        if normal is not None and not normal.checked and not normal.excused:
            self._stop.set()

    def _note_running(self) -> None:
        now = time.monotonic()
        running = ", ".join(f"{name} {now - begun:.0f} s" for name, begun in sorted(self._started.items()))
        if running:
            self._output.note(f"running: {running}")

    # --- concluding -----------------------------------------------------------------------------------------------
    def _conclude_all(self) -> None:
        for name in self._names():
            if name in self._ended:
                self._conclude(self._ended.pop(name))

    def _conclude(self, run: ScenarioRun) -> None:
        """Add what the exit status shows, emit the exchanges, and print a line."""
        name = run.scenario.name
        normal = self._normal()
        if normal is not None and name != NORMAL:
            run = without_repetition(run, normal)
        evidence = evidence_of_exit(self._plan, run, normal_succeeded=self._normal_succeeded(run))
        if evidence.finding is not None:
            seen = SeenFinding(evidence.finding, evidence.exchanges, f"scenario {name}")
            run = replace(run, found=(*run.found, seen))
        run = replace(run, covered=run.covered | ({evidence.clause} - {""}))
        self._concluded[name] = run
        self._emit(PhaseStarted(name))
        for number, one in enumerate(run.checked, 1):
            self._index += 1
            # What only the end shows is counted with the last exchange.
            covered = one.covered | run.covered if number == len(run.checked) else one.covered
            self._emit(ExchangeChecked(self._index, one.exchange, one.findings, covered, name))
        if run.excused:
            why = "the command was ended while they were under way"
            self._emit(Skipped(f"{run.excused} requests under {name}", why))
        summary = summarise(self._plan, run, self._own_failure_of(run))
        self._output.note(f"[{len(self._concluded)}/{len(self._plan.scenarios)}] {summary.line()}")

    def _normal(self) -> ScenarioRun | None:
        return self._concluded.get(NORMAL) or self._ended.get(NORMAL)

    def _normal_succeeded(self, run: ScenarioRun) -> bool:
        normal = run if run.scenario.name == NORMAL else self._normal()
        return normal is not None and normal.succeeded

    def _own_failure_of(self, run: ScenarioRun) -> str:
        return own_failure(self._plan, run, normal_known=NORMAL in self._names())

    def _own_failure(self) -> str:
        failures = (self._own_failure_of(run) for run in self._concluded.values())
        return "; ".join(failure for failure in failures if failure)

    # --- reporting ------------------------------------------------------------------------------------------------
    def _report(self) -> tuple[ScenarioSummary, ...]:
        """Emit every finding once, in the order of the scenarios, and the table of scenarios."""
        plan = self._plan
        found: dict[tuple[str, str], _FoundOnce] = {}
        for name in self._names():
            run = self._concluded.get(name)
            for seen in run.found if run else ():
                self._fold(found, seen, run)
        for one in found.values():
            self._emit(self._event(one))
        summaries = tuple(
            summarise(plan, self._concluded.get(scenario.name), self._own(scenario), scenario)
            for scenario in plan.scenarios
        )
        skipped = tuple(summary for summary in summaries if summary.skipped)
        for summary in skipped:
            self._emit(Skipped(f"scenario {summary.scenario.name}", summary.happened))
        self._emit(SectionAdded(section(plan, summaries)))
        return summaries

    def _own(self, scenario: Scenario) -> str:
        run = self._concluded.get(scenario.name)
        return self._own_failure_of(run) if run else ""

    def _fold(self, found: dict[tuple[str, str], _FoundOnce], seen: SeenFinding, run: ScenarioRun | None) -> None:
        if run is None:
            return
        clause, name = seen.finding.clause, run.scenario.name
        place = (clause, fingerprint(clause, seen.finding.pointer))
        if place in found:
            one = found[place]
            one.times += 1
            if name not in one.scenarios:
                one.scenarios.append(name)
            return
        new = sum(other == clause and not self._plan.is_known(one.seen.finding) for (other, _), one in found.items())
        if self._plan.is_known(seen.finding) or new < _SHOWN:
            found[place] = _FoundOnce(seen, run, [name])

    def _event(self, one: _FoundOnce) -> FindingConfirmed:
        plan, finding = self._plan, one.seen.finding
        times = f"; seen {one.times} times" if one.times > 1 else ""
        others = f", in the scenarios {', '.join(one.scenarios)}" if len(one.scenarios) > 1 else ""
        text = f"{finding.message} [{one.seen.moment}{times}{others}]"
        to_do = advice(finding.clause)
        name = one.run.scenario.name
        expected = ("--expect", f"{name}={plan.expected[name]}") if name in plan.expected else ()
        words = ["tracksync", "gate", "--scenario", name, *expected, *plan.options, "--", *plan.command]
        return FindingConfirmed(
            replace(finding, message=f"{text}\nWhat to do: {to_do}" if to_do else text),
            one.seen.exchanges,
            shlex.join(words),
            self._plan.is_known(finding),
            figure=timeline(finding.clause, one.seen.exchanges, [checked.exchange for checked in one.run.checked]),
        )


def _result(future: Future[ScenarioRun | None]) -> ScenarioRun | None:
    return None if future.cancelled() or future.exception() is not None else future.result()
