"""Faults of /users/export/ids."""

from __future__ import annotations

from typing import Any

from tracksync.faults.export_parts import changed, each
from tracksync.faults.registry import fault, faults, overriding, row, without
from tracksync.mock.call import Call
from tracksync.mock.core import Core
from tracksync.mock.neighbours import BATCH_KINDS
from tracksync.mock.profiles import Profile

# Exports other users than were named, or lists other ids as unknown.
overriding("export_body", "TS-EXPORT-USERS", module=__name__)(
    row(
        "export-message-missing",
        "/users/export/ids answers without a message.",
        "TS-EXPORT-ANSWER",
        result=lambda right: without(right, "message"),
    ),
    row(
        "export-users-as-object",
        "/users/export/ids answers users as an object.",
        "TS-EXPORT-ANSWER",
        result=lambda right, users: right | {"users": {user.get("external_id", ""): user for user in users}},
    ),
    row(
        "export-unknown-ids-not-listed",
        "An export does not list the ids that it does not know.",
        given=lambda: {"unknown": []},
    ),
    row(
        "export-unknown-ids-as-users",
        "An unknown id is exported as a user without anything.",
        given=lambda users, unknown: {"users": users + [{"external_id": one} for one in unknown], "unknown": []},
    ),
    row(
        "export-first-unknown-id-only",
        "Of several unknown ids only the first is listed.",
        given=lambda unknown: {"unknown": unknown[:1]},
    ),
    row(
        "export-known-ids-listed-as-unknown",
        "An export lists ids that it knows as unknown.",
        given=lambda users, unknown: {
            "unknown": unknown + [one["external_id"] for one in users if "external_id" in one]
        },
    ),
    row(
        "export-first-user-only",
        "Of several users only the first is exported.",
        given=lambda users: {"users": users[:1]},
    ),
    row("export-user-twice", "Each user is exported twice.", given=lambda users: {"users": users * 2}),
    row(
        "export-users-null-when-empty",
        "users is null where no user is found.",
        "TS-EXPORT-ANSWER",
        given=lambda users: {"users": users or None},
    ),
)


overriding("exported", module=__name__)(
    row(
        "export-fields-ignored",
        "An export shows every part, whatever was asked for.",
        "TS-EXPORT-ANSWER",
        beyond="no document forbids more parts than were asked for",
        given=lambda: {"wanted": None},
    ),
    row(
        "export-last-field-forgotten",
        "The last of several fields that were asked for is left out.",
        "TS-EXPORT-ANSWER",
        "TS-EXPORT-AGREES",
        given=lambda wanted: {"wanted": wanted[:-1] if wanted and len(wanted) > 1 else wanted},
    ),
)


@fault(
    "export-of-the-wrong-user",
    "The export holds another user's attributes.",
    "TS-EXPORT-AGREES",
    "TS-STATE-USERS-APART",
)
class _ExportOfTheWrongUser(Core):
    def exported(self, profile: Profile, wanted: list[str] | None) -> dict[str, Any]:
        entry = super().exported(profile, wanted)
        other = next((held for held in self.store if held is not profile and held.attributes), profile)
        return entry | {"custom_attributes": dict(other.attributes)} if "custom_attributes" in entry else entry


@fault("export-of-the-first-state", "An export repeats what was first exported of the user.", "TS-EXPORT-AGREES")
class _ExportOfTheFirstState(Core):
    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        self.__first: dict[str, dict[str, Any]] = {}

    def exported(self, profile: Profile, wanted: list[str] | None) -> dict[str, Any]:
        return self.__first.setdefault(profile.braze_id, super().exported(profile, wanted))


@fault("export-times-shifted", "The export's times are an hour early.", "TS-EXPORT-AGREES")
class _ExportTimesShifted(Core):
    def export_time(self, instant: int) -> str:
        return super().export_time(instant - 3_600_000_000)


# --- which users, and which fields ----------------------------------------------------------------------------


@faults("TS-EXPORT-USERS")(
    row("export-by-alias-finds-no-user", "An export by alias finds no user.", kind="user_alias"),
    row("export-by-email-finds-no-user", "An export by email finds no user.", kind="email"),
    row("export-by-phone-finds-no-user", "An export by phone finds no user.", kind="phone"),
)
def _unfound(kind: str) -> type[Core]:
    """Finds no user that an export names by this kind of identifier."""

    class Unfound(Core):
        def export(self, call: Call, document: dict[str, Any]) -> dict[str, Any]:
            members = {member for member, one in BATCH_KINDS.items() if one == kind}
            if members & document.keys():
                return self.export_body([], [])
            return super().export(call, document)

    return Unfound


@fault(
    "export-finds-by-prefix",
    "An export of an unknown external_id shows a user whose external_id begins with it.",
    "TS-EXPORT-USERS",
)
class _ExportFindsByPrefix(Core):
    def export(self, call: Call, document: dict[str, Any]) -> dict[str, Any]:
        ids = document.get("external_ids")
        if isinstance(ids, list):
            document = document | {"external_ids": [self.__found(one) for one in ids]}
        return super().export(call, document)

    def __found(self, text: Any) -> Any:
        if not isinstance(text, str) or self.store.find("external_id", text) is not None:
            return text
        return next((one.external_id for one in self.store if (one.external_id or "").startswith(text)), text)


# --- what a profile holds -------------------------------------------------------------------------------------
TALLIES = ("custom_events", "purchases")

faults("TS-EXPORT-AGREES", module=__name__)(
    row(
        "export-events-as-object",
        "/users/export/ids answers events as an object.",
        "TS-EXPORT-ANSWER",
        part="custom_events",
        change=lambda held: {one["name"]: one["count"] for one in held},
    ),
    row(
        "export-attributes-as-text",
        "The export holds all attributes as texts.",
        part="custom_attributes",
        change=lambda held: {name: str(value) for name, value in held.items()},
    ),
    row(
        "export-without-attributes",
        "The export holds no custom attributes.",
        part="custom_attributes",
        change=lambda held: dict[str, Any](),
    ),
    row(
        "export-without-the-latest-attribute",
        "The export lacks the latest attribute.",
        part="custom_attributes",
        change=lambda held: dict(list(held.items())[:-1]),
    ),
    row(
        "export-without-empty-texts",
        "An export leaves empty attributes out.",
        part="custom_attributes",
        change=lambda held: {name: value for name, value in held.items() if value != ""},
    ),
    row(
        "export-counts-one-less",
        "The export's counts are one less.",
        part=TALLIES,
        change=each(lambda tally: tally | {"count": tally["count"] - 1}),
    ),
    row(
        "export-last-is-first",
        "An export shows first as last.",
        "TS-EXPORT-AGREES",
        "TS-TRACK-APPLIED",
        part=TALLIES,
        change=each(lambda tally: tally | {"last": tally["first"]}),
    ),
    row(
        "export-with-one-braze-id",
        "Every exported user has the same braze_id.",
        "TS-EXPORT-USERS",
        part="braze_id",
        change=lambda held: "0" * 24,
    ),
)(changed)
