"""Nightly runs on a live workspace: the journal that survives a kill, going on after one, cleaning up, baselines."""

from tracksync.live.journal import Journal, unfinished
from tracksync.live.night import Night

__all__ = ["Journal", "Night", "unfinished"]
