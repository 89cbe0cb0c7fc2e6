"""For each clause a fault of the mock that breaks it, and what the probes for that clause find in it."""

from __future__ import annotations

from functools import cache

from disturbed_runs import Disturbances, DisturbedResult, run_disturbed

from tracksync.faults.catalogue import catalogue
from tracksync.model.finding import Finding

UNDISTURBED = Disturbances(share=0.0)


def first_fault(clause: str) -> str | None:
    """The first fault, by name, that is led by `clause`; None where no fault is."""
    names = [name for name, fault in catalogue().items() if fault.clauses[:1] == (clause,) and not fault.beyond]
    return min(names, default=None)


@cache
def run_of_fault(clause: str, fault: str) -> DisturbedResult:
    """A run of the probes for `clause` alone, against the mock with this fault."""
    return run_disturbed(
        4, UNDISTURBED, requests=140, faults=(fault,), only=(clause,), phases=("probes",), shrink=False, shared=False
    )


def findings_of_fault(clause: str, fault: str) -> list[Finding]:
    """The first finding of each clause, in the order of the exchanges."""
    first: dict[str, Finding] = {}
    found = run_of_fault(clause, fault).findings
    for _, finding in sorted(found, key=lambda one: (one[0], one[1].clause, one[1].pointer)):
        first.setdefault(finding.clause, finding)
    return list(first.values())
