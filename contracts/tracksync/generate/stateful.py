"""Stateful sequences: what the state machine does, drawn by Hypothesis from a seed, as steps to be sent.

Responses are not looked at, so that the oracle is not needed and the same seed gives the same sequences.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from itertools import count
from typing import Any, Final

import hypothesis
from hypothesis.control import current_build_context
from hypothesis.database import choices_to_bytes
from hypothesis.stateful import run_state_machine_as_test

from tracksync.generate.build import Step
from tracksync.generate.drawing import seeded
from tracksync.generate.harmless import Namer
from tracksync.generate.machine import Send, machine_class

SEQUENCES: Final = 10  # drawn at a time
LENGTH: Final = 30  # steps of a sequence, at most


@dataclass(frozen=True, slots=True)
class Sequence:
    """Steps to be sent one after the other. `scope` is in the names of their users, and of no others.

    `choices`: what Hypothesis made the sequence of, in the form of its example database.
    """

    scope: str
    steps: tuple[Step, ...]
    choices: bytes = b""


def stateful_sequences(seed: int, prefix: str) -> Iterator[Sequence]:
    """Sequences without end, each for users of its own.

    The same seed and prefix give the same sequences.
    """
    for batch in count():
        yield from drawn(seed, prefix, batch)


def stateful_steps(seed: int, prefix: str) -> Iterator[Step]:
    """The steps of all sequences, one after the other, without end."""
    return (step for sequence in stateful_sequences(seed, prefix) for step in sequence.steps)


def namer_of(prefix: str, seed: int = 0) -> Namer:
    """The namer of a batch of sequences; `seed` sets the phone numbers."""
    return Namer(prefix, random.Random(seed))


@lru_cache(maxsize=32)
def drawn(seed: int, prefix: str, batch: int) -> tuple[Sequence, ...]:
    """One batch of sequences; drawn once for many runs with one seed."""
    namer = namer_of(prefix, seed * 1_000_003 + batch)
    examples: list[list[Step]] = []
    sources: list[Any] = []

    def scope(number: int) -> str:
        return f"s{batch}x{number}"

    def send_factory() -> Send:
        examples.append([])
        sources.append(current_build_context().data)
        return examples[-1].append

    def namer_factory() -> Namer:
        return namer.scope(scope(len(examples) - 1))

    machine = hypothesis.seed(seed * 1_000_003 + batch)(machine_class(send_factory, namer_factory))
    run_state_machine_as_test(machine, settings=seeded(SEQUENCES + 1, LENGTH))
    # The first is always the simplest one, which repeats a single operation.
    made = [
        Sequence(scope(number), tuple(steps), choices_to_bytes(source.choices))
        for number, (steps, source) in enumerate(zip(examples, sources, strict=True))
    ]
    return tuple(sequence for sequence in made[1:] if sequence.steps)
