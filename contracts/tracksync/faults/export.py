"""Faults of /users/export/ids."""

from __future__ import annotations

from typing import Any

from tracksync.faults.registry import fault
from tracksync.mock.core import Core
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
