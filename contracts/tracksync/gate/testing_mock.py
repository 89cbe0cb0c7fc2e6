"""A served mock that checks the traffic of its client, for use inside a test.

with checked_mock("error-503") as mock:
    client = Client(mock.url, mock.key)
    ...
    assert not mock.findings()
"""

from __future__ import annotations

import threading
import time
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any, Final

from tracksync.gate.client_behaviour import ClientBelief, ClientCheckResult, check_client, conclude
from tracksync.gate.plan import UNLIMITED
from tracksync.gate.scenario_run import LIMIT_DELAY
from tracksync.mock import MockApp, MockConfig
from tracksync.mock.clock import SteeredClock
from tracksync.mock.scenarios import Scenario
from tracksync.model.exchange import Exchange
from tracksync.model.finding import NOTHING, Finding
from tracksync.wire.mounting import Mounted
from tracksync.wire.observed import Observed
from tracksync.wire.recorder import Recorder
from tracksync.wire.serving import serving

_SETTLE: Final = 2.0  # seconds to wait for requests that are under way
_TEXT: Final = 500  # characters of a body that a message shows


@dataclass(frozen=True, slots=True)
class BrokenClause:
    """A finding with the exchanges that show it, the one at fault last."""

    finding: Finding
    exchanges: tuple[Exchange, ...]


class CheckedMock:
    """A mock workspace on a port. `url` is the base URL, `key` the one to use.

    `trust`: environment variables that make a client trust the certificate, where the scenario has one. `app` is the
    mock, and `mounted` what is served, where something else can be put beside it.
    """

    def __init__(self, app: MockApp, clock: SteeredClock) -> None:
        self.app, self.clock = app, clock
        self.key = app.config.key
        self.scenario = app.config.played().name
        self._taken: list[Observed] = []
        self._recorder = Recorder(
            app, self._taken.append, self.key, app.config.unprivileged_key, clock, limit_delay=LIMIT_DELAY
        )
        self.mounted = Mounted(self._recorder)
        self.url = ""
        self.trust: Mapping[str, str] = {}

    @property
    def journal(self) -> list[Exchange]:
        """Everything that was exchanged so far, in the order of the responses; without the key."""
        self._settle()
        return [observed.exchange for observed in self._taken]

    def state(self, kind: str, value: str | tuple[str, str]) -> dict[str, Any] | None:
        """The profile that an identifier names, or None: `state("external_id", "user-1")`.

        A user_alias is given as (alias_label, alias_name).
        """
        return self.app.state_of(kind, value)

    def reset(self) -> None:
        """Forget all users and everything that was exchanged."""
        self.app.reset()
        self._taken.clear()

    def findings(self) -> list[BrokenClause]:
        """Every clause that the traffic broke so far, also those that are only assumed."""
        self._settle()
        belief = ClientBelief()
        found: list[BrokenClause] = []

        def add(check_result: ClientCheckResult, *last: Exchange) -> None:
            for finding, before in zip(check_result.findings, check_result.evidence, strict=True):
                found.append(BrokenClause(finding, (*before, *last)))

        for observed in list(self._taken):
            check_result = check_client(belief, observed)
            belief = check_result.belief
            add(check_result, observed.exchange)
        add(conclude(belief))
        return found

    def _settle(self) -> None:
        deadline = time.monotonic() + _SETTLE
        pause = threading.Event()
        while self._recorder.ended < self._recorder.arrived and time.monotonic() < deadline:
            pause.wait(0.005)


@contextmanager
def checked_mock(scenario: str | Scenario = "normal", **settings: Any) -> Iterator[CheckedMock]:
    """Serve a mock under `scenario`; `settings` are further members of MockConfig. Raises UnknownScenario."""
    config = MockConfig(key=str(uuid.uuid4()), scenario=scenario, **{"rate_limit": UNLIMITED, **settings})
    clock = SteeredClock()
    mock = CheckedMock(MockApp(config, clock), clock)
    with serving(mock.mounted, config.played()) as (mock.url, mock.trust):
        yield mock


def explain(broken: list[BrokenClause], key: str) -> str:
    """What was broken, as text: the clause, what it asks for, the difference, the requests. Without the key."""
    from tracksync.contract.clauses import catalogue
    from tracksync.report.exchange_text import printable
    from tracksync.report.redact import Redactor

    clean = Redactor([key])
    lines = []
    for one in broken:
        finding = one.finding
        clause = catalogue(None).get(finding.clause)
        lines += ["", f"{finding.clause}: {clean.text(finding.message)}"]
        if clause:
            lines.append(f"  asked for: {clause.sentence} [{clause.source}]")
        if finding.pointer:
            lines.append(f"  at {clean.text(finding.pointer)}")
        for sign, value in (("-", finding.expected), ("+", finding.actual)):
            if value is not NOTHING:
                lines.append(f"  {sign} {clean.json(value)!r}")
        for exchange in map(clean.exchange, one.exchanges):
            request = exchange.request
            lines.append(f"  > {request.method} {request.path} {_short(request.body)}")
            response = exchange.response
            outcome = f"{response.status} {_short(response.body)}" if response else f"no response: {exchange.failure}"
            lines.append(f"  < {outcome}")
    return printable("\n".join(lines).lstrip("\n"))


def once(broken: list[BrokenClause]) -> list[BrokenClause]:
    """One of each clause; the message says how often it was broken."""
    first: dict[str, BrokenClause] = {}
    times: dict[str, int] = {}
    for one in broken:
        times[one.finding.clause] = times.get(one.finding.clause, 0) + 1
        first.setdefault(one.finding.clause, one)
    return [
        one
        if times[clause] == 1
        else replace(one, finding=replace(one.finding, message=f"{one.finding.message} ({times[clause]} times)"))
        for clause, one in first.items()
    ]


def _short(body: bytes) -> str:
    text = body.decode("utf-8", "replace")
    return text if len(text) <= _TEXT else f"{text[:_TEXT]}…"
