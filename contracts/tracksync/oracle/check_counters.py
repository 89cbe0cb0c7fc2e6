"""A completed event or purchase: do the count, the first and the last that the answer shows fit a lawful outcome?"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from msgspec.structs import replace

from tracksync.model.finding import NOTHING, Finding
from tracksync.oracle import counters, pending, response_body
from tracksync.oracle.belief import Cell, CellKey, Counter, State, User
from tracksync.oracle.context import Context, changed, contended, counter_op, known_value, overdue
from tracksync.oracle.counters import CounterOp, Shown
from tracksync.oracle.users import Candidate
from tracksync.values.times import write_time


def check_counter(context: Context, candidate: Candidate, user: User, entry: dict[str, Any]) -> User:
    """Check what the entry shows of the event or product; returns the user as believed afterwards."""
    parsed = context.parsed
    assert parsed.counter is not None
    key = parsed.cells()[0]
    cell = user.cell(key)
    op = counter_op(context, parsed)
    kind = "EVENT" if parsed.section == "events" else "PURCHASE"
    context.covered |= {"TS-OK-FORM", "TS-OK-COUNT-FORM", "TS-OK-TIME-FORM", "TS-OK-SHOWS", f"TS-OK-ONLY-{kind}S"}
    context.covered.add("TS-EVENT-NAME" if kind == "EVENT" else "TS-PURCHASE-PRODUCT")
    unknown = pending.given_up(cell, counters.UNKNOWN_STATE, context.exchange.received)
    element, where, found = response_body.read_counter(parsed, entry)
    context.findings += found
    if element is None:
        return user.with_cell(key, unknown)
    if kind == "PURCHASE" and not isinstance(parsed.counter.name, str):
        shown_name = element.get("product_id")
        interpretation = "string" if isinstance(shown_name, str) else "integer"
        context.hold("integer-products", frozenset([interpretation]), f"{where}/product_id")
    shown, found = response_body.read_shown(element, where)
    context.findings += found
    if shown is None or contended(context, key, cell):
        return user.with_cell(key, unknown)
    return user.with_cell(key, _check_count(context, candidate, key, cell, op, shown, element, where))


def _check_count(
    context: Context,
    candidate: Candidate,
    key: CellKey,
    cell: Cell,
    op: CounterOp,
    shown: Shown,
    element: dict[str, Any],
    where: str,
) -> Cell:
    belief = context.belief
    received = context.exchange.received
    ways = _ways(cell, op)
    if ways is None:
        return replace(cell, volatile=True)
    context.covered.update(_counter_features(context, cell, op))
    fits = [way for way in ways if counters.fits(way[0], shown, op)]
    lawful = [way for way in fits if belief.allows(way[0].requires)]
    timely = [way for way in lawful if not overdue(way[1], context.exchange.sent)]
    if lawful and not timely:
        text = f"the count of {key[1]!r} lacks what /users/track accepted long ago"
        context.findings.append(Finding("TS-TRACK-APPLIED", text, f"{where}/count", NOTHING, shown.count))
    if lawful:
        lawful = timely or lawful
        context.belief = belief.narrow([outcome.requires for outcome, _ in lawful])
        states = _distinct_counters(State(counters.learned(outcome, shown), pending) for outcome, pending in lawful)
        return Cell(states, received, before=known_value(cell))
    after = pending.given_up(cell, counters.adopted(shown), received)
    if fits:
        ambiguity, interpretation = fits[0][0].requires[0]
        context.findings.append(changed(ambiguity, belief.ambiguities[ambiguity], [interpretation], f"{where}/count"))
        return after
    open_ways = [way for way in ways if belief.allows(way[0].requires)] or ways
    context.findings += _wrong_counter(context, candidate, key, cell, op, shown, element, where, open_ways)
    return after


Way = tuple[counters.CounterOutcome, tuple[Any, ...]]  # an outcome, and what is pending beside it


def _ways(cell: Cell, op: CounterOp) -> list[Way] | None:
    """All that the write may have led to; None where nobody can follow what is pending."""
    reached = pending.reach(cell.states, _apply)
    if reached is None:
        return None
    # What comes after the write comes to the same as before it: sums, earliest and latest know no order.
    return [(outcome, state.pending) for state in reached for outcome in counters.outcomes(state.value, op)]


def _apply(pending: CounterOp, value: Counter) -> list[Counter]:
    return [outcome.after for outcome in counters.outcomes(value, pending)]


def _distinct_counters(states: Iterable[State]) -> tuple[State, ...]:
    return pending.at_most(tuple(dict.fromkeys(states)), counters.UNKNOWN_STATE)


def _counter_features(context: Context, cell: Cell, op: CounterOp) -> Iterable[str]:
    counter = context.parsed.counter
    assert counter is not None
    kind = "EVENT" if counter.section == "events" else "PURCHASE"
    known = all(state.value.count is not None for state in cell.states)
    if known:
        yield f"TS-{kind}-COUNT"
        if any(state.value.count for state in cell.states):
            yield from (f"TS-{kind}-FIRST", f"TS-{kind}-LAST", "TS-STATE-VISIBLE", "TS-STATE-KEYS-APART")
            yield "TS-STATE-USERS-APART"
        else:
            yield from ("TS-USER-SPELLING", "TS-STATE-KEYS-APART")
    if cell.refused:
        yield "TS-STATE-REFUSED"
    if any(state.pending for state in cell.states):
        yield "TS-TRACK-APPLIED"
    if counter.instant is None:
        return
    if op.when[0] != op.when[1]:
        yield f"TS-{kind}-FUTURE"
    elif counter.shifted and kind == "EVENT":
        yield "TS-EVENT-OFFSET"
    elif not counter.zoned and kind == "EVENT":
        yield "TS-EVENT-NO-ZONE"


def _wrong_counter(
    context: Context,
    candidate: Candidate,
    key: CellKey,
    cell: Cell,
    op: CounterOp,
    shown: Shown,
    element: dict[str, Any],
    where: str,
    ways: list[tuple[counters.CounterOutcome, tuple[Any, ...]]],
) -> list[Finding]:
    """Say which of count, first and last no lawful outcome explains, and which promise that breaks."""
    counter = context.parsed.counter
    assert counter is not None
    kind = "EVENT" if counter.section == "events" else "PURCHASE"
    findings = []
    outcomes = [outcome for outcome, _ in ways]
    if not any(counters.count_fits(outcome, shown, op) for outcome in outcomes):
        expected = sorted({outcome.after.count for outcome in outcomes if outcome.after.count is not None})
        clause, text = _wrong_count(context, candidate, key, cell, shown, expected, kind)
        wanted: Any = expected[0] if len(expected) == 1 else expected or NOTHING
        findings.append(Finding(clause, text, f"{where}/count", wanted, shown.count))
    time_clause = ""
    if op.when[0] != op.when[1]:
        time_clause = f"TS-{kind}-FUTURE"
    elif counter.shifted and kind == "EVENT":
        time_clause = "TS-EVENT-OFFSET"
    elif not counter.zoned and kind == "EVENT":
        time_clause = "TS-EVENT-NO-ZONE"
    for name, fitting in (("first", counters.first_fits), ("last", counters.last_fits)):
        if any(fitting(outcome, shown, op) for outcome in outcomes):
            continue
        bounds = [getattr(outcome.after, name) for outcome in outcomes]
        own = any(bound is None or bound == op.when for bound in bounds)
        clause = time_clause if time_clause and own else f"TS-{kind}-{name.upper()}"
        text = f"{name} is not the {'earliest' if name == 'first' else 'latest'} time of {counter.name!r}"
        expected_time = next((_time_text(bound) for bound in bounds if bound is not None), NOTHING)
        findings.append(Finding(clause, text, f"{where}/{name}", expected_time, element.get(name)))
    if not findings:
        text = f"count, first and last of {counter.name!r} do not fit together"
        findings.append(Finding(f"TS-{kind}-COUNT", text, where, NOTHING, element))
    return findings


def _time_text(bound: tuple[int, int]) -> str:
    early, pending = ("" if one in counters.EVER else write_time(one, "utc-millis") for one in bound)
    return early if early == pending else f"{early} … {pending}".strip()


def _wrong_count(
    context: Context, candidate: Candidate, key: CellKey, cell: Cell, shown: Shown, expected: list[int], kind: str
) -> tuple[str, str]:
    name = key[1]
    if expected:
        surplus = shown.count - expected[-1]
        refused = sum(max(amount or 0 for amount, _ in one.amounts) for one in cell.refused)
        if 0 < surplus <= refused:
            return "TS-STATE-REFUSED", f"the count of {name!r} includes requests that were refused"
        before = cell.before
        if isinstance(before, Counter) and before.count is not None:
            last_step = (_count_of(cell) or before.count) - before.count
            if last_step and shown.count == expected[-1] - last_step and shown.count != _count_of(cell):
                return "TS-STATE-VISIBLE", f"the count of {name!r} lacks a request that was completed"
        if surplus > 0:
            writer = context.belief.writers.get(key)
            if writer is not None and writer != candidate.uid:
                return "TS-STATE-USERS-APART", f"the count of {name!r} grew by another user's"
            others = any(other != key for other in candidate.user.cells)
            if candidate.user.exists and others and not _count_of(cell):
                return "TS-STATE-KEYS-APART", f"the count of {name!r} grew by another's of the same user"
    return f"TS-{kind}-COUNT", f"the count of {name!r} is not what the completed requests make it"


def _count_of(cell: Cell) -> int | None:
    value = known_value(cell)
    return value.count if isinstance(value, Counter) else None
