"""`--record` and `--exchanges`: middleware between a run and its reports that writes cassettes, or lines."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click

from tracksync.cli.shared import FILE, environment_secrets, presentation
from tracksync.model.events import Emit, Event, Middleware, RunEnded, unchanged
from tracksync.report import files

if TYPE_CHECKING:
    from tracksync.engine import FuzzPlan
    from tracksync.report import Redactor


def recorder(directory: Path | None, plan: FuzzPlan, *, every_probe: bool = False) -> Middleware:
    """Middleware that makes cassettes in `directory`; where that is None, it passes events on unchanged.

    Raises UsageError where the directory cannot be made.
    """
    if directory is None:
        return unchanged
    from tracksync import __version__
    from tracksync.cassettes.audit import Auditor
    from tracksync.cassettes.generating import CassetteDirectory, CassetteGenerator
    from tracksync.cassettes.manifest import EVERYTHING, ManifestEntry
    from tracksync.cassettes.normalising import OURS
    from tracksync.engine.plan import EMBEDDED_RATE
    from tracksync.report import Redactor

    secrets = [plan.target.key or "", plan.target.unprivileged_key or "", *environment_secrets()]
    against = plan.target.address
    if plan.target.embedded:
        against = f"tracksync {__version__} mock" + (
            f" with the fault {', '.join(plan.mock.faults)}" if plan.mock.faults else ""
        )
    entry = ManifestEntry(
        interpretations={**plan.interpretations, **(plan.mock.interpretations if plan.target.embedded else {})},
        against=against,
        fresh=EVERYTHING if plan.target.embedded else OURS,
        rate_limit=plan.target.rate_limit or (EMBEDDED_RATE if plan.target.embedded else None),
        array_limit=plan.target.array_limit,
        clock_skew=1 if plan.target.embedded else None,
    )
    cassettes = CassetteDirectory(directory, Auditor(secrets))

    def record(emit: Emit) -> Emit:
        generator = CassetteGenerator(cassettes, entry, Redactor(secrets), emit, every_probe)

        def recorded(event: Event) -> None:
            generator(event)
            if isinstance(event, RunEnded):
                for line in cassettes.refused:
                    click.echo(f"not recorded: {line}", err=True)

        return recorded

    return record


exchanges_option = click.option(
    "--exchanges",
    "exchanges_path",
    type=FILE,
    metavar="FILE",
    help="Write every exchange to FILE, one a line, for replay.",
)


@contextmanager
def exchange_recorder(path: Path | None, origin_of: Callable[[str], str], redactor: Redactor) -> Iterator[Middleware]:
    """Middleware that writes each exchange to a line of `path`; where that is None, it passes events on unchanged.

    `origin_of`: scheme, host and port by phase. Raises UsageError where the file cannot be written.
    """
    if path is None:
        yield unchanged
        return
    from tracksync.cassettes.exchange_recording import ExchangeRecorder

    files.check_writable(path)
    with path.open("wb") as file:
        yield lambda emit: ExchangeRecorder(file, origin_of, redactor, emit)
    if not presentation().quiet:
        click.echo(f"wrote {path}", err=True)
