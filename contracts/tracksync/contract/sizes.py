"""How large a JSON value is and how deep: bytes in its shortest and longest usual forms, levels of nesting."""

from __future__ import annotations

import json
from typing import Any, Final

import msgspec


def compact_bytes(value: Any) -> int:
    """Bytes of `value` as JSON in UTF-8 in its shortest usual form."""
    return len(msgspec.json.encode(value))


def loose_bytes(value: Any) -> int:
    """Bytes of `value` as JSON in its longest usual form: other than ASCII escaped, spaces after separators."""
    return len(_LOOSE.encode(value))


def keeps_loosely(value: Any, most: int) -> bool:
    """Whether `loose_bytes` of `value` are at most so many."""
    compact = msgspec.json.encode(value)
    if len(compact) > most:
        return False
    if compact.isascii() and len(compact) + compact.count(b",") + compact.count(b":") <= most:
        return True  # the usual case, without the slow encoder
    return loose_bytes(value) <= most


def depth(value: Any) -> int:
    """Levels of arrays and objects in `value`; a scalar has none."""
    level, todo = 0, [value]
    while todo:
        inner = [one for one in todo if type(one) in (list, dict)]
        if not inner:
            return level
        level += 1
        todo = [part for one in inner for part in (one if type(one) is list else one.values())]
    return level


_LOOSE: Final = json.JSONEncoder(ensure_ascii=True, check_circular=False)
