"""What a faithful client makes of a scenario. Which scenarios there are, and how they are played, is the mock's matter.

Knows the acts of a scenario and derives from them what may be asked of a client; so it holds for a user's own as well.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final, Literal

from tracksync.errors import UsageError
from tracksync.mock.scenarios import Act, Scenario, catalogue, scenario

NORMAL: Final = "normal"
ALL: Final = "all"
LONG: Final = 10.0  # seconds; a client need not wait longer for a byte
_TRANSIENT_FAILURE: Final = frozenset({"status", "reset", "cut", "truncate", "empty", "limit"})
_SPOILT: Final = frozenset({"truncate", "empty"})

Expect = Literal["success", "failure", "any"]


class Family(StrEnum):
    """The kinds of scenarios, by what they do to a client."""

    NORMAL = "normal"
    HARMLESS = "harmless"  # all of it is lawful and nothing fails
    PASSING = "passing"  # trouble that goes by: sent again, every request succeeds
    LASTING = "lasting"  # every request fails for good
    UNAPPLIED = "unapplied"  # every request completes, and none is applied
    CHANCE = "chance"  # what happens depends on luck, or the documents do not say what to make of it


@dataclass(frozen=True, slots=True)
class Expectation:
    """What is asked of a client under a scenario. `expect`: how a faithful one's tests end."""

    family: Family
    expect: Expect


def expectation(played: Scenario) -> Expectation:
    """What a faithful client makes of `played`."""
    acts = played.acts
    if played.name == NORMAL:
        return Expectation(Family.NORMAL, "success")
    if any(act.do in ("no-user", "unchanged") and _always(act) for act in acts):
        return Expectation(Family.UNAPPLIED, "failure")
    if any(act.do == "status" and act.status >= 400 and _always(act) for act in acts):
        return Expectation(Family.LASTING, "failure")
    if any(_by_chance(act) for act in acts):
        return Expectation(Family.CHANCE, "any")
    if played.rate_limit is not None or any(act.do in _TRANSIENT_FAILURE for act in acts):
        return Expectation(Family.PASSING, "success")
    return Expectation(Family.HARMLESS, "success")


def _always(act: Act) -> bool:
    return act.times is None and act.every == 1 and act.share >= 1


def _by_chance(act: Act) -> bool:
    if act.do in ("pause", "drip"):
        return act.seconds * act.pieces > LONG
    if act.do == "hang-up":
        return True  # a request may cross the end of its connection, and only luck decides
    if act.do in _SPOILT or (act.do == "status" and act.status < 400):
        return True  # the request was applied: to take it for done, and to try again, are both fair
    return act.do in _TRANSIENT_FAILURE | {"no-user", "unchanged"} and (
        act.share < 1 or (_always(act) and act.do != "limit")
    )


def choose(names: tuple[str, ...], own: Mapping[str, Scenario] | None = None) -> tuple[Scenario, ...]:
    """The scenarios with these names, calm first; `all` stands for every one. Raises UsageError."""
    chosen: dict[str, Scenario] = {}
    for name in names or (NORMAL,):
        if name == ALL:
            chosen |= {**catalogue(), **(own or {})}
        else:
            chosen[name] = (own or {}).get(name) or scenario(name)
    if not chosen:
        raise UsageError("there is no scenario; --list-scenarios names them all")
    return tuple(sorted(chosen.values(), key=lambda played: played.name != NORMAL))
