"""Probes off the beaten track: what the others look at once, by the other kinds of identifiers and in other sections.

They come last: without them every clause has been covered, with them more of the ways in which one can be broken.
"""

from __future__ import annotations

from collections.abc import Iterator

from tracksync.contract.bounds import SYNC
from tracksync.generate.build import (
    SentKey,
    Step,
    attributes,
    attributes_request,
    encode,
    event_request,
    json_request,
    purchase,
    purchase_request,
    raw_request,
)
from tracksync.generate.harmless import Namer
from tracksync.generate.probes.probe import probe, send

DAY = "2023-09-01T12:00:00Z"
SEEN = "seen"
SKU = "sku"
LONG = 180


@probe(
    "long-names-apart",
    "TS-USER-ALIAS-LABEL",
    "TS-USER-SPELLING",
    "TS-EVENT-NAME",
    "TS-PURCHASE-PRODUCT",
    "TS-STATE-USERS-APART",
    "TS-STATE-KEYS-APART",
    further=True,
)
def long_names(name: Namer) -> Iterator[Step]:
    """Labels, names and identifiers that differ at their end only, or in where one part ends and the next begins."""
    label = "l" * LONG
    yield send(
        "an alias with a long label",
        attributes_request({"user_alias": name.alias("a", f"{label}1")}, {"n": 1}, _update_existing_only=False),
    )
    for other in (f"{label}2", f"{label}1".upper(), f" {label}1 "):
        yield send(
            "the name under a label much like it, unsaid, no user",
            event_request({"user_alias": name.alias("a", other)}, SEEN, DAY),
        )
    start = name.alias("")["alias_name"]
    pairs = (((f"{start}b", "c"), (start, "bc")), ((f"{start}{start}", "l"), (start, f"l{start}")))
    for (first, first_label), (second, second_label) in pairs:
        made = {"user_alias": {"alias_name": first, "alias_label": first_label}}
        yield send("an alias", attributes_request(made, {"n": 1}, _update_existing_only=False))
        like = {"user_alias": {"alias_name": second, "alias_label": second_label}}
        yield send("one that reads the same when run together, no user", event_request(like, SEEN, DAY))
    tail = "n" * LONG
    long_alias = {"user_alias": name.alias(f"{tail}1")}
    yield send("an alias with a long name", attributes_request(long_alias, {"n": 1}, _update_existing_only=False))
    yield send("another, unsaid, no user", event_request({"user_alias": name.alias(f"{tail}2")}, SEEN, DAY))
    user = {"external_id": name.external_id(f"{tail}1")}
    yield send("a long external_id", event_request(user, f"{tail}1", DAY))
    yield send("another long one", event_request({"external_id": name.external_id(f"{tail}2")}, f"{tail}1", DAY))
    yield send("another event with a long name", event_request(user, f"{tail}2", DAY))
    yield send("a product with a long name", purchase_request(user, f"{tail}1", DAY))
    yield send("another", purchase_request(user, f"{tail}2", DAY))
    yield send("two attributes with long names", attributes_request(user, {f"{tail}1": 1, f"{tail}2": 2}))
    yield send("the first of them", attributes_request(user, {f"{tail}1": {"inc": 1}}))


@probe(
    "user-by-every-section",
    "TS-USER-UPDATE-ONLY",
    "TS-USER-EMAIL-CREATE",
    "TS-USER-PHONE-CREATE",
    "TS-USER-EMAIL-FINDS",
    "TS-USER-PHONE-FINDS",
    "TS-ATTR-NULL",
    "TS-ATTR-INC",
    "TS-PURCHASE-COUNT",
    "TS-STATE-KEYS-APART",
    further=True,
)
def every_section(name: Namer) -> Iterator[Step]:
    """Each kind of identifier in the sections where the other probes do not use it."""
    by_email, by_phone = {"email": name.email("new")}, {"phone": name.phone("new")}
    by_alias = {"user_alias": name.alias("new")}
    yield send("email, purchase, update only", purchase_request(by_email, SKU, DAY, _update_existing_only=True))
    yield send("email, event, update only", event_request(by_email, SEEN, DAY, _update_existing_only=True))
    yield send("email, purchase, creates", purchase_request(by_email, SKU, DAY))
    yield send("phone, attributes, update only", attributes_request(by_phone, {"n": 1}, _update_existing_only=True))
    yield send("phone, purchase, update only", purchase_request(by_phone, SKU, DAY, _update_existing_only=True))
    yield send("phone, purchase, creates", purchase_request(by_phone, SKU, DAY))
    yield send("another phone, event, creates", event_request({"phone": name.phone("caller")}, SEEN, DAY))
    yield send("alias, purchase, update only", purchase_request(by_alias, SKU, DAY, _update_existing_only=True))
    yield send("alias, made", attributes_request(by_alias, {"s": "x", "n": 1}, _update_existing_only=False))
    yield send("alias, a sum and a removal", attributes_request(by_alias, {"s": None, "n": {"inc": 2}}))
    yield send("alias, an event, update only, known", event_request(by_alias, SEEN, DAY, _update_existing_only=True))
    yield send("alias, a purchase", purchase_request(by_alias, SKU, DAY))
    yield send("alias, a later purchase, on a leap day", purchase_request(by_alias, SKU, "2024-02-29T12:00:00Z"))
    ada = {"external_id": name.external_id("ada")}
    email, phone = name.email("ada"), name.phone("ada")
    yield send(
        "Ada, by email and phone", attributes_request(ada, {"n": 10, "s": "x", SKU: 5}, email=email, phone=phone)
    )
    yield send("an event of hers", event_request(ada, SEEN, DAY))
    yield send("by email, an event before it", event_request({"email": email}, SEEN, "2023-08-01T12:00:00Z"))
    yield send("by phone, a sum", attributes_request({"phone": phone}, {"n": {"inc": 1}}))
    yield send("by email, a removal", attributes_request({"email": email}, {"s": None, "n": {"inc": 1}}))
    yield send("by email, a purchase", purchase_request({"email": email}, SKU, DAY))
    yield send("by phone, a purchase", purchase_request({"phone": phone}, SKU, DAY))
    yield send("the attribute called like the product", attributes_request(ada, {SKU: {"inc": 1}}, first_name=None))
    yield send("after a profile field was removed", attributes_request(ada, {"n": {"inc": 1}}))
    yield send("another phone", attributes_request(ada, {"m": 1}, phone=name.phone("moved")))
    yield send("by that phone, a sum", attributes_request({"phone": name.phone("moved")}, {"n": {"inc": 1}}))
    yield send("another email", attributes_request(ada, {"m": 2}, email=name.email("moved")))
    yield send("by that email, a sum", attributes_request({"email": name.email("moved")}, {"n": {"inc": 1}}))


@probe(
    "flags-and-lists",
    "TS-OBJECT-REPLACE",
    "TS-ARRAY-SET",
    "TS-ARRAY-ADD-PRESENT",
    "TS-ATTR-INC",
    "TS-OBJECTS-UPDATE",
    "TS-OBJECTS-REMOVE",
    "TS-ATTR-DATE",
    "TS-EVENT-FIRST",
    "TS-PURCHASE-FIRST",
    "TS-STATE-REFUSED",
    further=True,
)
def flags_and_lists(name: Namer) -> Iterator[Step]:
    """Flags beside values that they do not concern, edits of more than one element, early and zoneless times."""
    user = {"external_id": name.external_id("u")}
    items = [{"id": 1, "n": 1}, {"id": 2, "n": 1}, {"id": 3, "n": 1}]
    values = {"o": {"a": 1}, "tags": ["a", "b", "c"], "n": 1, "items": items}
    yield send("values", attributes_request(user, values))
    beside = attributes_request(user, {"n": {"inc": 1}}, email=[name.email("u")])
    yield send("a sum beside an email that is a list, refused or not", beside)
    yield send("an object, not to be merged", attributes_request(user, {"o": {"b": 2}}, _merge_objects=False))
    yield send(
        "to be merged, beside an array and a sum",
        attributes_request(user, {"o": {"c": 3}, "tags": ["d", "e", "f"], "n": {"inc": 1}}, _merge_objects=True),
    )
    present = attributes_request(user, {"tags": {"add": ["d", "e"]}, "n": {"inc": 1}}, _update_existing_only=False)
    yield send("two that are there already, and a sum, create when unknown", present)
    change = [
        {"$identifier_key": "id", "$identifier_value": number, "$new_object": {"id": number, "n": 7}}
        for number in (1, 3)
    ]
    yield send("two elements changed", attributes_request(user, {"items": {"$update": change}}, _merge_objects=True))
    gone = [{"$identifier_key": "id", "$identifier_value": number} for number in (1, 2)]
    yield send("two elements removed", attributes_request(user, {"items": {"$remove": gone}}))
    yield send("a summer's noon without a zone", attributes_request(user, {"noon": "2023-07-01T12:00:00"}))
    yield send("an event", event_request(user, SEEN, DAY))
    yield send("an event of 1850", event_request(user, SEEN, "1850-01-01T12:00:00Z"))
    yield send("a purchase, dear and to the tenth of a cent", purchase_request(user, SKU, DAY, price=12345.678))
    yield send("a purchase of 1969", purchase_request(user, SKU, "1969-06-01T12:00:00Z"))
    for label, wrong in (("price", {"price": None}), ("time", {"time": None})):
        yield send(f"a purchase whose {label} is null", json_request({"purchases": [purchase(user, SKU, DAY) | wrong]}))
    yield send("the purchase again", purchase_request(user, SKU, DAY))
    in_single_quotes = event_request(user, SEEN, DAY).body.replace(b'"', b"'")
    yield send("an event in single quotes", raw_request(in_single_quotes))


@probe("email-of-several", "TS-USER-EMAIL-FINDS", "TS-STATE-USERS-APART", further=True)
def email_of_several(name: Namer) -> Iterator[Step]:
    """Of the holders of an email one with an external_id is found, although an alias was updated after it."""
    ada, bob = {"external_id": name.external_id("ada")}, {"user_alias": name.alias("bob")}
    email = name.email("several")
    yield send("Ada has the email", attributes_request(ada, {"who": {"name": "ada"}}, email=email))
    known = attributes_request(bob, {"who": "bob"}, email=email, _update_existing_only=False)
    yield send("an alias gets the email too, most recently", known)
    merged = attributes_request({"email": email}, {"who": {"found": True}}, _merge_objects=True)
    yield send("by email, which is Ada: merged", merged)
    yield send("an event by email", event_request({"email": email}, SEEN, DAY))
    yield send("Ada's own, the second", event_request(ada, SEEN, DAY))


@probe(
    "refused-creates-no-user", "TS-STATE-REFUSED", "TS-AUTH-INVALID", "TS-AUTH-PERMISSION", "TS-ROUTE-URL", further=True
)
def creates_no_user(name: Namer) -> Iterator[Step]:
    """Requests that are refused for their key or their address would have created a user: no user is there."""
    for tag, key, path in (
        ("401", SentKey.INVALID, SYNC),
        ("403", SentKey.UNPRIVILEGED, SYNC),
        ("404", SentKey.VALID, f"{SYNC}/more"),
    ):
        user = {"external_id": name.external_id(tag)}
        content = encode({"attributes": [attributes(user, {"n": 1})]})
        yield send(f"to be answered {tag}", raw_request(content, path=path), key)
        yield send("update only, no user", attributes_request(user, {"m": 1}, _update_existing_only=True))
