"""`tracksync gate`: runs a client's own tests against a mock, and checks every request that they make."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from tracksync import config as configuration
from tracksync.cli.shared import FILE, PATH, Outputs, environment_secrets, result_options
from tracksync.contract.clauses import UnknownClause, clause
from tracksync.errors import UsageError

if TYPE_CHECKING:
    from tracksync.gate.observe import ObserveReport

ENDPOINT_VAR: Final = "BRAZE_REST_ENDPOINT"
KEY_VAR: Final = "BRAZE_API_KEY"


@click.command("gate", context_settings={"ignore_unknown_options": False})
@click.option(
    "--scenario",
    "names",
    multiple=True,
    metavar="NAME|all",
    help="How to treat the client; repeatable.  [default: calm]",
)
@click.option("--scenario-file", "files", type=FILE, multiple=True, metavar="FILE", help="Scenarios of your own.")
@click.option("--list-scenarios", is_flag=True, help="List the scenarios and end.")
@click.option(
    "--endpoint-var",
    "endpoint_vars",
    multiple=True,
    metavar="NAME",
    help=f"Where the command finds the mock's address; repeatable.  [default: {ENDPOINT_VAR}]",
)
@click.option(
    "--key-var",
    "key_vars",
    multiple=True,
    metavar="NAME",
    help=f"Where it finds the key; repeatable.  [default: {KEY_VAR}]",
)
@click.option(
    "--endpoint-form",
    type=click.Choice(["url", "host", "sync-url"]),
    default="url",
    show_default=True,
    help="http://127.0.0.1:PORT, 127.0.0.1:PORT, or the URL with /users/track/sync.",
)
@click.option(
    "--timeout",
    type=click.FloatRange(min=0, min_open=True),
    default=600.0,
    metavar="S",
    show_default=True,
    help="Seconds that the command may take under one scenario.",
)
@click.option(
    "--port", type=click.IntRange(0, 65535), default=0, metavar="N", help="Serve on this port, not a free one."
)
@click.option("--allow", "allowed", multiple=True, metavar="CLAUSE", help="A known failure: shown, fails nothing.")
@click.option(
    "--scenario-aware",
    is_flag=True,
    help="The command reads TRACKSYNC_SCENARIO and succeeds where its client is right.",
)
@click.option(
    "--interpretation",
    "pairs",
    multiple=True,
    metavar="AMBIGUITY=NAME",
    help="Let the mock follow this interpretation; repeatable.",
)
@click.option("--seed", type=click.IntRange(min=0), default=0, metavar="N", help="For what is drawn by chance.")
@click.option("--strict", is_flag=True, help="Let warnings fail the run too.")
@click.option("--driver", is_flag=True, help="The command is an adapter that is told what to do; see docs/drive.md.")
@click.option(
    "--scripts", type=click.IntRange(min=0), metavar="N", help="With --driver: scripts drawn at random.  [default: 20]"
)
@click.option("--script", type=PATH, metavar="FILE", help="With --driver: play this script alone ('-': stdin).")
@click.option(
    "--deadline",
    type=click.FloatRange(min=0, min_open=True),
    metavar="S",
    help="With --driver: seconds that one operation may take.  [default: 10]",
)
@click.option("--baseline", type=FILE, metavar="FILE", help="With --driver: known findings, which do not fail the run.")
@click.option("--update-baseline", is_flag=True, help="With --driver: add what is new to the baseline.")
@result_options
@click.argument("words", metavar="-- COMMAND...", nargs=-1, type=click.UNPROCESSED)
def command(
    names: tuple[str, ...],
    files: tuple[Path, ...],
    list_scenarios: bool,
    endpoint_vars: tuple[str, ...],
    key_vars: tuple[str, ...],
    endpoint_form: Any,
    timeout: float,
    port: int,
    allowed: tuple[str, ...],
    scenario_aware: bool,
    pairs: tuple[str, ...],
    seed: int,
    strict: bool,
    driver: bool,
    scripts: int | None,
    script: Path | None,
    deadline: float | None,
    baseline: Path | None,
    update_baseline: bool,
    json_path: Path | None,
    junit_path: Path | None,
    html_path: Path | None,
    markdown_path: Path | None,
    words: tuple[str, ...],
) -> int:
    """Run a client's own tests against a mock, and check every request that they make.

    The command finds the mock's address and a key in environment variables. What it prints is passed through; its exit
    status is reported apart from the verdict. With --scenario it is run under trouble as well: `all` repeats it under
    every scenario, calm first.

    With --driver the command is an adapter: a small program around the client that is told on its standard input what
    to do, and reports what came of it. Each operation is tried under each behaviour of the server, then scripts drawn
    at random; --scenario names the behaviours.

    \b
    Examples:
      tracksync gate -- npm test
      tracksync gate --scenario all --junit gate.xml -- pytest tests/braze
      tracksync gate --endpoint-var BRAZE_HOST --endpoint-form host -- ./run-tests.sh
      tracksync gate --scenario rate-burst --scenario error-503 --strict -- go test ./...
      tracksync gate --driver -- node adapter.mjs
      tracksync gate --driver --scenario error-503 --scenario users-empty --scripts 0 -- ./adapter
      tracksync gate --list-scenarios

    \b
    Exit codes: 0 kept, 1 an error, or the command itself failed under calm, 2 wrong use, 3 could not finish: the
    command never called the mock, was not done in time, or is an adapter that never says hello.
    """
    from tracksync.cli.run import run
    from tracksync.gate import scenarios
    from tracksync.gate.observe import ObservePlan, observe_command
    from tracksync.mock.scenarios import catalogue, load
    from tracksync.report import Redactor

    own = {name: scenario for path in files for name, scenario in load(path).items()}
    if list_scenarios:
        _list({**(_behaviours() if driver else catalogue()), **own})
        return 0
    _check_driver(driver, scripts=scripts, script=script, deadline=deadline, baseline=baseline, update=update_baseline)
    if not words:
        raise UsageError("there is no command; write it after --, as in `tracksync gate -- npm test`")
    outputs = Outputs(json_path, junit_path, html_path, markdown_path)
    if driver:
        from tracksync.cli.driver import Wish, drive

        if scenario_aware:
            raise UsageError("--scenario-aware is about the exit status of a command; an adapter reports each outcome")
        wish = Wish(
            words=words,
            names=names,
            own=own,
            options=_again(
                ("--scenario-file", tuple(map(str, files))),
                ("--endpoint-var", endpoint_vars),
                ("--key-var", key_vars),
                ("--endpoint-form", () if endpoint_form == "url" else (endpoint_form,)),
                ("--deadline", () if deadline is None else (f"{deadline:g}",)),
                ("--interpretation", pairs),
            ),
            endpoint_vars=_variables(endpoint_vars or (ENDPOINT_VAR,)),
            key_vars=_variables(key_vars or (KEY_VAR,)),
            endpoint_form=endpoint_form,
            timeout=timeout,
            port=port,
            allowed=frozenset(_clause(id_) for id_ in allowed),
            interpretations=configuration.parse_interpretations(pairs),
            seed=seed,
            strict=strict,
            scripts=20 if scripts is None else scripts,
            script=script,
            deadline=10.0 if deadline is None else deadline,
            baseline=baseline,
            update_baseline=update_baseline,
        )
        return drive(wish, outputs)
    plan = ObservePlan(
        command=words,
        scenarios=scenarios.choose(names, own),
        endpoint_vars=_variables(endpoint_vars or (ENDPOINT_VAR,)),
        key_vars=_variables(key_vars or (KEY_VAR,)),
        endpoint_form=endpoint_form,
        timeout=timeout,
        seed=seed,
        port=port,
        strict=strict,
        aware=scenario_aware,
        allowed=frozenset(_clause(id_) for id_ in allowed),
        interpretations=configuration.parse_interpretations(pairs),
        out=sys.stderr.buffer if outputs.to_stdout else None,
    )
    reports: list[ObserveReport] = []
    code = run(
        lambda emit: reports.append(observe_command(plan, emit)),
        outputs=outputs,
        redactor=Redactor([plan.key, *environment_secrets()]),
        conclude=lambda result: result.update({"test_command": reports[0].as_json()} if reports else {}),
    )
    return code or int(bool(reports and reports[0].own_failure))


def _check_driver(driver: bool, *, update: bool, **given: Any) -> None:
    """Raise UsageError for an option that only drives."""
    only = [f"--{name}" for name, value in given.items() if value is not None]
    only += ["--update-baseline"] if update else []
    if only and not driver:
        raise UsageError(f"{' and '.join(only)} can be used with --driver only")


def _again(*given: tuple[str, tuple[str, ...]]) -> tuple[str, ...]:
    """The options that somebody has to repeat who wants to see the same."""
    return tuple(word for name, values in given for value in values for word in (name, value))


def _behaviours() -> dict[str, Any]:
    from tracksync.gate.drive import behaviours

    return dict(behaviours.catalogue())


def _list(known: dict[str, Any]) -> None:
    widest = max(map(len, known))
    for name, scenario in known.items():
        click.echo(f"{name:{widest}}  {scenario.sentence}")


def _variables(names: tuple[str, ...]) -> tuple[str, ...]:
    for name in names:
        if not name or "=" in name or "\0" in name:
            raise UsageError(f"{name!r} cannot be the name of an environment variable")
    return names


def _clause(id_: str) -> str:
    try:
        return clause(id_).id
    except UnknownClause as error:
        raise UsageError(str(error)) from None
