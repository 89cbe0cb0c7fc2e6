"""`tracksync config`: checks files of settings, and prints the schemas of files for editors."""

from __future__ import annotations

import contextlib
import json
from pathlib import Path

import click

from tracksync import config as configuration
from tracksync.cli.schemas import SCHEMAS
from tracksync.cli.shared import FILE


@click.command("config")
@click.argument("paths", metavar="[FILE…]", nargs=-1, type=FILE)
@click.option(
    "--schema", type=click.Choice(list(SCHEMAS)), help="Print the JSON Schema of a kind of file, for editors."
)
def command(paths: tuple[Path, ...], schema: str | None) -> None:
    """Check tracksync.toml, or the FILEs: settings, manifests of cassettes, and files of scenarios.

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
    for path in paths or (Path(configuration.FILE_NAME),):
        click.echo(f"{path}: {_checked(path)}")


def _checked(path: Path) -> str:
    """What the file is, once it is read without an error."""
    if path.name == configuration.FILE_NAME:
        from tracksync.cli.gate import command as gate

        configuration.load(path)
        # The gate reads the file of the directory that it is run in.
        with contextlib.chdir(path.parent):
            gate.make_context("gate", [])
        return "settings, nothing is wrong"
    from tracksync.cassettes.manifest import NAME, read_manifest

    if path.name == NAME:
        return f"a manifest of {len(read_manifest(path.parent))} cassettes, nothing is wrong"
    from tracksync.mock.scenarios import load

    return f"{len(load(path))} scenarios, nothing is wrong"
