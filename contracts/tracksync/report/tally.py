"""Turns the events of a run into its result: the dict whose form `result.schema.json` defines.

Pure: no clock, no files. Every text that can hold a secret passes the redactor first, so that a result and its reports
are safe to write. Memory grows with the number of findings and minutes, not with the number of requests.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, Final

from tracksync import __version__
from tracksync.contract.clauses import Side, catalogue
from tracksync.model.counts import Counts
from tracksync.model.events import (
    Cleaned,
    ConstraintsCounted,
    Event,
    ExchangeChecked,
    ExchangesChecked,
    FindingConfirmed,
    InterpretationLearned,
    Paused,
    PhaseStarted,
    Retried,
    RunEnded,
    RunStarted,
    SectionAdded,
    Skipped,
    Verdict,
)
from tracksync.model.finding import NOTHING, Finding
from tracksync.model.verdict import FailOn, evidence_of, fails, severity_of
from tracksync.report.drawing import figure_json, section_json
from tracksync.report.exchange_text import exchange_json
from tracksync.report.redact import Redactor

Result = dict[str, Any]
SCHEMA: Final = 2


class Tally:
    """A consumer of events. Call it with each event of one run; `result()` gives the result so far at any time.

    `clock` gives seconds since the epoch, for `started` and `seconds`. Without it the times in the events count, which
    are the target's: the clock of the embedded mock jumps over pauses.
    """

    def __init__(self, redactor: Redactor, clock: Callable[[], float] | None = None) -> None:
        self._redactor = redactor
        self._clock = clock
        self._begun = clock() if clock else 0.0
        self._until: float | None = None
        self._started: RunStarted | None = None
        self._ended: RunEnded | None = None
        self._counts = Counts()
        self._retries = 0
        self._pauses = 0
        self._paused_seconds = 0.0
        self._interpretations: dict[str, str] = {}
        self._shown: dict[str, dict[str, Any]] = {}
        self._retried: Counter[str] = Counter()
        self._cleaned: Cleaned | None = None
        self._confirmed: list[dict[str, Any]] = []
        self._unconfirmed: dict[str, dict[str, Any]] = {}
        self._phases: Counter[str] = Counter()
        self._phase = ""
        self._sections: list[dict[str, Any]] = []
        self._constraints: ConstraintsCounted | None = None

    def __call__(self, event: Event) -> None:
        """Consume the next event."""
        match event:
            case ExchangeChecked():
                self._checked(event)
            case FindingConfirmed():
                self._confirmed.append(self._finding(event))
            case RunStarted():
                self._started = event
                self._begun = self._clock() if self._clock else event.at
            case PhaseStarted():
                self._phase = self._redactor.text(event.name)
                self._phases[self._phase] += 0
            case Paused():
                self._pauses += 1
                self._paused_seconds += event.seconds
            case Retried():
                self._retries += 1
                self._retried[event.why] += 1
            case Skipped():
                self._counts.skipped += 1
            case ExchangesChecked():
                self._counts.merge(event.counts)
                self._phases[self._phase] += event.counts.requests
                for one in event.firsts:
                    self._suspect(one)
            case InterpretationLearned():
                self._interpretations[event.ambiguity] = event.interpretation
                if event.exchange is not None:
                    self._shown[event.ambiguity] = exchange_json(self._redactor.exchange(event.exchange))
            case Cleaned():
                self._cleaned = event
            case ConstraintsCounted():
                self._constraints = event
            case SectionAdded():
                self._sections.append(self._redactor.json(section_json(event.section)))
            case RunEnded():
                self._ended = event
                self._until = self._clock() if self._clock else max(event.at, self._counts.last_received)
                self._interpretations.update(event.interpretations)

    def _checked(self, event: ExchangeChecked) -> None:
        broken = {finding.clause for finding in event.findings}
        if self._counts.add(event.exchange, broken, event.covered, event.data_points):
            phase = self._redactor.text(event.phase) or self._phase
            if phase:
                self._phases[phase] += 1
        self._suspect(event)

    def _suspect(self, event: ExchangeChecked) -> None:
        """Keep the first exchange that broke each clause, for a run that ends before it confirms the finding."""
        for finding in event.findings:
            if finding.clause not in self._unconfirmed:
                shown = self._finding(FindingConfirmed(finding, (event.exchange,), reproduce=""))
                self._unconfirmed[finding.clause] = {**shown, "confirmed": False}

    def _finding(self, event: FindingConfirmed) -> dict[str, Any]:
        finding: Finding = event.finding
        clean = self._redactor
        shown: dict[str, Any] = {
            "clause": finding.clause,
            "severity": severity_of(evidence_of(finding.clause)),
            "evidence": evidence_of(finding.clause).value,
            "message": clean.text(finding.message),
            "known": event.known,
            "exchanges": [exchange_json(clean.exchange(exchange)) for exchange in event.exchanges],
        }
        if finding.pointer:
            shown["pointer"] = clean.text(finding.pointer)
        for name, value in (("expected", finding.expected), ("actual", finding.actual)):
            if value is not NOTHING:
                shown[name] = clean.json(value)
        if event.reproduce:
            shown["reproduce"] = clean.text(event.reproduce)
        if event.cassette:
            shown["cassette"] = clean.text(event.cassette)
        if event.excerpt:
            shown["excerpt"] = True
        if event.cause:
            shown["cause"] = event.cause
        if event.figure is not None:
            shown["figure"] = clean.json(figure_json(event.figure))
        return shown

    def result(self) -> Result:
        """The result of all events so far. Without a `RunEnded` the verdict is `incomplete`."""
        started, ended = self._started, self._ended
        strict = started.strict if started else False
        fail_on = started.fail_on if started else "error"
        findings = self._findings()
        until = self._until
        if until is None:
            until = self._clock() if self._clock else self._counts.last_received
        result: Result = {
            "tracksync": __version__,
            "schema": SCHEMA,
            "command": started.command if started else "fuzz",
            "verdict": self._verdict(findings, strict, fail_on),
            "reason": self._redactor.text(ended.reason) if ended else "the run did not end",
            "strict": strict or FailOn(fail_on) is not FailOn.ERROR,
            "fail_on": fail_on,
            "target": self._redactor.text(started.target) if started else "",
            "seed": started.seed if started else None,
            "started": datetime.fromtimestamp(self._begun, UTC)
            .isoformat(timespec="milliseconds")
            .replace("+00:00", "Z"),
            "requests": self._counts.requests,
            "skipped": self._counts.skipped,
            "seconds": round(max(until - self._begun, 0.0), 3),
            "data_points": self._counts.data_points,
            "retries": self._retries,
            "retries_by": dict(sorted(self._retried.items())),
            "pauses": {"count": self._pauses, "seconds": round(self._paused_seconds, 3)},
            "findings": findings,
            "clauses": self._clauses(),
            "interpretations": dict(sorted(self._interpretations.items())),
            "interpretations_shown": dict(sorted(self._shown.items())),
            "phases": dict(self._phases),
            "timeline": [self._counts.timeline[window] for window in sorted(self._counts.timeline)],
        }
        if self._constraints:
            result["constraints"] = {
                "total": self._constraints.total,
                "covered": self._constraints.covered,
                "not_covered": dict(self._constraints.not_covered),
            }
        if self._sections:
            result["sections"] = self._sections
        if started:
            result["budget"] = {
                "requests": started.max_requests,
                "seconds": started.max_seconds,
                "data_points": started.max_data_points,
            }
        if self._cleaned:
            result["cleaning"] = {
                "users": self._cleaned.users,
                "left": [self._redactor.json(list(user)) for user in self._cleaned.left],
                "why": self._redactor.text(self._cleaned.why),
                "requests": self._cleaned.requests,
                "verified": self._cleaned.verified,
            }
        return result

    def _findings(self) -> list[dict[str, Any]]:
        """The confirmed findings; unconfirmed ones only if the run ended before it could confirm them."""
        findings = list(self._confirmed)
        if self._ended is None or self._ended.verdict != "passed":
            seen = {finding["clause"] for finding in findings}
            findings += [finding for clause, finding in self._unconfirmed.items() if clause not in seen]
        order = {"documented": 0, "observed": 1, "assumed": 2}
        groups: dict[Any, list[dict[str, Any]]] = {}
        for number, finding in enumerate(findings):
            groups.setdefault(finding.get("cause", f"alone {number}"), []).append(finding)
        ordered = sorted(groups.values(), key=lambda group: (group[0]["known"], order[group[0]["evidence"]]))
        return [{**finding, "cause": number} for number, group in enumerate(ordered, 1) for finding in group]

    def _verdict(self, findings: list[dict[str, Any]], strict: bool, fail_on: str) -> Verdict:
        if self._ended is None or self._ended.verdict == "incomplete":
            return "incomplete"
        if any(
            fails(finding["evidence"], strict=strict, known=finding["known"], fail_on=fail_on) for finding in findings
        ):
            return "failed"
        return self._ended.verdict

    def _side(self) -> Side | None:
        """Whose clauses the run can cover: for a gate the client's, for a proxy both (None), otherwise the server's."""
        command = self._started.command if self._started else "fuzz"
        return {"gate": Side.CLIENT, "proxy": None}.get(command, Side.SERVER)

    def _clauses(self) -> dict[str, dict[str, Any]]:
        confirmed = Counter(finding["clause"] for finding in self._confirmed)
        reasons = self._ended.why_not if self._ended else {}
        table: dict[str, dict[str, Any]] = {}
        for id_ in dict.fromkeys([*catalogue(self._side()), *self._counts.covered, *confirmed]):
            broken = max(self._counts.broken[id_], confirmed[id_])
            covered = max(self._counts.covered[id_], broken)
            table[id_] = {"covered": covered, "broken": broken}
            if not covered:
                reason = reasons.get(id_, "no response of this run bore on it")
                table[id_]["why_not"] = self._redactor.text(reason)
        return table
