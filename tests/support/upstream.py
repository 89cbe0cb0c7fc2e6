"""Endpoints to put the proxy in front of."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from typing import Any

from proxy_harness import Session, proxied

from tracksync.wire.serve import served

Receive = Callable[[], Awaitable[Any]]

Send = Callable[[Any], Awaitable[None]]


class Upstream:
    """An endpoint that sends the same response to every request, and remembers the requests."""

    def __init__(self, status: int = 200, headers: tuple[tuple[bytes, bytes], ...] = (), body: bytes = b"") -> None:
        self.status, self.headers, self.body = status, headers, body
        self.scopes: list[Any] = []
        self.bodies: list[bytes] = []

    async def __call__(self, scope: Any, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            while (message := await receive())["type"] != "lifespan.shutdown":
                await send({"type": f"{message['type']}.complete"})
            await send({"type": "lifespan.shutdown.complete"})
            return
        body, more = b"", True
        while more:
            message = await receive()
            body, more = body + message.get("body", b""), message.get("more_body", False)
        self.scopes.append(scope)
        self.bodies.append(body)
        await send({"type": "http.response.start", "status": self.status, "headers": list(self.headers)})
        await send({"type": "http.response.body", "body": self.body})


@contextmanager
def behind(app: Any, **settings: Any) -> Iterator[Session]:
    with served(app, keep_case=True, transparent=True) as url, proxied(url, **settings) as session:
        yield session
