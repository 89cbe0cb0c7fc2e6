"""What a response may show of an outcome."""

from __future__ import annotations

from typing import Any

import pytest
from outcome_harness import FAR, NOON, NOON_ELSEWHERE

from tracksync.oracle.belief import ABSENT, ANYTHING, OMITTED, UNKNOWN
from tracksync.oracle.interpretations import REFUSED_IS_PREVIOUS
from tracksync.oracle.outcomes import CellOutcome, ExactText, WithoutFarTimes, appears, fitting


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (1, 1),
        ("a", "a"),
        (NOON, NOON_ELSEWHERE),
        (NOON, "2024-01-01T12:00:00.000Z"),
        ({"$time": NOON}, {"$time": NOON_ELSEWHERE}),
        ({"$time": NOON}, NOON_ELSEWHERE),
        ({"a": NOON, "b": 1}, {"a": NOON_ELSEWHERE, "b": 1}),
        ({"a": {"$time": NOON}}, {"a": NOON_ELSEWHERE}),
        ([NOON, 1], [NOON_ELSEWHERE, 1]),
        ([{"a": NOON}], [{"a": NOON_ELSEWHERE}]),
        (5.907004440428629e16, 59070044404286290),  # how JavaScript writes the double
        (5.907004440428629e16, 59070044404286288),  # the digits of the double
        (59070044404286290, 5.907004440428629e16),
        ([{"a": 1e22}], [{"a": 10**22}]),
    ],
)
def test_a_value_appears_as_itself_and_a_time_in_any_form(value: Any, shown: Any) -> None:
    assert appears(value, shown)


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (1, 2),
        (1, "1"),
        ("a", "b"),
        ("a", 1),
        ("not a time", "neither"),
        (NOON, "2024-01-01T12:00:01Z"),
        (NOON, f" {NOON_ELSEWHERE}"),
        (NOON, f"{NOON_ELSEWHERE} "),
        (NOON, "noon"),
        (NOON, 1704110400),
        (5.907004440428629e16, 59070044404286300),
        (5.907004440428629e16, True),
        (1e22, 10**400),
        (2**53, 2**53 + 1),
        ("3500-01-01T00:00:00Z", "3500-01-01T01:00:00+01:00"),
        ("-0001-01-01T00:00:00Z", "-0001-01-01T01:00:00+01:00"),
        ({"$time": NOON}, {"$time": "2024-01-01T12:00:01Z"}),
        ({"$time": NOON}, {"$time": NOON_ELSEWHERE, "a": 1}),
        ({"$time": NOON}, {"at": NOON_ELSEWHERE}),
        ({"$time": NOON}, 5),
        ({"$time": 5}, NOON),
        ({"a": 1}, {"a": 2}),
        ({"a": 1}, {"a": 1, "b": 2}),
        ({"a": 1, "b": NOON}, {"a": 1}),
        ({"a": NOON}, [NOON_ELSEWHERE]),
        ([NOON, 1], [NOON_ELSEWHERE, 2]),
        ([NOON, 1], [NOON_ELSEWHERE]),
        ([NOON], {"0": NOON_ELSEWHERE}),
        ([NOON], NOON_ELSEWHERE),
        (None, 0),
    ],
)
def test_another_value_is_not_a_form_of_it(value: Any, shown: Any) -> None:
    assert not appears(value, shown)


def test_times_of_the_first_and_the_last_stored_year_are_stored() -> None:
    for year in ("0000", "3000"):
        assert appears(f"{year}-06-01T00:00:00Z", f"{year}-06-01T01:00:00+01:00")


ROW, LIMIT = (REFUSED_IS_PREVIOUS,), (3, 4)


def fits(outcome: CellOutcome, shown: Any) -> list[CellOutcome]:
    return list(fitting([outcome], shown))


def test_what_is_shown_fits_an_outcome_that_shows_it() -> None:
    plain = CellOutcome([1], [1], ROW, LIMIT)
    assert fits(plain, [1]) == [plain]
    assert fits(plain, [1])[0] is plain
    assert fits(plain, [2]) == fits(plain, None) == fits(plain, OMITTED) == []


def test_an_omitted_value_fits_an_outcome_that_omits_it() -> None:
    left_out = CellOutcome(3, OMITTED, ROW, LIMIT)
    assert fits(left_out, OMITTED) == [left_out]
    assert fits(left_out, 3) == fits(left_out, None) == []


def test_an_exact_text_fits_to_the_letter_only() -> None:
    as_sent = CellOutcome(NOON, ExactText(NOON), ROW, LIMIT)
    assert fits(as_sent, NOON) == [as_sent]
    assert fits(as_sent, NOON_ELSEWHERE) == fits(as_sent, OMITTED) == []


def test_the_value_is_learned_where_the_outcome_may_show_anything() -> None:
    anything = CellOutcome(UNKNOWN, ANYTHING, ROW, LIMIT)
    assert fits(anything, 5) == [CellOutcome(5, 5, ROW, LIMIT)]
    assert fits(anything, None) == [CellOutcome(ABSENT, None, ROW, LIMIT)]
    assert fits(anything, OMITTED) == []
    known = CellOutcome(3, ANYTHING, ROW, LIMIT)
    assert fits(known, 5) == [CellOutcome(3, 5, ROW, LIMIT)]


def test_the_value_is_learned_where_the_outcome_leaves_it_open() -> None:
    empty = CellOutcome(UNKNOWN, [], ROW, LIMIT)
    assert fits(empty, []) == [CellOutcome([], [], ROW, LIMIT)]
    assert fits(empty, [1]) == []


@pytest.mark.parametrize(
    ("shown", "right"),
    [
        ({"b": 1}, True),
        ({"a": 1}, True),
        (None, True),
        ("text", True),
        ([], True),
        ({"b": 1, "a": FAR["a"]}, False),
        ({"b": 1, "a": "3500-01-01T00:00:00Z"}, False),
        ({"b": 1, "a": {"at": 1}}, False),
        ({"b": 1, "a": None}, True),
    ],
)
def test_a_far_time_is_not_shown_in_any_form(shown: Any, right: bool) -> None:
    outcome = CellOutcome(UNKNOWN, WithoutFarTimes({"b": 1, **FAR}), ROW, LIMIT)
    if isinstance(shown, dict) and shown.get("a") == 1:
        right = False  # the time is shown in some form
    kept = [CellOutcome(ABSENT if shown is None else shown, shown, ROW, LIMIT)]
    assert fits(outcome, shown) == (kept if right else [])
    assert fits(outcome, OMITTED) == []


def test_a_nested_far_time_is_not_shown_in_any_form() -> None:
    outcome = CellOutcome(UNKNOWN, WithoutFarTimes({"list": [{"c": 1, **FAR}], "object": {"c": 1, **FAR}}))
    assert fits(outcome, {"list": [{"c": 1}], "object": {"c": 1}}) != []
    assert fits(outcome, {"list": [], "object": 5}) != []
    assert fits(outcome, {"list": [{"c": 1}]}) != []
    assert fits(outcome, {"list": 5, "object": {"c": 1}}) != []
    assert fits(outcome, {"list": [{"c": 1, **FAR}], "object": {"c": 1}}) == []
    assert fits(outcome, {"list": [{"c": 1}], "object": {"c": 1, **FAR}}) == []
    assert fits(outcome, {"object": {"c": 1, "a": "3500-01-01"}}) == []
