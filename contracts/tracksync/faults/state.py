"""Faults of memory: stored or not, visible or not, in the right place and at the right time."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tracksync.faults.registry import fault, salvage
from tracksync.mock.call import UNCHANGED, Call, Refused, WriteResult, WriteTask
from tracksync.mock.core import Core
from tracksync.mock.profiles import Profile


# --- right answer, nothing stored -------------------------------------------------------------------------------
def _forget(name: str, when: Callable[[WriteTask, Profile], bool]) -> None:
    """Enter a fault that answers rightly and then takes the update back."""

    class _Forgetful(Core):
        def complete(self, call: Call, task: WriteTask) -> Any:
            held = self.find(task)
            before = held.snapshot() if held is not None and when(task, held) else None
            body = super().complete(call, task)
            if held is not None and before is not None:
                held.restore(before)
            return body

    fault(name)(_Forgetful)


def _non_ascii(task: WriteTask) -> bool:
    return any(not name.isascii() for name in task.item)


def _edits(task: WriteTask) -> bool:
    return any(isinstance(value, dict) and value.keys() <= {"add", "remove"} for value in task.item.values())


_forget("attributes-not-stored", lambda task, held: task.section == "attributes")
_forget("events-not-stored", lambda task, held: task.section == "events")
_forget("purchases-not-stored", lambda task, held: task.section == "purchases")
_forget("not-stored-for-aliases", lambda task, held: task.who.kind == "user_alias")
_forget("not-stored-for-emails", lambda task, held: task.who.kind == "email")
_forget("not-stored-for-phones", lambda task, held: task.who.kind == "phone")
_forget("not-stored-for-braze-ids", lambda task, held: task.who.kind == "braze_id")
_forget("not-stored-with-both-contacts", lambda task, held: bool(task.item.get("email") and task.item.get("phone")))
_forget("not-stored-for-non-ascii-names", lambda task, held: _non_ascii(task))
_forget("array-edits-not-stored", lambda task, held: _edits(task))
_forget(
    "second-update-not-stored",
    lambda task, held: task.section == "attributes" and any(name in held.attributes for name in task.item),
)
_forget("second-event-not-stored", lambda task, held: task.name in held.events and held.events[task.name].count == 1)
_forget(
    "third-event-not-stored",
    lambda task, held: task.section == "events" and task.name in held.events and held.events[task.name].count == 2,
)


@fault("new-user-not-kept")
class _NewUserNotKept(Core):
    def complete(self, call: Call, task: WriteTask) -> Any:
        body = super().complete(call, task)
        outcome = call.outcome
        if outcome is not None and outcome.created and outcome.profile is not None and task.section != "attributes":
            self.store.delete(outcome.profile)
        return body


@fault("one-in-ten-not-stored")
class _OneInTenNotStored(Core):
    __writes = 0

    def complete(self, call: Call, task: WriteTask) -> Any:
        held = self.find(task)
        before = None if held is None else held.snapshot()
        body = super().complete(call, task)
        self.__writes += 1
        if held is not None and before is not None and self.__writes % 10 == 0:
            held.restore(before)
        return body


# --- stored, answer stale ---------------------------------------------------------------------------------------
@fault("attributes-shown-stale")
class _AttributesShownStale(Core):
    __before: dict[str, Any] | None = None

    def write_attributes(self, task: WriteTask, profile: Profile, outcome: WriteResult) -> None:
        self.__before = dict(profile.attributes)
        super().write_attributes(task, profile, outcome)

    def attributes_shown(self, task: WriteTask, outcome: WriteResult, profile: Profile) -> dict[str, Any]:
        shown = super().attributes_shown(task, outcome, profile)
        before = self.__before or {}
        return {name: self.show_value(name, before[name]) if name in before else held for name, held in shown.items()}


@fault("arrays-shown-stale")
class _ArraysShownStale(Core):
    __before: dict[str, Any] | None = None

    def write_attributes(self, task: WriteTask, profile: Profile, outcome: WriteResult) -> None:
        self.__before = dict(profile.attributes)
        super().write_attributes(task, profile, outcome)

    def attributes_shown(self, task: WriteTask, outcome: WriteResult, profile: Profile) -> dict[str, Any]:
        shown = super().attributes_shown(task, outcome, profile)
        before = self.__before or {}
        return {
            name: before[name] if isinstance(before.get(name), list) and isinstance(held, list) else held
            for name, held in shown.items()
        }


@fault("counts-shown-stale")
class _CountsShownStale(Core):
    def count_shown(self, task: WriteTask, count: int) -> Any:
        behind = count - 1 if task.section == "events" and count > 1 else count
        return super().count_shown(task, behind)


@fault("request-echoed")
class _RequestEchoed(Core):
    def attributes_shown(self, task: WriteTask, outcome: WriteResult, profile: Profile) -> dict[str, Any]:
        shown = super().attributes_shown(task, outcome, profile)
        return shown | {name: task.item[name] for name in outcome.named if task.item[name] is not None}


# --- late, twice, lost ------------------------------------------------------------------------------------------
@fault("applied-one-request-late")
class _AppliedOneRequestLate(Core):
    __waiting: Callable[[], None] | None = None

    def complete(self, call: Call, task: WriteTask) -> Any:
        waiting, self.__waiting = self.__waiting, None
        held = self.find(task)
        before = None if held is None else held.snapshot()
        body = super().complete(call, task)
        if held is not None and before is not None:
            held.restore(before)
            self.__waiting = lambda: self.carry_out(call, task)
        if waiting is not None:
            waiting()
        return body


@fault("applied-late")
class _AppliedLate(Core):
    def complete(self, call: Call, task: WriteTask) -> Any:
        held = self.find(task)
        before = None if held is None else held.snapshot()
        body = super().complete(call, task)
        if held is not None and before is not None:
            held.restore(before)
            self.later(call.now, lambda: self.carry_out(call, task))
        return body


@fault("applied-twice-now-and-then")
class _AppliedTwiceNowAndThen(Core):
    __writes = 0

    def complete(self, call: Call, task: WriteTask) -> Any:
        body = super().complete(call, task)
        self.__writes += 1
        if self.__writes % 8 == 0:
            self.carry_out(call, task)
        return body


@fault("applied-again-later")
class _AppliedAgainLater(Core):
    def complete(self, call: Call, task: WriteTask) -> Any:
        body = super().complete(call, task)
        if task.section != "attributes":
            self.later(call.now, lambda: self.carry_out(call, task))
        return body


@fault("purchase-twice-for-aliases")
class _PurchaseTwiceForAliases(Core):
    def write_purchase(self, call: Call, task: WriteTask, profile: Profile) -> None:
        super().write_purchase(call, task, profile)
        if task.who.kind == "user_alias":
            super().write_purchase(call, task, profile)


@fault("twenty-users-kept")
class _TwentyUsersKept(Core):
    def create(self, task: WriteTask) -> Profile:
        profile = super().create(task)
        if len(self.store) > 20:
            self.store.delete(min(self.store, key=lambda held: held.updated))
        return profile


@fault("ten-attributes-kept")
class _TenAttributesKept(Core):
    def write_attributes(self, task: WriteTask, profile: Profile, outcome: WriteResult) -> None:
        super().write_attributes(task, profile, outcome)
        while len(profile.attributes) > 10:
            profile.attributes.pop(next(name for name in profile.attributes))


@fault("memory-lost-at-the-minute")
class _MemoryLostAtTheMinute(Core):
    __minute = 0

    def open_call(self, request: Any, now: float) -> Call:
        minute = int(now // 60)
        if minute != self.__minute:
            self.__minute = minute
            for profile in list(self.store):
                profile.attributes.clear()
        return super().open_call(request, now)


# --- applied although refused -----------------------------------------------------------------------------------
def _despite(name: str, *statuses: int) -> None:
    """Enter a fault that refuses with one of these statuses and applies all the same."""

    class _Despite(Core):
        def refuse(self, call: Call, refusal: Refused) -> Any:
            body = super().refuse(call, refusal)
            if call.status in statuses and call.path == "/users/track/sync" and call.request.method == "POST":
                task = salvage(self, call)
                if task is not None:
                    self.carry_out(call, task)
            return body

    fault(name)(_Despite)


_despite("applied-despite-400", 400)
_despite("applied-despite-401", 401)
_despite("applied-despite-403", 403)
_despite("applied-despite-429", 429)


@fault("applied-despite-404")
class _AppliedDespite404(Core):
    def refuse(self, call: Call, refusal: Refused) -> Any:
        body = super().refuse(call, refusal)
        if call.status == 404 and not call.known_path:
            task = salvage(self, call)
            if task is not None:
                self.carry_out(call, task)
        return body


@fault("user-created-despite-400")
class _UserCreatedDespite400(Core):
    def refuse(self, call: Call, refusal: Refused) -> Any:
        body = super().refuse(call, refusal)
        task = salvage(self, call) if call.status == 400 else None
        if task is not None and task.create and self.find(task) is None:
            self.create(task)
        return body


@fault("refusal-empties-the-user")
class _RefusalEmptiesTheUser(Core):
    def refuse(self, call: Call, refusal: Refused) -> Any:
        body = super().refuse(call, refusal)
        task = salvage(self, call) if call.status == 400 else None
        profile = None if task is None else self.find(task)
        if profile is not None:
            profile.attributes.clear()
            profile.events.clear()
            profile.purchases.clear()
        return body


# --- other users ------------------------------------------------------------------------------------------------
@fault("written-to-the-one-before")
class _WrittenToTheOneBefore(Core):
    __before: Profile | None = None
    __writes = 0

    def write(self, call: Call, task: WriteTask, profile: Profile, created: bool) -> WriteResult:
        outcome = super().write(call, task, profile, created)
        self.__writes += 1
        if self.__before is not None and self.__before is not profile and self.__writes % 3 == 0:
            super().write(call, task, self.__before, False)
        self.__before = profile
        return outcome


@fault("values-of-the-one-before-shown")
class _ValuesOfTheOneBeforeShown(Core):
    __before: dict[str, Any] | None = None

    def attributes_shown(self, task: WriteTask, outcome: WriteResult, profile: Profile) -> dict[str, Any]:
        shown = super().attributes_shown(task, outcome, profile)
        before, self.__before = self.__before or {}, dict(shown)
        return {name: before.get(name, value) for name, value in shown.items()}


@fault("attributes-shared-between-users")
class _AttributesSharedBetweenUsers(Core):
    def write_custom(self, task: WriteTask, profile: Profile, name: str, value: Any) -> Any:
        result = super().write_custom(task, profile, name, value)
        for other in self.store:
            if name in other.attributes and name in profile.attributes:
                other.attributes[name] = profile.attributes[name]
        return result


@fault("new-user-inherits")
class _NewUserInherits(Core):
    def create(self, task: WriteTask) -> Profile:
        donor = max(self.store, key=lambda held: held.updated, default=None)
        profile = super().create(task)
        if donor is not None:
            held = donor.snapshot()
            profile.attributes, profile.events, profile.purchases = held.attributes, held.events, held.purchases
        return profile


@fault("removal-for-everybody")
class _RemovalForEverybody(Core):
    def take_null(self, task: WriteTask, name: str, current: Any) -> Any:
        for profile in self.store:
            profile.attributes.pop(name, None)
        return super().take_null(task, name, current)


# --- other attributes, events, products -------------------------------------------------------------------------
@fault("write-clears-other-attributes")
class _WriteClearsOtherAttributes(Core):
    def write_attributes(self, task: WriteTask, profile: Profile, outcome: WriteResult) -> None:
        super().write_attributes(task, profile, outcome)
        profile.attributes = {name: held for name, held in profile.attributes.items() if name in task.item}


@fault("write-drops-the-next-attribute")
class _WriteDropsTheNextAttribute(Core):
    def write_custom(self, task: WriteTask, profile: Profile, name: str, value: Any) -> Any:
        result = super().write_custom(task, profile, name, value)
        later = sorted(held for held in profile.attributes if held > name and held not in task.item)
        if later:
            del profile.attributes[later[0]]
        return result


@fault("write-touches-the-same-prefix")
class _WriteTouchesTheSamePrefix(Core):
    def write_custom(self, task: WriteTask, profile: Profile, name: str, value: Any) -> Any:
        result = super().write_custom(task, profile, name, value)
        if result is not UNCHANGED and name in profile.attributes:
            for held in profile.attributes:
                if held.startswith(name) and held not in task.item:
                    profile.attributes[held] = profile.attributes[name]
        return result


@fault("removal-of-the-same-prefix")
class _RemovalOfTheSamePrefix(Core):
    def write_custom(self, task: WriteTask, profile: Profile, name: str, value: Any) -> Any:
        result = super().write_custom(task, profile, name, value)
        if value is None:
            for held in [held for held in profile.attributes if held.startswith(name) and held not in task.item]:
                del profile.attributes[held]
        return result


@fault("event-clears-attributes")
class _EventClearsAttributes(Core):
    def write_event(self, call: Call, task: WriteTask, profile: Profile) -> None:
        super().write_event(call, task, profile)
        profile.attributes.clear()


@fault("event-counts-as-purchase")
class _EventCountsAsPurchase(Core):
    def write_event(self, call: Call, task: WriteTask, profile: Profile) -> None:
        super().write_event(call, task, profile)
        for tally in profile.purchases.values():
            tally.count += 1


@fault("purchase-counts-as-event")
class _PurchaseCountsAsEvent(Core):
    def write_purchase(self, call: Call, task: WriteTask, profile: Profile) -> None:
        super().write_purchase(call, task, profile)
        for tally in profile.events.values():
            tally.count += 1


@fault("event-counts-all-events")
class _EventCountsAllEvents(Core):
    def write_event(self, call: Call, task: WriteTask, profile: Profile) -> None:
        super().write_event(call, task, profile)
        for name, tally in profile.events.items():
            if name != task.name:
                tally.count += 1


@fault("event-resets-the-others")
class _EventResetsTheOthers(Core):
    def write_event(self, call: Call, task: WriteTask, profile: Profile) -> None:
        super().write_event(call, task, profile)
        profile.events = {task.name: profile.events[task.name]}


@fault("purchase-resets-the-others")
class _PurchaseResetsTheOthers(Core):
    def write_purchase(self, call: Call, task: WriteTask, profile: Profile) -> None:
        super().write_purchase(call, task, profile)
        profile.purchases = {task.name: profile.purchases[task.name]}


@fault("property-clears-attributes")
class _PropertyClearsAttributes(Core):
    def write(self, call: Call, task: WriteTask, profile: Profile, created: bool) -> WriteResult:
        if task.section != "attributes" and task.item.get("properties"):
            profile.attributes.clear()
        return super().write(call, task, profile, created)
