"""Which constraints of the OpenAPI document a run has tried on both sides, and why it has not tried the others."""

from __future__ import annotations

from dataclasses import dataclass, field

from tracksync.generate.boundaries import BoundaryCase, BoundaryPlan
from tracksync.model.events import ConstraintsCounted

NOT_SENT = "the budget ended before it"


@dataclass(slots=True)
class ConstraintCoverage:
    """Call `note` with every case that was sent."""

    plan: BoundaryPlan
    _inside: set[str] = field(default_factory=set)
    _outside: set[str] = field(default_factory=set)

    def note(self, case: BoundaryCase) -> None:
        """The case was sent and answered."""
        for test in case.tests:
            (self._outside if test.side == "outside" else self._inside).add(test.pointer)

    def counted(self) -> ConstraintsCounted:
        """What has been tried so far."""
        covered = self._inside & self._outside
        missing = {
            pointer: self.plan.reasons.get(pointer, NOT_SENT)
            for pointer in self.plan.pointers
            if pointer not in covered
        }
        return ConstraintsCounted(len(self.plan.pointers), len(covered), missing)
