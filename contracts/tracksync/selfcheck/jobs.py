"""What is to be checked: single faults, pairs of faults, single readings, all pairs of readings, changed readings.

Pure planning, and one function that carries out one job in whatever process it is called.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from allpairspy import AllPairs

from tracksync.engine import FuzzPlan, fuzz
from tracksync.events import Event, ExchangeJudged
from tracksync.ledger import ledger
from tracksync.mock.faults import catalogue as faults
from tracksync.outcome import strength_of

Kind = Literal["fault", "fault pair", "reading", "reading pair"]
NEEDS_CONCURRENCY = "race"  # the family of faults that only overlapping requests can show: `tracksync race`


@dataclass(frozen=True, slots=True)
class Job:
    """One run. For faults it must end with a finding, for readings without."""

    kind: Kind
    name: str
    seed: int
    faults: tuple[str, ...] = ()
    readings: tuple[tuple[str, str], ...] = ()
    max_requests: int = 500


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a job showed. `found`: (clause, request) in the order of finding, each clause once.

    `request` counts from 1; `directed` says whether the first finding came before the random phase. `weak`: nothing
    that would fail a run was found.
    """

    job: Job
    found: tuple[tuple[str, int], ...]
    directed: bool
    requests: int
    directed_requests: int

    @property
    def expected(self) -> bool:
        """Whether the judge was right."""
        if self.job.kind.startswith("fault"):
            return bool(self.found)
        return not self.found

    @property
    def weak(self) -> bool:
        """Whether something was found, and nothing that fails a run."""
        return bool(self.found) and all(strength_of(clause) != "documented" for clause, _ in self.found)


def fault_jobs(seed: int) -> Iterator[Job]:
    """One job a fault that sequential requests can show and a fair judge must find."""
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


def reading_jobs(seed: int) -> Iterator[Job]:
    """One job a reading of every ledger row."""
    for row in ledger().values():
        for reading in row.readings:
            yield Job("reading", f"{row.name}={reading}", seed, (), ((row.name, reading),))


def reading_pair_jobs(seed: int) -> Iterator[Job]:
    """A pairwise covering array over all rows: every pair of readings stands in some job."""
    rows = list(ledger().values())
    table: Sequence[list[str]] = [list(row.readings) for row in rows]
    for number, values in enumerate(AllPairs(table), start=1):
        readings = tuple(zip((row.name for row in rows), values, strict=True))
        yield Job("reading pair", f"pairs {number}", seed, (), readings)


def carry_out(job: Job) -> Outcome:
    """Run one job in this process."""
    found: dict[str, int] = {}
    requests = directed_requests = 0
    first_phase = ""

    def note(event: Event) -> None:
        nonlocal requests, directed_requests, first_phase
        if isinstance(event, ExchangeJudged):
            requests = event.index
            if event.phase in ("hello", "directed"):
                directed_requests = event.index
            for finding in event.findings:
                first_phase = first_phase or event.phase
                found.setdefault(finding.clause, event.index)

    plan = FuzzPlan(
        seed=job.seed,
        faults=job.faults,
        mock_readings=dict(job.readings),
        max_requests=job.max_requests,
        shrink=False,
    )
    fuzz(plan, note)
    in_order = tuple(sorted(found.items(), key=lambda item: item[1]))
    return Outcome(job, in_order, first_phase in ("hello", "directed"), requests, directed_requests)
