"""How the users of a recording are divided. The process that directs checks fewer of them than the others do.

What directing and checking cost depends on the traffic, so that it is measured with the first of its exchanges.
No result depends on the division.
"""

from __future__ import annotations

import pickle
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

from tracksync.cassettes.interaction import Flown
from tracksync.cassettes.parallel.blocks import PartsHere, check_in_blocks
from tracksync.cassettes.parallel.connections import Connections
from tracksync.cassettes.parallel.part import Partition
from tracksync.cassettes.parallel.processes import packed, unpacked
from tracksync.cassettes.parallel.routing import Router
from tracksync.oracle import Settings

SAMPLE: Final = 300  # exchanges


@dataclass(frozen=True, slots=True)
class Costs:
    """CPU seconds of some exchanges. `taking`: of taking in what another process directed."""

    directing: float
    taking: float
    checking: float

    def share(self, others: int) -> float:
        """Of the users that the first process checks beside `others`, so that all take the same time."""
        other = (self.taking + self.checking) / others
        return max((other - self.directing) / (other + self.checking), 0.0)


def measured(sample: Callable[[], Iterable[Flown]], settings: Settings, *, foreign: bool) -> Costs:
    """What the exchanges of a sample cost. The first time tables are loaded, so that the second counts."""
    costs = [_measured(sample(), settings, foreign=foreign) for _ in range(2)]
    return costs[1]


def _measured(sample: Iterable[Flown], settings: Settings, *, foreign: bool) -> Costs:
    part = PartsHere([Partition(settings, foreign=foreign)])
    times = [time.process_time()]
    directed = list(Router(settings, Connections(), 1, foreign=foreign).directed(sample))
    sent = pickle.dumps([packed(item) for one in directed for _, item in one.items])
    times.append(time.process_time())
    for item in pickle.loads(sent):  # noqa: S301 - written here
        unpacked(item)
    times.append(time.process_time())
    for _ in check_in_blocks(directed, part):
        pass
    times.append(time.process_time())
    return Costs(*(end - begin for begin, end in pairwise(times)))


def assigned(share: float, others: int) -> Callable[[int], int]:
    """To which part an identifier that stands for a user goes: `share` of them to the first."""

    def part_of(leader: int) -> int:
        drawn, thousandth = divmod(leader, 1000)
        return 0 if thousandth < 1000 * share else 1 + drawn % others

    return part_of
