"""Every lawful outcome of setting and of editing an array."""

from __future__ import annotations

from typing import Any

import pytest
from outcome_harness import ASTRAL, GONE, LONG, OPEN, idle, lawful, refused, removed, stored

from tracksync.contract.bounds import bounds
from tracksync.oracle.belief import ABSENT, OMITTED, UNKNOWN
from tracksync.oracle.interpretations import (
    ADD_BEFORE_REMOVE,
    EMPTIED_IS_ABSENT,
    EMPTIED_IS_EMPTY,
    OVERFLOW_KEEPS_FIRST,
    OVERFLOW_KEEPS_NEWEST,
    OVERFLOW_UNCHANGED,
    REFUSED_IS_OMITTED,
    REMOVE_BEFORE_ADD,
    REPEATS_STAY,
    REPEATS_UNIQUE,
    Interpretation,
)
from tracksync.oracle.outcomes import CellOutcome, Limits
from tracksync.values.objects import serialized_size

OBJECT_BYTES = bounds().object_bytes.most

SMALL: Limits = (2, 4)


def overflow(values: list[Any], limit: int, *requires: Interpretation) -> list[CellOutcome]:
    """What is left of an array at one limit."""
    return [
        stored(values[-limit:], *requires, OVERFLOW_KEEPS_NEWEST, limit=(limit, limit)),
        stored(values[:limit], *requires, OVERFLOW_KEEPS_FIRST, limit=(limit, limit)),
    ]


def unchanged(prior: Any, over: Limits, *requires: Interpretation) -> list[CellOutcome]:
    return refused(prior, *requires, OVERFLOW_UNCHANGED, limit=over)


def test_an_array_within_every_limit_is_stored() -> None:
    assert lawful([1], 3, limits=SMALL) == [stored([1], limit=(1, 4))]
    assert lawful([1, "x"], 3, limits=SMALL) == [stored([1, "x"], limit=(2, 4))]


def test_an_array_that_may_be_over_the_limit_is_cut_or_not_stored() -> None:
    assert lawful([1, 2, 3], 5, limits=SMALL) == [
        stored([1, 2, 3], limit=(3, 4)),
        *overflow([1, 2, 3], 2),
        *unchanged(5, (2, 2)),
    ]
    assert lawful([1, 2, 3, 4], 5, limits=SMALL) == [
        stored([1, 2, 3, 4], limit=(4, 4)),
        *overflow([1, 2, 3, 4], 2),
        *overflow([1, 2, 3, 4], 3),
        *unchanged(5, (2, 3)),
    ]


def test_an_array_over_every_limit_is_cut_or_not_stored() -> None:
    five = [1, 2, 3, 4, 5]
    for prior in (7, ABSENT, UNKNOWN):
        assert lawful(five, prior, limits=SMALL) == [
            *overflow(five, 2),
            *overflow(five, 3),
            *overflow(five, 4),
            *unchanged(prior, (2, 4)),
        ]


def test_an_array_that_is_cut_to_the_former_value_may_be_an_update_that_is_not_made() -> None:
    left = CellOutcome([1, 2], OMITTED, (OVERFLOW_KEEPS_FIRST, REFUSED_IS_OMITTED), (2, 2))
    for prior, more in (([1, 2], [left]), ([1, 3], []), ([1], []), ([1, 2, 3], []), ("ab", [])):
        assert lawful([1, 2, 3], prior, limits=SMALL) == [
            stored([1, 2, 3], limit=(3, 4)),
            *overflow([1, 2, 3], 2),
            *more,
            *unchanged(prior, (2, 2)),
        ]


def test_repeated_elements_are_kept_or_not() -> None:
    assert lawful([1, 2, 1], 5, limits=(9, 9)) == [
        stored([2, 1], REPEATS_UNIQUE, limit=(2, 9)),
        stored([1, 2], REPEATS_UNIQUE, limit=(2, 9)),
        stored([1, 2, 1], REPEATS_STAY, limit=(3, 9)),
    ]
    outcomes = lawful([1, 2, 1], [1, 2], limits=(2, 2))
    assert outcomes[:2] == [
        stored([2, 1], REPEATS_UNIQUE, limit=(2, 2)),
        stored([1, 2], REPEATS_UNIQUE, limit=(2, 2)),
    ]
    kept = REPEATS_STAY
    assert outcomes[2:] == [
        *overflow([1, 2, 1], 2, kept),
        CellOutcome([1, 2], OMITTED, (kept, OVERFLOW_KEEPS_FIRST, REFUSED_IS_OMITTED), (2, 2)),
        *unchanged([1, 2], (2, 2), kept),
    ]


def test_repeated_elements_of_a_long_array_are_kept_or_not_before_it_is_cut() -> None:
    unique = REPEATS_UNIQUE
    prior = [1, 2]
    outcomes = lawful([3, 1, 2, 3], prior, limits=(2, 2))
    assert outcomes[:4] == [
        *overflow([1, 2, 3], 2, unique),
        CellOutcome(prior, OMITTED, (unique, OVERFLOW_KEEPS_FIRST, REFUSED_IS_OMITTED), (2, 2)),
        unchanged(prior, (2, 2), unique)[0],
    ]
    assert outcomes[5:9] == [*overflow([3, 1, 2], 2, unique), *unchanged(prior, (2, 2), unique)]


def test_an_empty_array_is_stored_or_no_attribute() -> None:
    assert lawful([], 3) == [stored([]), *GONE]


@pytest.mark.parametrize(
    "value", [[None], [[1]], [1, {}], [1, True], [1, 1.0], [LONG], ["a\0"], [ASTRAL], [2**63], [-(2**63)], [1e19]]
)
def test_any_outcome_is_lawful_for_odd_elements(value: list[Any]) -> None:
    assert lawful(value, 3) == OPEN


def test_elements_up_to_their_limits_are_stored() -> None:
    assert lawful([2**63 - 1, 1.5, True, "x" * 255, -(2**62)], 3) == [
        stored([2**63 - 1, 1.5, True, "x" * 255, -(2**62)], limit=(5, 500))
    ]


def test_an_array_over_a_hundred_kilobytes_may_not_be_stored() -> None:
    values = [f"{number:03}" + "x" * 252 for number in range(400)]  # 258 bytes each
    assert serialized_size(values) > OBJECT_BYTES
    assert lawful(values, 3, limits=(500, 500)) == [stored(values, limit=(400, 500)), *refused(3)]
    values = values[:397]
    values[0] = values[0][: 255 - (serialized_size(values) - OBJECT_BYTES)]
    assert serialized_size(values) == OBJECT_BYTES
    assert lawful(values, 3, limits=(500, 500)) == [stored(values, limit=(397, 500))]


def test_added_elements_come_last() -> None:
    assert lawful({"add": [3]}, [1, 2], limits=(5, 5)) == [stored([1, 2, 3], limit=(3, 5))]
    assert lawful({"add": [1]}, [1, 2], limits=(5, 5)) == [stored([2, 1], limit=(2, 5))]


def test_adding_to_an_absent_attribute_makes_an_array_or_is_not_made() -> None:
    assert lawful({"add": [1]}, ABSENT, limits=(5, 5)) == [*refused(ABSENT), stored([1], limit=(1, 5))]


def test_an_edit_without_effect_may_be_an_update_that_is_not_made() -> None:
    assert lawful({"add": [2]}, [1, 2], limits=(5, 5)) == [idle([1, 2]), stored([1, 2], limit=(2, 5))]
    assert lawful({"remove": [9]}, [1, 2], limits=(5, 5)) == [idle([1, 2]), stored([1, 2], limit=(2, 5))]


def test_an_array_without_its_last_element_is_empty_or_no_attribute() -> None:
    assert lawful({"remove": [1, 2]}, [1, 2]) == [
        stored([], EMPTIED_IS_EMPTY),
        *removed(EMPTIED_IS_ABSENT),
    ]


def test_an_empty_array_that_stays_empty_stays_or_is_no_attribute() -> None:
    assert lawful({"remove": [1]}, []) == [idle([]), stored([]), *removed(EMPTIED_IS_ABSENT)]


def test_removing_from_an_absent_attribute_leaves_it_absent_or_an_empty_array() -> None:
    assert lawful({"remove": [1]}, ABSENT) == [*refused(ABSENT), CellOutcome(UNKNOWN, []), *GONE]


def test_adding_and_removing_the_same_goes_in_one_order_or_the_other() -> None:
    first, last = REMOVE_BEFORE_ADD, ADD_BEFORE_REMOVE
    assert lawful({"add": [1], "remove": [1]}, [1, 2], limits=(5, 5)) == [
        stored([2, 1], first, limit=(2, 5)),
        stored([2], last, limit=(1, 5)),
    ]
    assert lawful({"add": [1], "remove": [1]}, [1], limits=(5, 5)) == [
        idle([1]),
        stored([1], first, limit=(1, 5)),
        stored([], last, EMPTIED_IS_EMPTY),
        *removed(last, EMPTIED_IS_ABSENT),
    ]
    assert lawful({"add": [3], "remove": [1]}, [1, 2], limits=(5, 5)) == [stored([2, 3], limit=(2, 5))]
    assert lawful({"add": [1], "remove": [1]}, ABSENT, limits=(5, 5)) == [
        *refused(ABSENT),
        stored([1], first, limit=(1, 5)),
        CellOutcome(UNKNOWN, [], (last,)),
        CellOutcome(ABSENT, None, (last,)),
        CellOutcome(ABSENT, OMITTED, (last,)),
    ]


def test_an_edit_over_the_limit_is_cut_or_not_made() -> None:
    assert lawful({"add": [3]}, [1, 2], limits=(2, 2)) == [
        *overflow([1, 2, 3], 2),
        CellOutcome([1, 2], OMITTED, (OVERFLOW_KEEPS_FIRST, REFUSED_IS_OMITTED), (2, 2)),
        *unchanged([1, 2], (2, 2)),
    ]


@pytest.mark.parametrize(
    ("edit", "prior"),
    [
        ({"add": "x"}, [1]),
        ({"add": [1], "remove": "x"}, [1]),
        ({"add": "x", "remove": [1]}, [1]),
        ({"add": [LONG], "remove": [1]}, [1]),
        ({"add": [1], "remove": [LONG]}, [1]),
        ({"add": [1]}, 5),
        ({"add": [1]}, UNKNOWN),
        ({"add": [1]}, [{"a": 1}]),
        ({"add": [1]}, [1, 1]),
        ({"add": [1]}, "text"),
    ],
)
def test_any_outcome_is_lawful_for_odd_edits(edit: dict[str, Any], prior: Any) -> None:
    assert lawful(edit, prior) == OPEN
