"""`fuzz --record`: middleware between a run and its reports that makes cassettes of findings."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from tracksync.cli.shared import environment_secrets
from tracksync.model.events import Emit, Event, Middleware, RunEnded, unchanged

if TYPE_CHECKING:
    from tracksync.engine import FuzzPlan


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
