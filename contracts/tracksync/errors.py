"""The errors a user can act on. One small tree; every message says what was found, where, and what to do next.

Whoever raises one keeps secrets out of the message. The command line turns each into one line and an exit code.
"""

from __future__ import annotations


class TracksyncError(Exception):
    """The root. `exit_code` is what the command line ends with."""

    exit_code = 3


class UsageError(TracksyncError):
    """Wrong use: an unknown name, an option that does not fit, a missing key."""

    exit_code = 2


class ConfigError(UsageError):
    """A file that the user wrote is wrong: `tracksync.toml`, a interpretations file, a result that is none."""


class Incomplete(TracksyncError):
    """The run could not finish: target unreachable, budget spent before the minimum, stopped by hand."""

    exit_code = 3
