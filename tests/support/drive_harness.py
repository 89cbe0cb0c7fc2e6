"""Drives the example adapters and their faulty variants, for the tests and for tools/drive-matrix."""

from __future__ import annotations

import os
import sys
import tomllib
import uuid
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from npm_packages import installed

from tracksync.gate.drive import DrivePlan, Driver, Rig
from tracksync.gate.drive.behaviours import choose
from tracksync.gate.drive.script import Script
from tracksync.model.verdict import EXIT_CODES, FailOn
from tracksync.report import Redactor, Tally

ROOT = Path(__file__).resolve().parents[2]
CLIENTS = ROOT / "tests" / "clients"
CORRECT = {
    "python": (sys.executable, str(ROOT / "examples" / "python_httpx" / "adapter.py")),
    "node": ("node", str(ROOT / "examples" / "node_braze_api" / "adapter.mjs")),
    "shell": (str(ROOT / "examples" / "shell_curl" / "adapter.sh"),),
}
FAULTY = {
    "python": (sys.executable, str(CLIENTS / "faulty_adapter.py")),
    "node": ("node", str(CLIENTS / "faulty_adapter.mjs")),
}


def with_braze_api() -> None:
    """Let the Node adapters find braze-api; the test skips where it cannot be had, but not in CI."""
    os.environ["BRAZE_API_FOLDER"] = str(installed(CLIENTS / "third_party").parent)


@dataclass(frozen=True)
class Variant:
    language: str
    name: str
    clause: str
    behaviours: tuple[str, ...]
    random: bool = False

    def __str__(self) -> str:
        return f"{self.language} {self.name}"


def variants() -> list[Variant]:
    """The table of faulty adapters."""
    table = tomllib.loads((CLIENTS / "drive_variants.toml").read_text(encoding="utf-8"))
    return [
        Variant(language, name, row["clause"], tuple(row["behaviours"]), row.get("random", False))
        for language, rows in table.items()
        for name, row in rows.items()
    ]


@dataclass(frozen=True)
class Outcome:
    result: dict[str, Any]
    driver: Driver

    @property
    def clauses(self) -> set[str]:
        return {finding["clause"] for finding in self.result["findings"]}

    @property
    def exit_code(self) -> int:
        return EXIT_CODES[self.result["verdict"]]

    def finding(self, clause: str) -> dict[str, Any]:
        return next(finding for finding in self.result["findings"] if finding["clause"] == clause)

    def operations(self, clause: str) -> int:
        """How many operations the script has that shows a broken clause."""
        return int(self.finding(clause)["reproduce"].count('"type":"operation"'))


def drive(
    *command: str,
    behaviours: tuple[str, ...] = (),
    scripts: int = 0,
    script: Script | None = None,
    seed: int = 0,
    deadline: float = 10.0,
    hello_timeout: float = 20.0,
    strict: bool = True,
    **plan: Any,
) -> Outcome:
    """Drive `command`. Raises what a run raises."""
    if command[0] == "node":
        with_braze_api()
    rig = Rig(
        command=command,
        behaviours=choose(behaviours, {}),
        deadline=deadline,
        hello_timeout=hello_timeout,
        seed=seed,
        key=str(uuid.uuid4()),
    )
    tally = Tally(Redactor([rig.key]))
    driver = Driver(
        DrivePlan(rig=rig, scripts=scripts, script=script, fail_on=FailOn.WARNING if strict else FailOn.ERROR, **plan),
        tally,
    )
    driver.run()
    return Outcome(tally.result(), driver)


def drive_variant(variant: Variant, *, whole: bool = False) -> Outcome:
    """Drive one faulty adapter where its fault shows, or under everything."""
    behaviours = () if whole else variant.behaviours
    scripts = 20 if whole or variant.random else 0
    return drive(*FAULTY[variant.language], variant.name, behaviours=behaviours, scripts=scripts, deadline=6.0)
