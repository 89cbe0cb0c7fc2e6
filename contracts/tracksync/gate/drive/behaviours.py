"""The server's behaviours that a client is driven through, as scenarios of the mock: what it does to one operation."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from enum import StrEnum
from functools import cache
from pathlib import Path
from typing import Final

from tracksync.errors import UsageError
from tracksync.gate.scenarios import ALL, NORMAL, Family, expectation
from tracksync.mock import scenarios
from tracksync.mock.scenarios import Scenario
from tracksync.values.near_names import suggestion

# In the order in which they are played: what comes first is the simpler explanation of a fault.
NAMES: Final = (
    NORMAL,
    "unknown-fields",
    "header-capitals",
    "optional-omitted",
    "chunked",
    "gzip",
    "keep-alive-closed",
    "users-empty",
    "value-unchanged",
    "rejected",
    "html-refused",
    "too-large",
    "not-found",
    "unauthorised",
    "forbidden",
    "empty-refused",
    "error-503",
    "error-502",
    "error-500",
    "error-504",
    "html-error",
    "empty-error",
    "error-500-after-applying",
    "reset-before-applying",
    "reset-after-applying",
    "cut-body",
    "truncated-json",
    "empty-body",
    "html-success",
    "html-for-good",
    "truncated-unapplied",
    "empty-unapplied",
    "unapplied-after-error",
    "outage",
    "cut-for-good",
    "limited",
    "limited-clock-behind",
    "slow-answer",
    "slow-pieces",
    "limited-long",
)


class Demand(StrEnum):
    """What is expected of a client's report under a behaviour, beyond its being true."""

    SUCCESS = "success"  # nothing is wrong with the server
    TOLERANCE = "tolerance"  # everything is lawful
    RECOVERY = "recovery"  # the failure is transient
    TRUTH = "truth"  # the outcome depends on what the client tries


_DEMANDS: Final = {Family.NORMAL: Demand.SUCCESS, Family.HARMLESS: Demand.TOLERANCE, Family.TRANSIENT: Demand.RECOVERY}


@cache
def catalogue() -> Mapping[str, Scenario]:
    """All behaviours by name: those of the table beside this file, and the mock's scenarios that are short enough."""
    known = {**scenarios.catalogue(), **scenarios.load(Path(__file__).with_name("behaviours.toml"))}
    return {name: known[name] for name in NAMES}


def everything() -> Mapping[str, Scenario]:
    """All that a script may name: the behaviours, and all other scenarios of the mock."""
    return {**scenarios.catalogue(), **catalogue()}


def choose(names: Sequence[str], own: Mapping[str, Scenario]) -> dict[str, Scenario]:
    """The behaviours with these names, normal always first; all of them where none is named. Raises UsageError."""
    if not names or ALL in names:
        return {**catalogue(), **own}
    known = {**everything(), **own}
    for name in names:
        if name not in known:
            hint = suggestion(name, known, "`tracksync gate --driver --list-scenarios` lists them all")
            raise UsageError(f"no behaviour is called {name!r}; {hint}")
    return {name: known[name] for name in dict.fromkeys((NORMAL, *names))}


def lasts(played: Scenario, deadline: float) -> bool:
    """Whether a limit outlasts every deadline (seconds): after it the workspace and the client start afresh."""
    return any(act.do == "limit" and act.seconds > deadline for act in played.acts)


def demand(played: Scenario, deadline: float) -> Demand:
    """What is expected under `played` of a client that has `deadline` seconds."""
    return Demand.TRUTH if lasts(played, deadline) else _DEMANDS.get(expectation(played).family, Demand.TRUTH)
