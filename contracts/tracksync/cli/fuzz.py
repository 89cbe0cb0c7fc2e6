"""`tracksync fuzz`: turns options, environment and tracksync.toml into a plan, and lets the engine carry it out."""

from __future__ import annotations

import random
from dataclasses import replace
from pathlib import Path
from typing import Final

import click

from tracksync import config as configuration
from tracksync.cli.names import CLAUSE, FAULT, INTERPRETATION, clauses_named, known_name
from tracksync.cli.reproduce import reproduce_line
from tracksync.cli.shared import (
    FILE,
    SECONDS,
    Outputs,
    allow_option,
    ca_option,
    config_option,
    environment_secrets,
    fail_on_option,
    journal_option,
    learn_option,
    max_time_option,
    mildest,
    rate_limit_option,
    result_options,
    strict_option,
    timeout_option,
)
from tracksync.cli.target import TargetSettings, find_target
from tracksync.config import Config
from tracksync.errors import UsageError
from tracksync.model.events import PHASES
from tracksync.settings import Names

DEFAULT_REQUESTS: Final = 1200  # less than three minutes of the documented rate limit: both sides of every constraint
LARGEST_SEED: Final = 2**32 - 1


def phases_named(text: str) -> tuple[str, ...]:
    """The phases that `text` names, in the order in which they run. Raises UsageError for a name that is none."""
    names = [name.strip() for name in text.split(",") if name.strip()]
    wanted = {known_name(name, PHASES, "phase") for name in names}
    if not wanted:
        raise UsageError(f"no phase is named; there are {', '.join(PHASES)}")
    return tuple(phase for phase in PHASES if phase in wanted)


class _Phases(Names):
    names = PHASES

    def convert(self, value: str, param: click.Parameter | None, ctx: click.Context | None) -> str:
        phases_named(value)
        return value


@click.command("fuzz")
@click.option("--target", default="mock", metavar="mock|URL|live", help="What to check.  [default: mock, in process]")
@click.option(
    "--max-requests", type=click.IntRange(min=1), metavar="N", help=f"Send at most N.  [default: {DEFAULT_REQUESTS}]"
)
@max_time_option
@click.option("--max-data-points", type=click.IntRange(min=0), metavar="N", help="Spend at most N data points.")
@click.option("--only", multiple=True, type=CLAUSE, metavar="CLAUSE", help="Only test CLAUSE; repeatable.")
@click.option("--seed", type=click.IntRange(0, LARGEST_SEED), metavar="N", help="The same seed gives the same run.")
@click.option(
    "--interpretations",
    "interpretations_path",
    type=FILE,
    metavar="FILE",
    help="Hold the target to the interpretations in FILE.",
)
@learn_option
@rate_limit_option
@click.option("--probe-rate-limit", is_flag=True, help="Go over the limit on purpose. The mock is always probed.")
@timeout_option
@click.option(
    "--consistent-after",
    type=SECONDS,
    metavar="S",
    help="Seconds after which the target has applied what it queued, and exports show it.  [default: 300]",
)
@click.option("--shared", is_flag=True, help="Other jobs use up the workspace's limit too (assumed of other machines).")
@click.option("--resume", is_flag=True, help="Go on with the run that was killed: same seed, same users, same budgets.")
@click.option(
    "--baseline", "baseline_path", type=FILE, metavar="FILE", help="Known findings, which do not fail the run."
)
@click.option("--update-baseline", is_flag=True, help="Add what is new to the baseline.")
@click.option(
    "--compare-to", "since_path", type=FILE, metavar="FILE", help="An earlier result, to say what has changed."
)
@journal_option
@click.option("--record", "record_path", type=FILE, metavar="DIR", help="Make a cassette of each finding in DIR.")
@click.option("--record-probes", is_flag=True, help="With --record: make one of every probe's sequence too.")
@ca_option
@click.option(
    "--phases",
    type=_Phases(),
    default=",".join(PHASES),
    metavar="NAME,…",
    show_default=True,
    help="Which requests to make, in this order.",
)
@click.option(
    "--spec",
    "spec_path",
    type=FILE,
    metavar="FILE",
    help="Another OpenAPI document: more schema cases, and responses are validated against it too.",
)
@click.option(
    "--examples",
    "examples_path",
    type=FILE,
    metavar="DIR",
    help="Hypothesis's example database: failures of stateful sequences come first in the next run.  "
    "[default: .hypothesis/examples; none for the embedded mock]",
)
@allow_option
@fail_on_option
@strict_option
@config_option
@result_options
@click.option(
    "--fault",
    "faults",
    multiple=True,
    type=FAULT,
    metavar="NAME",
    help="Inject a fault into the embedded mock; repeatable.",
)
@click.option(
    "--interpretation",
    "interpretation_pairs",
    type=INTERPRETATION,
    multiple=True,
    metavar="AMBIGUITY=NAME",
    hidden=True,
)
def command(
    target: str,
    max_requests: int | None,
    max_time: float | None,
    max_data_points: int | None,
    only: tuple[str, ...],
    seed: int | None,
    interpretations_path: Path | None,
    learn_path: Path | None,
    rate_limit: int | None,
    probe_rate_limit: bool,
    timeout: float,
    consistent_after: float | None,
    shared: bool,
    resume: bool,
    baseline_path: Path | None,
    update_baseline: bool,
    since_path: Path | None,
    journal_path: Path,
    record_path: Path | None,
    record_probes: bool,
    ca_path: Path | None,
    phases: str,
    spec_path: Path | None,
    examples_path: Path | None,
    allow: tuple[str, ...],
    fail_on: str | None,
    strict: bool,
    config_path: Path,
    json_path: Path | None,
    junit_path: Path | None,
    html_path: Path | None,
    markdown_path: Path | None,
    faults: tuple[str, ...],
    interpretation_pairs: tuple[str, ...],
) -> int:
    """Test a server against the contract: probes, boundary cases, schema cases, stateful sequences.

    Without --target it checks the embedded mock, in process: no key, no port, no network. A URL is the base URL, the
    documented paths are appended; the key comes from TRACKSYNC_API_KEY, and a key without the permission, for the
    clause that needs one, from TRACKSYNC_UNPRIVILEGED_KEY. `live` takes all that from tracksync.toml. Nothing is sent
    to another machine unless that file says `live = true`.

    \b
    Examples:
      tracksync fuzz
      tracksync fuzz --seed 7 --json result.json --html result.html
      tracksync fuzz --target http://127.0.0.1:8080 --only TS-OK-MESSAGE
      tracksync fuzz --target live --max-requests 2000 --save-interpretations interpretations.toml
      tracksync fuzz --target live --resume
      tracksync fuzz --target http://127.0.0.1:8080 --record cassettes/found
      tracksync fuzz --target live --spec braze.yaml
      tracksync fuzz --target live --baseline known.toml --fail-on new --allow TS-RATE-RESET

    \b
    Exit codes: 0 passed, 1 failed, 2 wrong use or configuration, 3 incomplete.
    """
    from tracksync.cli.nightly import Memory, resume_nightly, run_nightly
    from tracksync.cli.run import run
    from tracksync.engine import Budget, FindingPlan, FuzzPlan, MockPlan, TargetPlan, fuzz
    from tracksync.report import Redactor

    outputs = Outputs(json_path, junit_path, html_path, markdown_path, learn_path)

    def recall(configured: Path | None, live: bool) -> Memory:
        return Memory.recall(baseline_path or configured, update_baseline, since_path, live=live)

    if resume:
        return resume_nightly(target, config_path, journal_path, outputs, recall)
    place = find_target(target, config_path)
    if place.address != "mock" and (faults or interpretation_pairs):
        raise UsageError("only the embedded mock can be given a fault or an interpretation; leave --target out")
    if faults:
        from tracksync.faults.catalogue import fault

        faults = tuple(fault(name).name for name in faults)
    budget, workspace = place.config.budget, place.config.workspace
    memory = recall(place.config.baseline, target == "live")
    seed = random.SystemRandom().randint(0, LARGEST_SEED) if seed is None else seed
    plan = FuzzPlan(
        target=TargetPlan(
            address=place.address,
            key=place.key,
            unprivileged_key=place.unprivileged_key,
            rate_limit=rate_limit or workspace.rate_limit,
            array_limit=workspace.array_limit,
            shared=_shared(shared, place),
            timeout=timeout,
            verify=str(ca_path) if ca_path is not None else True,
            consistent_after=consistent_after,
        ),
        mock=MockPlan(faults=faults, interpretations=configuration.parse_interpretations(interpretation_pairs)),
        budget=Budget(
            requests=max_requests or budget.requests or DEFAULT_REQUESTS,
            seconds=max_time if max_time is not None else budget.seconds,
            data_points=max_data_points if max_data_points is not None else budget.data_points,
        ),
        findings=FindingPlan(
            known=memory.fingerprints,
            allowed=frozenset(clauses_named(allow)),
            fail_on=mildest(fail_on, strict=strict, baseline=memory.baseline is not None),
        ),
        seed=seed,
        phases=phases_named(phases),
        only=clauses_named(only),
        interpretations=_interpretations(interpretations_path, place.config),
        probe_rate_limit=probe_rate_limit,
        second_document=None if spec_path is None else str(_usable(spec_path)),
        examples=None if examples_path is None else str(examples_path),
        reproduce=reproduce_line("tracksync", "fuzz", seed=seed),
    )
    if plan.examples is None:
        plan = replace(plan, examples=plan.default_examples)
    from tracksync.cli.recording import recorder

    if record_probes and record_path is None:
        raise UsageError("--record-probes needs --record DIR, the directory for the cassettes")
    recording = recorder(record_path, plan, every_probe=record_probes)
    if not plan.target.embedded:
        return run_nightly(plan, target, journal_path, outputs, memory, workspace.prefix, recording)
    return run(
        lambda emit: fuzz(plan, emit),
        outputs=outputs,
        redactor=Redactor(environment_secrets()),
        conclude=memory.conclude,
        middleware=recording,
    )


def _shared(given: bool, place: TargetSettings) -> bool:
    """Whether other jobs may use the same rate limit; assumed of another machine, unless tracksync.toml says it."""
    configured = place.config.workspace.shared
    elsewhere = place.address != "mock" and not configuration.is_loopback(place.address)
    return given or (elsewhere if configured is None else configured)


def _usable(path: Path) -> Path:
    """`path`, if a run can use the document there. Raises ConfigError."""
    from tracksync.contract.second_document import second_document

    second_document(path)
    return path


def _interpretations(path: Path | None, config: Config) -> dict[str, str]:
    if path is not None:
        return configuration.read_interpretations(path)
    if config.interpretations is None:
        return {}
    if not config.interpretations.exists():
        file = config.interpretations
        click.echo(f"note: {file} does not exist yet; --save-interpretations {file} writes it", err=True)
        return {}
    return configuration.read_interpretations(config.interpretations)
