"""A tour through everything that the documents name, long enough that every fault of the mock shows somewhere on it.

Written from the facts, so that the catalogue of faults is held against something else than the probes it is to test.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from mock_harness import DELETE, EXPORT, SYNC, TIME, TRACK, Harness, purchase_of

from tracksync.mock import AnswerLost
from tracksync.mock.limits import BODY_BYTES
from tracksync.model.exchange import Response

OLD, NEW, FUTURE = "2001-02-03T04:05:06.789Z", "2024-02-03T04:05:06Z", "2999-01-01T00:00:00Z"
LIMIT = 30  # elements of an array on this tour


@dataclass(frozen=True)
class Stop:
    """One request of the tour; `wait` are seconds that pass before it."""

    body: Any
    path: str = SYNC
    options: dict[str, Any] = field(default_factory=dict)
    wait: float = 0.0


def attributes(user: str = "u1", /, **named: Any) -> Stop:
    return Stop({"attributes": [{"external_id": user} | named]})


def by(identifier: dict[str, Any], /, **named: Any) -> Stop:
    return Stop({"attributes": [identifier | named]})


def event(name: Any = "e", time: Any = TIME, user: dict[str, Any] | None = None, /, **members: Any) -> Stop:
    return Stop({"events": [(user or {"external_id": "u1"}) | {"name": name, "time": time} | members]})


def purchase(product: Any = "p", user: dict[str, Any] | None = None, /, **members: Any) -> Stop:
    bought = purchase_of(product)
    if user:
        bought.pop("external_id", None)
    return Stop({"purchases": [bought | (user or {}) | members]})


def export(*users: str, wait: float = 0.0) -> Stop:
    return Stop({"external_ids": list(users)}, EXPORT, wait=wait)


def each(*values: Any) -> tuple[Any, ...]:
    """Values of different types to go through."""
    return values


def strings() -> Iterator[Stop]:
    texts = (" x ", "a  b", "e\u0301", "ﬁ ²", "ABC", "a<b>&c", "a\0b", "🎉", "\u202ea\u200f", "é", "a\nb\tc", "a\\b")
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


ALIAS = {"user_alias": {"alias_name": "Name", "alias_label": "Label"}}
TURNED = {"user_alias": {"alias_name": "Label", "alias_label": "Name"}}
LOWER = {"user_alias": {"alias_name": "name", "alias_label": "label"}}
RELABELLED = {"user_alias": {"alias_name": "Name", "alias_label": "other"}}
RENAMED = {"user_alias": {"alias_name": "other", "alias_label": "Label"}}
KNOWN = {"user_alias": {"alias_name": "u1", "alias_label": "Label"}}
CREATE, ONLY = {"_update_existing_only": False}, {"_update_existing_only": True}
PHONE, MAIL = {"phone": "+15555550100"}, {"email": "A.b+tag@example.com"}


def users() -> Iterator[Stop]:
    yield attributes("u1", a=0)
    yield by(KNOWN, a=1)
    for alias in (ALIAS, TURNED, LOWER, RELABELLED, RENAMED):
        yield by(alias, a=1)
        yield event("e", TIME, alias)
        yield by(alias | CREATE, a=1, n=7)
        yield by(alias, n={"inc": 1})
        yield event("e", TIME, alias)
        yield purchase("p", alias | {"external_id": None})
        yield purchase("p", alias | {"external_id": None})
    for half in ({"alias_name": "n"}, {"alias_label": "l"}, {}, "n"):
        yield by({"user_alias": half} | CREATE, a=1)
    fresh = {"user_alias": {"alias_name": "fresh", "alias_label": "Label"}}
    yield event("e", TIME, fresh | CREATE)
    yield event("e", TIME, fresh)
    for contact in (MAIL, PHONE):
        for _ in range(3):
            yield by(contact, n={"inc": 1})
            yield event("e", TIME, contact)
        yield by(contact | ONLY, n={"inc": 1})
    yield by({"email": "a.B+tag@example.com"}, n={"inc": 1})
    yield by({"email": "A.b@example.com"}, n={"inc": 1})
    yield by({"phone": "15555550100"}, n={"inc": 1})
    for unknown in ({"email": "nobody@example.com"}, {"phone": "+15555550199"}, {"external_id": "nobody"}):
        yield by(unknown | ONLY, a=1)
        yield event("e", TIME, unknown | ONLY)
        yield purchase("p", {"external_id": None} | unknown | ONLY)
        yield by(unknown | ONLY, a=1)
    both = {"email": "both@example.com", "phone": "+15555550101"}
    for _ in range(2):
        yield by(both, n={"inc": 1})
    yield by({"email": "both@example.com"}, n={"inc": 1})
    shared = {"email": "shared@example.com", "phone": "+15555550102"}
    for user in ("s1", "s2", "s3"):
        yield attributes(user, who=user, **shared)
    yield by({"user_alias": {"alias_name": "s4", "alias_label": "l"}} | CREATE, who="s4", email="shared@example.com")
    yield attributes("s2", who="s2")
    yield by({"email": "shared@example.com"}, who={"add": ["x"]}, found=1)
    yield by({"phone": "+15555550102"}, found={"inc": 1})
    yield export("s1", "s2", "s3")
    for spelling in (
        "Spelling",
        "spelling",
        " Spelling",
        "Spelling ",
        "007",
        "7",
        "é",
        "e\u0301",
        "x" * 45 + "a",
        "x" * 45 + "b",
    ):
        yield attributes(spelling, n={"inc": 1})
        yield attributes(
            spelling, **{name: {"inc": 1} for name in ("Key", "key", " key", "k y", "k_y", "ö", "ä", "key2")}
        )
    yield attributes("Spelling", key=None)
    yield attributes("Spelling", key2={"inc": 1})
    yield by({"external_id": "new1"} | CREATE, a=1)
    yield event("e", TIME, {"external_id": "new2"})
    yield event("e", TIME, {"external_id": "new2"})
    yield purchase("p", {"external_id": "new3"})
    yield purchase("p", {"external_id": "new3"})
    yield by({"external_id": "new1"} | ONLY, a=2)
    yield by({"external_id": "new1"} | ONLY, b={"inc": 1})
    yield by({"external_id": "new1"} | ONLY, b={"inc": 1})
    for braze_id in ("0123456789abcdef01234567", "known"):
        for _ in range(3):
            yield by({"braze_id": braze_id}, n={"inc": 1})
    for number in (70_000, 70_000):
        yield by({"external_id": number}, n={"inc": 1})
    yield attributes("u1", ö="x", n=1)
    yield attributes("u1", ö="y", n={"inc": 1})
    yield attributes("u1", ö={"inc": 1}, n={"inc": 1})
    yield attributes("u1", ö="y" * 256)


def state() -> Iterator[Stop]:
    yield attributes("k1", **{f"a{n:02}": n for n in range(15)})
    yield attributes("k1", **{f"a{n:02}": {"inc": 1} for n in range(15)})
    yield attributes("k2", a01=5, shared=1)
    yield attributes("k1", shared=1, a0="x")
    yield attributes("k2", shared=None)
    yield attributes("k1", a0=None)
    yield attributes("k1", **{f"a{n:02}": {"inc": 1} for n in range(15)}, shared={"inc": 1})
    yield event("e1", TIME, {"external_id": "k1"}, properties={"a": 1})
    yield event("e2", TIME, {"external_id": "k1"})
    yield event("e1", TIME, {"external_id": "k1"})
    yield purchase("p1", {"external_id": "k1"})
    yield purchase("p2", {"external_id": "k1"})
    yield purchase("p1", {"external_id": "k1"})
    yield attributes("k1", **{f"a{n:02}": {"inc": 1} for n in range(15)}, shared={"inc": 1})
    for n in range(25):
        yield attributes(f"many{n}", n=n)
    yield attributes("k1", **{f"a{n:02}": {"inc": 1} for n in range(15)})
    yield Stop({"attributes": [{"external_id": "k1", "a01": {"inc": 1}}]}, wait=70)
    yield export("k1", "k2", "nobody", wait=1)
    for number in range(1, 4):
        yield attributes("k2", when=(TIME, "2022-01-02T03:04:05", FUTURE)[number - 1])
    yield attributes("k2", when="2022-01-02", far="3001-02-03T00:00:00Z", edge="3000-02-03T00:00:00Z")


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
        yield by({"email": "no address"}, a=1)
        yield attributes("r", email="no address")
        yield Stop({"attributes": one})
        yield Stop({"attributes": [one], "events": []})
        yield Stop({"attributes": [], "events": [other]})
    for key in (None, "Bearer wrong", 'Bearer "mock-key"', "Basic mock-key", "Bearer mock-key-without-permission"):
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


def wavering() -> Iterator[Stop]:
    for _ in range(2):
        yield attributes("w", l=list(range(LIMIT + 1)), s="x", d=TIME, e=["v"], o=[{"id": 1, "v": 1}], b=["x", "y"])
        yield attributes("w", s="x" * 256)
        yield attributes("w", s=None)
        yield attributes("w", fresh={"inc": 1})
        yield attributes("w", fresh=None)
        yield attributes("w", e={"remove": ["v"]})
        change = {"$identifier_key": "id", "$identifier_value": 1, "$new_object": {"id": 1}}
        yield attributes("w", o={"$update": [change]})
        yield attributes("w", b={"add": ["x"], "remove": ["x"]})
        yield by({"braze_id": "0" * 24}, a=1)
        yield purchase("p", {"external_id": "w"}, quantity=0)
        yield event("e", TIME, {"external_id": "nobody"} | ONLY)
    for name in ("w1", "w2"):
        yield event("e", TIME, {"user_alias": {"alias_name": name, "alias_label": "l"}} | CREATE)


def plumbing() -> Iterator[Stop]:
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
    for mail in ("a.c@example.com", "ac@example.com"):
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


def neighbours() -> Iterator[Stop]:
    batch = [{"external_id": "t", "l": {"add": [n]}, "n": {"inc": 1}} for n in range(75)]
    yield Stop({"attributes": batch}, TRACK)
    yield export("t", wait=1)
    yield Stop({"events": [{"external_id": "t", "name": "e", "time": TIME}]}, TRACK)
    yield Stop(
        {"events": [{"external_id": "t", "name": "e", "time": TIME}], "attributes": [{"external_id": "u9", "a": 1}]},
        TRACK,
    )
    yield export("t", "u9", wait=1)
    yield attributes("t", a=1, b=2)
    yield export("t")
    yield purchase("p", {"external_id": "t"})
    yield export("t")
    yield Stop({"external_ids": ["t", "nobody"]}, DELETE)
    yield export("t", wait=1)
    yield Stop({"external_ids": ["u9"]}, DELETE)


def crossings() -> Iterator[Stop]:
    """Every kind of identifier in every section and under every flag; texts that differ at their end only."""

    def alias(label: str, alias_name: str) -> dict[str, Any]:
        return {"user_alias": {"alias_name": alias_name, "alias_label": label}}

    long = "n" * 140
    for label, name in ((f"{long}1", "a"), ("c", "ab"), ("club", f"{long}1")):
        yield by(alias(label, name), n=1, _update_existing_only=False)
    others = ((f"{long}2", "a"), (f"{long}1".upper(), "a"), (f" {long}1 ", "a"), ("ca", "b"), ("bc", "a"))
    for label, name in (*others, ("club", f"{long}2")):
        yield event("e", TIME, alias(label, name))
    for end in "12":
        user = {"external_id": f"{long}{end}"}
        yield event(f"{long}1", TIME, user)
    yield event(f"{long}2", TIME, user)
    yield purchase(f"{long}1", user)
    yield purchase(f"{long}2", user)
    yield by(user, **{f"{long}1": 1, f"{long}2": 2})
    yield by(user, **{f"{long}1": {"inc": 1}})
    makers = (partial(by, n=1), partial(event, "e", TIME), partial(purchase, "p"))
    numbers_of = iter(range(100, 200))
    for kind in ("email", "phone", "user_alias"):
        for make in makers:
            number = next(numbers_of)
            value = {"email": f"e{number}@example.com", "phone": f"+12025550{number}"}.get(kind)
            user = {kind: value} if value else alias("crossing", str(number))
            yield make(user, _update_existing_only=True)
            yield make(user)
            yield make(user, _update_existing_only=False)
            yield by(user, n={"inc": 2}, s=None)
            yield by(user, s="x")
            yield by(user, s=None)
            for time in (NEW, OLD, TIME):
                yield event("e", time, user)
                yield purchase("p", user, time=time)
    yield event("e", TIME, {"braze_id": "unknown"})
    ada = {"external_id": "ada"}
    email, phone = {"email": "ada@example.com"}, {"phone": "+12025550201"}
    yield by(ada, n=1, s="x", p=5, **email, **phone)
    yield event("e", TIME, ada)
    for contact in (email, phone):
        yield by(contact, n={"inc": 1}, s=None)
        yield purchase("p", contact)
        yield event("e", OLD, contact)
    yield by(ada, p={"inc": 1}, first_name=None)
    yield by(ada, n={"inc": 1})
    for moved in ({"phone": "+12025550202"}, {"email": "moved@example.com"}):
        yield by(ada, n={"inc": 1}, **moved)
        yield by(moved, n={"inc": 1})
        yield event("e", OLD, ada)
    yield by(ada, o={"a": 1}, tags=["a", "b", "c"], items=[{"id": n, "n": 1} for n in (1, 2, 3)])
    yield by(ada, o={"b": 1}, _merge_objects=False)
    yield by(ada, tags=["d", "e"], n={"inc": 1}, _merge_objects=True)
    yield by(ada, tags={"add": ["d", "e"]}, n={"inc": 1}, _update_existing_only=False)
    selected = [{"$identifier_key": "id", "$identifier_value": n} for n in (1, 3)]
    yield by(ada, items={"$update": [one | {"$new_object": {"id": 9, "n": 7}} for one in selected]})
    yield by(ada, items=[{"id": n, "n": 1} for n in (1, 2, 3)])
    yield by(ada, items={"$remove": selected})
    yield by(ada, noon="2023-07-01T12:00:00", early="1850-01-01T12:00:00Z", late="2050-01-01T12:00:00Z")
    yield by(ada, when={"at": {"$time": "2020-01-02T03:04:05Z"}})
    yield event("early", "1850-01-01T12:00:00Z", ada)
    yield purchase("early", ada, time="1960-01-01T12:00:00Z", price=12345.678, currency="XPF")
    yield purchase("early", ada, price=None)
    yield purchase("early", ada, time=None)
    for path, key in (
        (SYNC, "Bearer wrong"),
        (SYNC, "Bearer mock-key-without-permission"),
        (f"{SYNC}/x", "Bearer mock-key"),
    ):
        body = {"attributes": [{"external_id": f"{path} {key}", "n": 1}]}
        yield Stop(body, path, {"key": key})
        yield by({"external_id": f"{path} {key}"}, n=1, _update_existing_only=True)
    yield event("first", TIME, {"external_id": "eve"})
    yield by({"external_id": "eve"}, n=1)
    yield by({"external_id": "eve"}, n={"inc": 1}, gone=None)
    yield event("first", TIME, {"external_id": "eve"})
    yield by({"external_id": "eve"}, m=None)
    yield event("second", TIME, {"external_id": "eve"})
    yield event("first", TIME, {"external_id": "eve"})


ROOMS = (
    strings,
    numbers,
    arrays,
    objects,
    events,
    purchases,
    users,
    state,
    refused,
    wavering,
    plumbing,
    neighbours,
    crossings,
)


def walk(**config: Any) -> Iterator[tuple[Any, ...]]:
    """Every answer of the tour: status, headers, body, or how it was lost. Ends with an exhausted window."""
    for room in ROOMS:
        harness = Harness(array_limit=LIMIT, **config)
        for stop in room():
            harness.now += stop.wait
            yield _answer(harness, _known(harness, stop))
            harness.now += 0.001
    harness = Harness(rate_limit=12, **config)
    harness.now += 20
    for wait in (0.0, 0.0, 20.0, 0.0, 20.0, 61.0):
        harness.now += wait
        for n in range(4):
            yield _answer(harness, event("e") if n % 2 else attributes(a=n))


def _known(harness: Harness, stop: Stop) -> Stop:
    """Put the braze_id that the mock assigned in the place where the tour says known."""
    if isinstance(stop.body, dict) and isinstance(stop.body.get("attributes"), list) and stop.body["attributes"]:
        first = stop.body["attributes"][0]
        if isinstance(first, dict) and first.get("braze_id") == "known":
            profile = next(iter(harness.app.store), None)
            return Stop({"attributes": [first | {"braze_id": profile.braze_id if profile else "none"}]})
    return stop


def _answer(harness: Harness, stop: Stop) -> tuple[Any, ...]:
    try:
        response: Response = harness.send(stop.body, stop.path, **stop.options)
    except AnswerLost as lost:
        return ("lost", lost.kind)
    return (response.status, response.headers, response.body)
