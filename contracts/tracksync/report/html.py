"""The result as one HTML page: self-contained, no scripts, light and dark, accessible to screen readers, printable."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import cache
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined, Template
from markupsafe import Markup, escape

from tracksync.contract.ambiguities import ambiguity_catalogue
from tracksync.contract.clauses import catalogue
from tracksync.model.page_addresses import Subject, command_for
from tracksync.model.verdict import evidence_of
from tracksync.report import drawing, view
from tracksync.report.compare import Comparison, changes
from tracksync.report.exchange_text import printable
from tracksync.report.links import PageOf, cell_linked, linked, no_page
from tracksync.report.tally import Result


def render(result: Result, comparison: Comparison | None = None, page: PageOf = no_page) -> str:
    """`result` as a page, with the changes since an earlier one where a comparison is given."""
    return _template().render(
        result=result,
        comparison=comparison,
        changes=changes(comparison) if comparison else [],
        headline=view.headline(result),
        reason=view.reason(result),
        coverage=view.coverage(result),
        effort=view.effort(result),
        origin=view.origin(result),
        findings=view.findings(result, page),
        sections=view.sections(result),
        clauses=_clauses(result, page),
        more="" if any(page(Subject.CLAUSE, id_) for id_ in result["clauses"]) else command_for("NAME"),
        interpretations=_interpretations(result, page),
        budget=list(view.budget_lines(result)),
        timeline=_timeline(result),
        page=lambda kind, name: page(Subject(kind), name),
        linked=lambda text: Markup(linked(printable(str(text)), page, _link, escape)),  # noqa: S704 - escaped
        cell=lambda column, text: Markup(cell_linked(column, printable(text), page, _link, escape)),  # noqa: S704
    )


def _link(name: str, address: str) -> str:
    return Markup('<a href="{}">{}</a>').format(address, name)


@cache
def _template() -> Template:
    environment = Environment(
        loader=PackageLoader("tracksync.report"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["printable"] = lambda value: printable(str(value))
    # The drawing escapes every text itself.
    environment.filters["svg"] = lambda figure: Markup(drawing.svg(figure))  # noqa: S704
    return environment.get_template("result.html")


def _clauses(result: Result, page: PageOf) -> list[dict[str, Any]]:
    rows = []
    for id_, entry in result["clauses"].items():
        clause = catalogue(None).get(id_)
        state = "failed" if entry["broken"] else "passed" if entry["covered"] else "not covered"
        rows.append(
            {
                "id": id_,
                "page": page(Subject.CLAUSE, id_),
                "sentence": clause.sentence if clause else "",
                "evidence": evidence_of(id_).value,
                "covered": entry["covered"],
                "broken": entry["broken"],
                "state": state,
                "why_not": entry.get("why_not", ""),
            }
        )
    order = ("failed", "not covered", "passed")
    return sorted(rows, key=lambda row: order.index(str(row["state"])))


def _interpretations(result: Result, page: PageOf) -> list[dict[str, str]]:
    rows = []
    for name, interpretation in result.get("interpretations", {}).items():
        known = ambiguity_catalogue().get(name)
        rows.append(
            {
                "ambiguity": name,
                "page": page(Subject.AMBIGUITY, name),
                "question": known.question if known else "",
                "interpretation": str(interpretation),
                "sentence": known.interpretations.get(interpretation, "") if known else "",
            }
        )
    return rows


def _timeline(result: Result) -> list[dict[str, Any]]:
    """The minutes of the run; `share` is the height of a bar in percent of the limit or of the busiest minute."""
    minutes = result.get("timeline") or []
    highest = max([1, *(minute["requests"] for minute in minutes), *(minute.get("limit", 0) for minute in minutes)])
    return [
        {
            **minute,
            "clock": datetime.fromtimestamp(minute["at"], UTC).strftime("%Y-%m-%d %H:%M"),
            "share": round(100 * minute["requests"] / highest, 1),
            "limit": minute.get("limit", ""),
        }
        for minute in minutes
    ]
