"""Faults of the success body: what is named, what is listed, in which form."""

from __future__ import annotations

from typing import Any

from tracksync.faults.registry import fault
from tracksync.mock import limits
from tracksync.mock.call import UNCHANGED, Call, WriteResult, WriteTask
from tracksync.mock.core import Core
from tracksync.mock.profiles import Profile
from tracksync.mock.response import SHOWN_UNDER
from tracksync.values import times


# --- message and users ------------------------------------------------------------------------------------------
@fault("message-ok")
class _MessageOk(Core):
    def success_message(self, call: Call) -> Any:
        return "ok"


@fault("message-capital")
class _MessageCapital(Core):
    def success_message(self, call: Call) -> Any:
        return "Success"


@fault("message-true")
class _MessageTrue(Core):
    def success_message(self, call: Call) -> Any:
        return True


@fault("message-missing-for-events")
class _MessageMissingForEvents(Core):
    def success(self, call: Call, task: WriteTask, outcome: WriteResult) -> dict[str, Any]:
        body = super().success(call, task, outcome)
        if task.section == "events":
            body.pop("message", None)
        return body


@fault("success-with-errors")
class _SuccessWithErrors(Core):
    def success(self, call: Call, task: WriteTask, outcome: WriteResult) -> dict[str, Any]:
        body = super().success(call, task, outcome)
        if UNCHANGED in outcome.named.values():
            body["errors"] = [{"type": "not every attribute was updated", "input_array": "attributes", "index": 0}]
        return body


@fault("purchase-success-with-errors")
class _PurchaseSuccessWithErrors(Core):
    def success(self, call: Call, task: WriteTask, outcome: WriteResult) -> dict[str, Any]:
        body = super().success(call, task, outcome)
        if task.section == "purchases" and task.item.get("app_id") is None:
            body["errors"] = ["'app_id' is recommended"]
        return body


@fault("users-twice")
class _UsersTwice(Core):
    def with_users(self, call: Call, users: list[dict[str, Any]]) -> dict[str, Any]:
        return super().with_users(call, users * 2)


@fault("users-object")
class _UsersObject(Core):
    def success(self, call: Call, task: WriteTask, outcome: WriteResult) -> dict[str, Any]:
        body = super().success(call, task, outcome)
        if body.get("users"):
            body["users"] = body["users"][0]
        return body


@fault("users-empty-when-created")
class _UsersEmptyWhenCreated(Core):
    def success(self, call: Call, task: WriteTask, outcome: WriteResult) -> dict[str, Any]:
        return self.nobody(call, task) if outcome.created else super().success(call, task, outcome)


@fault("users-missing-for-purchases")
class _UsersMissingForPurchases(Core):
    def success(self, call: Call, task: WriteTask, outcome: WriteResult) -> dict[str, Any]:
        body = super().success(call, task, outcome)
        if task.section == "purchases":
            body.pop("users", None)
        return body


# --- the identifier ---------------------------------------------------------------------------------------------
@fault("external-id-shown-lower")
class _ExternalIdShownLower(Core):
    def name_user(self, task: WriteTask, profile: Profile) -> dict[str, Any]:
        named = super().name_user(task, profile)
        shown = named.get("external_id")
        return named | {"external_id": shown.lower()} if isinstance(shown, str) else named


@fault("email-shown-lower")
class _EmailShownLower(Core):
    def name_user(self, task: WriteTask, profile: Profile) -> dict[str, Any]:
        named = super().name_user(task, profile)
        return named | {"email": named["email"].lower()} if "email" in named else named


@fault("phone-shown-as-digits")
class _PhoneShownAsDigits(Core):
    def name_user(self, task: WriteTask, profile: Profile) -> dict[str, Any]:
        named = super().name_user(task, profile)
        return named | {"phone": named["phone"].lstrip("+")} if "phone" in named else named


@fault("alias-label-not-shown")
class _AliasLabelNotShown(Core):
    def name_user(self, task: WriteTask, profile: Profile) -> dict[str, Any]:
        named = super().name_user(task, profile)
        if "user_alias" in named:
            return named | {"user_alias": {"alias_name": named["user_alias"]["alias_name"]}}
        return named


@fault("alias-shown-swapped")
class _AliasShownSwapped(Core):
    def name_user(self, task: WriteTask, profile: Profile) -> dict[str, Any]:
        named = super().name_user(task, profile)
        if "user_alias" in named:
            name, label = named["user_alias"]["alias_name"], named["user_alias"]["alias_label"]
            return named | {"user_alias": {"alias_name": label, "alias_label": name}}
        return named


@fault("identifier-not-shown")
class _IdentifierNotShown(Core):
    def name_user(self, task: WriteTask, profile: Profile) -> dict[str, Any]:
        return {} if task.section == "events" else super().name_user(task, profile)


@fault("named-by-external-id")
class _NamedByExternalId(Core):
    def name_user(self, task: WriteTask, profile: Profile) -> dict[str, Any]:
        if task.who.kind in ("email", "phone") and profile.external_id is not None:
            return {"external_id": profile.external_id}
        return super().name_user(task, profile)


@fault("named-by-braze-id")
class _NamedByBrazeId(Core):
    def name_user(self, task: WriteTask, profile: Profile) -> dict[str, Any]:
        return {"braze_id": profile.braze_id} if task.who.kind == "user_alias" else super().name_user(task, profile)


@fault("named-as-the-one-before")
class _NamedAsTheOneBefore(Core):
    __before: dict[str, Any] | None = None

    def name_user(self, task: WriteTask, profile: Profile) -> dict[str, Any]:
        named = super().name_user(task, profile)
        before, self.__before = self.__before, dict(named)
        return before if before is not None and before.keys() == named.keys() else named


# --- what is listed ---------------------------------------------------------------------------------------------
@fault("all-attributes-shown")
class _AllAttributesShown(Core):
    def attributes_shown(self, task: WriteTask, outcome: WriteResult, profile: Profile) -> dict[str, Any]:
        return dict(profile.attributes) | super().attributes_shown(task, outcome, profile)


@fault("all-events-shown")
class _AllEventsShown(Core):
    def events_shown(self, task: WriteTask, profile: Profile) -> Any:
        return [self.tally_shown(task, "name", name, tally) for name, tally in profile.events.items()]


@fault("all-products-shown")
class _AllProductsShown(Core):
    def purchases_shown(self, task: WriteTask, profile: Profile) -> Any:
        return [self.tally_shown(task, "product_id", name, tally) for name, tally in profile.purchases.items()]


@fault("earlier-attributes-shown")
class _EarlierAttributesShown(Core):
    __earlier: dict[str, Any] | None = None

    def attributes_shown(self, task: WriteTask, outcome: WriteResult, profile: Profile) -> dict[str, Any]:
        shown = super().attributes_shown(task, outcome, profile)
        earlier, self.__earlier = self.__earlier or {}, dict(shown)
        return earlier | shown


@fault("unchanged-values-not-shown")
class _UnchangedValuesNotShown(Core):
    def write_attributes(self, task: WriteTask, profile: Profile, outcome: WriteResult) -> None:
        before = dict(profile.attributes)
        super().write_attributes(task, profile, outcome)
        for name in list(outcome.named):
            if name in before and profile.attributes.get(name) == before[name] and outcome.named[name] is not UNCHANGED:
                del outcome.named[name]


@fault("first-attribute-shown")
class _FirstAttributeShown(Core):
    def attributes_shown(self, task: WriteTask, outcome: WriteResult, profile: Profile) -> dict[str, Any]:
        return dict(list(super().attributes_shown(task, outcome, profile).items())[:1])


@fault("ten-attributes-shown")
class _TenAttributesShown(Core):
    def attributes_shown(self, task: WriteTask, outcome: WriteResult, profile: Profile) -> dict[str, Any]:
        return dict(list(super().attributes_shown(task, outcome, profile).items())[:10])


@fault("false-values-not-shown")
class _FalseValuesNotShown(Core):
    def attributes_shown(self, task: WriteTask, outcome: WriteResult, profile: Profile) -> dict[str, Any]:
        shown = super().attributes_shown(task, outcome, profile)
        return {name: value for name, value in shown.items() if value or value is None}


@fault("event-not-shown-when-known")
class _EventNotShownWhenKnown(Core):
    def events_shown(self, task: WriteTask, profile: Profile) -> Any:
        return [] if profile.events[task.name].count > 1 else super().events_shown(task, profile)


@fault("profile-fields-shown")
class _ProfileFieldsShown(Core):
    def attributes_shown(self, task: WriteTask, outcome: WriteResult, profile: Profile) -> dict[str, Any]:
        fields = {name: task.item[name] for name in limits.PROFILE_FIELDS & task.item.keys() if name != task.who.kind}
        return super().attributes_shown(task, outcome, profile) | fields


@fault("control-keys-shown")
class _ControlKeysShown(Core):
    def attributes_shown(self, task: WriteTask, outcome: WriteResult, profile: Profile) -> dict[str, Any]:
        control = {name: task.item[name] for name in limits.CONTROL_KEYS & task.item.keys()}
        return super().attributes_shown(task, outcome, profile) | control


@fault("identifier-as-attribute")
class _IdentifierAsAttribute(Core):
    def attributes_shown(self, task: WriteTask, outcome: WriteResult, profile: Profile) -> dict[str, Any]:
        return super().attributes_shown(task, outcome, profile) | {task.who.kind: task.who.shown}


# --- forms ------------------------------------------------------------------------------------------------------
@fault("events-as-object")
class _EventsAsObject(Core):
    def events_shown(self, task: WriteTask, profile: Profile) -> Any:
        return {one["name"]: one for one in super().events_shown(task, profile)}


@fault("attributes-as-list")
class _AttributesAsList(Core):
    def entry(self, call: Call, task: WriteTask, outcome: WriteResult, profile: Profile) -> dict[str, Any]:
        entry = super().entry(call, task, outcome, profile)
        if task.section == "attributes":
            entry["custom_attributes"] = [{"name": k, "value": v} for k, v in entry["custom_attributes"].items()]
        return entry


@fault("product-called-name")
class _ProductCalledName(Core):
    def tally_shown(self, task: WriteTask, label: str, name: Any, tally: Any) -> dict[str, Any]:
        return super().tally_shown(task, "name", name, tally)


@fault("purchases-as-events")
class _PurchasesAsEvents(Core):
    def entry(self, call: Call, task: WriteTask, outcome: WriteResult, profile: Profile) -> dict[str, Any]:
        entry = super().entry(call, task, outcome, profile)
        if task.section == "purchases":
            entry[SHOWN_UNDER["events"]] = entry.pop(SHOWN_UNDER["purchases"])
        return entry


@fault("attributes-under-attributes")
class _AttributesUnderAttributes(Core):
    def entry(self, call: Call, task: WriteTask, outcome: WriteResult, profile: Profile) -> dict[str, Any]:
        entry = super().entry(call, task, outcome, profile)
        if task.section == "attributes":
            entry["attributes"] = entry.pop("custom_attributes")
        return entry


@fault("count-as-text")
class _CountAsText(Core):
    def count_shown(self, task: WriteTask, count: int) -> Any:
        return str(super().count_shown(task, count))


@fault("count-from-zero")
class _CountFromZero(Core):
    def count_shown(self, task: WriteTask, count: int) -> Any:
        return count - 1


@fault("count-null-at-first")
class _CountNullAtFirst(Core):
    def count_shown(self, task: WriteTask, count: int) -> Any:
        return None if count == 1 else count


@fault("first-not-shown")
class _FirstNotShown(Core):
    def tally_shown(self, task: WriteTask, label: str, name: Any, tally: Any) -> dict[str, Any]:
        shown = super().tally_shown(task, label, name, tally)
        del shown["first"]
        return shown


@fault("last-null-at-first")
class _LastNullAtFirst(Core):
    def tally_shown(self, task: WriteTask, label: str, name: Any, tally: Any) -> dict[str, Any]:
        shown = super().tally_shown(task, label, name, tally)
        return shown | {"last": None} if tally.count == 1 else shown


@fault("first-and-last-swapped")
class _FirstAndLastSwapped(Core):
    def tally_shown(self, task: WriteTask, label: str, name: Any, tally: Any) -> dict[str, Any]:
        shown = super().tally_shown(task, label, name, tally)
        return shown | {"first": shown["last"], "last": shown["first"]}


@fault("time-as-epoch")
class _TimeAsEpoch(Core):
    def tally_shown(self, task: WriteTask, label: str, name: Any, tally: Any) -> dict[str, Any]:
        shown = super().tally_shown(task, label, name, tally)
        return shown | {"first": tally.first // 1_000_000, "last": tally.last // 1_000_000}


@fault("time-american")
class _TimeAmerican(Core):
    def write_time(self, instant: int, offset: int) -> Any:
        text = times.write_time(instant, "utc-millis")
        return f"{text[5:7]}/{text[8:10]}/{text[:4]} {text[11:19]}"


@fault("day-of-three-digits")
class _DayOfThreeDigits(Core):
    def write_time(self, instant: int, offset: int) -> Any:
        text = times.write_time(instant, "utc-millis")
        return f"{text[:8]}0{text[8:]}"
