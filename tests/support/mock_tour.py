"""A tour through everything that the documents name, long enough that every fault of the mock shows somewhere on it.

Written from the facts, so that the catalogue of faults is compared with something else than the probes it is to test.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import cache
from typing import Any

from mock_harness import Harness
from mock_tour_neighbours import batches, deletions, exports, in_turn, other_batches
from mock_tour_requests import extremes, impossible_times, open_questions, refused, runtimes, sizes, syntax
from mock_tour_stops import LIMIT, Stop, attributes, event
from mock_tour_users import addresses, crossings, folding, state, users
from mock_tour_values import arrays, events, numbers, objects, purchases, strings

from tracksync.mock import ResponseLost
from tracksync.model.exchange import Response

Part = Callable[[], Iterator[Stop]]
PARTS: tuple[Part, ...] = (
    strings,
    numbers,
    arrays,
    objects,
    events,
    purchases,
    users,
    state,
    addresses,
    folding,
    refused,
    syntax,
    impossible_times,
    open_questions,
    runtimes,
    in_turn,
    batches,
    deletions,
    exports,
    other_batches,
    crossings,
    extremes,
    sizes,
)


def walk(**config: Any) -> Iterator[tuple[Any, ...]]:
    """Every response of the tour: status, headers, body, or how it was lost. Ends with an exhausted window."""
    for part in (*PARTS, None):
        yield from walk_part(part, **config)


def walk_part(part: Part | None, **config: Any) -> Iterator[tuple[Any, ...]]:
    """The responses of one part of the tour, which has a mock of its own; of the exhausted window if None."""
    if part is None:
        yield from _window(Harness(rate_limit=12, **config))
        return
    harness = Harness(array_limit=LIMIT, **config)
    for stop in _stops(part):
        harness.now += stop.wait
        yield _outcome(harness, _known(harness, stop))
        harness.now += 0.001


def _window(harness: Harness) -> Iterator[tuple[Any, ...]]:
    harness.now += 20
    for wait in (0.0, 0.0, 20.0, 0.0, 20.0, 61.0):
        harness.now += wait
        for n in range(4):
            yield _outcome(harness, event("e") if n % 2 else attributes(a=n))


@cache
def _stops(part: Part) -> tuple[Stop, ...]:
    """The requests of a part. A body that is the same in every walk is encoded once."""
    return tuple(
        stop
        if _names_known(stop) or isinstance(stop.body, bytes)
        else replace(stop, body=json.dumps(stop.body).encode())
        for stop in part()
    )


def _names_known(stop: Stop) -> bool:
    return "'known'" in repr(stop.body)[:200]


def _known(harness: Harness, stop: Stop) -> Stop:
    """Put a braze_id that the mock assigned in the place where the tour says known."""
    if not isinstance(stop.body, dict):
        return stop
    profile = next(iter(harness.app.store), None)
    braze_id = profile.braze_id if profile else "none"
    found = stop.body.get("attributes")
    if isinstance(found, list) and found and isinstance(found[0], dict) and found[0].get("braze_id") == "known":
        return replace(stop, body={"attributes": [found[0] | {"braze_id": braze_id}]})
    return replace(stop, body={"braze_ids": [braze_id]}) if stop.body.get("braze_ids") == ["known"] else stop


def _outcome(harness: Harness, stop: Stop) -> tuple[Any, ...]:
    try:
        response: Response = harness.send(stop.body, stop.path, **stop.options)
    except ResponseLost as lost:
        return ("lost", lost.kind)
    return (response.status, response.headers, response.body)
