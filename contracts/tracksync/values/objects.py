"""Nested objects and arrays of objects: what is wrong with one, how two merge, how lists of them are edited.

Sources: NESTED, ARROBJ, TRACK. Interpretations are those of the ambiguities `string-length` and `update-matches`.
"""

from __future__ import annotations

import enum
import json
import re
import unicodedata
from typing import Any, Final

import msgspec

from tracksync.values.numbers import same
from tracksync.values.text import fits
from tracksync.values.times import Certainty, is_date_like, read_time


class ObjectProblem(enum.StrEnum):
    """Why an object is not stored. The first two drop the whole update (NESTED); of the others see `invalid-object`."""

    NULL = "null"  # at any depth
    BAD_TIME = "bad-time"  # a $time that is certainly none
    KEY_NAME = "key-name"  # a dot, a dollar sign or a space in a key other than $time
    KEY_LENGTH = "key-length"
    STRING_LENGTH = "string-length"
    SIZE = "size"


class ObjectLimits(msgspec.Struct, frozen=True):
    """What an object keeps to. `characters`: of a text or key. Up to `least_bytes` every server stores it, over
    `most_bytes` none does. `years`: those of a date."""

    characters: int
    least_bytes: int
    most_bytes: int
    years: tuple[int, int]


def problems(value: Any, unit: str, limits: ObjectLimits) -> frozenset[ObjectProblem]:
    """What is certainly wrong anywhere in the nested `value`; strings are measured in `unit`."""
    found: set[ObjectProblem] = set()
    todo = [value]
    while todo:
        item = todo.pop()
        if item is None:
            found.add(ObjectProblem.NULL)
        elif type(item) is str:
            if not fits(item, unit, limits.characters):
                found.add(ObjectProblem.STRING_LENGTH)
        elif type(item) is list:
            todo.extend(item)
        elif type(item) is dict:
            todo.extend(item.values())
            for key in item:
                if key == "$time":
                    if _time_certainty(item[key]) is Certainty.NOT:
                        found.add(ObjectProblem.BAD_TIME)
                elif "." in key or "$" in key or " " in key:
                    found.add(ObjectProblem.KEY_NAME)
                if not fits(key, unit, limits.characters):
                    found.add(ObjectProblem.KEY_LENGTH)
    if serialized_size(value) > limits.most_bytes:
        found.add(ObjectProblem.SIZE)
    return frozenset(found)


def doubtful(value: Any, limits: ObjectLimits) -> bool:
    """Whether lawful servers may differ on storing the nested `value`, whatever its `problems` say.

    So it is with a $time that `read_time` is not sure of (but yyyy-MM-dd is NESTED's own example), one outside the
    years of `limits` (TYPES), one among other keys, an empty key, a key with white space other than the space itself
    (NESTED says "spaces"), a NUL, which no store of text has to take, and a size that is over the limit in one way of
    counting and not in another.
    """
    todo = [value]
    while todo:
        item = todo.pop()
        if type(item) is str:
            if "\0" in item:
                return True
        elif type(item) is list:
            todo.extend(item)
        elif type(item) is dict:
            todo.extend(item.values())
            todo.extend(item)
            if (
                "" in item
                or any(map(_has_other_space, item))
                or ("$time" in item and (len(item) > 1 or _time_doubtful(item["$time"], limits.years)))
            ):
                return True
    size = serialized_size(value)
    least = limits.least_bytes
    if _LOOSE_FACTOR * size <= least:
        return False
    return least < size <= limits.most_bytes or (size <= least < len(_LOOSE_ENCODER.encode(value)))


def _has_other_space(key: str) -> bool:
    """Whether `key` has a separator, a control or a format character, which some take for white space."""
    return not key.isprintable() and any(unicodedata.category(one) in _SPACES for one in key if one != " ")


def _time_doubtful(value: Any, years: tuple[int, int]) -> bool:
    certainty = _time_certainty(value)
    if certainty is Certainty.NOT:
        return False  # a problem, not a doubt
    sure = certainty is Certainty.CERTAIN or _plain_date(value)
    return not (sure and is_date_like(value, years))


def _plain_date(value: Any) -> bool:
    return type(value) is str and _DATE.fullmatch(value) is not None and read_time(value).instant is not None


def _time_certainty(value: Any) -> Certainty:
    if type(value) is str:
        return read_time(value).certainty
    if type(value) in (int, float):
        return Certainty.LENIENT  # seconds since the epoch, to some
    return Certainty.NOT


def merge(stored: Any, new: Any) -> Any:
    """`new` merged into `stored` at every depth (NESTED). Only objects merge; all else, a time too, is replaced."""
    if type(stored) is not dict or type(new) is not dict or "$time" in stored or "$time" in new:
        return new
    merged = dict(stored)
    for key, value in new.items():
        merged[key] = merge(stored[key], value) if key in stored else value
    return merged


def add_objects(current: list[Any], new: list[Any]) -> list[Any]:
    """`current` with `new` appended; equal objects stay (ARROBJ)."""
    return current + new


def update_objects(current: list[Any], updates: list[Any], merge_objects: bool, matches: str) -> list[Any]:
    """`current` after each of `updates` in turn; the matched object is merged with the new one, or replaced by it.

    `matches` says which of several matching objects change: "all" or "first".
    An update without its three members changes nothing.
    """
    if matches not in ("all", "first"):
        raise ValueError(f"of several matches all or the first can change, not {matches!r}")
    result = list(current)
    for update in updates:
        if not _has(update, "$new_object"):
            continue
        for index, element in enumerate(result):
            if _matches(element, update):
                new = update["$new_object"]
                result[index] = merge(element, new) if merge_objects else new
                if matches == "first":
                    break
    return result


def remove_objects(current: list[Any], removals: list[Any]) -> list[Any]:
    """`current` without every object that matches one of `removals` (ARROBJ)."""
    wanted = [removal for removal in removals if _has(removal)]
    return [element for element in current if not any(_matches(element, removal) for removal in wanted)]


def _has(selector: Any, *names: str) -> bool:
    return type(selector) is dict and all(name in selector for name in ("$identifier_key", "$identifier_value", *names))


def _matches(element: Any, selector: dict[str, Any]) -> bool:
    key = selector["$identifier_key"]
    return (
        type(element) is dict
        and type(key) is str
        and key in element
        and same(element[key], selector["$identifier_value"])
    )


def has_wide_characters(value: Any) -> bool:
    """Whether a text in `value` may have a character that is two units of UTF-16."""
    try:
        written = msgspec.json.encode(value)
    except UnicodeEncodeError:  # a lone surrogate
        return True
    return len(written.translate(None, _BEYOND_BASIC)) != len(written)


def serialized_size(value: Any) -> int:
    """Bytes of `value` as compact JSON in UTF-8."""
    try:
        return len(msgspec.json.encode(value))
    except UnicodeEncodeError:  # a lone surrogate
        return len(_ENCODER.encode(value).encode("utf-8", "surrogatepass"))


_ENCODER: Final = json.JSONEncoder(ensure_ascii=False, check_circular=False, separators=(",", ":"))
_LOOSE_ENCODER: Final = json.JSONEncoder(ensure_ascii=True, check_circular=False)  # with escapes and spaces
_LOOSE_FACTOR: Final = 7  # no character and no separator takes so many times its compact bytes when written loosely
_BEYOND_BASIC: Final = b"\xf0\xf1\xf2\xf3\xf4"  # where UTF-8 has characters that are two units of UTF-16
_DATE: Final = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)
_SPACES: Final = frozenset({"Zs", "Zl", "Zp", "Cc", "Cf"})
