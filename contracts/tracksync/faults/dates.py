"""Faults of date-like attributes and of times in objects."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, Final

from tracksync.faults.registry import fault, faults, overriding, row
from tracksync.mock import limits
from tracksync.mock.call import UNCHANGED, WriteTask
from tracksync.mock.core import Core
from tracksync.values import times

SECOND: Final = 1_000_000  # in microseconds
MINUTE: Final = 60 * SECOND
HOUR: Final = 60 * MINUTE
DAY: Final = 24 * HOUR
YEAR_1900: Final = -2_208_988_800 * SECOND


def _far(value: Any) -> bool:
    return isinstance(value, str) and (times.read_time(value).year or 0) > 3000


@faults("TS-ATTR-DATE")(
    row(
        "date-before-1970-as-1970",
        "A date attribute before 1970 is shown as the epoch.",
        shown=lambda core, value, time, instant: max(instant, 0),
    ),
    row(
        "date-before-1900-as-1900",
        "A date attribute before 1900 is shown as its first moment.",
        shown=lambda core, value, time, instant: max(instant, YEAR_1900),
    ),
    row(
        "date-without-zone-in-london",
        "A date attribute without a zone is read by London's clock.",
        shown=lambda core, value, time, instant: (
            instant
            - (3_600_000_000 if re.match("\\d{4}-0[4-9]-\\d\\d[T ]\\d\\d:\\d\\d:\\d\\d$", value) is not None else 0)
        ),
    ),
    row(
        "date-past-2038-wrapped",
        "A date attribute after 2038 wraps around 32 bits.",
        shown=lambda core, value, time, instant: (
            instant - 2**32 * 1_000_000 if instant >= 2**31 * 1_000_000 else instant
        ),
    ),
    row(
        "date-offset-dropped",
        "The offset of a date-like attribute is dropped.",
        shown=lambda core, value, time, instant: instant + (time.offset_minutes or 0) * MINUTE,
    ),
    row(
        "date-an-hour-early",
        "A date-like attribute is an hour early.",
        shown=lambda core, value, time, instant: instant - HOUR,
    ),
    row(
        "date-time-of-day-dropped",
        "The time of day of a date-like attribute is dropped.",
        shown=lambda core, value, time, instant: instant // DAY * DAY,
    ),
    row(
        "date-without-zone-as-local",
        "A date-like attribute without a zone is read five hours west of UTC.",
        shown=lambda core, value, time, instant: instant + (0 if time.zoned else 300 * MINUTE),
    ),
    row(
        "date-future-as-now",
        "A date-like attribute in the future becomes the current time.",
        shown=lambda core, value, time, instant: min(instant, int(core.clock() * SECOND)),
    ),
)
def _date(shown: Callable[[Core, str, times.TimeText, int], int]) -> type[Core]:
    """Shows another instant for a date-like attribute."""

    class Date(Core):
        def show_date(self, value: str, time: times.TimeText) -> Any:
            if time.instant is None:
                return super().show_date(value, time)
            instant = shown(self, value, time, time.instant)
            return (
                super().show_date(value, time) if instant == time.instant else times.write_time(instant, "utc-millis")
            )

    return Date


# --- time -----------------------------------------------------------------------------------------------------
@fault("nested-time-day-only", "Of a time inside an object only the day is kept.", "TS-OBJECT-TIME")
class _NestedTimeDayOnly(Core):
    def take_object(self, task: WriteTask, name: str, current: Any, value: dict[str, Any]) -> Any:
        taken = super().take_object(task, name, current, value)
        if not isinstance(taken, dict):
            return taken
        return {k: {"$time": v["$time"][:10]} if isinstance(v, dict) and "$time" in v else v for k, v in taken.items()}


# --- date-like attributes -------------------------------------------------------------------------------------


@fault("date-as-epoch", "A date-like attribute is shown as a number of seconds.", "TS-ATTR-DATE")
class _DateAsEpoch(Core):
    def show_date(self, value: str, time: times.TimeText) -> Any:
        return super().show_date(value, time) if time.instant is None else time.instant // SECOND


overriding("keep_string", "TS-ATTR-DATE-RANGE", module=__name__)(
    row(
        "date-dropped",
        "A date-like attribute is not stored.",
        "TS-ATTR-DATE",
        "TS-OK-SHOWS",
        result=lambda right: (
            UNCHANGED if isinstance(right, str) and times.is_date_like(right, limits.OBJECT_LIMITS.years) else right
        ),
    ),
    row(
        "far-date-dropped",
        "A date beyond the year 3000 is not stored.",
        "TS-ATTR-DATE-RANGE",
        "TS-OK-SHOWS",
        result=lambda right: UNCHANGED if _far(right) else right,
    ),
    row(
        "far-date-as-3000",
        "A date beyond the year 3000 becomes the end of 3000.",
        result=lambda right: "3000-12-31T23:59:59.999Z" if _far(right) else right,
    ),
    row(
        "far-date-cut-to-the-year",
        "A date beyond the year 3000 is cut to its year.",
        result=lambda right: right[:4] if _far(right) else right,
    ),
)
