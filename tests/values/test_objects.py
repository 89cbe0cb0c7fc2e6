"""Nested objects and arrays of objects: problems, doubts, merging, editing, size."""

from __future__ import annotations

import copy
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tracksync.values.jsontext import DEPTH, read_json
from tracksync.values.numbers import same
from tracksync.values.objects import (
    ObjectLimits,
    ObjectProblem,
    add_objects,
    doubtful,
    merge,
    problems,
    remove_objects,
    serialized_size,
    update_objects,
)

OBJECT_BYTES = 102_400
LIMITS = ObjectLimits(255, 100_000, OBJECT_BYTES, (0, 3000))
VALUES = st.recursive(
    st.booleans() | st.integers(-2, 2) | st.sampled_from(["", "x", "y"]),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.sampled_from("abc"), inner, max_size=3),
    max_leaves=8,
)
OBJECTS = st.dictionaries(st.sampled_from("abc"), VALUES, max_size=3)
PETS = [{"id": 1, "name": "Rex"}, {"id": 2, "name": "Tom"}, {"id": 2, "name": "Ben", "size": {"kg": 4, "cm": 30}}]


def selector(key: Any, value: Any, **more: Any) -> dict[str, Any]:
    return {"$identifier_key": key, "$identifier_value": value, **{f"${name}": item for name, item in more.items()}}


def deepest(inner: bytes = b"1") -> Any:
    return read_json(b'{"a":' * DEPTH + inner + b"}" * DEPTH).value


@pytest.mark.parametrize(
    ("value", "problem"),
    [
        ({"a": None}, ObjectProblem.NULL),
        ({"a": {"b": [1, None]}}, ObjectProblem.NULL),
        ({"a": {"$time": "yesterday"}}, ObjectProblem.BAD_TIME),
        ({"a": {"$time": "2022-13-45"}}, ObjectProblem.BAD_TIME),
        ({"a": [{"$time": ""}]}, ObjectProblem.BAD_TIME),
        ({"a": {"$time": True}}, ObjectProblem.BAD_TIME),
        ({"a": {"$time": {}}}, ObjectProblem.BAD_TIME),
        ({"a.b": 1}, ObjectProblem.KEY_NAME),
        ({"a": [{"$b": 1}]}, ObjectProblem.KEY_NAME),
        ({"a$": 1}, ObjectProblem.KEY_NAME),
        ({"$timed": "2022-01-01"}, ObjectProblem.KEY_NAME),
        ({"a b": 1}, ObjectProblem.KEY_NAME),
        ({"k" * 256: 1}, ObjectProblem.KEY_LENGTH),
        ({"a": ["v" * 256]}, ObjectProblem.STRING_LENGTH),
        ({"a": ["v" * 250] * 450}, ObjectProblem.SIZE),
    ],
)
def test_a_problem_is_found_at_any_depth(value: Any, problem: ObjectProblem) -> None:
    assert problems(value, "code-points", LIMITS) == {problem}
    assert problem in problems([{"deeper": [value]}], "utf16", LIMITS)


@pytest.mark.parametrize(
    "value",
    [
        {},
        {"a": {"b": {"c": [1, 2.5, True, "x", ""]}}},
        {"born": {"$time": "1980-01-01"}},
        {"born": {"$time": "1980-01-01T00:00:00Z"}},
        {"k" * 255: "v" * 255},
        {"a-b_c": "a.b $c"},
        {"größe 😀".replace(" ", "-"): "a\u00a0b"},
        [{"a": 1}, {"a": 1}],
    ],
)
def test_a_sound_object_has_no_problem_and_no_doubt(value: Any) -> None:
    assert problems(value, "utf16", LIMITS) == frozenset()
    assert not doubtful(value, LIMITS)


def test_all_problems_of_one_object_are_named() -> None:
    value = {"a.b": None, "k" * 256: {"$time": "never"}, "s": "v" * 256, "l": ["v" * 250] * 450}
    assert problems(value, "code-points", LIMITS) == set(ObjectProblem)


def test_the_unit_decides_on_a_string_of_astral_characters() -> None:
    value = {"a": "😀" * 200}
    assert problems(value, "code-points", LIMITS) == frozenset()
    assert problems(value, "utf16", LIMITS) == {ObjectProblem.STRING_LENGTH}


@pytest.mark.parametrize(
    "value",
    [
        {"a": {"$time": "2022-02-30"}},
        {"a": {"$time": "12/06/2022"}},
        {"a": {"$time": 1670354445}},
        {"a": {"$time": "3001-01-01T00:00:00Z"}},
        {"a": [{"$time": "1980-01-01", "b": 1}]},
        {"": 1},
        {"a\u00a0b": 1},
        {"a": [{"one\ttwo": 1}]},
        {"\u200b": 1},
        {"a": ["one\0"]},
        {"a": {"one\0": 1}},
        {"a": ["v" * 250] * 400},
        {"a": ["é" * 125] * 300},
    ],
)
def test_what_servers_may_or_may_not_store_is_doubtful_and_no_problem(value: Any) -> None:
    assert doubtful(value, LIMITS)
    assert problems(value, "code-points", LIMITS) == frozenset()


@pytest.mark.parametrize("value", [{"a": {"$time": "never"}}, {"a": {"$time": None}}, {"a": ["v" * 250] * 450}])
def test_what_is_certainly_wrong_is_not_doubtful(value: Any) -> None:
    assert problems(value, "code-points", LIMITS)
    assert not doubtful(value, LIMITS)


@given(OBJECTS, OBJECTS)
def test_merge_is_idempotent(stored: Any, new: Any) -> None:
    once = merge(stored, new)
    assert same(merge(once, new), once)


@given(OBJECTS)
def test_merging_nothing_or_itself_changes_nothing(stored: Any) -> None:
    assert same(merge(stored, {}), stored)
    assert same(merge({}, stored), stored)
    assert same(merge(stored, stored), stored)


@given(OBJECTS, OBJECTS)
def test_merge_leaves_its_arguments_alone(stored: Any, new: Any) -> None:
    before = copy.deepcopy((stored, new))
    merge(stored, new)
    assert same(list(before), [stored, new])


@given(OBJECTS, OBJECTS)
def test_merge_keeps_what_the_new_object_does_not_name(stored: dict[str, Any], new: dict[str, Any]) -> None:
    merged = merge(stored, new)
    assert merged.keys() == stored.keys() | new.keys()
    assert all(same(merged[key], stored[key]) for key in stored.keys() - new.keys())


@pytest.mark.parametrize(
    ("stored", "new", "merged"),
    [
        ({"a": {"b": 1, "c": 2}}, {"a": {"b": 3}}, {"a": {"b": 3, "c": 2}}),
        ({"a": [1, 2]}, {"a": [3]}, {"a": [3]}),
        ({"a": {"b": 1}}, {"a": 2}, {"a": 2}),
        ({"a": 2}, {"a": {"b": 1}}, {"a": {"b": 1}}),
        ({"a": {"b": 1}}, {"a": {"$time": "1980-01-01"}}, {"a": {"$time": "1980-01-01"}}),
        ({"a": {"$time": "1980-01-01"}}, {"a": {"b": 1}}, {"a": {"b": 1}}),
        ("text", {"a": 1}, {"a": 1}),
        (None, {"a": 1}, {"a": 1}),
    ],
)
def test_objects_merge_and_everything_else_is_replaced(stored: Any, new: Any, merged: Any) -> None:
    assert same(merge(stored, new), merged)


def test_the_deepest_object_that_is_read_can_be_checked_and_merged() -> None:
    assert problems(deepest(), "utf16", LIMITS) == frozenset()
    assert not doubtful(deepest(), LIMITS)
    assert same(merge(deepest(), deepest(b"2")), deepest(b"2"))


def test_objects_are_appended_even_if_they_are_there_already() -> None:
    assert add_objects([{"id": 1}], [{"id": 1}, {"id": 2}]) == [{"id": 1}, {"id": 1}, {"id": 2}]


@pytest.mark.parametrize(
    ("merge_objects", "matches", "second", "third"),
    [
        (
            True,
            "all",
            {"id": 2, "name": "Tom", "size": {"kg": 5}},
            {"id": 2, "name": "Ben", "size": {"kg": 5, "cm": 30}},
        ),
        (True, "first", {"id": 2, "name": "Tom", "size": {"kg": 5}}, PETS[2]),
        (False, "all", {"size": {"kg": 5}}, {"size": {"kg": 5}}),
        (False, "first", {"size": {"kg": 5}}, PETS[2]),
    ],
)
def test_an_update_changes_the_matches_by_the_interpretations(
    merge_objects: bool, matches: str, second: Any, third: Any
) -> None:
    updates = [selector("id", 2, new_object={"size": {"kg": 5}})]
    assert update_objects(PETS, updates, merge_objects, matches) == [PETS[0], second, third]


def test_updates_follow_each_other() -> None:
    updates = [selector("id", 1, new_object={"id": 9}), selector("id", 9, new_object={"name": "Max"})]
    assert update_objects(PETS, updates, True, "all")[0] == {"id": 9, "name": "Max"}


@pytest.mark.parametrize(
    "broken",
    [
        selector("id", 7, new_object={"x": 1}),
        selector("id", True, new_object={"x": 1}),
        selector("id", "1", new_object={"x": 1}),
        selector("owner", None, new_object={"x": 1}),
        selector(1, 1, new_object={"x": 1}),
        selector(["id"], 1, new_object={"x": 1}),
        selector("id", 1),
        {"$identifier_key": "id", "$new_object": {"x": 1}},
        {},
        None,
        "id",
    ],
)
def test_an_update_that_matches_nothing_or_says_nothing_changes_nothing(broken: Any) -> None:
    assert update_objects(PETS, [broken], True, "all") == PETS


def test_elements_that_are_no_objects_never_match() -> None:
    assert update_objects([1, "id", None], [selector("id", 1, new_object={})], False, "all") == [1, "id", None]
    assert remove_objects([1, "id", None], [selector("id", 1)]) == [1, "id", None]


def test_an_unknown_choice_of_matches_is_an_error() -> None:
    with pytest.raises(ValueError, match="'last'"):
        update_objects([], [], True, "last")


@pytest.mark.parametrize(
    ("removals", "left"),
    [
        ([selector("id", 2)], PETS[:1]),
        ([selector("id", 2.0)], PETS[:1]),
        ([selector("id", 1), selector("name", "Ben")], PETS[1:2]),
        ([selector("size", {"cm": 30, "kg": 4})], PETS[:2]),
        ([selector("id", 7)], PETS),
        ([selector("id", "2"), {}, None], PETS),
        ([], PETS),
    ],
)
def test_a_removal_takes_every_match_and_nothing_else(removals: list[Any], left: list[Any]) -> None:
    assert remove_objects(PETS, removals) == left


def test_editing_lists_leaves_the_stored_ones_alone() -> None:
    before = copy.deepcopy(PETS)
    update_objects(PETS, [selector("id", 2, new_object={"name": "Max"})], True, "all")
    remove_objects(PETS, [selector("id", 2)])
    add_objects(PETS, [{"id": 3}])
    assert before == PETS


@given(OBJECTS)
def test_size_is_that_of_compact_json(value: Any) -> None:
    assert serialized_size(value) == len(json.dumps(value, separators=(",", ":"), ensure_ascii=False).encode())


@pytest.mark.parametrize(
    ("value", "size"),
    [({}, 2), ({"a": 1}, 7), ("é", 4), ("😀", 6), ("\ud800", 5), ('"', 4), (["\ud800", {"é": 1}], 16)],
)
def test_size_counts_utf8_bytes(value: Any, size: int) -> None:
    assert serialized_size(value) == size


@pytest.mark.parametrize(("more", "found"), [(0, frozenset()), (1, {ObjectProblem.SIZE})])
def test_an_object_of_exactly_the_limit_is_not_too_large(more: int, found: frozenset[ObjectProblem]) -> None:
    value = {"a": ["v" * 250] * 404, "b": ""}
    value["b"] = "w" * (OBJECT_BYTES + more - serialized_size(value))
    assert serialized_size(value) == OBJECT_BYTES + more
    assert problems(value, "utf16", LIMITS) == found
    assert doubtful(value, LIMITS) is not bool(found)


def test_a_hundred_thousand_bytes_are_beyond_doubt_and_escapes_that_go_over_are_not() -> None:
    assert not doubtful("x" * 99_998, LIMITS)
    assert doubtful("x" * 99_999, LIMITS)
    assert doubtful({"k": "x" * 99_992}, LIMITS)


def test_an_update_that_is_not_whole_does_not_stop_the_next() -> None:
    updates = [
        {"$identifier_key": "id", "$identifier_value": 1},
        {"$identifier_key": "id", "$identifier_value": 1, "$new_object": {"id": 1, "a": 2}},
    ]
    assert update_objects([{"id": 1}], updates, False, "all") == [{"id": 1, "a": 2}]
