"""Tests the oracle: every fault of the mock must be found, and no lawful interpretation may have a finding.

    all_jobs(seed, …) -> jobs        run_all(jobs, …) -> Selfcheck        Selfcheck.totals() -> Totals

A job is one fuzz run against the embedded mock with some faults and interpretations. Jobs are independent, so they use
all cores. Nothing here knows how a fault is made or a clause checked: it only counts the findings.
"""

from tracksync.selfcheck.jobs import Job, JobResult, carry_out
from tracksync.selfcheck.matrix import Selfcheck, Totals, run_all

__all__ = ["Job", "JobResult", "Selfcheck", "Totals", "carry_out", "run_all"]
