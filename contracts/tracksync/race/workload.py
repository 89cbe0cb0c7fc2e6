"""The requests of the clients: few users, many cells, and writes whose responses show whether an update was lost.

Knows requests, and nothing of sending, checking or time. A plain overwrite would hide a lost update, since its response
shows only what was sent. So most writes build on the present value: they add to a number, to an array or to an object,
or count an event. Amounts and elements differ from write to write, so that it shows which one is missing.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Literal

from tracksync.contract.bounds import SYNC, TRACK, bounds
from tracksync.generate.build import User, json_request
from tracksync.generate.harmless import Namer
from tracksync.model.exchange import Exchange, Request
from tracksync.race.history import UNSEEN, Place, Write, WriteOutcome
from tracksync.values.jsontext import read_json
from tracksync.values.numbers import is_integer
from tracksync.values.times import write_time

Kind = Literal["number", "array", "object", "event", "product"]
Endpoint = Literal["sync", "track"]

ORDERED: Final[tuple[Kind, ...]] = ("number", "event", "array", "product", "object")
OVERLAPPED: Final[tuple[Kind, ...]] = ("number", "event", "array", "product")
LONGEST_ARRAY: Final = 18  # elements; the smallest limit that a workspace has had is 25
LONGEST_LOOSE: Final = 16  # operations on one cell where no order is promised: few enough to try every order
UNSURE_OPERATIONS: Final = 3  # with an ambiguous outcome, after which a cell is left for a new one
CLIENT: Final = "race client "  # begins the tag of an exchange that says which client sent it
EARLIEST: Final = 1_704_067_200  # 2024-01-01T00:00:00Z; events lie in the two years from here


@dataclass(slots=True)
class Slot:
    """One of the cells in use, and what the planner knows of it. When it was used enough, a new one takes its place.

    `opened`: its first value is written. `taken`: a client uses it now.
    """

    number: int
    user: str
    kind: Kind
    generation: int = 0
    opened: bool = False
    taken: bool = False
    operations: int = 0
    unsure: int = 0
    members: list[str] = field(default_factory=list)

    @property
    def place(self) -> Place:
        """The cell."""
        section = {"event": "events", "product": "purchases"}.get(self.kind, "attributes")
        return (self.user, section, f"{self.kind}_{self.number}_{self.generation}")

    def renew(self) -> None:
        """Go on with a cell that was never used."""
        self.generation += 1
        self.operations = self.unsure = 0
        self.opened = False
        self.members = []


@dataclass(frozen=True, slots=True)
class PlannedWrite:
    """One write to make: what it does, and the request that does it."""

    place: Place
    write: Write
    request: Request


def slots(namer: Namer, *, users: int, cells: int, overlap: bool) -> list[Slot]:
    """The cells of a run: `cells` for each of `users`, of every kind in turn.

    The users have keys of the same names, so that a write that reaches the wrong user shows there.
    """
    kinds = OVERLAPPED if overlap else ORDERED
    made: list[Slot] = []
    for user in range(users):
        for cell in range(cells):
            made.append(Slot(cell, namer.external_id(f"u{user}"), kinds[cell % len(kinds)]))
    return made


@dataclass(slots=True)
class Planner:
    """Draws the next write of a cell. The same `rng` and the same calls give the same writes.

    `endpoint`: where writes go; reads always go to sync, since only sync answers with the state.
    """

    rng: random.Random
    endpoint: Endpoint = "sync"
    overlap: bool = False
    _made: int = 0

    def next(self, slot: Slot) -> PlannedWrite:
        """The next write to a cell."""
        self._made += 1
        slot.operations += 1
        write = self._opening(slot) if not slot.opened else self._write(slot)
        path = SYNC if write.verb == "read" or not slot.opened else _path(self.endpoint)
        return PlannedWrite(slot.place, write, request(slot.place, write, path, self._time()))

    def _opening(self, slot: Slot) -> Write:
        if slot.kind == "number":
            return Write("set", self.rng.randrange(1000))
        if slot.kind == "array":
            return Write("set", ["keeper"])
        if slot.kind == "object":
            return Write("set", {"keeper": 0})
        return Write("count", 1)

    def _write(self, slot: Slot) -> Write:
        chance = self.rng.random()
        if slot.kind in ("event", "product"):
            return Write("count", 1)  # never more: how a quantity of two counts is an ambiguity
        if slot.kind == "number":
            if chance < 0.2:
                return Write("read")
            if chance < (0.35 if self.endpoint == "track" else 0.25):
                return Write("set", self.rng.randrange(10_000))
            return Write("add", self.rng.randint(1, 10_000))
        fresh = f"m{self._made}"
        if slot.kind == "object":
            if len(slot.members) >= LONGEST_ARRAY:
                slot.members = []
                return Write("set", {"keeper": 0})
            slot.members.append(fresh)
            return Write("merge", {fresh: self._made})
        if chance < 0.15:
            return Write("read")
        if len(slot.members) >= LONGEST_ARRAY:
            slot.members = []
            return Write("set", ["keeper"])
        if chance < 0.25 and slot.members and not self.overlap:
            return Write("remove", self.rng.choice(slot.members))
        slot.members.append(fresh)
        return Write("insert", fresh)

    def _time(self) -> str:
        return write_time((EARLIEST + self.rng.randrange(63_000_000)) * 1_000_000, "utc-millis")


def read_cell(place: Place) -> PlannedWrite | None:
    """A request that shows a cell and changes no attribute; None for an object, which only a change shows.

    An event or product is shown by one more of it, which the history then counts.
    """
    if place[2].startswith("object"):
        return None
    write = Write("read") if place[1] == "attributes" else Write("count", 1)
    return PlannedWrite(place, write, request(place, write, SYNC, "2024-01-01T00:00:00.000Z"))


def _path(endpoint: Endpoint) -> str:
    return SYNC if endpoint == "sync" else TRACK


def request(place: Place, write: Write, path: str, time: str) -> Request:
    """The request that does `write` at `place`."""
    user: User = {"external_id": place[0]}
    key = place[2]
    if place[1] == "events":
        return json_request({"events": [{**user, "name": key, "time": time}]}, path=path)
    if place[1] == "purchases":
        bought: dict[str, Any] = {**user, "product_id": key, "currency": "EUR", "price": 1.5, "time": time}
        if write.value != 1:
            bought["quantity"] = write.value
        return json_request({"purchases": [bought]}, path=path)
    more = {"_merge_objects": True} if write.verb == "merge" else {}
    return json_request({"attributes": [{**user, **more, key: _value(place, write)}]}, path=path)


def _value(place: Place, write: Write) -> Any:
    if write.verb == "add":
        return {"inc": write.value}
    if write.verb == "insert":
        return {"add": [write.value]}
    if write.verb == "remove":
        return {"remove": [write.value]}
    if write.verb == "read":
        return {"inc": 0} if place[2].startswith("number") else {"add": [], "remove": []}
    return write.value


def planned(request: Request) -> tuple[Place, Write] | None:
    """The place and the write of which `request` was made; None for a request that no race makes."""
    body = read_json(request.body).value
    if request.path not in (SYNC, TRACK) or not isinstance(body, dict) or len(body) != 1:
        return None
    ((section, objects),) = body.items()
    one = objects[0] if isinstance(objects, list) and len(objects) == 1 else None
    user = one.get("external_id") if isinstance(one, dict) else None
    if one is None or not isinstance(user, str):
        return None
    plain = one.keys() - {"quantity"} == {"external_id", *bounds().required_members.get(section, ())}
    if section == "events" and plain and "quantity" not in one and isinstance(one["name"], str):
        return (user, section, one["name"]), Write("count", 1)
    if section == "purchases" and plain and isinstance(one["product_id"], str):
        bought = one.get("quantity", 1)
        return ((user, section, one["product_id"]), Write("count", bought)) if type(bought) is int else None
    named = list(one.keys() - {"external_id", "_merge_objects"})
    if section != "attributes" or len(named) != 1 or named[0] in bounds().profile_fields:
        return None
    write = _write_of(one[named[0]], merge="_merge_objects" in one)
    return ((user, section, named[0]), write) if write is not None else None


def _write_of(value: Any, *, merge: bool) -> Write | None:
    """The write that an attribute's value is. Texts are names only: a date, for one, may be shown in another form."""
    if isinstance(value, dict) and value and value.keys().isdisjoint(("add", "remove", "inc")):
        plain = all(_is_name(name) and type(inner) is int for name, inner in value.items())
        return Write("merge" if merge else "set", value) if plain else None
    if merge:
        return None
    match value:
        case {"inc": int() as amount} if len(value) == 1:
            return Write("add", amount) if amount else Write("read")
        case {"add": [], "remove": []} if len(value) == 2:
            return Write("read")
        case {"add": [item]} if len(value) == 1 and _is_name(item):
            return Write("insert", item)
        case {"remove": [item]} if len(value) == 1 and _is_name(item):
            return Write("remove", item)
        case [_, *_] if all(map(_is_name, value)) and len(set(value)) == len(value) <= LONGEST_ARRAY:
            return Write("set", value)
    return Write("set", value) if type(value) is int else None


def _is_name(value: Any) -> bool:
    return isinstance(value, str) and value.isidentifier() and len(value) <= bounds().nested_characters


def outcome_of(exchange: Exchange) -> WriteOutcome:
    """What is known of an operation from its exchange. A request that was never sent had no effect."""
    if exchange.response is None:
        return WriteOutcome.REFUSED if exchange.unreached else WriteOutcome.AMBIGUOUS
    status = exchange.response.status
    if status >= 500:
        return WriteOutcome.AMBIGUOUS
    return WriteOutcome.DONE if 200 <= status < 300 else WriteOutcome.REFUSED


def shown(place: Place, exchange: Exchange) -> Any:
    """The cell as the response shows it, UNSEEN where it shows nothing that can be read."""
    if exchange.response is None or exchange.request.path != SYNC:
        return UNSEEN
    body = read_json(exchange.response.body).value
    users = body.get("users") if isinstance(body, dict) else None
    entry = users[0] if isinstance(users, list) and users else None
    if not isinstance(entry, dict):
        return UNSEEN
    _, section, key = place
    if section == "attributes":
        listed = entry.get("custom_attributes")
        return listed.get(key, UNSEEN) if isinstance(listed, dict) else UNSEEN
    member, name = ("custom_events", "name") if section == "events" else ("purchase_events", "product_id")
    elements = entry.get(member)
    for element in elements if isinstance(elements, list) else ():
        if isinstance(element, dict) and element.get(name) == key and is_integer(element.get("count")):
            return int(element["count"])
    return UNSEEN


def free(candidates: Sequence[Slot], *, overlap: bool) -> list[Slot]:
    """The cells that a client may use now: with `overlap` all that are opened, else those that no client uses."""
    return [slot for slot in candidates if not slot.taken or (overlap and slot.opened)]
