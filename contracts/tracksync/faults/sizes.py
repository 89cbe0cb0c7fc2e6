"""Faults of the documented sizes of objects and bodies, from both sides of each limit."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any, Final

from tracksync.faults.registry import fault, faults, overriding, row
from tracksync.mock.call import UNCHANGED, Call, Detail, Refused, WriteTask
from tracksync.mock.core import Core
from tracksync.values.objects import ObjectProblem, serialized_size

KILOBYTE: Final = 1024
MEGABYTE: Final = 1024 * KILOBYTE


@faults("TS-OK-STATUS")(
    row("body-of-256-kilobytes-refused", "Bodies over 256 KB are refused.", limit=256 * KILOBYTE),
    row("body-of-one-megabyte-refused", "Bodies over 1 MB are refused.", limit=MEGABYTE),
    row("body-of-three-megabytes-refused", "Bodies over 3 MB are refused.", limit=3 * MEGABYTE),
)
def _body(limit: int) -> type[Core]:
    """Refuses bodies that are within the documented 4 MB."""

    class Body(Core):
        def is_json(self, call: Call) -> bool:
            if len(call.request.body) > limit:
                raise Refused(413, Detail("The body is too large"), message="Payload Too Large")
            return super().is_json(call)

    return Body


@fault(
    "body-over-a-megabyte-not-applied",
    "A body over 1 MB is answered and not applied.",
    "TS-STATE-VISIBLE",
    "TS-EVENT-COUNT",
)
class _BodyOverAMegabyteNotApplied(Core):
    def complete(self, call: Call, task: WriteTask) -> Any:
        held = self.find(task) if len(call.request.body) > MEGABYTE else None
        before = None if held is None else held.snapshot()
        body = super().complete(call, task)
        if held is not None and before is not None:
            held.restore(before)
        return body


def _characters(value: Any) -> int:
    """Characters of a value as compact JSON."""
    return len(json.dumps(value, ensure_ascii=False, separators=(",", ":")))


@faults("TS-OBJECT-LIMITS")(
    row(
        "object-of-50-kilobytes-not-stored",
        "Objects over 50 KB are not stored.",
        "TS-OBJECT-SET",
        "TS-OK-SHOWS",
        too_large=lambda value: serialized_size(value) > 50 * KILOBYTE,
    ),
    row(
        "object-of-90-kilobytes-not-stored",
        "Objects over 90 KB are not stored.",
        "TS-OBJECT-SET",
        "TS-OK-SHOWS",
        too_large=lambda value: serialized_size(value) > 90 * KILOBYTE,
    ),
    row(
        "object-of-120-kilobytes-stored",
        "Objects of up to 120 KB are stored.",
        too_large=lambda value: serialized_size(value) > 120 * KILOBYTE,
    ),
    row(
        "object-of-200-kilobytes-stored",
        "Objects of up to 200 KB are stored.",
        too_large=lambda value: serialized_size(value) > 200 * KILOBYTE,
    ),
    row(
        "object-size-in-characters",
        "An object's size is counted in characters, not in bytes.",
        too_large=lambda value: _characters(value) > 100 * KILOBYTE,
    ),
    row(
        "object-size-of-keys-only",
        "Of an object's size only its keys count.",
        too_large=lambda value: isinstance(value, dict) and _characters(list(value)) > 100 * KILOBYTE,
    ),
)
def _object(too_large: Callable[[Any], bool]) -> type[Core]:
    """Holds objects to another size."""

    class Object(Core):
        def problems(self, value: Any) -> frozenset[ObjectProblem]:
            found = super().problems(value) - {ObjectProblem.SIZE}
            return found | {ObjectProblem.SIZE} if too_large(value) else found

    return Object


@fault("merged-object-of-any-size-stored", "An object that a merge makes too large is stored.", "TS-OBJECT-LIMITS")
class _MergedObjectOfAnySizeStored(Core):
    def take_object(self, task: WriteTask, name: str, current: Any, value: dict[str, Any]) -> Any:
        taken = super().take_object(task, name, current, value)
        grown = taken is UNCHANGED and self.merges(task) and not self.invalid(value)
        return self.merged(current, value) if grown else taken


@fault(
    "added-objects-of-any-size-stored",
    "An array of objects that $add makes too large is stored.",
    "TS-OBJECTS-ADD",
    "TS-OBJECT-LIMITS",
)
class _AddedObjectsOfAnySizeStored(Core):
    def edit_objects(self, task: WriteTask, name: str, current: Any, value: dict[str, Any]) -> Any:
        edited = super().edit_objects(task, name, current, value)
        added = value.get("$add", [])
        grown = edited is UNCHANGED and isinstance(current, list) and added and not self.invalid(added)
        return self.objects_added(current, added) if grown else edited


overriding("take_objects", module=__name__)(
    row(
        "objects-of-50-kilobytes-not-stored",
        "Arrays of objects over 50 KB are not stored.",
        "TS-OBJECTS-SET",
        "TS-OK-SHOWS",
        when=lambda value: serialized_size(value) > 50 * KILOBYTE,
        result=lambda: UNCHANGED,
    ),
    row(
        "objects-of-any-size-stored",
        "Arrays of objects of any size are stored.",
        "TS-OBJECT-LIMITS",
        when=lambda server, value: server.problems(value) == {ObjectProblem.SIZE},
        result=lambda value: value,
    ),
)


@fault(
    "properties-of-60-kilobytes-refused",
    "Properties over 60 KB are refused.",
    "TS-OK-STATUS",
    "TS-EVENT-PROPERTIES",
    beyond="older pages limit the properties of an event to 50 KB",
)
class _PropertiesOf60KilobytesRefused(Core):
    def check_properties(self, task: WriteTask, properties: dict[str, Any]) -> None:
        if serialized_size(properties) > 60 * KILOBYTE:
            raise Refused(400, Detail("'properties' is too large", task.section, task.index))
        super().check_properties(task, properties)
