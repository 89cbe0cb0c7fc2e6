"""By which clause a write is checked."""

from __future__ import annotations

from typing import Any

import pytest
from outcome_harness import FAR, LONG, NOON, NOON_ELSEWHERE

from tracksync.oracle.attribute_clauses import clause_of_value
from tracksync.oracle.attribute_outcomes import AttributeWrite

A = {"id": 1, "x": 1}


@pytest.mark.parametrize(
    ("value", "clause"),
    [
        (None, "TS-ATTR-NULL"),
        (True, "TS-ATTR-BOOLEAN"),
        ("", "TS-ATTR-EMPTY-STRING"),
        ("text", "TS-ATTR-STRING"),
        ("x" * 247, "TS-ATTR-STRING"),
        ("x" * 248, "TS-ATTR-LENGTH-KEPT"),
        ("x" * 255, "TS-ATTR-LENGTH-KEPT"),
        (LONG, "TS-ATTR-LENGTH-OVER"),
        (NOON, "TS-ATTR-DATE"),
        (NOON_ELSEWHERE, "TS-ATTR-DATE"),
        ("2024-01-01", "TS-ATTR-DATE"),
        ("3500-01-01T00:00:00Z", "TS-ATTR-DATE-RANGE"),
        ("3500-01-01T00:00:00+01:00", "TS-ATTR-DATE-RANGE"),
        ("3001-01-01T00:00:00Z", "TS-ATTR-DATE-RANGE"),
        ("3000-01-01T00:00:00Z", "TS-ATTR-DATE"),
        ("seat 5", "TS-ATTR-STRING"),
        (7, "TS-ATTR-INTEGER"),
        (7.0, "TS-ATTR-INTEGER"),
        (7.5, "TS-ATTR-FLOAT"),
        ([A], "TS-OBJECTS-SET"),
        ([], "TS-ARRAY-SET"),
        ([1, 2], "TS-ARRAY-SET"),
        ([1, 1], "TS-ARRAY-UNIQUE"),
        (list(range(500)), "TS-ARRAY-SET"),
        (list(range(501)), "TS-ARRAY-LIMIT"),
        ({"inc": 1}, "TS-ATTR-INC"),
        ({"add": [1]}, "TS-ARRAY-ADD"),
        ({"remove": [1]}, "TS-ARRAY-REMOVE"),
        ({"add": [1], "remove": [2]}, "TS-ARRAY-ADD-REMOVE"),
        ({"$add": [A]}, "TS-OBJECTS-ADD"),
        ({"$update": [A]}, "TS-OBJECTS-UPDATE"),
        ({"$remove": [A]}, "TS-OBJECTS-REMOVE"),
        ({"a": None}, "TS-OBJECT-INVALID"),
        ({"a.b": 1}, "TS-OBJECT-LIMITS"),
        ({"a": {"$time": NOON}}, "TS-OBJECT-TIME"),
        ({"a": [{"$time": NOON}]}, "TS-OBJECT-TIME"),
        ({"a": {"b": {"$time": NOON}}}, "TS-OBJECT-TIME"),
        (FAR, "TS-OBJECT-TIME"),
        ({"a": 1}, "TS-OBJECT-SET"),
        ({"a": [1]}, "TS-OBJECT-SET"),
    ],
)
def test_each_kind_of_value_is_checked_by_its_clause(value: Any, clause: str) -> None:
    assert clause_of_value(AttributeWrite(value)) == clause


def test_an_object_that_is_merged_is_checked_by_merging() -> None:
    assert clause_of_value(AttributeWrite({"a": 1}, merge=True)) == "TS-OBJECT-MERGE"
