"""Faults of /users/export/ids."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tracksync.faults.registry import fault, faults, row
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


@fault("export-users-as-object", "/users/export/ids answers users as an object.", "TS-EXPORT-ANSWER")
class _ExportUsersAsObject(Core):
    def export_body(self, users: list[dict[str, Any]], unknown: list[Any]) -> dict[str, Any]:
        return super().export_body(users, unknown) | {"users": {user.get("external_id", ""): user for user in users}}


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


@fault("export-without-attributes", "The export holds no custom attributes.", "TS-EXPORT-AGREES")
class _ExportWithoutAttributes(Core):
    def exported(self, profile: Profile, wanted: list[str] | None) -> dict[str, Any]:
        entry = super().exported(profile, wanted)
        return entry | {"custom_attributes": {}} if "custom_attributes" in entry else entry


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
@faults(
    row(
        "export-unknown-ids-not-listed",
        "An export does not list the ids that it does not know.",
        "TS-EXPORT-USERS",
        body=lambda users, unknown: (users, []),
    ),
    row(
        "export-unknown-ids-as-users",
        "An unknown id is exported as a user without anything.",
        "TS-EXPORT-USERS",
        body=lambda users, unknown: (users + [{"external_id": one} for one in unknown], []),
    ),
    row(
        "export-first-unknown-id-only",
        "Of several unknown ids only the first is listed.",
        "TS-EXPORT-USERS",
        body=lambda users, unknown: (users, unknown[:1]),
    ),
    row(
        "export-known-ids-listed-as-unknown",
        "An export lists ids that it knows as unknown.",
        "TS-EXPORT-USERS",
        body=lambda users, unknown: (users, unknown + [one["external_id"] for one in users if "external_id" in one]),
    ),
    row(
        "export-first-user-only",
        "Of several users only the first is exported.",
        "TS-EXPORT-USERS",
        body=lambda users, unknown: (users[:1], unknown),
    ),
    row(
        "export-user-twice",
        "Each user is exported twice.",
        "TS-EXPORT-USERS",
        body=lambda users, unknown: (users * 2, unknown),
    ),
    row(
        "export-users-null-when-empty",
        "users is null where no user is found.",
        "TS-EXPORT-ANSWER",
        body=lambda users, unknown: (users or None, unknown),
    ),
)
def _answered(body: Callable[[list[dict[str, Any]], list[Any]], tuple[Any, list[Any]]]) -> type[Core]:
    """Exports other users than were named, or lists other ids as unknown."""

    class Answered(Core):
        def export_body(self, users: list[dict[str, Any]], unknown: list[Any]) -> dict[str, Any]:
            return super().export_body(*body(users, unknown))

    return Answered


@fault(
    "export-fields-ignored",
    "An export shows every part, whatever was asked for.",
    "TS-EXPORT-ANSWER",
    beyond="no document forbids more parts than were asked for",
)
class _ExportFieldsIgnored(Core):
    def exported(self, profile: Profile, wanted: list[str] | None) -> dict[str, Any]:
        return super().exported(profile, None)


@fault(
    "export-last-field-forgotten",
    "The last of several fields that were asked for is left out.",
    "TS-EXPORT-ANSWER",
    "TS-EXPORT-AGREES",
)
class _ExportLastFieldForgotten(Core):
    def exported(self, profile: Profile, wanted: list[str] | None) -> dict[str, Any]:
        return super().exported(profile, wanted[:-1] if wanted and len(wanted) > 1 else wanted)


@faults(
    row("export-by-alias-finds-no-user", "An export by alias finds no user.", "TS-EXPORT-USERS", kind="user_alias"),
    row("export-by-email-finds-no-user", "An export by email finds no user.", "TS-EXPORT-USERS", kind="email"),
    row("export-by-phone-finds-no-user", "An export by phone finds no user.", "TS-EXPORT-USERS", kind="phone"),
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


@fault("export-with-one-braze-id", "Every exported user has the same braze_id.", "TS-EXPORT-USERS")
class _ExportWithOneBrazeId(Core):
    def exported(self, profile: Profile, wanted: list[str] | None) -> dict[str, Any]:
        entry = super().exported(profile, wanted)
        return entry | {"braze_id": "0" * 24} if "braze_id" in entry else entry


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
