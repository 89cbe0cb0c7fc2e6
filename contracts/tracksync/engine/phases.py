"""The phases of a fuzz run: which requests are sent in what order, and how the budget is shared among them.

Probes come first, then what breaks careless servers, then boundary cases, schema cases and stateful sequences, each
with its share of what is left.
"""

from __future__ import annotations

import random
from collections import deque
from collections.abc import Hashable, Iterator
from functools import lru_cache
from itertools import chain, zip_longest
from pathlib import Path
from typing import TYPE_CHECKING, Final

from tracksync.contract.bounds import DELETE, EXPORT, SYNC, TRACK, bounds
from tracksync.contract.second_document import second_document
from tracksync.engine.coverage import ConstraintCoverage
from tracksync.engine.plan import FuzzPlan
from tracksync.engine.read_back import Verifier
from tracksync.engine.session import Session
from tracksync.generate.build import SentKey, Step
from tracksync.generate.harmless import Namer
from tracksync.generate.probes import PROBES, Probe, rate_burst
from tracksync.model.exchange import Exchange
from tracksync.oracle.belief import LimitedEndpoint

if TYPE_CHECKING:
    from tracksync.generate.boundaries import BoundaryPlan
    from tracksync.generate.stateful import Sequence

SHARES: Final = {"boundaries": 0.62, "schema": 0.1, "stateful": 0.28}  # of what is left after the probes
NEIGHBOURS: Final = (TRACK, DELETE, EXPORT)
_BY_THE_BURST: Final = frozenset({"TS-RATE-EXCEEDED", "TS-RATE-429"})  # what going over the limit is for


class PhaseRunner:
    """Sends the requests of a plan through `session`; `verifier`, if any, is told of every exchange.

    `why_not`: for clauses that could not be covered, why. `enough`: every probe was sent that has to be.
    `coverage`: of the constraints, where boundary cases were made. `failing`: by kind of finding, the stateful sequence
    that showed it first. `passing`: sequences that failed in an earlier run and do no longer.
    """

    def __init__(self, plan: FuzzPlan, prefix: str, session: Session, verifier: Verifier | None) -> None:
        self.plan = plan
        self.prefix = prefix
        self.session = session
        self.verifier = verifier
        self.why_not: dict[str, str] = {}
        self.enough = False
        self.coverage: ConstraintCoverage | None = None
        self.failing: dict[Hashable, Sequence] = {}
        self.passing: list[Sequence] = []
        # One, so that no two users share a phone number.
        self._names = Namer(prefix, random.Random(plan.seed), session.target.now())
        self._absent: set[str] = set()  # paths that the target does not offer to this key

    def run(self) -> None:
        """All phases of the plan. Raises BudgetSpent, TargetLost."""
        wanted = [phase for phase in self.plan.phases if not self.plan.only or phase == "probes"]
        first, further = self._chosen(further=False), self._chosen(further=True)
        if "probes" in wanted:
            self.session.begin("probes")
            self._probes(first)
        self.enough = True
        if "boundaries" in wanted:
            self._robustness()
        if "probes" in wanted:
            self.session.phase = "probes"
            self._probes(further)
            if not self.plan.only or not _BY_THE_BURST.isdisjoint(self.plan.only):
                self._rate()
        rest = [phase for phase in wanted if phase in SHARES]
        left = self._left()
        for number, phase in enumerate(rest):
            whole = sum(SHARES[one] for one in rest)
            last = number == len(rest) - 1
            allowance = self._left() if last else int(left * SHARES[phase] / whole)
            if allowance > 0 or phase == "boundaries":  # which says what it could not try
                {"boundaries": self._boundaries, "schema": self._schema, "stateful": self._stateful}[phase](allowance)

    def _left(self) -> int:
        """How many requests the budget still allows, less what is kept for the end."""
        return max(self.session.spending.left() - self.session.config.reserve().requests, 0)

    def _send(self, step: Step) -> Exchange | None:
        exchange = self.session.send(step)
        if self.verifier is not None and self.session.phase != "probes":
            self.verifier.note(exchange)
        return exchange

    def _up_to(self, allowance: int, steps: Iterator[Step]) -> None:
        """Send steps until so many requests have been spent, retries included."""
        end = self.session.spending.requests + allowance
        while self.session.spending.requests < end:
            step = next(steps, None)  # not made before it is known that it can be sent: the first takes long
            if step is None:
                return
            self._send(step)

    # --- probes -------------------------------------------------------------------------------------------------

    def _chosen(self, *, further: bool) -> list[Probe]:
        wanted = set(self.plan.only)
        chosen = [probe for probe in PROBES if not wanted or wanted & set(probe.clauses)]
        return [probe for probe in chosen if probe.further is further]

    def _probes(self, probes: list[Probe]) -> None:
        namer = self._names
        for probe in probes:
            self.enough = self.enough or probe.further
            if probe.heavy and not self.plan.target.embedded and self.session.spending.left() < 2:
                continue
            for step in probe.steps(namer):
                exchange = self._send(step)
                if probe.optional and exchange is not None and is_not_offered(step, exchange):
                    self._absent.add(step.request.path)
                    for clause in probe.clauses:
                        self.why_not.setdefault(clause, f"the target does not offer {step.request.path} to this key")
                    break

    def _rate(self) -> None:
        """Go over the limit on purpose where that is allowed: the window may be nearly used up already."""
        plan, session = self.plan, self.session
        if not (plan.target.embedded or plan.probe_rate_limit):
            return
        if any(sent.exchange.response and sent.exchange.response.status == 429 for sent in session.log):
            return
        window = session.belief.windows.get(LimitedEndpoint.SYNC)
        limit = plan.target.rate_limit or (window.limit if window and window.limit else bounds().rate_limit)
        needed = limit - (window.accepted if window else 0) + 5
        if needed > self._left():
            reason = f"{needed} more requests would be needed, {self._left()} are left"
            self.why_not |= {"TS-RATE-EXCEEDED": reason, "TS-RATE-429": reason}
            return
        for step in rate_burst(self._names, needed):
            before = session.spending.requests
            session.send(step)
            if session.spending.requests > before + 1:  # it was limited, and tried again
                break

    # --- what is generated --------------------------------------------------------------------------------------

    def _robustness(self) -> None:
        from tracksync.generate.robustness import robustness_steps

        self.session.begin("boundaries")
        for step in robustness_steps(self._names):
            self._send(step)

    def _boundaries(self, allowance: int) -> None:
        from tracksync.generate.boundaries import further_cases

        paths = tuple(path for path in (SYNC, *NEIGHBOURS) if path not in self._absent)
        plan = _boundary_plan(self.prefix, self.plan.seed, paths)
        self.coverage = ConstraintCoverage(plan)
        self.session.begin("boundaries")
        end = self.session.spending.requests + allowance
        for case in plan.cases:
            if self.session.spending.requests >= end:
                return
            if self._send(case.step) is not None:
                self.coverage.note(case)
        spare = (end - self.session.spending.requests) // 2
        further = further_cases(_boundary_namer(self.prefix, self.plan.seed), seed=self.plan.seed, paths=paths)
        self._up_to(spare, (case.step for case in further))

    def _schema(self, allowance: int) -> None:
        from tracksync.generate.schema_cases import schema_steps

        self.session.begin("schema")
        plan, names = self.plan, self._names.scope("schema")
        sources = [schema_steps(plan.seed, names, allowance)]
        if plan.second_document is not None:
            second = second_document(Path(plan.second_document))
            paths = [path for path in second.request_paths if path not in self._absent]
            sources += [schema_steps(plan.seed, names, allowance, second, path) for path in paths]
        self._up_to(allowance, (step for some in zip_longest(*sources) for step in some if step is not None))

    def _stateful(self, allowance: int) -> None:
        from tracksync.generate.stateful import stateful_sequences

        session = self.session
        session.begin("stateful")
        end = session.spending.requests + allowance
        recent: deque[str] = deque(maxlen=REMEMBERED)
        stored = list(self._stored())
        for sequence in chain(stored, stateful_sequences(self.plan.seed, self.prefix)):
            first, known = session.spending.requests, set(session.found)
            for step in sequence.steps:
                if session.spending.requests >= end:
                    return
                self._send(step)
                self.failing |= dict.fromkeys(session.found.keys() - known - self.failing.keys(), sequence)
            sent = session.log[first - session.spending.requests :]
            if sequence in stored and not any(one.findings for one in sent):
                self.passing.append(sequence)
            if len(recent) == REMEMBERED:  # no later request names its users
                gone = f"-{recent[0]}-"
                session.belief = session.belief.without(lambda text, gone=gone: gone in text)  # type: ignore[misc]
            recent.append(sequence.scope)

    def _stored(self) -> Iterator[Sequence]:
        """The sequences that failed in an earlier run."""
        if self.plan.examples is None:
            return iter(())
        from tracksync.generate.failures import Failures

        return Failures(Path(self.plan.examples)).sequences(self._names)

    def keep_failures(self) -> None:
        """Store the sequences that failed in Hypothesis's example database, and forget those that do no longer."""
        if self.plan.examples is not None and (self.failing or self.passing):
            from tracksync.generate.failures import Failures

            Failures(Path(self.plan.examples)).keep(self.failing.values(), self.passing)


def _boundary_namer(prefix: str, seed: int) -> Namer:
    return Namer(prefix, random.Random(seed)).scope("boundary")


@lru_cache(maxsize=2)
def _boundary_plan(prefix: str, seed: int, paths: tuple[str, ...]) -> BoundaryPlan:
    """The plan is made once for many runs with one seed, such as those of selfcheck."""
    from tracksync.generate.boundaries import boundary_plan

    return boundary_plan(_boundary_namer(prefix, seed), seed=seed, paths=paths)


REMEMBERED: Final = 8  # sequences whose users the belief still holds


def is_not_offered(step: Step, exchange: Exchange) -> bool:
    """Whether the target does not offer the path to the key; what another key is told says nothing of that."""
    status = exchange.response.status if exchange.response is not None else None
    return step.key is SentKey.VALID and status in (401, 403, 404)
