"""What a probe is: a short named sequence of requests that covers given clauses, and asserts nothing itself."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from tracksync.generate.build import SentKey, Step
from tracksync.generate.harmless import Namer
from tracksync.model.exchange import Request


@dataclass(frozen=True, slots=True)
class Probe:
    """A named sequence of steps.

    `write` is a pure function of the namer. `heavy`: at least one body is over 4 MB. `optional`: it needs
    permissions beyond `users.track.sync`, and `group` then names what it is about. `further`: every clause has been
    covered without it, and a run whose budget ends before it has done what it must.
    """

    name: str
    clauses: tuple[str, ...]
    write: Callable[[Namer], Iterator[Step]]
    heavy: bool = False
    optional: bool = False
    group: str = "sync"
    further: bool = False

    def steps(self, namer: Namer) -> tuple[Step, ...]:
        """The steps, in order; users are this probe's own, whatever other probes do with the same namer."""
        return tuple(self.write(namer.scope(self.name)))


def probe(
    name: str, *clauses: str, heavy: bool = False, optional: bool = False, group: str = "sync", further: bool = False
) -> Callable[[Callable[[Namer], Iterator[Step]]], Probe]:
    """Make a Probe of a generator function of steps."""
    return lambda write: Probe(name, clauses, write, heavy, optional, group, further)


def later(label: str, request: Request) -> Step:
    """A step that waits until what is queued has been applied and copied everywhere, as far as the target allows."""
    return Step(request, label=label, settle=True)


def send(label: str, request: Request, key: SentKey = SentKey.VALID) -> Step:
    """A step with its label first, so that a probe reads as a list of what it does."""
    return Step(request, key, label)
