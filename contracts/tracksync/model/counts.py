"""What exchanges that were checked add up to. Plain data that can be added, so that several processes can count."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass, field
from typing import Any, Final

from tracksync.contract.bounds import SYNC
from tracksync.model.exchange import Exchange, header

WINDOW_SECONDS: Final = 60  # SYNC LIMITS: a rate window is a clock minute, unless a workspace has another one


@dataclass(slots=True)
class Counts:
    """The sums over some exchanges.

    `requests`: those that were sent. `covered`, `broken`: in how many exchanges, by clause. `timeline`: by the
    beginning of each minute in epoch seconds, in the form of `result.schema.json`. `limited_at`: when the response
    came that showed the limit of such a minute. `last_received` in epoch seconds.
    """

    requests: int = 0
    skipped: int = 0
    data_points: int = 0
    last_received: float = 0.0
    covered: Counter[str] = field(default_factory=Counter)
    broken: Counter[str] = field(default_factory=Counter)
    timeline: dict[int, dict[str, Any]] = field(default_factory=dict)
    limited_at: dict[int, float] = field(default_factory=dict)

    def add(self, exchange: Exchange, broken: Collection[str], covered: frozenset[str], data_points: int = 0) -> bool:
        """Count one exchange; returns whether its request was sent. `broken`: the clauses, each once."""
        sent = not exchange.unreached
        if sent:
            self.requests += 1
            self.data_points += data_points
            if exchange.request.path == SYNC:
                self._on_timeline(exchange)
        if exchange.received > self.last_received:
            self.last_received = exchange.received
        if broken:
            self.broken.update(broken)
            covered = covered.union(broken)
        self.covered.update(covered)
        return sent

    def _on_timeline(self, exchange: Exchange) -> None:
        window = int(exchange.sent // WINDOW_SECONDS) * WINDOW_SECONDS
        entry = self.timeline.get(window)
        if entry is None:
            entry = self.timeline[window] = {"at": window, "requests": 0, "limited": 0, "failed": 0}
        entry["requests"] += 1
        response = exchange.response
        if response is None or response.status >= 500:
            entry["failed"] += 1
        if response is not None:
            entry["limited"] += response.status == 429
            limit = header(response.headers, "x-ratelimit-limit")
            if limit and limit.isascii() and limit.isdigit() and len(limit) < 10:
                self._show_limit(window, int(limit), exchange.received)

    def _show_limit(self, window: int, limit: int, received: float) -> None:
        """The limit of a minute is the last that was shown."""
        if received >= self.limited_at.get(window, received):
            self.timeline[window]["limit"] = limit
            self.limited_at[window] = received

    def merge(self, later: Counts) -> None:
        """Add what later exchanges add up to."""
        self.requests += later.requests
        self.skipped += later.skipped
        self.data_points += later.data_points
        self.last_received = max(self.last_received, later.last_received)
        self.covered.update(later.covered)
        self.broken.update(later.broken)
        for window, entry in later.timeline.items():
            mine = self.timeline.setdefault(window, {"at": window, "requests": 0, "limited": 0, "failed": 0})
            for name in ("requests", "limited", "failed"):
                mine[name] += entry[name]
            if "limit" in entry:
                self._show_limit(window, entry["limit"], later.limited_at[window])
