"""Draws a figure of a result: bars along one clock, as lines of text for a terminal and as SVG for a page.

Reads figures from a result, which may come from a file. Both drawings can be read without colour: the response that
nothing explains has a mark, and requests that only ran at the same time are dotted or dashed.
"""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from typing import Any, Final

from tracksync.model.figures import Figure, Section
from tracksync.report.exchange_text import printable

_COLUMNS: Final = 44  # of the drawing on a terminal, where they fit
_FEWEST: Final = 16
_SIGNS: Final = {"plain": "-", "fault": "=", "context": "."}
_WIDTH: Final = 960  # SVG units; the page scales them
_LANE: Final = 96
_ROW: Final = 38
_CHARACTER: Final = 6.3  # width of a character of a label


def figure_json(figure: Figure) -> dict[str, Any]:
    """A figure in the form of a result. Its texts are not redacted yet."""
    return {
        "title": figure.title,
        "note": figure.note,
        "bars": [
            {
                "lane": bar.lane,
                "text": bar.text,
                "start": round(bar.start, 6),
                "end": None if bar.end is None else round(bar.end, 6),
                "mark": bar.mark,
            }
            for bar in figure.bars
        ],
    }


def section_json(section: Section) -> dict[str, Any]:
    """A section in the form of a result. Its texts are not redacted yet."""
    return {
        "title": section.title,
        "text": section.text,
        "columns": list(section.columns),
        "rows": [list(row) for row in section.rows],
        "figures": [figure_json(figure) for figure in section.figures],
    }


def _span(bars: Sequence[dict[str, Any]]) -> float:
    ends = [bar["start"] if bar["end"] is None else bar["end"] for bar in bars]
    return float(max([1e-6, *ends]))


def lines(figure: dict[str, Any], width: int = 100) -> list[str]:
    """The figure as lines of text, one per bar. A bar whose end is not known ends in an arrow.

    The bars are drawn so small that a line with its text has `width` characters, but not smaller than can be read.
    """
    bars = figure["bars"]
    span = _span(bars)
    lane = max((len(bar["lane"]) for bar in bars), default=0)
    beside = len("  ") + len(" ! ") + lane + len("  ") + max((len(bar["text"]) for bar in bars), default=0)
    columns = max(_FEWEST, min(_COLUMNS, width - beside))
    scale = f"{span * 1000:.0f} ms"
    drawn = [printable(figure["title"]), f"  0 ms{scale:>{columns - 4}}"]
    for bar in bars:
        left = min(int(bar["start"] / span * (columns - 1)), columns - 2)
        sign = _SIGNS.get(bar["mark"], "-")
        if bar["end"] is None:
            shape = "|" + sign * (columns - left - 2) + ">"
        else:
            right = max(int(bar["end"] / span * (columns - 1)), left + 1)
            shape = "|" + sign * (right - left - 1) + "|"
        mark = "!" if bar["mark"] == "fault" else " "
        text = f"  {' ' * left + shape:<{columns}} {mark} {bar['lane']:<{lane}}  {bar['text']}"
        drawn.append(printable(text))
    return [*drawn, f"  {printable(figure['note'])}"] if figure.get("note") else drawn


def svg(figure: dict[str, Any]) -> str:
    """The figure as an SVG element, with the lanes in the order in which they first appear."""
    bars = figure["bars"]
    span = _span(bars)
    lanes = list(dict.fromkeys(bar["lane"] for bar in bars))
    rows = _rows(bars, lanes, span)
    height = 34 + _ROW * max(len(set(rows)), 1)
    order = {key: index for index, key in enumerate(sorted(set(rows), key=lambda key: (lanes.index(key[0]), key[1])))}
    title = _text(figure["title"])
    described = _text("; ".join(f"{bar['lane']}: {bar['text']}" for bar in bars))
    parts = [
        f'<svg class="figure" viewBox="0 0 {_WIDTH} {height}" role="img" aria-label="{title}" '
        f'xmlns="http://www.w3.org/2000/svg"><title>{title}</title><desc>{described}</desc>'
    ]
    drawing_width = _WIDTH - _LANE - 12
    for share in (0.0, 0.25, 0.5, 0.75, 1.0):
        x = _LANE + share * drawing_width
        anchor = "end" if share == 1.0 else "start" if share == 0.0 else "middle"
        parts.append(f'<line class="grid" x1="{x:.1f}" x2="{x:.1f}" y1="20" y2="{height}"/>')
        scale = f"{share * span * 1000:.0f} ms"
        parts.append(f'<text class="tick" x="{x:.1f}" y="12" text-anchor="{anchor}">{scale}</text>')
    named: set[str] = set()
    for bar, row in zip(bars, rows, strict=True):
        y = 26 + _ROW * order[row]
        if bar["lane"] not in named:
            named.add(bar["lane"])
            parts.append(f'<text class="lane" x="0" y="{y + 11}">{_text(bar["lane"])}</text>')
        left = _LANE + bar["start"] / span * drawing_width
        end = span if bar["end"] is None else bar["end"]
        wide = max((end - bar["start"]) / span * drawing_width, 3.0)
        mark = bar["mark"] if bar["mark"] in _SIGNS else "plain"
        parts.append(f'<rect class="{mark}" x="{left:.1f}" y="{y}" width="{wide:.1f}" height="13" rx="3"/>')
        if bar["end"] is None:
            tip = left + wide
            parts.append(f'<path class="{mark}" d="M{tip:.1f} {y - 2} l9 8.5 l-9 8.5 z"/>')
        label = ("✗ " if mark == "fault" else "") + bar["text"]
        at = max(min(left, _WIDTH - len(label) * _CHARACTER), _LANE)
        parts.append(f'<text class="label {mark}" x="{at:.1f}" y="{y + 25}">{_text(label)}</text>')
    return "".join([*parts, "</svg>"])


def _rows(bars: Sequence[dict[str, Any]], lanes: Sequence[str], span: float) -> list[tuple[str, int]]:
    """The row of each bar: its lane, and the first line of the lane where its bar and label overlap no other."""
    drawing_width = _WIDTH - _LANE - 12
    ends: dict[tuple[str, int], float] = {}
    placed = []
    for bar in bars:
        left = bar["start"] / span * drawing_width
        end = span if bar["end"] is None else bar["end"]
        needed = len(bar["text"]) * _CHARACTER + 14
        left = min(left, max(drawing_width - needed, 0.0))
        right = max(end / span * drawing_width, left + needed)
        line = 0
        while ends.get((bar["lane"], line), -1.0) > left:
            line += 1
        ends[bar["lane"], line] = right
        placed.append((bar["lane"], line))
    return placed


def _text(text: str) -> str:
    return escape(printable(" ".join(str(text).split())))
