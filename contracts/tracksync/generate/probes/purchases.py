"""Probes of purchases: counts by quantity, times, products, currencies, required fields."""

from __future__ import annotations

from collections.abc import Iterator

from tracksync.generate.build import Step, json_request, purchase, purchase_request, without
from tracksync.generate.harmless import Namer
from tracksync.generate.probes.events import EVERY_PROPERTY, MANY_PROPERTIES
from tracksync.generate.probes.probe import probe, send


@probe(
    "purchase-counts",
    "TS-PURCHASE-COUNT",
    "TS-PURCHASE-QUANTITY",
    "TS-PURCHASE-PRODUCT",
    "TS-PURCHASE-FIRST",
    "TS-PURCHASE-LAST",
    "TS-PURCHASE-FUTURE",
    "TS-PURCHASE-REFUND",
    "TS-PURCHASE-PRODUCT-LENGTH",
    "TS-PURCHASE-PROPERTIES",
    "TS-OK-ONLY-PURCHASES",
    "TS-USER-SPELLING",
    "TS-STATE-KEYS-APART",
)
def counts(name: Namer) -> Iterator[Step]:
    """One product in several quantities, prices and currencies, its times out of order; then other products."""
    user = {"external_id": name.external_id("u")}
    sku = "Sku é-1"
    yield send("no quantity", purchase_request(user, sku, "2024-05-05T10:00:00Z", currency="EUR", price=219.98))
    yield send(
        "quantity 2, earlier by its instant, not by its clock face",
        purchase_request(user, sku, "2024-05-05T10:30:00+01:00", currency="USD", price=10, quantity=2),
    )
    yield send(
        "quantity 100, latest by its instant",
        purchase_request(user, sku, "2024-05-05T06:00:00-05:30", currency="JPY", price=500, quantity=100),
    )
    yield send("the first again", purchase_request(user, sku, "2024-05-05T10:00:00Z", currency="EUR", price=219.98))
    yield send(
        "a refund, the earliest",
        purchase_request(user, sku, "1999-12-31T23:59:59Z", currency="BRL", price=-219.98),
    )
    yield send(
        "price nothing, no zone, the latest, with properties",
        purchase_request(
            user, sku, "2024-05-05T11:30:00.001", currency="INR", price=0, quantity=99, properties=EVERY_PROPERTY
        ),
    )
    yield send(
        "another spelling, in the future, with 300 properties",
        purchase_request(user, "SKU É-1", "2099-12-31T23:59:59Z", quantity=2, properties=MANY_PROPERTIES),
    )
    padded = " " + "é" * 253 + " "
    yield send("255 characters, spaces around", purchase_request(user, padded, "2021-01-01T00:00:00Z", price=1))
    for twin in (" Sku é-1", "Sku é.1", "Sku e\u0301-1"):
        yield send(f"a product called {twin!r}", purchase_request(user, twin, "2021-01-01T00:00:00Z", currency="KWD"))
    yield send("the first product again", purchase_request(user, sku, "2022-02-02T02:02:02Z", quantity=98))


@probe(
    "purchase-refused",
    "TS-PURCHASE-PRODUCT-REQUIRED",
    "TS-PURCHASE-CURRENCY-REQUIRED",
    "TS-PURCHASE-CURRENCY-VALID",
    "TS-PURCHASE-PRICE-REQUIRED",
    "TS-PURCHASE-TIME-REQUIRED",
    "TS-PURCHASE-QUANTITY",
    "TS-REFUSE-TYPE",
    "TS-REFUSE-BODY",
    "TS-REFUSE-ENTRY",
    "TS-STATE-REFUSED",
)
def refused(name: Namer) -> Iterator[Step]:
    """Each required field missing or wrong, one at a time; the last step shows whether any of them counted."""
    user = {"external_id": name.external_id("u")}
    right = purchase(user, "sku", "2023-01-01T00:00:00Z", quantity=1)
    yield send("one that counts", json_request({"purchases": [right]}))
    for label, wrong in (
        ("no product_id", without(right, "product_id")),
        ("no currency", without(right, "currency")),
        ("no price", without(right, "price")),
        ("no time", without(right, "time")),
        ("quantity 101", {**right, "quantity": 101}),
        ("quantity two and a half", {**right, "quantity": 2.5}),
        ("a currency that is none", {**right, "currency": "ZZZ"}),
        ("a price that is a word", {**right, "price": "dear"}),
        ("a time that is a word", {**right, "time": "yesterday"}),
        ("a product_id of 256 characters", {**right, "product_id": "p" * 256}),
        ("a price that is a list", {**right, "price": [1]}),
        ("a quantity that is an object", {**right, "quantity": {"n": 1}}),
        ("a product_id that is an object", {**right, "product_id": {"sku": "sku"}}),
    ):
        yield send(label, json_request({"purchases": [wrong]}))
    yield send("the right one again", json_request({"purchases": [right]}))
    for quantity in (0, -1):
        odd = {**right, "product_id": "none", "quantity": quantity}
        yield send(f"quantity {quantity}, of another product", json_request({"purchases": [odd]}))
