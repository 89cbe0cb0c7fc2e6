"""Records a whole session as cassettes: every exchange, in the order of the responses, in pieces.

A piece is written when it is full, so that a killed session loses little. Each piece is a cassette of its own: it is
redacted, audited and checked before it is written. What the audit refuses is not written.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from tracksync.cassettes.generating import LARGEST, CassetteDirectory, generate_cassette
from tracksync.cassettes.manifest import ManifestEntry
from tracksync.cassettes.timestamps import DOCUMENTED
from tracksync.model.events import Event, ExchangeChecked, RunEnded, Skipped
from tracksync.model.exchange import Exchange
from tracksync.report.redact import Redactor

FULL: Final = 128 * 1024  # bytes of bodies after which a piece is written
MOST: Final = 200  # exchanges in a piece
_HEADERS: Final = 600  # bytes that an exchange takes beside its bodies


class SessionRecorder:
    """A consumer of a run's events that hands each on and records the exchanges.

    `name`: the file names before a number. `entry` says what is known of the endpoint.
    """

    def __init__(
        self,
        cassettes: CassetteDirectory,
        name: str,
        entry: ManifestEntry,
        redactor: Redactor,
        emit: Callable[[Event], None],
    ) -> None:
        self._cassettes, self._name, self._entry, self._redactor, self._emit = cassettes, name, entry, redactor, emit
        self._piece: list[Exchange] = []
        self._size = 0
        self._number = 0
        self.written: list[str] = []

    def __call__(self, event: Event) -> None:
        """Take in the next event and hand it on."""
        self._emit(event)  # first, so that everything is written when the end is rechecked
        match event:
            case ExchangeChecked():
                self._keep(event.exchange)
            case Skipped():
                self.cut()  # its effect is unknown: findings in a cassette that went on could be false
            case RunEnded():
                self.cut()
                self._cassettes.recheck()
                self._cassettes.close()

    def _keep(self, exchange: Exchange) -> None:
        path = exchange.request.path.partition("?")[0]
        response = exchange.response
        size = len(exchange.request.body) + (len(response.body) if response else 0) + _HEADERS
        if path not in DOCUMENTED:
            if exchange.request.method not in ("GET", "HEAD", "OPTIONS"):
                self.cut()  # the host has other endpoints that write to users
            return
        if size > LARGEST:
            self._cassettes.refused.append(
                f"a request to {path}: it has {size // 1024} KB, and {LARGEST // 1024} KB is the most"
            )
            self.cut()
            return
        if self._size + size > FULL or len(self._piece) >= MOST:
            self.cut()
        self._piece.append(exchange)
        self._size += size

    def cut(self) -> None:
        """Write the exchanges since the last piece."""
        piece, self._piece, self._size = self._piece, [], 0
        if not piece:
            return
        self._number += 1
        generated = generate_cassette(piece, self._entry, self._redactor)
        name = self._cassettes.put(f"{self._name}--{self._number:04d}.yaml", generated)
        if name:
            self.written.append(name)
        self._cassettes.close()
