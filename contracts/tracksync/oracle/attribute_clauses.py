"""Which clauses a write to an attribute bears on: the one that is broken if the response is wrong, and further ones.

Knows writes and believed cells; decides nothing about right and wrong.
"""

from __future__ import annotations

from functools import cache
from typing import Any, Final

from tracksync.contract.bounds import bounds
from tracksync.oracle.attribute_outcomes import AttributeWrite
from tracksync.oracle.belief import ABSENT, UNKNOWN, Cell
from tracksync.oracle.object_outcomes import NOT_STORED
from tracksync.oracle.outcomes import has_far_time, in_date_range
from tracksync.values import objects
from tracksync.values.arrays import has_repeats, unique
from tracksync.values.numbers import is_integer, is_number
from tracksync.values.times import is_date_like

_NEAR_THE_LIMIT: Final = 8  # characters below the limit of a text from which on it tests that nothing is cut off
_LONG_ARRAY: Final = 20  # elements from which on an array tests that all of them are kept


def clause_of_write(write: AttributeWrite, cell: Cell) -> str:
    """The clause that says what `write` does to a cell in the state `cell`."""
    clause = clause_of_value(write)
    prior = cell.known
    if clause == "TS-ARRAY-ADD" and isinstance(prior, list) and isinstance(write.value["add"], list):
        together = [*prior, *write.value["add"]]
        number = len(unique(together))
        if number > bounds().array_elements.most:
            return "TS-ARRAY-LIMIT"
        if number < len(together):
            return "TS-ARRAY-ADD-PRESENT"
    if clause == "TS-OBJECT-SET" and isinstance(prior, dict):
        return "TS-OBJECT-REPLACE"
    return clause


def covered_by_write(clause: str, write: AttributeWrite, cell: Cell) -> frozenset[str]:
    """The clauses that the response to `write` bears on. `clause`: the one of `clause_of_write`."""
    long = clause == "TS-ARRAY-SET" and len(write.value) >= _LONG_ARRAY
    prior = cell.known
    known = prior is not UNKNOWN and prior is not ABSENT
    return covered_by(clause, isinstance(write.value, dict), long, known, bool(cell.refused))


@cache
def covered_by(clause: str, nested: bool, long: bool, known: bool, refused: bool) -> frozenset[str]:
    """As above. `nested`: the write is an object. `long`: it is a long array. `known`: there was a value before.

    `refused`: writes to the cell were refused.
    """
    covered = {clause, "TS-OK-SHOWS"}
    if long:
        covered.add("TS-ARRAY-KEPT")
    if known and clause not in ("TS-ATTR-STRING", "TS-ATTR-INTEGER"):
        covered.add("TS-STATE-VISIBLE")
        if nested:
            covered |= {"TS-STATE-KEYS-APART", "TS-STATE-USERS-APART"}
    if refused and nested:
        covered.add("TS-STATE-REFUSED")
    return frozenset(covered)


def clause_of_value(write: AttributeWrite) -> str:
    """The clause on writes of this kind, whatever the cell holds."""
    value = write.value
    if value is None:
        return "TS-ATTR-NULL"
    if isinstance(value, bool):
        return "TS-ATTR-BOOLEAN"
    if isinstance(value, str):
        return _clause_of_text(value)
    if is_number(value):
        return "TS-ATTR-INTEGER" if is_integer(value) else "TS-ATTR-FLOAT"
    if isinstance(value, list):
        if value and all(isinstance(item, dict) for item in value):
            return "TS-OBJECTS-SET"
        if len(value) > bounds().array_elements.most:
            return "TS-ARRAY-LIMIT"
        return "TS-ARRAY-UNIQUE" if has_repeats(value) else "TS-ARRAY-SET"
    return _clause_of_object(value, merge=bool(write.merge))


def _clause_of_text(value: str) -> str:
    if not value:
        return "TS-ATTR-EMPTY-STRING"
    if len(value) > bounds().text_characters:
        return "TS-ATTR-LENGTH-OVER"
    if len(value) > bounds().text_characters - _NEAR_THE_LIMIT:
        return "TS-ATTR-LENGTH-KEPT"
    if value[-1].isdigit() or value[-1] == "Z":
        if is_date_like(value, bounds().date_years):
            return "TS-ATTR-DATE"
        if not in_date_range(value):
            return "TS-ATTR-DATE-RANGE"
    return "TS-ATTR-STRING"


def _clause_of_object(value: dict[str, Any], *, merge: bool) -> str:
    keys = value.keys()
    if keys == {"inc"}:
        return "TS-ATTR-INC"
    if keys and keys <= {"add", "remove"}:
        if len(keys) == 2:
            return "TS-ARRAY-ADD-REMOVE"
        return "TS-ARRAY-ADD" if "add" in keys else "TS-ARRAY-REMOVE"
    for edit, clause in (("$add", "ADD"), ("$update", "UPDATE"), ("$remove", "REMOVE")):
        if edit in keys:
            return f"TS-OBJECTS-{clause}"
    if has_far_time(value):
        return "TS-OBJECT-TIME"
    problems = objects.problems(value, "code-points", bounds().object_limits)
    if problems:
        return "TS-OBJECT-INVALID" if problems & NOT_STORED else "TS-OBJECT-LIMITS"
    if merge:
        return "TS-OBJECT-MERGE"
    return "TS-OBJECT-TIME" if _has_time(value) else "TS-OBJECT-SET"


def _has_time(value: Any) -> bool:
    if isinstance(value, dict):
        return "$time" in value or any(_has_time(item) for item in value.values())
    return isinstance(value, list) and any(_has_time(item) for item in value)
