"""Faults of /users/track, /users/delete and /users/export/ids."""

from __future__ import annotations

from typing import Any

from tracksync.faults.registry import fault
from tracksync.mock.call import Call, Detail, WriteTask
from tracksync.mock.core import Core
from tracksync.mock.profiles import Profile


# --- /users/track -----------------------------------------------------------------------------------------------
@fault("track-answers-202")
class _TrackAnswers202(Core):
    def serve(self, call: Call) -> Any:
        body = super().serve(call)
        if call.path == "/users/track":
            call.status = 202
        return body


@fault("track-message-queued")
class _TrackMessageQueued(Core):
    def track_body(self, tasks: list[WriteTask], details: list[Any]) -> dict[str, Any]:
        return super().track_body(tasks, details) | {"message": "queued"}


@fault("track-74-objects")
class _Track74Objects(Core):
    def track_objects(self) -> int:
        return super().track_objects() - 1


@fault("track-one-object-only")
class _TrackOneObjectOnly(Core):
    def track_objects(self) -> int:
        return 1


@fault("track-drops-the-last")
class _TrackDropsTheLast(Core):
    def read_track(self, call: Call, document: list[tuple[str, list[Any]]]) -> tuple[list[WriteTask], list[Detail]]:
        tasks, details = super().read_track(call, document)
        return tasks[:-1], details


@fault("track-drops-events")
class _TrackDropsEvents(Core):
    def enqueue(self, call: Call, task: WriteTask) -> None:
        if task.section != "events":
            super().enqueue(call, task)


@fault("track-applies-twice")
class _TrackAppliesTwice(Core):
    def enqueue(self, call: Call, task: WriteTask) -> None:
        super().enqueue(call, task)
        super().enqueue(call, task)


@fault("track-applies-nothing")
class _TrackAppliesNothing(Core):
    def enqueue(self, call: Call, task: WriteTask) -> None:
        return


@fault("track-forgets-new-users")
class _TrackForgetsNewUsers(Core):
    def enqueue(self, call: Call, task: WriteTask) -> None:
        if self.find(task) is not None:
            super().enqueue(call, task)


# --- /users/delete ----------------------------------------------------------------------------------------------
@fault("delete-counts-double")
class _DeleteCountsDouble(Core):
    def deleted_shown(self, named: int, found: int) -> Any:
        return 2 * named


@fault("delete-count-as-text")
class _DeleteCountAsText(Core):
    def deleted_shown(self, named: int, found: int) -> Any:
        return str(found)


@fault("delete-count-negative")
class _DeleteCountNegative(Core):
    def deleted_shown(self, named: int, found: int) -> Any:
        return -found - 1


@fault("delete-message-deleted")
class _DeleteMessageDeleted(Core):
    def delete(self, call: Call, document: dict[str, Any]) -> dict[str, Any]:
        return super().delete(call, document) | {"message": "deleted"}


@fault("delete-count-missing")
class _DeleteCountMissing(Core):
    def serve(self, call: Call) -> Any:
        body = super().serve(call)
        return {"message": body["message"]} if call.path == "/users/delete" else body


# --- /users/export/ids ------------------------------------------------------------------------------------------
@fault("export-message-missing")
class _ExportMessageMissing(Core):
    def export_body(self, users: list[dict[str, Any]], unknown: list[Any]) -> dict[str, Any]:
        body = super().export_body(users, unknown)
        del body["message"]
        return body


@fault("export-users-as-object")
class _ExportUsersAsObject(Core):
    def export_body(self, users: list[dict[str, Any]], unknown: list[Any]) -> dict[str, Any]:
        return super().export_body(users, unknown) | {"users": {user.get("external_id", ""): user for user in users}}


@fault("export-events-as-object")
class _ExportEventsAsObject(Core):
    def exported(self, profile: Profile, wanted: list[str] | None) -> dict[str, Any]:
        entry = super().exported(profile, wanted)
        if "custom_events" in entry:
            entry["custom_events"] = {one["name"]: one["count"] for one in entry["custom_events"]}
        return entry


@fault("export-attributes-as-text")
class _ExportAttributesAsText(Core):
    def exported(self, profile: Profile, wanted: list[str] | None) -> dict[str, Any]:
        entry = super().exported(profile, wanted)
        if "custom_attributes" in entry:
            entry["custom_attributes"] = {name: str(held) for name, held in entry["custom_attributes"].items()}
        return entry


@fault("export-without-attributes")
class _ExportWithoutAttributes(Core):
    def exported(self, profile: Profile, wanted: list[str] | None) -> dict[str, Any]:
        entry = super().exported(profile, wanted)
        return entry | {"custom_attributes": {}} if "custom_attributes" in entry else entry


@fault("export-without-the-latest-attribute")
class _ExportWithoutTheLatestAttribute(Core):
    def exported(self, profile: Profile, wanted: list[str] | None) -> dict[str, Any]:
        entry = super().exported(profile, wanted)
        if entry.get("custom_attributes"):
            entry["custom_attributes"] = dict(list(entry["custom_attributes"].items())[:-1])
        return entry


@fault("export-counts-one-less")
class _ExportCountsOneLess(Core):
    def exported(self, profile: Profile, wanted: list[str] | None) -> dict[str, Any]:
        entry = super().exported(profile, wanted)
        for kind in ("custom_events", "purchases"):
            for tally in entry.get(kind, ()):
                tally["count"] -= 1
        return entry


@fault("export-of-the-wrong-user")
class _ExportOfTheWrongUser(Core):
    def exported(self, profile: Profile, wanted: list[str] | None) -> dict[str, Any]:
        entry = super().exported(profile, wanted)
        other = next((held for held in self.store if held is not profile and held.attributes), profile)
        return entry | {"custom_attributes": dict(other.attributes)} if "custom_attributes" in entry else entry


@fault("export-of-the-first-state")
class _ExportOfTheFirstState(Core):
    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        self.__first: dict[str, dict[str, Any]] = {}

    def exported(self, profile: Profile, wanted: list[str] | None) -> dict[str, Any]:
        return self.__first.setdefault(profile.braze_id, super().exported(profile, wanted))


@fault("export-times-shifted")
class _ExportTimesShifted(Core):
    def export_time(self, instant: int) -> str:
        return super().export_time(instant - 3_600_000_000)
