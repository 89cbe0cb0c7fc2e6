"""Requests that are odd in one way each, and what the oracle reads in them.

The golden files `requests-*` are written from these: the class of each request, and what it writes.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any, Final

from tracksync.contract.bounds import bounds
from tracksync.model.exchange import Credential, Exchange, Request
from tracksync.oracle.request import ParsedRequest, read_request

BODY_BYTES, OBJECT_BYTES = bounds().body_bytes.most, bounds().object_bytes.most
SYNC, TRACK, DELETE, EXPORT = "/users/track/sync", "/users/track", "/users/delete", "/users/export/ids"
TIME: Final = "2024-01-01T12:00:00Z"
LONG: Final = "x" * 256
ASTRAL: Final = "\U0001f600" * 128  # 128 code points, 256 units of UTF-16
EVENT: Final = {"external_id": "u", "name": "seen", "time": TIME}
PURCHASE: Final = {"external_id": "u", "product_id": "sku", "currency": "EUR", "price": 9.99, "time": TIME}
ALIAS: Final = {"alias_name": "a", "alias_label": "l"}


@dataclass(frozen=True)
class Odd:
    """One request. `body` is text, bytes, or a value to be written as JSON."""

    label: str
    body: Any
    path: str = SYNC
    method: str = "POST"
    credential: Credential = Credential.VALID
    headers: tuple[tuple[str, str], ...] = (("content-type", "application/json"),)

    def parsed(self) -> ParsedRequest:
        """What the oracle reads in it."""
        raw = self.body if isinstance(self.body, bytes) else json.dumps(self.body).encode()
        request = Request(self.method, self.path, self.headers, raw)
        return read_request(Exchange(request, None, 0.0, 0.0, self.credential))


def event(label: str, **changes: Any) -> Odd:
    return Odd(label, {"events": [_changed(EVENT, changes)]})


def purchase(label: str, **changes: Any) -> Odd:
    return Odd(label, {"purchases": [_changed(PURCHASE, changes)]})


def attributes(label: str, values: dict[str, Any], **changes: Any) -> Odd:
    return Odd(label, {"attributes": [{**_changed({"external_id": "u"}, changes), **values}]})


def _changed(base: dict[str, Any], changes: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in (base | changes).items() if value is not ...}


def media(*values: str) -> tuple[tuple[str, str], ...]:
    return tuple(("Content-Type", value) for value in values)


def of_size(size: int) -> dict[str, str]:
    """Properties of that many bytes as compact JSON."""
    made = {f"k{number:03}": "x" * 200 for number in range((size - 100) // 210)}
    made |= {"y": "y" * 45, "z": ""}
    made["z"] = "z" * (size - len(json.dumps(made, separators=(",", ":"))))
    return made


GOOD = {"events": [EVENT]}

TRANSPORT = (
    Odd("nothing odd", GOOD),
    Odd("a query", GOOD, path=f"{SYNC}?a=1?b=2"),
    Odd("a slash at the end", GOOD, path=f"{SYNC}/"),
    Odd("capitals in the path", GOOD, path=SYNC.upper()),
    Odd("one capital in the path", GOOD, path="/users/track/Sync"),
    Odd("a path that no server offers", GOOD, path="/users/track/synchronous"),
    Odd("that path by an unknown method", GOOD, path="/users/track/synchronous", method="BREW"),
    *(Odd(f"that path by {one}", GOOD, path="/users/track/x", method=one) for one in ("PUT", "DELETE", "PATCH")),
    Odd("the bulk endpoint", GOOD, path="/users/track/bulk"),
    Odd("another endpoint", GOOD, path="/messages/send"),
    *(Odd(f"the method {one}", GOOD, method=one) for one in ("GET", "PUT", "DELETE", "PATCH", "HEAD", "post", "get")),
    *(Odd(f"{one} without a key", GOOD, method=one, credential=Credential.MISSING) for one in ("POST", "HEAD")),
    *(Odd(f"the key is {one}", GOOD, credential=one) for one in Credential),
    *(Odd(f"the key is {one}, elsewhere", GOOD, credential=one, path="/messages/send") for one in Credential),
    Odd("no content type", GOOD, headers=()),
    *(
        Odd(f"the content type {one}", GOOD, headers=media(one))
        for one in (
            "",
            "application/json; charset=utf-8",
            "Application/JSON ; a=b; c=d",
            "text/plain",
            "text/json",
            "application/problem+json",
            "application/xml",
            "application/x-www-form-urlencoded",
        )
    ),
    *(
        Odd(f"the content encoding {one}", GOOD, headers=(*media("application/json"), ("Content-Encoding", one)))
        for one in ("gzip", "identity", "IDENTITY", "")
    ),
    Odd("a body of 4 MB", b'{"events":[]}'.ljust(BODY_BYTES)),
    Odd("a body over 4 MB", b'{"events":[]}'.ljust(BODY_BYTES + 1)),
    Odd("no body", b""),
    Odd("not JSON", b"{"),
    Odd("null", b"null"),
    Odd("a list", b"[]"),
    Odd("a text", b'"events"'),
    Odd("a byte order mark", b"\xef\xbb\xbf" + json.dumps(GOOD).encode()),
    Odd("not UTF-8", b'{"events":[],"a":"\xff"}'),
    Odd("a name twice and a NaN", b'{"events":[],"events":[],"a":NaN}'),
    Odd("NaN alone", b"NaN"),
    Odd("a hundred thousand levels", b'{"events":' + b"[" * 100_000 + b"]" * 100_000 + b"}"),
    Odd("a member that is not documented", {**GOOD, "partner": "p"}),
    *(Odd(f"events are {value!r}", {"events": value}) for value in ([], {}, None, 5, "x", True, [5], [None], [[]])),
    Odd("nothing in it", {}),
    Odd("events are null beside a purchase", {"events": None, "purchases": [PURCHASE]}),
    Odd("events are a number beside a purchase", {"events": 5, "purchases": [PURCHASE]}),
    Odd("a bare object", {"events": EVENT}),
    Odd("empty sections beside a purchase", {"attributes": [], "events": [], "purchases": [PURCHASE]}),
    Odd("only empty sections", {"attributes": [], "events": [], "purchases": []}),
    Odd("two sections", {"events": [EVENT], "purchases": [PURCHASE]}),
    Odd("three sections", {"attributes": [{"external_id": "u", "a": 1}], "events": EVENT, "purchases": [PURCHASE]}),
    Odd("two objects", {"events": [EVENT, EVENT]}),
)

IDENTIFIERS = (
    *(
        event(f"external_id is {str(value)[:20]!r}", external_id=value)
        for value in ("", " ", LONG[1:], LONG, "a\0", None, 5, -7, 2**53 - 1, 2**53, -(2**53), 5.0, 5.5, True, [], {})
    ),
    event("no identifier", external_id=...),
    event("an alias", external_id=..., user_alias=ALIAS),
    event("an alias to be created", external_id=..., user_alias=ALIAS, _update_existing_only=False),
    event("an alias that must be there", external_id=..., user_alias=ALIAS, _update_existing_only=True),
    *(
        event(f"the alias {str(value)[:60]}", external_id=..., user_alias=value)
        for value in (
            {"alias_name": "a"},
            {"alias_label": "l"},
            {},
            "a",
            None,
            [ALIAS],
            {**ALIAS, "more": 1},
            {**ALIAS, "alias_name": ""},
            {**ALIAS, "alias_name": 5},
            {**ALIAS, "alias_name": None},
            {**ALIAS, "alias_name": LONG},
            {**ALIAS, "alias_name": "a\0"},
            {**ALIAS, "alias_label": []},
            {**ALIAS, "alias_label": " "},
            {**ALIAS, "alias_label": LONG[1:]},
        )
    ),
    event("a wrong alias beside an external_id", user_alias="a"),
    event("a null alias beside an external_id", user_alias=None),
    event("a braze_id", external_id=..., braze_id="b"),
    event("a braze_id that is a number", external_id=..., braze_id=5),
    event("a braze_id that is a list", external_id=..., braze_id=[]),
    *(
        event(f"the email {value[:30]!r}", external_id=..., email=value)
        for value in (
            "e@example.com",
            "not-an-address",
            "a@b",
            "e@example.com ",
            "é@example.com",
            "a" * 63 + "@example.com",
            "a" * 64 + "@example.com",
            "",
        )
    ),
    event("an email that is a number", external_id=..., email=5),
    event("an email that is null", external_id=..., email=None),
    *(
        event(f"the phone {value!r}", external_id=..., phone=value)
        for value in (
            *("+12025550100", "12025550100", "+02025550100", "+1202555", "+120255", "+123456789012345"),
            *("+1234567890123456", "call me"),
        )
    ),
    event("an external_id and an alias", user_alias=ALIAS),
    event("an external_id, an alias and a braze_id", user_alias=ALIAS, braze_id="b"),
    event("an event of an external_id and an email", email="e@example.com"),
    event("an event of an external_id, an email and a phone", email="e@example.com", phone="+12025550100"),
    event("an event of an alias and a phone", external_id=..., user_alias=ALIAS, phone="+12025550100"),
    event("an email and a phone", external_id=..., email="e@example.com", phone="+12025550100"),
    attributes("attributes of an external_id and an email", {"a": 1}, email="e@example.com"),
    *(event(f"_update_existing_only is {value!r}", _update_existing_only=value) for value in (True, None, 0, "true")),
    attributes("attributes with _update_existing_only as text", {"a": 1}, _update_existing_only="true"),
    attributes("attributes with _update_existing_only", {"a": 1}, _update_existing_only=True),
)

EVENTS = (
    *(
        event(f"the name is {str(value)[:20]!r}", name=value)
        for value in (..., None, "", " ", LONG[1:], LONG, ASTRAL, "a\0", 5, 5.5, 2**53, True, [], {})
    ),
    *(
        event(f"the time is {value!r}", time=value)
        for value in (
            *(..., None, "", "never", 5, 1.5, True, [], {}),
            *("2024-01-01T12:00:00+01:00", "2024-01-01T12:00:00", "2024-01-01", "01/02/2024", "2024-02-30"),
            *("0999-01-01", "0999-01-01T00:00:00Z", "1000-01-01", "1000-01-01T00:00:00Z", "2024-W01", "20240101"),
            *("0999-12-31T12:00:00+01:00", "Jan 1 2024", "x" * 50, "99999-01-01T00:00:00Z"),
        )
    ),
    event("an app_id", app_id="app"),
    event("two members that are not documented", one=1, two=2),
    event("a quantity at an event", quantity=1),
    *(
        event(f"properties: {label}", properties=value)
        for label, value in (
            ("null", None),
            ("a list", []),
            ("a text", "x"),
            ("none", {}),
            ("plain ones", {"a": 1, "b": "x", "c": True, "d": 1.5, "e": [1, {"f": 2}]}),
            ("time", {"time": 1}),
            ("both reserved", {"time": 1, "event_name": 1}),
            ("an empty name", {"": 1}),
            ("a dollar at the beginning of a name", {"$a": 1}),
            ("a dollar within a name", {"a$": 1}),
            ("a dollar within a nested name", {"a": {"b$": 1}}),
            ("a dot in a name", {"a.b": 1}),
            ("a dot in a nested name", {"a": {"b.c": 1}}),
            ("an empty nested name", {"a": {"": 1}}),
            ("a name of 255 units", {LONG[1:]: 1}),
            ("a name of 256 units", {ASTRAL: 1}),
            ("a NUL in a name", {"a\0": 1}),
            ("a NUL in a text", {"a": "b\0"}),
            ("a text of 255 units", {"a": LONG[1:]}),
            ("a text of 256 units", {"a": ASTRAL}),
            ("null within", {"a": None}),
            ("2^53 - 1", {"a": 2**53 - 1}),
            ("2^53", {"a": 2**53}),
            ("-2^53", {"a": -(2**53)}),
            ("six levels", {"a": [[[[[[1]]]]]]}),
            ("seven levels", {"a": [[[[[[[1]]]]]]]}),
            ("eight levels", {"a": [[[[[[[[1]]]]]]]]}),
            ("seven levels of objects", {"a": {"b": {"c": {"d": {"e": {"f": {"g": {"h": 1}}}}}}}}),
            ("nine levels of objects", {"a": {"b": {"c": {"d": {"e": {"f": {"g": {"h": {"i": 1}}}}}}}}}),
            ("256 of them", {f"p{number}": 1 for number in range(256)}),
            ("257 of them", {f"p{number}": 1 for number in range(257)}),
            ("50 KB", of_size(OBJECT_BYTES // 2)),
            ("a byte over 50 KB", of_size(OBJECT_BYTES // 2 + 1)),
            ("a byte below 100 KB", of_size(OBJECT_BYTES - 1)),
        )
    ),
)

PURCHASES = (
    purchase("nothing odd"),
    *(
        purchase(f"the product_id is {str(value)[:20]!r}", product_id=value)
        for value in (..., None, "", "x" * 250, "x" * 251, LONG[1:], LONG, ASTRAL, 5, 5.0, 5.5, 2**53, True, [])
    ),
    *(purchase(f"the product_id is {value}", product_id=value) for value in (-7, 1 - 2**53, -(2**53))),
    *(
        purchase(f"the currency is {value!r}", currency=value)
        for value in (..., None, "EUR", "eur", " EUR", "XXX", "ABC", "978", "97", 978, "", True, [])
    ),
    *(
        purchase(f"the price is {value!r}", price=value)
        for value in (
            *(..., None, 0, -1, -0.5, 10**9, 10**9 - 1, -(10**9), 0.001, 0.0009, -0.0009, 999999999.5),
            *("9.99", " 9.99 ", "-.5", "1e3", "1E3", "9,99", "five", "", True, []),
        )
    ),
    *(
        purchase(f"the quantity is {value!r}", quantity=value)
        for value in (1, 2, 100, 101, 0, -1, 1.0, 2.0, 100.5, 101.0, None, "2", "two", True, [])
    ),
    *(purchase(f"the time is {value!r}", time=value) for value in (..., "never", 5, [])),
    purchase("an app_id", app_id="app"),
    purchase("a name at a purchase", name="x"),
    purchase("a property with a reserved name", properties={"time": 1}),
    purchase("257 properties", properties={f"p{number}": 1 for number in range(257)}),
    purchase("properties are a list", properties=[]),
)
