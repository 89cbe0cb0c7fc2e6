"""The engine: drives a target with what generation makes, lets the oracle check, and emits a stream of events."""

from tracksync.engine.fuzzing import FuzzPlan, fuzz

__all__ = ["FuzzPlan", "fuzz"]
