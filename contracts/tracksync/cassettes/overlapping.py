"""Cassettes of faults that show only when requests overlap, made without sockets and without chance.

The embedded mock is told of a request's arrival and of its handling apart. Two requests are begun, the later one is
answered first, and what became of both is then read back by writes that add nothing. The same version gives the same
bytes; which pair is the first to show a fault is found by trying.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import permutations
from typing import Final

from tracksync.engine.targets import EmbeddedMock, authorization
from tracksync.generate.build import Step, attributes_request, event_request, purchase_request
from tracksync.generate.harmless import Namer
from tracksync.mock import MockApp, MockConfig
from tracksync.model.exchange import Exchange, Request

ROUNDS: Final = 3  # how often the pair is sent: some faults show now and then
_TIME: Final = "2024-05-05T10:00:00Z"
_MOMENT: Final = 0.001  # seconds between one thing that happens and the next

Overlap = tuple[Request, Request]  # what is sent first and answered last, and what comes in between


def overlaps(namer: Namer) -> Iterator[tuple[str, tuple[Request, ...], Overlap]]:
    """A name, the requests before and after, and the pair that overlaps, for every two different writes."""
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
        yield f"{slow}-around-{quick}", begin, (writes[slow], writes[quick])


def record_overlap(config: MockConfig, around: Sequence[Request], pair: Overlap) -> list[Exchange]:
    """Play `around`, then the pair overlapping and each of the pair alone, some times. In the order of the responses."""
    player = _Player(config)
    for request in around:
        player.alone(request)
    for _ in range(ROUNDS):
        player.overlapping(*pair)
        for request in reversed(pair):
            player.alone(request)
    return player.exchanges


class _Player:
    """A mock in process, with time that passes only between what happens."""

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
