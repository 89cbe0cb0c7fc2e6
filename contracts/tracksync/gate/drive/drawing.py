"""Draws scripts at random with Hypothesis, and shrinks those that break a clause which was not broken before.

    draw_scripts(DrawPlan(...), play)

Knows Hypothesis and scripts. `play` plays one and says which clauses it breaks; what is found, and noted, is its part.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Final

from tracksync.gate.drive import behaviours
from tracksync.gate.drive.protocol import Hello
from tracksync.gate.drive.script import Script
from tracksync.mock.scenarios import Scenario

SHRINKING: Final = 30.0  # seconds that may be spent on making scripts shorter


@dataclass(frozen=True, slots=True, kw_only=True)
class DrawPlan:
    """What to draw: `number` scripts of operations that `hello` names, under `played`, by `seed`.

    `deadline`: seconds that one operation may take. `ignored`: clauses for which no script is shrunk.
    """

    number: int
    hello: Hello
    played: Mapping[str, Scenario]
    deadline: float
    seed: int
    ignored: frozenset[str]


def draw_scripts(plan: DrawPlan, play: Callable[[Script], frozenset[str]], shrinking: Callable[[], None]) -> None:
    """Draw scripts and play them. `play` gives the clauses that a script breaks; `shrinking` is called when it begins.

    What `play` raises goes through.
    """
    from hypothesis import HealthCheck, Phase, Verbosity, given, seed, settings
    from hypothesis.errors import HypothesisException

    from tracksync.gate.drive.strategies import scripts

    lasting = [name for name, one in plan.played.items() if behaviours.lasts(one, plan.deadline)]
    passing = [name for name in plan.played if name not in lasting]
    drawn = scripts(passing, lasting, plan.hello.operations, pipelining=plan.hello.pipelining)
    player = _Player(play, shrinking, plan.ignored)
    examined = settings(
        max_examples=plan.number,
        phases=(Phase.generate, Phase.shrink),
        database=None,
        deadline=None,
        suppress_health_check=list(HealthCheck),
        verbosity=Verbosity.quiet,
        print_blob=False,
    )(seed(plan.seed)(given(drawn)(player.examine)))
    try:
        examined()
    except (_BrokenClause, HypothesisException):
        pass  # noted when it was seen; that it is not seen again may be a matter of time
    except BaseExceptionGroup as group:
        others = group.split((_BrokenClause, HypothesisException))[1]
        if others is not None:
            raise others from None


@dataclass(slots=True)
class _Player:
    """Plays each script once, and raises for one that breaks a clause. `begun`: when shrinking began."""

    play: Callable[[Script], frozenset[str]]
    shrinking: Callable[[], None]
    ignored: frozenset[str]
    known: dict[str, frozenset[str]] = field(default_factory=dict)
    begun: float | None = None

    def examine(self, script: Script) -> None:
        """Play `script` unless it was played before, or the time for shrinking is over."""
        text = script.text(0)
        if text not in self.known:
            if self.begun is not None and time.monotonic() - self.begun > SHRINKING:
                return
            self.known[text] = self.play(script)
        new = sorted(self.known[text] - self.ignored)
        if new:
            if self.begun is None:
                self.begun = time.monotonic()
                self.shrinking()
            raise _exception_of(new[0])


class _BrokenClause(Exception):
    """Tells Hypothesis that a script broke a clause. Each clause has a type of its own, and is shrunk by itself."""


_TYPES: Final[dict[str, type[_BrokenClause]]] = {}


def _exception_of(clause: str) -> _BrokenClause:
    made = _TYPES.setdefault(clause, type(f"Broken {clause}", (_BrokenClause,), {}))
    return made(clause)
