"""Findings as workflow commands, which GitHub shows on the page of a run (`::error title=…::…`)."""

from __future__ import annotations

from typing import Any

_KINDS = {True: "error", False: "warning"}


def render(findings: list[tuple[str, str, bool]]) -> str:
    """One line a finding, given as (clause, message, whether it fails the run)."""
    lines = [
        f"::{_KINDS[failing]} title={_escaped(clause, ':,')}::{_escaped(message)}"
        for clause, message, failing in findings
    ]
    return "".join(f"{line}\n" for line in lines)


def _escaped(text: str, more: str = "") -> str:
    for sign in "%\r\n" + more:
        text = text.replace(sign, f"%{ord(sign):02X}")
    return text


def wanted(environment: Any) -> bool:
    """Whether the run is a GitHub job."""
    return bool(environment.get("GITHUB_ACTIONS") == "true")
