"""What every report shows of a result, in the same words: the headline, findings, effort, what was not covered.

A result may come from a file, so a member that is not required may be absent.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from tracksync.contract.clauses import catalogue
from tracksync.model.page_addresses import Subject, command_for
from tracksync.model.verdict import evidence_of, fails
from tracksync.report.exchange_text import curl_parts, outcome_line, printable, value_text
from tracksync.report.links import PageOf, names_in, no_page
from tracksync.report.tally import Result


@dataclass(frozen=True, slots=True)
class ShownStep:
    """One exchange of a finding's minimal sequence, ready to print: a shell command, its parts and its outcome."""

    curl: str
    curl_parts: tuple[str, ...]
    outcome: str


@dataclass(frozen=True, slots=True)
class FindingView:
    """A finding of a result, ready to print. `expected` and `actual` are None where there is no value to show.

    `page`: the address of the clause's page, or the command that opens it. `pages`: what else the message names, each
    with its page.
    """

    clause: str
    severity: str
    evidence: str
    sentence: str
    source: str
    message: str
    pointer: str
    expected: str | None
    actual: str | None
    known: bool
    cause: int
    fails: bool
    confirmed: bool
    reproduce: str
    cassette: str
    steps: tuple[ShownStep, ...]
    page: str
    pages: tuple[tuple[str, str], ...] = ()
    figure: dict[str, Any] | None = None


def findings(result: Result, page: PageOf = no_page) -> list[FindingView]:
    """The findings of `result`, in its order."""
    return [_finding(result, finding, page) for finding in result["findings"]]


def _finding(result: Result, finding: dict[str, Any], page: PageOf) -> FindingView:
    clause = catalogue(None).get(finding["clause"])
    known = bool(finding.get("known", False))
    evidence = str(finding.get("evidence") or evidence_of(finding["clause"]))
    target = str(result.get("target", ""))
    message = printable(finding["message"])
    named = {one.name: one.address for one in names_in(message, page) if one.name != finding["clause"]}
    return FindingView(
        clause=printable(finding["clause"]),
        severity=finding["severity"],
        evidence=evidence,
        sentence=clause.sentence if clause else "",
        source=clause.source if clause else "",
        message=message,
        pointer=printable(finding.get("pointer", "")),
        expected=value_text(finding["expected"]) if "expected" in finding else None,
        actual=value_text(finding["actual"]) if "actual" in finding else None,
        known=known,
        cause=int(finding["cause"]),
        fails=fails(
            evidence,
            strict=bool(result.get("strict", False)),
            known=known,
            fail_on=str(result.get("fail_on", "error")),
        ),
        confirmed=bool(finding.get("confirmed", True)),
        reproduce=printable(finding.get("reproduce", "")),
        cassette=printable(finding.get("cassette", "")),
        steps=tuple(_step(exchange, target) for exchange in finding["exchanges"]),
        page=page(Subject.CLAUSE, finding["clause"]) or command_for(printable(finding["clause"])),
        pages=tuple(named.items()),
        figure=finding.get("figure"),
    )


def about(name: str, page: PageOf) -> str:
    """Where to read more about the clauses that findings name, of which `name` is one."""
    address = page(Subject.CLAUSE, name)
    return f"About {name}: {address}" if address else f"More about a clause: {command_for(name)}"


def _step(exchange: dict[str, Any], target: str) -> ShownStep:
    parts = tuple(map(printable, curl_parts(exchange, target)))
    return ShownStep(" ".join(parts), parts, outcome_line(exchange))


def sections(result: Result) -> list[dict[str, Any]]:
    """The sections that the command added to its result."""
    found: list[dict[str, Any]] = result.get("sections") or []
    return found


def not_covered(result: Result) -> dict[str, str]:
    """The clauses that no response bore on, each with the reason."""
    return {
        id_: printable(str(entry.get("why_not", "no reason given")))
        for id_, entry in result["clauses"].items()
        if not entry["covered"]
    }


def headline(result: Result) -> str:
    """`PASSED: no findings; 127 of 127 clauses covered`. An incomplete run says why before that."""
    verdict = str(result["verdict"])
    why = _reason(result) if verdict == "incomplete" else ""
    return f"{verdict.upper()}: {'; '.join(filter(None, (why, counts(result), coverage(result))))}"


def reason(result: Result) -> str:
    """Why the run ended, where the headline does not say it; otherwise empty."""
    return "" if result["verdict"] == "incomplete" else _reason(result)


def needs_verdict_line(result: Result) -> bool:
    """Whether the run did not pass and none of its findings shows that."""
    return result["verdict"] != "passed" and not any(finding.fails for finding in findings(result))


def _reason(result: Result) -> str:
    return printable(str(result.get("reason") or ""))


def counts(result: Result) -> str:
    """`2 errors, 1 warning with 1 cause`, `33 known findings`, or `no findings`."""
    new = [finding for finding in result["findings"] if not finding.get("known")]
    known = len(result["findings"]) - len(new)
    numbers = [(sum(one["severity"] == word for one in new), word) for word in ("error", "warning", "note")]
    shown = [plural(number, word) for number, word in (*numbers, (known, "known finding")) if number]
    causes = len({finding["cause"] for finding in result["findings"]})
    of_causes = f" with {plural(causes, 'cause')}" if causes < len(result["findings"]) else ""
    return ", ".join(shown) + of_causes if shown else "no findings"


def coverage(result: Result) -> str:
    """`120 of 126 clauses covered`."""
    total = len(result["clauses"])
    covered = total - len(not_covered(result))
    return f"{covered} of {plural(total, 'clause')} covered"


def effort(result: Result) -> str:
    """`312 requests in 4.1 s, 57 data points`."""
    shown = f"{plural(result['requests'], 'request')} in {result['seconds']:.1f} s"
    points = result.get("data_points")
    return f"{shown}, {plural(points, 'data point')}" if points else shown


def origin(result: Result) -> str:
    """`fuzz of mock, seed 7, started 2026-01-01T00:00:00.000Z`."""
    parts = [f"{result['command']} of {printable(str(result.get('target') or 'an unnamed target'))}"]
    if result.get("seed") is not None:
        parts.append(f"seed {result['seed']}")
    if result.get("started"):
        parts.append(f"started {printable(str(result['started']))}")
    return ", ".join(parts)


def budget_lines(result: Result) -> Iterator[tuple[str, str]]:
    """Name and `spent of allowed` for every budget that was set."""
    budget = result.get("budget") or {}
    spent = {"requests": result["requests"], "seconds": result["seconds"], "data_points": result.get("data_points", 0)}
    for name, used in spent.items():
        allowed = budget.get(name)
        if allowed is not None:
            yield name.replace("_", " "), f"{used:g} of {allowed:g}"


def plural(number: int, word: str) -> str:
    """`1 clause`, `2 clauses`."""
    return f"{number:,} {word}{'' if number == 1 else 's'}"
