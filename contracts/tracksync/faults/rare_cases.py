"""Faults off the beaten track: seldom kinds of identifiers, seldom sections, habits that only a second look shows."""

from __future__ import annotations

import re
from typing import Any, Final

from tracksync.faults.registry import fault, salvage
from tracksync.mock.call import MISSING, UNCHANGED, Call, Refused, WriteResult, WriteTask
from tracksync.mock.core import Core
from tracksync.mock.profiles import Profile, UserIdentity
from tracksync.values import times

YEAR_1900: Final = -2_208_988_800_000_000  # microseconds


# --- aliases and other identifiers ------------------------------------------------------------------------------
@fault("alias-label-cut-at-20")
class _AliasLabelCutAt20(Core):
    def alias_key(self, label: str, name: str) -> tuple[str, str]:
        return super().alias_key(label[:20], name)


@fault("alias-label-cut-at-128")
class _AliasLabelCutAt128(Core):
    def alias_key(self, label: str, name: str) -> tuple[str, str]:
        return super().alias_key(label[:128], name)


@fault("alias-label-in-any-case")
class _AliasLabelInAnyCase(Core):
    def alias_key(self, label: str, name: str) -> tuple[str, str]:
        return super().alias_key(label.casefold(), name)


@fault("alias-label-trimmed")
class _AliasLabelTrimmed(Core):
    def alias_key(self, label: str, name: str) -> tuple[str, str]:
        return super().alias_key(label.strip(), name)


@fault("alias-parts-run-together")
class _AliasPartsRunTogether(Core):
    def alias_key(self, label: str, name: str) -> tuple[str, str]:
        return super().alias_key("", label + name)


@fault("alias-name-then-label")
class _AliasNameThenLabel(Core):
    def alias_key(self, label: str, name: str) -> tuple[str, str]:
        return super().alias_key("", name + label)


@fault("alias-name-cut-at-100")
class _AliasNameCutAt100(Core):
    def alias_key(self, label: str, name: str) -> tuple[str, str]:
        return super().alias_key(label, name[:100])


class _Cut(Core):
    """Keeps the beginning of an identifier or name only."""

    cut_kind = ""
    cut_length = 128

    def spell(self, kind: str, text: str) -> str:
        spelt = super().spell(kind, text)
        return spelt[: self.cut_length] if kind == self.cut_kind else spelt


@fault("external-id-cut-at-128")
class _ExternalIdCutAt128(_Cut):
    cut_kind = "external_id"


@fault("event-names-cut-at-128")
class _EventNamesCutAt128(Core):
    def spell(self, kind: str, text: str) -> str:
        spelt = super().spell(kind, text)
        return spelt[:128] if kind == "event" else spelt


@fault("products-cut-at-128")
class _ProductsCutAt128(Core):
    def spell(self, kind: str, text: str) -> str:
        spelt = super().spell(kind, text)
        return spelt[:128] if kind == "product" else spelt


@fault("attribute-names-cut-at-128")
class _AttributeNamesCutAt128(Core):
    def spell(self, kind: str, text: str) -> str:
        spelt = super().spell(kind, text)
        return spelt[:128] if kind == "attribute" else spelt


@fault("update-only-ignored-for-purchases-by-email")
class _UpdateOnlyIgnoredForPurchasesByEmail(Core):
    def may_create(self, section: str, index: int, item: dict[str, Any], who: UserIdentity) -> bool:
        spoiled = section == "purchases" and who.kind == "email"
        return spoiled or super().may_create(section, index, item, who)


@fault("update-only-ignored-for-purchases-by-phone")
class _UpdateOnlyIgnoredForPurchasesByPhone(Core):
    def may_create(self, section: str, index: int, item: dict[str, Any], who: UserIdentity) -> bool:
        spoiled = section == "purchases" and who.kind == "phone"
        return spoiled or super().may_create(section, index, item, who)


@fault("update-only-ignored-for-attributes-by-phone")
class _UpdateOnlyIgnoredForAttributesByPhone(Core):
    def may_create(self, section: str, index: int, item: dict[str, Any], who: UserIdentity) -> bool:
        spoiled = section == "attributes" and who.kind == "phone"
        return spoiled or super().may_create(section, index, item, who)


@fault("update-only-ignored-for-events-by-email")
class _UpdateOnlyIgnoredForEventsByEmail(Core):
    def may_create(self, section: str, index: int, item: dict[str, Any], who: UserIdentity) -> bool:
        spoiled = section == "events" and who.kind == "email"
        return spoiled or super().may_create(section, index, item, who)


@fault("update-only-ignored-for-purchases-by-alias")
class _UpdateOnlyIgnoredForPurchasesByAlias(Core):
    def may_create(self, section: str, index: int, item: dict[str, Any], who: UserIdentity) -> bool:
        spoiled = section == "purchases" and who.kind == "user_alias" and item.get("_update_existing_only") is True
        return spoiled or super().may_create(section, index, item, who)


@fault("alias-purchase-creates-by-default")
class _AliasPurchaseCreatesByDefault(Core):
    def may_create(self, section: str, index: int, item: dict[str, Any], who: UserIdentity) -> bool:
        unsaid = item.get("_update_existing_only") is None
        spoiled = section == "purchases" and who.kind == "user_alias" and unsaid
        return spoiled or super().may_create(section, index, item, who)


@fault("phone-purchase-creates-nobody")
class _PhonePurchaseCreatesNobody(Core):
    def may_create(self, section: str, index: int, item: dict[str, Any], who: UserIdentity) -> bool:
        spoiled = section == "purchases" and who.kind == "phone" and item.get("_update_existing_only") is None
        return not spoiled and super().may_create(section, index, item, who)


@fault("email-purchase-creates-nobody")
class _EmailPurchaseCreatesNobody(Core):
    def may_create(self, section: str, index: int, item: dict[str, Any], who: UserIdentity) -> bool:
        spoiled = section == "purchases" and who.kind == "email" and item.get("_update_existing_only") is None
        return not spoiled and super().may_create(section, index, item, who)


@fault("phone-event-creates-nobody")
class _PhoneEventCreatesNobody(Core):
    def may_create(self, section: str, index: int, item: dict[str, Any], who: UserIdentity) -> bool:
        spoiled = section == "events" and who.kind == "phone" and item.get("_update_existing_only") is None
        return not spoiled and super().may_create(section, index, item, who)


@fault("email-attributes-create-nobody")
class _EmailAttributesCreateNobody(Core):
    def may_create(self, section: str, index: int, item: dict[str, Any], who: UserIdentity) -> bool:
        spoiled = section == "attributes" and who.kind == "email" and item.get("_update_existing_only") is None
        return not spoiled and super().may_create(section, index, item, who)


@fault("braze-id-event-creates")
class _BrazeIdPurchaseCreates(Core):
    def perform(self, call: Call, task: WriteTask) -> WriteResult:
        if task.who.kind == "braze_id" and task.section == "events":
            key = ("made", str(task.who.key))
            profile = self.store.find("user_alias", key) or self.store.create("user_alias", key)
            return self.write(call, task, profile, True)
        return super().perform(call, task)


@fault("phone-found-by-events-only")
class _PhoneFoundByEventsOnly(Core):
    def find(self, task: WriteTask) -> Profile | None:
        found = super().find(task)
        other = task.who.kind == "phone" and task.section != "events"
        return None if other and found is not None and found.external_id is not None else found


@fault("email-found-by-events-only")
class _EmailFoundByEventsOnly(Core):
    def find(self, task: WriteTask) -> Profile | None:
        found = super().find(task)
        other = task.who.kind == "email" and task.section != "events"
        return None if other and found is not None and found.external_id is not None else found


@fault("email-purchase-finds-nobody")
class _EmailPurchaseFindsNobody(Core):
    def find(self, task: WriteTask) -> Profile | None:
        spoiled = task.who.kind == "email" and task.section == "purchases"
        return None if spoiled else super().find(task)


@fault("second-phone-ignored")
class _SecondPhoneIgnored(Core):
    def write_field(self, task: WriteTask, profile: Profile, name: str, value: Any) -> None:
        if name == "phone" and profile.phone is not None:
            return
        super().write_field(task, profile, name, value)


@fault("nobody-shown-as-an-entry")
class _NobodyShownAsAnEntry(Core):
    def nobody(self, call: Call, task: WriteTask) -> dict[str, Any]:
        return self.with_users(call, [{task.who.kind: task.who.shown}])


# --- refusals that leave something ------------------------------------------------------------------------------
class _CreatesOnRefusal(Core):
    """A refused request creates its user, without anything else."""

    creating = 0

    def refuse(self, call: Call, refusal: Refused) -> Any:
        body = super().refuse(call, refusal)
        if refusal.status == self.creating:
            task = salvage(self, call)
            if task is not None and self.lookup(task.who) is None and task.create:
                self.store.create(task.who.kind, task.who.key)
        return body


@fault("user-created-despite-403")
class _UserCreatedDespite403(_CreatesOnRefusal):
    creating = 403


@fault("user-created-despite-401")
class _UserCreatedDespite401(Core):
    def refuse(self, call: Call, refusal: Refused) -> Any:
        body = super().refuse(call, refusal)
        if refusal.status == 401:
            task = salvage(self, call)
            if task is not None and self.lookup(task.who) is None and task.create:
                self.store.create(task.who.kind, task.who.key)
        return body


@fault("user-created-despite-404")
class _UserCreatedDespite404(Core):
    def refuse(self, call: Call, refusal: Refused) -> Any:
        body = super().refuse(call, refusal)
        if not call.known_path:
            task = salvage(self, call)
            if task is not None and self.lookup(task.who) is None and task.create:
                self.store.create(task.who.kind, task.who.key)
        return body


@fault("null-price-accepted")
class _NullPriceAccepted(Core):
    def refuse_missing(self, section: str, index: int, name: str) -> Any:
        return 0 if name == "price" and self._item_has(name) else super().refuse_missing(section, index, name)

    seen: Any = None

    def _item_has(self, name: str) -> bool:
        return isinstance(self.seen, dict) and name in self.seen

    def examine(self, call: Call, section: str, index: int, item: Any) -> WriteTask:
        self.seen = item
        return super().examine(call, section, index, item)


@fault("null-time-as-now")
class _NullTimeAsNow(Core):
    def read_time(self, task: WriteTask) -> None:
        if task.item.get("time", MISSING) is None:
            task.instant = int(self.clock() * 1_000_000)
            return
        super().read_time(task)


@fault("dear-purchase-refused")
class _DearPurchaseRefused(Core):
    def is_price(self, task: WriteTask, price: Any) -> bool:
        return super().is_price(task, price) and float(price) < 10_000


@fault("third-decimal-refused")
class _ThirdDecimalRefused(Core):
    def is_price(self, task: WriteTask, price: Any) -> bool:
        return super().is_price(task, price) and round(float(price), 2) == float(price)


@fault("rare-currency-refused")
class _RareCurrencyRefused(Core):
    def is_currency(self, code: Any) -> bool:
        common = "USD EUR JPY GBP CNY AUD CAD CHF HKD SGD SEK KRW NOK NZD INR MXN TWD ZAR BRL DKK PLN THB ILS IDR CZK"
        return super().is_currency(code) and code in common.split()


# --- time -------------------------------------------------------------------------------------------------------
@fault("time-before-1900-as-1900")
class _TimeBefore1900As1900(Core):
    def recorded(self, call: Call, task: WriteTask) -> int:
        return max(super().recorded(call, task), YEAR_1900)


@fault("purchase-time-before-1970-as-1970")
class _PurchaseTimeBefore1970As1970(Core):
    def recorded(self, call: Call, task: WriteTask) -> int:
        instant = super().recorded(call, task)
        return max(instant, 0) if task.section == "purchases" else instant


class _DateShifted(Core):
    """Shows a date-like attribute as another instant where `_shifted` says so."""

    def show_date(self, value: str, time: times.TimeText) -> Any:
        if time.instant is not None:
            instant = self._shifted(value, time.instant)
            if instant != time.instant:
                return self.write_time(instant, 0)
        return super().show_date(value, time)

    def _shifted(self, value: str, instant: int) -> int:
        """The instant that is shown."""
        return instant


@fault("date-before-1970-as-1970")
class _DateBefore1970As1970(_DateShifted):
    def _shifted(self, value: str, instant: int) -> int:
        return max(super()._shifted(value, instant), 0)


@fault("date-before-1900-as-1900")
class _DateBefore1900As1900(_DateShifted):
    def _shifted(self, value: str, instant: int) -> int:
        return max(super()._shifted(value, instant), YEAR_1900)


@fault("date-without-zone-in-london")
class _DateWithoutZoneInLondon(_DateShifted):
    def _shifted(self, value: str, instant: int) -> int:
        summer = re.match(r"\d{4}-0[4-9]-\d\d[T ]\d\d:\d\d:\d\d$", value) is not None
        return super()._shifted(value, instant) - (3_600_000_000 if summer else 0)


@fault("date-past-2038-wrapped")
class _DatePast2038Wrapped(_DateShifted):
    def _shifted(self, value: str, instant: int) -> int:
        instant = super()._shifted(value, instant)
        return instant - 2**32 * 1_000_000 if instant >= 2**31 * 1_000_000 else instant


@fault("nested-time-day-only")
class _NestedTimeDayOnly(Core):
    def take_object(self, task: WriteTask, name: str, current: Any, value: dict[str, Any]) -> Any:
        taken = super().take_object(task, name, current, value)
        if not isinstance(taken, dict):
            return taken
        return {k: {"$time": v["$time"][:10]} if isinstance(v, dict) and "$time" in v else v for k, v in taken.items()}


# --- values -----------------------------------------------------------------------------------------------------
@fault("merge-flag-false-merges")
class _MergeFlagFalseMerges(Core):
    def merges(self, task: WriteTask) -> bool:
        return "_merge_objects" in task.item


@fault("merge-flag-appends-arrays")
class _MergeFlagAppendsArrays(Core):
    def take_array(self, task: WriteTask, name: str, current: Any, value: list[Any]) -> Any:
        if self.merges(task) and isinstance(current, list):
            value = [*current, *(one for one in value if one not in current)]
        return super().take_array(task, name, current, value)


@fault("merge-flag-loses-sums")
class _MergeFlagLosesSums(Core):
    def increment(self, task: WriteTask, name: str, current: Any, amount: Any) -> Any:
        return UNCHANGED if self.merges(task) else super().increment(task, name, current, amount)


@fault("update-only-loses-sums")
class _UpdateOnlyLosesSums(Core):
    def increment(self, task: WriteTask, name: str, current: Any, amount: Any) -> Any:
        spoiled = task.item.get("_update_existing_only") is False
        return UNCHANGED if spoiled and current is not MISSING else super().increment(task, name, current, amount)


@fault("sum-by-alias-twice")
class _SumByAliasTwice(Core):
    def increment(self, task: WriteTask, name: str, current: Any, amount: Any) -> Any:
        return super().increment(task, name, current, amount * 2 if task.who.kind == "user_alias" else amount)


@fault("sum-by-phone-ignored")
class _SumByPhoneIgnored(Core):
    def increment(self, task: WriteTask, name: str, current: Any, amount: Any) -> Any:
        return UNCHANGED if task.who.kind == "phone" else super().increment(task, name, current, amount)


@fault("removal-by-email-ignored")
class _RemovalByEmailIgnored(Core):
    def take_null(self, task: WriteTask, name: str, current: Any) -> Any:
        return (
            current if task.who.kind == "email" and current is not MISSING else super().take_null(task, name, current)
        )


@fault("removal-by-alias-ignored")
class _RemovalByAliasIgnored(Core):
    def take_null(self, task: WriteTask, name: str, current: Any) -> Any:
        known = task.who.kind == "user_alias" and current is not MISSING
        return current if known else super().take_null(task, name, current)


@fault("present-values-move-in-reverse")
class _PresentValuesMoveInReverse(Core):
    def edited(self, current: list[Any], add: list[Any], remove: list[Any]) -> list[Any]:
        if len(add) > 1 and all(one in current for one in add):
            add = add[::-1]
        return super().edited(current, add, remove)


@fault("objects-first-removal-only")
class _ObjectsFirstRemovalOnly(Core):
    def objects_removed(self, current: list[Any], removals: list[Any]) -> list[Any]:
        return super().objects_removed(current, removals[:1])


@fault("objects-first-change-only")
class _ObjectsFirstChangeOnly(Core):
    def objects_updated(self, task: WriteTask, current: list[Any], updates: list[Any]) -> list[Any]:
        return super().objects_updated(task, current, updates[:1])


# --- state ------------------------------------------------------------------------------------------------------
@fault("attributes-after-an-event-lost")
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


@fault("event-after-attributes-lost")
class _EventAfterAttributesLost(_Followed):
    followed = ("attributes", "events")


@fault("purchase-clears-the-attribute-of-its-name")
class _PurchaseClearsTheAttributeOfItsName(Core):
    def write_purchase(self, call: Call, task: WriteTask, profile: Profile) -> None:
        super().write_purchase(call, task, profile)
        profile.attributes.pop(task.name, None)


@fault("removal-clears-events")
class _RemovalClearsEvents(Core):
    def write_attributes(self, task: WriteTask, profile: Profile, outcome: WriteResult) -> None:
        super().write_attributes(task, profile, outcome)
        if any(value is None for value in task.item.values()):
            profile.events.clear()


@fault("another-email-clears-attributes")
class _AnotherEmailClearsAttributes(Core):
    def write_field(self, task: WriteTask, profile: Profile, name: str, value: Any) -> None:
        if name == "email" and profile.email not in (None, value):
            profile.attributes.clear()
        super().write_field(task, profile, name, value)


@fault("another-email-clears-events")
class _AnotherEmailClearsEvents(Core):
    def write_field(self, task: WriteTask, profile: Profile, name: str, value: Any) -> None:
        if name == "email" and profile.email not in (None, value):
            profile.events.clear()
        super().write_field(task, profile, name, value)


@fault("profile-field-clears-attributes")
class _ProfileFieldClearsAttributes(Core):
    def write_field(self, task: WriteTask, profile: Profile, name: str, value: Any) -> None:
        super().write_field(task, profile, name, value)
        if value is None:
            profile.attributes.clear()


@fault("events-by-phone-twice")
class _EventsByPhoneTwice(Core):
    def count_after(self, task: WriteTask, count: int, amount: int) -> int:
        twice = task.section == "events" and task.who.kind == "phone"
        return super().count_after(task, count, amount * 2 if twice else amount)


@fault("purchases-by-email-twice")
class _PurchasesByEmailTwice(Core):
    def count_after(self, task: WriteTask, count: int, amount: int) -> int:
        twice = task.section == "purchases" and task.who.kind == "email"
        return super().count_after(task, count, amount * 2 if twice else amount)


@fault("purchase-by-alias-first-by-arrival")
class _PurchaseByAliasFirstByArrival(Core):
    def first_after(self, task: WriteTask, before: Any, instant: int) -> int:
        if task.section == "purchases" and task.who.kind == "user_alias":
            return instant
        return super().first_after(task, before, instant)


@fault("first-by-arrival-for-emails")
class _FirstByArrivalForEmails(Core):
    def first_after(self, task: WriteTask, before: Any, instant: int) -> int:
        return before.first if task.who.kind == "email" else super().first_after(task, before, instant)


@fault("message-success-on-403")
class _MessageSuccessOn403(Core):
    def fatal_message(self, call: Call, refusal: Refused) -> Any:
        return "success" if refusal.status == 403 else super().fatal_message(call, refusal)
