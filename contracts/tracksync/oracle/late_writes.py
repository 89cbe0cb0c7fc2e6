"""What a pending write makes of a cell when it takes effect, under the interpretations that are still possible."""

from __future__ import annotations

from typing import Any

from tracksync.oracle import counters
from tracksync.oracle.attribute_outcomes import attribute_outcomes
from tracksync.oracle.belief import Belief, Counter
from tracksync.oracle.pending import Apply


def applied_late(belief: Belief) -> Apply:
    """The function `(write, value) -> values` that `pending.reach` needs, for cells of either kind."""

    def apply(write: Any, value: Any) -> list[Any]:
        outcomes: list[Any]
        if isinstance(value, Counter):
            outcomes = list(counters.outcomes(value, write))
        else:
            outcomes = list(attribute_outcomes(write, value, belief.array_limits))
        lawful = [one.after for one in outcomes if belief.allows(one.requires)]
        return lawful or [one.after for one in outcomes]

    return apply
