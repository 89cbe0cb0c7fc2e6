"""Which scenarios a gate plays, and what a correct client makes of each.

Knows the acts of a scenario and derives from them what can be expected of a client, so it holds for a user's own too.
Which scenarios there are, and how they are played, is the mock's part.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Final, Literal

from tracksync.errors import UsageError
from tracksync.mock.scenarios import Act, Scenario, catalogue
from tracksync.values.near_names import suggestion

NORMAL: Final = "normal"
ALL: Final = "all"
LONG: Final = 10.0  # seconds; a client need not wait longer for a byte
LONGEST_PAUSES: Final = 30.0  # seconds that the responses of one run may be delayed in all
MOST_FAILED: Final = 60  # requests of one run that a lasting 5XX happens to
FAILED_FOR_GOOD: Final = 3  # of them that are sent at least three times: a correct client pauses before each try
MOST_TRIES: Final = 20  # of one request that a lasting 5XX happens to: a client without a bound has to end
_SHORT: Final = 1.0  # seconds; shorter pauses are not counted
_TRANSIENT: Final = frozenset({"status", "reset", "cut", "truncate", "empty", "limit"})
_SPOILT: Final = frozenset({"truncate", "empty"})

Expect = Literal["success", "failure", "any"]

_QUICK: Final = (
    NORMAL,
    "unknown-fields",
    "optional-omitted",
    "chunked",
    "error-503",
    "rate-burst",
    "reset-before-applying",
    "rejected",
    "unauthorised",
    "users-empty",
    "value-unchanged",
)
# What takes long, depends on chance, or shows again what another scenario shows.
_NOT_STANDARD: Final = frozenset(
    {
        "rate-long",
        "error-502",
        "error-504",
        "errors-mixed",
        "slow-30s",
        "html-success",
        "clock-ahead",
        "keep-alive-dropped",
        "http2",
        "mixed-faults",
    }
)


class Family(StrEnum):
    """The kinds of scenarios, by what they do to a client."""

    NORMAL = "normal"
    HARMLESS = "harmless"  # all of it is lawful and nothing fails
    TRANSIENT = "transient"  # failures that pass: sent again, every request succeeds
    LASTING = "lasting"  # every request fails, however often it is sent
    UNAPPLIED = "unapplied"  # every request completes, and none is applied
    CHANCE = "chance"  # what happens depends on chance, or the documents do not say what to make of it


@dataclass(frozen=True, slots=True)
class Expectation:
    """What is expected of a client under a scenario. `expect`: how the tests of a correct one end.

    `uncertain`: after some response a client cannot know whether its request was applied.
    """

    family: Family
    expect: Expect
    uncertain: bool = False

    @property
    def sentence(self) -> str:
        """What is expected, in words for a table."""
        if self.family is Family.TRANSIENT and self.uncertain:
            return "tries again and succeeds, or reports that a count may be applied"
        return _SENTENCES[self.family]


_SENTENCES: Final[Mapping[Family, str]] = {
    Family.NORMAL: "succeeds",
    Family.HARMLESS: "succeeds: all of it is lawful",
    Family.TRANSIENT: "waits or tries again, and succeeds",
    Family.LASTING: "reports the failure",
    Family.UNAPPLIED: "reports that nothing was applied",
    Family.CHANCE: "succeeds or reports a failure",
}


def groups() -> Mapping[str, tuple[str, ...]]:
    """Name of each group of scenarios to the names in it, smallest group first."""
    return {
        "quick": _QUICK,
        "standard": tuple(name for name in catalogue() if name not in _NOT_STANDARD),
        ALL: tuple(catalogue()),
    }


def expectation(played: Scenario) -> Expectation:
    """What a correct client makes of `played`."""
    acts = played.acts
    if played.name == NORMAL:
        return Expectation(Family.NORMAL, "success")
    if any(act.do in ("no-user", "unchanged") and _always(act) for act in acts):
        return Expectation(Family.UNAPPLIED, "failure")
    if any(act.do == "status" and act.status >= 400 and _always(act) for act in acts):
        return Expectation(Family.LASTING, "failure")
    if any(_by_chance(act) for act in acts):
        return Expectation(Family.CHANCE, "any")
    if played.rate_limit is not None or any(act.do in _TRANSIENT for act in acts):
        return Expectation(Family.TRANSIENT, "success", any(map(_is_uncertain, acts)))
    return Expectation(Family.HARMLESS, "success")


def _is_uncertain(act: Act) -> bool:
    return act.do in ("reset", "cut") or (act.do == "status" and act.status in (500, 504))


def _always(act: Act) -> bool:
    return act.times is None and act.total is None and act.every == 1 and act.share >= 1


def _by_chance(act: Act) -> bool:
    if act.do in ("pause", "drip"):
        return act.seconds * act.pieces > LONG
    if act.do == "hang-up":
        return True  # a request may be under way when its connection ends
    if act.do in _SPOILT or (act.do == "status" and act.status < 400):
        return True  # the request was applied: to take it for done, and to try again, are both fair
    return act.do in _TRANSIENT | {"no-user", "unchanged"} and (act.share < 1 or (_always(act) and act.do != "limit"))


def bounded(played: Scenario, seconds: float = LONGEST_PAUSES) -> Scenario:
    """`played` as a run of any number of requests can bear it.

    Long pauses happen to so many requests only that they last about `seconds` in all, to one at least. A 5XX that lasts
    does so for the first requests, until FAILED_FOR_GOOD of them were tried again and again, which is enough to fail a
    suite; the others are served. So no request that has failed succeeds later, however many are sent at once.
    """

    def limited(act: Act) -> Act:
        if act.do == "status" and act.status >= 500 and _always(act):
            return replace(act, total=MOST_FAILED, lasts=FAILED_FOR_GOOD, times=MOST_TRIES)
        pause = act.seconds * (act.pieces if act.do == "drip" else 1)
        if act.do not in ("pause", "drip") or pause < _SHORT:
            return act
        most = max(1, int(seconds / pause))
        return replace(act, total=most if act.total is None else min(most, act.total))

    return replace(played, acts=tuple(map(limited, played.acts)))


def duration(played: Scenario) -> float:
    """A rough guess in seconds of how long a small suite takes under `played`, to start the longest first."""
    pauses = [act.seconds * (act.pieces if act.do == "drip" else 1) for act in played.acts if act.do != "limit"]
    limits = [act.seconds + 1 for act in played.acts if act.do == "limit"]
    lasting = 10.0 if any(act.do == "status" and act.status >= 500 and _always(act) for act in played.acts) else 0.0
    return max([0.0, lasting, *limits, *pauses])


def choose(
    names: Sequence[str], own: Mapping[str, Scenario] | None = None, exclude: Sequence[str] = ()
) -> tuple[Scenario, ...]:
    """The scenarios with these names or in these groups, `normal` first, without those of `exclude`.

    `own` are the user's scenarios; `all` includes them. Raises UsageError.
    """
    known = {**catalogue(), **(own or {})}
    members = {**groups(), ALL: tuple(known)}
    chosen = dict.fromkeys(_expanded(names or (NORMAL,), members, known))
    for name in _expanded(exclude, members, known):
        chosen.pop(name, None)
    if not chosen:
        raise UsageError("no scenario is left; --list-scenarios lists them all")
    return tuple(known[name] for name in sorted(chosen, key=lambda name: name != NORMAL))


def _expanded(
    names: Iterable[str], members: Mapping[str, tuple[str, ...]], known: Mapping[str, Scenario]
) -> Iterable[str]:
    for name in names:
        if name in known:
            yield name
        elif name in members:
            yield from members[name]
        else:
            hint = suggestion(name, [*members, *known], "`tracksync gate --list-scenarios` lists them all")
            raise UsageError(f"no scenario is called {name!r}; {hint}")
