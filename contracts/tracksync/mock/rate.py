"""The rate window: how many requests were taken in the current one. It has no clock of its own."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from tracksync.mock import limits

# Requests a minute on the neighbours. EXPORT and DELETE name theirs; for /users/track none of our sources does.
NEIGHBOUR_LIMITS: Final = {"/users/track": 50_000, "/users/delete": 20_000, "/users/export/ids": 250}
SYNC_PATH: Final = "/users/track/sync"


@dataclass(slots=True)
class RateWindow:
    """One window of `seconds`, which begins at a multiple of that length since the epoch (LIMITS: not rolling)."""

    limit: int = limits.RATE_PER_MINUTE
    seconds: int = 60
    start: int = 0
    used: int = 0

    def roll(self, now: float) -> None:
        """Begin a new window if `now` (seconds since the epoch) is in another one than the last request was."""
        start = int(now // self.seconds) * self.seconds
        if start != self.start:
            self.start = start
            self.used = 0

    def reset_after(self, now: float) -> int:
        """The end of the window that `now` (epoch seconds) lies in."""
        return int(now // self.seconds + 1) * self.seconds

    @property
    def full(self) -> bool:
        """Whether no request is left."""
        return self.used >= self.limit

    @property
    def remaining(self) -> int:
        """How many requests are left."""
        return max(0, self.limit - self.used)

    @property
    def reset(self) -> int:
        """The end of the window in epoch seconds."""
        return self.start + self.seconds
