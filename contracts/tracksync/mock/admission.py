"""Everything that is decided before the body is read: route, method, key, permission, rate, size, media type.

Also the rate headers, since they describe the same window. Each method is one decision and raises Refused with the
refusal that the request deserves; they stand in the order of `admit`.
"""

from __future__ import annotations

from typing import Final

from tracksync.mock import limits
from tracksync.mock.call import Call, Detail, Refused, ServerPart
from tracksync.mock.rate import SYNC_PATH, RateWindow
from tracksync.model.exchange import Request, header

SUCCESS_STATUS: Final = range(200, 300)


class Admission(ServerPart):
    """Whether a request may be read."""

    def open_call(self, request: Request, now: float) -> Call:
        """The route and the rate window of a request; `now` is in seconds since the epoch."""
        self.requests += 1
        path = self.route(request)
        known = path in self.windows
        window = self.windows[path if known else SYNC_PATH]
        self.roll(window, now)
        return Call(request, now, path, window, number=self.requests, known_path=known)

    def admit(self, call: Call) -> None:
        """Raise Refused unless the request may be read."""
        call.admitted = not self.is_full(call.window)
        if self.counts_arrival(call):
            self.spend(call.window)
        if not call.known_path:
            self.refuse_path(call)
        if call.request.method != "POST":
            self.refuse_method(call)
        self.authenticate(call)
        if not call.admitted:
            self.refuse_rate(call)
        if len(call.request.body) > limits.BODY_BYTES:
            self.refuse_size(call)
        if not self.is_json(call):
            self.refuse_media(call)

    # --- route ------------------------------------------------------------------------------------------------
    def route(self, request: Request) -> str:
        """The path of the request without its query."""
        return request.path.partition("?")[0]

    def refuse_path(self, call: Call) -> None:
        """A wrong URL is answered 404 (ERRORS)."""
        raise Refused(404, Detail("No such endpoint"), message="Not Found")

    def refuse_method(self, call: Call) -> None:
        """Another method than POST: ambiguity wrong-method."""
        status = 404 if self.interpretation("wrong-method") == "not-found" else 405
        raise Refused(status, Detail("Only POST is served here"), message="Method Not Allowed")

    # --- key --------------------------------------------------------------------------------------------------
    def authenticate(self, call: Call) -> None:
        """An invalid, quoted or missing key is answered 401, one without the permission 403 (ERRORS)."""
        sent = self.key_sent(call)
        if self.is_key(call, sent, self.config.key):
            return
        if self.is_key(call, sent, self.config.unprivileged_key):
            self.refuse_permission(call)
        else:
            self.refuse_key(call, sent)

    def key_sent(self, call: Call) -> str:
        """What stands after `Bearer` in the Authorization header; the whole header under another scheme."""
        value = header(call.request.headers, "authorization") or ""
        scheme, _, key = value.partition(" ")
        return key if scheme.lower() == "bearer" else value

    def is_key(self, call: Call, sent: str, key: str) -> bool:
        """Whether the key that was sent is this key: no trimming, no unquoting, no folding, and a Bearer scheme."""
        return sent == key and (header(call.request.headers, "authorization") or "")[:7].lower() == "bearer "

    def refuse_key(self, call: Call, sent: str) -> None:
        """WIRE: the message carries the key that was sent, and there are no errors."""
        raise Refused(401, message=f"Invalid API key: {sent}", bare=True)

    def refuse_permission(self, call: Call) -> None:
        """A key without the permission is answered 403 (SYNC ERRORS)."""
        raise Refused(403, Detail("The API key lacks the permission for this endpoint"), message="Forbidden")

    # --- rate -------------------------------------------------------------------------------------------------
    def roll(self, window: RateWindow, now: float) -> None:
        """Begin a new window when the clock has reached the end of the last one."""
        window.roll(now)

    def is_full(self, window: RateWindow) -> bool:
        """Whether the window has no request left."""
        return window.full

    def spend(self, window: RateWindow) -> None:
        """Use up one request of the window."""
        window.used += 1

    def counts_arrival(self, call: Call) -> bool:
        """Ambiguity rate-counting: whether this request uses up the window as soon as it arrives."""
        return call.admitted and self.interpretation("rate-counting") == "all"

    def count_response(self, call: Call) -> None:
        """Ambiguity rate-counting: whether the request uses up the window now that it was accepted."""
        if call.status in SUCCESS_STATUS and self.interpretation("rate-counting") == "accepted-only":
            self.spend(call.window)

    def refuse_rate(self, call: Call) -> None:
        """Over the limit: 429 (LIMITS ERRORS)."""
        raise Refused(429, Detail("Rate limit exceeded"), message="Rate limit exceeded. Retry after the reset time.")

    def rate_headers(self, call: Call) -> tuple[tuple[str, str], ...]:
        """The three headers of the window, on every response; on a 401 ambiguity headers-on-401."""
        if call.status == 401 and self.interpretation("headers-on-401") == "empty":
            return (("x-ratelimit-limit", ""), ("x-ratelimit-remaining", ""), ("x-ratelimit-reset", ""))
        window = call.window
        return (
            ("x-ratelimit-limit", str(self.limit_shown(window))),
            ("x-ratelimit-remaining", str(self.remaining_shown(window))),
            ("x-ratelimit-reset", str(self.reset_shown(window))),
        )

    def limit_shown(self, window: RateWindow) -> int | str:
        """The value of x-ratelimit-limit."""
        return window.limit

    def remaining_shown(self, window: RateWindow) -> int | str:
        """The value of x-ratelimit-remaining."""
        return window.remaining

    def reset_shown(self, window: RateWindow) -> int | str:
        """The value of x-ratelimit-reset, in epoch seconds."""
        return window.reset

    # --- body -------------------------------------------------------------------------------------------------
    def refuse_size(self, call: Call) -> None:
        """A body over 4 MB: ambiguity body-size."""
        interpretation = self.interpretation("body-size")
        if interpretation != "accepted":
            raise Refused(
                413 if interpretation == "too-large" else 400,
                Detail("The body is over 4 MB"),
                message="Payload Too Large",
            )

    def is_json(self, call: Call) -> bool:
        """Whether the content type is application/json, with or without parameters."""
        value = header(call.request.headers, "content-type") or ""
        return value == "application/json" or value.partition(";")[0].strip().lower() == "application/json"

    def refuse_media(self, call: Call) -> None:
        """Another content type: ambiguity content-type."""
        interpretation = self.interpretation("content-type")
        if interpretation != "read":
            raise Refused(
                400 if interpretation == "bad-request" else 415,
                Detail("The content type must be application/json"),
                message="Unsupported Media Type",
            )
