"""Serves a mock as its scenario asks: over HTTP/1.1, or over TLS with HTTP/2."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from tracksync.mock.scenarios import Scenario
from tracksync.wire.serve import App, served


@contextmanager
def serving(app: App, scenario: Scenario, port: int = 0) -> Iterator[tuple[str, Mapping[str, str]]]:
    """The base URL, and the environment variables by which a client is told to trust the certificate."""
    if not scenario.http2:
        with served(app, port=port, keep_case=True) as url:
            yield url, {}
        return
    from tracksync.wire.http2 import identity, served_http2

    with identity() as files, served_http2(app, certificate=files.certificate, key=files.key, port=port) as url:
        yield url, files.environment()
