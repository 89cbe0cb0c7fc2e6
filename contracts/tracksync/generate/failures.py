"""Failures of stateful sequences in Hypothesis's example database: kept from run to run, and made simple.

What is stored are the choices of which Hypothesis made a sequence, and nothing else: no name of a user, no key, no
response. They give the same operations again for users of another run.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Final
from unittest import SkipTest

import hypothesis
from hypothesis import HealthCheck, Phase, Verbosity, settings
from hypothesis.database import DirectoryBasedExampleDatabase, ExampleDatabase
from hypothesis.errors import HypothesisException
from hypothesis.stateful import run_state_machine_as_test

from tracksync.generate.build import Step
from tracksync.generate.harmless import Namer
from tracksync.generate.machine import Send, machine_class
from tracksync.generate.stateful import LENGTH, Sequence, namer_of

MOST: Final = 20  # sequences that are sent again; of more the shortest
TRIES: Final = 100  # sequences that are played in order to make one simple
_KEY: Final = b"tracksync stateful sequences"
_SECONDARY: Final = b".secondary"  # what Hypothesis takes from there it makes simple; the rest is so already


class Shown(Exception):
    """The step shows what was looked for: raised by whoever is given the steps of `simplest`."""


class Failures:
    """The failures in one directory. Nothing is written before `keep`, so that a run can be repeated until then."""

    def __init__(self, directory: Path) -> None:
        self._database = DirectoryBasedExampleDatabase(directory)

    def sequences(self, namer: Namer) -> Iterator[Sequence]:
        """The stored sequences, short ones first; `namer` makes the names of their users."""
        stored = sorted(self._database.fetch(_KEY), key=lambda one: (len(one), one))[:MOST]
        for number, choices in enumerate(stored):
            scope = f"f{number}"
            steps = _played(choices, namer.scope(scope))
            if steps:
                yield Sequence(scope, steps, choices)

    def keep(self, failed: Iterable[Sequence], passed: Iterable[Sequence]) -> None:
        """Store the sequences that failed, and forget stored ones that failed no longer."""
        for sequence in passed:
            self._database.delete(_KEY, sequence.choices)
        for sequence in failed:
            self._database.save(_KEY, sequence.choices)


def simplest(sequence: Sequence, prefix: str, start: Callable[[], Send]) -> tuple[Step, ...] | None:
    """The simplest steps found, like those of `sequence`, of which the last raises Shown; None if not even it does.

    `start` gives, for each sequence that is tried, a function that takes its steps. Names are those of `sequence`.
    """
    best: tuple[Step, ...] | None = None
    tries = 0

    def send_factory() -> Send:
        nonlocal tries
        tries += 1
        if tries > TRIES:
            raise _Enough
        taken: list[Step] = []
        send = start()

        def both(step: Step) -> None:
            nonlocal best
            taken.append(step)
            try:
                send(step)
            except Shown:
                if best is None or _size(taken) < _size(best):
                    best = tuple(taken)
                raise

        return both

    # The seed: one sequence is always made simple in the same way.
    machine = hypothesis.seed(0)(machine_class(send_factory, lambda: namer_of(prefix).scope(sequence.scope)))
    once = _settings(_Stored(sequence.choices, _SECONDARY), Phase.reuse, Phase.shrink)
    with suppress(_Enough, Shown, SkipTest, HypothesisException):  # the last two: it fails no longer, or not every time
        run_state_machine_as_test(machine, settings=once)
    return best


class _Enough(BaseException):
    """Ends Hypothesis's search: it takes an Exception for a failure of the machine."""


def _size(steps: Iterable[Step]) -> tuple[int, int]:
    sizes = [len(step.request.body) for step in steps]
    return len(sizes), sum(sizes)


def _played(choices: bytes, namer: Namer) -> tuple[Step, ...]:
    """The steps of a stored sequence; none where it does not fit the machine any more."""
    taken: list[list[Step]] = []

    def send_factory() -> Send:
        taken.append([])
        return taken[-1].append

    machine = machine_class(send_factory, lambda: namer)
    with suppress(SkipTest, HypothesisException):  # so Hypothesis says that it does not fit
        run_state_machine_as_test(machine, settings=_settings(_Stored(choices), Phase.reuse))
    return tuple(taken[0]) if taken else ()


class _Stored(ExampleDatabase):
    """A database with one entry, whatever it is asked for; `part`: the ending of the keys under which it stands."""

    def __init__(self, choices: bytes, part: bytes = b"") -> None:
        super().__init__()
        self._choices, self._part = choices, part

    def fetch(self, key: bytes) -> Iterator[bytes]:
        """The entry, if the key is of its part."""
        if key.endswith(self._part) if self._part else b"." not in key[-10:]:
            yield self._choices

    def save(self, key: bytes, value: bytes) -> None:
        """Nothing is kept."""

    def delete(self, key: bytes, value: bytes) -> None:
        """Nothing is kept."""


def _settings(database: ExampleDatabase, *phases: Phase) -> settings:
    return settings(
        database=database,
        phases=phases,
        stateful_step_count=LENGTH,
        deadline=None,
        print_blob=False,
        report_multiple_bugs=False,
        verbosity=Verbosity.quiet,
        suppress_health_check=list(HealthCheck),
    )
