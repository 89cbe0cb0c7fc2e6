"""The mock as an application: ASGI 3 for servers and httpx, and `handle` for tests in process.

Knows how responses are delivered (pauses, pieces, cuts) and nothing of their content.
"""

from __future__ import annotations

import asyncio
import gzip
import threading
import time
from collections import deque
from collections.abc import Awaitable, Callable, Iterator, MutableMapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, Final, Protocol

from tracksync.mock.call import Call, Cut, Delivery, ResponseLost
from tracksync.mock.config import MockConfig
from tracksync.mock.core import Core, with_faults
from tracksync.mock.neighbours import describe
from tracksync.mock.profiles import Store
from tracksync.mock.scenario_player import with_scenario
from tracksync.mock.scenarios import Scenario
from tracksync.model.exchange import FailureKind, Request, Response
from tracksync.values import times

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]

# Scope extensions by which our server (wire/serve.py) lets a response end its connection: at once, or after what was
# sent.
ABORT: Final = "tracksync.abort"
CLOSE: Final = "tracksync.close"


class Watch(Protocol):
    """Who is told of every request that is served, and of changes that no request made. Called under the lock."""

    def handled(self, scope: Scope, call: Call, delivery: Delivery, arrived: float) -> Callable[[bool], None]:
        """A request was handled; `arrived` is in epoch seconds. What is returned is called when its response has ended.

        It is given whether the client hung up before. Of a response that is `at_once` the end is not told.
        """
        ...

    def changed(self, config: MockConfig, *, empty: bool) -> None:
        """The workspace was reset, restored, seeded or set up differently; `config` is what it follows now.

        `empty`: it has no users, and nothing is queued.
        """
        ...


@dataclass(frozen=True, slots=True)
class JournalEntry:
    """One line of the journal. `response` is None where the connection was cut; `applied`: state changed."""

    request: Request
    response: Response | None
    applied: bool
    at: float


class MockApp:
    """A mock workspace.

    `clock` returns seconds since the epoch; a test may drive one of its own, since nothing in process sleeps.
    All public methods may be called from any thread.
    """

    def __init__(self, config: MockConfig | None = None, clock: Callable[[], float] = time.time) -> None:
        self.config = config or MockConfig()
        self._watch: Watch | None = None
        self._keep: Callable[[Core], None] | None = None
        self._lock = threading.RLock()
        self._config = self.config.in_scenario()
        self._given_clock = clock
        self._core: Core
        self.journal: deque[JournalEntry]
        self.reset()

    def reset(self) -> None:
        """Forget all users, windows, queued work and the journal."""
        with self._lock:
            scenario = self.config.played()
            self._clock = self._clock_of(scenario)
            self._core = with_scenario(with_faults(self.config.faults), scenario)(self._config, self._clock)
            self.journal = deque(maxlen=self.config.journal)
            self._changed()

    def play(self, scenario: Scenario) -> None:
        """Play another scenario from the next request on; users, the journal and a limit in force stay."""
        self._go_on_with(replace(self.config, scenario=scenario))

    def switch(self, config: MockConfig) -> None:
        """Go on with other settings from the next request on, as `play` does with another scenario."""
        with self._lock:
            self._go_on_with(config)
            self.config, self._config = config, config.in_scenario()

    def _go_on_with(self, config: MockConfig) -> None:
        scenario = config.played()
        with self._lock:
            clock = self._clock_of(scenario)
            core = with_scenario(with_faults(config.faults), scenario, always=True)(config.in_scenario(), clock)
            core.continue_from(self._core)
            self._clock, self._core = clock, core
            self._changed()

    def watched(self, watch: Watch) -> None:
        """Tell `watch` what happens from now on."""
        with self._lock:
            self._watch = watch
            self._changed()

    def kept(self, keep: Callable[[Core], None]) -> None:
        """Call `keep` with the server before each response from now on, so that its state is stored by then."""
        with self._lock:
            self._keep = keep
            self._changed()

    def store_state(self) -> None:
        """Let the state be stored now, if it is kept; for a change that this class does not see, such as of a clock."""
        with self._lock:
            if self._keep is not None:
                self._keep(self._core)

    def _changed(self) -> None:
        core = self._core
        if self._watch is not None:
            self._watch.changed(core.config, empty=not len(core.store) and not core.queued)
        if self._keep is not None:
            self._keep(core)

    def _clock_of(self, scenario: Scenario) -> Callable[[], float]:
        ahead = scenario.clock_ahead
        return partial(_ahead, self._given_clock, ahead) if ahead else self._given_clock

    # --- in process -------------------------------------------------------------------------------------------
    def handle(self, request: Request) -> Response:
        """The response to one request. Raises ResponseLost where a served mock would cut the connection."""
        delivery = self.deliver(request)
        if delivery.cut is Cut.BEFORE:
            raise ResponseLost(FailureKind.RESET, "the mock cut the connection before the response")
        if delivery.cut is Cut.BODY:
            raise ResponseLost(FailureKind.TRUNCATED, "the mock cut the connection within the body")
        return delivery.response

    def arrive(self, request: Request) -> object:
        """Note that a request arrived. Hand what comes back to `deliver`, if others may be handled in between."""
        with self._lock:
            return self._core.begin(request)

    def deliver(self, request: Request, token: object = None) -> Delivery:
        """The response to one request, and how it is to be delivered. `token` is what `arrive` returned."""
        with self._lock:
            return self._respond(request, token)[1]

    def _respond(self, request: Request, token: object) -> tuple[Call, Delivery]:
        call, delivery = self._core.respond(request, token)
        if self.config.journal:
            self._note(call, delivery)
        if self._keep is not None:
            self._keep(self._core)
        return call, delivery

    def _note(self, call: Call, delivery: Delivery) -> None:
        response = delivery.response if delivery.cut is Cut.NOT else None
        self.journal.append(JournalEntry(call.request, response, call.applied, call.now))

    # --- inspection -------------------------------------------------------------------------------------------
    def state_of(self, kind: str, value: str | tuple[str, str]) -> dict[str, Any] | None:
        """The profile that an identifier names, in the form of an export, or None.

        `kind` is external_id, user_alias, braze_id, email or phone; an alias is given as (alias_label, alias_name).
        Queued work that is due is done first.
        """
        with self._lock:
            self._core.settle(self._clock())
            profile = self._core.store.find(kind, value)
            return None if profile is None else describe(profile, _write_time)

    def settle(self) -> float | None:
        """Do the queued work that is due; in how many seconds the next is, or None where nothing is queued."""
        with self._lock:
            now = self._clock()
            self._core.settle(now)
            queued = self._core.queued
            return max(0.0, queued[0][0] - now) if queued else None

    @contextmanager
    def held(self) -> Iterator[Core]:
        """The server itself, its queued work that is due done, while no request is handled: to be looked at."""
        with self._lock:
            self._core.settle(self._clock())
            yield self._core

    @contextmanager
    def changing(self) -> Iterator[Core]:
        """The server as `held` gives it, to be changed by other means than a request."""
        with self.held() as core:
            yield core
            self._changed()

    @property
    def store(self) -> Store:
        """All profiles, for tests that need more than `state_of`."""
        return self._core.store

    # --- ASGI -------------------------------------------------------------------------------------------------
    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """ASGI 3: http and lifespan."""
        if scope["type"] == "http":
            await self._serve(scope, receive, send)
        elif scope["type"] == "lifespan":
            await _live(receive, send)
        else:
            await send({"type": "websocket.close", "code": 1000})

    async def _serve(self, scope: Scope, receive: Receive, send: Send) -> None:
        body = await _read(receive)
        if body is None:
            return
        query = scope.get("query_string", b"").decode("latin-1")
        request = Request(
            method=scope["method"],
            path=scope["path"] + (f"?{query}" if query else ""),
            headers=tuple((name.decode("latin-1"), value.decode("latin-1")) for name, value in scope["headers"]),
            body=body,
        )
        arrived = 0.0 if self._watch is None else self._given_clock()
        token = self.arrive(request)
        latency = self._core.latency(request)
        if latency:
            await asyncio.sleep(latency)
        if self._watch is None:
            await _deliver(self.deliver(request, token), scope, receive, send)
            return
        with self._lock:
            call, delivery = self._respond(request, token)
            ended = self._watch.handled(scope, call, delivery, arrived)
        if delivery.at_once:
            await _deliver(delivery, scope, receive, send)
        else:
            await _deliver_watched(delivery, scope, receive, send, ended)


async def _deliver(delivery: Delivery, scope: Scope, receive: Receive, send: Send) -> None:
    if delivery.pause:
        await asyncio.sleep(delivery.pause)
    if delivery.cut is Cut.BEFORE:
        await _end(ABORT, scope, receive)
    else:
        await _send(delivery, scope, receive, send)


async def _deliver_watched(
    delivery: Delivery, scope: Scope, receive: Receive, send: Send, ended: Callable[[bool], None]
) -> None:
    """Deliver a response that takes its time, until the client hangs up."""
    gone = asyncio.ensure_future(_gone(receive))
    delivered = asyncio.ensure_future(_deliver(delivery, scope, partial(_nothing_more, gone), send))
    hung_up = False
    try:
        await asyncio.wait({gone, delivered}, return_when=asyncio.FIRST_COMPLETED)
        hung_up = not delivered.done() and delivery.cut is Cut.NOT
    finally:
        ended(hung_up)
        for task in (gone, delivered):
            task.cancel()
        _, outcome = await asyncio.gather(gone, delivered, return_exceptions=True)
    if isinstance(outcome, ResponseLost):
        raise outcome


async def _gone(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


async def _nothing_more(gone: asyncio.Future[None]) -> Message:
    await asyncio.shield(gone)
    return {"type": "http.disconnect"}


async def _read(receive: Receive) -> bytes | None:
    """The whole body, or None if the client left."""
    message = await receive()
    if message["type"] != "http.request":
        return None
    body: bytes = message.get("body", b"")
    if not message.get("more_body", False):
        return body
    pieces = [body]
    while True:
        message = await receive()
        if message["type"] != "http.request":
            return None
        pieces.append(message.get("body", b""))
        if not message.get("more_body", False):
            return b"".join(pieces)


async def _send(delivery: Delivery, scope: Scope, receive: Receive, send: Send) -> None:
    response = delivery.response
    content = response.body
    headers = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in response.headers]
    if delivery.gzip and _takes_gzip(scope):
        content = gzip.compress(content, mtime=0)
        headers.append((b"content-encoding", b"gzip"))
    if not delivery.chunked:
        headers.append((b"content-length", b"%d" % len(content)))
    if delivery.close:
        headers.append((b"connection", b"close"))
    if scope["method"] == "HEAD":
        content = b""
    await send({"type": "http.response.start", "status": response.status, "headers": headers})
    if delivery.cut is Cut.BODY:
        await send({"type": "http.response.body", "body": content[: len(content) // 2], "more_body": True})
        await _end(CLOSE, scope, receive)
        return
    if delivery.pieces == 1 and not delivery.chunked:
        await send({"type": "http.response.body", "body": content})
    else:
        size = max(1, -(-len(content) // max(2, delivery.pieces)))
        for start in range(0, len(content), size):
            if start and delivery.drip:
                await asyncio.sleep(delivery.drip)
            await send({"type": "http.response.body", "body": content[start : start + size], "more_body": True})
        await send({"type": "http.response.body", "body": b"", "more_body": False})
    if delivery.hang_up and CLOSE in scope.get("extensions", {}):
        scope["extensions"][CLOSE]()


def _takes_gzip(scope: Scope) -> bool:
    return any(name == b"accept-encoding" and b"gzip" in value for name, value in scope["headers"])


async def _end(how: str, scope: Scope, receive: Receive) -> None:
    """End the connection by an extension of our own server, else by what ASGI leaves: an exception."""
    end = scope.get("extensions", {}).get(how)
    if end is None:
        raise ResponseLost(FailureKind.RESET, "the mock was to cut the connection here")
    end()
    await _gone(receive)


async def _live(receive: Receive, send: Send) -> None:
    while True:
        message = await receive()
        await send({"type": f"{message['type']}.complete"})
        if message["type"] == "lifespan.shutdown":
            return


def _ahead(clock: Callable[[], float], seconds: float) -> float:
    return clock() + seconds


def _write_time(instant: int) -> str:
    return times.write_time(instant, "utc-millis")
