"""The spec's schemas as validators, and requests of each of the three classes, for the tests of the contract."""

from __future__ import annotations

from functools import cache
from typing import Any

from jsonschema import Draft202012Validator

from tracksync.contract import spec

TIME = "2022-12-06T19:20:45+01:00"
EVENT: dict[str, Any] = {"external_id": "u", "name": "rented_movie", "time": TIME}
PURCHASE: dict[str, Any] = {"external_id": "u", "product_id": "p", "currency": "USD", "price": 1.5, "time": TIME}


@cache
def validator(schema: str) -> Draft202012Validator:
    """A validator for one of the document's component schemas, which also holds values to their formats."""
    root = {"$ref": f"#/components/schemas/{schema}", "components": spec.load()["components"]}
    return Draft202012Validator(root, format_checker=Draft202012Validator.FORMAT_CHECKER)


def attributes(**named: Any) -> dict[str, Any]:
    return {"attributes": [{"external_id": "u", **named}]}


def event(*without: str, **named: Any) -> dict[str, Any]:
    return {"events": [{name: value for name, value in (EVENT | named).items() if name not in without}]}


def purchase(*without: str, **named: Any) -> dict[str, Any]:
    return {"purchases": [{name: value for name, value in (PURCHASE | named).items() if name not in without}]}


VALID: dict[str, Any] = {
    "a time without a zone": event(time="2022-12-06T19:20:45"),
    "an email beside the external_id and nothing else": attributes(email="person@example.com"),
    "a custom string of 256 characters": attributes(text="x" * 256),
    "a custom string of 10,000 characters": attributes(text="x" * 10_000),
    "an array of 501 elements": attributes(numbers=list(range(501))),
    "an edit that adds 600 elements": attributes(numbers={"add": list(range(600))}),
    "an array with repeated values": attributes(fruit=["apple", "apple"]),
    "an object with a null inside": attributes(thing={"inner": None}),
    "an object with an ill-formed time inside": attributes(thing={"inner": {"$time": "yesterday"}}),
    "an object inside objects": attributes(thing={"a": {"b": {"c": [1, {"d": 2}]}}}),
    "an edit of an array of objects": attributes(
        things={"$update": [{"$identifier_key": "id", "$identifier_value": 1, "$new_object": {"a": 1}}]}
    ),
    "an increment below zero": attributes(number={"inc": -3}),
    "a null for an attribute": attributes(text=None),
    "a date far away": attributes(when="9999-12-31T23:59:59Z"),
    "an unknown user who may not be created": attributes(_update_existing_only=True, text="x"),
    "an email beside the external_id": attributes(email="person@example.com", text="x"),
    "an event in the future": event(time="2099-01-01T00:00:00Z"),
    "an event with more than 256 properties": event(properties={f"p{number}": number for number in range(300)}),
    "an event by email and phone": event("external_id", email="person@example.com", phone="+12025550123"),
    "a refund": purchase(price=-1.5),
    "the largest quantity": purchase(quantity=100),
    "a product_id of 255 characters": purchase(product_id="x" * 255),
}

REFUSED: dict[str, Any] = {
    "an array": [],
    "a text": "attributes",
    "null": None,
    "nothing at all": {},
    "no section": {"partner": "x"},
    "only empty sections": {"attributes": [], "events": [], "purchases": []},
    "a section that is a text": {"attributes": "x"},
    "a section that holds a text": {"attributes": ["x"]},
    "two sections": attributes(text="x") | event(),
    "three sections": attributes(text="x") | event() | purchase(),
    "two objects in a section": {"events": [EVENT, EVENT]},
    "attributes without an identifier": {"attributes": [{"text": "x"}]},
    "an event without an identifier": event("external_id"),
    "a purchase without an identifier": purchase("external_id"),
    "null as the only identifier": attributes(external_id=None, text="x"),
    "a boolean as identifier": attributes(external_id=True, text="x"),
    "an array as identifier": event(external_id=["u"]),
    "an alias without its label": event("external_id", user_alias={"alias_name": "n"}),
    "an alias without its name": event("external_id", user_alias={"alias_label": "l"}),
    "an alias that is a text": event("external_id", user_alias="n"),
    "an event without a name": event("name"),
    "an event whose name is an array": event(name=["rented_movie"]),
    "an event whose name is null": event(name=None),
    "an event without a time": event("time"),
    "an event whose time is not a time": event(time="yesterday"),
    "an event whose time is empty": event(time=""),
    "an event with a property called time": event(properties={"time": 1}),
    "an event with a property called event_name": event(properties={"event_name": "x"}),
    "a purchase without a product_id": purchase("product_id"),
    "a purchase whose product_id is an object": purchase(product_id={}),
    "a purchase without a currency": purchase("currency"),
    "a currency of four letters": purchase(currency="USDX"),
    "a currency with a digit": purchase(currency="US1"),
    "a purchase without a price": purchase("price"),
    "a price that is a word": purchase(price="expensive"),
    "a price that is null": purchase(price=None),
    "a quantity above 100": purchase(quantity=101),
    "a quantity with a fraction": purchase(quantity=1.5),
    "a purchase without a time": purchase("time"),
    "a purchase whose time is not a time": purchase(time="soon"),
}

# By ambiguity where there is one: a server may accept it or refuse it.
OPEN: dict[str, Any] = {
    "a quantity that is a boolean": purchase(quantity=True),
    "a price that is a boolean": purchase(price=True),
    "a currency that is a number": purchase(currency=840),
    "properties that are a text": purchase(properties="x"),
    "properties that are an array": event(properties=["x"]),
    "an event whose time is a boolean": event(time=True),
    "an object for _update_existing_only": attributes(_update_existing_only={}, text="x"),
    "an alias with a boolean in it": event("external_id", user_alias={"alias_name": True, "alias_label": "l"}),
    "an empty identifier": attributes(external_id="", text="x"),
    "an integer in disguise as quantity": purchase(quantity=16.0),
    "an event by braze_id": event("external_id", braze_id="5f8b2c3d4e5f6a7b8c9d0e1f"),
    "a number beyond 2^63": attributes(number=2**64),
    "bare-object": {"attributes": {"external_id": "u", "text": "x"}},
    "bare-object, an event": {"events": EVENT},
    "empty-sections": attributes(text="x") | {"events": [], "purchases": []},
    "integer-identifiers": attributes(external_id=123, text="x"),
    "integer-identifiers, a product": purchase(product_id=123),
    "identifier-precedence": attributes(braze_id="b", text="x"),
    "empty-attributes": attributes(),
    "empty-attributes, with a control key": attributes(_update_existing_only=False),
    "coerced-types, a name": event(name=5),
    "coerced-types, a price": purchase(price="1.5"),
    "coerced-types, a quantity": purchase(quantity="2"),
    "quantity-low": purchase(quantity=0),
    "quantity-low, below zero": purchase(quantity=-1),
    "bad-email": event("external_id", email="no-at-sign"),
    "invalid-object, a dot": attributes(thing={"a.b": 1}),
    "invalid-object, a dollar sign": attributes(thing={"$a": 1}),
    "invalid-object, in depth": attributes(thing={"a": [{"b": {"c.d": 1}}]}),
    "invalid-object, a long string": attributes(thing={"a": "x" * 256}),
    "an edit of objects and more": attributes(thing={"$add": [{"a": 1}], "b": 1}),
    "an unknown section beside": attributes(text="x") | {"partner": "x"},
    "a date alone": event(time="2022-12-06"),
    "a currency in small letters": purchase(currency="usd"),
    "a currency that was withdrawn": purchase(currency="DEM"),
    "a null among identifiers": event(email=None),
    "a phone number that is a word": event("external_id", phone="home"),
}
