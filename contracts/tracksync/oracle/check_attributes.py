"""A completed attributes object: does what the answer shows of each attribute fit a lawful outcome?"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable
from typing import Any

from msgspec.structs import replace

from tracksync.contract.bounds import bounds
from tracksync.model.finding import NOTHING, Finding
from tracksync.oracle import cells, pending, precision, response_body
from tracksync.oracle.belief import ABSENT, OMITTED, UNKNOWN, Belief, Cell, CellKey, State, User
from tracksync.oracle.cells import AttributeWrite
from tracksync.oracle.context import Context, changed, contended, known_value, operations, overdue
from tracksync.oracle.users import Candidate
from tracksync.values.arrays import unique
from tracksync.values.numbers import same


def check_attributes(context: Context, candidate: Candidate, user: User, entry: dict[str, Any]) -> User:
    """Check what the entry shows of every attribute that the request wrote; returns the user as believed afterwards."""
    parsed = context.parsed
    listed, found = response_body.check_attributes_listed(parsed, entry)
    context.findings += found
    context.covered |= {"TS-OK-ONLY-ATTRIBUTES", "TS-OK-CUSTOM-ONLY", "TS-OK-FORM"}
    applied = refused = False
    writes = operations(context)
    turned_down = any(_certainly_refused(operation) for _, operation in writes)
    response = context.exchange.response
    assert response is not None
    wide = precision.WIDE.search(response.body) is not None
    for key, operation in writes:
        cell = user.cell(key)
        if listed is None or contended(context, key, cell):
            after = pending.given_up(cell, UNKNOWN, context.exchange.received)
        else:
            shown = listed.get(key[1], OMITTED)
            known = len(context.findings)
            after = _check_attribute(context, candidate, key, cell, operation, shown)
            if wide and precision.keeps_digits(shown):
                _keeps_digits(context, key, shown)
            if turned_down and not _certainly_refused(operation) and _unmoved(cell, shown):
                context.findings[known:] = [_independent(finding) for finding in context.findings[known:]]
            over = _certainly_refused(operation)
            refused, applied = refused or over, applied or not over
        user = user.with_cell(key, after)
    if refused and applied:
        context.covered.add("TS-ATTR-INDEPENDENT")
    return user


def _keeps_digits(context: Context, key: CellKey, shown: Any) -> None:
    """An answer shows digits that no double holds."""
    if context.belief.wide_integers == "doubles":
        text = f"{key[1]!r} keeps digits beyond 2^53, which were lost before"
        where = response_body.pointer_to_attribute(key[1])
        context.findings.append(Finding("TS-ATTR-INTEGER", text, where, precision.rounded(shown), shown))
    context.belief = replace(context.belief, wide_integers="exact")


def _in_doubles(cell: Cell, write: AttributeWrite, shown: Any, limits: tuple[int, int]) -> list[Way]:
    """The outcomes that fit what is shown where the server holds its numbers as doubles."""
    ways: list[Way] = []
    for state in cell.states:
        for outcome in cells.attribute_outcomes(write, state.value, limits):
            if precision.keeps_digits(outcome.shows):
                held = cells.CellOutcome(shown, precision.rounded(outcome.shows), outcome.requires, outcome.limit)
                ways += [(fit, state.pending) for fit in cells.fitting([held], precision.rounded(shown))]
    return ways


def _certainly_refused(write: AttributeWrite) -> bool:
    return isinstance(write.value, str) and len(write.value) > bounds().text_characters


def _unmoved(cell: Cell, shown: Any) -> bool:
    """Whether the answer shows what was there before, as if nothing had been written."""
    prior = known_value(cell)
    return shown is OMITTED or (prior is not UNKNOWN and prior is not ABSENT and cells.appears(prior, shown))


def _independent(finding: Finding) -> Finding:
    if finding.clause == "TS-INTERPRETATION-KEPT":
        return finding
    return dataclasses.replace(
        finding, clause="TS-ATTR-INDEPENDENT", message=f"{finding.message}; another attribute was refused"
    )


def _check_attribute(
    context: Context, candidate: Candidate, key: CellKey, cell: Cell, write: AttributeWrite, shown: Any
) -> Cell:
    belief = context.belief
    limits = belief.array_limits
    ways = _ways(cell, write, shown, limits)
    if ways is None:
        return replace(cell, volatile=True)
    clause = _attribute_clause(write, cell)
    context.covered.update(_attribute_features(clause, write, cell))
    where = response_body.pointer_to_attribute(key[1])
    lawful = [way for way in ways if belief.allows(way[0].requires)]
    if not lawful and shown is not OMITTED and belief.wide_integers != "exact":
        lawful = [way for way in _in_doubles(cell, write, shown, limits) if belief.allows(way[0].requires)]
        if lawful:
            belief = replace(belief, wide_integers="doubles")
    timely = [way for way in lawful if not overdue(way[1], context.exchange.sent)]
    if lawful and not timely:
        text = f"{key[1]!r} lacks what /users/track accepted long ago"
        context.findings.append(
            Finding("TS-TRACK-APPLIED", text, where, NOTHING, shown if shown is not OMITTED else NOTHING)
        )
    if lawful:
        lawful = timely or lawful
        context.belief = _learn(belief, [outcome for outcome, _ in lawful])
        if context.belief.ambiguities is not belief.ambiguities:
            context.covered.add("TS-INTERPRETATION-KEPT")
        if any(outcome.requires for outcome, _ in lawful):
            context.covered.add("TS-INTERPRETATION-KEPT")
        states = _distinct(State(outcome.after, pending) for outcome, pending in lawful)
        return Cell(states, context.exchange.received, before=known_value(cell))
    value = UNKNOWN if shown is OMITTED else ABSENT if shown is None else shown
    after = pending.given_up(cell, value, context.exchange.received)
    if ways:
        ambiguity, interpretation = next(one for one in ways[0][0].requires if one[1] not in belief.ambiguities[one[0]])
        context.findings.append(changed(ambiguity, belief.ambiguities[ambiguity], [interpretation], where))
        return after
    context.findings.append(_wrong_attribute(context, candidate, key, cell, write, shown, clause))
    return after


Way = tuple[cells.CellOutcome, tuple[Any, ...]]  # an outcome, and what is pending beside it


def _ways(cell: Cell, write: AttributeWrite, shown: Any, limits: tuple[int, int]) -> list[Way] | None:
    """All outcomes that what is shown may stand for; None where nobody can follow what is pending."""

    states = cell.states
    if len(states) == 1 and not states[0].pending:  # the usual case, at less cost
        known = cells.attribute_outcomes(write, states[0].value, limits)
        return [(fit, ()) for fit in cells.fitting(known, shown)]

    def apply(pending: AttributeWrite, value: Any) -> list[Any]:
        return [outcome.after for outcome in cells.attribute_outcomes(pending, value, limits)]

    reached = pending.reach(states, apply)
    if reached is None:
        return None
    ways: list[Way] = []
    afters: list[State] = []
    for state in reached:
        for outcome in cells.attribute_outcomes(write, state.value, limits):
            ways += [(fit, state.pending) for fit in cells.fitting([outcome], shown)]
            if state.pending and outcome.after is not UNKNOWN:
                afters.append(State(outcome.after, state.pending))
    further = pending.reach(afters, apply)
    if further is None:
        return None
    for state in further[len(afters) :]:
        absent = shown is OMITTED or shown is None
        if state.value is UNKNOWN:
            after = UNKNOWN if shown is OMITTED else ABSENT if shown is None else shown
            ways.append((cells.CellOutcome(after, shown), state.pending))
        elif absent if state.value is ABSENT else not absent and cells.appears(state.value, shown):
            ways.append((cells.CellOutcome(ABSENT if absent else shown, shown), state.pending))
    return ways


def _alike(one: Any, other: Any) -> bool:
    if one in (ABSENT, UNKNOWN) or other in (ABSENT, UNKNOWN):
        return one is other
    return same(one, other)


def _distinct(states: Iterable[State]) -> tuple[State, ...]:
    kept: list[State] = []
    for state in states:
        if not any(_alike(state.value, one.value) and state.pending == one.pending for one in kept):
            kept.append(state)
    if any(state.value is UNKNOWN for state in kept):
        return (State(UNKNOWN, pending.pending_of(kept)),)
    return pending.at_most(tuple(kept), UNKNOWN)


def _learn(belief: Belief, fits: list[cells.CellOutcome]) -> Belief:
    belief = belief.narrow([fit.requires for fit in fits])
    bounds = [fit.limit for fit in fits if fit.limit is not None]
    if len(bounds) == len(fits):
        low = max(belief.array_limits[0], min(low for low, _ in bounds))
        high = min(belief.array_limits[1], max(high for _, high in bounds))
        return replace(belief, array_limits=(low, high))
    return belief


def _attribute_clause(write: AttributeWrite, cell: Cell) -> str:
    """The clause of this write, seen together with what it meets."""
    clause = cells.clause_of(write)
    prior = known_value(cell)
    if clause == "TS-ARRAY-ADD" and isinstance(prior, list):
        added = write.value["add"]
        if isinstance(added, list):
            merged = [*prior, *added]
            if len(unique(merged)) > bounds().array_elements.most:
                return "TS-ARRAY-LIMIT"
            if len(unique(merged)) < len(merged):
                return "TS-ARRAY-ADD-PRESENT"
    if clause == "TS-OBJECT-SET" and isinstance(prior, dict):
        return "TS-OBJECT-REPLACE"
    return clause


def _attribute_features(clause: str, write: AttributeWrite, cell: Cell) -> Iterable[str]:
    yield clause
    yield "TS-OK-SHOWS"
    if clause == "TS-ARRAY-SET" and isinstance(write.value, list) and len(write.value) >= 20:
        yield "TS-ARRAY-KEPT"
    if clause not in ("TS-ATTR-STRING", "TS-ATTR-INTEGER") and known_value(cell) not in (UNKNOWN, ABSENT):
        yield "TS-STATE-VISIBLE"
        if isinstance(write.value, dict):
            yield "TS-STATE-KEYS-APART"
            yield "TS-STATE-USERS-APART"
    if cell.refused and isinstance(write.value, dict):
        yield "TS-STATE-REFUSED"


def _wrong_attribute(
    context: Context, candidate: Candidate, key: CellKey, cell: Cell, write: AttributeWrite, shown: Any, clause: str
) -> Finding:
    limits = context.belief.array_limits
    where = response_body.pointer_to_attribute(key[1])
    lawful = [
        outcome
        for state in cell.states
        for outcome in cells.attribute_outcomes(write, state.value, limits)
        if context.belief.allows(outcome.requires)
        and not isinstance(outcome.shows, cells.NotShown)
        and outcome.shows is not cells.ANYTHING
    ]
    expected = next((one.shows for one in lawful if one.shows is not OMITTED), NOTHING)
    if isinstance(expected, cells.AsSent):
        expected = expected.text
    name = key[1]
    if shown is OMITTED:
        text = f"the answer leaves out {name!r}, which the request wrote"
        return Finding("TS-OK-SHOWS", text, where, expected)
    prior = known_value(cell)

    def explained(value: Any) -> bool:
        return any(True for _ in cells.fitting(cells.attribute_outcomes(write, value, limits), shown))

    for refused in cell.refused:
        for outcome in cells.attribute_outcomes(refused, prior, limits):
            if outcome.after is not UNKNOWN and explained(outcome.after):
                text = f"{name!r} shows the effect of a request that was refused"
                return Finding("TS-STATE-REFUSED", text, where, expected, shown)
    if cell.before is not None and cell.before not in (UNKNOWN, ABSENT) and explained(cell.before):
        text = f"{name!r} shows what was true before a completed request"
        return Finding("TS-STATE-VISIBLE", text, where, expected, shown)
    foreign = _foreign(context, candidate, key, explained)
    if foreign is not None:
        text = f"{name!r} shows what was written elsewhere"
        return Finding(foreign, text, where, expected, shown)
    if clause == "TS-ARRAY-SET" and isinstance(shown, list) and len(shown) < len(write.value) <= limits[0]:
        text = f"{name!r} has {len(shown)} of {len(write.value)} elements, within every limit"
        return Finding("TS-ARRAY-KEPT", text, where, expected, shown)
    if clause.startswith("TS-ARRAY-") and isinstance(shown, list) and len(shown) > limits[1]:
        text = f"{name!r} has {len(shown)} elements, more than the limit of {limits[1]}"
        return Finding("TS-ARRAY-LIMIT", text, where, expected, shown)
    text = f"{name!r} is not what the request makes of it"
    return Finding(clause, text, where, expected, shown)


def _foreign(context: Context, candidate: Candidate, key: CellKey, explained: Callable[[Any], bool]) -> str | None:
    """Whether a value of another user, or of another attribute of this one, explains what is shown."""
    writer = context.belief.writers.get(key)
    if writer is not None and writer != candidate.uid:
        other = known_value(context.belief.users[writer].cell(key))
        if other is not UNKNOWN and explained(other):
            return "TS-STATE-USERS-APART"
    touched = candidate.user.cell(key).touched
    for other_key, cell in candidate.user.cells.items():
        if other_key[0] == key[0] and other_key != key:
            other = known_value(cell)
            if other is not UNKNOWN and other is not ABSENT and explained(other):
                return "TS-STATE-KEYS-APART"
    written_since = any(one.touched > touched for one in candidate.user.cells.values())
    return "TS-STATE-KEYS-APART" if written_since and explained(ABSENT) else None
