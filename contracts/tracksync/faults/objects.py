"""Faults of objects: setting, merging, what is invalid, times in them."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from tracksync.faults.registry import fault, faults, overriding, row
from tracksync.mock import limits
from tracksync.mock.call import WriteTask
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


def _is_bad_time(value: Any) -> bool:
    return isinstance(value, dict) and ObjectProblem.BAD_TIME in objects.problems(
        {"k": value}, "code-points", limits.OBJECT_LIMITS
    )


def _longest_key(value: Any) -> int:
    inner = value if isinstance(value, list) else list(value.values()) if isinstance(value, dict) else []
    own = [len(key) for key in value] if isinstance(value, dict) else []
    return max([0, *own, *map(_longest_key, inner)])


def _retimed(value: Any, rewrite: Any) -> Any:
    def change(held: dict[str, Any]) -> dict[str, Any]:
        if isinstance(held.get("$time"), str):
            return held | {"$time": rewrite(held["$time"])}
        return held

    return _walked(value, change)


def _flattened(value: dict[str, Any]) -> dict[str, Any]:
    flat: dict[str, Any] = {}
    for key, held in value.items():
        flat |= {f"{key}_{k}": v for k, v in held.items()} if isinstance(held, dict) else {key: held}
    return flat


def _cut(held: Any, levels: int) -> Any:
    if not isinstance(held, dict) or "$time" in held:
        return held
    return {key: _cut(inner, levels - 1) for key, inner in held.items()} if levels else {}


def _shifted(written: str, shift: Callable[[times.TimeText], int]) -> str:
    time = times.read_time(written)
    return written if time.instant is None else times.write_time(time.instant + shift(time), "utc-millis")


def _without(value: Any, dropped: Callable[[Any], bool]) -> Any:
    return _walked(value, lambda held: {k: v for k, v in held.items() if not dropped(v)})


# Merges objects where they are to be replaced, or the other way round.
overriding("merges", "TS-OBJECT-REPLACE", module=__name__)(
    row(
        "merge-flag-false-merges",
        "_merge_objects merges although it is false.",
        result=lambda task: "_merge_objects" in task.item,
    ),
    row(
        "object-merged-unasked", "An object is merged into the stored one without _merge_objects.", result=lambda: True
    ),
    row("merge-ignored", "_merge_objects is ignored.", "TS-OBJECT-MERGE", "TS-OBJECTS-UPDATE", result=lambda: False),
)


@faults("TS-OBJECT-SET")(
    row("object-as-text", "An object becomes a text of JSON.", change=lambda value: json.dumps(value)),
    row(
        "object-keys-lower",
        "Key names become lower case.",
        change=lambda value: _walked(value, lambda held: {key.lower(): inner for key, inner in held.items()}),
    ),
    row(
        "object-numbers-as-text",
        "Numbers inside objects become texts.",
        change=lambda value: _walked(
            value, lambda held: {k: str(v) if type(v) in (int, float) else v for k, v in held.items()}
        ),
    ),
    row(
        "object-empty-parts-dropped",
        "Empty strings, arrays and objects inside objects are dropped.",
        change=lambda value: _walked(value, lambda held: {k: v for k, v in held.items() if v not in ("", [], {})}),
    ),
    row(
        "object-false-parts-dropped",
        "false and zero inside objects are dropped.",
        change=lambda value: _walked(value, lambda held: {k: v for k, v in held.items() if v is not False and v != 0}),
    ),
    row(
        "object-lists-unwrapped",
        "An array of one inside an object becomes its element.",
        change=lambda value: _walked(
            value, lambda held: {k: v[0] if isinstance(v, list) and len(v) == 1 else v for k, v in held.items()}
        ),
    ),
    row(
        "object-time-lost",
        "Every $time is the beginning of 1970.",
        "TS-OBJECT-TIME",
        change=lambda value: _retimed(value, lambda written: "1970-01-01T00:00:00.000Z"),
    ),
    row("object-flattened", "An object within an object is flattened into it.", change=_flattened),
    row("object-two-levels", "Objects are cut below the second level.", change=lambda value: _cut(value, 2)),
    row(
        "object-time-offset-dropped",
        "The offset of a $time is dropped.",
        "TS-OBJECT-TIME",
        change=lambda value: _retimed(
            value, lambda written: _shifted(written, lambda time: (time.offset_minutes or 0) * 60_000_000)
        ),
    ),
    row(
        "object-time-a-day-early",
        "A $time is a day early.",
        "TS-OBJECT-TIME",
        change=lambda value: _retimed(value, lambda written: _shifted(written, lambda time: -86_400_000_000)),
    ),
)
def _stored(change: Callable[[dict[str, Any]], Any]) -> type[Core]:
    """Stores another object than the one that was sent; edits are left alone."""

    class Stored(Core):
        def take_object(self, task: WriteTask, name: str, current: Any, value: dict[str, Any]) -> Any:
            taken = super().take_object(task, name, current, value)
            return change(taken) if isinstance(taken, dict) else taken

    return Stored


# Merges objects wrongly.
overriding("merged", "TS-OBJECT-MERGE", module=__name__)(
    row(
        "merge-shallow",
        "_merge_objects merges the first level only.",
        result=lambda current, value: current | value if isinstance(current, dict) else value,
    ),
    row(
        "merge-keeps-the-old",
        "On a merge the stored value wins.",
        result=lambda current, value: objects.merge(value, current) if isinstance(current, dict) else value,
    ),
    row(
        "merge-adds-no-keys",
        "A merge changes keys and adds none.",
        when=lambda current: isinstance(current, dict),
        result=lambda right, current: {key: right[key] for key in current},
    ),
)


@faults("TS-OBJECT-LIMITS")(
    row("object-null-stored", "A null inside an object is stored.", "TS-OBJECT-INVALID", problem=ObjectProblem.NULL),
    row(
        "object-bad-time-stored", "An ill-formed $time is stored.", "TS-OBJECT-INVALID", problem=ObjectProblem.BAD_TIME
    ),
    row("object-long-key-stored", "Key names of any length are stored.", problem=ObjectProblem.KEY_LENGTH),
    row(
        "object-long-string-stored",
        "Strings of any length are stored inside objects.",
        problem=ObjectProblem.STRING_LENGTH,
    ),
    row(
        "object-strange-key-stored", "Key names with a dot or a dollar sign are stored.", problem=ObjectProblem.KEY_NAME
    ),
    row("object-large-stored", "Objects of any size are stored.", problem=ObjectProblem.SIZE),
)
def _tolerates(problem: ObjectProblem) -> type[Core]:
    """Stores objects in spite of one problem."""

    class Tolerates(Core):
        def problems(self, value: Any) -> frozenset[ObjectProblem]:
            return super().problems(value) - {problem}

    return Tolerates


# --- replacing and merging ------------------------------------------------------------------------------------
@fault("merge-two-levels", "_merge_objects merges two levels only.", "TS-OBJECT-MERGE")
class _MergeTwoLevels(Core):
    def merged(self, current: Any, value: dict[str, Any]) -> Any:
        if not isinstance(current, dict):
            return value
        merged = dict(current)
        for key, new in value.items():
            old = merged.get(key)
            merged[key] = old | new if isinstance(old, dict) and isinstance(new, dict) else new
        return merged


@fault(
    "merge-appends-lists",
    "A merge appends arrays in place of replacing them.",
    "TS-OBJECT-MERGE",
    beyond="the documents do not say what merging makes of an array inside an object",
)
class _MergeAppendsLists(Core):
    def merged(self, current: Any, value: dict[str, Any]) -> Any:
        merged = super().merged(current, value)
        for key, new in value.items():
            if isinstance(current, dict) and isinstance(new, list) and isinstance(current.get(key), list):
                merged = merged | {key: current[key] + new}
        return merged


# --- what is invalid ------------------------------------------------------------------------------------------


# Takes an object that must not be stored for another one, and stores that.
overriding("take_object", "TS-OBJECT-INVALID", module=__name__)(
    row(
        "object-null-removes",
        "A null inside an object removes the attribute.",
        when=lambda server, value: ObjectProblem.NULL in server.problems(value),
        result=lambda server, task, name, current: server.take_null(task, name, current),
    ),
    row(
        "object-null-key-dropped",
        "A null inside an object drops its key only.",
        given=lambda value: {"value": _without(value, lambda held: held is None)},
    ),
    row(
        "object-bad-time-key-dropped",
        "An ill-formed $time drops its key only.",
        given=lambda value: {"value": _without(value, _is_bad_time)},
    ),
    row(
        "object-long-string-cut",
        "An overlong string inside an object is cut and stored.",
        "TS-OBJECT-LIMITS",
        given=lambda value: {
            "value": _walked(value, lambda held: {k: v[:255] if isinstance(v, str) else v for k, v in held.items()})
        },
    ),
)


@fault("object-key-254", "An object with a key name of 255 characters is not stored.", "TS-OBJECT-SET", "TS-OK-SHOWS")
class _ObjectKey254(Core):
    def problems(self, value: Any) -> frozenset[ObjectProblem]:
        found = super().problems(value)
        return found | {ObjectProblem.KEY_LENGTH} if _longest_key(value) == limits.STRING_CHARACTERS else found
