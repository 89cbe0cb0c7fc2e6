"""Collects what is found while one exchange of a client is checked."""

from __future__ import annotations

from dataclasses import dataclass, field

from tracksync.model.exchange import Exchange
from tracksync.model.finding import Finding


@dataclass(slots=True)
class ClientFindings:
    """Findings, the earlier exchanges that belong to each, and the clauses that the exchange bore on."""

    findings: list[Finding] = field(default_factory=list)
    evidence: list[tuple[Exchange, ...]] = field(default_factory=list)
    covered: set[str] = field(default_factory=set)

    def add(self, finding: Finding, *before: Exchange) -> None:
        """Add `finding`; `before` are the earlier exchanges that belong to it."""
        self.findings.append(finding)
        self.evidence.append(before)
