"""The attributes, events and purchases of an exported user: are they what the completed requests made of them?

Knows belief and how a value may be shown; knows nothing of which users were asked for.
"""

from __future__ import annotations

import re
from collections import Counter as Tally
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, Final

from msgspec import Struct

from tracksync.contract.bounds import bounds
from tracksync.model.finding import NOTHING, Finding
from tracksync.oracle import counters
from tracksync.oracle.belief import ABSENT, UNKNOWN, Cell, Counter, User
from tracksync.oracle.late_writes import applied_late
from tracksync.oracle.outcomes import appears
from tracksync.oracle.pending import is_overdue, pending_of, reach
from tracksync.values.numbers import is_integer
from tracksync.values.times import read_time

if TYPE_CHECKING:
    from tracksync.oracle.context import Context

PARTS: Final = {"attributes": "custom_attributes", "events": "custom_events", "purchases": "purchases"}
_PLAIN_NAME: Final = re.compile(r"[A-Za-z0-9_ -]{1,100}")


class ExportedUser(Struct, frozen=True):
    """One entry of an export, at the JSON Pointer `where`, and the user that it certainly is about, if any."""

    entry: dict[str, Any]
    where: str
    uid: int | None


class ExpectedCell(Struct, frozen=True):
    """What an export may show of one cell.

    `values`: each that it may hold. `settled`: no former one may be shown any more. `queued`: it is what
    /users/track was to make of it.
    """

    values: tuple[Any, ...]
    settled: bool
    queued: bool

    @property
    def known(self) -> bool:
        """Whether something is expected at all."""
        return bool(self.values) and not any(
            value is UNKNOWN or (isinstance(value, Counter) and value.count is None) for value in self.values
        )

    @property
    def present(self) -> bool:
        """Whether the profile certainly holds something there."""
        return self.known and not any(
            value is ABSENT or (isinstance(value, Counter) and not value.count) for value in self.values
        )


def requested_fields(context: Context) -> list[Any]:
    """What the request asks for; nothing where that is not a list."""
    fields = context.parsed.body.get("fields_to_export")
    return fields if isinstance(fields, list) else []


def check_values(context: Context, user: User, one: ExportedUser) -> Iterator[Finding]:
    """What is exported is what the responses showed, or a former value where that is not long ago."""
    fields = requested_fields(context)
    expected = {key: _expected(context, cell) for key, cell in sorted(user.cells.items())}
    expected |= dict.fromkeys(context.in_flight, ExpectedCell((), settled=False, queued=False))
    for section, part in PARTS.items():
        # Which parts an export has that names none is not documented.
        if part not in (fields or one.entry):
            continue
        if section == "purchases" and "available" not in context.belief.ambiguities["purchase-events"]:
            continue
        own = {key[1]: cell for key, cell in expected.items() if key[0] == section}
        yield from _wrong_part(context, user, one, section, own)


def _wrong_part(
    context: Context, user: User, one: ExportedUser, section: str, own: dict[str, ExpectedCell]
) -> Iterator[Finding]:
    """What is wrong with the attributes, events or purchases; `own`: those that the user is to have, by name."""
    part, shown = PARTS[section], one.entry.get(PARTS[section])
    where = f"{one.where}/{part}"
    kind: type = dict if section == "attributes" else list
    form = "an object" if kind is dict else "a list"
    well_formed = shown is None or isinstance(shown, kind)
    if not well_formed:
        yield Finding("TS-EXPORT-ANSWER", f"{part} of an exported user is not {form}", where, form, shown)
        return
    present = [name for name, cell in own.items() if cell.settled and cell.present]
    if shown is None and present and requested_fields(context):
        text = f"the exported user lacks {part}, which was asked for; it has {present[0]!r}"
        yield Finding("TS-EXPORT-ANSWER", text, where, form, NOTHING)
        return
    if section == "attributes":
        yield from _wrong_attributes(context, own, shown or {}, where)
    else:
        yield from _wrong_counters(context, own, shown or [], where)
    if own and user.fresh and not user.may_be_created:
        yield from _foreign(own, shown or (), where)


def _wrong_attributes(
    context: Context, own: dict[str, ExpectedCell], shown: Mapping[str, Any], where: str
) -> Iterator[Finding]:
    for name, cell in _known(context, own):
        value = shown.get(name, ABSENT)
        if not any(_attribute_agrees(one, value) for one in cell.values):
            yield _disagrees(f"{where}/{name}", name, cell, cell.values[0], value)


def _wrong_counters(context: Context, own: dict[str, ExpectedCell], shown: list[Any], where: str) -> Iterator[Finding]:
    names = [_name(one) for one in shown]
    for listed, times in Tally(name for name in names if name is not None).items():
        if times > 1:
            yield Finding("TS-EXPORT-AGREES", f"{listed!r} is listed {times} times", where, 1, times)
    if not all(names):
        return  # of whichever has no name another finding speaks
    for name, cell in _known(context, own):
        found: dict[str, Any] = shown[names.index(name)] if name in names else {}
        count = found.get("count", 0)
        if is_integer(count) and not any(_count_agrees(one, found, count, cell.settled) for one in cell.values):
            yield _disagrees(where, name, cell, cell.values[0].count, count)


def _known(context: Context, own: dict[str, ExpectedCell]) -> Iterator[tuple[str, ExpectedCell]]:
    """The names of whose cells something is expected; the clauses that it bears on are covered."""
    for name, cell in own.items():
        if cell.known:
            context.covered.add("TS-TRACK-APPLIED" if cell.queued else "TS-EXPORT-AGREES")
            yield name, cell


def _foreign(own: dict[str, ExpectedCell], shown: Any, where: str) -> Iterator[Finding]:
    """Names that no request wrote, on a user that was made by requests of which all are known.

    Only where every name that was written is a plain one, since others may be stored in a way of the server's own.
    """
    if not all(_PLAIN_NAME.fullmatch(name) for name in own):
        return
    names = shown if isinstance(shown, dict) else [_name(one) for one in shown]
    for name in names:
        if isinstance(name, str) and name not in own and name not in bounds().object_members["attributes"]:
            text = f"the exported user has {name!r}, which no request wrote to it"
            yield Finding("TS-EXPORT-AGREES", text, where, sorted(own), name)
            return


def _name(element: Any) -> str | None:
    name = element.get("name") if isinstance(element, dict) else None
    return str(name) if isinstance(name, str) or is_integer(name) else None


def _expected(context: Context, cell: Cell) -> ExpectedCell:
    belief, sent = context.belief, context.exchange.sent
    writes = pending_of(cell.states)
    if cell.volatile or not all(is_overdue(write, sent, belief.moved) for write in writes):
        return ExpectedCell((), settled=False, queued=False)
    lag = belief.settings.consistent_after
    settled = sent - cell.touched > lag
    values = [state.value for state in cell.states]
    if writes:
        reached = reach(cell.states, applied_late(belief))
        values = [state.value for state in reached or () if not state.pending]
    elif not settled and not isinstance(cell.states[0].value, Counter):
        # An export may lag behind, and what it showed before `before` is not kept.
        values += [cell.before if sent - cell.before_since > lag else UNKNOWN, ABSENT]
    return ExpectedCell(tuple(values), settled, bool(writes))


def _attribute_agrees(value: Any, shown: Any) -> bool:
    if value is ABSENT:
        return shown is ABSENT or shown is None
    return shown is not ABSENT and appears(value, shown)


def _count_agrees(value: Counter, found: dict[str, Any], count: int, settled: bool) -> bool:
    if value.count is None:
        return False
    if not settled:
        return bool(count <= value.count)
    return bool(count == value.count) and (not count or _times_agree(value, found))


def _times_agree(state: Counter, found: dict[str, Any]) -> bool:
    for name, interval in (("first", state.first), ("last", state.last)):
        shown = found.get(name)
        instant = read_time(shown).instant if isinstance(shown, str) else None
        if instant is not None and interval is not None and not counters.within(instant, interval):
            return False
    return True


def _disagrees(where: str, name: str, cell: ExpectedCell, expected: Any, shown: Any) -> Finding:
    who = "what /users/track accepted makes" if cell.queued else "the completed requests make"
    text = f"the exported profile has another value of {name!r} than {who} it"
    clause = "TS-TRACK-APPLIED" if cell.queued else "TS-EXPORT-AGREES"
    actual = NOTHING if shown is ABSENT else shown
    return Finding(clause, text, where, NOTHING if expected is ABSENT else expected, actual)
