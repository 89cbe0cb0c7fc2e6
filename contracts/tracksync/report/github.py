"""What GitHub shows on the page of a workflow's run: findings as workflow commands (`::error title=…::…`), and the
file for a summary."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from tracksync.report import view
from tracksync.report.links import PageOf, no_page
from tracksync.report.tally import Result


def render(result: Result, page: PageOf = no_page) -> str:
    """One line per finding: an error if it fails the run, else a warning; one more if no finding shows the verdict.

    Under the message of an annotation stands where to read more: GitHub makes a link of an address.
    """
    findings = view.findings(result, page)
    lines = [
        _line(
            "error" if finding.fails else "warning",
            finding.clause,
            "\n".join((finding.message, finding.page, *(address for _, address in finding.pages))),
        )
        for finding in findings
    ]
    if view.needs_verdict_line(result):
        lines.append(_line("error", "tracksync", view.headline(result)))
    return "".join(f"{line}\n" for line in lines)


def wanted(environment: Mapping[str, str]) -> bool:
    """Whether the run is part of a GitHub job."""
    return environment.get("GITHUB_ACTIONS") == "true"


def summary_file(environment: Mapping[str, str]) -> Path | None:
    """The file to which a step of a GitHub job appends its summary in Markdown."""
    name = environment.get("GITHUB_STEP_SUMMARY") if wanted(environment) else None
    return Path(name) if name else None


def _line(kind: str, title: str, message: str) -> str:
    return f"::{kind} title={_escaped(title, ':,')}::{_escaped(message)}"


def _escaped(text: str, more: str = "") -> str:
    for sign in "%\r\n" + more:
        text = text.replace(sign, f"%{ord(sign):02X}")
    return text
