"""Compares a result with an earlier one: which findings are new, known or gone, and which interpretations changed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from tracksync.model.verdict import fingerprint
from tracksync.report.exchange_text import printable
from tracksync.report.tally import Result


@dataclass(frozen=True, slots=True)
class Drift:
    """An ambiguity whose interpretation changed between two runs, with the exchanges that showed each, if known."""

    ambiguity: str
    before: str
    after: str
    exchange_before: dict[str, Any] | None = None
    exchange_after: dict[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class Comparison:
    """What changed from one result to a later one.

    `known` findings are in both. `fixed` ones are gone although their clause was covered; `unseen` ones are gone and
    their clause was not covered. `new` and `known` hold findings of the later result, `fixed` and `unseen` those of
    the earlier one.
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
    then, now = before.get("interpretations", {}), after.get("interpretations", {})
    shown_then, shown_now = before.get("interpretations_shown", {}), after.get("interpretations_shown", {})
    return Comparison(
        before=before,
        after=after,
        new=tuple(finding for finding in after["findings"] if _key(finding) not in earlier),
        known=tuple(finding for finding in after["findings"] if _key(finding) in earlier),
        fixed=tuple(finding for finding in gone if _covered(after, finding["clause"])),
        unseen=tuple(finding for finding in gone if not _covered(after, finding["clause"])),
        drift=tuple(
            Drift(name, str(then[name]), str(now[name]), shown_then.get(name), shown_now.get(name))
            for name in then
            if name in now and then[name] != now[name]
        ),
    )


def drift_json(drift: Drift) -> dict[str, Any]:
    """`drift` as an entry of a result's member `drift`."""
    shown: dict[str, Any] = {"ambiguity": drift.ambiguity, "before": drift.before, "after": drift.after}
    if drift.exchange_before is not None:
        shown["exchange_before"] = drift.exchange_before
    if drift.exchange_after is not None:
        shown["exchange_after"] = drift.exchange_after
    return shown


def changes(comparison: Comparison) -> list[tuple[str, tuple[dict[str, Any], ...]]]:
    """The findings of a comparison under the heading of each kind of change."""
    return [
        ("new", comparison.new),
        ("known", comparison.known),
        ("fixed", comparison.fixed),
        ("not seen, because the clause was not covered", comparison.unseen),
    ]


def _key(finding: dict[str, Any]) -> str:
    return fingerprint(finding["clause"], finding.get("pointer", ""))


def _covered(result: Result, clause: str) -> bool:
    return bool(result["clauses"].get(clause, {}).get("covered"))


def render(comparison: Comparison) -> str:
    """The comparison as text for a person at a terminal."""
    before, after = comparison.before, comparison.after
    lines = [f"{before['verdict']} -> {after['verdict']}"]
    for name, found in changes(comparison):
        lines.append(f"{name}: {len(found)}")
        lines += [f"  {finding['clause']}  {_one_line(finding['message'])}" for finding in found]
    lines.append(f"drift: {len(comparison.drift)}")
    lines += [f"  {drift.ambiguity}: {drift.before} -> {drift.after}" for drift in comparison.drift]
    return "\n".join(lines) + "\n"


def _one_line(text: str) -> str:
    return " ".join(printable(text).split())
