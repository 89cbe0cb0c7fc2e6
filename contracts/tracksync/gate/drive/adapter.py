"""The adapter as a process: it is started, sends and gets lines, is ended with all that it started; it must not print
the key.

Knows processes and lines, and nothing of traffic. Whatever the adapter does (it writes nothing, or too much, ends,
hangs, leaves children), a call here returns, and says what happened.
"""

from __future__ import annotations

import os
import queue
import signal
import subprocess
import threading
import time
from collections import deque
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import IO, Any, Final

from tracksync.errors import Incomplete
from tracksync.gate.command import key_spellings
from tracksync.gate.drive.protocol import (
    AdapterReport,
    Hello,
    ProtocolError,
    hello_message,
    read_hello,
    read_report,
    write,
)
from tracksync.gate.processes import CommandProcess

LINE: Final = 1_000_000  # bytes; a longer line is not one of the protocol
_WAITING: Final = 1000  # lines that may wait to be read; an adapter that writes more is slowed down by its pipe
_LAST_LINES: Final = 20  # lines of standard error that are remembered for messages
_GRACE: Final = 2.0  # seconds that an adapter has to end by itself when its standard input is closed


class AdapterGone(Exception):
    """The adapter ended, or closed its standard output, before an outcome was there. `how` says it in words."""

    def __init__(self, how: str) -> None:
        super().__init__(how)
        self.how = how


class AdapterSilent(Exception):
    """No outcome came in time."""


class Adapter:
    """One adapter process. `words` is the command, `environment` is added to ours, `key` is what it must not print."""

    def __init__(self, words: Sequence[str], environment: Mapping[str, str], key: str) -> None:
        self._open: set[int] = set()
        self._number = 0
        self.left_behind: tuple[str, ...] = ()
        self._command = CommandProcess(words, environment, stdin=subprocess.PIPE)
        self._process = self._command.process
        self._lines: queue.Queue[str | None] = queue.Queue(_WAITING)
        self._closed = threading.Event()
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        assert self._process.stderr is not None
        self._stdin: IO[bytes] = self._process.stdin
        needles = key_spellings(key)
        self._out = _Lines(self._process.stdout, self._put, needles)
        self.errors: deque[str] = deque(maxlen=_LAST_LINES)
        self._err = _Lines(self._process.stderr, self._note, needles)

    # --- lines ------------------------------------------------------------------------------------------------
    def greet(self, timeout: float) -> Hello:
        """Send the hello, and wait for the adapter's.

        Raises NoAdapter for what is not a hello, and Incomplete where none comes within `timeout` seconds.
        """
        with suppress(OSError):
            self._write(hello_message())
        try:
            line = self._line(time.monotonic() + timeout)
        except AdapterGone as gone:
            raise Incomplete(f"the adapter {gone.how} before it said hello{self.last_words()}") from None
        except AdapterSilent:
            raise Incomplete(
                f"the adapter did not say hello within {timeout:g} s; it reads a line from standard input and replies "
                f"on standard output: flush after every line{self.last_words()}"
            ) from None
        return read_hello(line)

    def send(self, number: int, message: Mapping[str, Any]) -> None:
        """Send operation `number`. Raises AdapterGone."""
        self._open.add(number)
        try:
            self._write(message)
        except OSError:
            raise AdapterGone(self._how()) from None

    def receive(self, until: float) -> AdapterReport:
        """The next outcome. Raises AdapterSilent at `until` (monotonic seconds), AdapterGone, ProtocolError."""
        while True:
            line = self._line(until)
            self._number += 1
            try:
                report = read_report(line, self._number + 1, frozenset(self._open))
            except ProtocolError as broken:
                raise ProtocolError(f"{broken}{self.last_words()}") from None
            if report is not None:
                self._open.discard(report.id)
                return report

    def _write(self, message: Mapping[str, Any]) -> None:
        self._stdin.write(write(message).encode("utf-8", "replace") + b"\n")
        self._stdin.flush()

    def _line(self, until: float) -> str:
        try:
            line = self._lines.get(timeout=max(until - time.monotonic(), 0.001))
        except queue.Empty:
            raise AdapterSilent from None
        if line is None:
            self._lines.put(None)
            raise AdapterGone(self._how())
        return line

    def _put(self, line: str | None) -> None:
        while not self._closed.is_set():
            with suppress(queue.Full):
                self._lines.put(line, timeout=0.2)
                return

    def _note(self, line: str | None) -> None:
        if line:
            self.errors.append(line[:300])

    def _how(self) -> str:
        with suppress(subprocess.TimeoutExpired):
            status = self._process.wait(0.5)
            return f"was ended by {signal.Signals(-status).name}" if status < 0 else f"ended with exit status {status}"
        return "closed its standard output"

    def last_words(self) -> str:
        """The last line of its standard error, as the end of a message; empty where there is none."""
        time.sleep(0.02)  # what it wrote last may still be on its way
        return f"; its standard error ends with {self.errors[-1]!r}" if self.errors else ""

    # --- the end ------------------------------------------------------------------------------------------------
    @property
    def key_printed(self) -> tuple[str, ...]:
        """The streams in which the key stood."""
        streams = {"standard output": self._out, "standard error": self._err}
        return tuple(name for name, stream in streams.items() if stream.found)

    def end(self, *, kindly: bool = True) -> None:
        """End the process and everything that it started. `kindly`: close its input first and wait a moment."""
        self._closed.set()
        with suppress(OSError):
            self._stdin.close()
        by_itself = False
        if kindly:
            with suppress(subprocess.TimeoutExpired):
                self._process.wait(_GRACE)
                by_itself = True
        self.left_behind = self._command.end(by_itself=by_itself)
        for stream in (self._out, self._err):
            stream.close()


class _Lines:
    """Reads a stream to its end in a thread, hands on its lines, and looks for the key."""

    def __init__(self, source: IO[bytes], take: Any, needles: Sequence[bytes]) -> None:
        self.found = False
        self._source, self._take, self._needles = source, take, needles
        self._longest = max(map(len, needles), default=1)
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def _run(self) -> None:
        tail = rest = b""
        with suppress(OSError, ValueError):
            while chunk := os.read(self._source.fileno(), 65536):
                text = (tail + chunk).lower()
                self.found = self.found or any(needle in text for needle in self._needles)
                tail = text[-self._longest :]
                *lines, rest = (rest + chunk).split(b"\n")
                for line in lines:
                    self._hand_on(line)
                if len(rest) > LINE:
                    self._hand_on(rest)
                    rest = b""
        if rest:
            self._hand_on(rest)
        self._take(None)

    def _hand_on(self, line: bytes) -> None:
        text = line.decode("utf-8", "replace").strip("\r")
        if text.strip():
            self._take(text)

    def close(self) -> None:
        """Let the thread end, then close the stream."""
        self._thread.join(_GRACE)
        self._source.close()
