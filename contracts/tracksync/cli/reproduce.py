"""The words of a command line that runs the running command again, for the line under a finding.

Whatever was given is repeated, so that a new option is. A key is in no option, and so in no line.
"""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from typing import Any, Final

import click
from click.core import ParameterSource

from tracksync.model.verdict import FailOn

# Where results go, what stays of a run, what is known of earlier runs, how many processes work: none of it changes
# which clauses are seen broken.
NOT_REPEATED: Final = frozenset(
    "--json --junit --html --markdown --save-interpretations --record --record-probes --exchanges --journal "
    "--baseline --update-baseline --compare-to --resume --allow --jobs --scheduler --list-scenarios".split()
)
# A baseline is not repeated, so that every finding is new then.
_AS_NEW: Final[Mapping[Any, str]] = {("--fail-on", FailOn.NEW): str(FailOn.NOTE)}
_GIVEN: Final = (ParameterSource.COMMANDLINE, ParameterSource.DEFAULT_MAP)


def given_options(*without: str) -> tuple[str, ...]:
    """The options of the running command that were given, on the command line or as settings, but not `without`.

    None where no command runs.
    """
    context = click.get_current_context(silent=True)
    words: list[str] = []
    for option in context.command.params if context else ():
        if context is None or not isinstance(option, click.Option) or not option.expose_value:
            continue
        name, value = option.opts[0], context.params[str(option.name)]
        if name in NOT_REPEATED or name in without or context.get_parameter_source(str(option.name)) not in _GIVEN:
            continue
        if option.is_flag:
            words += [name] if value else []
        else:
            for one in value if option.multiple else (value,):
                words += [name, _AS_NEW.get((name, one)) or _text(one)]
    return tuple(words)


def reproduce_line(*words: str, seed: int | None = None) -> str:
    """The line that runs the running command again: `words`, the seed, and what was given."""
    drawn = () if seed is None else ("--seed", str(seed))
    return shlex.join((*words, *drawn, *given_options("--seed")))


def _text(value: Any) -> str:
    """A value as it is written on a command line; a float with all its digits and without a needless `.0`."""
    return repr(value).removesuffix(".0") if isinstance(value, float) else str(value)
