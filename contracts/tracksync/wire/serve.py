"""Serves a mock on a real port with uvicorn: in a thread for tests, or in the foreground for the command line.

ASGI cannot cut a connection, which scenarios and faults need. So the application is served with two scope extensions
that end the connection of the request: `tracksync.abort` at once, by a TCP reset, and `tracksync.close` after what was
already sent. They find the connection among those that the uvicorn server keeps, by the client's address, so that
nothing is patched and an ordinary request costs nothing more. A third, `tracksync.opened`, is the time at which the
connection was accepted, where the server knows it.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
import ssl
import struct
import threading
import time
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any, Final

import uvicorn
from uvicorn.protocols.http.h11_impl import H11Protocol

from tracksync.errors import Incomplete, UsageError
from tracksync.mock.app import ABORT, CLOSE, Receive, Scope, Send

App = Callable[[Scope, Receive, Send], Awaitable[None]]  # a MockApp, or a layer around one
BACKLOG: Final = 2048
OPENED: Final = "tracksync.opened"  # seconds since the Unix epoch
RESET_ON_CLOSE: Final = struct.pack("ii", 1, 0)  # linger for no time: the socket's end is a reset
GRACE: Final = 1  # seconds that responses under way are given when the server stops


class _TimedProtocol(H11Protocol):
    """Remembers when its connection was accepted."""

    opened = 0.0

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Note the time."""
        self.opened = time.time()
        super().connection_made(transport)


class _Server(uvicorn.Server):
    """Says when it is ready, and with which error it ended."""

    def __init__(self, config: uvicorn.Config, ready: Callable[[], None]) -> None:
        super().__init__(config)
        self._ready = ready

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets=sockets)
        self._ready()


def serve(
    app: App,
    *,
    host: str = "127.0.0.1",
    port: int = 0,
    certificate: Path | None = None,
    key: Path | None = None,
    keep_case: bool = False,
    ready: Callable[[str], None] = lambda url: None,
) -> None:
    """Serve until a signal ends it. `ready` is called with the base URL; port 0 takes a free one. `keep_case` as below.

    Raises UsageError when the port is taken or the certificate cannot be read.
    """
    with listening(host, port) as listener:
        url = _url(listener, certificate)
        _server(app, certificate, key, lambda: ready(url), keep_case=keep_case).run(sockets=[listener])


@contextlib.contextmanager
def served(
    app: App,
    *,
    host: str = "127.0.0.1",
    port: int = 0,
    certificate: Path | None = None,
    key: Path | None = None,
    keep_case: bool = False,
    transparent: bool = False,
) -> Iterator[str]:
    """Serve in a thread for as long as the context lasts, and give the base URL.

    `keep_case` sends header names as the application spells them, which the faster parser does not. `transparent`
    adds no header to the application's, and tells it when the server begins and ends (ASGI lifespan).
    """
    begun = threading.Event()
    with listening(host, port) as listener:
        server = _server(app, certificate, key, begun.set, keep_case=keep_case, transparent=transparent)
        failure: list[BaseException] = []

        def run() -> None:
            try:
                server.run(sockets=[listener])
            except BaseException as error:  # noqa: BLE001 - handed over to the thread that waits
                failure.append(error)
            finally:
                begun.set()

        thread = threading.Thread(target=run, name="tracksync-mock", daemon=True)
        thread.start()
        begun.wait()
        if failure or not server.started:
            raise Incomplete("the mock could not be served") from (failure[0] if failure else None)
        try:
            yield _url(listener, certificate)
        finally:
            server.should_exit = True
            thread.join()


@contextlib.contextmanager
def listening(host: str, port: int) -> Iterator[socket.socket]:
    """A socket that listens on `host`; port 0 takes a free one. Raises UsageError when the port is taken."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # The protocol is named because asyncio sends small responses at once (TCP_NODELAY) only where it is.
    with socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP) as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind((host, port))
        except (OSError, OverflowError) as error:
            raise UsageError(f"{host}:{port} cannot be listened on ({error}); choose another with --port") from error
        listener.listen(BACKLOG)
        yield listener


def check_certificate(certificate: Path, key: Path | None) -> None:
    """Raise UsageError for files that are not a certificate and its key."""
    try:
        ssl.create_default_context(ssl.Purpose.CLIENT_AUTH).load_cert_chain(certificate, key)
    except OSError as error:
        raise UsageError(
            f"{certificate} and {key or certificate} are not a certificate and its key; both are PEM files ({error})"
        ) from None


def _url(listener: socket.socket, certificate: Path | None) -> str:
    host, port = listener.getsockname()[:2]
    return f"{'https' if certificate else 'http'}://{f'[{host}]' if ':' in host else host}:{port}"


def _server(
    app: App,
    certificate: Path | None,
    key: Path | None,
    ready: Callable[[], None],
    *,
    keep_case: bool = False,
    transparent: bool = False,
) -> _Server:
    for file in (certificate, key):
        if file is not None and not file.is_file():
            raise UsageError(f"{file} is not a file; --tls-cert and --tls-key take PEM files")
    if certificate is not None:
        check_certificate(certificate, key)

    async def with_ends(scope: Scope, receive: Receive, send: Send) -> None:
        scope["extensions"] = {
            **(scope.get("extensions") or {}),
            ABORT: lambda: _end(server, scope, reset=True),
            CLOSE: lambda: _end(server, scope, reset=False),
        }
        if keep_case:
            scope["extensions"][OPENED] = getattr(_protocol(server, scope), "opened", None)
        await app(scope, receive, send)

    config = uvicorn.Config(
        with_ends,
        interface="asgi3",
        http=_TimedProtocol if keep_case else "auto",
        lifespan="on" if transparent else "off",
        ws="none",
        log_config=None,
        log_level="critical",
        access_log=False,
        server_header=False,
        date_header=not transparent,
        proxy_headers=False,
        timeout_keep_alive=75,
        timeout_graceful_shutdown=GRACE,
        ssl_certfile=certificate,
        ssl_keyfile=key,
    )
    server = _Server(config, ready)
    return server


def _end(server: uvicorn.Server, scope: Scope, *, reset: bool) -> None:
    """End the connection on which a request came."""
    transport: Any = getattr(_protocol(server, scope), "transport", None)
    if transport is None:
        return
    if not reset:
        transport.close()
        return
    raw = transport.get_extra_info("socket")
    if raw is not None:
        raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET_ON_CLOSE)
    transport.abort()


def _protocol(server: uvicorn.Server, scope: Scope) -> Any:
    """The server's object for the connection on which a request came; None where it is closed already."""
    client = tuple(scope.get("client") or ())
    for protocol in list(server.server_state.connections):
        if tuple(getattr(protocol, "client", None) or ()) == client:
            return protocol
    return None
