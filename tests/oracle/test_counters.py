"""What a count, a first and a last may become: the rules themselves, at their bounds."""

from __future__ import annotations

import pytest
from oracle_harness import LATER, LATER_SHOWN, SHOWN, OracleHarness, U, bought, counted, purchase, seen

from tracksync.model.exchange import FailureKind
from tracksync.oracle.belief import Counter
from tracksync.oracle.counters import (
    EVER,
    TOLERANCE,
    Amount,
    CounterOp,
    CounterOutcome,
    ShownCounter,
    adopted,
    count_fits,
    first_fits,
    fits,
    last_fits,
    learned,
    outcomes,
    recorded_at,
    within,
)
from tracksync.oracle.interpretations import COUNT_IS_ONE, COUNT_IS_QUANTITY
from tracksync.oracle.spelling import folded
from tracksync.values.times import Interval, read_time

ONCE = (Amount(1),)
AT = Interval(5_000, 5_000)
ONE, TWO = Interval(1, 1), Interval(2, 2)


def test_ever_is_longer_than_the_years_that_can_be_written() -> None:
    for text, bound in (("0001-01-01T00:00:00Z", EVER.earliest), ("9999-12-31T23:59:59Z", EVER.latest)):
        instant = read_time(text).instant
        assert instant is not None
        assert abs(bound) > 10 * abs(instant)
    assert EVER.earliest < 0 < EVER.latest


def test_a_time_is_recorded_as_it_is_and_one_in_the_future_as_now() -> None:
    million = 1_000_000
    assert recorded_at(90 * million, 100.0, 101.0, 5.0) == Interval(90 * million, 90 * million)
    assert recorded_at(95 * million, 100.0, 101.0, 5.0) == Interval(95 * million, 95 * million)
    assert recorded_at(96 * million, 100.0, 101.0, 5.0) == Interval(95 * million, 96 * million)
    assert recorded_at(106 * million, 100.0, 101.0, 5.0) == Interval(95 * million, 106 * million)
    assert recorded_at(107 * million, 100.0, 101.0, 5.0) == Interval(95 * million, 106 * million)
    assert recorded_at(None, 100.0, 101.0, 5.0) == EVER


def test_the_first_event_is_first_and_last() -> None:
    assert outcomes(Counter(0), CounterOp(AT, ONCE)) == [CounterOutcome(Counter(1, AT, AT))]


def test_a_further_event_moves_the_first_or_the_last() -> None:
    prior = Counter(3, Interval(10, 20), Interval(30, 40))
    for when, first, last in (
        ((0, 5), (0, 5), (30, 40)),
        ((5, 15), (5, 15), (30, 40)),
        ((25, 25), (10, 20), (30, 40)),
        ((35, 50), (10, 20), (35, 50)),
        ((60, 70), (10, 20), (60, 70)),
    ):
        after = Counter(4, Interval(*first), Interval(*last))
        assert outcomes(prior, CounterOp(Interval(*when), ONCE)) == [CounterOutcome(after)]
    whenever = Counter(4, Interval(EVER.earliest, 20), Interval(30, EVER.latest))
    assert outcomes(prior, CounterOp(EVER, ONCE)) == [CounterOutcome(whenever)]


def test_an_unknown_count_stays_unknown() -> None:
    assert outcomes(Counter(None), CounterOp(AT, ONCE)) == [CounterOutcome(Counter(None))]
    assert outcomes(Counter(3, ONE, TWO), CounterOp(AT, (Amount(None),))) == [CounterOutcome(Counter(None, ONE, AT))]


def test_a_quantity_counts_as_many_or_as_one() -> None:
    op = CounterOp(AT, (Amount(3, COUNT_IS_QUANTITY), Amount(1, COUNT_IS_ONE)))
    for prior, first in ((Counter(0), AT), (Counter(2, ONE, TWO), ONE)):
        assert outcomes(prior, op) == [
            CounterOutcome(Counter((prior.count or 0) + 3, first, AT), (COUNT_IS_QUANTITY,)),
            CounterOutcome(Counter((prior.count or 0) + 1, first, AT), (COUNT_IS_ONE,)),
        ]


def test_a_time_that_is_shown_may_be_cut_or_rounded_to_milliseconds() -> None:
    for instant, right in ((5_000 - 999, True), (5_000 + 999, True), (4_000, False), (6_000, False)):
        assert within(instant, AT) == right
    assert within(5_500, Interval(5_000, 6_000))


def test_from_an_unknown_count_what_was_added_is_the_least() -> None:
    unknown = CounterOutcome(Counter(None))
    for added, least in (((1,), 1), ((3, 1), 1), ((None,), 0), ((2,), 2)):
        op = CounterOp(AT, tuple(map(Amount, added)))
        assert count_fits(unknown, ShownCounter(least, 0, 0), op)
        assert not count_fits(unknown, ShownCounter(least - 1, 0, 0), op)
    known = CounterOutcome(Counter(4))
    assert [count_fits(known, ShownCounter(count, 0, 0), CounterOp(AT, ONCE)) for count in (3, 4, 5)] == [
        False,
        True,
        False,
    ]


def test_from_unknown_times_the_first_is_not_after_and_the_last_not_before() -> None:
    unknown, op = CounterOutcome(Counter(None)), CounterOp(Interval(5_000, 7_000), ONCE)
    assert [first_fits(unknown, ShownCounter(1, first, 0), op) for first in (-9, 7_999, 8_000)] == [True, True, False]
    assert [last_fits(unknown, ShownCounter(1, 0, last), op) for last in (4_000, 4_001, 99_999)] == [False, True, True]


def test_known_times_must_be_shown() -> None:
    known = CounterOutcome(Counter(2, Interval(1_000, 1_000), Interval(9_000, 9_000)))
    op = CounterOp(AT, ONCE)
    assert fits(known, ShownCounter(2, 1_000, 9_000), op)
    for count, first, last in ((3, 1_000, 9_000), (2, 5_000, 9_000), (2, 1_000, 5_000)):
        assert not fits(known, ShownCounter(count, first, last), op)


def test_a_shown_time_narrows_a_wide_interval() -> None:
    shown = ShownCounter(4, 50_000, 60_000)
    near = [Interval(instant - TOLERANCE, instant + TOLERANCE) for instant in (50_000, 60_000)]
    assert learned(CounterOutcome(Counter(None)), shown) == adopted(shown) == Counter(4, *near)
    for width, kept in ((0, True), (TOLERANCE, True), (2 * TOLERANCE, True), (2 * TOLERANCE + 1, False)):
        first, last = Interval(49_500, 49_500 + width), Interval(59_500, 59_500 + width)
        after = learned(CounterOutcome(Counter(4, first, last)), shown)
        assert after == (Counter(4, first, last) if kept else Counter(4, *near))


# --- the interpretation of purchase-count -----------------------------------------------------------------------------


@pytest.mark.parametrize(("count", "interpretation"), [(4, "quantity"), (2, "one")])
def test_how_a_quantity_counts_is_learned_from_a_later_purchase_too(count: int, interpretation: str) -> None:
    harness = OracleHarness()
    assert harness.check(purchase(), bought(1)) == []
    assert harness.check(purchase(quantity=3), bought(count)) == []
    assert harness.belief.interpretations()["purchase-count"] == interpretation


@pytest.mark.parametrize(("count", "interpretation"), [(5, "quantity"), (3, "one")])
def test_how_a_quantity_counts_is_learned_behind_a_lost_purchase(count: int, interpretation: str) -> None:
    harness = OracleHarness()
    assert harness.check(purchase(), bought(1)) == []
    harness.check(purchase(time=LATER), failure=FailureKind.TIMEOUT)
    assert harness.check(purchase(quantity=3), bought(count, SHOWN, LATER_SHOWN)) == []
    assert harness.belief.interpretations()["purchase-count"] == interpretation


def test_a_server_that_is_held_to_one_interpretation_is_held_to_it_behind_a_lost_purchase() -> None:
    for count, right in ((2, True), (3, True), (4, False)):
        harness = OracleHarness(interpretations={"purchase-count": "one"})
        harness.check(purchase(), bought(1))
        harness.check(purchase(quantity=3), failure=FailureKind.TIMEOUT)
        assert (harness.check(purchase(), bought(count)) == []) == right


def test_two_names_that_differ_in_spelling_only_are_said_to_be_mixed_up() -> None:
    for other, spelt in (("Seen", True), (" seen", True), ("saw", False)):
        harness = OracleHarness()
        assert harness.event(1) == set()
        found = harness.clauses(seen(U, name=other), counted(U, other, SHOWN, SHOWN, 2))
        assert found == {"TS-STATE-KEYS-APART", *(["TS-USER-SPELLING"] if spelt else [])}
    assert folded("Été vu") == folded("e\u0301te\u0301VU")
