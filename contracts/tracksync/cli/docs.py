"""`tracksync docs`: writes the pages about everything and opens them, without a network."""

from __future__ import annotations

import os
from pathlib import Path

import click

from tracksync import __version__
from tracksync.cli.shared import FILE
from tracksync.model.page_addresses import Subject, address_of, path_of


def pages_folder() -> Path:
    """Where the pages of this version are written on this machine."""
    cache = os.environ.get("XDG_CACHE_HOME") or os.environ.get("LOCALAPPDATA") or Path.home() / ".cache"
    return Path(cache) / "tracksync" / f"docs-{__version__}"


def clause_page(clause: str, site: str = "") -> str:
    """The address of the page of a clause: on `site`, if there is one, else where `tracksync docs` has written it on
    this machine; otherwise empty."""
    if site:
        return address_of(site, Subject.CLAUSE, clause)
    page = pages_folder() / path_of(Subject.CLAUSE, clause)
    return page.as_uri() if page.is_file() else ""


@click.command("docs")
@click.argument("name", required=False)
@click.option("--directory", type=FILE, metavar="DIR", help="Write the pages to DIR.  [default: a cache of the user]")
@click.option("--no-browser", is_flag=True, help="Print the address and open no browser.")
def command(name: str | None, directory: Path | None, no_browser: bool) -> None:
    """Open the documentation: a page for every clause, ambiguity, fault, scenario, command, option and setting.

    The pages are made from the data of this installation, and need no network. NAME opens the page of one thing.

    \b
    Examples:
      tracksync docs
      tracksync docs TS-OK-MESSAGE
      tracksync docs array-overflow=newest
      tracksync docs --directory site --no-browser    for a web server
    """
    from tracksync.cli import root
    from tracksync.pages.reference import commands_of
    from tracksync.pages.site import page_of, site, write

    commands = commands_of(root)
    page, _, anchor = (page_of(name, commands) if name else "index.html").partition("#")
    folder = directory or pages_folder()
    write(site(commands), folder)
    address = (folder / page).resolve().as_uri() + (f"#{anchor}" if anchor else "")
    click.echo(address)
    if not no_browser:
        click.launch(address)
