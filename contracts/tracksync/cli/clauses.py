"""`tracksync clauses`: lists the catalogue, or explains one clause."""

from __future__ import annotations

import json
import sys
import textwrap
from pathlib import Path
from typing import Any

import click

from tracksync.cli.shared import PATH
from tracksync.contract.ambiguities import Ambiguity, ambiguity_catalogue
from tracksync.contract.clauses import Clause, Side, UnknownClause, catalogue, clause
from tracksync.errors import UsageError
from tracksync.model.verdict import severity_of
from tracksync.report import files


@click.command("clauses")
@click.argument("id_", metavar="[ID]", required=False)
@click.option("--json", "json_path", type=PATH, metavar="PATH", help="Write it as JSON ('-': stdout).")
def command(id_: str | None, json_path: Path | None) -> None:
    """List the clauses of the contract, or explain one.

    TS-… are what a server promises, TC-… what a client does.

    Breaking a documented clause is an error and fails a run. Breaking an observed one is a warning, which is
    shown, and fails a run with --strict. Where the documents leave several ways open, all of them are lawful; they
    are the interpretations of a ambiguity.

    \b
    Examples:
      tracksync clauses
      tracksync clauses TS-OK-MESSAGE
      tracksync clauses TC-RATE-WAIT
      tracksync clauses --json -
    """
    try:
        chosen = [clause(id_)] if id_ else list(catalogue(None).values())
    except UnknownClause as error:
        raise UsageError(str(error)) from None
    if json_path is not None:
        files.write(json_path, json.dumps(_json(chosen), indent=2, ensure_ascii=False) + "\n")
    elif id_:
        click.echo(_explained(chosen[0]))
    else:
        click.echo(_listed(chosen))


def _listed(clauses: list[Clause]) -> str:
    widest = max(len(entry.id) for entry in clauses)
    width = 110 if sys.stdout.isatty() else 10_000
    lines = [
        f"{entry.id:{widest}}  {entry.evidence.value:10}  {textwrap.shorten(entry.sentence, width, placeholder=' …')}"
        for entry in clauses
    ]
    return "\n".join(lines)


def _explained(entry: Clause) -> str:
    fails = {
        "error": "breaking it is an error and fails a run",
        "warning": "breaking it is a warning, shown, and fails a run with --strict",
        "note": "breaking it is remarked on and fails no run",
    }[severity_of(entry.evidence)]
    lines = [
        entry.id,
        "",
        *_wrapped(entry.sentence, "  "),
        "",
        f"  Source:   {entry.source} (the keys are explained in docs/sources.md)",
        f"  Strength: {entry.evidence.value}; {fails}",
    ]
    for row in _rows(entry):
        lines += ["", *_wrapped(f"Left open ({row.name}): {row.question} [{row.source}]", "  ")]
        lines += [
            line for name, sentence in row.interpretations.items() for line in _wrapped(f"{name}: {sentence}", "    ")
        ]
    command = f"tracksync fuzz --only {entry.id}" if entry.side is Side.SERVER else "tracksync gate -- COMMAND"
    lines += ["", f"  Put it to the test: {command}"]
    return "\n".join(lines)


def _wrapped(text: str, indent: str) -> list[str]:
    return textwrap.wrap(text, 100, initial_indent=indent, subsequent_indent=f"{indent}  ", break_on_hyphens=False)


def _rows(entry: Clause) -> list[Ambiguity]:
    return [ambiguity_catalogue()[name] for name in entry.ambiguities]


def _json(clauses: list[Clause]) -> dict[str, Any]:
    return {
        "schema": 1,
        "clauses": {
            entry.id: {
                "sentence": entry.sentence,
                "source": entry.source,
                "evidence": entry.evidence.value,
                "side": entry.side.value,
                "rows": {
                    row.name: {
                        "question": row.question,
                        "source": row.source,
                        "interpretations": dict(row.interpretations),
                    }
                    for row in _rows(entry)
                },
            }
            for entry in clauses
        },
    }
