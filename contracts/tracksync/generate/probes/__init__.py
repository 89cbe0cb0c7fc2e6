"""The directed probes: which requests, together, exercise every clause. They assert nothing; the oracle decides."""

from __future__ import annotations

from tracksync.generate.probes import events
from tracksync.generate.probes.probe import Probe

PROBES: tuple[Probe, ...] = (*events.PROBES,)

__all__ = ["PROBES", "Probe"]
