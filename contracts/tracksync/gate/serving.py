"""Serves an ASGI application on a port of this machine, in a thread of its own, for as long as a `with` lasts.

Knows uvicorn. Its connections can be cut in the middle of an answer, which ASGI has no word for.
"""

from __future__ import annotations

import asyncio
import logging
import socket
import struct
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

import uvicorn
from uvicorn.protocols.http.h11_impl import H11Protocol

from tracksync.errors import UsageError
from tracksync.mock.app import ABORT, Receive, Scope, Send

_START: Final = 10.0  # seconds to wait for the server to be up
_BACKLOG: Final = 512


class _Protocol(H11Protocol):
    """Remembers each open connection by its client's address, so that it can be cut."""

    open: dict[tuple[str, int], asyncio.Transport] = {}  # noqa: RUF012 - one table for all connections, on purpose

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        if self.client is not None:
            self.open[self.client] = transport

    def connection_lost(self, exc: Exception | None) -> None:
        super().connection_lost(exc)
        if self.client is not None:
            self.open.pop(self.client, None)


def _cut(client: tuple[str, int]) -> None:
    transport = _Protocol.open.get(client)
    if transport is None:
        return
    connection = transport.get_extra_info("socket")
    if connection is not None:
        # A linger of zero makes the kernel send a reset, which no client can take for an ordinary end.
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    transport.abort()


class _Cutting:
    """ASGI 3: gives `app` the extension by which an answer cuts its connection."""

    def __init__(self, app: Any) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        client = scope.get("client")
        if scope["type"] == "http" and client:
            scope = {**scope, "extensions": {**scope.get("extensions", {}), ABORT: lambda: _cut(tuple(client))}}
        await self._app(scope, receive, send)


@contextmanager
def serving(app: Any, host: str = "127.0.0.1", port: int = 0) -> Iterator[str]:
    """Serve `app` on `port` (0: any free one) while the block runs; gives the base URL. Raises UsageError.

    At the end open connections are closed and the port is free again.
    """
    listener = _listener(host, port)
    server = _server(app)
    thread = threading.Thread(
        target=lambda: asyncio.run(server.serve(sockets=[listener])), name="tracksync-gate", daemon=True
    )
    thread.start()
    try:
        _await_start(server, thread)
        yield f"http://{host}:{listener.getsockname()[1]}"
    finally:
        server.should_exit = True
        server.force_exit = True
        thread.join(_START)
        listener.close()


def _listener(host: str, port: int) -> socket.socket:
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((host, port))
        listener.listen(_BACKLOG)
    except OSError as error:
        listener.close()
        raise UsageError(
            f"cannot serve on {host}, port {port}: {error.strerror}; leave the port out for any free one"
        ) from None
    # The command under test must not inherit it, or the port stays open as long as that command lives.
    listener.set_inheritable(False)
    return listener


def _server(app: Any) -> uvicorn.Server:
    config = uvicorn.Config(
        _Cutting(app),
        http=_Protocol,
        ws="none",
        lifespan="off",
        log_config=None,
        log_level=logging.CRITICAL,
        access_log=False,
        server_header=False,
        date_header=True,
        proxy_headers=False,
        timeout_keep_alive=30,
        timeout_graceful_shutdown=1,
        backlog=_BACKLOG,
    )
    server = uvicorn.Server(config)
    # Signals belong to whoever runs the gate.
    server.capture_signals = _no_signals  # type: ignore[method-assign]
    return server


@contextmanager
def _no_signals() -> Iterator[None]:
    yield


def _await_start(server: uvicorn.Server, thread: threading.Thread) -> None:
    pause = threading.Event()
    waited = 0.0
    while not server.started:
        if not thread.is_alive() or waited > _START:
            raise UsageError("the mock could not be served on this machine; is the loopback interface up?")
        pause.wait(0.005)
        waited += 0.005
