"""Makes a finding short on a target that costs: plays the steps again for users of their own, within an allowance.

Every replay has a fresh prefix of the same length, so that it meets users nobody has seen, and a fresh belief.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

from tracksync.engine.session import Budget, BudgetSpent, Sent, Session, TargetLost
from tracksync.engine.shrink import shrink
from tracksync.generate.build import Step
from tracksync.generate.renaming import derived_prefix, renamed
from tracksync.model.events import Event, ExchangeChecked, Paused, Retried
from tracksync.model.exchange import Exchange
from tracksync.model.finding import Finding
from tracksync.oracle import Belief

LONGEST: Final = 40  # steps: more are not played again


class _Enough(Exception):
    pass


@dataclass(slots=True)
class Replayer:
    """Plays steps again on the target of `session`.

    `start(prefix)` gives the belief for users with a prefix; `prefixes` is told each new one before it is used, so
    that the guard at the target lets it pass.
    """

    session: Session
    prefix: str
    start: Callable[[str], Belief]
    prefixes: list[str]
    _plays: int = field(default=0)

    def shortest(
        self, candidates: Sequence[Sequence[Step]], finding: Finding, allowance: int
    ) -> tuple[Exchange, ...] | None:
        """The exchanges of the shortest sequence found that shows `finding` again; None if none did.

        The first of `candidates` that shows it is made short.
        """
        spent = 0
        best: list[Sent] = []

        def breaks(candidate: Sequence[Step]) -> bool:
            nonlocal spent, best
            if spent + len(candidate) > allowance:
                raise _Enough
            before = self.session.requests
            played = self.play(candidate)
            spent += self.session.requests - before
            if any(one.clause == finding.clause for one in played[-1].findings):
                best = played
                return True
            return False

        try:
            for steps in candidates:
                if breaks(steps):
                    shrink(steps, breaks)
                    break
        except (_Enough, BudgetSpent, TargetLost):
            pass
        return tuple(sent.exchange for sent in best) or None

    def play(self, steps: Sequence[Step]) -> list[Sent]:
        """Send `steps` for new users; what they break is for the caller and not for the run's tally."""
        outer = self.session
        self._plays += 1
        prefix = derived_prefix(self.prefix, self._plays)
        self.prefixes.append(prefix)
        inner = Session(outer.target, self.start(prefix), self._emit, Budget(), phase="shrinking", pace=outer.pace)
        inner.rates, inner.rng = outer.rates, outer.rng
        inner.users, inner.keep_users, inner.prefix = outer.users, outer.keep_users, prefix
        inner.pulse, inner.patience, inner._answered = outer.pulse, outer.patience, True
        for step in steps:
            outer.check_budget(step)
            before, points = inner.requests, inner.data_points
            try:
                inner.send(renamed(step, self.prefix, prefix))
            finally:
                outer.lost = outer.lost or inner.lost
                outer.requests += inner.requests - before
                outer.data_points += inner.data_points - points
        return inner.log

    def _emit(self, event: Event) -> None:
        if isinstance(event, ExchangeChecked):
            self.session.emit(replace(event, index=self.session.requests + 1, findings=(), covered=frozenset()))
        elif isinstance(event, Paused | Retried):
            self.session.emit(event)
