"""What a response shows of attributes and counts: by which clause it is called wrong, and what is covered."""

from __future__ import annotations

from typing import Any

import pytest
from oracle_harness import (
    EVENT,
    LATER,
    LATER_SHOWN,
    SHOWN,
    TIME,
    OracleHarness,
    U,
    attributed,
    bought,
    counted,
    covered,
    only,
    parts,
    purchase,
)

from tracksync.model.exchange import FailureKind
from tracksync.model.finding import NOTHING

# --- attributes -------------------------------------------------------------------------------------------------------

LONG = "x" * 256


def test_an_attribute_beside_a_refused_one_is_independent_of_it() -> None:
    harness = OracleHarness()
    assert harness.write({"a": LONG, "b": 1}, {"b": 1}) == set()
    assert "TS-ATTR-INDEPENDENT" in covered(harness)
    for values, shown in (({"b": 1}, {"b": 1}), ({"a": LONG}, {})):
        harness = OracleHarness()
        assert harness.write(values, shown) == set()
        assert "TS-ATTR-INDEPENDENT" not in covered(harness)


@pytest.mark.parametrize("value", [1, "x" * 255])
def test_an_attribute_that_is_dropped_with_a_refused_one_is_found(value: Any) -> None:
    found = only(OracleHarness().check({"attributes": [{**U, "a": LONG, "b": value}]}, attributed(U, {})))
    assert parts(found) == ("TS-ATTR-INDEPENDENT", "/response/body/users/0/custom_attributes/b", value, NOTHING)
    assert found.message == "the response omits 'b', which the request wrote; another attribute was refused"
    harness = OracleHarness()
    harness.write({"b": 3})
    assert harness.write({"a": LONG, "b": 4}, {"b": 3}) == {"TS-ATTR-INDEPENDENT"}
    assert harness.write({"a": LONG, "b": 4}, {"b": 9}) == {"TS-ATTR-INTEGER"}


def test_digits_that_were_lost_before_are_found() -> None:
    harness = OracleHarness()
    wide = 2**53 + 1
    assert harness.write({"a": wide}, {"a": 2**53}) == set()
    found = only(harness.check({"attributes": [{**U, "b": wide}]}, attributed(U, {"b": wide})))
    assert parts(found) == ("TS-ATTR-INTEGER", "/response/body/users/0/custom_attributes/b", 2**53, wide)
    assert found.message == "'b' keeps digits beyond 2^53, which were lost before"


def test_an_array_of_wide_integers_may_be_held_as_doubles_and_cut() -> None:
    values = [2**53 + 1 + 2 * number for number in range(200)]
    held = [int(float(value)) for value in values]
    harness = OracleHarness()
    assert harness.write({"a": values}, {"a": held[:100]}) == set()
    assert harness.belief.array_limits == (100, 100)
    assert harness.belief.interpretations()["array-overflow"] == "first"
    held_to = OracleHarness(interpretations={"array-overflow": "newest"}, array_limit=100)
    assert held_to.write({"a": values}, {"a": held[:100]}) != set()


@pytest.mark.parametrize(
    ("before", "value", "shown", "clause", "expected"),
    [
        (1, None, {"a": 1}, "TS-ATTR-NULL", None),
        (1, {"inc": 1}, {}, "TS-OK-SHOWS", 2),
        (1, True, {"a": 1}, "TS-ATTR-BOOLEAN", True),
        ([1], {"add": [2]}, {"a": [1]}, "TS-ARRAY-ADD", [1, 2]),
        ([1, 2], {"add": [1]}, {"a": [1, 2]}, "TS-ARRAY-ADD-PRESENT", [2, 1]),
        ({"x": 1}, {"y": 1}, {"a": {"x": 1, "y": 1}}, "TS-OBJECT-REPLACE", {"y": 1}),
        (None, list(range(20)), {"a": list(range(19))}, "TS-ARRAY-KEPT", list(range(20))),
        (None, list(range(501)), {"a": list(range(501))}, "TS-ARRAY-LIMIT", ...),
        (None, "2024-01-01T00:00:00Z", {"a": "2024-01-02T00:00:00Z"}, "TS-ATTR-DATE", "2024-01-01T00:00:00Z"),
    ],
)
def test_a_wrong_attribute_is_found_by_the_clause_of_its_write(
    before: Any, value: Any, shown: dict[str, Any], clause: str, expected: Any
) -> None:
    harness = OracleHarness()
    if before is not None:
        assert harness.write({"a": before}) == set()
    found = only(harness.check({"attributes": [{**U, "a": value}]}, attributed(U, shown)))
    assert (found.clause, found.pointer) == (clause, "/response/body/users/0/custom_attributes/a")
    assert expected is ... or found.expected == expected
    assert found.actual == shown.get("a", NOTHING)


def test_arrays_of_twenty_elements_cover_that_they_are_kept() -> None:
    for size, clauses in ((19, set()), (20, {"TS-ARRAY-KEPT"}), (25, {"TS-ARRAY-KEPT"})):
        harness = OracleHarness()
        assert harness.write({"a": list(range(size))}) == set()
        assert covered(harness) & {"TS-ARRAY-KEPT"} == clauses
    harness = OracleHarness()
    harness.write({"a": {"add": list(range(25))}})
    assert "TS-ARRAY-KEPT" not in covered(harness)


def test_a_lost_attribute_may_come_before_or_after_the_next_one() -> None:
    for shown, right in ((2, True), (6, True), (5, True), (3, False), (7, False)):
        harness = OracleHarness()
        harness.write({"n": 1})
        harness.check({"attributes": [{**U, "n": 5}]}, failure=FailureKind.TIMEOUT)
        assert (harness.write({"n": {"inc": 1}}, {"n": shown}) == set()) == right


def test_a_lost_removal_may_come_before_or_after_the_next_write() -> None:
    for shown, right in (({"n": 2}, True), ({}, True), ({"n": None}, True), ({"n": 1}, True), ({"n": 9}, False)):
        harness = OracleHarness()
        harness.write({"n": 1})
        harness.check({"attributes": [{**U, "n": None}]}, failure=FailureKind.TIMEOUT)
        assert (harness.write({"n": {"inc": 1}}, shown) == set()) == right


def test_a_lost_write_takes_effect_once_only() -> None:
    harness = OracleHarness()
    harness.write({"n": 1})
    harness.check({"attributes": [{**U, "n": 5}]}, failure=FailureKind.TIMEOUT)
    assert harness.write({"n": {"inc": 1}}, {"n": 6}) == set()
    assert harness.write({"n": {"inc": 1}}, {"n": 6}) != set()
    harness = OracleHarness()
    harness.write({"n": 1})
    harness.check({"attributes": [{**U, "n": 5}]}, failure=FailureKind.TIMEOUT)
    assert harness.write({"n": {"inc": 1}}, {"n": 2}) == set()
    assert harness.write({"n": {"inc": 1}}, {"n": 6}) == set()
    assert harness.write({"n": {"inc": 1}}, {"n": 6}) != set()


# --- counts -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("section", ["events", "purchases"])
def test_a_wrong_count_is_found(section: str) -> None:
    harness = OracleHarness()
    if section == "events":
        harness.event(1)
        found = only(harness.check(EVENT, counted(U, "seen", SHOWN, SHOWN, 7)))
        assert parts(found) == ("TS-EVENT-COUNT", "/response/body/users/0/custom_events/0/count", 2, 7)
    else:
        harness.check(purchase(), bought(1))
        found = only(harness.check(purchase(), bought(7)))
        assert parts(found) == ("TS-PURCHASE-COUNT", "/response/body/users/0/purchase_events/0/count", 2, 7)
        found = only(OracleHarness().check(purchase(quantity=3), bought(7)))
        assert (found.expected, found.actual) == ([1, 3], 7)


def test_a_count_first_and_last_that_fit_only_one_by_one_are_found() -> None:
    harness = OracleHarness()
    harness.event(1)
    harness.check({"events": [{**U, "name": "seen", "time": LATER}]}, failure=FailureKind.TIMEOUT)
    # without the lost event: 2 and its own time; with it: 3 and the later time
    ambiguity = {"name": "seen", "first": SHOWN, "last": "2023-01-01T00:00:00.000Z", "count": 2}
    response = {"users": [{**U, "custom_events": [ambiguity]}], "message": "success"}
    found = only(harness.check(EVENT, response))
    assert parts(found) == ("TS-EVENT-COUNT", "/response/body/users/0/custom_events/0", NOTHING, ambiguity)
    assert found.message == "count, first and last of 'seen' do not fit together"
    harness = OracleHarness()
    harness.check(purchase(), bought(1))
    harness.check(purchase(time=LATER), failure=FailureKind.TIMEOUT)
    found = only(harness.check(purchase(), bought(2, last="2023-01-01T00:00:00.000Z")))
    assert (found.clause, found.pointer) == ("TS-PURCHASE-COUNT", "/response/body/users/0/purchase_events/0")


def test_wrong_times_are_found_with_the_expected_ones() -> None:
    early = "2020-01-01T00:00:00.000Z"
    for time, shown, clause in ((TIME, SHOWN, "TS-EVENT-OFFSET"), (LATER, LATER_SHOWN, "TS-EVENT-FIRST")):
        harness = OracleHarness()
        harness.event(1, shown, shown, time=time)
        body = {"events": [{**U, "name": "seen", "time": time}]}
        found = only(harness.check(body, counted(U, "seen", early, shown, 2)))
        assert parts(found) == (clause, "/response/body/users/0/custom_events/0/first", shown, early)
    far = {"events": [{**U, "name": "later", "time": "2099-01-01T00:00:00Z"}]}
    found = OracleHarness().check(far, counted(U, "later", SHOWN, SHOWN, 1))[0]
    assert found.clause == "TS-EVENT-FUTURE"
    assert " … " in found.expected


def test_a_count_that_lacks_the_last_request_breaks_visibility() -> None:
    harness = OracleHarness()
    for count in (1, 2, 3):
        harness.event(count)
    assert harness.event(2) == {"TS-EVENT-COUNT"}
    harness = OracleHarness()
    harness.check(purchase(quantity=5), bought(5))
    harness.check(purchase(quantity=5), bought(10))
    assert {one.clause for one in harness.check(purchase(quantity=5), bought(6))} == {"TS-PURCHASE-COUNT"}


def test_times_that_are_known_on_one_side_only_are_shown_so() -> None:
    early, late = "2020-01-01T00:00:00.000Z", "2023-06-01T00:00:00.000Z"
    odd = {"events": [{**U, "name": "seen", "time": 5}]}  # may be refused; if not, it was at any time
    harness = OracleHarness()
    harness.event(1)
    found = only(harness.check(odd, counted(U, "seen", late, late, 2)))
    assert parts(found) == ("TS-EVENT-FIRST", "/response/body/users/0/custom_events/0/first", f"… {SHOWN}", late)
    harness = OracleHarness()
    harness.event(1)
    found = only(harness.check(odd, counted(U, "seen", early, early, 2)))
    assert parts(found) == ("TS-EVENT-LAST", "/response/body/users/0/custom_events/0/last", f"{SHOWN} …", early)
    harness = OracleHarness()
    harness.event(1)
    assert harness.check(odd, counted(U, "seen", early, late, 2)) == []


def test_what_track_accepted_long_ago_may_still_come_after_it_was_missed() -> None:
    harness = OracleHarness()
    harness.event(1)
    harness.queue(EVENT)
    assert harness.event(2, wait=400.0) == {"TS-TRACK-APPLIED"}
    assert harness.event(3) == {"TS-TRACK-APPLIED"}
    assert harness.event(5) == set()
    assert harness.event(7) != set()
    harness = OracleHarness()
    harness.write({"n": 1})
    harness.queue({"attributes": [{**U, "n": 50}]})
    assert harness.write({"n": {"inc": 1}}, {"n": 2}, wait=400.0) == {"TS-TRACK-APPLIED"}
    assert harness.write({"n": {"inc": 1}}, {"n": 51}) == set()
    assert harness.write({"n": {"inc": 1}}, {"n": 51}) != set()


def test_a_count_that_lacks_a_completed_purchase_breaks_visibility() -> None:
    harness = OracleHarness()
    for quantity, count in ((5, 5), (2, 7)):
        assert harness.check(purchase(quantity=quantity), bought(count)) == []
    assert {one.clause for one in harness.check(purchase(quantity=5), bought(10))} == {"TS-STATE-VISIBLE"}


def test_a_refused_purchase_of_an_odd_quantity_explains_no_surplus() -> None:
    refusal = {"message": "wrong", "errors": ["'quantity' is invalid"]}
    harness = OracleHarness()
    harness.check(purchase(), bought(1))
    harness.check(purchase(quantity="two"), refusal, 400)
    assert {one.clause for one in harness.check(purchase(), bought(3))} == {"TS-PURCHASE-COUNT"}


@pytest.mark.parametrize(("shown", "interpretation"), [(5, "integer"), ("5", "string")])
def test_a_product_that_is_an_integer_comes_back_in_one_form(shown: Any, interpretation: str) -> None:
    harness = OracleHarness()
    assert harness.check(purchase(product_id=5), bought(1, product=shown)) == []
    assert harness.belief.interpretations()["integer-products"] == interpretation


# --- attributes after pending writes whose effect is not documented ---------------------------------------------------


@pytest.mark.parametrize("shown", [{"n": 5}, {"n": 77}, {"n": None}, {}])
def test_a_lost_odd_edit_may_come_after_the_next_write_and_leave_anything(shown: dict[str, Any]) -> None:
    harness = OracleHarness()
    harness.write({"n": 1})
    harness.check({"attributes": [{**U, "n": {"inc": 1.5}}]}, failure=FailureKind.TIMEOUT)
    assert harness.write({"n": 5}, shown) == set()
    if shown.get("n") == 77:
        assert harness.write({"n": {"inc": 1}}, {"n": 78}) == set()
        assert harness.write({"n": {"inc": 1}}, {"n": 78}) != set()
    elif shown == {"n": None}:
        assert harness.write({"n": {"inc": 1}}, {"n": 1}) == set()
    elif not shown:
        assert harness.write({"n": {"inc": 1}}, {"n": 900}) == set()


@pytest.mark.parametrize("shown", [{"n": None}, {}])
def test_after_a_lost_removal_came_nothing_is_left(shown: dict[str, Any]) -> None:
    for count, right in ((1, True), (6, False), (2, False)):
        harness = OracleHarness()
        harness.write({"n": 1})
        harness.check({"attributes": [{**U, "n": None}]}, failure=FailureKind.TIMEOUT)
        assert harness.write({"n": 5}, shown) == set()
        assert (harness.write({"n": {"inc": 1}}, {"n": count}) == set()) == right


def test_plain_texts_and_integers_show_nothing_of_what_was_before() -> None:
    harness = OracleHarness()
    harness.write({"a": "x", "b": 1, "c": True})
    for values, shows in (({"a": "y"}, False), ({"b": 2}, False), ({"c": False}, True), ({"b": {"inc": 1}}, True)):
        harness.write(values, {"b": 3} if "b" in values and shows else None)
        assert ("TS-STATE-VISIBLE" in covered(harness)) == shows


def test_what_was_expected_is_a_value_that_a_lawful_server_shows() -> None:
    far = {"at": {"$time": "3500-01-01T00:00:00Z"}}
    found = only(OracleHarness().check({"attributes": [{**U, "a": far}]}, attributed(U, {"a": far})))
    assert (found.expected, found.actual) == (NOTHING, far)
    harness = OracleHarness(interpretations={"array-repeats": "kept"})
    found = only(harness.check({"attributes": [{**U, "a": ["x", "x"]}]}, attributed(U, {"a": ["y"]})))
    assert found.expected == ["x", "x"]
    harness = OracleHarness(interpretations={"refused-attribute": "omitted"})
    harness.write({"a": 1})
    found = only(harness.check({"attributes": [{**U, "a": LONG}]}, attributed(U, {"a": "z"})))
    assert parts(found)[2:] == (NOTHING, "z")
    found = only(
        OracleHarness().check({"attributes": [{**U, "a": list(range(501))}]}, attributed(U, {"a": list(range(501))}))
    )
    assert found.expected == list(range(476, 501))


def test_elements_that_are_lost_within_every_limit_are_found() -> None:
    for size, clause in ((25, "TS-ARRAY-KEPT"), (26, "TS-ARRAY-SET")):
        found = only(
            OracleHarness().check({"attributes": [{**U, "a": list(range(size))}]}, attributed(U, {"a": [1, 2]}))
        )
        assert found.clause == clause


def test_an_integer_that_was_held_as_a_double_is_counted_on() -> None:
    for shown, right in ((2**53 + 2, True), (5, False)):
        harness = OracleHarness()
        assert harness.write({"a": 2**53 + 1}, {"a": 2**53}) == set()
        assert (harness.write({"a": {"inc": 2}}, {"a": shown}) == set()) == right


def test_an_array_that_lacks_what_track_accepted_may_be_missing_altogether() -> None:
    harness = OracleHarness()
    harness.write({"other": 1})
    harness.queue({"attributes": [{**U, "a": [1, 2]}]})
    found = only(harness.check({"attributes": [{**U, "a": {"remove": [1]}}]}, attributed(U, {}), wait=400.0))
    assert parts(found) == ("TS-TRACK-APPLIED", "/response/body/users/0/custom_attributes/a", NOTHING, NOTHING)


def test_an_attribute_wrongly_shown_as_null_is_absent() -> None:
    for shown, right in ((1, True), (9, False)):
        harness = OracleHarness()
        assert harness.write({"a": 1}, {"a": None}) != set()
        assert (harness.write({"a": {"inc": 1}}, {"a": shown}) == set()) == right


def test_the_value_after_a_lost_odd_edit_must_stay() -> None:
    def after(shown: dict[str, Any]) -> OracleHarness:
        harness = OracleHarness()
        harness.write({"n": 1})
        harness.check({"attributes": [{**U, "n": {"inc": 1.5}}]}, failure=FailureKind.TIMEOUT)
        assert harness.write({"n": 5}, shown) == set()
        return harness

    assert after({"n": 77}).write({"n": {"inc": 1}}, {"n": 5}) != set()
    assert after({"n": None}).write({"n": {"inc": 1}}, {"n": 9}) != set()
    merged = {"control": {"_merge_objects": True}}
    assert after({}).write({"n": {"x": 1}}, {"n": {"y": 1, "x": 1}}, **merged) == set()


def test_more_lost_edits_than_can_be_followed_leave_an_attribute_uncertain_for_good() -> None:
    harness = OracleHarness()
    harness.write({"a": ["0"]})
    for name in ("1", "2", "3", "4"):
        edit = {"add": [name, "0"], "remove": [name, "9"]}
        harness.check({"attributes": [{**U, "a": edit}]}, failure=FailureKind.TIMEOUT)
    for shown in (["z"], ["q", "z"], ["z"]):
        assert harness.write({"a": {"add": ["z"]}}, {"a": shown}) == set()


def test_a_count_is_expected_by_the_interpretation_that_the_server_is_held_to() -> None:
    harness = OracleHarness(interpretations={"purchase-count": "one"})
    found = only(harness.check(purchase(quantity=3), bought(7)))
    assert (found.expected, found.actual) == (1, 7)
