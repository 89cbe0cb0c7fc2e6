"""`tracksync docs`: writes the pages about everything and opens them, without a network."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterable, Mapping
from functools import cache
from pathlib import Path

import click

from tracksync import __version__
from tracksync.cli.names import CLAUSE, FAULT, SCENARIO, interpretation_names
from tracksync.cli.shared import FILE, docs_url, presentation
from tracksync.contract.ambiguities import ambiguity_catalogue
from tracksync.model.page_addresses import Subject, address_of, path_of
from tracksync.report.links import PageOf, in_terminal, no_page, terminal_link


def pages_folder() -> Path:
    """Where the pages of this version are written on this machine."""
    cache = os.environ.get("XDG_CACHE_HOME") or os.environ.get("LOCALAPPDATA") or Path.home() / ".cache"
    return Path(cache) / "tracksync" / f"docs-{__version__}"


def pages_of(site: str) -> PageOf:
    """Where the pages are: on `site`, a URL. None where there is no site."""
    return _pages(lambda kind, name: address_of(site, kind, name)) if site else no_page


def pages_for_terminal(site: str) -> PageOf:
    """Where the pages are: on `site`, if there is one, else where `tracksync docs` has written them on this machine."""
    folder = pages_folder()
    return pages_of(site) if site or not folder.is_dir() else _pages(lambda kind, name: _written(folder, kind, name))


def show(text: str, *, err: bool = False) -> None:
    """Print `text`, with its names as links where that is a terminal that shows them."""
    stream = sys.stderr if err else sys.stdout
    link = pages_for_terminal(docs_url()) if presentation().links(stream) else no_page
    click.echo(in_terminal(text, link), err=err)


def shown_name(kind: Subject, name: str) -> str:
    """A name to print on standard output, as a link where that is a terminal that shows them."""
    address = pages_for_terminal(docs_url())(kind, name) if presentation().links(sys.stdout) else ""
    return terminal_link(name, address) if address else name


def _written(folder: Path, kind: Subject, name: str) -> str:
    page = folder / path_of(kind, name)
    return page.as_uri() if page.is_file() else ""


def _pages(address: Callable[[Subject, str], str]) -> PageOf:
    """Addresses of what has a page, and none of what has not. An interpretation (`a=b`) has a place in a page."""

    def page(kind: Subject, name: str) -> str:
        if kind not in _KNOWN or name not in _known(kind):
            return ""
        whole, _, place = name.partition("=")
        found = address(kind, whole)
        return f"{found}#{place}" if found and place else found

    return page


def _option_names() -> list[str]:
    from tracksync.cli import root
    from tracksync.pages.reference import commands_of

    options = (one for command in commands_of(root).values() for one in command.params)
    return [max(one.opts, key=len) for one in options if isinstance(one, click.Option) and not one.hidden]


_KNOWN: Mapping[Subject, Callable[[], Iterable[str]]] = {
    Subject.CLAUSE: CLAUSE.names,
    Subject.AMBIGUITY: lambda: [*ambiguity_catalogue(), *interpretation_names()],
    Subject.FAULT: FAULT.names,
    Subject.SCENARIO: SCENARIO.names,
    Subject.OPTION: _option_names,
}


@cache
def _known(kind: Subject) -> frozenset[str]:
    return frozenset(_KNOWN[kind]())


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
