"""Every interpretation of every ambiguity can be chosen, and changes what it says and nothing else."""

from __future__ import annotations

from typing import Any

import pytest
from mock_harness import DELETE, SYNC, TIME, TRACK, Harness, entry, errors, head, purchase_of, value

from tracksync.contract import ambiguities
from tracksync.mock.limits import BODY_BYTES

ALIAS = {"alias_name": "n", "alias_label": "l"}


def harness(ambiguity: str, interpretation: str, **config: Any) -> Harness:
    return Harness(interpretations={ambiguity: interpretation}, **config)


def test_every_interpretation_can_be_chosen_together_with_any_other() -> None:
    for ambiguity, entry_ in ambiguities.ambiguity_catalogue().items():
        for interpretation in entry_.interpretations:
            assert harness(ambiguity, interpretation).shown(a=1) == {"a": 1}


@pytest.mark.parametrize(("interpretation", "status"), [("accepted", 201), ("refused", 400)])
def test_a_bare_object(interpretation: str, status: int) -> None:
    assert harness("bare-object", interpretation).send({"attributes": {"external_id": "u", "a": 1}}).status == status


@pytest.mark.parametrize(("interpretation", "users"), [("created", 1), ("never", 0)])
def test_an_event_for_an_unknown_alias_with_an_explicit_false(interpretation: str, users: int) -> None:
    at = harness("alias-create", interpretation)
    body = {"events": [{"user_alias": ALIAS, "_update_existing_only": False, "name": "e", "time": TIME}]}
    assert len(value(at.send(body))["users"]) == len(at.app.store) == users


@pytest.mark.parametrize(("interpretation", "status"), [("ignored", 201), ("refused", 400)])
def test_empty_sections_are_ignored_or_refused(interpretation: str, status: int) -> None:
    at = harness("empty-sections", interpretation)
    assert at.send({"attributes": [{"external_id": "u", "a": 1}], "events": [], "purchases": []}).status == status
    assert at.send({"attributes": []}).status == 400


@pytest.mark.parametrize(("interpretation", "shown"), [("integer", 7), ("string", "7"), ("refused", None)])
def test_integers_as_external_ids(interpretation: str, shown: Any) -> None:
    at = harness("integer-identifiers", interpretation)
    response = at.send({"attributes": [{"external_id": 7, "a": 1}]})
    assert errors(response) if shown is None else entry(response)["external_id"] == shown
    assert at.send({"attributes": [{"external_id": 7, "a": 1}]}, TRACK).status == 201


@pytest.mark.parametrize(("interpretation", "shown"), [("integer", 7), ("string", "7"), ("refused", None)])
def test_integers_as_product_ids(interpretation: str, shown: Any) -> None:
    response = harness("integer-products", interpretation).send({"purchases": [purchase_of() | {"product_id": 7}]})
    assert errors(response) if shown is None else entry(response)["purchase_events"][0]["product_id"] == shown


@pytest.mark.parametrize(
    ("interpretation", "kept"), [("unchanged", [0, 1]), ("newest", [2, 3, 4]), ("first", [0, 1, 2])]
)
def test_an_array_over_the_limit(interpretation: str, kept: list[int]) -> None:
    at = harness("array-overflow", interpretation, array_limit=3)
    at.attributes(a=[0, 1])
    assert at.shown(a={"add": [2, 3, 4]})["a"] == kept
    assert at.stored()["custom_attributes"]["a"] == kept


@pytest.mark.parametrize(("interpretation", "fits"), [("code-points", True), ("utf16", False)])
def test_a_character_beyond_the_basic_plane_counts_one_or_two(interpretation: str, fits: bool) -> None:
    assert ("a" in harness("string-length", interpretation).shown(a="🎉" * 128)) is fits


@pytest.mark.parametrize(("interpretation", "shown"), [("null", {"a": None}), ("omitted", {})])
def test_a_removed_attribute(interpretation: str, shown: Any) -> None:
    at = harness("removed-attribute", interpretation)
    at.attributes(a=1)
    assert at.shown(a=None) == shown
    assert at.stored()["custom_attributes"] == {}


@pytest.mark.parametrize(("interpretation", "shown"), [("previous", {"a": 1}), ("omitted", {})])
def test_a_refused_attribute(interpretation: str, shown: Any) -> None:
    at = harness("refused-attribute", interpretation)
    at.attributes(a=1)
    assert at.shown(a="x" * 256) == shown
    assert at.stored()["custom_attributes"] == {"a": 1}


@pytest.mark.parametrize(
    ("interpretation", "body"),
    [
        ("empty-list", {"users": [], "message": "success"}),
        ("omitted", {"message": "success"}),
        ("identifier", {"users": [{"external_id": "u1"}], "message": "success"}),
    ],
)
def test_a_response_about_no_user_has_three_forms(interpretation: str, body: Any) -> None:
    assert value(harness("no-user", interpretation).attributes(_update_existing_only=True, a=1)) == body


@pytest.mark.parametrize(("interpretation", "count"), [("quantity", 5), ("one", 2)])
def test_the_count_of_purchases(interpretation: str, count: int) -> None:
    at = harness("purchase-count", interpretation)
    at.purchase(quantity=4)
    assert entry(at.purchase())["purchase_events"][0]["count"] == count


@pytest.mark.parametrize(
    ("interpretation", "shown"),
    [
        ("utc-millis", "2022-12-06T18:20:45.000Z"),
        ("utc-offset", "2022-12-06T18:20:45.000+00:00"),
        ("utc-micros", "2022-12-06T18:20:45.000000Z"),
        ("as-sent", "2022-12-06T19:20:45.000+01:00"),
    ],
)
def test_the_form_of_times(interpretation: str, shown: str) -> None:
    assert entry(harness("time-form", interpretation).event())["custom_events"][0]["last"] == shown


def test_extras_are_fields_and_headers_and_another_order() -> None:
    at = harness("extras", "rich")
    response = at.attributes(a=1)
    body = value(response)
    assert list(body)[1:] == ["message", "users"]
    assert body["users"][0]["custom_attributes"] == {"a": 1}
    assert len(body["users"][0]) == 3
    assert head(response, "x-served-by")


@pytest.mark.parametrize(("interpretation", "kept"), [("unique", 2), ("kept", 3)])
def test_repeats_in_an_array(interpretation: str, kept: int) -> None:
    at = harness("array-repeats", interpretation)
    assert len(at.shown(a=["x", "y", "x"])["a"]) == kept


@pytest.mark.parametrize(("interpretation", "status"), [("no-user", 201), ("refused", 400)])
def test_an_unknown_braze_id(interpretation: str, status: int) -> None:
    assert (
        harness("unknown-braze-id", interpretation).send({"attributes": [{"braze_id": "b" * 24, "a": 1}]}).status
        == status
    )


@pytest.mark.parametrize(("interpretation", "status"), [("read", 201), ("bad-request", 400), ("unsupported", 415)])
@pytest.mark.parametrize("media", ["text/plain", None, "application/x-www-form-urlencoded"])
def test_another_content_type(interpretation: str, status: int, media: str | None) -> None:
    at = harness("content-type", interpretation)
    body = {"attributes": [{"external_id": "u", "a": 1}]}
    assert at.send(body, media=media).status == status
    assert at.send(body, media="Application/JSON; charset=utf-8").status == 201


@pytest.mark.parametrize(("interpretation", "status"), [("not-found", 404), ("not-allowed", 405)])
@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE", "PATCH", "OPTIONS"])
def test_another_method_is_not_found_or_not_allowed(interpretation: str, status: int, method: str) -> None:
    assert harness("wrong-method", interpretation).send(b"", method=method).status == status


@pytest.mark.parametrize(("interpretation", "status"), [("too-large", 413), ("bad-request", 400), ("accepted", 201)])
def test_a_body_over_4_mb(interpretation: str, status: int) -> None:
    at = harness("body-size", interpretation)
    body = b'{"attributes":[{"external_id":"u","a":1}]}'
    assert at.send(body.ljust(BODY_BYTES)).status == 201
    assert at.send(body.ljust(BODY_BYTES + 1)).status == status


def test_the_message_of_a_surplus_is_general_or_special() -> None:
    body = {"attributes": [{"external_id": "u", "a": 1}] * 2}
    general, special = (
        value(harness("surplus-message", interpretation).send(body)) for interpretation in ("general", "special")
    )
    assert general["message"] == value(Harness().send({}))["message"] != special["message"]


@pytest.mark.parametrize(("interpretation", "kind"), [("objects", dict), ("texts", str)])
def test_the_entries_of_errors(interpretation: str, kind: type) -> None:
    assert {type(one) for one in errors(harness("error-entries", interpretation).send({}))} == {kind}


@pytest.mark.parametrize(
    ("interpretation", "leader"), [("external-id", "external_id"), ("alias", "user_alias"), ("braze-id", "braze_id")]
)
def test_which_identifier_leads(interpretation: str, leader: str) -> None:
    at = harness("identifier-precedence", interpretation)
    at.attributes("known", a=1)
    ids = {"external_id": "u", "user_alias": ALIAS, "braze_id": at.stored("known")["braze_id"]}
    assert leader in entry(at.send({"attributes": [ids | {"a": 1, "_update_existing_only": False}]}))


def test_two_strong_identifiers_may_be_refused() -> None:
    at = harness("identifier-precedence", "refused")
    assert errors(at.send({"attributes": [{"external_id": "u", "braze_id": "b", "a": 1}]}))
    assert at.send({"attributes": [{"external_id": "u", "email": "a@example.com", "a": 1}]}).status == 201


@pytest.mark.parametrize(("interpretation", "shown"), [("as-sent", TIME), ("normalised", "2022-12-06T18:20:45.000Z")])
def test_a_date_like_attribute(interpretation: str, shown: str) -> None:
    at = harness("date-attribute", interpretation)
    assert at.shown(when=TIME, never="3001-01-01T00:00:00Z") == {"when": shown, "never": "3001-01-01T00:00:00Z"}


@pytest.mark.parametrize(("interpretation", "status"), [("accepted", 201), ("refused", 400)])
def test_no_attribute_at_all(interpretation: str, status: int) -> None:
    at = harness("empty-attributes", interpretation)
    assert at.attributes().status == status
    assert at.attributes(_merge_objects=True).status == status
    assert at.attributes(first_name="A").status == 201
    assert at.attributes(email="a@example.com").status == 201


@pytest.mark.parametrize(("interpretation", "shown"), [("from-zero", {"n": 3}), ("not-applied", {})])
def test_inc_of_nothing(interpretation: str, shown: Any) -> None:
    assert harness("inc-missing", interpretation).shown(n={"inc": 3}) == shown


@pytest.mark.parametrize(("interpretation", "age"), [("replace", None), ("merge", 5)])
def test_update_without_merge(interpretation: str, age: int | None) -> None:
    at = harness("update-without-merge", interpretation)
    at.attributes(o=[{"id": 1, "age": 5}])
    change = {"$identifier_key": "id", "$identifier_value": 1, "$new_object": {"id": 1, "name": "x"}}
    assert at.shown(o={"$update": [change]})["o"][0].get("age") == age


@pytest.mark.parametrize(("interpretation", "changed"), [("all", 2), ("first", 1)])
def test_update_with_several_matches(interpretation: str, changed: int) -> None:
    at = harness("update-matches", interpretation)
    at.attributes(o=[{"id": 1, "k": "a"}, {"id": 1, "k": "b"}])
    change = {"$identifier_key": "id", "$identifier_value": 1, "$new_object": {"id": 1, "k": "new"}}
    assert [one["k"] for one in at.shown(o={"$update": [change]})["o"]].count("new") == changed


@pytest.mark.parametrize(("interpretation", "status"), [("not-applied", 201), ("refused", 400)])
@pytest.mark.parametrize(
    "invalid", [{"a.b": 1}, {"$b": 1}, {"k": "x" * 256}, [{"a.b": 1}], {"$add": [{"a.b": 1}]}, {"add": [{"a.b": 1}]}]
)
def test_an_invalid_object(interpretation: str, status: int, invalid: Any) -> None:
    at = harness("invalid-object", interpretation)
    assert at.attributes(o=invalid, b=1).status == status
    assert at.attributes(o={"x": None}, b=1).status == 201
    assert at.attributes(o={"$remove": [{"$identifier_key": "a.b", "$identifier_value": None}]}).status == 201
    assert "o" not in at.stored()["custom_attributes"]


@pytest.mark.parametrize(("interpretation", "shown"), [("empty", {"a": []}), ("absent", {"a": None})])
def test_an_emptied_array(interpretation: str, shown: Any) -> None:
    at = harness("emptied-array", interpretation)
    at.attributes(a=[1])
    assert at.shown(a={"remove": [1]}) == shown


@pytest.mark.parametrize(("interpretation", "shown"), [("empty", {"a": []}), ("absent", {"a": None})])
def test_an_emptied_array_of_objects(interpretation: str, shown: Any) -> None:
    at = harness("emptied-objects", interpretation)
    at.attributes(a=[{"id": 1}])
    assert at.shown(a={"$remove": [{"$identifier_key": "id", "$identifier_value": 1}]}) == shown


def test_unused_sections_may_be_shown_empty() -> None:
    shown = entry(harness("unused-sections-shown", "empty").attributes(a=1))
    assert (shown["custom_events"], shown["purchase_events"], shown["custom_attributes"]) == ([], [], {"a": 1})


@pytest.mark.parametrize(("interpretation", "status"), [("refused", 400), ("accepted", 201)])
def test_values_of_another_type_are_refused_or_accepted(interpretation: str, status: int) -> None:
    at = harness("coerced-types", interpretation)
    assert at.purchase(price="9.99").status == at.purchase(quantity="2").status == at.event(5).status == status
    assert at.purchase(price="much").status == at.purchase(quantity="101").status == at.event([]).status == 400


@pytest.mark.parametrize(("interpretation", "status"), [("refused", 400), ("accepted", 201)])
def test_a_quantity_below_one(interpretation: str, status: int) -> None:
    at = harness("quantity-low", interpretation)
    assert at.purchase(quantity=0).status == at.purchase(quantity=-1).status == status


@pytest.mark.parametrize(("interpretation", "status"), [("refused", 400), ("accepted", 201)])
def test_an_email_that_is_none(interpretation: str, status: int) -> None:
    at = harness("bad-email", interpretation)
    assert at.send({"attributes": [{"email": "no address", "a": 1}]}).status == status
    assert at.attributes(email="no address").status == status


@pytest.mark.parametrize(("interpretation", "kept"), [("remove-first", ["y", "x"]), ("add-first", ["y"])])
def test_adding_and_removing_one_value(interpretation: str, kept: list[str]) -> None:
    at = harness("remove-add-order", interpretation)
    at.attributes(a=["x", "y"])
    assert at.shown(a={"add": ["x"], "remove": ["x"]})["a"] == kept


@pytest.mark.parametrize(("interpretation", "used"), [("all", 5), ("accepted-only", 1)])
def test_what_the_window_counts(interpretation: str, used: int) -> None:
    at = harness("rate-counting", interpretation)
    at.send(b"{")
    at.send({}, key=None)
    at.send({}, "/wrong")
    at.send({}, SYNC, method="GET")
    assert head(at.attributes(a=1), "x-ratelimit-remaining") == str(500 - used)


@pytest.mark.parametrize("interpretation", ["all", "accepted-only"])
def test_the_neighbours_have_windows_of_their_own(interpretation: str) -> None:
    at = harness("rate-counting", interpretation)
    assert head(at.send({"external_ids": ["u"]}, DELETE), "x-ratelimit-remaining") == "19999"
    assert head(at.attributes(a=1), "x-ratelimit-remaining") == "499"


@pytest.mark.parametrize(("interpretation", "shown"), [("empty", ""), ("values", "499")])
def test_the_headers_on_a_401(interpretation: str, shown: str) -> None:
    assert head(harness("headers-on-401", interpretation).send({}, key="Bearer x"), "x-ratelimit-remaining") == shown
