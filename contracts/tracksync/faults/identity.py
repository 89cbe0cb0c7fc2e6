"""Faults of finding and creating users, and of spelling."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable
from typing import Any

from tracksync.faults.registry import fault
from tracksync.mock.call import Call, Detail, Refused, WriteResult, WriteTask
from tracksync.mock.core import Core
from tracksync.mock.profiles import Profile, UserIdentity


# --- creating ---------------------------------------------------------------------------------------------------
@fault("unknown-user-refused")
class _UnknownUserRefused(Core):
    def create(self, task: WriteTask) -> Profile:
        if task.who.kind == "external_id":
            raise Refused(400, Detail("No such user", task.section, task.index))
        return super().create(task)


@fault("unknown-user-not-created")
class _UnknownUserNotCreated(Core):
    def may_create(self, section: str, index: int, item: dict[str, Any], who: UserIdentity) -> bool:
        explicit = who.kind != "external_id" or item.get("_update_existing_only") is False
        return explicit and super().may_create(section, index, item, who)


@fault("event-creates-nobody")
class _EventCreatesNobody(Core):
    def may_create(self, section: str, index: int, item: dict[str, Any], who: UserIdentity) -> bool:
        return section != "events" and super().may_create(section, index, item, who)


@fault("purchase-creates-nobody")
class _PurchaseCreatesNobody(Core):
    def may_create(self, section: str, index: int, item: dict[str, Any], who: UserIdentity) -> bool:
        return section != "purchases" and super().may_create(section, index, item, who)


@fault("explicit-false-creates-nobody")
class _ExplicitFalseCreatesNobody(Core):
    def may_create(self, section: str, index: int, item: dict[str, Any], who: UserIdentity) -> bool:
        spoiled = who.kind == "external_id" and "_update_existing_only" in item
        return not spoiled and super().may_create(section, index, item, who)


@fault("update-only-creates")
class _UpdateOnlyCreates(Core):
    def may_create(self, section: str, index: int, item: dict[str, Any], who: UserIdentity) -> bool:
        return who.kind == "external_id" or super().may_create(section, index, item, who)


@fault("update-only-creates-for-email")
class _UpdateOnlyCreatesForEmail(Core):
    def may_create(self, section: str, index: int, item: dict[str, Any], who: UserIdentity) -> bool:
        return who.kind == "email" or super().may_create(section, index, item, who)


@fault("update-only-creates-for-purchases")
class _UpdateOnlyCreatesForPurchases(Core):
    def may_create(self, section: str, index: int, item: dict[str, Any], who: UserIdentity) -> bool:
        spoiled = section == "purchases" and who.kind in ("external_id", "email", "phone")
        return spoiled or super().may_create(section, index, item, who)


@fault("update-only-creates-in-silence")
class _UpdateOnlyCreatesInSilence(Core):
    def perform(self, call: Call, task: WriteTask) -> WriteResult:
        outcome = super().perform(call, task)
        if outcome.profile is None and task.who.kind == "external_id":
            task.create = True
            super().perform(call, task)
        return outcome


@fault("update-only-finds-nobody")
class _UpdateOnlyFindsNobody(Core):
    def find(self, task: WriteTask) -> Profile | None:
        return None if task.item.get("_update_existing_only") is True else super().find(task)


@fault("update-only-updates-nothing")
class _UpdateOnlyUpdatesNothing(Core):
    def write_attributes(self, task: WriteTask, profile: Profile, outcome: WriteResult) -> None:
        before = dict(profile.attributes)
        super().write_attributes(task, profile, outcome)
        if task.item.get("_update_existing_only") is True:
            profile.attributes = before


@fault("alias-created-by-default")
class _AliasCreatedByDefault(Core):
    def may_create(self, section: str, index: int, item: dict[str, Any], who: UserIdentity) -> bool:
        default = who.kind == "user_alias" and item.get("_update_existing_only") is None
        return default or super().may_create(section, index, item, who)


@fault("alias-event-creates-by-default")
class _AliasEventCreatesByDefault(Core):
    def may_create(self, section: str, index: int, item: dict[str, Any], who: UserIdentity) -> bool:
        default = section != "attributes" and who.kind == "user_alias" and item.get("_update_existing_only") is None
        return default or super().may_create(section, index, item, who)


@fault("alias-never-created")
class _AliasNeverCreated(Core):
    def may_create(self, section: str, index: int, item: dict[str, Any], who: UserIdentity) -> bool:
        return who.kind != "user_alias" and super().may_create(section, index, item, who)


@fault("alias-event-creates-in-silence")
class _AliasEventCreatesInSilence(Core):
    def success(self, call: Call, task: WriteTask, outcome: WriteResult) -> dict[str, Any]:
        silent = outcome.created and task.who.kind == "user_alias" and task.section != "attributes"
        return self.nobody(call, task) if silent else super().success(call, task, outcome)


@fault("alias-event-creation-refused")
class _AliasEventCreationRefused(Core):
    def create(self, task: WriteTask) -> Profile:
        if task.who.kind == "user_alias" and task.section != "attributes":
            raise Refused(400, Detail("No such user", task.section, task.index))
        return super().create(task)


@fault("alias-label-ignored")
class _AliasLabelIgnored(Core):
    def alias_key(self, label: str, name: str) -> tuple[str, str]:
        return super().alias_key("", name)


@fault("alias-name-ignored")
class _AliasNameIgnored(Core):
    def alias_key(self, label: str, name: str) -> tuple[str, str]:
        return super().alias_key(label, "")


@fault("alias-key-joined")
class _AliasKeyJoined(Core):
    def alias_key(self, label: str, name: str) -> tuple[str, str]:
        return super().alias_key("", ":".join(sorted((label, name))))


@fault("alias-is-external-id")
class _AliasIsExternalId(Core):
    def find(self, task: WriteTask) -> Profile | None:
        found = super().find(task)
        if found is None and task.who.kind == "user_alias":
            return self.store.find("external_id", task.who.shown["alias_name"])
        return found


# --- email and phone --------------------------------------------------------------------------------------------
@fault("email-creates-nobody")
class _EmailCreatesNobody(Core):
    def may_create(self, section: str, index: int, item: dict[str, Any], who: UserIdentity) -> bool:
        return who.kind != "email" and super().may_create(section, index, item, who)


@fault("phone-creates-nobody")
class _PhoneCreatesNobody(Core):
    def may_create(self, section: str, index: int, item: dict[str, Any], who: UserIdentity) -> bool:
        return who.kind != "phone" and super().may_create(section, index, item, who)


@fault("phone-refused")
class _PhoneRefused(Core):
    def create(self, task: WriteTask) -> Profile:
        if task.who.kind == "phone":
            raise Refused(400, Detail("'phone' is not valid", task.section, task.index))
        return super().create(task)


@fault("email-always-creates")
class _EmailAlwaysCreates(Core):
    def find(self, task: WriteTask) -> Profile | None:
        return None if task.who.kind == "email" and task.create else super().find(task)


@fault("phone-always-creates")
class _PhoneAlwaysCreates(Core):
    def find(self, task: WriteTask) -> Profile | None:
        return None if task.who.kind == "phone" and task.create else super().find(task)


@fault("email-finds-the-oldest")
class _EmailFindsTheOldest(Core):
    def find(self, task: WriteTask) -> Profile | None:
        sharing = self.store.sharing("email", task.who.key) if task.who.kind == "email" else []
        return sharing[0] if sharing else super().find(task)


@fault("email-finds-the-least-recent")
class _EmailFindsTheLeastRecent(Core):
    def find(self, task: WriteTask) -> Profile | None:
        sharing = self.store.sharing("email", task.who.key) if task.who.kind == "email" else []
        named = [profile for profile in sharing if profile.external_id is not None]
        return min(named, key=lambda profile: profile.updated) if named else super().find(task)


@fault("email-finds-those-without-external-id")
class _EmailFindsThoseWithoutExternalId(Core):
    def find(self, task: WriteTask) -> Profile | None:
        sharing = self.store.sharing("email", task.who.key) if task.who.kind == "email" else []
        nameless = [profile for profile in sharing if profile.external_id is None]
        return max(nameless, key=lambda profile: profile.updated) if nameless else super().find(task)


@fault("email-writes-to-all")
class _EmailWritesToAll(Core):
    def write(self, call: Call, task: WriteTask, profile: Profile, created: bool) -> WriteResult:
        outcome = super().write(call, task, profile, created)
        if task.who.kind == "email":
            for other in self.store.sharing("email", task.who.key):
                if other is not profile:
                    super().write(call, task, other, False)
        return outcome


@fault("email-attribute-not-found-by")
class _EmailAttributeNotFoundBy(Core):
    def write_field(self, task: WriteTask, profile: Profile, name: str, value: Any) -> None:
        if name != "email":
            super().write_field(task, profile, name, value)


@fault("phone-attribute-not-found-by")
class _PhoneAttributeNotFoundBy(Core):
    def write_field(self, task: WriteTask, profile: Profile, name: str, value: Any) -> None:
        if name != "phone":
            super().write_field(task, profile, name, value)


@fault("email-moves-to-the-newest")
class _EmailMovesToTheNewest(Core):
    def find(self, task: WriteTask) -> Profile | None:
        sharing = self.store.sharing("email", task.who.key) if task.who.kind == "email" else []
        return sharing[-1] if sharing else super().find(task)


@fault("phone-leads")
class _PhoneLeads(Core):
    def precedence(self) -> tuple[str, ...]:
        return (*super().precedence()[:3], "phone", "email")


@fault("email-over-external-id")
class _EmailOverExternalId(Core):
    def precedence(self) -> tuple[str, ...]:
        return ("email", "phone", *super().precedence()[:3])


@fault("email-and-phone-refused")
class _EmailAndPhoneRefused(Core):
    def identify(self, section: str, index: int, item: dict[str, Any]) -> UserIdentity:
        who = super().identify(section, index, item)
        if who.kind == "email" and item.get("phone") is not None:
            raise Refused(400, Detail("Either 'email' or 'phone' is allowed", section, index))
        return who


@fault("email-and-phone-lost")
class _EmailAndPhoneLost(Core):
    def write_attributes(self, task: WriteTask, profile: Profile, outcome: WriteResult) -> None:
        before = dict(profile.attributes)
        super().write_attributes(task, profile, outcome)
        if task.who.kind == "email" and task.item.get("phone") is not None:
            profile.attributes = before


# --- braze_id ---------------------------------------------------------------------------------------------------
@fault("braze-id-creates")
class _BrazeIdCreates(Core):
    def may_create(self, section: str, index: int, item: dict[str, Any], who: UserIdentity) -> bool:
        return who.kind == "braze_id" or super().may_create(section, index, item, who)


# --- spelling ---------------------------------------------------------------------------------------------------
def _respell(name: str, kinds: tuple[str, ...], change: Callable[[str], str]) -> None:
    """Enter a fault that keeps identifiers or names of some kinds under another spelling."""

    class _Respelled(Core):
        def spell(self, kind: str, text: str) -> str:
            spelt = super().spell(kind, text)
            return change(spelt) if kind in kinds else spelt

    fault(name)(_Respelled)


def _without_tag(text: str) -> str:
    local, at, domain = text.partition("@")
    return local.partition("+")[0] + at + domain


_respell("external-id-any-case", ("external_id",), str.lower)
_respell("external-id-trimmed", ("external_id",), lambda text: text.strip() or text)
_respell("external-id-first-40", ("external_id",), lambda text: text[:40])
_respell("external-id-composed", ("external_id",), lambda text: unicodedata.normalize("NFC", text))
_respell("external-id-leading-zeros-dropped", ("external_id",), lambda text: text.lstrip("0") or text)
_respell("alias-any-case", ("alias_name", "alias_label"), str.lower)
_respell("email-any-case", ("email",), str.lower)
_respell("email-tag-dropped", ("email",), _without_tag)
_respell("phone-without-plus", ("phone",), lambda text: text.lstrip("+"))
_respell("event-name-any-case", ("event",), str.lower)
_respell("event-name-trimmed", ("event",), str.strip)
_respell("event-name-ascii-only", ("event",), lambda text: text.encode("ascii", "replace").decode())
_respell("event-name-composed", ("event",), lambda text: unicodedata.normalize("NFC", text))
_respell("product-any-case", ("product",), str.lower)
_respell("product-trimmed", ("product",), str.strip)
_respell("product-punctuation-dropped", ("product",), lambda text: "".join(c for c in text if c.isalnum() or c == " "))
_respell("attribute-name-any-case", ("attribute",), str.lower)
_respell("attribute-name-trimmed", ("attribute",), str.strip)
_respell("attribute-name-ascii-only", ("attribute",), lambda text: text.encode("ascii", "replace").decode())
_respell("attribute-name-with-underscores", ("attribute",), lambda text: text.replace(" ", "_").replace("-", "_"))
