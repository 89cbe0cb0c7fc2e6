"""The errors that a user can act on: one small tree. A message says what was found, where, and what to do next.

A message never holds a secret. The command line turns each error into one line and an exit code.
"""

from __future__ import annotations


class TracksyncError(Exception):
    """The root. `exit_code` is what the command line ends with."""

    exit_code = 3


class UsageError(TracksyncError):
    """Wrong use: an unknown name, options that do not fit together, a missing key."""

    exit_code = 2


class ConfigError(UsageError):
    """A file that the user gave is wrong: `tracksync.toml`, a file of interpretations, a file that is not a result."""


class Incomplete(TracksyncError):
    """The run could not finish: the target is unreachable, or the budget was spent before the minimum."""

    exit_code = 3
