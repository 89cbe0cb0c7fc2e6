"""Every lawful outcome of setting an array attribute, or of adding to it and removing from it.

Pure rules over values; arrays of objects are in `object_outcomes`. Sources: ATTR, TYPES.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

from tracksync.contract.bounds import bounds
from tracksync.oracle.belief import ABSENT, OMITTED, UNKNOWN
from tracksync.oracle.interpretations import (
    ADD_BEFORE_REMOVE,
    EMPTIED_IS_ABSENT,
    EMPTIED_IS_EMPTY,
    OVERFLOW_KEEPS_FIRST,
    OVERFLOW_KEEPS_NEWEST,
    OVERFLOW_UNCHANGED,
    REFUSED_IS_OMITTED,
    REMOVE_BEFORE_ADD,
    REPEATS_STAY,
    REPEATS_UNIQUE,
    Interpretation,
    Requires,
)
from tracksync.oracle.outcomes import CellOutcome, Limits, open_outcomes, refused_outcomes, removed_outcomes
from tracksync.values import arrays, objects
from tracksync.values.numbers import same
from tracksync.values.text import fits

ORDERS: Final = (REMOVE_BEFORE_ADD, ADD_BEFORE_REMOVE)


def array_set(value: list[Any], prior: Any, limits: Limits) -> list[CellOutcome]:
    """All lawful outcomes of setting the attribute to the array `value`, which is not one of objects only.

    `limits`: the workspace's array limit lies within these bounds.
    """
    if not _elements_are_clear(value):
        return open_outcomes()
    if not value:
        return [CellOutcome([], []), CellOutcome(ABSENT, None), CellOutcome(ABSENT, OMITTED)]
    if not arrays.has_repeats(value):
        return _within_limit(value, prior, limits)
    outcomes = _within_limit(arrays.unique(value), prior, limits, (REPEATS_UNIQUE,))
    outcomes += _within_limit(arrays.unique(value, "first"), prior, limits, (REPEATS_UNIQUE,))
    return outcomes + _within_limit(value, prior, limits, (REPEATS_STAY,))


def array_edited(edit: dict[str, Any], prior: Any, limits: Limits) -> list[CellOutcome]:
    """All lawful outcomes of `edit`, which has only the members `add` and `remove`.

    `limits`: the workspace's array limit lies within these bounds.
    """
    add, remove = edit.get("add", []), edit.get("remove", [])
    current: Any = [] if prior is ABSENT else prior
    if not all(isinstance(one, list) and _elements_are_clear(one) for one in (add, remove, current)):
        return open_outcomes()
    if arrays.has_repeats(current):  # a server that keeps repeats may keep them through an edit
        return open_outcomes()
    orders = ORDERS if remove else ORDERS[:1]  # without anything to remove they are the same
    by_order = {order: arrays.edit(current, add, remove, order.answer) for order in orders}
    results: list[tuple[list[Any], Requires]]
    if not remove or same(by_order[REMOVE_BEFORE_ADD], by_order[ADD_BEFORE_REMOVE]):
        results = [(by_order[REMOVE_BEFORE_ADD], ())]
    else:
        results = [(result, (order,)) for order, result in by_order.items()]
    outcomes = without_effect([result for result, _ in results], prior)
    for result, requires in results:
        if result:
            outcomes += _within_limit(result, prior, limits, requires)
        else:
            outcomes += emptied(prior, requires)
    return outcomes


def without_effect(results: list[list[Any]], prior: Any) -> list[CellOutcome]:
    """The outcomes that are lawful besides, as an edit without effect may be an update that is not made.

    So it is with an edit of an attribute that does not exist (as with inc), and where one of `results` is `prior`,
    equal elements once or more than once.
    """
    if prior is ABSENT:
        return refused_outcomes(prior)
    if any(same(result, prior) or same(arrays.unique(result, "first"), prior) for result in results):
        return [CellOutcome(prior, OMITTED, (REFUSED_IS_OMITTED,))]
    return []


def emptied(
    prior: Any,
    requires: Requires = (),
    *,
    as_empty: Interpretation = EMPTIED_IS_EMPTY,
    as_absent: Interpretation = EMPTIED_IS_ABSENT,
) -> list[CellOutcome]:
    """An edit left no element: an empty array, or no attribute (ambiguities emptied-array and emptied-objects)."""
    if prior is ABSENT:
        return [
            CellOutcome(UNKNOWN, [], requires),
            CellOutcome(ABSENT, None, requires),
            CellOutcome(ABSENT, OMITTED, requires),
        ]
    empty = requires if prior == [] else (*requires, as_empty)  # one that was set empty may stay in either case
    return [CellOutcome([], [], empty), *removed_outcomes((*requires, as_absent))]


def _elements_are_clear(values: Iterable[Any]) -> bool:
    """Whether every server stores these elements, and compares them in the same way."""
    kinds: dict[Any, type] = {}
    for item in values:
        if isinstance(item, str):
            if not fits(item, "utf16", bounds().nested_characters) or "\0" in item:
                return False
        elif not isinstance(item, (bool, int, float)) or abs(item) >= 2**63:
            return False
        elif kinds.setdefault(item, type(item)) is not type(item):
            return False  # whether 1 repeats true, or 1.0, depends on the server's language
    return True


def _within_limit(values: list[Any], prior: Any, limits: Limits, requires: Requires = ()) -> list[CellOutcome]:
    """The array as it is, or cut to the workspace's limit under one of the interpretations of array-overflow."""
    low, high = limits
    size = len(values)
    outcomes = []
    if size <= high:
        outcomes.append(CellOutcome(values, values, requires, (size, high)))
    if size > low:
        for limit in range(low, min(high, size - 1) + 1):
            outcomes += _cut(values, prior, limit, requires)
        outcomes += refused_outcomes(prior, (*requires, OVERFLOW_UNCHANGED), (low, min(high, size - 1)))
    if objects.serialized_size(values) > bounds().object_bytes.most:
        outcomes += refused_outcomes(prior)
    return outcomes


def _cut(values: list[Any], prior: Any, limit: int, requires: Requires) -> list[CellOutcome]:
    """The array cut to exactly `limit` elements."""
    exact = (limit, limit)
    newest = arrays.cap(values, limit, "newest", None)
    first = arrays.cap(values, limit, "first", None)
    keeps_first = (*requires, OVERFLOW_KEEPS_FIRST)
    outcomes = [
        CellOutcome(newest, newest, (*requires, OVERFLOW_KEEPS_NEWEST), exact),
        CellOutcome(first, first, keeps_first, exact),
    ]
    if isinstance(prior, list) and len(prior) == limit and same(first, prior):
        outcomes.append(CellOutcome(prior, OMITTED, (*keeps_first, REFUSED_IS_OMITTED), exact))
    return outcomes
