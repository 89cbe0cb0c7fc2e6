"""Requests that are odd in one way each, and what the oracle reads in them.

The golden files `requests-*` are written from these: the class of each request, and what it writes.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

from tracksync.contract.bounds import bounds
from tracksync.contract.classify import Condition
from tracksync.model.exchange import Credential, Exchange, Request
from tracksync.oracle.request import ParsedRequest, read_request
from tracksync.oracle.request_object import CounterWrite

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
    tags: tuple[str, ...] = ()

    def parsed(self) -> ParsedRequest:
        """What the oracle reads in it."""
        raw = self.body if isinstance(self.body, bytes) else json.dumps(self.body).encode()
        request = Request(self.method, self.path, self.headers, raw)
        return read_request(Exchange(request, None, 0.0, 0.0, self.credential, None, self.tags))


def event(label: str, **changes: Any) -> Odd:
    return Odd(label, {"events": [_changed(EVENT, changes)]})


def purchase(label: str, **changes: Any) -> Odd:
    return Odd(label, {"purchases": [_changed(PURCHASE, changes)]})


def attributes(label: str, values: dict[str, Any], **changes: Any) -> Odd:
    return Odd(label, {"attributes": [{**_changed({"external_id": "u"}, changes), **values}]})


def _changed(base: dict[str, Any], changes: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in (base | changes).items() if value is not ...}


def _media(*values: str) -> tuple[tuple[str, str], ...]:
    return tuple(("Content-Type", value) for value in values)


def _of_size(size: int) -> dict[str, str]:
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
    Odd("the key is quoted", GOOD, credential=Credential.INVALID, tags=("quoted",)),
    Odd("no content type", GOOD, headers=()),
    *(
        Odd(f"the content type {one}", GOOD, headers=_media(one))
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
        Odd(f"the content encoding {one}", GOOD, headers=(*_media("application/json"), ("Content-Encoding", one)))
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
            ("50 KB", _of_size(OBJECT_BYTES // 2)),
            ("a byte over 50 KB", _of_size(OBJECT_BYTES // 2 + 1)),
            ("a byte below 100 KB", _of_size(OBJECT_BYTES - 1)),
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

ATTRIBUTES = (
    attributes("one", {"a": 1}),
    attributes("none", {}),
    attributes("none, and to be merged", {"_merge_objects": True}),
    attributes("only an email", {"email": "e@example.com"}),
    attributes("only an email, of a phone", {"email": "e@example.com"}, external_id=..., phone="+12025550100"),
    attributes("only an email, of an alias", {"email": "e@example.com"}, external_id=..., user_alias=ALIAS),
    attributes("only a phone, of a braze_id", {"phone": "+12025550100"}, external_id=..., braze_id="b"),
    attributes("only an email that is null", {"email": None}),
    attributes("only a first name", {"first_name": "Ada"}),
    *(
        attributes(f"the name {name[:20]!r}", {name: 1})
        for name in ("", " ", "$a", "a$", "a.b", LONG[1:], LONG, "a\0", "Email", "first_name ")
    ),
    *(
        attributes(f"the value {str(value)[:30]!r}", {"a": value})
        for value in ("x\0", 2**63 - 1, 2**63, -(2**63), -(2**63) - 1, True, None, 1e308, LONG)
    ),
    *(
        attributes(f"_merge_objects is {value!r}", {"a": {"b": 1}, "_merge_objects": value})
        for value in (True, None, 1)
    ),
    attributes("push_token_import", {"a": 1, "push_token_import": True}),
    *(
        attributes(f"the array {str(value)[:40]}", {"a": value})
        for value in (
            *([], [1, "x", True, 1.5], [None], [[1]], [1, {}], [LONG], [LONG[1:]], [ASTRAL], ["a\0"]),
            *([2**63 - 1], [2**63], [-(2**63)], [{}], [{"a": 1}], [{"a.b": 1}], [{"a": None}], [{"": 1}]),
        )
    ),
    *(
        attributes(f"the edit {str(value)[:70]}", {"a": value})
        for value in (
            *({"inc": 1}, {"inc": 1.5}, {"inc": "1"}, {"inc": True}, {"inc": 2**63}, {"inc": 1, "add": [1]}),
            *({"add": [1]}, {"add": 1}, {"add": [None]}, {"add": [1], "remove": [2]}, {"remove": ["x"]}),
            *({"add": [1], "remove": 2}, {"add": [1], "more": [2]}, {"inc": 1, "add": [1], "remove": [2]}),
            *({"$add": [{"a": 1}]}, {"$add": {"a": 1}}, {"$add": [1]}, {"$add": [{"a.b": 1}]}, {"$add": [{"a": None}]}),
            *({"$add": [{"": 1}]}, {"$add": [{"a": ASTRAL}]}, {"$add": [], "more": 1}, {"$time": TIME}),
            *({"$time": TIME, "a": 1}, {"$remove": [{"$identifier_key": "id", "$identifier_value": 1}]}),
            {
                "$add": [{"a": 1}],
                "$update": [{"$identifier_key": "id", "$identifier_value": 1, "$new_object": {"x": 1}}],
                "$remove": [{"$identifier_key": "id", "$identifier_value": 2}],
            },
            {"$remove": [{"$identifier_key": 5, "$identifier_value": 1}]},
            {"$remove": [{"$identifier_key": "id"}]},
            {"$remove": [{"$identifier_key": "id", "$identifier_value": 1, "$new_object": {}}]},
            {"$update": [{"$identifier_key": "id", "$identifier_value": 1}]},
            {"$update": [{"$identifier_key": "id", "$identifier_value": 1, "$new_object": {"x": 1}}]},
            {"$update": [{"$identifier_key": "id", "$identifier_value": 1, "$new_object": {"x.y": 1}}]},
            {"$update": [{"$identifier_key": "id", "$identifier_value": 1, "$new_object": {"x": None}}]},
        )
    ),
    *(
        attributes(f"the object {str(value)[:40]}", {"a": value})
        for value in (
            *({}, {"b": 1}, {"b": None}, {"b": {"$time": "never"}}, {"b.c": 1}, {"$b": 1}, {"b c": 1}, {LONG: 1}),
            *({"b": LONG}, {"b": ASTRAL}, {"": 1}, {"b": "x\0"}, {"b": {"$time": "2024-01-01"}}, {"b": {"$time": 5}}),
            *(_of_size(100_001), _of_size(OBJECT_BYTES), _of_size(OBJECT_BYTES + 1)),
        )
    ),
    *(
        attributes(f"{key} is {value!r}", {key: value})
        for key, values in {
            "country": ("DE", "de", "DEU", "D", 5, None),
            "language": ("de", "DE", "deu", 5),
            "dob": ("1980-12-21", "1780-12-21", "2080-02-28", "1980-13-01", "1980-00-01", "1980-01-31", "1980-1-1", 5),
            "gender": ("M", "F", "O", "N", "P", "X", "m", None),
            "email_subscribe": ("opted_in", "unsubscribed", "subscribed", "OPTED_IN", "maybe", True),
            "push_subscribe": ("opted_in", "unsubscribed", "subscribed", "SUBSCRIBED", "xsubscribed", True),
            "time_zone": ("Europe/Berlin", "UTC", "Berlin", "utc", "America/New_York", 1),
            "first_name": ("Ada", "", LONG[1:], LONG, 5),
            "last_name": ("Ada", "", LONG[1:], LONG, 5),
            "home_city": ("Ulm", "", LONG[1:], LONG, 5),
            "date_of_first_session": (TIME, "2024-01-01T12:00:00.123Z", "2024-01-01", "x2024-01-01T12:00:00Zx", 5),
            "date_of_last_session": (TIME, "2024-01-01T12:00:00.1Z", "2024-01-01T12:00:00", f"x{TIME}x", 5),
            "email_open_tracking_disabled": (True, False, "true", 1),
            "email_click_tracking_disabled": (True, "true"),
            "subscription_groups": ([],),
            "email": ("e@example.com", None),
            "phone": (None,),
        }.items()
        for value in values
    ),
    *(
        attributes(f"current_location is {value!r}", {"current_location": value})
        for value in (
            {"longitude": 180, "latitude": 90},
            {"longitude": -180.0, "latitude": -90.0},
            {"longitude": 180.1, "latitude": 0},
            {"longitude": 0, "latitude": 90.1},
            {"longitude": 181, "latitude": 91},
            {"longitude": True, "latitude": 0},
            {"longitude": 0, "latitude": "0"},
            {"longitude": 0},
            {"longitude": 0, "latitude": 0, "accuracy": 1},
            [0, 0],
            None,
        )
    ),
)

OTHER_ENDPOINTS = (
    Odd("one event", GOOD, path=TRACK),
    Odd("events and purchases", {"events": [EVENT, EVENT], "purchases": [PURCHASE]}, path=TRACK),
    Odd("75 events", {"events": [EVENT] * 75}, path=TRACK),
    Odd("76 events", {"events": [EVENT] * 75, "purchases": [PURCHASE]}, path=TRACK),
    *(
        Odd(f"events are {str(value)[:40]}", {"events": value}, path=TRACK)
        for value in ([], EVENT, None, 5, [EVENT, 5], [{}], [{**EVENT, "app_id": "a"}])
    ),
    Odd("a bare object beside an array", {"events": [EVENT], "purchases": PURCHASE}, path=TRACK),
    Odd("an array beside a bare object", {"attributes": {"external_id": "u"}, "events": [EVENT]}, path=TRACK),
    Odd("an object that may be invalid", {"events": [EVENT, {**EVENT, "name": " "}]}, path=TRACK),
    Odd("nothing", {}, path=TRACK),
    Odd("not a JSON object", [], path=TRACK),
    *(
        Odd(f"delete {str(body)[:50]}", body, path=DELETE)
        for body in (
            *(
                {"external_ids": ["u"]},
                {"external_ids": ["u"] * 50},
                {"external_ids": ["u"] * 51},
                {"external_ids": []},
            ),
            *({"external_ids": [""]}, {"external_ids": [5]}, {"external_ids": "u"}, {"braze_ids": ["b"]}, {}),
            {"external_ids": ["u"], "braze_ids": ["b"]},
            {"external_ids": ["u"], "why": "x"},
        )
    ),
    *(
        Odd(f"export {str(body)[:60]}", body, path=EXPORT)
        for body in (
            {"external_ids": ["u"]},
            {"external_ids": ["u"], "fields_to_export": ["custom_attributes"]},
            {"external_ids": ["u"], "fields_to_export": "custom_attributes"},
            {"external_ids": ["u"], "fields_to_export": [5]},
            {"external_ids": ["u"], "more": 1},
            {"external_ids": []},
            {"user_aliases": [ALIAS]},
            {},
        )
    ),
    Odd("another endpoint by GET", GOOD, path=TRACK, method="GET"),
    Odd("another endpoint without a key", {"external_ids": ["u"]}, path=DELETE, credential=Credential.MISSING),
    Odd("another endpoint with another content type", GOOD, path=TRACK, headers=_media("application/xml")),
)

PAGES: Final = {
    "requests-transport": TRANSPORT,
    "requests-identifiers": IDENTIFIERS,
    "requests-events": EVENTS,
    "requests-purchases": PURCHASES,
    "requests-attributes": ATTRIBUTES,
    "requests-other-endpoints": OTHER_ENDPOINTS,
}


def page_of_requests(name: str) -> str:
    """One line for each request of a group: its class, the conditions that it meets, and what it writes."""
    return "".join(f"{_line(odd.label, odd.parsed())}\n" for odd in PAGES[name])


def _line(label: str, parsed: ParsedRequest) -> str:
    conditions = "".join(f"; {_condition(one)}" for one in parsed.conditions)
    return ascii(f"{label}: {parsed.classification.request_class}{conditions} | {', '.join(_parts(parsed))}")[1:-1]


def _condition(condition: Condition) -> str:
    statuses = " or ".join(map(str, sorted(condition.statuses)))
    does = "must" if condition.refused else "may"
    shows = "".join(f" {status}:{condition.ambiguity}={shown}" for status, shown in condition.shows)
    where = condition.pointer.removeprefix("/request/")
    return f"{does} {statuses} {condition.clause} {where}{shows}"


def _parts(parsed: ParsedRequest) -> Iterator[str]:
    """What the oracle reads in the request."""
    yield " ".join(filter(None, (parsed.endpoint, parsed.section)))
    yield from (f"{kind}={_short(value)}" for kind, value in parsed.identifiers)
    flags = {
        "update only": parsed.update_only is True,
        "create": parsed.update_only is False,
        "update only or create": parsed.update_unclear is True,
        "effect unknown": parsed.vague is True,
        "merge": parsed.merge is True,
        "merge or not": parsed.merge is None,
        "body not read": parsed.body is None,
    }
    yield from (flag for flag, holds in flags.items() if holds)
    for name in parsed.attributes:
        yield f"attribute {_short(name)}{' (odd)' if name in parsed.odd_attributes else ''}"
    yield from (f"profile {name}={_short(value)}" for name, value in parsed.profile.items())
    if parsed.counter is not None:
        yield from _parts_of_counter(parsed.counter)
    yield from (f"covers {clause}" for clause in sorted(parsed.covers))


def _parts_of_counter(write: CounterWrite) -> Iterator[str]:
    yield f"{_short(write.name)} at {write.instant}"
    for amount in write.amounts:
        yield f"+{amount.added}" + (f" if {'='.join(amount.interpretation)}" if amount.interpretation else "")
    flags = {"with a zone": write.zoned, "with an offset": write.shifted, "too long": write.too_long}
    yield from (flag for flag, holds in flags.items() if holds is True)


def _short(value: Any) -> str:
    return repr(value)[:40]
