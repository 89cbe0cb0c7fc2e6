"""`tracksync gate`: runs a client's own tests against a mock, and checks every request that they make."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import click

from tracksync.cli.docs import show, shown_name
from tracksync.cli.gate_options import GateOptions, gate_options
from tracksync.cli.recording import exchange_recorder
from tracksync.cli.shared import environment_secrets
from tracksync.model.page_addresses import Subject

if TYPE_CHECKING:
    from tracksync.gate.observe import ObserveReport
    from tracksync.gate.plan import ObservePlan
    from tracksync.mock.scenarios import Scenario
    from tracksync.report.tally import Result


@click.command("gate")
@gate_options
def command(**given: Any) -> int:
    """Run a client's own tests against a mock, and check every request that they make.

    The command finds the mock's address and a key in environment variables. With --scenario it is run under faults of
    the server as well, several scenarios at a time: `quick` takes seconds, `standard` leaves out what is slow, `all` is
    every scenario. What the command prints is shown, in the order of the scenarios.

    With --driver the command is an adapter: a small program around the client that is told on its standard input what
    to do, and reports what came of it. Each operation is tried under each behaviour of the server, then scripts drawn
    at random; --scenario names the behaviours.

    Options can be settings: [gate] in tracksync.toml or [tool.tracksync.gate] in pyproject.toml, with `command` for the
    command.

    \b
    Examples:
      tracksync gate -- npm test
      tracksync gate --scenario all --junit gate.xml -- pytest tests/braze
      tracksync gate --scenario all --exclude http2 --jobs 1 -- ./run-tests.sh
      tracksync gate --scenario rate-burst --scenario error-503 --strict -- go test ./...
      tracksync gate --scenario outage --expect outage=success -- npm run test:outage
      tracksync gate --driver -- node adapter.mjs
      tracksync gate --driver --scenario error-503 --scenario users-empty --scripts 0 -- ./adapter
      tracksync gate --list-scenarios

    Exit codes: 0 passed, 1 failed: an error, or the command itself failed under normal, 2 wrong use, 3 incomplete: the
    command never called the mock, was not done in time, or is an adapter that never says hello.
    """
    options = GateOptions(**given)
    own = options.own
    if options.list_scenarios:
        _list(options, own)
        return 0
    options.check()
    if options.driver:
        from tracksync.cli.driver import drive

        return drive(options, own)
    return _observe(options, own)


def _observe(options: GateOptions, own: Mapping[str, Scenario]) -> int:
    """Run the command under every scenario. Returns the exit code."""
    from tracksync.cli.nightly import Memory
    from tracksync.cli.run import run
    from tracksync.gate.observe import observe_command
    from tracksync.gate.output import CommandOutput
    from tracksync.report import Redactor

    memory = Memory.recall(options.baseline, options.update_baseline, None, live=False)
    plan = _plan(options, own, memory.fingerprints)
    outputs = options.outputs
    redactor = Redactor([plan.key, *environment_secrets()])
    out = sys.stderr.buffer if outputs.to_stdout else sys.stdout.buffer
    names = [scenario.name for scenario in plan.scenarios]
    output = CommandOutput(names, out, sys.stderr.buffer, sys.stderr.buffer, apart=plan.jobs > 1)
    reports: list[ObserveReport] = []

    def finish(result: Result) -> None:
        if reports:
            result["test_command"] = redactor.json(reports[0].as_json())
        memory.conclude(result)

    # Every scenario has a workspace of its own.
    with exchange_recorder(options.exchanges_path, lambda phase: f"https://{phase}.gate.example", redactor) as write:
        return run(
            lambda emit: reports.append(observe_command(plan, emit, output)),
            outputs=outputs,
            redactor=redactor,
            conclude=finish,
            middleware=write,
            quiet=True,
        )


def _plan(options: GateOptions, own: Mapping[str, Scenario], known: frozenset[str]) -> ObservePlan:
    from tracksync.gate import scenarios
    from tracksync.gate.observe import default_jobs
    from tracksync.gate.plan import ObservePlan

    chosen = scenarios.choose(options.names, own, options.exclude)
    names = {scenario.name for scenario in chosen}
    excluded = [scenario.name for scenario in scenarios.choose(options.names, own) if scenario.name not in names]
    jobs = 1 if options.port else options.jobs or default_jobs()
    return ObservePlan(
        command=options.words,
        scenarios=chosen,
        excluded=excluded,
        jobs=min(jobs, len(chosen)),
        endpoint_vars=options.endpoint_variables,
        key_vars=options.key_variables,
        endpoint_form=options.endpoint_form,
        timeout=options.timeout,
        seed=options.seed,
        port=options.port,
        fail_on=options.fails_on,
        aware=options.scenario_aware,
        expected=options.expected(own),
        allowed=options.allowed,
        known=known,
        interpretations=options.interpretations,
        options=options.again("--scenario", "--exclude", "--expect"),
    )


def _list(options: GateOptions, own: Mapping[str, Scenario]) -> None:
    from tracksync.gate import scenarios
    from tracksync.gate.drive import behaviours
    from tracksync.mock.scenarios import catalogue

    known = {**(behaviours.catalogue() if options.driver else catalogue()), **own}
    widest = max(map(len, known))
    for name, scenario in known.items():
        click.echo(f"{shown_name(Subject.SCENARIO, name)}{' ' * (widest - len(name))}  {scenario.sentence}")
    if not options.driver:
        click.echo()
        for name, members in scenarios.groups().items():
            shown = "" if name == scenarios.ALL else f": {', '.join(members)}"
            show(f"{name}: {len(members)} scenarios{shown}")
