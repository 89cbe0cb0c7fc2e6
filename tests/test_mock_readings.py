"""Every reading of every ledger row can be chosen, and changes what it says and nothing else."""

from __future__ import annotations

from typing import Any

import pytest

from mock_desk import DELETE, SYNC, TIME, TRACK, Desk, entry, errors, head, purchase_of, value
from tracksync import ledger
from tracksync.limits import BODY_BYTES

ALIAS = {"alias_name": "n", "alias_label": "l"}


def desk(row: str, reading: str, **config: Any) -> Desk:
    return Desk(readings={row: reading}, **config)


def test_every_reading_can_be_chosen_together_with_any_other() -> None:
    for row, entry_ in ledger.ledger().items():
        for reading in entry_.readings:
            assert desk(row, reading).shown(a=1) == {"a": 1}


@pytest.mark.parametrize(("reading", "status"), [("accepted", 201), ("refused", 400)])
def test_a_bare_object(reading: str, status: int) -> None:
    assert desk("bare-object", reading).send({"attributes": {"external_id": "u", "a": 1}}).status == status


@pytest.mark.parametrize(("reading", "users"), [("created", 1), ("never", 0)])
def test_an_event_for_an_unknown_alias_with_an_explicit_false(reading: str, users: int) -> None:
    at = desk("alias-create", reading)
    body = {"events": [{"user_alias": ALIAS, "_update_existing_only": False, "name": "e", "time": TIME}]}
    assert len(value(at.send(body))["users"]) == len(at.app.store) == users


@pytest.mark.parametrize(("reading", "status"), [("ignored", 201), ("refused", 400)])
def test_empty_sections(reading: str, status: int) -> None:
    at = desk("empty-sections", reading)
    assert at.send({"attributes": [{"external_id": "u", "a": 1}], "events": [], "purchases": []}).status == status
    assert at.send({"attributes": []}).status == 400


@pytest.mark.parametrize(("reading", "shown"), [("integer", 7), ("string", "7"), ("refused", None)])
def test_integers_as_external_ids(reading: str, shown: Any) -> None:
    at = desk("integer-identifiers", reading)
    response = at.send({"attributes": [{"external_id": 7, "a": 1}]})
    assert errors(response) if shown is None else entry(response)["external_id"] == shown
    assert at.send({"attributes": [{"external_id": 7, "a": 1}]}, TRACK).status == 201


@pytest.mark.parametrize(("reading", "shown"), [("integer", 7), ("string", "7"), ("refused", None)])
def test_integers_as_product_ids(reading: str, shown: Any) -> None:
    response = desk("integer-products", reading).send({"purchases": [purchase_of() | {"product_id": 7}]})
    assert errors(response) if shown is None else entry(response)["purchase_events"][0]["product_id"] == shown


@pytest.mark.parametrize(("reading", "kept"), [("unchanged", [0, 1]), ("newest", [2, 3, 4]), ("first", [0, 1, 2])])
def test_an_array_over_the_limit(reading: str, kept: list[int]) -> None:
    at = desk("array-overflow", reading, array_limit=3)
    at.attributes(a=[0, 1])
    assert at.shown(a={"add": [2, 3, 4]})["a"] == kept
    assert at.stored()["custom_attributes"]["a"] == kept


@pytest.mark.parametrize(("reading", "fits"), [("code-points", True), ("utf16", False)])
def test_a_character(reading: str, fits: bool) -> None:
    assert ("a" in desk("string-length", reading).shown(a="🎉" * 128)) is fits


@pytest.mark.parametrize(("reading", "shown"), [("null", {"a": None}), ("omitted", {})])
def test_a_removed_attribute(reading: str, shown: Any) -> None:
    at = desk("removed-attribute", reading)
    at.attributes(a=1)
    assert at.shown(a=None) == shown
    assert at.stored()["custom_attributes"] == {}


@pytest.mark.parametrize(("reading", "shown"), [("previous", {"a": 1}), ("omitted", {})])
def test_a_refused_attribute(reading: str, shown: Any) -> None:
    at = desk("refused-attribute", reading)
    at.attributes(a=1)
    assert at.shown(a="x" * 256) == shown
    assert at.stored()["custom_attributes"] == {"a": 1}


@pytest.mark.parametrize(
    ("reading", "body"),
    [("empty-list", {"users": [], "message": "success"}), ("omitted", {"message": "success"})],
)
def test_no_user(reading: str, body: Any) -> None:
    assert value(desk("no-user", reading).attributes(_update_existing_only=True, a=1)) == body


@pytest.mark.parametrize(("reading", "count"), [("quantity", 5), ("one", 2)])
def test_the_count_of_purchases(reading: str, count: int) -> None:
    at = desk("purchase-count", reading)
    at.purchase(quantity=4)
    assert entry(at.purchase())["purchase_events"][0]["count"] == count


@pytest.mark.parametrize(
    ("reading", "shown"),
    [
        ("utc-millis", "2022-12-06T18:20:45.000Z"),
        ("utc-offset", "2022-12-06T18:20:45.000+00:00"),
        ("utc-micros", "2022-12-06T18:20:45.000000Z"),
        ("as-sent", "2022-12-06T19:20:45.000+01:00"),
    ],
)
def test_the_form_of_times(reading: str, shown: str) -> None:
    assert entry(desk("time-form", reading).event())["custom_events"][0]["last"] == shown


def test_extras_are_fields_and_headers_and_another_order() -> None:
    at = desk("extras", "rich")
    response = at.attributes(a=1)
    body = value(response)
    assert list(body)[1:] == ["message", "users"]
    assert body["users"][0]["custom_attributes"] == {"a": 1}
    assert len(body["users"][0]) == 3
    assert head(response, "x-served-by")


@pytest.mark.parametrize(("reading", "kept"), [("unique", 2), ("kept", 3)])
def test_repeats_in_an_array(reading: str, kept: int) -> None:
    at = desk("array-repeats", reading)
    assert len(at.shown(a=["x", "y", "x"])["a"]) == kept


@pytest.mark.parametrize(("reading", "status"), [("no-user", 201), ("refused", 400)])
def test_an_unknown_braze_id(reading: str, status: int) -> None:
    assert desk("unknown-braze-id", reading).send({"attributes": [{"braze_id": "b" * 24, "a": 1}]}).status == status


@pytest.mark.parametrize(("reading", "status"), [("read", 201), ("bad-request", 400), ("unsupported", 415)])
@pytest.mark.parametrize("media", ["text/plain", None, "application/x-www-form-urlencoded"])
def test_another_content_type(reading: str, status: int, media: str | None) -> None:
    at = desk("content-type", reading)
    body = {"attributes": [{"external_id": "u", "a": 1}]}
    assert at.send(body, media=media).status == status
    assert at.send(body, media="Application/JSON; charset=utf-8").status == 201


@pytest.mark.parametrize(("reading", "status"), [("not-found", 404), ("not-allowed", 405)])
@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE", "PATCH", "OPTIONS"])
def test_another_method(reading: str, status: int, method: str) -> None:
    assert desk("wrong-method", reading).send(b"", method=method).status == status


@pytest.mark.parametrize(("reading", "status"), [("too-large", 413), ("bad-request", 400), ("accepted", 201)])
def test_a_body_over_4_mb(reading: str, status: int) -> None:
    at = desk("body-size", reading)
    body = b'{"attributes":[{"external_id":"u","a":1}]}'
    assert at.send(body.ljust(BODY_BYTES)).status == 201
    assert at.send(body.ljust(BODY_BYTES + 1)).status == status


def test_the_message_of_a_surplus_is_general_or_special() -> None:
    body = {"attributes": [{"external_id": "u", "a": 1}] * 2}
    general, special = (value(desk("surplus-message", reading).send(body)) for reading in ("general", "special"))
    assert general["message"] == value(Desk().send({}))["message"] != special["message"]


@pytest.mark.parametrize(("reading", "kind"), [("objects", dict), ("texts", str)])
def test_the_entries_of_errors(reading: str, kind: type) -> None:
    assert {type(one) for one in errors(desk("error-entries", reading).send({}))} == {kind}


@pytest.mark.parametrize(
    ("reading", "leader"), [("external-id", "external_id"), ("alias", "user_alias"), ("braze-id", "braze_id")]
)
def test_which_identifier_leads(reading: str, leader: str) -> None:
    at = desk("identifier-precedence", reading)
    at.attributes("known", a=1)
    ids = {"external_id": "u", "user_alias": ALIAS, "braze_id": at.stored("known")["braze_id"]}
    assert leader in entry(at.send({"attributes": [ids | {"a": 1, "_update_existing_only": False}]}))


def test_two_strong_identifiers_may_be_refused() -> None:
    at = desk("identifier-precedence", "refused")
    assert errors(at.send({"attributes": [{"external_id": "u", "braze_id": "b", "a": 1}]}))
    assert at.send({"attributes": [{"external_id": "u", "email": "a@example.com", "a": 1}]}).status == 201


@pytest.mark.parametrize(("reading", "shown"), [("as-sent", TIME), ("normalised", "2022-12-06T18:20:45.000Z")])
def test_a_date_like_attribute(reading: str, shown: str) -> None:
    at = desk("date-attribute", reading)
    assert at.shown(when=TIME, never="3001-01-01T00:00:00Z") == {"when": shown, "never": "3001-01-01T00:00:00Z"}


@pytest.mark.parametrize(("reading", "status"), [("accepted", 201), ("refused", 400)])
def test_no_attribute_at_all(reading: str, status: int) -> None:
    at = desk("empty-attributes", reading)
    assert at.attributes().status == status
    assert at.attributes(_merge_objects=True).status == status
    assert at.attributes(first_name="A").status == 201
    assert at.attributes(email="a@example.com").status == 201


@pytest.mark.parametrize(("reading", "shown"), [("from-zero", {"n": 3}), ("not-applied", {})])
def test_inc_of_nothing(reading: str, shown: Any) -> None:
    assert desk("inc-missing", reading).shown(n={"inc": 3}) == shown


@pytest.mark.parametrize(("reading", "age"), [("replace", None), ("merge", 5)])
def test_update_without_merge(reading: str, age: int | None) -> None:
    at = desk("update-without-merge", reading)
    at.attributes(o=[{"id": 1, "age": 5}])
    change = {"$identifier_key": "id", "$identifier_value": 1, "$new_object": {"id": 1, "name": "x"}}
    assert at.shown(o={"$update": [change]})["o"][0].get("age") == age


@pytest.mark.parametrize(("reading", "changed"), [("all", 2), ("first", 1)])
def test_update_with_several_matches(reading: str, changed: int) -> None:
    at = desk("update-matches", reading)
    at.attributes(o=[{"id": 1, "k": "a"}, {"id": 1, "k": "b"}])
    change = {"$identifier_key": "id", "$identifier_value": 1, "$new_object": {"id": 1, "k": "new"}}
    assert [one["k"] for one in at.shown(o={"$update": [change]})["o"]].count("new") == changed


@pytest.mark.parametrize(("reading", "status"), [("not-applied", 201), ("refused", 400)])
@pytest.mark.parametrize(
    "invalid", [{"a.b": 1}, {"$b": 1}, {"k": "x" * 256}, [{"a.b": 1}], {"$add": [{"a.b": 1}]}, {"add": [{"a.b": 1}]}]
)
def test_an_invalid_object(reading: str, status: int, invalid: Any) -> None:
    at = desk("invalid-object", reading)
    assert at.attributes(o=invalid, b=1).status == status
    assert at.attributes(o={"x": None}, b=1).status == 201
    assert at.attributes(o={"$remove": [{"$identifier_key": "a.b", "$identifier_value": None}]}).status == 201
    assert "o" not in at.stored()["custom_attributes"]


@pytest.mark.parametrize(("reading", "shown"), [("empty", {"a": []}), ("absent", {"a": None})])
def test_an_emptied_array(reading: str, shown: Any) -> None:
    at = desk("emptied-array", reading)
    at.attributes(a=[1])
    assert at.shown(a={"remove": [1]}) == shown


def test_unused_sections_may_be_shown_empty() -> None:
    shown = entry(desk("unused-sections-shown", "empty").attributes(a=1))
    assert (shown["custom_events"], shown["purchase_events"], shown["custom_attributes"]) == ([], [], {"a": 1})


@pytest.mark.parametrize(("reading", "status"), [("refused", 400), ("accepted", 201)])
def test_coerced_types(reading: str, status: int) -> None:
    at = desk("coerced-types", reading)
    assert at.purchase(price="9.99").status == at.purchase(quantity="2").status == at.event(5).status == status
    assert at.purchase(price="much").status == at.purchase(quantity="101").status == at.event([]).status == 400


@pytest.mark.parametrize(("reading", "status"), [("refused", 400), ("accepted", 201)])
def test_a_quantity_below_one(reading: str, status: int) -> None:
    at = desk("quantity-low", reading)
    assert at.purchase(quantity=0).status == at.purchase(quantity=-1).status == status


@pytest.mark.parametrize(("reading", "status"), [("refused", 400), ("accepted", 201)])
def test_an_email_that_is_none(reading: str, status: int) -> None:
    at = desk("bad-email", reading)
    assert at.send({"attributes": [{"email": "no address", "a": 1}]}).status == status
    assert at.attributes(email="no address").status == status


@pytest.mark.parametrize(("reading", "kept"), [("remove-first", ["y", "x"]), ("add-first", ["y"])])
def test_adding_and_removing_one_value(reading: str, kept: list[str]) -> None:
    at = desk("remove-add-order", reading)
    at.attributes(a=["x", "y"])
    assert at.shown(a={"add": ["x"], "remove": ["x"]})["a"] == kept


@pytest.mark.parametrize(("reading", "used"), [("all", 5), ("accepted-only", 1)])
def test_what_the_window_counts(reading: str, used: int) -> None:
    at = desk("rate-counting", reading)
    at.send(b"{")
    at.send({}, key=None)
    at.send({}, "/wrong")
    at.send({}, SYNC, method="GET")
    assert head(at.attributes(a=1), "x-ratelimit-remaining") == str(500 - used)


@pytest.mark.parametrize("reading", ["all", "accepted-only"])
def test_the_neighbours_have_windows_of_their_own(reading: str) -> None:
    at = desk("rate-counting", reading)
    assert head(at.send({"external_ids": ["u"]}, DELETE), "x-ratelimit-remaining") == "19999"
    assert head(at.attributes(a=1), "x-ratelimit-remaining") == "499"


@pytest.mark.parametrize(("reading", "shown"), [("empty", ""), ("values", "499")])
def test_the_headers_on_a_401(reading: str, shown: str) -> None:
    assert head(desk("headers-on-401", reading).send({}, key="Bearer x"), "x-ratelimit-remaining") == shown
