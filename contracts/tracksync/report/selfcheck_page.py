"""The result of a selfcheck as one HTML page: totals, and a picture (SVG) of which request found which fault.

Each line of the picture is a fault, grouped by family. A mark shows at which request a clause first found it.
"""

from __future__ import annotations

from functools import cache
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined, Template

from tracksync.model.page_addresses import Subject
from tracksync.report.links import PageOf, no_page
from tracksync.report.tally import Result

ROW_HEIGHT = 14
LEFT = 330  # pixels for names
WIDTH = 900  # pixels for requests
RIGHT = 210  # pixels for the clause that found a fault first


def render(result: Result, page: PageOf = no_page) -> str:
    """`result` of `tracksync selfcheck` as a page."""
    singles = [row for row in result["matrix"] if row["kind"] == "fault"]
    longest = max((row["requests"] for row in result["matrix"]), default=1)
    rows = sorted(singles, key=lambda row: (row["family"], row["found"][0]["request"] if row["found"] else longest))
    return _template().render(
        result=result,
        totals=result["totals"],
        rows=[_line(row, index, longest) for index, row in enumerate(rows)],
        picture={
            "width": LEFT + WIDTH + RIGHT,
            "height": ROW_HEIGHT * len(rows) + 40,
            "left": LEFT,
            "end": LEFT + WIDTH + 14,
        },
        ticks=[{"x": _x(at, longest), "label": at} for at in range(0, longest + 1, 50)],
        curve=_curve(singles, longest),
        lawful=[row for row in result["matrix"] if row["kind"].startswith("interpretation")],
        page=lambda kind, name: page(Subject(kind), name),
    )


def _x(request: int, longest: int) -> float:
    return round(LEFT + WIDTH * request / max(longest, 1), 1)


def _line(row: dict[str, Any], index: int, longest: int) -> dict[str, Any]:
    return {
        "name": row["name"],
        "family": row["family"],
        "y": index * ROW_HEIGHT + 26,
        "survives": not row["found"],
        "marks": [
            {
                "x": _x(mark["request"], longest),
                "clause": mark["clause"],
                "request": mark["request"],
                "named": mark["clause"] in row["expected_clauses"],
            }
            for mark in row["found"]
        ],
        "first": row["found"][0] if row["found"] else None,
    }


def _curve(singles: list[dict[str, Any]], longest: int) -> str:
    """The share of faults found against requests sent, as points of an SVG polyline 900 by 200."""
    firsts = sorted(row["found"][0]["request"] for row in singles if row["found"])
    points = ["0,200"]
    for count, request in enumerate(firsts, start=1):
        x = 900 * request / max(longest, 1)
        points.append(f"{x:.1f},{200 - 200 * (count - 1) / len(singles):.1f}")
        points.append(f"{x:.1f},{200 - 200 * count / len(singles):.1f}")
    if firsts:
        points.append(f"900,{200 - 200 * len(firsts) / len(singles):.1f}")
    return " ".join(points)


@cache
def _template() -> Template:
    environment = Environment(
        loader=PackageLoader("tracksync.report"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return environment.get_template("selfcheck.html")
