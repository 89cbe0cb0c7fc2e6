"""Runs of the gate in which no process is started: what the command did under each scenario is given."""

from __future__ import annotations

import io
import threading
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import pytest

from tracksync.gate.command import CommandEnd, Sink
from tracksync.gate.observe import observe_command
from tracksync.gate.output import CommandOutput
from tracksync.gate.plan import CheckedExchange, ObservePlan, ScenarioRun, SeenFinding
from tracksync.gate.scenarios import choose
from tracksync.mock.scenarios import Scenario
from tracksync.model.exchange import Exchange, Request, Response
from tracksync.model.finding import Finding
from tracksync.report import Redactor, Tally

KEY = "key-of-these-runs-0123456789"
REDACTOR = Redactor([KEY])  # once: to make one takes longer than a run
EXCHANGE = Exchange(
    Request("POST", "/users/track/sync", (), b'{"attributes":[{"external_id":"u1","colour":"red"}]}'),
    Response(201, (), b'{"message":"success"}'),
    1_700_000_001.0,
    1_700_000_001.2,
)


@dataclass(frozen=True)
class Did:
    """What the command did under a scenario: its exit status, whether it called the mock, and what was found.

    `stopped`: the whole run was stopped before the command had ended. `failed`: its last request met a 503.
    """

    status: int = 0
    timed_out: bool = False
    silent: bool = False
    stopped: bool = False
    failed: bool = False
    unapplied: bool = False
    finding: Finding | None = None
    exchanges: tuple[Exchange, ...] = (EXCHANGE,)

    def run(self, scenario: Scenario) -> ScenarioRun:
        findings = (self.finding,) if self.finding else ()
        covered = frozenset({"TC-URL", *(one.clause for one in findings)})
        last = self.exchanges[-1]
        if self.failed:
            last = replace(last, response=Response(503, (), b""))
        *before, _ = (CheckedExchange(one, (), frozenset({"TC-URL"})) for one in self.exchanges)
        return ScenarioRun(
            scenario=scenario,
            end=None if self.stopped else CommandEnd(None if self.timed_out else self.status, 1.0, "", self.timed_out),
            begun=last.sent,
            seconds=1.0,
            checked=() if self.silent else (*before, CheckedExchange(last, findings, covered)),
            found=tuple(SeenFinding(one, self.exchanges, f"scenario {scenario.name}") for one in findings),
            disturbed=last if self.failed else None,
            unapplied=last if self.unapplied else None,
        )


def result_of_gate(did: Mapping[str, Did], **plan: Any) -> dict[str, Any]:
    """The result of a gate under the scenarios of `did`; `plan` are members of ObservePlan."""

    def run_scenario(
        _plan: ObservePlan, scenario: Scenario, _out: Sink, _err: Sink, _stop: threading.Event
    ) -> ScenarioRun:
        return did[scenario.name].run(scenario)

    chosen = choose(tuple(did))
    gate = ObservePlan(command=("npm", "test"), scenarios=chosen, key=KEY, **plan)
    tally = Tally(REDACTOR)
    out = io.BytesIO()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("tracksync.gate.observe.run_scenario", run_scenario)
        report = observe_command(gate, tally, CommandOutput([one.name for one in chosen], out, out, out, apart=False))
    return {**tally.result(), "test_command": report.as_json()}
