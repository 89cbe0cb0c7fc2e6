"""Faults of objects, arrays of objects and profile fields."""

from __future__ import annotations

import json
from typing import Any

from tracksync.faults.registry import fault
from tracksync.mock import limits
from tracksync.mock.call import UNCHANGED, Call, Detail, Refused, WriteTask
from tracksync.mock.core import Core
from tracksync.values import objects, times
from tracksync.values.objects import ObjectProblem


def _walked(value: Any, change: Any) -> Any:
    """`value` with `change` done to every object in it, innermost first."""
    if isinstance(value, list):
        return [_walked(element, change) for element in value]
    if isinstance(value, dict):
        return change({key: _walked(held, change) for key, held in value.items()})
    return value


# --- setting ----------------------------------------------------------------------------------------------------
class _Changed(Core):
    """Stores another object than the one that was sent; edits are left alone."""

    def take_object(self, task: WriteTask, name: str, current: Any, value: dict[str, Any]) -> Any:
        taken = super().take_object(task, name, current, value)
        return self.changed(taken) if isinstance(taken, dict) else taken

    def changed(self, value: dict[str, Any]) -> Any:
        """The object that is stored instead."""
        return value


@fault("object-as-text")
class _ObjectAsText(_Changed):
    def changed(self, value: dict[str, Any]) -> Any:
        return json.dumps(super().changed(value))


@fault("object-flattened")
class _ObjectFlattened(_Changed):
    def changed(self, value: dict[str, Any]) -> Any:
        flat: dict[str, Any] = {}
        for key, held in value.items():
            flat |= {f"{key}_{k}": v for k, v in held.items()} if isinstance(held, dict) else {key: held}
        return flat


@fault("object-two-levels")
class _ObjectTwoLevels(_Changed):
    def changed(self, value: dict[str, Any]) -> Any:
        def cut(held: Any, depth: int) -> Any:
            if not isinstance(held, dict) or "$time" in held:
                return held
            return {key: cut(inner, depth + 1) for key, inner in held.items()} if depth < 2 else {}

        return cut(value, 0)


@fault("object-keys-lower")
class _ObjectKeysLower(_Changed):
    def changed(self, value: dict[str, Any]) -> Any:
        return _walked(value, lambda held: {key.lower(): inner for key, inner in held.items()})


@fault("object-numbers-as-text")
class _ObjectNumbersAsText(_Changed):
    def changed(self, value: dict[str, Any]) -> Any:
        return _walked(value, lambda held: {k: str(v) if type(v) in (int, float) else v for k, v in held.items()})


@fault("object-empty-parts-dropped")
class _ObjectEmptyPartsDropped(_Changed):
    def changed(self, value: dict[str, Any]) -> Any:
        return _walked(value, lambda held: {k: v for k, v in held.items() if v not in ("", [], {})})


@fault("object-false-parts-dropped")
class _ObjectFalsePartsDropped(_Changed):
    def changed(self, value: dict[str, Any]) -> Any:
        return _walked(value, lambda held: {k: v for k, v in held.items() if v is not False and v != 0})


@fault("object-lists-unwrapped")
class _ObjectListsUnwrapped(_Changed):
    def changed(self, value: dict[str, Any]) -> Any:
        return _walked(
            value, lambda held: {k: v[0] if isinstance(v, list) and len(v) == 1 else v for k, v in held.items()}
        )


# --- replacing and merging --------------------------------------------------------------------------------------
@fault("object-merged-unasked")
class _ObjectMergedUnasked(Core):
    def merges(self, task: WriteTask) -> bool:
        return True


@fault("merge-ignored")
class _MergeIgnored(Core):
    def merges(self, task: WriteTask) -> bool:
        return False


@fault("merge-shallow")
class _MergeShallow(Core):
    def merged(self, current: Any, value: dict[str, Any]) -> Any:
        return current | value if isinstance(current, dict) else value


@fault("merge-two-levels")
class _MergeTwoLevels(Core):
    def merged(self, current: Any, value: dict[str, Any]) -> Any:
        if not isinstance(current, dict):
            return value
        merged = dict(current)
        for key, new in value.items():
            old = merged.get(key)
            merged[key] = old | new if isinstance(old, dict) and isinstance(new, dict) else new
        return merged


@fault("merge-keeps-the-old")
class _MergeKeepsTheOld(Core):
    def merged(self, current: Any, value: dict[str, Any]) -> Any:
        return objects.merge(value, current) if isinstance(current, dict) else value


@fault("merge-adds-no-keys")
class _MergeAddsNoKeys(Core):
    def merged(self, current: Any, value: dict[str, Any]) -> Any:
        merged = super().merged(current, value)
        return {key: merged[key] for key in current} if isinstance(current, dict) else merged


@fault("merge-appends-lists")
class _MergeAppendsLists(Core):
    def merged(self, current: Any, value: dict[str, Any]) -> Any:
        merged = super().merged(current, value)
        for key, new in value.items():
            if isinstance(current, dict) and isinstance(new, list) and isinstance(current.get(key), list):
                merged = merged | {key: current[key] + new}
        return merged


# --- what is invalid --------------------------------------------------------------------------------------------
@fault("object-null-stored")
class _ObjectNullStored(Core):
    def problems(self, value: Any) -> frozenset[ObjectProblem]:
        return super().problems(value) - {ObjectProblem.NULL}


@fault("object-null-key-dropped")
class _ObjectNullKeyDropped(Core):
    def take_object(self, task: WriteTask, name: str, current: Any, value: dict[str, Any]) -> Any:
        value = _walked(value, lambda held: {k: v for k, v in held.items() if v is not None})
        return super().take_object(task, name, current, value)


@fault("object-null-removes")
class _ObjectNullRemoves(Core):
    def take_object(self, task: WriteTask, name: str, current: Any, value: dict[str, Any]) -> Any:
        if ObjectProblem.NULL in self.problems(value):
            return self.take_null(task, name, current)
        return super().take_object(task, name, current, value)


@fault("object-bad-time-stored")
class _ObjectBadTimeStored(Core):
    def problems(self, value: Any) -> frozenset[ObjectProblem]:
        return super().problems(value) - {ObjectProblem.BAD_TIME}


@fault("object-bad-time-key-dropped")
class _ObjectBadTimeKeyDropped(Core):
    def take_object(self, task: WriteTask, name: str, current: Any, value: dict[str, Any]) -> Any:
        value = _walked(value, lambda held: {k: v for k, v in held.items() if not _is_bad_time(v)})
        return super().take_object(task, name, current, value)


def _is_bad_time(value: Any) -> bool:
    return isinstance(value, dict) and ObjectProblem.BAD_TIME in objects.problems(
        {"k": value}, "code-points", limits.OBJECT_LIMITS
    )


@fault("object-long-key-stored")
class _ObjectLongKeyStored(Core):
    def problems(self, value: Any) -> frozenset[ObjectProblem]:
        return super().problems(value) - {ObjectProblem.KEY_LENGTH}


@fault("object-long-string-stored")
class _ObjectLongStringStored(Core):
    def problems(self, value: Any) -> frozenset[ObjectProblem]:
        return super().problems(value) - {ObjectProblem.STRING_LENGTH}


@fault("object-long-string-cut")
class _ObjectLongStringCut(Core):
    def take_object(self, task: WriteTask, name: str, current: Any, value: dict[str, Any]) -> Any:
        value = _walked(value, lambda held: {k: v[:255] if isinstance(v, str) else v for k, v in held.items()})
        return super().take_object(task, name, current, value)


@fault("object-strange-key-stored")
class _ObjectStrangeKeyStored(Core):
    def problems(self, value: Any) -> frozenset[ObjectProblem]:
        return super().problems(value) - {ObjectProblem.KEY_NAME}


@fault("object-large-stored")
class _ObjectLargeStored(Core):
    def problems(self, value: Any) -> frozenset[ObjectProblem]:
        return super().problems(value) - {ObjectProblem.SIZE}


@fault("object-key-254")
class _ObjectKey254(Core):
    def problems(self, value: Any) -> frozenset[ObjectProblem]:
        found = super().problems(value)
        return found | {ObjectProblem.KEY_LENGTH} if _longest_key(value) == limits.STRING_CHARACTERS else found


def _longest_key(value: Any) -> int:
    inner = value if isinstance(value, list) else list(value.values()) if isinstance(value, dict) else []
    own = [len(key) for key in value] if isinstance(value, dict) else []
    return max([0, *own, *map(_longest_key, inner)])


# --- times in objects -------------------------------------------------------------------------------------------
def _retimed(value: Any, rewrite: Any) -> Any:
    def change(held: dict[str, Any]) -> dict[str, Any]:
        if isinstance(held.get("$time"), str):
            return held | {"$time": rewrite(held["$time"])}
        return held

    return _walked(value, change)


@fault("object-time-offset-dropped")
class _ObjectTimeOffsetDropped(_Changed):
    def changed(self, value: dict[str, Any]) -> Any:
        def rewrite(written: str) -> str:
            time = times.read_time(written)
            if time.instant is None:
                return written
            return times.write_time(time.instant + (time.offset_minutes or 0) * 60_000_000, "utc-millis")

        return _retimed(super().changed(value), rewrite)


@fault("object-time-a-day-early")
class _ObjectTimeADayEarly(_Changed):
    def changed(self, value: dict[str, Any]) -> Any:
        def rewrite(written: str) -> str:
            instant = times.read_time(written).instant
            return written if instant is None else times.write_time(instant - 86_400_000_000, "utc-millis")

        return _retimed(super().changed(value), rewrite)


@fault("object-time-lost")
class _ObjectTimeLost(_Changed):
    def changed(self, value: dict[str, Any]) -> Any:
        return _retimed(super().changed(value), lambda written: "1970-01-01T00:00:00.000Z")


# --- arrays of objects ------------------------------------------------------------------------------------------
@fault("objects-held-to-the-array-limit")
class _ObjectsHeldToTheArrayLimit(Core):
    def take_objects(self, task: WriteTask, name: str, current: Any, value: list[Any]) -> Any:
        if len(value) > self.array_limit():
            return UNCHANGED
        return super().take_objects(task, name, current, value)


@fault("objects-cut-at-25")
class _ObjectsCutAt25(Core):
    def take_objects(self, task: WriteTask, name: str, current: Any, value: list[Any]) -> Any:
        return super().take_objects(task, name, current, value[:25])


@fault("objects-first-only")
class _ObjectsFirstOnly(Core):
    def take_objects(self, task: WriteTask, name: str, current: Any, value: list[Any]) -> Any:
        return super().take_objects(task, name, current, value[:1])


@fault("objects-sorted-by-id")
class _ObjectsSortedById(Core):
    def take_objects(self, task: WriteTask, name: str, current: Any, value: list[Any]) -> Any:
        ordered = sorted(value, key=lambda held: json.dumps(held, sort_keys=True))
        return super().take_objects(task, name, current, ordered)


@fault("objects-added-at-the-front")
class _ObjectsAddedAtTheFront(Core):
    def objects_added(self, current: list[Any], added: list[Any]) -> list[Any]:
        return super().objects_added(added, current)


@fault("objects-added-replace")
class _ObjectsAddedReplace(Core):
    def objects_added(self, current: list[Any], added: list[Any]) -> list[Any]:
        return super().objects_added([], added)


@fault("objects-added-once")
class _ObjectsAddedOnce(Core):
    def objects_added(self, current: list[Any], added: list[Any]) -> list[Any]:
        return super().objects_added(current, added[:1])


@fault("objects-updated-all")
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


@fault("objects-updated-appended")
class _ObjectsUpdatedAppended(Core):
    def objects_updated(self, task: WriteTask, current: list[Any], updates: list[Any]) -> list[Any]:
        return current + [update["$new_object"] for update in updates]


@fault("objects-update-ignored")
class _ObjectsUpdateIgnored(Core):
    def objects_updated(self, task: WriteTask, current: list[Any], updates: list[Any]) -> list[Any]:
        return current


@fault("objects-update-moves-to-the-end")
class _ObjectsUpdateMovesToTheEnd(Core):
    def objects_updated(self, task: WriteTask, current: list[Any], updates: list[Any]) -> list[Any]:
        updated = super().objects_updated(task, current, updates)
        kept = [new for old, new in zip(current, updated, strict=True) if old is new]
        return kept + [new for old, new in zip(current, updated, strict=True) if old is not new]


@fault("objects-removed-first-match-only")
class _ObjectsRemovedFirstMatchOnly(Core):
    def objects_removed(self, current: list[Any], removals: list[Any]) -> list[Any]:
        left = super().objects_removed(current, removals)
        gone = [held for held in current if not any(held is kept for kept in left)]
        return [held for held in current if held not in gone[:1]] if len(gone) > 1 else left


@fault("objects-removed-by-loose-match")
class _ObjectsRemovedByLooseMatch(Core):
    def objects_removed(self, current: list[Any], removals: list[Any]) -> list[Any]:
        gone = {(str(key), str(value)) for key, value in map(_selector, removals)}
        return [held for held in current if not gone & {(key, str(value)) for key, value in _items(held)}]


@fault("objects-remove-clears")
class _ObjectsRemoveClears(Core):
    def objects_removed(self, current: list[Any], removals: list[Any]) -> list[Any]:
        left = super().objects_removed(current, removals)
        return [] if len(left) < len(current) else left


@fault("objects-remove-the-key")
class _ObjectsRemoveTheKey(Core):
    def objects_removed(self, current: list[Any], removals: list[Any]) -> list[Any]:
        left = super().objects_removed(current, removals)
        keys = {str(key) for key, _ in map(_selector, removals)}
        return [
            held if any(held is kept for kept in left) else {k: v for k, v in _items(held) if k not in keys}
            for held in current
        ]


def _selector(removal: Any) -> tuple[Any, Any]:
    if not isinstance(removal, dict):
        return None, None
    return removal.get("$identifier_key"), removal.get("$identifier_value")


def _items(element: Any) -> list[tuple[str, Any]]:
    return list(element.items()) if isinstance(element, dict) else []


# --- profile fields ---------------------------------------------------------------------------------------------
class _Picky(Core):
    """Refuses some profile fields in lawful forms."""

    def picky(self, item: dict[str, Any]) -> bool:
        """Whether this server turns the attributes object down."""
        return False

    def complete(self, call: Call, task: WriteTask) -> Any:
        if task.section == "attributes" and self.picky(task.item):
            raise Refused(400, Detail("A profile field is not valid", task.section, task.index))
        return super().complete(call, task)


@fault("gender-two-only")
class _GenderTwoOnly(_Picky):
    def picky(self, item: dict[str, Any]) -> bool:
        return item.get("gender") not in (None, "M", "F") or super().picky(item)


@fault("profile-null-refused")
class _ProfileNullRefused(_Picky):
    def picky(self, item: dict[str, Any]) -> bool:
        return any(item[name] is None for name in limits.PROFILE_FIELDS & item.keys()) or super().picky(item)


@fault("dob-refused")
class _DobRefused(_Picky):
    def picky(self, item: dict[str, Any]) -> bool:
        return "dob" in item or super().picky(item)


@fault("location-refused")
class _LocationRefused(_Picky):
    def picky(self, item: dict[str, Any]) -> bool:
        return isinstance(item.get("current_location"), dict) or super().picky(item)


@fault("subscription-groups-refused")
class _SubscriptionGroupsRefused(_Picky):
    def picky(self, item: dict[str, Any]) -> bool:
        return bool(item.get("subscription_groups")) or super().picky(item)


@fault("email-subscribe-opted-in-refused")
class _EmailSubscribeOptedInRefused(_Picky):
    def picky(self, item: dict[str, Any]) -> bool:
        return item.get("email_subscribe") == "opted_in" or super().picky(item)
