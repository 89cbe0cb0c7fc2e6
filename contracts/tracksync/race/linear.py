"""Is there one order of the operations that explains every response? The decision procedure, for any sequential object.

The algorithm is Wing and Gong's ("Testing and verifying concurrent objects", Journal of Parallel and Distributed
Computing 17, 1993): take an operation that no other has to precede, apply it, go on with the rest, and go back where
a response does not fit. Lowe ("Testing for linearizability", Concurrency and Computation 29, 2017) adds the
memory of configurations: no pair of applied operations and state is tried twice. Each cell can be decided by itself:
Herlihy and Wing's locality ("Linearizability: a correctness condition for concurrent
objects", ACM TOPLAS 12, 1990); Horn and Kroening named it P-compositionality (FORTE 2015).

An operation with an ambiguous outcome may be applied at any moment after its call, or never. Without further rules
each one doubles the search. Three rules keep it small, and none of them loses an order:

- A completed operation is tried first; an ambiguous one only where no completed one leads on.
- Of two ambiguous operations that do the same, the one called first is used first.
- Reaching the same state over the same completed operations with *fewer* ambiguous ones used is at least as good; so
  of each state only the smallest sets of used ones are stored.
"""

from __future__ import annotations

import math
from collections.abc import Hashable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final, Protocol

from tracksync.race.cells import Model
from tracksync.race.history import RaceOperation, WriteOutcome

BUDGET: Final = 50_000  # configurations; a history that needs more stays open

Front = Any  # how far an order has come; hashable, and known to its Order only


@dataclass(frozen=True, slots=True)
class Decision:
    """`holds` None: the budget was spent before it was decided.

    `order` is one that explains every response, or where there is none the longest that explains some. `stuck`: the
    operations that could have come next there, none of which fits. `tried` counts configurations.
    """

    holds: bool | None
    order: tuple[RaceOperation, ...] = ()
    stuck: tuple[RaceOperation, ...] = ()
    tried: int = 0


class Order(Protocol):
    """Which operation may come next. Indexes are those of the completed operations, and of the ambiguous ones."""

    def start(self) -> Front:
        """Nothing is applied yet."""
        ...

    def done(self, front: Front) -> bool:
        """Whether every completed operation is applied."""
        ...

    def candidates(self, front: Front) -> tuple[list[int], list[int]]:
        """Completed operations that may come next, earliest return first, and ambiguous ones that may."""
        ...

    def advance(self, front: Front, index: int) -> Front:
        """After applying a completed operation."""
        ...


class RealTime:
    """Linearizability: an operation that returned before another was called comes before it.

    A front is the number of leading operations that are all applied, and a bit set of those applied beyond them.
    So a configuration stays as small as the overlap is wide, however long the history.
    """

    def __init__(self, completed: Sequence[RaceOperation], unsure: Sequence[RaceOperation]) -> None:
        self._calls = [operation.call for operation in completed]
        self._returns = [operation.return_ for operation in completed]
        self._unsure = [operation.call for operation in unsure]

    def start(self) -> Front:
        """See Order."""
        return (0, 0)

    def done(self, front: Front) -> bool:
        """See Order."""
        return bool(front[0] == len(self._calls))

    def candidates(self, front: Front) -> tuple[list[int], list[int]]:
        """See Order."""
        low, window = front
        bound = math.inf
        found = []
        for index in range(low, len(self._calls)):
            if window >> (index - low) & 1:
                continue
            if self._calls[index] > bound:
                break
            found.append(index)
            bound = min(bound, self._returns[index])
        found.sort(key=self._returns.__getitem__)
        return found, [index for index, call in enumerate(self._unsure) if call <= bound]

    def advance(self, front: Front, index: int) -> Front:
        """See Order."""
        low, window = front
        window |= 1 << (index - low)
        while window & 1:
            low, window = low + 1, window >> 1
        return (low, window)


class ProgramOrder:
    """Sequential consistency: each client's operations in the order in which it called them, whatever the times."""

    def __init__(self, completed: Sequence[RaceOperation], unsure: Sequence[RaceOperation]) -> None:
        lanes: dict[int, list[int]] = {}
        self._lane = []
        for index, operation in enumerate(completed):
            lane = lanes.setdefault(operation.client, [])
            lane.append(index)
            self._lane.append(operation.client)
        self._clients = list(lanes)
        self._place = {client: number for number, client in enumerate(self._clients)}
        self._lanes = [lanes[client] for client in self._clients]
        self._total = len(completed)
        # An ambiguous operation may come once everything that its client had completed before it has come.
        self._before = [
            (self._place.get(one.client), sum(done.client == one.client and done.call < one.call for done in completed))
            for one in unsure
        ]

    def start(self) -> Front:
        """See Order."""
        return (0,) * len(self._lanes)

    def done(self, front: Front) -> bool:
        """See Order."""
        return bool(sum(front) == self._total)

    def candidates(self, front: Front) -> tuple[list[int], list[int]]:
        """See Order."""
        ready = [lane[at] for lane, at in zip(self._lanes, front, strict=True) if at < len(lane)]
        unsure = [index for index, (lane, needed) in enumerate(self._before) if lane is None or front[lane] >= needed]
        return sorted(ready), unsure

    def advance(self, front: Front, index: int) -> Front:
        """See Order."""
        lane = self._place[self._lane[index]]
        return (*front[:lane], front[lane] + 1, *front[lane + 1 :])


def decide(
    operations: Sequence[RaceOperation],
    model: Model[Any],
    order: type[RealTime] | type[ProgramOrder] = RealTime,
    *,
    budget: int = BUDGET,
) -> Decision:
    """Whether one order of `operations` on one cell explains every response. Refused operations are left out."""
    ordered = sorted(operations, key=lambda operation: operation.call)
    completed = [operation for operation in ordered if operation.outcome is WriteOutcome.DONE]
    unsure = [
        operation for operation in ordered if operation.outcome is WriteOutcome.AMBIGUOUS and operation.write.changes
    ]
    return _Search(completed, unsure, model, order(completed, unsure), budget).run()


@dataclass(slots=True)
class _Frame:
    front: Front
    state: Hashable
    used: int  # bit set of the ambiguous operations that were applied
    moves: Iterator[tuple[RaceOperation, Front, Hashable, int]]
    applied: RaceOperation | None


class _Search:
    def __init__(
        self,
        completed: Sequence[RaceOperation],
        unsure: Sequence[RaceOperation],
        model: Model[Any],
        order: Order,
        budget: int,
    ) -> None:
        self._completed = completed
        self._unsure = unsure
        self._model = model
        self._order = order
        self._budget = budget
        self._seen: dict[tuple[Front, Hashable], list[int]] = {}
        self._same = [[before for before in range(index) if unsure[before].write == one.write]
                      for index, one in enumerate(unsure)]  # fmt: skip

    def run(self) -> Decision:
        """Depth first, with an explicit stack: a history may be longer than Python's stack is deep."""
        front, state = self._order.start(), self._model.initial()
        stack = [_Frame(front, state, 0, self._moves(front, state, 0), None)]
        longest: list[RaceOperation] = []
        furthest = front
        tried = 1
        while stack:
            frame = stack[-1]
            if self._order.done(frame.front):
                return Decision(True, _applied(stack), (), tried)
            move = next(frame.moves, None)
            if move is None:
                if len(stack) - 1 >= len(longest):  # at dead ends only: a copy at every step would be quadratic
                    longest, furthest = list(_applied(stack)), frame.front
                stack.pop()
                continue
            operation, front, state, used = move
            if self._known(front, state, used):
                continue
            tried += 1
            if tried > self._budget:
                return Decision(None, tuple(longest), (), tried)
            stack.append(_Frame(front, state, used, self._moves(front, state, used), operation))
        stuck = tuple(self._completed[index] for index in self._order.candidates(furthest)[0])
        return Decision(False, tuple(longest), stuck, tried)

    def _known(self, front: Front, state: Hashable, used: int) -> bool:
        """Whether as good a configuration was tried; if not, this one is stored, and worse ones are dropped."""
        best = self._seen.get((front, state))
        if best is None:
            self._seen[front, state] = [used]
            return False
        if any(other & used == other for other in best):
            return True
        best[:] = [other for other in best if other & used != used]
        best.append(used)
        return False

    def _moves(self, front: Front, state: Any, used: int) -> Iterator[tuple[RaceOperation, Front, Hashable, int]]:
        ready, unsure = self._order.candidates(front)
        if ready and any(self._model.hopeless(state, self._completed[index]) for index in ready):
            return
        for index in ready:
            operation = self._completed[index]
            for after in self._model.step(state, operation):
                yield operation, self._order.advance(front, index), after, used
        for index in unsure:
            if used >> index & 1 or any(not used >> before & 1 for before in self._same[index]):
                continue
            operation = self._unsure[index]
            for after in self._model.step(state, operation):
                if after != state:
                    yield operation, front, after, used | 1 << index


def _applied(stack: Sequence[_Frame]) -> tuple[RaceOperation, ...]:
    return tuple(frame.applied for frame in stack if frame.applied is not None)
