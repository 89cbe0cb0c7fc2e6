"""When two JSON values are the same, and what kind of number one is.

Sameness is JSON's, not Python's: true is not 1, but 16 is 16.0. Numbers are compared exactly, as the numbers that
they are: 9007199254740993 is not 9007199254740992.0.
"""

from __future__ import annotations

from collections.abc import Hashable
from functools import lru_cache
from typing import Any, Final

_MOST_DIGITS: Final = 20  # no 64-bit number has more


def same(a: Any, b: Any) -> bool:
    """Whether `a` and `b` are one JSON value: order matters in lists and not in objects. NaN is the same as NaN."""
    if a is b:
        return True
    kind = type(a)
    if kind is str:
        return bool(a == b)
    if kind is bool or type(b) is bool:
        return False  # the same ones are identical, and Python's true is 1
    if kind is dict:
        return type(b) is dict and len(a) == len(b) and all(key in b and same(a[key], b[key]) for key in a)
    if kind is list:
        return type(b) is list and len(a) == len(b) and all(map(same, a, b))
    return bool(a == b or (a != a and b != b))


def same_double(a: Any, b: Any) -> bool:
    """Whether `a` and `b` are numbers, one of them not written as an integer, and one IEEE double stands for both.

    5.907004440428629e16 may be shown as 59070044404286290, or by the exact digits of the double.
    """
    if not (is_number(a) and is_number(b)) or type(a) is type(b) is int:
        return False
    try:
        return float(a) == float(b)
    except OverflowError:
        return False


def is_integer(value: Any) -> bool:
    """Whether `value` is a whole number: 16 and 16.0 are, true and 16.5 are not."""
    return type(value) is int or (type(value) is float and value.is_integer())


def is_number(value: Any) -> bool:
    """Whether `value` is a number; true and false are not."""
    return type(value) is int or type(value) is float


@lru_cache(maxsize=8192)
def whole_number(text: str | None) -> int | None:
    """The number that a text of decimal digits states, at most 20; None for any other text. Headers repeat them."""
    return int(text) if text is not None and len(text) <= _MOST_DIGITS and text.isascii() and text.isdigit() else None


def within_int64(value: int) -> bool:
    """Whether a signed 64-bit integer holds `value`."""
    return -(2**63) <= value < 2**63


def canonical(value: Any) -> Hashable:
    """A hashable key: two keys are equal exactly if the values are the `same`."""
    if type(value) is list:
        return ("list", *map(canonical, value))
    if type(value) is dict:
        return ("dict", frozenset((key, canonical(item)) for key, item in value.items()))
    if type(value) is bool:
        return ("bool", value)
    if value != value:
        return ("nan",)
    return value  # type: ignore[no-any-return]  # None, a string or a number: Python's equality is JSON's
