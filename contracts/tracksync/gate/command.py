"""Runs the command under test, hands on its output, and looks for the key in it. Knows nothing of traffic."""

from __future__ import annotations

import base64
import bisect
import math
import os
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import IO, Final, Protocol

from tracksync.gate.processes import GRACE, TICK, CommandProcess

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
    begun = time.monotonic()
    started = CommandProcess(words, environment)
    process = started.process
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
                process.wait(TICK)
    except BaseException:
        started.send(signal.SIGINT)
        with suppress(subprocess.TimeoutExpired):
            process.wait(GRACE)
        raise
    finally:
        ended = process.poll()
        stopped = time.time()
        left = started.end(by_itself=ended is not None)
        for watch in watches.values():
            watch.thread.join(GRACE)
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
