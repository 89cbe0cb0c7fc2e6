"""The sections that a run on a workspace adds to its result: changes since the last run, the baseline, the network.

Pure. Every report shows the sections of a result: the job summary, the HTML page and the terminal.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any, Final

from tracksync.report.compare import Comparison, drift_json
from tracksync.report.exchange_text import curl, outcome_line
from tracksync.report.tally import Result
from tracksync.report.view import plural

_MINUTES_SHOWN: Final = 120
_LONGEST: Final = 400  # characters of one exchange in a table

Section = dict[str, Any]


def add(result: Result, comparison: Comparison | None) -> None:
    """Add the sections for `result` and its `comparison` with an earlier one. Sections that are there come first."""
    result["drift"] = [drift_json(drift) for drift in comparison.drift] if comparison else []
    found = [
        *(_changes(comparison) if comparison else []),
        *(drifted(result["drift"], str(result.get("target", "")))),
        *_baseline(result.get("baseline")),
        *_network(result),
    ]
    if found:
        result["sections"] = [*result.get("sections", []), *found]


def drifted(drift: list[dict[str, Any]], target: str) -> list[Section]:
    """A section with the interpretations that changed and the exchanges that showed them; no section if none did."""
    rows = []
    for one in drift:
        then, now = (_exchange(one.get(name), target) for name in ("exchange_before", "exchange_after"))
        rows.append([one["ambiguity"], f"{one['before']}: {then}", f"{one['after']}: {now}"])
    text = "The target follows another interpretation than in the earlier run. Each is lawful, but it has changed."
    return [_section("Drift", text, ["Ambiguity", "Then", "Now"], rows)] if rows else []


def _exchange(shown: dict[str, Any] | None, target: str) -> str:
    if shown is None:
        return "that run kept no exchange"
    text = f"{curl(shown, target)} -> {outcome_line(shown)}"
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…"


def _changes(comparison: Comparison) -> list[Section]:
    before, after = comparison.before, comparison.after
    rows = []
    for word, found in (
        ("new", comparison.new),
        ("known", comparison.known),
        ("fixed", comparison.fixed),
        ("not seen, because the clause was not covered", comparison.unseen),
    ):
        rows += [[word, str(one["clause"]), str(one["message"])] for one in found]
    when = before.get("started") or "an earlier run"
    text = f"Compared with {when}: {before['verdict']} then, {after['verdict']} now."
    return [
        _section(
            "Changes since the earlier run", text if rows else f"{text} The findings are the same.", _CHANGES, rows
        )
    ]


_CHANGES: Final = ["What", "Clause", "Finding"]


def _baseline(settled: dict[str, Any] | None) -> list[Section]:
    if not settled:
        return []
    if not (settled["known"] or settled["fixed"] or settled["unseen"]):
        return []  # an empty baseline, or none yet
    rows = [["fixed: remove the entry", one["clause"], _entry(one)] for one in settled["fixed"]]
    rows += [["not seen", one["clause"], _entry(one)] for one in settled["unseen"]]
    text = f"{settled['file']}: {settled['known']} known findings were seen again, {len(settled['fixed'])} fixed."
    return [_section("Baseline", text, ["What", "Clause", "Entry"], rows)]


def _entry(entry: dict[str, Any]) -> str:
    return "; ".join(part for part in (entry["pointer"], entry["message"], entry["note"]) if part)


def _network(result: Result) -> list[Section]:
    """Requests per minute, retries and pauses, and the users that are left. For runs on a server only."""
    cleaning = result.get("cleaning")
    if not cleaning:
        return []
    retries = result.get("retries_by") or {}
    sentences = []
    if retries:
        causes = ", ".join(f"{count} after {why}" for why, count in retries.items())
        sentences.append(f"Retries: {causes}. Transient failures are not findings.")
    pauses = result.get("pauses") or {}
    if pauses.get("count"):
        sentences.append(f"Pauses: {pauses['seconds']:.0f} s in total.")
    left = cleaning["left"]
    spent = cleaning.get("requests", 0)
    took = f" The clean-up took {plural(spent, 'request')} of the budget." if spent else ""
    sentences.append(f"{plural(cleaning['users'], 'test user')} named, {len(left) or 'none'} left.{took}")
    if cleaning["why"]:
        again = "; `tracksync clean` deletes them" if left else ""
        sentences.append(f"Clean-up: {cleaning['why']}{again}.")
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
    return [_section("Network", " ".join(sentences), ["Minute (UTC)", "Requests of the limit", "429", "Failed"], rows)]


def _section(title: str, text: str, columns: list[str], rows: list[list[str]]) -> Section:
    return {"title": title, "text": text, "columns": columns, "rows": rows, "figures": []}
