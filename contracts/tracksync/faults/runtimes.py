"""Faults that languages and their libraries bring along: what a number, a date, an empty object or a name becomes."""

from __future__ import annotations

import re
import unicodedata
from datetime import UTC, datetime
from typing import Any
from urllib.parse import unquote_plus

from tracksync.faults.registry import fault
from tracksync.mock.call import UNCHANGED, Call, Detail, Refused, WriteTask
from tracksync.mock.core import Core
from tracksync.mock.profiles import Profile
from tracksync.values import times

MINUTE = 60_000_000
DIGITS_OF_A_FRACTION = re.compile(r"\.(\d+)")


# --- texts ------------------------------------------------------------------------------------------------------
def _spoil(name: str, change: Any) -> None:
    """Enter a fault that stores a changed string."""

    class _SpoiledNumber(Core):
        def keep_string(self, task: WriteTask, name: str, current: Any, value: str) -> Any:
            kept = super().keep_string(task, name, current, value)
            return change(kept) if isinstance(kept, str) else kept

    fault(name)(_SpoiledNumber)


_spoil("string-url-decoded", unquote_plus)
_spoil("string-zero-width-dropped", lambda text: re.sub("[\u200b-\u200d\u2060\ufeff]", "", text))
_spoil("string-variation-selectors-dropped", lambda text: re.sub("[\ufe00-\ufe0f]", "", text))
_spoil("string-control-characters-dropped", lambda text: re.sub("[\x01-\x08\x0e-\x1f\x7f]", "", text))


# --- numbers ----------------------------------------------------------------------------------------------------
@fault("integer-to-fifteen-digits")
class _IntegerToFifteenDigits(Core):
    def take_integer(self, task: WriteTask, name: str, current: Any, value: int) -> Any:
        return (
            int(f"{value:.14e}".partition("e")[0].replace(".", "")) * 10 ** (len(str(abs(value))) - 15)
            if (abs(value) >= 10**15)
            else value
        )


@fault("exponent-refused")
class _ExponentRefused(Core):
    def take_float(self, task: WriteTask, name: str, current: Any, value: float) -> Any:
        if "e" in repr(value):
            raise Refused(400, Detail(f"'{name}' is not valid", task.section, task.index))
        return super().take_float(task, name, current, value)


@fault("large-fraction-lost")
class _LargeFractionLost(Core):
    def take_float(self, task: WriteTask, name: str, current: Any, value: float) -> Any:
        return UNCHANGED if abs(value) > 3.4e38 else super().take_float(task, name, current, value)


@fault("count-in-a-signed-byte")
class _CountInASignedByte(Core):
    def count_after(self, task: WriteTask, count: int, amount: int) -> int:
        right = super().count_after(task, count, amount)
        return right - 128 if right > 127 else right


@fault("count-in-a-byte")
class _CountInAByte(Core):
    def count_after(self, task: WriteTask, count: int, amount: int) -> int:
        right = super().count_after(task, count, amount)
        return right - 255 if right > 255 else right


# --- arrays and objects -----------------------------------------------------------------------------------------
class _Kept(Core):
    """Stores another array or object than the one that was sent; edits are left alone."""

    def take_object(self, task: WriteTask, name: str, current: Any, value: dict[str, Any]) -> Any:
        taken = super().take_object(task, name, current, value)
        return self.kept(taken) if isinstance(taken, dict) else taken

    def take_array(self, task: WriteTask, name: str, current: Any, value: list[Any]) -> Any:
        taken = super().take_array(task, name, current, value)
        return [self.kept(element) for element in taken] if isinstance(taken, list) else taken

    def kept(self, value: Any) -> Any:
        """What is stored instead."""
        return value


@fault("numeric-keys-make-a-list")
class _NumericKeysMakeAList(_Kept):
    def kept(self, value: Any) -> Any:
        if not isinstance(value, dict):
            return value
        inner = {key: self.kept(held) for key, held in value.items()}
        return list(inner.values()) if inner and list(inner) == [str(n) for n in range(len(inner))] else inner


@fault("empty-object-as-list")
class _EmptyObjectAsList(_Kept):
    def kept(self, value: Any) -> Any:
        if not isinstance(value, dict):
            return value
        return {key: self.kept(held) for key, held in value.items()} if value else []


@fault("object-six-levels")
class _ObjectSixLevels(_Kept):
    def kept(self, value: Any) -> Any:
        return self.__cut(value, 1)

    def __cut(self, value: Any, depth: int) -> Any:
        if not isinstance(value, dict):
            return value
        return {key: self.__cut(held, depth + 1) for key, held in value.items()} if depth <= 6 else "[Object]"


@fault("array-booleans-as-numbers")
class _ArrayBooleansAsNumbers(_Kept):
    def kept(self, value: Any) -> Any:
        return int(value) if isinstance(value, bool) else value


@fault("array-fractions-cut-off")
class _ArrayFractionsCutOff(_Kept):
    def kept(self, value: Any) -> Any:
        return int(value) if isinstance(value, float) else value


@fault("attribute-called-constructor-lost")
class _AttributeCalledConstructorLost(Core):
    def write_custom(self, task: WriteTask, profile: Profile, name: str, value: Any) -> Any:
        return UNCHANGED if name in ("constructor", "toString") else super().write_custom(task, profile, name, value)


@fault("attribute-called-length-counted")
class _AttributeCalledLengthCounted(Core):
    def write_custom(self, task: WriteTask, profile: Profile, name: str, value: Any) -> Any:
        return super().write_custom(task, profile, name, len(profile.attributes) if name == "length" else value)


# --- spelling ---------------------------------------------------------------------------------------------------
def _respell(name: str, kinds: tuple[str, ...], change: Any) -> None:
    """Enter a fault that keeps identifiers or names of these kinds in another spelling."""

    class _RespelledName(Core):
        def spell(self, kind: str, text: str) -> str:
            spelled = super().spell(kind, text)
            return str(change(spelled)) if kind in kinds else spelled

    fault(name)(_RespelledName)


_respell("attribute-name-composed", ("attribute",), lambda text: unicodedata.normalize("NFC", text))
_respell("product-composed", ("product",), lambda text: unicodedata.normalize("NFC", text))
_respell("alias-trimmed", ("alias_name",), str.strip)
_respell(
    "email-dots-dropped", ("email",), lambda text: text.partition("@")[0].replace(".", "") + text[text.find("@") :]
)


# --- counts -----------------------------------------------------------------------------------------------------
@fault("count-by-currency")
class _CountByCurrency(Core):
    def read_purchase(self, task: WriteTask) -> None:
        super().read_purchase(task)
        task.name = f"{task.name} {task.item.get('currency')}"


@fault("count-by-app")
class _CountByApp(Core):
    def read_event(self, task: WriteTask) -> None:
        super().read_event(task)
        task.name = f"{task.name} {task.item['app_id']}" if task.item.get("app_id") else task.name


@fault("events-with-properties-apart")
class _EventsWithPropertiesApart(Core):
    def read_event(self, task: WriteTask) -> None:
        super().read_event(task)
        task.name = f"{task.name} with properties" if task.item.get("properties") else task.name


@fault("events-of-one-day-count-once")
class _EventsOfOneDayCountOnce(Core):
    __days: frozenset[tuple[str, str, int]] = frozenset()

    def write_event(self, call: Call, task: WriteTask, profile: Profile) -> None:
        day = (profile.braze_id, task.name, task.instant // (24 * 60 * MINUTE))
        if day not in self.__days:
            super().write_event(call, task, profile)
        self.__days |= {day}


@fault("refund-not-counted")
class _RefundNotCounted(Core):
    def count_after(self, task: WriteTask, count: int, amount: int) -> int:
        price = task.item.get("price")
        return (
            count
            if count and isinstance(price, (int, float)) and price < 0
            else super().count_after(task, count, amount)
        )


# --- times ------------------------------------------------------------------------------------------------------
class _Misread(Core):
    """Reads times wrongly."""

    def instant_of(self, written: str, text: times.TimeText) -> int | None:
        instant = super().instant_of(written, text)
        return None if instant is None else self.misread(written, text, instant)

    def misread(self, written: str, text: times.TimeText, instant: int) -> int | None:
        """The instant that is taken instead."""
        return instant


@fault("offset-beyond-twelve-hours-dropped")
class _OffsetBeyondTwelveHoursDropped(_Misread):
    def misread(self, written: str, text: times.TimeText, instant: int) -> int | None:
        offset = text.offset_minutes or 0
        return instant + offset * MINUTE if abs(offset) > 720 else instant


@fault("offset-in-half-hours")
class _OffsetInHalfHours(_Misread):
    def misread(self, written: str, text: times.TimeText, instant: int) -> int | None:
        return instant + (text.offset_minutes or 0) % 30 * MINUTE


@fault("leap-day-refused")
class _LeapDayRefused(_Misread):
    def misread(self, written: str, text: times.TimeText, instant: int) -> int | None:
        return None if "-02-29" in written else instant


@fault("century-leap-day-as-march")
class _CenturyLeapDayAsMarch(_Misread):
    def misread(self, written: str, text: times.TimeText, instant: int) -> int | None:
        return instant + 24 * 60 * MINUTE if written.startswith("2000-02-29") else instant


@fault("fraction-as-milliseconds")
class _FractionAsMilliseconds(_Misread):
    """`.25` is taken for 25 milliseconds."""

    def misread(self, written: str, text: times.TimeText, instant: int) -> int | None:
        digits = DIGITS_OF_A_FRACTION.search(written)
        return instant - instant % 1_000_000 + int(digits[1]) * 1000 if digits else instant


@fault("fraction-of-six-digits-refused")
class _FractionOfSixDigitsRefused(_Misread):
    def misread(self, written: str, text: times.TimeText, instant: int) -> int | None:
        digits = DIGITS_OF_A_FRACTION.search(written)
        return None if digits and len(digits[1]) > 3 else instant


@fault("purchase-offset-dropped")
class _PurchaseOffsetDropped(Core):
    def recorded(self, call: Call, task: WriteTask) -> int:
        recorded = super().recorded(call, task)
        return recorded + task.offset * MINUTE if task.section == "purchases" else recorded


def _reshow(name: str, change: Any) -> None:
    """Enter a fault that shows a recorded moment as another one."""

    class _Reshown(Core):
        def write_time(self, instant: int, offset: int) -> Any:
            if not 0 <= instant < 4_000_000_000 * 1_000_000:
                return super().write_time(instant, offset)
            moment = datetime.fromtimestamp(instant // 1_000_000, UTC)
            changed = int(change(moment).timestamp()) * 1_000_000 + instant % 1_000_000
            return super().write_time(changed, offset)

    fault(name)(_Reshown)


def _week_year(moment: datetime) -> datetime:
    year = moment.isocalendar().year
    return moment if year == moment.year else moment.replace(year=year)


_reshow("week-year-shown", _week_year)
_reshow("twelve-hours-shown", lambda moment: moment.replace(hour=moment.hour % 12))
