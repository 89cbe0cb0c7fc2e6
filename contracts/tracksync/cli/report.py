"""`tracksync report`: shows a result that an earlier run wrote, or compares two."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from tracksync.cli.docs import pages_for_terminal, pages_of
from tracksync.cli.shared import (
    FILE,
    PATH,
    docs_url,
    presentation,
    presentation_options,
    terminal_width,
    write_result,
)
from tracksync.errors import UsageError
from tracksync.report import compare, html, json_result, markdown, nightly, terminal
from tracksync.report.links import in_terminal, no_page


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
    if site := docs_url():
        shown["docs_url"] = site
    if comparison is not None:
        drift = [compare.drift_json(one) for one in comparison.drift]
        others = [one for one in shown.get("sections") or [] if one["title"] != "Drift"]
        shown["sections"] = [*others, *nightly.drifted(drift, str(shown.get("target", "")))]
    site = str(shown.get("docs_url", ""))
    page = pages_of(site)
    written = False
    for path, render in ((html_path, html.render), (markdown_path, markdown.render)):
        if path is not None:
            write_result(path, render(shown, comparison, page))
            written = True
    if not written:
        colour, width = shown_as.colour(sys.stdout), terminal_width(sys.stdout)
        link = pages_for_terminal(site) if shown_as.links(sys.stdout) else no_page
        if comparison is not None:
            click.echo(in_terminal(compare.render(comparison), link))
        text = terminal.render(shown, colour=colour, width=width, brief=shown_as.quiet, page=page, link=link)
        click.echo(text, nl=False, color=colour)
