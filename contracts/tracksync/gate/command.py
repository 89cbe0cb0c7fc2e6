"""Runs the command under test in a process group of its own, hands on its output, and looks for the key in it.

Knows processes and nothing of traffic. Whatever happens, nothing that the command started is left at the end: not
after a time-out, not after Ctrl-C, not when it leaves children behind or starts them in a session of their own.
"""

from __future__ import annotations

import base64
import bisect
import math
import os
import signal
import subprocess
import threading
import time
import uuid
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Final, Protocol

from tracksync.errors import UsageError

MARK: Final = "TRACKSYNC_GATE_RUN"  # in the environment of everything that the command starts
_TICK: Final = 0.02  # seconds between two looks at the process
_GRACE: Final = 3.0  # seconds from a signal that can be handled to one that cannot
_LINES: Final = 20_000  # lines whose moment is remembered


class Sink(Protocol):
    """Where the output of a command goes."""

    def write(self, data: bytes, /) -> object:
        """Take some bytes."""
        ...

    def flush(self) -> None:
        """Pass on what was taken."""
        ...


@dataclass(frozen=True, slots=True)
class CommandEnd:
    """How the command ended.

    `status` is its exit status, None where it did not end by itself; `signal` is the name of the signal that ended it.
    `left_behind` are the command lines of processes that had to be ended after it, `stopped` is when we began with
    that (seconds since the epoch). `key_printed` names the streams in which the key stood.
    """

    status: int | None
    seconds: float
    signal: str = ""
    timed_out: bool = False
    left_behind: tuple[str, ...] = ()
    key_printed: tuple[str, ...] = ()
    stopped: float = math.inf

    @property
    def failed(self) -> bool:
        """Whether it did not end with status 0."""
        return self.status != 0

    def describe(self) -> str:
        """`exit status 1`, `did not end within 60 s`, `was ended by SIGSEGV`."""
        if self.timed_out:
            return f"did not end within {self.seconds:.0f} s"
        return f"was ended by {self.signal}" if self.signal else f"exit status {self.status}"


@dataclass(slots=True)
class Printed:
    """The lines that the command printed, with their times, to say where in its work it was."""

    moments: list[float] = field(default_factory=list)
    lines: list[str] = field(default_factory=list)

    def note(self, moment: float, line: str) -> None:
        """Remember one line."""
        if line and len(self.lines) < _LINES:
            self.moments.append(moment)
            self.lines.append(line[:200])

    def before(self, moment: float) -> str:
        """The last line that was printed before `moment`; empty where there is none."""
        place = bisect.bisect_right(self.moments, moment)
        return self.lines[place - 1] if place else ""


class _Watch:
    """Copies one stream of the command to ours, looks for the key in it, and remembers its lines."""

    def __init__(self, source: IO[bytes], sink: Sink, needles: Sequence[bytes], printed: Printed) -> None:
        self.found = False
        self._source, self._sink, self._needles, self._printed = source, sink, needles, printed
        self._tail = b""
        self._line = b""
        self._longest = max((len(needle) for needle in needles), default=1)
        self.thread = threading.Thread(target=self._run, daemon=True)
        self.thread.start()

    def _run(self) -> None:
        with suppress(OSError, ValueError):
            while chunk := os.read(self._source.fileno(), 65536):
                with suppress(OSError, ValueError):
                    self._sink.write(chunk)
                    self._sink.flush()
                self._search(chunk)

    def _search(self, chunk: bytes) -> None:
        text = (self._tail + chunk).lower()
        self.found = self.found or any(needle in text for needle in self._needles)
        self._tail = text[-self._longest :]
        *lines, self._line = (self._line + chunk).split(b"\n")
        self._line = self._line[-1000:]
        now = time.time()
        for line in lines:
            self._printed.note(now, line.decode("utf-8", "replace").strip())


def key_spellings(key: str) -> list[bytes]:
    """The forms in which a log may show the key, in lower case: itself, in base64 (also behind `user:`), in hex."""
    raw = key.encode()
    forms = [raw, raw.hex().encode()]
    for shift in range(3):
        encoded = base64.b64encode(b"\0" * shift + raw)
        forms.append(encoded[4 if shift else 0 : -4])
    return [form.lower() for form in forms]


def run_command(
    words: Sequence[str],
    environment: Mapping[str, str],
    *,
    key: str,
    timeout: float,
    out: Sink,
    err: Sink,
    tick: Callable[[], None],
    printed: Printed,
) -> CommandEnd:
    """Run `words` with `environment` added to ours until it ends; `tick` is called many times a second meanwhile.

    `timeout` is in seconds. Raises UsageError where the command cannot be started. Whatever `tick` or Ctrl-C raises is
    passed to the command as SIGINT, and raised again when nothing of the command is left.
    """
    mark = uuid.uuid4().hex
    begun = time.monotonic()
    try:
        process = subprocess.Popen(  # noqa: S603 - to run the user's command is what this is for
            list(words),
            env={**os.environ, **environment, MARK: mark},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            start_new_session=True,
        )
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        raise UsageError(f"cannot run {words[0]!r}: {reason}; is it a program, and on PATH?") from None
    assert process.stdout is not None
    assert process.stderr is not None
    needles = key_spellings(key)
    watches = {
        "standard output": _Watch(process.stdout, out, needles, printed),
        "standard error": _Watch(process.stderr, err, needles, printed),
    }
    timed_out = False
    left: tuple[str, ...] = ()
    try:
        while process.poll() is None:
            tick()
            if time.monotonic() - begun > timeout:
                timed_out = True
                break
            with suppress(subprocess.TimeoutExpired):
                process.wait(_TICK)
    except BaseException:
        _send(process.pid, signal.SIGINT)
        with suppress(subprocess.TimeoutExpired):
            process.wait(_GRACE)
        raise
    finally:
        ended = process.poll()
        stopped = time.time()
        left = end_all(process, mark, by_itself=ended is not None)
        for watch in watches.values():
            watch.thread.join(_GRACE)
        process.stdout.close()
        process.stderr.close()
    status = None if timed_out or ended is None or ended < 0 else ended
    return CommandEnd(
        status,
        time.monotonic() - begun,
        signal.Signals(-ended).name if ended is not None and ended < 0 else "",
        timed_out,
        left,
        tuple(name for name, watch in watches.items() if watch.found),
        stopped,
    )


def end_all(process: subprocess.Popen[bytes], mark: str, *, by_itself: bool) -> tuple[str, ...]:
    """End what is left of the command. Returns the command lines of what it had left behind."""
    left = tuple(_shown(pid) for pid in _marked(mark) if pid != process.pid) if by_itself else ()
    for number in (signal.SIGTERM, signal.SIGKILL):
        _send(process.pid, number)
        for pid in _marked(mark):
            with suppress(OSError):
                os.kill(pid, number)
        deadline = time.monotonic() + _GRACE
        while time.monotonic() < deadline:
            if process.poll() is not None and not _marked(mark) and not _alive(process.pid):
                return left
            time.sleep(_TICK)
    return left


def _send(group: int, number: int) -> None:
    with suppress(OSError):
        os.killpg(group, number)


def _alive(group: int) -> bool:
    try:
        os.killpg(group, 0)
    except OSError:
        return False
    return True


def _marked(mark: str) -> list[int]:
    """The ids of processes with our mark in their environment: a child in another session has it too.

    Without /proc only the process group is known.
    """
    wanted = f"{MARK}={mark}".encode()
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            if wanted in (folder / "environ").read_bytes().split(b"\0"):
                found.append(int(folder.name))
    return found


def _shown(pid: int) -> str:
    with suppress(OSError):
        words = (Path("/proc") / str(pid) / "cmdline").read_bytes().split(b"\0")
        return b" ".join(words).decode("utf-8", "replace").strip()[:120]
    return f"process {pid}"
