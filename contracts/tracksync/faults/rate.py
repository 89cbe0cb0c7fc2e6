"""Faults of the rate window and its headers."""

from __future__ import annotations

from tracksync.faults.registry import fault
from tracksync.mock.call import Call, Refused
from tracksync.mock.core import Core
from tracksync.mock.rate import RateWindow

Headers = tuple[tuple[str, str], ...]


# --- headers ----------------------------------------------------------------------------------------------------
@fault("rate-headers-missing")
class _RateHeadersMissing(Core):
    def rate_headers(self, call: Call) -> Headers:
        return ()


def _headerless(name: str, *statuses: int) -> None:
    """Enter a fault that leaves the rate headers out of answers with these statuses."""

    class _Headerless(Core):
        def rate_headers(self, call: Call) -> Headers:
            return () if call.status in statuses else super().rate_headers(call)

    fault(name)(_Headerless)


_headerless("rate-headers-missing-on-400", 400)
_headerless("rate-headers-missing-on-401", 401)
_headerless("rate-headers-missing-on-403", 403)
_headerless("rate-headers-missing-on-404", 404, 405)
_headerless("rate-headers-missing-on-429", 429)


@fault("rate-reset-header-missing")
class _RateResetHeaderMissing(Core):
    def rate_headers(self, call: Call) -> Headers:
        return tuple(one for one in super().rate_headers(call) if one[0] != "x-ratelimit-reset")


@fault("rate-headers-as-words-on-401")
class _RateHeadersAsWordsOn401(Core):
    def rate_headers(self, call: Call) -> Headers:
        headers = super().rate_headers(call)
        return tuple((name, "null") for name, _ in headers) if call.status == 401 else headers


@fault("rate-headers-wrong-after-a-401")
class _RateHeadersWrongAfterA401(Core):
    __after = False

    def rate_headers(self, call: Call) -> Headers:
        after, self.__after = self.__after, call.status == 401
        headers = super().rate_headers(call)
        return tuple((name, "") for name, _ in headers) if after else headers


@fault("rate-headers-empty-on-403")
class _RateHeadersEmptyOn403(Core):
    def rate_headers(self, call: Call) -> Headers:
        headers = super().rate_headers(call)
        return tuple((name, "") for name, _ in headers) if call.status == 403 else headers


@fault("limit-with-unit")
class _LimitWithUnit(Core):
    def limit_shown(self, window: RateWindow) -> int | str:
        return f"{super().limit_shown(window)}/min"


@fault("remaining-as-fraction")
class _RemainingAsFraction(Core):
    def remaining_shown(self, window: RateWindow) -> int | str:
        return f"{super().remaining_shown(window)}.0"


@fault("reset-as-date")
class _ResetAsDate(Core):
    def reset_shown(self, window: RateWindow) -> int | str:
        return str(self.write_time(window.reset * 1_000_000, 0))


# --- limit ------------------------------------------------------------------------------------------------------
@fault("limit-shown-double")
class _LimitShownDouble(Core):
    def limit_shown(self, window: RateWindow) -> int | str:
        return 2 * window.limit


@fault("limit-shown-one-more")
class _LimitShownOneMore(Core):
    def limit_shown(self, window: RateWindow) -> int | str:
        return window.limit + 1


@fault("limit-changes")
class _LimitChanges(Core):
    def limit_shown(self, window: RateWindow) -> int | str:
        return window.limit if window.used < 20 else window.limit // 2


@fault("limit-shown-as-remaining")
class _LimitShownAsRemaining(Core):
    def limit_shown(self, window: RateWindow) -> int | str:
        return window.remaining


# --- remaining --------------------------------------------------------------------------------------------------
@fault("remaining-stuck")
class _RemainingStuck(Core):
    def remaining_shown(self, window: RateWindow) -> int | str:
        return window.limit - 1


@fault("remaining-every-other")
class _RemainingEveryOther(Core):
    def remaining_shown(self, window: RateWindow) -> int | str:
        return max(0, window.limit - 1 - window.used // 2)


@fault("remaining-rises")
class _RemainingRises(Core):
    def remaining_shown(self, window: RateWindow) -> int | str:
        return min(window.limit - 1, window.used)


@fault("remaining-one-more")
class _RemainingOneMore(Core):
    def remaining_shown(self, window: RateWindow) -> int | str:
        return window.limit - window.used + 1


@fault("remaining-negative")
class _RemainingNegative(Core):
    def remaining_shown(self, window: RateWindow) -> int | str:
        return window.remaining - 1


@fault("remaining-not-counted-for-events")
class _RemainingNotCountedForEvents(Core):
    def count_answer(self, call: Call) -> None:
        super().count_answer(call)
        if call.task is not None and call.task.section == "events" and call.window.used:
            call.window.used -= 1


@fault("remaining-of-a-fresh-window-on-429")
class _RemainingOfAFreshWindowOn429(Core):
    def rate_headers(self, call: Call) -> Headers:
        headers = super().rate_headers(call)
        if call.status != 429:
            return headers
        fresh = str(call.window.limit)
        return tuple((name, fresh if name == "x-ratelimit-remaining" else value) for name, value in headers)


# --- reset ------------------------------------------------------------------------------------------------------
@fault("reset-rolling")
class _ResetRolling(Core):
    def reset_shown(self, window: RateWindow) -> int | str:
        return int(self.clock()) + window.seconds


@fault("reset-in-milliseconds")
class _ResetInMilliseconds(Core):
    def reset_shown(self, window: RateWindow) -> int | str:
        return window.reset * 1000


@fault("reset-in-seconds-left")
class _ResetInSecondsLeft(Core):
    def reset_shown(self, window: RateWindow) -> int | str:
        return window.reset - int(self.clock())


@fault("reset-one-window-late")
class _ResetOneWindowLate(Core):
    def reset_shown(self, window: RateWindow) -> int | str:
        return window.reset + window.seconds


@fault("reset-in-the-past")
class _ResetInThePast(Core):
    def reset_shown(self, window: RateWindow) -> int | str:
        return window.start


@fault("reset-half-a-minute-off")
class _ResetHalfAMinuteOff(Core):
    def reset_shown(self, window: RateWindow) -> int | str:
        return window.reset - window.seconds // 2


@fault("window-rolling")
class _WindowRolling(Core):
    __began = 0.0

    def roll(self, window: RateWindow, now: float) -> None:
        if now - self.__began >= window.seconds:
            self.__began = now
            window.used = 0
        used = window.used
        super().roll(window, now)
        window.used = used


# --- 429 --------------------------------------------------------------------------------------------------------
@fault("limit-one-more-accepted")
class _LimitOneMoreAccepted(Core):
    def is_full(self, window: RateWindow) -> bool:
        return window.used > window.limit


@fault("limit-not-held")
class _LimitNotHeld(Core):
    def is_full(self, window: RateWindow) -> bool:
        return False


@fault("limit-one-less-accepted")
class _LimitOneLessAccepted(Core):
    def is_full(self, window: RateWindow) -> bool:
        return window.used >= window.limit - 1


@fault("half-the-limit-accepted")
class _HalfTheLimitAccepted(Core):
    def is_full(self, window: RateWindow) -> bool:
        return window.used >= window.limit // 2


@fault("early-429-now-and-then")
class _Early429NowAndThen(Core):
    def admit(self, call: Call) -> None:
        super().admit(call)
        if call.number % 25 == 0:
            self.refuse_rate(call)


@fault("still-429-after-the-reset")
class _Still429AfterTheReset(Core):
    __punished = 0.0

    def roll(self, window: RateWindow, now: float) -> None:
        full = self.is_full(window)
        super().roll(window, now)
        if full and not window.used:
            self.__punished = now + window.seconds / 2

    def admit(self, call: Call) -> None:
        super().admit(call)
        if call.now < self.__punished:
            self.refuse_rate(call)


@fault("over-the-limit-503")
class _OverTheLimit503(Core):
    def refuse_rate(self, call: Call) -> None:
        raise Refused(503, message="Service Unavailable")


@fault("over-the-limit-400")
class _OverTheLimit400(Core):
    def fatal_status(self, call: Call, refusal: Refused) -> int:
        status = super().fatal_status(call, refusal)
        return 400 if status == 429 else status
