"""The engine: drives a target with what generation makes, lets the oracle check, and emits a stream of events."""

from tracksync.engine.budget import Budget
from tracksync.engine.plan import FindingPlan, FuzzPlan, MockPlan, TargetPlan, UserPlan
from tracksync.engine.run import fuzz

__all__ = ["Budget", "FindingPlan", "FuzzPlan", "MockPlan", "TargetPlan", "UserPlan", "fuzz"]
