"""`tracksync report`: shows a result that an earlier run wrote, or compares two."""

from __future__ import annotations

import sys
from functools import partial
from pathlib import Path

import click

from tracksync.cli.docs import clause_page
from tracksync.cli.shared import (
    FILE,
    PATH,
    is_terminal,
    presentation,
    presentation_options,
    terminal_width,
    write_result,
)
from tracksync.errors import UsageError
from tracksync.report import compare, html, json_result, markdown, nightly, terminal


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
@presentation_options
def command(results: tuple[Path, ...], html_path: Path | None, markdown_path: Path | None) -> None:
    """Show a result again, or compare two: the earlier one first.

    In a comparison a finding is new, known (in both results), fixed (gone, and its clause was covered) or not seen
    (gone, and its clause was not covered). The exit code is 0 whatever the verdict of the result.

    \b
    Examples:
      tracksync report result.json
      tracksync report result.json --html result.html
      tracksync report yesterday.json today.json --markdown "$GITHUB_STEP_SUMMARY"
    """
    if len(results) > 2:
        raise UsageError(f"give one result to show it, or two to compare them; {len(results)} were given")
    read = [json_result.read(path) for path in results]
    comparison = compare.compare(read[0], read[1]) if len(read) == 2 else None
    shown, shown_as = read[-1], presentation()
    if shown_as.docs_url:
        shown["docs_url"] = shown_as.docs_url
    if comparison is not None:
        drift = [compare.drift_json(one) for one in comparison.drift]
        others = [one for one in shown.get("sections") or [] if one["title"] != "Drift"]
        shown["sections"] = [*others, *nightly.drifted(drift, str(shown.get("target", "")))]
    written = False
    for path, render in ((html_path, html.render), (markdown_path, markdown.render)):
        if path is not None:
            write_result(path, render(shown, comparison))
            written = True
    if not written:
        if comparison is not None:
            click.echo(compare.render(comparison))
        colour, width = shown_as.colour(sys.stdout), terminal_width(sys.stdout)
        site = str(shown.get("docs_url", ""))
        page = partial(clause_page, site=site) if colour and is_terminal(sys.stdout) else None
        text = terminal.render(shown, colour=colour, width=width, brief=shown_as.quiet, page=page)
        click.echo(text, nl=False, color=colour)
