"""Stateful sequences: what the state machine does, drawn by Hypothesis from a seed, as steps to be sent.

Responses are not looked at, so that the oracle is not needed and the same seed gives the same sequences.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from functools import lru_cache
from itertools import count
from typing import Final

import hypothesis
from hypothesis.stateful import run_state_machine_as_test

from tracksync.generate.build import Step
from tracksync.generate.drawing import seeded
from tracksync.generate.harmless import Namer
from tracksync.generate.machine import Send, machine_class

SEQUENCES: Final = 10  # drawn at a time
LENGTH: Final = 30  # steps of a sequence, at most
Sequence = tuple[Step, ...]


def stateful_sequences(seed: int, prefix: str) -> Iterator[Sequence]:
    """Sequences without end, each for users of its own; their names hold what `scope_of` says of its number.

    The same seed and prefix give the same sequences.
    """
    for batch in count():
        yield from drawn(seed, prefix, batch)


def stateful_steps(seed: int, prefix: str) -> Iterator[Step]:
    """The steps of all sequences, one after the other, without end."""
    return (step for steps in stateful_sequences(seed, prefix) for step in steps)


def scope_of(number: int) -> str:
    """What stands in the names of the users of a sequence, and in no others."""
    return f"s{number}"


@lru_cache(maxsize=32)
def drawn(seed: int, prefix: str, batch: int) -> tuple[Sequence, ...]:
    """One batch of sequences; drawn once for many runs with one seed."""
    namer = Namer(prefix, random.Random(seed * 1_000_003 + batch))
    examples: list[list[Step]] = []

    def send_factory() -> Send:
        examples.append([])
        return examples[-1].append

    def namer_factory() -> Namer:
        return namer.scope(scope_of(batch * SEQUENCES + len(examples) - 2))

    machine = hypothesis.seed(seed * 1_000_003 + batch)(machine_class(send_factory, namer_factory))
    run_state_machine_as_test(machine, settings=seeded(SEQUENCES + 1, LENGTH))
    # The first is always the simplest one, which repeats a single operation.
    return tuple(tuple(steps) for steps in examples[1:] if steps)
