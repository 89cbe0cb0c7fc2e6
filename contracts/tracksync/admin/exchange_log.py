"""The log of a served mock: the latest exchanges, in the order in which they were handled, within a bound.

It is written while a request is served, so it only notes; everything else is done on demand.
"""

from __future__ import annotations

import itertools
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any, Final, Literal

import msgspec

from tracksync.mock.app import Scope
from tracksync.mock.call import REMOVED, UNCHANGED, Call, Cut, Delivery
from tracksync.mock.config import MockConfig
from tracksync.model.exchange import Exchange, Failure, FailureKind, Request, Response
from tracksync.model.finding import Finding
from tracksync.wire.observed import Observed, observe

MOST: Final = 2_000  # exchanges
MOST_BYTES: Final = 32 * 1024 * 1024
USER_SHOWN: Final = 200  # characters of an identifier
Change = Literal["set", "removed", "unchanged", "counted"]
_STREAMS: Final = itertools.count(1)


@dataclass(frozen=True, slots=True, eq=False)
class Epoch:
    """A time in which the workspace was changed by requests only: how the mock was set up in it, and in what state.

    `empty`: it began without users. `first` is the number of the first entry in it.
    """

    config: MockConfig
    empty: bool
    first: int


class LoggedChange(msgspec.Struct, array_like=True, frozen=True):
    """What a request to /users/track/sync did: to which user, and to which cells.

    `cells`: for each its name, and whether it was set, removed, left unchanged, or counted.
    """

    braze_id: str
    created: bool
    section: str
    cells: list[tuple[str, Change]]


class LoggedExchange(msgspec.Struct, array_like=True, frozen=True):
    """What the log keeps of a request and of its response. `now` is when it was handled, in epoch seconds.
    `disturbed`: the scenario changed its response or effect.

    `cut` is the name of a `Cut`. `user`: how the request named its user, "" where it did not. `connection` names the
    connection.
    """

    method: str
    path: str
    headers: tuple[tuple[str, str], ...]
    body: bytes
    status: int
    response_headers: tuple[tuple[str, str], ...]
    response_body: bytes
    cut: str
    now: float
    applied: bool
    disturbed: bool
    connection: str
    user: str = ""
    change: LoggedChange | None = None

    @property
    def is_whole(self) -> bool:
        """Whether the mock meant to send the response whole."""
        return self.cut == Cut.NOT.name

    def exchange(self) -> Exchange:
        """The exchange in an instant, since the mock handles one request after the other."""
        response, failure = None, None
        if self.is_whole:
            response = Response(self.status, self.response_headers, self.response_body)
        else:
            kind = FailureKind.RESET if self.cut == Cut.BEFORE.name else FailureKind.TRUNCATED
            failure = Failure(kind, "the mock cut the connection")
        request = Request(self.method, self.path, self.headers, self.body)
        return Exchange(request, response, self.now, self.now, failure=failure)


_ENCODE: Final = msgspec.msgpack.Encoder().encode
_DECODE: Final = msgspec.msgpack.Decoder(LoggedExchange).decode


class LogEntry:
    """One exchange of the log. Times in seconds since the epoch, by the mock's clock.

    `number` counts from 1. `ended` is None while the response is under way. The findings are None until they were
    looked for; `unchecked` says why they never will be. The exchange is kept as one text of bytes: thousands of
    exchanges as objects would slow down everything that is served.
    """

    __slots__ = (
        *("_packed", "arrived", "client_findings", "covered", "ended", "epoch", "gave_up", "number"),
        *("server_findings", "unchecked"),
    )

    def __init__(self, number: int, packed: bytes, arrived: float, epoch: Epoch) -> None:
        self.number, self._packed, self.arrived, self.epoch = number, packed, arrived, epoch
        self.ended: float | None = None
        self.gave_up = False
        self.server_findings: tuple[Finding, ...] | None = None
        self.client_findings: tuple[Finding, ...] | None = None
        self.covered: frozenset[str] = _NONE
        self.unchecked = ""

    @property
    def size(self) -> int:
        """Bytes that the exchange takes."""
        return len(self._packed)

    def logged(self) -> LoggedExchange:
        """The exchange."""
        return _DECODE(self._packed)

    def as_served(self, key: str, unprivileged_key: str) -> Exchange:
        """The exchange as the oracle checks it.

        Of a disturbed one it gets no response: what the mock was told to do is not held against it.
        """
        logged = self.logged()
        exchange = logged.exchange()
        if logged.disturbed and exchange.response is not None:
            exchange = replace(exchange, response=None, failure=Failure(FailureKind.RESET, "the scenario decided"))
        return observe(exchange, key, unprivileged_key).exchange

    def as_seen(self, key: str, unprivileged_key: str) -> Observed:
        """The exchange as its client saw it, or will see it."""
        logged = self.logged()
        exchange = logged.exchange()
        ended = self.arrived if self.ended is None else max(self.ended, self.arrived)
        response, failure = exchange.response, exchange.failure
        gave_up = hung_up(self, logged)
        if gave_up:
            response, failure = None, Failure(FailureKind.TIMEOUT, "the client hung up")
        seen = Exchange(exchange.request, response, self.arrived, ended, failure=failure)
        return observe(seen, key, unprivileged_key, connection=logged.connection, gave_up=gave_up)


_NONE: Final[frozenset[str]] = frozenset()


def hung_up(entry: LogEntry, logged: LoggedExchange) -> bool:
    """Whether the client left too early: who has read the status line of a refusal or an error needs nothing more."""
    return entry.gave_up and not (logged.is_whole and logged.status >= 400)


def _pack(scope: Scope, call: Call, delivery: Delivery) -> bytes:
    request, response = call.request, delivery.response
    raw = scope.get("raw_path")
    path = request.path
    if raw is not None:
        query = scope.get("query_string", b"")
        path = (raw + b"?" + query if query else raw).decode("latin-1")
    host, port = scope.get("client") or ("", 0)
    connection = f"{host}:{port}"
    if scope.get("http_version") == "2":
        # Requests that share a connection know nothing of each other's responses.
        connection += f"#{next(_STREAMS)}"
    user, change = _changed(call) if call.task is not None else ("", None)
    fields = (
        *(request.method, path, request.headers, request.body),
        *(response.status, response.headers, response.body, delivery.cut.name),
        *(call.now, call.applied, call.disturbed, connection, user, change),
    )
    try:
        return _ENCODE(fields)
    except UnicodeEncodeError:  # half of a surrogate pair in a name
        return _ENCODE(_readable(fields))


def _readable(value: Any) -> Any:
    """`value` with U+FFFD for halves of surrogate pairs."""
    if isinstance(value, str):
        return value.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return tuple(map(_readable, value)) if isinstance(value, tuple | list) else value


def _changed(call: Call) -> tuple[str, tuple[Any, ...] | None]:
    """How the request named its user, and a LoggedChange as a tuple."""
    task, outcome = call.task, call.outcome
    assert task is not None
    key = task.who.key
    user = f"{task.who.kind} {' '.join(map(str, key)) if isinstance(key, tuple) else key}"[:USER_SHOWN]
    if outcome is None or outcome.profile is None:
        return user, None
    if task.section == "attributes":
        cells = [(name, _change(value)) for name, value in outcome.named.items()]
    else:
        cells = [(task.name, "counted")]
    return user, (outcome.profile.braze_id, outcome.created, task.section, cells)


def _change(value: Any) -> Change:
    return "removed" if value is REMOVED else "unchanged" if value is UNCHANGED else "set"


class ExchangeLog:
    """The latest exchanges of one workspace: at most `most`, with `most_bytes` of them. See `mock.app.Watch`."""

    def __init__(self, clock: Callable[[], float], most: int = MOST, most_bytes: int = MOST_BYTES) -> None:
        self._clock, self._most, self._most_bytes = clock, most, most_bytes
        self._entries: deque[LogEntry] = deque()
        self._bytes = 0
        self._epoch = Epoch(MockConfig(), empty=False, first=1)
        self.handled_count = 0
        self.ended: deque[int] = deque(maxlen=most)  # numbers, in the order of the ends
        self.ended_count = 0

    def handled(self, scope: Scope, call: Call, delivery: Delivery, arrived: float) -> Callable[[bool], None]:
        """Note an exchange; what is returned notes its end."""
        self.handled_count += 1
        entry = LogEntry(self.handled_count, _pack(scope, call, delivery), arrived, self._epoch)
        self._entries.append(entry)
        self._bytes += entry.size
        while len(self._entries) > self._most or (self._bytes > self._most_bytes and len(self._entries) > 1):
            self._bytes -= self._entries.popleft().size

        def end(gave_up: bool) -> None:
            entry.ended, entry.gave_up = self._clock(), gave_up
            self.ended.append(entry.number)
            self.ended_count += 1

        return end

    def changed(self, config: MockConfig, *, empty: bool) -> None:
        """What follows is checked without any knowledge of what came before."""
        self._epoch = Epoch(config, empty, self.handled_count + 1)

    def clear(self) -> None:
        """Forget all exchanges; numbers go on."""
        self._entries.clear()
        self.ended.clear()
        self._bytes = 0

    def __iter__(self) -> Iterator[LogEntry]:
        return iter(self._entries)

    def __len__(self) -> int:
        return len(self._entries)

    @property
    def first_number(self) -> int:
        """The number of the oldest entry; of the next one where there is none."""
        return self._entries[0].number if self._entries else self.handled_count + 1

    def entry(self, number: int) -> LogEntry | None:
        """The entry with this number, or None where it is not in the log (any more)."""
        at = number - self.first_number
        return self._entries[at] if 0 <= at < len(self._entries) else None

    def since(self, number: int, most: int) -> list[LogEntry]:
        """The oldest entries after this number, at most `most`."""
        start = max(0, number + 1 - self.first_number)
        return list(itertools.islice(self._entries, start, start + most))
