"""Step four for the usual 201 of /users/track/sync, at less cost: the one user whom the request can be about is shown,
and just the attributes, event or purchase that were due.

What is right is decided where it is for every other response. Left out is what only others need: trying several users,
following pending writes, naming a broken clause. A test compares the result with that of the other steps.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any, Final

from msgspec.structs import replace

from tracksync.contract.bounds import bounds
from tracksync.oracle import counters, precision, response_body, users
from tracksync.oracle.attribute_clauses import clause_of_value, covered_by
from tracksync.oracle.attribute_outcomes import AttributeWrite, attribute_outcomes
from tracksync.oracle.belief import ABSENT, UNKNOWN, Cell, State, User
from tracksync.oracle.check_attributes import LISTED, check_attribute
from tracksync.oracle.check_counters import LISTED as LISTED_COUNTER
from tracksync.oracle.check_counters import clause_of_time, covered_by_counter
from tracksync.oracle.check_write import OF_SUCCESS, USERS, check_path, user_clause
from tracksync.oracle.context import Context, counter_op
from tracksync.oracle.identifiers import CellKey, identifier_of
from tracksync.oracle.outcomes import CellOutcome
from tracksync.oracle.request import ParsedRequest, cell_key
from tracksync.oracle.response_body import Success
from tracksync.oracle.users import Candidate
from tracksync.values.maps import with_members
from tracksync.values.numbers import same

_COVERED: Final = OF_SUCCESS | {"TS-OK-IDENTIFIER"}


def check_usual(context: Context, body: dict[str, Any]) -> bool:
    """Check the body of a 201 if it is a usual one. Returns whether it is; `context` takes what it shows only then."""
    parsed, belief = context.parsed, context.belief
    entry = _only_entry(parsed, body)
    if entry is None or context.in_flight or response_body.check_message(body):
        return False
    candidates = users.lookup(belief, *parsed.identifiers[0])
    if len(candidates) != 1 or (belief.deleted and identifier_of(*parsed.identifiers[0]) in belief.deleted):
        return False
    candidate = candidates[0]
    attempt = Context(belief, context.exchange, parsed)
    if candidate.user.exists:
        attempt.covered.add(user_clause(parsed, candidate))
    elif candidate.user.due is not None or not check_path(attempt, candidate, Success(True, entry, [entry])):
        return False
    check_cells = _with_attributes if parsed.section == "attributes" else _with_counter
    user = check_cells(attempt, candidate, entry)
    if user is None or attempt.findings:
        return False
    context.belief = users.with_write(attempt.belief, parsed, candidate, user)
    context.covered.update(_COVERED, attempt.covered)
    if parsed.section == "purchases":
        context.hold("purchase-events", frozenset(["available"]), USERS)
    return True


def _only_entry(parsed: ParsedRequest, body: dict[str, Any]) -> dict[str, Any] | None:
    """The entry of the one user, if the request names it by external_id alone, and the entry does the same."""
    listed = body.get("users")
    if len(parsed.identifiers) != 1 or type(listed) is not list or len(listed) != 1:
        return None
    kind, value = parsed.identifiers[0]
    entry = listed[0]
    if kind != "external_id" or type(value) is not str or type(entry) is not dict:
        return None
    return entry if len(entry) == 2 and entry.get(kind) == value else None


def _with_attributes(context: Context, candidate: Candidate, entry: dict[str, Any]) -> User | None:
    """The user after a response that shows just the attributes of the request, None for another one."""
    parsed, exchange, user = context.parsed, context.exchange, candidate.user
    listed = entry.get("custom_attributes")
    if type(listed) is not dict or not listed or listed.keys() != parsed.attributes.keys() or parsed.odd_attributes:
        return None
    response = exchange.response
    assert response is not None
    if parsed.merge is None or precision.WIDE.search(response.body):
        return None
    most, cells, received = bounds().text_characters, user.cells, exchange.received
    written: dict[CellKey, Cell] = {}
    for name, value in parsed.attributes.items():
        key = cell_key("attributes", name)
        cell = cells.get(key) or user.cell(key)
        if cell.volatile or cell.touched >= exchange.sent or (type(value) is str and len(value) > most):
            return None
        shown, state = listed[name], cell.states[0]
        clause = None if value is None or isinstance(value, (list, dict)) else _clause_of_scalar(value)
        if clause is not None and len(cell.states) == 1 and not state.pending and same(value, shown):
            prior = state.value
            known = prior is not UNKNOWN and prior is not ABSENT
            context.covered |= covered_by(clause, False, False, known, bool(cell.refused))
            cell = Cell((State(value),), received, before=prior, before_since=cell.touched)
        else:
            cell = check_attribute(context, candidate, key, cell, AttributeWrite(value, parsed.merge), shown)
        written[key] = cell
    context.covered |= LISTED
    moment = context.belief.moment
    return replace(
        user,
        exists=True,
        updated=moment,
        profile_updated=moment,
        may_be_created=False,
        touched=received,
        cells=with_members(cells, written),
    )


@lru_cache(maxsize=8192, typed=True)
def _clause_of_scalar(value: str | float) -> str | None:
    """The clause on the write of this value where it is stored and shown as it is, whatever was there; else None."""
    write = AttributeWrite(value)
    plain = attribute_outcomes(write, UNKNOWN, (0, 0)) == [CellOutcome(value, value)]
    return clause_of_value(write) if plain else None


def _with_counter(context: Context, candidate: Candidate, entry: dict[str, Any]) -> User | None:
    """The user after a response that shows just the event or purchase of the request, None for another one."""
    parsed, exchange, user = context.parsed, context.exchange, candidate.user
    write = parsed.counter
    if write is None or type(write.name) is not str or len(write.amounts) != 1:
        return None
    member, name = response_body.SECTION_MEMBERS[write.section]
    listed = entry.get(member)
    if type(listed) is not list or len(listed) != 1 or type(listed[0]) is not dict or listed[0].get(name) != write.name:
        return None
    shown, _ = response_body.read_shown(listed[0], response_body.ENTRY)
    key = cell_key(write.section, write.name)
    cell = user.cell(key)
    state = cell.states[0]
    if shown is None or len(cell.states) != 1 or state.pending or context.overlaps(key, cell):
        return None
    op = counter_op(context)
    outcome = counters.outcomes(state.value, op)[0]
    if outcome.requires or not counters.fits(outcome, shown, op):
        return None
    count, time_clause = state.value.count, clause_of_time(write, op)
    context.covered |= LISTED_COUNTER[write.section]
    context.covered |= covered_by_counter(
        write.section, time_clause, known=count is not None, counted=bool(count), refused=bool(cell.refused)
    )
    after = Cell((State(counters.learned(outcome, shown)),), exchange.received, before=state.value.count)
    return replace(
        user,
        exists=True,
        updated=context.belief.moment,
        may_be_created=False,
        touched=exchange.received,
        cells=with_members(user.cells, {key: after}),
    )
