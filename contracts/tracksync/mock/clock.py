"""A clock that tests can advance."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Final

from tracksync.errors import UsageError

FARTHEST: Final = 10 * 366 * 24 * 3600.0  # seconds by which a clock may be advanced in all


class SteeredClock:
    """Seconds since the epoch, by `clock` and what it was advanced by."""

    def __init__(self, clock: Callable[[], float] = time.time) -> None:
        self._clock = clock
        self._advanced = 0.0

    def __call__(self) -> float:
        """The time now."""
        return self._clock() + self._advanced

    @property
    def advanced(self) -> float:
        """Seconds by which it was advanced in all."""
        return self._advanced

    def advance(self, seconds: float) -> None:
        """Go forward. Raises UsageError where `seconds` is below 0 or too many."""
        self.set_advanced(self._advanced + seconds if seconds >= 0 else -1.0)

    def set_advanced(self, seconds: float) -> None:
        """Be ahead by this in all. Raises UsageError."""
        if not 0 <= seconds <= FARTHEST:
            raise UsageError("a clock goes forward only, and ten years at most")
        self._advanced = seconds
