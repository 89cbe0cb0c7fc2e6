"""`tracksync clauses`: lists the catalogue, or explains one clause."""

from __future__ import annotations

import json
import sys
import textwrap
from pathlib import Path
from typing import Any

import click

from tracksync.cli.docs import show
from tracksync.cli.names import CLAUSE
from tracksync.cli.shared import PATH, write_result
from tracksync.contract.ambiguities import Ambiguity, ambiguity_catalogue
from tracksync.contract.clauses import Clause, Side, UnknownClause, catalogue, clause
from tracksync.errors import UsageError
from tracksync.model.verdict import severity_of


@click.command("clauses")
@click.argument("id_", metavar="[ID]", required=False, type=CLAUSE)
@click.option("--json", "json_path", type=PATH, metavar="PATH", help="Write it as JSON ('-': stdout).")
def command(id_: str | None, json_path: Path | None) -> None:
    """List the clauses of the contract, or explain one.

    A clause is one promise. TS-… are the promises of a server, TC-… those of a client.

    A broken clause is an error if it is documented, and fails a run. It is a warning if it was only observed, and
    fails a run with --strict. It is a note if it is assumed. Where the documents leave a question open (an
    ambiguity), every lawful answer (an interpretation) passes.

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
        write_result(json_path, json.dumps(_json(chosen), indent=2, ensure_ascii=False) + "\n")
    elif id_:
        show(_explained(chosen[0]))
    else:
        show(_listed(chosen))


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
        "error": "a broken clause is an error and fails the run",
        "warning": "a broken clause is a warning; with --strict it fails the run",
        "note": "a broken clause is a note and does not fail the run",
    }[severity_of(entry.evidence)]
    lines = [
        entry.id,
        "",
        *_wrapped(entry.sentence, "  "),
        "",
        f"  Source:   {entry.source} (docs/sources.md explains the keys)",
        f"  Evidence: {entry.evidence.value}; {fails}",
    ]
    for one in _ambiguities(entry):
        lines += ["", *_wrapped(f"Ambiguity {one.name}: {one.question} [{one.source}] Lawful interpretations:", "  ")]
        lines += [
            line for name, sentence in one.interpretations.items() for line in _wrapped(f"{name}: {sentence}", "    ")
        ]
    command = f"tracksync fuzz --only {entry.id}" if entry.side is Side.SERVER else "tracksync gate -- COMMAND"
    lines += ["", f"  Test it: {command}"]
    return "\n".join(lines)


def _wrapped(text: str, indent: str) -> list[str]:
    return textwrap.wrap(text, 100, initial_indent=indent, subsequent_indent=f"{indent}  ", break_on_hyphens=False)


def _ambiguities(entry: Clause) -> list[Ambiguity]:
    return [ambiguity_catalogue()[name] for name in entry.ambiguities]


def _json(clauses: list[Clause]) -> dict[str, Any]:
    return {
        "schema": 2,
        "clauses": {
            entry.id: {
                "sentence": entry.sentence,
                "source": entry.source,
                "evidence": entry.evidence.value,
                "side": entry.side.value,
                "ambiguities": {
                    one.name: {
                        "question": one.question,
                        "source": one.source,
                        "interpretations": dict(one.interpretations),
                    }
                    for one in _ambiguities(entry)
                },
            }
            for entry in clauses
        },
    }
