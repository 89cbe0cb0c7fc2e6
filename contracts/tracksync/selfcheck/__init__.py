"""Prove the oracle: every fault of the mock must be found, and no lawful reading accused.

    plan(seeds, …) -> jobs        run(jobs, …) -> outcomes        summary(outcomes) -> totals

A job is one fuzz run against the embedded mock under some faults and interpretations. Jobs are independent, so they use all
cores. Nothing here knows how a fault is made or a clause checked: it only counts what comes out.
"""

from tracksync.selfcheck.jobs import Job, JobResult, carry_out
from tracksync.selfcheck.matrix import Selfcheck, Totals, run_all

__all__ = ["Job", "JobResult", "Selfcheck", "Totals", "carry_out", "run_all"]
