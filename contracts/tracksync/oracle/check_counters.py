"""Step four for events and purchases: do the count, the first and the last that are shown fit a lawful outcome?"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable
from functools import cache
from typing import Any, Final

from msgspec import Struct
from msgspec.structs import replace

from tracksync.model.finding import NOTHING, Finding
from tracksync.oracle import counters, pending, response_body
from tracksync.oracle.belief import ANY_COUNTER, Cell, Counter, State, User
from tracksync.oracle.context import Context, changed, counter_op
from tracksync.oracle.counters import CounterOp, CounterOutcome, ShownCounter
from tracksync.oracle.identifiers import CellKey
from tracksync.oracle.late_writes import applied_late
from tracksync.oracle.request_object import CounterWrite
from tracksync.oracle.spelling import mixed_up
from tracksync.oracle.users import Candidate
from tracksync.values.times import Interval, write_time

_KINDS: Final = {"events": "EVENT", "purchases": "PURCHASE"}  # as the names of clauses have them
_FORM: Final = frozenset({"TS-OK-FORM", "TS-OK-COUNT-FORM", "TS-OK-TIME-FORM", "TS-OK-SHOWS"})
LISTED: Final = {
    "events": _FORM | {"TS-OK-ONLY-EVENTS", "TS-EVENT-NAME"},
    "purchases": _FORM | {"TS-OK-ONLY-PURCHASES", "TS-PURCHASE-PRODUCT"},
}
_TIMES: Final = (("first", "earliest", counters.first_fits), ("last", "latest", counters.last_fits))


class CounterCase(Struct, frozen=True, gc=False):
    """One event or product that is checked.

    `write`: as the request states it; `op`: as it reaches the store. `cell`: what was believed before.
    `element`: what the response lists, at the JSON Pointer `where`; `shown`: the same, read.
    """

    key: CellKey
    write: CounterWrite
    op: CounterOp
    cell: Cell
    element: dict[str, Any]
    where: str
    shown: ShownCounter

    @property
    def kind(self) -> str:
        """EVENT or PURCHASE."""
        return _KINDS[self.write.section]

    @property
    def time_clause(self) -> str | None:
        """The clause on times of this form, where there is one beside those on first and last."""
        return clause_of_time(self.write, self.op)


def clause_of_time(write: CounterWrite, op: CounterOp) -> str | None:
    """The clause on times of the form that `write` has, where there is one beside those on first and last."""
    if write.instant is None:
        return None
    if op.when.earliest != op.when.latest:
        return f"TS-{_KINDS[write.section]}-FUTURE"
    if write.section == "purchases":
        return None
    if write.shifted:
        return "TS-EVENT-OFFSET"
    return None if write.zoned else "TS-EVENT-NO-ZONE"


class CounterFit(Struct, frozen=True, gc=False):
    """One outcome of the write, and the writes that may still reach the cell beside it."""

    outcome: CounterOutcome
    pending: tuple[Any, ...] = ()


def check_counter(context: Context, candidate: Candidate, user: User, entry: dict[str, Any]) -> User:
    """Check what the response's entry shows of the event or product that the request wrote.

    Findings go to `context`. Returns the user as believed afterwards.
    """
    parsed = context.parsed
    write = parsed.counter
    assert write is not None
    key = parsed.cells()[0]
    cell = user.cell(key)
    kind = _KINDS[write.section]
    context.covered |= LISTED[write.section]
    element, where, findings = response_body.read_counter(parsed, entry)
    context.findings += findings
    if element is None:
        return _unknown(context, user, key, cell)
    if kind == "PURCHASE" and not isinstance(write.name, str):
        answer = "string" if isinstance(element.get("product_id"), str) else "integer"
        context.hold("integer-products", frozenset([answer]), f"{where}/product_id")
    shown, findings = response_body.read_shown(element, where)
    context.findings += findings
    if shown is None or context.overlaps(key, cell):
        return _unknown(context, user, key, cell)
    case = CounterCase(key, write, counter_op(context), cell, element, where, shown)
    return user.with_cells({key: _check_count(context, candidate, case)})


def _unknown(context: Context, user: User, key: CellKey, cell: Cell) -> User:
    return user.with_cells({key: pending.given_up(cell, ANY_COUNTER, context.exchange.received)})


def _check_count(context: Context, candidate: Candidate, case: CounterCase) -> Cell:
    """Check count, first and last. Returns the cell as believed afterwards."""
    belief, cell = context.belief, case.cell
    outcomes = _outcomes(cell, case.op, applied_late(belief))
    if outcomes is None:
        return replace(cell, volatile=True)
    context.covered |= covered_by_counter(
        case.write.section,
        case.time_clause,
        known=all(state.value.count is not None for state in cell.states),
        counted=any(state.value.count for state in cell.states),
        refused=bool(cell.refused),
        pending=any(state.pending for state in cell.states),
    )
    fits = [one for one in outcomes if counters.fits(one.outcome, case.shown, case.op)]
    lawful = [one for one in fits if belief.allows(one.outcome.requires)]
    if lawful:
        return _adopt(context, case, lawful)
    if fits:
        ambiguity, answer = fits[0].outcome.requires[0]
        where = f"{case.where}/count"
        context.findings.append(changed(ambiguity, belief.ambiguities[ambiguity], [answer], where))
    else:
        possible = [one.outcome for one in outcomes if belief.allows(one.outcome.requires)]
        wrong = _wrong_counter(context, candidate, case, possible or [one.outcome for one in outcomes])
        context.findings += wrong if not pending.is_queued(cell) else map(_of_track, wrong)
    return pending.given_up(cell, counters.adopted(case.shown), context.exchange.received)


def _outcomes(cell: Cell, op: CounterOp, apply: pending.Apply) -> list[CounterFit] | None:
    """Every lawful outcome of `op`; None where too many writes are pending to follow them."""
    states = cell.states
    if len(states) == 1 and not states[0].pending:  # the usual case, at less cost
        return [CounterFit(outcome) for outcome in counters.outcomes(states[0].value, op)]
    reached = pending.reach(states, apply)
    if reached is None:
        return None
    # Pending writes that take effect after this one lead to the same: sums, earliest and latest know no order.
    return [CounterFit(outcome, state.pending) for state in reached for outcome in counters.outcomes(state.value, op)]


@cache
def covered_by_counter(
    section: str, time_clause: str | None, *, known: bool, counted: bool, refused: bool = False, pending: bool = False
) -> frozenset[str]:
    """The clauses that what is shown of an event or product bears on.

    `time_clause`: of `clause_of_time`. `known`: how often there was one before; `counted`: there was one. `refused`,
    `pending`: there are such writes to the cell.
    """
    kind, covered = _KINDS[section], set()
    if known:
        covered |= {f"TS-{kind}-COUNT", "TS-STATE-KEYS-APART"}
        if counted:
            covered |= {f"TS-{kind}-FIRST", f"TS-{kind}-LAST", "TS-STATE-VISIBLE", "TS-STATE-USERS-APART"}
        else:
            covered.add("TS-USER-SPELLING")
    if refused:
        covered.add("TS-STATE-REFUSED")
    if pending:
        covered.add("TS-TRACK-APPLIED")
    if time_clause is not None:
        covered.add(time_clause)
    return frozenset(covered)


def _adopt(context: Context, case: CounterCase, lawful: list[CounterFit]) -> Cell:
    """The cell after a response that fits, and in `context` what it shows of interpretations and of queued writes."""
    first = lawful[0].outcome
    if len(lawful) == 1 and not (lawful[0].pending or first.requires):  # the usual case, at less cost
        return Cell(
            (State(counters.learned(first, case.shown)),), context.exchange.received, before=_count_of(case.cell.known)
        )
    timely = [fit for fit in lawful if not pending.overdue(fit.pending, context.exchange.sent, context.belief.moved)]
    if not timely:
        text = f"the count of {case.key[1]!r} lacks what /users/track accepted long ago"
        finding = Finding("TS-TRACK-APPLIED", text, f"{case.where}/count", NOTHING, case.shown.count)
        context.findings.append(finding)
    remaining = timely or lawful
    context.belief = context.belief.narrow([fit.outcome.requires for fit in remaining])
    states = _distinct(State(counters.learned(fit.outcome, case.shown), fit.pending) for fit in remaining)
    return Cell(states, context.exchange.received, before=_count_of(case.cell.known))


def _distinct(states: Iterable[State]) -> tuple[State, ...]:
    return pending.at_most(tuple(dict.fromkeys(states)), ANY_COUNTER)


def _wrong_counter(
    context: Context, candidate: Candidate, case: CounterCase, outcomes: list[CounterOutcome]
) -> list[Finding]:
    """Name which of count, first and last fits none of `outcomes`, and the clause that each breaks."""
    findings = []
    if not any(counters.count_fits(outcome, case.shown, case.op) for outcome in outcomes):
        wrong = _wrong_count(context, candidate, case, outcomes)
        findings.append(wrong)
        if wrong.clause == "TS-STATE-KEYS-APART":
            findings += mixed_up(case.key, candidate.user.cells, case.where)
    for name, meaning, fits in _TIMES:
        if not any(fits(outcome, case.shown, case.op) for outcome in outcomes):
            findings.append(_wrong_time(case, name, meaning, [getattr(outcome.after, name) for outcome in outcomes]))
    if not findings:
        text = f"count, first and last of {case.write.name!r} do not fit together"
        findings.append(Finding(f"TS-{case.kind}-COUNT", text, case.where, NOTHING, case.element))
    return findings


def _wrong_count(context: Context, candidate: Candidate, case: CounterCase, outcomes: list[CounterOutcome]) -> Finding:
    expected = sorted({outcome.after.count for outcome in outcomes if outcome.after.count is not None})
    clause, what = _clause_of_count(context, candidate, case, expected)
    wanted: Any = expected[0] if len(expected) == 1 else expected or NOTHING
    text = f"the count of {case.key[1]!r} {what}"
    return Finding(clause, text, f"{case.where}/count", wanted, case.shown.count)


def _clause_of_count(context: Context, candidate: Candidate, case: CounterCase, expected: list[int]) -> tuple[str, str]:
    """The clause that a wrong count breaks, and what is wrong in words. `expected`: the lawful counts, in order."""
    usual = f"TS-{case.kind}-COUNT", "is not what the completed requests make it"
    if not expected:
        return usual
    cell, count = case.cell, case.shown.count
    surplus = count - expected[-1]
    if 0 < surplus <= sum(max(one.added or 0 for one in refused.amounts) for refused in cell.refused):
        return "TS-STATE-REFUSED", "includes requests that were refused"
    known, before = _count_of(cell.known), cell.before
    if before is not None:
        last_amount = (known or before) - before
        if last_amount and count == expected[-1] - last_amount and count != known:
            return "TS-STATE-VISIBLE", "lacks a request that was completed"
    if surplus > 0:
        writer = context.belief.writers.get(case.key)
        if writer is not None and writer[0] != candidate.uid:
            return "TS-STATE-USERS-APART", "includes another user's"
        if candidate.user.exists and not known and any(other != case.key for other in candidate.user.cells):
            return "TS-STATE-KEYS-APART", "includes another one's of the same user"
    return usual


def _of_track(finding: Finding) -> Finding:
    """The finding about a cell that /users/track had yet to write."""
    text = f"{finding.message}; /users/track was to write it too"
    return dataclasses.replace(finding, clause="TS-TRACK-APPLIED", message=text)


def _count_of(value: Any) -> int | None:
    return value.count if isinstance(value, Counter) else None


def _wrong_time(case: CounterCase, name: str, meaning: str, bounds: list[Interval | None]) -> Finding:
    """The finding about `name`, first or last. `bounds`: between which instants the outcomes have it."""
    own = any(bound is None or bound == case.op.when for bound in bounds)  # it is this request's time
    clause = case.time_clause if case.time_clause and own else f"TS-{case.kind}-{name.upper()}"
    text = f"{name} is not the {meaning} time of {case.write.name!r}"
    expected = next((_time_text(bound) for bound in bounds if bound is not None), NOTHING)
    return Finding(clause, text, f"{case.where}/{name}", expected, case.element.get(name))


def _time_text(interval: Interval) -> str:
    early, late = (
        "" if one in (counters.EVER.earliest, counters.EVER.latest) else write_time(one, "utc-millis")
        for one in (interval.earliest, interval.latest)
    )
    return early if early == late else f"{early} … {late}".strip()
