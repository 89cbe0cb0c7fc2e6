"""The application over sockets."""

from __future__ import annotations

import contextlib
import socket
import socketserver
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from .facts import (
    LARGEST,
)
from .server import App, create


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = -1
    timeout = 60

    def log_message(self, format: str, *args: Any) -> None:
        pass

    def _body(self) -> bytes | None:
        if "chunked" in self.headers.get("transfer-encoding", "").lower():
            out = b""
            while True:
                try:
                    size = int(self.rfile.readline(100).partition(b";")[0], 16)
                except ValueError:
                    return None
                if not 0 <= size <= 4 * LARGEST or len(out) > 4 * LARGEST:
                    return None
                if size == 0:
                    while self.rfile.readline(65537).strip():
                        pass
                    return out
                out += self.rfile.read(size)
                self.rfile.readline(3)
        length = self.headers.get("content-length", "0")
        if not length.isdigit() or int(length) > 16 * LARGEST:
            return None
        return self.rfile.read(int(length))

    def serve(self) -> None:
        body = self._body()
        if body is None:
            self.close_connection = True
            self.send_error(400)
            return
        environ: dict[str, Any] = {
            "REQUEST_METHOD": self.command,
            "PATH_INFO": self.path.partition("?")[0],
            "CONTENT_TYPE": self.headers.get("content-type", ""),
            "CONTENT_LENGTH": str(len(body)),
            "wsgi.input": _Input(body),
        }
        for name, value in self.headers.items():
            environ["HTTP_" + name.upper().replace("-", "_")] = value
        started: list[Any] = []
        data = b"".join(self.server.app(environ, lambda *start: started.extend(start)))  # type: ignore[attr-defined]
        status, headers = started
        code, _, reason = status.partition(" ")
        self.send_response_only(int(code), reason)
        self.send_header("Date", self.date_time_string())
        names = set()
        for name, value in headers:
            names.add(name.lower())
            self.send_header(name, value)
        if "content-length" not in names:
            self.send_header("Transfer-Encoding", "chunked")
            half = len(data) // 2
            parts = [part for part in (data[:half], data[half:]) if part]
            data = b"".join(b"%x\r\n%b\r\n" % (len(part), part) for part in parts) + b"0\r\n\r\n"
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(data)
        self.wfile.flush()

    do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = do_HEAD = do_OPTIONS = serve  # noqa: N815


class _Input:
    def __init__(self, body: bytes):
        self.body = body

    def read(self, size: int = -1) -> bytes:
        return self.body if size < 0 else self.body[:size]


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    request_queue_size = 128
    allow_reuse_address = True

    def __init__(self, app: App, port: int = 0):
        self.app = app
        self.open: set[socket.socket] = set()
        super().__init__(("127.0.0.1", port), _Handler)

    def server_bind(self) -> None:
        socketserver.TCPServer.server_bind(self)
        self.server_name, self.server_port = self.server_address[0], self.server_address[1]  # type: ignore[assignment]

    def process_request(self, request: Any, client_address: Any) -> None:
        self.open.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        self.open.discard(request)
        super().shutdown_request(request)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that closed its connection is not an error."""


def run(app: App, port: int) -> tuple[_Server, str]:
    """A server that is bound and not yet serving, and its URL."""
    server = _Server(app, port)
    return server, f"http://127.0.0.1:{server.server_address[1]}"


@contextlib.contextmanager
def serving(port: int = 0, **config: Any) -> Iterator[str]:
    """Serve `create(**config)` from a thread and yield its base URL."""
    config.setdefault("key", "key")
    server, url = run(create(**config), port)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield url
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
        for connection in list(server.open):
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
