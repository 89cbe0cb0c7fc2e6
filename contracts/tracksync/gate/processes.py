"""The command under test as a process: it is started in a group of its own and ended with all that it started.

Whatever happens, nothing that the command started is left at the end: not after a time-out, not after Ctrl-C, not when
it leaves children behind or starts them in a session of their own, and not when this process is killed.
"""

from __future__ import annotations

import os
import signal
import subprocess
import time
import uuid
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Final

from tracksync.errors import UsageError

MARK: Final = "TRACKSYNC_GATE_RUN"  # in the environment of everything that the command starts
TICK: Final = 0.02  # seconds between two looks at the process
GRACE: Final = 3.0  # seconds from a signal that can be handled to one that cannot
# A shell that waits until this process has ended, for whatever reason: then its standard input is closed.
_GUARD: Final = """
read -r _
kill -KILL -- "-$1"
grep -lsxzF -- "$2" /proc/[0-9]*/environ | while IFS=/ read -r _ _ pid _; do kill -KILL "$pid"; done
"""


class CommandProcess:
    """The command `words` with `environment` added to ours. Its standard output and error are pipes.

    `stdin` is its standard input as subprocess takes it. Raises UsageError where it cannot be started.
    """

    def __init__(self, words: Sequence[str], environment: Mapping[str, str], *, stdin: int | None = None) -> None:
        mark = uuid.uuid4().hex
        self._marked = f"{MARK}={mark}"
        try:
            self.process = subprocess.Popen(  # noqa: S603 - to run the user's command is what this is for
                list(words),
                env={**os.environ, **environment, MARK: mark},
                stdin=stdin,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                start_new_session=True,
            )
        except (OSError, ValueError) as error:
            reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
            raise UsageError(f"cannot run {words[0]!r}: {reason}; is it a program, and on PATH?") from None
        self._guard = _guard(self.process.pid, self._marked)

    def send(self, number: int) -> None:
        """Send the signal `number` to the process group."""
        with suppress(OSError):
            os.killpg(self.process.pid, number)

    def end(self, *, by_itself: bool) -> tuple[str, ...]:
        """End what is left of the command. Returns the command lines of what it had left behind."""
        try:
            return self._end(by_itself=by_itself)
        finally:
            if self._guard is not None:
                self._guard.kill()
                self._guard.communicate()

    def _end(self, *, by_itself: bool) -> tuple[str, ...]:
        left = tuple(_shown(pid) for pid in self._members() if pid != self.process.pid) if by_itself else ()
        for number in (signal.SIGTERM, signal.SIGKILL):
            self.send(number)
            for pid in self._members():
                with suppress(OSError):
                    os.kill(pid, number)
            deadline = time.monotonic() + GRACE
            while time.monotonic() < deadline:
                if self.process.poll() is not None and not self._members() and not self._alive():
                    return left
                time.sleep(TICK)
        return left

    def _alive(self) -> bool:
        """Whether the process group has a member."""
        try:
            os.killpg(self.process.pid, 0)
        except OSError:
            return False
        return True

    def _members(self) -> list[int]:
        """The ids of processes with our mark in their environment: a child in another session has it too.

        Without /proc only the process group is known.
        """
        wanted = self._marked.encode()
        found = []
        for folder in Path("/proc").glob("[0-9]*"):
            with suppress(OSError):
                if wanted in (folder / "environ").read_bytes().split(b"\0"):
                    found.append(int(folder.name))
        return found


def _guard(group: int, marked: str) -> subprocess.Popen[bytes] | None:
    """The shell that ends the process group and what is marked if this process is killed; None without a shell."""
    with suppress(OSError):
        return subprocess.Popen(  # noqa: S603 - a fixed program with a number and a mark
            ["/bin/sh", "-c", _GUARD, "guard", str(group), marked],
            env={"PATH": os.defpath},
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
    return None


def _shown(pid: int) -> str:
    with suppress(OSError):
        words = (Path("/proc") / str(pid) / "cmdline").read_bytes().split(b"\0")
        return b" ".join(words).decode("utf-8", "replace").strip()[:120]
    return f"process {pid}"
