"""The jobs of a selfcheck: single faults, pairs of faults, single interpretations, and all pairs of interpretations.

Pure planning, and one function that carries out one job in the process that calls it.
"""

from __future__ import annotations

import random
import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final, Literal

from allpairspy import AllPairs

from tracksync.contract.ambiguities import ambiguity_catalogue
from tracksync.engine import Budget, FindingPlan, FuzzPlan, MockPlan, fuzz
from tracksync.faults.catalogue import catalogue as faults
from tracksync.model.events import Event, ExchangeChecked, FindingConfirmed
from tracksync.model.verdict import evidence_of

Kind = Literal["fault", "fault pair", "interpretation", "interpretation pair"]
NEEDS_CONCURRENCY = "race"  # the family of faults that only overlapping requests can show: `tracksync race`
_ONE_AT_A_TIME: Final = threading.Lock()  # a worker of a cluster may have several threads


@dataclass(frozen=True, slots=True)
class Job:
    """One run. For faults it must end with a finding, for interpretations without.

    `causes`: each finding is made short, so that those of one cause are seen to be one.
    """

    kind: Kind
    name: str
    seed: int
    faults: tuple[str, ...] = ()
    interpretations: tuple[tuple[str, str], ...] = ()
    max_requests: int = 500
    causes: bool = False


@dataclass(frozen=True, slots=True)
class JobResult:
    """What a job showed. `found`: (clause, request) in the order of the findings, each clause once, requests from 1.

    `directed`: the first finding came from a probe. `directed_requests`: how many requests the probes took.
    `leads`: of each cause the clause of its leading finding, where the job was to tell causes.
    """

    job: Job
    found: tuple[tuple[str, int], ...]
    directed: bool
    requests: int
    directed_requests: int
    leads: tuple[str, ...] = ()

    @property
    def expected(self) -> bool:
        """Whether the oracle was right."""
        if self.job.kind.startswith("fault"):
            return bool(self.found)
        return not self.found

    @property
    def weak(self) -> bool:
        """Whether something was found, and nothing that fails a run."""
        return bool(self.found) and all(evidence_of(clause) != "documented" for clause, _ in self.found)


def fault_jobs(seed: int) -> Iterator[Job]:
    """One job for each fault that sequential requests can show and that the contract forbids."""
    for fault in faults().values():
        if fault.family != NEEDS_CONCURRENCY and not fault.beyond:
            yield Job("fault", fault.name, seed, (fault.name,))


def fault_pair_jobs(seed: int, count: int) -> Iterator[Job]:
    """Two faults at once, drawn from different families."""
    rng = random.Random(seed)
    names = [fault for fault in faults().values() if fault.family != NEEDS_CONCURRENCY and not fault.beyond]
    made = 0
    while made < count:
        one, other = rng.sample(names, 2)
        if one.family != other.family:
            made += 1
            yield Job("fault pair", f"{one.name} + {other.name}", seed, (one.name, other.name))


def interpretation_jobs(seed: int) -> Iterator[Job]:
    """One job for each interpretation of each ambiguity."""
    for ambiguity in ambiguity_catalogue().values():
        for interpretation in ambiguity.interpretations:
            yield Job(
                "interpretation", f"{ambiguity.name}={interpretation}", seed, (), ((ambiguity.name, interpretation),)
            )


def interpretation_pair_jobs(seed: int) -> Iterator[Job]:
    """A pairwise covering array over all ambiguities: every pair of interpretations is in some job."""
    ambiguities = list(ambiguity_catalogue().values())
    table: Sequence[list[str]] = [list(ambiguity.interpretations) for ambiguity in ambiguities]
    for number, values in enumerate(AllPairs(table), start=1):
        interpretations = tuple(zip((ambiguity.name for ambiguity in ambiguities), values, strict=True))
        yield Job("interpretation pair", f"pairs {number}", seed, (), interpretations)


def carry_out(job: Job) -> JobResult:
    """Run one job in this process. One at a time: Hypothesis parses source, which CPython 3.11 cannot do in threads."""
    with _ONE_AT_A_TIME:
        return _carry_out(job)


def _carry_out(job: Job) -> JobResult:
    found: dict[str, int] = {}
    requests = directed_requests = 0
    first_phase = ""
    leads: dict[int, str] = {}

    def note(event: Event) -> None:
        nonlocal requests, directed_requests, first_phase
        if isinstance(event, FindingConfirmed):
            leads.setdefault(event.cause, event.finding.clause)
        elif isinstance(event, ExchangeChecked) and event.phase != "shrinking":
            requests = event.index
            if event.phase == "probes":
                directed_requests = event.index
            for finding in event.findings:
                first_phase = first_phase or event.phase
                found.setdefault(finding.clause, event.index)

    plan = FuzzPlan(
        seed=job.seed,
        mock=MockPlan(faults=job.faults, interpretations=dict(job.interpretations)),
        budget=Budget(requests=job.max_requests),
        findings=FindingPlan(shrink=job.causes),
    )
    fuzz(plan, note)
    in_order = tuple(sorted(found.items(), key=lambda item: item[1]))
    return JobResult(job, in_order, first_phase == "probes", requests, directed_requests, tuple(leads.values()))
