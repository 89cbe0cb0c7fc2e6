"""Faults of the rate window and its headers."""

from __future__ import annotations

from collections.abc import Callable

from tracksync.faults.registry import fault, faults, overriding, refusing, row
from tracksync.mock.call import Call, Refused
from tracksync.mock.core import Core
from tracksync.mock.rate import RateWindow

Headers = tuple[tuple[str, str], ...]


@faults("TS-RATE-HEADERS")(
    row("rate-headers-missing-on-400", "A 400 carries no rate headers.", statuses=(400,)),
    row("rate-headers-missing-on-401", "A 401 carries no rate headers.", statuses=(401,)),
    row("rate-headers-missing-on-403", "A 403 carries no rate headers.", statuses=(403,)),
    row(
        "rate-headers-missing-on-404",
        "A 404 or 405 carries no rate headers.",
        beyond="a wrong URL has no rate limit that its headers could tell",
        statuses=(404, 405),
    ),
    row("rate-headers-missing-on-429", "A 429 carries no rate headers.", statuses=(429,)),
)
def _headerless(statuses: tuple[int, ...]) -> type[Core]:
    """Leaves the rate headers out of answers with these statuses."""

    class _Headerless(Core):
        def rate_headers(self, call: Call) -> Headers:
            return () if call.status in statuses else super().rate_headers(call)

    return _Headerless


@faults("TS-RATE-RESET")(
    row(
        "limit-with-unit",
        "x-ratelimit-limit has a unit behind the number.",
        "TS-RATE-HEADERS",
        header="limit",
        value=lambda core, window: f"{window.limit}/min",
    ),
    row(
        "remaining-as-fraction",
        "x-ratelimit-remaining has a decimal point.",
        "TS-RATE-HEADERS",
        header="remaining",
        value=lambda core, window: f"{window.remaining}.0",
    ),
    row(
        "reset-as-date",
        "x-ratelimit-reset is a date.",
        "TS-RATE-HEADERS",
        "TS-RATE-RESET",
        header="reset",
        value=lambda core, window: str(core.write_time(window.reset * 1_000_000, 0)),
    ),
    row(
        "limit-shown-double",
        "x-ratelimit-limit is twice the limit.",
        "TS-RATE-LIMIT",
        header="limit",
        value=lambda core, window: 2 * window.limit,
    ),
    row(
        "limit-shown-one-more",
        "x-ratelimit-limit is one more than the limit.",
        "TS-RATE-LIMIT",
        header="limit",
        value=lambda core, window: window.limit + 1,
    ),
    row(
        "limit-changes",
        "x-ratelimit-limit halves in the course of a window.",
        "TS-RATE-LIMIT",
        header="limit",
        value=lambda core, window: window.limit if window.used < 20 else window.limit // 2,
    ),
    row(
        "limit-shown-as-remaining",
        "x-ratelimit-limit goes down with each request.",
        "TS-RATE-LIMIT",
        header="limit",
        value=lambda core, window: window.remaining,
    ),
    row(
        "remaining-stuck",
        "x-ratelimit-remaining stays where it is.",
        "TS-RATE-REMAINING",
        header="remaining",
        value=lambda core, window: window.limit - 1,
    ),
    row(
        "remaining-every-other",
        "x-ratelimit-remaining goes down with every other request.",
        "TS-RATE-REMAINING",
        header="remaining",
        value=lambda core, window: max(0, window.limit - 1 - window.used // 2),
    ),
    row(
        "remaining-rises",
        "x-ratelimit-remaining goes up.",
        "TS-RATE-REMAINING",
        header="remaining",
        value=lambda core, window: min(window.limit - 1, window.used),
    ),
    row(
        "remaining-one-more",
        "x-ratelimit-remaining is as if the request had not been.",
        "TS-RATE-REMAINING",
        beyond="LIMITS does not say whether remaining counts the request that it answers",
        header="remaining",
        value=lambda core, window: window.limit - window.used + 1,
    ),
    row(
        "remaining-negative",
        "x-ratelimit-remaining ends below zero.",
        "TS-RATE-REMAINING",
        "TS-RATE-HEADERS",
        header="remaining",
        value=lambda core, window: window.remaining - 1,
    ),
    row(
        "reset-rolling",
        "x-ratelimit-reset is a minute from now.",
        header="reset",
        value=lambda core, window: int(core.clock()) + window.seconds,
    ),
    row(
        "reset-in-milliseconds",
        "x-ratelimit-reset is in milliseconds.",
        header="reset",
        value=lambda core, window: window.reset * 1000,
    ),
    row(
        "reset-in-seconds-left",
        "x-ratelimit-reset is the number of seconds left.",
        header="reset",
        value=lambda core, window: window.reset - int(core.clock()),
    ),
    row(
        "reset-one-window-late",
        "x-ratelimit-reset is the end of the next window.",
        header="reset",
        value=lambda core, window: window.reset + window.seconds,
    ),
    row(
        "reset-in-the-past",
        "x-ratelimit-reset is the beginning of the window.",
        header="reset",
        value=lambda core, window: window.start,
    ),
    row(
        "reset-half-a-minute-off",
        "x-ratelimit-reset is half a window and a second early.",
        header="reset",
        value=lambda core, window: window.reset - window.seconds // 2 - 1,
    ),
)
def _header(header: str, value: Callable[[Core, RateWindow], int | str]) -> type[Core]:
    """Shows another value of x-ratelimit-limit, -remaining or -reset."""

    def shown(self: Core, window: RateWindow) -> int | str:
        return value(self, window)

    return type("Header", (Core,), {f"{header}_shown": shown})


# Takes another number of requests than the limit.
overriding("is_full", "TS-RATE-EXCEEDED", module=__name__)(
    row(
        "limit-one-more-accepted",
        "One request more than the limit is accepted.",
        result=lambda window: window.used > window.limit,
    ),
    row("limit-not-held", "Requests are accepted without end.", result=lambda: False),
    row(
        "limit-one-less-accepted",
        "The last request of the limit is answered 429.",
        "TS-RATE-429",
        result=lambda window: window.used >= window.limit - 1,
    ),
    row(
        "half-the-limit-accepted",
        "429 begins at half the limit.",
        "TS-RATE-429",
        result=lambda window: window.used >= window.limit // 2,
    ),
)


faults("TS-RATE-EXCEEDED", "TS-ANSWER-SERVER-ERROR", module=__name__)(
    row(
        "over-the-limit-500", "Over the limit the status is 500 with nothing remaining.", step="refuse_rate", status=500
    ),
    row(
        "over-the-limit-502", "Over the limit the status is 502 with nothing remaining.", step="refuse_rate", status=502
    ),
    row(
        "over-the-limit-403",
        "Over the limit the status is 403 with nothing remaining.",
        "TS-RATE-EXCEEDED",
        step="refuse_rate",
        status=403,
    ),
    row(
        "over-the-limit-201",
        "Over the limit the status is 201, and nothing is applied.",
        "TS-RATE-EXCEEDED",
        "TS-STATE-VISIBLE",
        step="refuse_rate",
        status=201,
        message="success",
        bare=True,
    ),
    row("over-the-limit-503", "Over the limit the response is 503.", step="refuse_rate", status=503),
)(refusing)


# --- headers --------------------------------------------------------------------------------------------------
overriding("rate_headers", "TS-RATE-HEADERS", module=__name__)(
    row("rate-headers-missing", "No response carries the rate headers.", result=lambda: ()),
    row(
        "rate-reset-header-missing",
        "x-ratelimit-reset is missing.",
        result=lambda right: tuple(one for one in right if one[0] != "x-ratelimit-reset"),
    ),
    row(
        "rate-headers-as-words-on-401",
        "The rate headers of a 401 say null.",
        when=lambda call: call.status == 401,
        result=lambda right: tuple((name, "null") for name, _ in right),
    ),
    row(
        "rate-headers-empty-on-403",
        "The rate headers are empty on a 403.",
        result=lambda right, call: tuple((name, "") for name, _ in right) if call.status == 403 else right,
    ),
)


@fault("rate-headers-wrong-after-a-401", "The rate headers are empty on the response after a 401.", "TS-RATE-HEADERS")
class _RateHeadersWrongAfterA401(Core):
    __after = False

    def rate_headers(self, call: Call) -> Headers:
        after, self.__after = self.__after, call.status == 401
        headers = super().rate_headers(call)
        return tuple((name, "") for name, _ in headers) if after else headers


# --- remaining ------------------------------------------------------------------------------------------------
@fault("remaining-not-counted-for-events", "Events do not use up the window.", "TS-RATE-REMAINING", "TS-RATE-EXCEEDED")
class _RemainingNotCountedForEvents(Core):
    def count_response(self, call: Call) -> None:
        super().count_response(call)
        if call.task is not None and call.task.section == "events" and call.window.used:
            call.window.used -= 1


@fault(
    "remaining-of-a-fresh-window-on-429",
    "A 429 says that the whole window remains.",
    "TS-RATE-429",
    "TS-RATE-REMAINING",
)
class _RemainingOfAFreshWindowOn429(Core):
    def rate_headers(self, call: Call) -> Headers:
        headers = super().rate_headers(call)
        if call.status != 429:
            return headers
        fresh = str(call.window.limit)
        return tuple((name, fresh if name == "x-ratelimit-remaining" else value) for name, value in headers)


# --- reset ----------------------------------------------------------------------------------------------------
@fault(
    "window-rolling",
    "The window begins with its first request and not at the clock's border.",
    "TS-RATE-REMAINING",
    "TS-RATE-429",
    beyond="another job on the workspace explains the same headers",
)
class _WindowRolling(Core):
    __began = 0.0

    def roll(self, window: RateWindow, now: float) -> None:
        if now - self.__began >= window.seconds:
            self.__began = now
            window.used = 0
        used = window.used
        super().roll(window, now)
        window.used = used


# --- 429 ------------------------------------------------------------------------------------------------------
@fault("early-429-now-and-then", "Every 25th request is answered 429, whatever remains.", "TS-RATE-429")
class _Early429NowAndThen(Core):
    def admit(self, call: Call) -> None:
        super().admit(call)
        if call.number % 25 == 0:
            self.refuse_rate(call)


@fault("still-429-after-the-reset", "After an exhausted window the next one begins with 429.", "TS-RATE-429")
class _Still429AfterTheReset(Core):
    __punished = 0.0

    def roll(self, window: RateWindow, now: float) -> None:
        full = self.is_full(window)
        super().roll(window, now)
        if full and not window.used:
            self.__punished = now + window.seconds / 2

    def admit(self, call: Call) -> None:
        super().admit(call)
        if call.now < self.__punished:
            self.refuse_rate(call)


@fault(
    "over-the-limit-503-now-and-then",
    "Over the limit every second status is 503 with nothing remaining.",
    "TS-RATE-EXCEEDED",
    "TS-ANSWER-SERVER-ERROR",
    beyond="one 503 alone may be a transient failure, also over the limit",
)
class _OverTheLimit503NowAndThen(Core):
    __refused = 0

    def refuse_rate(self, call: Call) -> None:
        self.__refused += 1
        if self.__refused % 2 == 0:
            raise Refused(503, message="Service Unavailable")
        super().refuse_rate(call)


@fault(
    "over-the-limit-503-for-events",
    "Over the limit an event is answered 503 with nothing remaining.",
    "TS-RATE-EXCEEDED",
    "TS-ANSWER-SERVER-ERROR",
    beyond="a run goes over the limit with one request, and waits from then on",
)
class _OverTheLimit503ForEvents(Core):
    def refuse_rate(self, call: Call) -> None:
        if b'"events"' in call.request.body:
            raise Refused(503, message="Service Unavailable")
        super().refuse_rate(call)
