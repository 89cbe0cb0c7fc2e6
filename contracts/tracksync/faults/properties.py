"""Faults of the properties of events and purchases."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tracksync.faults.registry import fault, faults, overriding, row
from tracksync.mock.call import Call, Detail, Refused, WriteResult, WriteTask
from tracksync.mock.core import Core
from tracksync.mock.profiles import Profile


@faults("TS-EVENT-PROPERTIES", "TS-OK-STATUS")(
    row(
        "property-boolean-refused",
        "A boolean property is refused.",
        refused=lambda name, value: isinstance(value, bool),
    ),
    row(
        "property-fraction-refused",
        "A property with a fraction is refused.",
        "TS-EVENT-PROPERTIES",
        "TS-PURCHASE-PROPERTIES",
        "TS-OK-STATUS",
        refused=lambda name, value: isinstance(value, float),
    ),
    row(
        "property-list-refused",
        "An array as a property is refused.",
        "TS-EVENT-PROPERTIES",
        "TS-PURCHASE-PROPERTIES",
        "TS-OK-STATUS",
        refused=lambda name, value: isinstance(value, list),
    ),
    row(
        "property-object-refused",
        "An object as a property is refused.",
        refused=lambda name, value: isinstance(value, dict),
    ),
    row(
        "property-name-255-refused",
        "A property name of 255 characters is refused.",
        refused=lambda name, value: len(name) > 254,
    ),
    row(
        "property-string-255-refused",
        "A property's string of 255 characters is refused.",
        refused=lambda name, value: isinstance(value, str) and len(value) > 254,
    ),
    row(
        "property-non-ascii-refused",
        "Properties beyond ASCII are refused.",
        refused=lambda name, value: not name.isascii() or (isinstance(value, str) and (not value.isascii())),
    ),
)
def _refused_property(refused: Callable[[str, Any], bool]) -> type[Core]:
    """Refuses some lawful properties."""

    class RefusedProperty(Core):
        def check_properties(self, task: WriteTask, properties: dict[str, Any]) -> None:
            super().check_properties(task, properties)
            if any(refused(name, value) for name, value in properties.items()):
                raise Refused(400, Detail("'properties' is not valid", task.section, task.index))

    return RefusedProperty


# Takes other property names for reserved.
overriding("is_reserved", "TS-EVENT-RESERVED", module=__name__)(
    row(
        "reserved-time-accepted",
        "A property called time is accepted.",
        result=lambda right, name: name != "time" and right,
    ),
    row(
        "reserved-event-name-accepted",
        "A property called event_name is accepted.",
        result=lambda right, name: name != "event_name" and right,
    ),
    row(
        "reserved-names-in-any-case",
        "A property called Time is refused.",
        "TS-EVENT-PROPERTIES",
        "TS-OK-STATUS",
        given=lambda name: {"name": name.lower()},
    ),
)


overriding("check_properties", module=__name__)(
    row(
        "properties-over-256-refused",
        "More than 256 properties are refused.",
        "TS-EVENT-PROPERTIES-256",
        "TS-OK-STATUS",
        when=lambda properties: len(properties) > 256,
        refusal=lambda task: Refused(400, Detail("Too many properties", task.section, task.index)),
    ),
    row(
        "purchase-properties-refused",
        "Properties of a purchase are refused.",
        "TS-PURCHASE-PROPERTIES",
        "TS-OK-STATUS",
        when=lambda task: task.section == "purchases",
        refusal=lambda task: Refused(400, Detail("'properties' is not valid", task.section, task.index)),
    ),
)


@fault(
    "properties-over-256-lost",
    "A further event with more than 256 properties is not counted.",
    "TS-EVENT-PROPERTIES-256",
    "TS-EVENT-COUNT",
)
class _PropertiesOver256Lost(Core):
    def write_event(self, call: Call, task: WriteTask, profile: Profile) -> None:
        properties = task.item.get("properties")
        known = task.name in profile.events
        if not (known and isinstance(properties, dict) and len(properties) > 256):
            super().write_event(call, task, profile)


@fault(
    "purchase-property-lists-lost",
    "A further purchase with an array among its properties is not counted.",
    "TS-PURCHASE-PROPERTIES",
    "TS-PURCHASE-COUNT",
)
class _PurchasePropertyListsLost(Core):
    def write(self, call: Call, task: WriteTask, profile: Profile, created: bool) -> WriteResult:
        properties = task.item.get("properties")
        nested = isinstance(properties, dict) and any(isinstance(value, list) for value in properties.values())
        if task.section == "purchases" and nested and task.name in profile.purchases:
            return WriteResult(profile)
        return super().write(call, task, profile, created)
