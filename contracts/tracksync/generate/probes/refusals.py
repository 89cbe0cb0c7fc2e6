"""Probes of refusals: bodies of the wrong form, keys that do not open, wrong addresses. None may change anything.

Every refused request carries a write that would be lawful otherwise, for a user whose counts are known, so that a
later request shows whether it was applied.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from typing import Any, Final

from tracksync.contract.bounds import SYNC, bounds
from tracksync.generate.build import (
    SentKey,
    Step,
    attributes,
    attributes_request,
    encode,
    event,
    event_request,
    json_request,
    purchase,
    purchase_request,
    raw_request,
    without,
)
from tracksync.generate.harmless import Namer
from tracksync.generate.probes.probe import probe, send

DAY = "2023-08-01T12:00:00Z"
EVENT = "refused"
SKU = "refused"


@probe(
    "refused-forms",
    "TS-REFUSE-SYNTAX",
    "TS-REFUSE-EMPTY",
    "TS-REFUSE-SECTIONS",
    "TS-REFUSE-OBJECTS",
    "TS-REFUSE-TYPE",
    "TS-REFUSE-BODY",
    "TS-REFUSE-ENTRY",
    "TS-STATE-REFUSED",
    "TS-STATE-USERS-APART",
)
def forms(name: Namer) -> Iterator[Step]:
    """Two sections, two objects, none, and bodies that are not a JSON object."""
    user, other = {"external_id": name.external_id("u")}, {"external_id": name.external_id("other")}
    one_event, one_purchase = event(user, EVENT, DAY), purchase(user, SKU, DAY)
    counter = attributes(user, {"n": {"inc": 1}})
    yield send("a counter that is known", attributes_request(user, {"n": 100}))
    yield send("an event that is known", json_request({"events": [one_event]}))
    wrong: tuple[tuple[str, Any], ...] = (
        ("attributes and an event", {"attributes": [counter], "events": [one_event]}),
        ("an event and a purchase of two users", {"events": [one_event], "purchases": [purchase(other, SKU, DAY)]}),
        ("two events", {"events": [one_event, one_event]}),
        ("three events", {"events": [one_event, one_event, one_event]}),
        ("attributes of two users", {"attributes": [counter, attributes(other, {"n": 1})]}),
        ("two purchases", {"purchases": [one_purchase, one_purchase]}),
        ("an empty object", {}),
        ("an empty section", {"attributes": []}),
        ("a list around the body", [{"events": [one_event]}]),
        ("a list of attributes objects", [counter]),
        ("a section that is a text", {"events": "text"}),
    )
    for label, body in wrong:
        yield send(label, json_request(body))
    whole = encode({"events": [one_event]})
    yield send("no body", raw_request(b""))
    yield send("a body cut short", raw_request(whole[:-1]))
    yield send("a bracket too many", raw_request(whole + b"}"))
    yield send("the event counted once", json_request({"events": [one_event]}))
    yield send("the other user was not created", event_request(other, EVENT, DAY, _update_existing_only=True))
    yield send("the counter stands", attributes_request(user, {"n": {"inc": 0}}))
    yield send("the first purchase", json_request({"purchases": [one_purchase]}))


@probe(
    "refused-identifiers",
    "TS-REFUSE-IDENTIFIER",
    "TS-REFUSE-ALIAS",
    "TS-REFUSE-TYPE",
    "TS-REFUSE-EMAIL",
    "TS-REFUSE-BODY",
    "TS-REFUSE-ENTRY",
)
def identifiers(name: Namer) -> Iterator[Step]:
    """No identifier, half an alias, identifiers of a wrong type, and an email that is none."""
    alias = name.alias("a")
    yield send("attributes without an identifier", attributes_request({}, {"n": 1}))
    yield send("an event without an identifier", event_request({}, EVENT, DAY))
    yield send("a purchase without an identifier", purchase_request({}, SKU, DAY))
    yield send(
        "an event, an alias without its label", event_request({"user_alias": without(alias, "alias_label")}, EVENT, DAY)
    )
    yield send(
        "attributes, an alias without its name",
        attributes_request({"user_alias": without(alias, "alias_name")}, {"n": 1}, _update_existing_only=False),
    )
    yield send("an alias that is a text", event_request({"user_alias": alias["alias_name"]}, EVENT, DAY))
    yield send("an email that is a list", event_request({"email": [name.email("u")]}, EVENT, DAY))
    yield send("an external_id that is a list", event_request({"external_id": [name.external_id("u")]}, EVENT, DAY))
    for _ in range(2):
        yield send("an email that is none", event_request({"email": name.external_id("no address")}, EVENT, DAY))
    yield send("no user was created", event_request({"external_id": name.external_id("u")}, EVENT, DAY))


_OTHER_KEYS: Final = (
    SentKey.INVALID,
    SentKey.MISSING,
    SentKey.UNPRIVILEGED,
    SentKey.QUOTED,
    SentKey.OTHER_SCHEME,
    SentKey.EMPTY,
    SentKey.OTHER_CASE,
    SentKey.CUT_SHORT,
    SentKey.LENGTHENED,
)


@probe(
    "keys",
    "TS-AUTH-INVALID",
    "TS-AUTH-MISSING",
    "TS-AUTH-QUOTED",
    "TS-AUTH-PERMISSION",
    "TS-REFUSE-BODY",
    "TS-STATE-REFUSED",
    "TS-RATE-HEADERS",
)
def keys(name: Namer) -> Iterator[Step]:
    """Keys that do not open, each with a lawful request; then the right key, which shows that nothing was applied."""
    user = {"external_id": name.external_id("u")}
    one_event, one_purchase = event_request(user, EVENT, DAY), purchase_request(user, SKU, DAY)
    counter = attributes_request(user, {"n": {"inc": 1}})
    yield send("a counter that is known", attributes_request(user, {"n": 100}))
    requests = (one_event, counter, one_purchase, one_event, counter, one_event, one_event, counter, one_purchase)
    for request, key in zip(requests, _OTHER_KEYS, strict=True):
        yield send(key.value, request, key)
    yield send("the first event", one_event)
    for section, request in (("attributes", counter), ("event", one_event)):
        yield send(f"{SentKey.UNPRIVILEGED.value}, {section}", request, SentKey.UNPRIVILEGED)
    yield send("the counter stands", attributes_request(user, {"n": {"inc": 0}}))
    yield send("the first purchase", one_purchase)


@probe("routes", "TS-ROUTE-URL", "TS-ROUTE-METHOD", "TS-ROUTE-MEDIA", "TS-STATE-REFUSED", "TS-ANSWER-STATUS")
def routes(name: Namer) -> Iterator[Step]:
    """Wrong addresses, methods and content types, each with a lawful event; then the event that counts."""
    user = {"external_id": name.external_id("u")}
    body = encode({"events": [event(user, EVENT, DAY)]})
    yield send("PUT", raw_request(body, method="PUT"))
    yield send("GET", raw_request(b"", method="GET", content_type=None))
    yield send("a longer URL", raw_request(body, path=SYNC + "/more"))
    yield send("a misspelt URL", raw_request(body, path="/users/track/synchronous"))
    for _ in range(2):
        yield send("text/plain", raw_request(body, content_type="text/plain"))
    yield send(
        "JSON with a charset, spaces and escapes",
        raw_request(
            body.replace(b'":', b'" :\r\n  ').replace(b"refused", b"\\u0072efused"),
            content_type="application/json; charset=utf-8",
        ),
    )


@probe(
    "other-forms",
    "TS-FORM-BARE",
    "TS-FORM-EMPTY-SECTIONS",
    "TS-ATTR-STRING",
    "TS-INTERPRETATION-KEPT",
    "TS-STATE-REFUSED",
)
def other_forms(name: Namer) -> Iterator[Step]:
    """Bare objects and empty sibling sections, which a server takes or refuses as a whole."""
    user = {"external_id": name.external_id("u")}
    one_event, one_purchase = event(user, EVENT, DAY), purchase(user, SKU, DAY)
    yield send("bare attributes", json_request({"attributes": attributes(user, {"n": 5})}))
    yield send("a bare event", json_request({"events": one_event}))
    yield send("a bare purchase", json_request({"purchases": one_purchase}))
    yield send(
        "an event beside empty sections", json_request({"attributes": [], "events": [one_event], "purchases": []})
    )
    yield send(
        "attributes beside an empty section",
        json_request({"attributes": [attributes(user, {"m": 50})], "events": []}),
    )
    yield send("the event in its list", json_request({"events": [one_event]}))
    escaped = (
        b'{"attributes":[{"external_id":"%s","s":"Zo\\u00eb \\ud83c\\udf89 \\/ \\b","n":{"inc":0},"m":{"inc":0}}]}'
    )
    yield send("both counters, and a text in escapes", raw_request(escaped % name.external_id("u").encode()))


@cache
def _padding() -> bytes:
    """An object of more than 4 MB, encoded once for all runs of a process."""
    return encode({f"p{number}": "x" * 255 for number in range(bounds().body_bytes.most // 255)})


@probe("huge-body", "TS-ROUTE-SIZE", "TS-STATE-REFUSED", heavy=True)
def huge_body(name: Namer) -> Iterator[Step]:
    """A body over 4 MB, then one that shows whether it was read."""
    user = {"external_id": name.external_id("u")}
    body = encode({"events": [event(user, EVENT, DAY, properties={"padding": None})]}).replace(b"null", _padding())
    yield send("over 4 MB", raw_request(body))
    yield send("the event again", event_request(user, EVENT, DAY))
