"""The result as JUnit XML: one test case per clause, so that a CI system shows the contract as a test report.

A finding that fails the run is a failure. One that does not (a warning unless strict, a known finding, a note) is
output of a test case that passes. A clause that was not covered is skipped, with the reason. A gate has a test case
per scenario and clause, and one, `command`, for the tests of the client under each scenario. If the run did not pass
and nothing of this shows it, one more test case, `verdict`, has the error.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from junitparser import Error, Failure, JUnitXml, Skipped, TestCase, TestSuite
from junitparser.junitparser import FinalResult

from tracksync.report import view
from tracksync.report.exchange_text import printable
from tracksync.report.links import PageOf, names_in, no_page
from tracksync.report.tally import Result


def render(result: Result, page: PageOf = no_page) -> str:
    """`result` as an XML document. Where things have a `page`, its address stands under the text that names them."""
    suite = TestSuite(f"tracksync {result['command']}")
    if result.get("started"):
        suite.timestamp = result["started"]
    by_clause: dict[str, list[view.FindingView]] = {}
    for finding in view.findings(result, page):
        by_clause.setdefault(finding.clause, []).append(finding)
    missed = view.not_covered(result)
    runs = (result.get("test_command") or {}).get("runs") or []
    of_scenarios = {id_ for run in runs for id_ in run["clauses"]}
    cases = [case for run in runs for case in _scenario_cases(run, result, by_clause, page)]
    shown = any(isinstance(one, Error | Failure) for case in cases for one in case.result)
    cases += [
        _case(id_, f"tracksync.{result['command']}", by_clause.get(id_, []), missed.get(id_), page)
        for id_ in dict.fromkeys([*result["clauses"], *by_clause])
        if id_ not in of_scenarios
    ]
    suite.add_testcases(cases)
    if view.needs_verdict_line(result) and not shown:
        verdict = TestCase("verdict", classname=f"tracksync.{result['command']}", time=0)
        verdict.result = [Error(message=view.headline(result), type_=result["verdict"])]
        suite.add_testcase(verdict)
    # After the cases: adding them sums up their times, and a single case has none.
    suite.time = result["seconds"]
    suite.add_property("headline", view.headline(result))
    for name in ("verdict", "reason", "target", "seed", "requests", "data_points", "tracksync"):
        if result.get(name) is not None:
            suite.add_property(name, printable(str(result[name])))
    document: Any = JUnitXml("tracksync")  # its methods have no types
    document.add_testsuite(suite)
    text: str | bytes = document.tostring()
    return text if isinstance(text, str) else text.decode("utf-8")


def _scenario_cases(
    run: dict[str, Any], result: Result, by_clause: dict[str, list[view.FindingView]], page: PageOf
) -> Iterator[TestCase]:
    """One case for the client's tests under a scenario, and one for each clause that their traffic bore on."""
    name = f"tracksync.{result['command']}.{run['scenario']}"
    command = TestCase("command", classname=name, time=run["seconds"])
    if run["failure"]:
        command.result = [Failure(message=run["failure"], type_="error")]
    elif run["verdict"] == "incomplete":
        error = result["verdict"] == "incomplete"
        command.result = [(Error if error else Skipped)(message=run["happened"], type_="incomplete")]
    said = printable(f"the server: {run['sentence']}; a correct client: {run['expected']}; happened: {run['happened']}")
    command.system_out = _with_pages(said, page, f"scenario {run['scenario']}: {said}")
    yield command
    for id_, count in run["clauses"].items():
        case = _case(id_, name, by_clause.get(id_, []) if count["broken"] else [], None, page)
        if not count["failing"]:
            case.result = []  # the finding of this clause that fails the run is another scenario's
        yield case


def _case(id_: str, classname: str, findings: list[view.FindingView], why_not: str | None, page: PageOf) -> TestCase:
    case = TestCase(id_, classname=classname, time=0)
    failing: list[FinalResult] = [_failure(finding) for finding in findings if finding.fails]
    passing = [_text(finding) for finding in findings if not finding.fails]
    if failing:
        case.result = failing
    elif why_not is not None and not findings:
        skipped = Skipped(message=why_not)
        skipped.text = _with_pages("", page, f"{id_}: {why_not}")
        case.result = [skipped]
    if passing:
        case.system_out = "\n\n".join(passing)
    return case


def _failure(finding: view.FindingView) -> Failure:
    failure = Failure(message=finding.message, type_=finding.severity)
    failure.text = _text(finding)
    return failure


def _text(finding: view.FindingView) -> str:
    lines = [f"{finding.severity} of {finding.clause} ({finding.evidence}{', known' if finding.known else ''})"]
    lines += [line for line in (finding.sentence, finding.message) if line]
    lines += [f"at {finding.pointer}"] if finding.pointer else []
    lines += [f"expected {finding.expected}"] if finding.expected is not None else []
    lines += [f"actual {finding.actual}"] if finding.actual is not None else []
    lines += [line for step in finding.steps for line in (step.curl, f"  -> {step.outcome}")]
    lines += [f"reproduce: {finding.reproduce}"] if finding.reproduce else []
    lines.append(f"about the clause: {finding.page}")
    lines += [f"about {name}: {address}" for name, address in finding.pages]
    return "\n".join(lines)


def _with_pages(text: str, page: PageOf, named: str) -> str:
    """`text`, and under it the page of each thing that `named` names."""
    pages = {one.name: one.address for one in names_in(named, page)}
    return "\n".join(filter(None, (text, *(f"about {name}: {address}" for name, address in pages.items()))))
