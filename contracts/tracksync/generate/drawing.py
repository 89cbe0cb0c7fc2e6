"""Hypothesis as a source of values that depends on a seed and on nothing else.

Hypothesis itself mixes in constants of the modules that happen to be loaded, so that a test, a command and a worker
would draw different values from one seed. The backend that is registered here leaves them out.
"""

from __future__ import annotations

from typing import Any, Final

from hypothesis import HealthCheck, Phase, settings
from hypothesis.internal.conjecture.providers import AVAILABLE_PROVIDERS, HypothesisProvider

_BACKEND: Final = "tracksync-seeded"


class SeededProvider(HypothesisProvider):
    """Draws as Hypothesis does, without constants of loaded modules."""

    def _maybe_draw_constant(self, *args: Any, **kwargs: Any) -> None:
        return None


AVAILABLE_PROVIDERS[_BACKEND] = f"{__name__}.{SeededProvider.__name__}"


def seeded(max_examples: int, steps: int = 50) -> settings:
    """Settings for drawing so many examples, of so many steps of a state machine, and for nothing else.

    The seed is set on the test or machine, with `hypothesis.seed`.
    """
    return settings(
        backend=_BACKEND,
        max_examples=max_examples,
        stateful_step_count=steps,
        phases=[Phase.generate],
        database=None,
        deadline=None,
        suppress_health_check=list(HealthCheck),
    )
