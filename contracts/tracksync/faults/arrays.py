"""Faults of array attributes: order, unique values, edits, the workspace's limit."""

from __future__ import annotations

import json
from typing import Any

from tracksync.faults.registry import fault
from tracksync.mock.call import UNCHANGED, Refused, WriteTask
from tracksync.mock.core import Core
from tracksync.values.numbers import canonical, same


def _text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)


def _has(values: list[Any], wanted: Any) -> bool:
    return any(same(value, wanted) for value in values)


# --- setting ----------------------------------------------------------------------------------------------------
@fault("array-sorted")
class _ArraySorted(Core):
    def take_array(self, task: WriteTask, name: str, current: Any, value: list[Any]) -> Any:
        taken = super().take_array(task, name, current, value)
        return sorted(taken, key=_text) if isinstance(taken, list) else taken


@fault("array-reversed")
class _ArrayReversed(Core):
    def take_array(self, task: WriteTask, name: str, current: Any, value: list[Any]) -> Any:
        return super().take_array(task, name, current, value[::-1])


@fault("array-first-only")
class _ArrayFirstOnly(Core):
    def take_array(self, task: WriteTask, name: str, current: Any, value: list[Any]) -> Any:
        return super().take_array(task, name, current, value[:1])


@fault("array-without-its-last")
class _ArrayWithoutItsLast(Core):
    def take_array(self, task: WriteTask, name: str, current: Any, value: list[Any]) -> Any:
        return super().take_array(task, name, current, value[:-1] if len(value) > 2 else value)


@fault("array-of-texts")
class _ArrayOfTexts(Core):
    def take_array(self, task: WriteTask, name: str, current: Any, value: list[Any]) -> Any:
        return super().take_array(task, name, current, [_text(element) for element in value])


@fault("array-of-one-unwrapped")
class _ArrayOfOneUnwrapped(Core):
    def take_array(self, task: WriteTask, name: str, current: Any, value: list[Any]) -> Any:
        taken = super().take_array(task, name, current, value)
        return taken[0] if isinstance(taken, list) and len(taken) == 1 else taken


@fault("array-joined")
class _ArrayJoined(Core):
    def take_array(self, task: WriteTask, name: str, current: Any, value: list[Any]) -> Any:
        taken = super().take_array(task, name, current, value)
        return ",".join(map(_text, taken)) if isinstance(taken, list) else taken


@fault("empty-array-ignored")
class _EmptyArrayIgnored(Core):
    def take_array(self, task: WriteTask, name: str, current: Any, value: list[Any]) -> Any:
        return super().take_array(task, name, current, value) if value else UNCHANGED


@fault("array-appended")
class _ArrayAppended(Core):
    def take_array(self, task: WriteTask, name: str, current: Any, value: list[Any]) -> Any:
        return super().take_array(task, name, current, (current if isinstance(current, list) else []) + value)


@fault("array-empty-strings-dropped")
class _ArrayEmptyStringsDropped(Core):
    def take_array(self, task: WriteTask, name: str, current: Any, value: list[Any]) -> Any:
        return super().take_array(task, name, current, [element for element in value if element != ""])


# --- unique values ----------------------------------------------------------------------------------------------
@fault("repeats-all-dropped")
class _RepeatsAllDropped(Core):
    def unique(self, values: list[Any]) -> list[Any]:
        keys = [canonical(value) for value in values]
        return [value for value, key in zip(values, keys, strict=True) if keys.count(key) == 1]


@fault("unique-across-types")
class _UniqueAcrossTypes(Core):
    def unique(self, values: list[Any]) -> list[Any]:
        return list({_text(value): value for value in super().unique(values)}.values())


@fault("unique-across-case")
class _UniqueAcrossCase(Core):
    def unique(self, values: list[Any]) -> list[Any]:
        return list({_text(value).lower(): value for value in super().unique(values)}.values())


@fault("added-repeats-kept")
class _AddedRepeatsKept(Core):
    def edited(self, current: list[Any], add: list[Any], remove: list[Any]) -> list[Any]:
        return super().edited(current, [], remove) + add


# --- editing ----------------------------------------------------------------------------------------------------
@fault("add-replaces")
class _AddReplaces(Core):
    def edited(self, current: list[Any], add: list[Any], remove: list[Any]) -> list[Any]:
        return super().edited([] if add else current, add, remove)


@fault("add-at-the-front")
class _AddAtTheFront(Core):
    def edited(self, current: list[Any], add: list[Any], remove: list[Any]) -> list[Any]:
        edited = super().edited(current, add, remove)
        new = [value for value in edited if not _has(current, value)]
        return new + [value for value in edited if _has(current, value)]


@fault("add-first-value-only")
class _AddFirstValueOnly(Core):
    def edited(self, current: list[Any], add: list[Any], remove: list[Any]) -> list[Any]:
        return super().edited(current, add[:1], remove)


@fault("add-in-reverse")
class _AddInReverse(Core):
    def edited(self, current: list[Any], add: list[Any], remove: list[Any]) -> list[Any]:
        return super().edited(current, add[::-1], remove)


@fault("add-drops-the-oldest")
class _AddDropsTheOldest(Core):
    def edited(self, current: list[Any], add: list[Any], remove: list[Any]) -> list[Any]:
        return super().edited(current[1:] if add and len(current) > 2 else current, add, remove)


@fault("present-value-stays")
class _PresentValueStays(Core):
    def edited(self, current: list[Any], add: list[Any], remove: list[Any]) -> list[Any]:
        return super().edited(current, [value for value in add if not _has(current, value)], remove)


@fault("present-value-moves-to-the-front")
class _PresentValueMovesToTheFront(Core):
    def edited(self, current: list[Any], add: list[Any], remove: list[Any]) -> list[Any]:
        present = [value for value in add if _has(current, value) and not _has(remove, value)]
        edited = super().edited(current, add, remove)
        return present + [value for value in edited if not _has(present, value)]


@fault("remove-clears")
class _RemoveClears(Core):
    def edited(self, current: list[Any], add: list[Any], remove: list[Any]) -> list[Any]:
        return super().edited([] if any(_has(current, value) for value in remove) else current, add, remove)


@fault("remove-first-value-only")
class _RemoveFirstValueOnly(Core):
    def edited(self, current: list[Any], add: list[Any], remove: list[Any]) -> list[Any]:
        return super().edited(current, add, remove[:1])


@fault("remove-ignored")
class _RemoveIgnored(Core):
    def edited(self, current: list[Any], add: list[Any], remove: list[Any]) -> list[Any]:
        return super().edited(current, add, [])


@fault("remove-takes-the-last")
class _RemoveTakesTheLast(Core):
    def edited(self, current: list[Any], add: list[Any], remove: list[Any]) -> list[Any]:
        hits = sum(_has(remove, value) for value in current)
        return super().edited(current[: len(current) - hits], add, [])


@fault("remove-missing-refused")
class _RemoveMissingRefused(Core):
    def edited(self, current: list[Any], add: list[Any], remove: list[Any]) -> list[Any]:
        if not all(_has(current, value) for value in remove):
            raise Refused(400, message="A value to remove is not in the array")
        return super().edited(current, add, remove)


@fault("remove-ignores-case")
class _RemoveIgnoresCase(Core):
    def edited(self, current: list[Any], add: list[Any], remove: list[Any]) -> list[Any]:
        wanted = {_text(value).lower() for value in remove}
        return super().edited([value for value in current if _text(value).lower() not in wanted], add, [])


@fault("edit-adds-only")
class _EditAddsOnly(Core):
    def edited(self, current: list[Any], add: list[Any], remove: list[Any]) -> list[Any]:
        return super().edited(current, add, [] if add else remove)


@fault("edit-both-refused")
class _EditBothRefused(Core):
    def edited(self, current: list[Any], add: list[Any], remove: list[Any]) -> list[Any]:
        if add and remove:
            raise Refused(400, message="Either 'add' or 'remove' is allowed")
        return super().edited(current, add, remove)


# --- the limit --------------------------------------------------------------------------------------------------
@fault("array-limit-one-more")
class _ArrayLimitOneMore(Core):
    def array_limit(self) -> int:
        return super().array_limit() + 1


@fault("array-limit-one-less")
class _ArrayLimitOneLess(Core):
    def array_limit(self) -> int:
        return super().array_limit() - 1


@fault("array-limit-none")
class _ArrayLimitNone(Core):
    def cap(self, current: Any, values: list[Any]) -> Any:
        return values


@fault("array-limit-not-on-add")
class _ArrayLimitNotOnAdd(Core):
    def edit_array(self, task: WriteTask, name: str, current: Any, add: list[Any], remove: list[Any]) -> Any:
        if current is UNCHANGED or not isinstance(current, list):
            return super().edit_array(task, name, current, add, remove)
        return self.edited(current, add, remove) or self.emptied()


@fault("array-limit-refused")
class _ArrayLimitRefused(Core):
    def cap(self, current: Any, values: list[Any]) -> Any:
        if len(values) > self.array_limit():
            raise Refused(400, message="An array is too long")
        return super().cap(current, values)


@fault("array-limit-empties")
class _ArrayLimitEmpties(Core):
    def cap(self, current: Any, values: list[Any]) -> Any:
        return [] if len(values) > self.array_limit() else super().cap(current, values)
