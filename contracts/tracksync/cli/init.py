"""`tracksync init`: writes a commented tracksync.toml, and a workflow for pull requests and nightly runs."""

from __future__ import annotations

from importlib import resources
from pathlib import Path
from typing import Final

import click

from tracksync.cli.shared import FILE
from tracksync.config import FILE_NAME, check_endpoint
from tracksync.errors import UsageError
from tracksync.report import files

WORKFLOW: Final = Path(".github/workflows/tracksync.yml")
SANDBOX: Final = "https://rest.iad-01.braze.com"
_TEMPLATES: Final = "templates"


@click.command("init")
@click.option("--endpoint", default=SANDBOX, metavar="URL", show_default=True, help="The workspace's REST host.")
@click.option("--directory", type=FILE, default=Path(), metavar="DIR", help="Where to write.  [default: here]")
@click.option("--force", is_flag=True, help="Overwrite what is there.")
def command(endpoint: str, directory: Path, force: bool) -> None:
    """Write tracksync.toml and a CI workflow, both commented.

    The workflow has a gate for pull requests, which needs no key and no network, and a nightly run on the workspace
    that tracksync.toml describes. Nothing is sent to it before you set `live = true` there and put the key in the
    repository's secrets.

    \b
    Examples:
      tracksync init
      tracksync init --endpoint https://rest.fra-02.braze.eu --force
    """
    address = check_endpoint(endpoint)
    if not directory.is_dir():
        raise UsageError(f"there is no directory {directory}; create it first")
    wanted = {
        directory / FILE_NAME: _template("tracksync.toml").replace("@ENDPOINT@", address),
        directory / WORKFLOW: _template("workflow.yml"),
    }
    there = [str(path) for path in wanted if path.exists()]
    if there and not force:
        raise UsageError(f"{' and '.join(there)} exists already; --force overwrites it")
    for path, text in wanted.items():
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise UsageError(f"cannot make the directory {path.parent}: {error.strerror or error}") from None
        files.write(path, text)
        click.echo(f"wrote {path}")
    click.echo(
        "Next: put a sandbox workspace's key in the secret TRACKSYNC_API_KEY, read tracksync.toml, and set live = true."
    )


def _template(name: str) -> str:
    return resources.files("tracksync.cli").joinpath(_TEMPLATES, name).read_text(encoding="utf-8")
