"""Every constraint of the document is found where it applies, with its clause."""

from __future__ import annotations

from typing import Any

import pytest

from tracksync.contract import spec
from tracksync.contract.clauses import catalogue
from tracksync.contract.constraints import KEY, MEMBER, Constraint, Direction, constraints, walk

SYNC = "/users/track/sync"


def found(**wanted: Any) -> list[Constraint]:
    return [one for one in constraints() if all(getattr(one, key) == value for key, value in wanted.items())]


def the(**wanted: Any) -> Constraint:
    [one] = found(**wanted)
    return one


@pytest.mark.parametrize(
    ("kind", "place", "value", "clause"),
    [
        ("maximum", "/purchases/0/quantity", 100, "TS-PURCHASE-QUANTITY"),
        ("minimum", "/purchases/0/quantity", 1, "TS-PURCHASE-QUANTITY"),
        ("maxLength", "/purchases/0/product_id", 255, "TS-PURCHASE-PRODUCT-LENGTH"),
        ("type", "/events/0/name", "string", "TS-REFUSE-TYPE"),
        ("maxItems", "/events", 1, "TS-REFUSE-OBJECTS"),
        ("x-max-distinct-properties", "/events/0/properties", 256, "TS-EVENT-PROPERTIES-256"),
        ("x-max-elements", f"/attributes/0/{MEMBER}", [25, 100, 500], "TS-ARRAY-LIMIT"),
        ("x-max-bytes", "", [4_000_000, 4_194_304], "TS-ROUTE-SIZE"),
        ("not", f"/events/0/properties/{KEY}", {"enum": ["time", "event_name"]}, "TS-EVENT-RESERVED"),
        ("not", f"/purchases/0/properties/{KEY}", {"enum": ["time", "event_name"]}, None),
        ("maxLength", f"/attributes/0/{KEY}", 255, None),
    ],
)
def test_a_constraint_of_requests(kind: str, place: str, value: Any, clause: str | None) -> None:
    one = the(kind=kind, place=place, path=SYNC, direction=Direction.REQUEST)
    assert (one.value, one.clause) == (value, clause)
    assert one.section == (place.split("/")[1] if place else None)


@pytest.mark.parametrize(
    ("member", "clause"),
    [
        ("product_id", "TS-PURCHASE-PRODUCT-REQUIRED"),
        ("currency", "TS-PURCHASE-CURRENCY-REQUIRED"),
        ("price", "TS-PURCHASE-PRICE-REQUIRED"),
        ("time", "TS-PURCHASE-TIME-REQUIRED"),
    ],
)
def test_a_required_member_has_the_clause_that_its_own_schema_names(member: str, clause: str) -> None:
    assert the(kind="required", value=member, place="/purchases/0", path=SYNC).clause == clause


@pytest.mark.parametrize(
    ("kind", "place", "clause"),
    [
        ("const", "/message", "TS-OK-MESSAGE"),
        ("maxItems", "/errors", "TS-OK-NO-ERRORS"),
        ("minimum", "/users/0/custom_events/0/count", "TS-OK-COUNT-FORM"),
        ("format", "/users/0/purchase_events/0/last", "TS-OK-TIME-FORM"),
        ("anyOf", "/users/0", "TS-OK-IDENTIFIER"),
    ],
)
def test_a_constraint_of_responses(kind: str, place: str, clause: str) -> None:
    assert the(kind=kind, place=place, path=SYNC, status="201").clause == clause


def test_the_rate_headers_are_constraints_too() -> None:
    one = the(kind="required", header="x-ratelimit-reset", path=SYNC, status="429")
    assert (one.direction, one.clause) == (Direction.RESPONSE, "TS-RATE-HEADERS")


def test_every_pointer_leads_to_what_the_constraint_says() -> None:
    for one in constraints():
        if one.header is None:
            assert spec.at(spec.document(), one.pointer) == one.value, one


def test_every_clause_is_in_the_catalogue() -> None:
    assert {one.clause for one in constraints() if one.clause} <= set(catalogue())


def test_a_shared_schema_counts_once_for_each_place() -> None:
    places = {one.place for one in found(path=SYNC, pointer="/components/schemas/ExternalId/maxLength")}
    assert places == {"/attributes/0/external_id", "/events/0/external_id", "/purchases/0/external_id"}


def test_no_constraint_is_listed_twice() -> None:
    keys = [(one.pointer, one.path, one.status, one.place, one.header, one.alternatives) for one in constraints()]
    assert len(keys) == len(set(keys))


def test_alternatives_say_which_branch_a_constraint_belongs_to() -> None:
    one = the(kind="x-max-length", path=SYNC)
    assert [pointer.rpartition("/")[0] for pointer in one.alternatives] == [
        "/components/schemas/SyncRequest/oneOf",
        "/components/schemas/CustomAttribute/anyOf",
    ]


def test_any_openapi_document_can_be_walked() -> None:
    document = {
        "openapi": "3.0.3",
        "paths": {
            "/a~b": {
                "post": {
                    "requestBody": {"$ref": "#/components/requestBodies/B"},
                    "responses": {"200": {"description": "fine"}},
                }
            }
        },
        "components": {
            "requestBodies": {"B": {"content": {"application/json": {"schema": {"$ref": "#/components/schemas/T"}}}}},
            "schemas": {
                "T": {
                    "type": "object",
                    "required": ["leaf"],
                    "properties": {
                        "leaf": {"type": "string", "maxLength": 3},
                        "more": {"$ref": "#/components/schemas/T"},
                    },
                }
            },
        },
    }
    kinds = [(one.kind, one.place, one.path) for one in walk(document)]
    assert kinds == [
        ("type", "", "/a~b"),
        ("required", "", "/a~b"),
        ("type", "/leaf", "/a~b"),
        ("maxLength", "/leaf", "/a~b"),
    ]
