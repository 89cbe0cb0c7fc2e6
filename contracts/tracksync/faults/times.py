"""Faults of times: earliest and latest, zones, the future."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, Final

from tracksync.faults.registry import fault, faults, overriding, row
from tracksync.mock.call import Call, Refused, WriteTask
from tracksync.mock.core import Core
from tracksync.mock.profiles import Activity, Profile
from tracksync.values import times

SECOND: Final = 1_000_000  # in microseconds
MINUTE: Final = 60 * SECOND
DAY: Final = 24 * 60 * MINUTE
YEAR_1900: Final = -2_208_988_800 * SECOND
DIGITS_OF_A_FRACTION: Final = re.compile(r"\.(\d+)")


def _week_year(moment: datetime) -> datetime:
    year = moment.isocalendar().year
    return moment if year == moment.year else moment.replace(year=year)


def _now(call: Call) -> int:
    return int(call.now * SECOND)


# Records an event or purchase under another instant.
overriding("recorded", "TS-EVENT-LAST", "TS-EVENT-FIRST", "TS-PURCHASE-LAST", module=__name__)(
    row(
        "time-before-1900-as-1900",
        "A time before 1900 is recorded as its first moment.",
        "TS-EVENT-FIRST",
        result=lambda right: max(right, YEAR_1900),
    ),
    row(
        "purchase-time-before-1970-as-1970",
        "A purchase before 1970 is recorded at the epoch.",
        "TS-PURCHASE-FIRST",
        result=lambda right, task: max(right, 0) if task.section == "purchases" else right,
    ),
    row(
        "purchase-offset-dropped",
        "The offset of a purchase's time is ignored.",
        "TS-PURCHASE-FIRST",
        "TS-PURCHASE-LAST",
        result=lambda right, task: right + task.offset * MINUTE if task.section == "purchases" else right,
    ),
    row(
        "recorded-as-now",
        "Everything is recorded as of the current time.",
        "TS-EVENT-FIRST",
        "TS-EVENT-LAST",
        "TS-PURCHASE-FIRST",
        "TS-PURCHASE-LAST",
        "TS-EVENT-OFFSET",
        "TS-EVENT-NO-ZONE",
        result=lambda call: _now(call),
    ),
    row(
        "purchase-recorded-as-now",
        "Purchases are recorded as of the current time.",
        "TS-PURCHASE-FIRST",
        "TS-PURCHASE-LAST",
        result=lambda right, call, task: _now(call) if task.section == "purchases" else right,
    ),
    row("milliseconds-dropped", "Milliseconds of times are dropped.", result=lambda right: right // SECOND * SECOND),
    row("seconds-dropped", "Seconds of times are dropped.", result=lambda right: right // MINUTE * MINUTE),
    row("day-only", "Times are cut to the day.", result=lambda right: right // DAY * DAY),
    row(
        "time-before-1970-as-1970",
        "Times before 1970 are recorded as 1970.",
        "TS-EVENT-FIRST",
        "TS-PURCHASE-FIRST",
        result=lambda right: max(0, right),
    ),
    row(
        "event-future-kept",
        "An event in the future keeps its time.",
        "TS-EVENT-FUTURE",
        result=lambda right, task: task.instant if task.section == "events" else right,
    ),
    row(
        "purchase-future-kept",
        "A purchase in the future keeps its time.",
        "TS-PURCHASE-FUTURE",
        result=lambda right, task: task.instant if task.section == "purchases" else right,
    ),
    row(
        "near-future-kept",
        "A time within the coming year keeps its time.",
        "TS-EVENT-FUTURE",
        "TS-PURCHASE-FUTURE",
        result=lambda right, call, task: task.instant if task.instant < _now(call) + 365 * DAY else right,
    ),
    row(
        "future-as-1970",
        "A time in the future is recorded as 1970.",
        "TS-EVENT-FUTURE",
        "TS-EVENT-FIRST",
        result=lambda right, call, task: 0 if task.instant > _now(call) else right,
    ),
    row(
        "future-refused",
        "A time in the future is refused with 400.",
        "TS-EVENT-FUTURE",
        "TS-OK-STATUS",
        when=lambda call, task: task.instant > _now(call) + DAY,
        refusal=lambda: Refused(400, message="'time' lies in the future"),
    ),
)


# Keeps another earliest time.
overriding("first_after", "TS-EVENT-FIRST", module=__name__)(
    row(
        "first-by-arrival-for-emails",
        "first of an event by email stays that of the first to arrive.",
        result=lambda right, task, before: before.first if task.who.kind == "email" else right,
    ),
    row(
        "event-first-by-arrival",
        "An event's first is the time that arrived first.",
        result=lambda right, task, before: before.first if task.section == "events" else right,
    ),
    row(
        "purchase-first-by-arrival",
        "A product's first is the time that arrived first.",
        "TS-PURCHASE-FIRST",
        result=lambda right, task, before: before.first if task.section == "purchases" else right,
    ),
    row(
        "first-is-the-latest-arrival",
        "first follows every arrival.",
        "TS-EVENT-FIRST",
        "TS-PURCHASE-FIRST",
        result=lambda instant: instant,
    ),
)


@faults("TS-EVENT-OFFSET")(
    row(
        "offset-beyond-twelve-hours-dropped",
        "An offset of more than twelve hours is ignored.",
        read=lambda written, text, instant: (
            instant + (text.offset_minutes or 0) * MINUTE if abs(text.offset_minutes or 0) > 720 else instant
        ),
    ),
    row(
        "offset-in-half-hours",
        "An offset is rounded down to half hours.",
        read=lambda written, text, instant: instant + (text.offset_minutes or 0) % 30 * MINUTE,
    ),
    row(
        "leap-day-refused",
        "A time on 29 February is refused.",
        "TS-EVENT-TIME-VALID",
        "TS-OK-STATUS",
        read=lambda written, text, instant: None if "-02-29" in written else instant,
    ),
    row(
        "century-leap-day-as-march",
        "29 February 2000 is taken for 1 March.",
        "TS-EVENT-FIRST",
        "TS-EVENT-LAST",
        read=lambda written, text, instant: instant + 24 * 60 * MINUTE if written.startswith("2000-02-29") else instant,
    ),
    row(
        "fraction-as-milliseconds",
        "The digits of a second's fraction are taken for milliseconds.",
        "TS-EVENT-FIRST",
        "TS-EVENT-LAST",
        read=lambda written, text, instant: (
            instant - instant % SECOND + int(digits[1]) * 1000
            if (digits := DIGITS_OF_A_FRACTION.search(written))
            else instant
        ),
    ),
    row(
        "fraction-of-six-digits-refused",
        "A time with microseconds is refused.",
        "TS-OK-STATUS",
        read=lambda written, text, instant: (
            None if (digits := DIGITS_OF_A_FRACTION.search(written)) and len(digits[1]) > 3 else instant
        ),
    ),
    row(
        "leap-days-after-2000-refused",
        "29 February of 2004 and later is refused.",
        "TS-OK-STATUS",
        read=lambda written, text, instant: None if re.match("20(?!00)[0-9]{2}-02-29", written) else instant,
    ),
    row(
        "offset-dropped-at-the-turn-of-a-year",
        "The offset of a time late on 31 December is dropped.",
        "TS-EVENT-OFFSET",
        "TS-EVENT-FIRST",
        read=lambda written, text, at: at + ("-12-31T23" in written) * (text.offset_minutes or 0) * MINUTE,
    ),
)
def _read(read: Callable[[str, times.TimeText, int], int | None]) -> type[Core]:
    """Reads a time as another instant, or not at all."""

    class Read(Core):
        def instant_of(self, written: str, text: times.TimeText) -> int | None:
            instant = super().instant_of(written, text)
            return None if instant is None else read(written, text, instant)

    return Read


@faults()(
    row(
        "week-year-shown",
        "The year of a time is shown as that of its week.",
        "TS-EVENT-FIRST",
        "TS-EVENT-LAST",
        "TS-PURCHASE-FIRST",
        change=_week_year,
    ),
    row(
        "twelve-hours-shown",
        "Hours are shown by a clock of twelve.",
        "TS-EVENT-FIRST",
        "TS-EVENT-LAST",
        change=lambda moment: moment.replace(hour=moment.hour % 12),
    ),
)
def _reshow(change: Any) -> type[Core]:
    """Shows a recorded moment as another one."""

    class _Reshown(Core):
        def write_time(self, instant: int, offset: int) -> Any:
            if not 0 <= instant < 4_000_000_000 * 1_000_000:
                return super().write_time(instant, offset)
            moment = datetime.fromtimestamp(instant // 1_000_000, UTC)
            changed = int(change(moment).timestamp()) * 1_000_000 + instant % 1_000_000
            return super().write_time(changed, offset)

    return _Reshown


# Keeps another latest time.
overriding("last_after", "TS-PURCHASE-LAST", module=__name__)(
    row(
        "event-last-by-arrival",
        "An event's last is the time that arrived last.",
        "TS-EVENT-LAST",
        result=lambda right, task, instant: instant if task.section == "events" else right,
    ),
    row(
        "purchase-last-by-arrival",
        "A product's last is the time that arrived last.",
        result=lambda right, task, instant: instant if task.section == "purchases" else right,
    ),
    row(
        "last-stays",
        "last stays at the first time that arrived.",
        "TS-EVENT-LAST",
        "TS-PURCHASE-LAST",
        result=lambda before: before.last,
    ),
    row(
        "purchase-last-stays",
        "A product's last stays at the first time that arrived.",
        result=lambda right, task, before: before.last if task.section == "purchases" else right,
    ),
)


@faults("TS-EVENT-OFFSET")(
    row("offset-dropped", "The offset of a time is dropped.", minutes=lambda text: text.offset_minutes or 0),
    row(
        "offset-with-the-wrong-sign",
        "The offset of a time is added in place of subtracted.",
        minutes=lambda text: 2 * (text.offset_minutes or 0),
    ),
    row(
        "offset-in-whole-hours",
        "The minutes of an offset are dropped.",
        minutes=lambda text: (text.offset_minutes or 0) - int((text.offset_minutes or 0) / 60) * 60,
    ),
    row(
        "negative-offset-dropped",
        "A negative offset is dropped.",
        "TS-EVENT-OFFSET",
        "TS-PURCHASE-FIRST",
        minutes=lambda text: min(0, text.offset_minutes or 0),
    ),
    row(
        "no-zone-as-local",
        "A time without a zone is read five hours west of UTC.",
        "TS-EVENT-NO-ZONE",
        minutes=lambda text: 0 if text.zoned else 300,
    ),
)
def _zone(minutes: Callable[[times.TimeText], int]) -> type[Core]:
    """Reads the zone of a time wrongly: the instant is off by some minutes."""

    class Zone(Core):
        def instant_of(self, written: str, text: times.TimeText) -> int | None:
            instant = super().instant_of(written, text)
            return None if instant is None else instant + minutes(text) * MINUTE

    return Zone


# --- first and last -------------------------------------------------------------------------------------------
@fault(
    "last-shared-between-events",
    "An event's last is that of the user's latest event of any name.",
    "TS-EVENT-LAST",
    "TS-STATE-KEYS-APART",
)
class _LastSharedBetweenEvents(Core):
    def write_event(self, call: Call, task: WriteTask, profile: Profile) -> None:
        super().write_event(call, task, profile)
        if len(profile.events) > 1:
            latest = max(tally.last for tally in profile.events.values())
            profile.events[task.name].last = latest


# --- zones ----------------------------------------------------------------------------------------------------


@fault(
    "offset-shown-unconverted", "Times are shown shifted by the request's offset and labelled UTC.", "TS-EVENT-OFFSET"
)
class _OffsetShownUnconverted(Core):
    def write_time(self, instant: int, offset: int) -> Any:
        return times.write_time(instant + offset * MINUTE, "utc-millis")


# --- the future -----------------------------------------------------------------------------------------------


@fault("future-not-counted", "A further event in the future is not counted.", "TS-EVENT-COUNT", "TS-EVENT-FUTURE")
class _FutureNotCounted(Core):
    def tally(self, task: WriteTask, held: dict[str, Activity], name: str, instant: int, amount: int) -> None:
        known = name in held and task.instant > int(self.clock() * SECOND)
        super().tally(task, held, name, instant, 0 if known else amount)
