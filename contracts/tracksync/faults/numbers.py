"""Faults of booleans, integers, fractions and inc."""

from __future__ import annotations

import math
import struct
from typing import Any

from tracksync.faults.registry import fault
from tracksync.mock.call import MISSING, REMOVED, UNCHANGED, WriteResult, WriteTask
from tracksync.mock.core import Core
from tracksync.mock.profiles import Profile


# --- booleans ---------------------------------------------------------------------------------------------------
@fault("true-as-one")
class _TrueAsOne(Core):
    def take_boolean(self, task: WriteTask, name: str, current: Any, value: bool) -> Any:
        return int(value)


@fault("boolean-as-text")
class _BooleanAsText(Core):
    def take_boolean(self, task: WriteTask, name: str, current: Any, value: bool) -> Any:
        return str(value).lower()


@fault("false-ignored")
class _FalseIgnored(Core):
    def take_boolean(self, task: WriteTask, name: str, current: Any, value: bool) -> Any:
        return value or UNCHANGED


@fault("false-removes")
class _FalseRemoves(Core):
    def take_boolean(self, task: WriteTask, name: str, current: Any, value: bool) -> Any:
        return value or REMOVED


@fault("boolean-toggles")
class _BooleanToggles(Core):
    def take_boolean(self, task: WriteTask, name: str, current: Any, value: bool) -> Any:
        return not value if current is value else value


# --- integers ---------------------------------------------------------------------------------------------------
@fault("integer-through-float")
class _IntegerThroughFloat(Core):
    def take_integer(self, task: WriteTask, name: str, current: Any, value: int) -> Any:
        return int(float(value)) if abs(value) < 2**63 else value


@fault("integer-through-32-bits")
class _IntegerThrough32Bits(Core):
    def take_integer(self, task: WriteTask, name: str, current: Any, value: int) -> Any:
        return (value + 2**31) % 2**32 - 2**31


@fault("integer-capped-at-32-bits")
class _IntegerCappedAt32Bits(Core):
    def take_integer(self, task: WriteTask, name: str, current: Any, value: int) -> Any:
        return max(-(2**31), min(2**31 - 1, value))


@fault("integer-as-text")
class _IntegerAsText(Core):
    def take_integer(self, task: WriteTask, name: str, current: Any, value: int) -> Any:
        return str(value)


@fault("big-integer-as-text")
class _BigIntegerAsText(Core):
    def take_integer(self, task: WriteTask, name: str, current: Any, value: int) -> Any:
        return value if abs(value) < 2**53 else str(value)


@fault("zero-ignored")
class _ZeroIgnored(Core):
    def take_integer(self, task: WriteTask, name: str, current: Any, value: int) -> Any:
        return value or UNCHANGED


@fault("negative-made-positive")
class _NegativeMadePositive(Core):
    def take_integer(self, task: WriteTask, name: str, current: Any, value: int) -> Any:
        return abs(value)


@fault("one-as-true")
class _OneAsTrue(Core):
    def take_integer(self, task: WriteTask, name: str, current: Any, value: int) -> Any:
        return True if value == 1 else value


@fault("smaller-integer-ignored")
class _SmallerIntegerIgnored(Core):
    def take_integer(self, task: WriteTask, name: str, current: Any, value: int) -> Any:
        return UNCHANGED if isinstance(current, int) and value < current else value


# --- fractions --------------------------------------------------------------------------------------------------
@fault("fraction-two-digits")
class _FractionTwoDigits(Core):
    def take_float(self, task: WriteTask, name: str, current: Any, value: float) -> Any:
        return round(value, 2)


@fault("fraction-cut-off")
class _FractionCutOff(Core):
    def take_float(self, task: WriteTask, name: str, current: Any, value: float) -> Any:
        return math.trunc(value)


@fault("fraction-in-single-precision")
class _FractionInSinglePrecision(Core):
    def take_float(self, task: WriteTask, name: str, current: Any, value: float) -> Any:
        return struct.unpack("f", struct.pack("f", value))[0] if abs(value) < 1e38 else value


@fault("fraction-as-text")
class _FractionAsText(Core):
    def take_float(self, task: WriteTask, name: str, current: Any, value: float) -> Any:
        return repr(value)


@fault("small-fraction-as-zero")
class _SmallFractionAsZero(Core):
    def take_float(self, task: WriteTask, name: str, current: Any, value: float) -> Any:
        return 0 if abs(value) < 1e-3 else value


# --- inc --------------------------------------------------------------------------------------------------------
@fault("inc-sets")
class _IncSets(Core):
    def sum(self, current: int, amount: int) -> int:
        return amount


@fault("inc-by-one")
class _IncByOne(Core):
    def sum(self, current: int, amount: int) -> int:
        return current + (amount > 0) - (amount < 0)


@fault("inc-twice")
class _IncTwice(Core):
    def sum(self, current: int, amount: int) -> int:
        return current + 2 * amount


@fault("inc-negative-ignored")
class _IncNegativeIgnored(Core):
    def sum(self, current: int, amount: int) -> int:
        return current + max(0, amount)


@fault("inc-not-below-zero")
class _IncNotBelowZero(Core):
    def sum(self, current: int, amount: int) -> int:
        return max(0, current + amount)


@fault("inc-through-float")
class _IncThroughFloat(Core):
    def sum(self, current: int, amount: int) -> int:
        total = current + amount
        return int(float(total)) if abs(total) < 2**63 else total


@fault("inc-through-32-bits")
class _IncThrough32Bits(Core):
    def sum(self, current: int, amount: int) -> int:
        return (current + amount + 2**31) % 2**32 - 2**31


@fault("inc-shows-the-amount")
class _IncShowsTheAmount(Core):
    def attributes_shown(self, task: WriteTask, outcome: WriteResult, profile: Profile) -> dict[str, Any]:
        shown = super().attributes_shown(task, outcome, profile)
        for name, value in task.item.items():
            if name in shown and isinstance(value, dict) and value.keys() == {"inc"}:
                shown[name] = value["inc"]
        return shown


@fault("inc-not-stored")
class _IncNotStored(Core):
    def write_custom(self, task: WriteTask, profile: Profile, name: str, value: Any) -> Any:
        held = profile.attributes.get(name, MISSING)
        result = super().write_custom(task, profile, name, value)
        if isinstance(value, dict) and value.keys() == {"inc"} and held is not MISSING and result is not UNCHANGED:
            profile.attributes[name] = held
        return result
