"""Faults of keeping users, attributes, events and products apart, and of refusals that leave something."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from typing import Any

from tracksync.faults.registry import fault, faults, read_leniently, row, without
from tracksync.mock.call import UNCHANGED, Call, Refused, WriteResult, WriteTask
from tracksync.mock.core import Core
from tracksync.mock.profiles import Profile

SYNC_PATH = "/users/track/sync"


def _refused_with(status: int) -> Callable[[Call], bool]:
    return lambda call: call.status == status and call.path == SYNC_PATH and call.request.method == "POST"


def _wrong_url(call: Call) -> bool:
    return call.status == 404 and not call.known_path


@faults("TS-STATE-REFUSED")(
    row(
        "applied-despite-400",
        "A request refused with 400 is applied as far as it can be read.",
        when=_refused_with(400),
    ),
    row("applied-despite-401", "A request refused with 401 is applied.", when=_refused_with(401)),
    row("applied-despite-403", "A request refused with 403 is applied.", when=_refused_with(403)),
    row("applied-despite-404", "A request refused with 404 is applied.", when=_wrong_url),
    row("applied-despite-429", "A request refused with 429 is applied.", when=_refused_with(429)),
)
def _applied(when: Callable[[Call], bool]) -> type[Core]:
    """Refuses a request and applies it all the same."""

    class Applied(Core):
        def refuse(self, call: Call, refusal: Refused) -> Any:
            body = super().refuse(call, refusal)
            task = read_leniently(self, call) if when(call) else None
            if task is not None:
                self.carry_out(call, task)
            return body

    return Applied


@fault("written-beside-a-refused-email", "Attributes beside a refused email are written.", "TS-STATE-REFUSED")
class _WrittenBesideARefusedEmail(Core):
    def examine(self, call: Call, section: str, index: int, item: Any) -> WriteTask:
        try:
            return super().examine(call, section, index, item)
        except Refused:
            if section == "attributes" and isinstance(item, dict) and "email" in item:
                with suppress(Refused):
                    self.perform(call, super().examine(call, section, index, without(item, "email")))
            raise


@faults("TS-USER-UPDATE-ONLY")(
    row(
        "user-created-despite-400",
        "A request refused with 400 creates its user.",
        "TS-STATE-REFUSED",
        "TS-USER-UPDATE-ONLY",
        when=_refused_with(400),
    ),
    row("user-created-despite-401", "A request refused with 401 creates its user.", when=_refused_with(401)),
    row("user-created-despite-403", "A request refused with 403 creates its user.", when=_refused_with(403)),
    row("user-created-despite-404", "A request to a wrong URL creates its user.", when=_wrong_url),
)
def _created(when: Callable[[Call], bool]) -> type[Core]:
    """Refuses a request and creates its user, without anything else."""

    class Created(Core):
        def refuse(self, call: Call, refusal: Refused) -> Any:
            body = super().refuse(call, refusal)
            task = read_leniently(self, call) if when(call) else None
            if task is not None and task.create and self.lookup(task.who) is None:
                self.store.create(task.who.kind, task.who.key)
            return body

    return Created


@fault(
    "refusal-empties-the-user",
    "A request refused with 400 wipes its user's data.",
    "TS-STATE-REFUSED",
    "TS-OK-SHOWS",
    "TS-EVENT-COUNT",
    "TS-PURCHASE-COUNT",
)
class _RefusalEmptiesTheUser(Core):
    def refuse(self, call: Call, refusal: Refused) -> Any:
        body = super().refuse(call, refusal)
        task = read_leniently(self, call) if call.status == 400 else None
        profile = None if task is None else self.find(task)
        if profile is not None:
            profile.attributes.clear()
            profile.events.clear()
            profile.purchases.clear()
        return body


# --- other users ----------------------------------------------------------------------------------------------
@fault(
    "written-to-the-one-before",
    "Every third write goes to the user of the request before as well.",
    "TS-STATE-USERS-APART",
)
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


@fault(
    "values-of-the-one-before-shown",
    "An attribute that the request before also named is shown with that one's value.",
    "TS-OK-SHOWS",
    "TS-STATE-USERS-APART",
)
class _ValuesOfTheOneBeforeShown(Core):
    __before: dict[str, Any] | None = None

    def attributes_shown(self, task: WriteTask, outcome: WriteResult, profile: Profile) -> dict[str, Any]:
        shown = super().attributes_shown(task, outcome, profile)
        before, self.__before = self.__before or {}, dict(shown)
        return {name: before.get(name, value) for name, value in shown.items()}


@fault(
    "attributes-shared-between-users",
    "A write to an attribute changes it for all users that have it.",
    "TS-STATE-USERS-APART",
)
class _AttributesSharedBetweenUsers(Core):
    def write_custom(self, task: WriteTask, profile: Profile, name: str, value: Any) -> Any:
        result = super().write_custom(task, profile, name, value)
        for other in self.store:
            if name in other.attributes and name in profile.attributes:
                other.attributes[name] = profile.attributes[name]
        return result


@fault("new-user-inherits", "A new user begins with the data of the latest one.", "TS-STATE-USERS-APART")
class _NewUserInherits(Core):
    def create(self, task: WriteTask) -> Profile:
        donor = max(self.store, key=lambda held: held.updated, default=None)
        profile = super().create(task)
        if donor is not None:
            held = donor.snapshot()
            profile.attributes, profile.events, profile.purchases = held.attributes, held.events, held.purchases
        return profile


@fault("removal-for-every-user", "Removing an attribute removes it from all users.", "TS-STATE-USERS-APART")
class _RemovalForEverybody(Core):
    def take_null(self, task: WriteTask, name: str, current: Any) -> Any:
        for profile in self.store:
            profile.attributes.pop(name, None)
        return super().take_null(task, name, current)


# --- other attributes, events, products -----------------------------------------------------------------------
@fault("write-clears-other-attributes", "A write replaces all attributes of the user.", "TS-STATE-KEYS-APART")
class _WriteClearsOtherAttributes(Core):
    def write_attributes(self, task: WriteTask, profile: Profile, outcome: WriteResult) -> None:
        super().write_attributes(task, profile, outcome)
        profile.attributes = {name: held for name, held in profile.attributes.items() if name in task.item}


@fault(
    "write-drops-the-next-attribute", "A write drops the attribute that follows in the alphabet.", "TS-STATE-KEYS-APART"
)
class _WriteDropsTheNextAttribute(Core):
    def write_custom(self, task: WriteTask, profile: Profile, name: str, value: Any) -> Any:
        result = super().write_custom(task, profile, name, value)
        later = sorted(held for held in profile.attributes if held > name and held not in task.item)
        if later:
            del profile.attributes[later[0]]
        return result


@fault("write-touches-the-same-prefix", "A write changes attributes whose names begin alike.", "TS-STATE-KEYS-APART")
class _WriteTouchesTheSamePrefix(Core):
    def write_custom(self, task: WriteTask, profile: Profile, name: str, value: Any) -> Any:
        result = super().write_custom(task, profile, name, value)
        if result is not UNCHANGED and name in profile.attributes:
            for held in profile.attributes:
                if held.startswith(name) and held not in task.item:
                    profile.attributes[held] = profile.attributes[name]
        return result


@fault(
    "removal-of-the-same-prefix", "Removing an attribute removes those whose names begin alike.", "TS-STATE-KEYS-APART"
)
class _RemovalOfTheSamePrefix(Core):
    def write_custom(self, task: WriteTask, profile: Profile, name: str, value: Any) -> Any:
        result = super().write_custom(task, profile, name, value)
        if value is None:
            for held in [held for held in profile.attributes if held.startswith(name) and held not in task.item]:
                del profile.attributes[held]
        return result


@fault("event-clears-attributes", "An event wipes the attributes of its user.", "TS-STATE-KEYS-APART")
class _EventClearsAttributes(Core):
    def write_event(self, call: Call, task: WriteTask, profile: Profile) -> None:
        super().write_event(call, task, profile)
        profile.attributes.clear()


@fault(
    "event-counts-as-purchase",
    "An event raises the counts of the user's purchases.",
    "TS-STATE-KEYS-APART",
    "TS-PURCHASE-COUNT",
)
class _EventCountsAsPurchase(Core):
    def write_event(self, call: Call, task: WriteTask, profile: Profile) -> None:
        super().write_event(call, task, profile)
        for tally in profile.purchases.values():
            tally.count += 1


@fault(
    "purchase-counts-as-event",
    "A purchase raises the counts of the user's events.",
    "TS-STATE-KEYS-APART",
    "TS-EVENT-COUNT",
)
class _PurchaseCountsAsEvent(Core):
    def write_purchase(self, call: Call, task: WriteTask, profile: Profile) -> None:
        super().write_purchase(call, task, profile)
        for tally in profile.events.values():
            tally.count += 1


@fault(
    "event-counts-all-events",
    "An event raises the counts of the user's other events.",
    "TS-STATE-KEYS-APART",
    "TS-EVENT-COUNT",
)
class _EventCountsAllEvents(Core):
    def write_event(self, call: Call, task: WriteTask, profile: Profile) -> None:
        super().write_event(call, task, profile)
        for name, tally in profile.events.items():
            if name != task.name:
                tally.count += 1


@fault("event-resets-the-others", "An event wipes the user's other events.", "TS-STATE-KEYS-APART", "TS-EVENT-COUNT")
class _EventResetsTheOthers(Core):
    def write_event(self, call: Call, task: WriteTask, profile: Profile) -> None:
        super().write_event(call, task, profile)
        profile.events = {task.name: profile.events[task.name]}


@fault(
    "purchase-resets-the-others",
    "A purchase wipes the user's other products.",
    "TS-STATE-KEYS-APART",
    "TS-PURCHASE-COUNT",
)
class _PurchaseResetsTheOthers(Core):
    def write_purchase(self, call: Call, task: WriteTask, profile: Profile) -> None:
        super().write_purchase(call, task, profile)
        profile.purchases = {task.name: profile.purchases[task.name]}


@fault(
    "property-clears-attributes",
    "An event or purchase with properties wipes the attributes of its user.",
    "TS-STATE-KEYS-APART",
)
class _PropertyClearsAttributes(Core):
    def write(self, call: Call, task: WriteTask, profile: Profile, created: bool) -> WriteResult:
        if task.section != "attributes" and task.item.get("properties"):
            profile.attributes.clear()
        return super().write(call, task, profile, created)
