"""All jobs on all cores, their totals, and the result file."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterable
from concurrent.futures import Future
from contextlib import suppress
from dataclasses import dataclass, replace
from queue import SimpleQueue
from typing import Any

from tracksync import __version__
from tracksync.contract.clauses import catalogue as clauses
from tracksync.engine.child_processes import interrupts_blocked, process_pool
from tracksync.engine.cluster import cluster
from tracksync.faults.catalogue import catalogue as faults
from tracksync.model.verdict import evidence_of, severity_of
from tracksync.report.tally import SCHEMA
from tracksync.selfcheck import jobs as plans
from tracksync.selfcheck.jobs import Job, JobResult, carry_out


@dataclass(frozen=True, slots=True)
class Totals:
    """The figures of a selfcheck.

    `found`: faults with a finding; `found_by_probes`: those whose first finding came from a probe;
    `found_by_named_clause`: those found by a clause that the fault names. `survivors`: faults and pairs without a
    finding. `weak`: faults found only by clauses that do not fail a run, although they break a documented one.
    `accused`: interpretations and their pairs with a finding. `directed_requests`: the most requests that the probes of
    a run took. `unbroken`: clauses that no fault was seen to break; empty where not every fault was run.
    `with_causes`: faults whose runs tell causes; in `one_cause` of them all findings are one cause, and in `led` a
    clause leads it that the fault names. `pairs_with_causes`, `two_causes`: pairs whose runs do, and show two causes.
    `pairs_hidden`: those whose runs show one cause, and for one fault at least no clause of its own that it names.
    """

    faults: int
    found: int
    found_by_probes: int
    found_by_named_clause: int
    survivors: tuple[str, ...]
    weak: tuple[str, ...]
    pairs: int
    pairs_found: int
    interpretations: int
    accused: tuple[str, ...]
    directed_requests: int
    unbroken: tuple[str, ...]
    with_causes: int
    one_cause: int
    led: int
    pairs_with_causes: int
    two_causes: int
    pairs_hidden: int


@dataclass(frozen=True, slots=True)
class Selfcheck:
    """The outcomes of one selfcheck, and how long it took in seconds."""

    outcomes: tuple[JobResult, ...]
    seconds: float
    seed: int

    def totals(self) -> Totals:
        """The totals of the outcomes."""
        single = [one for one in self.outcomes if one.job.kind == "fault"]
        pairs = [one for one in self.outcomes if one.job.kind == "fault pair"]
        lawful = [one for one in self.outcomes if one.job.kind.startswith("interpretation")]
        with_causes, pairs_with_causes = _telling_causes(single), _telling_causes(pairs)
        return Totals(
            faults=len(single),
            found=sum(one.expected for one in single),
            found_by_probes=sum(one.directed for one in single),
            found_by_named_clause=sum(not _named(one).isdisjoint(dict(one.found)) for one in single),
            survivors=tuple(sorted({one.job.name for one in single + pairs if not one.expected})),
            weak=tuple(one.job.name for one in single if one.weak and not _weak_by_nature(one.job.name)),
            pairs=len(pairs),
            pairs_found=sum(one.expected for one in pairs),
            interpretations=len(lawful),
            accused=tuple(one.job.name for one in lawful if not one.expected),
            directed_requests=max((one.directed_requests for one in lawful or single), default=0),
            unbroken=self._unbroken(single),
            with_causes=len(with_causes),
            one_cause=sum(len(one.leads) == 1 for one in with_causes),
            led=sum(len(one.leads) == 1 and one.leads[0] in _named(one) for one in with_causes),
            pairs_with_causes=len(pairs_with_causes),
            two_causes=sum(len(one.leads) == 2 for one in pairs_with_causes),
            pairs_hidden=sum(map(_hides_one, pairs_with_causes)),
        )

    def _unbroken(self, single: list[JobResult]) -> tuple[str, ...]:
        """The clauses of servers that no fault was seen to break; none where not every fault was run."""
        if not {one.job.name for one in single} >= {job.name for job in plans.fault_jobs(self.seed)}:
            return ()
        broken = {clause for one in single for clause, _ in one.found}
        for fault in faults().values():
            if fault.family == plans.NEEDS_CONCURRENCY:
                broken.update(fault.clauses)
        return tuple(one for one in clauses() if one.startswith("TS-") and one not in broken)

    def result(self) -> dict[str, Any]:
        """The result file (see report/result.schema.json), with the matrix as an additional member."""
        totals = self.totals()
        broken = Counter(clause for one in self.outcomes for clause, _ in one.found)
        failures = [one for one in self.outcomes if not one.expected]
        return {
            "tracksync": __version__,
            "schema": SCHEMA,
            "command": "selfcheck",
            "verdict": "failed" if failures or totals.weak or totals.unbroken else "passed",
            "target": "mock",
            "seed": self.seed,
            "requests": sum(one.requests for one in self.outcomes),
            "seconds": self.seconds,
            "findings": [_as_finding(one, cause) for cause, one in enumerate(failures, 1)],
            "clauses": {
                clause: {"covered": len(self.outcomes), "broken": broken[clause]}
                for clause in clauses()
                if clause.startswith("TS-")
            },
            "interpretations": {},
            "totals": {name: getattr(totals, name) for name in Totals.__slots__},
            "matrix": [_as_row(one) for one in self.outcomes],
        }


def _as_row(outcome: JobResult) -> dict[str, Any]:
    """One entry of the matrix. Only a single fault has a family and clauses."""
    job, fault = outcome.job, faults().get(outcome.job.name)
    return {
        "kind": job.kind,
        "name": job.name,
        "seed": job.seed,
        "family": fault.family if fault else "",
        "expected_clauses": list(fault.clauses) if fault else [],
        "found": [{"clause": clause, "request": request} for clause, request in outcome.found],
        "leads": list(outcome.leads),
        "by_probes": outcome.directed,
        "requests": outcome.requests,
    }


def _named(outcome: JobResult) -> set[str]:
    """The clauses that the fault of this job is said to break."""
    return set(faults()[outcome.job.name].clauses)


def _telling_causes(outcomes: list[JobResult]) -> list[JobResult]:
    return [one for one in outcomes if one.job.causes and one.leads]


def _weak_by_nature(name: str) -> bool:
    """Whether the fault breaks no documented clause, so that its findings can only be warnings."""
    return all(evidence_of(clause) != "documented" for clause in faults()[name].clauses)


def _hides_one(outcome: JobResult) -> bool:
    """Whether a pair of faults is one cause, and no clause was found for each of them that it names."""
    if len(outcome.leads) > 1:
        return False
    found = {clause for clause, _ in outcome.found}
    one, other = (found & set(faults()[name].clauses) for name in outcome.job.faults)
    return not one or not other or len(one | other) < 2


def _as_finding(outcome: JobResult, cause: int) -> dict[str, Any]:
    job = outcome.job
    if job.kind.startswith("fault"):
        clause = faults()[job.faults[0]].clauses[0]
        message = f"the {job.kind} {job.name} survives {outcome.requests} requests (seed {job.seed})"
    else:
        clause, request = outcome.found[0]
        message = f"the lawful {job.kind} {job.name} has a finding at request {request} (seed {job.seed})"
    words = [f"--fault {name}" for name in job.faults] + [
        f"--interpretation {ambiguity}={one}" for ambiguity, one in job.interpretations
    ]
    return {
        "clause": clause,
        "cause": cause,
        "severity": severity_of(evidence_of(clause)),
        "evidence": str(evidence_of(clause)),
        "message": message,
        "exchanges": [],
        "reproduce": f"tracksync fuzz --seed {job.seed} --max-requests {job.max_requests} {' '.join(words)}",
    }


def all_jobs(seed: int, seeds: int, pairs: int, *, sample: int = 1, causes: bool = False) -> list[Job]:
    """The jobs of a selfcheck: faults once, pairs of faults, interpretations and their pairs over several seeds.

    `sample`: only every so many of the faults. `causes`: runs with faults tell the causes of their findings.
    """
    jobs = list(plans.fault_jobs(seed))[::sample]
    jobs += plans.fault_pair_jobs(seed, pairs)
    jobs = [replace(job, causes=causes) for job in jobs]
    for one in range(seed, seed + seeds):
        jobs += plans.interpretation_jobs(one)
        jobs += plans.interpretation_pair_jobs(one)
    return jobs


def run_all(
    jobs: Iterable[Job],
    *,
    seed: int,
    workers: int | None = None,
    scheduler: str | None = None,
    progress: Callable[[JobResult, int, int], None] = lambda outcome, done, total: None,
) -> Selfcheck:
    """Carry out all jobs on `workers` processes, one a core by default, and return the outcomes in the order of `jobs`.

    `scheduler`: of a Dask cluster that carries them out instead.
    `progress` is called in this process after each job, with its outcome, the number done and the total. On
    KeyboardInterrupt the workers are ended at once, and the outcomes so far are returned.
    """
    wanted = list(jobs)
    begun = time.monotonic()
    done: dict[int, JobResult] = {}
    if scheduler is not None:
        with suppress(KeyboardInterrupt), cluster(scheduler) as pool:
            for index, task in enumerate([pool.submit(carry_out, job) for job in wanted]):
                done[index] = task.result()
                progress(done[index], len(done), len(wanted))
        return Selfcheck(tuple(done.values()), time.monotonic() - begun, seed)
    with suppress(KeyboardInterrupt), process_pool(workers) as pool:
        # Not as_completed: an interrupt there can leave futures locked, and the pool would never end.
        ended: SimpleQueue[Future[JobResult]] = SimpleQueue()
        with interrupts_blocked():
            futures = {pool.submit(carry_out, job): index for index, job in enumerate(wanted)}
            for future in futures:
                future.add_done_callback(ended.put)
        for _ in wanted:
            index = futures[future := ended.get()]
            done[index] = future.result()
            progress(done[index], len(done), len(wanted))
    return Selfcheck(tuple(done[index] for index in sorted(done)), time.monotonic() - begun, seed)
