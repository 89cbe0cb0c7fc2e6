"""Faults of finding users: by alias, by email and by phone."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tracksync.faults.registry import fault, faults, overriding, row
from tracksync.mock.call import Call, Detail, Refused, WriteResult, WriteTask
from tracksync.mock.core import Core
from tracksync.mock.limits import attribute_kind
from tracksync.mock.profiles import Profile, UserIdentity

# Finds another profile than the identifier names, or none.
overriding("find", module=__name__)(
    row(
        "phone-found-by-events-only",
        "A phone leads to the profile that was given it for events only.",
        "TS-USER-PHONE-FINDS",
        result=lambda right, task: (
            None
            if (task.who.kind == "phone" and task.section != "events")
            and right is not None
            and (right.external_id is not None)
            else right
        ),
    ),
    row(
        "email-found-by-events-only",
        "An email leads to the profile that was given it for events only.",
        "TS-USER-EMAIL-FINDS",
        "TS-PURCHASE-COUNT",
        "TS-ATTR-INC",
        "TS-INTERPRETATION-KEPT",
        result=lambda right, task: (
            None
            if (task.who.kind == "email" and task.section != "events")
            and right is not None
            and (right.external_id is not None)
            else right
        ),
    ),
    row(
        "email-purchase-finds-no-user",
        "A purchase by email finds no user and makes a new profile.",
        "TS-USER-EMAIL-FINDS",
        "TS-PURCHASE-COUNT",
        when=lambda task: task.who.kind == "email" and task.section == "purchases",
        result=lambda: None,
    ),
    row(
        "update-only-finds-no-user",
        "With _update_existing_only no user is ever found.",
        "TS-USER-UPDATE-KNOWN",
        result=lambda right, task: None if task.item.get("_update_existing_only") is True else right,
    ),
    row(
        "email-always-creates",
        "Each request by email creates a profile.",
        "TS-USER-EMAIL-FINDS",
        "TS-STATE-VISIBLE",
        "TS-EVENT-COUNT",
        result=lambda right, task: None if task.who.kind == "email" and task.create else right,
    ),
    row(
        "phone-always-creates",
        "Each request by phone creates a profile.",
        "TS-USER-PHONE-FINDS",
        "TS-STATE-VISIBLE",
        "TS-EVENT-COUNT",
        result=lambda right, task: None if task.who.kind == "phone" and task.create else right,
    ),
    row(
        "braze-id-finds-an-external-id",
        "A braze_id that is the text of an external_id finds its user.",
        "TS-USER-BRAZE-ID",
        "TS-STATE-USERS-APART",
        when=lambda task: task.who.kind == "braze_id",
        result=lambda server, task: server.store.find("external_id", task.who.key),
    ),
)


def _recent(profile: Profile) -> int:
    return profile.updated


@faults("TS-USER-EMAIL-FINDS", "TS-STATE-USERS-APART", "TS-EVENT-COUNT")(
    row(
        "email-finds-the-oldest",
        "Of several profiles with an email the oldest is found.",
        chosen=lambda sharing: sharing[0],
    ),
    row(
        "email-finds-the-least-recent",
        "Of several profiles with an email the least recently updated is found.",
        chosen=lambda sharing: min((one for one in sharing if one.external_id is not None), key=_recent, default=None),
    ),
    row(
        "email-finds-those-without-external-id",
        "Of several profiles with an email one without external_id is found.",
        chosen=lambda sharing: max((one for one in sharing if one.external_id is None), key=_recent, default=None),
    ),
    row(
        "email-finds-the-most-recent-of-all",
        "Of several profiles with an email the most recently updated is found, with an external_id or not.",
        "TS-USER-EMAIL-FINDS",
        chosen=lambda sharing: max(sharing, key=_recent),
    ),
    row(
        "email-moves-to-the-newest",
        "Of several profiles the one that got the email last is found.",
        chosen=lambda sharing: sharing[-1],
    ),
)
def _shared(chosen: Callable[[list[Profile]], Profile | None]) -> type[Core]:
    """Finds another one of several profiles with an email."""

    class Shared(Core):
        def find(self, task: WriteTask) -> Profile | None:
            sharing = self.store.sharing("email", task.who.key) if task.who.kind == "email" else []
            found = chosen(sharing) if sharing else None
            return super().find(task) if found is None else found

    return Shared


# --- aliases and other identifiers ----------------------------------------------------------------------------


@fault("braze-id-event-creates", "An event by an unknown braze_id creates a user.", "TS-USER-BRAZE-ID")
class _BrazeIdPurchaseCreates(Core):
    def perform(self, call: Call, task: WriteTask) -> WriteResult:
        if task.who.kind == "braze_id" and task.section == "events":
            key = ("made", str(task.who.key))
            profile = self.store.find("user_alias", key) or self.store.create("user_alias", key)
            return self.write(call, task, profile, True)
        return super().perform(call, task)


overriding("write_field", module=__name__)(
    row(
        "second-phone-ignored",
        "A profile that has a phone does not take another.",
        "TS-USER-PHONE-FINDS",
        when=lambda profile, name: name == "phone" and profile.phone is not None,
        result=lambda: None,
    ),
    row(
        "email-attribute-not-found-by",
        "A profile is not found by an email that was set as its attribute.",
        "TS-USER-EMAIL-FINDS",
        "TS-EVENT-COUNT",
        "TS-STATE-VISIBLE",
        when=lambda name: name == "email",
        result=lambda: None,
    ),
    row(
        "phone-attribute-not-found-by",
        "A profile is not found by a phone that was set as its attribute.",
        "TS-USER-PHONE-FINDS",
        "TS-EVENT-COUNT",
        "TS-STATE-VISIBLE",
        when=lambda name: name == "phone",
        result=lambda: None,
    ),
)


@fault(
    "no-user-shown-as-an-entry",
    "Where no user was found, users has an entry, with attributes as if they had been written.",
    "TS-USER-UPDATE-ONLY",
    "TS-USER-ALIAS-DEFAULT",
    "TS-OK-SHOWS",
)
class _NoUserShownAsAnEntry(Core):
    def no_user(self, call: Call, task: WriteTask) -> dict[str, Any]:
        written = {name: value for name, value in task.item.items() if attribute_kind(name) == "custom"}
        return self.with_users(call, [{task.who.kind: task.who.shown, "custom_attributes": written}])


# --- email and phone ------------------------------------------------------------------------------------------
@fault("phone-refused", "An unknown phone is refused with 400.", "TS-USER-PHONE-CREATE", "TS-OK-STATUS")
class _PhoneRefused(Core):
    def create(self, task: WriteTask) -> Profile:
        if task.who.kind == "phone":
            raise Refused(400, Detail("'phone' is not valid", task.section, task.index))
        return super().create(task)


@fault(
    "email-writes-to-all",
    "An update by email goes to all profiles that have it.",
    "TS-STATE-USERS-APART",
    "TS-USER-EMAIL-FINDS",
)
class _EmailWritesToAll(Core):
    def write(self, call: Call, task: WriteTask, profile: Profile, created: bool) -> WriteResult:
        outcome = super().write(call, task, profile, created)
        if task.who.kind == "email":
            for other in self.store.sharing("email", task.who.key):
                if other is not profile:
                    super().write(call, task, other, False)
        return outcome


overriding("precedence", module=__name__)(
    row(
        "phone-leads",
        "With both email and phone the phone is the identifier.",
        "TS-USER-EMAIL-LEADS",
        result=lambda right: (*right[:3], "phone", "email"),
    ),
    row(
        "email-over-external-id",
        "An email is the identifier even beside an external_id.",
        "TS-OK-IDENTIFIER",
        "TS-USER-EMAIL-FINDS",
        "TS-STATE-USERS-APART",
        result=lambda right: ("email", "phone", *right[:3]),
    ),
)


@fault(
    "external-id-finds-an-email",
    "An external_id that is the text of an email finds the user who has this email.",
    "TS-STATE-USERS-APART",
    "TS-USER-CREATE",
)
class _ExternalIdFindsAnEmail(Core):
    def lookup(self, who: UserIdentity) -> Profile | None:
        found = super().lookup(who)
        return self.store.find("email", who.key) if found is None and who.kind == "external_id" else found


@fault("email-and-phone-refused", "Email and phone together are refused.", "TS-USER-EMAIL-LEADS", "TS-OK-STATUS")
class _EmailAndPhoneRefused(Core):
    def identify(self, section: str, index: int, item: dict[str, Any]) -> UserIdentity:
        who = super().identify(section, index, item)
        if who.kind == "email" and item.get("phone") is not None:
            raise Refused(400, Detail("Either 'email' or 'phone' is allowed", section, index))
        return who


@fault(
    "email-and-phone-lost",
    "With both email and phone the response is right and nothing is stored.",
    "TS-USER-EMAIL-LEADS",
    "TS-STATE-VISIBLE",
)
class _EmailAndPhoneLost(Core):
    def write_attributes(self, task: WriteTask, profile: Profile, outcome: WriteResult) -> None:
        before = dict(profile.attributes)
        super().write_attributes(task, profile, outcome)
        if task.who.kind == "email" and task.item.get("phone") is not None:
            profile.attributes = before
