"""`tracksync gate --driver`: from the options to a driven client, its baseline and its results."""

from __future__ import annotations

import sys
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tracksync.cli.nightly import Memory
from tracksync.cli.run import run
from tracksync.cli.shared import Outputs, environment_secrets
from tracksync.errors import ConfigError
from tracksync.gate.drive import DrivePlan, Driver, Rig, behaviours, script
from tracksync.mock.scenarios import Scenario
from tracksync.report import Redactor


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """The options of the command line that are about driving."""

    words: tuple[str, ...]
    names: tuple[str, ...]
    own: Mapping[str, Scenario]
    options: tuple[str, ...]
    endpoint_vars: tuple[str, ...]
    key_vars: tuple[str, ...]
    endpoint_form: str
    timeout: float
    port: int
    allowed: frozenset[str]
    interpretations: Mapping[str, str]
    seed: int
    strict: bool
    scripts: int
    script: Path | None
    deadline: float
    baseline: Path | None
    update_baseline: bool


def drive(wish: Wish, outputs: Outputs) -> int:
    """Drive a client. Returns the exit code."""
    memory = Memory.recall(wish.baseline, wish.update_baseline, None, live=False)
    chosen = behaviours.choose(wish.names, wish.own)
    given = None
    if wish.script is not None:
        chosen = {**behaviours.choose((), wish.own), **behaviours.everything(), **chosen}
        given = script.read(_text(wish.script), str(wish.script), chosen)
    rig = Rig(
        command=wish.words,
        behaviours=chosen,
        endpoint_vars=wish.endpoint_vars,
        key_vars=wish.key_vars,
        endpoint_form=wish.endpoint_form,
        deadline=wish.deadline,
        interpretations=wish.interpretations,
        seed=wish.seed,
        port=wish.port,
        key=str(uuid.uuid4()),
    )
    plan = DrivePlan(
        rig=rig,
        scripts=wish.scripts,
        script=given,
        strict=wish.strict,
        allowed=wish.allowed,
        known=memory.fingerprints,
        timeout=wish.timeout,
        options=wish.options,
    )
    drivers: list[Driver] = []
    redactor = Redactor([rig.key, *environment_secrets()])

    def start(emit: Any) -> None:
        drivers.append(Driver(plan, emit))
        drivers[0].run()

    def conclude(result: dict[str, Any]) -> None:
        result["driver"] = redactor.json(drivers[0].as_json())
        memory.conclude(result)

    return run(start, outputs=outputs, redactor=redactor, conclude=conclude)


def _text(path: Path) -> str:
    if str(path) == "-":
        return sys.stdin.read()
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"cannot read {path}: {error}") from None
