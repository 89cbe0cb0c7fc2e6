"""What several commands share: options for results, names with suggestions, colours, keys from the environment."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TextIO, TypeVar

import click

from tracksync.config import FILE_NAME, KEY_ENV, UNPRIVILEGED_KEY_ENV
from tracksync.errors import TracksyncError, UsageError
from tracksync.report import files
from tracksync.report.tally import Result
from tracksync.values.near_names import suggestion

Function = TypeVar("Function", bound=Callable[..., Any])
PATH = click.Path(path_type=Path, allow_dash=True)
FILE = click.Path(path_type=Path)

# Options of several commands, so that one word means one thing in all of them.
config_option = click.option(
    "--config",
    "config_path",
    type=FILE,
    default=FILE_NAME,
    metavar="FILE",
    show_default=True,
    help="Where a live workspace is described.",
)
journal_option = click.option(
    "--journal",
    "journal_path",
    type=FILE,
    metavar="DIR",
    default=Path(".tracksync/journal"),
    show_default=True,
    help="Where the users of runs on a workspace are written down.",
)
timeout_option = click.option(
    "--timeout",
    type=click.FloatRange(min=0, min_open=True),
    default=30.0,
    metavar="S",
    show_default=True,
    help="Seconds to wait for an answer.",
)
rate_limit_option = click.option(
    "--rate-limit", type=click.IntRange(min=1), metavar="N", help="The workspace's limit, if not 500 a minute."
)
max_time_option = click.option(
    "--max-time", type=click.FloatRange(min=0, min_open=True), metavar="S", help="Stop after S seconds."
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


@dataclass(frozen=True, slots=True)
class Outputs:
    """The result files that were asked for; None where one was not. `-` is standard output."""

    json: Path | None = None
    junit: Path | None = None
    html: Path | None = None
    markdown: Path | None = None
    learn: Path | None = None

    def check(self) -> None:
        """Raise UsageError if one cannot be written. Asked before the run, which may take hours."""
        paths = [path for path, _ in self._wanted()]
        for path in paths:
            files.check_writable(path)
        named = [path.resolve() for path in paths]
        if len(named) != len(set(named)):
            raise UsageError("two results would go to the same place; name different files")

    @property
    def to_stdout(self) -> bool:
        """Whether standard output belongs to one of the results."""
        return any(str(path) == "-" for path, _ in self._wanted())

    def write(self, result: Result) -> None:
        """Write every one, also when another fails; then raise the first failure."""
        failures: list[TracksyncError] = []
        for path, render in self._wanted():
            try:
                files.write(path, render(result))
            except TracksyncError as error:
                failures.append(error)
        if failures:
            raise failures[0]

    def _wanted(self) -> list[tuple[Path, Callable[[Result], str]]]:
        wanted = [
            (self.json, _json),
            (self.junit, _junit),
            (self.html, _html),
            (self.markdown, _markdown),
            (self.learn, _learned),
        ]
        return [(path, render) for path, render in wanted if path is not None]


def _json(result: Result) -> str:
    from tracksync.report import json_result

    return json_result.render(result)


def _junit(result: Result) -> str:
    from tracksync.report import junit

    return junit.render(result)


def _html(result: Result) -> str:
    from tracksync.report import html

    return html.render(result)


def _markdown(result: Result) -> str:
    from tracksync.report import markdown

    return markdown.render(result)


def _learned(result: Result) -> str:
    from tracksync.report import interpretations

    return interpretations.render(result)


def result_options(function: Function) -> Function:
    """Adds --json, --junit, --html and --markdown as parameters `json_path`, `junit_path`, …"""
    for name, what in (
        ("markdown", "Write a summary for a GitHub job page"),
        ("html", "Write a page to read in a browser"),
        ("junit", "Write JUnit XML, one test case a clause"),
        ("json", "Write the result as JSON"),
    ):
        option = click.option(f"--{name}", f"{name}_path", type=PATH, metavar="PATH", help=f"{what} ('-': stdout).")
        function = option(function)
    return function


def known_name(name: str, names: Iterable[str] | Mapping[str, object], word: str, listing: str = "") -> str:
    """`name` if it is one of `names`. Raises UsageError that names the nearest ones."""
    known = list(names)
    if name in known:
        return name
    raise UsageError(f"there is no {word} {name!r}; {suggestion(name, known, listing)}")


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
    """Whatever the well-known variables hold: nothing that is printed or written may show it, used or not."""
    return [os.environ.get(name, "") for name in (KEY_ENV, UNPRIVILEGED_KEY_ENV)]


def wants_colour(stream: TextIO) -> bool:
    """Whether `stream` is a terminal on which colours are welcome (https://no-color.org)."""
    return is_terminal(stream) and not os.environ.get("NO_COLOR")


def is_terminal(stream: TextIO) -> bool:
    """Whether `stream` is a terminal that can redraw a line."""
    return stream.isatty() and os.environ.get("TERM") != "dumb"
