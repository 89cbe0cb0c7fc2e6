"""Stateful sequences: what the state machine does, drawn by Hypothesis from a seed, as steps to be sent.

Responses are not looked at, so that the oracle is not needed and the same seed gives the same sequences.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass
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


@dataclass(frozen=True, slots=True)
class Sequence:
    """Steps to be sent one after the other. `scope` is in the names of their users, and of no others."""

    scope: str
    steps: tuple[Step, ...]


def stateful_sequences(seed: int, prefix: str) -> Iterator[Sequence]:
    """Sequences without end, each for users of its own.

    The same seed and prefix give the same sequences.
    """
    for batch in count():
        yield from drawn(seed, prefix, batch)


def stateful_steps(seed: int, prefix: str) -> Iterator[Step]:
    """The steps of all sequences, one after the other, without end."""
    return (step for sequence in stateful_sequences(seed, prefix) for step in sequence.steps)


@lru_cache(maxsize=32)
def drawn(seed: int, prefix: str, batch: int) -> tuple[Sequence, ...]:
    """One batch of sequences; drawn once for many runs with one seed."""
    namer = Namer(prefix, random.Random(seed * 1_000_003 + batch))
    examples: list[list[Step]] = []

    def scope(number: int) -> str:
        return f"s{batch}x{number}"

    def send_factory() -> Send:
        examples.append([])
        return examples[-1].append

    def namer_factory() -> Namer:
        return namer.scope(scope(len(examples) - 1))

    machine = hypothesis.seed(seed * 1_000_003 + batch)(machine_class(send_factory, namer_factory))
    run_state_machine_as_test(machine, settings=seeded(SEQUENCES + 1, LENGTH))
    # The first is always the simplest one, which repeats a single operation.
    made = [Sequence(scope(number), tuple(steps)) for number, steps in enumerate(examples)]
    return tuple(sequence for sequence in made[1:] if sequence.steps)
