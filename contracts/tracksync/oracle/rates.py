"""The rate limit: what the headers of each response promise, and whether the server keeps count.

Knows one window at a time, by the reset that the server itself names; another client of the workspace may use it too.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from email.utils import parsedate_to_datetime
from functools import lru_cache
from typing import Final, TypeAlias

from msgspec import Struct
from msgspec.structs import replace

from tracksync.model.counts import WINDOW_SECONDS
from tracksync.model.exchange import Exchange
from tracksync.model.finding import Finding
from tracksync.oracle.belief import Belief, LimitedEndpoint, Settings, WindowBelief
from tracksync.values.numbers import whole_number

NAMES: Final = ("x-ratelimit-limit", "x-ratelimit-remaining", "x-ratelimit-reset")
WHERE: Final = "/response/headers/"
ENDPOINTS: Final = {str(one): one for one in LimitedEndpoint}
STATUSES: Final = frozenset({201, 400, 401, 403, 429})  # with which the documents promise the headers
OVERLOAD_LIMIT: Final = 3  # 5XX in a row over the limit: one alone may be a transient failure
# SYNC: a minute, and other workspaces have other limits; LIMITS: windows end on the clock, which hours and days do too.
_WITHIN_A_MINUTE: Final = tuple(part for part in range(1, WINDOW_SECONDS) if WINDOW_SECONDS % part == 0)
WINDOWS: Final = (WINDOW_SECONDS, 3600, 86_400, *_WITHIN_A_MINUTE)
DATE_TOLERANCE: Final = 2.0  # seconds between the Date header and the reset of one response
_NOTHING: Final[frozenset[str]] = frozenset()
_FORM: Final = frozenset({"TS-RATE-HEADERS"})
_VALUES: Final = _FORM | {"TS-RATE-LIMIT", "TS-RATE-REMAINING", "TS-RATE-RESET"}
_EXCEEDED: Final = _VALUES | {"TS-RATE-EXCEEDED"}
_OF_429: Final = _EXCEEDED | {"TS-RATE-429"}
_NO_WINDOW: Final = WindowBelief()


Windows: TypeAlias = "Mapping[LimitedEndpoint, WindowBelief]"


class RateCheck(Struct, frozen=True, gc=False):
    """What the headers of one response show: the windows after it, the clauses broken, and those it bore on."""

    windows: Windows
    findings: list[Finding]
    covered: frozenset[str]


class RateHeaders(Struct, frozen=True, gc=False):
    """The rate headers of one response, and its status."""

    limit: int
    remaining: int
    reset: int
    status: int

    @property
    def accepted(self) -> bool:
        """Whether the request counts as accepted."""
        return self.status == 201

    @property
    def failed(self) -> bool:
        """Whether the response tells of a failure of the server."""
        return self.status >= 500


class Sequel(Struct, frozen=True, gc=False):
    """A response in relation to the one before it of the same endpoint.

    `before`: the window as it was. `window`: the window of this response, new unless it has the same reset.
    `sequential`: the request was sent after that response came. `same_window`: both have the same reset.
    `straddles`: it may have been counted in the window before, and its headers written in this one.
    `alone`: no other client can have used up the window meanwhile.
    """

    before: WindowBelief
    window: WindowBelief
    sequential: bool
    same_window: bool
    straddles: bool
    alone: bool


def check_exchange(
    belief: Belief, exchange: Exchange, headers: Mapping[str, str], name: str, *, crowded: bool
) -> RateCheck:
    """What one exchange shows of the rate windows, or uses up of them.

    `headers`: of the response, by their names in small letters. `name`: of the endpoint. `crowded`: other requests of
    ours are without a response yet.
    """
    response = exchange.response
    if response is not None:
        return check_rate(belief, exchange, response.status, headers, name, crowded=crowded)
    return RateCheck(belief.windows if exchange.unreached else count_unseen(belief, name), [], _NOTHING)


def check_rate(
    belief: Belief, exchange: Exchange, status: int, headers: Mapping[str, str], name: str, *, crowded: bool
) -> RateCheck:
    """Check the rate headers of one response against the window it belongs to.

    `headers`, `name`, `crowded`: as above.
    """
    limit, remaining, reset = [whole_number(headers.get(name)) for name in NAMES]
    endpoint = ENDPOINTS.get(name)
    promised = endpoint is LimitedEndpoint.SYNC and status in STATUSES
    if not promised and headers.keys().isdisjoint(NAMES):
        counted = count_unseen(belief, name) if endpoint is None else _count_only(belief.windows, status, endpoint)
        return RateCheck(counted, [], _NOTHING)
    if endpoint is None:
        return RateCheck(count_unseen(belief, name), list(_check_form(headers, status)), _FORM)
    if limit is None or remaining is None or reset is None or status == 401:
        return RateCheck(_count_only(belief.windows, status, endpoint), list(_check_form(headers, status)), _FORM)
    shown = RateHeaders(limit, remaining, reset, status)
    return _check_values(belief, exchange, endpoint, shown, headers.get("date"), crowded=crowded)


def _check_form(headers: Mapping[str, str], status: int) -> Iterator[Finding]:
    """Each header is there and a whole number; with a 401 it may be empty."""
    for name in NAMES:
        value = headers.get(name)
        if value is None:
            text = f"the response ({status}) does not carry {name}"
            yield Finding("TS-RATE-HEADERS", text, WHERE + name, "a whole number")
        elif whole_number(value) is None and (value or status != 401):
            yield Finding("TS-RATE-HEADERS", f"{name} is not a whole number", WHERE + name, "a whole number", value)


def count_unseen(belief: Belief, name: str) -> Windows:
    """The windows after a request without a response, or to a path that may be another spelling of an endpoint."""
    endpoint, windows = ENDPOINTS.get(name), belief.windows
    for one in LimitedEndpoint if endpoint is None else [endpoint]:
        windows = _count_only(windows, 0, one)
    return windows


def _count_only(windows: Windows, status: int, endpoint: LimitedEndpoint) -> Windows:
    """The windows after a response without usable headers, whose request uses up the window all the same."""
    window = windows.get(endpoint)
    if window is None:
        return windows
    counted = replace(
        window,
        accepted=window.accepted + (status == 201),
        requests=window.requests + 1,
        unshown=window.unshown + 1,
    )
    return {**windows, endpoint: counted}


def _check_values(
    belief: Belief,
    exchange: Exchange,
    endpoint: LimitedEndpoint,
    shown: RateHeaders,
    date: str | None,
    *,
    crowded: bool,
) -> RateCheck:
    settings = belief.settings
    configured = settings.rate_limit if endpoint is LimitedEndpoint.SYNC else None
    known = belief.windows.get(endpoint)
    if known is not None and _is_next(known, shown, exchange, configured):  # the usual case, at less cost
        findings = _check_reset(exchange, date, shown.reset, settings)
        return RateCheck({**belief.windows, endpoint: _with_next(known, shown, exchange)}, findings, _VALUES)
    sequel = _sequel(belief, exchange, endpoint, shown, crowded=crowded)
    window = sequel.window
    lowest, requests, received = window.lowest, window.requests + 1, exchange.received
    counted = WindowBelief(
        shown.reset,
        lowest if lowest is not None and lowest < shown.remaining else shown.remaining,
        window.accepted + shown.accepted,
        requests,
        0,
        shown.limit - shown.remaining <= requests,
        received if received > window.last_received else window.last_received,
        window.limit or shown.limit or None,
        window.before or (shown.accepted and not sequel.straddles and shown.remaining == shown.limit),
        window.used_up or (not shown.failed and shown.remaining == 0),
        window.failures + 1 if _is_overload(shown, sequel) else 0,
    )
    exceeded = _check_exceeded(shown, sequel, counted.accepted, configured or shown.limit)
    findings = [
        *_check_limit(shown, configured, window.limit),
        *_check_reset(exchange, date, shown.reset, settings),
        *_check_order(shown, sequel),
        *_check_remaining(shown, sequel),
        *exceeded,
        *_check_429(shown, sequel),
        *_check_overload(shown, counted.failures),
    ]
    covered = _OF_429 if shown.status == 429 else _EXCEEDED if exceeded else _VALUES
    return RateCheck({**belief.windows, endpoint: counted}, findings, covered)


def _is_next(window: WindowBelief, shown: RateHeaders, exchange: Exchange, configured: int | None) -> bool:
    """Whether a request was accepted in a window in which less remains than before, and no count reaches its bound."""
    limit, remaining = shown.limit, shown.remaining
    return (
        shown.status == 201
        and shown.reset == window.reset
        and exchange.sent > window.last_received
        and not window.before
        and 0 < remaining < (window.lowest or 0)
        and remaining < limit
        and window.accepted < limit == window.limit == (configured or limit)
    )


def _with_next(window: WindowBelief, shown: RateHeaders, exchange: Exchange) -> WindowBelief:
    """The window after the response of which `_is_next` holds."""
    requests = window.requests + 1
    return WindowBelief(
        shown.reset,
        shown.remaining,
        window.accepted + 1,
        requests,
        0,
        shown.limit - shown.remaining <= requests,
        max(exchange.received, window.last_received),
        shown.limit,
        used_up=window.used_up,
    )


def _sequel(
    belief: Belief, exchange: Exchange, endpoint: LimitedEndpoint, shown: RateHeaders, *, crowded: bool
) -> Sequel:
    before = belief.windows.get(endpoint) or _NO_WINDOW
    same_window = shown.reset == before.reset
    return Sequel(
        before,
        before
        if same_window
        else WindowBelief(last_received=before.last_received, limit=before.limit, before=before.before),
        exchange.sent > before.last_received,
        same_window,
        0 < before.reset < shown.reset,
        not (crowded or belief.settings.shared),
    )


def _check_limit(shown: RateHeaders, configured: int | None, before: int | None) -> list[Finding]:
    """The limit is the workspace's: `configured`, or else the one `before`."""
    expected = configured or before
    if shown.limit >= 1 and expected in (None, shown.limit):
        return []
    hint = " (give another limit of the workspace with --rate-limit)" if configured and shown.limit > 0 else ""
    text = f"x-ratelimit-limit is {shown.limit}, not {expected or 'a positive number'}{hint}"
    return [Finding("TS-RATE-LIMIT", text, WHERE + NAMES[0], expected or 1, shown.limit)]


def _check_reset(exchange: Exchange, date: str | None, reset: int, settings: Settings) -> list[Finding]:
    """The reset is the end of the window in which the server responded; windows begin and end on the clock."""
    lengths = WINDOWS if settings.window is None else (settings.window,)
    early, late = exchange.sent - settings.clock_skew, exchange.received + settings.clock_skew
    server = _time_of(date)
    if server is not None:  # the window is one of the server's own clock
        took = max(exchange.received - exchange.sent, 0.0)
        early, late = server - DATE_TOLERANCE - took, server + DATE_TOLERANCE
    for length in lengths:
        if not reset % length and early <= reset <= late + length:
            return []
    usual = lengths[0]
    if reset % usual:
        text = f"x-ratelimit-reset {reset} is not on a clock boundary of {usual} seconds"
    else:
        text = f"x-ratelimit-reset {reset} is not the end of the window in which the response came"
    return [Finding("TS-RATE-RESET", text, WHERE + NAMES[2], int(late // usual * usual + usual), reset)]


@lru_cache(maxsize=64)
def _time_of(date: str | None) -> float | None:
    """A Date header in epoch seconds, None where it cannot be read."""
    try:
        return parsedate_to_datetime(date).timestamp() if date else None
    except ValueError:
        return None


def _check_order(shown: RateHeaders, sequel: Sequel) -> list[Finding]:
    """Of two requests one after the other, the second one's window does not end before the first one's."""
    if not (sequel.sequential and shown.reset < sequel.before.reset):
        return []
    text = f"x-ratelimit-reset went back from {sequel.before.reset} to {shown.reset}"
    return [Finding("TS-RATE-RESET", text, WHERE + NAMES[2], sequel.before.reset, shown.reset)]


def _check_remaining(shown: RateHeaders, sequel: Sequel) -> list[Finding]:
    """What remains is not more than the limit, and goes down within a window."""
    where, remaining, lowest = WHERE + NAMES[1], shown.remaining, sequel.window.lowest
    if remaining > shown.limit:
        text = f"x-ratelimit-remaining is {remaining}, of a limit of {shown.limit}"
        return [Finding("TS-RATE-REMAINING", text, where, shown.limit, remaining)]
    if sequel.same_window and sequel.sequential and lowest is not None:
        # One of the accepted requests may have been counted in the window before.
        counted = min(lowest, shown.limit - sequel.window.accepted + 1)
        most = max(counted if sequel.window.before else lowest - shown.accepted, 0)
        if remaining > most:
            verb = "did not go down" if remaining == lowest else "went up"
            text = f"x-ratelimit-remaining {verb} within one window, from {lowest} to {remaining}"
            return [Finding("TS-RATE-REMAINING", text, where, most, remaining)]
    return []


def _check_exceeded(shown: RateHeaders, sequel: Sequel, accepted: int, limit: int) -> list[Finding]:
    """No more requests are accepted in a window than the limit. `accepted`: how many were."""
    if shown.accepted and sequel.same_window and sequel.sequential and sequel.before.lowest == 0:
        text = "a request was accepted although nothing remained of the window"
    elif accepted > limit:
        text = f"{accepted} requests were accepted in one window with a limit of {limit}"
    else:
        return []
    return [Finding("TS-RATE-EXCEEDED", text, "/response/status", 429, shown.status)]


def _check_429(shown: RateHeaders, sequel: Sequel) -> list[Finding]:
    """A 429 comes only when nothing remains."""
    if shown.status != 429:
        return []
    before, remaining = sequel.before, shown.remaining
    of_window_before = sequel.straddles and (remaining >= shown.limit or not sequel.alone)
    if remaining > 0 and not of_window_before:
        text = f"a 429 came although {remaining} requests remain"
        return [Finding("TS-RATE-429", text, WHERE + NAMES[1], 0, remaining)]
    certain = sequel.same_window and sequel.sequential and before.alone and sequel.alone
    if certain and (before.lowest or 0) > before.unshown + before.before:
        text = f"a 429 came although the response before it in this window said {before.lowest} remain"
        return [Finding("TS-RATE-429", text, "/response/status", 201, 429)]
    return []


def _is_overload(shown: RateHeaders, sequel: Sequel) -> bool:
    """Whether a request over the limit was answered 5XX: the window was used up before it was sent, and still is."""
    over = sequel.same_window and sequel.sequential and sequel.before.used_up and shown.remaining == 0
    return shown.failed and over


def _check_overload(shown: RateHeaders, failures: int) -> list[Finding]:
    """The response to a request over the limit is 429. `failures`: how many in a row were 5XX; a finding once."""
    if failures != OVERLOAD_LIMIT:
        return []
    text = f"{failures} requests over the limit in a row were answered 5XX, the last one {shown.status}"
    return [Finding("TS-RATE-EXCEEDED", text, "/response/status", 429, shown.status)]
