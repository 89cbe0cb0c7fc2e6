"""The log of a served mock: the latest exchanges, in the order in which they were handled, within a bound.

It is written while a request is served, so it only notes; everything else is done on demand.
"""

from __future__ import annotations

import itertools
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import partial
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


@dataclass(frozen=True, slots=True, eq=False)
class Epoch:
    """A time in which the workspace was changed by requests only: how the mock was set up in it, and in what state.

    `empty`: it began without users. `first` is the number of the first entry in it.
    """

    config: MockConfig
    empty: bool
    first: int


@dataclass(frozen=True, slots=True)
class LoggedChange:
    """What a request to /users/track/sync did: to which user, and to which cells.

    `cells`: for each its name, and whether it was set, removed, left unchanged, or counted.
    """

    braze_id: str
    created: bool
    section: str
    cells: tuple[tuple[str, Change], ...]


@dataclass(frozen=True, slots=True)
class LoggedExchange:
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


class _Packed(msgspec.Struct, array_like=True, frozen=True):
    """What is noted of an exchange, as the mock has it: `_pack` writes it, `LogEntry.logged` reads it.

    `who`, `what`: the kind and value of the identifier, and the section, the name, the user and whether it was created.
    `named`: the attributes of the request, each with REMOVED as False, UNCHANGED as None, any other value as True.
    """

    method: str
    path: str
    raw_path: bytes | None
    query: bytes
    client: tuple[str, int] | None
    http_version: str
    headers: tuple[tuple[str, str], ...]
    body: bytes
    status: int
    response_headers: tuple[tuple[str, str], ...]
    response_body: bytes
    whole: bool
    before: bool
    now: float
    applied: bool
    disturbed: bool
    arrived: float
    at_once: bool
    who: tuple[str, str | tuple[str, str]] | None
    what: tuple[str, str, str, bool] | None
    named: dict[str, bool | None] | None


_ENCODE: Final = msgspec.msgpack.Encoder().encode
_DECODE: Final = msgspec.msgpack.Decoder(_Packed).decode


class LogEntry:
    """One exchange of the log. Times in seconds since the epoch, by the mock's clock.

    `number` counts from 1. `ended` is None while the response is under way. The findings are None until they were
    looked for; `unchecked` says why they never will be.
    """

    __slots__ = (
        *("_packed", "client_findings", "covered", "ended", "epoch", "gave_up", "number"),
        *("server_findings", "unchecked"),
    )

    def __init__(self, number: int, packed: bytes, epoch: Epoch) -> None:
        self.number, self._packed, self.epoch = number, packed, epoch
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

    @property
    def arrived(self) -> float:
        """When the request had arrived."""
        return _DECODE(self._packed).arrived

    def logged(self) -> LoggedExchange:
        """The exchange."""
        noted = _DECODE(self._packed)
        path, raw = noted.path, noted.raw_path
        if raw is not None:
            path = (raw + b"?" + noted.query if noted.query else raw).decode("latin-1")
        host, port = noted.client or ("", 0)
        # Under HTTP/2 requests that share a connection know nothing of each other's responses.
        stream = f"#{self.number}" if noted.http_version == "2" else ""
        cut = Cut.NOT if noted.whole else Cut.BEFORE if noted.before else Cut.BODY
        return LoggedExchange(
            *(noted.method, path, noted.headers, noted.body),
            *(noted.status, noted.response_headers, noted.response_body, cut.name),
            *(noted.now, noted.applied, noted.disturbed, f"{host}:{port}{stream}"),
            *_changed(noted),
        )

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


def _pack(scope: Scope, call: Call, delivery: Delivery, arrived: float) -> bytes:
    """A `_Packed`. Each thing that is done here for a request takes a share of the time in which the mock responds."""
    request, response, cut = call.request, delivery.response, delivery.cut
    task, outcome = call.task, call.outcome
    who = what = named = None
    if task is not None:
        who = (task.who.kind, task.who.key)
        if outcome is not None and outcome.profile is not None:
            what = (task.section, task.name, outcome.profile.braze_id, outcome.created)
            named = {
                name: None if value is UNCHANGED else value is not REMOVED for name, value in outcome.named.items()
            }
    get = scope.get
    # One tuple, written out: to put it together from several takes longer than to encode it.
    fields = (
        request.method,
        request.path,
        get("raw_path"),
        get("query_string", b""),
        get("client"),
        get("http_version", ""),
        request.headers,
        request.body,
        response.status,
        response.headers,
        response.body,
        cut is Cut.NOT,
        cut is Cut.BEFORE,
        call.now,
        call.applied,
        call.disturbed,
        arrived,
        delivery.at_once,
        who,
        what,
        named,
    )
    try:
        return _ENCODE(fields)
    except UnicodeEncodeError:  # half of a surrogate pair in a name
        return _ENCODE(_readable(fields))


def _readable(value: Any) -> Any:
    """`value` with U+FFFD for halves of surrogate pairs."""
    if isinstance(value, str):
        return value.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    if isinstance(value, dict):
        return {_readable(name): one for name, one in value.items()}
    return tuple(map(_readable, value)) if isinstance(value, tuple | list) else value


_CHANGES: Final[Mapping[bool | None, Change]] = {True: "set", False: "removed", None: "unchanged"}


def _changed(noted: _Packed) -> tuple[str, LoggedChange | None]:
    """How the request named its user, and what it did."""
    if noted.who is None:
        return "", None
    kind, key = noted.who
    user = f"{kind} {key if isinstance(key, str) else ' '.join(key)}"[:USER_SHOWN]
    if noted.what is None:
        return user, None
    section, name, braze_id, created = noted.what
    cells: tuple[tuple[str, Change], ...] = ((name, "counted"),)
    if section == "attributes":
        cells = tuple((one, _CHANGES[how]) for one, how in (noted.named or {}).items())
    return user, LoggedChange(braze_id, created, section, cells)


class ExchangeLog:
    """The latest exchanges of one workspace: at most `most`, with `most_bytes` of them. See `mock.app.Watch`.

    Each is noted as one text of bytes, and becomes an entry when it is looked at: thousands of objects, and what
    makes them, would slow down everything that is served.
    """

    def __init__(self, clock: Callable[[], float], most: int = MOST, most_bytes: int = MOST_BYTES) -> None:
        self._clock, self._most, self._most_bytes = clock, most, most_bytes
        self._packed: deque[bytes] = deque()
        self._bytes = 0
        self._epochs = [Epoch(MockConfig(), empty=False, first=1)]
        self._ends: dict[int, tuple[float, bool]] = {}  # by number: when, and whether the client hung up
        self._entries: dict[int, LogEntry] = {}  # those that were looked at
        self.first_number = 1  # of the oldest entry; of the next one where there is none
        self.handled_count = 0
        self.ended: deque[int] = deque(maxlen=most)  # numbers, in the order of the ends
        self.ended_count = 0

    def handled(self, scope: Scope, call: Call, delivery: Delivery, arrived: float) -> Callable[[bool], None]:
        """Note an exchange; what is returned notes its end."""
        self.handled_count += 1
        packed = _pack(scope, call, delivery, arrived)
        self._packed.append(packed)
        self._bytes += len(packed)
        while len(self._packed) > self._most or (self._bytes > self._most_bytes and len(self._packed) > 1):
            self._bytes -= len(self._packed.popleft())
            self._forget(self.first_number)
            self.first_number += 1
        if delivery.at_once:
            self.ended.append(self.handled_count)
            self.ended_count += 1
            return _nothing
        return partial(self._end, self.handled_count)

    def _end(self, number: int, gave_up: bool) -> None:
        end = self._clock(), gave_up
        if number >= self.first_number:
            self._ends[number] = end
        if number in self._entries:
            entry = self._entries[number]
            entry.ended, entry.gave_up = end
            if number < self.first_number:
                del self._entries[number]
        self.ended.append(number)
        self.ended_count += 1

    def _forget(self, number: int) -> None:
        self._ends.pop(number, None)
        # Who looks at one that is still under way has to be told of its end.
        if number in self._entries and self._entries[number].ended is not None:
            del self._entries[number]

    def changed(self, config: MockConfig, *, empty: bool) -> None:
        """What follows is checked without any knowledge of what came before."""
        first = self.first_number
        kept = [one for one, after in itertools.pairwise(self._epochs) if after.first > first]
        self._epochs = [*kept, self._epochs[-1], Epoch(config, empty, self.handled_count + 1)]

    def clear(self) -> None:
        """Forget all exchanges; numbers go on."""
        for number in range(self.first_number, self.handled_count + 1):
            self._forget(number)
        self.first_number = self.handled_count + 1
        self._packed.clear()
        self.ended.clear()
        self._bytes = 0

    def __iter__(self) -> Iterator[LogEntry]:
        return iter(self.since(0, len(self)))

    def __len__(self) -> int:
        return len(self._packed)

    def entry(self, number: int) -> LogEntry | None:
        """The entry with this number, or None where it is not in the log (any more)."""
        at = number - self.first_number
        if not 0 <= at < len(self._packed):
            return None
        return self._entries.get(number) or self._made(number, self._packed[at])

    def since(self, number: int, most: int) -> list[LogEntry]:
        """The oldest entries after this number, at most `most`."""
        first = max(number + 1, self.first_number)
        start = first - self.first_number
        chosen = enumerate(itertools.islice(self._packed, start, start + most), first)
        return [self._entries.get(at) or self._made(at, packed) for at, packed in chosen]

    def _made(self, number: int, packed: bytes) -> LogEntry:
        epoch = next(one for one in reversed(self._epochs) if one.first <= number)
        entry = self._entries[number] = LogEntry(number, packed, epoch)
        noted = _DECODE(packed)
        if noted.at_once:
            entry.ended = noted.now
        elif number in self._ends:
            entry.ended, entry.gave_up = self._ends[number]
        return entry


def _nothing(gave_up: bool) -> None:
    """There is no end to be noted."""
