"""Makes two recordings of one sequence the same text: prefix, clock, request ids, and the rate window.

The clock is moved as a whole, and with it every time that depends on it, so that rate headers, and events that were
recorded "now", can be checked as before. `generating` verifies that.
"""

from __future__ import annotations

import itertools
import random
import re
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from email.utils import format_datetime
from typing import Final

from tracksync.engine.targets import EmbeddedMock
from tracksync.generate.harmless import Namer
from tracksync.model.exchange import Exchange, header
from tracksync.values.times import read_time

EPOCH: Final = EmbeddedMock.EPOCH // 60 * 60  # when every generated cassette begins: the beginning of a minute
OURS: Final = "tscassette"  # the beginning of the prefix that replaces a run's own
APART: Final = 0.002
WINDOW: Final = 60
NOWISH: Final = 300.0  # seconds around an exchange in which a time that was not sent is the server's "now"

_RESET: Final = "x-ratelimit-reset"
_REMAINING: Final = "x-ratelimit-remaining"
_LIMIT: Final = "x-ratelimit-limit"
_ID_HEADER: Final = re.compile(r"request-?id|correlation|trace|cf-ray|amz", re.IGNORECASE)
_VOLATILE: Final = frozenset(
    """age etag via server server-timing x-runtime x-served-by x-cache x-cache-hits x-timer keep-alive alt-svc
    set-cookie nel report-to last-modified expires""".split()
)
_TIME: Final = re.compile(rb"\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(\.\d{1,9})?(Z|[+-]\d\d:?\d\d)?")
_INTEGERS_OF_PREFIX: Final = 10**6


def fixed_prefix(prefix: str) -> str:
    """The prefix that replaces a run's own: of the same length, since limits are on lengths."""
    return OURS.ljust(len(prefix), "0")[: len(prefix)]


def rename(exchanges: Sequence[Exchange], prefix: str) -> list[Exchange]:
    """The exchanges with the run's prefix replaced by the fixed one, in any case of its letters."""
    new = fixed_prefix(prefix)
    if not prefix or prefix == new:
        return list(exchanges)
    text = re.compile(re.escape(prefix.encode()), re.IGNORECASE)
    digits, new_digits = _digits(prefix), _digits(new)

    def renamed(body: bytes) -> bytes:
        return text.sub(lambda match: _like(match[0], new), body).replace(digits, new_digits)

    return [
        replace(
            one,
            request=replace(
                one.request, path=renamed(one.request.path.encode()).decode(), body=renamed(one.request.body)
            ),
            response=one.response and replace(one.response, body=renamed(one.response.body)),
        )
        for one in exchanges
    ]


def _like(found: bytes, new: str) -> bytes:
    if found.isupper():
        return new.upper().encode()
    return (new.capitalize() if found[:1].isupper() else new).encode()


def _digits(prefix: str) -> bytes:
    """What the integer identifiers of a prefix begin with."""
    return str(Namer(prefix, random.Random(0)).integer_id("any") // _INTEGERS_OF_PREFIX).encode()


def steady(exchanges: Sequence[Exchange]) -> list[Exchange]:
    """The exchanges on the fixed clock, a constant time apart; overlapping exchanges keep their distances."""
    if not exchanges:
        return []
    apart = all(a.received < b.sent for a, b in itertools.pairwise(exchanges))
    windows = _windows(exchanges)
    base = exchanges[0].sent
    moved: list[Exchange] = []
    nows: dict[bytes, float] = {}
    shifts = _shifts(exchanges)
    window = 0
    for index, one in enumerate(exchanges):
        reset = _number(one, _RESET)
        if reset in windows:
            window = windows[reset]
        if apart:
            sent = EPOCH + window * WINDOW + (2 * index + 1) * APART / 2
            received = sent + APART / 2
        else:
            sent, received = EPOCH + one.sent - base, EPOCH + one.received - base
        moved.append(_moved(one, index, sent, received, windows, shifts, nows))
    return moved


def _moved(
    one: Exchange,
    index: int,
    sent: float,
    received: float,
    windows: dict[int, int],
    shifts: dict[tuple[str, int], int],
    nows: dict[bytes, float],
) -> Exchange:
    response = one.response
    if response is None:
        return replace(one, sent=sent, received=received)
    headers: list[tuple[str, str]] = []
    for name, value in response.headers:
        lower = name.lower()
        if lower in _VOLATILE:
            continue
        if lower == "date":
            value = format_datetime(datetime.fromtimestamp(received, UTC), usegmt=True)
        elif _ID_HEADER.search(name):
            value = f"recorded-{index + 1:04d}"
        elif lower == _RESET and value.isdigit() and int(value) in windows:
            value = str(int(EPOCH) + (windows[int(value)] + 1) * WINDOW)
        elif lower == _REMAINING and value.isdigit():
            value = str(int(value) + shifts.get((one.request.path, _number(one, _RESET) or 0), 0))
        headers.append((name, value))

    def now(match: re.Match[bytes]) -> bytes:
        found = match[0]
        if found not in nows:
            instant = read_time(found.decode()).instant
            if instant is None or found in one.request.body or abs(instant / 1e6 - one.received) > NOWISH:
                return found
            nows[found] = received
        return _written(nows[found], match)

    body = _TIME.sub(now, response.body)
    return replace(one, sent=sent, received=received, response=replace(response, headers=tuple(headers), body=body))


def _written(at: float, match: re.Match[bytes]) -> bytes:
    """A time in the form of the one it replaces: as many decimals, the same offset."""
    fraction, zone = (match[1] or b"").decode(), (match[2] or b"").decode()
    moment = datetime.fromtimestamp(at, UTC)
    if zone not in ("", "Z"):
        sign = -1 if zone[0] == "-" else 1
        moment = moment.astimezone(timezone(sign * timedelta(hours=int(zone[1:3]), minutes=int(zone[-2:]))))
    between = chr(match[0][10])
    digits = f".{moment.microsecond:06d}000"[: len(fraction)] if fraction else ""
    return f"{moment:%Y-%m-%d}{between}{moment:%H:%M:%S}{digits}{zone}".encode()


def _windows(exchanges: Sequence[Exchange]) -> dict[int, int]:
    """For each reset that was shown, the number of the window that it ends, from 0."""
    shown = sorted({reset for one in exchanges if (reset := _number(one, _RESET)) is not None and reset % WINDOW == 0})
    return {reset: index for index, reset in enumerate(shown)}


def _shifts(exchanges: Sequence[Exchange]) -> dict[tuple[str, int], int]:
    """For each path and reset, what is added to `remaining`, so that the first response of a window shows limit - 1."""
    first: dict[tuple[str, int], int] = {}
    excluded: set[tuple[str, int]] = set()
    for one in exchanges:
        reset, limit, remaining = (_number(one, name) for name in (_RESET, _LIMIT, _REMAINING))
        if one.response is None or reset is None or limit is None or remaining is None:
            continue
        window = (one.request.path, reset)
        if one.response.status == 429 or remaining > limit:
            excluded.add(window)
        first.setdefault(window, limit - 1 - remaining)
    return {window: shift for window, shift in first.items() if window not in excluded and shift > 0}


def _number(one: Exchange, name: str) -> int | None:
    value = header(one.response.headers, name) if one.response else None
    return int(value) if value and value.isascii() and value.isdigit() and len(value) < 12 else None
