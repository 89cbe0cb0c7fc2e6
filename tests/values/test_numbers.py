"""When two JSON values are the same, and what kind of number one is."""

from __future__ import annotations

import copy
import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tracksync.values.jsontext import DEPTH, read_json
from tracksync.values.numbers import canonical, is_integer, is_number, same, within_int64

# Few different leaves, so that equal and nearly equal values meet often.
NEAR_VALUES = st.recursive(
    st.sampled_from([None, True, False, 0, 1, -0.0, 1.0, math.nan, math.inf, "", "1", "a", 2**53 + 1, float(2**53)]),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.sampled_from(["a", "b"]), inner, max_size=2),
    max_leaves=4,
)


@pytest.mark.parametrize(
    ("a", "b"),
    [
        (16, 16.0),
        (0.0, -0.0),
        (1e300, 10**300 - (10**300 - int(1e300))),
        ("a", "a"),
        (None, None),
        (math.nan, float("nan")),
        ({"a": 1, "b": [1]}, {"b": [1.0], "a": 1}),
        ([], []),
    ],
)
def test_equal_json_values_are_the_same(a: Any, b: Any) -> None:
    assert same(a, b)
    assert canonical(a) == canonical(b)


@pytest.mark.parametrize(
    ("a", "b"),
    [
        (True, 1),
        (False, 0),
        (False, None),
        (0, None),
        ("", None),
        ("1", 1),
        ([], {}),
        ([True], [1]),
        ({"a": True}, {"a": 1.0}),
        ([1, 2], [2, 1]),
        ([1], [1, 1]),
        ({"a": None}, {}),
        ({"a": None}, {"b": None}),
        (2**53 + 1, float(2**53)),
        (0.1 + 0.2, 0.3),
        (10**400, math.inf),
        ("é", "e\u0301"),
        ("a", "A"),
        ("a", "a "),
        (math.nan, "nan"),
        ([math.nan], ["nan"]),
    ],
)
def test_different_json_values_are_not_the_same(a: Any, b: Any) -> None:
    assert not same(a, b)
    assert not same(b, a)
    assert canonical(a) != canonical(b)


@given(NEAR_VALUES, NEAR_VALUES)
def test_values_have_one_canonical_key_exactly_if_they_are_the_same(a: Any, b: Any) -> None:
    assert (canonical(a) == canonical(b)) is same(a, b) is same(b, a)


@given(NEAR_VALUES)
def test_every_value_is_the_same_as_its_copy(value: Any) -> None:
    twin = copy.deepcopy(value)
    assert same(value, twin)
    assert len({canonical(value), canonical(twin)}) == 1


def test_the_deepest_value_that_is_read_can_be_compared() -> None:
    body = b"[" * DEPTH + b"1" + b"]" * DEPTH
    a, b = read_json(body).value, read_json(body).value
    assert same(a, b)
    assert canonical(a) == canonical(b)


@pytest.mark.parametrize("value", [0, 16, 16.0, -3, 1e20, 10**400])
def test_a_whole_number_is_an_integer_in_either_spelling(value: Any) -> None:
    assert is_integer(value)
    assert is_number(value)


@pytest.mark.parametrize("value", [16.5, math.inf, math.nan])
def test_a_number_that_is_not_whole_is_not_an_integer(value: Any) -> None:
    assert not is_integer(value)
    assert is_number(value)


@pytest.mark.parametrize("value", [True, False, None, "16", [], {}])
def test_what_is_not_a_json_number_is_not_a_number(value: Any) -> None:
    assert not is_integer(value)
    assert not is_number(value)


@pytest.mark.parametrize(
    ("value", "within"), [(2**63 - 1, True), (2**63, False), (-(2**63), True), (-(2**63) - 1, False), (0, True)]
)
def test_a_signed_64_bit_integer_ends_where_it_does(value: int, within: bool) -> None:
    assert within_int64(value) is within
