"""The three endpoints beside sync: /users/track, /users/delete, /users/export/ids (TRACK DELETE EXPORT).

What /users/track and /users/delete accept is queued, and applied when its time has come, at the beginning of the next
request or inspection. Nothing here sleeps.
"""

from __future__ import annotations

import heapq
import random
from collections import Counter
from collections.abc import Callable
from functools import partial
from typing import Any, Final

from tracksync.mock import limits
from tracksync.mock.call import Call, Detail, Refused, ServerPart, WriteTask
from tracksync.mock.config import MockConfig
from tracksync.mock.profiles import Activity, Profile, UserIdentity
from tracksync.mock.request import RequestReader
from tracksync.values import times

BATCH_KINDS: Final = {
    "external_ids": "external_id",
    "user_aliases": "user_alias",
    "braze_ids": "braze_id",
    "braze_id": "braze_id",
    "email_addresses": "email",
    "email_address": "email",
    "phone_numbers": "phone",
    "phone": "phone",
}
NEED_PRIORITY: Final = frozenset({"email", "phone"})


class Neighbours(RequestReader):
    """/users/track, /users/delete and /users/export/ids."""

    def __init__(self, config: MockConfig, clock: Callable[[], float]) -> None:
        super().__init__(config, clock)
        self._queue: list[tuple[float, int, Callable[[], None]]] = []
        self._queued = 0
        self._chance = random.Random(config.seed)

    def continue_from(self, earlier: ServerPart) -> None:
        """Take over the work that is queued as well."""
        super().continue_from(earlier)
        if isinstance(earlier, Neighbours):
            self._queue, self._queued = earlier._queue, earlier._queued

    # --- the queue --------------------------------------------------------------------------------------------
    def later(self, now: float, work: Callable[[], None]) -> None:
        """Queue some work. Its delay is random, so that work is not necessarily done in order. `now` is in seconds."""
        self._queued += 1
        heapq.heappush(self._queue, (now + self.delay(), self._queued, work))

    def delay(self) -> float:
        """Seconds until queued work is done: between a half and one and a half of the configured mean."""
        return self.config.async_delay * (0.5 + self._chance.random())

    def settle(self, now: float) -> None:
        """Do the queued work whose time has come."""
        while self._queue and self._queue[0][0] <= now:
            heapq.heappop(self._queue)[2]()

    @property
    def queued(self) -> list[tuple[float, int, Callable[[], None]]]:
        """The queued work in the order in which it is due: when (epoch seconds), its number, and what is to be done."""
        return sorted(self._queue, key=lambda one: one[:2])

    @property
    def queue_version(self) -> tuple[int, int]:
        """Another value whenever something was queued or done."""
        return self._queued, len(self._queue)

    def requeue(self, queued: list[tuple[float, Callable[[], None]]]) -> None:
        """Queue this work, each with the time at which it is due, in the place of all that is queued."""
        self._queue = [(due, number, work) for number, (due, work) in enumerate(queued, 1)]
        heapq.heapify(self._queue)
        self._queued = len(self._queue)

    # --- /users/track -----------------------------------------------------------------------------------------
    def read_track(self, call: Call, document: list[tuple[str, list[Any]]]) -> tuple[list[WriteTask], list[Detail]]:
        """The tasks of a batch, and a detail for each object that is refused; the others are accepted (WIRE)."""
        if not document:
            raise Refused(400, Detail("One of 'attributes', 'events', 'purchases' is required"))
        if sum(len(found) for _, found in document) > self.track_objects():
            raise Refused(400, Detail(f"At most {limits.TRACK_OBJECTS} objects are allowed"))
        tasks: list[WriteTask] = []
        details: list[Detail] = []
        for section, found in document:
            for index, item in enumerate(found):
                try:
                    tasks.append(self.examine(call, section, index, _with_texts(item)))
                except Refused as refusal:
                    details.extend(refusal.details)
        if not tasks:
            raise Refused(400, *details)
        return tasks, details

    def track_objects(self) -> int:
        """The most objects that one request may carry (TRACK LIMITS)."""
        return limits.TRACK_OBJECTS

    def processed(self, sections: list[str], tasks: list[WriteTask]) -> dict[str, Any]:
        """How many objects of each section that was sent are queued, under the name of that count (WIRE)."""
        counts = Counter(task.section for task in tasks)
        return {f"{section}_processed": counts[section] for section in sections}

    def track_body(self, processed: dict[str, Any], details: list[Any]) -> dict[str, Any]:
        """The body of an accepted batch; errors only where a part was refused (WIRE)."""
        body: dict[str, Any] = processed | {"message": "success"}
        if details:
            body["errors"] = details
        return body

    # --- identifiers in batches -------------------------------------------------------------------------------
    def batch_limit(self, call: Call) -> int:
        """The most identifiers that one request may name (DELETE)."""
        return limits.DELETE_BATCH

    def read_batch(self, call: Call, document: dict[str, Any]) -> list[tuple[UserIdentity, Any]]:
        """Every user that a batch names, with the JSON that named it."""
        found: list[tuple[UserIdentity, Any]] = []
        for field, kind in BATCH_KINDS.items():
            values = document.get(field)
            if values is None:
                continue
            for value in values if isinstance(values, list) else [values]:
                found.append((self.batch_identity(field, kind, value), value))
        if not found:
            raise Refused(400, Detail("At least one identifier is required"), message="No identifiers were given")
        if len(found) > self.batch_limit(call):
            raise Refused(400, Detail(f"At most {limits.DELETE_BATCH} identifiers"), message="Too many identifiers")
        return found

    def batch_identity(self, field: str, kind: str, value: Any) -> UserIdentity:
        """One identifier of a batch. Emails and phones may stand in an object with their prioritization."""
        if kind in NEED_PRIORITY and isinstance(value, dict):
            value = value.get(kind)
        if kind == "user_alias":
            if isinstance(value, dict):
                label, name = value.get("alias_label"), value.get("alias_name")
                if isinstance(label, str) and isinstance(name, str):
                    return UserIdentity(kind, (self.spell("alias_label", label), self.spell("alias_name", name)), value)
        elif isinstance(value, str) or (kind == "external_id" and type(value) is int):
            return UserIdentity(kind, self.spell(kind, str(value)), value)
        raise Refused(400, Detail(f"'{field}' is not valid"), message=f"'{field}' is not valid")

    # --- /users/delete ----------------------------------------------------------------------------------------
    def delete(self, call: Call, document: dict[str, Any]) -> dict[str, Any]:
        """Queue the deletion of users; the body says how many were found (DELETE)."""
        found = self.read_batch(call, document)
        if any(who.kind in NEED_PRIORITY and not _prioritized(document, value) for who, value in found):
            raise Refused(400, Detail("'prioritization' is required"), message="'prioritization' is required")
        found_users: dict[str, Profile] = {}
        for who, _ in found:
            profile = self.store.find(who.kind, who.key)
            if profile is not None:
                found_users[profile.braze_id] = profile
        for profile in found_users.values():
            self.delete_later(call, profile)
        return {"deleted": self.deleted_shown(len(found), len(found_users)), "message": "success"}

    def delete_later(self, call: Call, profile: Profile) -> None:
        """Queue one deletion."""
        self.later(call.now, partial(self.store.delete, profile))

    def deleted_shown(self, named: int, found: int) -> Any:
        """The count in the response."""
        return found

    # --- /users/export/ids ------------------------------------------------------------------------------------
    def export(self, call: Call, document: dict[str, Any]) -> dict[str, Any]:
        """The profiles that a request names (EXPORT)."""
        wanted = document.get("fields_to_export")
        if wanted is not None and not (isinstance(wanted, list) and all(isinstance(name, str) for name in wanted)):
            raise Refused(400, Detail("'fields_to_export' is not valid"), message="'fields_to_export' is not valid")
        users: dict[str, dict[str, Any]] = {}
        unknown = []
        for who, value in self.read_batch(call, document):
            profile = self.store.find(who.kind, who.key)
            if profile is None:
                unknown.append(value)
            else:
                users[profile.braze_id] = self.exported(profile, wanted)
        return self.export_body(list(users.values()), unknown)

    def export_body(self, users: list[dict[str, Any]], unknown: list[Any]) -> dict[str, Any]:
        """The body of an export."""
        body: dict[str, Any] = {"users": users, "message": "success"}
        if unknown:
            body["invalid_user_ids"] = unknown
        return body

    def exported(self, profile: Profile, wanted: list[str] | None) -> dict[str, Any]:
        """One profile, held to the fields that were asked for."""
        entry = describe(profile, self.export_time)
        return entry if wanted is None else {name: value for name, value in entry.items() if name in wanted}

    def export_time(self, instant: int) -> str:
        """A time in an export."""
        return times.write_time(instant, "utc-millis")


def describe(profile: Profile, write_time: Callable[[int], Any]) -> dict[str, Any]:
    """A profile as JSON, in the documented kinds of an export. `write_time` is given microseconds since the epoch."""
    entry: dict[str, Any] = {"braze_id": profile.braze_id}
    for name in ("external_id", "email", "phone"):
        value = getattr(profile, name)
        if value is not None:
            entry[name] = value
    if profile.aliases:
        entry["user_aliases"] = [{"alias_name": name, "alias_label": label} for label, name in profile.aliases.items()]
    entry |= profile.fields
    entry["custom_attributes"] = dict(profile.attributes)
    entry["custom_events"] = _tallies(profile.events, write_time)
    entry["purchases"] = _tallies(profile.purchases, write_time)
    return entry


def _tallies(held: dict[str, Activity], write_time: Callable[[int], Any]) -> list[dict[str, Any]]:
    return [
        {"name": name, "first": write_time(tally.first), "last": write_time(tally.last), "count": tally.count}
        for name, tally in held.items()
    ]


def _with_texts(item: Any) -> Any:
    """An object of a batch with its integer identifiers as texts: /users/track accepts them (WIRE)."""
    if not isinstance(item, dict):
        return item
    return item | {name: str(item[name]) for name in ("external_id", "product_id") if type(item.get(name)) is int}


def _prioritized(document: dict[str, Any], value: Any) -> bool:
    """Whether an email or phone of a deletion comes with its prioritization, beside it or for the whole request."""
    return bool(document.get("prioritization") or (isinstance(value, dict) and value.get("prioritization")))
