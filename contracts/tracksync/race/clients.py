"""The clients: threads with a connection each, and the coordinator that they share. One lock, one clock.

Decides which client may send, and records what happened. Checks nothing. Every time is taken under the lock from a
clock that always advances, so that two times are never equal, and responses are handed on in their order.
"""

from __future__ import annotations

import queue
import random
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace

from tracksync.contract.bounds import SYNC
from tracksync.engine.targets import Target
from tracksync.generate.build import Step
from tracksync.model.events import Event, Paused, Retried
from tracksync.model.exchange import Exchange, Request, header
from tracksync.race.history import Place, RaceOperation, WriteOutcome
from tracksync.race.workload import CLIENT, UNSURE_OPERATIONS, PlannedWrite, Planner, Slot, free, outcome_of, shown

TRIES = 3  # of one operation that gets no response, or a 5XX; the oracle counts a fourth failure
LIMITED_TRIES = 12  # of one that gets 429; each waits for a window
BACKOFF = 0.05  # seconds, doubled with each try
LONGEST_WAIT = 120.0
SMALLEST = 1e-6  # seconds between two times
LOST_AFTER = 8  # operations in a row that cannot reach the target


class Clock:
    """Seconds since the epoch that never repeat. Call it under the coordinator's lock."""

    def __init__(self, source: Callable[[], float] = time.monotonic, wall: Callable[[], float] = time.time) -> None:
        self._source = source
        self._offset = wall() - source()
        self._last = 0.0

    def __call__(self) -> float:
        """The time, later than any before."""
        self._last = max(self._source() + self._offset, self._last + SMALLEST)
        return self._last


@dataclass(frozen=True, slots=True)
class Limits:
    """When a run stops. `operations` counts those that are begun, not their retries; None: without limit."""

    operations: int
    seconds: float | None = None


@dataclass(slots=True)
class _Underway:
    place: Place
    request: Request


@dataclass(slots=True)
class Coordinator:
    """What the clients share. `longest`: operations on one cell before it is left for a new one, 0 for no limit."""

    slots: Sequence[Slot]
    planner: Planner
    rng: random.Random
    overlap: bool = False
    longest: int = 0
    clock: Clock = field(default_factory=Clock)
    begun: int = 0
    stopping: bool = False
    lost: str = ""
    resume_at: float = 0.0
    lock: threading.Condition = field(default_factory=threading.Condition)
    underway: dict[int, _Underway] = field(default_factory=dict)
    out: queue.SimpleQueue[RaceOperation | Event | None] = field(default_factory=queue.SimpleQueue)
    _unreached: int = 0

    def take(self, limits: Limits, until: float | None) -> tuple[Slot, PlannedWrite] | None:
        """Wait for a cell that may be used now, and plan its next write. None when the run is over."""
        with self.lock:
            while True:
                if self.stopping or self.begun >= limits.operations or (until and time.monotonic() > until):
                    self.lock.notify_all()
                    return None
                choice = free(self.slots, overlap=self.overlap)
                if choice:
                    slot = self.rng.choice(choice)
                    slot.taken = True
                    self.begun += 1
                    return slot, self.planner.next(slot)
                self.lock.wait(0.1)

    def release(self, slot: Slot, place: Place, tries: Sequence[RaceOperation]) -> None:
        """Give a cell back after a response, or after the last try."""
        with self.lock:
            if slot.place == place:  # with overlap another client may have gone on to a new one
                slot.taken = False
                slot.opened = slot.opened or tries[-1].outcome is WriteOutcome.DONE
                slot.unsure += sum(one.outcome is WriteOutcome.AMBIGUOUS for one in tries)
                used_up = self.longest and slot.operations >= self.longest
                if slot.unsure >= UNSURE_OPERATIONS or used_up or not slot.opened:
                    slot.renew()
            self.lock.notify_all()

    def call(self, client: int, task: PlannedWrite) -> float:
        """Note that a request leaves now."""
        with self.lock:
            self.underway[client] = _Underway(task.place, task.request)
            return self.clock()

    def answered(self, client: int, task: PlannedWrite, call: float, exchange: Exchange) -> RaceOperation:
        """Note that its response came now, and hand the operation on."""
        with self.lock:
            del self.underway[client]
            received = self.clock()
            same_cell = tuple(one.request for one in self.underway.values() if one.place == task.place)
            in_flight = tuple(one.request for one in self.underway.values())[:1]
            exchange = replace(exchange, sent=call, received=received, tags=(f"{CLIENT}{client}",))
            ending = outcome_of(exchange)
            seen = shown(task.place, exchange)
            operation = RaceOperation(client, task.place, task.write, call, outcome=ending, exchange=exchange,
                                  same_cell=same_cell, in_flight=in_flight, shown=seen)  # fmt: skip
            if ending is not WriteOutcome.AMBIGUOUS:
                operation = replace(operation, return_=received)
            self.out.put(operation)
            self._watch(exchange)
            return operation

    def _watch(self, exchange: Exchange) -> None:
        """Learn the pace from the headers, and stop where the target cannot be reached any more."""
        response = exchange.response
        if response is None:
            self._unreached += exchange.unreached
            if self._unreached >= LOST_AFTER:
                self.lost = exchange.failure.detail if exchange.failure else ""
                self.stopping = True
            return
        self._unreached = 0
        remaining, reset = (header(response.headers, f"x-ratelimit-{name}") for name in ("remaining", "reset"))
        spent = response.status == 429 or remaining == "0"
        if spent and exchange.request.path == SYNC and reset and reset.isdigit() and len(reset) < 12:
            self.resume_at = max(self.resume_at, float(reset) + 0.05)

    def wait_for_window(self) -> None:
        """Wait while the rate window is used up."""
        while True:
            with self.lock:
                wait = self.resume_at - self.clock()
                if wait <= 0 or wait > LONGEST_WAIT or self.stopping:
                    return
            time.sleep(min(wait, 0.25))

    def stop(self) -> None:
        """End the run: every client finishes its current operation."""
        with self.lock:
            self.stopping = True
            self.lock.notify_all()


def attempt(
    coordinator: Coordinator, client: int, target: Target, task: PlannedWrite, rng: random.Random
) -> list[RaceOperation]:
    """Send one write, with the retries that a client would make. Every try is an operation of its own."""
    tries: list[RaceOperation] = []
    limited = 0
    while True:
        coordinator.wait_for_window()
        call = coordinator.call(client, task)
        exchange = target.send(Step(task.request, label=f"client {client}: {task.write}"))
        operation = coordinator.answered(client, task, call, exchange)
        tries.append(operation)
        status = exchange.response.status if exchange.response is not None else None
        failed = len(tries) - limited
        if coordinator.stopping or (status is not None and status < 500 and status != 429):
            return tries
        if status == 429:
            limited += 1
            if limited >= LIMITED_TRIES:
                return tries
            coordinator.out.put(
                Paused(max(coordinator.resume_at - exchange.received, 0.0), "the rate window is used up")
            )
            time.sleep(rng.uniform(0, BACKOFF))
        else:
            if failed >= TRIES:
                return tries
            coordinator.out.put(Retried(failed + 1, "no response" if status is None else str(status)))
            time.sleep(BACKOFF * 2 ** (failed - 1) + rng.uniform(0, BACKOFF))


def race_clients(
    coordinator: Coordinator, connect: Callable[[], Target], clients: int, limits: Limits, seed: int
) -> Iterator[RaceOperation | Event]:
    """Let `clients` threads run until the limits are reached, and yield what happens, in the order of responses.

    Closing the generator, or an exception thrown into it, stops the clients and waits for them.
    """
    until = time.monotonic() + limits.seconds if limits.seconds else None
    errors: list[BaseException] = []

    def work(client: int) -> None:
        try:
            target = connect()
            rng = random.Random(f"{seed}/{client}")
            try:
                while (taken := coordinator.take(limits, until)) is not None:
                    slot, task = taken
                    coordinator.release(slot, task.place, attempt(coordinator, client, target, task, rng))
            finally:
                target.close()
        except BaseException as error:  # noqa: BLE001 - it is raised again where the generator is read
            errors.append(error)
            coordinator.stop()
        finally:
            coordinator.out.put(None)

    threads = [threading.Thread(target=work, args=(number,), daemon=True) for number in range(1, clients + 1)]
    for thread in threads:
        thread.start()
    running = clients
    try:
        while running:
            item = coordinator.out.get()
            if item is None:
                running -= 1
            else:
                yield item
    finally:
        coordinator.stop()
        for thread in threads:
            thread.join(timeout=60)
    if errors:
        raise errors[0]
