"""What a morning wants to see beside the findings, as sections of a result: what changed, what is known, the wire.

Pure. Every rendering shows a result's sections, so that what is added here stands in the job summary, on the page and
on the terminal alike.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any, Final

from tracksync.report.compare import Comparison, drift_json
from tracksync.report.exchange_text import curl, outcome_line
from tracksync.report.tally import Result

_MINUTES_SHOWN: Final = 120
_LONGEST: Final = 400  # characters of one exchange in a table

Section = dict[str, Any]


def add(result: Result, comparison: Comparison | None) -> None:
    """Add to `result` the sections that it and `comparison` call for. Those of the run itself stay before them."""
    result["drift"] = [drift_json(drift) for drift in comparison.drift] if comparison else []
    found = [
        *(_changes(comparison) if comparison else []),
        *(drifted(result["drift"], str(result.get("target", "")))),
        *_baseline(result.get("baseline")),
        *_wire(result),
    ]
    if found:
        result["sections"] = [*result.get("sections", []), *found]


def drifted(drift: list[dict[str, Any]], target: str) -> list[Section]:
    """The interpretations that changed, with both exchanges side by side; none where none did."""
    rows = []
    for one in drift:
        then, now = (_exchange(one.get(name), target) for name in ("exchange_before", "exchange_after"))
        rows.append([one["ambiguity"], f"{one['before']}: {then}", f"{one['after']}: {now}"])
    text = "The documents leave these ways open, and the target went another one than in the earlier run."
    return [_section("Drift", text, ["Row", "Then", "Now"], rows)] if rows else []


def _exchange(shown: dict[str, Any] | None, target: str) -> str:
    if shown is None:
        return "no exchange of that run is kept"
    text = f"{curl(shown, target)} -> {outcome_line(shown)}"
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…"


def _changes(comparison: Comparison) -> list[Section]:
    before, after = comparison.before, comparison.after
    rows = []
    for word, found in (
        ("new", comparison.new),
        ("still there", comparison.known),
        ("fixed", comparison.fixed),
        ("not seen: its clause was not covered", comparison.unseen),
    ):
        rows += [[word, str(one["clause"]), str(one["message"])] for one in found]
    when = before.get("started") or "an earlier run"
    text = f"Against {when}: {before['verdict']} then, {after['verdict']} now."
    return [_section("Since last time", text if rows else f"{text} No finding came or went.", _CHANGES, rows)]


_CHANGES: Final = ["What", "Clause", "Finding"]


def _baseline(settled: dict[str, Any] | None) -> list[Section]:
    if not settled:
        return []
    if not (settled["known"] or settled["fixed"] or settled["unseen"]):
        return []  # an empty baseline, or none yet
    rows = [["fixed: the entry can go", one["clause"], _entry(one)] for one in settled["fixed"]]
    rows += [["not seen", one["clause"], _entry(one)] for one in settled["unseen"]]
    text = f"{settled['file']}: {settled['known']} known and still there, {len(settled['fixed'])} fixed."
    return [_section("Baseline", text, ["What", "Clause", "Entry"], rows)]


def _entry(entry: dict[str, Any]) -> str:
    return "; ".join(part for part in (entry["pointer"], entry["message"], entry["note"]) if part)


def _wire(result: Result) -> list[Section]:
    """What was sent when, what went wrong on the way, and whether every user is gone. For runs over a network only."""
    cleaning = result.get("cleaning")
    if not cleaning:
        return []
    retries = result.get("retries_by") or {}
    said = []
    if retries:
        told = ", ".join(f"{count} after {why}" for why, count in retries.items())
        said.append(f"Sent again: {told}. None of that counts as a finding.")
    pauses = result.get("pauses") or {}
    if pauses.get("count"):
        said.append(f"Waited {pauses['seconds']:.0f} s in all.")
    left = cleaning["left"]
    spent = cleaning.get("requests", 0)
    took = f" Deleting them and looking took {spent} request{'s' * (spent != 1)} of the budget." if spent else ""
    said.append(f"{cleaning['users']} test users named, {len(left) or 'none'} left.{took}")
    if cleaning["why"]:
        again = "; `tracksync clean` deletes them" if left else ""
        said.append(f"Cleaning up: {cleaning['why']}{again}.")
    minutes = result.get("timeline") or []
    rows = [
        [
            datetime.fromtimestamp(minute["at"], UTC).strftime("%H:%M"),
            f"{minute['requests']} of {minute.get('limit', '?')}",
            str(minute["limited"]),
            str(minute["failed"]),
        ]
        for minute in minutes[-_MINUTES_SHOWN:]
    ]
    return [_section("On the wire", " ".join(said), ["Minute (UTC)", "Requests of the limit", "429", "Failed"], rows)]


def _section(title: str, text: str, columns: list[str], rows: list[list[str]]) -> Section:
    return {"title": title, "text": text, "columns": columns, "rows": rows, "figures": []}
