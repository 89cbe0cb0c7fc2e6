"""When the next request may be sent, from the rate headers of the responses so far. Pure: the time comes in.

Other jobs use the same window. What remains is therefore believed only as far as the next request, each request of
ours is counted off at once (its response may be lost), and as many are left over as others took between two of ours.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from email.utils import parsedate_to_datetime

from tracksync.model.exchange import Response, header

WINDOW = 60  # seconds; LIMITS: windows begin on the clock minute
LONGEST_WAIT = 2 * WINDOW  # a reset further away is not believed
MARGIN = 0.05  # seconds after the reset
CLOCK_LIFETIME = 2 * WINDOW  # seconds for which what a Date header told is kept
LARGEST_RESERVE = 0.1  # of the limit


@dataclass(slots=True)
class PaceWindow:
    """One endpoint's window as last seen. `reset` is in the server's time; `reserve` is left to others."""

    remaining: int | None = None
    reset: float = 0.0
    reserve: int = 0


@dataclass(slots=True)
class Pace:
    """The rate windows of a workspace, one for each path."""

    windows: dict[str, PaceWindow] = field(default_factory=dict)
    ahead: float = 0.0  # seconds by which the server's clock is ahead of ours, at least
    _clock_read: float | None = None  # when that was seen

    def sending(self, path: str) -> None:
        """A request to `path` is about to be sent: it counts, whatever becomes of its response."""
        window = self.windows.get(path)
        if window is not None and window.remaining is not None:
            window.remaining = max(window.remaining - 1, 0)

    def read(self, path: str, response: Response | None, received: float) -> None:
        """Take in the headers of a response that came at `received`."""
        if response is None:
            return
        self._read_clock(response, received)
        limit, remaining, reset = (
            _whole(header(response.headers, f"x-ratelimit-{name}")) for name in ("limit", "remaining", "reset")
        )
        if remaining is None or reset is None:
            return
        window = self.windows.get(path)
        if window is None or window.reset != reset:
            self.windows[path] = PaceWindow(remaining, reset)
            return
        if window.remaining is not None:
            most = int((limit or 0) * LARGEST_RESERVE)
            window.reserve = max(window.reserve, min(window.remaining - remaining, most))
        window.remaining = remaining

    def _read_clock(self, response: Response, received: float) -> None:
        date = header(response.headers, "date")
        try:
            if not date:
                return
            # A Date header has whole seconds and took a while to come, so the clock is at least this far ahead. Of
            # several responses the largest such bound is the nearest one. A window is never thought over too early.
            ahead = parsedate_to_datetime(date).timestamp() - received
        except (ValueError, OverflowError):
            return
        if self._clock_read is None or ahead >= self.ahead or received - self._clock_read > CLOCK_LIFETIME:
            self.ahead, self._clock_read = ahead, received

    def wait(self, path: str, now: float) -> float:
        """Seconds until a request to `path` may be sent; 0 for at once."""
        window = self.windows.get(path)
        if window is None or window.remaining is None or window.remaining > window.reserve:
            return 0.0
        seconds = self._until(window.reset, now)
        if seconds <= 0:
            self.windows[path] = PaceWindow(reset=window.reset)
        return seconds

    def wait_after_limit(self, path: str, now: float) -> float:
        """Seconds to wait after a 429: until the reset that it named, or else until the next clock minute."""
        window = self.windows.get(path)
        seconds = self._until(window.reset, now) if window else 0.0
        if seconds > 0:
            return seconds
        server = now + self.ahead
        return WINDOW - server % WINDOW + MARGIN

    def _until(self, reset: float, now: float) -> float:
        seconds = reset - (now + self.ahead)
        return seconds + MARGIN if 0 < seconds <= LONGEST_WAIT else 0.0


def _whole(text: str | None) -> int | None:
    return int(text) if text and text.isascii() and text.isdigit() and len(text) < 12 else None
