"""Serves a mock over TLS with HTTP/2, for the scenarios that ask for it, with a certificate that clients can trust.

HTTP/2 is chosen while TLS begins (ALPN), so that clients which speak HTTP/1.1 only are served as well. The server is
Hypercorn, since uvicorn has no HTTP/2. It offers no way to cut a connection; scenarios that do are told so when they
are read (scenarios.py).
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import tempfile
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from tracksync.errors import Incomplete, MissingExtraError
from tracksync.wire.serve import GRACE, App, check_certificate, listening

NAMES: Final = ("localhost", "127.0.0.1", "::1")
# Where programs look for the CAs that they trust. The first three replace what a program would trust otherwise, so the
# file holds the public CAs too; the last two name ours alone.
BUNDLE_VARS: Final = ("SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE")
CA_VARS: Final = ("NODE_EXTRA_CA_CERTS", "TRACKSYNC_CA_FILE")


@dataclass(frozen=True, slots=True)
class TlsIdentity:
    """PEM files of a server on this machine: its certificate and key, its CA, and that CA beside the public ones."""

    certificate: Path
    key: Path
    ca: Path
    bundle: Path

    def environment(self) -> dict[str, str]:
        """The variables by which most programs can be told to trust the CA."""
        return {**dict.fromkeys(BUNDLE_VARS, str(self.bundle)), **dict.fromkeys(CA_VARS, str(self.ca))}


@contextlib.contextmanager
def identity(host: str = "127.0.0.1") -> Iterator[TlsIdentity]:
    """A new certificate for `host` and the names of this machine, issued by a new CA of its own."""
    import certifi

    try:
        import trustme
    except ModuleNotFoundError:
        raise MissingExtraError("a certificate for HTTP/2", "http2") from None

    authority = trustme.CA(organization_name="tracksync mock")
    leaf = authority.issue_cert(*dict.fromkeys((host, *NAMES)))
    with tempfile.TemporaryDirectory(prefix="tracksync-tls-") as folder:
        files = TlsIdentity(*(Path(folder, f"{name}.pem") for name in ("certificate", "key", "ca", "bundle")))
        for blob in leaf.cert_chain_pems:
            blob.write_to_path(files.certificate, append=True)
        leaf.private_key_pem.write_to_path(files.key)
        authority.cert_pem.write_to_path(files.ca)
        known = Path(os.environ.get("SSL_CERT_FILE") or certifi.where())
        public = known.read_bytes() if known.is_file() else b""
        files.bundle.write_bytes(public + b"\n" + files.ca.read_bytes())
        yield files


@contextlib.contextmanager
def served_http2(
    app: App, *, certificate: Path, key: Path | None = None, host: str = "127.0.0.1", port: int = 0
) -> Iterator[str]:
    """Serve in a thread for as long as the context lasts, and give the base URL.

    Raises UsageError when the port is taken or the certificate cannot be read.
    """
    try:
        from hypercorn.asyncio import serve
        from hypercorn.config import Config
    except ModuleNotFoundError:
        raise MissingExtraError("serving HTTP/2", "http2") from None

    config = Config()
    config.certfile, config.keyfile = str(certificate), str(key or certificate)
    config.accesslog = config.errorlog = None
    config.include_server_header = False
    config.keep_alive_timeout = 75
    config.graceful_timeout = GRACE
    check_certificate(certificate, key)
    stop = threading.Event()
    failure: list[BaseException] = []

    async def main() -> None:
        async def stopped() -> None:
            while not stop.is_set():
                await asyncio.sleep(0.02)

        quiet: Callable[[Any, Any], None] = lambda loop, context: None  # noqa: E731 - clients may leave at any time
        asyncio.get_running_loop().set_exception_handler(quiet)
        await serve(app, config, shutdown_trigger=stopped)  # type: ignore[arg-type]

    def run() -> None:
        try:
            asyncio.run(main())
        except BaseException as error:  # noqa: BLE001 - handed over to the thread that waits
            failure.append(error)

    with listening(host, port) as listener:
        # The server closes what it is given; this one stays ours, so that the port cannot be lost in between.
        config.bind = [f"fd://{os.dup(listener.fileno())}"]
        name, number = listener.getsockname()[:2]
        thread = threading.Thread(target=run, name="tracksync-mock-http2", daemon=True)
        thread.start()
        try:
            yield f"https://{f'[{name}]' if ':' in name else name}:{number}"
        finally:
            stop.set()
            thread.join()
    if failure:
        raise Incomplete("the mock could not be served over HTTP/2") from failure[0]
