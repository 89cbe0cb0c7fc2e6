"""Every lawful outcome of one write to one attribute, written down: what is stored, shown, and on what it stands."""

from __future__ import annotations

from typing import Any

import pytest

from tracksync.contract.bounds import bounds
from tracksync.oracle.belief import ABSENT, OMITTED, UNKNOWN
from tracksync.oracle.cells import (
    ANYTHING,
    AsSent,
    AttributeWrite,
    CellOutcome,
    NotShown,
    appears,
    attribute_outcomes,
    clause_of,
    fitting,
)
from tracksync.values.objects import serialized_size

OBJECT_BYTES = bounds().object_bytes.most
Limits = tuple[int, int]
WIDE: Limits = (25, 500)
OPEN = [CellOutcome(UNKNOWN, ANYTHING), CellOutcome(UNKNOWN, OMITTED)]
GONE = [CellOutcome(ABSENT, None), CellOutcome(ABSENT, OMITTED)]
LONG = "x" * 256
ASTRAL = "\U0001f600" * 128  # 128 code points, 256 units of UTF-16


def lawful(value: Any, prior: Any = ABSENT, *, merge: bool | None = False, limits: Limits = WIDE) -> list[CellOutcome]:
    return attribute_outcomes(AttributeWrite(value, merge), prior, limits)


def refused(prior: Any, *requires: tuple[str, str], limit: Limits | None = None) -> list[CellOutcome]:
    """The outcomes of an update that is not made."""
    if prior is UNKNOWN:
        return [CellOutcome(UNKNOWN, ANYTHING, requires, limit), CellOutcome(UNKNOWN, OMITTED, requires, limit)]
    if prior is ABSENT:
        return [CellOutcome(ABSENT, OMITTED, requires, limit), CellOutcome(ABSENT, None, requires, limit)]
    return [
        CellOutcome(prior, prior, (*requires, ("refused-attribute", "previous")), limit),
        CellOutcome(prior, OMITTED, (*requires, ("refused-attribute", "omitted")), limit),
    ]


def removed(*requires: tuple[str, str]) -> list[CellOutcome]:
    """The outcomes of a removal of what was there."""
    return [
        CellOutcome(ABSENT, None, (*requires, ("removed-attribute", "null"))),
        CellOutcome(ABSENT, OMITTED, (*requires, ("removed-attribute", "omitted"))),
    ]


def stored(value: Any, *requires: tuple[str, str], limit: Limits | None = None) -> CellOutcome:
    return CellOutcome(value, value, requires, limit)


def idle(prior: Any) -> CellOutcome:
    """An edit without effect may pass for an update that is not made."""
    return CellOutcome(prior, OMITTED, (("refused-attribute", "omitted"),))


# --- plain values -----------------------------------------------------------------------------------------------------


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
def test_of_numbers_beyond_any_store_nobody_says_what_becomes(value: Any) -> None:
    assert lawful(value, 3) == OPEN


def test_of_odd_names_and_unclear_merging_nobody_says_what_becomes() -> None:
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
        stored(ASTRAL, ("string-length", "code-points")),
        *refused(3, ("string-length", "utf16")),
    ]


def test_of_a_text_with_a_nul_nobody_says_what_becomes() -> None:
    assert lawful("a\0b", 3) == [stored("a\0b"), *OPEN]


@pytest.mark.parametrize(
    "time", ["2024-01-01T00:00:00Z", "2024-01-01T00:00:00.123Z", "2024-01-01T00:00:00+01:00", "1000-06-01T00:00:00Z"]
)
def test_a_time_is_shown_as_it_was_sent_or_in_another_form(time: str) -> None:
    assert lawful(time, 3) == [
        CellOutcome(time, AsSent(time), (("date-attribute", "as-sent"),)),
        stored(time, ("date-attribute", "normalised")),
    ]


def test_a_time_of_a_year_with_few_digits_may_come_back_in_any_form() -> None:
    time = "0999-06-01T00:00:00Z"
    assert lawful(time, 3) == [stored(time), CellOutcome(UNKNOWN, ANYTHING)]


# --- arrays -----------------------------------------------------------------------------------------------------------

SMALL: Limits = (2, 4)


def overflow(values: list[Any], limit: int, *requires: tuple[str, str]) -> list[CellOutcome]:
    """What is left of an array at one limit."""
    return [
        stored(values[-limit:], *requires, ("array-overflow", "newest"), limit=(limit, limit)),
        stored(values[:limit], *requires, ("array-overflow", "first"), limit=(limit, limit)),
    ]


def unchanged(prior: Any, over: Limits, *requires: tuple[str, str]) -> list[CellOutcome]:
    return refused(prior, *requires, ("array-overflow", "unchanged"), limit=over)


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


def test_an_array_that_is_cut_to_what_was_there_may_pass_for_an_update_that_is_not_made() -> None:
    left = CellOutcome([1, 2], OMITTED, (("array-overflow", "first"), ("refused-attribute", "omitted")), (2, 2))
    for prior, more in (([1, 2], [left]), ([1, 3], []), ([1], []), ([1, 2, 3], []), ("ab", [])):
        assert lawful([1, 2, 3], prior, limits=SMALL) == [
            stored([1, 2, 3], limit=(3, 4)),
            *overflow([1, 2, 3], 2),
            *more,
            *unchanged(prior, (2, 2)),
        ]


def test_repeated_elements_are_kept_or_not() -> None:
    assert lawful([1, 2, 1], 5, limits=(9, 9)) == [
        stored([2, 1], ("array-repeats", "unique"), limit=(2, 9)),
        stored([1, 2], ("array-repeats", "unique"), limit=(2, 9)),
        stored([1, 2, 1], ("array-repeats", "kept"), limit=(3, 9)),
    ]
    outcomes = lawful([1, 2, 1], [1, 2], limits=(2, 2))
    assert outcomes[:2] == [
        stored([2, 1], ("array-repeats", "unique"), limit=(2, 2)),
        stored([1, 2], ("array-repeats", "unique"), limit=(2, 2)),
    ]
    kept = ("array-repeats", "kept")
    assert outcomes[2:] == [
        *overflow([1, 2, 1], 2, kept),
        CellOutcome([1, 2], OMITTED, (kept, ("array-overflow", "first"), ("refused-attribute", "omitted")), (2, 2)),
        *unchanged([1, 2], (2, 2), kept),
    ]


def test_repeated_elements_of_a_long_array_are_kept_or_not_before_it_is_cut() -> None:
    unique = ("array-repeats", "unique")
    prior = [1, 2]
    outcomes = lawful([3, 1, 2, 3], prior, limits=(2, 2))
    assert outcomes[:4] == [
        *overflow([1, 2, 3], 2, unique),
        CellOutcome(prior, OMITTED, (unique, ("array-overflow", "first"), ("refused-attribute", "omitted")), (2, 2)),
        unchanged(prior, (2, 2), unique)[0],
    ]
    assert outcomes[5:9] == [*overflow([3, 1, 2], 2, unique), *unchanged(prior, (2, 2), unique)]


def test_an_empty_array_is_stored_or_no_attribute() -> None:
    assert lawful([], 3) == [stored([]), *GONE]


@pytest.mark.parametrize(
    "value", [[None], [[1]], [1, {}], [1, True], [1, 1.0], [LONG], ["a\0"], [ASTRAL], [2**63], [-(2**63)], [1e19]]
)
def test_of_odd_elements_nobody_says_what_becomes(value: list[Any]) -> None:
    assert lawful(value, 3) == OPEN


def test_elements_up_to_their_limits_are_plain() -> None:
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


# --- edits of arrays --------------------------------------------------------------------------------------------------


def test_added_elements_come_last() -> None:
    assert lawful({"add": [3]}, [1, 2], limits=(5, 5)) == [stored([1, 2, 3], limit=(3, 5))]
    assert lawful({"add": [1]}, [1, 2], limits=(5, 5)) == [stored([2, 1], limit=(2, 5))]


def test_elements_that_are_added_to_nothing_make_an_array_or_are_not_stored() -> None:
    assert lawful({"add": [1]}, ABSENT, limits=(5, 5)) == [*refused(ABSENT), stored([1], limit=(1, 5))]


def test_an_edit_without_effect_may_pass_for_an_update_that_is_not_made() -> None:
    assert lawful({"add": [2]}, [1, 2], limits=(5, 5)) == [idle([1, 2]), stored([1, 2], limit=(2, 5))]
    assert lawful({"remove": [9]}, [1, 2], limits=(5, 5)) == [idle([1, 2]), stored([1, 2], limit=(2, 5))]


def test_an_array_without_its_last_element_is_empty_or_no_attribute() -> None:
    assert lawful({"remove": [1, 2]}, [1, 2]) == [
        stored([], ("emptied-array", "empty")),
        *removed(("emptied-array", "absent")),
    ]


def test_an_empty_array_that_stays_empty_stays_or_is_no_attribute() -> None:
    assert lawful({"remove": [1]}, []) == [idle([]), stored([]), *removed(("emptied-array", "absent"))]


def test_what_is_removed_from_nothing_leaves_nothing_or_an_empty_array() -> None:
    assert lawful({"remove": [1]}, ABSENT) == [*refused(ABSENT), CellOutcome(UNKNOWN, []), *GONE]


def test_adding_and_removing_the_same_goes_in_one_order_or_the_other() -> None:
    first, last = ("remove-add-order", "remove-first"), ("remove-add-order", "add-first")
    assert lawful({"add": [1], "remove": [1]}, [1, 2], limits=(5, 5)) == [
        stored([2, 1], first, limit=(2, 5)),
        stored([2], last, limit=(1, 5)),
    ]
    assert lawful({"add": [1], "remove": [1]}, [1], limits=(5, 5)) == [
        idle([1]),
        stored([1], first, limit=(1, 5)),
        stored([], last, ("emptied-array", "empty")),
        *removed(last, ("emptied-array", "absent")),
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
        CellOutcome([1, 2], OMITTED, (("array-overflow", "first"), ("refused-attribute", "omitted")), (2, 2)),
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
def test_of_odd_edits_nobody_says_what_becomes(edit: dict[str, Any], prior: Any) -> None:
    assert lawful(edit, prior) == OPEN


# --- increments -------------------------------------------------------------------------------------------------------


def test_an_increment_adds() -> None:
    assert lawful({"inc": 2}, 5) == [stored(7)]
    assert lawful({"inc": -2}, -5) == [stored(-7)]
    assert lawful({"inc": 1}, 2**63 - 2) == [stored(2**63 - 1)]


def test_an_increment_of_nothing_counts_from_zero_or_is_not_made() -> None:
    nothing = (("inc-missing", "not-applied"),)
    assert lawful({"inc": 2}, ABSENT) == [
        stored(2, ("inc-missing", "from-zero")),
        CellOutcome(ABSENT, OMITTED, nothing),
        CellOutcome(ABSENT, None, nothing),
    ]


@pytest.mark.parametrize("prior", [UNKNOWN, True, "x", 1.5, [1], 2**63 - 1])
def test_of_an_increment_of_anything_else_nobody_says_what_becomes(prior: Any) -> None:
    assert lawful({"inc": 1}, prior) == OPEN


@pytest.mark.parametrize("step", [1.5, True, "1", None, [1]])
def test_of_an_odd_increment_nobody_says_what_becomes(step: Any) -> None:
    assert lawful({"inc": step}, 5) == OPEN


# --- objects ----------------------------------------------------------------------------------------------------------


def sized(size: int, prefix: str = "k") -> dict[str, str]:
    """An object of that many bytes, whose texts are within their limit."""
    made = {f"{prefix}{number:03}": "x" * 200 for number in range((size - 100) // 210)}  # 210 bytes each
    made |= {f"{prefix}y": "y" * 45, f"{prefix}z": ""}
    made[f"{prefix}z"] = "z" * (size - serialized_size(made))
    assert serialized_size(made) == size
    assert len(made[f"{prefix}z"]) < 255
    return made


def test_an_object_is_stored_in_place_of_what_was_there() -> None:
    for prior in (ABSENT, UNKNOWN, 5, {"b": 2}):
        assert lawful({"a": 1}, prior) == [stored({"a": 1})]


def test_an_object_is_merged_into_an_object() -> None:
    assert lawful({"a": 1}, {"b": 2}, merge=True) == [stored({"b": 2, "a": 1})]
    assert lawful({"a": 1}, ABSENT, merge=True) == [stored({"a": 1})]
    assert lawful({"a": 1}, UNKNOWN, merge=True) == OPEN
    assert lawful({"a": 1}, 5, merge=True) == [stored({"a": 1}), *refused(5)]


def test_of_an_empty_object_nobody_says_what_becomes_but_merging_keeps_what_is_there() -> None:
    assert lawful({}, {"a": 1}) == [CellOutcome({}, ANYTHING), *OPEN]
    assert lawful({}, {"a": 1}, merge=True) == [CellOutcome({"a": 1}, ANYTHING), *OPEN]
    assert lawful({}, 5, merge=True) == [CellOutcome({}, ANYTHING), *OPEN]


@pytest.mark.parametrize("value", [{"$time": "2024-01-01T00:00:00Z"}, {"$time": "2024-01-01", "a": 1}])
def test_of_a_time_in_the_place_of_an_object_nobody_says_what_becomes(value: dict[str, Any]) -> None:
    assert lawful(value, 5) == OPEN


@pytest.mark.parametrize("value", [{"a": None}, {"a": {"b": [None]}}, {"a": {"$time": "never"}}])
def test_an_object_with_null_or_a_wrong_time_in_it_is_not_stored(value: dict[str, Any]) -> None:
    assert lawful(value, 5) == refused(5)


@pytest.mark.parametrize("value", [{"a.b": 1}, {"$a": 1}, {"a b": 1}, {LONG: 1}, {"a": LONG}, sized(OBJECT_BYTES + 1)])
def test_an_object_against_the_limits_is_not_stored(value: dict[str, Any]) -> None:
    assert lawful(value, 5) == refused(5, ("invalid-object", "not-applied"))


def test_a_merge_over_the_limit_is_not_stored() -> None:
    prior, value = sized(50_000), sized(OBJECT_BYTES - 50_000 + 1, "m")  # one pair of braces less, a comma more
    assert serialized_size({**prior, **value}) == OBJECT_BYTES
    assert lawful(value, prior, merge=True) == [stored({**prior, **value})]
    value["mz"] += "z"
    assert lawful(value, prior, merge=True) == refused(prior, ("invalid-object", "not-applied"))


def test_the_texts_of_an_object_may_be_counted_in_code_points_or_units_of_utf16() -> None:
    value = {"a": ASTRAL}
    unit = "string-length"
    assert lawful(value, 5) == [
        stored(value, (unit, "code-points")),
        *[
            CellOutcome(one.after, one.shows, (*one.requires, (unit, "utf16")))
            for one in refused(5, ("invalid-object", "not-applied"))
        ],
    ]
    assert lawful(value, {"b": 1}, merge=True)[0] == stored({"b": 1, "a": ASTRAL}, (unit, "code-points"))


@pytest.mark.parametrize("value", [{"a": "x\0"}, {"": 1}, {"a": {"$time": "2024-01-01", "b": 1}}, sized(101_000)])
def test_of_a_doubtful_object_nobody_says_what_becomes(value: dict[str, Any]) -> None:
    assert lawful(value, 5) == OPEN


FAR = {"a": {"$time": "3500-01-01T00:00:00Z"}}


@pytest.mark.parametrize("value", [FAR, {"b": [FAR]}, {"b": {"c": FAR}}])
def test_a_time_beyond_the_stored_years_is_left_out_of_an_object(value: dict[str, Any]) -> None:
    assert lawful(value, 5) == [CellOutcome(UNKNOWN, NotShown(value)), CellOutcome(UNKNOWN, OMITTED)]


# --- arrays of objects ------------------------------------------------------------------------------------------------

A, B, C = {"id": 1, "x": 1}, {"id": 2, "x": 1}, {"id": 3}


def select(value: Any, key: Any = "id", **new: Any) -> dict[str, Any]:
    return {"$identifier_key": key, "$identifier_value": value, **({"$new_object": new} if new else {})}


def test_an_array_of_objects_is_stored() -> None:
    for prior in (ABSENT, UNKNOWN, 5, [C]):
        assert lawful([A, B], prior) == [stored([A, B])]


def test_equal_objects_are_kept_or_not() -> None:
    assert lawful([A, B, A], 5) == [stored([A, B, A]), stored([A, B]), stored([B, A])]


def test_an_array_of_objects_over_the_limit_is_not_stored() -> None:
    array = [sized(50_000), sized(OBJECT_BYTES - 50_000 - 3)]  # with brackets and a comma
    assert serialized_size(array) == OBJECT_BYTES
    assert lawful(array, 5) == OPEN  # over 100 KB if a kilobyte has a thousand bytes
    array[1]["kz"] += "z"
    assert lawful(array, 5) == refused(5, ("invalid-object", "not-applied"))


@pytest.mark.parametrize("one", [{"": 1}, {"a": ASTRAL}, {"a.b": 1}, {"a": None}])
def test_of_an_array_of_odd_objects_nobody_says_what_becomes(one: dict[str, Any]) -> None:
    assert lawful([A, one], 5) == OPEN


def test_objects_are_added_at_the_end() -> None:
    assert lawful({"$add": [C]}, [A, B]) == [stored([A, B, C])]
    assert lawful({"$add": [C]}, ABSENT) == [*refused(ABSENT), stored([C])]


def test_an_edit_that_finds_none_of_equal_objects_leaves_them_all() -> None:
    assert lawful({"$remove": [select(9)]}, [A, A]) == [idle([A, A]), stored([A, A]), stored([A])]


def test_an_object_that_is_there_may_be_added_again_or_not() -> None:
    assert lawful({"$add": [A]}, [A, B]) == [idle([A, B]), stored([A, B, A]), stored([A, B])]
    assert lawful({"$add": [A, C]}, [A, B]) == [stored([A, B, A, C]), stored([A, B, C])]


def test_objects_are_removed_by_one_of_their_members() -> None:
    assert lawful({"$remove": [select(1)]}, [A, B]) == [stored([B])]
    assert lawful({"$remove": [select(9)]}, [A, B]) == [idle([A, B]), stored([A, B])]
    assert lawful({"$remove": [select(1)]}, [A]) == [
        stored([], ("emptied-array", "empty")),
        *removed(("emptied-array", "absent")),
    ]
    assert lawful({"$remove": [select(1)]}, ABSENT) == [*refused(ABSENT), CellOutcome(UNKNOWN, []), *GONE]


def test_an_update_merges_where_that_is_asked_for_and_otherwise_merges_or_replaces() -> None:
    update = {"$update": [select(1, y=2)]}
    assert lawful(update, [A, B], merge=True) == [stored([{**A, "y": 2}, B])]
    everywhere, first = ("update-matches", "all"), ("update-matches", "first")
    merged, replaced = ("update-without-merge", "merge"), ("update-without-merge", "replace")
    assert lawful(update, [A, B]) == [
        stored([{**A, "y": 2}, B], everywhere, merged),
        stored([{"y": 2}, B], everywhere, replaced),
        stored([{**A, "y": 2}, B], first, merged),
        stored([{"y": 2}, B], first, replaced),
    ]


def test_an_update_changes_all_that_match_or_the_first() -> None:
    outcomes = lawful({"$update": [select(1, "x", y=2)]}, [A, B], merge=True)
    assert outcomes == [
        stored([{**A, "y": 2}, {**B, "y": 2}], ("update-matches", "all")),
        stored([{**A, "y": 2}, B], ("update-matches", "first")),
    ]


def test_an_update_that_makes_objects_equal_may_keep_one_of_them() -> None:
    twins = [{"x": 1, "n": 1}, {"x": 1, "n": 2}]
    everywhere = ("update-matches", "all")
    outcomes = lawful({"$update": [select(1, "x", n=3)]}, twins, merge=True)
    assert outcomes[:2] == [
        stored([{"x": 1, "n": 3}] * 2, everywhere),
        stored([{"x": 1, "n": 3}], everywhere),
    ]


def test_steps_of_one_edit_may_be_taken_in_any_order() -> None:
    assert lawful({"$add": [C], "$remove": [select(3)]}, [A]) == [idle([A]), stored([A]), stored([A, C])]
    assert lawful({"$add": [C], "$remove": [select(1)]}, [A, B]) == [stored([B, C])]


def test_an_update_may_make_an_object_that_is_removed_then_or_not() -> None:
    turn = {"$update": [select(1, id=2)], "$remove": [select(2)]}
    everywhere = ("update-matches", "all")
    assert lawful(turn, [{"id": 1}], merge=True)[:4] == [
        stored([], everywhere, ("emptied-array", "empty")),
        *removed(everywhere, ("emptied-array", "absent")),
        stored([{"id": 2}], everywhere),
    ]


def test_all_three_steps_of_an_edit_may_come_together() -> None:
    edit = {"$add": [C], "$update": [select(1, y=2)], "$remove": [select(2)]}
    assert lawful(edit, [A, B], merge=True) == [stored([{**A, "y": 2}, C])]


def test_an_edit_of_objects_over_the_limit_is_not_made() -> None:
    prior, added = [sized(50_000)], sized(OBJECT_BYTES - 50_000 - 3)
    assert lawful({"$add": [added]}, prior) == [stored([*prior, added])]
    added["kz"] += "z"
    assert lawful({"$add": [added]}, prior) == refused(prior)
    update = {"$update": [select("y" * 45, "ky", new="n" * 150)]}
    full = [sized(OBJECT_BYTES - 100)]
    assert set(lawful(update, full)[0].requires) >= {("update-without-merge", "merge"), ("update-matches", "all")}
    assert lawful(update, full)[0].shows == full


@pytest.mark.parametrize(
    ("edit", "prior"),
    [
        ({"$add": [A], "x": 1}, [A]),
        ({"$add": A}, [A]),
        ({"$add": [1]}, [A]),
        ({"$add": [{"": 1}]}, [A]),
        ({"$add": [{"a": ASTRAL}]}, [A]),
        ({"$add": [{"a": None}]}, [A]),
        ({"$update": [select(1)]}, [A]),
        ({"$update": [{**select(1), "$new_object": 5}]}, [A]),
        ({"$update": [{**select(1), "$new_object": {"": 1}}]}, [A]),
        ({"$update": [{**select(1), "$new_object": {"a.b": 1}}]}, [A]),
        ({"$remove": [select(1, y=2)]}, [A]),
        ({"$remove": [select(1, 5)]}, [A]),
        ({"$remove": [{"$identifier_key": "id"}]}, [A]),
        ({"$add": [A]}, 5),
        ({"$add": [A]}, UNKNOWN),
        ({"$add": [A]}, [1]),
    ],
)
def test_of_odd_edits_of_objects_nobody_says_what_becomes(edit: dict[str, Any], prior: Any) -> None:
    assert lawful(edit, prior) == OPEN


# --- what is shown ----------------------------------------------------------------------------------------------------

NOON, NOON_ELSEWHERE = "2024-01-01T12:00:00Z", "2024-01-01T13:00:00+01:00"


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
def test_nothing_else_is_a_form_of_it(value: Any, shown: Any) -> None:
    assert not appears(value, shown)


def test_times_of_the_first_and_the_last_stored_year_are_stored() -> None:
    for year in ("0000", "3000"):
        assert appears(f"{year}-06-01T00:00:00Z", f"{year}-06-01T01:00:00+01:00")


ROW, LIMIT = (("refused-attribute", "previous"),), (3, 4)


def fits(outcome: CellOutcome, shown: Any) -> list[CellOutcome]:
    return list(fitting([outcome], shown))


def test_what_is_shown_fits_an_outcome_that_shows_it() -> None:
    plain = CellOutcome([1], [1], ROW, LIMIT)
    assert fits(plain, [1]) == [plain]
    assert fits(plain, [1])[0] is plain
    assert fits(plain, [2]) == fits(plain, None) == fits(plain, OMITTED) == []


def test_what_is_left_out_fits_an_outcome_that_leaves_it_out() -> None:
    left_out = CellOutcome(3, OMITTED, ROW, LIMIT)
    assert fits(left_out, OMITTED) == [left_out]
    assert fits(left_out, 3) == fits(left_out, None) == []


def test_a_time_as_it_was_sent_fits_to_the_letter() -> None:
    as_sent = CellOutcome(NOON, AsSent(NOON), ROW, LIMIT)
    assert fits(as_sent, NOON) == [as_sent]
    assert fits(as_sent, NOON_ELSEWHERE) == fits(as_sent, OMITTED) == []


def test_from_an_outcome_that_may_show_anything_the_value_is_learned() -> None:
    anything = CellOutcome(UNKNOWN, ANYTHING, ROW, LIMIT)
    assert fits(anything, 5) == [CellOutcome(5, 5, ROW, LIMIT)]
    assert fits(anything, None) == [CellOutcome(ABSENT, None, ROW, LIMIT)]
    assert fits(anything, OMITTED) == []
    known = CellOutcome(3, ANYTHING, ROW, LIMIT)
    assert fits(known, 5) == [CellOutcome(3, 5, ROW, LIMIT)]


def test_from_an_unknown_state_the_value_is_learned() -> None:
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
def test_a_far_time_is_not_there_in_any_form(shown: Any, right: bool) -> None:
    outcome = CellOutcome(UNKNOWN, NotShown({"b": 1, **FAR}), ROW, LIMIT)
    if isinstance(shown, dict) and shown.get("a") == 1:
        right = False  # some form of it stands there
    kept = [CellOutcome(ABSENT if shown is None else shown, shown, ROW, LIMIT)]
    assert fits(outcome, shown) == (kept if right else [])
    assert fits(outcome, OMITTED) == []


def test_a_far_time_deep_within_is_not_there_either() -> None:
    outcome = CellOutcome(UNKNOWN, NotShown({"list": [{"c": 1, **FAR}], "object": {"c": 1, **FAR}}))
    assert fits(outcome, {"list": [{"c": 1}], "object": {"c": 1}}) != []
    assert fits(outcome, {"list": [], "object": 5}) != []
    assert fits(outcome, {"list": [{"c": 1}]}) != []
    assert fits(outcome, {"list": 5, "object": {"c": 1}}) != []
    assert fits(outcome, {"list": [{"c": 1, **FAR}], "object": {"c": 1}}) == []
    assert fits(outcome, {"list": [{"c": 1}], "object": {"c": 1, **FAR}}) == []
    assert fits(outcome, {"object": {"c": 1, "a": "3500-01-01"}}) == []


# --- by which clause --------------------------------------------------------------------------------------------------


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
        ("room 5", "TS-ATTR-STRING"),
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
    assert clause_of(AttributeWrite(value)) == clause


def test_an_object_that_is_merged_is_checked_by_merging() -> None:
    assert clause_of(AttributeWrite({"a": 1}, merge=True)) == "TS-OBJECT-MERGE"


def test_a_write_is_not_merged_unless_it_says_so() -> None:
    assert attribute_outcomes(AttributeWrite({"a": 1}), {"b": 2}, WIDE) == [stored({"a": 1})]
