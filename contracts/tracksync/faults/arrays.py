"""Faults of array attributes: order, unique values, edits, the workspace's limit."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from tracksync.faults.registry import fault, faults, overriding, row
from tracksync.mock.call import UNCHANGED, Refused, WriteTask
from tracksync.mock.core import Core
from tracksync.values.numbers import canonical, same

Array = list[Any]


def _text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)


def _has(values: list[Any], wanted: Any) -> bool:
    return any(same(value, wanted) for value in values)


@faults("TS-ARRAY-SET")(
    row("array-sorted", "Arrays are sorted.", taken=lambda right: sorted(right, key=_text)),
    row("array-joined", "An array becomes one text with commas.", taken=lambda right: ",".join(map(_text, right))),
)
def _taken(taken: Callable[[Array], Any]) -> type[Core]:
    """Stores something else than the array that results."""

    class Taken(Core):
        def take_array(self, task: WriteTask, name: str, current: Any, value: Array) -> Any:
            right = super().take_array(task, name, current, value)
            return taken(right) if isinstance(right, list) else right

    return Taken


# Stores as if another array had been sent.
overriding("take_array", "TS-ARRAY-SET", module=__name__)(
    row("array-reversed", "Arrays are reversed.", given=lambda value: {"value": value[::-1]}),
    row(
        "array-first-only",
        "Only the first element of an array is stored.",
        "TS-ARRAY-SET",
        "TS-ARRAY-KEPT",
        given=lambda value: {"value": value[:1]},
    ),
    row(
        "array-without-its-last",
        "The last element of a longer array is lost.",
        "TS-ARRAY-SET",
        "TS-ARRAY-KEPT",
        given=lambda value: {"value": value[:-1] if len(value) > 2 else value},
    ),
    row(
        "array-of-texts",
        "Elements of arrays become texts.",
        given=lambda value: {"value": [_text(element) for element in value]},
    ),
    row(
        "array-appended",
        "Setting an array appends to the stored one.",
        given=lambda current, value: {"value": (current if isinstance(current, list) else []) + value},
    ),
    row(
        "array-empty-strings-dropped",
        "Empty strings in arrays are dropped.",
        "TS-ARRAY-KEPT",
        "TS-ARRAY-SET",
        given=lambda value: {"value": [element for element in value if element != ""]},
    ),
    row(
        "array-of-one-unwrapped",
        "An array of one becomes its element.",
        result=lambda right: right[0] if isinstance(right, list) and len(right) == 1 else right,
    ),
    row(
        "empty-array-ignored",
        "An empty array changes nothing.",
        "TS-ARRAY-SET",
        "TS-OK-SHOWS",
        when=lambda value: not value,
        result=lambda: UNCHANGED,
    ),
)


# Edits another array, or with other values, than the request says.
overriding("edited", "TS-ARRAY-ADD", module=__name__)(
    row("add-replaces", "add replaces the array.", given=lambda current, add: {"current": [] if add else current}),
    row("add-first-value-only", "Only the first of several added values is added.", given=lambda add: {"add": add[:1]}),
    row("add-in-reverse", "Several added values arrive in the opposite order.", given=lambda add: {"add": add[::-1]}),
    row(
        "add-drops-the-oldest",
        "add drops the oldest value of an array that is within its limit.",
        given=lambda current, add: {"current": current[1:] if add and len(current) > 2 else current},
    ),
    row(
        "add-only-to-short-arrays",
        "add adds no new value to an array of ten or more.",
        when=lambda current: len(current) >= 10,
        given=lambda current, add: {"add": [value for value in add if _has(current, value)]},
    ),
    row(
        "present-value-stays",
        "Adding a value that is present leaves it where it is.",
        "TS-ARRAY-ADD-PRESENT",
        given=lambda current, add: {"add": [value for value in add if not _has(current, value)]},
    ),
    row(
        "remove-clears",
        "Removing one value clears the array.",
        "TS-ARRAY-REMOVE",
        when=lambda current, remove: any(_has(current, value) for value in remove),
        given=lambda: {"current": []},
    ),
    row(
        "remove-first-value-only",
        "Only the first of several removed values is removed.",
        "TS-ARRAY-REMOVE",
        given=lambda remove: {"remove": remove[:1]},
    ),
    row("remove-ignored", "remove changes nothing.", "TS-ARRAY-REMOVE", given=lambda: {"remove": []}),
    row(
        "remove-takes-the-last",
        "remove takes away the last value in place of the named one.",
        "TS-ARRAY-REMOVE",
        given=lambda current, remove: {
            "current": current[: len(current) - sum(_has(remove, value) for value in current)],
            "remove": [],
        },
    ),
    row(
        "remove-ignores-case",
        "remove takes values in any case.",
        "TS-ARRAY-REMOVE",
        given=lambda current, remove: {
            "current": [
                value for value in current if _text(value).lower() not in {_text(value).lower() for value in remove}
            ],
            "remove": [],
        },
    ),
    row(
        "edit-adds-only",
        "An update that adds and removes only adds.",
        "TS-ARRAY-ADD-REMOVE",
        given=lambda add, remove: {"remove": [] if add else remove},
    ),
    row(
        "add-at-the-front",
        "add puts new values at the front.",
        result=lambda right, current: (
            [value for value in right if not _has(current, value)] + [value for value in right if _has(current, value)]
        ),
    ),
    row(
        "remove-missing-refused",
        "Removing a value that is not there is refused with 400.",
        "TS-ARRAY-REMOVE",
        "TS-OK-STATUS",
        when=lambda current, remove: not all(_has(current, value) for value in remove),
        refusal=lambda: Refused(400, message="A value to remove is not in the array"),
    ),
    row(
        "edit-both-refused",
        "An update that adds and removes is refused with 400.",
        "TS-ARRAY-ADD-REMOVE",
        "TS-OK-STATUS",
        when=lambda add, remove: add and remove,
        refusal=lambda: Refused(400, message="Either 'add' or 'remove' is allowed"),
    ),
)


# --- unique values --------------------------------------------------------------------------------------------
@fault("repeats-all-dropped", "Of repeated values none stays.", "TS-ARRAY-UNIQUE")
class _RepeatsAllDropped(Core):
    def unique(self, values: list[Any]) -> list[Any]:
        keys = [canonical(value) for value in values]
        return [value for value, key in zip(values, keys, strict=True) if keys.count(key) == 1]


overriding("unique", "TS-ARRAY-KEPT", "TS-ARRAY-SET", "TS-ARRAY-UNIQUE", module=__name__)(
    row(
        "unique-across-types",
        "Values that look alike as text count as repeated.",
        result=lambda right: list({_text(value): value for value in right}.values()),
    ),
    row(
        "unique-across-case",
        "Values that differ only in case count as repeated.",
        result=lambda right: list({_text(value).lower(): value for value in right}.values()),
    ),
)


@fault(
    "added-repeats-kept",
    "Adding a value that is present puts it there twice.",
    "TS-ARRAY-UNIQUE",
    "TS-ARRAY-ADD-PRESENT",
)
class _AddedRepeatsKept(Core):
    def edited(self, current: list[Any], add: list[Any], remove: list[Any]) -> list[Any]:
        return super().edited(current, [], remove) + add


# --- editing --------------------------------------------------------------------------------------------------


@fault(
    "present-value-moves-to-the-front", "Adding a value that is present moves it to the front.", "TS-ARRAY-ADD-PRESENT"
)
class _PresentValueMovesToTheFront(Core):
    def edited(self, current: list[Any], add: list[Any], remove: list[Any]) -> list[Any]:
        present = [value for value in add if _has(current, value) and not _has(remove, value)]
        edited = super().edited(current, add, remove)
        return present + [value for value in edited if not _has(present, value)]


# --- the limit ------------------------------------------------------------------------------------------------
overriding("array_limit", module=__name__)(
    row(
        "array-limit-one-more",
        "An array of one more element than the limit is stored.",
        "TS-ARRAY-LIMIT",
        result=lambda right: right + 1,
    ),
    row(
        "array-limit-one-less",
        "An array of as many elements as the limit is not stored whole.",
        "TS-ARRAY-KEPT",
        beyond="the limit is a setting of the workspace; a run with --array-limit finds it",
        result=lambda right: right - 1,
    ),
)


overriding("cap", "TS-ARRAY-LIMIT", module=__name__)(
    row("array-limit-none", "Arrays of any length are stored.", result=lambda values: values),
    row(
        "array-limit-refused",
        "An array over the limit is refused with 400.",
        "TS-ARRAY-LIMIT",
        "TS-OK-STATUS",
        when=lambda server, values: len(values) > server.array_limit(),
        refusal=lambda: Refused(400, message="An array is too long"),
    ),
    row(
        "array-limit-empties",
        "An array over the limit is stored as an empty one.",
        when=lambda server, values: len(values) > server.array_limit(),
        result=lambda right: [],
    ),
)


@fault("array-limit-not-on-add", "add goes over the limit.", "TS-ARRAY-LIMIT")
class _ArrayLimitNotOnAdd(Core):
    def edit_array(self, task: WriteTask, name: str, current: Any, add: list[Any], remove: list[Any]) -> Any:
        if current is UNCHANGED or not isinstance(current, list):
            return super().edit_array(task, name, current, add, remove)
        return self.edited(current, add, remove) or self.emptied("emptied-array")


# --- values ---------------------------------------------------------------------------------------------------
@fault(
    "present-values-move-in-reverse",
    "Several values that are there already move to the end in reverse.",
    "TS-ARRAY-ADD-PRESENT",
    "TS-STATE-KEYS-APART",
)
class _PresentValuesMoveInReverse(Core):
    def edited(self, current: list[Any], add: list[Any], remove: list[Any]) -> list[Any]:
        if len(add) > 1 and all(one in current for one in add):
            add = add[::-1]
        return super().edited(current, add, remove)
