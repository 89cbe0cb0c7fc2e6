"""What one response demands of the next: counts, values, users and interpretations."""

from __future__ import annotations

from typing import Any

import pytest
from oracle_harness import (
    ALIAS,
    CREATE,
    LATER,
    LATER_SHOWN,
    NO_USER,
    ONLY,
    REFUSAL,
    SHOWN,
    TIME,
    OracleHarness,
    bought,
    purchase,
)

NAME = {"events": [{"external_id": "u", "name": "seen", "time": TIME}]}


def test_counts_grow_by_one_and_times_span_all_events() -> None:
    harness = OracleHarness()
    assert harness.event(1) == set()
    assert harness.event(2, SHOWN, LATER_SHOWN, time=LATER) == set()
    assert harness.event(3, "2020-01-01T00:00:00Z", LATER_SHOWN, time="2020-01-01T00:00:00Z") == set()


@pytest.mark.parametrize("count", [1, 3, 10])
def test_a_count_that_does_not_grow_by_one_is_found(count: int) -> None:
    harness = OracleHarness()
    harness.event(1)
    assert harness.event(count, SHOWN, LATER_SHOWN, time=LATER) & {"TS-EVENT-COUNT", "TS-STATE-KEYS-APART"}


def test_order_of_arrival_in_place_of_time_order_is_found() -> None:
    harness = OracleHarness()
    harness.event(1, LATER_SHOWN, LATER_SHOWN, time=LATER)
    assert harness.event(2, LATER_SHOWN, SHOWN) == {"TS-OK-TIME-FORM"}
    harness = OracleHarness()
    harness.event(1)
    assert harness.event(2, SHOWN, SHOWN, time=LATER) == {"TS-EVENT-LAST"}
    harness = OracleHarness()
    harness.event(1)
    assert harness.event(2, SHOWN, SHOWN, time="2020-01-01T00:00:00Z") == {"TS-EVENT-FIRST"}


def test_a_user_of_whom_nothing_is_known_may_have_any_history() -> None:
    harness = OracleHarness(new=False)
    assert harness.event(10, "2013-07-16T19:20:30+01:00", SHOWN) == set()
    assert harness.event(11, "2013-07-16T18:20:30Z", SHOWN) == set()
    assert harness.event(11, "2013-07-16T18:20:30Z", SHOWN) == {"TS-EVENT-COUNT"}


def test_from_an_unknown_history_first_is_not_after_and_last_not_before_the_event() -> None:
    assert OracleHarness(new=False).event(10, LATER_SHOWN, LATER_SHOWN) == {"TS-EVENT-OFFSET"}
    assert "TS-EVENT-NO-ZONE" in OracleHarness(new=False).event(
        10, LATER_SHOWN, LATER_SHOWN, time="2022-12-06T18:20:45"
    )


def test_what_a_refused_request_would_have_done_may_not_show_later() -> None:
    harness = OracleHarness()
    harness.event(1)
    harness.check(
        {"events": [{"external_id": "u", "name": "seen", "time": TIME, "properties": {"time": 1}}]}, REFUSAL, 400
    )
    assert harness.event(3) == {"TS-STATE-REFUSED"}


def test_a_refused_increment_may_not_show_later() -> None:
    harness = OracleHarness()
    harness.write({"n": 1})
    harness.check({"attributes": [{"external_id": "u", "n": {"inc": 5}}], "events": [{}]}, REFUSAL, 400)
    assert harness.write({"n": {"inc": 0}}, {"n": 6}) == {"TS-STATE-REFUSED"}


EDITS: list[tuple[Any, dict[str, Any], Any, Any, str]] = [
    # stored, control keys, edit, lawful, wrong (shown value, clause)
    (1, {}, {"inc": 2}, 3, "TS-ATTR-INC"),
    (1, {}, {"inc": -5}, -4, "TS-ATTR-INC"),
    (["a"], {}, {"add": ["b"]}, ["a", "b"], "TS-ARRAY-ADD"),
    (["a", "b"], {}, {"add": ["a"]}, ["b", "a"], "TS-ARRAY-ADD-PRESENT"),
    (["a", "b"], {}, {"remove": ["a"]}, ["b"], "TS-ARRAY-REMOVE"),
    (["a", "b"], {}, {"remove": ["z"]}, ["a", "b"], "TS-ARRAY-REMOVE"),
    (["a"], {}, {"add": ["b"], "remove": ["a"]}, ["b"], "TS-ARRAY-ADD-REMOVE"),
    ({"a": 1}, {}, {"b": 2}, {"b": 2}, "TS-OBJECT-REPLACE"),
    ({"a": {"b": 1}}, {"_merge_objects": True}, {"a": {"c": 2}}, {"a": {"b": 1, "c": 2}}, "TS-OBJECT-MERGE"),
    ([{"id": 1}], {}, {"$add": [{"id": 2}]}, [{"id": 1}, {"id": 2}], "TS-OBJECTS-ADD"),
    (
        [{"id": 1, "n": 1}, {"id": 2}],
        {"_merge_objects": True},
        {"$update": [{"$identifier_key": "id", "$identifier_value": 1, "$new_object": {"m": 2}}]},
        [{"id": 1, "n": 1, "m": 2}, {"id": 2}],
        "TS-OBJECTS-UPDATE",
    ),
    (
        [{"id": 1}, {"id": 2}, {"id": 1}],
        {},
        {"$remove": [{"$identifier_key": "id", "$identifier_value": 1}]},
        [{"id": 2}],
        "TS-OBJECTS-REMOVE",
    ),
]


@pytest.mark.parametrize(("stored", "control", "edit", "result", "clause"), EDITS)
def test_an_edit_shows_its_result_and_nothing_else(
    stored: Any, control: dict[str, Any], edit: Any, result: Any, clause: str
) -> None:
    harness = OracleHarness()
    assert harness.write({"a": stored}) == set()
    assert harness.write({"a": edit}, {"a": result}, control=control) == set()
    harness = OracleHarness()
    harness.write({"a": stored})
    assert harness.write({"a": edit}, {"a": "wrong"}, control=control) == {clause}


def test_an_edit_that_shows_an_older_state_breaks_visibility() -> None:
    harness = OracleHarness()
    harness.write({"n": 1})
    harness.write({"n": {"inc": 1}}, {"n": 2})
    assert harness.write({"n": {"inc": 1}}, {"n": 2}) == {"TS-STATE-VISIBLE"}


def test_another_users_value_is_found_by_its_clause() -> None:
    harness = OracleHarness()
    harness.write({"n": 10})
    harness.write({"n": 100}, names={"external_id": "v"})
    assert harness.write({"n": {"inc": 1}}, {"n": 101}) == {"TS-STATE-USERS-APART"}


def test_another_attributes_value_is_found_by_its_clause() -> None:
    harness = OracleHarness()
    harness.write({"n": 10, "m": 100})
    assert harness.write({"n": {"inc": 1}}, {"n": 101}) == {"TS-STATE-KEYS-APART"}
    harness = OracleHarness()
    harness.write({"n": ["a"], "m": ["b"]})
    assert harness.write({"n": {"add": ["c"]}}, {"n": ["b", "c"]}) == {"TS-STATE-KEYS-APART"}


# --- users ------------------------------------------------------------------------------------------------------------


def body(names: dict[str, Any], flag: dict[str, Any]) -> dict[str, Any]:
    return {"events": [{**names, "name": "seen", "time": TIME, **flag}]}


@pytest.mark.parametrize(
    ("names", "flag", "clause"),
    [
        ({"external_id": "u"}, ONLY, "TS-USER-UPDATE-ONLY"),
        ({"email": "u@example.com"}, ONLY, "TS-USER-UPDATE-ONLY"),
        (ALIAS, {}, "TS-USER-ALIAS-DEFAULT"),
        ({"braze_id": "b"}, {}, "TS-USER-BRAZE-ID"),
    ],
)
def test_no_user_is_created_where_none_may_be(names: dict[str, Any], flag: dict[str, Any], clause: str) -> None:
    assert OracleHarness().check(body(names, flag), NO_USER) == []
    assert OracleHarness().check(body(names, flag), {"message": "success"}) == []
    if clause != "TS-USER-BRAZE-ID":
        assert clause in OracleHarness().event(1, names=names, flag=flag)


@pytest.mark.parametrize(
    ("names", "flag", "clause"),
    [
        ({"external_id": "u"}, {}, "TS-USER-CREATE"),
        ({"external_id": "u"}, CREATE, "TS-USER-CREATE"),
        ({"email": "u@example.com"}, {}, "TS-USER-EMAIL-CREATE"),
        ({"phone": "+12025550100"}, {}, "TS-USER-PHONE-CREATE"),
    ],
)
def test_an_unknown_user_is_created_where_the_documents_say_so(
    names: dict[str, Any], flag: dict[str, Any], clause: str
) -> None:
    assert OracleHarness().event(1, names=names, flag=flag) == set()
    assert clause in OracleHarness().clauses(body(names, flag), NO_USER)


def test_a_known_user_is_updated_also_by_update_only() -> None:
    harness = OracleHarness()
    harness.event(1)
    assert harness.event(2, flag=ONLY) == set()
    assert harness.clauses(body({"external_id": "u"}, ONLY), NO_USER) == {"TS-USER-UPDATE-KNOWN"}


def test_attributes_create_an_alias_only_user_when_told() -> None:
    written = {"attributes": [{**ALIAS, "a": 1, **CREATE}]}
    assert OracleHarness().write({"a": 1}, names=ALIAS, control=CREATE) == set()
    assert OracleHarness().clauses(written, NO_USER) == {"TS-USER-ALIAS-CREATE"}


def test_an_event_may_create_an_alias_only_user_or_never_but_always_alike() -> None:
    other = {"user_alias": {"alias_name": "b", "alias_label": "l"}}
    harness = OracleHarness()
    assert harness.event(1, names=ALIAS, flag=CREATE) == set()
    assert harness.clauses(body(other, CREATE), NO_USER) == {"TS-INTERPRETATION-KEPT"}
    harness = OracleHarness()
    assert harness.check(body(ALIAS, CREATE), NO_USER) == []
    assert harness.event(1, names=other, flag=CREATE) == {"TS-INTERPRETATION-KEPT"}


def test_the_label_tells_two_aliases_of_one_name_apart() -> None:
    harness = OracleHarness()
    harness.event(1, names=ALIAS, flag=CREATE)
    other = {"user_alias": {"alias_name": "a", "alias_label": "m"}}
    assert "TS-USER-ALIAS-LABEL" in harness.event(2, names=other)


def test_a_profile_is_found_by_the_email_it_was_given() -> None:
    harness = OracleHarness()
    harness.event(1)
    harness.write({"a": 1}, control={"email": "u@example.com"})
    assert harness.event(2, names={"email": "u@example.com"}) == set()
    assert harness.event(3) == set()


def test_a_profile_that_is_not_found_by_its_email_is_a_finding() -> None:
    harness = OracleHarness()
    harness.event(1)
    harness.write({"a": 1}, control={"email": "u@example.com"})
    assert harness.event(1, names={"email": "u@example.com"}) == {"TS-USER-EMAIL-FINDS"}


def test_an_email_leads_to_its_most_recently_updated_profile() -> None:
    harness = OracleHarness()
    harness.event(1, names={"email": "e@example.com"})
    harness.write({"a": 1}, names={"external_id": "ada"}, control={"email": "e@example.com"})
    harness.write({"a": 1}, names={"external_id": "bob"}, control={"email": "e@example.com"})
    assert harness.event(1, names={"email": "e@example.com"}) == set()
    assert harness.event(2, names={"external_id": "bob"}) == set()


def test_email_leads_over_phone() -> None:
    harness = OracleHarness()
    harness.write({"n": 10}, names={"external_id": "ada"}, control={"email": "e@example.com"})
    harness.write({"n": 20}, names={"external_id": "bob"}, control={"phone": "+12025550100"})
    both = {"email": "e@example.com", "phone": "+12025550100"}
    assert harness.write({"n": {"inc": 1}}, {"n": 21}, names=both) == {"TS-USER-EMAIL-LEADS"}


# --- interpretations --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("ambiguity", "one", "other"),
    [
        ("removed-attribute", {"a": None}, {}),
        ("refused-attribute", {"b": 1}, {}),
        ("array-repeats", {"c": ["x", "x"]}, {"c": ["x"]}),
    ],
)
def test_a_server_that_contradicts_its_interpretation_is_found(
    ambiguity: str, one: dict[str, Any], other: dict[str, Any]
) -> None:
    writes: dict[str, dict[str, Any]] = {
        "removed-attribute": {"a": None},
        "refused-attribute": {"b": "x" * 256},
        "array-repeats": {"c": ["x", "x"]},
    }
    harness = OracleHarness()
    for name in ("u", "v"):
        harness.write({"a": 1, "b": 1}, names={"external_id": name})
    assert harness.write(writes[ambiguity], one) == set()
    assert ambiguity in harness.belief.interpretations()
    assert harness.write(writes[ambiguity], other, names={"external_id": "v"}) == {"TS-INTERPRETATION-KEPT"}


def test_a_server_can_be_held_to_an_interpretation_from_the_start() -> None:
    held = {"purchase-count": "one"}
    assert OracleHarness(interpretations=held).check(purchase(quantity=3), bought(1)) == []
    assert OracleHarness(interpretations=held).clauses(purchase(quantity=3), bought(3)) == {"TS-INTERPRETATION-KEPT"}


def test_the_array_limit_is_learned_and_kept() -> None:
    harness = OracleHarness()
    assert harness.write({"a": list(range(200))}, {"a": list(range(100))}) == set()
    assert harness.belief.array_limits == (100, 100)
    assert harness.write({"b": list(range(200))}, {"b": list(range(150))}) == {"TS-ARRAY-LIMIT"}
