"""Faults of times that do not exist: they are accepted, and numbers are in place of times."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from tracksync.faults.registry import faults, row
from tracksync.mock.call import WriteTask
from tracksync.mock.core import Core

EPOCH: Final = datetime(1970, 1, 1)
SECOND: Final = 1_000_000  # in microseconds
ISO: Final = re.compile(r"(\d{4})-(\d\d)-(\d\d)T(\d\d):(\d\d):(\d\d)(?:Z|([+-])(\d\d):(\d\d))?", re.ASCII)
VALID: Final = ("TS-EVENT-TIME-VALID", "TS-PURCHASE-TIME-REQUIRED")


@dataclass(frozen=True, slots=True)
class Fields:
    """The numbers of an ISO 8601 text, whether or not such a time exists.

    `zone` is in minutes, `zone_minute` its last part.
    """

    year: int
    month: int
    day: int
    hour: int
    minute: int
    second: int
    zone: int
    zone_minute: int

    def instant(self) -> int:
        """The instant in microseconds that results when each field carries over into the next."""
        year, month = self.year + (self.month - 1) // 12, (self.month - 1) % 12 + 1
        rest = timedelta(days=self.day - 1, hours=self.hour, minutes=self.minute - self.zone, seconds=self.second)
        return int((datetime(year, month, 1) + rest - EPOCH) / timedelta(microseconds=1))


def _fields(text: str) -> Fields | None:
    found = ISO.fullmatch(text)
    if found is None:
        return None
    *numbers, sign, hours, minutes = found.groups()
    zone = (int(hours) * 60 + int(minutes)) * (-1 if sign == "-" else 1) if sign else 0
    year, month, day, hour, minute, second = map(int, numbers)
    return Fields(year, month, day, hour, minute, second, zone, int(minutes or 0))


@faults(*VALID)(
    row("february-30-accepted", "30 February is taken for 2 March.", wrong=lambda at: (at.month, at.day) == (2, 30)),
    row(
        "leap-day-of-a-common-year-accepted",
        "29 February of a year without one is taken for 1 March.",
        wrong=lambda at: (at.month, at.day) == (2, 29) and at.year % 4 > 0,
    ),
    row(
        "leap-day-of-1900-accepted",
        "29 February 1900 is taken for 1 March.",
        wrong=lambda at: (at.year, at.month, at.day) == (1900, 2, 29),
    ),
    row(
        "day-31-of-a-short-month-accepted",
        "The 31st of a month of 30 days is taken for the first of the next one.",
        wrong=lambda at: at.month in (4, 6, 9, 11) and at.day == 31,
    ),
    row("day-32-accepted", "The 32nd of a month is taken for a day of the next one.", wrong=lambda at: at.day > 31),
    row("day-0-accepted", "The day 00 is taken for the last of the month before.", wrong=lambda at: at.day == 0),
    row("month-13-accepted", "The month 13 is taken for January.", wrong=lambda at: at.month > 12),
    row("month-0-accepted", "The month 00 is taken for December.", wrong=lambda at: at.month == 0),
    row("hour-25-accepted", "The hour 25 is taken for an hour of the next day.", wrong=lambda at: at.hour > 24),
    row("minute-60-accepted", "The minute 60 is taken for the next hour.", wrong=lambda at: at.minute > 59),
    row("second-61-accepted", "The second 61 is taken for the next minute.", wrong=lambda at: at.second > 60),
    row("zone-25-accepted", "A zone of 25 hours is taken.", wrong=lambda at: abs(at.zone) > 24 * 60),
    row(
        "zone-minutes-99-accepted",
        "A zone of 99 minutes beyond the hour is taken.",
        wrong=lambda at: at.zone_minute > 59,
    ),
)
def _rolled_over(wrong: Callable[[Fields], Any]) -> type[Core]:
    """Accepts times that are wrong in one way, and carries their fields over."""

    class RolledOver(Core):
        def refuse_time(self, task: WriteTask, value: Any) -> int:
            at = _fields(value) if isinstance(value, str) else None
            taken = at is not None and 1 < at.year < 9999 and wrong(at)  # so that no field carries over into year 0
            return at.instant() if at is not None and taken else super().refuse_time(task, value)

    return RolledOver


@faults("TS-EVENT-TIME-VALID", "TS-REFUSE-TYPE")(
    row(
        "event-time-as-seconds-accepted",
        "A number in place of an event's time is taken for seconds since the epoch.",
        beyond="the documents name the type and no consequence: ambiguity coerced-types",
        section="events",
        scale=SECOND,
    ),
    row(
        "event-time-as-milliseconds-accepted",
        "A number in place of an event's time is taken for milliseconds since the epoch.",
        beyond="the documents name the type and no consequence: ambiguity coerced-types",
        section="events",
        scale=1000,
    ),
    row(
        "purchase-time-as-seconds-accepted",
        "A number in place of a purchase's time is taken for seconds since the epoch.",
        "TS-PURCHASE-TIME-REQUIRED",
        "TS-REFUSE-TYPE",
        beyond="the documents name the type and no consequence: ambiguity coerced-types",
        section="purchases",
        scale=SECOND,
    ),
)
def _number(section: str, scale: int) -> type[Core]:
    """Accepts a number in place of a time, and applies the request under that instant."""

    class Number(Core):
        def read_time(self, task: WriteTask) -> None:
            value = task.item.get("time")
            if task.section == section and isinstance(value, (int, float)) and not isinstance(value, bool):
                task.instant = int(value * scale)
                return
            super().read_time(task)

    return Number


@faults(*VALID)(
    row(
        "time-as-digits-accepted",
        "A text of ten digits is taken for seconds since the epoch.",
        beyond="the documents name the type and no consequence: ambiguity coerced-types",
        form=r"\d{10}",
        read=lambda text: int(text) * SECOND,
    ),
    row("time-now-accepted", 'The text "now" is taken for a time.', form="now", read=lambda text: 0),
    row(
        "time-empty-date-accepted",
        "The time 0000-00-00 is taken for the epoch.",
        form="0000-00-00.*",
        read=lambda text: 0,
    ),
    row("time-of-words-accepted", "Words without a digit are taken for the epoch.", form=r"\D+", read=lambda text: 0),
)
def _text(form: str, read: Callable[[str], int]) -> type[Core]:
    """Accepts texts of one form that is not a documented form of times."""

    class Text(Core):
        def refuse_time(self, task: WriteTask, value: Any) -> int:
            taken = isinstance(value, str) and re.fullmatch(form, value, re.ASCII) is not None
            return read(value) if taken else super().refuse_time(task, value)

    return Text
