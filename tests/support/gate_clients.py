"""Runs the small clients beside this file through the gate, for the tests and for tools/gate-matrix."""

from __future__ import annotations

import io
import sys
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tracksync.gate.observe import ObservePlan, ObserveReport, observe_command
from tracksync.gate.scenarios import choose
from tracksync.model.verdict import EXIT_CODES
from tracksync.report import Redactor, Tally

HERE = Path(__file__).resolve().parents[1] / "clients"
COMMANDS = {
    "python": (sys.executable, str(HERE / "python_client.py")),
    "node": ("node", str(HERE / "node_client.mjs")),
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
        return EXIT_CODES[self.result["verdict"]] or int(bool(self.report.own_failure))


def gate(*command: str, scenarios: tuple[str, ...] = ("normal",), strict: bool = True, **more: Any) -> Outcome:
    """Run `command` through the gate."""
    out = io.BytesIO()
    plan = ObservePlan(command=command, scenarios=choose(scenarios), strict=strict, out=out, err=out, **more)
    tally = Tally(Redactor([plan.key]))
    report = observe_command(plan, tally)
    return Outcome(tally.result(), report, out.getvalue().decode("utf-8", "replace"))


def gate_variant(variant: Variant) -> Outcome:
    """Run one faulty client where its fault shows."""
    return gate(*COMMANDS[variant.language], variant.name, scenarios=variant.scenarios)
