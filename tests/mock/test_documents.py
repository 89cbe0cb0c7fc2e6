"""The three documented exchanges of the sync page, as the mock responds to them."""

from __future__ import annotations

from mock_harness import Harness, entry, value


def test_attributes_by_external_id_are_answered_as_documented() -> None:
    response = Harness().attributes(
        "xyz123",
        string_attribute="fruit",
        boolean_attribute_1=True,
        integer_attribute=25,
        array_attribute=["banana", "apple"],
    )
    assert response.status == 201
    assert value(response) == {
        "users": [
            {
                "external_id": "xyz123",
                "custom_attributes": {
                    "string_attribute": "fruit",
                    "boolean_attribute_1": True,
                    "integer_attribute": 25,
                    "array_attribute": ["banana", "apple"],
                },
            }
        ],
        "message": "success",
    }


def test_an_event_by_email_is_answered_as_documented() -> None:
    harness = Harness()
    item = {
        "email": "test@example.com",
        "app_id": "your_app_identifier",
        "name": "rented_movie",
        "properties": {
            "release": {"studio": "FilmStudio", "year": "2022"},
            "cast": [{"name": "Actor1"}, {"name": "Actor2"}],
        },
    }
    for _ in range(9):
        harness.send({"events": [item | {"time": "2022-01-01T00:00:00Z"}]})
    response = harness.send({"events": [item | {"time": "2022-12-06T19:20:45+01:00"}]})
    assert response.status == 201
    assert value(response) == {
        "users": [
            {
                "email": "test@example.com",
                "custom_events": [
                    {
                        "name": "rented_movie",
                        "first": "2022-01-01T00:00:00.000Z",  # the page prints the day as 001
                        "last": "2022-12-06T18:20:45.000Z",
                        "count": 10,
                    }
                ],
            }
        ],
        "message": "success",
    }


def test_a_purchase_by_alias_is_answered_as_documented() -> None:
    harness = Harness()
    alias = {"alias_name": "device123", "alias_label": "my_device_identifier"}
    item = {
        "user_alias": alias,
        "app_id": "11ae5b4b-2445-4440-a04f-bf537764c9ad",
        "product_id": "Completed Order",
        "currency": "USD",
        "price": 219.98,
        "properties": {
            "products": [
                {"name": "Monitor", "category": "Gaming", "product_amount": 19.99},
                {"name": "Gaming Keyboard", "category": "Gaming ", "product_amount": 199.99},
            ]
        },
    }
    harness.send({"attributes": [{"user_alias": alias, "_update_existing_only": False, "seen": True}]})
    for _ in range(2):
        harness.send({"purchases": [item | {"time": "2013-07-16T19:20:30+01:00"}]})
    response = harness.send({"purchases": [item | {"time": "2022-12-06T19:20:45+01:00"}]})
    assert entry(response) == {
        "user_alias": alias,
        "purchase_events": [
            {
                "product_id": "Completed Order",
                "first": "2013-07-16T18:20:30.000Z",  # the page prints it with the offset of the request
                "last": "2022-12-06T18:20:45.000Z",
                "count": 3,
            }
        ],
    }
