"""The command line: one module per command.

A command is a module of this package with a click command named `command`. It is imported when it is used, so that
`tracksync --help` and `tracksync clauses` do not load what only `fuzz` needs. To add one, write the module and add a
line to COMMANDS.
"""

from __future__ import annotations

import os
import sys
import traceback
from collections.abc import Sequence
from typing import Any, Final, NoReturn

import click

from tracksync import __version__
from tracksync.cli import streams
from tracksync.cli.shared import command_named, environment_secrets
from tracksync.errors import TracksyncError, about_a_file
from tracksync.report.redact import Redactor
from tracksync.values.near_names import suggestion

WRONG_USE: Final = 2
INCOMPLETE: Final = 3

COMMANDS: Final[dict[str, str]] = {
    "fuzz": "Test a server: send requests and check every response.",
    "gate": "Test a client: run its own tests against a mock and check what it sends.",
    "replay": "Check recorded traffic offline, or send it again and compare.",
    "race": "Test the order of concurrent requests.",
    "proxy": "Stand between a client and a server and check both.",
    "mock": "Serve a mock workspace on this machine.",
    "docs": "Open the documentation, without a network.",
    "clauses": "List the clauses of the contract, or explain one.",
    "spec": "Print the OpenAPI document, or compare another one with it.",
    "report": "Show a result again, or compare two.",
    "cassettes": "Export recordings for other tools; generate the cassettes of this package.",
    "init": "Write tracksync.toml and a CI workflow.",
    "config": "Check tracksync.toml; print the schemas of files for editors.",
    "completion": "Print what a shell needs to complete commands, options and names.",
    "clean": "Delete the test users that a killed run left behind.",
    "selfcheck": "Test the oracle: it must find every fault, and accept every lawful server.",
}


class _Commands(click.Group):
    """Finds a command by its name and imports it when it is used."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        return command_named(cmd_name) if cmd_name in COMMANDS else None

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        if args and args[0] not in COMMANDS and not args[0].startswith("-"):
            ctx.fail(f"there is no command {args[0]!r}; {suggestion(args[0], COMMANDS, most=1)}")
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))


@click.group(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110})
@click.version_option(__version__, prog_name="tracksync", message="%(prog)s %(version)s")
def root() -> None:
    """Test whether a server or a client keeps the contract of Braze's POST /users/track/sync.

    \b
    Examples:
      tracksync fuzz                                  test the embedded mock: no key, no network
      tracksync fuzz --target http://127.0.0.1:8080   test a server
      tracksync gate -- npm test                      test a client by its own tests
      tracksync mock --port 8080                      a workspace to develop against
      tracksync clauses TS-OK-MESSAGE                 what a clause says, and its source

    \b
    Exit codes: 0 passed, 1 failed, 2 wrong use or configuration, 3 incomplete.

    \b
    The shell completes commands, options and names after
      eval "$(tracksync completion bash)"
    """


def main(arguments: Sequence[str] | None = None) -> NoReturn:
    """Run the command line and end the process with its exit code. An error of the user has no traceback."""
    streams.make_usable()
    sys.exit(_exit_code(list(sys.argv[1:] if arguments is None else arguments)))


def _exit_code(arguments: list[str]) -> int:
    code: Any = 0
    try:
        code = root.main(args=arguments or ["--help"], prog_name="tracksync", standalone_mode=False)
        sys.stdout.flush()
    except click.exceptions.Exit as stop:
        return stop.exit_code
    except click.ClickException as error:
        _print_error(_usage(error) + f"tracksync: error: {error.format_message()}")
        return WRONG_USE
    except TracksyncError as error:
        _print_error(f"tracksync: error: {error}")
        return error.exit_code
    except BrokenPipeError:
        streams.leave_stdout()
    except SystemExit:  # of click: after a completion, or with 1, as if a run had failed, after a BrokenPipeError
        if "_TRACKSYNC_COMPLETE" in os.environ:
            raise
        streams.leave_stdout()
    except OSError as error:  # that no command foresaw: a name that is too long, a disk that is full
        if not (said := about_a_file(error)):
            return _defect()
        if error.filename is None:
            streams.leave_stdout()
        _print_error(f"tracksync: error: {said}")
        return WRONG_USE
    except (KeyboardInterrupt, click.Abort):
        _print_error("tracksync: stopped by hand")
        return INCOMPLETE
    except Exception:  # noqa: BLE001 - the text of any exception may hold a key, which has to be removed
        return _defect()
    return code if isinstance(code, int) else 0


def _defect() -> int:
    """Show the exception that is being handled. Returns the exit code."""
    _print_error(f"{traceback.format_exc()}tracksync: error: this is a defect of tracksync itself; please report it")
    return INCOMPLETE


def _usage(error: click.ClickException) -> str:
    context = getattr(error, "ctx", None)
    return f"{context.get_usage()}\n" if context else ""


def _print_error(text: str) -> None:
    click.echo(Redactor(environment_secrets()).text(text), err=True)
