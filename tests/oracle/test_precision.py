"""Integers that a double cannot hold."""

from __future__ import annotations

from typing import Any

import pytest

from tracksync.oracle.precision import keeps_digits, rounded


@pytest.mark.parametrize(
    ("value", "held"),
    [
        (2**53 + 1, 2**53),
        (-(2**53) - 1, -(2**53)),
        (7, 7),
        (True, True),
        ("9007199254740993", "9007199254740993"),
        ([2**53 + 1, {"a": 2**53 + 1}], [2**53, {"a": 2**53}]),
        (10**300, 10**300),  # from here on it is left as it is
        (10**310, 10**310),
        (10**400, 10**400),
    ],
)
def test_an_integer_becomes_the_nearest_double(value: Any, held: Any) -> None:
    assert rounded(value) == held
    assert type(rounded(value)) is type(held)


def test_below_a_bound_every_integer_has_a_double() -> None:
    assert rounded(10**300 - 1) == int(1e300) != 10**300


@pytest.mark.parametrize(
    ("value", "kept"),
    [
        (2**53, False),
        (2**53 + 1, True),
        (-(2**53) - 1, True),
        (2**60, False),
        (2**60 + 1, True),
        (1152921504606847000, False),  # how some write the double 2^60
        (107, False),
        (10**300 - 1, True),
        (10**300, False),
        (10**310, False),
        (10**400, False),
        (1.5, False),
        ("9007199254740993", False),
        (True, False),
        ([1, [2**53 + 1]], True),
        ([1, 2], False),
        ({"a": {"b": 2**53 + 1}}, True),
        ({"a": 1}, False),
    ],
)
def test_digits_that_no_double_holds_are_noticed(value: Any, kept: bool) -> None:
    assert keeps_digits(value) is kept
