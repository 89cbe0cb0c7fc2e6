"""Requests that break careless servers: numbers, depths, texts and sizes at which parsers and stores give up.

The same in every run. No document says what a server owes most of them, except a response: neither a 5XX nor a
connection that is cut.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from tracksync.contract.bounds import bounds
from tracksync.generate.build import (
    Step,
    User,
    attributes_request,
    encode,
    event_request,
    purchase_request,
    raw_request,
)
from tracksync.generate.harmless import Namer

TIME: Final = "2023-06-01T00:00:00Z"
NUMBERS: Final[tuple[tuple[str, bytes], ...]] = (
    ("an integer beyond 2^53", b"9007199254740993"),
    ("an integer beyond 2^63", b"9223372036854775808"),
    ("an integer beyond 2^64", b"18446744073709551617"),
    ("an integer beyond 10^30", b"1" + b"0" * 29 + b"1"),
    ("a number beyond every double", b"1e400"),
    ("a number too small for a double", b"1e-400"),
)
WIDE: Final = NUMBERS[1:4]
INTEGER: Final = NUMBERS[3]
DEPTHS: Final = (15, 150, 1500)
MEGABYTE: Final = 2**20
MANY: Final = 5000
TEXT: Final = "x" * 200
ONE: Final = len(TEXT) + 10  # bytes of such a text with its name
_PLACE: Final = "\u2063"  # stands for bytes that no encoder writes, and occurs nowhere else


def robustness_steps(namer: Namer) -> Iterator[Step]:
    """The requests, each for one user of the namer's scope `robust`; ends with a plain request that all must accept."""
    user = {"external_id": namer.scope("robust").external_id("u")}
    yield from _numbers(user)
    yield from _depths(user)
    yield from _texts(user)
    yield from _sizes(user)
    properties = {"texts": [TEXT] * (bounds().properties_bytes.least * 15 // 16 // ONE)}
    yield Step(
        event_request(user, "after all that", TIME, properties=properties), label="an event with much in it, after all"
    )


def _numbers(user: User) -> Iterator[Step]:
    for label, digits in NUMBERS:
        yield _with(attributes_request(user, {"n": _PLACE}).body, digits, f"{label}, as an attribute")
    event = event_request(user, "seen", TIME, properties={"n": _PLACE}).body
    wide = b',"m":'.join(digits for _, digits in WIDE)
    yield _with(event, wide, "integers beyond 2^63 and 2^64 and 10^30, as properties")
    for label, digits in NUMBERS:
        if (label, digits) not in WIDE:
            yield _with(event, digits, f"{label}, as a property")
    label, digits = INTEGER
    yield _with(attributes_request(user, {"n": {"inc": _PLACE}}).body, digits, f"{label}, as a sum")
    yield _with(purchase_request(user, "sku", TIME, price=_PLACE).body, digits, f"{label}, as a price")
    yield _with(purchase_request(user, "sku", TIME, quantity=_PLACE).body, digits, f"{label}, as a quantity")


def _depths(user: User) -> Iterator[Step]:
    for depth in DEPTHS:
        objects = b'{"d":' * depth + b"1" + b"}" * depth
        arrays = b"[" * depth + b"]" * depth
        yield _with(attributes_request(user, {"o": _PLACE}).body, objects, f"objects {depth} levels deep")
        event = event_request(user, "seen", TIME, properties={"a": _PLACE})
        yield _with(event.body, arrays, f"arrays {depth} levels deep, as a property")


def _texts(user: User) -> Iterator[Step]:
    for label, text in (("NUL", "a\x00b"), ("a lone surrogate", "a\ud83cb")):
        yield Step(attributes_request(user, {"s": text}), label=f"{label} in a text")
        yield Step(event_request(user, text, TIME), label=f"{label} in the name of an event")
        yield Step(event_request(user, "seen", TIME, properties={text: text}), label=f"{label} in a property")
    yield Step(event_request(user, "", TIME), label="an event without a name")
    yield Step(event_request(user, "seen", TIME, properties={"": 1}), label="a property without a name")
    yield Step(attributes_request(user, {"": 1, "o": {"": 1}}), label="an attribute and a key without a name")


def _sizes(user: User) -> Iterator[Step]:
    long, many = "x" * MEGABYTE, {f"k{number}": number for number in range(MANY)}
    limit = bounds().object_bytes
    below, above = limit.least * 15 // 16 // ONE, limit.most * 11 // 10 // ONE
    near = {
        "objects": _objects(0, below),
        "added": _objects(0, below),
        "object": {f"k{number}": TEXT for number in range(below)},
    }
    yield Step(attributes_request(user, {"s": long, **near}), label="a megabyte of text, and objects below the limit")
    yield Step(event_request(user, "seen", TIME, properties={"p": long}), label="a megabyte of text, as a property")
    # No custom attributes: each of them would be a billable data point.
    yield Step(event_request(user, "seen", TIME, **many), label=f"an event of {MANY} members")
    over = {
        "objects": _objects(0, above),
        "added": {"$add": _objects(below, above)},
        "object": {f"k{number}": TEXT for number in range(below, above)},
    }
    merging = attributes_request(user, {"o": many, **over}, _merge_objects=True)
    yield Step(merging, label=f"an object of {MANY} keys, and objects over the limit")
    yield Step(event_request(user, "seen", TIME, properties=many), label=f"{MANY} properties")


def _objects(begin: int, end: int) -> list[dict[str, str]]:
    """Objects that are all different, so that none of them is a repeat."""
    return [{"k": f"{number:<{len(TEXT)}}"} for number in range(begin, end)]


def _with(body: bytes, token: bytes, label: str) -> Step:
    """A body with `token` in the place of the marked text."""
    marked: Any = encode(_PLACE)
    return Step(raw_request(body.replace(marked, token)), label=label)
