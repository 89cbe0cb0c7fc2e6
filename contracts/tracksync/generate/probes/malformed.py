"""Probes of malformed content: each production of RFC 8259 broken once, and times that do not exist.

Every request is to be refused; what a reader makes of a byte that is not UTF-8 is its choice. The last one of each
probe is right: it shows whether one of the others was applied.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from tracksync.generate.build import Step, encode, event, event_request, purchase_request, raw_request
from tracksync.generate.harmless import Namer
from tracksync.generate.probes.probe import probe, send

DAY: Final = "2023-11-01T12:00:00Z"
EVENT: Final = "malformed"
SKU: Final = "malformed"
PROPERTIES: Final = {"n": 1, "t": "a", "l": [1, 2], "b": True}
# Label, what stands in the body, and what takes its place.
MISTAKES: Final[tuple[tuple[str, bytes, bytes], ...]] = (
    ("a name without quotes", b'"n":', b"n:"),
    ("a line break in a text", b'"a"', b'"a\nb"'),
    ("a tab in a text", b'"a"', b'"a\tb"'),
    ("a control character in a text", b'"a"', b'"a\x01b"'),
    ("an unknown escape", b'"a"', rb'"\q"'),
    ("a hexadecimal escape", b'"a"', rb'"\x41"'),
    ("an escape of two digits", b'"a"', rb'"\u41"'),
    ("a leading zero", b'"n":1', b'"n":01'),
    ("a plus sign", b'"n":1', b'"n":+1'),
    ("no digit before the point", b'"n":1', b'"n":.5'),
    ("no digit after the point", b'"n":1', b'"n":1.'),
    ("no digit in the exponent", b'"n":1', b'"n":1e'),
    ("a hexadecimal number", b'"n":1', b'"n":0x10'),
    ("a separator of digits", b'"n":1', b'"n":1_000'),
    ("True", b"true", b"True"),
    ("undefined", b"true", b"undefined"),
    ("a comma after the last member", b"true}", b"true,}"),
    ("a comma after the last element", b"[1,2]", b"[1,2,]"),
    ("two commas", b"[1,2]", b"[1,,2]"),
    ("a comma before the first element", b"[1,2]", b"[,1,2]"),
    ("no comma between two members", b'"a","l"', b'"a" "l"'),
    ("an equals sign", b'"n":1', b'"n"=1'),
    ("a curly bracket that closes a list", b"[1,2]", b"[1,2}"),
    ("a square bracket that closes an object", b"true}", b"true]"),
    ("a byte that is not UTF-8", b'"a"', b'"\xff"'),
    ("a comment between members", b'"n":1,', b'"n":1,/* one */'),
    ("a comment to the end of the line", b'"n":1,', b'"n":1,// one\n'),
    ("a comment after a hash", b'"n":1,', b'"n":1,# one\n'),
)
ENDS: Final[tuple[tuple[str, bytes], ...]] = (("a second value", b"{}"), ("a semicolon at the end", b";"))
TIMES: Final[tuple[Any, ...]] = (
    *("2023-02-30T12:00:00Z", "2023-02-29T12:00:00Z", "1900-02-29T12:00:00Z", "2023-04-31T12:00:00Z"),
    *("2023-01-00T12:00:00Z", "2023-00-10T12:00:00Z", "2023-01-10T25:00:00Z"),
    *("2023-01-10T12:60:00Z", "2023-01-10T12:00:61Z", "2023-01-10T12:00:00+25:00", "2023-01-10T12:00:00+01:99"),
    *("now", "0000-00-00"),
)
PURCHASE_TIMES: Final[tuple[Any, ...]] = ("2023-02-30T12:00:00Z", "2023-01-10T25:00:00Z")


@probe("json-syntax", "TS-REFUSE-SYNTAX", "TS-STATE-REFUSED", further=True)
def json_syntax(name: Namer) -> Iterator[Step]:
    """An event in JSON with one mistake each, and at last without one."""
    user = {"external_id": name.external_id("u")}
    right = encode({"events": [event(user, EVENT, DAY, properties=PROPERTIES)]})
    for label, part, mistake in MISTAKES:
        yield send(f"JSON with {label}", raw_request(right.replace(part, mistake, 1)))
    for label, end in ENDS:
        yield send(f"JSON with {label}", raw_request(right + end))
    yield send("JSON cut in a text", raw_request(right[: right.index(b'"a"') + 2]))
    yield send("the first that counts", raw_request(right))


@probe("impossible-times", "TS-EVENT-TIME-VALID", "TS-PURCHASE-TIME-REQUIRED", "TS-STATE-REFUSED", further=True)
def impossible_times(name: Namer) -> Iterator[Step]:
    """Events and purchases at times that do not exist or are none, and at last at one that does."""
    user = {"external_id": name.external_id("u")}
    for time in TIMES:
        yield send(f"an event at {time!r}", event_request(user, EVENT, time))
    for time in PURCHASE_TIMES:
        yield send(f"a purchase at {time!r}", purchase_request(user, SKU, time))
    yield send("the first event that counts", event_request(user, EVENT, DAY))
    yield send("the first purchase that counts", purchase_request(user, SKU, DAY))
