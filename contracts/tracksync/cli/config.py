"""`tracksync config`: checks files of settings, and prints the schemas of files for editors."""

from __future__ import annotations

import json
from pathlib import Path

import click

from tracksync import config as configuration
from tracksync import settings
from tracksync.cli.schemas import SCHEMAS
from tracksync.cli.shared import FILE, command_named
from tracksync.errors import ConfigError
from tracksync.report.view import plural


@click.command("config")
@click.argument("paths", metavar="[FILE…]", nargs=-1, type=FILE)
@click.option(
    "--schema", type=click.Choice(list(SCHEMAS)), help="Print the JSON Schema of a kind of file, for editors."
)
def command(paths: tuple[Path, ...], schema: str | None) -> None:
    """Check tracksync.toml and pyproject.toml, or the FILEs: settings, manifests of cassettes, files of scenarios.

    A mistake is named with its line and with what to write instead. Nothing is sent.

    \b
    Examples:
      tracksync config
      tracksync config tracksync.toml cassettes/manifest.toml
      tracksync config --schema settings > tracksync.schema.json

    Exit codes: 0 nothing is wrong, 2 something is.
    """
    if schema is not None:
        click.echo(json.dumps(SCHEMAS[schema](), indent=2, ensure_ascii=False))
        return
    mistakes: list[ConfigError] = []
    for path in paths or _here():
        if path.name in (configuration.FILE_NAME, settings.PYPROJECT):
            found, what = _mistakes_in_settings(path), "settings"
        else:
            found, what = [], _other(path)
        mistakes += found
        if not found:
            click.echo(f"{path}: {what}, nothing is wrong")
    if mistakes:
        raise ConfigError("\ntracksync: error: ".join(map(str, mistakes)))  # a line each, for problem matchers


def _here() -> list[Path]:
    """The files of settings in this directory; tracksync.toml where there is none."""
    pyproject = Path(settings.PYPROJECT)
    found = [pyproject] if settings.tables_of_pyproject(pyproject) else []
    path = Path(configuration.FILE_NAME)
    return [path, *found] if path.exists() or not found else found


def _other(path: Path) -> str:
    """What a file is that holds no settings. Raises ConfigError."""
    from tracksync.cassettes.manifest import NAME, read_manifest

    if path.name == NAME:
        return f"a manifest of {plural(len(read_manifest(path.parent)), 'cassette')}"
    from tracksync.mock.scenarios import load

    return plural(len(load(path)), "scenario")


def _mistakes_in_settings(path: Path) -> list[ConfigError]:
    """The mistakes in the tables of commands. Raises ConfigError for a file that is missing or otherwise wrong."""
    if path.name == configuration.FILE_NAME:
        configuration.load(path)
    elif not settings.tables_of_pyproject(path):
        raise ConfigError(f"{path} has no table such as [tool.tracksync.gate]")
    checked = (settings.checked(path, name, command_named(name)) for name in configuration.COMMAND_TABLES)
    return [mistake for _, mistakes in checked for mistake in mistakes]
