"""Nightly runs on a live workspace: the journal that survives a kill, resuming, clean-up, baselines."""

from tracksync.live.journal import Journal, incomplete_runs
from tracksync.live.nightly_run import NightlyRun

__all__ = ["Journal", "NightlyRun", "incomplete_runs"]
