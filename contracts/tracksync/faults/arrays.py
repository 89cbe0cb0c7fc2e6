"""Faults of array attributes: order, unique values, edits, the workspace's limit."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from tracksync.faults.registry import fault, faults, row
from tracksync.mock.call import UNCHANGED, Refused, WriteTask
from tracksync.mock.core import Core
from tracksync.values.numbers import canonical, same

Array = list[Any]


def _text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)


def _has(values: list[Any], wanted: Any) -> bool:
    return any(same(value, wanted) for value in values)


@faults(
    row("array-sorted", "Arrays are sorted.", "TS-ARRAY-SET", taken=lambda right: sorted(right, key=_text)),
    row(
        "array-joined",
        "An array becomes one text with commas.",
        "TS-ARRAY-SET",
        taken=lambda right: ",".join(map(_text, right)),
    ),
)
def _taken(taken: Callable[[Array], Any]) -> type[Core]:
    """Stores something else than the array that results."""

    class Taken(Core):
        def take_array(self, task: WriteTask, name: str, current: Any, value: Array) -> Any:
            right = super().take_array(task, name, current, value)
            return taken(right) if isinstance(right, list) else right

    return Taken


@faults(
    row("array-reversed", "Arrays are reversed.", "TS-ARRAY-SET", sent=lambda current, value: value[::-1]),
    row(
        "array-first-only",
        "Only the first element of an array is stored.",
        "TS-ARRAY-SET",
        "TS-ARRAY-KEPT",
        sent=lambda current, value: value[:1],
    ),
    row(
        "array-without-its-last",
        "The last element of a longer array is lost.",
        "TS-ARRAY-SET",
        "TS-ARRAY-KEPT",
        sent=lambda current, value: value[:-1] if len(value) > 2 else value,
    ),
    row(
        "array-of-texts",
        "Elements of arrays become texts.",
        "TS-ARRAY-SET",
        sent=lambda current, value: [_text(element) for element in value],
    ),
    row(
        "array-appended",
        "Setting an array appends to the stored one.",
        "TS-ARRAY-SET",
        sent=lambda current, value: (current if isinstance(current, list) else []) + value,
    ),
    row(
        "array-empty-strings-dropped",
        "Empty strings in arrays are dropped.",
        "TS-ARRAY-KEPT",
        "TS-ARRAY-SET",
        sent=lambda current, value: [element for element in value if element != ""],
    ),
)
def _sent(sent: Callable[[Any, Array], Array]) -> type[Core]:
    """Stores as if another array had been sent."""

    class Sent(Core):
        def take_array(self, task: WriteTask, name: str, current: Any, value: Array) -> Any:
            return super().take_array(task, name, current, sent(current, value))

    return Sent


@faults(
    row(
        "add-replaces",
        "add replaces the array.",
        "TS-ARRAY-ADD",
        edit=lambda current, add, remove: ([] if add else current, add, remove),
    ),
    row(
        "add-first-value-only",
        "Only the first of several added values is added.",
        "TS-ARRAY-ADD",
        edit=lambda current, add, remove: (current, add[:1], remove),
    ),
    row(
        "add-in-reverse",
        "Several added values arrive in the opposite order.",
        "TS-ARRAY-ADD",
        edit=lambda current, add, remove: (current, add[::-1], remove),
    ),
    row(
        "add-drops-the-oldest",
        "add drops the oldest value of an array that is within its limit.",
        "TS-ARRAY-ADD",
        edit=lambda current, add, remove: (current[1:] if add and len(current) > 2 else current, add, remove),
    ),
    row(
        "present-value-stays",
        "Adding a value that is present leaves it where it is.",
        "TS-ARRAY-ADD-PRESENT",
        edit=lambda current, add, remove: (current, [value for value in add if not _has(current, value)], remove),
    ),
    row(
        "remove-clears",
        "Removing one value clears the array.",
        "TS-ARRAY-REMOVE",
        edit=lambda current, add, remove: (
            [] if any(_has(current, value) for value in remove) else current,
            add,
            remove,
        ),
    ),
    row(
        "remove-first-value-only",
        "Only the first of several removed values is removed.",
        "TS-ARRAY-REMOVE",
        edit=lambda current, add, remove: (current, add, remove[:1]),
    ),
    row(
        "remove-ignored",
        "remove changes nothing.",
        "TS-ARRAY-REMOVE",
        edit=lambda current, add, remove: (current, add, []),
    ),
    row(
        "remove-takes-the-last",
        "remove takes away the last value in place of the named one.",
        "TS-ARRAY-REMOVE",
        edit=lambda current, add, remove: (
            current[: len(current) - sum(_has(remove, value) for value in current)],
            add,
            [],
        ),
    ),
    row(
        "remove-ignores-case",
        "remove takes values in any case.",
        "TS-ARRAY-REMOVE",
        edit=lambda current, add, remove: (
            [value for value in current if _text(value).lower() not in {_text(value).lower() for value in remove}],
            add,
            [],
        ),
    ),
    row(
        "edit-adds-only",
        "An update that adds and removes only adds.",
        "TS-ARRAY-ADD-REMOVE",
        edit=lambda current, add, remove: (current, add, [] if add else remove),
    ),
)
def _edited(edit: Callable[[Array, Array, Array], tuple[Array, Array, Array]]) -> type[Core]:
    """Edits another array, or with other values, than the request says."""

    class Edited(Core):
        def edited(self, current: Array, add: Array, remove: Array) -> Array:
            return super().edited(*edit(current, add, remove))

    return Edited


# --- setting --------------------------------------------------------------------------------------------------
@fault("array-of-one-unwrapped", "An array of one becomes its element.", "TS-ARRAY-SET")
class _ArrayOfOneUnwrapped(Core):
    def take_array(self, task: WriteTask, name: str, current: Any, value: list[Any]) -> Any:
        taken = super().take_array(task, name, current, value)
        return taken[0] if isinstance(taken, list) and len(taken) == 1 else taken


@fault("empty-array-ignored", "An empty array changes nothing.", "TS-ARRAY-SET", "TS-OK-SHOWS")
class _EmptyArrayIgnored(Core):
    def take_array(self, task: WriteTask, name: str, current: Any, value: list[Any]) -> Any:
        return super().take_array(task, name, current, value) if value else UNCHANGED


# --- unique values --------------------------------------------------------------------------------------------
@fault("repeats-all-dropped", "Of repeated values none stays.", "TS-ARRAY-UNIQUE")
class _RepeatsAllDropped(Core):
    def unique(self, values: list[Any]) -> list[Any]:
        keys = [canonical(value) for value in values]
        return [value for value, key in zip(values, keys, strict=True) if keys.count(key) == 1]


@fault(
    "unique-across-types",
    "Values that look alike as text count as repeated.",
    "TS-ARRAY-KEPT",
    "TS-ARRAY-SET",
    "TS-ARRAY-UNIQUE",
)
class _UniqueAcrossTypes(Core):
    def unique(self, values: list[Any]) -> list[Any]:
        return list({_text(value): value for value in super().unique(values)}.values())


@fault(
    "unique-across-case",
    "Values that differ only in case count as repeated.",
    "TS-ARRAY-KEPT",
    "TS-ARRAY-SET",
    "TS-ARRAY-UNIQUE",
)
class _UniqueAcrossCase(Core):
    def unique(self, values: list[Any]) -> list[Any]:
        return list({_text(value).lower(): value for value in super().unique(values)}.values())


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
@fault("add-at-the-front", "add puts new values at the front.", "TS-ARRAY-ADD")
class _AddAtTheFront(Core):
    def edited(self, current: list[Any], add: list[Any], remove: list[Any]) -> list[Any]:
        edited = super().edited(current, add, remove)
        new = [value for value in edited if not _has(current, value)]
        return new + [value for value in edited if _has(current, value)]


@fault(
    "present-value-moves-to-the-front", "Adding a value that is present moves it to the front.", "TS-ARRAY-ADD-PRESENT"
)
class _PresentValueMovesToTheFront(Core):
    def edited(self, current: list[Any], add: list[Any], remove: list[Any]) -> list[Any]:
        present = [value for value in add if _has(current, value) and not _has(remove, value)]
        edited = super().edited(current, add, remove)
        return present + [value for value in edited if not _has(present, value)]


@fault(
    "remove-missing-refused",
    "Removing a value that is not there is refused with 400.",
    "TS-ARRAY-REMOVE",
    "TS-OK-STATUS",
)
class _RemoveMissingRefused(Core):
    def edited(self, current: list[Any], add: list[Any], remove: list[Any]) -> list[Any]:
        if not all(_has(current, value) for value in remove):
            raise Refused(400, message="A value to remove is not in the array")
        return super().edited(current, add, remove)


@fault(
    "edit-both-refused", "An update that adds and removes is refused with 400.", "TS-ARRAY-ADD-REMOVE", "TS-OK-STATUS"
)
class _EditBothRefused(Core):
    def edited(self, current: list[Any], add: list[Any], remove: list[Any]) -> list[Any]:
        if add and remove:
            raise Refused(400, message="Either 'add' or 'remove' is allowed")
        return super().edited(current, add, remove)


# --- the limit ------------------------------------------------------------------------------------------------
@fault("array-limit-one-more", "An array of one more element than the limit is stored.", "TS-ARRAY-LIMIT")
class _ArrayLimitOneMore(Core):
    def array_limit(self) -> int:
        return super().array_limit() + 1


@fault(
    "array-limit-one-less",
    "An array of as many elements as the limit is not stored whole.",
    "TS-ARRAY-KEPT",
    beyond="the limit is a setting of the workspace; a run with --array-limit finds it",
)
class _ArrayLimitOneLess(Core):
    def array_limit(self) -> int:
        return super().array_limit() - 1


@fault("array-limit-none", "Arrays of any length are stored.", "TS-ARRAY-LIMIT")
class _ArrayLimitNone(Core):
    def cap(self, current: Any, values: list[Any]) -> Any:
        return values


@fault("array-limit-not-on-add", "add goes over the limit.", "TS-ARRAY-LIMIT")
class _ArrayLimitNotOnAdd(Core):
    def edit_array(self, task: WriteTask, name: str, current: Any, add: list[Any], remove: list[Any]) -> Any:
        if current is UNCHANGED or not isinstance(current, list):
            return super().edit_array(task, name, current, add, remove)
        return self.edited(current, add, remove) or self.emptied("emptied-array")


@fault("array-limit-refused", "An array over the limit is refused with 400.", "TS-ARRAY-LIMIT", "TS-OK-STATUS")
class _ArrayLimitRefused(Core):
    def cap(self, current: Any, values: list[Any]) -> Any:
        if len(values) > self.array_limit():
            raise Refused(400, message="An array is too long")
        return super().cap(current, values)


@fault("array-limit-empties", "An array over the limit is stored as an empty one.", "TS-ARRAY-LIMIT")
class _ArrayLimitEmpties(Core):
    def cap(self, current: Any, values: list[Any]) -> Any:
        return [] if len(values) > self.array_limit() else super().cap(current, values)


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
