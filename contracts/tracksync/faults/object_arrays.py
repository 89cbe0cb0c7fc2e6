"""Faults of arrays of objects: setting, $add, $update, $remove."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from tracksync.faults.registry import fault, faults, row
from tracksync.mock.call import UNCHANGED, WriteTask
from tracksync.mock.core import Core

Array = list[Any]


def _selector(removal: Any) -> tuple[Any, Any]:
    if not isinstance(removal, dict):
        return None, None
    return removal.get("$identifier_key"), removal.get("$identifier_value")


def _items(element: Any) -> list[tuple[str, Any]]:
    return list(element.items()) if isinstance(element, dict) else []


@faults(
    row(
        "objects-first-change-only",
        "Of several changes to an array of objects the first is done.",
        "TS-OBJECTS-UPDATE",
        "TS-STATE-KEYS-APART",
        updated=lambda current, updates: (current, updates[:1]),
    )
)
def _updated(updated: Callable[[Array, Array], tuple[Array, Array]]) -> type[Core]:
    """Makes other changes than the request says."""

    class Updated(Core):
        def objects_updated(self, task: WriteTask, current: Array, updates: Array) -> Array:
            return super().objects_updated(task, *updated(current, updates))

    return Updated


@faults(
    row(
        "objects-cut-at-25",
        "Only the first 25 of an array of objects are stored.",
        "TS-OBJECTS-SET",
        value=lambda value: value[:25],
    ),
    row(
        "objects-first-only",
        "Only the first of an array of objects is stored.",
        "TS-OBJECTS-SET",
        value=lambda value: value[:1],
    ),
    row(
        "objects-sorted-by-id",
        "An array of objects is sorted.",
        "TS-OBJECTS-SET",
        value=lambda value: sorted(value, key=lambda held: json.dumps(held, sort_keys=True)),
    ),
)
def _set(value: Callable[[Array], Array]) -> type[Core]:
    """Stores other objects than were sent."""

    class Set(Core):
        def take_objects(self, task: WriteTask, name: str, current: Any, sent: Array) -> Any:
            return super().take_objects(task, name, current, value(sent))

    return Set


@faults(
    row(
        "objects-added-at-the-front",
        "$add puts objects at the front.",
        "TS-OBJECTS-ADD",
        added=lambda current, added: (added, current),
    ),
    row(
        "objects-added-replace", "$add replaces the array.", "TS-OBJECTS-ADD", added=lambda current, added: ([], added)
    ),
    row(
        "objects-added-once",
        "Only the first of several added objects is added.",
        "TS-OBJECTS-ADD",
        added=lambda current, added: (current, added[:1]),
    ),
)
def _added(added: Callable[[Array, Array], tuple[Array, Array]]) -> type[Core]:
    """Adds other objects, or elsewhere, than the request says."""

    class Added(Core):
        def objects_added(self, current: Array, new: Array) -> Array:
            return super().objects_added(*added(current, new))

    return Added


# --- values ---------------------------------------------------------------------------------------------------
@fault(
    "objects-first-removal-only",
    "Of several removals from an array of objects the first is done.",
    "TS-OBJECTS-REMOVE",
    "TS-STATE-KEYS-APART",
)
class _ObjectsFirstRemovalOnly(Core):
    def objects_removed(self, current: list[Any], removals: list[Any]) -> list[Any]:
        return super().objects_removed(current, removals[:1])


# --- arrays of objects ----------------------------------------------------------------------------------------
@fault(
    "objects-held-to-the-array-limit",
    "The limit of elements of arrays is applied to arrays of objects.",
    "TS-OBJECTS-SET",
    "TS-OK-SHOWS",
)
class _ObjectsHeldToTheArrayLimit(Core):
    def take_objects(self, task: WriteTask, name: str, current: Any, value: list[Any]) -> Any:
        if len(value) > self.array_limit():
            return UNCHANGED
        return super().take_objects(task, name, current, value)


@fault("objects-updated-all", "$update changes objects with another identifier value.", "TS-OBJECTS-UPDATE")
class _ObjectsUpdatedAll(Core):
    def objects_updated(self, task: WriteTask, current: list[Any], updates: list[Any]) -> list[Any]:
        keys = {key for update in updates if isinstance(key := update.get("$identifier_key"), str)}
        everyone = [
            update | {"$identifier_key": key, "$identifier_value": held[key]}
            for update in updates
            for key in keys
            for held in current
            if isinstance(held, dict) and key in held
        ]
        return super().objects_updated(task, current, everyone)


@fault("objects-updated-appended", "$update appends the new object.", "TS-OBJECTS-UPDATE")
class _ObjectsUpdatedAppended(Core):
    def objects_updated(self, task: WriteTask, current: list[Any], updates: list[Any]) -> list[Any]:
        return current + [update["$new_object"] for update in updates]


@fault("objects-update-ignored", "$update changes nothing.", "TS-OBJECTS-UPDATE")
class _ObjectsUpdateIgnored(Core):
    def objects_updated(self, task: WriteTask, current: list[Any], updates: list[Any]) -> list[Any]:
        return current


@fault("objects-update-moves-to-the-end", "$update moves what it changes to the end.", "TS-OBJECTS-UPDATE")
class _ObjectsUpdateMovesToTheEnd(Core):
    def objects_updated(self, task: WriteTask, current: list[Any], updates: list[Any]) -> list[Any]:
        updated = super().objects_updated(task, current, updates)
        kept = [new for old, new in zip(current, updated, strict=True) if old is new]
        return kept + [new for old, new in zip(current, updated, strict=True) if old is not new]


@fault("objects-removed-first-match-only", "$remove takes away the first match only.", "TS-OBJECTS-REMOVE")
class _ObjectsRemovedFirstMatchOnly(Core):
    def objects_removed(self, current: list[Any], removals: list[Any]) -> list[Any]:
        left = super().objects_removed(current, removals)
        gone = [held for held in current if not any(held is kept for kept in left)]
        return [held for held in current if held not in gone[:1]] if len(gone) > 1 else left


@fault(
    "objects-removed-by-loose-match",
    '$remove takes 1 and "1" for the same.',
    "TS-OBJECTS-REMOVE",
    beyond="the documents do not say how values are compared",
)
class _ObjectsRemovedByLooseMatch(Core):
    def objects_removed(self, current: list[Any], removals: list[Any]) -> list[Any]:
        gone = {(str(key), str(value)) for key, value in map(_selector, removals)}
        return [held for held in current if not gone & {(key, str(value)) for key, value in _items(held)}]


@fault("objects-remove-clears", "$remove clears the array when anything matches.", "TS-OBJECTS-REMOVE")
class _ObjectsRemoveClears(Core):
    def objects_removed(self, current: list[Any], removals: list[Any]) -> list[Any]:
        left = super().objects_removed(current, removals)
        return [] if len(left) < len(current) else left


@fault("objects-remove-the-key", "$remove takes the identifier key out of the matching object.", "TS-OBJECTS-REMOVE")
class _ObjectsRemoveTheKey(Core):
    def objects_removed(self, current: list[Any], removals: list[Any]) -> list[Any]:
        left = super().objects_removed(current, removals)
        keys = {str(key) for key, _ in map(_selector, removals)}
        return [
            held if any(held is kept for kept in left) else {k: v for k, v in _items(held) if k not in keys}
            for held in current
        ]
