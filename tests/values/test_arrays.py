"""Array attributes: unique values, edits, and the limit."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tracksync.contract.ambiguities import ambiguity_catalogue
from tracksync.values.arrays import cap, edit, unique
from tracksync.values.numbers import canonical

ORDERS = tuple(ambiguity_catalogue()["remove-add-order"].interpretations)
OVERFLOWS = tuple(ambiguity_catalogue()["array-overflow"].interpretations)
ELEMENTS = st.sampled_from(["a", "b", "c", "1", 1, True, 0, False, 2.5, None])
ARRAYS = st.lists(ELEMENTS, max_size=8)


def keys(values: list[Any]) -> list[Any]:
    return [canonical(value) for value in values]


@pytest.mark.parametrize(
    ("values", "keep", "result"),
    [
        ([1, 2, 1], "last", [2, 1]),
        ([1, 2, 1], "first", [1, 2]),
        (["a", "A", "a "], "last", ["a", "A", "a "]),
        ([{"a": 1}, {"a": 1.0}], "first", [{"a": 1}]),
        ([[1], [1]], "last", [[1]]),
        ([], "last", []),
    ],
)
def test_of_repeated_values_the_one_asked_for_stays(values: list[Any], keep: str, result: list[Any]) -> None:
    assert keys(unique(values, keep)) == keys(result)


def test_true_and_one_are_two_values() -> None:
    assert keys(unique([True, 1, "1"])) == keys([True, 1, "1"])


@given(ARRAYS, st.sampled_from(["first", "last"]))
def test_unique_loses_no_value_repeats_none_and_keeps_the_order(values: list[Any], keep: str) -> None:
    result = keys(unique(values, keep))
    assert len(result) == len(set(result))
    assert set(result) == set(keys(values))
    rest = iter(keys(values))
    assert all(key in rest for key in result)


def test_an_unknown_choice_of_repeats_is_an_error() -> None:
    with pytest.raises(ValueError, match="'middle'"):
        unique([1], "middle")


@pytest.mark.parametrize(
    ("add", "remove", "result"),
    [
        (["d"], [], ["a", "b", "c", "d"]),
        (["a"], [], ["b", "c", "a"]),
        (["d", "a", "d"], [], ["b", "c", "a", "d"]),
        ([], ["b"], ["a", "c"]),
        ([], ["x"], ["a", "b", "c"]),
        ([], ["a", "b", "c"], []),
        (["d"], ["a"], ["b", "c", "d"]),
    ],
)
@pytest.mark.parametrize("order", ORDERS)
def test_an_edit_adds_at_the_end_and_removes(order: str, add: list[str], remove: list[str], result: list[str]) -> None:
    assert edit(["a", "b", "c"], add, remove, order) == result


@pytest.mark.parametrize(("order", "result"), [("remove-first", ["b", "a"]), ("add-first", ["b"])])
def test_the_order_decides_on_a_value_both_added_and_removed(order: str, result: list[str]) -> None:
    assert edit(["a", "b"], ["a"], ["a"], order) == result


@given(ARRAYS, ARRAYS, ARRAYS, st.sampled_from(ORDERS))
def test_an_edit_never_repeats_a_value(current: list[Any], add: list[Any], remove: list[Any], order: str) -> None:
    result = keys(edit(current, add, remove, order))
    assert len(result) == len(set(result))


@given(ARRAYS, ARRAYS, ARRAYS, st.sampled_from(ORDERS))
def test_an_edit_made_twice_is_the_edit_made_once(
    current: list[Any], add: list[Any], remove: list[Any], order: str
) -> None:
    once = edit(current, add, remove, order)
    assert keys(edit(once, add, remove, order)) == keys(once)


@given(ARRAYS, ARRAYS, ARRAYS, st.sampled_from(ORDERS))
def test_an_edit_leaves_its_arguments_alone(current: list[Any], add: list[Any], remove: list[Any], order: str) -> None:
    before = (list(current), list(add), list(remove))
    edit(current, add, remove, order)
    assert (current, add, remove) == before


def test_an_unknown_order_is_an_error() -> None:
    with pytest.raises(ValueError, match="'both'"):
        edit([], [], [], "both")


@pytest.mark.parametrize(
    ("interpretation", "result"), [("unchanged", None), ("newest", [3, 4, 5]), ("first", [1, 2, 3])]
)
def test_an_array_over_the_limit_is_treated_by_the_interpretation(
    interpretation: str, result: list[int] | None
) -> None:
    assert cap([1, 2, 3, 4, 5], 3, interpretation, [1, 2]) == result


@given(ARRAYS, st.integers(0, 8), st.sampled_from(OVERFLOWS))
def test_nothing_over_the_limit_passes_and_nothing_within_it_is_lost(
    values: list[Any], limit: int, interpretation: str
) -> None:
    result = cap(values, limit, interpretation, None)
    assert result == values if len(values) <= limit else result is None or len(result) == limit


def test_an_array_that_was_over_a_lowered_limit_may_shrink_but_not_grow() -> None:
    assert cap([1, 2, 3], 2, "unchanged", [1, 2, 3, 4]) == [1, 2, 3]
    assert cap([1, 2, 3], 2, "unchanged", [4, 5, 6]) is None


def test_an_unknown_interpretation_of_the_overflow_is_an_error() -> None:
    with pytest.raises(ValueError, match="'oldest'"):
        cap([1, 2], 1, "oldest", None)
