"""`tracksync race`: turns options, environment and tracksync.toml into the plan of a race."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Final, cast
from urllib.parse import urlsplit

import click
from click.core import ParameterSource

from tracksync import config as configuration
from tracksync.cli.names import FAULT, INTERPRETATION, SCENARIO
from tracksync.cli.recording import exchange_recorder, exchanges_option
from tracksync.cli.reproduce import reproduce_line
from tracksync.cli.shared import (
    FILE,
    PATH,
    SECONDS,
    Outputs,
    ca_option,
    config_option,
    environment_secrets,
    jobs_option,
    journal_option,
    max_time_option,
    rate_limit_option,
    result_options,
    timeout_option,
)
from tracksync.cli.target import find_target
from tracksync.errors import UsageError

if TYPE_CHECKING:
    from tracksync.generate.renaming import Identifier
    from tracksync.live.journal import Journal
    from tracksync.model.events import Event
    from tracksync.race.plan import Endpoints, RacePlan

DEFAULT_CLIENTS: Final = 8
DEFAULT_OPERATIONS: Final = 600
MOST_CLIENTS: Final = 64
LARGEST_SEED: Final = 2**32 - 1
# The parameters that say something of a history that stands in files.
_OF_A_HISTORY: Final = frozenset(
    "histories jobs strict interpretations_path config_path json_path junit_path html_path markdown_path".split()
)


@click.command("race")
@click.option("--target", default="mock", metavar="mock|URL|live", help="What to check.  [default: mock, on a port]")
@click.option(
    "--endpoint",
    type=click.Choice(["sync", "track", "both"]),
    default="sync",
    show_default=True,
    help="Where writes go: /users/track/sync, /users/track, or first one and then the other.",
)
@click.option(
    "--clients",
    type=click.IntRange(1, MOST_CLIENTS),
    default=DEFAULT_CLIENTS,
    metavar="N",
    show_default=True,
    help="Clients at once, a connection each.",
)
@click.option(
    "--ops",
    "operations",
    type=click.IntRange(min=1),
    metavar="N",
    help=f"Operations on each endpoint, retries aside.  [default: {DEFAULT_OPERATIONS}]",
)
@click.option(
    "--users", type=click.IntRange(1, 1000), metavar="N", help="Users that the clients share.  [default: 2 or 3]"
)
@click.option("--cells", type=click.IntRange(1, 1000), metavar="N", help="Attributes, events and products a user.")
@click.option(
    "--overlap", is_flag=True, help="Do not wait for each other on a cell; report which consistency holds then."
)
@click.option(
    "--history",
    "histories",
    multiple=True,
    type=PATH,
    metavar="FILE",
    help="Send nothing: check what --exchanges wrote, of any size; a pattern or repeatable.",
)
@jobs_option
@exchanges_option
@max_time_option
@click.option("--max-data-points", type=click.IntRange(min=0), metavar="N", help="Spend about N data points at most.")
@click.option("--seed", type=click.IntRange(0, LARGEST_SEED), metavar="N", help="The same seed draws the same writes.")
@click.option(
    "--interpretations",
    "interpretations_path",
    type=FILE,
    metavar="FILE",
    help="Hold the target to the interpretations in FILE.",
)
@rate_limit_option
@timeout_option
@click.option(
    "--settle",
    type=SECONDS,
    metavar="S",
    help="Seconds until all that /users/track accepted is applied.  [default: 10, on the mock less]",
)
@journal_option
@ca_option
@click.option("--strict", is_flag=True, help="Warnings, and cells that are not linearizable, fail the run too.")
@config_option
@result_options
@click.option("--fault", "faults", multiple=True, type=FAULT, metavar="NAME", help="Inject a fault; repeatable.")
@click.option(
    "--interpretation",
    "pairs",
    multiple=True,
    type=INTERPRETATION,
    metavar="AMBIGUITY=NAME",
    help="Let the mock follow an interpretation.",
)
@click.option("--scenario", default="normal", type=SCENARIO, metavar="NAME", help="How the mock treats clients.")
def command(
    target: str,
    endpoint: str,
    clients: int,
    operations: int | None,
    users: int | None,
    cells: int | None,
    overlap: bool,
    histories: tuple[Path, ...],
    jobs: int,
    exchanges_path: Path | None,
    max_time: float | None,
    max_data_points: int | None,
    seed: int | None,
    interpretations_path: Path | None,
    rate_limit: int | None,
    timeout: float,
    settle: float | None,
    journal_path: Path,
    ca_path: Path | None,
    strict: bool,
    config_path: Path,
    json_path: Path | None,
    junit_path: Path | None,
    html_path: Path | None,
    markdown_path: Path | None,
    faults: tuple[str, ...],
    pairs: tuple[str, ...],
    scenario: str,
) -> int:
    """Test ordering: many clients at once on few users.

    A cell is one attribute, event or product of one user. On each cell the next request is sent after the response to
    the one before, from whichever client. The documents promise that order, and each response is checked against it.
    Other cells and users are used at the same time and must not be disturbed. Without --target the race is on the
    mock, on a free port of this machine. With --overlap, or on /users/track, no order is promised: then the run
    reports which consistency held, and fails only with --strict.

    \b
    Examples:
      tracksync race
      tracksync race --endpoint both                         what sync adds to track
      tracksync race --overlap --clients 16 --html race.html
      tracksync race --fault whole-profile-written-back      what a finding looks like
      tracksync race --target live --ops 400 --clients 4
      tracksync race --exchanges race.ndjson
      tracksync race --history race.ndjson --jobs 2

    \b
    Exit codes: 0 passed, 1 failed, 2 wrong use or configuration, 3 incomplete.
    """
    from tracksync.cli.run import run
    from tracksync.race import RacePlan
    from tracksync.report import Redactor

    outputs = Outputs(json_path, junit_path, html_path, markdown_path)
    if histories:
        return _check_histories(histories, jobs, interpretations_path, strict, outputs)
    if "--jobs" in _given():
        raise UsageError("--jobs divides the check of a --history; a race is one process")
    place = find_target(target, config_path)
    if place.address != "mock" and (faults or pairs or scenario != "normal"):
        raise UsageError("only the mock can be given a fault, an interpretation or a scenario; leave --target out")
    budget, workspace = place.config.budget, place.config.workspace
    interpretations: dict[str, str] = {}
    if interpretations_path is not None:
        interpretations = configuration.read_interpretations(interpretations_path)
    elif place.config.interpretations is not None and place.config.interpretations.exists():
        interpretations = configuration.read_interpretations(place.config.interpretations)
    seed = random.SystemRandom().randint(0, LARGEST_SEED) if seed is None else seed
    rounds = 2 if endpoint == "both" else 1
    plan = RacePlan(
        target=place.address,
        key=place.key,
        endpoint=cast("Endpoints", endpoint),
        overlap=overlap,
        clients=clients,
        operations=operations or min(DEFAULT_OPERATIONS, (budget.requests or DEFAULT_OPERATIONS) // rounds),
        users=users or 0,
        cells=cells or 0,
        seed=seed,
        max_seconds=max_time if max_time is not None else budget.seconds,
        max_data_points=max_data_points if max_data_points is not None else budget.data_points,
        strict=strict,
        interpretations=interpretations,
        rate_limit=rate_limit or workspace.rate_limit,
        prefix_stem=workspace.prefix,
        timeout=timeout,
        ca=ca_path,
        settle=settle,
        faults=faults,
        mock_interpretations=configuration.parse_interpretations(pairs),
        scenario=scenario,
        reproduce=reproduce_line("tracksync", "race", seed=seed),
    )
    redactor = Redactor([place.key or "", place.unprivileged_key or "", *environment_secrets()])
    url = urlsplit("https://mock.race.example" if plan.own_mock else place.address)
    with exchange_recorder(exchanges_path, lambda phase: f"{url.scheme}://{url.netloc}", redactor) as write:
        return run(
            lambda emit: _drive(plan, emit, target, journal_path), outputs=outputs, redactor=redactor, middleware=write
        )


def _given() -> dict[str, str]:
    """The options of the running command that its command line has, each with the name of its parameter."""
    context = click.get_current_context()
    named = {option.opts[0]: str(option.name) for option in context.command.params if option.expose_value}
    return {
        option: name
        for option, name in named.items()
        if context.get_parameter_source(name) is ParameterSource.COMMANDLINE
    }


def _check_histories(
    paths: tuple[Path, ...], jobs: int, interpretations_path: Path | None, strict: bool, outputs: Outputs
) -> int:
    from tracksync.cassettes.replaying import ReplayPlan
    from tracksync.cli.history import check_history
    from tracksync.cli.run import run
    from tracksync.report import Redactor

    if others := [option for option, name in _given().items() if name not in _OF_A_HISTORY]:
        raise UsageError(f"--history sends nothing, so that {others[0]} says nothing; leave it out")
    plan = ReplayPlan(
        paths=paths,
        interpretations=configuration.read_interpretations(interpretations_path) if interpretations_path else {},
        strict=strict,
        jobs=jobs,
        options=("--interpretations", str(interpretations_path)) if interpretations_path else (),
    )
    return run(lambda emit: check_history(plan, emit), outputs=outputs, redactor=Redactor(environment_secrets()))


def _drive(plan: RacePlan, emit: Callable[[Event], None], named: str, directory: Path) -> None:
    from tracksync.race import race

    if plan.own_mock:
        race(plan, emit)
        return
    users = _UserJournal(plan, named, directory)

    def watched(event: Event) -> None:
        users.watch(event)
        emit(event)

    try:
        race(plan, watched, users.note)
    finally:
        users.close()


class _UserJournal:
    """Journals the users before they are created, for `tracksync clean` to find if this run is killed."""

    def __init__(self, plan: RacePlan, named: str, directory: Path) -> None:
        self._header = {"target": plan.target, "named": named, "command": "race"}
        self._directory = directory
        self._journal: Journal | None = None

    def note(self, prefix: str, users: Sequence[Identifier]) -> None:
        """Begin the journal. It is marked as ended at once: a race cannot be resumed, only cleaned up."""
        from tracksync.live.journal import Journal

        self._journal = Journal.create(self._directory, self._header, prefix, time.time())
        self._journal.write("ended", left=[list(user) for user in users], at=time.time())

    def watch(self, event: Event) -> None:
        """Remove the journal when the users are gone."""
        from tracksync.model.events import Cleaned

        if self._journal is not None and isinstance(event, Cleaned):
            self._journal.write("ended", left=[list(user) for user in event.left], at=time.time())
            if not event.left:
                self._journal.remove()
                self._journal = None

    def close(self) -> None:
        """Release the journal."""
        if self._journal is not None:
            self._journal.close()
