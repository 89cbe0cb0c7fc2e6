"""`tracksync spec`: prints the OpenAPI document, or compares others with it."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Final

import click

from tracksync.cli.shared import FILE, PATH
from tracksync.contract import spec
from tracksync.contract.diff import DocumentComparison, Relation, Witness, compare, contradicted_requests
from tracksync.contract.foreign import modern, read_document
from tracksync.report import files

_LONGEST: Final = 160
_WORDS: Final = {
    Relation.STRICTER: "stricter",
    Relation.LOOSER: "looser",
    Relation.DIFFERENT: "different, and neither holds the other",
    Relation.ADDS: "theirs alone",
}
_CHANGES: Final = {
    Relation.STRICTER: "now stricter",
    Relation.LOOSER: "now looser",
    Relation.DIFFERENT: "changed",
    Relation.ADDS: "new",
    Relation.SILENT: "gone",
}


@click.group("spec", invoke_without_command=True)
@click.option("--lenient", is_flag=True, help="The form that schemathesis's negative cases need.")
@click.pass_context
def command(context: click.Context, lenient: bool) -> None:
    """Print the OpenAPI document, or compare another one with it.

    In the lenient form no request that the documents leave open is one that a server must accept or must refuse. It is
    for tools that break requests on purpose; the schemathesis hooks apply it by themselves.

    \b
    Examples:
      tracksync spec
      tracksync spec --lenient > lenient.yaml && st run lenient.yaml --url URL
      tracksync spec diff braze.yaml                 theirs against ours
      tracksync spec diff yesterday.yaml today.yaml  two copies of theirs
    """
    if context.invoked_subcommand is not None:
        return
    if not lenient:
        click.echo(spec.path().read_text(encoding="utf-8"), nl=False)
        return
    from tracksync.contract.lenient import lenient as lenient_form

    click.echo(json.dumps(lenient_form(spec.document()), indent=1, ensure_ascii=False))


@command.command("diff", short_help="Compare another document with ours, or two copies.")
@click.argument("first", type=FILE, metavar="FILE")
@click.argument("second", type=FILE, metavar="[NEWER]", required=False)
@click.option("--json", "json_path", type=PATH, metavar="PATH", help="Write it as JSON ('-': stdout).")
def diff(first: Path, second: Path | None, json_path: Path | None) -> int:
    """Compare an OpenAPI 3.0 or 3.1 document with ours, or two copies of it with each other.

    With one FILE: where it and ours agree, where it is stricter, looser or silent, and which clauses that touches.
    A contradiction is a request that ours says every server must accept and FILE forbids, or a response that cannot
    fit both. With two: what changed, from the older to the newer.

    Exit codes: 0 no contradiction, no change; 1 a contradiction, or a changed constraint; 2 no such document.
    """
    if second is None:
        theirs = read_document(first)
        compared = compare(modern(spec.load()), theirs)
        witnesses = contradicted_requests(theirs)
        failed = bool(witnesses) or any(one.contradiction for one in compared)
        text = "\n".join(_against_ours(compared, witnesses))
    else:
        compared = compare(read_document(first), read_document(second))
        witnesses = ()
        changed = [one for one in compared if one.relation is not Relation.AGREES]
        failed = bool(changed)
        text = "\n".join(_changes(compared, changed))
    if json_path is None:
        click.echo(text)
    else:
        files.write(json_path, json.dumps(_json(compared, witnesses), indent=2, ensure_ascii=False) + "\n")
    return int(failed)


def _against_ours(compared: tuple[DocumentComparison, ...], witnesses: tuple[Witness, ...]) -> Iterable[str]:
    counts = {relation: sum(one.relation is relation for one in compared) for relation in Relation}
    yield (
        f"{len(compared)} constraints compared: {counts[Relation.AGREES]} agree, {counts[Relation.STRICTER]} stricter "
        f"in theirs, {counts[Relation.LOOSER]} looser, {counts[Relation.DIFFERENT]} different, "
        f"{counts[Relation.ADDS]} theirs alone, {counts[Relation.SILENT]} on which theirs is silent"
    )
    for relation, words in _WORDS.items():
        chosen = [one for one in compared if one.relation is relation]
        if chosen:
            yield f"\n{words} ({len(chosen)}):"
            yield from map(_line, chosen)
    for relation, words in ((Relation.SILENT, "silent"), (Relation.AGREES, "agrees")):
        chosen = [one for one in compared if one.relation is relation]
        if chosen:
            yield f"\n{words} ({len(chosen)}):"
            yield from _by_place(chosen)
    found = [one for one in compared if one.contradiction]
    if not (found or witnesses):
        yield "\nno contradiction"
        return
    yield f"\ncontradictions ({len(found) + len(witnesses)}):"
    for one in found:
        yield f"  {one.key.where}: {one.contradiction}{_touched(one)}"
    for witness in witnesses:
        body = _short(witness.body)
        where = f"{witness.path}, request body, {witness.place or 'as a whole'}"
        yield f"  {where}: {_short(witness.message)}; yet every server must accept {body}"


def _changes(compared: tuple[DocumentComparison, ...], changed: list[DocumentComparison]) -> Iterable[str]:
    yield f"{len(compared)} constraints compared, {len(changed)} changed"
    for relation, words in _CHANGES.items():
        chosen = [one for one in changed if one.relation is relation]
        if chosen:
            yield f"\n{words} ({len(chosen)}):"
            yield from map(_line, chosen)


def _line(one: DocumentComparison) -> str:
    before = "nothing" if one.first is None else _short(one.first)
    after = "nothing" if one.second is None else _short(one.second)
    name = f"{one.key.kind} {one.key.name}".rstrip()
    values = f"{before}, then {after}" if not one.key.name else ("required" if one.first is None else "not required")
    return f"  {one.key.where}: {name}: {values}{_touched(one)}"


def _by_place(chosen: list[DocumentComparison]) -> Iterable[str]:
    places: dict[str, list[DocumentComparison]] = {}
    for one in chosen:
        places.setdefault(one.key.where, []).append(one)
    for where, there in places.items():
        kinds = ", ".join(f"{one.key.kind} {one.key.name}".rstrip() for one in there)
        clauses = sorted({clause for one in there for clause in one.clauses})
        touched = f" [{', '.join(clauses)}]" if clauses else ""
        yield f"  {where}: {kinds}{touched}"


def _touched(one: DocumentComparison) -> str:
    names = [*one.clauses, *(f"ambiguity {name}" for name in one.ambiguities)]
    return f" [{', '.join(names)}]" if names else ""


def _short(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…"


def _json(compared: tuple[DocumentComparison, ...], witnesses: tuple[Witness, ...]) -> dict[str, Any]:
    return {
        "schema": 1,
        "constraints": [
            {
                "path": one.key.path,
                "direction": one.key.direction.value,
                "status": one.key.status or None,
                "header": one.key.header or None,
                "place": one.key.place,
                "keyword": one.key.kind,
                "member": one.key.name or None,
                "relation": one.relation.value,
                "first": one.first,
                "second": one.second,
                "clauses": one.clauses,
                "ambiguities": one.ambiguities,
                "contradiction": one.contradiction or None,
            }
            for one in compared
        ],
        "forbidden_requests": [
            {"path": one.path, "body": one.body, "place": one.place, "message": one.message} for one in witnesses
        ],
    }
