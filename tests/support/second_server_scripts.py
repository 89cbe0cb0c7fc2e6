"""Lawful sequences of requests for the second server, and a client that sends them in process."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from typing import Any

from second_server import create

SYNC, EXPORT, DELETE, TRACK = "/users/track/sync", "/users/export/ids", "/users/delete", "/users/track"
KEY, WEAK = "a-key-for-tests", "a-weak-key-for-tests"
START = 1_790_000_017.25  # seventeen seconds into a minute, and not on a second
X, Y = {"external_id": "Person-of-the-tests-1"}, {"external_id": "Person-of-the-tests-2"}
MAIL, MAIL2 = {"email": "One@mail.example.com"}, {"email": "two@mail.example.com"}
TEL, TEL2 = {"phone": "+12025550101"}, {"phone": "+12025550102"}
ALIAS = {"user_alias": {"alias_name": "n1", "alias_label": "l1"}}
MAKE = {"_update_existing_only": False}
ONLY = {"_update_existing_only": True}
EVERY = [X, MAIL, TEL, {**ALIAS, **MAKE}]
NOON = "2022-12-06T12:00:00Z"


def a(who: dict[str, Any], /, **custom: Any) -> dict[str, Any]:
    return {"attributes": [{**who, **custom}]}


def e(who: dict[str, Any], name: Any = "Rented a movie", at: Any = NOON, /, **more: Any) -> dict[str, Any]:
    return {"events": [{**who, "name": name, "time": at, **more}]}


def p(who: dict[str, Any], product: Any = "Completed Order 1", at: Any = NOON, /, **more: Any) -> dict[str, Any]:
    one = {**who, "product_id": product, "currency": "USD", "price": 219.98, "time": at, **more}
    return {"purchases": [{name: value for name, value in one.items() if value != "absent"}]}


def without(body: dict[str, Any], field: str) -> dict[str, Any]:
    return {section: [{k: v for k, v in item.items() if k != field} for item in body[section]] for section in body}


class Client:
    """Calls an application in process, with a clock of its own."""

    def __init__(self, **config: Any):
        self.now = START
        config = {"rate_limit": 40, "array_limit": 5} | config
        self.app = create(KEY, WEAK, clock=lambda: self.now, **config)
        self.log: list[Any] = []

    def send(self, body: Any, path: str = SYNC, method: str = "POST", after: float = 0.0, **headers: str | None) -> Any:
        self.now += after
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        sent: dict[str, str | None] = {"authorization": f"Bearer {KEY}", "content-type": "application/json"}
        sent |= {name.replace("_", "-"): value for name, value in headers.items()}
        environ: dict[str, Any] = {"REQUEST_METHOD": method, "PATH_INFO": path, "CONTENT_LENGTH": str(len(data))}
        environ["CONTENT_TYPE"] = sent.pop("content-type")
        environ["wsgi.input"] = io.BytesIO(data)
        environ |= {"HTTP_" + k.upper().replace("-", "_"): v for k, v in sent.items() if v is not None}
        started: list[Any] = []
        raw = b"".join(self.app(environ, lambda *start: started.extend(start)))
        status, window = int(started[0][:3]), dict(started[1])
        try:
            response = json.loads(raw)
        except ValueError:
            response = None
        self.log.append((status, window, raw))
        return status, response

    def ok(self, body: Any, **how: Any) -> dict[str, Any]:
        status, response = self.send(body, **how)
        assert status == 201, response
        return response["users"][0]


LONG = "x" * 255
THREE = [{"id": n, "sub": {"a": n, "b": n}} for n in (1, 2, 3)]


def scripts() -> Iterator[list[Any]]:
    """Each script is a list of bodies, or of pairs of a body and how to send it."""
    # statuses, keys, windows
    yield [
        (a(X, n=1), {}),
        (e(X), {}),
        (p(X), {}),
        (e({}, "n"), {}),
        (p({}), {}),
        (a({}, n=1), {}),
        (b'{"attributes":', {}),
    ]
    keys = ["wrong", "", f'"{KEY}"', KEY.upper(), KEY[:-1], KEY + "x", WEAK]
    for key in keys:
        refused = {"authorization": f"Bearer {key}"}
        yield [a(X, n=1), a(Y, n=1), *[(a(X, n={"inc": 1}), refused)] * 2, a(X, n={"inc": 1}), a(Y, n={"inc": 1})]
        yield [(e(X), refused), e(X), (p(X), refused), p(X)]
    yield [(a(X, n=1), {"authorization": None}), a(X, n=1)]
    yield [(a(X), {"path": "/users/nowhere"}), (b"", {"method": "GET"}), (a(X), {"content_type": "text/plain"})]
    yield [*[a(X, n={"inc": 1})] * 42, (a(X, n={"inc": 1}), {"after": 60})]
    yield [*[e(X)] * 21, *[p(X)] * 21, (e(X), {"after": 60})]
    yield [(a(X, n=1), {"after": 12.0})] * 9
    yield [(a(X), {"path": "/users/nowhere"}), (b" " * (4 * 1024 * 1024 + 1), {})]
    # what is valid
    yield [
        {},
        {"attributes": []},
        [],
        [a(X)["attributes"][0]],
        a(X),
        {"attributes": X, "events": []},
        {"attributes": X},
    ]
    yield [{"attributes": [X], "events": None}, {**a(X), "partner": "p"}, {**a(X), "unheard_of": 1}]
    yield [b'{"attributes": [{"external_id": "q"}]', b"nonsense", b'{"attributes": [{"external_id": "q", "n": NaN}]}']
    yield [{"attributes": [{**X, "n": {"inc": 1}}, {**Y, "n": {"inc": 1}}]}, a(X, n={"inc": 1}), a(Y, n={"inc": 1})]
    yield [{**a(X, n={"inc": 1}), **e(X)}, a(X, n={"inc": 1}), e(X)]
    yield [{**p(X), **e(X)}, p(X), e(X)]
    for part in ("alias_name", "alias_label"):
        yield [a({"user_alias": {part: "one"}, **MAKE}, n=1)]
    yield [a({"user_alias": "text", **MAKE}, n=1), a({"external_id": 7}, n=1), e({"external_id": 7}), p(X, 5)]
    for field in ("name", "time", "product_id", "currency", "price"):
        yield [e(X), without(e(X), field), e(X)]
        yield [p(X), without(p(X), field), p(X)]
    yield [e(X, 5), e(X, "n", "no time"), e(X, "n", 1670328000), e(X, "n", "2022-13-45"), e(X, "n")]
    yield [p(X, "p", "no time"), p(X, "p", 1670328000), p(X, "p")]
    for currency in ("JPY", "USX", "usd", "dollars"):
        yield [p(X, currency=currency), p(X)]
    for price in (-5.5, 7, 0, "7"):
        yield [p(X, price=price)]
    for size in (255, 256):
        yield [p(X, "p" * size)]
    for quantity in (2, 11, 100, 101, 0, -1, 2.5, "2", 2.0):
        yield [p(X, "p", quantity=quantity), p(X, "p", quantity=quantity), p(X, "p")]
    for at in (
        "2020-02-03",
        "02/03/2020",
        "2020-02-03T04:05:06",
        "1990-02-03T04:05:06.789+05:30",
        "2020-02-03 04:05:06",
    ):
        yield [e(X, "n", at), p(X, "n", at)]
    yield [
        e(X, "n", "2020-02-03T04:05:06:789Z"),
        e(X, "n", "2020-02-03T04:05:06.7896Z"),
        e(X, "n", "2020-02-03T04:05:06.000Z"),
    ]
    yield [e(X, "n", "2090-01-01"), p(X, "n", "2090-01-01")]
    for name in ("time", "event_name", "$sum", ""):
        yield [e(X, properties={name: 1}), e(X), p(X, properties={name: 1}), p(X)]
    yield [e(X, properties=[1]), e(X, properties={"l": [{"a": 1}], "o": {"b": 2}}), e(X, properties={"s": LONG + "y"})]
    yield [e(X, properties={f"k{n}": n for n in range(300)}), e(X, properties={f"k{n}": "z" * 250 for n in range(300)})]
    yield [e(X, properties={f"k{n}": "z" * 250 for n in range(420)}), e(X, app_id="one"), e(X, app_id="two")]
    yield [a(X, **{"größe": 1, "Big Name": 2}), a(X, country="DE", gender="Q"), a(X, push_token_import=True)]
    # who is meant
    for who in EVERY:
        yield [a(who, n=1), a(who, n={"inc": 2}), a(who, n={"inc": 3}), a(who, m=1), a(who, n={"inc": 1})]
        yield [e(who), e(who), e(who, "other"), e(who, "Rented a movie", "2020-01-01"), e(who), a(who, n=1), e(who)]
        yield [p(who), p(who), p(who, "other"), p(who, "Completed Order 1", "2020-01-01"), p(who), a(who, n=1), p(who)]
        yield [
            a({**who, **ONLY}, n=1),
            a({**who, **ONLY}, n=2),
            a(who, n=1),
            a({**who, **ONLY}, n={"inc": 2}),
            a(who, n={"inc": 1}),
        ]
        yield [e({**who, **ONLY}), e({**who, **ONLY}), e(who), e({**who, **ONLY}), e(who)]
        yield [p({**who, **ONLY}), p({**who, **ONLY}), p(who), p({**who, **ONLY}), p(who)]
        yield [a({**who, **MAKE}, n=1), a({**who, **MAKE}, n={"inc": 1}), a({**who, **MAKE}, n={"inc": 1})]
        yield [a(who, o={"a": {"b": 1}}), a(who, o={"a": {"c": 1}}, _merge_objects=True), a(who, n=1)]
    yield [e({**ALIAS, **MAKE}), e(ALIAS), e({**ALIAS, **ONLY}), e(ALIAS)]
    yield [a(ALIAS, n=1), e(ALIAS), p(ALIAS), a({**ALIAS, **MAKE}, n=1), e(ALIAS), a(ALIAS, n={"inc": 1})]
    others = [("n2", "l1"), ("n1", "l2"), ("l1", "n1")]
    yield [
        a({"user_alias": {"alias_name": n, "alias_label": label}, **MAKE}, n={"inc": 1})
        for n, label in [("n1", "l1"), *others]
    ]
    yield [body for n in range(24) for body in [a({"external_id": f"id{n}"}, n={"inc": 1})]]
    yield [make(who) for who in (MAIL, MAIL2, TEL, TEL2, X, Y) for make in (lambda w: a(w, n={"inc": 1}), e, p)]
    for kind, value in (("email", "shared@mail.example.com"), ("phone", "+12025550133")):
        who = {kind: value}
        yield [
            a(who, n=100),
            a(X, n=200, **who),
            a(Y, n=300, **who),
            a(who, n={"inc": 1}),
            a(X, n={"inc": 1}),
            a(who, n={"inc": 1}),
        ]
        yield [a(X, n=200, **who), a(Y, n=300, **who), a(X, n={"inc": 1}), a(who, n={"inc": 1})]
        yield [a(X, n=200, **who), a(Y, n=300, **who), e(X), a(who, n={"inc": 1})]
        yield [a(X, n=200, **who), a({**who, **ONLY}, n={"inc": 1}), e({**who, **ONLY})]
        changed = {kind: value.replace("3", "4").replace("shared", "new")}
        yield [
            a(X, n=200, **who),
            a(X, m=1, **changed),
            a({**who, **ONLY}, n={"inc": 1}),
            a({**changed, **ONLY}, n={"inc": 1}),
        ]
        yield [a(X, n=200, **who), a(X, **{kind: None}), a({**who, **ONLY}, n={"inc": 1})]
    yield [a({**MAIL, **TEL}, n=1), a(MAIL, n={"inc": 1})]
    yield [a({**X, **ALIAS, **MAKE}, n=1), a(X, n={"inc": 1})]
    yield [a({**ALIAS, **MAKE, "braze_id": "none"}, n=1), a({"external_id": "q", "braze_id": "none"}, n=1)]
    yield [a({"braze_id": "none"}, n=1), a({"braze_id": "none"}, n={"inc": 1})]
    # what the response shows and what is kept
    yield [
        a(X, n=1, s="t", f=False, e="", l=[]),
        a(X, n=2),
        a(X, first_name="F", _merge_objects=False, z=1),
        a(X, first_name="F"),
    ]
    yield [
        a(X, n=1),
        e(X, properties={"n": 2}),
        p(X),
        {"attributes": [{}]},
        a(X, n={"inc": 1}),
        a(X, n={"inc": 1}),
        e(X),
        p(X),
    ]
    yield [a(X, n=1), e(X), {"attributes": [{}]}, e(X), a(X, n=7), a(X, n={"inc": 1}), p(X), {}, p(X), p(X)]
    yield [a(X, **{f"k{n}": n for n in range(10)}), a(X, k10=1)]
    yield [
        a(X, k1=1, s="keep", k3=1),
        a(X, k1={"inc": 1}, s=LONG + "x", k3={"inc": 1}),
        a(X, s=None, k3=None),
        a(X, k1={"inc": 1}),
    ]
    yield [
        a(X, s="keep"),
        a(X, s=LONG + "x", t=LONG + "x"),
        a(X, s=LONG),
        a(X, s="é" * 255),
        a(X, s="\U0001f600" * 130),
    ]
    for value in (1, "s", True, [1], {"o": 1}):
        yield [a(X, v=value, w=3), a(X, v=None), a(X, v={"add": ["x"]}), a(X, w={"inc": 1}), a(X, v={"inc": 1})]
    for value in (False, "", 0, []):
        yield [a(X, v=1), a(X, v=value), a(X, v="x"), a(X, v=value)]
    yield [a(X, v=1), a(X, v=2), a(X, v=None), a(X, v={"inc": 5})]
    yield [a(X, a=2**53 + 1, b=2**31 + 5, c=-4, d=1.123456789, e=True, f=2.0)]
    yield [a(X, a="  in  ner ", b="ÄöE\u0301", c="\U0001f600", d="<a&b>", e="l\nm", f="42", g="true", h="null")]
    yield [a(X, a="2020-02-03T04:05:06+02:00", b="02/03/2020", c="3500-01-01", d="9999-12-31"), a(X, a="2020-02-03")]
    # arrays
    yield [a(X, v=["b", "a", "b", 1, True]), a(X, v=["c"]), a(X, v=[]), a(X, v=[LONG + "x", "y"])]
    yield [
        a(X, v=["b", "a"]),
        a(X, v={"add": ["c", "b", "d"]}),
        a(X, v={"remove": ["c", "a"]}),
        a(X, v={"add": ["z"], "remove": ["b"]}),
    ]
    yield [
        a(X, v=["b", "a"]),
        a(X, v={"add": ["z"], "remove": ["z", "a"]}),
        a(X, w={"remove": ["q"]}),
        a(X, n=1),
        a(X, n={"add": [1]}),
    ]
    yield [
        a(X, v=list("abcde")),
        a(X, v=list("fghijk")),
        a(X, v=list("fghijkl")),
        a(X, v={"add": ["m", "n"]}),
        a(X, v={"remove": ["m"]}),
    ]
    yield [a(X, v=[f"e{n}" for n in range(120)]), a(X, v=[f"e{n}" for n in range(60)])]
    # inc
    for step in (3, -3, -50, 2**31, "x", 1.5):
        yield [a(X, n=10, f=1.5), a(X, n={"inc": step}, f={"inc": 1}), a(X, n={"inc": 1}), a(X, new={"inc": step})]
    # objects
    deep = {"k": 1, "l": {"m": 1, "n": {"o": 1, "p": {"q": [1]}}}}
    yield [
        a(X, o=deep),
        a(X, o={"l": {"n": {"o": 2}}, "x": [1, 2]}, _merge_objects=True),
        a(X, o={"k": 5}, _merge_objects=True),
        a(X, o={"z": 1}),
    ]
    yield [
        a(X, o=deep),
        a(X, o={"l": {"n": {"p": {"r": 1}}}}, _merge_objects=True),
        a(X, o={"l": {"x": 1}}, _merge_objects=True),
    ]
    bad: list[Any] = [
        {"a": None},
        {"k": None},
        {"t": {"$time": "nonsense"}},
        {"t": {"$time": "3500-01-01"}},
        {"s": LONG + "x"},
    ]
    bad += [{LONG + "k": 1}, {"$x": 1}, {"x.y": 1}, {"x y": 1}, {"good": 1, "l": {"a": None}}]
    for value in bad:
        yield [
            a(X, o={"k": 1}),
            a(X, o=value),
            a(X, o=value, _merge_objects=True),
            a(X, o={"n": 1}, _merge_objects=True),
        ]
    for size in (399, 402, 420):
        yield [a(X, o={"k": 1}), a(X, o={f"k{n:03}": "z" * 245 for n in range(size)})]
    yield [a(X, o={"t": {"$time": "1980-01-01"}, "u": {"$time": "2020-02-03T04:05:06+02:00"}})]
    # no page says what becomes of these
    yield [
        a(X, v=[{"id": 1}]),
        a(X, v={"$add": [{"id": 2}], "$remove": [{"$identifier_key": "id", "$identifier_value": 2}]}),
    ]
    yield [a(X, email="one@mail.example"), e(X, email="two@mail.example"), e({"email": "two@mail.example"})]
    # arrays of objects
    update = {"$update": [{"$identifier_key": "id", "$identifier_value": 2, "$new_object": {"id": 2, "sub": {"b": 9}}}]}
    unmatched = {"$update": [{"$identifier_key": "id", "$identifier_value": 9, "$new_object": {"id": 9}}]}
    remove = {"$remove": [{"$identifier_key": "id", "$identifier_value": 2}]}
    yield [a(X, v=THREE), a(X, v={"$add": [{"id": 4}, {"id": 5}]}), a(X, v=update), a(X, v=unmatched), a(X, v=remove)]
    yield [
        a(X, v=THREE),
        a(X, v=update, _merge_objects=True),
        a(X, v={"$add": [{"id": 2}]}),
        a(X, v=update),
        a(X, v=remove),
    ]
    yield [a(X, v=THREE * 2), a(X, v={"$add": THREE}), a(X, w={"$add": [{"id": 1}]}), a(X, v={"$add": "x"})]
    # events and purchases
    for make, name in ((e, "Name With Capitals and a long tail"), (p, "Product With Capitals and a tail")):
        times = ["2022-06-01T10:00:00.123Z", "2022-06-01T10:00:00.123Z", "2022-06-01T10:00:00.456Z"]
        times += ["2021-06-01T10:00:00Z", "2021-07-01T10:00:00Z", "2023-06-01T10:00:00Z"]
        yield [make(X, name, at) for at in times]
        yield [make(ALIAS | MAKE, name, at) for at in times]
        yield [make(X, name, at) for at in reversed(times)]
        yield [make(X, name, NOON, properties={"a": 1})] * 5
    yield [p(X, currency="USD"), p(X, currency="EUR"), p(X, app_id="one"), p(X, app_id="two")]
    who = {**ALIAS, **MAKE}
    for field, value in (("email", "an@mail.example.com"), ("phone", "+12025550155")):
        yield [a(who, n=1, **{field: value}), a({field: value, **ONLY}, n={"inc": 1})]
    # the neighbours
    ids = {"external_ids": [X["external_id"], "unknown"]}
    yield [
        a(X, n=1, when="2020-02-03"),
        (ids, {"path": EXPORT}),
        (ids, {"path": DELETE}),
        (a(X | ONLY, n=2), {"after": 0.3}),
    ]
    yield [(a(X, n=1), {"path": TRACK}), (a(X, n={"inc": 1}), {"after": 0.3}), (a(X, n={"inc": 1}), {"after": 2.0})]


SCRIPTS = sorted(scripts(), key=lambda script: len(repr(script)))
