"""Standard output and error that are closed, have no reader any more, or have no form for a character."""

from __future__ import annotations

import io
import os
import sys
from contextlib import suppress


def make_usable() -> None:
    """Replace what is closed by nothing, and let a character be shown as its number where it has no form."""
    while (number := os.open(os.devnull, os.O_RDWR)) <= 2:  # or the next file that is opened would be written to
        pass
    os.close(number)
    sys.stdout = sys.stdout or open(1, "w", encoding="utf-8", closefd=False)  # noqa: SIM115 - as long as the process
    sys.stderr = sys.stderr or open(2, "w", encoding="utf-8", closefd=False)  # noqa: SIM115
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


def leave_stdout() -> None:
    """Let all that is still printed go nowhere: its reader (`head`) has closed the pipe, or the disk is full.

    Python would report an error when it flushes standard output at its end.
    """
    with suppress(OSError):  # where it is none of the process but an object in it
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
