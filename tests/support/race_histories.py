"""Histories for the tests of the race: written by hand, drawn at random, and the slow way to decide one."""

from __future__ import annotations

import heapq
import itertools
import json
import math
import random
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from tracksync.model.exchange import Exchange, Response
from tracksync.race.cells import CellModel, results
from tracksync.race.history import UNSEEN, History, Place, RaceOperation, Write, WriteOutcome
from tracksync.race.workload import SYNC, request

EPOCH = 1_800_000_000.0  # a minute begins here, and every event of the tests lies in the past
CELL: Place = ("ts-u0", "attributes", "number_0_0")
EVENT: Place = ("ts-u0", "events", "event_1_0")


def done(
    client: int, write: Write, call: float, return_: float, shown: Any = UNSEEN, place: Place = CELL
) -> RaceOperation:
    return RaceOperation(client, place, write, call, return_, shown)


def unanswered(client: int, write: Write, call: float, place: Place = CELL) -> RaceOperation:
    return RaceOperation(client, place, write, call, outcome=WriteOutcome.AMBIGUOUS)


def put(value: int) -> Write:
    return Write("set", value)


GET = Write("read")


@dataclass(frozen=True)
class Queue:
    """A FIFO queue, for the histories of Herlihy and Wing: `insert` enqueues and `remove` dequeues what is shown."""

    def initial(self) -> tuple[Any, ...]:
        return ()

    def step(self, state: tuple[Any, ...], operation: RaceOperation) -> Iterable[tuple[Any, ...]]:
        if operation.write.verb == "insert":
            return [(*state, operation.write.value)]
        fits = bool(state) and (operation.shown is UNSEEN or state[0] == operation.shown)
        return [state[1:]] if fits else []

    def hopeless(self, state: tuple[Any, ...], operation: RaceOperation) -> bool:
        return False


@dataclass(frozen=True)
class Register(CellModel):
    """A register that begins with 0."""

    def initial(self) -> Any:
        from tracksync.race.cells import cell_value

        return cell_value(0)


def explained_by_some_order(operations: Sequence[RaceOperation], model: Any, *, by_client: bool = False) -> bool:
    """Try every subset of the ambiguous operations, and every order of all of them. No shortcuts."""
    must = [one for one in operations if one.outcome is WriteOutcome.DONE]
    may = [one for one in operations if one.outcome is WriteOutcome.AMBIGUOUS]
    for size in range(len(may) + 1):
        for chosen in itertools.combinations(may, size):
            for order in itertools.permutations([*must, *chosen]):
                if _keeps(order, by_client) and _explains(order, model):
                    return True
    return False


def _keeps(order: Sequence[RaceOperation], by_client: bool) -> bool:
    for index, later in enumerate(order):
        for earlier in order[:index]:
            # `later` comes after `earlier`; wrong if it had ended before the other began
            if by_client:
                if later.client == earlier.client and later.call < earlier.call and later.outcome is WriteOutcome.DONE:
                    return False
            elif later.return_ < earlier.call:
                return False
    return True


def _explains(order: Sequence[RaceOperation], model: Any) -> bool:
    states = [model.initial()]
    for operation in order:
        states = [after for state in states for after in model.step(state, operation)]
    return bool(states)


def drawn(rng: random.Random, place: Place = CELL) -> list[RaceOperation]:
    """A small history of a number, mostly right: an order is played, then a response may be made wrong."""
    size = rng.randint(1, 6)
    clients = rng.randint(1, 3)
    now = [rng.random() for _ in range(clients)]
    spans = []
    for _ in range(size):
        client = rng.randrange(clients)
        call = now[client] + rng.choice((0.0, 0.2, 1.0))
        end = call + rng.choice((0.0, 0.5, 1.0, 3.0))
        now[client] = end + rng.choice((0.01, 0.1))  # a client sends its next after the response
        spans.append((rng.uniform(call, end), client, call, end))
    value: Any = 0
    operations = []
    for _, client, call, end in sorted(spans):
        write = rng.choice((Write("add", 1), Write("add", rng.randint(1, 3)), GET, put(rng.randint(0, 2))))
        if rng.random() < 0.25:
            applied = rng.random() < 0.5
            if applied:
                value = results(write, value)[0]
            operations.append(unanswered(client, write, call, place))
            continue
        value = results(write, value)[0]
        shown = value if rng.random() < 0.85 else value + rng.choice((-1, 1, 2))
        operations.append(done(client, write, call, end, UNSEEN if rng.random() < 0.1 else shown, place))
    rng.shuffle(operations)
    return operations


# --- histories with exchanges, as the oracle checks them --------------------------------------------------------------


def success_body(place: Place, shown: Any) -> bytes:
    """The body of a success that shows one cell."""
    user, section, key = place
    entry: dict[str, Any] = {"external_id": user}
    if section == "attributes":
        entry["custom_attributes"] = {} if shown is UNSEEN else {key: shown}
    else:
        member, name = ("custom_events", "name") if section == "events" else ("purchase_events", "product_id")
        time = "2024-01-01T00:00:00.000Z"
        entry[member] = [{name: key, "count": shown, "first": time, "last": time}]
    return json.dumps({"message": "success", "users": [entry]}).encode()


def exchanged(operation: RaceOperation, *, remaining: int = 400, status: int = 201) -> RaceOperation:
    """The operation with the exchange that a server which shows `operation.shown` would have had."""
    from dataclasses import replace

    begin = operation.call if operation.call >= EPOCH else operation.call + EPOCH
    end = begin + (operation.return_ - operation.call if operation.return_ < math.inf else 1.0)
    headers = (
        ("content-type", "application/json"),
        ("x-ratelimit-limit", "1000000"),
        ("x-ratelimit-remaining", str(remaining)),
        ("x-ratelimit-reset", str((int(end) // 60 + 1) * 60)),
    )
    sent = request(operation.place, operation.write, SYNC, "2024-01-01T00:00:00.000Z")
    response = None
    if operation.outcome is not WriteOutcome.AMBIGUOUS:
        body = success_body(operation.place, operation.shown) if status == 201 else b'{"message": "too many requests"}'
        response = Response(status, headers, body)
    exchange = Exchange(sent, response, begin, end, tags=(f"race client {operation.client}",))
    return replace(operation, call=begin, return_=end if operation.return_ < math.inf else math.inf, exchange=exchange)


KINDS = ("number", "event", "array", "product", "object")


def ordered_history(size: int, **options: Any) -> History:
    """A history such as an ordered race has: cells in parallel, each in order, all of it right."""
    return History.of(ordered_operations(size, **options))


def ordered_operations(
    size: int,
    *,
    users: int = 4,
    cells: int = 25,
    seed: int = 0,
    lost: Collection[int] = (),
    kinds: Sequence[str] = KINDS,
) -> Iterator[RaceOperation]:
    """The operations of an ordered race, one by one, in the order of their responses.

    `lost`: the numbers of those whose effect the server shows and does not keep. The next operation on the cell shows
    that it is gone.
    """
    rng = random.Random(seed)
    names = [(user, cell) for user in range(users) for cell in range(cells)]
    places = [_place(user, kinds[cell % len(kinds)], cell) for user, cell in names]
    values: dict[Place, Any] = {}
    free_at = dict.fromkeys(places, EPOCH)
    now, minute, sent = EPOCH, 0.0, 0
    under_way: list[tuple[float, int, RaceOperation]] = []
    for number in range(size):
        now += 0.0001
        place = rng.choice(places)
        call = max(now, free_at[place] + 0.00001)
        write = _next_write(rng, place, values.get(place), number)
        after = results(write, values.get(place, 0))[0]
        if number not in lost:
            values[place] = after
        free_at[place] = end = call + rng.uniform(0.0001, 0.002)
        heapq.heappush(under_way, (end, number, done(rng.randrange(8), write, call, end, after, place)))
        while under_way and (under_way[0][0] < now or number == size - 1):
            end, _, operation = heapq.heappop(under_way)
            minute, sent = (minute, sent + 1) if end // 60 == minute else (end // 60, 1)
            yield exchanged(operation, remaining=max(1_000_000 - sent, 1))


def _place(user: int, kind: str, cell: int) -> Place:
    section = {"event": "events", "product": "purchases"}.get(kind, "attributes")
    return (f"ts-u{user}", section, f"{kind}_{user}_{cell}")


def _next_write(rng: random.Random, place: Place, value: Any, number: int) -> Write:
    if place[1] != "attributes":
        return Write("count", 1)
    if place[2].startswith("number"):
        return Write("set", 5) if value is None else Write("add", rng.randint(1, 9))
    if value is None or len(value) > 15:
        return Write("set", ["keeper"] if place[2].startswith("array") else {"keeper": 0})
    fresh = f"m{number}"
    return Write("insert", fresh) if isinstance(value, list) else Write("merge", {fresh: number})
