"""`tracksync fuzz`: turns options, environment and tracksync.toml into a plan, and lets the engine carry it out."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from tracksync import config as configuration
from tracksync.clauses import UnknownClause, clause
from tracksync.cli.shared import FILE, PATH, Outputs, environment_key, environment_secrets, known_name, result_options
from tracksync.config import Config
from tracksync.errors import UsageError

if TYPE_CHECKING:
    from tracksync.engine import FuzzPlan
    from tracksync.events import Event

DEFAULT_REQUESTS: Final = 500  # one minute of the documented rate limit
LARGEST_SEED: Final = 2**32 - 1
_NAMED_TARGETS: Final = ("mock", "live")


@dataclass(frozen=True, slots=True)
class _Target:
    """Where to send, with which keys, and what tracksync.toml says about the place."""

    address: str
    key: str | None = None
    unprivileged_key: str | None = None
    config: Config = Config()  # noqa: RUF009 - frozen


@click.command("fuzz")
@click.option("--target", default="mock", metavar="mock|URL|live", help="What to judge.  [default: mock, in process]")
@click.option("--max-requests", type=click.IntRange(min=1), metavar="N", help="Send at most N.  [default: 500]")
@click.option("--max-time", type=click.FloatRange(min=0, min_open=True), metavar="S", help="Stop after S seconds.")
@click.option("--max-data-points", type=click.IntRange(min=0), metavar="N", help="Spend at most N data points.")
@click.option("--only", multiple=True, metavar="CLAUSE", help="Only what puts CLAUSE to the test; repeatable.")
@click.option("--seed", type=click.IntRange(0, LARGEST_SEED), metavar="N", help="The same seed gives the same run.")
@click.option("--readings", "readings_path", type=FILE, metavar="FILE", help="Hold the target to the readings in FILE.")
@click.option("--learn", "learn_path", type=PATH, metavar="FILE", help="Write the readings that were seen to FILE.")
@click.option(
    "--rate-limit", type=click.IntRange(min=1), metavar="N", help="The workspace's limit, if not 500 a minute."
)
@click.option("--probe-rate-limit", is_flag=True, help="Go over the limit on purpose. The mock is always probed.")
@click.option(
    "--timeout",
    type=click.FloatRange(min=0, min_open=True),
    default=30.0,
    metavar="S",
    show_default=True,
    help="Seconds to wait for an answer.",
)
@click.option("--directed-only", is_flag=True, help="Directed probes only, no random sequences.")
@click.option("--strict", is_flag=True, help="Let deviations from what was observed fail the run too.")
@click.option(
    "--config",
    "config_path",
    type=FILE,
    default=configuration.FILE_NAME,
    metavar="FILE",
    show_default=True,
    help="Where a live workspace is described.",
)
@result_options
@click.option("--fault", "faults", multiple=True, metavar="NAME", hidden=True, help="Give the embedded mock a fault.")
@click.option("--reading", "reading_pairs", multiple=True, metavar="ROW=NAME", hidden=True)
def command(
    target: str,
    max_requests: int | None,
    max_time: float | None,
    max_data_points: int | None,
    only: tuple[str, ...],
    seed: int | None,
    readings_path: Path | None,
    learn_path: Path | None,
    rate_limit: int | None,
    probe_rate_limit: bool,
    timeout: float,
    directed_only: bool,
    strict: bool,
    config_path: Path,
    json_path: Path | None,
    junit_path: Path | None,
    html_path: Path | None,
    markdown_path: Path | None,
    faults: tuple[str, ...],
    reading_pairs: tuple[str, ...],
) -> int:
    """Put a server to the contract: directed probes for every clause, then random sequences.

    Without --target it judges the embedded mock, in process: no key, no port, no network. A URL is the base URL, the
    documented paths are appended; the key comes from TRACKSYNC_API_KEY, and a key without the permission, for the
    clause that needs one, from TRACKSYNC_UNPRIVILEGED_KEY. `live` takes all that from tracksync.toml. Nothing is sent
    to another machine unless that file says `live = true`.

    \b
    Examples:
      tracksync fuzz
      tracksync fuzz --seed 7 --json result.json --html result.html
      tracksync fuzz --target http://127.0.0.1:8080 --only TS-OK-MESSAGE
      tracksync fuzz --target live --max-requests 2000 --learn readings.toml

    \b
    Exit codes: 0 kept, 1 a violation, 2 wrong use or configuration, 3 could not finish.
    """
    from tracksync.cli.session import run
    from tracksync.engine import FuzzPlan
    from tracksync.report import Redactor

    place = _target(target, config_path)
    if place.address != "mock" and (faults or reading_pairs):
        raise UsageError("only the embedded mock can be given a fault or a reading; leave --target out")
    if faults:
        from tracksync.mock.faults import fault

        faults = tuple(fault(name).name for name in faults)
    budget, workspace = place.config.budget, place.config.workspace
    plan = FuzzPlan(
        target=place.address,
        key=place.key,
        unprivileged_key=place.unprivileged_key,
        seed=random.SystemRandom().randint(0, LARGEST_SEED) if seed is None else seed,
        max_requests=max_requests or budget.requests or DEFAULT_REQUESTS,
        max_seconds=max_time if max_time is not None else budget.seconds,
        max_data_points=max_data_points if max_data_points is not None else budget.data_points,
        only=_only(only),
        readings=_readings(readings_path, place.config),
        rate_limit=rate_limit or workspace.rate_limit,
        array_limit=workspace.array_limit,
        probe_rate_limit=probe_rate_limit,
        prefix=workspace.prefix,
        timeout=timeout,
        faults=faults,
        mock_readings=configuration.parse_readings(reading_pairs),
        random=not directed_only,
        strict=strict,
    )
    return run(
        lambda emit: _drive(plan, emit),
        outputs=Outputs(json_path, junit_path, html_path, markdown_path, learn_path),
        redactor=Redactor([place.key or "", place.unprivileged_key or "", *environment_secrets()]),
    )


def _drive(plan: FuzzPlan, emit: Callable[[Event], None]) -> None:
    from tracksync.engine import fuzz

    fuzz(plan, emit)


def _target(text: str, config_path: Path) -> _Target:
    if text == "mock":
        return _Target("mock")
    if text != "live" and "://" not in text:
        known_name(text, _NAMED_TARGETS, "target", "give mock, live or a URL that begins with http:// or https://")
    if text == "live":
        config = configuration.load(config_path)
        if config.endpoint is None:
            raise UsageError(
                f'{config_path} names no endpoint; add a line like endpoint = "https://rest.iad-01.braze.com"'
            )
        address = config.endpoint
    else:
        address = configuration.check_endpoint(text)
        config = Config()
    if not configuration.is_loopback(address) and not _may_leave(config if text == "live" else None, config_path):
        raise UsageError(
            f"{address} is not on this machine, and nothing is sent to another one unless {config_path} says "
            "`live = true`; do that only for a workspace on which test users may be made"
        )
    key = environment_key(config.key_env)
    if key is None:
        raise UsageError(f"there is no key: put it in the environment variable {config.key_env}")
    unprivileged = environment_key(config.unprivileged_key_env)
    if unprivileged == key:
        raise UsageError(
            f"{config.key_env} and {config.unprivileged_key_env} hold the same key; the second is for one without the "
            "permission users.track.sync, leave it unset if there is none"
        )
    return _Target(address, key, unprivileged, config)


def _may_leave(config: Config | None, config_path: Path) -> bool:
    if config is None and config_path.exists():
        config = configuration.load(config_path)
    return config is not None and config.live


def _only(values: tuple[str, ...]) -> tuple[str, ...]:
    ids = [id_.strip() for value in values for id_ in value.split(",") if id_.strip()]
    try:
        return tuple(dict.fromkeys(clause(id_).id for id_ in ids))
    except UnknownClause as error:
        raise UsageError(str(error)) from None


def _readings(path: Path | None, config: Config) -> dict[str, str]:
    if path is not None:
        return configuration.read_readings(path)
    if config.readings is None:
        return {}
    if not config.readings.exists():
        click.echo(f"note: {config.readings} does not exist yet; --learn {config.readings} will write it", err=True)
        return {}
    return configuration.read_readings(config.readings)
