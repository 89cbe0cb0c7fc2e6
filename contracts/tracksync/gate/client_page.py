"""The page `docs/client-contract.md`: what the contract asks of a client, and how a correct one does it. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from tracksync.contract.clauses import Clause, Side, catalogue
from tracksync.gate.guidance import Guidance, guidance
from tracksync.model.verdict import severity_of

_HEAD: Final = """\
# What your client must do

Every clause of the contract that a client can break: what it says, what a correct client does, and the scenarios of
`tracksync gate` that show whether yours does it. A clause without scenarios is checked in every run.

This page is made by `tools/client-contract` from the clauses; do not edit it. The code uses `endpoint`, `key` and
`body`; Python is written with httpx, JavaScript with fetch.

| severity | what the clause stands on | fails the gate |
|---|---|---|
| error | the documents say it | yes |
| warning | real workspaces were observed | with `--fail-on warning` |
| note | it is assumed | with `--fail-on note` |
"""
_DRIVEN: Final = "shown by `tracksync gate --driver` ([drive.md](drive.md))"


def render() -> str:
    """The page as Markdown, with the clauses in the order of the catalogue."""
    table = guidance()
    parts = [_HEAD, *("\n".join(_entry(one, table[one.id])) for one in catalogue(Side.CLIENT).values())]
    return "\n".join(f"{part.rstrip()}\n" for part in parts)


def _entry(clause: Clause, entry: Guidance) -> Iterator[str]:
    yield f"## {clause.id}"
    yield ""
    yield f"{clause.sentence} ({severity_of(clause.evidence)}; source: {clause.source})"
    yield ""
    yield f"**What a correct client does.** {entry.do}"
    shown = _shown_by(entry)
    if shown:
        yield ""
        yield f"Scenarios: {shown}."
    for language, code in (("python", entry.python), ("js", entry.javascript)):
        if code:
            yield ""
            yield f"```{language}"
            yield code.strip("\n")
            yield "```"


def _shown_by(entry: Guidance) -> str:
    if not entry.scenarios:
        return _DRIVEN
    return "" if entry.scenarios == ("normal",) else ", ".join(f"`{name}`" for name in entry.scenarios)
