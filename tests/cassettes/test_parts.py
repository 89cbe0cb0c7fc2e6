"""A recording that is checked in parts gives what one process gives, however its users are divided."""

from __future__ import annotations

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from mixed_traffic import mixed
from partitioned import Outcome, by_one_process, differences, in_parts, interactions_of

from tracksync.cassettes.interaction import Interaction
from tracksync.faults.catalogue import catalogue

FAULTS = st.none() | st.sampled_from(sorted(catalogue()))


def compared(interactions: list[Interaction], parts: int, seed: int, longest: int) -> list[str]:
    other: Outcome = in_parts(interactions, parts, assign=lambda leader: hash((leader, seed)) % parts, longest=longest)
    return differences(by_one_process(interactions), other)


@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    seed=st.integers(0, 10**6),
    fault=FAULTS,
    parts=st.integers(2, 5),
    longest=st.sampled_from([1, 5, 64, 4096]),
    odd=st.sampled_from([0.0, 0.1, 0.4]),
)
def test_any_division_gives_one_result(seed: int, fault: str | None, parts: int, longest: int, odd: float) -> None:
    interactions = interactions_of(mixed(seed, 60, fault=fault, odd=odd))
    assert compared(interactions, parts, seed, longest) == []
