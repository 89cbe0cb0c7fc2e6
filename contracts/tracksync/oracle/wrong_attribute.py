"""Name what is wrong with an attribute that fits no lawful outcome: which clause, and what was expected.

Knows the believed cells of all users, to recognise a value that belongs elsewhere. Does not change the belief.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tracksync.contract.bounds import bounds
from tracksync.model.finding import NOTHING, Finding
from tracksync.oracle import response_body
from tracksync.oracle.attribute_outcomes import AttributeWrite, attribute_outcomes
from tracksync.oracle.belief import ABSENT, ANYTHING, OMITTED, UNKNOWN, Cell
from tracksync.oracle.context import Context
from tracksync.oracle.identifiers import CellKey
from tracksync.oracle.outcomes import ExactText, Limits, WithoutFarTimes, fitting
from tracksync.oracle.users import Candidate
from tracksync.values.objects import serialized_size


def wrong_attribute(
    context: Context, candidate: Candidate, key: CellKey, cell: Cell, write: AttributeWrite, shown: Any, clause: str
) -> Finding:
    """The finding about an attribute of which the response shows `shown`, a JSON value or OMITTED.

    `cell`: what was believed of it before `write`. `clause`: the one that is broken if nothing explains the value.
    """
    where, name = response_body.pointer_to_attribute(key[1]), key[1]
    expected = _expected(context, cell, write)
    if shown is OMITTED:
        return Finding("TS-OK-SHOWS", f"the response omits {name!r}, which the request wrote", where, expected)
    limits = context.belief.array_limits

    def explains(prior: Any) -> bool:
        """Whether the write makes what is shown of an attribute that holds `prior`."""
        return any(True for _ in fitting(attribute_outcomes(write, prior, limits), shown))

    if clause.startswith("TS-OBJECT") and serialized_size(shown) > bounds().object_bytes.most:
        clause, text = "TS-OBJECT-LIMITS", "is larger than an object may be"
    elif _is_after_refused_write(cell, limits, explains):
        clause, text = "TS-STATE-REFUSED", "shows the effect of a request that was refused"
    elif cell.before is not None and cell.before not in (UNKNOWN, ABSENT) and explains(cell.before):
        clause, text = "TS-STATE-VISIBLE", "shows what was true before a completed request"
    elif _is_of_another_user(context, candidate, key, explains):
        clause, text = "TS-STATE-USERS-APART", "shows what was written to another user"
    elif _is_of_another_attribute(candidate, key, explains):
        clause, text = "TS-STATE-KEYS-APART", "shows the effect of a write to another attribute"
    elif clause == "TS-ARRAY-SET" and isinstance(shown, list) and len(shown) < len(write.value) <= limits[0]:
        clause, text = "TS-ARRAY-KEPT", f"has {len(shown)} of {len(write.value)} elements, within every limit"
    elif clause.startswith("TS-ARRAY-") and isinstance(shown, list) and len(shown) > limits[1]:
        clause, text = "TS-ARRAY-LIMIT", f"has {len(shown)} elements, more than the limit of {limits[1]}"
    else:
        text = "is not what the request makes of it"
    return Finding(clause, f"{name!r} {text}", where, expected, shown)


def _expected(context: Context, cell: Cell, write: AttributeWrite) -> Any:
    """The value of a lawful outcome, for the person who reads the finding; NOTHING where no value is certain."""
    belief = context.belief
    for state in cell.states:
        for outcome in attribute_outcomes(write, state.value, belief.array_limits):
            shows = outcome.shows
            certain = shows is not ANYTHING and shows is not OMITTED and not isinstance(shows, WithoutFarTimes)
            if certain and belief.allows(outcome.requires):
                return shows.text if isinstance(shows, ExactText) else shows
    return NOTHING


def _is_after_refused_write(cell: Cell, limits: Limits, explains: Callable[[Any], bool]) -> bool:
    return any(
        outcome.after is not UNKNOWN and explains(outcome.after)
        for refused in cell.refused
        for outcome in attribute_outcomes(refused, cell.known, limits)
    )


def _is_of_another_user(context: Context, candidate: Candidate, key: CellKey, explains: Callable[[Any], bool]) -> bool:
    """Whether the value of the user whose attribute of this name was written last explains what is shown."""
    writer = context.belief.writers.get(key)
    if writer is None or writer[0] == candidate.uid:
        return False
    value = context.belief.users[writer[0]].cell(key).known
    return value is not UNKNOWN and explains(value)


def _is_of_another_attribute(candidate: Candidate, key: CellKey, explains: Callable[[Any], bool]) -> bool:
    """Whether another attribute explains what is shown: its value was used, or a write to it removed this one."""
    for other, cell in candidate.user.cells.items():
        if other[0] == key[0] and other != key and cell.known not in (UNKNOWN, ABSENT) and explains(cell.known):
            return True
    touched = candidate.user.cell(key).touched
    return any(cell.touched > touched for cell in candidate.user.cells.values()) and explains(ABSENT)
