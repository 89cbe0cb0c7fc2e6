"""`tracksync init`: writes a commented tracksync.toml, and the jobs of a CI system, for pull requests and nightly."""

from __future__ import annotations

import json
import re
from importlib import resources
from pathlib import Path
from typing import Final

import click

from tracksync.cli import install_source, schemas
from tracksync.cli.shared import FILE
from tracksync.config import FILE_NAME, check_endpoint
from tracksync.errors import UsageError
from tracksync.report import files

SCHEMA: Final = Path("tracksync.schema.json")  # the first line of tracksync.toml names it, for editors
SANDBOX: Final = "https://rest.iad-01.braze.com"
# CI system: the template of its file, and where it reads the file.
CI_FILES: Final = {
    "github": ("github.yml", Path(".github/workflows/tracksync.yml")),
    "gitlab": ("gitlab.yml", Path(".gitlab/tracksync.yml")),
    "circleci": ("circleci.yml", Path(".circleci/config.yml")),
    "jenkins": ("Jenkinsfile", Path("tracksync.Jenkinsfile")),
}
# What pip reads, and no character that YAML, Groovy or a shell reads as anything else in quotes.
_REQUIREMENT: Final = re.compile(r"[A-Za-z0-9._@:/+#=~<>!,\[\] -]+\Z")
_TEMPLATES: Final = "templates"


@click.command("init")
@click.option("--endpoint", default=SANDBOX, metavar="URL", show_default=True, help="The workspace's REST host.")
@click.option("--ci", type=click.Choice(list(CI_FILES)), default="github", show_default=True, help="The CI system.")
@click.option(
    "--install",
    "requirement",
    metavar="REQUIREMENT",
    help="What the jobs install with pip.  [default: what this tracksync was installed from]",
)
@click.option("--directory", type=FILE, default=Path(), metavar="DIR", help="Where to write.  [default: here]")
@click.option("--force", is_flag=True, help="Overwrite what is there.")
def command(endpoint: str, ci: str, requirement: str | None, directory: Path, force: bool) -> None:
    """Write tracksync.toml and the jobs of a CI system, all commented.

    There is a gate for pull requests, which needs no key and no network, and a nightly run on the workspace that
    tracksync.toml describes. Nothing is sent to it before you set `live = true` there and give the key to the CI
    system. The jobs install the tracksync that wrote them: a version of an index, or a commit of a repository. Editors
    read the schema of tracksync.toml, which is written beside it.

    \b
    Examples:
      tracksync init
      tracksync init --ci gitlab --endpoint https://rest.fra-02.braze.eu
      tracksync init --install "tracksync @ git+https://git.example.com/tools/tracksync@COMMIT"
    """
    address = check_endpoint(endpoint)
    if requirement is not None and not _REQUIREMENT.match(requirement):
        raise UsageError(f"--install {requirement!r} is not a requirement that pip reads")
    if not directory.is_dir():
        raise UsageError(f"there is no directory {directory}; create it first")
    source = install_source.installed() if requirement is None else install_source.InstallSource(requirement)
    template, place = CI_FILES[ci]
    wanted = {
        directory / FILE_NAME: _template("tracksync.toml").replace("@ENDPOINT@", address),
        directory / place: _template(template).replace("@REQUIREMENT@", json.dumps(source.requirement)),
        directory / SCHEMA: json.dumps(schemas.settings(), indent=2, ensure_ascii=False) + "\n",
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
    if source.action:
        click.echo(f"The GitHub action of this version: uses: {source.action}")
    if not source.requirement:
        click.echo(
            f"This tracksync was installed from a local file or directory, which the CI system cannot read: set "
            f"REQUIREMENT in {place}, or give --install."
        )
    click.echo("Next: give a sandbox workspace's key to the CI system, read tracksync.toml, and set live = true.")


def _template(name: str) -> str:
    return resources.files("tracksync.cli").joinpath(_TEMPLATES, name).read_text(encoding="utf-8")
