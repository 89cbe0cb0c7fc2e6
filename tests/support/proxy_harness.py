"""A proxy in front of a mock, for tests: what came of a session, over real sockets."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any

from tracksync.faults.catalogue import servers
from tracksync.mock import MockApp, MockConfig
from tracksync.model.events import Event, ExchangeChecked, FindingConfirmed
from tracksync.model.verdict import EXIT_CODES
from tracksync.proxy import Keys, ProxyPlan, proxy
from tracksync.report import Tally
from tracksync.wire.serve import served

KEY = "5d7c1f0e-93a4-4b61-8a6f-3f1f6f6b2c11"
SYNC = "/users/track/sync"
AUTHORIZED = {"authorization": f"Bearer {KEY}", "content-type": "application/json"}
Middleware = Callable[[Callable[[Event], None], Keys], Callable[[Event], None]]


@dataclass
class Session:
    """A proxy while it serves, and what it found. `result` is there once it has ended."""

    url: str
    keys: Keys
    events: list[Event] = field(default_factory=list)
    result: dict[str, Any] = field(default_factory=dict)

    @property
    def clauses(self) -> set[str]:
        return {finding["clause"] for finding in self.result["findings"] if finding["evidence"] != "assumed"}

    @property
    def exit_code(self) -> int:
        return EXIT_CODES[self.result["verdict"]]

    @property
    def checked(self) -> list[ExchangeChecked]:
        return [event for event in self.events if isinstance(event, ExchangeChecked)]

    @property
    def confirmed(self) -> list[FindingConfirmed]:
        return [event for event in self.events if isinstance(event, FindingConfirmed)]


@contextmanager
def proxied(upstream: str, middleware: Middleware = lambda emit, keys: emit, **settings: Any) -> Iterator[Session]:
    """Serve a proxy in front of `upstream` for as long as the context lasts."""
    plan = replace(ProxyPlan(upstream=upstream, loopback=True, shared=False, strict=True), **settings)
    session = Session("", Keys())
    tally = Tally(session.keys)
    begun, stop = threading.Event(), threading.Event()
    failed: list[BaseException] = []

    def note(event: Event) -> None:
        session.events.append(event)
        tally(event)

    def ready(url: str) -> None:
        session.url = url
        begun.set()

    def run() -> None:
        try:
            proxy(plan, middleware(note, session.keys), session.keys, ready, stop.is_set)
        except BaseException as error:  # noqa: BLE001 - handed over to the test
            failed.append(error)
        finally:
            begun.set()

    thread = threading.Thread(target=run)
    thread.start()
    begun.wait()
    try:
        yield session
    finally:
        stop.set()
        thread.join()
    if failed:
        raise failed[0]
    session.result = tally.result()
    session.keys.result(session.result)


@contextmanager
def proxied_mock(mock: dict[str, Any] | None = None, **settings: Any) -> Iterator[tuple[Session, MockApp]]:
    """A proxy in front of a mock on a port of its own."""
    wanted = {"key": KEY, "rate_limit": 10_000, **(mock or {})}
    app = MockApp(MockConfig(**{**wanted, "faults": servers(wanted.get("faults", ()))}))
    with served(app) as url, proxied(url, **settings) as session:
        yield session, app
