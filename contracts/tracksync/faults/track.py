"""Faults of /users/track."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import Any

from tracksync.faults.registry import fault, overriding, row, without
from tracksync.mock.call import MISSING, UNCHANGED, Call, Detail, WriteTask
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
    def track_body(self, processed: dict[str, Any], details: list[Any]) -> dict[str, Any]:
        return super().track_body(processed, details) | {"message": "queued"}


overriding("track_objects", "TS-TRACK-ACCEPTED", module=__name__)(
    row("track-74-objects", "/users/track refuses 75 objects.", result=lambda right: right - 1),
    row("track-one-object-only", "/users/track refuses more than one object.", result=lambda: 1),
)


def _has(task: WriteTask, keys: set[str]) -> bool:
    """Whether an attribute of the task is an object with one of these keys."""
    return any(isinstance(value, dict) and value.keys() & keys for value in task.item.values())


def _is_false(task: WriteTask) -> bool:
    return any(value is False or value == 0 for name, value in task.item.items() if name[0] != "_")


def _is_refund(task: WriteTask) -> bool:
    price = task.item.get("price")
    return task.section == "purchases" and isinstance(price, int | float) and price < 0


def _first_instant(tasks: list[WriteTask]) -> int:
    return next((task.instant for task in tasks if task.section != "attributes"), 0)


# Queues other objects than were accepted, or some of them twice; the response says nothing of it.
overriding("enqueue", "TS-TRACK-APPLIED", module=__name__)(
    row(
        "track-drops-the-first",
        "/users/track never applies the first object of a batch.",
        given=lambda tasks: {"tasks": tasks[1:] if len(tasks) > 1 else tasks},
    ),
    row(
        "track-drops-the-second",
        "/users/track never applies the second object of a batch.",
        given=lambda tasks: {"tasks": tasks[:1] + tasks[2:]},
    ),
    row(
        "track-drops-the-last",
        "/users/track never applies the last object of a batch.",
        given=lambda tasks: {"tasks": tasks[:-1]},
    ),
    row(
        "track-drops-after-fifty",
        "/users/track applies the first fifty objects of a batch only.",
        given=lambda tasks: {"tasks": tasks[:50]},
    ),
    row(
        "track-drops-every-tenth",
        "/users/track never applies every tenth object of a batch.",
        given=lambda tasks: {"tasks": [task for n, task in enumerate(tasks, 1) if n % 10]},
    ),
    row(
        "track-drops-attributes",
        "/users/track never applies attributes.",
        given=lambda tasks: {"tasks": [task for task in tasks if task.section != "attributes"]},
    ),
    row(
        "track-drops-events",
        "/users/track never applies events.",
        given=lambda tasks: {"tasks": [task for task in tasks if task.section != "events"]},
    ),
    row(
        "track-drops-purchases",
        "/users/track never applies purchases.",
        given=lambda tasks: {"tasks": [task for task in tasks if task.section != "purchases"]},
    ),
    row(
        "track-drops-refunds",
        "/users/track never applies purchases with a negative price.",
        given=lambda tasks: {"tasks": [task for task in tasks if not _is_refund(task)]},
    ),
    row(
        "track-drops-events-beside-attributes",
        "/users/track drops events that come with attributes.",
        when=lambda tasks: tasks[0].section == "attributes",
        given=lambda tasks: {"tasks": [task for task in tasks if task.section != "events"]},
    ),
    row(
        "track-drops-aliases",
        "/users/track never applies objects that name an alias.",
        given=lambda tasks: {"tasks": [task for task in tasks if task.who.kind != "user_alias"]},
    ),
    row(
        "track-drops-purchases-by-alias",
        "/users/track never applies purchases of a user that is named by alias.",
        given=lambda tasks: {
            "tasks": [one for one in tasks if one.section != "purchases" or one.who.kind != "user_alias"]
        },
    ),
    row(
        "track-drops-emails",
        "/users/track never applies objects that name an email.",
        given=lambda tasks: {"tasks": [task for task in tasks if task.who.kind != "email"]},
    ),
    row(
        "track-drops-phones",
        "/users/track never applies objects that name a phone.",
        given=lambda tasks: {"tasks": [task for task in tasks if task.who.kind != "phone"]},
    ),
    row(
        "track-applies-one-object-a-user",
        "/users/track applies the last object of each user only.",
        given=lambda tasks: {"tasks": list({(task.section, task.who.key): task for task in tasks}.values())},
    ),
    row(
        "track-drops-removals",
        "/users/track never applies attributes that are null.",
        given=lambda tasks: {"tasks": [task for task in tasks if None not in task.item.values()]},
    ),
    row(
        "track-drops-what-is-false",
        "/users/track never applies attributes that are false or zero.",
        given=lambda tasks: {"tasks": [task for task in tasks if not _is_false(task)]},
    ),
    row(
        "track-drops-array-edits",
        "/users/track never applies edits of an array.",
        given=lambda tasks: {"tasks": [task for task in tasks if not _has(task, {"add", "remove"})]},
    ),
    row(
        "track-drops-objects-with-properties",
        "/users/track never applies events and purchases with properties.",
        given=lambda tasks: {"tasks": [task for task in tasks if "properties" not in task.item]},
    ),
    row(
        "track-tenth-object-to-the-user-of-the-ninth",
        "/users/track applies the tenth object of a batch to the user of the ninth.",
        "TS-TRACK-APPLIED",
        "TS-STATE-USERS-APART",
        when=lambda tasks: len(tasks) > 9,
        given=lambda tasks: {"tasks": [*tasks[:9], replace(tasks[9], who=tasks[8].who), *tasks[10:]]},
    ),
    row("track-applies-nothing", "/users/track applies nothing.", given=lambda: {"tasks": []}),
    row("track-applies-twice", "/users/track applies every object twice.", given=lambda tasks: {"tasks": tasks * 2}),
    row(
        "track-applies-the-first-twice",
        "/users/track applies the first object of a batch twice.",
        given=lambda tasks: {"tasks": tasks[:1] + tasks},
    ),
    row(
        "track-applies-the-last-twice",
        "/users/track applies the last object of a batch twice.",
        given=lambda tasks: {"tasks": tasks + tasks[-1:]},
    ),
    row(
        "track-applies-purchases-twice",
        "/users/track applies purchases twice.",
        given=lambda tasks: {"tasks": tasks + [task for task in tasks if task.section == "purchases"]},
    ),
    row(
        "track-applies-equal-objects-once",
        "/users/track applies equal objects of a batch once.",
        given=lambda tasks: {
            "tasks": [task for n, task in enumerate(tasks) if task.item not in [other.item for other in tasks[:n]]]
        },
    ),
    row(
        "track-creates-no-user-by-alias",
        "/users/track creates no user by alias.",
        given=lambda server, tasks: {
            "tasks": [task for task in tasks if task.who.kind != "user_alias" or server.find(task) is not None]
        },
    ),
    row(
        "track-forgets-new-users",
        "/users/track never applies what would create a user.",
        given=lambda server, tasks: {"tasks": [task for task in tasks if server.find(task) is not None]},
    ),
    row(
        "track-event-recorded-as-now",
        "/users/track records events under the time of their arrival.",
        given=lambda call, tasks: {"tasks": [replace(task, instant=int(call.now * 1_000_000)) for task in tasks]},
    ),
    row(
        "track-time-of-the-first-event",
        "/users/track records a whole batch at the time of its first event.",
        given=lambda tasks: {"tasks": [replace(task, instant=_first_instant(tasks)) for task in tasks]},
    ),
    row(
        "track-quantity-dropped",
        "/users/track counts a purchase of several as one.",
        given=lambda tasks: {"tasks": [replace(task, quantity=1) for task in tasks]},
    ),
    row(
        "track-creates-for-updates-only",
        "/users/track creates a user although _update_existing_only is true.",
        "TS-EXPORT-USERS",
        "TS-USER-UPDATE-ONLY",
        given=lambda tasks: {
            "tasks": [
                replace(task, create=task.create or task.item.get("_update_existing_only") is True) for task in tasks
            ]
        },
    ),
    row(
        "track-ignores-the-merge-flag",
        "/users/track replaces objects that are to be merged.",
        given=lambda tasks: {"tasks": [replace(task, item=without(task.item, "_merge_objects")) for task in tasks]},
    ),
)


@fault(
    "track-drops-all-beside-a-refused-object",
    "A batch with one refused object is not applied at all.",
    "TS-TRACK-APPLIED",
)
class _TrackDropsAllBesideARefusedObject(Core):
    __partial = False

    def read_track(self, call: Call, document: list[tuple[str, list[Any]]]) -> tuple[list[WriteTask], list[Detail]]:
        tasks, details = super().read_track(call, document)
        self.__partial = bool(details)
        return tasks, details

    def enqueue(self, call: Call, tasks: list[WriteTask]) -> None:
        super().enqueue(call, [] if self.__partial else tasks)


@fault(
    "track-writes-to-the-first-user",
    "/users/track applies a batch's attributes to the user of its first object.",
    "TS-TRACK-APPLIED",
    "TS-STATE-USERS-APART",
)
class _TrackWritesToTheFirstUser(Core):
    def enqueue(self, call: Call, tasks: list[WriteTask]) -> None:
        for task in tasks:
            if task.section == tasks[0].section == "attributes":
                task.who, task.create = tasks[0].who, tasks[0].create
        super().enqueue(call, tasks)


@fault(
    "track-over-a-later-write",
    "What /users/track queued is applied again over a later synchronous write.",
    "TS-TRACK-APPLIED",
    "TS-EXPORT-AGREES",
)
class _TrackOverALaterWrite(Core):
    __queued: tuple[WriteTask, ...] = ()

    def enqueue(self, call: Call, tasks: list[WriteTask]) -> None:
        super().enqueue(call, tasks)
        self.__queued += tuple(task for task in tasks if task.section == "attributes")

    def complete(self, call: Call, task: WriteTask) -> Any:
        body = super().complete(call, task)
        for queued in self.__queued:
            if queued.who.key == task.who.key and queued.item.keys() & task.item.keys() - {task.who.kind}:
                self.later(call.now, partial(self.carry_out, call, queued))
        self.__queued = tuple(queued for queued in self.__queued if queued.who.key != task.who.key)
        return body


@fault("track-overwrites-no-value", "/users/track overwrites no value that is there.", "TS-TRACK-APPLIED")
class _TrackOverwritesNoValue(Core):
    __queued: tuple[WriteTask, ...] = ()

    def enqueue(self, call: Call, tasks: list[WriteTask]) -> None:
        self.__queued += tuple(tasks)
        super().enqueue(call, tasks)

    def take(self, task: WriteTask, name: str, current: Any, value: Any) -> Any:
        kept = current is not MISSING and isinstance(value, str | bool | int | float) and task in self.__queued
        return UNCHANGED if kept else super().take(task, name, current, value)


@fault(
    "track-stops-at-a-refused-object",
    "/users/track applies nothing of a section that stands behind a refused object.",
    "TS-TRACK-APPLIED",
)
class _TrackStopsAtARefusedObject(Core):
    def read_track(self, call: Call, document: list[tuple[str, list[Any]]]) -> tuple[list[WriteTask], list[Detail]]:
        tasks, details = super().read_track(call, document)
        refused = {detail.section: detail.index for detail in reversed(details)}
        return [task for task in tasks if task.index < refused.get(task.section, len(tasks))], details


# --- the counts of what was processed -----------------------------------------------------------------------------
# Shows other counts of what was processed.
overriding("processed", "TS-TRACK-PROCESSED", module=__name__)(
    row(
        "track-attributes-processed-missing",
        "/users/track does not say how many attributes it processed.",
        result=lambda right: without(right, "attributes_processed"),
    ),
    row(
        "track-events-processed-missing",
        "/users/track does not say how many events it processed.",
        result=lambda right: without(right, "events_processed"),
    ),
    row(
        "track-purchases-processed-missing",
        "/users/track does not say how many purchases it processed.",
        result=lambda right: without(right, "purchases_processed"),
    ),
    row(
        "track-processed-as-text",
        "The counts of what was processed are texts.",
        result=lambda right: {name: str(count) for name, count in right.items()},
    ),
    row("track-processed-null", "Counts of what was processed are null.", result=lambda right: dict.fromkeys(right)),
    row(
        "track-processed-always-one",
        "The counts of what was processed are always one.",
        result=lambda right: dict.fromkeys(right, 1),
    ),
    row(
        "track-processed-one-more",
        "The counts of what was processed are one too high.",
        result=lambda right: {name: count + 1 for name, count in right.items()},
    ),
    row(
        "track-processed-negative",
        "The counts of what was processed are negative.",
        result=lambda right: {name: -count for name, count in right.items()},
    ),
    row(
        "track-processed-in-all",
        "Each count of what was processed is that of the whole batch.",
        result=lambda right: dict.fromkeys(right, sum(right.values())),
    ),
    row(
        "track-processed-swapped",
        "The counts of what was processed are swapped.",
        result=lambda right: dict(zip(right, reversed(right.values()), strict=True)),
    ),
)
