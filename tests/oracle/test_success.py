"""What the oracle makes of a 201: its form, and what it shows of the one thing that the request wrote."""

from __future__ import annotations

import json
from typing import Any

import pytest
from oracle_harness import SHOWN, TIME, OracleHarness, attributed, bought, counted, purchase

EVENT = {"events": [{"external_id": "u", "name": "seen", "time": TIME}]}
RIGHT = counted({"external_id": "u"}, "seen", SHOWN, SHOWN, 1)


def changed(**members: Any) -> dict[str, Any]:
    return {key: value for key, value in (RIGHT | members).items() if value is not ...}


def ambiguity(**members: Any) -> dict[str, Any]:
    base = {"name": "seen", "first": SHOWN, "last": SHOWN, "count": 1}
    shown = {key: value for key, value in (base | members).items() if value is not ...}
    return {"users": [{"external_id": "u", "custom_events": [shown]}], "message": "success"}


MANY_OBJECTS = [{"k": f"{number:<200}"} for number in range(600)]  # over 100 KB


@pytest.mark.parametrize(
    ("response", "clause"),
    [
        (changed(message="ok"), "TS-OK-MESSAGE"),
        (changed(message=...), "TS-OK-MESSAGE"),
        (changed(errors=["partly"]), "TS-OK-NO-ERRORS"),
        (changed(users={"external_id": "u"}), "TS-OK-USERS"),
        (changed(users=[RIGHT["users"][0], RIGHT["users"][0]]), "TS-OK-USERS"),
        (changed(users=["u"]), "TS-OK-USERS"),
        (changed(users=[]), "TS-USER-CREATE"),
        (changed(users=[{**RIGHT["users"][0], "external_id": "U"}]), "TS-OK-IDENTIFIER"),
        (changed(users=[{**RIGHT["users"][0], "braze_id": 5}]), "TS-ANSWER-SCHEMA"),
        (changed(users=[{"custom_events": RIGHT["users"][0]["custom_events"]}]), "TS-OK-IDENTIFIER"),
        (changed(users=[{**RIGHT["users"][0], "custom_attributes": {"a": 1}}]), "TS-OK-ONLY-ATTRIBUTES"),
        (changed(users=[{**RIGHT["users"][0], "purchase_events": [{"product_id": "x"}]}]), "TS-OK-ONLY-PURCHASES"),
        (changed(users=[{"external_id": "u"}]), "TS-OK-SHOWS"),
        (changed(users=[{"external_id": "u", "custom_events": {"seen": 1}}]), "TS-OK-FORM"),
        (ambiguity(name="Seen"), "TS-EVENT-NAME"),
        (ambiguity(count="1"), "TS-OK-COUNT-FORM"),
        (ambiguity(count=0), "TS-OK-COUNT-FORM"),
        (ambiguity(count=True), "TS-OK-COUNT-FORM"),
        (ambiguity(count=2), "TS-EVENT-COUNT"),
        (ambiguity(first="yesterday"), "TS-OK-TIME-FORM"),
        (ambiguity(first=1670350845), "TS-OK-TIME-FORM"),
        (ambiguity(first=" 2022-12-06T18:20:45Z"), "TS-OK-TIME-FORM"),
        (ambiguity(last="2022-12-06T18:20:45Z\n"), "TS-OK-TIME-FORM"),
        (ambiguity(first=..., last=...), "TS-OK-TIME-FORM"),
        (ambiguity(first="2023-01-01T00:00:00Z"), "TS-OK-TIME-FORM"),
        (ambiguity(first="2022-12-06T19:20:45.000Z", last="2022-12-06T19:20:45.000Z"), "TS-EVENT-OFFSET"),
        (b"<html>", "TS-ANSWER-JSON"),
        (b"", "TS-ANSWER-JSON"),
        (b"\xef\xbb\xbf" + json.dumps(RIGHT).encode(), "TS-ANSWER-JSON"),
        ([RIGHT], "TS-ANSWER-JSON"),
    ],
)
def test_a_wrong_response_to_an_event_breaks_its_clause(response: Any, clause: str) -> None:
    assert clause in OracleHarness().clauses(EVENT, response)


@pytest.mark.parametrize(
    "response",
    [
        RIGHT,
        changed(extra=[1], users=[{**RIGHT["users"][0], "braze_id": "b", "custom_attributes": {}}]),
        changed(users=[{**RIGHT["users"][0], "purchase_events": []}], errors=[]),
        ambiguity(count=1.0),
        ambiguity(first="2022-12-06T18:20:45Z", last="2022-12-06T18:20:45.000000Z"),
        ambiguity(first="2022-12-06T19:20:45+01:00", last="2022-12-06T18:20:45.000+00:00"),
        ambiguity(first="2022-12-06T18:20:45", last="2022-12-06T18:20:45.0"),
    ],
)
def test_every_lawful_response_to_an_event_passes(response: Any) -> None:
    assert OracleHarness().check(EVENT, response) == []


@pytest.mark.parametrize("status", [200, 202, 204, 400, 404])
def test_a_lawful_request_is_answered_201_and_nothing_else(status: int) -> None:
    response = RIGHT if status < 300 else {"message": "no", "errors": ["no"]}
    assert OracleHarness().clauses(EVENT, response, status) == {"TS-OK-STATUS"}


def test_a_status_that_no_document_names_is_found() -> None:
    assert "TS-ANSWER-STATUS" in OracleHarness().clauses(EVENT, {"message": "no", "errors": ["no"]}, 422)


@pytest.mark.parametrize(
    ("sent", "shown", "clause"),
    [
        ("fruit", "Fruit", "TS-ATTR-STRING"),
        (" padded ", "padded", "TS-ATTR-STRING"),
        ("é", "e\u0301", "TS-ATTR-STRING"),
        ("", None, "TS-ATTR-EMPTY-STRING"),
        (True, 1, "TS-ATTR-BOOLEAN"),
        (False, "false", "TS-ATTR-BOOLEAN"),
        (25, 26, "TS-ATTR-INTEGER"),
        (25, "25", "TS-ATTR-INTEGER"),
        (2**53 + 1, 2**53 + 3, "TS-ATTR-INTEGER"),
        (2**31, -(2**31), "TS-ATTR-INTEGER"),
        (219.98, 219.97999572753906, "TS-ATTR-FLOAT"),
        ("x" * 255, "x" * 254, "TS-ATTR-LENGTH-KEPT"),
        ("x" * 256, "x" * 255, "TS-ATTR-LENGTH-OVER"),
        ("x" * 256, "x" * 256, "TS-ATTR-LENGTH-OVER"),
        ("2022-12-06T19:20:45+01:00", "2022-12-06T19:20:45.000Z", "TS-ATTR-DATE"),
        ("2022-12-06T18:20:45Z", " 2022-12-06T18:20:45Z ", "TS-ATTR-DATE"),
        ("3001-01-01T00:00:00Z", "3001-01-01T00:00:00.000Z", "TS-ATTR-DATE-RANGE"),
        (["b", "a"], ["a", "b"], "TS-ARRAY-SET"),
        (["b", "a"], ["b"], "TS-ARRAY-KEPT"),
        (["a", "b", "a"], ["a"], "TS-ARRAY-UNIQUE"),
        ({"a": 1}, {"a": 2}, "TS-OBJECT-SET"),
        ({"a": {"$time": "2020-01-01T00:00:00Z"}}, {"a": "2021-01-01T00:00:00Z"}, "TS-OBJECT-TIME"),
        ({"a": None, "b": 1}, {"b": 1}, "TS-OBJECT-INVALID"),
        ({"a": "x" * 256}, {"a": "x" * 256}, "TS-OBJECT-LIMITS"),
        ({"a.b": 1}, {"a.b": 1}, "TS-OBJECT-LIMITS"),
        ([{"id": 1}, {"id": 2}], [{"id": 1}], "TS-OBJECTS-SET"),
        (MANY_OBJECTS, MANY_OBJECTS, "TS-OBJECT-LIMITS"),
    ],
)
def test_an_attribute_that_is_shown_otherwise_breaks_its_clause(sent: Any, shown: Any, clause: str) -> None:
    assert OracleHarness().write({"a": sent}, {"a": shown}) == {clause}


@pytest.mark.parametrize(
    ("sent", "shown"),
    [
        (16, 16.0),
        (16.0, 16),
        (1e-7, 0.0000001),
        ("2022-12-06T19:20:45+01:00", "2022-12-06T18:20:45.000Z"),
        ("2022-12-06T19:20:45+01:00", "2022-12-06T19:20:45+01:00"),
        (["a", "b", "a"], ["a", "b"]),
        (["a", "b", "a"], ["b", "a"]),
        (["a", "b", "a"], ["a", "b", "a"]),
        ({"a": {"$time": "2020-01-01T00:00:00Z"}}, {"a": {"$time": "2020-01-01T00:00:00Z"}}),
        ({"a": {"$time": "2020-01-01T00:00:00Z"}}, {"a": "2020-01-01T00:00:00.000Z"}),
        ("🎉" * 200, "🎉" * 200),
        (None, None),
        ([], []),
        (list(range(26)), list(range(1, 26))),
        (list(range(26)), list(range(25))),
        (2**63, 2.0**63),
    ],
)
def test_every_lawful_way_to_show_an_attribute_passes(sent: Any, shown: Any) -> None:
    assert OracleHarness().write({"a": sent}, {"a": shown}) == set()


@pytest.mark.parametrize("sent", ["x" * 256, None, {"a": None}, "🎉" * 200, list(range(501)), {"inc": 1}])
def test_what_was_removed_or_not_applied_may_be_left_out(sent: Any) -> None:
    assert OracleHarness().write({"a": sent}, {}) == set()


def test_what_was_written_may_not_be_left_out() -> None:
    assert OracleHarness().write({"a": "fruit"}, {}) == {"TS-OK-SHOWS"}


def test_only_what_the_request_named_is_listed() -> None:
    assert OracleHarness().write({"a": 1}, {"a": 1, "b": 2}) == {"TS-OK-ONLY-ATTRIBUTES"}


@pytest.mark.parametrize("name", ["_update_existing_only", "first_name", "external_id", "_merge_objects"])
def test_a_profile_field_is_not_listed_as_a_custom_attribute(name: str) -> None:
    assert OracleHarness().write({"a": 1}, {"a": 1, name: True}) == {"TS-OK-CUSTOM-ONLY"}


def test_an_attribute_that_is_dropped_with_a_refused_one_breaks_independence() -> None:
    assert OracleHarness().write({"long": "x" * 256, "a": 1}, {}) == {"TS-ATTR-INDEPENDENT"}


def test_an_array_may_not_be_longer_than_five_hundred_elements() -> None:
    assert OracleHarness().write({"a": list(range(501))}, {"a": list(range(501))}) == {"TS-ARRAY-LIMIT"}


def test_an_array_must_keep_the_configured_limit() -> None:
    sent = list(range(26))
    assert OracleHarness(array_limit=25).write({"a": sent}, {"a": sent}) == {"TS-ARRAY-LIMIT"}
    assert OracleHarness(array_limit=100).write({"a": sent}, {"a": sent[1:]}) == {"TS-ARRAY-KEPT"}


@pytest.mark.parametrize(
    ("sent", "response", "clause"),
    [
        (purchase(), bought(2), "TS-PURCHASE-COUNT"),
        (purchase(quantity=3), bought(2), "TS-PURCHASE-COUNT"),
        (purchase(), bought(1, product="SKU"), "TS-PURCHASE-PRODUCT"),
        (purchase(), bought(1, "2022-12-06T19:20:45.000Z", "2022-12-06T19:20:45.000Z"), "TS-PURCHASE-FIRST"),
        (purchase(time="2099-01-01T00:00:00Z"), bought(1, *["2099-01-01T00:00:00.000Z"] * 2), "TS-PURCHASE-FUTURE"),
        (purchase(product_id=7), bought(1, product=8), "TS-PURCHASE-PRODUCT"),
        (purchase(product_id="p" * 256), bought(1, product="p" * 256), "TS-PURCHASE-PRODUCT-LENGTH"),
    ],
)
def test_a_wrong_response_to_a_purchase_breaks_its_clause(sent: Any, response: Any, clause: str) -> None:
    assert clause in OracleHarness().clauses(sent, response)


@pytest.mark.parametrize(
    ("sent", "response"),
    [
        (purchase(quantity=3), bought(3)),
        (purchase(quantity=3), bought(1)),
        (purchase(product_id=7), bought(1, product=7)),
        (purchase(product_id=7), bought(1, product="7")),
        (purchase(time="2099-01-01T00:00:00Z"), bought(1, *["2027-01-15T08:00:17.020Z"] * 2)),
    ],
)
def test_every_lawful_response_to_a_purchase_passes(sent: Any, response: Any) -> None:
    assert OracleHarness().check(sent, response) == []


def test_a_finding_says_where_what_was_expected_and_what_came() -> None:
    (finding,) = OracleHarness().check(
        {"attributes": [{"external_id": "u", "a/b": 1}]}, attributed({"external_id": "u"}, {"a/b": 2})
    )
    assert finding.pointer == "/response/body/users/0/custom_attributes/a~1b"
    assert (finding.expected, finding.actual) == (1, 2)
    assert "'a/b'" in finding.message


@pytest.mark.parametrize("sections", [{}, {"custom_events": []}])
def test_an_entry_with_the_identifier_alone_may_mean_that_no_user_was_found(sections: dict[str, Any]) -> None:
    harness = OracleHarness()
    only = {"events": [{"external_id": "u", "name": "seen", "time": TIME, "_update_existing_only": True}]}
    shown = {"users": [{"external_id": "u", **sections}], "message": "success"}
    assert harness.check(only, shown) == []
    assert harness.belief.interpretations()["no-user"] == "identifier"
    assert harness.check(EVENT, RIGHT) == []
    assert "TS-OK-SHOWS" in harness.clauses(only, shown), "the user exists now"


def test_an_entry_of_another_user_does_not_mean_that_no_user_was_found() -> None:
    only = {"events": [{"external_id": "u", "name": "seen", "time": TIME, "_update_existing_only": True}]}
    shown = {"users": [{"external_id": "v"}], "message": "success"}
    assert OracleHarness().clauses(only, shown)
