"""Integers that a double cannot hold: RFC 8259 (section 6) lets a reader of JSON keep or lose their last digits.

The documents say nothing of them. So a server may hold all its numbers as doubles, or keep every digit of 64 bits; one
that keeps them in one place and loses them in another contradicts itself.
"""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Any, Final

WIDE: Final = re.compile(rb"\d{16}")  # in no body without such digits is there anything to see


def rounded(value: Any) -> Any:
    """`value` with every integer, at any depth, as a double would hold it."""
    if type(value) is int:
        return int(float(value)) if abs(value) < 10**300 else value
    if type(value) is list:
        return [rounded(item) for item in value]
    if type(value) is dict:
        return {key: rounded(item) for key, item in value.items()}
    return value


def keeps_digits(value: Any) -> bool:
    """Whether `value` has an integer that is not a double, not even the shortest digits of one."""
    if type(value) is int:
        return bool(value != rounded(value)) and value != int(Decimal(repr(float(value))))
    if type(value) is list:
        return any(keeps_digits(item) for item in value)
    return type(value) is dict and any(keeps_digits(item) for item in value.values())
