"""The adapter as a process: started, spoken to by lines, watched for the key, and ended with all that it started.

Knows processes and lines, and nothing of traffic. Whatever the adapter does - it never speaks, floods a stream, dies,
hangs, leaves children - a call here ends, and says what happened.
"""

from __future__ import annotations

import os
import queue
import signal
import subprocess
import threading
import time
import uuid
from collections import deque
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import IO, Any, Final

from tracksync.errors import Incomplete, UsageError
from tracksync.gate.command import MARK, end_all, key_spellings
from tracksync.gate.drive.protocol import (
    AdapterReport,
    Hello,
    ProtocolError,
    hello_message,
    read_hello,
    read_report,
    write,
)

LINE: Final = 1_000_000  # bytes; a longer line is none of the protocol
_WAITING: Final = 1000  # lines that may wait to be read; an adapter that floods us is slowed down by its pipe
_KEPT: Final = 20  # lines of standard error that a message may show
_GRACE: Final = 2.0  # seconds that an adapter has to end by itself when its standard input is closed


class Gone(Exception):
    """The adapter ended, or closed its standard output, while an outcome was owed. `how` says it in words."""

    def __init__(self, how: str) -> None:
        super().__init__(how)
        self.how = how


class Silent(Exception):
    """No outcome came in time."""


class Adapter:
    """One adapter process. `words` is the command, `environment` is added to ours, `key` is what it must not print."""

    def __init__(self, words: Sequence[str], environment: Mapping[str, str], key: str) -> None:
        self._mark = uuid.uuid4().hex
        self._asked: set[int] = set()
        self._number = 0
        self.left_behind: tuple[str, ...] = ()
        try:
            self._process = subprocess.Popen(  # noqa: S603 - to run the user's command is what this is for
                list(words),
                env={**os.environ, **environment, MARK: self._mark},
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                start_new_session=True,
            )
        except (OSError, ValueError) as error:
            reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
            raise UsageError(f"cannot run {words[0]!r}: {reason}; is it installed and on PATH?") from None
        self._lines: queue.Queue[str | None] = queue.Queue(_WAITING)
        self._closed = threading.Event()
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        assert self._process.stderr is not None
        self._stdin: IO[bytes] = self._process.stdin
        needles = key_spellings(key)
        self._out = _Lines(self._process.stdout, self._put, needles)
        self.errors: deque[str] = deque(maxlen=_KEPT)
        self._err = _Lines(self._process.stderr, self._note, needles)

    # --- talking ------------------------------------------------------------------------------------------------
    def greet(self, timeout: float) -> Hello:
        """Say hello, and wait for the adapter's. Raises NoAdapter, or Incomplete where none comes."""
        with suppress(OSError):
            self._write(hello_message())
        try:
            line = self._line(time.monotonic() + timeout)
        except Gone as gone:
            raise Incomplete(f"the adapter {gone.how} before it said hello{self.last_words()}") from None
        except Silent:
            raise Incomplete(
                f"the adapter did not say hello within {timeout:g} s; it reads a line from standard input and answers "
                f"on standard output: flush after every line{self.last_words()}"
            ) from None
        return read_hello(line)

    def ask(self, number: int, message: Mapping[str, Any]) -> None:
        """Send an operation. Raises Gone."""
        self._asked.add(number)
        try:
            self._write(message)
        except OSError:
            raise Gone(self._how()) from None

    def answer(self, until: float) -> AdapterReport:
        """The next outcome. Raises Silent at `until` (monotonic seconds), Gone, ProtocolBroken."""
        while True:
            line = self._line(until)
            self._number += 1
            try:
                report = read_report(line, self._number + 1, frozenset(self._asked))
            except ProtocolError as broken:
                raise ProtocolError(f"{broken}{self.last_words()}") from None
            if report is not None:
                self._asked.discard(report.id)
                return report

    def _write(self, message: Mapping[str, Any]) -> None:
        self._stdin.write(write(message).encode("utf-8", "replace") + b"\n")
        self._stdin.flush()

    def _line(self, until: float) -> str:
        try:
            line = self._lines.get(timeout=max(until - time.monotonic(), 0.001))
        except queue.Empty:
            raise Silent from None
        if line is None:
            self._lines.put(None)
            raise Gone(self._how())
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
        """The last line of its standard error, as a message's end."""
        time.sleep(0.02)  # what it wrote last may still be on its way
        return f"; its standard error ends with {self.errors[-1]!r}" if self.errors else ""

    # --- the end ------------------------------------------------------------------------------------------------
    @property
    def key_printed(self) -> tuple[str, ...]:
        """The streams in which the key stood."""
        streams = {"standard output": self._out, "standard error": self._err}
        return tuple(name for name, stream in streams.items() if stream.found)

    def end(self, *, kindly: bool = True) -> None:
        """End the process and everything that it started. `kindly` closes its standard input and waits a moment."""
        self._closed.set()
        with suppress(OSError):
            self._stdin.close()
        by_itself = False
        if kindly:
            with suppress(subprocess.TimeoutExpired):
                self._process.wait(_GRACE)
                by_itself = True
        self.left_behind = end_all(self._process, self._mark, by_itself=by_itself)
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
