"""Faults of arrays of objects: setting, $add, $update, $remove."""

from __future__ import annotations

import json
from typing import Any

from tracksync.faults.registry import fault, overriding, row
from tracksync.mock.call import UNCHANGED, WriteTask
from tracksync.mock.core import Core

Array = list[Any]


def _selector(removal: Any) -> tuple[Any, Any]:
    if not isinstance(removal, dict):
        return None, None
    return removal.get("$identifier_key"), removal.get("$identifier_value")


def _items(element: Any) -> list[tuple[str, Any]]:
    return list(element.items()) if isinstance(element, dict) else []


# Makes other changes than the request says.
overriding("objects_updated", "TS-OBJECTS-UPDATE", module=__name__)(
    row(
        "objects-first-change-only",
        "Of several changes to an array of objects the first is done.",
        "TS-OBJECTS-UPDATE",
        "TS-STATE-KEYS-APART",
        given=lambda updates: {"updates": updates[:1]},
    ),
    row(
        "objects-updated-appended",
        "$update appends the new object.",
        result=lambda current, updates: current + [update["$new_object"] for update in updates],
    ),
    row("objects-update-ignored", "$update changes nothing.", result=lambda current: current),
    row(
        "objects-update-moves-to-the-end",
        "$update moves what it changes to the end.",
        result=lambda right, current: (
            [new for old, new in zip(current, right, strict=True) if old is new]
            + [new for old, new in zip(current, right, strict=True) if old is not new]
        ),
    ),
)


# Stores other objects than were sent.
overriding("take_objects", "TS-OBJECTS-SET", module=__name__)(
    row(
        "objects-cut-at-25",
        "Only the first 25 of an array of objects are stored.",
        given=lambda value: {"value": value[:25]},
    ),
    row(
        "objects-first-only",
        "Only the first of an array of objects is stored.",
        given=lambda value: {"value": value[:1]},
    ),
    row(
        "objects-sorted-by-id",
        "An array of objects is sorted.",
        given=lambda value: {"value": sorted(value, key=lambda held: json.dumps(held, sort_keys=True))},
    ),
    row(
        "objects-held-to-the-array-limit",
        "The limit of elements of arrays is applied to arrays of objects.",
        "TS-OBJECTS-SET",
        "TS-OK-SHOWS",
        when=lambda server, value: len(value) > server.array_limit(),
        result=lambda: UNCHANGED,
    ),
)


# Adds other objects, or elsewhere, than the request says.
overriding("objects_added", "TS-OBJECTS-ADD", module=__name__)(
    row(
        "objects-added-at-the-front",
        "$add puts objects at the front.",
        given=lambda current, added: {"current": added, "added": current},
    ),
    row("objects-added-replace", "$add replaces the array.", given=lambda: {"current": []}),
    row(
        "objects-added-once",
        "Only the first of several added objects is added.",
        given=lambda added: {"added": added[:1]},
    ),
)


# --- values ---------------------------------------------------------------------------------------------------
overriding("objects_removed", "TS-OBJECTS-REMOVE", module=__name__)(
    row(
        "objects-first-removal-only",
        "Of several removals from an array of objects the first is done.",
        "TS-OBJECTS-REMOVE",
        "TS-STATE-KEYS-APART",
        given=lambda removals: {"removals": removals[:1]},
    ),
    row(
        "objects-removed-by-loose-match",
        '$remove takes 1 and "1" for the same.',
        beyond="the documents do not say how values are compared",
        result=lambda current, removals: [
            held
            for held in current
            if not {(str(key), str(value)) for key, value in map(_selector, removals)}
            & {(key, str(value)) for key, value in _items(held)}
        ],
    ),
    row(
        "objects-remove-clears",
        "$remove clears the array when anything matches.",
        result=lambda right, current: [] if len(right) < len(current) else right,
    ),
    row(
        "objects-remove-the-key",
        "$remove takes the identifier key out of the matching object.",
        result=lambda right, current, removals: [
            held
            if any(held is kept for kept in right)
            else {k: v for k, v in _items(held) if k not in {str(key) for key, _ in map(_selector, removals)}}
            for held in current
        ],
    ),
)


# --- arrays of objects ----------------------------------------------------------------------------------------


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


@fault("objects-removed-first-match-only", "$remove takes away the first match only.", "TS-OBJECTS-REMOVE")
class _ObjectsRemovedFirstMatchOnly(Core):
    def objects_removed(self, current: list[Any], removals: list[Any]) -> list[Any]:
        left = super().objects_removed(current, removals)
        gone = [held for held in current if not any(held is kept for kept in left)]
        return [held for held in current if held not in gone[:1]] if len(gone) > 1 else left
