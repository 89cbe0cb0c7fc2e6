"""`tracksync replay`: checks recorded traffic offline, or sends it again and compares the responses."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from tracksync import config as configuration
from tracksync.cli.reproduce import given_options
from tracksync.cli.shared import (
    FILE,
    PATH,
    Outputs,
    ca_option,
    config_option,
    environment_secrets,
    jobs_option,
    learn_option,
    result_options,
)
from tracksync.errors import UsageError

if TYPE_CHECKING:
    from tracksync.model.events import Event

DEFAULT_DIRECTORY: Final = "cassettes"


@click.command("replay")
@click.argument("paths", metavar="[PATH…]", nargs=-1, type=PATH)
@click.option("--against", metavar="URL|live", help="Send the recorded requests again, and compare.")
@click.option("--audit", is_flag=True, help="Refuse recordings with what looks like a key or a deliverable address.")
@click.option(
    "--interpretations",
    "interpretations_path",
    type=FILE,
    metavar="FILE",
    help="Hold the servers to the interpretations in FILE.",
)
@learn_option
@click.option("--strict", is_flag=True, help="Let warnings fail the run too.")
@jobs_option
@click.option("--scheduler", metavar="ADDRESS", help="Check the files on a cluster: the address of its Dask scheduler.")
@click.option(
    "--max-requests",
    type=click.IntRange(min=1),
    metavar="N",
    help="With --against: send at most N.  [default: no limit]",
)
@ca_option
@config_option
@result_options
def command(
    paths: tuple[Path, ...],
    against: str | None,
    audit: bool,
    interpretations_path: Path | None,
    learn_path: Path | None,
    strict: bool,
    jobs: int,
    scheduler: str | None,
    max_requests: int | None,
    ca_path: Path | None,
    config_path: Path,
    json_path: Path | None,
    junit_path: Path | None,
    html_path: Path | None,
    markdown_path: Path | None,
) -> int:
    """Check recorded traffic with the same oracle as every command, without a network.

    PATH is a recording, a directory of them, a pattern such as 'logs/*.ndjson.zst', or - for standard input; without
    one it is `cassettes`. Read are exchanges as NDJSON (of any size, while they are read), vcrpy and Ruby VCR (YAML or
    JSON), HAR 1.2, and the VCR, HAR and NDJSON reports of schemathesis, also compressed with gzip or zstd.
    Interactions with other endpoints are skipped and counted. A file that cannot be read is named with its line, and
    the rest still runs.

    \b
    Examples:
      tracksync replay
      tracksync replay tests/cassettes/ session.har --junit junit.xml
      tracksync replay --audit cassettes/
      zcat access.log.gz | tracksync replay -
      tracksync replay --jobs 2 'logs/*.ndjson.zst'
      tracksync replay cassettes/probes --against http://127.0.0.1:8080

    Exit codes: 0 passed, 1 failed or a recording was refused, 2 wrong use, 3 incomplete: a file could not be read.
    """
    from tracksync.cassettes.audit import Auditor
    from tracksync.cassettes.replaying import ReplayPlan, replay
    from tracksync.cli.run import run
    from tracksync.report import Redactor

    if against is not None and (jobs > 1 or scheduler):
        raise UsageError("--against sends one request after another; leave out --jobs and --scheduler")
    if audit and scheduler:
        raise UsageError("--audit knows this machine's keys, which go to no cluster; audit the recordings here")
    chosen = paths or (Path(DEFAULT_DIRECTORY),)
    interpretations = configuration.read_interpretations(interpretations_path) if interpretations_path else {}
    outputs = Outputs(json_path, junit_path, html_path, markdown_path, learn_path)
    secrets = environment_secrets()
    drive: Callable[[Callable[[Event], None]], None]
    if against is not None:
        from tracksync.cassettes.resending import ResendPlan, resend
        from tracksync.cli.target import find_target

        place = find_target(against, config_path)
        secrets += [place.key or "", place.unprivileged_key or ""]
        resend_plan = ResendPlan(
            paths=chosen,
            target=place.address,
            key=place.key,
            unprivileged_key=place.unprivileged_key,
            interpretations=interpretations,
            strict=strict,
            auditor=Auditor(secrets) if audit else None,
            rate_limit=place.config.workspace.rate_limit,
            array_limit=place.config.workspace.array_limit,
            max_requests=max_requests,
            ca=ca_path,
            options=given_options(),
        )

        def drive(emit: Callable[[Event], None]) -> None:
            resend(resend_plan, emit)
    else:
        plan = ReplayPlan(
            paths=chosen,
            interpretations=interpretations,
            strict=strict,
            auditor=Auditor(secrets) if audit else None,
            jobs=jobs,
            scheduler=scheduler,
            options=given_options(),
        )

        def drive(emit: Callable[[Event], None]) -> None:
            replay(plan, emit, time.time)

    return run(drive, outputs=outputs, redactor=Redactor(secrets))
