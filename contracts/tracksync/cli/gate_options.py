"""The options of `tracksync gate`: how they are written on the command line and in files, and what they come to."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Literal

import click

from tracksync import config as configuration
from tracksync.cli.names import INTERPRETATION, SCENARIO, Name, clauses_named, known_name
from tracksync.cli.recording import exchanges_option
from tracksync.cli.reproduce import given_options
from tracksync.cli.shared import (
    FILE,
    PATH,
    SECONDS_ABOVE_0,
    Function,
    Outputs,
    allow_option,
    fail_on_option,
    mildest,
    result_options,
    settings_option,
    strict_option,
)
from tracksync.errors import UsageError
from tracksync.model.verdict import FailOn

if TYPE_CHECKING:
    from tracksync.mock.scenarios import Scenario

ENDPOINT_VAR: Final = "BRAZE_REST_ENDPOINT"
KEY_VAR: Final = "BRAZE_API_KEY"
_EXPECTATIONS: Final = ("success", "failure", "any")


@dataclass(frozen=True, slots=True, kw_only=True)
class GateOptions:
    """The options as click read them. The properties check them, and raise UsageError."""

    names: tuple[str, ...]
    exclude: tuple[str, ...]
    files: tuple[Path, ...]
    list_scenarios: bool
    jobs: int | None
    endpoint_vars: tuple[str, ...]
    key_vars: tuple[str, ...]
    endpoint_form: Literal["url", "host", "sync-url"]
    timeout: float
    port: int
    allow: tuple[str, ...]
    scenario_aware: bool
    expect: tuple[str, ...]
    pairs: tuple[str, ...]
    seed: int
    strict: bool
    fail_on: str | None
    driver: bool
    scripts: int | None
    script: Path | None
    deadline: float | None
    baseline: Path | None
    update_baseline: bool
    exchanges_path: Path | None
    json_path: Path | None
    junit_path: Path | None
    html_path: Path | None
    markdown_path: Path | None
    words: tuple[str, ...]

    @property
    def outputs(self) -> Outputs:
        """The result files."""
        return Outputs(self.json_path, self.junit_path, self.html_path, self.markdown_path)

    @property
    def allowed(self) -> frozenset[str]:
        """The clauses whose findings are known."""
        return frozenset(clauses_named(self.allow))

    @property
    def interpretations(self) -> Mapping[str, str]:
        """The interpretations that the mock follows."""
        return configuration.parse_interpretations(self.pairs)

    @property
    def endpoint_variables(self) -> tuple[str, ...]:
        """The environment variables that hold the mock's address."""
        return _variables(self.endpoint_vars or (ENDPOINT_VAR,))

    @property
    def key_variables(self) -> tuple[str, ...]:
        """The environment variables that hold the key."""
        return _variables(self.key_vars or (KEY_VAR,))

    @property
    def fails_on(self) -> FailOn:
        """The mildest severity that fails the run."""
        known = self.baseline is not None or self.update_baseline
        return mildest(self.fail_on, strict=self.strict, baseline=known)

    @property
    def own(self) -> Mapping[str, Scenario]:
        """The user's scenarios."""
        return _own(self.files)

    def expected(self, own: Mapping[str, Scenario]) -> Mapping[str, Any]:
        """How the command is to end, by scenario; `own` are the user's. They need not be of this run."""
        return dict(_expected(pair, own) for pair in self.expect)

    def check(self) -> None:
        """Raise UsageError for options that do not go together."""
        given = {"--scripts": self.scripts, "--script": self.script, "--deadline": self.deadline}
        only = [name for name, value in given.items() if value is not None]
        if only and not self.driver:
            raise UsageError(f"{' and '.join(only)} can be used with --driver only")
        if not self.words:
            raise UsageError("there is no command; write it after --, as in `tracksync gate -- npm test`")
        if self.driver and self.scenario_aware:
            raise UsageError("--scenario-aware is about the exit status of a command; an adapter reports each outcome")
        unfit = {
            "--expect": self.expect,
            "--exclude": self.exclude,
            "--jobs": self.jobs,
            "--exchanges": self.exchanges_path,
        }
        for name, value in unfit.items():
            if self.driver and value:
                raise UsageError(f"{name} cannot be used with --driver")
        if self.port and (self.jobs or 1) > 1:
            raise UsageError("--port serves one mock at a time; leave it out, or --jobs")

    def again(self, *without: str) -> tuple[str, ...]:
        """The options to be repeated so that a finding is seen again, but not `without`."""
        return given_options("--driver", *without)


def _own(files: Iterable[Path]) -> Mapping[str, Scenario]:
    """The scenarios in `files`. Raises ConfigError."""
    from tracksync.mock.scenarios import load

    return {name: scenario for path in files for name, scenario in load(path).items()}


def _expected(pair: str, own: Mapping[str, Scenario]) -> tuple[str, str]:
    """Scenario and end from `SCENARIO=END`. Raises UsageError."""
    name, sign, end = pair.partition("=")
    if not sign or end not in _EXPECTATIONS:
        raise UsageError(f"--expect takes SCENARIO={'|'.join(_EXPECTATIONS)}, not {pair!r}")
    return known_name(name, [*SCENARIO.names(), *own], "scenario"), end


class _InFile(Name):
    """A name that may be one of the user's scenarios, whose file may come later on the command line."""

    def __init__(self, check: Callable[[str, Mapping[str, Scenario]], object]) -> None:
        super().__init__(SCENARIO.names, lambda _: None)
        self._check_in_file = check

    def check_in_file(self, value: str, others: Mapping[str, Any]) -> None:
        """Raise UsageError for a wrong name."""
        self._check_in_file(value, _own(others.get("files", ())))


def _check_chosen(name: str, own: Mapping[str, Scenario]) -> None:
    """Raise UsageError for what `--scenario` cannot name, with --driver or without."""
    from tracksync.gate import scenarios
    from tracksync.gate.drive import behaviours

    if name not in behaviours.everything():
        scenarios.choose((name,), own)


_CHOSEN: Final = _InFile(_check_chosen)

_OPTIONS: Final = (
    click.option(
        "--scenario",
        "names",
        type=_CHOSEN,
        multiple=True,
        metavar="NAME",
        help="How the mock treats the client: a scenario, or quick, standard, all; repeatable.  [default: normal]",
    ),
    click.option("--exclude", type=_CHOSEN, multiple=True, metavar="NAME", help="Leave out this scenario; repeatable."),
    click.option("--scenario-file", "files", type=FILE, multiple=True, metavar="FILE", help="Scenarios of your own."),
    click.option("--list-scenarios", is_flag=True, help="List the scenarios and end."),
    click.option(
        "--jobs",
        type=click.IntRange(min=1),
        metavar="N",
        help="Scenarios to run at a time, each with a mock and a port of its own.  [default: two a core, 8 at most]",
    ),
    click.option(
        "--endpoint-var",
        "endpoint_vars",
        multiple=True,
        metavar="NAME",
        help=f"The variable in which the command finds the mock's address; repeatable.  [default: {ENDPOINT_VAR}]",
    ),
    click.option(
        "--key-var",
        "key_vars",
        multiple=True,
        metavar="NAME",
        help=f"The variable in which it finds the key; repeatable.  [default: {KEY_VAR}]",
    ),
    click.option(
        "--endpoint-form",
        type=click.Choice(["url", "host", "sync-url"]),
        default="url",
        show_default=True,
        help="http://127.0.0.1:PORT, 127.0.0.1:PORT, or the URL with /users/track/sync.",
    ),
    click.option(
        "--timeout",
        type=SECONDS_ABOVE_0,
        default=600.0,
        metavar="S",
        show_default=True,
        help="Seconds that the command may take under one scenario.",
    ),
    click.option(
        "--port", type=click.IntRange(0, 65535), default=0, metavar="N", help="Serve on this port, one at a time."
    ),
    allow_option,
    click.option(
        "--expect",
        type=_InFile(_expected),
        multiple=True,
        metavar="SCENARIO=END",
        help="How the command ends under SCENARIO if all is right: success, failure, any; repeatable.",
    ),
    click.option(
        "--scenario-aware",
        is_flag=True,
        help="The command reads TRACKSYNC_SCENARIO and succeeds where its client is right.",
    ),
    click.option(
        "--interpretation",
        "pairs",
        type=INTERPRETATION,
        multiple=True,
        metavar="AMBIGUITY=NAME",
        help="Let the mock follow this interpretation; repeatable.",
    ),
    click.option("--seed", type=click.IntRange(min=0), default=0, metavar="N", help="For what is drawn by chance."),
    fail_on_option,
    strict_option,
    click.option("--baseline", type=FILE, metavar="FILE", help="Known findings, which fail nothing."),
    click.option("--update-baseline", is_flag=True, help="Add what is new to the baseline."),
    exchanges_option,
    settings_option,
    click.option("--driver", is_flag=True, help="The command is an adapter; see docs/drive.md."),
    click.option(
        "--scripts",
        type=click.IntRange(min=0),
        metavar="N",
        help="With --driver: scripts drawn at random.  [default: 20]",
    ),
    click.option("--script", type=PATH, metavar="FILE", help="With --driver: play this script alone ('-': stdin)."),
    click.option(
        "--deadline",
        type=SECONDS_ABOVE_0,
        metavar="S",
        help="With --driver: seconds that one operation may take.  [default: 10]",
    ),
    result_options,
    click.argument("words", metavar="-- COMMAND...", nargs=-1, type=click.UNPROCESSED),
)


def gate_options(function: Function) -> Function:
    """Add all options to `function`, which takes what GateOptions takes."""
    decorators: tuple[Callable[[Function], Function], ...] = _OPTIONS
    for decorate in reversed(decorators):
        function = decorate(function)
    return function


def _variables(names: tuple[str, ...]) -> tuple[str, ...]:
    for name in names:
        if not name or "=" in name or "\0" in name:
            raise UsageError(f"{name!r} cannot be the name of an environment variable")
    return names
