"""Parts of the tour: values of every type, events and purchases."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from mock_harness import TIME
from mock_tour_stops import FUTURE, LIMIT, NEW, OLD, Stop, attributes, each, event, export, purchase


def strings() -> Iterator[Stop]:
    texts = (" x  y ", "e\u0301", "ﬁ ² Ａ１", "ABC", "a<b>&c", "a\0b", "🎉", "\u202ea\u200f", "é", "a\nb\tc", "a\\b")
    yield attributes(**{f"s{n}": text for n, text in enumerate((*texts, "42", "true", "false", "null", "x" * 255, ""))})
    yield attributes(e="x")
    yield attributes(e="")
    yield attributes(e="é" * 255, f="x" * 255)
    yield attributes(e="y" * 256, before=1)
    yield attributes(before=2, e="🎉" * 1000, after=3)
    yield attributes(e="short", after="known")
    yield attributes(e=None)
    yield attributes(e=None, after=None)
    yield export("u1")


def numbers() -> Iterator[Stop]:
    yield attributes("n", t=True, f=False, i=25, z=0, m=-7, one=1, big=2**53 + 1, wide=2**31, top=2**63 - 1)
    yield attributes("n", a=219.98, b=0.123456789, c=1e-7, d=-1.5)
    yield attributes("n", t=False, f=False, i=24, z=5)
    yield attributes("n", t=False, z=0, f=True)
    for amount in (5, 1, -3, -100, 2**40):
        yield attributes("n", i={"inc": amount})
    yield attributes("n", big={"inc": 2})
    yield attributes("n", big={"inc": 1})
    yield export("n")


def arrays() -> Iterator[Stop]:
    yield attributes(
        "a", l=["b", "a", "C"], m=["x", "X", 1, "1", True], r=[1, 2, 1], one=["only"], none=[], gap=["", "v"]
    )
    yield attributes("a", l=["d"], none=["x"])
    yield attributes("a", none=[])
    for edit in (
        {"add": ["e", "f"]},
        {"add": ["g"]},
        {"add": ["d"]},
        {"add": ["e", "h"]},
        {"remove": ["e", "g"]},
        {"remove": ["nowhere"]},
        {"remove": ["D"]},
        {"add": ["i"], "remove": ["f"]},
        {"add": ["i"], "remove": ["i"]},
    ):
        yield attributes("a", l=edit)
    yield attributes("a", l={"add": ["last"]})
    yield attributes("a", full=list(range(LIMIT)), over=list(range(LIMIT + 1)))
    yield attributes("a", full=list(range(LIMIT + 20)))
    yield attributes("a", full={"add": ["one more"]})
    yield attributes("a", one={"remove": ["only"]})
    yield attributes("a", gap={"remove": ["", "v"]})
    yield export("a")


def objects() -> Iterator[Stop]:
    deep = {"A": {"b": {"c": {"d": 1}}, "n": 2, "list": [1], "k": False, "e": ""}, "z": 0, "s": "x", "w": [9]}
    yield attributes("o", o=deep, p={"when": {"$time": "2022-12-06T19:20:45+01:00"}}, q={"k" * 255: 1})
    yield attributes("o", o={"A": {"b": {"c": {"x": 1}}, "list": [2]}, "w": [8], "new": 1}, _merge_objects=True)
    yield attributes("o", o={"A": {"n": 3}})
    long = {"when": {"$time": "soon"}, "x": 1}
    for wrong in each({"x": None, "y": 1}, long, {"k" * 256: 1}, {"x": "v" * 256}, {"a.b": 1}, {"$x": 1}, _large()):
        yield attributes("o", o=wrong)
    yield attributes("o", o={"last": 1})
    items = [{"id": 2, "v": "b"}, {"id": 1, "v": "a"}, {"id": 1, "v": "aa"}, {"id": "1", "v": "c"}, {"id": 3}]
    yield attributes("o", os=items, many=[{"id": n} for n in range(60)])
    yield attributes("o", os={"$add": [{"id": 4}, {"id": 5}]})
    change = {"$identifier_key": "id", "$identifier_value": 2, "$new_object": {"w": 1}}
    yield attributes("o", os={"$update": [change]}, _merge_objects=True)
    change = {"$identifier_key": "id", "$identifier_value": 4, "$new_object": {"id": 4, "w": 1}}
    for _ in range(2):
        yield attributes("o", os={"$update": [change]})
    for _ in range(2):
        change = {"$identifier_key": "id", "$identifier_value": 3, "$new_object": {"y": 1}}
        yield attributes("o", os={"$update": [change]})
        yield attributes("o", os=items)
    yield attributes("o", os={"$remove": [{"$identifier_key": "id", "$identifier_value": 1}]})
    for gender in each("O", None):
        yield attributes("o", gender=gender)
    yield attributes("o", dob="1980-01-01", current_location={"longitude": 1.5, "latitude": 2.5}, c=1)
    yield attributes("o", email_subscribe="opted_in", first_name="A")
    yield attributes("o", subscription_groups=[{"subscription_group_id": "g", "subscription_state": "subscribed"}])


def _large() -> dict[str, Any]:
    return {f"k{n}": "x" * 250 for n in range(450)}


def events() -> Iterator[Stop]:
    one = {"external_id": "e"}
    for time in (
        NEW,
        OLD,
        TIME,
        TIME,
        "2022-06-01T00:00:00",
        "2000-01-01T00:00:00+05:30",
        "2024-06-01T00:00:00.123-03:00",
    ):
        yield event("e", time, one)
    yield event("no zone", "2022-06-01T00:00:00", one)
    yield event("e", FUTURE, one)
    yield event("e2", FUTURE, one)
    yield event("e2", FUTURE, one)
    yield event("e3", "2025-12-01T00:00:00Z", one)
    yield event("e4", "1960-01-01T00:00:00Z", one)
    yield event("e4", "1959-01-01T00:00:00Z", one)
    yield event("e5", "2022-01-02T03:04:05.678Z", {"external_id": "other"})
    yield event("e", "2022-01-02T03:04:05.678Z", {"external_id": "other"})
    names = (
        "Name",
        "name",
        " name",
        "name ",
        "é",
        "ä",
        "é",
        "e\u0301",
        "x" * 200,
        "a name of one and twenty",
        "a name of one and twenty!",
    )
    for name in (*names, "name"):
        yield event(name, TIME, one)
    lists = {"t": ["a"], "o": {"a": {"b": 1}}, "b": True, "f": 1.5, "Time": 1, "ü": "ß", "n" * 255: 1, "s": "x" * 255}
    yield event("p", TIME, one, properties=lists, app_id="app")
    for name in lists:
        yield event("p", TIME, one, properties={name: lists[name]})
    for _ in range(2):
        yield event("p", TIME, one, properties={f"p{n}": n for n in range(300)})
    for reserved in ("time", "event_name"):
        yield event("p", TIME, one, properties={reserved: 1})
    yield export("e", "other")


def purchases() -> Iterator[Stop]:
    one = {"external_id": "p"}
    for time in (NEW, OLD, "2022-01-02T03:04:05.678Z", FUTURE, TIME, TIME):
        yield purchase("p", one, time=time)
    yield purchase("p2", one, quantity=100)
    for quantity in each(100, 1, 2, 16.0, 101, 1000, 1.5, [], "2", 0):
        yield purchase("p2", one, quantity=quantity)
    yield purchase("Product-A b", one)
    for product in each("product-a b", "Product-A b ", "ProductA b", "x" * 255, "x" * 256, "é" * 255, 70_000, {}):
        yield purchase(product, one)
    for price in each(-5, 0, 3, "much", {}, True, None):
        yield purchase("p", one, price=price)
    for currency in each("JPY", "XYZ", "usd dollars", None, 7):
        yield purchase("p", one, currency=currency)
    for time in each("soon", None, {}):
        yield purchase("p", one, time=time)
    yield purchase("p", one, properties={"a": [1], "b": {"c": True}})
    yield purchase(None, one)
    yield purchase("p", {"external_id": "p3"}, app_id="app")
    yield event("e", TIME, one)
    yield purchase("p", one)
    yield event("e", TIME, one)
    yield export("p")
