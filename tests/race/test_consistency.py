"""Which consistency held on a cell: the strongest that explains it, and the smallest part that no order explains."""

from __future__ import annotations

import pytest
from race_histories import CELL, EVENT, GET, done, put, unanswered

from tracksync.race.cells import CellModel, final_fits
from tracksync.race.consistency import Level, cell_report, count, report, unexplained
from tracksync.race.history import History, RaceOperation, Write
from tracksync.race.linear import decide


def add(amount: int) -> Write:
    return Write("add", amount)


def insert(item: str) -> Write:
    return Write("insert", item)


BOTH_ORDERS_FIT = [
    done(0, put(0), 0, 1, 0),
    done(1, add(2), 2, 9, 5),
    done(2, add(3), 3, 8, 3),
    done(0, GET, 10, 11, 5),
]
STALE = [done(0, put(1), 0, 1, 1), done(1, put(7), 2, 3), done(2, GET, 4, 5, 1), done(1, GET, 6, 7, 7)]
TORN = [done(0, put(0), 0, 1, 0), done(1, add(2), 2, 9, 2), done(2, add(3), 3, 8, 3), done(0, GET, 10, 11, 5)]
LOST = [done(0, put(0), 0, 1, 0), done(1, add(2), 2, 9, 2), done(2, add(3), 3, 8, 3), done(0, GET, 10, 11, 3)]


@pytest.mark.parametrize(
    ("operations", "level"),
    [
        (BOTH_ORDERS_FIT, Level.LINEARIZABLE),
        (STALE, Level.SEQUENTIAL),
        (TORN, Level.FINAL),
        (LOST, Level.NONE),
    ],
)
def test_each_level_is_the_strongest_that_explains_the_history(operations: list[RaceOperation], level: Level) -> None:
    assert cell_report(CELL, History.of(operations)).level is level


def test_cells_are_reported_each_by_itself() -> None:
    event = [done(1, Write("count", 1), 0, 1, 1, EVENT), done(2, Write("count", 1), 2, 3, 2, EVENT)]
    reports = report(History.of([*LOST, *event]))
    assert {one.place: one.level for one in reports} == {CELL: Level.NONE, EVENT: Level.LINEARIZABLE}
    assert count(reports)[Level.NONE] == 1


def test_an_event_of_a_user_created_for_the_run_counts_from_zero() -> None:
    jump = History.of([done(1, Write("count", 1), 0, 1, 2, EVENT)])
    assert cell_report(EVENT, jump, fresh=True).level is Level.NONE
    assert cell_report(EVENT, jump, fresh=False).level is Level.LINEARIZABLE


def test_an_array_that_lost_an_element_in_parallel_has_no_consistency() -> None:
    start = done(0, Write("set", ["k"]), 0, 1, ["k"])
    one, other = done(1, insert("a"), 2, 9, ["k", "a"]), done(2, insert("b"), 3, 8, ["k", "b"])
    whole = done(0, GET, 10, 11, ["k", "b", "a"])
    assert cell_report(CELL, History.of([start, one, other, whole])).level is Level.FINAL
    lost = done(0, GET, 10, 11, ["k", "b"])
    assert cell_report(CELL, History.of([start, one, other, lost])).level is Level.NONE


def test_an_element_that_is_inserted_again_moves_to_the_end() -> None:
    operations = [
        done(0, Write("set", ["a", "b"]), 0, 1, ["a", "b"]),
        done(1, insert("a"), 2, 3, ["b", "a"]),
        done(2, Write("remove", "b"), 4, 5, ["a"]),
    ]
    assert cell_report(CELL, History.of(operations)).level is Level.LINEARIZABLE


def test_members_that_are_merged_stay_beside_the_others() -> None:
    operations = [
        done(0, Write("set", {"k": 0}), 0, 1, {"k": 0}),
        done(1, Write("merge", {"m": 1}), 2, 3, {"k": 0, "m": 1}),
        done(2, Write("merge", {"n": 2}), 4, 5, {"k": 0, "n": 2}),
    ]
    assert cell_report(CELL, History.of(operations)).decision.holds is False


def test_an_addition_without_a_response_may_be_in_the_final_sum_or_not() -> None:
    for final, fits in ((3, True), (10, True), (7, False)):
        history = History.of([done(0, put(0), 0, 1, 0), done(1, add(3), 2, 3, 3), unanswered(2, add(7), 2)])
        assert final_fits(history, final) is fits


def test_after_several_settings_the_final_value_may_lack_what_was_added_before() -> None:
    history = History.of(
        [done(0, put(0), 0, 1, 0), done(1, add(3), 2, 3), done(2, put(9), 4, 5), done(1, add(1), 6, 7)]
    )
    assert final_fits(history, 10)
    assert final_fits(history, 13)
    assert not final_fits(history, 2)


def test_the_smallest_part_that_no_order_explains_is_cut_out_of_a_long_history() -> None:
    operations = [done(0, put(0), 0, 1, 0)]
    total = 0
    for index in range(50):
        total += 1
        operations.append(done(index % 4, add(1), 2.0 + index, 2.5 + index, total))
    operations.append(done(1, add(1), 60, 61, total))
    operations += [done(2, add(1), 70.0 + index, 70.5 + index, total + index + 1) for index in range(20)]
    found = unexplained(History.of(operations))
    assert [one.shown for one in found] == [50, 50]
    assert decide(found, CellModel()).holds is False


def test_nothing_is_cut_out_of_a_history_that_an_order_explains() -> None:
    assert unexplained(History.of(BOTH_ORDERS_FIT)) == ()
