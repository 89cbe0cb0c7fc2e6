"""`tracksync report`: shows a result that an earlier run wrote, or holds two against each other."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from tracksync.cli.shared import FILE, PATH, wants_colour
from tracksync.errors import UsageError
from tracksync.report import compare, files, html, json_result, markdown, nightly, terminal


@click.command("report")
@click.argument("results", metavar="RESULT.json [LATER.json]", nargs=-1, required=True, type=FILE)
@click.option("--html", "html_path", type=PATH, metavar="PATH", help="Write a page to read in a browser ('-': stdout).")
@click.option(
    "--markdown",
    "markdown_path",
    type=PATH,
    metavar="PATH",
    help="Write a summary for a GitHub job page ('-': stdout).",
)
def command(results: tuple[Path, ...], html_path: Path | None, markdown_path: Path | None) -> None:
    """Show a result again, or compare two: the earlier one first.

    Compared, findings are new, known (in both), fixed (gone although their clause was covered) or not seen (gone
    because it was not). Reading a result always ends with exit code 0, whatever verdict it holds.

    \b
    Examples:
      tracksync report result.json
      tracksync report result.json --html result.html
      tracksync report yesterday.json today.json --markdown "$GITHUB_STEP_SUMMARY"
    """
    if len(results) > 2:
        raise UsageError(f"one result is shown, two are compared; {len(results)} were given")
    read = [json_result.read(path) for path in results]
    comparison = compare.compare(read[0], read[1]) if len(read) == 2 else None
    shown = read[-1]
    if comparison is not None:
        drift = [compare.drift_json(one) for one in comparison.drift]
        kept = [one for one in shown.get("sections") or [] if one["title"] != "Drift"]
        shown["sections"] = [*kept, *nightly.drifted(drift, str(shown.get("target", "")))]
    written = False
    for path, render in ((html_path, html.render), (markdown_path, markdown.render)):
        if path is not None:
            files.write(path, render(shown, comparison))
            written = True
    if not written:
        if comparison is not None:
            click.echo(compare.render(comparison))
        click.echo(terminal.render(shown, colour=wants_colour(sys.stdout)), nl=False)
