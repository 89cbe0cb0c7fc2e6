"""What a played script says of the client: its requests by the client check, its reports by the table of outcomes.

Pure: a `Played` in, findings out. `calm` are the kinds of operation that are known to succeed where nothing is wrong;
of the others tolerance and recovery cannot be asked.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

from tracksync.gate.client_behaviour import ClientBelief, check_client, conclude
from tracksync.gate.drive.behaviours import Asks
from tracksync.gate.drive.protocol import Kind, ReportedOutcome
from tracksync.gate.drive.session import Done, Played
from tracksync.gate.drive.truth import Told, asked_of, same
from tracksync.model.exchange import Exchange, Request
from tracksync.model.finding import Finding
from tracksync.values.jsontext import read_json

COUNTED: Final = frozenset({Kind.EVENT, Kind.PURCHASE, Kind.INCREMENT})
CLAIMS: Final[Mapping[Told, str]] = {
    Told.SHOWN: "a complete answer showed the update",
    Told.UNMADE: "the answer showed that the update was not made",
    Told.REFUSED: "the last answer was a refusal",
    Told.DENIED: "the last answer denied the permission",
    Told.LIMITED: "the last answer was a 429",
    Told.TRANSIENT_FAILURE: "the last answer was a 5XX, was lost or could not be read",
    Told.NO_RESPONSE: "no request came",
}
OWED: Final[Mapping[Told, frozenset[str]]] = {
    Told.SHOWN: frozenset({"TC-SUCCESS-TOLD", "TC-OUTCOME-TRUE"}),
    Told.UNMADE: frozenset({"TC-NOT-APPLIED", "TC-OUTCOME-KIND"}),
    Told.REFUSED: frozenset({"TC-FAILURE-TOLD", "TC-OUTCOME-KIND"}),
    Told.DENIED: frozenset({"TC-FAILURE-TOLD", "TC-OUTCOME-KIND"}),
    Told.LIMITED: frozenset({"TC-FAILURE-TOLD", "TC-OUTCOME-KIND"}),
    Told.TRANSIENT_FAILURE: frozenset({"TC-FAILURE-TOLD", "TC-OUTCOME-TRUE"}),
    Told.NO_RESPONSE: frozenset({"TC-OUTCOME-TRUE"}),
}


@dataclass(frozen=True, slots=True)
class DriveFinding:
    """A finding with its exchanges, the one at fault last where one is."""

    finding: Finding
    exchanges: tuple[Exchange, ...]


@dataclass(frozen=True, slots=True)
class Verdict:
    """What one script showed. `checked`: every exchange with what it broke and which clauses it covered."""

    broken: tuple[DriveFinding, ...]
    checked: tuple[tuple[Exchange, tuple[Finding, ...], frozenset[str]], ...]
    covered: frozenset[str]

    @property
    def clauses(self) -> frozenset[str]:
        """The clauses that were broken."""
        return frozenset(one.finding.clause for one in self.broken)


def check_played(played: Played, asks: Mapping[str, Asks], normal: frozenset[Kind]) -> Verdict:
    """Check one script. `asks` says for each behaviour what it asks of a client."""
    broken: list[DriveFinding] = []
    checked = []
    ends: list[DriveFinding] = []
    belief = ClientBelief()
    # The first request of an operation that was asked for together with others may have been on its way at any time.
    under_way = {id(done.observed[0].exchange) for done in played.done if done.together and done.observed}
    # An adapter that died or was ended took its requests with it.
    dead = any(done.report is None for done in played.done)
    for turn in played.turns:
        # Which requests are tries of one is known here: the same request in another turn is another operation's.
        belief = replace(belief, tries=ClientBelief().tries)
        for observed in turn:
            if dead and observed.gave_up:
                continue
            check_result = check_client(belief, observed)
            belief = check_result.belief
            pairs = [
                (finding, before)
                for finding, before in zip(check_result.findings, check_result.evidence, strict=True)
                if finding.clause != "TC-RATE-WAIT" or id(observed.exchange) not in under_way
            ]
            checked.append((observed.exchange, tuple(finding for finding, _ in pairs), check_result.covered))
            broken += [DriveFinding(finding, (*before, observed.exchange)) for finding, before in pairs]
        end = conclude(belief)
        ends += [DriveFinding(*pair) for pair in zip(end.findings, end.evidence, strict=True)]
    # A deadline may have kept the client from sending again, so that nothing is asked of a script that hit one.
    if not dead and not any(map(_given_up, played.done)):
        broken += ends
    covered = {"TC-KEY-SECRET"}
    for done in played.done:
        findings, touched = _of_report(done, asks[done.behaviour], normal, dead=dead)
        covered |= touched
        exchanges = tuple(seen.exchange for seen in done.observed)
        broken += [DriveFinding(finding, exchanges) for finding in findings]
    return Verdict(tuple(broken), tuple(checked), frozenset(covered))


def _given_up(done: Done) -> bool:
    return any(seen.gave_up for seen in done.observed)


def _of_report(done: Done, asks: Asks, normal: frozenset[Kind], *, dead: bool) -> tuple[list[Finding], set[str]]:
    """What is wrong with what the client reported of one operation, and which clauses that put to the test."""
    place = f"/outcome/{done.behaviour}"
    what = f"{done.operation.kind} (operation {done.number}) under {done.behaviour}"
    covered = {"TC-NO-RESULT", *OWED[done.truth.told]}
    if done.report is None:
        return [Finding("TC-NO-RESULT", f"{what}: {done.how}", place, "an outcome", "none")], covered
    outcome, truth = done.report.outcome, done.truth
    found = []
    clause = truth.wrong(outcome)
    wanted = _wanted(done, asks, normal)
    if wanted:
        covered.add(wanted)
    if wanted and outcome is not ReportedOutcome.APPLIED and (not clause or wanted == "TC-TOLERANT"):
        clause = wanted
    if clause:
        told = CLAIMS[truth.told]
        knows = f"{'applied' if truth.applied else 'nothing was applied'}"
        knows = f"{knows} {truth.applied} times" if truth.applied > 1 else knows
        text = f"{what}: reported {outcome} ({told}; in truth: {knows})"
        found.append(Finding(clause, text, place, _right(done, clause), str(outcome)))
    if truth.requests:
        covered.add("TC-ASKED-FOR")
    if truth.altered is not None:
        text = f"{what}: the request does not say what the client was told"
        found.append(Finding("TC-ASKED-FOR", text, "/request/body", asked_of(done.operation), _sent(truth.altered)))
    found += _of_values(done, what, place, covered)
    if not dead:
        found += _of_attempts(done, what, place, covered)
    return found, covered


def _sent(request: Request) -> Any:
    body = read_json(request.body).value
    return body if isinstance(body, dict) else request.body[:200].decode("utf-8", "replace")


def _right(done: Done, clause: str) -> str:
    if clause in ("TC-TOLERANT", "TC-RECOVERS"):
        return str(ReportedOutcome.APPLIED)
    right = [str(outcome) for outcome in ReportedOutcome if not done.truth.wrong(outcome)]
    return " or ".join(right)


def _wanted(done: Done, asks: Asks, normal: frozenset[Kind]) -> str:
    """The clause by which this operation has to succeed, or nothing."""
    truth, kind = done.truth, done.operation.kind
    if truth.told is Told.UNMADE or asks is Asks.TRUTH:
        return ""
    if asks is Asks.SUCCESS and not truth.disturbed:
        return "TC-SUCCESS-TOLD"
    if kind not in normal:
        return ""
    if asks is Asks.TOLERANCE and not truth.disturbed:
        return "TC-TOLERANT"
    # Not to send a count again that may have been applied is prudent.
    return "" if truth.doubtful and kind in COUNTED else "TC-RECOVERS"


def _of_values(done: Done, what: str, place: str, covered: set[str]) -> list[Finding]:
    report, truth = done.report, done.truth
    if report is None or report.values is None or report.outcome is not ReportedOutcome.APPLIED or truth.shown is None:
        return []
    covered.add("TC-VALUES-TOLD")
    shown, told = dict(truth.shown), dict(report.values)
    if all(name in shown and same(shown[name], value) for name, value in told.items()):
        return []
    return [Finding("TC-VALUES-TOLD", f"{what}: other values than the answer shows", f"{place}/values", shown, told)]


def _of_attempts(done: Done, what: str, place: str, covered: set[str]) -> list[Finding]:
    report, truth = done.report, done.truth
    if report is None or (report.attempts is None and not done.late):
        return []
    covered.add("TC-ATTEMPTS-TOLD")
    # A try that died on its way to us is one that only the client knows of.
    if done.late:
        text = f"{what}: {done.late} requests were sent after the outcome had been reported"
        return [Finding("TC-ATTEMPTS-TOLD", text, f"{place}/attempts")]
    if report.attempts == truth.requests:
        return []
    text = f"{what}: {report.attempts} attempts reported, {truth.requests} requests came"
    return [Finding("TC-ATTEMPTS-TOLD", text, f"{place}/attempts", truth.requests, report.attempts)]
