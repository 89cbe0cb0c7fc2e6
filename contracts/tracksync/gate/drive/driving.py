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
from tracksync.gate.drive.checking import DriveFinding, Verdict, check_played
from tracksync.gate.drive.protocol import VERSION, Kind, ReportedOutcome
from tracksync.gate.drive.script import Script, again, alone, at_once, shorter, together, unusual
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
from tracksync.model.verdict import evidence_of, fails, fingerprint

SLOW: Final = "slow-answer"  # under it, what is on its way together shows
SHRINKING: Final = 30.0  # seconds that may be spent on making scripts shorter
_CONFIRMED: Final = 12  # findings that are tried once more in a new process
_SHOWN: Final = 5  # findings of one clause that are reported one by one


@dataclass(frozen=True, slots=True, kw_only=True)
class DrivePlan:
    """What to drive and how. `scripts`: how many are drawn at random, after every behaviour was tried once.

    `script`: play this one alone. `allowed`: clauses whose findings are known, `known`: fingerprints of findings that
    are; both fail nothing. `timeout` is in seconds, for the whole run.
    `options` are the words of the command line that a line which reproduces a finding has to repeat.
    """

    rig: Rig
    scripts: int = 20
    script: Script | None = None
    strict: bool = False
    allowed: frozenset[str] = frozenset()
    known: frozenset[str] = frozenset()
    timeout: float = 600.0
    options: tuple[str, ...] = ()


@dataclass(slots=True)
class _DriveFindings:
    """A finding, the shortest script that showed it, and how often it was seen."""

    finding: Finding
    exchanges: tuple[Exchange, ...]
    script: Script
    times: int = 1
    alone: bool = True  # whether the script shows it in a new process too


class Driver:
    """One run. `run` raises UsageError where there is no adapter to speak to, and Incomplete in the midst of it."""

    def __init__(self, plan: DrivePlan, emit: Callable[[Event], None]) -> None:
        self._plan, self._emit = plan, emit
        self._asks = {name: behaviours.asks(played, plan.rig.deadline) for name, played in plan.rig.behaviours.items()}
        self._found: dict[tuple[str, str], _DriveFindings] = {}
        self._normal: frozenset[Kind] = frozenset()
        self._outcomes: dict[str, dict[Kind, Counter[str]]] = {}
        self._index = self._scripts = self._operations = self._stray = 0
        self._begun = time.monotonic()
        self._phase = ""
        self._stand: DriveSession | None = None
        if not plan.rig.command:
            raise UsageError("there is no adapter; write its command after --: --driver -- node adapter.mjs")

    def run(self) -> None:
        """Drive. Whatever ends it, what was found until then is emitted, and nothing of the adapter is left."""
        plan = self._plan
        name = shlex.join(plan.rig.command)
        self._emit(RunStarted("gate", name, time.time(), plan.rig.seed, strict=plan.strict))
        with DriveSession(plan.rig) as stand:
            self._stand = stand
            try:
                if plan.script is not None:
                    self._begin("script")
                    self._normal = frozenset(Kind)
                    self._try(stand, plan.script)
                else:
                    self._each_behaviour(stand)
                    self._each_content(stand)
                    self._at_random(stand)
                    self._confirm(stand)
            except BaseException:
                self._tell(stand)
                raise
        self._tell(stand)
        broken = any(self._fails(found.finding) for found in self._found.values())
        done = f"{self._operations} operations in {self._scripts} scripts"
        reason = "the client breaks the contract" if broken else "the client kept the contract"
        self._emit(
            RunEnded("failed" if broken else "passed", f"{reason}: {done}", time.time(), why_not=self._why_not())
        )

    def as_json(self) -> dict[str, Any]:
        """The member `driver` of the result."""
        stand = self._stand
        hello = stand.hello if stand else None
        return {
            "protocol": VERSION,
            "client": hello.client if hello else "",
            "operations": [str(kind) for kind in hello.operations] if hello else [],
            "pipelining": bool(hello and hello.pipelining),
            "scripts": self._scripts,
            "operations_done": self._operations,
            "adapters_started": stand.adapters if stand else 0,
            "left_behind": list(stand.left_behind) if stand else [],
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

    def _each_behaviour(self, stand: DriveSession) -> None:
        kinds = stand.hello.operations
        for name in self._plan.rig.behaviours:
            self._begin(f"each behaviour: {name}")
            if stand.hello.pipelining and len(kinds) > 1 and name != NORMAL:
                script = together(name, kinds)
                verdict = self._play(stand, script)
                if not verdict.broken:
                    self._note(script, verdict)
                    continue
                # One operation alone is easier to understand; what only several show is told with them.
                single = [self._try(stand, alone(name, kind)).clauses for kind in kinds]
                seen = frozenset().union(*single)
                only = tuple(one for one in verdict.broken if one.finding.clause not in seen)
                self._note(script, replace(verdict, broken=only))
            else:
                for kind in kinds:
                    self._try(stand, alone(name, kind))

    def _each_content(self, stand: DriveSession) -> None:
        """Unusual contents, operations that come again, and two on one cell at once."""
        kinds = stand.hello.operations
        self._begin("each content")
        for script in (*unusual(kinds), *map(again, kinds)):
            self._try(stand, script)
        if stand.hello.pipelining:
            slow = SLOW if SLOW in self._plan.rig.behaviours else NORMAL
            for kind in kinds:
                self._try(stand, at_once(slow, kind))

    def _at_random(self, stand: DriveSession) -> None:
        """Let Hypothesis draw scripts, and shrink those that break what was not known to be broken."""
        from hypothesis import HealthCheck, Phase, Verbosity, given, seed, settings
        from hypothesis.errors import HypothesisException

        from tracksync.gate.drive.strategies import scripts

        plan = self._plan
        if plan.scripts < 1:
            return
        self._begin("random scripts")
        lasting = [name for name, one in plan.rig.behaviours.items() if behaviours.lasts(one, plan.rig.deadline)]
        passing = [name for name in plan.rig.behaviours if name not in lasting]
        before = {clause for clause, _ in self._found}
        memory: dict[str, frozenset[str]] = {}
        shrinking: list[float] = []

        def examine(script: Script) -> None:
            text = script.text(0)
            if text not in memory:
                if shrinking and time.monotonic() - shrinking[0] > SHRINKING:
                    return
                memory[text] = self._try(stand, script).clauses
            new = sorted(memory[text] - before - self._harmless())
            if new:
                shrinking.append(time.monotonic())
                self._begin("shrinking")
                raise _origin(new[0])

        drawn = given(scripts(passing, lasting, stand.hello.operations, pipelining=stand.hello.pipelining))(examine)
        examined = settings(
            max_examples=plan.scripts,
            phases=(Phase.generate, Phase.shrink),
            database=None,
            deadline=None,
            suppress_health_check=list(HealthCheck),
            verbosity=Verbosity.quiet,
            print_blob=False,
        )(seed(plan.rig.seed)(drawn))
        try:
            examined()
        except (_BrokenClause, HypothesisException):
            pass  # noted when it was seen; time may have changed its mind when it was tried again
        except BaseExceptionGroup as group:
            rest = group.split((_BrokenClause, HypothesisException))[1]
            if rest is not None:
                raise rest from None

    def _harmless(self) -> frozenset[str]:
        """Clauses that no script is worth being shortened for: advice, and those that are known."""
        assumed = {id_ for id_, one in catalogue(Side.CLIENT).items() if one.evidence is Evidence.ASSUMED}
        return frozenset(assumed | self._plan.allowed)

    def _confirm(self, stand: DriveSession) -> None:
        """Play the script of each finding once more in a new process, as a person would who wants to see it."""
        findings = [found for found in self._found.values() if found.finding.clause not in self._harmless()]
        if not findings:
            return
        self._begin("confirming")
        until = time.monotonic() + SHRINKING
        for found in findings[:_CONFIRMED]:
            self._shorten(stand, found, until)
            stand.renew()
            found.alone = found.finding.clause in self._play(stand, found.script).clauses

    def _shorten(self, stand: DriveSession, found: _DriveFindings, until: float) -> None:
        """Leave out what can be left out: Hypothesis stops where a step of several would have to become one of one."""
        kept: Script | None = found.script
        while kept is not None:
            smaller = iter(shorter(kept))
            kept = None
            for candidate in smaller:
                if time.monotonic() > until:
                    return
                if found.finding.clause in self._try(stand, candidate).clauses:
                    kept = candidate
                    break

    # --- one script ---------------------------------------------------------------------------------------------
    def _try(self, stand: DriveSession, script: Script) -> Verdict:
        verdict = self._play(stand, script)
        self._note(script, verdict)
        return verdict

    def _play(self, stand: DriveSession, script: Script) -> Verdict:
        if time.monotonic() - self._begun > self._plan.timeout:
            raise Incomplete(f"the run was not done within {self._plan.timeout:g} s; --timeout gives it more")
        played = stand.play(script)
        self._scripts += 1
        self._operations += len(played.done)
        self._stray += played.stray
        for done in played.done:
            if done.behaviour == NORMAL and done.report is not None and done.report.outcome is ReportedOutcome.APPLIED:
                self._normal |= {done.operation.kind}
            counter = self._outcomes.setdefault(done.behaviour, {}).setdefault(done.operation.kind, Counter())
            counter[str(done.report.outcome) if done.report else "none"] += 1
        verdict = check_played(played, self._asks, self._normal)
        for place, (exchange, findings, covered) in enumerate(verdict.checked, 1):
            self._index += 1
            touched = covered | verdict.covered if place == len(verdict.checked) else covered
            self._emit(ExchangeChecked(self._index, exchange, findings, touched, self._phase))
        return verdict

    def _note(self, script: Script, verdict: Verdict) -> None:
        for broken in verdict.broken:
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
        return fails(evidence_of(finding.clause), strict=self._plan.strict, known=self._is_known(finding))

    def _tell(self, stand: DriveSession) -> None:
        """Emit what was found, and what the client reported under each behaviour."""
        for stream in sorted(stand.look_for_key()):
            finding = Finding("TC-KEY-SECRET", f"the key stands in the adapter's {stream}", "/outcome")
            self._found.setdefault((finding.clause, stream), _DriveFindings(finding, (), Script(())))
        for found in self._found.values():
            self._emit(self._event(found))
        kinds = stand.hello.operations
        ambiguities = tuple(
            (name, *(_cell(ambiguity.get(kind, Counter())) for kind in kinds))
            for name, ambiguity in self._outcomes.items()
        )
        text = f"{stand.hello.client}; {self._operations} operations in {self._scripts} scripts."
        if stand.left_behind:
            text += f" Left behind and ended: {', '.join(stand.left_behind)}."
        if ambiguities:
            self._emit(
                SectionAdded(Section("What the client reported", text, ("the server", *map(str, kinds)), ambiguities))
            )

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
        command = shlex.join(self._plan.rig.command)
        options = "".join(f"{shlex.quote(word)} " for word in self._plan.options)
        if not script.steps:
            return f"tracksync gate --driver {options}-- {command}"
        text = script.text(self._plan.rig.deadline)
        return f"tracksync gate --driver {options}--script - -- {command} <<'END'\n{text}END"

    def _why_not(self) -> dict[str, str]:
        return {"TC-ORDER": "it needs an adapter with pipelining, or a script that comes back to one attribute"}


class _BrokenClause(Exception):
    """Tells Hypothesis that a script broke a clause; each clause has a type of its own, and is shrunk by itself."""


_ORIGINS: Final[dict[str, type[_BrokenClause]]] = {}


def _origin(clause: str) -> _BrokenClause:
    made = _ORIGINS.setdefault(clause, type(f"Broken {clause}", (_BrokenClause,), {}))
    return made(clause)


def _cell(counter: Counter[str]) -> str:
    if len(counter) == 1:
        return next(iter(counter))
    return ", ".join(f"{outcome} {times}" for outcome, times in counter.most_common())
