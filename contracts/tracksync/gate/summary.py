"""What a gate says in the end: each scenario in one line, the table of all, the verdict and its reason. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from tracksync.contract.clauses import Side, catalogue
from tracksync.gate.exit_status import expected_end
from tracksync.gate.guidance import scenarios_for
from tracksync.gate.plan import ObservePlan, ScenarioRun
from tracksync.gate.scenarios import NORMAL, Expect, expectation
from tracksync.mock.scenarios import Scenario
from tracksync.model.events import Verdict
from tracksync.model.figures import Section

DRIVEN: Final = (  # what only an adapter's reports show
    "TC-ASKED-FOR",
    "TC-SUCCESS-TOLD",
    "TC-OUTCOME-TRUE",
    "TC-OUTCOME-KIND",
    "TC-VALUES-TOLD",
    "TC-NO-RESULT",
    "TC-ATTEMPTS-TOLD",
)
_ENDS: Final = {"success": "the command succeeds", "failure": "the command fails", "any": "any end of the command"}


@dataclass(frozen=True, slots=True)
class ClauseCount:
    """How often a clause was covered and broken under one scenario; `failing`: why that fails the run, if it does."""

    covered: int
    broken: int
    failing: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ScenarioSummary:
    """One scenario: what was expected, what happened, and a verdict.

    `verdict`: passed, failed, or incomplete. `own_failure`: why the command itself counts as failed, if it does.
    """

    scenario: Scenario
    expect: Expect
    expected: str
    happened: str
    verdict: Verdict
    run: ScenarioRun | None = None
    own_failure: str = ""
    clauses: dict[str, ClauseCount] = field(default_factory=dict)

    @property
    def skipped(self) -> bool:
        """Whether the scenario was not run."""
        return self.run is None

    def line(self) -> str:
        """`error-503: failed; exit status 1, 6 requests, 3.1 s; TC-RETRY-BACKOFF`."""
        return f"{self.scenario.name}: {self.verdict}; {self.happened}"

    def as_json(self) -> dict[str, Any]:
        """An entry of `test_command.runs` in the result."""
        run = self.run
        end = run.end if run else None
        return {
            "scenario": self.scenario.name,
            "sentence": self.scenario.sentence,
            "expect": self.expect,
            "expected": self.expected,
            "happened": self.happened,
            "verdict": self.verdict,
            "failure": self.own_failure,
            "status": end.status if end else None,
            "signal": end.signal if end else "",
            "timed_out": bool(end and end.timed_out),
            "seconds": round(run.seconds, 3) if run else 0.0,
            "requests": len(run.checked) if run else 0,
            "left_behind": list(end.left_behind) if end else [],
            "clauses": {
                id_: {"covered": count.covered, "broken": count.broken, "failing": count.failing}
                for id_, count in self.clauses.items()
            },
        }


def summarise(
    plan: ObservePlan, run: ScenarioRun | None, own: str, scenario: Scenario | None = None
) -> ScenarioSummary:
    """The summary of one scenario; `run` is None where it was not run, and then `scenario` says which."""
    if run is None:
        assert scenario is not None
        return ScenarioSummary(
            scenario=scenario,
            expect=plan.expected.get(scenario.name, expectation(scenario).expect),
            expected=expectation(scenario).sentence,
            happened="not run: the run ended before",
            verdict="incomplete",
        )
    expect = expected_end(plan, run)
    given = run.scenario.name in plan.expected or plan.aware
    clauses = _clauses(plan, run)
    failing = any(count.failing for count in clauses.values()) or bool(own)
    finished = run.end is not None and not run.timed_out and bool(run.checked or run.excused)
    return ScenarioSummary(
        scenario=run.scenario,
        expect=expect,
        expected=_ENDS[expect] if given else expectation(run.scenario).sentence,
        happened=_happened(run, clauses),
        verdict="failed" if failing else "passed" if finished else "incomplete",
        run=run,
        own_failure=own,
        clauses=clauses,
    )


def _clauses(plan: ObservePlan, run: ScenarioRun) -> dict[str, ClauseCount]:
    covered = Counter(id_ for one in run.checked for id_ in one.covered)
    covered.update(run.covered)
    broken = Counter(seen.finding.clause for seen in run.found)
    failing: dict[str, str] = {}
    for seen in run.found:
        if plan.fails(seen.finding):
            failing.setdefault(seen.finding.clause, seen.finding.message)
    return {
        id_: ClauseCount(max(covered[id_], broken[id_]), broken[id_], failing.get(id_, ""))
        for id_ in sorted({*covered, *broken})
    }


def _happened(run: ScenarioRun, clauses: dict[str, ClauseCount]) -> str:
    how = "stopped before its end" if run.end is None else run.end.describe()
    number = len(run.checked)
    requests = f"{number} request{'' if number == 1 else 's'}" if number or run.excused else "no request"
    requests += f", {run.excused} more under way when it was ended" if run.excused else ""
    broken = ", ".join(id_ for id_, count in clauses.items() if count.broken)
    left = f"; left behind: {', '.join(run.end.left_behind)}" if run.end and run.end.left_behind else ""
    return f"{how}, {requests}, {run.seconds:.1f} s" + (f"; {broken}" if broken else "") + left


def section(plan: ObservePlan, summaries: Sequence[ScenarioSummary]) -> Section:
    """The table of scenarios."""
    counts = Counter(summary.verdict for summary in summaries)
    text = ", ".join(f"{number} {verdict}" for verdict, number in sorted(counts.items(), reverse=True))
    if plan.excluded:
        text += f"; not run, since excluded: {', '.join(plan.excluded)}"
    rows = tuple(
        (one.scenario.name, one.scenario.sentence, one.expected, one.happened, one.verdict) for one in summaries
    )
    return Section("Scenarios", f"{text}.", ("scenario", "the server", "a correct client", "happened", "verdict"), rows)


def conclusion(plan: ObservePlan, summaries: Sequence[ScenarioSummary], own: str) -> tuple[Verdict, str]:
    """The verdict of the whole run, and its reason in a sentence. `own`: why the command itself failed, if it did."""
    broken = {id_ for one in summaries for id_, count in one.clauses.items() if count.failing}
    but = "; ".join(text for text in (own, _late(plan, summaries)) if text)
    if broken:
        return "failed", f"the client breaks the contract: {', '.join(sorted(broken))}" + (f"; {but}" if but else "")
    excused = _excused(summaries)
    silent = [one for one in summaries if _is_silent(one) and one not in excused]
    normal = any(one.scenario.name == NORMAL for one in silent)
    if silent and (normal or not own or len(silent) == len(summaries)):
        return "incomplete", _silence(plan, summaries, silent)
    if but:
        return "failed" if own else "incomplete", f"no clause was broken, but {but}"
    missing = [one for one in summaries if one.verdict == "incomplete" and one not in excused]
    if missing:
        return "incomplete", f"these scenarios did not come to their end: {_names(missing)}"
    reason = f"no clause was broken under {len(summaries)} scenario{'' if len(summaries) == 1 else 's'}"
    if excused:
        reason += f"; it never called under {_names(excused)}: it does not trust the CA in SSL_CERT_FILE"
    return "passed", reason


def _late(plan: ObservePlan, summaries: Sequence[ScenarioSummary]) -> str:
    """That the command did not end in time, if it did not."""
    late = [one for one in summaries if one.run is not None and one.run.timed_out]
    return f"the command did not end within {plan.timeout:g} s under {_names(late)} and was ended" if late else ""


def _excused(summaries: Sequence[ScenarioSummary]) -> list[ScenarioSummary]:
    """The scenarios without a request whose certificate the client may not trust, where it does call in others.

    A certificate that a client cannot be told to trust says nothing of how it speaks to a real workspace.
    """
    silent = [one for one in summaries if _is_silent(one)]
    return [one for one in silent if one.scenario.http2] if len(silent) < len(summaries) else []


def _names(summaries: Sequence[ScenarioSummary]) -> str:
    return ", ".join(one.scenario.name for one in summaries)


def _is_silent(summary: ScenarioSummary) -> bool:
    """Whether the command ended without one request."""
    run = summary.run
    return run is not None and run.end is not None and not (run.timed_out or run.checked or run.excused)


def _silence(plan: ObservePlan, summaries: Sequence[ScenarioSummary], silent: Sequence[ScenarioSummary]) -> str:
    names = " or ".join(plan.endpoint_vars)
    where = f" under {_names(silent)}" if len(summaries) > 1 else ""
    ends = ", ".join(dict.fromkeys(one.run.end.describe() for one in silent if one.run and one.run.end))
    certificate = "; and does it trust the CA in SSL_CERT_FILE?" if silent[0].scenario.http2 else ""
    return (
        f"the command never called the mock{where} ({ends}); does the client take its endpoint from {names}? Calls to "
        f"any other host cannot be seen{certificate}"
    )


def why_not(runs: Sequence[ScenarioRun]) -> dict[str, str]:
    """Clause id to the reason why the run cannot have covered it, where that is known."""
    played = {run.scenario.name for run in runs}
    reasons = dict.fromkeys(DRIVEN, "it needs an adapter and --driver")
    for id_ in catalogue(Side.CLIENT):
        needed = scenarios_for(id_)
        if id_ not in reasons and needed and not played & set(needed):
            reasons[id_] = f"it needs a scenario such as --scenario {needed[0]}"
    return reasons
