"""`tracksync cassettes`: exports recordings to other tools, and generates the cassettes that come with tracksync."""

from __future__ import annotations

import json
import os
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from tracksync.cli.shared import FILE, PATH, environment_secrets
from tracksync.errors import UsageError

if TYPE_CHECKING:
    from tracksync.cassettes.exporting import NamedRecording

_FORMATS: Final = ("wiremock", "prism-examples", "har")


@click.group("cassettes", context_settings={"help_option_names": ["-h", "--help"]})
def command() -> None:
    """Export recordings for other tools, or generate the cassettes that come with tracksync.

    \b
    Examples:
      tracksync cassettes export cassettes/probes --format wiremock --output mappings.json
      tracksync cassettes generate cassettes/
    """


@command.command("export", short_help="Write recordings in the form of another tool.")
@click.argument("paths", metavar="PATH…", nargs=-1, required=True, type=FILE)
@click.option("--format", "form", type=click.Choice(_FORMATS), required=True, help="For which tool.")
@click.option(
    "--output", type=PATH, default="-", metavar="PATH", show_default=True, help="Where to write ('-': stdout)."
)
def export(paths: tuple[Path, ...], form: str, output: Path) -> int:
    """Write recordings in the form of another tool, redacted like everything that is written.

    wiremock: stub mappings for `POST /__admin/mappings/import`, or for the directory `mappings`; one scenario for
    each recording keeps its order. prism-examples: the OpenAPI document with every response as a named example, which
    Prism returns for `Prefer: example=NAME`. har: HAR 1.2.

    \b
    Examples:
      tracksync cassettes export cassettes/probes --format wiremock --output mappings.json
      tracksync cassettes export cassettes/probes --format prism-examples --output openapi.json
      tracksync cassettes export tests/cassettes/login.yaml --format har
    """
    from tracksync.cassettes import exporting
    from tracksync.report import files

    files.check_writable(output)
    unread: list[str] = []
    recordings = list(_read_all(paths, unread))
    for line in unread:
        click.echo(f"tracksync: could not be read: {line}", err=True)
    if not any(recording.exchanges for recording in recordings):
        raise UsageError("there is nothing to export: no recording holds an answered request")
    made: dict[str, Any]
    if form == "wiremock":
        made = exporting.wiremock(recordings)
    elif form == "har":
        made = exporting.har(recordings)
    else:
        from tracksync.contract.spec import load

        made, left = exporting.prism_examples(recordings, load())
        if left:
            click.echo(f"note: {left} responses have no place in the OpenAPI document and were left out", err=True)
    files.write(output, json.dumps(made, indent=2, ensure_ascii=True) + "\n")
    return 3 if unread else 0


def _read_all(paths: tuple[Path, ...], unread: list[str]) -> Iterator[NamedRecording]:
    from tracksync.cassettes.exporting import NamedRecording
    from tracksync.cassettes.manifest import Manifests
    from tracksync.cassettes.normalising import OURS
    from tracksync.cassettes.reading import NoRecording, find_files, read_recording
    from tracksync.cassettes.redacting import RecordingRedactor
    from tracksync.report import Redactor
    from tracksync.wire.bodies import Unreadable

    manifests = Manifests()
    redactor = Redactor(environment_secrets())
    for path in paths:
        if not path.exists():
            raise UsageError(f"{path} does not exist; give recordings, or directories that hold some")
    files = list(find_files(paths))
    names = _names([path for path, _ in files], paths)
    for path, named in files:
        try:
            recording = read_recording(path)
        except NoRecording as other:
            if named:
                unread.append(f"{path}: {other.message}")
            continue
        except Unreadable as broken:
            unread.append(f"{path}:{broken.line}: {broken.message}" if broken.line else f"{path}: {broken.message}")
            continue
        unread += [f"{path}:{problem.line}: {problem.message}" for problem in recording.problems]
        recording_redactor = RecordingRedactor(redactor, OURS if manifests.entry(path) else "")
        yield NamedRecording(
            names[path],
            tuple(
                (one.origin, recording_redactor.exchange(one.exchange))
                for one in recording.interactions
                if one.exchange.response is not None and not one.gap
            ),
        )


def _names(files: list[Path], paths: tuple[Path, ...]) -> dict[Path, str]:
    """The name of each recording: its path below the common directory, without the suffix where that is unique."""
    base = os.path.commonpath([(path if path.is_dir() else path.parent).absolute() for path in paths])
    whole = {path: Path(os.path.relpath(path.absolute(), base)) for path in files}
    often = Counter(name.with_suffix("") for name in whole.values())
    return {
        path: (name.with_suffix("") if often[name.with_suffix("")] == 1 else name).as_posix()
        for path, name in whole.items()
    }


@command.command("generate", short_help="Generate the cassettes that come with tracksync.")
@click.argument("directory", metavar="DIRECTORY", type=click.Path(path_type=Path, file_okay=False))
def generate(directory: Path) -> None:
    """Generate the cassettes that come with tracksync: every probe against the mock, its interpretations and faults.

    The same version writes the same files. Cassettes of other names in DIRECTORY stay.

    \b
    Example:
      tracksync cassettes generate cassettes/
    """
    from tracksync.cassettes.audit import Auditor
    from tracksync.cassettes.corpus import corpus
    from tracksync.cassettes.generating import CassetteDirectory

    cassettes = CassetteDirectory(
        directory, Auditor(environment_secrets()), anew=("probes/", "interpretations/", "faults/")
    )
    names = {cassettes.put(name, generated) for name, generated in corpus()}
    cassettes.close()
    for line in cassettes.refused:
        click.echo(f"left out: {line}", err=True)
    click.echo(f"{len(names - {''})} cassettes in {directory}")
