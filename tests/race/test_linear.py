"""The linearizability checker decides what the literature decides, and what trying every order decides."""

from __future__ import annotations

import random

import pytest
from race_histories import CELL, GET, Queue, Register, done, drawn, explained_by_some_order, put, unanswered

from tracksync.race.cells import CellModel, cell_value
from tracksync.race.history import UNSEEN, RaceOperation, Write
from tracksync.race.linear import ProgramOrder, RealTime, decide


def enq(client: int, value: str, call: float, end: float) -> RaceOperation:
    return done(client, Write("insert", value), call, end)


def deq(client: int, value: str, call: float, end: float) -> RaceOperation:
    return done(client, Write("remove"), call, end, value)


# Herlihy and Wing, "Linearizability: a correctness condition for concurrent objects" (1990), figure 1: histories of a
# FIFO queue. A and B are 1 and 2.
HERLIHY_WING = {
    "H1: two enqueues overlap, so that either may be first out": (
        [enq(1, "x", 0, 3), enq(2, "y", 1, 2), deq(2, "x", 4, 5), deq(1, "y", 6, 8), enq(1, "z", 9, 10)],
        True,
    ),
    "H2: x is in before y, and y comes out first": (
        [enq(1, "x", 0, 1), enq(2, "y", 2, 4), deq(1, "y", 3, 5)],
        False,
    ),
    "H3: an enqueue that never returned may have had its effect": (
        [unanswered(1, Write("insert", "x"), 0), deq(2, "x", 1, 2)],
        True,
    ),
    "H4: x is enqueued once and comes out twice": (
        [enq(1, "x", 0, 4), enq(2, "y", 1, 3), deq(1, "x", 5, 8), deq(2, "x", 6, 7)],
        False,
    ),
}


@pytest.mark.parametrize("name", HERLIHY_WING)
def test_the_queue_histories_of_herlihy_and_wing_are_decided_as_in_their_paper(name: str) -> None:
    operations, right = HERLIHY_WING[name]
    assert decide(operations, Queue()).holds is right


# Registers: the examples that porcupine's tests take from MIT's 6.824 quiz of 2017, among them closed intervals of no
# length; (client, write, call, return, shown).
REGISTERS = [
    ([(0, put(100), 0, 100, UNSEEN), (1, GET, 25, 75, 100), (2, GET, 30, 60, 0)], True),
    ([(0, put(200), 0, 100, UNSEEN), (1, GET, 10, 30, 200), (2, GET, 40, 90, 0)], False),
    ([(0, put(100), 0, 100, UNSEEN), (1, GET, 25, 75, 100), (2, GET, 30, 30, 0), (3, GET, 30, 30, 0)], True),
    ([(0, put(200), 0, 100, UNSEEN), (1, GET, 10, 10, 200), (2, GET, 10, 10, 200), (3, GET, 40, 90, 0)], False),
]


@pytest.mark.parametrize(("rows", "right"), REGISTERS)
def test_the_register_histories_of_porcupine_are_decided_as_there(rows: list[tuple[object, ...]], right: bool) -> None:
    assert decide([done(*row) for row in rows], Register()).holds is right  # type: ignore[arg-type]


def test_a_history_can_be_sequentially_consistent_and_not_linearizable() -> None:
    # Attiya and Welch, "Sequential consistency versus linearizability" (1994): a stale read by another client.
    stale = [done(1, put(7), 0, 1, UNSEEN), done(2, GET, 2, 3, 0)]
    assert decide(stale, Register(), RealTime).holds is False
    assert decide(stale, Register(), ProgramOrder).holds is True


def test_a_client_that_misses_its_own_write_has_no_consistency_at_all() -> None:
    lost = [done(1, put(7), 0, 1, UNSEEN), done(1, GET, 2, 3, 0)]
    assert decide(lost, Register(), ProgramOrder).holds is False


def test_operations_that_touch_in_one_moment_overlap() -> None:
    touching = [done(1, put(7), 0, 1, UNSEEN), done(2, GET, 1, 2, 0)]
    assert decide(touching, Register()).holds is True


@pytest.mark.parametrize("seed", range(12))
def test_small_random_histories_are_decided_as_by_trying_every_order(seed: int) -> None:
    rng = random.Random(seed)
    seen = set()
    for _ in range(250):
        history = drawn(rng)
        expected = explained_by_some_order(history, Register())
        assert decide(history, Register()).holds is expected, history
        seen.add(expected)
    assert seen == {True, False}


@pytest.mark.parametrize("seed", range(4))
def test_small_random_histories_are_sequential_as_by_trying_every_order(seed: int) -> None:
    rng = random.Random(f"program {seed}")
    for _ in range(200):
        history = drawn(rng)
        expected = explained_by_some_order(history, Register(), by_client=True)
        assert decide(history, Register(), ProgramOrder).holds is expected, history


@pytest.mark.parametrize("seed", range(4))
def test_a_cell_that_only_grows_is_decided_the_same_with_and_without_giving_up_early(seed: int) -> None:
    rng = random.Random(f"grows {seed}")
    for _ in range(200):
        history = [one for one in drawn(rng) if one.write.verb != "set"]
        early = decide(history, CellModel(cell_value(0), grows=True))
        assert early.holds is decide(history, CellModel(cell_value(0), grows=False)).holds


def test_the_order_that_is_found_explains_every_response() -> None:
    history = [done(1, Write("add", 2), 0, 9, 5), done(2, Write("add", 3), 1, 8, 3)]
    order = decide(history, Register()).order
    assert [one.shown for one in order] == [3, 5]


def test_where_no_order_is_left_the_operations_that_could_not_follow_are_named() -> None:
    first, second = done(1, Write("add", 2), 0, 1, 2), done(2, Write("add", 3), 2, 3, 3)
    decision = decide([first, second], Register())
    assert decision.order == (first,)
    assert decision.stuck == (second,)


def test_forty_operations_without_a_response_do_not_blow_up_the_search() -> None:
    operations = [unanswered(1, Write("add", 10**6 + index), float(index)) for index in range(40)]
    operations += [done(2, Write("add", 1), 100.0 + index, 100.5 + index, index + 1) for index in range(50)]
    decision = decide(operations, CellModel(cell_value(0), grows=True))
    assert decision.holds is True
    assert decision.tried < 100


def test_equal_operations_without_a_response_are_tried_as_one() -> None:
    operations = [unanswered(client, Write("add", 1), 0.0) for client in range(30)]
    operations.append(done(99, GET, 1.0, 2.0, 31))
    decision = decide(operations, CellModel(cell_value(0), grows=True))
    assert decision.holds is False
    assert decision.tried < 100


def test_a_search_that_is_too_long_stays_open_and_is_not_called_wrong() -> None:
    operations = [unanswered(client, Write("add", 3**client), 0.0) for client in range(20)]
    operations.append(done(99, GET, 1.0, 2.0, -1))
    assert decide(operations, Register(), budget=500).holds is None


def test_a_long_history_needs_no_more_steps_than_it_has_operations() -> None:
    operations = [done(index % 8, Write("add", 1), float(index), index + 0.5, index + 1) for index in range(20_000)]
    decision = decide(operations, CellModel(cell_value(0), grows=True))
    assert decision.holds is True
    assert decision.tried == 20_001


def test_what_was_refused_is_no_part_of_the_history() -> None:
    from dataclasses import replace

    from tracksync.race.history import WriteOutcome

    refused = replace(done(1, Write("add", 5), 0, 1), outcome=WriteOutcome.REFUSED)
    assert decide([refused, done(2, GET, 2, 3, 0)], Register()).holds is True
    assert refused.place == CELL
