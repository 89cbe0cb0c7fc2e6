"""Step four for attributes: does what the response shows of each attribute fit a lawful outcome?"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Iterator
from typing import Any, Final

from msgspec import Struct
from msgspec.structs import replace

from tracksync.contract.bounds import bounds
from tracksync.model.finding import NOTHING, Finding
from tracksync.oracle import pending, precision, response_body
from tracksync.oracle.attribute_clauses import clause_of_write, covered_by_write
from tracksync.oracle.attribute_outcomes import AttributeWrite, attribute_outcomes
from tracksync.oracle.belief import ABSENT, OMITTED, UNKNOWN, Belief, Cell, State, User
from tracksync.oracle.context import Context, changed, writes_of
from tracksync.oracle.identifiers import CellKey
from tracksync.oracle.late_writes import applied_late
from tracksync.oracle.outcomes import CellOutcome, Limits, appears, fitting
from tracksync.oracle.users import Candidate
from tracksync.oracle.wrong_attribute import wrong_attribute
from tracksync.values.numbers import same

LISTED: Final = frozenset({"TS-OK-ONLY-ATTRIBUTES", "TS-OK-CUSTOM-ONLY", "TS-OK-FORM"})


class Fit(Struct, frozen=True, gc=False):
    """One outcome that fits what is shown, and the writes that may still reach the cell beside it."""

    outcome: CellOutcome
    pending: tuple[Any, ...] = ()


def check_attributes(context: Context, candidate: Candidate, user: User, entry: dict[str, Any]) -> User:
    """Check what the response's entry shows of every attribute that the request wrote.

    Findings go to `context`. Returns the user as believed afterwards.
    """
    listed, findings = response_body.check_attributes_listed(context.parsed, entry)
    context.findings += findings
    context.covered |= LISTED
    response = context.exchange.response
    assert response is not None
    wide = precision.WIDE.search(response.body) is not None
    writes = writes_of(context)
    refused = {key for key, write in writes if _certainly_refused(write)}
    read = set()
    cells: dict[CellKey, Cell] = {}
    for key, write in writes:
        cell = user.cell(key)
        if listed is None or context.overlaps(key, cell):
            cells[key] = pending.given_up(cell, UNKNOWN, context.exchange.received)
            continue
        read.add(key)
        shown = listed.get(key[1], OMITTED)
        before = len(context.findings)
        cells[key] = check_attribute(context, candidate, key, cell, write, shown)
        if wide and precision.keeps_digits(shown):
            _check_digits(context, key, shown)
        if refused and key not in refused and _shows_no_write(cell, shown):
            context.findings[before:] = map(_dragged_along, context.findings[before:])
    if read & refused and read - refused:
        context.covered.add("TS-ATTR-INDEPENDENT")
    return user.with_cells(cells)


def _certainly_refused(write: AttributeWrite) -> bool:
    return isinstance(write.value, str) and len(write.value) > bounds().text_characters


def _shows_no_write(cell: Cell, shown: Any) -> bool:
    """Whether the response shows what was there before, as if nothing had been written."""
    prior = cell.known
    return shown is OMITTED or (prior is not UNKNOWN and prior is not ABSENT and appears(prior, shown))


def _dragged_along(finding: Finding) -> Finding:
    """The finding about an attribute that was not applied, where another one of the request was refused."""
    if finding.clause == "TS-INTERPRETATION-KEPT":
        return finding
    return dataclasses.replace(
        finding, clause="TS-ATTR-INDEPENDENT", message=f"{finding.message}; another attribute was refused"
    )


def _check_digits(context: Context, key: CellKey, shown: Any) -> None:
    """The response shows digits that no double holds, so the server keeps them."""
    if context.belief.wide_integers == "doubles":
        text = f"{key[1]!r} keeps digits beyond 2^53, which were lost before"
        where = response_body.pointer_to_attribute(key[1])
        context.findings.append(Finding("TS-ATTR-INTEGER", text, where, precision.rounded(shown), shown))
    context.belief = replace(context.belief, wide_integers="exact")


def check_attribute(
    context: Context, candidate: Candidate, key: CellKey, cell: Cell, write: AttributeWrite, shown: Any
) -> Cell:
    """Check one attribute; `shown`: a JSON value or OMITTED. Returns the cell as believed afterwards."""
    belief = context.belief
    fits = _fits(cell, write, shown, belief)
    if fits is None:
        return replace(cell, volatile=True)
    clause = clause_of_write(write, cell)
    context.covered |= covered_by_write(clause, write, cell)
    lawful = [fit for fit in fits if belief.allows(fit.outcome.requires)]
    if not lawful and shown is not OMITTED and belief.wide_integers != "exact":
        in_doubles = _fits_in_doubles(cell, write, shown, belief.array_limits)
        lawful = [fit for fit in in_doubles if belief.allows(fit.outcome.requires)]
        if lawful:
            belief = replace(belief, wide_integers="doubles")
    if lawful:
        return _adopt(context, belief, key, cell, lawful, shown)
    if fits:
        requires = fits[0].outcome.requires
        ambiguity, answer = next(one for one in requires if one.answer not in belief.ambiguities[one.ambiguity])
        where = response_body.pointer_to_attribute(key[1])
        context.findings.append(changed(ambiguity, belief.ambiguities[ambiguity], [answer], where))
    else:
        wrong = wrong_attribute(context, candidate, key, cell, write, shown, clause)
        if pending.is_queued(cell):
            text = f"{wrong.message}; /users/track was to write it too"
            wrong = dataclasses.replace(wrong, clause="TS-TRACK-APPLIED", message=text)
        context.findings.append(wrong)
    value = UNKNOWN if shown is OMITTED else ABSENT if shown is None else shown
    return pending.given_up(cell, value, context.exchange.received)


def _adopt(context: Context, belief: Belief, key: CellKey, cell: Cell, lawful: list[Fit], shown: Any) -> Cell:
    """The cell after a response that fits, and in `context` what it shows of interpretations and of queued writes."""
    first = lawful[0].outcome
    low, high = belief.array_limits
    teaches = first.requires or (first.limits and not first.limits[0] <= low <= high <= first.limits[1])
    if len(lawful) == 1 and not (lawful[0].pending or teaches):  # the usual case, at less cost
        context.belief = belief
        return Cell((State(first.after),), context.exchange.received, before=cell.known, before_since=cell.touched)
    timely = [fit for fit in lawful if not pending.overdue(fit.pending, context.exchange.sent, belief.moved)]
    if not timely:
        text = f"{key[1]!r} lacks what /users/track accepted long ago"
        where, actual = response_body.pointer_to_attribute(key[1]), NOTHING if shown is OMITTED else shown
        context.findings.append(Finding("TS-TRACK-APPLIED", text, where, NOTHING, actual))
    remaining = timely or lawful
    context.belief = _learn(belief, [fit.outcome for fit in remaining])
    if context.belief.ambiguities is not belief.ambiguities or any(fit.outcome.requires for fit in remaining):
        context.covered.add("TS-INTERPRETATION-KEPT")
    states = _distinct(State(fit.outcome.after, fit.pending) for fit in remaining)
    return Cell(states, context.exchange.received, before=cell.known, before_since=cell.touched)


def _learn(belief: Belief, outcomes: list[CellOutcome]) -> Belief:
    """The belief less the interpretations and array limits under which none of these outcomes is lawful."""
    belief = belief.narrow([outcome.requires for outcome in outcomes])
    limits = [outcome.limits for outcome in outcomes if outcome.limits is not None]
    if len(limits) < len(outcomes):
        return belief
    low = max(belief.array_limits[0], min(low for low, _ in limits))
    high = min(belief.array_limits[1], max(high for _, high in limits))
    return replace(belief, array_limits=(low, high))


def _fits(cell: Cell, write: AttributeWrite, shown: Any, belief: Belief) -> list[Fit] | None:
    """All outcomes that fit what is shown; None where too many writes are pending to follow them."""
    states, limits = cell.states, belief.array_limits
    if len(states) == 1 and not states[0].pending:  # the usual case, at less cost
        return [Fit(fit) for fit in fitting(attribute_outcomes(write, states[0].value, limits), shown)]

    apply = applied_late(belief)
    before = pending.reach(states, apply)
    if before is None:
        return None
    outcomes = [
        (outcome, state.pending) for state in before for outcome in attribute_outcomes(write, state.value, limits)
    ]
    fits = [Fit(fit, late) for outcome, late in outcomes for fit in fitting([outcome], shown)]
    written = [State(one.after, late) for one, late in outcomes if late and one.after is not UNKNOWN]
    after = pending.reach(written, apply)
    if after is None:
        return None
    return fits + [fit for state in after[len(written) :] for fit in _fits_after(state, shown)]


def _fits_after(state: State, shown: Any) -> Iterator[Fit]:
    """The outcome in which pending writes made `state` of the cell after the request's own write, if it fits."""
    absent = shown is OMITTED or shown is None
    if state.value is UNKNOWN:
        after = UNKNOWN if shown is OMITTED else ABSENT if shown is None else shown
        yield Fit(CellOutcome(after, shown), state.pending)
    elif absent if state.value is ABSENT else not absent and appears(state.value, shown):
        yield Fit(CellOutcome(ABSENT if absent else shown, shown), state.pending)


def _fits_in_doubles(cell: Cell, write: AttributeWrite, shown: Any, limits: Limits) -> list[Fit]:
    """The outcomes that fit what is shown if the server holds its numbers as doubles."""
    fits: list[Fit] = []
    for state in cell.states:
        for outcome in attribute_outcomes(write, state.value, limits):
            if precision.keeps_digits(outcome.shows):
                held = CellOutcome(shown, precision.rounded(outcome.shows), outcome.requires, outcome.limits)
                fits += [Fit(fit, state.pending) for fit in fitting([held], precision.rounded(shown))]
    return fits


def _distinct(states: Iterable[State]) -> tuple[State, ...]:
    """The states, each once; only the unknown one if it is among them, or if there are too many."""
    found: list[State] = []
    for state in states:
        if not any(_is_same(state, one) for one in found):
            found.append(state)
    if any(state.value is UNKNOWN for state in found):
        return (State(UNKNOWN, pending.pending_of(found)),)
    return pending.at_most(tuple(found), UNKNOWN)


def _is_same(one: State, other: State) -> bool:
    if one.value in (ABSENT, UNKNOWN) or other.value in (ABSENT, UNKNOWN):
        return one.value is other.value and one.pending == other.pending
    return one.pending == other.pending and same(one.value, other.value)
