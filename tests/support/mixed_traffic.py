"""Interleaved traffic of many users on the mock, for tests that check it more than once.

It has every kind of identifier, batches, deletions, exports, lost responses, requests that overlap, and bodies that no
reader is sure of.
"""

from __future__ import annotations

import random
from dataclasses import replace
from typing import Any

from tracksync.engine.targets import EmbeddedMock
from tracksync.faults.catalogue import servers
from tracksync.generate.build import Step, json_request, raw_request
from tracksync.mock import MockConfig
from tracksync.model.exchange import Exchange, Failure, FailureKind, Request, Response

TRACK, DELETE, EXPORT = "/users/track", "/users/delete", "/users/export/ids"
TIME = "2026-01-01T10:00:00Z"


def mixed(seed: int, count: int, *, users: int = 6, fault: str | None = None, odd: float = 0.1) -> list[Exchange]:
    """`count` exchanges, the same for the same arguments. `odd`: how many of them go wrong on the way, or are odd."""
    draw = random.Random(seed)
    target = EmbeddedMock(MockConfig(rate_limit=300, faults=tuple(servers([fault])) if fault else ()))
    exchanges: list[Exchange] = []
    for _ in range(count):
        unusual = draw.random() < odd
        request = _odd_request(draw, users) if unusual and draw.random() < 0.5 else _request(draw, users)
        exchange = target.send(Step(request))
        target.sleep(draw.choice((0.01, 0.3, 5.0, 70.0) if draw.random() < 0.95 else (400.0,)))
        exchanges.append(_disturbed(draw, exchange, exchanges) if unusual else exchange)
        if unusual and draw.random() < 0.3:  # sent again
            exchanges.append(target.send(Step(request)))
    return sorted(exchanges, key=lambda one: one.received)


def _who(draw: random.Random, users: int) -> dict[str, Any]:
    number = draw.randrange(users)
    match draw.randrange(12):
        case 0:
            return {"email": f"u{number}@example.com"}
        case 1:
            return {"phone": f"+1202555010{number % 10}"}
        case 2:
            alias = {"alias_name": draw.choice((f"a{number}", f"A{number}")), "alias_label": "crm"}
            return {"user_alias": alias, "_update_existing_only": draw.random() < 0.5}
        case 3:
            return {"external_id": draw.choice((f"User{number}", f"user{number} "))}
        case 4:
            return {"external_id": f"user{number}", "email": f"u{draw.randrange(users)}@example.com"}
    return {"external_id": f"user{number}"}


def _object(draw: random.Random, users: int) -> tuple[str, dict[str, Any]]:
    who = _who(draw, users)
    kind = draw.randrange(10)
    if kind < 2:
        return "events", {**who, "name": draw.choice(("seen", "bought")), "time": TIME}
    if kind == 2:
        more = {"quantity": draw.randint(1, 3)} if draw.random() < 0.5 else {}
        return "purchases", {**who, "product_id": "book", "currency": "EUR", "price": 1, "time": TIME, **more}
    values = {
        "n": draw.randint(0, 3),
        "visits": {"inc": draw.randint(1, 2)},
        "tags": draw.choice((["x", "y"], {"add": ["z"]}, {"remove": ["x"]}, [str(one) for one in range(40)])),
        "gone": draw.choice((None, "", "text")),
        "long": "x" * draw.choice((3, 255, 256)),
        "when": "2026-05-05T10:00:00Z",
        "wide": draw.choice((5, 2**53 + 1)),
        "nest": {"a": draw.randint(0, 2)},
    }
    return "attributes", {**who, **{name: values[name] for name in draw.sample(sorted(values), draw.randint(1, 3))}}


def _request(draw: random.Random, users: int) -> Request:
    names = [f"user{draw.randrange(users)}" for _ in range(draw.randint(1, 3))]
    kind = draw.random()
    if kind < 0.04:
        return json_request({"external_ids": names}, path=DELETE)
    if kind < 0.1:
        fields = {"fields_to_export": ["external_id", "custom_attributes", "custom_events"]}
        return json_request({"external_ids": names, **fields}, path=EXPORT)
    if kind < 0.2:
        body: dict[str, list[Any]] = {}
        for _ in range(draw.randint(1, 5)):
            section, target = _object(draw, users)
            body.setdefault(section, []).append(target)
        return json_request(body, path=TRACK)
    section, target = _object(draw, users)
    return json_request({section: [target]})


def _odd_request(draw: random.Random, users: int) -> Request:
    name = f"user{draw.randrange(users)}"
    match draw.randrange(5):
        case 0:
            return raw_request(f'{{"attributes":[{{"external_id":"{name}","n":1,"n":2}}]}}'.encode())
        case 1:
            return raw_request(b'{"attributes":[{"external_id":"' + name.encode())
        case 2:
            stranger = f"stranger{draw.randrange(3)}"
            bodies = (
                {"external_ids": [stranger]},
                {"braze_ids": [stranger]},
                {"external_ids": [stranger], "also": [name]},
            )
            return json_request(draw.choice(bodies), path=DELETE)
        case 3:
            return json_request({"attributes": [{"n": 1}]})
    return raw_request(b"", path=draw.choice((TRACK, "/users/track/sync")))


def _disturbed(draw: random.Random, exchange: Exchange, before: list[Exchange]) -> Exchange:
    """The exchange when its response is lost, comes from a gateway, or comes late, so that it overlaps others."""
    match draw.randrange(6):
        case 0:
            return replace(exchange, response=None, failure=Failure(FailureKind.TIMEOUT))
        case 1:
            return replace(exchange, response=Response(502, (), b"bad gateway"))
        case 2:
            return replace(exchange, received=exchange.received + draw.choice((2.0, 90.0)))
        case 3 if before:
            return replace(exchange, sent=before[-1].sent)
        case 4:
            headers = (*exchange.request.headers, ("Content-Encoding", "gzip"))
            return replace(exchange, request=replace(exchange.request, headers=headers))
        case 5:
            return replace(exchange, request=replace(exchange.request, path="/users/merge"))
    return exchange
