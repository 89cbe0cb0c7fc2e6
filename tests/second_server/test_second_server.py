"""The second server keeps the documented examples, and its tables of interpretations and faults are true.

A fault that no lawful sequence of requests can show would be worthless: `SCRIPTS` are such sequences,
and every fault (and every interpretation) must make at least one of them go differently from the base server.
"""

from __future__ import annotations

import json
import random
import threading
import urllib.request
from collections.abc import Iterator
from typing import Any

import pytest
from second_server_scripts import (
    ALIAS,
    DELETE,
    EXPORT,
    KEY,
    LONG,
    MAIL,
    MAKE,
    ONLY,
    SCRIPTS,
    SYNC,
    TRACK,
    WEAK,
    Client,
    X,
    Y,
    a,
    e,
    p,
)

from second_server import BASE, FAULTS, INTERPRETATIONS, create, serving

BEYOND_SCRIPTS = {name for name in FAULTS if name.startswith("parallel_")}


def playing(script: list[Any], **config: Any) -> Iterator[Any]:
    """What is logged of each response to the script, as it comes."""
    client = Client(**config)
    for step in script:
        body, how = step if isinstance(step, tuple) else (step, {})
        client.send(body, accept_encoding="gzip", **how)
        assert not client.app.crashes, client.app.crashes[0]
        yield client.log[-1]


def play(script: list[Any], **config: Any) -> list[Any]:
    return list(playing(script, **config))


@pytest.fixture(scope="module")
def normal() -> dict[int, Any]:
    """How each script goes on the base server."""
    return {n: play(script) for n, script in enumerate(SCRIPTS)}


def shown(normal: dict[int, Any], **config: Any) -> bool:
    """Whether any script goes differently. What showed the last variant is tried first on the next."""
    for n in list(normal):
        if any(one != usual for one, usual in zip(playing(SCRIPTS[n], **config), normal[n], strict=True)):
            normal |= {other: normal.pop(other) for other in [k for k in normal if k != n]}
            return True
    return False


def test_the_documented_examples() -> None:
    client = Client()
    sent = {
        "string_attribute": "fruit",
        "boolean_attribute_1": True,
        "integer_attribute": 25,
        "array_attribute": ["banana", "apple"],
    }
    assert client.send(a({"external_id": "xyz123"}, **sent)) == (
        201,
        {"users": [{"external_id": "xyz123", "custom_attributes": sent}], "message": "success"},
    )
    at = "2022-12-06T19:20:45+01:00"
    properties = {"release": {"studio": "FilmStudio", "year": "2022"}, "cast": [{"name": "Actor1"}, {"name": "Actor2"}]}
    for count in (1, 2):
        entry = client.ok(e(MAIL, "rented_movie", at, app_id="your_app_identifier", properties=properties))
        utc = "2022-12-06T18:20:45.000Z"
        event = {"name": "rented_movie", "first": utc, "last": utc, "count": count}
        assert entry == {**MAIL, "custom_events": [event]}
    client.ok(a({**ALIAS, **MAKE}))
    entry = client.ok(p(ALIAS, "Completed Order", at, quantity=3))
    assert entry["user_alias"] == ALIAS["user_alias"]
    assert entry["purchase_events"] == [{"product_id": "Completed Order", "first": utc, "last": utc, "count": 3}]


def test_keys_and_windows() -> None:
    client = Client(rate_limit=2)
    status, response = client.send(a(X), authorization="Bearer wrong")
    assert status == 401
    assert "errors" not in response
    assert [value for name, value in client.log[0][1].items() if name.startswith("x-ratelimit")] == ["", "", ""]
    assert client.send(a(X), authorization=f"Bearer {WEAK}")[0] == 403
    assert [client.send(a(X))[0] for _ in range(3)] == [201, 201, 429]
    window = client.log[-1][1]
    assert (window["x-ratelimit-limit"], window["x-ratelimit-remaining"]) == ("2", "0")
    assert int(window["x-ratelimit-reset"]) % 60 == 0
    client.now = float(window["x-ratelimit-reset"])
    assert client.send(a(X))[0] == 201


def test_no_user_is_found() -> None:
    client = Client()
    assert client.send(a({**X, **ONLY}, n=1)) == (201, {"users": [], "message": "success"})
    assert client.send(a(ALIAS, n=1)) == (201, {"users": [], "message": "success"})


def test_the_tables_are_consistent() -> None:
    assert len(INTERPRETATIONS) >= 30
    assert len(FAULTS) >= 110
    assert not FAULTS.keys() & INTERPRETATIONS.keys()
    for pair in INTERPRETATIONS:
        ambiguity, _, value = pair.partition("=")
        assert BASE[ambiguity] != value
    with pytest.raises(ValueError, match="unknown faults"):
        create(KEY, faults={"no_such_fault"})
    with pytest.raises(ValueError, match="unknown interpretation"):
        create(KEY, interpretation={"no_such_ambiguity": "x"})
    with pytest.raises(ValueError, match="unknown value"):
        create(KEY, interpretation={"time_form": "x"})


def test_every_fault_shows(normal: dict[int, Any]) -> None:
    assert [name for name in FAULTS if name not in BEYOND_SCRIPTS and not shown(normal, faults={name})] == []


def test_every_interpretation_shows(normal: dict[int, Any]) -> None:
    quiet = {"pace=slow"}  # shows in time only
    pairs = [pair.partition("=") for pair in INTERPRETATIONS if pair not in quiet]
    assert [
        f"{ambiguity}={value}" for ambiguity, _, value in pairs if not shown(normal, interpretation={ambiguity: value})
    ] == []


def test_interpretations_go_together() -> None:
    chance = random.Random(11)
    values: dict[str, list[str]] = {ambiguity: [value] for ambiguity, value in BASE.items()}
    for pair in INTERPRETATIONS:
        ambiguity, _, value = pair.partition("=")
        values[ambiguity].append(value)
    values["pace"] = ["quick"]
    for _ in range(8):
        interpretation = {ambiguity: chance.choice(held) for ambiguity, held in values.items()}
        for script in SCRIPTS[::2]:
            for status, _, _ in play(script, interpretation=interpretation):
                assert status in (200, 201, 400, 401, 403, 404, 405, 413, 415, 429), interpretation


def together(client: Client, bodies: list[Any]) -> list[Any]:
    responses: list[Any] = [None] * len(bodies)

    def one(n: int) -> None:
        responses[n] = client.send(bodies[n])

    threads = [threading.Thread(target=one, args=(n,)) for n in range(len(bodies))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return responses


@pytest.mark.parametrize("fault", [None, *sorted(BEYOND_SCRIPTS)])
def test_requests_at_the_same_time_lose_nothing_unless_a_fault_does_it(fault: str | None) -> None:
    client = Client(faults={fault} if fault else set())
    kinds = [
        lambda n, who: a(who, **{f"k{n}": {"inc": 1}}),
        lambda n, who: e(who, f"e{n}"),
        lambda n, who: p(who, f"p{n}"),
    ]
    for kind in kinds:
        client.send(kind(0, X))
        client.send(kind(0, Y))
    good = []
    for kind in kinds:
        bodies = [kind(n, who) for n in (1, 2, 3) for who in (X, Y)]
        responses = together(client, bodies)
        good += [status == 201 and response["users"][0]["external_id"] == who["external_id"]
                 for (status, response), who in zip(responses, [X, Y] * 3, strict=True)]  # fmt: skip
        for n in (1, 2, 3):
            text = json.dumps(client.send(kind(n, X))[1])
            good.append('"count": 2' in text or f'"k{n}": 2' in text)
    assert all(good) is (fault is None)


def test_malformed_requests_are_refused() -> None:
    chance = random.Random(7)
    odd = [
        None,
        True,
        0,
        -1,
        1e308,
        "",
        "x",
        "2020-01-01",
        [],
        {},
        [None],
        {"$time": 3},
        {"inc": None},
        {"add": 1},
        [[]],
        [{}],
    ]
    odd += [{"$add": [1]}, {"$update": [{}]}, {"$remove": {}}, {"alias_name": 1}, "\ud800", 10**400, LONG * 2]
    fields = [
        "external_id",
        "user_alias",
        "email",
        "phone",
        "braze_id",
        "name",
        "time",
        "product_id",
        "currency",
        "price",
    ]
    fields += [
        "quantity",
        "properties",
        "app_id",
        "_update_existing_only",
        "_merge_objects",
        "push_token_import",
        "x",
        "dob",
    ]
    client = Client(rate_limit=10**6)
    for _ in range(3000):
        body = chance.choice([a(X), e(X), p(X), a(MAIL), e(ALIAS)])
        section = next(iter(body))
        item = dict(body[section][0])
        for _ in range(chance.randint(1, 3)):
            item[chance.choice(fields)] = chance.choice(odd)
        path = chance.choice([SYNC, SYNC, SYNC, TRACK, DELETE, EXPORT])
        bodies = [
            {section: [item]},
            {section: chance.choice(odd)},
            chance.choice(odd),
            {**item, "external_ids": chance.choice(odd)},
        ]
        assert client.send(chance.choice(bodies), path=path, after=1)[0] in (201, 400)
    for raw in (
        b"",
        b"\xff\xfe",
        b"[" * 100_000,
        b'{"attributes":' * 5000,
        b'{"attributes":[{"external_id":"x","n":1e999}]}',
    ):
        assert client.send(raw)[0] == 400
    assert not client.app.crashes, client.app.crashes[0]


def test_it_is_served_over_sockets() -> None:
    with serving(key=KEY, interpretation={"framing": "chunked"}) as url:
        request = urllib.request.Request(url + SYNC, json.dumps(a(X, n=1)).encode(), {"Authorization": f"Bearer {KEY}"})
        with urllib.request.urlopen(request) as response:
            assert response.status == 201
            assert json.load(response)["message"] == "success"
