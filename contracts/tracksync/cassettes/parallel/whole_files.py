"""Recordings side by side: each is checked whole by one process, here or on a cluster, and the results put in order.

A file is a recording of its own, so that nothing is shared. What a process is given, and what it gives back, is data:
a file that is checked twice, since a machine was lost, gives the same result.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from tracksync.model.counts import Counts
from tracksync.model.events import Event, ExchangeChecked, ExchangesChecked, FindingConfirmed, Skipped


class Pending(Protocol):
    """A result that will be there."""

    def result(self) -> Any:
        """Wait for it."""


class Pool(Protocol):
    """Where files are checked."""

    def submit(self, function: Callable[..., Any], /, *arguments: Any) -> Pending:
        """Have a function called somewhere."""


@dataclass(slots=True)
class Folded:
    """A consumer of the events of one file, which keeps what they come to."""

    counts: Counts = field(default_factory=Counts)
    firsts: dict[str, ExchangeChecked] = field(default_factory=dict)
    findings: list[FindingConfirmed] = field(default_factory=list)

    def __call__(self, event: Event) -> None:
        """Consume the next event."""
        match event:
            case ExchangeChecked():
                self.counts.add(event.exchange, {one.clause for one in event.findings}, event.covered)
                self._keep(event)
            case ExchangesChecked():
                self.counts.merge(event.counts)
                for one in event.firsts:
                    self._keep(one)
            case Skipped():
                self.counts.skipped += 1
            case FindingConfirmed():
                self.findings.append(event)

    def _keep(self, event: ExchangeChecked) -> None:
        for finding in event.findings:
            self.firsts.setdefault(finding.clause, event)

    def events(self) -> Iterator[Event]:
        """The events of the file in sum."""
        firsts = {id(one): one for one in self.firsts.values()}
        yield ExchangesChecked(self.counts, tuple(firsts.values()))


def size_of(path: Path) -> int:
    """The bytes of a file, 0 where that is not known here."""
    try:
        return path.stat().st_size
    except OSError:
        return 0
