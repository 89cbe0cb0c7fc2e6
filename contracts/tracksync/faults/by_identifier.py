"""Faults that show for one kind of identifier only, or only after another kind of request."""

from __future__ import annotations

from typing import Any

from tracksync.faults.registry import fault, overriding, row
from tracksync.mock.call import MISSING, UNCHANGED, Call, WriteResult, WriteTask
from tracksync.mock.core import Core
from tracksync.mock.profiles import Profile


# --- values ---------------------------------------------------------------------------------------------------
@fault("merge-flag-appends-arrays", "With _merge_objects an array is appended to the one before.", "TS-ARRAY-SET")
class _MergeFlagAppendsArrays(Core):
    def take_array(self, task: WriteTask, name: str, current: Any, value: list[Any]) -> Any:
        if self.merges(task) and isinstance(current, list):
            value = [*current, *(one for one in value if one not in current)]
        return super().take_array(task, name, current, value)


overriding("increment", module=__name__)(
    row(
        "merge-flag-loses-sums",
        "With _merge_objects a sum is not applied.",
        "TS-STATE-KEYS-APART",
        "TS-STATE-VISIBLE",
        when=lambda server, task: server.merges(task),
        result=lambda: UNCHANGED,
    ),
    row(
        "update-only-loses-sums",
        "With _update_existing_only a sum is not applied.",
        "TS-STATE-VISIBLE",
        when=lambda task, current: task.item.get("_update_existing_only") is False and current is not MISSING,
        result=lambda: UNCHANGED,
    ),
    row(
        "sum-by-alias-twice",
        "A sum by alias is added twice.",
        "TS-ATTR-INC",
        "TS-STATE-KEYS-APART",
        given=lambda task, amount: {"amount": amount * 2 if task.who.kind == "user_alias" else amount},
    ),
    row(
        "sum-by-phone-ignored",
        "A sum by phone is not applied.",
        "TS-USER-PHONE-FINDS",
        "TS-STATE-KEYS-APART",
        when=lambda task: task.who.kind == "phone",
        result=lambda: UNCHANGED,
    ),
)


overriding("take_null", "TS-ATTR-NULL", module=__name__)(
    row(
        "removal-by-email-ignored",
        "Null by email removes nothing.",
        when=lambda task, current: task.who.kind == "email" and current is not MISSING,
        result=lambda current: current,
    ),
    row(
        "removal-by-alias-ignored",
        "Null by alias removes nothing.",
        when=lambda task, current: task.who.kind == "user_alias" and current is not MISSING,
        result=lambda current: current,
    ),
)


# --- state ----------------------------------------------------------------------------------------------------
@fault(
    "attributes-after-an-event-lost",
    "The first attributes after an event are not stored.",
    "TS-STATE-KEYS-APART",
    "TS-STATE-USERS-APART",
    "TS-ATTR-INC",
)
class _AttributesAfterAnEventLost(Core):
    def write(self, call: Call, task: WriteTask, profile: Profile, created: bool) -> WriteResult:
        first = task.section == "attributes" and not profile.attributes and bool(profile.events)
        outcome = super().write(call, task, profile, created)
        if first and not profile.fields.get("seen"):
            profile.fields["seen"] = True
            profile.attributes = {}
        return outcome


class _Followed(Core):
    """Forgets what a request wrote, the first time that one section follows another for a user."""

    followed = ("", "")

    def write(self, call: Call, task: WriteTask, profile: Profile, created: bool) -> WriteResult:
        before = profile.snapshot()
        outcome = super().write(call, task, profile, created)
        marks = profile.fields.setdefault("marks", {})
        if (marks.get("last"), task.section) == self.followed and not marks.get("done"):
            marks["done"] = True
            self._lose(profile, before)
        marks["last"] = task.section
        return outcome

    def _lose(self, profile: Profile, before: Profile) -> None:
        """Forget what was just written."""
        kept = dict(profile.events), dict(profile.purchases)
        profile.restore(before)
        for held, now in ((profile.events, kept[0]), (profile.purchases, kept[1])):
            for name in now:  # a name that was not there has to be there to be shown
                held.setdefault(name, now[name])


@fault("event-after-attributes-lost", "The first event after attributes is not stored.", "TS-EVENT-COUNT")
class _EventAfterAttributesLost(_Followed):
    followed = ("attributes", "events")


@fault(
    "purchase-clears-the-attribute-of-its-name",
    "A purchase removes the attribute that is called like its product.",
    "TS-STATE-KEYS-APART",
)
class _PurchaseClearsTheAttributeOfItsName(Core):
    def write_purchase(self, call: Call, task: WriteTask, profile: Profile) -> None:
        super().write_purchase(call, task, profile)
        profile.attributes.pop(task.name, None)


@fault("removal-clears-events", "Removing an attribute forgets the events.", "TS-EVENT-COUNT")
class _RemovalClearsEvents(Core):
    def write_attributes(self, task: WriteTask, profile: Profile, outcome: WriteResult) -> None:
        super().write_attributes(task, profile, outcome)
        if any(value is None for value in task.item.values()):
            profile.events.clear()


@fault("another-email-clears-attributes", "Another email forgets the attributes.", "TS-USER-EMAIL-FINDS")
class _AnotherEmailClearsAttributes(Core):
    def write_field(self, task: WriteTask, profile: Profile, name: str, value: Any) -> None:
        if name == "email" and profile.email not in (None, value):
            profile.attributes.clear()
        super().write_field(task, profile, name, value)


@fault("another-email-clears-events", "Another email forgets the events.", "TS-USER-EMAIL-FINDS")
class _AnotherEmailClearsEvents(Core):
    def write_field(self, task: WriteTask, profile: Profile, name: str, value: Any) -> None:
        if name == "email" and profile.email not in (None, value):
            profile.events.clear()
        super().write_field(task, profile, name, value)


@fault("profile-field-clears-attributes", "Removing a profile field forgets the attributes.", "TS-STATE-KEYS-APART")
class _ProfileFieldClearsAttributes(Core):
    def write_field(self, task: WriteTask, profile: Profile, name: str, value: Any) -> None:
        super().write_field(task, profile, name, value)
        if value is None:
            profile.attributes.clear()


overriding("count_after", module=__name__)(
    row(
        "events-by-phone-twice",
        "An event by phone counts twice.",
        "TS-EVENT-COUNT",
        "TS-USER-PHONE-FINDS",
        when=lambda task: task.section == "events" and task.who.kind == "phone",
        given=lambda amount: {"amount": amount * 2},
    ),
    row(
        "purchases-by-email-twice",
        "A purchase by email counts twice.",
        "TS-PURCHASE-COUNT",
        "TS-STATE-USERS-APART",
        when=lambda task: task.section == "purchases" and task.who.kind == "email",
        given=lambda amount: {"amount": amount * 2},
    ),
)


@fault(
    "purchase-by-alias-first-by-arrival",
    "first of a purchase by alias is the time of the latest to arrive.",
    "TS-PURCHASE-FIRST",
)
class _PurchaseByAliasFirstByArrival(Core):
    def first_after(self, task: WriteTask, before: Any, instant: int) -> int:
        if task.section == "purchases" and task.who.kind == "user_alias":
            return instant
        return super().first_after(task, before, instant)
