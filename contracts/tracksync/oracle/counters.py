"""Step three for events and purchases: what a count, a first and a last may become, and whether what is shown fits.

Pure rules over `Counter` states. Instants are microseconds; an interval stands for an instant that is known only
within bounds (a time in the future is recorded as "now", and the server's now is not ours).
"""

from __future__ import annotations

from typing import Final

from msgspec import Struct

from tracksync.oracle.belief import Counter
from tracksync.oracle.identifiers import Identifier
from tracksync.oracle.interpretations import Interpretation, Requires
from tracksync.values.times import Interval

EVER: Final = Interval(-(10**20), 10**20)
TOLERANCE: Final = 999  # microseconds: responses show milliseconds, rounded or cut off


class Amount(Struct, frozen=True, gc=False):
    """What an event or purchase may add to a count, None where that is unknown.

    `interpretation`: the one under which it does; None: under all.
    """

    added: int | None
    interpretation: Interpretation | None = None


class CounterOp(Struct, frozen=True, gc=False):
    """One event or purchase as it reaches the store.

    `when`: the interval in which its time lies, or EVER. `amounts`: each that it may add.
    `due`: of one that was queued, the time in epoch seconds by which it must have been applied.
    `via`: the email or phone by which it reaches its user, who may be another one by then.
    """

    when: Interval
    amounts: tuple[Amount, ...]
    due: float | None = None
    via: Identifier | None = None


class ShownCounter(Struct, frozen=True, gc=False):
    """What a response shows of one event or product; `first` and `last` in microseconds."""

    count: int
    first: int
    last: int


class CounterOutcome(Struct, frozen=True, gc=False):
    """One lawful outcome: the state afterwards and the interpretations that it requires."""

    after: Counter
    requires: Requires = ()


def recorded_at(instant: int | None, sent: float, received: float, skew: float) -> Interval:
    """When a write with the time `instant` is recorded: then, or "now" if that lies in the future (EVENT).

    `sent` and `received` are epoch seconds, `skew` seconds. Where the server's clock decides whether `instant` lies in
    the future, both are within the interval.
    """
    if instant is None:
        return EVER
    earliest = int((sent - skew) * 1_000_000)
    latest = int((received + skew) * 1_000_000)
    if instant <= earliest:
        return Interval(instant, instant)
    if instant > latest:
        return Interval(earliest, latest)
    return Interval(earliest, instant)


def outcomes(prior: Counter, op: CounterOp) -> list[CounterOutcome]:
    """All states that `op` may lawfully lead to from `prior`."""
    result = []
    for amount in op.amounts:
        requires: Requires = () if amount.interpretation is None else (amount.interpretation,)
        count = None if prior.count is None or amount.added is None else prior.count + amount.added
        if prior.count == 0:
            result.append(CounterOutcome(Counter(count, op.when, op.when), requires))
        else:
            first = None if prior.first is None else _earliest(prior.first, op.when)
            last = None if prior.last is None else _latest(prior.last, op.when)
            result.append(CounterOutcome(Counter(count, first, last), requires))
    return result


def _earliest(one: Interval, other: Interval) -> Interval:
    if other is EVER:
        return Interval(EVER.earliest, one.latest)
    return Interval(min(one.earliest, other.earliest), min(one.latest, other.latest))


def _latest(one: Interval, other: Interval) -> Interval:
    if other is EVER:
        return Interval(one.earliest, EVER.latest)
    return Interval(max(one.earliest, other.earliest), max(one.latest, other.latest))


def within(instant: int, interval: Interval) -> bool:
    """Whether an instant that was shown lies in the interval, to the millisecond."""
    return interval.earliest - TOLERANCE <= instant <= interval.latest + TOLERANCE


def count_fits(outcome: CounterOutcome, shown: ShownCounter, op: CounterOp) -> bool:
    """Whether the shown count is the outcome's. From an unknown count, what was just added is the least."""
    if outcome.after.count is not None:
        return shown.count == outcome.after.count
    least = min((amount.added for amount in op.amounts if amount.added is not None), default=0)
    return shown.count >= least


def first_fits(outcome: CounterOutcome, shown: ShownCounter, op: CounterOp) -> bool:
    """Whether the shown first is the outcome's; from an unknown one it is at most this write's time."""
    if outcome.after.first is not None:
        return within(shown.first, outcome.after.first)
    return shown.first <= op.when.latest + TOLERANCE


def last_fits(outcome: CounterOutcome, shown: ShownCounter, op: CounterOp) -> bool:
    """Whether the shown last is the outcome's; from an unknown one it is at least this write's time."""
    if outcome.after.last is not None:
        return within(shown.last, outcome.after.last)
    return shown.last >= op.when.earliest - TOLERANCE


def fits(outcome: CounterOutcome, shown: ShownCounter, op: CounterOp) -> bool:
    """Whether count, first and last as shown are the outcome's."""
    return count_fits(outcome, shown, op) and first_fits(outcome, shown, op) and last_fits(outcome, shown, op)


def learned(outcome: CounterOutcome, shown: ShownCounter) -> Counter:
    """The outcome's state, with what was shown in place of what is not known exactly."""
    after = outcome.after
    return Counter(shown.count, _sharpened(after.first, shown.first), _sharpened(after.last, shown.last))


def _sharpened(interval: Interval | None, instant: int) -> Interval:
    if interval is not None and interval.latest - interval.earliest <= 2 * TOLERANCE:
        return interval
    return Interval(instant - TOLERANCE, instant + TOLERANCE)


def adopted(shown: ShownCounter) -> Counter:
    """The state that a response shows, whatever was believed before."""
    return Counter(shown.count, _sharpened(None, shown.first), _sharpened(None, shown.last))
