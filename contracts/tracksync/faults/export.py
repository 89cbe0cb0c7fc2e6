"""Faults of /users/export/ids."""

from __future__ import annotations

from typing import Any

from tracksync.faults.registry import fault, faults, overriding, row
from tracksync.mock.call import Call
from tracksync.mock.core import Core
from tracksync.mock.neighbours import BATCH_KINDS
from tracksync.mock.profiles import Profile


@fault("export-message-missing", "/users/export/ids answers without a message.", "TS-EXPORT-ANSWER")
class _ExportMessageMissing(Core):
    def export_body(self, users: list[dict[str, Any]], unknown: list[Any]) -> dict[str, Any]:
        body = super().export_body(users, unknown)
        del body["message"]
        return body


# Exports other users than were named, or lists other ids as unknown.
overriding("export_body", "TS-EXPORT-USERS", module=__name__)(
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


@fault("export-events-as-object", "/users/export/ids answers events as an object.", "TS-EXPORT-ANSWER")
class _ExportEventsAsObject(Core):
    def exported(self, profile: Profile, wanted: list[str] | None) -> dict[str, Any]:
        entry = super().exported(profile, wanted)
        if "custom_events" in entry:
            entry["custom_events"] = {one["name"]: one["count"] for one in entry["custom_events"]}
        return entry


@fault("export-attributes-as-text", "The export holds all attributes as texts.", "TS-EXPORT-AGREES")
class _ExportAttributesAsText(Core):
    def exported(self, profile: Profile, wanted: list[str] | None) -> dict[str, Any]:
        entry = super().exported(profile, wanted)
        if "custom_attributes" in entry:
            entry["custom_attributes"] = {name: str(held) for name, held in entry["custom_attributes"].items()}
        return entry


overriding("exported", module=__name__)(
    row(
        "export-without-attributes",
        "The export holds no custom attributes.",
        "TS-EXPORT-AGREES",
        result=lambda right: right | {"custom_attributes": {}} if "custom_attributes" in right else right,
    ),
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
    row(
        "export-with-one-braze-id",
        "Every exported user has the same braze_id.",
        "TS-EXPORT-USERS",
        result=lambda right: right | {"braze_id": "0" * 24} if "braze_id" in right else right,
    ),
)


@fault("export-without-the-latest-attribute", "The export lacks the latest attribute.", "TS-EXPORT-AGREES")
class _ExportWithoutTheLatestAttribute(Core):
    def exported(self, profile: Profile, wanted: list[str] | None) -> dict[str, Any]:
        entry = super().exported(profile, wanted)
        if entry.get("custom_attributes"):
            entry["custom_attributes"] = dict(list(entry["custom_attributes"].items())[:-1])
        return entry


@fault("export-counts-one-less", "The export's counts are one less.", "TS-EXPORT-AGREES")
class _ExportCountsOneLess(Core):
    def exported(self, profile: Profile, wanted: list[str] | None) -> dict[str, Any]:
        entry = super().exported(profile, wanted)
        for kind in ("custom_events", "purchases"):
            for tally in entry.get(kind, ()):
                tally["count"] -= 1
        return entry


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


@fault("export-without-empty-texts", "An export leaves empty attributes out.", "TS-EXPORT-AGREES")
class _ExportWithoutEmptyTexts(Core):
    def exported(self, profile: Profile, wanted: list[str] | None) -> dict[str, Any]:
        entry = super().exported(profile, wanted)
        if "custom_attributes" in entry:
            held = entry["custom_attributes"]
            entry["custom_attributes"] = {name: value for name, value in held.items() if value != ""}
        return entry


@fault("export-last-is-first", "An export shows first as last.", "TS-EXPORT-AGREES", "TS-TRACK-APPLIED")
class _ExportLastIsFirst(Core):
    def exported(self, profile: Profile, wanted: list[str] | None) -> dict[str, Any]:
        entry = super().exported(profile, wanted)
        for part in ("custom_events", "purchases"):
            if part in entry:
                entry[part] = [one | {"last": one["first"]} for one in entry[part]]
        return entry
