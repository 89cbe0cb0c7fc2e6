"""How an exchange of the log is shown: as one line of a list, in full with what it broke, as curl, as a cassette.

Keys are taken out of everything; a text of a request or a server may hold anything else.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Final, Literal

from tracksync.admin.exchange_log import LogEntry, LoggedChange, LoggedExchange, hung_up
from tracksync.admin.workspace import MockWorkspace
from tracksync.cassettes.generating import generate_cassette
from tracksync.cassettes.manifest import ManifestEntry
from tracksync.contract.clauses import catalogue
from tracksync.gate.guidance import advice
from tracksync.model.exchange import Exchange
from tracksync.model.finding import NOTHING, Finding
from tracksync.model.verdict import evidence_of, severity_of
from tracksync.report.exchange_text import curl, exchange_json

EntryVerdict = Literal["passed", "error", "warning", "note", "unchecked", "waiting"]
WORST_FIRST: Final = ("error", "warning", "note")


def summary(workspace: MockWorkspace, entry: LogEntry) -> dict[str, Any]:
    """An entry of the list."""
    logged = entry.logged()
    return {
        "number": entry.number,
        "at": round(entry.arrived, 6),
        "seconds": None if entry.ended is None else round(entry.ended - entry.arrived, 6),
        "method": logged.method,
        "path": workspace.redactor.text(logged.path),
        "status": logged.status if logged.is_whole else None,
        "failure": _failure(entry, logged),
        "applied": logged.applied,
        "disturbed": logged.disturbed,
        "user": workspace.redactor.text(logged.user),
        "verdict": verdict(entry),
        "clauses": sorted({finding.clause for finding in findings(entry)}),
    }


def full(workspace: MockWorkspace, entry: LogEntry, target: str) -> dict[str, Any]:
    """Everything about an entry. `target` is the base URL that the command of curl is for."""
    shown = exchange_json(exchange(workspace, entry))
    return summary(workspace, entry) | {
        "request": shown["request"],
        "response": shown.get("response"),
        "credential": shown["credential"],
        "findings": [finding_json(workspace, finding) for finding in findings(entry)],
        "covered": sorted(entry.covered),
        "unchecked": entry.unchecked,
        "changed": _changed(workspace, entry.logged().change),
        "curl": curl(shown, target),
    }


def exchange(workspace: MockWorkspace, entry: LogEntry) -> Exchange:
    """The exchange without keys, as its client saw it."""
    return workspace.redactor.exchange(entry.as_seen(*workspace.keys).exchange)


def findings(entry: LogEntry) -> tuple[Finding, ...]:
    """What was found so far, of both sides."""
    return (*(entry.server_findings or ()), *(entry.client_findings or ()))


def verdict(entry: LogEntry) -> EntryVerdict:
    """The worst severity of its findings; `waiting` where it is not checked yet, `unchecked` where it never will be."""
    found = {severity_of(evidence_of(finding.clause)) for finding in findings(entry)}
    for severity in WORST_FIRST:
        if severity in found:
            return severity
    if entry.unchecked:
        return "unchecked"
    return "waiting" if entry.server_findings is None or entry.client_findings is None else "passed"


def finding_json(workspace: MockWorkspace, finding: Finding) -> dict[str, Any]:
    """A finding with its clause explained."""
    clause = catalogue(None)[finding.clause]
    clean = workspace.redactor
    shown = {
        name: clean.json(value) for name in ("expected", "actual") if (value := getattr(finding, name)) is not NOTHING
    }
    return {
        "clause": finding.clause,
        "side": clause.side.value,
        "severity": severity_of(clause.evidence),
        "evidence": clause.evidence.value,
        "sentence": clause.sentence,
        "source": clause.source,
        "message": clean.text(finding.message),
        "pointer": clean.text(finding.pointer),
        "advice": advice(finding.clause),
        **shown,
    }


def _changed(workspace: MockWorkspace, change: LoggedChange | None) -> dict[str, Any] | None:
    if change is None:
        return None
    return {
        "braze_id": change.braze_id,
        "created": change.created,
        "section": change.section,
        "cells": [{"name": workspace.redactor.text(name), "change": what} for name, what in change.cells],
    }


def cassette(workspace: MockWorkspace, entries: Sequence[LogEntry]) -> str:
    """The entries as a cassette for vcrpy: redacted, with pseudonyms for users. Raises nothing."""
    config = workspace.app.config
    known = ManifestEntry(rate_limit=config.rate_limit, array_limit=config.array_limit)
    return generate_cassette([exchange(workspace, entry) for entry in entries], known, workspace.redactor).text


def counts(entries: Iterable[LogEntry]) -> dict[str, int]:
    """How many entries have each verdict."""
    found: dict[str, int] = {}
    for entry in entries:
        name = verdict(entry)
        found[name] = found.get(name, 0) + 1
    return found


def _failure(entry: LogEntry, logged: LoggedExchange) -> str:
    if hung_up(entry, logged):
        return "the client hung up"
    return "" if logged.is_whole else "the mock cut the connection"
