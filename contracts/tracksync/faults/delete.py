"""Faults of /users/delete."""

from __future__ import annotations

from collections.abc import Callable
from itertools import takewhile
from typing import Any

from tracksync.faults.registry import fault, faults, overriding, row
from tracksync.mock.call import Call, WriteTask
from tracksync.mock.core import Core
from tracksync.mock.profiles import Profile, UserIdentity

overriding("deleted_shown", "TS-DELETE-ANSWER", module=__name__)(
    row("delete-counts-double", "/users/delete answers twice as many as were named.", result=lambda named: 2 * named),
    row("delete-count-as-text", "/users/delete answers the count as a text.", result=lambda found: str(found)),
    row("delete-count-negative", "/users/delete answers a negative count.", result=lambda found: -found - 1),
)


overriding("delete", module=__name__)(
    row(
        "delete-message-deleted",
        "/users/delete answers with the message deleted.",
        "TS-DELETE-ANSWER",
        result=lambda right: right | {"message": "deleted"},
    ),
    row(
        "delete-by-email-without-priority-accepted",
        "/users/delete takes an email without its prioritization.",
        "TS-DELETE-REFUSED",
        given=lambda document: {"document": {"prioritization": ["most_recently_updated"]} | document},
    ),
)


@fault("delete-count-missing", "/users/delete answers without a count.", "TS-DELETE-ANSWER")
class _DeleteCountMissing(Core):
    def serve(self, call: Call) -> Any:
        body = super().serve(call)
        return {"message": body["message"]} if call.path == "/users/delete" else body


@fault(
    "delete-stops-at-an-unknown-user",
    "Of several users to delete none is deleted that stands behind a known and an unknown one.",
    "TS-DELETE-DONE",
)
class _DeleteStopsAtAnUnknownUser(Core):
    def delete(self, call: Call, document: dict[str, Any]) -> dict[str, Any]:
        named = [who for who, _ in self.read_batch(call, document)]
        known = list(takewhile(lambda who: self.lookup(who) is not None, named))
        self.__reached = known or named
        return super().delete(call, document)

    def delete_later(self, call: Call, profile: Profile) -> None:
        if any(self.lookup(who) is profile for who in self.__reached):
            super().delete_later(call, profile)


# --- who is deleted -----------------------------------------------------------------------------------------------
@faults("TS-DELETE-DONE", "TS-EXPORT-USERS")(
    row(
        "delete-misses-the-last",
        "Of several users to delete the last is not deleted.",
        doomed=lambda named: named[:-1] if len(named) > 1 else named,
    ),
    row(
        "delete-misses-the-second",
        "Of several users to delete the second is not deleted.",
        doomed=lambda named: named[:1] + named[2:],
    ),
    row("delete-first-only", "Of several users to delete only the first is deleted.", doomed=lambda named: named[:1]),
    row("delete-of-no-user", "No user is ever deleted.", doomed=lambda named: []),
    row(
        "delete-ignores-external-ids",
        "A user that is to be deleted by external_id is not.",
        doomed=lambda named: [who for who in named if who.kind != "external_id"],
    ),
    row(
        "delete-ignores-aliases",
        "A user that is to be deleted by alias is not.",
        doomed=lambda named: [who for who in named if who.kind != "user_alias"],
    ),
    row(
        "delete-ignores-braze-ids",
        "A user that is to be deleted by braze_id is not.",
        beyond="no run knows a braze_id of its users: its steps are made before the responses come",
        doomed=lambda named: [who for who in named if who.kind != "braze_id"],
    ),
    row(
        "delete-ignores-emails",
        "A user that is to be deleted by email is not.",
        doomed=lambda named: [who for who in named if who.kind != "email"],
    ),
    row(
        "delete-ignores-phones",
        "A user that is to be deleted by phone is not.",
        doomed=lambda named: [who for who in named if who.kind != "phone"],
    ),
)
def _doomed(doomed: Callable[[list[UserIdentity]], list[UserIdentity]]) -> type[Core]:
    """Deletes fewer users than were named; the response counts them all."""

    class Doomed(Core):
        __kept: tuple[Profile, ...] = ()

        def delete(self, call: Call, document: dict[str, Any]) -> dict[str, Any]:
            named = [who for who, _ in self.read_batch(call, document)]
            left = [who for who in named if who not in doomed(named)]
            self.__kept = tuple(held for who in left if (held := self.lookup(who)) is not None)
            return super().delete(call, document)

        def delete_later(self, call: Call, profile: Profile) -> None:
            if profile not in self.__kept:
                super().delete_later(call, profile)

    return Doomed


@faults("TS-DELETE-DONE", "TS-EXPORT-USERS", "TS-STATE-USERS-APART", "TS-USER-UPDATE-KNOWN")(
    row(
        "delete-of-all-with-the-address",
        "Every user with the email of a deleted one is deleted.",
        alike=lambda one, other: one.email is not None and one.email == other.email,
    ),
    row(
        "delete-of-the-same-beginning",
        "Every user whose external_id begins like a deleted one is deleted.",
        alike=lambda one, other: bool(one.external_id) and (other.external_id or "").startswith(one.external_id),
    ),
    row(
        "delete-in-any-case",
        "Every user whose external_id differs in case only from a deleted one is deleted.",
        "TS-DELETE-DONE",
        "TS-EXPORT-USERS",
        "TS-USER-SPELLING",
        alike=lambda one, other: bool(one.external_id) and one.external_id.lower() == (other.external_id or "").lower(),
    ),
    row(
        "delete-of-all-with-the-label",
        "Every user who has an alias under the label of a deleted one is deleted.",
        alike=lambda one, other: not one.aliases.keys().isdisjoint(other.aliases),
    ),
)
def _more(alike: Callable[[Profile, Profile], bool]) -> type[Core]:
    """Deletes further users than were named."""

    class More(Core):
        def delete_later(self, call: Call, profile: Profile) -> None:
            super().delete_later(call, profile)
            for other in self.store:
                if other is not profile and alike(profile, other):
                    super().delete_later(call, other)

    return More


# --- what is left of a deleted user -------------------------------------------------------------------------------
@faults("TS-DELETE-DONE", "TS-STATE-VISIBLE")(
    row(
        "deleted-attributes-come-back",
        "The attributes of a deleted user come back with its identifier.",
        parts=("attributes",),
    ),
    row("deleted-events-come-back", "The events of a deleted user come back with its identifier.", parts=("events",)),
    row(
        "deleted-purchases-come-back",
        "The purchases of a deleted user come back with its identifier.",
        parts=("purchases",),
    ),
    row(
        "deleted-user-comes-back",
        "All of a deleted user comes back with its identifier.",
        parts=("attributes", "events", "purchases"),
    ),
)
def _ghost(parts: tuple[str, ...]) -> type[Core]:
    """Gives a user that is made anew a part of the deleted one with its identifier."""

    class Ghost(Core):
        def __init__(self, *args: Any) -> None:
            super().__init__(*args)
            self.__deleted: dict[tuple[str, Any], Profile] = {}

        def delete_later(self, call: Call, profile: Profile) -> None:
            super().delete_later(call, profile)
            for kind, key in (("external_id", profile.external_id), ("email", profile.email), ("phone", profile.phone)):
                self.__deleted[kind, key] = profile
            for alias in profile.aliases.items():
                self.__deleted["user_alias", alias] = profile

        def create(self, task: WriteTask) -> Profile:
            profile = super().create(task)
            earlier = self.__deleted.pop((task.who.kind, task.who.key), None)
            for part in parts if earlier is not None else ():
                setattr(profile, part, getattr(earlier, part))
            return profile

    return Ghost


@fault(
    "delete-keeps-the-user-found-by-email",
    "A deleted user is still found by its email.",
    "TS-DELETE-DONE",
    "TS-USER-EMAIL-CREATE",
)
class _DeleteKeepsTheUserFoundByEmail(Core):
    def delete_later(self, call: Call, profile: Profile) -> None:
        email = profile.email
        super().delete_later(call, profile)
        if email is not None:
            self.later(call.now + 2 * self.config.async_delay, lambda: self.store.put_contact(profile, "email", email))


# --- limits -------------------------------------------------------------------------------------------------------
@faults("TS-DELETE-ANSWER")(
    row("delete-of-50-refused", "/users/delete refuses fifty identifiers.", most=49),
    row("delete-of-ten-at-most", "/users/delete refuses more than ten identifiers.", most=10),
    row("delete-of-51-accepted", "/users/delete accepts 51 identifiers.", "TS-DELETE-REFUSED", most=51),
    row(
        "delete-of-any-number-accepted",
        "/users/delete accepts any number of identifiers.",
        "TS-DELETE-REFUSED",
        most=10**6,
    ),
)
def _most(most: int) -> type[Core]:
    """Holds /users/delete to another number of identifiers."""

    class Most(Core):
        def batch_limit(self, call: Call) -> int:
            return most if call.path == "/users/delete" else super().batch_limit(call)

    return Most
