"""Writes the exchanges of a run to a file, one a line, while it goes on. A consumer of events that hands each on.

Each line is redacted as cassettes are. Where something happened that cannot be checked, a line says so: what is known
of the users ends there, in a replay too.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import IO

from tracksync.cassettes.exchange_lines import write_gap, write_line
from tracksync.cassettes.redacting import RecordingRedactor
from tracksync.cassettes.timestamps import DOCUMENTED
from tracksync.model.events import Event, ExchangeChecked, Skipped
from tracksync.report.redact import Redactor


class ExchangeRecorder:
    """Writes to `file`, which the caller opens and closes.

    `origin_of` gives scheme, host and port by the phase in which an exchange was: every origin is a workspace of its
    own.
    """

    def __init__(
        self, file: IO[bytes], origin_of: Callable[[str], str], redactor: Redactor, emit: Callable[[Event], None]
    ) -> None:
        self._file, self._origin_of, self._emit = file, origin_of, emit
        self._redactor = redactor
        self._recording = RecordingRedactor(redactor)
        self._phase = ""
        self._last = 0.0
        self.written = 0

    def __call__(self, event: Event) -> None:
        """Take in the next event and hand it on."""
        self._emit(event)
        match event:
            case ExchangeChecked():
                self._phase, self._last = event.phase, event.exchange.received
                request = event.exchange.request
                if request.path.partition("?")[0] in DOCUMENTED:
                    self._write(write_line(self._recording.exchange(event.exchange), self._origin_of(event.phase)))
                elif request.method not in ("GET", "HEAD", "OPTIONS"):
                    self._gap("a request to another endpoint, which may write to users")
            case Skipped() if self.written:
                self._gap(event.why)

    def _gap(self, why: str) -> None:
        self._write(write_gap(self._redactor.text(why), self._last, self._origin_of(self._phase)))

    def _write(self, line: bytes) -> None:
        self._file.write(line)
        self._file.flush()
        self.written += 1
