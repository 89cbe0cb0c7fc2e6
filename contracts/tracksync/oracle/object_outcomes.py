"""Every lawful outcome of setting or merging an object attribute, and of setting or editing an array of objects.

Pure rules over values. Sources: NESTED, ARROBJ.
"""

from __future__ import annotations

from itertools import permutations
from typing import Any, Final

from tracksync.contract.bounds import bounds
from tracksync.oracle.array_outcomes import emptied, without_effect
from tracksync.oracle.belief import ABSENT, ANYTHING, OMITTED, UNKNOWN
from tracksync.oracle.interpretations import (
    EMPTIED_OF_OBJECTS_IS_ABSENT,
    EMPTIED_OF_OBJECTS_IS_EMPTY,
    INVALID_OBJECT_NOT_APPLIED,
    LENGTH_IN_CODE_POINTS,
    LENGTH_IN_UTF16,
    UPDATE_MATCHES_ALL,
    UPDATE_MATCHES_FIRST,
    UPDATE_MERGES,
    UPDATE_REPLACES,
    Requires,
)
from tracksync.oracle.outcomes import (
    CellOutcome,
    WithoutFarTimes,
    has_far_time,
    open_outcomes,
    refused_outcomes,
)
from tracksync.values import arrays, objects
from tracksync.values.numbers import same

OBJECT_EDITS: Final = ("$add", "$update", "$remove")
NOT_STORED: Final = frozenset({objects.ObjectProblem.NULL, objects.ObjectProblem.BAD_TIME})
_UNITS: Final = (LENGTH_IN_CODE_POINTS, LENGTH_IN_UTF16)


def object_set(value: dict[str, Any], prior: Any, merge: bool) -> list[CellOutcome]:
    """All lawful outcomes of setting the attribute to the object `value`, or of merging it into the one that is there.

    Whether a long text is within its limit depends on the unit in which it is measured (ambiguity string-length).
    """
    if "$time" in value:
        return open_outcomes()
    if not value:
        return [CellOutcome(prior if merge and isinstance(prior, dict) else {}, ANYTHING), *open_outcomes()]
    if not objects.has_wide_characters(value):  # the usual case, at less cost
        problems = objects.problems(value, LENGTH_IN_CODE_POINTS.answer, bounds().object_limits)
        return _object_with(problems, value, prior, merge)
    by_unit = {unit: objects.problems(value, unit.answer, bounds().object_limits) for unit in _UNITS}
    if by_unit[LENGTH_IN_CODE_POINTS] == by_unit[LENGTH_IN_UTF16]:
        return _object_with(by_unit[LENGTH_IN_UTF16], value, prior, merge)
    return [
        CellOutcome(one.after, one.shows, (*one.requires, unit))
        for unit, found in by_unit.items()
        for one in _object_with(found, value, prior, merge)
    ]


def _object_with(problems: frozenset[objects.ObjectProblem], value: Any, prior: Any, merge: bool) -> list[CellOutcome]:
    if problems & NOT_STORED:
        return refused_outcomes(prior)
    if problems:
        return refused_outcomes(prior, (INVALID_OBJECT_NOT_APPLIED,))
    if has_far_time(value):
        return [CellOutcome(UNKNOWN, WithoutFarTimes(value)), CellOutcome(UNKNOWN, OMITTED)]
    if objects.doubtful(value, bounds().object_limits):
        return open_outcomes()
    if not merge or prior is ABSENT:
        return [CellOutcome(value, value)]
    if prior is UNKNOWN:
        return open_outcomes()
    if not isinstance(prior, dict):
        return [CellOutcome(value, value), *refused_outcomes(prior)]
    merged = objects.merge(prior, value)
    if objects.serialized_size(merged) > bounds().object_bytes.most:
        return refused_outcomes(prior, (INVALID_OBJECT_NOT_APPLIED,))
    return [CellOutcome(merged, merged)]


def objects_set(value: list[Any], prior: Any) -> list[CellOutcome]:
    """All lawful outcomes of setting the attribute to `value`, an array of objects only."""
    fewer = _without_repeats(value, ("first", "last"))
    if objects.serialized_size(value) > bounds().object_bytes.most:
        return [*refused_outcomes(prior, (INVALID_OBJECT_NOT_APPLIED,)), *fewer]
    if objects.doubtful(value, bounds().object_limits) or not all(_is_clear(item) for item in value):
        return open_outcomes()
    return [CellOutcome(value, value), *fewer]


def objects_edited(edit: dict[str, Any], prior: Any, merge: bool) -> list[CellOutcome]:
    """All lawful outcomes of `edit`, which has one or more of the members $add, $update and $remove, in any order."""
    current: Any = [] if prior is ABSENT else prior
    if not _is_documented_edit(edit) or not isinstance(current, list):
        return open_outcomes()
    if not all(isinstance(one, dict) for one in current):
        return open_outcomes()
    results = _results_of_edit(edit, current, merge)
    outcomes = without_effect([result for result, _ in results], prior)
    for result, requires in results:
        if not result:
            outcomes += emptied(
                prior, requires, as_empty=EMPTIED_OF_OBJECTS_IS_EMPTY, as_absent=EMPTIED_OF_OBJECTS_IS_ABSENT
            )
            continue
        if objects.serialized_size(result) > bounds().object_bytes.most:
            outcomes += refused_outcomes(prior, requires)
        else:
            outcomes.append(CellOutcome(result, result, requires))
        outcomes += _without_repeats(result, ("first",), requires)
    return outcomes


def _without_repeats(value: list[Any], keep: tuple[str, ...], requires: Requires = ()) -> list[CellOutcome]:
    """What may be stored of an array with repeats, where it fits the limit then. `keep`: which of equal elements."""
    if not arrays.has_repeats(value):
        return []
    each = [arrays.unique(value, one) for one in keep]
    most = bounds().object_bytes.most
    return [CellOutcome(fewer, fewer, requires) for fewer in each if objects.serialized_size(fewer) <= most]


def _results_of_edit(edit: dict[str, Any], current: list[Any], merge: bool) -> list[tuple[list[Any], Requires]]:
    """Every array that the steps may lead to; one without interpretations where all of these agree."""
    steps = [step for step in OBJECT_EDITS if step in edit]
    results: list[tuple[list[Any], Requires]] = []
    for requires in _update_interpretations(merge) if "$update" in steps else [()]:
        for order in permutations(steps):
            result = current
            for step in order:
                result = _edited(step, result, edit[step], requires)
            results.append((result, requires))
    one = results[0][0]
    return [(one, ())] if all(same(result, one) for result, _ in results) else results


def _update_interpretations(merge: bool) -> list[Requires]:
    """Which matching objects an update changes; and, unless the request says so, whether it merges them."""
    if merge:
        return [(UPDATE_MATCHES_ALL,), (UPDATE_MATCHES_FIRST,)]
    return [
        (matches, how)
        for matches in (UPDATE_MATCHES_ALL, UPDATE_MATCHES_FIRST)
        for how in (UPDATE_MERGES, UPDATE_REPLACES)
    ]


def _edited(step: str, current: list[Any], argument: list[Any], requires: Requires) -> list[Any]:
    if step == "$add":
        return objects.add_objects(current, argument)
    if step == "$remove":
        return objects.remove_objects(current, argument)
    matches = UPDATE_MATCHES_FIRST if UPDATE_MATCHES_FIRST in requires else UPDATE_MATCHES_ALL
    return objects.update_objects(current, argument, UPDATE_REPLACES not in requires, matches.answer)


def _is_documented_edit(edit: dict[str, Any]) -> bool:
    """Whether an edit has only documented members, and every server stores the objects in it."""
    return edit.keys() <= set(OBJECT_EDITS) and all(_is_documented_step(step, edit[step]) for step in edit)


def _is_documented_step(step: str, argument: Any) -> bool:
    if not isinstance(argument, list) or not all(isinstance(item, dict) for item in argument):
        return False
    if step == "$add":
        return all(_is_clear(item) for item in argument)
    members = {"$identifier_key", "$identifier_value"} | ({"$new_object"} if step == "$update" else set())
    if any(item.keys() != members or not isinstance(item["$identifier_key"], str) for item in argument):
        return False
    return step == "$remove" or all(
        isinstance(item["$new_object"], dict) and _is_clear(item["$new_object"]) for item in argument
    )


def _is_clear(value: dict[str, Any]) -> bool:
    """Whether every server stores this object as it is."""
    return not (
        objects.doubtful(value, bounds().object_limits)
        or any(objects.problems(value, unit.answer, bounds().object_limits) for unit in _UNITS)
    )
