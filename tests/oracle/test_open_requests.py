"""What the documents leave open and servers of other authors may do: nothing of it is accused."""

from __future__ import annotations

from typing import Any

import pytest
from oracle_harness import SHOWN, TIME, OracleHarness, bought, purchase

from tracksync.model.exchange import Credential

NO_NAME = {"events": [{"external_id": "u", "time": TIME}]}
NO_OBJECT = {"events": "text"}
OBJECTS = {"message": "no", "errors": [{"type": "'name' is required"}]}
TEXTS = {"message": "no", "errors": ["'name' is required"]}
BY_EMAIL = {"email": "a@b.example", "phone": "+15555550100"}


def seen(**named: Any) -> dict[str, Any]:
    ambiguity = {"name": "seen", "first": SHOWN, "last": SHOWN, "count": 1}
    return {"users": [{**named, "custom_events": [ambiguity]}], "message": "success"}


def test_identifiers_that_the_response_shows_as_null_are_ignored() -> None:
    nulls = dict.fromkeys(("user_alias", "braze_id", "email", "phone"))
    assert OracleHarness().write({"a": 1, "email": "a@b.example"}, {"a": 1}, names={"external_id": "u"}) == set()
    body = {"attributes": [{"external_id": "u", "email": "a@b.example", "a": 1}]}
    response = {"users": [{**nulls, "external_id": "u", "custom_attributes": {"a": 1}}], "message": "success"}
    assert OracleHarness().check(body, response) == []


def test_a_null_in_place_of_the_only_identifier_names_no_user() -> None:
    body = {"events": [{"external_id": "u", "name": "seen", "time": TIME}]}
    assert OracleHarness().clauses(body, seen(external_id=None)) == {"TS-OK-IDENTIFIER"}


def test_beside_the_leading_identifier_the_profiles_own_may_be_shown() -> None:
    body = {"events": [{**BY_EMAIL, "name": "seen", "time": TIME}]}
    assert OracleHarness().check(body, seen(email="a@b.example", phone="+15555550199")) == []
    assert OracleHarness().clauses(body, seen(email="c@d.example", phone="+15555550100")) == {"TS-OK-IDENTIFIER"}


@pytest.mark.parametrize("entry", [{"events": ["has no name"]}, {"name": {"code": 4, "text": ["missing"]}}])
def test_an_error_entry_may_hold_its_text_at_any_depth(entry: dict[str, Any]) -> None:
    assert OracleHarness().check(NO_NAME, {"message": "no", "errors": [entry]}, 400) == []


@pytest.mark.parametrize("entry", [{}, {"code": 17}, {"events": []}, {"type": ""}])
def test_an_error_entry_needs_a_text(entry: dict[str, Any]) -> None:
    assert OracleHarness().clauses(NO_NAME, {"message": "no", "errors": [entry]}, 400) == {"TS-REFUSE-BODY"}


def test_errors_of_the_body_and_errors_of_an_object_may_have_entries_of_two_forms() -> None:
    harness = OracleHarness()
    assert harness.check(NO_NAME, OBJECTS, 400) == []
    assert harness.check(NO_OBJECT, TEXTS, 400) == []
    assert harness.check(b"{", TEXTS, 400) == []
    assert harness.check({"events": ["text"]}, TEXTS, 400) == []
    assert harness.check(NO_NAME, TEXTS, 403, credential=Credential.UNPRIVILEGED) == []
    assert harness.clauses(NO_NAME, TEXTS, 400) == {"TS-INTERPRETATION-KEPT"}


NOTHING_TO_DO: tuple[tuple[Any, Any], ...] = (
    (["a"], {"remove": ["b"]}),
    ([{"id": 1}], {"$remove": [{"$identifier_key": "id", "$identifier_value": 2}]}),
    ([{"id": 1}], {"$update": [{"$identifier_key": "id", "$identifier_value": 2, "$new_object": {"x": 1}}]}),
)


@pytest.mark.parametrize(("stored", "edit"), NOTHING_TO_DO)
def test_an_edit_that_matches_nothing_may_be_an_update_that_is_not_made(stored: Any, edit: Any) -> None:
    harness = OracleHarness()
    assert harness.write({"a": stored}) == set()
    assert harness.write({"a": "x" * 256}, {}) == set()
    assert harness.write({"a": edit}, {}) == set()
    assert harness.write({"a": edit}, {"a": stored}) == set()


@pytest.mark.parametrize(("stored", "edit"), NOTHING_TO_DO)
def test_where_updates_that_are_not_made_are_shown_it_must_be_too(stored: Any, edit: Any) -> None:
    harness = OracleHarness()
    assert harness.write({"a": stored}) == set()
    assert harness.write({"a": "x" * 256}, {"a": stored}) == set()
    assert harness.write({"a": edit}, {}) == {"TS-INTERPRETATION-KEPT"}


WIDE = 2**53 + 1
ROUNDED = 2**53
WIDE_WRITES: tuple[tuple[Any, Any], ...] = (
    (WIDE, ROUNDED),
    (2**63 - 1, 9223372036854776000),  # as JavaScript writes it
    (2**63 - 1, 9.223372036854775807e18),
    ([WIDE, 1], [ROUNDED, 1]),
    ({"a": {"b": WIDE}}, {"a": {"b": ROUNDED}}),
)


@pytest.mark.parametrize(("sent", "shown"), WIDE_WRITES)
def test_integers_beyond_2_to_the_53_may_be_held_as_doubles(sent: Any, shown: Any) -> None:
    harness = OracleHarness()
    assert harness.write({"a": sent, "b": "x"}, {"a": shown, "b": "x"}) == set()
    assert harness.write({"n": ROUNDED}) == set()
    assert harness.write({"n": {"inc": 1}}, {"n": ROUNDED}) == set()
    assert harness.write({"c": WIDE}) == {"TS-ATTR-INTEGER"}


def test_a_server_that_keeps_their_digits_keeps_them_everywhere() -> None:
    harness = OracleHarness()
    assert harness.write({"a": {"b": WIDE}}) == set()
    assert harness.write({"n": ROUNDED}) == set()
    assert harness.write({"n": {"inc": 1}}, {"n": ROUNDED}) != set()
    assert harness.write({"c": WIDE}, {"c": ROUNDED}) == {"TS-ATTR-INTEGER"}


def test_a_double_is_the_nearest_one_and_no_other_value_changes() -> None:
    assert OracleHarness().write({"a": WIDE}, {"a": ROUNDED - 2}) == {"TS-ATTR-INTEGER"}
    assert OracleHarness().write({"a": 2**53 - 1}, {"a": 2**53 - 2}) == {"TS-ATTR-INTEGER"}
    assert OracleHarness().write({"a": {"w": WIDE, "x": 1}}, {"a": {"w": ROUNDED, "x": 2}}) == {"TS-OBJECT-SET"}


@pytest.mark.parametrize("currency", ["840", 840, "usd"])
def test_a_currency_in_another_of_its_forms_may_be_accepted_or_refused(currency: Any) -> None:
    assert OracleHarness().check(purchase(currency=currency), bought(1)) == []
    assert OracleHarness().check(purchase(currency=currency), OBJECTS, 400) == []


@pytest.mark.parametrize("currency", ["ZZZ", 8400, True, ["USD"], ""])
def test_a_text_that_is_not_a_currency_in_any_form_is_refused(currency: Any) -> None:
    assert "TS-PURCHASE-CURRENCY-VALID" in OracleHarness().clauses(purchase(currency=currency), bought(1))


def test_an_export_may_give_null_for_what_the_profile_does_not_hold() -> None:
    harness = OracleHarness()
    harness.event(1)
    ambiguity = {"name": "seen", "first": SHOWN, "last": SHOWN, "count": 1}
    entry = {"external_id": "u", "custom_attributes": None, "purchases": None, "custom_events": [ambiguity]}
    requested = {"external_ids": ["u"], "fields_to_export": ["external_id"]}
    assert harness.check(requested, {"users": [entry], "message": "success"}, path="/users/export/ids") == []


def test_an_edit_that_leaves_an_empty_array_empty_may_drop_the_attribute_unless_the_server_keeps_empty_ones() -> None:
    edit = {"tags": {"remove": ["a"]}}
    dropping, keeping = OracleHarness(), OracleHarness()
    for harness in (dropping, keeping):
        assert harness.write({"tags": []}, {"tags": []}) == set()
    assert dropping.write(edit, {"tags": None}) == set()
    assert keeping.write({"other": ["a"]}, {"other": ["a"]}) == set()
    assert keeping.write({"other": {"remove": ["a"]}}, {"other": []}) == set()
    assert keeping.write(edit, {"tags": None}) == {"TS-INTERPRETATION-KEPT"}


@pytest.mark.parametrize("flag", ["yes", 1, None])
@pytest.mark.parametrize("users", [[], [{"external_id": "new", "custom_attributes": {"a": 1}}]])
def test_an_update_only_that_is_no_boolean_may_create_the_user_or_not(flag: Any, users: list[Any]) -> None:
    harness = OracleHarness()
    body = {"attributes": [{"external_id": "new", "_update_existing_only": flag, "a": 1}]}
    assert harness.check(body, {"users": users, "message": "success"}) == []


def test_an_attribute_of_an_odd_name_may_be_left_out() -> None:
    body = {"attributes": [{"external_id": "u", "x" * 256: 1}]}
    response = {"users": [{"external_id": "u", "custom_attributes": {}}], "message": "success"}
    assert OracleHarness().check(body, response) == []
