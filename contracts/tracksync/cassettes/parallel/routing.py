"""One pass over a recording in the order of the responses: to which part each exchange goes, and what is beside it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import lru_cache

from msgspec import Struct, structs

from tracksync.cassettes.checking import (
    Place,
    gap_of,
    others_of,
    place_of,
    places_of_gap,
)
from tracksync.cassettes.interaction import Flown, Interaction
from tracksync.cassettes.parallel.connections import Connections, groups_of, only_identifier
from tracksync.cassettes.parallel.part import Gap, Item, Routed
from tracksync.contract.bounds import SYNC, TRACK
from tracksync.model.exchange import Exchange, Request
from tracksync.oracle import Belief, Settings
from tracksync.oracle.in_flight import NONE_IN_FLIGHT, InFlight, in_flight_at
from tracksync.oracle.parts import Pass
from tracksync.oracle.request import read_request
from tracksync.oracle.request_object import read_identifiers
from tracksync.oracle.unread import is_encoded
from tracksync.values.jsontext import read_json


class Directed(Struct, frozen=True, gc=False):
    """An interaction and the items that it becomes, each with the number of its part; none where it is `skipped`."""

    index: int
    interaction: Interaction
    items: tuple[tuple[int, Item], ...] = ()
    skipped: str = ""


class Router:
    """Directs the interactions of one recording. `assign`: the part of an identifier that stands for a user."""

    def __init__(
        self,
        settings: Settings,
        connections: Connections,
        parts: int,
        *,
        foreign: bool,
        assign: Callable[[int], int] | None = None,
    ) -> None:
        self._start = Belief.start(settings)
        self._connections = connections
        self._parts = parts
        self._foreign = foreign
        self._assign = assign or (lambda leader: leader % parts)
        self._passes: dict[Place, Pass] = {}

    def directed(self, interactions: Iterable[Flown]) -> Iterator[Directed]:
        """Every interaction, in order."""
        for index, (interaction, in_flight) in enumerate(interactions):
            gap = gap_of(interaction, foreign=self._foreign)
            if gap.skipped and not gap.changes_users:
                yield Directed(index, interaction, skipped=gap.skipped)
                continue
            place = place_of(interaction, foreign=self._foreign)
            known = self._passes.get(place)
            if known is None:
                known = self._passes[place] = Pass(self._start)
            if gap.skipped:
                yield self._gap(index, interaction, place, gap.skipped)
                continue
            exchange = interaction.exchange
            around = _overlapping(exchange, in_flight) if in_flight else NONE_IN_FLIGHT
            only = only_identifier(exchange.request.body)
            beside = known.next(exchange, around, only, crowded=bool(in_flight))
            for one in others_of(place, self._passes):
                self._passes[one].note(exchange, only)
            groups = groups_of(exchange, only)
            home = self._part_of(groups[0][0])
            items: tuple[tuple[int, Item], ...]
            if exchange.request.path.partition("?")[0] == TRACK and len(groups[0]) and self._parts > 1:
                owners = [self._part_of(group[0]) for group in groups]
                found: list[tuple[int, Item]] = []
                for part in dict.fromkeys(owners):
                    mine = frozenset(number for number, owner in enumerate(owners) if owner == part)
                    own = structs.replace(beside, objects=mine)
                    found.append((part, Routed(index, place, interaction, own, part == home)))
                items = tuple(found)
            else:
                items = ((home, Routed(index, place, interaction, beside)),)
            yield Directed(index, interaction, items)

    def _part_of(self, identifier: int) -> int:
        return self._assign(self._connections.leader(identifier))

    def _gap(self, index: int, interaction: Interaction, place: Place, why: str) -> Directed:
        places = tuple(dict.fromkeys((place, *places_of_gap(interaction, self._passes))))
        for one in places:
            self._passes[one].forget()
        gap = Gap(index, places)
        return Directed(index, interaction, tuple((part, gap) for part in range(self._parts)), why)


def _overlapping(exchange: Exchange, in_flight: Sequence[Request]) -> InFlight:
    """What the requests in flight may do to the exchange."""
    own = _named(exchange.request)
    near = [one for one in in_flight if _may_be_one_user(own, _named(one))]
    return in_flight_at(read_request(exchange), exchange, near) if near else NONE_IN_FLIGHT


def _may_be_one_user(one: tuple[str, str] | None, other: tuple[str, str] | None) -> bool:
    """False where both are named by the same kind of identifier alone, and differently."""
    return one is None or other is None or one[0] != other[0] or one[1] == other[1]


@lru_cache(maxsize=1024)
def _named(request: Request) -> tuple[str, str] | None:
    """The identifier of the one user to whom a request writes, where it is one and the only text of its kind."""
    if request.path not in (SYNC, TRACK) or is_encoded(request):
        return None
    text = read_json(request.body)
    if not isinstance(text.value, dict) or text.quirks:
        return None
    targets = [one for section in text.value.values() if isinstance(section, list) for one in section]
    if len(targets) != 1 or not isinstance(targets[0], dict):
        return None
    identifiers = read_identifiers(targets[0])
    if len(identifiers) != 1 or not isinstance(identifiers[0][1], str):
        return None
    return identifiers[0]
