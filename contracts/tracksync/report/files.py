"""Writes report files, each as a whole or not at all. The only module of the reports that writes to the disk."""

from __future__ import annotations

import os
import stat
import sys
import tempfile
from contextlib import suppress
from pathlib import Path

from tracksync.errors import UsageError


def write(path: Path, text: str) -> None:
    """Write `text` to `path` atomically: a reader never sees half of it, and a killed run never leaves half of it.

    `-` is standard output. An existing path that is not a regular file (a pipe, /dev/stdout) is written to directly.
    Raises UsageError where the file cannot be written.
    """
    if str(path) == "-":
        sys.stdout.write(text)
        sys.stdout.flush()
        return
    try:
        if path.exists() and not path.is_file():
            path.write_text(text, encoding="utf-8")
        else:
            _replace(Path(os.path.realpath(path)), text)  # a link still points to the file
    except OSError as error:
        raise UsageError(_refused(path, error)) from None


def append(path: Path, text: str) -> None:
    """Add `text` to the file at `path`. Raises UsageError where it cannot be written."""
    try:
        with path.open("a", encoding="utf-8") as file:
            file.write(text)
    except OSError as error:
        raise UsageError(_refused(path, error)) from None


def _replace(path: Path, text: str) -> None:
    mode = stat.S_IMODE(path.stat().st_mode) if path.exists() else 0o666 & ~_umask()
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "w", encoding="utf-8", newline="\n") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        Path(name).chmod(mode)
        Path(name).replace(path)
    except BaseException:
        with suppress(OSError):
            Path(name).unlink()
        raise


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask


def check_writable(path: Path) -> None:
    """Raise UsageError if `path` cannot be written. Called before a run sends anything."""
    if str(path) == "-":
        return
    folder = Path(os.path.realpath(path)).parent
    if path.is_dir():
        raise UsageError(f"cannot write {path}: it is a directory; name a file in it")
    if not folder.is_dir():
        raise UsageError(f"cannot write {path}: there is no directory {path.parent}; create it first")
    if not os.access(path if path.exists() else folder, os.W_OK):
        raise UsageError(f"cannot write {path}: permission denied")


def _refused(path: Path, error: OSError) -> str:
    return f"cannot write {path}: {error.strerror or error}"
