"""Faults of creating users: who must be created and who must not."""

from __future__ import annotations

from typing import Any

from tracksync.faults.registry import fault, faults, overriding, row
from tracksync.mock.call import Call, Detail, Refused, WriteResult, WriteTask
from tracksync.mock.core import Core
from tracksync.mock.limits import IDENTIFIERS, SECTIONS
from tracksync.mock.profiles import Profile, UserIdentity


@faults("TS-USER-UPDATE-ONLY")(
    row("update-only-creates", "_update_existing_only is ignored.", creates=True, kinds=("external_id",)),
    row(
        "update-only-creates-for-email", "_update_existing_only is ignored for emails.", creates=True, kinds=("email",)
    ),
    row(
        "update-only-creates-for-purchases",
        "_update_existing_only is ignored for purchases.",
        creates=True,
        sections=("purchases",),
        kinds=("external_id", "email", "phone"),
    ),
    row(
        "update-only-ignored-for-purchases-by-email",
        "A purchase by email creates a user although it is update only.",
        creates=True,
        sections=("purchases",),
        kinds=("email",),
    ),
    row(
        "update-only-ignored-for-purchases-by-phone",
        "A purchase by phone creates a user although it is update only.",
        creates=True,
        sections=("purchases",),
        kinds=("phone",),
    ),
    row(
        "update-only-ignored-for-attributes-by-phone",
        "Attributes by phone create a user although they are update only.",
        creates=True,
        sections=("attributes",),
        kinds=("phone",),
    ),
    row(
        "update-only-ignored-for-events-by-email",
        "An event by email creates a user although it is update only.",
        creates=True,
        sections=("events",),
        kinds=("email",),
    ),
    row(
        "update-only-ignored-for-purchases-by-alias",
        "A purchase by alias creates a user although it is update only.",
        creates=True,
        sections=("purchases",),
        kinds=("user_alias",),
        flags=(True,),
    ),
    row(
        "alias-created-by-default",
        "A user_alias is created without being asked to.",
        "TS-USER-ALIAS-DEFAULT",
        creates=True,
        kinds=("user_alias",),
        flags=(None,),
    ),
    row(
        "alias-event-creates-by-default",
        "An event or purchase creates a user_alias without being asked to.",
        "TS-USER-ALIAS-DEFAULT",
        creates=True,
        sections=("events", "purchases"),
        kinds=("user_alias",),
        flags=(None,),
    ),
    row(
        "alias-purchase-creates-by-default",
        "A purchase by an unknown alias creates a user unasked.",
        "TS-USER-ALIAS-LABEL",
        "TS-USER-ALIAS-DEFAULT",
        creates=True,
        sections=("purchases",),
        kinds=("user_alias",),
        flags=(None,),
    ),
    row(
        "braze-id-creates", "An unknown braze_id creates a user.", "TS-USER-BRAZE-ID", creates=True, kinds=("braze_id",)
    ),
    row(
        "unknown-user-not-created",
        "An unknown external_id is created only on an explicit false.",
        "TS-USER-CREATE",
        "TS-OK-USERS",
        creates=False,
        kinds=("external_id",),
        flags=(None, True),
    ),
    row(
        "explicit-false-creates-no-user",
        "An explicit _update_existing_only: false does not create.",
        "TS-USER-CREATE",
        "TS-OK-USERS",
        creates=False,
        kinds=("external_id",),
        flags=(True, False),
    ),
    row(
        "event-creates-no-user",
        "An event does not create its user.",
        "TS-USER-CREATE",
        "TS-OK-USERS",
        creates=False,
        sections=("events",),
    ),
    row(
        "purchase-creates-no-user",
        "A purchase does not create its user.",
        "TS-USER-CREATE",
        "TS-OK-USERS",
        creates=False,
        sections=("purchases",),
    ),
    row(
        "alias-never-created",
        "A user_alias is never created.",
        "TS-USER-ALIAS-CREATE",
        creates=False,
        kinds=("user_alias",),
    ),
    row(
        "email-creates-no-user",
        "An unknown email creates no user.",
        "TS-USER-EMAIL-CREATE",
        "TS-OK-USERS",
        creates=False,
        kinds=("email",),
    ),
    row(
        "phone-creates-no-user",
        "An unknown phone creates no user.",
        "TS-USER-PHONE-CREATE",
        "TS-OK-USERS",
        creates=False,
        kinds=("phone",),
    ),
    row(
        "phone-purchase-creates-no-user",
        "A purchase by an unknown phone creates no user.",
        "TS-USER-PHONE-CREATE",
        creates=False,
        sections=("purchases",),
        kinds=("phone",),
        flags=(None,),
    ),
    row(
        "email-purchase-creates-no-user",
        "A purchase by an unknown email creates no user.",
        "TS-USER-EMAIL-CREATE",
        creates=False,
        sections=("purchases",),
        kinds=("email",),
        flags=(None,),
    ),
    row(
        "phone-event-creates-no-user",
        "An event by an unknown phone creates no user.",
        "TS-USER-PHONE-CREATE",
        creates=False,
        sections=("events",),
        kinds=("phone",),
        flags=(None,),
    ),
    row(
        "email-attributes-create-no-user",
        "Attributes by an unknown email create no user.",
        "TS-USER-EMAIL-CREATE",
        creates=False,
        sections=("attributes",),
        kinds=("email",),
        flags=(None,),
    ),
)
def _creates(
    creates: bool,
    sections: tuple[str, ...] = SECTIONS,
    kinds: tuple[str, ...] = IDENTIFIERS,
    flags: tuple[bool | None, ...] = (None, True, False),
) -> type[Core]:
    """Creates users where it must not, or none where it must: in these sections, by these kinds of identifiers.

    `flags` are the values of `_update_existing_only`, None for one that is absent.
    """

    class Creates(Core):
        def may_create(self, section: str, index: int, item: dict[str, Any], who: UserIdentity) -> bool:
            flag = item.get("_update_existing_only")
            if section in sections and who.kind in kinds and any(flag is one for one in flags):
                return creates
            return super().may_create(section, index, item, who)

    return Creates


overriding("create", module=__name__)(
    row(
        "unknown-user-refused",
        "An unknown external_id is refused with 400.",
        "TS-USER-CREATE",
        "TS-OK-STATUS",
        when=lambda task: task.who.kind == "external_id",
        refusal=lambda task: Refused(400, Detail("No such user", task.section, task.index)),
    ),
    row(
        "alias-event-creation-refused",
        "An event by alias that asks for creation is refused with 400.",
        "TS-USER-ALIAS-CREATE-EVENT",
        "TS-OK-STATUS",
        when=lambda task: task.who.kind == "user_alias" and task.section != "attributes",
        refusal=lambda task: Refused(400, Detail("No such user", task.section, task.index)),
    ),
)


@fault(
    "update-only-creates-in-silence",
    "With _update_existing_only the user is answered as not found, and created.",
    "TS-USER-UPDATE-ONLY",
    "TS-STATE-VISIBLE",
)
class _UpdateOnlyCreatesInSilence(Core):
    def perform(self, call: Call, task: WriteTask) -> WriteResult:
        outcome = super().perform(call, task)
        if outcome.profile is None and task.who.kind == "external_id":
            task.create = True
            super().perform(call, task)
        return outcome


@fault(
    "update-only-updates-nothing",
    "With _update_existing_only a user that exists is found and not updated.",
    "TS-USER-UPDATE-KNOWN",
    "TS-STATE-VISIBLE",
)
class _UpdateOnlyUpdatesNothing(Core):
    def write_attributes(self, task: WriteTask, profile: Profile, outcome: WriteResult) -> None:
        before = dict(profile.attributes)
        super().write_attributes(task, profile, outcome)
        if task.item.get("_update_existing_only") is True:
            profile.attributes = before


@fault(
    "alias-event-creates-in-silence",
    "An event by alias creates the user and answers that none was found.",
    "TS-USER-ALIAS-CREATE-EVENT",
    "TS-STATE-VISIBLE",
)
class _AliasEventCreatesInSilence(Core):
    def success(self, call: Call, task: WriteTask, outcome: WriteResult) -> dict[str, Any]:
        silent = outcome.created and task.who.kind == "user_alias" and task.section != "attributes"
        return self.no_user(call, task) if silent else super().success(call, task, outcome)


@fault(
    "alias-is-external-id",
    "An unknown alias finds the user whose external_id is the alias_name.",
    "TS-USER-ALIAS-DEFAULT",
    "TS-STATE-USERS-APART",
)
class _AliasIsExternalId(Core):
    def find(self, task: WriteTask) -> Profile | None:
        found = super().find(task)
        if found is None and task.who.kind == "user_alias":
            return self.store.find("external_id", task.who.shown["alias_name"])
        return found
