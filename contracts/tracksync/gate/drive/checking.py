"""What a played script shows of the client: its requests by the client check, its reports by the table of outcomes.

Pure: a `PlayedScript` in, a `ScriptResult` out.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from tracksync.gate.client_behaviour import ClientBelief, check_client, conclude
from tracksync.gate.drive.behaviours import Demand
from tracksync.gate.drive.protocol import Kind, ReportedOutcome
from tracksync.gate.drive.session import PlayedOperation, PlayedScript
from tracksync.gate.drive.truth import KnownToClient, expected_members, same
from tracksync.model.exchange import Exchange, Request
from tracksync.model.finding import Finding
from tracksync.values.jsontext import read_json

COUNTED: Final = frozenset({Kind.EVENT, Kind.PURCHASE, Kind.INCREMENT})
_SENTENCES: Final[Mapping[KnownToClient, str]] = {
    KnownToClient.SHOWN: "a complete response showed the update",
    KnownToClient.UNMADE: "the response showed that the update was not made",
    KnownToClient.REFUSED: "the last response was a refusal",
    KnownToClient.DENIED: "the last response denied the permission",
    KnownToClient.LIMITED: "the last response was a 429",
    KnownToClient.TRANSIENT_FAILURE: "the last response was a 5XX, was lost or could not be read",
    KnownToClient.NO_RESPONSE: "no request came",
}
_COVERED: Final[Mapping[KnownToClient, frozenset[str]]] = {
    KnownToClient.SHOWN: frozenset({"TC-SUCCESS-TOLD", "TC-OUTCOME-TRUE"}),
    KnownToClient.UNMADE: frozenset({"TC-NOT-APPLIED", "TC-OUTCOME-KIND"}),
    KnownToClient.REFUSED: frozenset({"TC-FAILURE-TOLD", "TC-OUTCOME-KIND"}),
    KnownToClient.DENIED: frozenset({"TC-FAILURE-TOLD", "TC-OUTCOME-KIND"}),
    KnownToClient.LIMITED: frozenset({"TC-FAILURE-TOLD", "TC-OUTCOME-KIND"}),
    KnownToClient.TRANSIENT_FAILURE: frozenset({"TC-FAILURE-TOLD", "TC-OUTCOME-TRUE"}),
    KnownToClient.NO_RESPONSE: frozenset({"TC-OUTCOME-TRUE"}),
}


@dataclass(frozen=True, slots=True)
class DriveFinding:
    """A finding with its exchanges, the one at fault last where one is."""

    finding: Finding
    exchanges: tuple[Exchange, ...]


@dataclass(frozen=True, slots=True)
class ScriptResult:
    """What one script showed. `checked`: every exchange with its findings and the clauses that it bore on."""

    broken: tuple[DriveFinding, ...]
    checked: tuple[tuple[Exchange, tuple[Finding, ...], frozenset[str]], ...]
    covered: frozenset[str]

    @property
    def clauses(self) -> frozenset[str]:
        """The clauses that were broken."""
        return frozenset(one.finding.clause for one in self.broken)


def check_played(played: PlayedScript, demands: Mapping[str, Demand], normal: frozenset[Kind]) -> ScriptResult:
    """Check one script.

    `demands`: what is expected of a client under each behaviour. `normal`: the kinds of operation that are known to
    succeed where nothing is wrong; of the others neither tolerance nor recovery is expected.
    """
    broken: list[DriveFinding] = []
    checked = []
    ends: list[DriveFinding] = []
    belief = ClientBelief()
    # The first request of an operation that was asked for together with others may have been on its way at any time.
    under_way = {id(done.observed[0].exchange) for done in played.done if done.together and done.observed}
    # An adapter that ended, or was ended, took its requests with it.
    dead = any(done.report is None for done in played.done)
    for turn in played.turns:
        # Which requests are tries of one is known here: the same request in another turn is another operation's.
        belief = belief.without_tries()
        for observed in turn:
            if dead and observed.gave_up:
                continue
            check_result = check_client(belief, observed)
            belief = check_result.belief
            found = [
                DriveFinding(finding, (*before, observed.exchange))
                for finding, before in zip(check_result.findings, check_result.evidence, strict=True)
                if finding.clause != "TC-RATE-WAIT" or id(observed.exchange) not in under_way
            ]
            checked.append((observed.exchange, tuple(one.finding for one in found), check_result.covered))
            broken += found
        end = conclude(belief)
        ends += map(DriveFinding, end.findings, end.evidence)
    # A deadline may have kept the client from sending again, so that nothing is asked of a script that hit one.
    if not dead and not any(map(_given_up, played.done)):
        broken += ends
    covered = {"TC-KEY-SECRET"}
    for done in played.done:
        findings, touched = _of_report(done, demands[done.behaviour], normal, dead=dead)
        covered |= touched
        exchanges = tuple(seen.exchange for seen in done.observed)
        broken += [DriveFinding(finding, exchanges) for finding in findings]
    return ScriptResult(tuple(broken), tuple(checked), frozenset(covered))


def _given_up(done: PlayedOperation) -> bool:
    return any(seen.gave_up for seen in done.observed)


def _of_report(
    done: PlayedOperation, demand: Demand, normal: frozenset[Kind], *, dead: bool
) -> tuple[list[Finding], set[str]]:
    """What is wrong with the report of one operation, and the clauses that the report bore on."""
    place = f"/outcome/{done.behaviour}"
    what = f"{done.operation.kind} (operation {done.number}) under {done.behaviour}"
    covered = {"TC-NO-RESULT", *_COVERED[done.truth.known]}
    if done.report is None:
        return [Finding("TC-NO-RESULT", f"{what}: {done.how}", place, "an outcome", "none")], covered
    outcome, truth = done.report.outcome, done.truth
    found = []
    clause = truth.wrong(outcome)
    wanted = _wanted(done, demand, normal)
    if wanted:
        covered.add(wanted)
    if wanted and outcome is not ReportedOutcome.APPLIED and (not clause or wanted == "TC-TOLERANT"):
        clause = wanted
    if clause:
        sentence = _SENTENCES[truth.known]
        knows = "applied" if truth.applied else "nothing was applied"
        knows += f" {truth.applied} times" if truth.applied > 1 else ""
        text = f"{what}: reported {outcome} ({sentence}; in truth: {knows})"
        found.append(Finding(clause, text, place, _right(done, clause), str(outcome)))
    if truth.requests:
        covered.add("TC-ASKED-FOR")
    if truth.altered is not None:
        text = f"{what}: the request does not say what the operation says"
        found.append(
            Finding("TC-ASKED-FOR", text, "/request/body", expected_members(done.operation), _sent(truth.altered))
        )
    found += _of_values(done, what, place, covered)
    if not dead:
        found += _of_attempts(done, what, place, covered)
    return found, covered


def _sent(request: Request) -> Any:
    body = read_json(request.body).value
    return body if isinstance(body, dict) else request.body[:200].decode("utf-8", "replace")


def _right(done: PlayedOperation, clause: str) -> str:
    if clause in ("TC-TOLERANT", "TC-RECOVERS"):
        return str(ReportedOutcome.APPLIED)
    right = [str(outcome) for outcome in ReportedOutcome if not done.truth.wrong(outcome)]
    return " or ".join(right)


def _wanted(done: PlayedOperation, demand: Demand, normal: frozenset[Kind]) -> str:
    """The clause by which this operation has to succeed; empty for none."""
    truth, kind = done.truth, done.operation.kind
    if truth.known is KnownToClient.UNMADE or demand is Demand.TRUTH:
        return ""
    if demand is Demand.SUCCESS and not truth.disturbed:
        return "TC-SUCCESS-TOLD"
    if kind not in normal:
        return ""
    if demand is Demand.TOLERANCE and not truth.disturbed:
        return "TC-TOLERANT"
    # Not to send a count again that may have been applied is prudent.
    return "" if truth.doubtful and kind in COUNTED else "TC-RECOVERS"


def _of_values(done: PlayedOperation, what: str, place: str, covered: set[str]) -> list[Finding]:
    report, truth = done.report, done.truth
    if report is None or report.values is None or report.outcome is not ReportedOutcome.APPLIED or truth.shown is None:
        return []
    covered.add("TC-VALUES-TOLD")
    shown, reported = dict(truth.shown), dict(report.values)
    if all(name in shown and same(shown[name], value) for name, value in reported.items()):
        return []
    return [
        Finding("TC-VALUES-TOLD", f"{what}: other values than the response shows", f"{place}/values", shown, reported)
    ]


def _of_attempts(done: PlayedOperation, what: str, place: str, covered: set[str]) -> list[Finding]:
    report, truth = done.report, done.truth
    if report is None or (report.attempts is None and not done.late):
        return []
    covered.add("TC-ATTEMPTS-TOLD")
    if done.late:
        text = f"{what}: {done.late} requests were sent after the outcome had been reported"
        return [Finding("TC-ATTEMPTS-TOLD", text, f"{place}/attempts")]
    if report.attempts == truth.requests:
        return []
    text = f"{what}: {report.attempts} attempts reported, {truth.requests} requests came"
    return [Finding("TC-ATTEMPTS-TOLD", text, f"{place}/attempts", truth.requests, report.attempts)]
