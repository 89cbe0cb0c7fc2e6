"""Observe: runs a command against a served mock under each scenario, and checks its traffic.

    observe_command(plan, emit) -> Report

Everything a person or a report should know is emitted as events; nothing is printed here but the command's own output.
"""

from __future__ import annotations

import queue
import shlex
import sys
import time
import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, BinaryIO, Final, Literal
from urllib.parse import urlsplit

from tracksync.contract.bounds import SYNC
from tracksync.contract.clauses import Side, catalogue
from tracksync.errors import UsageError
from tracksync.gate.client_behaviour import ClientBelief, check_client, conclude, unreadable
from tracksync.gate.command import CommandEnd, Printed, run_command
from tracksync.gate.scenarios import NORMAL, Expectation, Family, expectation
from tracksync.mock import MockApp, MockConfig
from tracksync.mock.scenarios import Scenario
from tracksync.model.events import Event, ExchangeChecked, FindingConfirmed, PhaseStarted, RunEnded, RunStarted, Verdict
from tracksync.model.exchange import Exchange
from tracksync.model.finding import Finding
from tracksync.model.verdict import evidence_of, fails, fingerprint
from tracksync.wire.observed import Observed
from tracksync.wire.recorder import Recorder
from tracksync.wire.serving import serving

Form = Literal["url", "host", "sync-url"]
UNLIMITED: Final = 1_000_000  # requests a minute: a test suite may be faster than a workspace allows
_DRIVEN: Final = (  # what only an adapter's reports show
    "TC-ASKED-FOR",
    "TC-SUCCESS-TOLD",
    "TC-OUTCOME-TRUE",
    "TC-OUTCOME-KIND",
    "TC-VALUES-TOLD",
    "TC-NO-RESULT",
    "TC-ATTEMPTS-TOLD",
)
_SHOWN: Final = 5  # findings of one clause that are reported one by one


@dataclass(frozen=True, slots=True, kw_only=True)
class ObservePlan:
    """What to run and how. `allowed`: clauses whose findings are known and fail nothing.

    `endpoint_form`: what the endpoint variable holds: url (http://127.0.0.1:1), host (127.0.0.1:1) or sync-url (the
    URL with the documented path). `aware`: the command knows the scenario from TRACKSYNC_SCENARIO and succeeds where
    its client does the right thing, so that exit status 0 is expected of it everywhere.
    """

    command: Sequence[str]
    scenarios: Sequence[Scenario]
    endpoint_vars: Sequence[str] = ("BRAZE_REST_ENDPOINT",)
    key_vars: Sequence[str] = ("BRAZE_API_KEY",)
    endpoint_form: Form = "url"
    timeout: float = 600.0
    seed: int = 0
    port: int = 0
    strict: bool = False
    aware: bool = False
    allowed: frozenset[str] = frozenset()
    interpretations: Mapping[str, str] = field(default_factory=dict)
    rate_limit: int = UNLIMITED
    out: BinaryIO | None = None
    err: BinaryIO | None = None
    key: str = field(default_factory=lambda: str(uuid.uuid4()), repr=False)


@dataclass(frozen=True, slots=True)
class ScenarioRun:
    """What came of the command under one scenario. `exchanges` is how many were checked."""

    scenario: Scenario
    end: CommandEnd
    exchanges: int
    expected: Expectation
    risky: bool = False  # whether a prudent client may have left something undone


@dataclass(frozen=True, slots=True)
class ObserveReport:
    """What a gate adds to the result: the command's own outcome, kept apart from the contract's."""

    runs: tuple[ScenarioRun, ...] = ()
    own_failure: str = ""  # why the command itself counts as failed though the contract may be kept

    def as_json(self) -> dict[str, Any]:
        """The member `command` of the result."""
        return {
            "failed": bool(self.own_failure),
            "why": self.own_failure,
            "runs": [
                {
                    "scenario": run.scenario.name,
                    "expect": run.expected.expect,
                    "status": run.end.status,
                    "signal": run.end.signal,
                    "timed_out": run.end.timed_out,
                    "seconds": round(run.end.seconds, 3),
                    "requests": run.exchanges,
                    "left_behind": list(run.end.left_behind),
                }
                for run in self.runs
            ],
        }


def observe_command(plan: ObservePlan, emit: Callable[[Event], None]) -> ObserveReport:
    """Run `plan`. Raises UsageError where the command cannot be started; all else ends in a RunEnded event."""
    if not plan.command:
        raise UsageError("there is no command; write it after --, as in `tracksync gate -- npm test`")
    return _Observation(plan, emit).run()


class _Observation:
    def __init__(self, plan: ObservePlan, emit: Callable[[Event], None]) -> None:
        self._plan, self._emit = plan, emit
        self._found: dict[tuple[str, str], _ScenarioFindings] = {}
        self._index = 0
        self._runs: list[ScenarioRun] = []

    def run(self) -> ObserveReport:
        plan = self._plan
        name = shlex.join(plan.command)
        self._emit(RunStarted("gate", name, time.time(), plan.seed, strict=plan.strict))
        for scenario in plan.scenarios:
            self._emit(PhaseStarted(scenario.name))
            run = _ScenarioPlay(self, plan, scenario).run()
            self._runs.append(run)
            if run.end.timed_out or (scenario.name == NORMAL and not run.exchanges):
                break
        for found in self._found.values():
            self._emit(found.event(plan))
        own = self._own_failure()
        verdict, reason = self._verdict(own)
        self._emit(RunEnded(verdict, reason, time.time(), why_not=self._why_not()))
        return ObserveReport(tuple(self._runs), own)

    # --- what the scenarios call --------------------------------------------------------------------------------
    def checked(self, exchange: Exchange, findings: Sequence[Finding], covered: frozenset[str], phase: str) -> None:
        self._index += 1
        self._emit(ExchangeChecked(self._index, exchange, tuple(findings), covered, phase))

    def note(self, finding: Finding, exchanges: tuple[Exchange, ...], scenario: str, moment: str) -> None:
        place = (finding.clause, fingerprint(finding.clause, finding.pointer))
        of_clause = sum(clause == finding.clause for clause, _ in self._found)
        if place in self._found:
            self._found[place].times += 1
        elif of_clause < _SHOWN:
            self._found[place] = _ScenarioFindings(finding, exchanges, scenario, moment)

    def normal_succeeded(self) -> bool:
        """Whether the command is known to succeed where nothing is wrong."""
        return any(run.scenario.name == NORMAL and not run.end.failed for run in self._runs)

    # --- the end ------------------------------------------------------------------------------------------------
    def _own_failure(self) -> str:
        for run in self._runs:
            expected = "success" if self._plan.aware else run.expected.expect
            if run.end.timed_out:
                return f"the command did not end within {self._plan.timeout:g} s under {run.scenario.name}"
            if run.scenario.name == NORMAL and run.end.failed:
                return f"the command failed under calm: {run.end.describe()}"
            normal_known = any(other.scenario.name == NORMAL for other in self._runs)
            if expected == "success" and run.end.failed and not normal_known and not run.risky:
                how = run.end.describe()
                return (
                    f"the command failed under {run.scenario.name}: {how}; run it under calm too "
                    "(--scenario normal), to see whether that is what the scenario does to it"
                )
        return ""

    def _verdict(self, own: str) -> tuple[Verdict, str]:
        plan, runs = self._plan, self._runs
        ends = ", ".join(f"{run.scenario.name} {run.end.describe()}" for run in runs)
        broken = any(
            fails(evidence_of(clause), strict=plan.strict, known=clause in plan.allowed) for clause, _ in self._found
        )
        if broken:
            return "failed", f"the client breaks the contract; its command: {ends}"
        late = next((run for run in runs if run.end.timed_out), None)
        if late is not None:
            return "incomplete", f"the command {late.end.describe()} under {late.scenario.name} and was ended"
        mute = [run.scenario for run in runs if not run.exchanges]
        # A certificate that a client cannot be told to trust says nothing of how it speaks to a real workspace.
        excused = [scenario.name for scenario in mute if scenario.http2 and len(mute) < len(runs)]
        silent = [scenario.name for scenario in mute if scenario.name not in excused]
        if silent:
            names = " or ".join((*plan.endpoint_vars, *plan.key_vars))
            where = f" under {', '.join(silent)}" if len(runs) > 1 else ""
            return "incomplete", (
                f"the command never called the mock{where} ({ends}); does the client take its endpoint from "
                f"{names}? Calls to any other host cannot be seen"
                + ("; and does it trust the CA in SSL_CERT_FILE?" if mute[0].http2 else "")
            )
        if excused:
            ends += f"; it never called under {', '.join(excused)}: it does not trust the CA in SSL_CERT_FILE"
        if own:
            return "passed", f"the contract was kept, but {own}"
        return "passed", f"the contract was kept; the command: {ends}"

    def _why_not(self) -> dict[str, str]:
        names = {run.scenario.name for run in self._runs}
        families = {run.expected.family for run in self._runs}
        needs = {
            "TC-RATE-WAIT": ("rate-burst", "rate-burst" in names),
            "TC-RETRY-SERVER-ERROR": ("error-503", "error-503" in names),
            "TC-RETRY-BACKOFF": ("error-503", "error-503" in names),
            "TC-RETRY-BOUNDED": ("outage", "outage" in names),
            "TC-NO-RETRY": ("rejected", "rejected" in names),
            "TC-TIMEOUT": ("slow-first-byte", "slow-first-byte" in names),
            "TC-APPLIED-TWICE": ("reset-after-applying", "reset-after-applying" in names),
            "TC-TOLERANT": ("all", Family.HARMLESS in families),
            "TC-RECOVERS": ("error-503", Family.PASSING in families),
            "TC-NOT-APPLIED": ("users-empty", Family.UNAPPLIED in families),
            "TC-FAILURE-TOLD": ("outage", Family.LASTING in families),
        }
        driven = dict.fromkeys(_DRIVEN, "it needs an adapter and --driver")
        return driven | {
            id_: f"it needs a scenario such as --scenario {scenario}"
            for id_, (scenario, played) in needs.items()
            if not played and id_ in catalogue(Side.CLIENT)
        }


@dataclass(slots=True)
class _ScenarioFindings:
    """A finding, where it was first seen and how often."""

    finding: Finding
    exchanges: tuple[Exchange, ...]
    scenario: str
    moment: str
    times: int = 1

    def event(self, plan: ObservePlan) -> FindingConfirmed:
        again = f"; seen {self.times} times" if self.times > 1 else ""
        text = f"{self.finding.message} [{self.moment}{again}]"
        reproduce = f"tracksync gate --scenario {self.scenario} -- {shlex.join(plan.command)}"
        known = self.finding.clause in plan.allowed
        return FindingConfirmed(replace(self.finding, message=text), self.exchanges, reproduce, known)


class _ScenarioPlay:
    """One run of the command under one scenario."""

    def __init__(self, whole: _Observation, plan: ObservePlan, scenario: Scenario) -> None:
        self._whole, self._plan, self._scenario = whole, plan, scenario
        self._ended: queue.SimpleQueue[Observed] = queue.SimpleQueue()
        self._belief = ClientBelief()
        self._exchanges = 0
        self._expected = expectation(scenario)
        self._unapplied: Exchange | None = None
        self._disturbed: Exchange | None = None
        self._risky = False
        self._last: Exchange | None = None
        self._held: tuple[Exchange, tuple[Finding, ...], frozenset[str]] | None = None
        self._printed = Printed()
        self._begun = time.time()

    def run(self) -> ScenarioRun:
        plan, scenario = self._plan, self._scenario
        config = MockConfig(
            key=plan.key,
            rate_limit=plan.rate_limit,
            interpretations=plan.interpretations,
            scenario=scenario,
            seed=plan.seed,
        )
        recorder = Recorder(MockApp(config), self._ended.put, plan.key, config.unprivileged_key)
        with serving(recorder, scenario, plan.port) as (url, trust):
            end = run_command(
                plan.command,
                {**trust, **self._environment(url)},
                key=plan.key,
                timeout=plan.timeout,
                out=plan.out or sys.stdout.buffer,
                err=plan.err or sys.stderr.buffer,
                tick=self._check_ended,
                printed=self._printed,
            )
            self._settle(recorder)
        self._check_ended()
        self._conclude(end)
        return ScenarioRun(scenario, end, self._exchanges, self._expected, self._risky)

    def _environment(self, url: str) -> dict[str, str]:
        plan = self._plan
        value = {"url": url, "host": urlsplit(url).netloc, "sync-url": url + SYNC}[plan.endpoint_form]
        return {
            **dict.fromkeys(plan.endpoint_vars, value),
            **dict.fromkeys(plan.key_vars, plan.key),
            "TRACKSYNC_SCENARIO": self._scenario.name,
        }

    def _settle(self, recorder: Recorder) -> None:
        """Let requests end that were on their way when the command did: their client is gone, so that is soon."""
        deadline = time.monotonic() + 2.0
        while recorder.ended < recorder.arrived and time.monotonic() < deadline:
            self._check_ended()
            time.sleep(0.01)

    def _check_ended(self) -> None:
        while True:
            try:
                observed = self._ended.get_nowait()
            except queue.Empty:
                return
            self._check(observed)

    def _check(self, observed: Observed) -> None:
        check_result = check_client(self._belief, observed)
        self._belief = check_result.belief
        exchange = observed.exchange
        self._exchanges += 1
        self._last = exchange
        self._look(observed)
        self._let_go()
        self._held = (exchange, check_result.findings, check_result.covered)
        for finding, before in zip(check_result.findings, check_result.evidence, strict=True):
            self._whole.note(finding, (*before, exchange), self._scenario.name, self._moment(exchange))

    def _look(self, observed: Observed) -> None:
        """What the exchange means for the end: trouble, doubt whether it was applied, a success that is none."""
        exchange = observed.exchange
        status = exchange.response.status if exchange.response else None
        if not observed.gave_up and (status is None or status >= 400):
            self._disturbed = exchange
        # To send a count again after one of these may count it twice, and not to is prudent.
        self._risky = self._risky or status in (None, 500, 504) or unreadable(exchange)
        # The asynchronous sibling shows no result, so that nobody could tell.
        synchronous = exchange.request.path.partition("?")[0] == SYNC
        if self._expected.family is Family.UNAPPLIED and status == 201 and synchronous:
            no_user = any(act.do == "no-user" for act in self._scenario.acts)
            if no_user or b'"attributes"' in exchange.request.body:
                self._unapplied = exchange

    def _let_go(self, covered: frozenset[str] = frozenset()) -> None:
        """Emit the exchange that was held back: what the command's end shows is told with the last one."""
        if self._held is not None:
            exchange, findings, known = self._held
            self._held = None
            self._whole.checked(exchange, findings, known | covered, self._scenario.name)

    def _moment(self, exchange: Exchange) -> str:
        line = self._printed.before(exchange.sent)
        after = f", after the command had printed {line[:80]!r}" if line else ""
        return f"scenario {self._scenario.name}, {max(exchange.sent - self._begun, 0):.2f} s after its start{after}"

    # --- what the end of the command shows ------------------------------------------------------------------------
    def _conclude(self, end: CommandEnd) -> None:
        covered = {"TC-KEY-SECRET"}
        if not end.timed_out:
            check_result = conclude(self._belief)
            for finding, before in zip(check_result.findings, check_result.evidence, strict=True):
                self._end_finding(finding, before)
            if self._last is not None:
                clause, wrong, evidence = self._of_status(end)
                covered |= {clause} - {""}
                if wrong is not None:
                    self._end_finding(wrong, evidence)
        for stream in end.key_printed:
            self._end_finding(Finding("TC-KEY-SECRET", f"the key stands in the command's {stream}"), ())
        self._let_go(frozenset(covered))

    def _end_finding(self, finding: Finding, exchanges: tuple[Exchange, ...]) -> None:
        moment = self._moment(exchanges[-1]) if exchanges else f"scenario {self._scenario.name}"
        self._whole.note(finding, exchanges, self._scenario.name, moment)

    def _of_status(self, end: CommandEnd) -> tuple[str, Finding | None, tuple[Exchange, ...]]:
        """What the command's own exit status says of the client: the clause, and what is wrong if anything is."""
        silent: tuple[str, Finding | None, tuple[Exchange, ...]] = ("", None, ())
        name, family = self._scenario.name, self._expected.family
        how = end.describe()
        if self._plan.aware:
            return silent
        if family is Family.UNAPPLIED and self._unapplied is not None:
            text = "nothing was applied, and the command ended with success"
            wrong = Finding("TC-NOT-APPLIED", text, "/response/body/users", "a failure", how)
            return "TC-NOT-APPLIED", None if end.failed else wrong, (self._unapplied,)
        if family is Family.LASTING and self._disturbed is not None:
            text = f"every request met trouble ({name}), and the command ended with success"
            wrong = Finding("TC-FAILURE-TOLD", text, "/response/status", "a failure", how)
            return "TC-FAILURE-TOLD", None if end.failed else wrong, (self._disturbed,)
        if family not in (Family.HARMLESS, Family.PASSING) or not self._whole.normal_succeeded():
            return silent
        last: tuple[Exchange, ...] = () if self._last is None else (self._last,)
        if family is Family.HARMLESS:
            text = f"under calm the command succeeds, under {name} it does not, though all of it is lawful"
            wrong = Finding("TC-TOLERANT", text, "/response", "exit status 0", how)
            return "TC-TOLERANT", wrong if end.failed else None, last
        if self._disturbed is None or (self._risky and end.failed):
            return silent  # not to send a count again is prudent
        text = f"under calm the command succeeds, after passing trouble ({name}) it does not"
        wrong = Finding("TC-RECOVERS", text, "/response", "exit status 0", how)
        return "TC-RECOVERS", wrong if end.failed else None, last
