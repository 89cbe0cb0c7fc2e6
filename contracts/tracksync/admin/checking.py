"""What the exchanges of a log broke: the oracle checks the mock, the client check its client.

It looks on demand, at what came since the last time. What has left the log by then is not checked, and
what comes after such a gap is checked without any knowledge of what came before, so that no finding rests on a guess.
"""

from __future__ import annotations

import asyncio
import time
from typing import Final

from tracksync.admin.exchange_log import Epoch, ExchangeLog, LogEntry
from tracksync.gate.client_behaviour import ClientBelief, check_client, conclude
from tracksync.model.finding import Finding
from tracksync.oracle import Belief, Settings, check
from tracksync.oracle.forgetting import after_gap

SLICE: Final = 0.02  # seconds of checking between two looks at what else is to be served
LARGEST: Final = 256 * 1024  # bytes of the bodies of an exchange that is checked
MOST_USERS: Final = 5_000  # users that are remembered; then the oracle starts anew
MOST_REMEMBERED: Final = 20_000  # exchanges of a client that are remembered; then its check starts anew
CLOCK_SKEW: Final = 5.0  # seconds


class LogChecker:
    """Checks the exchanges of `log`, whose client was given `key`."""

    def __init__(self, log: ExchangeLog, key: str, unprivileged_key: str) -> None:
        self._log, self._key, self._unprivileged_key = log, key, unprivileged_key
        self._belief = Belief.start(Settings())
        self._epoch: Epoch | None = None
        self._checked = 0  # the number of the last entry that the oracle has seen
        self._client = ClientBelief()
        self._client_epoch: Epoch | None = None
        self._client_remembers = 0
        self._clients_checked = 0  # of the entries that have ended

    async def catch_up(self) -> None:
        """Check everything that is in the log by now, and let others work in between."""
        until = self._log.handled_count
        while self.advance(until):
            await asyncio.sleep(0)

    def advance(self, until: int, seconds: float = SLICE) -> bool:
        """Check for some time; whether anything is left of the entries up to number `until`."""
        deadline = time.perf_counter() + seconds
        while time.perf_counter() < deadline:
            if not (self._check_next(until) or self._check_next_client()):
                return False
        return True

    def conclusion(self) -> tuple[Finding, ...]:
        """What only the end of the traffic shows, if this was the end: requests that were never sent again."""
        return conclude(self._client).findings

    # --- the server -----------------------------------------------------------------------------------------------
    def _check_next(self, until: int) -> bool:
        number = max(self._checked + 1, self._log.first_number)
        entry = self._log.entry(number) if number <= until else None
        if entry is None:
            return False
        gap = number != self._checked + 1
        self._checked = number
        if entry.epoch is not self._epoch:
            self._epoch = entry.epoch
            self._belief = Belief.start(_settings(entry.epoch, entry))
        elif gap or len(self._belief.users) > MOST_USERS:
            self._start_anew()
        if entry.size > LARGEST:
            entry.unchecked = "its bodies are too large"
            entry.server_findings = ()
            self._start_anew()
            return True
        result = check(self._belief, entry.as_served(self._key, self._unprivileged_key))
        self._belief = result.belief
        disturbed = entry.logged().disturbed
        entry.server_findings = () if disturbed else result.findings
        entry.covered |= frozenset() if disturbed else result.covered
        return True

    def _start_anew(self) -> None:
        self._belief = after_gap(self._belief)

    # --- the client -----------------------------------------------------------------------------------------------
    def _check_next_client(self) -> bool:
        log = self._log
        waiting = log.ended_count - self._clients_checked
        if waiting <= 0:
            return False
        if waiting > len(log.ended):
            self._forget_client()
            self._clients_checked = log.ended_count - len(log.ended)
            if not log.ended:
                return False
            waiting = len(log.ended)
        number = log.ended[len(log.ended) - waiting]
        self._clients_checked += 1
        entry = log.entry(number)
        if entry is None or entry.size > LARGEST:
            self._forget_client()
            if entry is not None:
                entry.client_findings = ()
            return True
        self._check_client(entry)
        return True

    def _check_client(self, entry: LogEntry) -> None:
        if entry.epoch is not self._client_epoch or self._client_remembers > MOST_REMEMBERED:
            self._forget_client()
            self._client_epoch = entry.epoch
        result = check_client(self._client, entry.as_seen(self._key, self._unprivileged_key))
        self._client, self._client_remembers = result.belief, self._client_remembers + 1
        entry.client_findings = result.findings
        entry.covered |= result.covered

    def _forget_client(self) -> None:
        self._client, self._client_remembers = ClientBelief(), 0


def _settings(epoch: Epoch, entry: LogEntry) -> Settings:
    return Settings(
        rate_limit=epoch.config.rate_limit,
        array_limit=epoch.config.array_limit,
        fresh=_new if epoch.empty and entry.number == epoch.first else _not_new,
        clock_skew=CLOCK_SKEW,
        window=epoch.config.window_seconds,
    )


def _new(kind: str, text: str) -> bool:
    """In an empty workspace every identifier is new but those that the server gives."""
    return kind != "braze_id"


def _not_new(kind: str, text: str) -> bool:
    return False
