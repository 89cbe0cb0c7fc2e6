"""Faults of /users/track."""

from __future__ import annotations

from typing import Any

from tracksync.faults.registry import fault
from tracksync.mock.call import Call, Detail, WriteTask
from tracksync.mock.core import Core


@fault("track-answers-202", "/users/track answers 202.", "TS-TRACK-ACCEPTED", "TS-OK-STATUS")
class _TrackAnswers202(Core):
    def serve(self, call: Call) -> Any:
        body = super().serve(call)
        if call.path == "/users/track":
            call.status = 202
        return body


@fault("track-message-queued", "/users/track answers with the message queued.", "TS-TRACK-ACCEPTED")
class _TrackMessageQueued(Core):
    def track_body(self, tasks: list[WriteTask], details: list[Any]) -> dict[str, Any]:
        return super().track_body(tasks, details) | {"message": "queued"}


@fault("track-74-objects", "/users/track refuses 75 objects.", "TS-TRACK-ACCEPTED")
class _Track74Objects(Core):
    def track_objects(self) -> int:
        return super().track_objects() - 1


@fault("track-one-object-only", "/users/track refuses more than one object.", "TS-TRACK-ACCEPTED")
class _TrackOneObjectOnly(Core):
    def track_objects(self) -> int:
        return 1


@fault("track-drops-the-last", "/users/track never applies the last object of a batch.", "TS-TRACK-APPLIED")
class _TrackDropsTheLast(Core):
    def read_track(self, call: Call, document: list[tuple[str, list[Any]]]) -> tuple[list[WriteTask], list[Detail]]:
        tasks, details = super().read_track(call, document)
        return tasks[:-1], details


@fault("track-drops-events", "/users/track never applies events.", "TS-TRACK-APPLIED")
class _TrackDropsEvents(Core):
    def enqueue(self, call: Call, task: WriteTask) -> None:
        if task.section != "events":
            super().enqueue(call, task)


@fault("track-applies-twice", "/users/track applies every object twice.", "TS-TRACK-APPLIED")
class _TrackAppliesTwice(Core):
    def enqueue(self, call: Call, task: WriteTask) -> None:
        super().enqueue(call, task)
        super().enqueue(call, task)


@fault("track-applies-nothing", "/users/track applies nothing.", "TS-TRACK-APPLIED")
class _TrackAppliesNothing(Core):
    def enqueue(self, call: Call, task: WriteTask) -> None:
        return


@fault("track-forgets-new-users", "/users/track never applies what would create a user.", "TS-TRACK-APPLIED")
class _TrackForgetsNewUsers(Core):
    def enqueue(self, call: Call, task: WriteTask) -> None:
        if self.find(task) is not None:
            super().enqueue(call, task)
