"""Writes the readings that a run learned as `readings.toml`, for `--readings` of a later run or of the mock."""

from __future__ import annotations

import json
from collections.abc import Mapping

from tracksync.ledger import ledger
from tracksync.report.tally import Result


def render(result: Result) -> str:
    """A readings file with the rows that `result` saw, each with the question it answers."""
    readings: Mapping[str, str] = result.get("readings", {})
    lines = [
        f"# Readings learned by tracksync {result['tracksync']} from {json.dumps(result.get('target', ''))}",
        f"# on {result.get('started', 'an unknown day')}. A row that is not here was not seen.",
        "",
        "[readings]",
    ]
    for row, reading in sorted(readings.items()):
        known = ledger().get(row)
        lines += [f"# {known.question}"] if known else []
        lines.append(f"{row} = {json.dumps(reading)}")
    return "\n".join(lines) + "\n"
