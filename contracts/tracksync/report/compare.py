"""Holds a result against an earlier one: what is new, what is still there, what is gone, what has drifted."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from tracksync.outcome import fingerprint
from tracksync.report.shown import printable
from tracksync.report.tally import Result


@dataclass(frozen=True, slots=True)
class Drift:
    """A ledger row that was read one way then and another way now, and the exchanges that showed each, if kept."""

    row: str
    before: str
    after: str
    exchange_before: dict[str, Any] | None = None
    exchange_after: dict[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class Comparison:
    """`known` is in both. `fixed` is gone although its clause was exercised; `unseen` is gone because it was not.

    Findings of the later result stand in `new` and `known`, of the earlier one in `fixed` and `unseen`.
    """

    before: Result
    after: Result
    new: tuple[dict[str, Any], ...]
    known: tuple[dict[str, Any], ...]
    fixed: tuple[dict[str, Any], ...]
    unseen: tuple[dict[str, Any], ...]
    drift: tuple[Drift, ...]


def compare(before: Result, after: Result) -> Comparison:
    """What changed from `before` to `after`."""
    earlier = {_key(finding) for finding in before["findings"]}
    later = {_key(finding) for finding in after["findings"]}
    gone = [finding for finding in before["findings"] if _key(finding) not in later]
    then, now = before.get("readings", {}), after.get("readings", {})
    shown_then, shown_now = before.get("readings_shown", {}), after.get("readings_shown", {})
    return Comparison(
        before=before,
        after=after,
        new=tuple(finding for finding in after["findings"] if _key(finding) not in earlier),
        known=tuple(finding for finding in after["findings"] if _key(finding) in earlier),
        fixed=tuple(finding for finding in gone if _exercised(after, finding["clause"])),
        unseen=tuple(finding for finding in gone if not _exercised(after, finding["clause"])),
        drift=tuple(
            Drift(row, str(then[row]), str(now[row]), shown_then.get(row), shown_now.get(row))
            for row in then
            if row in now and then[row] != now[row]
        ),
    )


def drift_json(drift: Drift) -> dict[str, Any]:
    """`drift` as an entry of a result's member `drift`."""
    shown: dict[str, Any] = {"row": drift.row, "before": drift.before, "after": drift.after}
    if drift.exchange_before is not None:
        shown["exchange_before"] = drift.exchange_before
    if drift.exchange_after is not None:
        shown["exchange_after"] = drift.exchange_after
    return shown


def _key(finding: dict[str, Any]) -> str:
    return fingerprint(finding["clause"], finding.get("pointer", ""))


def _exercised(result: Result, clause: str) -> bool:
    return bool(result["clauses"].get(clause, {}).get("exercised"))


def render(comparison: Comparison) -> str:
    """The comparison as text for a person at a terminal."""
    before, after = comparison.before, comparison.after
    lines = [f"{before['verdict']} -> {after['verdict']}"]
    for name, found in (
        ("new", comparison.new),
        ("known", comparison.known),
        ("fixed", comparison.fixed),
        ("not seen, since the clause was not exercised", comparison.unseen),
    ):
        lines.append(f"{name}: {len(found)}")
        lines += [f"  {finding['clause']}  {_one_line(finding['message'])}" for finding in found]
    lines.append(f"drift: {len(comparison.drift)}")
    lines += [f"  {drift.row}: {drift.before} -> {drift.after}" for drift in comparison.drift]
    return "\n".join(lines) + "\n"


def _one_line(text: str) -> str:
    return " ".join(printable(text).split())
