"""Every lawful outcome of a write of a plain value, of null and of an increment."""

from __future__ import annotations

from typing import Any

import pytest
from outcome_harness import ASTRAL, GONE, LONG, OPEN, WIDE, lawful, refused, removed, stored

from tracksync.oracle.attribute_outcomes import AttributeWrite, attribute_outcomes
from tracksync.oracle.belief import ABSENT, ANYTHING, OMITTED, UNKNOWN
from tracksync.oracle.interpretations import (
    DATE_AS_SENT,
    DATE_NORMALISED,
    INC_FROM_ZERO,
    INC_NOT_APPLIED,
    LENGTH_IN_CODE_POINTS,
    LENGTH_IN_UTF16,
)
from tracksync.oracle.outcomes import CellOutcome, ExactText


@pytest.mark.parametrize(
    "value",
    [
        *(True, False, 0, 7, -(2**63), 2**63 - 1, 0.5, -0.5, 1e300, -1e300, 1e-300),
        *("", "text", "x" * 255, "\U0001f600" * 127, "5th of nowhere, Z", "a text longer than a time:00", "5", "1Z"),
        *("2022-12-06T19:20", "2022-12-06T19:20:30", "2022-12-06"),
    ],
)
@pytest.mark.parametrize("prior", [ABSENT, UNKNOWN, "before", 3])
def test_a_plain_value_is_stored_and_shown(value: Any, prior: Any) -> None:
    assert lawful(value, prior) == [stored(value)]


@pytest.mark.parametrize("value", [2**63, -(2**63) - 1, 1.1e300, -1.1e300, 9e-301, -9e-301])
def test_any_outcome_is_lawful_for_numbers_beyond_any_store(value: Any) -> None:
    assert lawful(value, 3) == OPEN


def test_any_outcome_is_lawful_for_an_odd_name_or_unclear_merging() -> None:
    assert attribute_outcomes(AttributeWrite(1, False, odd=True), 3, WIDE) == OPEN
    assert lawful(1, 3, merge=None) == OPEN
    assert lawful(None, 3, merge=None) == OPEN


def test_null_removes() -> None:
    assert lawful(None, 3) == removed()
    assert lawful(None, ABSENT) == GONE
    assert lawful(None, UNKNOWN) == GONE


def test_a_text_over_the_limit_is_not_stored() -> None:
    for prior in (3, ABSENT, UNKNOWN):
        assert lawful(LONG, prior) == refused(prior)


def test_the_limit_of_a_text_may_count_code_points_or_units_of_utf16() -> None:
    assert lawful(ASTRAL, 3) == [
        stored(ASTRAL, LENGTH_IN_CODE_POINTS),
        *refused(3, LENGTH_IN_UTF16),
    ]


def test_any_outcome_is_lawful_for_a_text_with_a_nul() -> None:
    assert lawful("a\0b", 3) == [stored("a\0b"), *OPEN]


@pytest.mark.parametrize(
    "time", ["2024-01-01T00:00:00Z", "2024-01-01T00:00:00.123Z", "2024-01-01T00:00:00+01:00", "1000-06-01T00:00:00Z"]
)
def test_a_time_is_shown_as_it_was_sent_or_normalised(time: str) -> None:
    assert lawful(time, 3) == [
        CellOutcome(time, ExactText(time), (DATE_AS_SENT,)),
        stored(time, DATE_NORMALISED),
    ]


def test_a_time_of_a_year_with_few_digits_may_come_back_in_any_form() -> None:
    time = "0999-06-01T00:00:00Z"
    assert lawful(time, 3) == [stored(time), CellOutcome(UNKNOWN, ANYTHING)]


def test_an_increment_adds() -> None:
    assert lawful({"inc": 2}, 5) == [stored(7)]
    assert lawful({"inc": -2}, -5) == [stored(-7)]
    assert lawful({"inc": 1}, 2**63 - 2) == [stored(2**63 - 1)]


def test_an_increment_of_an_absent_attribute_counts_from_zero_or_is_not_made() -> None:
    nothing = (INC_NOT_APPLIED,)
    assert lawful({"inc": 2}, ABSENT) == [
        stored(2, INC_FROM_ZERO),
        CellOutcome(ABSENT, OMITTED, nothing),
        CellOutcome(ABSENT, None, nothing),
    ]


@pytest.mark.parametrize("prior", [UNKNOWN, True, "x", 1.5, [1], 2**63 - 1])
def test_any_outcome_is_lawful_for_an_increment_of_anything_else(prior: Any) -> None:
    assert lawful({"inc": 1}, prior) == OPEN


@pytest.mark.parametrize("step", [1.5, True, "1", None, [1]])
def test_any_outcome_is_lawful_for_an_odd_increment(step: Any) -> None:
    assert lawful({"inc": step}, 5) == OPEN


def test_a_write_is_not_merged_unless_it_says_so() -> None:
    assert attribute_outcomes(AttributeWrite({"a": 1}), {"b": 2}, WIDE) == [stored({"a": 1})]
