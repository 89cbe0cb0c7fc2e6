"""`tracksync gate --driver`: from the options to a driven client, its baseline and its results."""

from __future__ import annotations

import sys
import uuid
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from tracksync.cli.gate_options import GateOptions
from tracksync.cli.nightly import Memory
from tracksync.cli.run import run
from tracksync.cli.shared import environment_secrets
from tracksync.errors import unreadable
from tracksync.gate.drive import DrivePlan, Driver, Rig, behaviours, script
from tracksync.mock.scenarios import Scenario
from tracksync.report import Redactor

SCRIPTS: Final = 20  # drawn at random
DEADLINE: Final = 10.0  # seconds that one operation may take


def drive(options: GateOptions, own: Mapping[str, Scenario]) -> int:
    """Drive a client. `own` are the user's scenarios. Returns the exit code."""
    outputs = options.outputs
    memory = Memory.recall(options.baseline, options.update_baseline, None, live=False)
    chosen = behaviours.choose(options.names, own)
    given = None
    if options.script is not None:
        chosen = {**behaviours.choose((), own), **behaviours.everything(), **chosen}
        given = script.read(_text(options.script), str(options.script), chosen)
    rig = Rig(
        command=options.words,
        behaviours=chosen,
        endpoint_vars=options.endpoint_variables,
        key_vars=options.key_variables,
        endpoint_form=options.endpoint_form,
        deadline=DEADLINE if options.deadline is None else options.deadline,
        interpretations=options.interpretations,
        seed=options.seed,
        port=options.port,
        key=str(uuid.uuid4()),
    )
    plan = DrivePlan(
        rig=rig,
        scripts=SCRIPTS if options.scripts is None else options.scripts,
        script=given,
        fail_on=options.fails_on,
        allowed=options.allowed,
        known=memory.fingerprints,
        timeout=options.timeout,
        options=options.again("--scenario", "--scripts", "--script"),
        all_options=options.again(),
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
    try:
        return sys.stdin.read() if str(path) == "-" else path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise unreadable(path, error) from None
