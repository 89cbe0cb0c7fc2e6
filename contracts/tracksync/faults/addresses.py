"""Faults of emails and phones: an address that changed hands, several holders, both at once."""

from __future__ import annotations

from typing import Any

from tracksync.faults.registry import fault, faults, row
from tracksync.mock.call import WriteTask
from tracksync.mock.core import Core
from tracksync.mock.profiles import Profile


# --- an address that changed hands ----------------------------------------------------------------------------
@faults("TS-USER-FORMER-CONTACT")(
    row("email-finds-the-former-holder", "An email that its holder replaced still finds it.", kind="email"),
    row("phone-finds-the-former-holder", "A phone that its holder replaced still finds it.", kind="phone"),
    row(
        "taken-email-finds-the-former-holder",
        "An email that another user took over finds its former holder.",
        kind="email",
        taken=True,
    ),
    row(
        "taken-phone-finds-the-former-holder",
        "A phone that another user took over finds its former holder.",
        kind="phone",
        taken=True,
    ),
)
def _former(kind: str, taken: bool = False) -> type[Core]:
    """Finds a profile by an address that it no longer has; `taken`: only where another profile has it now."""

    class Former(Core):
        def __init__(self, *args: Any) -> None:
            super().__init__(*args)
            self.__former: dict[Any, Profile] = {}

        def write_field(self, task: WriteTask, profile: Profile, name: str, value: Any) -> None:
            before = getattr(profile, name) if name == kind else None
            super().write_field(task, profile, name, value)
            if before is not None and getattr(profile, name) != before:
                self.__former.setdefault(before, profile)

        def find(self, task: WriteTask) -> Profile | None:
            found = super().find(task)
            former = self.__former.get(task.who.key) if task.who.kind == kind else None
            return found if former is None or (taken and found is None) else former

    return Former


@faults()(
    row(
        "new-email-does-not-find",
        "An email that replaces another one does not find its user.",
        "TS-USER-EMAIL-FINDS",
        "TS-USER-FORMER-CONTACT",
        kind="email",
    ),
    row(
        "new-phone-does-not-find",
        "A phone that replaces another one does not find its user.",
        "TS-USER-PHONE-FINDS",
        "TS-USER-FORMER-CONTACT",
        kind="phone",
    ),
)
def _first(kind: str) -> type[Core]:
    """Finds a profile by the first address that it ever had, and by no later one."""

    class First(Core):
        def write_field(self, task: WriteTask, profile: Profile, name: str, value: Any) -> None:
            if name != kind or getattr(profile, kind) is None or value is None:
                super().write_field(task, profile, name, value)

    return First


@fault(
    "email-taken-from-its-holder",
    "A user who takes an email that another one has takes over its attributes.",
    "TS-STATE-USERS-APART",
)
class _EmailTakenFromItsHolder(Core):
    def write_field(self, task: WriteTask, profile: Profile, name: str, value: Any) -> None:
        holders = self.store.sharing("email", value) if name == "email" and isinstance(value, str) else []
        super().write_field(task, profile, name, value)
        for other in holders:
            if other is not profile:
                profile.attributes |= other.attributes


@fault(
    "unknown-email-falls-back-to-phone",
    "With an unknown email and a known phone the holder of the phone is updated.",
    "TS-USER-EMAIL-LEADS",
    "TS-STATE-USERS-APART",
)
class _UnknownEmailFallsBackToPhone(Core):
    def find(self, task: WriteTask) -> Profile | None:
        found = super().find(task)
        phone = task.item.get("phone")
        if found is None and task.who.kind == "email" and isinstance(phone, str):
            return self.store.find("phone", phone)
        return found


@fault(
    "phone-finds-the-oldest",
    "Of several profiles with a phone the oldest is found.",
    "TS-USER-PHONE-FINDS",
    beyond="which of several holders is meant is said of emails only",
)
class _PhoneFindsTheOldest(Core):
    def find(self, task: WriteTask) -> Profile | None:
        sharing = self.store.sharing("phone", task.who.key) if task.who.kind == "phone" else []
        return sharing[0] if sharing else super().find(task)


@fault(
    "braze-id-finds-no-user",
    "A braze_id that an export showed finds no user.",
    "TS-USER-BRAZE-ID",
    "TS-EXPORT-AGREES",
    beyond="no run knows a braze_id of its users: its steps are made before the responses come",
)
class _BrazeIdFindsNoUser(Core):
    def find(self, task: WriteTask) -> Profile | None:
        return None if task.who.kind == "braze_id" else super().find(task)


@fault(
    "alias-moves-to-another-user",
    "An alias with the name of an external_id is given to that user.",
    "TS-STATE-USERS-APART",
)
class _AliasMovesToAnotherUser(Core):
    def create(self, task: WriteTask) -> Profile:
        if task.who.kind == "user_alias":
            named = self.store.find("external_id", task.who.shown["alias_name"])
            if named is not None:
                return named
        return super().create(task)
