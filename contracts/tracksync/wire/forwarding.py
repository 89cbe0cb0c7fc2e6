"""Forwards each request to the real endpoint, and each response to the client, as they come: an ASGI application.

Bytes are streamed both ways and not changed: no body is decompressed, no header is added or dropped but those that
belong to one connection alone (RFC 9110, 7.6.1) and `Host`. What each side showed is noted on the way as a Sighting.
Knows nothing of right and wrong.

Where there is no response the client learns so in a way that is true. If the endpoint could not be reached, it gets
502, which the documents explain as "before the destination": trying again is safe. If it was silent for too long, 504.
If the connection was cut, the client's is cut too: a 502 would say that nothing was applied, which is not known.
"""

from __future__ import annotations

import asyncio
import itertools
import json
import ssl
import time
from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any, Final, Protocol
from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass

import httpx

from tracksync.mock.app import ABORT, CLOSE, Receive, Scope, Send
from tracksync.model.exchange import Exchange, Failure, FailureKind, Headers, Request, Response, header
from tracksync.wire.bodies import Unreadable, decoded
from tracksync.wire.observed import Observed

# Of one connection only. Expect is answered by the server that the client talks to, which is ours.
HOP_BY_HOP: Final = frozenset(
    "connection keep-alive proxy-connection proxy-authenticate proxy-authorization te trailer trailers "
    "transfer-encoding upgrade expect".split()
)
CONNECT_SECONDS: Final = 10.0
IDLE_SECONDS: Final = 3.0  # how long a connection is kept for reuse: less than any server does
MOST: Final = 32 * 1024 * 1024  # bytes of a body that are kept for checking; all of them are passed on
Raw = list[tuple[bytes, bytes]]


class KeyObserver(Protocol):
    """Learns which keys a client uses, and removes them from texts: `tracksync.proxy.credentials.Keys`."""

    def text(self, text: str) -> str:
        """`text` without any known key."""
        ...

    def observe(self, exchange: Exchange, connection: str, *, gave_up: bool = False) -> Observed:
        """What the server's end saw of the client in `exchange`, without its key."""
        ...


@dataclass(frozen=True, slots=True)
class Sighting:
    """What was seen of one exchange. `number` is the same in the two sightings of one whose client left early.

    `client`: what the client's end showed. `server`: what the endpoint's end showed, with `in_flight`, the requests
    that were under way when its response came. `gap`: why the endpoint's side cannot be checked; `effect`: it may have
    been applied all the same. `unreached`: nothing was sent. `last`: nothing follows for this number.
    """

    number: int
    client: Observed | None = None
    server: Exchange | None = None
    in_flight: tuple[Request, ...] = ()
    gap: str = ""
    effect: bool = False
    unreached: bool = False
    last: bool = True


class ClientLeft(Exception):
    """The client hung up before its request was whole."""


class Forwarder:
    """ASGI 3: hands everything on to `upstream` and notes it with `take`, which is called in the server's thread.

    `timeout`: seconds to wait for the endpoint's next byte.
    """

    def __init__(
        self,
        upstream: str,
        take: Callable[[Sighting], None],
        keys: KeyObserver,
        *,
        context: ssl.SSLContext | None = None,
        timeout: float = 120.0,
        loopback: bool = False,
        clock: Callable[[], float] = time.time,
    ) -> None:
        parts = urlsplit(upstream)
        self.name = upstream
        self.url = httpx.URL(f"{parts.scheme}://{parts.netloc}/")
        self.host = parts.netloc.encode("ascii")
        self.prefix = parts.path.rstrip("/").encode("ascii")
        self.keys, self.now, self.take = keys, clock, take
        self.timeouts = {"connect": min(CONNECT_SECONDS, timeout), "read": timeout, "write": timeout, "pool": None}
        self.seconds = timeout
        beyond = None if loopback or proxy_bypass(parts.hostname or "") else getproxies().get(parts.scheme)
        self._transport = httpx.AsyncHTTPTransport(
            verify=context or True,
            trust_env=False,
            proxy=beyond,
            limits=httpx.Limits(max_connections=None, max_keepalive_connections=100, keepalive_expiry=IDLE_SECONDS),
        )
        self._numbers = itertools.count(1)
        self.open: dict[int, _ForwardedRequest] = {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request; close the connections to the endpoint when the server stops."""
        if scope["type"] == "lifespan":
            await self._live(receive, send)
            return
        number = next(self._numbers)
        case = _ForwardedRequest(self, number, scope, receive, send)
        self.open[number] = case
        try:
            await case.run()
        finally:
            self.open.pop(number, None)

    async def _live(self, receive: Receive, send: Send) -> None:
        while True:
            message = await receive()
            if message["type"] == "lifespan.shutdown":
                await self._transport.aclose()
            await send({"type": f"{message['type']}.complete"})
            if message["type"] == "lifespan.shutdown":
                return

    async def handle(self, request: httpx.Request) -> httpx.Response:
        """The endpoint's response, before its body."""
        return await self._transport.handle_async_request(request)

    def others(self, number: int) -> tuple[Request, ...]:
        """The other requests that are under way, as far as the endpoint has the whole of them."""
        found = (case.request for other, case in self.open.items() if other != number)
        return tuple(request for request in found if request is not None)


class _Upload(httpx.AsyncByteStream):
    """The body of a request while it comes in."""

    def __init__(self, receive: Receive, arrived: Callable[[], None]) -> None:
        self._receive, self._arrived = receive, arrived
        self.pieces: list[bytes] = []
        self.size = 0
        self.whole = False

    async def __aiter__(self) -> AsyncIterator[bytes]:
        while not self.whole:
            message = await self._receive()
            if message["type"] != "http.request":
                raise ClientLeft
            chunk = message.get("body", b"")
            self.size += len(chunk)
            if self.size <= MOST:
                self.pieces.append(chunk)
            if not message.get("more_body", False):
                self.whole = True
                self._arrived()
            if chunk:
                yield chunk


class _ForwardedRequest:
    """One request that is forwarded."""

    def __init__(self, whole: Forwarder, number: int, scope: Scope, receive: Receive, send: Send) -> None:
        self._whole, self._number = whole, number
        self._scope, self._receive, self._send = scope, receive, send
        self._upload = _Upload(receive, self._arrived)
        self._sent = self._whole.now()
        self._watch: asyncio.Task[None] | None = None
        self._pieces: list[bytes] = []
        self._size = 0
        self._status: int | None = None
        self._headers: Headers = ()
        self._noted = self._client_noted = False
        self.request: Request | None = None
        self.arrived = 0.0
        self._answered: float | None = None

    # --- to the endpoint --------------------------------------------------------------------------------------------
    async def run(self) -> None:
        target = _target(self._scope)
        if self._scope["method"] == "CONNECT" or target is None:
            await self._say(400, "this is not a forward proxy: give the client its address in place of the endpoint's")
            self._gap("a request that asks for a forward proxy", effect=False)
            return
        try:
            response = await self._whole.handle(self._request_to(target))
        except ClientLeft:
            self._gap("the client hung up before its request was whole", effect=False)
        except (httpx.ConnectError, httpx.ConnectTimeout, httpx.ProxyError, httpx.UnsupportedProtocol) as error:
            await self._unreached(error)
        except httpx.TimeoutException:
            await self._silent()
        except httpx.TransportError as error:
            await self._cut(error, FailureKind.RESET)
        except asyncio.CancelledError:
            self._gap("the proxy was stopped before the response came", effect=True)
            raise
        else:
            await self._respond(response)
        finally:
            await self._end_watch()

    def _request_to(self, target: bytes) -> httpx.Request:
        headers = [(name, value) for name, value in _end_to_end(self._scope["headers"]) if name.lower() != b"host"]
        names = {name.lower() for name, _ in self._scope["headers"]}
        if b"transfer-encoding" in names and b"content-length" not in names:
            headers.append((b"transfer-encoding", b"chunked"))
        extensions = {"target": self._whole.prefix + target, "timeout": self._whole.timeouts}
        return httpx.Request(
            self._scope["method"],
            self._whole.url,
            headers=[(b"host", self._whole.host), *headers],
            stream=self._upload,
            extensions=extensions,
        )

    def _arrived(self) -> None:
        """The request is whole: from here on the client can only leave."""
        self.arrived = self._whole.now()
        self.request = Request(
            self._scope["method"],
            (_target(self._scope) or b"/").decode("latin-1"),
            tuple((name.decode("latin-1"), value.decode("latin-1")) for name, value in self._scope["headers"]),
            b"".join(self._upload.pieces),
        )
        self._watch = asyncio.ensure_future(self._watch_client())

    async def _watch_client(self) -> None:
        while (await self._receive())["type"] != "http.disconnect":
            pass
        if not self._noted:
            # Noted at once: what the client does next comes after it. The response is still awaited, since the endpoint
            # has the request, and its effect is seen by others.
            self._note_client(Failure(FailureKind.TIMEOUT, "the client hung up"), gave_up=True, last=False)

    async def _end_watch(self) -> None:
        if self._watch is not None:
            self._watch.cancel()
            with suppress(asyncio.CancelledError):
                await self._watch

    # --- to the client ---------------------------------------------------------------------------------------------
    async def _respond(self, response: httpx.Response) -> None:
        raw = list(_end_to_end(response.headers.raw))
        self._status = response.status_code
        self._headers = tuple((name.decode("latin-1"), value.decode("latin-1")) for name, value in raw)
        length = header(self._headers, "content-length")
        bare = self._scope["method"] == "HEAD" or response.status_code in (204, 304)
        due = 0 if bare else int(length) if length is not None and length.isdigit() else None
        try:
            if due == 0:
                self._complete()
            self._answered = self._whole.now()
            await self._send({"type": "http.response.start", "status": response.status_code, "headers": raw})
            async for chunk in response.stream:  # type: ignore[union-attr]
                self._keep(chunk)
                if self._size == due:
                    # Before it is handed on: what the client sends next cannot have been sent earlier.
                    self._complete()
                await self._send({"type": "http.response.body", "body": chunk, "more_body": True})
            self._complete()
            await self._send({"type": "http.response.body", "body": b"", "more_body": False})
        except httpx.TimeoutException:
            await self._cut(None, FailureKind.TIMEOUT)
        except httpx.TransportError as error:
            await self._cut(error, FailureKind.TRUNCATED)
        except asyncio.CancelledError:
            if not self._noted:
                self._gap("the proxy was stopped before the response was whole", effect=True)
            raise
        finally:
            with suppress(httpx.TransportError):
                await response.aclose()

    def _keep(self, chunk: bytes) -> None:
        self._size += len(chunk)
        if self._size <= MOST:
            self._pieces.append(chunk)

    def _complete(self) -> None:
        """The response is complete."""
        if self._noted:
            return
        if self._upload.size > MOST or self._size > MOST:
            self._gap(f"a body over {MOST // 1024**2} MB was passed on and not checked", effect=True)
            return
        try:
            body = decoded(b"".join(self._pieces), self._headers, 0, "response")
        except Unreadable as error:
            self._gap(f"the response was passed on and not checked: {error.message}", effect=True)
            return
        assert self._status is not None
        self._note(Response(self._status, self._headers, body))

    # --- without a response ------------------------------------------------------------------------------------
    async def _unreached(self, error: Exception) -> None:
        why = self._whole.keys.text(str(error) or type(error).__name__)
        advice = "; --ca names the CA of the endpoint's certificate" if "CERTIFICATE_VERIFY_FAILED" in why else ""
        text = f"{self._whole.name} cannot be reached: {why}{advice}"
        failure = Failure(FailureKind.UNREACHABLE, "the proxy could not reach the endpoint")
        if self.request is not None:
            self._note_client(failure, gave_up=False, last=False)
        self._gap(text, effect=False, unreached=True)
        await self._say(502, text)

    async def _silent(self) -> None:
        text = f"{self._whole.name} sent nothing for {self._whole.seconds:g} s"
        self._note(None, Failure(FailureKind.TIMEOUT, text))
        await self._say(504, text)

    async def _cut(self, error: Exception | None, kind: FailureKind) -> None:
        """The endpoint ended the connection: so do we."""
        text = self._whole.keys.text(str(error)) if error is not None else "the response stopped coming"
        self._note(None, Failure(kind, text or "the endpoint cut the connection"))
        end = (self._scope.get("extensions") or {}).get(ABORT if self._status is None else CLOSE)
        if end is None:
            raise ConnectionResetError(text)
        end()
        if self._watch is not None:
            await self._watch

    async def _say(self, status: int, text: str) -> None:
        body = json.dumps({"message": f"tracksync proxy: {text}"}).encode()
        headers = [(b"content-type", b"application/json"), (b"content-length", b"%d" % len(body))]
        if not self._upload.whole:
            headers.append((b"connection", b"close"))
        await self._send({"type": "http.response.start", "status": status, "headers": headers})
        await self._send({"type": "http.response.body", "body": body, "more_body": False})

    # --- noting ----------------------------------------------------------------------------------------------------
    def _note(self, response: Response | None, failure: Failure | None = None) -> None:
        """Note both sides at once, unless the client's was noted before."""
        if self._noted or self.request is None:
            self._gap("the request was not whole when the connection ended", effect=False)
            return
        self._noted = True
        whole, received = self._whole, self._whole.now()
        exchange = Exchange(self.request, response, self.arrived, received, failure=failure)
        observed = replace(whole.keys.observe(exchange, self._connection()), answered=self._answered)
        server = Exchange(
            observed.exchange.request, response, self._sent, received, observed.exchange.credential, failure
        )
        client = None if self._client_noted else observed
        whole.take(Sighting(self._number, client, server, whole.others(self._number)))

    def _note_client(self, failure: Failure, *, gave_up: bool, last: bool) -> None:
        if self._client_noted or self.request is None:
            return
        self._client_noted = True
        exchange = Exchange(self.request, None, self.arrived, self._whole.now(), failure=failure)
        observed = self._whole.keys.observe(exchange, self._connection(), gave_up=gave_up)
        self._whole.take(Sighting(self._number, observed, last=last))

    def _gap(self, why: str, *, effect: bool, unreached: bool = False) -> None:
        if not self._noted:
            self._noted = True
            whole = self._whole
            whole.take(Sighting(self._number, gap=why, effect=effect, unreached=unreached))

    def _connection(self) -> str:
        host, port = self._scope.get("client") or ("", 0)
        return f"{host}:{port}"


def _end_to_end(headers: Any) -> Raw:
    """The headers that belong to the message and not to one connection."""
    named = {
        word.strip().lower().decode("latin-1")
        for name, value in headers
        if name.lower() == b"connection"
        for word in value.split(b",")
    }
    dropped = HOP_BY_HOP | named
    return [(name, value) for name, value in headers if name.lower().decode("latin-1") not in dropped]


def _target(scope: Scope) -> bytes | None:
    """The path and query as they were sent; None for what only a forward proxy can serve."""
    raw: bytes = scope.get("raw_path") or scope["path"].encode("utf-8", "replace")
    if not raw.startswith(b"/") and raw != b"*":
        # A client may name the whole URL (RFC 9112, 3.2.2).
        _, sign, rest = raw.partition(b"://")
        if not sign:
            return None
        raw = b"/" + rest.partition(b"/")[2]
    query: bytes = scope.get("query_string", b"")
    return raw + (b"?" + query if query else b"")
