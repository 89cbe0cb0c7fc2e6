"""The values that random generation draws from: small tables, so that sequences collide.

Data only, and the few functions that spoil a right object in one named way. The tables fall into three kinds:
values that keep the documents, values that a response must show as not applied or refused, and wild ones on which
servers lawfully differ and from which an oracle learns little more than that the server still answers.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from tracksync.generate.build import encode, without

# Case and accents: names that must not be taken for one another. Some stand more often, so that sequences collide.
EVENT_NAMES: Final = ("viewed", "viewed", "viewed", "Viewed", "añadido al carro")
PRODUCTS: Final = ("sku-1", "sku-1", "sku-1", "SKU-1", "café ☕")
CURRENCIES: Final = ("USD", "EUR", "JPY", "GBP", "BRL", "INR")
PRICES: Final = (9.99, 219.98, 1, 0, -5.5, 1e-7, 100000, 0.1)
QUANTITIES: Final = (1, 2, 3, 10, 100)

# Sorted by instant they are in another order than by text, and two are one instant.
TIMES: Final = (
    "2023-06-01T00:00:00Z",
    "2023-06-01T00:30:00+01:00",
    "2023-05-31T20:00:00-05:30",
    "2023-06-01T13:00:00+14:00",
    "2023-06-01T00:00:00.500Z",
    "2023-06-01T00:00:00",
    "2022-12-06T19:20:45+01:00",
    "2022-12-06 18:20:45",
    "2024-02-29T23:59:59.999Z",
    "2000-01-01T00:00:00Z",
    "1970-01-01T00:00:00Z",
    "1969-07-20T20:17:40Z",
    "2024-12-31T23:59:59-11:00",
    "2099-01-01T00:00:00Z",  # once only: after a time to come, `last` shows little
)

# A plain and a multi-byte text at the limit, and astral ones that are within it in every unit.
AT_LIMIT: Final = ("x" * 255, "é" * 255, "🎉" * 127, " " * 255)
OVER_LIMIT: Final = ("x" * 256, "é" * 256, "🎉" * 256, "y" * 5000)
BETWEEN_UNITS: Final = ("🎉" * 128, "🎉" * 255)  # 256 and 510 UTF-16 units, 128 and 255 code points

# Every update of one attribute name has a type that the others of this name expect.
ATTRIBUTES: Final[Mapping[str, tuple[Any, ...]]] = {
    "colour": ("red", "green", " blue ", "", "Zoë", "Zoe\u0308", "مرحبا", "a\tb\nc", "🎉🏽", "null", None, *AT_LIMIT),
    "Colour": ("red", "RED", "0", "1", "true", '"quoted" \\ /', None),
    "points": (0, 1, -5, 10, 2**31, 2**53 + 1, {"inc": 1}, {"inc": -3}, {"inc": 0}, {"inc": 2**31}, None),
    "price": (219.98, 0.1, 1e-7, -2.5, 1.5e300, 0.5, None),
    "vip": (True, False, True, False, None),
    "tags": (
        ["a", "b", "c"],
        ["c", "b", "a"],
        ["A", "a"],
        [f"t{number:02}" for number in range(25)],
        {"add": ["d"]},
        {"add": ["a"]},
        {"add": ["e", "b"]},
        {"remove": ["a"]},
        {"remove": ["b", "zz"]},
        {"remove": ["zz"]},
        {"add": ["f"], "remove": ["c"]},
        None,
    ),
    "sizes": ([3, 1, 2], [2, 1], [10], {"add": [4]}, {"add": [1, 5]}, {"remove": [1]}, {"remove": [99]}, None),
    "born": ("2022-12-06T19:20:45+01:00", "2022-12-06T18:20:45Z", "1999-12-31", "3001-01-01T00:00:00Z", None),
    "address": (
        {"street": {"name": "High Street", "number": 1}, "town": "Ely"},
        {"street": {"number": 2}},
        {"street": {"name": "", "floor": {"level": 3}}},
        {"town": "Zürich"},
        {"since": {"$time": "1980-01-01T00:00:00Z"}},
        {"tags": ["x", "y"], "open": True, "rate": 0.5},
        None,
    ),
    "pets": (
        [{"id": 1, "name": "Rex"}, {"id": 2, "name": "Tom"}],
        [{"id": 1, "name": "Rex"}, {"id": 1, "name": "Ivy"}, {"id": 3, "name": "Bo"}],
        {"$add": [{"id": 3, "name": "Kit"}]},
        {"$add": [{"id": 1, "name": "Zoë"}, {"id": 4, "name": "🐈"}]},
        {"$update": [{"$identifier_key": "id", "$identifier_value": 1, "$new_object": {"id": 1, "age": 5}}]},
        {"$update": [{"$identifier_key": "id", "$identifier_value": 9, "$new_object": {"id": 9}}]},
        {"$remove": [{"$identifier_key": "id", "$identifier_value": 1}]},
        {"$remove": [{"$identifier_key": "id", "$identifier_value": 9}]},
        None,
    ),
}

# Updates that complete and are not applied, by attribute name.
NOT_APPLIED: Final[Mapping[str, tuple[Any, ...]]] = {
    "colour": OVER_LIMIT,
    "Colour": OVER_LIMIT,
    "address": (
        {"town": None},
        {"street": {"name": None, "number": 7}},
        {"since": {"$time": "not a time"}},
        {"town": "Rome", "deep": [{"a": None}]},
    ),
    "pets": ({"$add": [{"id": 7, "name": None}]},),
}

PROPERTIES: Final[tuple[Mapping[str, Any], ...]] = (
    {},
    {"a": 1, "b": "two", "c": True, "d": 1.5},
    {"n" * 255: "x" * 255},
    {"nested": {"list": [1, 2, {"deep": "🎉"}]}, "when": "2022-12-06T19:20:45+01:00"},
    {f"p{number}": number for number in range(257)},
)

# Anything goes: extremes, wrong types, half-legal text. A lawful server may store, refuse or drop them.
WILD_VALUES: Final[tuple[Any, ...]] = (
    *BETWEEN_UNITS,
    "nul \x00 inside",
    "\x7f\x1b[31m",
    "lone \ud83c surrogate",
    "\udf89\ud83c",
    "\u202eright to left\u202c",
    "e" + "\u0301" * 40,
    "\ufeff",
    "\ufffe\uffff",
    "2022-02-30T00:00:00Z",
    "-0044-03-15T12:00:00Z",
    "10000-01-01T00:00:00Z",
    "12/31/1999",
    "2016-12-31T23:59:60Z",
    2**63 - 1,
    -(2**63),
    2**63,
    2**64,
    10**30,
    -(10**400),
    1e308,
    5e-324,
    -0.0,
    16.0,
    1e16,
    [],
    [None],
    [[1, [2]]],
    [1, "1", True, 1.0],
    ["a", "b", "a"],
    ["🎉" * 128],
    {},
    {"inc": "1"},
    {"inc": 1.5},
    {"inc": None},
    {"inc": 2**63},
    {"add": "a"},
    {"remove": None},
    {"add": ["p"], "remove": ["p"]},
    {"add": ["p", "p"]},
    {"a.b": 1},
    {"$key": 1},
    {"k" * 256: 1},
    {"key with space": 1},
    {"long": "x" * 256},
    {"$time": "1980-01-01"},
    {"$add": {}},
    {"$add": [{"n": 1}], "$remove": [{"$identifier_key": "n", "$identifier_value": 1}]},
    {"$update": [{"$identifier_key": "n"}]},
    {"": ""},
)
WILD_TIMES: Final[tuple[Any, ...]] = (
    "2022-02-30T00:00:00Z",
    "2016-12-31T23:59:60Z",
    "0000-01-01T00:00:00Z",
    "10000-01-01T00:00:00Z",
    "2022-12-06",
    "12/06/2022",
    "20221206T192045Z",
    "2022-12-06T24:00:00Z",
    "2022-12-06t19:20:45z",
    " 2022-12-06T19:20:45Z ",
    "2022-12-06T19:20:45+0100",
    "2022-12-06T19:20:45+25:00",
    "1670351000",
    1670351000,
    1670351000.5,
    True,
)
WILD_QUANTITIES: Final[tuple[Any, ...]] = (0, -1, 3.0, "2", True, None, 10**20, [1])
WILD_CURRENCIES: Final[tuple[Any, ...]] = ("usd", "DEM", "XXX", "XTS", "BTC", " USD", 840)
WILD_PRICES: Final[tuple[Any, ...]] = ("9.99", 1e308, 10**30, -0.0, True, 5e-324)
WILD_FLAGS: Final[tuple[Any, ...]] = ("true", 1, 0, None, "false", [])

Spoiler = Callable[[dict[str, Any]], dict[str, Any]]


def _set(key: str, value: Any) -> Spoiler:
    return lambda right: {**right, key: value}


def _drop(*keys: str) -> Spoiler:
    return lambda right: without(right, *keys)


IDENTIFIER_KEYS: Final = ("external_id", "user_alias", "braze_id", "email", "phone")

# How one object of a section is made wrong, so that the documents have it refused.
_ANY_OBJECT: Final[tuple[tuple[str, Spoiler], ...]] = (
    ("no identifier", _drop(*IDENTIFIER_KEYS)),
    ("an alias without a label", lambda right: _spoil_alias(right, "alias_label")),
    ("an alias without a name", lambda right: _spoil_alias(right, "alias_name")),
)
OBJECT_SPOILERS: Final[Mapping[str, tuple[tuple[str, Spoiler], ...]]] = {
    "attributes": _ANY_OBJECT,
    "events": (
        *_ANY_OBJECT,
        ("no name", _drop("name")),
        ("no time", _drop("time")),
        ("a time that is a word", _set("time", "yesterday")),
        ("an impossible time", _set("time", "2022-13-45T99:00:00Z")),
        ("a name that is an object", _set("name", {"text": "viewed"})),
        ("a time that is a list", _set("time", ["2023-06-01T00:00:00Z"])),
        ("a reserved property", _set("properties", {"time": "2023-06-01T00:00:00Z"})),
        ("another reserved property", _set("properties", {"event_name": "viewed"})),
    ),
    "purchases": (
        *_ANY_OBJECT,
        ("no product_id", _drop("product_id")),
        ("no currency", _drop("currency")),
        ("no price", _drop("price")),
        ("no time", _drop("time")),
        ("a currency that is none", _set("currency", "ZZZ")),
        ("a price that is a word", _set("price", "dear")),
        ("a price that is an object", _set("price", {"amount": 1})),
        ("a time that is a word", _set("time", "tomorrow")),
        ("a quantity of 101", _set("quantity", 101)),
        ("half a quantity", _set("quantity", 2.5)),
    ),
}


def _spoil_alias(right: dict[str, Any], part: str) -> dict[str, Any]:
    """An object whose only identifier is an alias that lacks `part`."""
    names = right.get("user_alias") or {"alias_label": "tracksync"}
    return {**without(right, *IDENTIFIER_KEYS), "user_alias": without(names, part)}


# How a right object is put into a body that is refused whole, whatever the object.
BODY_SPOILERS: Final[tuple[tuple[str, Callable[[str, dict[str, Any]], bytes]], ...]] = (
    ("the object twice", lambda section, right: encode({section: [right, right]})),
    ("the body in a list", lambda section, right: encode([{section: [right]}])),
    ("the body cut short", lambda section, right: encode({section: [right]})[:-1]),
    ("the body twice", lambda section, right: encode({section: [right]}) * 2),
    ("a form feed before the body", lambda section, right: b"\f" + encode({section: [right]})),
    ("a NUL byte after the body", lambda section, right: encode({section: [right]}) + b"\0"),
    ("a minus alone", lambda section, right: encode({section: [right]})[:-1] + b',"extra":-}'),
    ("a number as a name", lambda section, right: encode({section: [right]})[:-1] + b",1:2}"),
    ("a comma too many", lambda section, right: encode({section: [right]})[:-1] + b",}"),
    ("the object outside its section", lambda section, right: encode(right)),
    ("an empty section", lambda section, right: encode({section: []})),
    ("a misspelt section", lambda section, right: encode({section[:-1]: [right]})),
    ("a list of texts", lambda section, right: encode({section: ["text"]})),
    ("a section that is a text", lambda section, right: encode({section: "text"})),
    ("an empty body", lambda section, right: b""),
)


def marked(section: str, right: dict[str, Any], token: bytes) -> bytes:
    """The object with one more member `w`, whose value are these very bytes."""
    return encode({section: [{**right, "w": "@here@"}]}).replace(b'"@here@"', token)


# Half-legal bodies: repeated keys, numbers that are none, a byte order mark, very deep nesting.
WILD_BODIES: Final[tuple[tuple[str, Callable[[str, dict[str, Any]], bytes]], ...]] = (
    ("a bare object", lambda section, right: encode({section: right})),
    ("empty sibling sections", lambda section, right: encode({"attributes": [], "events": [], section: [right]})),
    ("null sibling sections", lambda section, right: encode({"attributes": None, "events": None, section: [right]})),
    ("a byte order mark", lambda section, right: b"\xef\xbb\xbf" + encode({section: [right]})),
    ("UTF-16", lambda section, right: encode({section: [right]}).decode().encode("utf-16")),
    ("bytes that are not UTF-8", lambda section, right: marked(section, right, b'"\xff"')),
    ("NaN", lambda section, right: marked(section, right, b"NaN")),
    ("a repeated key", lambda section, right: marked(section, right, b'1,"w":2')),
    ("a repeated section", lambda section, right: encode({section: [right]})[:-1] + b"," + encode({section: []})[1:]),
    ("deep nesting", lambda section, right: marked(section, right, b"[" * 600 + b"]" * 600)),
    ("bottomless nesting", lambda section, right: b'{"w":' + b"[" * 50_000),
    ("a huge number", lambda section, right: marked(section, right, b"1e999")),
    ("spaces and line ends", lambda section, right: encode({section: [right]}).replace(b'":', b'" :\r\n\t')),
    ("an extra member", lambda section, right: encode({section: [right], "extra": {"a": [1]}})),
    ("a partner", lambda section, right: encode({section: [right], "partner": "tracksync"})),
)  # fmt: skip
