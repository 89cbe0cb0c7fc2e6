"""An ASGI layer around the mock that records what the server's end of a connection sees of a client.

It changes no byte. Each exchange is handed on when it ends: the response is complete, the scenario cut the connection,
or the client hung up.
"""

from __future__ import annotations

import asyncio
import itertools
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any, Final

from tracksync.mock.app import ABORT, CLOSE, Message, Receive, Scope, Send
from tracksync.model.exchange import Exchange, Failure, FailureKind, Headers, Request, Response
from tracksync.wire.observed import Observed, observe, reset_time
from tracksync.wire.senders import Sender
from tracksync.wire.serve import OPENED

_LARGEST_BODY: Final = 5 * 1024 * 1024
_STREAMS: Final = itertools.count(1)


class Recorder:
    """ASGI 3: passes everything on to `app` and hands each exchange to `take`. `key` is the one the client was given.

    `take` is called in the server's thread and must be quick. `limit_delay`: seconds by which every 429 is delayed. A
    client that sends one request after the other then opens its next connection after the 429, while the requests of
    a parallel client were on their way before it. `sender_of` takes the ports of the client and of the server, and says
    which process sent a request; it is asked about a 429, and from there to the reset time.
    """

    def __init__(
        self,
        app: Callable[[Scope, Receive, Send], Any],
        take: Callable[[Observed], None],
        key: str,
        unprivileged_key: str = "",
        clock: Callable[[], float] = time.time,
        *,
        limit_delay: float = 0.0,
        sender_of: Callable[[int, int], Sender | None] | None = None,
    ) -> None:
        self.limit_delay = limit_delay
        self._sender_of = sender_of
        self._reset = 0.0
        self._connections: set[str] = set()
        self._app = app
        self._take = take
        self._key = key
        self._unprivileged_key = unprivileged_key
        self._clock = clock
        self.arrived = 0
        self.ended = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request, and record it."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        self.arrived += 1
        request = _RecordedRequest(self, scope, receive, send)
        try:
            await request.run()
        finally:
            self.ended += not request.handed_on

    async def serve(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let the application respond."""
        await self._app(scope, receive, send)

    def now(self) -> float:
        """Seconds since the epoch."""
        return self._clock()

    def is_new(self, connection: str) -> bool:
        """Whether no request came on this connection before; from now on one did."""
        new = connection not in self._connections
        self._connections.add(connection)
        return new

    def is_limited(self, status: int, headers: Headers) -> bool:
        """Whether a limit is in force, from a 429 on until the reset time that it names."""
        if status == 429:
            self._reset = max(self._reset, reset_time(headers) or 0.0)
        return status == 429 or self._reset > self.now()

    async def sender(self, scope: Scope) -> Sender | None:
        """The process that sent this request, where it is known."""
        client, server = scope.get("client"), scope.get("server")
        if self._sender_of is None or not (client and server and server[1]):
            return None
        return await asyncio.to_thread(self._sender_of, client[1], server[1])

    def hand_on(self, exchange: Exchange, **more: Any) -> None:
        """Take the key out of the exchange and pass it on. `more`: further members of Observed."""
        self._take(observe(exchange, self._key, self._unprivileged_key, **more))
        self.ended += 1


class _RecordedRequest:
    """One request on its way."""

    def __init__(self, recorder: Recorder, scope: Scope, receive: Receive, send: Send) -> None:
        self._recorder = recorder
        self._receive, self._send = receive, send
        self._scope = dict(scope)
        host, port = scope.get("client") or ("", 0)
        # Under HTTP/2 requests that share a connection know nothing of each other's responses.
        stream = f"#{next(_STREAMS)}" if scope.get("http_version") == "2" else ""
        self._connection = f"{host}:{port}{stream}"
        new = recorder.is_new(self._connection)
        self._opened: float | None = (scope.get("extensions") or {}).get(OPENED) if new else None
        self._answered: float | None = None
        self._sender: Sender | None = None
        self._body = b""
        self._status: int | None = None
        self._headers: tuple[tuple[str, str], ...] = ()
        self._pieces: list[bytes] = []
        self._ended: float | None = None
        self._cut = False
        self._hung_up: float | None = None
        self.handed_on = False

    async def run(self) -> None:
        whole = await self._read()
        sent = self._recorder.now()
        if not whole:
            self._hung_up = sent
            self._hand_on(sent)
            return
        # The disconnection can come only once, so that one task watches for it and all others wait for that task.
        watch = asyncio.ensure_future(self._watch(sent))
        messages = itertools.chain([{"type": "http.request", "body": self._body, "more_body": False}])

        async def receive() -> Message:
            for message in messages:
                return message
            await asyncio.shield(watch)
            return {"type": "http.disconnect"}

        extensions = self._scope.get("extensions") or {}
        ends = {name: self._noted(end) for name, end in extensions.items() if name in (ABORT, CLOSE)}
        self._scope["extensions"] = {**extensions, **ends}
        try:
            await self._recorder.serve(self._scope, receive, self._pass_on)
        finally:
            watch.cancel()
            with suppress(asyncio.CancelledError):
                await watch
            self._hand_on(sent)

    async def _read(self) -> bool:
        pieces = []
        size = 0
        while True:
            message = await self._receive()
            if message["type"] != "http.request":
                return False
            size += len(message.get("body", b""))
            if size <= _LARGEST_BODY:
                pieces.append(message.get("body", b""))
            if not message.get("more_body", False):
                self._body = b"".join(pieces)
                return True

    async def _watch(self, sent: float) -> None:
        while (await self._receive())["type"] != "http.disconnect":
            pass
        if self._ended is None and not self._cut:
            # Handed on at once and not when the application is done: what the client does next comes after it.
            self._hung_up = self._recorder.now()
            self._hand_on(sent)

    def _noted(self, end: Callable[[], None]) -> Callable[[], None]:
        """`end`, which ends the connection, with a note that it was the server's doing."""

        def noted() -> None:
            if self._ended is None:
                self._cut = True
                self._ended = self._recorder.now()
            end()

        return noted

    async def _pass_on(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self._status = message["status"]
            self._headers = tuple(
                (name.decode("latin-1"), value.decode("latin-1")) for name, value in message.get("headers", ())
            )
            if self._recorder.is_limited(message["status"], self._headers):
                delay = self._recorder.limit_delay if self._status == 429 else 0.0
                self._sender, _ = await asyncio.gather(self._recorder.sender(self._scope), asyncio.sleep(delay))
            self._answered = self._recorder.now()
        elif message["type"] == "http.response.body":
            self._pieces.append(message.get("body", b""))
            if not message.get("more_body", False) and self._ended is None:
                # Before it is handed to the connection: the client's next request cannot have been sent earlier.
                self._ended = self._recorder.now()
        await self._send(message)

    def _hand_on(self, sent: float) -> None:
        if self.handed_on:
            return
        self.handed_on = True
        scope = self._scope
        query = scope.get("query_string", b"").decode("latin-1")
        raw = scope.get("raw_path") or scope["path"].encode("utf-8", "replace")
        request = Request(
            scope["method"],
            raw.decode("latin-1") + (f"?{query}" if query else ""),
            tuple((name.decode("latin-1"), value.decode("latin-1")) for name, value in scope["headers"]),
            self._body,
        )
        response, failure, ended = None, None, self._ended
        hung_up = self._hung_up is not None and ended is None
        # Whoever has read the status line of a refusal or an error needs nothing more.
        gave_up = hung_up and (self._status is None or self._answered is None or self._status < 400)
        if hung_up:
            ended = self._hung_up
        if gave_up:
            failure = Failure(FailureKind.TIMEOUT, "the client hung up")
        elif self._cut:
            kind = FailureKind.RESET if self._status is None else FailureKind.TRUNCATED
            failure = Failure(kind, "the scenario cut the connection")
        elif self._status is None or ended is None:
            failure = Failure(FailureKind.RESET, "the response was not completed")
        else:
            response = Response(self._status, self._headers, self._read_body())
        exchange = Exchange(request, response, sent, ended or self._recorder.now(), failure=failure)
        self._recorder.hand_on(
            exchange,
            connection=self._connection,
            gave_up=gave_up,
            opened=self._opened,
            answered=self._answered,
            sender=self._sender,
        )

    def _read_body(self) -> bytes:
        content = b"".join(self._pieces)
        if any(name.lower() == "content-encoding" for name, _ in self._headers):
            import gzip

            with suppress(OSError, EOFError):
                return gzip.decompress(content)
        return content
