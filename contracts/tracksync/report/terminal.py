"""The verdict as text for a person at a terminal. Colours are the caller's choice; the text says all without them."""

from __future__ import annotations

import textwrap
from typing import Final

from tracksync.report import drawing, view
from tracksync.report.exchange_text import printable
from tracksync.report.tally import Result

_CODES: Final = {"bold": "1", "red": "31", "green": "32", "yellow": "33", "dim": "2"}
_VERDICT_STYLE: Final = {"passed": "green", "failed": "red", "incomplete": "yellow"}
_SEVERITY_STYLE: Final = {"error": "red", "warning": "yellow", "note": "dim"}
_IN_FULL: Final = 10  # findings
_NAMED: Final = 24  # clauses that share a reason
_WIDTH: Final = 110


def render(result: Result, *, colour: bool = False) -> str:
    """The verdict, what was not covered, then each finding; the last line of a finding reproduces it."""
    paint = _Paint(colour)
    verdict = result["verdict"]
    lines = [
        f"{paint(verdict.upper(), 'bold', _VERDICT_STYLE[verdict])}: {view.counts(result)}; {view.coverage(result)}",
        f"  {view.effort(result)}; {view.origin(result)}",
    ]
    if result.get("reason"):
        lines.append(f"  {printable(str(result['reason']))}")
    missed = view.not_covered(result)
    if missed:
        lines += ["", paint(f"Not covered ({len(missed)}):", "bold")]
        by_reason: dict[str, list[str]] = {}
        for id_, reason in missed.items():
            by_reason.setdefault(reason, []).append(id_)
        for reason, ids in by_reason.items():
            lines += [f"  {paint(reason, 'dim')}", *_wrapped(_named(ids), "    ")]
    if result.get("interpretations"):
        shown = ", ".join(f"{row} = {interpretation}" for row, interpretation in result["interpretations"].items())
        lines += ["", *_wrapped(f"Interpretations seen: {printable(shown)}", "")]
    for section in view.sections(result):
        lines += ["", paint(f"{printable(section['title'])}:", "bold"), *_wrapped(printable(section["text"]), "  ")]
        lines += _table(section["columns"], section["rows"])
        for figure in section["figures"]:
            lines += ["", *(f"  {line}" for line in drawing.lines(figure))]
    findings = view.findings(result)
    for number, finding in enumerate(findings[:_IN_FULL], start=1):
        lines += ["", *_finding(number, finding, paint)]
    if len(findings) > _IN_FULL:
        lines += ["", f"And {len(findings) - _IN_FULL} more, in full in the JSON and HTML results:"]
        lines += [f"  {finding.clause}  {finding.message}" for finding in findings[_IN_FULL:]]
    return "\n".join(lines) + "\n"


def _named(ids: list[str]) -> str:
    rest = len(ids) - _NAMED
    return ", ".join(ids[:_NAMED]) + (f" and {rest} more, named in the JSON and HTML results" if rest > 0 else "")


def _finding(number: int, finding: view.FindingView, paint: _Paint) -> list[str]:
    marks = [finding.evidence]
    marks += ["known"] if finding.known else []
    marks += [] if finding.confirmed else ["unconfirmed"]
    head = f"{number}. {paint(finding.severity.upper(), 'bold', _SEVERITY_STYLE[finding.severity])} {paint(finding.clause, 'bold')}"
    lines = [f"{head} ({', '.join(marks)})"]
    if finding.sentence:
        lines += _wrapped(f"{finding.sentence} [{finding.source}]", "   ")
    lines += ["", *_wrapped(finding.message, "   ")]
    if finding.pointer:
        lines.append(f"   at       {finding.pointer}")
    if finding.expected is not None:
        lines.append(f"   expected {finding.expected}")
    if finding.actual is not None:
        lines.append(f"   actual   {finding.actual}")
    lines.append("")
    for step in finding.steps:
        lines += [f"   {step.curl}", f"     {paint('->', 'dim')} {step.outcome}"]
    if finding.figure is not None:
        lines += ["", *(f"   {line}" for line in drawing.lines(finding.figure)), ""]
    if finding.cassette:
        lines.append(f"   recorded in {finding.cassette}")
    if finding.reproduce:
        lines.append(f"   reproduce: {finding.reproduce}")
    return lines


def _table(columns: list[str], rows: list[list[str]]) -> list[str]:
    """Rows under their columns, each as wide as its widest cell; where no screen is, one line for each cell."""
    if not rows:
        return []
    if any(len(cell) > 2 * _WIDTH for row in rows for cell in row):
        named = [list(zip(columns, row, strict=True)) for row in rows]
        return [f"  {name + ':':<6} {printable(cell)}" for row in named for name, cell in row]
    table = [[printable(cell) for cell in row] for row in (columns, *rows)]
    widths = [max(len(cell) for cell in column) for column in zip(*table, strict=True)]
    return ["  " + "  ".join(f"{cell:<{width}}" for cell, width in zip(row, widths, strict=True)).rstrip()
            for row in table]  # fmt: skip


def _wrapped(text: str, indent: str) -> list[str]:
    return [
        line
        for part in text.splitlines()
        for line in textwrap.wrap(
            part,
            _WIDTH,
            initial_indent=indent,
            subsequent_indent=indent,
            break_long_words=False,
            break_on_hyphens=False,
        )
    ]


class _Paint:
    """Wraps text in terminal colours, or leaves it alone."""

    def __init__(self, colour: bool) -> None:
        self._colour = colour

    def __call__(self, text: str, *styles: str) -> str:
        if not self._colour:
            return text
        return f"\x1b[{';'.join(_CODES[style] for style in styles)}m{text}\x1b[0m"
