"""Every lawful outcome of setting and merging an object, and of setting and editing an array of objects."""

from __future__ import annotations

from typing import Any

import pytest
from outcome_harness import ASTRAL, FAR, GONE, LONG, OPEN, idle, lawful, refused, removed, sized, stored

from tracksync.contract.bounds import bounds
from tracksync.oracle.belief import ABSENT, ANYTHING, OMITTED, UNKNOWN
from tracksync.oracle.interpretations import (
    EMPTIED_OF_OBJECTS_IS_ABSENT,
    EMPTIED_OF_OBJECTS_IS_EMPTY,
    INVALID_OBJECT_NOT_APPLIED,
    LENGTH_IN_CODE_POINTS,
    LENGTH_IN_UTF16,
    UPDATE_MATCHES_ALL,
    UPDATE_MATCHES_FIRST,
    UPDATE_MERGES,
    UPDATE_REPLACES,
)
from tracksync.oracle.outcomes import CellOutcome, WithoutFarTimes
from tracksync.values.objects import serialized_size

OBJECT_BYTES = bounds().object_bytes.most

A, B, C = {"id": 1, "x": 1}, {"id": 2, "x": 1}, {"id": 3}


def select(value: Any, key: Any = "id", **new: Any) -> dict[str, Any]:
    return {"$identifier_key": key, "$identifier_value": value, **({"$new_object": new} if new else {})}


def test_an_object_replaces_the_value() -> None:
    for prior in (ABSENT, UNKNOWN, 5, {"b": 2}):
        assert lawful({"a": 1}, prior) == [stored({"a": 1})]


def test_an_object_is_merged_into_an_object() -> None:
    assert lawful({"a": 1}, {"b": 2}, merge=True) == [stored({"b": 2, "a": 1})]
    assert lawful({"a": 1}, ABSENT, merge=True) == [stored({"a": 1})]
    assert lawful({"a": 1}, UNKNOWN, merge=True) == OPEN
    assert lawful({"a": 1}, 5, merge=True) == [stored({"a": 1}), *refused(5)]


def test_of_an_empty_object_any_outcome_is_lawful_but_merging_keeps_the_object() -> None:
    assert lawful({}, {"a": 1}) == [CellOutcome({}, ANYTHING), *OPEN]
    assert lawful({}, {"a": 1}, merge=True) == [CellOutcome({"a": 1}, ANYTHING), *OPEN]
    assert lawful({}, 5, merge=True) == [CellOutcome({}, ANYTHING), *OPEN]


@pytest.mark.parametrize("value", [{"$time": "2024-01-01T00:00:00Z"}, {"$time": "2024-01-01", "a": 1}])
def test_any_outcome_is_lawful_for_a_time_in_the_place_of_an_object(value: dict[str, Any]) -> None:
    assert lawful(value, 5) == OPEN


@pytest.mark.parametrize("value", [{"a": None}, {"a": {"b": [None]}}, {"a": {"$time": "never"}}])
def test_an_object_with_null_or_a_wrong_time_in_it_is_not_stored(value: dict[str, Any]) -> None:
    assert lawful(value, 5) == refused(5)


@pytest.mark.parametrize("value", [{"a.b": 1}, {"$a": 1}, {"a b": 1}, {LONG: 1}, {"a": LONG}, sized(OBJECT_BYTES + 1)])
def test_an_object_against_the_limits_is_not_stored(value: dict[str, Any]) -> None:
    assert lawful(value, 5) == refused(5, INVALID_OBJECT_NOT_APPLIED)


def test_a_merge_over_the_limit_is_not_stored() -> None:
    prior, value = sized(50_000), sized(OBJECT_BYTES - 50_000 + 1, "m")  # one pair of braces less, a comma more
    assert serialized_size({**prior, **value}) == OBJECT_BYTES
    assert lawful(value, prior, merge=True) == [stored({**prior, **value})]
    value["mz"] += "z"
    assert lawful(value, prior, merge=True) == refused(prior, INVALID_OBJECT_NOT_APPLIED)


def test_the_texts_of_an_object_may_be_counted_in_code_points_or_units_of_utf16() -> None:
    value = {"a": ASTRAL}
    assert lawful(value, 5) == [
        stored(value, LENGTH_IN_CODE_POINTS),
        *[
            CellOutcome(one.after, one.shows, (*one.requires, LENGTH_IN_UTF16))
            for one in refused(5, INVALID_OBJECT_NOT_APPLIED)
        ],
    ]
    assert lawful(value, {"b": 1}, merge=True)[0] == stored({"b": 1, "a": ASTRAL}, LENGTH_IN_CODE_POINTS)


@pytest.mark.parametrize("value", [{"a": "x\0"}, {"": 1}, {"a": {"$time": "2024-01-01", "b": 1}}, sized(101_000)])
def test_any_outcome_is_lawful_for_a_doubtful_object(value: dict[str, Any]) -> None:
    assert lawful(value, 5) == OPEN


@pytest.mark.parametrize("value", [FAR, {"b": [FAR]}, {"b": {"c": FAR}}])
def test_a_time_beyond_the_stored_years_is_left_out_of_an_object(value: dict[str, Any]) -> None:
    assert lawful(value, 5) == [CellOutcome(UNKNOWN, WithoutFarTimes(value)), CellOutcome(UNKNOWN, OMITTED)]


def test_an_array_of_objects_is_stored() -> None:
    for prior in (ABSENT, UNKNOWN, 5, [C]):
        assert lawful([A, B], prior) == [stored([A, B])]


def test_equal_objects_are_kept_or_not() -> None:
    assert lawful([A, B, A], 5) == [stored([A, B, A]), stored([A, B]), stored([B, A])]


def test_an_array_of_objects_over_the_limit_is_not_stored() -> None:
    array = [sized(50_000), sized(OBJECT_BYTES - 50_000 - 3)]  # with brackets and a comma
    assert serialized_size(array) == OBJECT_BYTES
    assert lawful(array, 5) == OPEN  # over 100 KB if a kilobyte has a thousand bytes
    array[1]["kz"] += "z"
    assert lawful(array, 5) == refused(5, INVALID_OBJECT_NOT_APPLIED)


@pytest.mark.parametrize("one", [{"": 1}, {"a": ASTRAL}, {"a.b": 1}, {"a": None}])
def test_any_outcome_is_lawful_for_an_array_of_odd_objects(one: dict[str, Any]) -> None:
    assert lawful([A, one], 5) == OPEN


def test_objects_are_added_at_the_end() -> None:
    assert lawful({"$add": [C]}, [A, B]) == [stored([A, B, C])]
    assert lawful({"$add": [C]}, ABSENT) == [*refused(ABSENT), stored([C])]


def test_an_edit_that_matches_none_of_equal_objects_leaves_them_all() -> None:
    assert lawful({"$remove": [select(9)]}, [A, A]) == [idle([A, A]), stored([A, A]), stored([A])]


def test_adding_an_object_that_is_in_the_array_may_repeat_it_or_not() -> None:
    assert lawful({"$add": [A]}, [A, B]) == [idle([A, B]), stored([A, B, A]), stored([A, B])]
    assert lawful({"$add": [A, C]}, [A, B]) == [stored([A, B, A, C]), stored([A, B, C])]


def test_objects_are_removed_by_one_of_their_members() -> None:
    assert lawful({"$remove": [select(1)]}, [A, B]) == [stored([B])]
    assert lawful({"$remove": [select(9)]}, [A, B]) == [idle([A, B]), stored([A, B])]
    assert lawful({"$remove": [select(1)]}, [A]) == [
        stored([], EMPTIED_OF_OBJECTS_IS_EMPTY),
        *removed(EMPTIED_OF_OBJECTS_IS_ABSENT),
    ]
    assert lawful({"$remove": [select(1)]}, ABSENT) == [*refused(ABSENT), CellOutcome(UNKNOWN, []), *GONE]


def test_an_update_merges_if_the_request_says_so_and_otherwise_merges_or_replaces() -> None:
    update = {"$update": [select(1, y=2)]}
    assert lawful(update, [A, B], merge=True) == [stored([{**A, "y": 2}, B])]
    everywhere, first = UPDATE_MATCHES_ALL, UPDATE_MATCHES_FIRST
    merged, replaced = UPDATE_MERGES, UPDATE_REPLACES
    assert lawful(update, [A, B]) == [
        stored([{**A, "y": 2}, B], everywhere, merged),
        stored([{"y": 2}, B], everywhere, replaced),
        stored([{**A, "y": 2}, B], first, merged),
        stored([{"y": 2}, B], first, replaced),
    ]


def test_an_update_changes_all_that_match_or_the_first() -> None:
    outcomes = lawful({"$update": [select(1, "x", y=2)]}, [A, B], merge=True)
    assert outcomes == [
        stored([{**A, "y": 2}, {**B, "y": 2}], UPDATE_MATCHES_ALL),
        stored([{**A, "y": 2}, B], UPDATE_MATCHES_FIRST),
    ]


def test_an_update_that_makes_objects_equal_may_keep_one_of_them() -> None:
    twins = [{"x": 1, "n": 1}, {"x": 1, "n": 2}]
    everywhere = UPDATE_MATCHES_ALL
    outcomes = lawful({"$update": [select(1, "x", n=3)]}, twins, merge=True)
    assert outcomes[:2] == [
        stored([{"x": 1, "n": 3}] * 2, everywhere),
        stored([{"x": 1, "n": 3}], everywhere),
    ]


def test_the_steps_of_one_edit_may_be_made_in_any_order() -> None:
    assert lawful({"$add": [C], "$remove": [select(3)]}, [A]) == [idle([A]), stored([A]), stored([A, C])]
    assert lawful({"$add": [C], "$remove": [select(1)]}, [A, B]) == [stored([B, C])]


def test_an_update_may_make_an_object_that_is_removed_then_or_not() -> None:
    turn = {"$update": [select(1, id=2)], "$remove": [select(2)]}
    everywhere = UPDATE_MATCHES_ALL
    assert lawful(turn, [{"id": 1}], merge=True)[:4] == [
        stored([], everywhere, EMPTIED_OF_OBJECTS_IS_EMPTY),
        *removed(everywhere, EMPTIED_OF_OBJECTS_IS_ABSENT),
        stored([{"id": 2}], everywhere),
    ]


def test_all_three_steps_of_an_edit_may_come_together() -> None:
    edit = {"$add": [C], "$update": [select(1, y=2)], "$remove": [select(2)]}
    assert lawful(edit, [A, B], merge=True) == [stored([{**A, "y": 2}, C])]


def test_an_edit_of_objects_over_the_limit_is_not_made() -> None:
    prior, added = [sized(50_000)], sized(OBJECT_BYTES - 50_000 - 3)
    assert lawful({"$add": [added]}, prior) == [stored([*prior, added])]
    added["kz"] += "z"
    assert lawful({"$add": [added]}, prior) == refused(prior)
    update = {"$update": [select("y" * 45, "ky", new="n" * 150)]}
    full = [sized(OBJECT_BYTES - 100)]
    assert set(lawful(update, full)[0].requires) >= {UPDATE_MERGES, UPDATE_MATCHES_ALL}
    assert lawful(update, full)[0].shows == full


@pytest.mark.parametrize(
    ("edit", "prior"),
    [
        ({"$add": [A], "x": 1}, [A]),
        ({"$add": A}, [A]),
        ({"$add": [1]}, [A]),
        ({"$add": [{"": 1}]}, [A]),
        ({"$add": [{"a": ASTRAL}]}, [A]),
        ({"$add": [{"a": None}]}, [A]),
        ({"$update": [select(1)]}, [A]),
        ({"$update": [{**select(1), "$new_object": 5}]}, [A]),
        ({"$update": [{**select(1), "$new_object": {"": 1}}]}, [A]),
        ({"$update": [{**select(1), "$new_object": {"a.b": 1}}]}, [A]),
        ({"$remove": [select(1, y=2)]}, [A]),
        ({"$remove": [select(1, 5)]}, [A]),
        ({"$remove": [{"$identifier_key": "id"}]}, [A]),
        ({"$add": [A]}, 5),
        ({"$add": [A]}, UNKNOWN),
        ({"$add": [A]}, [1]),
    ],
)
def test_any_outcome_is_lawful_for_odd_edits_of_objects(edit: dict[str, Any], prior: Any) -> None:
    assert lawful(edit, prior) == OPEN
