"""The rate limit: what the headers of each answer promise, and whether the server keeps count.

Knows one window at a time, by the reset that the server itself names; another job on the workspace may use it too.
"""

from __future__ import annotations

from email.utils import parsedate_to_datetime

from msgspec.structs import replace

from tracksync.model.exchange import Exchange, Response
from tracksync.model.finding import Finding
from tracksync.oracle.belief import Belief, WindowBelief
from tracksync.oracle.request import ParsedRequest

NAMES = ("x-ratelimit-limit", "x-ratelimit-remaining", "x-ratelimit-reset")
WHERE = "/response/headers/"
LONGEST = 15  # digits: no epoch second and no limit needs more
ENDPOINTS = {"sync": 0, "track": 1, "delete": 2, "export": 3}


def check_rate(
    belief: Belief, exchange: Exchange, response: Response, parsed: ParsedRequest, *, crowded: bool
) -> tuple[Belief, list[Finding], set[str]]:
    """Hold one answer's rate headers against the window it belongs to. `crowded`: others of ours are on their way."""
    headers = {name.lower(): value for name, value in reversed(response.headers)}  # of repeated ones the first
    values = [headers.get(name) for name in NAMES]
    status = response.status
    endpoint = ENDPOINTS.get(parsed.endpoint)
    if values == [None, None, None]:
        strict = endpoint is not None and (status in (201, 400, 401, 403, 429))
        if not strict or parsed.endpoint != "sync":
            return _count_only(belief, status, endpoint), [], set()
    findings: list[Finding] = []
    for name, value in zip(NAMES, values, strict=True):
        if value is None:
            message = f"the answer ({status}) does not carry {name}"
            findings.append(Finding("TS-RATE-HEADERS", message, WHERE + name, "a whole number"))
        elif not (value.isascii() and value.isdigit() and len(value) <= LONGEST) and not (status == 401 and not value):
            message = f"{name} is no whole number"
            findings.append(Finding("TS-RATE-HEADERS", message, WHERE + name, "a whole number", value))
    if endpoint is None:
        return belief, findings, {"TS-RATE-HEADERS"}
    if findings or status == 401:
        return _count_only(belief, status, endpoint), findings, {"TS-RATE-HEADERS"}
    limit, remaining, reset = [int(value) for value in values if value is not None]
    date = headers.get("date")
    return _check_values(belief, exchange, response, endpoint, limit, remaining, reset, date, crowded)


def _count_only(belief: Belief, status: int, endpoint: int | None) -> Belief:
    """An answer without usable headers still uses up the window."""
    if endpoint is None or endpoint not in belief.windows:
        return belief
    window = belief.windows[endpoint]
    counted = replace(
        window,
        accepted=window.accepted + (status == 201),
        requests=window.requests + 1,
        unshown=window.unshown + 1,
    )
    return replace(belief, windows=belief.windows.insert(endpoint, counted))


def _check_values(
    belief: Belief,
    exchange: Exchange,
    response: Response,
    endpoint: int,
    limit: int,
    remaining: int,
    reset: int,
    date: str | None,
    crowded: bool,
) -> tuple[Belief, list[Finding], set[str]]:
    findings: list[Finding] = []
    covered = {"TS-RATE-HEADERS", "TS-RATE-LIMIT", "TS-RATE-REMAINING", "TS-RATE-RESET"}
    settings = belief.settings
    status = response.status
    window = belief.windows.get(endpoint) or WindowBelief()
    told = settings.rate_limit if endpoint == 0 else None
    expected = told or window.limit
    if limit < 1 or (expected is not None and limit != expected):
        hint = " (tell another limit of the workspace with --rate-limit)" if told and limit > 0 else ""
        message = f"x-ratelimit-limit is {limit}, not {expected or 'a positive number'}{hint}"
        findings.append(Finding("TS-RATE-LIMIT", message, WHERE + NAMES[0], expected or 1, limit))
    findings += _check_reset(exchange, date, reset, settings.window, settings.clock_skew)
    same_window = reset == window.reset
    sequential = exchange.sent > window.last_received
    if not same_window:
        if reset < window.reset and sequential:
            message = f"x-ratelimit-reset went back from {window.reset} to {reset}"
            findings.append(Finding("TS-RATE-RESET", message, WHERE + NAMES[2], window.reset, reset))
        before = window
        window = WindowBelief(last_received=window.last_received, limit=window.limit)
    else:
        before = window
    accepted = window.accepted + (status == 201)
    requests = window.requests + 1
    # Counted as it came in, and its headers written in the next window: that window is still untouched.
    straddles = not same_window and 0 < before.reset < reset
    top = limit - (status == 201 and not straddles)
    if remaining > top:
        message = f"x-ratelimit-remaining is {remaining} after a request, of a limit of {limit}"
        findings.append(Finding("TS-RATE-REMAINING", message, WHERE + NAMES[1], top, remaining))
    elif same_window and sequential and window.lowest is not None:
        highest = max(window.lowest - (status == 201), 0)
        if remaining > highest:
            verb = "did not go down" if remaining == window.lowest else "went up"
            message = f"x-ratelimit-remaining {verb} within one window, from {window.lowest} to {remaining}"
            findings.append(Finding("TS-RATE-REMAINING", message, WHERE + NAMES[1], highest, remaining))
    cap = told or limit
    if status == 201 and same_window and sequential and before.lowest == 0:
        covered.add("TS-RATE-EXCEEDED")
        message = "a request was accepted although nothing remained of the window"
        findings.append(Finding("TS-RATE-EXCEEDED", message, "/response/status", 429, status))
    elif accepted > cap:
        covered.add("TS-RATE-EXCEEDED")
        message = f"{accepted} requests were accepted in one window with a limit of {cap}"
        findings.append(Finding("TS-RATE-EXCEEDED", message, "/response/status", 429, status))
    if status == 429:
        covered |= {"TS-RATE-429", "TS-RATE-EXCEEDED"}
        untouched = remaining >= limit or crowded or settings.shared  # this answer came of the window before
        if remaining > 0 and not (straddles and untouched):
            message = f"a 429 came although {remaining} requests remain"
            findings.append(Finding("TS-RATE-429", message, WHERE + NAMES[1], 0, remaining))
        elif (
            same_window
            and sequential
            and before.alone
            and not (crowded or settings.shared)
            and (before.lowest or 0) > before.unshown
        ):
            message = f"a 429 came although the answer before it in this window said {before.lowest} remain"
            findings.append(Finding("TS-RATE-429", message, "/response/status", 201, 429))
    alone = limit - remaining <= requests
    lowest = remaining if window.lowest is None else min(window.lowest, remaining)
    updated = WindowBelief(
        reset,
        lowest,
        accepted,
        requests,
        0,
        alone,
        max(exchange.received, window.last_received),
        window.limit or (limit if limit > 0 else None),
    )
    return replace(belief, windows=belief.windows.insert(endpoint, updated)), findings, covered


def _check_reset(exchange: Exchange, date: str | None, reset: int, window: int, skew: float) -> list[Finding]:
    """The reset is the end of the clock window in which the request was answered."""
    where = WHERE + NAMES[2]
    if reset % window:
        message = f"x-ratelimit-reset {reset} is not on a clock boundary of {window} seconds"
        return [Finding("TS-RATE-RESET", message, where, reset - reset % window + window, reset)]
    early, late = exchange.sent - skew, exchange.received + skew
    if date:  # the server's own clock is the better check of its own window
        try:
            server = parsedate_to_datetime(date).timestamp()
        except ValueError:
            server = None
        if server is not None:
            took = max(exchange.received - exchange.sent, 0.0)
            early, late = server - 2.0 - took, server + 2.0
    if not early <= reset <= late + window:
        message = f"x-ratelimit-reset {reset} is not the end of the window in which the answer came"
        return [Finding("TS-RATE-RESET", message, where, int(late // window * window + window), reset)]
    return []
