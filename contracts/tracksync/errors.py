"""The errors that a user can act on: one small tree. A message says what was found, where, and what to do next.

A message never holds a secret. The command line turns each error into one line and an exit code.
"""

from __future__ import annotations

import errno
from pathlib import Path


class TracksyncError(Exception):
    """The root. `exit_code` is what the command line ends with."""

    exit_code = 3


class UsageError(TracksyncError):
    """Wrong use: an unknown name, options that do not fit together, a missing key."""

    exit_code = 2


class MissingExtraError(UsageError):
    """An optional package is not installed; `extra` is the extra of tracksync that brings it."""

    def __init__(self, what: str, extra: str) -> None:
        super().__init__(
            f"{what} needs packages that are not installed; install tracksync with its extra {extra!r}, "
            f"as tracksync[{extra}], from where this tracksync came from"
        )


class ConfigError(UsageError):
    """A file that the user gave is wrong: `tracksync.toml`, a file of interpretations, a file that is not a result."""


def unreadable(path: Path, error: OSError | UnicodeDecodeError) -> ConfigError:
    """The error for a file that cannot be read, or holds no text."""
    if isinstance(error, UnicodeDecodeError):
        return ConfigError(f"{path} is not UTF-8 text; save it as UTF-8")
    return ConfigError(f"cannot read {path}: {error.strerror or error}")


def about_a_file(error: OSError) -> str:
    """What `error` says of a file or a disk, in a sentence that a user can act on; empty where it is of neither."""
    if error.filename is not None:
        return f"cannot use {error.filename}: {error.strerror or error}"
    return str(error.strerror) if error.errno in (errno.ENOSPC, errno.EDQUOT) else ""


class Incomplete(TracksyncError):
    """The run could not finish: the target is unreachable, or the budget was spent before the minimum."""

    exit_code = 3
