"""The result as Markdown for a GitHub job summary. Texts of a server cannot open markup or close a code block."""

from __future__ import annotations

import re
from typing import Any, Final

from tracksync.model.page_addresses import Subject
from tracksync.report import drawing, view
from tracksync.report.compare import Comparison, changes
from tracksync.report.exchange_text import printable
from tracksync.report.links import PageOf, cell_linked, linked, no_page
from tracksync.report.tally import Result

_SIGNS: Final = {"passed": "✅", "failed": "❌", "incomplete": "⚠️"}
_IN_FULL: Final = 20  # findings
_SPECIAL: Final = re.compile(r"([\\`*_\[\]#|~@&])")
_LONGEST: Final = 1000  # characters of one text; GitHub turns down a summary of more than 1 MiB


def render(result: Result, comparison: Comparison | None = None, page: PageOf = no_page) -> str:
    """`result` as Markdown, with the changes since an earlier one where a comparison is given."""
    verdict = result["verdict"]
    lines = [
        f"## {_SIGNS[verdict]} tracksync {_plain(result['command'])}: {verdict}",
        "",
        f"**{_text(view.headline(result), page)}**",
        "",
        f"{_plain(view.effort(result))}; {_plain(view.origin(result))}.",
    ]
    if view.reason(result):
        lines += ["", _text(view.reason(result), page)]
    if comparison is not None:
        lines += ["", *_comparison(comparison, page)]
    for section in view.sections(result):
        lines += ["", f"### {_plain(section['title'])}", "", _text(section["text"], page), "", *_rows(section, page)]
        for figure in section["figures"]:
            lines += ["", *_fenced("\n".join(drawing.lines(figure)), "text")]
    findings = view.findings(result, page)
    if findings:
        lines += ["", "### Findings"]
    for finding in findings[:_IN_FULL]:
        lines += ["", *_finding(finding, page)]
    if len(findings) > _IN_FULL:
        lines += ["", f"And {len(findings) - _IN_FULL} more, in the JSON and HTML results."]
    if findings and not page(Subject.CLAUSE, findings[0].clause):
        lines += ["", "More about a clause:", "", *_fenced(findings[0].page, "sh")]
    missed = view.not_covered(result)
    if missed:
        rows = [(_linked(page, Subject.CLAUSE, id_), _text(why, page)) for id_, why in missed.items()]
        lines += ["", *_folded(f"Not covered ({len(missed)})", _table(("Clause", "Why"), rows))]
    if result.get("interpretations"):
        rows = [
            (_linked(page, Subject.AMBIGUITY, name), _plain(str(interpretation)))
            for name, interpretation in result["interpretations"].items()
        ]
        lines += ["", *_folded(f"Interpretations seen ({len(rows)})", _table(("Ambiguity", "Interpretation"), rows))]
    budget = list(view.budget_lines(result))
    if budget:
        spent = [(_plain(left), _plain(right)) for left, right in budget]
        lines += ["", *_folded("Budget", _table(("Budget", "Spent"), spent))]
    return "\n".join(lines) + "\n"


def _linked(page: PageOf, kind: Subject, name: str) -> str:
    """A name, as a link to its page where the pages are published."""
    address = page(kind, name)
    return _link(name, address) if address else _plain(name)


def _link(name: str, address: str) -> str:
    return f"[{_plain(name)}]({address})"


def _text(text: str, page: PageOf) -> str:
    """`text` on one line, with its names as links."""
    return linked(_one_line(text), page, _link, _escaped)


def _comparison(comparison: Comparison, page: PageOf) -> list[str]:
    lines = ["### Since the earlier run", ""]
    before, after = comparison.before["verdict"], comparison.after["verdict"]
    lines.append(f"- verdict: {before}, now {after}")
    for name, found in changes(comparison):
        lines.append(f"- {name}: {len(found)}{_clauses(found, page)}")
    lines += [
        f"- drift: {_linked(page, Subject.AMBIGUITY, drift.ambiguity)} was {_plain(drift.before)}, "
        f"now {_plain(drift.after)}"
        for drift in comparison.drift
    ]
    return lines


def _clauses(findings: tuple[dict[str, Any], ...], page: PageOf) -> str:
    named = ", ".join(_linked(page, Subject.CLAUSE, finding["clause"]) for finding in findings)
    return f" ({named})" if findings else ""


def _finding(finding: view.FindingView, page: PageOf) -> list[str]:
    known = ", known" if finding.known else ""
    clause = _linked(page, Subject.CLAUSE, finding.clause)
    lines = [f"#### {clause} ({finding.severity}{known})", ""]
    lines += [_text(finding.sentence, page), ""] if finding.sentence else []
    lines.append(f"**{_text(finding.message, page)}**")
    facts = [("at", finding.pointer), ("expected", finding.expected), ("actual", finding.actual)]
    shown = [f"{name:8} {value}" for name, value in facts if value]
    lines += ["", *_fenced("\n".join(drawing.lines(finding.figure)), "text")] if finding.figure else []
    steps = [line for step in finding.steps for line in (step.curl, f"# -> {step.outcome}")]
    lines += ["", *_fenced("\n".join(shown), "text")] if shown else []
    lines += ["", *_folded("Minimal sequence", _fenced("\n".join(steps), "sh"))] if steps else []
    lines += ["", *_fenced(finding.reproduce, "sh")] if finding.reproduce else []
    return lines


def _fenced(text: str, language: str) -> list[str]:
    """A code block whose fence is longer than any run of backticks in it."""
    longest = max((len(run) for run in re.findall(r"`+", text)), default=0)
    fence = "`" * max(3, longest + 1)
    return [f"{fence}{language}", text, fence]


def _folded(summary: str, lines: list[str]) -> list[str]:
    return ["<details>", f"<summary>{summary}</summary>", "", *lines, "", "</details>"]


def _table(head: tuple[str, str], rows: list[tuple[str, str]]) -> list[str]:
    return [
        f"| {head[0]} | {head[1]} |",
        "| --- | --- |",
        *(f"| {left} | {right} |" for left, right in rows),
    ]


def _rows(section: dict[str, Any], page: PageOf) -> list[str]:
    columns = section["columns"]
    rows = [
        [cell_linked(name, _one_line(cell), page, _link, _escaped) for name, cell in zip(columns, row, strict=True)]
        for row in section["rows"]
    ]
    return ["| " + " | ".join(row) + " |" for row in (map(_plain, columns), ["---"] * len(columns), *rows)]


def _plain(text: str) -> str:
    """`text` on one line and without any meaning to Markdown or HTML."""
    return _escaped(_one_line(text))


def _one_line(text: str) -> str:
    line = " ".join(printable(text).split())
    return line if len(line) <= _LONGEST else f"{line[: _LONGEST - 1]}…"


def _escaped(line: str) -> str:
    return _SPECIAL.sub(r"\\\1", line).replace("<", "&lt;").replace("://", ":\u200b//")
