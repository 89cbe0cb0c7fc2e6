"""What several commands share: options, result files, names and their completion, colours, keys of the environment."""

from __future__ import annotations

import importlib
import math
import os
import re
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Final, TextIO, TypeVar

import click
from click.core import ParameterSource

from tracksync import config, settings
from tracksync.cli import streams
from tracksync.cli.names import CLAUSE
from tracksync.config import FILE_NAME, KEY_ENV, UNPRIVILEGED_KEY_ENV
from tracksync.errors import ConfigError, TracksyncError, UsageError
from tracksync.model.verdict import FailOn
from tracksync.report import files
from tracksync.report.links import PageOf, no_page
from tracksync.report.tally import Result
from tracksync.report.terminal import DEFAULT_WIDTH

Function = TypeVar("Function", bound=Callable[..., Any])
PATH = click.Path(path_type=Path, allow_dash=True)
FILE = click.Path(path_type=Path)


class _Seconds(click.FloatRange):
    """A number of seconds: neither nan nor inf, which no range excludes."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """The number. Raises BadParameter."""
        made = float(super().convert(value, param, ctx))
        if not math.isfinite(made):
            self.fail(f"{value!r} is not a number of seconds.", param, ctx)
        return made


SECONDS: Final = _Seconds(min=0)
SECONDS_ABOVE_0: Final = _Seconds(min=0, min_open=True)


_CONFIG: Final = "tracksync.config_path"


def _take_settings(context: click.Context, option: click.Parameter, path: Path) -> Path:
    """Let the options that are not given have the values of the file. Raises ConfigError."""
    context.meta[_CONFIG] = path
    if context.resilient_parsing:  # the shell asks how to complete a line
        return path
    if context.get_parameter_source(str(option.name)) is ParameterSource.COMMANDLINE and not path.exists():
        raise ConfigError(f"there is no file {path}; `tracksync init` writes one")
    context.default_map = settings.read(path, str(context.command.name), context.command)
    return path


# Options of several commands. An option means the same in all of them.
_config = partial(
    click.option,
    "--config",
    "config_path",
    type=FILE,
    default=FILE_NAME,
    metavar="FILE",
    show_default=True,
    is_eager=True,
    callback=_take_settings,
)
config_option = _config(help="The settings, with the description of a live workspace.")
settings_option = _config(help="The settings.", expose_value=False)
journal_option = click.option(
    "--journal",
    "journal_path",
    type=FILE,
    metavar="DIR",
    default=Path(".tracksync/journal"),
    show_default=True,
    help="The directory of the journals of test users.",
)
timeout_option = click.option(
    "--timeout",
    type=SECONDS_ABOVE_0,
    default=30.0,
    metavar="S",
    show_default=True,
    help="Seconds to wait for a response.",
)
rate_limit_option = click.option(
    "--rate-limit",
    type=click.IntRange(min=1),
    metavar="N",
    help="The workspace's rate limit, if not 500 a minute.",
)
max_time_option = click.option("--max-time", type=SECONDS_ABOVE_0, metavar="S", help="Stop after S seconds.")
jobs_option = click.option(
    "--jobs",
    type=click.IntRange(min=1),
    default=1,
    metavar="N",
    help="Divide the work among N processes of this machine.  [default: 1]",
)
learn_option = click.option(
    "--save-interpretations",
    "learn_path",
    type=PATH,
    metavar="FILE",
    help="Write the interpretations that were seen to FILE.",
)
ca_option = click.option(
    "--ca", "ca_path", type=FILE, metavar="FILE", help="Trust the certificates in FILE, and no others."
)

allow_option = click.option(
    "--allow", multiple=True, type=CLAUSE, metavar="CLAUSE", help="A known failure: it is shown and fails nothing."
)
fail_on_option = click.option(
    "--fail-on",
    type=click.Choice([str(one) for one in FailOn]),
    help="The mildest finding that fails the run; new: any that the baseline does not list.  [default: error]",
)
strict_option = click.option("--strict", is_flag=True, help="The same as --fail-on warning.")


def mildest(fail_on: str | None, *, strict: bool, baseline: bool) -> FailOn:
    """The mildest severity that fails the run; `baseline`: there is one. Raises UsageError."""
    if fail_on is None:
        return FailOn.WARNING if strict else FailOn.ERROR
    if fail_on == FailOn.NEW and not baseline:
        raise UsageError("--fail-on new needs to know what is not new; name a file with --baseline")
    return FailOn(fail_on)


def given_by_hand() -> frozenset[str]:
    """The names of the options that stand on the command line; none where no command runs."""
    context = click.get_current_context(silent=True)
    return frozenset(
        max(one.opts, key=len)
        for one in (context.command.params if context else ())
        if context and context.get_parameter_source(str(one.name)) is ParameterSource.COMMANDLINE
    )


@dataclass(frozen=True, slots=True)
class Presentation:
    """How a command shows its result: `color` is auto, always or never; `quiet` shows the headline only."""

    color: str = "auto"
    quiet: bool = False

    def colour(self, stream: TextIO) -> bool:
        """Whether to write colours to `stream`: as the option says, else as the environment and the terminal say."""
        return wants_colour(stream) if self.color == "auto" else self.color == "always"

    def links(self, stream: TextIO) -> bool:
        """Whether `stream` can show a text that leads to an address: a terminal with colours."""
        return is_terminal(stream) and self.colour(stream)


_PRESENTATION: Final = "tracksync.presentation"
_SITE: Final = "tracksync.docs_url"
_SITE_ENV: Final = "TRACKSYNC_DOCS_URL"


def presentation() -> Presentation:
    """What `--color` and `--quiet` of the running command say; the defaults where no command runs."""
    context = click.get_current_context(silent=True)
    meta: dict[str, Any] = context.meta if context else {}
    return Presentation(**meta.get(_PRESENTATION, {}))


def docs_url() -> str:
    """Where the pages of `tracksync docs` are published, or empty: --docs-url, its variable, or the settings.

    Raises ConfigError for settings that cannot be read.
    """
    context = click.get_current_context(silent=True)
    if context is None:
        return ""
    given = str(context.meta.get(_SITE) or os.environ.get(_SITE_ENV, ""))
    path = context.meta.get(_CONFIG, Path(FILE_NAME))
    if not given and path.exists():
        given = config.load(path).docs_url or ""
    return given if re.match(config.SITE_PATTERN, given) else ""


def _keep(context: click.Context, option: click.Parameter, value: Any) -> None:
    context.meta.setdefault(_PRESENTATION, {})[str(option.name)] = value


@dataclass(frozen=True, slots=True)
class Outputs:
    """The files that a run writes; None where the option was not given. `-` is standard output.

    `page` is the module of `tracksync.report` that renders the HTML page.
    """

    json: Path | None = None
    junit: Path | None = None
    html: Path | None = None
    markdown: Path | None = None
    learn: Path | None = None
    page: str = "html"

    def check(self) -> None:
        """Raise UsageError if one cannot be written. Called before the run, which may take hours."""
        paths = [path for path, _ in self._wanted()]
        for path in paths:
            files.check_writable(path)
        named = [os.path.realpath(path) for path in paths]
        if len(named) != len(set(named)):
            raise UsageError("two results would go to the same place; name different files")

    @property
    def to_stdout(self) -> bool:
        """Whether standard output belongs to one of the results."""
        return any(str(path) == "-" for path, _ in self._wanted())

    def write(self, result: Result, page: PageOf = no_page) -> None:
        """Write every file and say so on standard error. If one fails, write the others, then raise its error.

        `page`: where the pages of names are published.
        """
        failures: list[TracksyncError] = []
        for path, module in self._wanted():
            try:
                write_result(path, _rendered(module, result, page))
            except TracksyncError as error:
                failures.append(error)
            except BrokenPipeError:
                streams.leave_stdout()
        if failures:
            raise failures[0]

    def _wanted(self) -> list[tuple[Path, str]]:
        wanted = [
            (self.json, "json_result"),
            (self.junit, "junit"),
            (self.html, self.page),
            (self.markdown, "markdown"),
            (self.learn, "interpretations"),
        ]
        return [(path, module) for path, module in wanted if path is not None]


def write_result(path: Path, text: str) -> None:
    """Write `text` to `path`, and say so on standard error unless the command is quiet. Raises UsageError."""
    files.write(path, text)
    if str(path) != "-" and not presentation().quiet:
        click.echo(f"wrote {path}", err=True)


def _rendered(module: str, result: Result, page: PageOf) -> str:
    """`result` by a module of `tracksync.report`, which is imported now; those for people take `page` too."""
    render = importlib.import_module(f"tracksync.report.{module}").render
    text: str = render(result) if module in _FOR_PROGRAMS else render(result, page=page)
    return text


_FOR_PROGRAMS: Final = ("json_result", "interpretations")


def _checked_site(context: click.Context, option: click.Parameter, value: str | None) -> None:
    if value and not re.match(config.SITE_PATTERN, value):
        raise UsageError(f"--docs-url {value!r} is not an address that begins with http:// or https://")
    context.meta[_SITE] = value or ""


def presentation_options(function: Function) -> Function:
    """Adds --color, --quiet and --docs-url. They are not parameters: `presentation` and `docs_url` give them."""
    function = click.option(
        "--docs-url",
        metavar="URL",
        envvar=_SITE_ENV,
        show_envvar=True,
        expose_value=False,
        callback=_checked_site,
        help="Where the pages of `tracksync docs` are published; every output links to them.",
    )(function)
    function = click.option(
        "--quiet", "-q", is_flag=True, expose_value=False, callback=_keep, help="Show the headline only."
    )(function)
    return click.option(
        "--color",
        type=click.Choice(["auto", "always", "never"]),
        default="auto",
        expose_value=False,
        callback=_keep,
        help="Colours in the output.  [default: auto]",
    )(function)


def result_options(function: Function) -> Function:
    """Adds --json, --junit, --html and --markdown as parameters `json_path`, …, --color, --quiet and --docs-url."""
    function = presentation_options(function)
    for name, what in (
        ("markdown", "Write a summary for a GitHub job page"),
        ("html", "Write a page to read in a browser"),
        ("junit", "Write JUnit XML, one test case per clause"),
        ("json", "Write the result as JSON"),
    ):
        option = click.option(f"--{name}", f"{name}_path", type=PATH, metavar="PATH", help=f"{what} ('-': stdout).")
        function = option(function)
    return function


def command_named(name: str) -> click.Command:
    """The command with this name, which is imported now."""
    found: click.Command = importlib.import_module(f"tracksync.cli.{name}").command
    return found


def environment_key(variable: str) -> str | None:
    """The key in an environment variable; None where it is unset or empty.

    Raises UsageError for one that no header can carry; the message does not show it.
    """
    key = os.environ.get(variable, "").strip()
    if not key:
        return None
    if not (key.isascii() and key.isprintable()) or " " in key:
        raise UsageError(f"the key in {variable} has characters that an Authorization header cannot carry")
    return key


def environment_secrets() -> list[str]:
    """The keys in the well-known variables. No output may show them, whether the command uses them or not."""
    return [os.environ.get(name, "") for name in (KEY_ENV, UNPRIVILEGED_KEY_ENV)]


def wants_colour(stream: TextIO) -> bool:
    """Whether to write colours to `stream` by default: NO_COLOR and FORCE_COLOR decide, else it has to be a terminal.

    Sources: https://no-color.org and https://force-color.org
    """
    if os.environ.get("NO_COLOR"):
        return False
    return bool(os.environ.get("FORCE_COLOR")) or is_terminal(stream)


def is_terminal(stream: TextIO) -> bool:
    """Whether `stream` is a terminal that can redraw a line."""
    return stream.isatty() and os.environ.get("TERM") != "dumb"


def terminal_width(stream: TextIO) -> int:
    """The columns of the terminal that `stream` is, or of COLUMNS; a default for files and pipes."""
    if not (stream.isatty() or os.environ.get("COLUMNS")):
        return DEFAULT_WIDTH
    return shutil.get_terminal_size((DEFAULT_WIDTH, 24)).columns
