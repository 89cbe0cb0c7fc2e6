"""The command line: one file a command, one exit code a verdict.

A command is a module here that has a click command named `command`. It is imported when it is asked for, so that
`tracksync --help` and `tracksync clauses` do not load what only `fuzz` needs. To add one: write the module, and add a
line to COMMANDS.
"""

from __future__ import annotations

import importlib
import os
import sys
import traceback
from collections.abc import Sequence
from typing import Any, Final, NoReturn

import click

from tracksync import __version__
from tracksync.cli.shared import environment_secrets
from tracksync.errors import TracksyncError
from tracksync.report.redact import Redactor
from tracksync.values.near_names import suggestion

WRONG_USE: Final = 2
INCOMPLETE: Final = 3

COMMANDS: Final[dict[str, str]] = {
    "fuzz": "Put a server to the contract: directed probes, then random sequences.",
    "mock": "Serve a mock workspace on this machine.",
    "replay": "Check recorded traffic offline, or send it again and compare.",
    "cassettes": "Hand recordings on to other tools; make the set that comes with tracksync.",
    "gate": "Put a client to the contract: run its tests against a mock.",
    "proxy": "Stand between a client and a real endpoint, and check both.",
    "race": "Show that synchronous means synchronous: many clients at once.",
    "clauses": "List the clauses of the contract, or explain one.",
    "report": "Show a result again, or compare two.",
    "clean": "Delete the test users that a killed run left behind.",
    "init": "Write tracksync.toml and a CI workflow.",
    "selfcheck": "Prove the oracle: every fault found, no lawful reading accused.",
}


class _Commands(click.Group):
    """Finds commands by name and imports them late."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        found: click.Command = importlib.import_module(f"tracksync.cli.{cmd_name}").command
        return found

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
    """Does this side of the wire keep the contract of Braze's POST /users/track/sync?

    \b
    Examples:
      tracksync fuzz                                  check the embedded mock: no key, no network
      tracksync fuzz --target http://127.0.0.1:8080   check a server
      tracksync mock --port 8080                      a workspace to develop against
      tracksync gate -- npm test                      check a client by its own tests
      tracksync clauses TS-OK-MESSAGE                 what is promised, and who says so

    \b
    Exit codes: 0 kept, 1 an error, 2 wrong use or configuration, 3 could not finish.
    """


def main(arguments: Sequence[str] | None = None) -> NoReturn:
    """Run the command line and end the process with its exit code. No traceback for what a user can mend."""
    sys.exit(_exit_code(list(sys.argv[1:] if arguments is None else arguments)))


def _exit_code(arguments: list[str]) -> int:
    try:
        code: Any = root.main(args=arguments, prog_name="tracksync", standalone_mode=False)
        sys.stdout.flush()
    except click.exceptions.Exit as stop:
        return stop.exit_code
    except click.ClickException as error:
        _say(_usage(error) + f"tracksync: error: {error.format_message()}")
        return WRONG_USE
    except TracksyncError as error:
        _say(f"tracksync: error: {error}")
        return error.exit_code
    except BrokenPipeError:
        # The reader (`head`) has enough. Python would complain at its end if standard output stayed open.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except (KeyboardInterrupt, click.Abort):
        _say("tracksync: stopped by hand")
        return INCOMPLETE
    except Exception:  # noqa: BLE001 - the last line of defence: a key may stand in the text of any exception
        _say(f"{traceback.format_exc()}tracksync: error: this is a fault of tracksync itself; please report it")
        return INCOMPLETE
    return code if isinstance(code, int) else 0


def _usage(error: click.ClickException) -> str:
    context = getattr(error, "ctx", None)
    return f"{context.get_usage()}\n" if context else ""


def _say(text: str) -> None:
    click.echo(Redactor(environment_secrets()).text(text), err=True)
