"""The result as text for a person at a terminal. The text is complete without colours."""

from __future__ import annotations

import itertools
import textwrap
from collections.abc import Mapping, Sequence
from typing import Final

from tracksync.report import drawing, view
from tracksync.report.exchange_text import printable
from tracksync.report.links import PageOf, address_under, in_terminal, no_page, terminal_link
from tracksync.report.table import table_lines
from tracksync.report.tally import Result

_CODES: Final = {"bold": "1", "red": "31", "green": "32", "yellow": "33", "dim": "2"}
_VERDICT_STYLE: Final = {"passed": "green", "failed": "red", "incomplete": "yellow"}
_SEVERITY_STYLE: Final = {"error": "red", "warning": "yellow", "note": "dim"}
_IN_FULL: Final = 10  # findings
_NAMED: Final = 24  # clauses that share a reason
DEFAULT_WIDTH: Final = 100  # columns, where the output is not a terminal


def render(
    result: Result,
    *,
    colour: bool = False,
    width: int = DEFAULT_WIDTH,
    brief: bool = False,
    page: PageOf = no_page,
    link: PageOf = no_page,
) -> str:
    """The headline, what was not covered, then each finding. The last line of a finding reproduces it.

    `width` is in columns. Text is wrapped between words; a command is one line, so that it can be copied. `brief`: the
    headline only. `page` gives the addresses that are shown; `link` those to which names lead, for a terminal that can
    show links.
    """
    return in_terminal("".join(f"{line}\n" for line in _lines(result, colour, width, brief, page, link)), link)


def _lines(result: Result, colour: bool, width: int, brief: bool, page: PageOf, link: PageOf) -> list[str]:
    def cell(column: str, text: str) -> str:
        address = address_under(column, text, link)
        return terminal_link(text, address) if address else text

    paint = _Paint(colour)
    wrapped = _Wrapper(width)
    head, _, rest = view.headline(result).partition(":")
    first, *more = wrapped(f"{head}:{rest}", "", "  ")
    lines = [first.replace(head, paint(head, "bold", _VERDICT_STYLE[result["verdict"]]), 1), *more]
    if brief:
        return lines
    lines += wrapped(f"{view.effort(result)}; {view.origin(result)}", "  ")
    lines += wrapped(view.reason(result), "  ")
    lines += _not_covered(view.not_covered(result), paint, wrapped)
    if result.get("interpretations"):
        shown = ", ".join(f"{name}={interpretation}" for name, interpretation in result["interpretations"].items())
        lines += ["", *wrapped(f"Interpretations seen: {printable(shown)}", "")]
    for section in view.sections(result):
        lines += ["", paint(f"{printable(section['title'])}:", "bold"), *wrapped(printable(section["text"]), "  ")]
        lines += table_lines(section["columns"], section["rows"], wrapped.width, cell)
        for figure in section["figures"]:
            lines += ["", *(f"  {line}" for line in drawing.lines(figure, wrapped.width - 2))]
    return lines + _causes(view.findings(result), paint, wrapped, page)


def _not_covered(missed: Mapping[str, str], paint: _Paint, wrapped: _Wrapper) -> list[str]:
    """The clauses that were not covered, those together that share a reason."""
    if not missed:
        return []
    by_reason: dict[str, list[str]] = {}
    for id_, reason in missed.items():
        by_reason.setdefault(reason, []).append(id_)
    lines = ["", paint(f"Not covered ({len(missed)}):", "bold")]
    for reason, ids in by_reason.items():
        lines += [paint(line, "dim") for line in wrapped(reason, "  ")]
        lines += wrapped(_named(ids), "    ")
    return lines


def _causes(findings: Sequence[view.FindingView], paint: _Paint, wrapped: _Wrapper, page: PageOf) -> list[str]:
    """The first causes in full, each with its further findings in short, and all other findings in short."""
    causes = [list(group) for _, group in itertools.groupby(findings, lambda one: one.cause)]
    if not causes:
        return []
    lines = ["", *wrapped(view.about(causes[0][0].clause, page), "")]
    for number, (lead, *others) in enumerate(causes[:_IN_FULL], start=1):
        lines += ["", *_finding(number, lead, paint, wrapped)]
        lines += _in_short("The same cause explains", "   ", others, wrapped)
    others = [one for group in causes[_IN_FULL:] for one in group]
    return lines + _in_short(view.plural(len(others), "more finding"), "", others, wrapped)


def _in_short(title: str, indent: str, findings: list[view.FindingView], wrapped: _Wrapper) -> list[str]:
    if not findings:
        return []
    lines = ["", *wrapped(f"{title}, in full in the JSON and HTML results:", indent)]
    for one in findings:
        lines += wrapped(f"{one.clause}  {one.message}", "     ", "       ")
    return lines


def _named(ids: list[str]) -> str:
    rest = len(ids) - _NAMED
    return ", ".join(ids[:_NAMED]) + (f" and {rest} more, named in the JSON and HTML results" if rest > 0 else "")


def _finding(number: int, finding: view.FindingView, paint: _Paint, wrapped: _Wrapper) -> list[str]:
    marks = [finding.evidence]
    marks += ["known"] if finding.known else []
    marks += [] if finding.confirmed else ["unconfirmed"]
    severity = paint(finding.severity.upper(), "bold", _SEVERITY_STYLE[finding.severity])
    lines = [f"{number}. {severity} {paint(finding.clause, 'bold')} ({', '.join(marks)})"]
    if finding.sentence:
        lines += wrapped(f"{finding.sentence} [{finding.source}]", "   ")
    lines += ["", *wrapped(finding.message, "   ")]
    if finding.pointer:
        lines.append(f"   at        {finding.pointer}")
    if finding.expected is not None:
        lines.append(f"   expected  {finding.expected}")
    if finding.actual is not None:
        lines.append(f"   actual    {finding.actual}")
    lines.append("")
    for step in finding.steps:
        lines += [*_command(step, wrapped.width), f"     {paint('->', 'dim')} {step.outcome}"]
    if finding.figure is not None:
        lines += ["", *(f"   {line}" for line in drawing.lines(finding.figure, wrapped.width - 3)), ""]
    if finding.cassette:
        lines.append(f"   recorded in {finding.cassette}")
    if finding.reproduce:
        lines.append(f"   reproduce: {finding.reproduce}")
    return lines


def _command(step: view.ShownStep, width: int) -> list[str]:
    """The curl command of a step: one line if it fits, else one line for each part, as the shell continues them."""
    if len(step.curl) + 3 <= width:
        return [f"   {step.curl}"]
    first, *more = step.curl_parts
    parts = [f"   {first}", *(f"     {part}" for part in more)]
    return [f"{part} \\" for part in parts[:-1]] + parts[-1:]


class _Wrapper:
    """Breaks a text into lines of at most `width` columns, between words. A longer word has a line of its own."""

    def __init__(self, width: int) -> None:
        self.width = max(width, 40)

    def __call__(self, text: str, indent: str, further: str | None = None) -> list[str]:
        """The lines of `text`; `indent` begins the first line of each paragraph, `further` the others."""
        further = indent if further is None else further
        wrapper = textwrap.TextWrapper(
            self.width,
            initial_indent=indent,
            subsequent_indent=further,
            break_long_words=False,
            break_on_hyphens=False,
        )
        return [line for part in text.splitlines() for line in wrapper.wrap(part)]


class _Paint:
    """Puts text in terminal colours, or leaves it as it is."""

    def __init__(self, colour: bool) -> None:
        self._colour = colour

    def __call__(self, text: str, *styles: str) -> str:
        if not self._colour:
            return text
        return f"\x1b[{';'.join(_CODES[style] for style in styles)}m{text}\x1b[0m"
