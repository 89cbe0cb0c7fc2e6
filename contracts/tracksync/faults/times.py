"""Faults of times: earliest and latest, zones, the future, date-like attributes."""

from __future__ import annotations

from typing import Any

from tracksync.faults.registry import fault
from tracksync.mock import limits
from tracksync.mock.call import UNCHANGED, Call, Refused, WriteTask
from tracksync.mock.core import Core
from tracksync.mock.profiles import Activity, Profile
from tracksync.values import times

SECOND = 1_000_000
MINUTE = 60 * SECOND
HOUR = 60 * MINUTE
DAY = 24 * HOUR


def _now(call: Call) -> int:
    return int(call.now * SECOND)


# --- first and last ---------------------------------------------------------------------------------------------
@fault("event-first-by-arrival")
class _EventFirstByArrival(Core):
    def first_after(self, task: WriteTask, before: Activity, instant: int) -> int:
        return before.first if task.section == "events" else super().first_after(task, before, instant)


@fault("event-last-by-arrival")
class _EventLastByArrival(Core):
    def last_after(self, task: WriteTask, before: Activity, instant: int) -> int:
        return instant if task.section == "events" else super().last_after(task, before, instant)


@fault("purchase-first-by-arrival")
class _PurchaseFirstByArrival(Core):
    def first_after(self, task: WriteTask, before: Activity, instant: int) -> int:
        return before.first if task.section == "purchases" else super().first_after(task, before, instant)


@fault("purchase-last-by-arrival")
class _PurchaseLastByArrival(Core):
    def last_after(self, task: WriteTask, before: Activity, instant: int) -> int:
        return instant if task.section == "purchases" else super().last_after(task, before, instant)


@fault("first-is-the-latest-arrival")
class _FirstIsTheLatestArrival(Core):
    def first_after(self, task: WriteTask, before: Activity, instant: int) -> int:
        return instant


@fault("last-stays")
class _LastStays(Core):
    def last_after(self, task: WriteTask, before: Activity, instant: int) -> int:
        return before.last


@fault("purchase-last-stays")
class _PurchaseLastStays(Core):
    def last_after(self, task: WriteTask, before: Activity, instant: int) -> int:
        return before.last if task.section == "purchases" else super().last_after(task, before, instant)


@fault("recorded-as-now")
class _RecordedAsNow(Core):
    def recorded(self, call: Call, task: WriteTask) -> int:
        return _now(call)


@fault("purchase-recorded-as-now")
class _PurchaseRecordedAsNow(Core):
    def recorded(self, call: Call, task: WriteTask) -> int:
        return _now(call) if task.section == "purchases" else super().recorded(call, task)


@fault("last-shown-as-now")
class _LastShownAsNow(Core):
    def tally_shown(self, task: WriteTask, label: str, name: Any, tally: Activity) -> dict[str, Any]:
        shown = super().tally_shown(task, label, name, tally)
        return shown | {"last": self.write_time(int(self.clock() * SECOND), task.offset)}


@fault("milliseconds-dropped")
class _MillisecondsDropped(Core):
    def recorded(self, call: Call, task: WriteTask) -> int:
        return super().recorded(call, task) // SECOND * SECOND


@fault("seconds-dropped")
class _SecondsDropped(Core):
    def recorded(self, call: Call, task: WriteTask) -> int:
        return super().recorded(call, task) // MINUTE * MINUTE


@fault("day-only")
class _DayOnly(Core):
    def recorded(self, call: Call, task: WriteTask) -> int:
        return super().recorded(call, task) // DAY * DAY


@fault("time-before-1970-as-1970")
class _TimeBefore1970As1970(Core):
    def recorded(self, call: Call, task: WriteTask) -> int:
        return max(0, super().recorded(call, task))


@fault("last-shared-between-events")
class _LastSharedBetweenEvents(Core):
    def write_event(self, call: Call, task: WriteTask, profile: Profile) -> None:
        super().write_event(call, task, profile)
        if len(profile.events) > 1:
            latest = max(tally.last for tally in profile.events.values())
            profile.events[task.name].last = latest


# --- zones ------------------------------------------------------------------------------------------------------
class _Zone(Core):
    """Reads the zone of a time wrongly."""

    def shift(self, text: times.TimeText) -> int:
        """Minutes by which an instant is off."""
        return 0

    def instant_of(self, written: str, text: times.TimeText) -> int | None:
        instant = super().instant_of(written, text)
        return None if instant is None else instant + self.shift(text) * MINUTE


@fault("offset-dropped")
class _OffsetDropped(_Zone):
    def shift(self, text: times.TimeText) -> int:
        return super().shift(text) + (text.offset_minutes or 0)


@fault("offset-with-the-wrong-sign")
class _OffsetWithTheWrongSign(_Zone):
    def shift(self, text: times.TimeText) -> int:
        return super().shift(text) + 2 * (text.offset_minutes or 0)


@fault("offset-in-whole-hours")
class _OffsetInWholeHours(_Zone):
    def shift(self, text: times.TimeText) -> int:
        offset = text.offset_minutes or 0
        return super().shift(text) + offset - int(offset / 60) * 60


@fault("negative-offset-dropped")
class _NegativeOffsetDropped(_Zone):
    def shift(self, text: times.TimeText) -> int:
        return super().shift(text) + min(0, text.offset_minutes or 0)


@fault("no-zone-as-local")
class _NoZoneAsLocal(_Zone):
    def shift(self, text: times.TimeText) -> int:
        return super().shift(text) + (0 if text.zoned else 300)


@fault("offset-shown-unconverted")
class _OffsetShownUnconverted(Core):
    def write_time(self, instant: int, offset: int) -> Any:
        return times.write_time(instant + offset * MINUTE, "utc-millis")


# --- the future -------------------------------------------------------------------------------------------------
@fault("event-future-kept")
class _EventFutureKept(Core):
    def recorded(self, call: Call, task: WriteTask) -> int:
        return task.instant if task.section == "events" else super().recorded(call, task)


@fault("purchase-future-kept")
class _PurchaseFutureKept(Core):
    def recorded(self, call: Call, task: WriteTask) -> int:
        return task.instant if task.section == "purchases" else super().recorded(call, task)


@fault("near-future-kept")
class _NearFutureKept(Core):
    def recorded(self, call: Call, task: WriteTask) -> int:
        return task.instant if task.instant < _now(call) + 365 * DAY else super().recorded(call, task)


@fault("future-refused")
class _FutureRefused(Core):
    def recorded(self, call: Call, task: WriteTask) -> int:
        if task.instant > _now(call) + DAY:
            raise Refused(400, message="'time' lies in the future")
        return super().recorded(call, task)


@fault("future-as-1970")
class _FutureAs1970(Core):
    def recorded(self, call: Call, task: WriteTask) -> int:
        return 0 if task.instant > _now(call) else super().recorded(call, task)


@fault("future-not-counted")
class _FutureNotCounted(Core):
    def tally(self, task: WriteTask, held: dict[str, Activity], name: str, instant: int, amount: int) -> None:
        known = name in held and task.instant > int(self.clock() * SECOND)
        super().tally(task, held, name, instant, 0 if known else amount)


# --- date-like attributes ---------------------------------------------------------------------------------------
class _Date(Core):
    """Shows another instant for a date-like attribute."""

    def moved(self, time: times.TimeText, instant: int) -> int:
        """The instant that is shown instead."""
        return instant

    def show_date(self, value: str, time: times.TimeText) -> Any:
        if time.instant is None:
            return super().show_date(value, time)
        moved = self.moved(time, time.instant)
        return super().show_date(value, time) if moved == time.instant else times.write_time(moved, "utc-millis")


@fault("date-offset-dropped")
class _DateOffsetDropped(_Date):
    def moved(self, time: times.TimeText, instant: int) -> int:
        return super().moved(time, instant) + (time.offset_minutes or 0) * MINUTE


@fault("date-an-hour-early")
class _DateAnHourEarly(_Date):
    def moved(self, time: times.TimeText, instant: int) -> int:
        return super().moved(time, instant) - HOUR


@fault("date-time-of-day-dropped")
class _DateTimeOfDayDropped(_Date):
    def moved(self, time: times.TimeText, instant: int) -> int:
        return super().moved(time, instant) // DAY * DAY


@fault("date-without-zone-as-local")
class _DateWithoutZoneAsLocal(_Date):
    def moved(self, time: times.TimeText, instant: int) -> int:
        return super().moved(time, instant) + (0 if time.zoned else 300 * MINUTE)


@fault("date-future-as-now")
class _DateFutureAsNow(_Date):
    def moved(self, time: times.TimeText, instant: int) -> int:
        return min(super().moved(time, instant), int(self.clock() * SECOND))


@fault("date-as-epoch")
class _DateAsEpoch(Core):
    def show_date(self, value: str, time: times.TimeText) -> Any:
        return super().show_date(value, time) if time.instant is None else time.instant // SECOND


@fault("date-dropped")
class _DateDropped(Core):
    def keep_string(self, task: WriteTask, name: str, current: Any, value: str) -> Any:
        kept = super().keep_string(task, name, current, value)
        return UNCHANGED if isinstance(kept, str) and times.is_date_like(kept, limits.OBJECT_LIMITS.years) else kept


def _far(value: Any) -> bool:
    return isinstance(value, str) and (times.read_time(value).year or 0) > 3000


@fault("far-date-dropped")
class _FarDateDropped(Core):
    def keep_string(self, task: WriteTask, name: str, current: Any, value: str) -> Any:
        kept = super().keep_string(task, name, current, value)
        return UNCHANGED if _far(kept) else kept


@fault("far-date-as-3000")
class _FarDateAs3000(Core):
    def keep_string(self, task: WriteTask, name: str, current: Any, value: str) -> Any:
        kept = super().keep_string(task, name, current, value)
        return "3000-12-31T23:59:59.999Z" if _far(kept) else kept


@fault("far-date-cut-to-the-year")
class _FarDateCutToTheYear(Core):
    def keep_string(self, task: WriteTask, name: str, current: Any, value: str) -> Any:
        kept = super().keep_string(task, name, current, value)
        return kept[:4] if _far(kept) else kept
