"""Keep the figures of bench.py: one line a run in docs/speed.ndjson, drawn in docs/speed.svg.

Ratios only, since they can be compared between machines; each figure has the commit that it was measured at.
"""

from __future__ import annotations

import json
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
HISTORY = ROOT / "docs" / "speed.ndjson"
DRAWING = ROOT / "docs" / "speed.svg"
WIDTH, HEIGHT, LEFT, TOP = 720, 340, 50, 30
COLOURS = ("#1f77b4", "#d62728", "#2ca02c", "#9467bd", "#ff7f0e")


def add(result: Mapping[str, Any], at: str) -> None:
    """Add the ratios of one run, measured at the time `at`, and draw all that were kept."""
    ratios = {
        f"{name}, {what}" if what != "ratio" else name: value
        for name, figures in result.items()
        if isinstance(figures, dict)
        for what, value in figures.items()
        if what == "ratio" or what.endswith(" ratio")
    }
    line = {"at": at, "commit": _commit(), "python": result["python"], "ratios": ratios}
    with HISTORY.open("a", encoding="utf-8") as file:
        file.write(json.dumps(line) + "\n")
    DRAWING.write_text(drawing(kept()), encoding="utf-8")


def kept() -> list[dict[str, Any]]:
    """Every run that was kept, in the order in which they were added."""
    return [json.loads(line) for line in HISTORY.read_text(encoding="utf-8").splitlines()] if HISTORY.exists() else []


def drawing(runs: Sequence[Mapping[str, Any]]) -> str:
    """The ratios of `runs` as SVG: a line for each figure, from the first run on the left to the last."""
    names = list(dict.fromkeys(name for run in runs for name in run["ratios"]))
    most = max((value for run in runs for value in run["ratios"].values()), default=1.0)
    step = (WIDTH - 2 * LEFT) / max(len(runs) - 1, 1)
    height = HEIGHT - 2 * TOP
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT + 18 * len(names)}" '
        'font-family="sans-serif" font-size="12">',
        f'<text x="{LEFT}" y="18">ratios of make bench, of {len(runs)} runs</text>',
        f'<path d="M{LEFT} {TOP} V{TOP + height} H{WIDTH - LEFT}" fill="none" stroke="#888"/>',
        f'<text x="8" y="{TOP + 10}">{most:.0f}</text><text x="8" y="{TOP + height}">0</text>',
    ]
    for number, name in enumerate(names):
        colour = COLOURS[number % len(COLOURS)]
        points = [
            (LEFT + index * step, TOP + height * (1 - run["ratios"][name] / most))
            for index, run in enumerate(runs)
            if name in run["ratios"]
        ]
        line = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
        parts.append(f'<polyline points="{line}" fill="none" stroke="{colour}" stroke-width="2"/>')
        parts += [f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3" fill="{colour}"/>' for x, y in points]
        last = [run["ratios"][name] for run in runs if name in run["ratios"]][-1]
        where = HEIGHT + 18 * number
        parts.append(f'<text x="{LEFT}" y="{where}" fill="{colour}">{name}: {last}</text>')
    return "\n".join([*parts, "</svg>"]) + "\n"


def _commit() -> str:
    done = subprocess.run(
        ["git", "-C", str(ROOT), "rev-parse", "--short", "HEAD"], capture_output=True, text=True, check=False
    )
    return done.stdout.strip()
