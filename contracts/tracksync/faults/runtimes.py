"""Faults that languages and their libraries bring along: what a number, a date, an empty object or a name becomes."""

from __future__ import annotations

from typing import Any

from tracksync.faults.registry import fault, overriding, row
from tracksync.mock.call import UNCHANGED, Call, Detail, Refused, WriteTask
from tracksync.mock.core import Core
from tracksync.mock.profiles import Profile

DAY = 24 * 60 * 60 * 1_000_000  # in microseconds


# --- numbers --------------------------------------------------------------------------------------------------
overriding("take_float", module=__name__)(
    row(
        "exponent-refused",
        "A number that is written with an exponent is refused.",
        "TS-OK-STATUS",
        "TS-ATTR-FLOAT",
        when=lambda value: "e" in repr(value),
        refusal=lambda task, name: Refused(400, Detail(f"'{name}' is not valid", task.section, task.index)),
    ),
    row(
        "large-fraction-lost",
        "A number beyond single precision's range is not stored.",
        "TS-ATTR-FLOAT",
        "TS-OK-SHOWS",
        when=lambda value: abs(value) > 3.4e38,
        result=lambda: UNCHANGED,
    ),
)


overriding("count_after", "TS-PURCHASE-COUNT", "TS-PURCHASE-QUANTITY", module=__name__)(
    row(
        "count-in-a-signed-byte",
        "A count goes over from 127 to 0.",
        result=lambda right: right - 128 if right > 127 else right,
    ),
    row(
        "count-in-a-byte",
        "A count goes over from 255 to 1.",
        result=lambda right: right - 255 if right > 255 else right,
    ),
)


# --- arrays and objects ---------------------------------------------------------------------------------------
class _Kept(Core):
    """Stores another array or object than the one that was sent; edits are left alone."""

    def take_object(self, task: WriteTask, name: str, current: Any, value: dict[str, Any]) -> Any:
        taken = super().take_object(task, name, current, value)
        return self._kept(taken) if isinstance(taken, dict) else taken

    def take_array(self, task: WriteTask, name: str, current: Any, value: list[Any]) -> Any:
        taken = super().take_array(task, name, current, value)
        return [self._kept(element) for element in taken] if isinstance(taken, list) else taken

    def _kept(self, value: Any) -> Any:
        """What is stored instead."""
        return value


@fault("numeric-keys-make-a-list", "An object whose keys are 0, 1, 2 becomes a list.", "TS-OBJECT-SET")
class _NumericKeysMakeAList(_Kept):
    def _kept(self, value: Any) -> Any:
        if not isinstance(value, dict):
            return value
        inner = {key: self._kept(held) for key, held in value.items()}
        return list(inner.values()) if inner and list(inner) == [str(n) for n in range(len(inner))] else inner


@fault("empty-object-as-list", "An empty object inside an object becomes an empty list.", "TS-OBJECT-SET")
class _EmptyObjectAsList(_Kept):
    def _kept(self, value: Any) -> Any:
        if not isinstance(value, dict):
            return value
        return {key: self._kept(held) for key, held in value.items()} if value else []


@fault("object-six-levels", "What lies deeper than six levels in an object is lost.", "TS-OBJECT-SET")
class _ObjectSixLevels(_Kept):
    def _kept(self, value: Any) -> Any:
        return self.__cut(value, 1)

    def __cut(self, value: Any, depth: int) -> Any:
        if not isinstance(value, dict):
            return value
        return {key: self.__cut(held, depth + 1) for key, held in value.items()} if depth <= 6 else "[Object]"


@fault("array-booleans-as-numbers", "Booleans in an array become 0 and 1.", "TS-ARRAY-SET")
class _ArrayBooleansAsNumbers(_Kept):
    def _kept(self, value: Any) -> Any:
        return int(value) if isinstance(value, bool) else value


@fault("array-fractions-cut-off", "Fractions in an array are cut off.", "TS-ARRAY-SET")
class _ArrayFractionsCutOff(_Kept):
    def _kept(self, value: Any) -> Any:
        return int(value) if isinstance(value, float) else value


overriding("write_custom", module=__name__)(
    row(
        "attribute-called-constructor-lost",
        "Attributes called constructor or toString are not stored.",
        "TS-ATTR-STRING",
        "TS-OK-SHOWS",
        when=lambda name: name in ("constructor", "toString"),
        result=lambda: UNCHANGED,
    ),
    row(
        "attribute-called-length-counted",
        "An attribute called length holds the number of attributes.",
        "TS-ATTR-STRING",
        "TS-ATTR-INTEGER",
        given=lambda profile, name, value: {"value": len(profile.attributes) if name == "length" else value},
    ),
)


# --- counts ---------------------------------------------------------------------------------------------------
@fault("count-by-currency", "Each currency of a product has a count of its own.", "TS-PURCHASE-COUNT")
class _CountByCurrency(Core):
    def read_purchase(self, task: WriteTask) -> None:
        super().read_purchase(task)
        task.name = f"{task.name} {task.item.get('currency')}"


@fault("count-by-app", "Each app has its own count of an event.", "TS-EVENT-COUNT")
class _CountByApp(Core):
    def read_event(self, task: WriteTask) -> None:
        super().read_event(task)
        task.name = f"{task.name} {task.item['app_id']}" if task.item.get("app_id") else task.name


@fault(
    "events-with-properties-apart",
    "Events with properties are counted apart from those without.",
    "TS-EVENT-COUNT",
    "TS-EVENT-FIRST",
)
class _EventsWithPropertiesApart(Core):
    def read_event(self, task: WriteTask) -> None:
        super().read_event(task)
        task.name = f"{task.name} with properties" if task.item.get("properties") else task.name


@fault("events-of-one-day-count-once", "Two events of one name on one day count once.", "TS-EVENT-COUNT")
class _EventsOfOneDayCountOnce(Core):
    __days: frozenset[tuple[str, str, int]] = frozenset()

    def write_event(self, call: Call, task: WriteTask, profile: Profile) -> None:
        day = (profile.braze_id, task.name, task.instant // (DAY))
        if day not in self.__days:
            super().write_event(call, task, profile)
        self.__days |= {day}


@fault(
    "refund-not-counted", "A purchase with a negative price does not count.", "TS-PURCHASE-COUNT", "TS-PURCHASE-REFUND"
)
class _RefundNotCounted(Core):
    def count_after(self, task: WriteTask, count: int, amount: int) -> int:
        price = task.item.get("price")
        return (
            count
            if count and isinstance(price, (int, float)) and price < 0
            else super().count_after(task, count, amount)
        )
