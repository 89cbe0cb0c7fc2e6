"""Makes cassettes of a whole session: everything that passes, in the order of the responses, piece by piece.

A piece is written when it is full, so that a session which is killed loses little. Each one stands alone: it is
masked, audited and checked before it is written, like a cassette of a finding. What the audit refuses is not written.
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
    """A stage in the stream of a run's events: hands each on, and keeps what was exchanged.

    `name`: what the files are called, before a number. `entry` says what is known of the endpoint.
    """

    def __init__(
        self,
        shelf: CassetteDirectory,
        name: str,
        entry: ManifestEntry,
        redactor: Redactor,
        emit: Callable[[Event], None],
    ) -> None:
        self._shelf, self._name, self._entry, self._redactor, self._emit = shelf, name, entry, redactor, emit
        self._piece: list[Exchange] = []
        self._size = 0
        self._number = 0
        self.written: list[str] = []

    def __call__(self, event: Event) -> None:
        """Take in the next event and hand it on."""
        self._emit(event)  # first, so that what is rechecked at the end is all there is
        match event:
            case ExchangeChecked():
                self._keep(event.exchange)
            case Skipped():
                self.cut()  # nobody knows what it did: a cassette that went on would accuse
            case RunEnded():
                self.cut()
                self._shelf.recheck()
                self._shelf.close()

    def _keep(self, exchange: Exchange) -> None:
        path = exchange.request.path.partition("?")[0]
        response = exchange.response
        size = len(exchange.request.body) + (len(response.body) if response else 0) + _HEADERS
        if path not in DOCUMENTED:
            if exchange.request.method not in ("GET", "HEAD", "OPTIONS"):
                self.cut()  # the host has other endpoints that write to users
            return
        if size > LARGEST:
            self._shelf.refused.append(f"a request to {path}: it has {size // 1024} KB, which no repository wants")
            self.cut()
            return
        if self._size + size > FULL or len(self._piece) >= MOST:
            self.cut()
        self._piece.append(exchange)
        self._size += size

    def cut(self) -> None:
        """Write what was kept since the last piece."""
        piece, self._piece, self._size = self._piece, [], 0
        if not piece:
            return
        self._number += 1
        generated = generate_cassette(piece, self._entry, self._redactor)
        name = self._shelf.put(f"{self._name}--{self._number:04d}.yaml", generated)
        if name:
            self.written.append(name)
        self._shelf.close()
