"""The engine: drives a target with what generation makes, lets the oracle check, and emits a stream of events."""

from typing import TYPE_CHECKING, Any

from tracksync.engine.budget import Budget
from tracksync.engine.plan import FindingPlan, FuzzPlan, MockPlan, TargetPlan, UserPlan

if TYPE_CHECKING:
    from tracksync.engine.run import fuzz

__all__ = ["Budget", "FindingPlan", "FuzzPlan", "MockPlan", "TargetPlan", "UserPlan", "fuzz"]


def __getattr__(name: str) -> Any:
    """`fuzz` is imported when it is used: it needs the mock and HTTP, which take longer than all that others need."""
    if name == "fuzz":
        from tracksync.engine.run import fuzz

        return fuzz
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
