"""Faults of booleans, integers, fractions and inc."""

from __future__ import annotations

import math
import struct
from collections.abc import Callable
from typing import Any

from tracksync.faults.registry import fault, faults, overriding, row
from tracksync.mock.call import MISSING, REMOVED, UNCHANGED, WriteResult, WriteTask
from tracksync.mock.core import Core
from tracksync.mock.profiles import Profile


@faults("TS-ATTR-INTEGER")(
    row(
        "integer-to-fifteen-digits",
        "An integer keeps its first fifteen digits.",
        kind=int,
        stored=lambda current, value: (
            int(f"{value:.14e}".partition("e")[0].replace(".", "")) * 10 ** (len(str(abs(value))) - 15)
            if abs(value) >= 10**15
            else value
        ),
    ),
    row(
        "true-as-one",
        "A boolean becomes 1 or 0.",
        "TS-ATTR-BOOLEAN",
        kind=bool,
        stored=lambda current, value: int(value),
    ),
    row(
        "boolean-as-text",
        "A boolean becomes a text.",
        "TS-ATTR-BOOLEAN",
        kind=bool,
        stored=lambda current, value: str(value).lower(),
    ),
    row(
        "false-ignored",
        "false changes nothing.",
        "TS-ATTR-BOOLEAN",
        "TS-OK-SHOWS",
        kind=bool,
        stored=lambda current, value: value or UNCHANGED,
    ),
    row(
        "false-removes",
        "false removes the attribute.",
        "TS-ATTR-BOOLEAN",
        kind=bool,
        stored=lambda current, value: value or REMOVED,
    ),
    row(
        "boolean-toggles",
        "A boolean that is sent again turns into its opposite.",
        "TS-ATTR-BOOLEAN",
        kind=bool,
        stored=lambda current, value: not value if current is value else value,
    ),
    row(
        "integer-through-float",
        "Integers go through a double and lose digits beyond 2^53.",
        kind=int,
        stored=lambda current, value: int(float(value)) if abs(value) < 2**63 else value,
    ),
    row(
        "integer-through-32-bits",
        "Integers wrap around at 32 bits.",
        kind=int,
        stored=lambda current, value: (value + 2**31) % 2**32 - 2**31,
    ),
    row(
        "integer-capped-at-32-bits",
        "Integers beyond 32 bits become the nearest one within.",
        kind=int,
        stored=lambda current, value: max(-(2**31), min(2**31 - 1, value)),
    ),
    row("integer-as-text", "Integers become texts.", kind=int, stored=lambda current, value: str(value)),
    row(
        "big-integer-as-text",
        "Integers from 2^53 on become texts.",
        kind=int,
        stored=lambda current, value: value if abs(value) < 2**53 else str(value),
    ),
    row(
        "zero-ignored",
        "Zero changes nothing.",
        "TS-ATTR-INTEGER",
        "TS-OK-SHOWS",
        kind=int,
        stored=lambda current, value: value or UNCHANGED,
    ),
    row("negative-made-positive", "Integers lose their sign.", kind=int, stored=lambda current, value: abs(value)),
    row(
        "one-as-true",
        "The integer 1 becomes true.",
        kind=int,
        stored=lambda current, value: True if value == 1 else value,
    ),
    row(
        "smaller-integer-ignored",
        "An integer below the stored one changes nothing.",
        "TS-ATTR-INTEGER",
        "TS-STATE-VISIBLE",
        kind=int,
        stored=lambda current, value: UNCHANGED if isinstance(current, int) and value < current else value,
    ),
    row(
        "fraction-two-digits",
        "Fractions are rounded to two digits.",
        "TS-ATTR-FLOAT",
        kind=float,
        stored=lambda current, value: round(value, 2),
    ),
    row(
        "fraction-cut-off",
        "Fractions are cut off.",
        "TS-ATTR-FLOAT",
        kind=float,
        stored=lambda current, value: math.trunc(value),
    ),
    row(
        "fraction-in-single-precision",
        "Fractions go through single precision.",
        "TS-ATTR-FLOAT",
        kind=float,
        stored=lambda current, value: struct.unpack("f", struct.pack("f", value))[0] if abs(value) < 1e38 else value,
    ),
    row(
        "fraction-as-text",
        "Numbers with a fraction become texts.",
        "TS-ATTR-FLOAT",
        kind=float,
        stored=lambda current, value: repr(value),
    ),
    row(
        "small-fraction-as-zero",
        "Numbers below a thousandth become zero.",
        "TS-ATTR-FLOAT",
        kind=float,
        stored=lambda current, value: 0 if abs(value) < 0.001 else value,
    ),
)
def _scalar(kind: type, stored: Callable[[Any, Any], Any]) -> type[Core]:
    """Stores another value for a boolean, an integer or a number with a fraction."""

    class Scalar(Core):
        def take(self, task: WriteTask, name: str, current: Any, value: Any) -> Any:
            right = super().take(task, name, current, value)
            return stored(current, right) if type(value) is kind and type(right) is kind else right

    return Scalar


# Counts an integer up wrongly.
overriding("sum", "TS-ATTR-INC", module=__name__)(
    row("inc-sets", "inc sets the attribute to the amount.", result=lambda amount: amount),
    row(
        "inc-by-one",
        "inc adds one, whatever the amount.",
        result=lambda current, amount: current + (amount > 0) - (amount < 0),
    ),
    row("inc-twice", "inc adds the amount twice.", result=lambda current, amount: current + 2 * amount),
    row(
        "inc-negative-ignored",
        "inc ignores a negative amount.",
        result=lambda current, amount: current + max(0, amount),
    ),
    row(
        "inc-not-below-zero",
        "inc stops at zero on the way down.",
        result=lambda current, amount: max(0, current + amount),
    ),
    row(
        "inc-through-float",
        "inc adds in doubles and loses digits beyond 2^53.",
        result=lambda current, amount: (
            int(float(current + amount)) if abs(current + amount) < 2**63 else current + amount
        ),
    ),
    row(
        "inc-through-32-bits",
        "inc wraps around at 32 bits.",
        result=lambda current, amount: (current + amount + 2**31) % 2**32 - 2**31,
    ),
)


# --- inc ------------------------------------------------------------------------------------------------------
@fault(
    "inc-shows-the-amount",
    "inc is applied and the amount is shown in place of the result.",
    "TS-ATTR-INC",
    "TS-OK-SHOWS",
)
class _IncShowsTheAmount(Core):
    def attributes_shown(self, task: WriteTask, outcome: WriteResult, profile: Profile) -> dict[str, Any]:
        shown = super().attributes_shown(task, outcome, profile)
        for name, value in task.item.items():
            if name in shown and isinstance(value, dict) and value.keys() == {"inc"}:
                shown[name] = value["inc"]
        return shown


@fault("inc-not-stored", "inc is answered rightly and not stored.", "TS-ATTR-INC", "TS-STATE-VISIBLE")
class _IncNotStored(Core):
    def write_custom(self, task: WriteTask, profile: Profile, name: str, value: Any) -> Any:
        held = profile.attributes.get(name, MISSING)
        result = super().write_custom(task, profile, name, value)
        if isinstance(value, dict) and value.keys() == {"inc"} and held is not MISSING and result is not UNCHANGED:
            profile.attributes[name] = held
        return result
