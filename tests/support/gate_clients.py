"""Runs the small clients beside this file through the gate, for the tests and for tools/gate-matrix."""

from __future__ import annotations

import io
import sys
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tracksync.contract.clauses import Evidence
from tracksync.gate.observe import ObserveReport, observe_command
from tracksync.gate.output import CommandOutput
from tracksync.gate.plan import ObservePlan
from tracksync.gate.scenarios import choose
from tracksync.mock.scenarios import Scenario
from tracksync.model.verdict import EXIT_CODES, FailOn, evidence_of
from tracksync.report import Redactor, Tally

HERE = Path(__file__).resolve().parents[1] / "clients"
COMMANDS = {
    "python": (sys.executable, str(HERE / "python_client.py")),
    "node": ("node", str(HERE / "node_client.mjs")),
    "processes": (sys.executable, str(HERE / "processes_client.py")),
    "shell": (str(HERE / "shell_client.sh"),),
}


@dataclass(frozen=True)
class Variant:
    language: str
    name: str
    clause: str
    scenarios: tuple[str, ...]

    def __str__(self) -> str:
        return f"{self.language} {self.name}"


def variants() -> list[Variant]:
    """The table of faulty clients."""
    table = tomllib.loads((HERE / "variants.toml").read_text(encoding="utf-8"))
    return [
        Variant(language, name, row["clause"], tuple(row["scenarios"]))
        for language, rows in table.items()
        for name, row in rows.items()
    ]


@dataclass(frozen=True)
class Outcome:
    result: dict[str, Any]
    report: ObserveReport
    printed: str

    @property
    def clauses(self) -> set[str]:
        return {finding["clause"] for finding in self.result["findings"]}

    @property
    def broken(self) -> set[str]:
        return {finding["clause"] for finding in self.result["findings"] if finding["evidence"] != "assumed"}

    @property
    def exit_code(self) -> int:
        return EXIT_CODES[self.result["verdict"]]


def gate(
    *command: str, scenarios: tuple[str, ...] = ("normal",), own: tuple[Scenario, ...] = (), jobs: int = 1, **more: Any
) -> Outcome:
    """Run `command` through the gate; warnings fail it unless `more` says otherwise."""
    out = io.BytesIO()
    chosen = (*choose(scenarios), *own) if scenarios else own
    plan = ObservePlan(command=command, scenarios=chosen, jobs=jobs, **{"fail_on": FailOn.WARNING, **more})
    tally = Tally(Redactor([plan.key]))
    output = CommandOutput([scenario.name for scenario in chosen], out, out, out, apart=jobs > 1)
    report = observe_command(plan, tally, output)
    return Outcome(tally.result(), report, out.getvalue().decode("utf-8", "replace"))


def caught(variant: Variant, outcome: Outcome) -> bool:
    """Whether the gate found the fault of `variant`, and failed where the clause is more than assumed."""
    failing = evidence_of(variant.clause) is not Evidence.ASSUMED
    return variant.clause in outcome.clauses and (outcome.exit_code == 1 or not failing)


def gate_variant(variant: Variant) -> Outcome:
    """Run one faulty client where its fault shows."""
    return gate(*COMMANDS[variant.language], variant.name, scenarios=variant.scenarios)
