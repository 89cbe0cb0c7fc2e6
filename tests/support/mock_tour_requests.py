"""Parts of the tour: requests that are refused, that are open, and that are extreme."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from mock_harness import TIME
from mock_tour_stops import ALIAS, CREATE, LIMIT, ONLY, Stop, attributes, by, each, event, purchase

from tracksync.mock.limits import BODY_BYTES


def refused() -> Iterator[Stop]:
    user = {"external_id": "r"}
    yield attributes("r", a=1)
    yield event("e", TIME, user)
    for raw in (
        b"",
        b"{",
        b"[]",
        b"null",
        b'"x"',
        b"7",
        b'[{"external_id":"r","a":{"inc":1}}]',
        b'{"attributes":[{"external_id":"r"}]} x',
    ):
        yield Stop(raw)
    yield Stop({})
    one, other = {"external_id": "r", "a": {"inc": 1}}, {"external_id": "r", "name": "e", "time": TIME}
    yield Stop({"attributes": [one], "events": [other]})
    for count in (2, 3):
        yield Stop({"attributes": [one] * count})
        yield Stop({"events": [other] * count})
    for broken in each({}, {"external_id": {}}, {"external_id": "r", "_update_existing_only": "yes"}, {"email": {}}):
        yield by(broken, a={"inc": 1})
        yield Stop({"events": [broken | {"name": "e", "time": TIME}]})
    for wrong in each(
        {"name": None},
        {"name": []},
        {"time": None},
        {"time": "soon"},
        {"time": {}},
        {"properties": 1},
        {"app_id": 1},
    ):
        yield Stop({"events": [other | wrong]})
    yield Stop({"events": [{"external_id": "unseen", "name": "e"}]})
    yield by({"external_id": "unseen"} | ONLY, a=1)
    for section in ("attributes", "events"):
        for value in ("x", 1, True, ["x"]):
            yield Stop({section: value})
    for _ in range(2):
        yield by({"email": "not an address"}, a=1)
        yield attributes("r", n={"inc": 1}, email="not an address")
        yield attributes("r", n={"inc": 1})
        yield Stop({"attributes": one})
        yield Stop({"attributes": [one], "events": []})
        yield Stop({"attributes": [], "events": [other]})
    for key in (
        None,
        "Bearer wrong",
        'Bearer "mock-key"',
        "Basic mock-key",
        "Bearer mock-key-without-permission",
        "Bearer mock-key.1",
    ):
        yield Stop({"attributes": [one]}, options={"key": key})
        yield Stop({"events": [other]}, options={"key": key})
        yield attributes("r", a={"inc": 1})
    for path in ("/users/track/synch", "/users/track/sync/", "/", "/users/trac"):
        yield Stop({"events": [other]}, path)
    for method in ("PUT", "GET", "DELETE"):
        for _ in range(2):
            yield Stop({"events": [other]}, options={"method": method})
    for media in ("text/plain", "application/json; charset=utf-8", None, "text/plain"):
        yield Stop({"events": [other]}, options={"media": media})
    body = b'{"attributes":[{"external_id":"r","a":{"inc":1}}]}'
    for size in (100_000, BODY_BYTES + 1, BODY_BYTES + 1):
        yield Stop(body.ljust(size))
    yield event("e", TIME, user)
    yield attributes("r", a={"inc": 1})


def open_questions() -> Iterator[Stop]:
    for _ in range(2):
        yield attributes("w", l=list(range(LIMIT + 1)), s="x", d=TIME, e=["v"], o=[{"id": 1, "v": 1}], b=["x", "y"])
        yield attributes("w", s="x" * 256)
        yield attributes("w", s=None)
        yield attributes("w", fresh={"inc": 1})
        yield attributes("w", fresh=None)
        yield attributes("w", e={"remove": ["v"]})
        change = {"$identifier_key": "id", "$identifier_value": 1, "$new_object": {"id": 1}}
        yield attributes("w", o={"$update": [change]})
        yield attributes("w", o={"$remove": [{"$identifier_key": "id", "$identifier_value": 1}]})
        yield attributes("w", b={"add": ["x"], "remove": ["x"]})
        yield by({"braze_id": "0" * 24}, a=1)
        yield purchase("p", {"external_id": "w"}, quantity=0)
        yield event("e", TIME, {"external_id": "unknown"} | ONLY)
    for name in ("w1", "w2"):
        yield event("e", TIME, {"user_alias": {"alias_name": name, "alias_label": "l"}} | CREATE)


def runtimes() -> Iterator[Stop]:
    texts = ("a\u200bb", "x\ufe0f", "\x01y")
    for number in range(2):
        yield attributes("g", **{f"t{n}": text for n, text in enumerate(texts)})
        yield purchase(70_000, {"external_id": "g"})
        yield event("e", TIME, {"external_id": "g", **ALIAS})
        yield Stop({"attributes": [{"external_id": "g"}]})
        yield attributes("g", l=["a", "b", "a"], f=[0.5], flag=[True], big=1.5e39, constructor="x", length=number)
        yield event(5, TIME, {"external_id": "g"})
        yield event("e", TIME, {"external_id": "g"})  # the second round meets the other half of all requests
        yield attributes("g", os=[{"id": 1}, {"id": 1}])
        change = {"$identifier_key": "id", "$identifier_value": 1, "$new_object": {"id": 1, "n": number}}
        yield attributes("g", os={"$update": [change]})
    for number in (200, 201):
        yield attributes("g", astral="🎊" * number)
    yield attributes("g", o={"0": "a", "1": {}}, deep={"2": {"3": {"4": {"5": {"6": {"7": {"8": 1}}}}}}})
    for key in ("é", "e\u0301"):
        yield attributes("g", **{key: {"inc": 1}})
        yield purchase(key, {"external_id": "g"}, quantity=100)
    for _ in range(3):
        yield purchase("é", {"external_id": "g"}, quantity=100)
    late = {"external_id": "late"}
    yield event("e", TIME, late | ONLY)
    yield attributes("late", e=1)
    yield event("e", TIME, late | ONLY)
    yield attributes("late", e={"inc": 1})
    yield event("e", TIME, late | ONLY)
    yield Stop({"events": [late | {"name": "e", "time": TIME}]}, "/nowhere")
    yield event("e", TIME, late)
    for spelling in ("Name ", "Name"):
        yield by({"user_alias": {"alias_name": spelling, "alias_label": "trim"}} | CREATE, n={"inc": 1})
    for mail in ("a.c@example.com", "ac@example.com", "a.c@example.org"):
        yield by({"email": mail}, n={"inc": 1})
    for number, time in enumerate(
        (
            "2022-06-15T12:00:00+14:00",
            "2022-06-15T12:00:00+05:45",
            "2000-02-29T12:00:00Z",
            "2022-06-15T12:00:00.25Z",
            "2022-06-15T12:00:00.123456Z",
        )
    ):
        yield event(f"at {number}", time, late)
    yield attributes("wide", **{f"a{n:02}": n for n in range(70)})
    yield attributes("wide", a69={"inc": 1}, heavy={f"k{n}": "x" * 250 for n in range(300)})
    yield attributes("wide", heavy={"seen": 1}, _merge_objects=True)


def syntax() -> Iterator[Stop]:
    """Bodies that are not JSON, production by production."""
    valid = b'{"attributes":[{"external_id":"j","n":1}]}'
    value = b'{"attributes":[{"external_id":"j","n":%s}]}'
    numbers = (
        b"007",
        b"+1",
        b".5",
        b"1.",
        b"1e",
        b"0x1F",
        b"1_000",
        b"NaN",
        b"Infinity",
        b"True",
        b"None",
        b"undefined",
    )
    texts = (b'"a\nb"', b'"a\x01b"', b'"\\q"', b'"\\x41"', b'"\\u41"', b'"\xff"', b"'a'")
    yield Stop(valid)
    for literal in (*numbers, *texts):
        yield Stop(value % literal)
    for change in (
        (b'"n"', b"n"),
        (b"1}", b"1,}"),
        (b"}]", b"},]"),
        (b",", b",,"),
        (b"[", b"[,"),
        (b'"j",', b'"j" '),
        (b'"n":', b'"n"='),
        (b"}]}", b"}}}"),
        (b"1}", b"1]"),
        (b"}]}", b"}"),
        (b',"n":1}]}', b',"n":"abc'),
        (b"]}", b"]}}"),
        (b"]}", b"]};"),
        (b"]}", b"]}{}"),
        (b":[", b":/* c */["),
        (b":[", b":// c\n["),
        (b":[", b":# c\n["),
    ):
        yield Stop(valid.replace(*change))


def impossible_times() -> Iterator[Stop]:
    """Times that do not exist, and numbers in place of times."""
    days = (
        "2023-02-30",
        "2023-02-29",
        "1900-02-29",
        "2023-04-31",
        "2023-01-32",
        "2023-01-00",
        "2023-13-01",
        "2023-00-10",
    )
    clocks = ("25:00:00Z", "10:60:00Z", "10:00:61Z", "10:00:00+25:00", "10:00:00+01:99")
    times = (*(f"{day}T10:00:00Z" for day in days), *(f"2023-01-02T{clock}" for clock in clocks))
    for time in (*times, 1670350000, 1670350000123, "1670350000", "now", "0000-00-00T00:00:00Z", "soon"):
        yield event("impossible", time)
        yield purchase("impossible", time=time)


def extremes() -> Iterator[Stop]:
    """Values that are valid and that many servers cannot take."""
    for number in (2**53 + 1, 2**63, 2**64 + 1, 10**30 + 1):
        yield attributes("x", n=number)
    for literal in (b"1e400", b"1e-400", b'"\\ud800"', b'"a\\u0000b"'):
        yield Stop(b'{"attributes":[{"external_id":"x","n":%s}]}' % literal)
    for depth in (20, 160, 1600):
        yield Stop(b'{"attributes":[{"external_id":"x","o":%s1%s}]}' % (b'{"a":' * depth, b"}" * depth))
    yield attributes("x", s="x" * 600_000)
    yield attributes("x", **{"": 1})
    yield attributes("x", o={f"k{n}": n for n in range(1100)})


def sizes() -> Iterator[Stop]:
    """Bodies and objects on both sides of a limit, and of limits that a server may have instead."""
    body = json.dumps({"attributes": [{"external_id": "z", "a": {"inc": 1}}]}).encode()
    yield attributes("z", a=1)
    for kilobytes in (300, 1200, 3200):
        yield Stop(body.ljust(kilobytes * 1024))
        yield attributes("z", a={"inc": 0})
    for kilobytes in (60, 95, 110, 150, 250):
        yield attributes("z", o=_kilobytes(kilobytes))
        yield attributes("z", os=[_kilobytes(kilobytes)])
    yield attributes("z", o={f"k{n}": "é" * 200 for n in range(300)})
    yield attributes("z", merged=_kilobytes(60), os=[_kilobytes(60)])
    yield attributes("z", merged=_kilobytes(60, "m"), _merge_objects=True)
    yield attributes("z", os={"$add": [_kilobytes(60)]})
    yield event("large", TIME, {"external_id": "z"}, properties=_kilobytes(70))


def _kilobytes(size: int, prefix: str = "k") -> dict[str, Any]:
    """An object of about so many KB."""
    return {f"{prefix}{n}": "x" * 240 for n in range(size * 4)}
