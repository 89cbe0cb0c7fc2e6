"""Drives a client through its adapter: every operation under every behaviour, then scripts that Hypothesis draws.

    driver = Driver(plan, emit); driver.run(); driver.as_json()

Each behaviour is tried with the plainest operation first, so that what is found there is short as it stands. What only
a longer script shows, Hypothesis finds and shrinks. Everything that a report should know is emitted as events.
"""

from __future__ import annotations

import shlex
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, Final

from tracksync.contract.clauses import Evidence, Side, catalogue
from tracksync.errors import Incomplete, UsageError
from tracksync.gate.drive import behaviours
from tracksync.gate.drive.checking import DriveFinding, ScriptResult, check_played
from tracksync.gate.drive.drawing import SHRINKING, DrawPlan, draw_scripts
from tracksync.gate.drive.protocol import VERSION, Kind, ReportedOutcome
from tracksync.gate.drive.script import Script, concurrent, repeated, same_cell, shorter, single, unusual
from tracksync.gate.drive.session import DriveSession, Rig
from tracksync.gate.scenarios import NORMAL
from tracksync.model.events import (
    Event,
    ExchangeChecked,
    FindingConfirmed,
    PhaseStarted,
    RunEnded,
    RunStarted,
    SectionAdded,
)
from tracksync.model.exchange import Exchange
from tracksync.model.figures import Section
from tracksync.model.finding import Finding
from tracksync.model.verdict import FailOn, evidence_of, fails, fingerprint

SLOW: Final = "slow-answer"  # under it, requests that are under way together show
_CONFIRMED: Final = 12  # findings that are tried once more in a new process
_SHOWN: Final = 5  # findings of one clause that are reported one by one


@dataclass(frozen=True, slots=True, kw_only=True)
class DrivePlan:
    """What to drive and how. `scripts`: how many are drawn at random, after every behaviour was tried once.

    `script`: play this one alone. `allowed`: clauses whose findings are known, `known`: fingerprints of findings that
    are; both fail nothing. `timeout` is in seconds, for the whole run.
    `options` are the words of the command line that a line which reproduces a finding has to repeat with its script,
    `all_options` with none.
    """

    rig: Rig
    scripts: int = 20
    script: Script | None = None
    fail_on: FailOn = FailOn.ERROR
    allowed: frozenset[str] = frozenset()
    known: frozenset[str] = frozenset()
    timeout: float = 600.0
    options: tuple[str, ...] = ()
    all_options: tuple[str, ...] = ()


@dataclass(slots=True)
class _DriveFindings:
    """A finding, the shortest script that showed it, and how often it was seen. `alone`: a new process shows it too."""

    finding: Finding
    exchanges: tuple[Exchange, ...]
    script: Script
    times: int = 1
    alone: bool = True


class Driver:
    """One run. `run` raises UsageError where there is no adapter to speak to, and Incomplete in the midst of it."""

    def __init__(self, plan: DrivePlan, emit: Callable[[Event], None]) -> None:
        self._plan, self._emit = plan, emit
        self._demands = {
            name: behaviours.demand(played, plan.rig.deadline) for name, played in plan.rig.behaviours.items()
        }
        self._found: dict[tuple[str, str], _DriveFindings] = {}
        self._normal: frozenset[Kind] = frozenset()
        self._outcomes: dict[str, dict[Kind, Counter[str]]] = {}
        self._index = self._scripts = self._operations = self._stray = 0
        self._begun = time.monotonic()
        self._phase = ""
        self._session: DriveSession | None = None
        if not plan.rig.command:
            raise UsageError("there is no adapter; write its command after --: --driver -- node adapter.mjs")

    def run(self) -> None:
        """Drive the client. Whatever ends the run, what was found until then is emitted, and no process is left."""
        plan = self._plan
        name = shlex.join(plan.rig.command)
        self._emit(RunStarted("gate", name, time.time(), plan.rig.seed, fail_on=plan.fail_on))
        with DriveSession(plan.rig) as session:
            self._session = session
            try:
                if plan.script is not None:
                    self._begin("script")
                    self._normal = frozenset(Kind)
                    self._try(session, plan.script)
                else:
                    self._each_behaviour(session)
                    self._each_content(session)
                    self._draw_scripts(session)
                    self._confirm(session)
            except BaseException:
                self._report(session)
                raise
        self._report(session)
        broken = any(self._fails(found.finding) for found in self._found.values())
        done = f"{self._operations} operations in {self._scripts} scripts"
        reason = "the client breaks the contract" if broken else "no clause was broken"
        self._emit(
            RunEnded("failed" if broken else "passed", f"{reason}: {done}", time.time(), why_not=self._why_not())
        )

    def as_json(self) -> dict[str, Any]:
        """The member `driver` of the result."""
        session = self._session
        hello = session.hello if session else None
        return {
            "protocol": VERSION,
            "client": hello.client if hello else "",
            "operations": [str(kind) for kind in hello.operations] if hello else [],
            "pipelining": bool(hello and hello.pipelining),
            "scripts": self._scripts,
            "operations_done": self._operations,
            "adapters_started": session.adapters if session else 0,
            "left_behind": list(session.left_behind) if session else [],
            "stray_requests": self._stray,
            "outcomes": {
                name: {str(kind): dict(counter) for kind, counter in kinds.items()}
                for name, kinds in self._outcomes.items()
            },
        }

    # --- phases -------------------------------------------------------------------------------------------------
    def _begin(self, phase: str) -> None:
        if phase != self._phase:
            self._phase = phase
            self._emit(PhaseStarted(phase))

    def _each_behaviour(self, session: DriveSession) -> None:
        kinds = session.hello.operations
        for name in self._plan.rig.behaviours:
            self._begin(f"each behaviour: {name}")
            if session.hello.pipelining and len(kinds) > 1 and name != NORMAL:
                script = concurrent(name, kinds)
                result = self._play(session, script)
                if not result.broken:
                    self._note(script, result)
                    continue
                # One operation alone is easier to understand; what only several show is reported with them.
                seen = frozenset().union(*(self._try(session, single(name, kind)).clauses for kind in kinds))
                only = tuple(one for one in result.broken if one.finding.clause not in seen)
                self._note(script, replace(result, broken=only))
            else:
                for kind in kinds:
                    self._try(session, single(name, kind))

    def _each_content(self, session: DriveSession) -> None:
        """Unusual contents, repeated operations, and two on one cell at once."""
        kinds = session.hello.operations
        self._begin("each content")
        for script in (*unusual(kinds), *map(repeated, kinds)):
            self._try(session, script)
        if session.hello.pipelining:
            slow = SLOW if SLOW in self._plan.rig.behaviours else NORMAL
            for kind in kinds:
                self._try(session, same_cell(slow, kind))

    def _draw_scripts(self, session: DriveSession) -> None:
        """Scripts at random; those that break what was not broken before are shrunk."""
        plan = self._plan
        if plan.scripts < 1:
            return
        self._begin("random scripts")
        drawing = DrawPlan(
            number=plan.scripts,
            hello=session.hello,
            played=plan.rig.behaviours,
            deadline=plan.rig.deadline,
            seed=plan.rig.seed,
            ignored=self._ignored() | {clause for clause, _ in self._found},
        )
        draw_scripts(drawing, lambda script: self._try(session, script).clauses, lambda: self._begin("shrinking"))

    def _ignored(self) -> frozenset[str]:
        """Clauses for which no script is shrunk: those that are assumed, and those that are known."""
        assumed = {id_ for id_, one in catalogue(Side.CLIENT).items() if one.evidence is Evidence.ASSUMED}
        return frozenset(assumed | self._plan.allowed)

    def _confirm(self, session: DriveSession) -> None:
        """Play the script of each finding once more in a new process, as whoever reproduces it will."""
        findings = [found for found in self._found.values() if found.finding.clause not in self._ignored()]
        if not findings:
            return
        self._begin("confirming")
        until = time.monotonic() + SHRINKING
        for found in findings[:_CONFIRMED]:
            self._shorten(session, found, until)
            session.renew()
            found.alone = found.finding.clause in self._play(session, found.script).clauses

    def _shorten(self, session: DriveSession, found: _DriveFindings, until: float) -> None:
        """Leave out operations while the finding stays, also where a step of several becomes one of a single one."""
        candidates = list(shorter(found.script))
        while candidates and time.monotonic() < until:
            candidate = candidates.pop(0)
            if found.finding.clause in self._try(session, candidate).clauses:
                candidates = list(shorter(candidate))

    # --- one script ---------------------------------------------------------------------------------------------
    def _try(self, session: DriveSession, script: Script) -> ScriptResult:
        result = self._play(session, script)
        self._note(script, result)
        return result

    def _play(self, session: DriveSession, script: Script) -> ScriptResult:
        if time.monotonic() - self._begun > self._plan.timeout:
            raise Incomplete(f"the run was not done within {self._plan.timeout:g} s; --timeout gives it more")
        played = session.play(script)
        self._scripts += 1
        self._operations += len(played.done)
        self._stray += played.stray
        for done in played.done:
            if done.behaviour == NORMAL and done.report is not None and done.report.outcome is ReportedOutcome.APPLIED:
                self._normal |= {done.operation.kind}
            counter = self._outcomes.setdefault(done.behaviour, {}).setdefault(done.operation.kind, Counter())
            counter[str(done.report.outcome) if done.report else "none"] += 1
        result = check_played(played, self._demands, self._normal)
        for place, (exchange, findings, covered) in enumerate(result.checked, 1):
            self._index += 1
            touched = covered | result.covered if place == len(result.checked) else covered
            self._emit(ExchangeChecked(self._index, exchange, findings, touched, self._phase))
        return result

    def _note(self, script: Script, result: ScriptResult) -> None:
        for broken in result.broken:
            self._add(script, broken)

    def _add(self, script: Script, broken: DriveFinding) -> None:
        finding = broken.finding
        place = (finding.clause, fingerprint(finding.clause, finding.pointer))
        plainest = (finding.clause, fingerprint(finding.clause, f"/outcome/{NORMAL}"))
        place = plainest if plainest in self._found else place
        of_clause = [one for (clause, _), one in self._found.items() if clause == finding.clause]
        if place in self._found:
            held = self._found[place]
            held.times += 1
            if script.size < held.script.size:
                held.finding, held.exchanges, held.script = finding, broken.exchanges, script
        elif self._is_known(finding) or sum(not self._is_known(one.finding) for one in of_clause) < _SHOWN:
            self._found[place] = _DriveFindings(finding, broken.exchanges, script)

    # --- the end ------------------------------------------------------------------------------------------------
    def _is_known(self, finding: Finding) -> bool:
        mark = fingerprint(finding.clause, finding.pointer)
        return finding.clause in self._plan.allowed or mark in self._plan.known

    def _fails(self, finding: Finding) -> bool:
        return fails(evidence_of(finding.clause), known=self._is_known(finding), fail_on=self._plan.fail_on)

    def _report(self, session: DriveSession) -> None:
        """Emit the findings, and the table of what the client reported under each behaviour."""
        for stream in sorted(session.look_for_key()):
            finding = Finding("TC-KEY-SECRET", f"the key stands in the adapter's {stream}", "/outcome")
            self._found.setdefault((finding.clause, stream), _DriveFindings(finding, (), Script(())))
        for found in self._found.values():
            self._emit(self._event(found))
        kinds = session.hello.operations
        rows = tuple(
            (name, *(_cell(outcomes.get(kind, Counter())) for kind in kinds))
            for name, outcomes in self._outcomes.items()
        )
        text = f"{session.hello.client}; {self._operations} operations in {self._scripts} scripts."
        if session.left_behind:
            text += f" Left behind and ended: {', '.join(session.left_behind)}."
        if rows:
            self._emit(SectionAdded(Section("What the client reported", text, ("the server", *map(str, kinds)), rows)))

    def _event(self, found: _DriveFindings) -> FindingConfirmed:
        again = f" [seen {found.times} times]" if found.times > 1 else ""
        if not found.alone:
            again += (
                " [a new process does not show it with this script alone: the client remembers something of earlier "
                "operations, or it is a matter of time]"
            )
        finding = replace(found.finding, message=f"{found.finding.message}{again}")
        return FindingConfirmed(finding, found.exchanges, self._reproduce(found.script), self._is_known(found.finding))

    def _reproduce(self, script: Script) -> str:
        plan = self._plan
        drive = ("tracksync", "gate", "--driver")
        if not script.steps:
            return shlex.join((*drive, *plan.all_options, "--", *plan.rig.command))
        text = script.text(plan.rig.deadline)
        return f"{shlex.join((*drive, *plan.options, '--script', '-', '--', *plan.rig.command))} <<'END'\n{text}END"

    def _why_not(self) -> dict[str, str]:
        return {"TC-ORDER": "it needs an adapter with pipelining, or a script that comes back to one attribute"}


def _cell(counter: Counter[str]) -> str:
    if len(counter) == 1:
        return next(iter(counter))
    return ", ".join(f"{outcome} {times}" for outcome, times in counter.most_common())
