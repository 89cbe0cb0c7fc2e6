"""Exchanges of faults that show only when requests overlap, made deterministically and without sockets.

The embedded mock takes the arrival of a request and its handling as two calls. Two requests arrive, the later one is
answered first, and then both are sent once more alone, which shows the state. The same version gives the same bytes.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import permutations
from typing import Final

from tracksync.engine.targets import EmbeddedMock, authorization
from tracksync.generate.build import Step, attributes_request, event_request, purchase_request
from tracksync.generate.harmless import Namer
from tracksync.mock import MockApp, MockConfig
from tracksync.model.exchange import Exchange, Request

ROUNDS: Final = 3  # how often the pair is sent: some faults show now and then
_TIME: Final = "2024-05-05T10:00:00Z"
_MOMENT: Final = 0.001  # seconds between two steps


@dataclass(frozen=True, slots=True)
class Overlap:
    """Two requests that overlap: `slow` is sent first and answered last. `before`: the requests that prepare them."""

    name: str
    before: tuple[Request, ...]
    slow: Request
    quick: Request


def overlaps(namer: Namer) -> Iterator[Overlap]:
    """An overlap of every two different writes."""
    one, other = {"external_id": namer.external_id("u")}, {"external_id": namer.external_id("v")}
    writes = {
        "colour": attributes_request(one, {"colour": {"add": ["red"]}}),
        "visits": attributes_request(one, {"visits": {"inc": 1}}),
        "event": event_request(one, "ordered", _TIME),
        "another-event": event_request(one, "rated", _TIME),
        "purchase": purchase_request(one, "book", _TIME),
        "visits-of-another": attributes_request(other, {"visits": {"inc": 10}}),
        "event-of-another": event_request(other, "ordered", _TIME),
    }
    first = {
        "colour": attributes_request(one, {"colour": ["blue"]}),
        "visits": attributes_request(one, {"visits": 1}),
        "visits-of-another": attributes_request(other, {"visits": 100}),
    }
    for slow, quick in permutations(writes, 2):
        begin = tuple(first.get(name, writes[name]) for name in (slow, quick))
        yield Overlap(f"{slow}-around-{quick}", begin, writes[slow], writes[quick])


def record_overlap(config: MockConfig, overlap: Overlap) -> list[Exchange]:
    """Play the overlap on a new mock, ROUNDS times, each request alone after each. In the order of the responses."""
    player = _Player(config)
    for request in overlap.before:
        player.alone(request)
    for _ in range(ROUNDS):
        player.overlapping(overlap.slow, overlap.quick)
        player.alone(overlap.quick)
        player.alone(overlap.slow)
    return player.exchanges


class _Player:
    """A mock in this process whose clock advances with each step only."""

    def __init__(self, config: MockConfig) -> None:
        self._time = EmbeddedMock.EPOCH
        self._key = config.key
        self._app = MockApp(config, clock=lambda: self._time)
        self.exchanges: list[Exchange] = []

    def alone(self, request: Request) -> None:
        sent, token = self._arrive(request)
        self._answer(request, sent, token)

    def overlapping(self, slow: Request, quick: Request) -> None:
        sent, token = self._arrive(slow)
        self.alone(quick)
        self._answer(slow, sent, token)

    def _arrive(self, request: Request) -> tuple[float, object]:
        self._time += _MOMENT
        return self._time, self._app.arrive(self._signed(request))

    def _answer(self, request: Request, sent: float, token: object) -> None:
        self._time += _MOMENT
        response = self._app.deliver(self._signed(request), token).response
        self._time += _MOMENT
        self.exchanges.append(Exchange(request, response, sent, self._time))

    def _signed(self, request: Request) -> Request:
        value = authorization(Step(request), self._key, None) or ""
        return replace(request, headers=(*request.headers, ("Authorization", value)))
