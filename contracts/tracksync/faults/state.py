"""Faults of memory: stored or not, visible or not, at the right time."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from tracksync.faults.registry import fault, faults, row
from tracksync.mock.call import Call, WriteResult, WriteTask
from tracksync.mock.core import Core
from tracksync.mock.profiles import Profile


def _non_ascii(task: WriteTask) -> bool:
    return any(not name.isascii() for name in task.item)


def _edits(task: WriteTask) -> bool:
    return any(isinstance(value, dict) and value.keys() <= {"add", "remove"} for value in task.item.values())


@faults("TS-STATE-VISIBLE")(
    row(
        "attributes-not-stored",
        "Attributes of a known user are answered rightly and not stored.",
        when=lambda task, held: task.section == "attributes",
    ),
    row(
        "events-not-stored",
        "Events of a known user are answered rightly and not stored.",
        "TS-STATE-VISIBLE",
        "TS-EVENT-COUNT",
        when=lambda task, held: task.section == "events",
    ),
    row(
        "purchases-not-stored",
        "Purchases of a known user are answered rightly and not stored.",
        "TS-STATE-VISIBLE",
        "TS-PURCHASE-COUNT",
        when=lambda task, held: task.section == "purchases",
    ),
    row(
        "not-stored-for-aliases",
        "Updates by alias are answered rightly and not stored.",
        "TS-STATE-VISIBLE",
        "TS-PURCHASE-COUNT",
        when=lambda task, held: task.who.kind == "user_alias",
    ),
    row(
        "not-stored-for-emails",
        "Updates by email are answered rightly and not stored.",
        when=lambda task, held: task.who.kind == "email",
    ),
    row(
        "not-stored-for-phones",
        "Updates by phone are answered rightly and not stored.",
        "TS-STATE-VISIBLE",
        "TS-EVENT-COUNT",
        when=lambda task, held: task.who.kind == "phone",
    ),
    row(
        "not-stored-for-braze-ids",
        "Updates by braze_id are answered rightly and not stored.",
        beyond="a braze_id is assigned by Braze, and a run knows none",
        when=lambda task, held: task.who.kind == "braze_id",
    ),
    row(
        "not-stored-with-both-contacts",
        "Updates that carry both email and phone are answered rightly and not stored.",
        "TS-STATE-VISIBLE",
        "TS-USER-EMAIL-LEADS",
        when=lambda task, held: bool(task.item.get("email") and task.item.get("phone")),
    ),
    row(
        "not-stored-for-non-ascii-names",
        "Updates with an attribute name beyond ASCII are answered rightly and not stored.",
        when=lambda task, held: _non_ascii(task),
    ),
    row(
        "array-edits-not-stored",
        "Edits of arrays are answered rightly and not stored.",
        "TS-STATE-VISIBLE",
        "TS-ARRAY-ADD",
        when=lambda task, held: _edits(task),
    ),
    row(
        "second-update-not-stored",
        "An attribute that has a value is answered rightly and keeps the old one.",
        when=lambda task, held: task.section == "attributes" and any(name in held.attributes for name in task.item),
    ),
    row(
        "second-event-not-stored",
        "The second event is answered rightly and not stored.",
        "TS-STATE-VISIBLE",
        "TS-EVENT-COUNT",
        "TS-PURCHASE-COUNT",
        when=lambda task, held: task.name in held.events and held.events[task.name].count == 1,
    ),
    row(
        "third-event-not-stored",
        "The third event is answered rightly and not stored.",
        "TS-STATE-VISIBLE",
        "TS-EVENT-COUNT",
        when=lambda task, held: (
            task.section == "events" and task.name in held.events and held.events[task.name].count == 2
        ),
    ),
)
def _forget(when: Callable[[WriteTask, Profile], bool]) -> type[Core]:
    """Answers rightly and then takes the update back."""

    class _Forgetful(Core):
        def complete(self, call: Call, task: WriteTask) -> Any:
            held = self.find(task)
            before = held.snapshot() if held is not None and when(task, held) else None
            body = super().complete(call, task)
            if held is not None and before is not None:
                held.restore(before)
            return body

    return _Forgetful


# --- right answer, nothing stored -----------------------------------------------------------------------------
@fault(
    "new-user-not-kept",
    "A user created by an event or purchase is forgotten at once.",
    "TS-STATE-VISIBLE",
    "TS-EVENT-COUNT",
    "TS-PURCHASE-COUNT",
)
class _NewUserNotKept(Core):
    def complete(self, call: Call, task: WriteTask) -> Any:
        body = super().complete(call, task)
        outcome = call.outcome
        if outcome is not None and outcome.created and outcome.profile is not None and task.section != "attributes":
            self.store.delete(outcome.profile)
        return body


@fault("one-in-ten-not-stored", "Every tenth update is answered rightly and not stored.", "TS-STATE-VISIBLE")
class _OneInTenNotStored(Core):
    __writes = 0

    def complete(self, call: Call, task: WriteTask) -> Any:
        held = self.find(task)
        before = None if held is None else held.snapshot()
        body = super().complete(call, task)
        self.__writes += 1
        if held is not None and before is not None and self.__writes % 10 == 0:
            held.restore(before)
        return body


# --- stored, answer stale -------------------------------------------------------------------------------------
@fault(
    "attributes-shown-stale",
    "Attributes are stored, and shown as they were before.",
    "TS-OK-SHOWS",
    "TS-STATE-VISIBLE",
    "TS-ATTR-STRING",
    "TS-ATTR-INTEGER",
)
class _AttributesShownStale(Core):
    __before: dict[str, Any] | None = None

    def write_attributes(self, task: WriteTask, profile: Profile, outcome: WriteResult) -> None:
        self.__before = dict(profile.attributes)
        super().write_attributes(task, profile, outcome)

    def attributes_shown(self, task: WriteTask, outcome: WriteResult, profile: Profile) -> dict[str, Any]:
        shown = super().attributes_shown(task, outcome, profile)
        before = self.__before or {}
        return {name: self.show_value(name, before[name]) if name in before else held for name, held in shown.items()}


@fault(
    "arrays-shown-stale",
    "Arrays are stored, and shown as they were before.",
    "TS-OK-SHOWS",
    "TS-STATE-VISIBLE",
    "TS-ARRAY-ADD",
    "TS-ARRAY-REMOVE",
    "TS-ARRAY-SET",
)
class _ArraysShownStale(Core):
    __before: dict[str, Any] | None = None

    def write_attributes(self, task: WriteTask, profile: Profile, outcome: WriteResult) -> None:
        self.__before = dict(profile.attributes)
        super().write_attributes(task, profile, outcome)

    def attributes_shown(self, task: WriteTask, outcome: WriteResult, profile: Profile) -> dict[str, Any]:
        shown = super().attributes_shown(task, outcome, profile)
        before = self.__before or {}
        return {
            name: before[name] if isinstance(before.get(name), list) and isinstance(held, list) else held
            for name, held in shown.items()
        }


@fault("counts-shown-stale", "Events are counted, and shown as they were before.", "TS-EVENT-COUNT", "TS-STATE-VISIBLE")
class _CountsShownStale(Core):
    def count_shown(self, task: WriteTask, count: int) -> Any:
        behind = count - 1 if task.section == "events" and count > 1 else count
        return super().count_shown(task, behind)


@fault(
    "request-echoed",
    "The response repeats the request's values in place of the resulting ones.",
    "TS-OK-SHOWS",
    "TS-ATTR-LENGTH-OVER",
    "TS-ATTR-INC",
    "TS-ARRAY-LIMIT",
)
class _RequestEchoed(Core):
    def attributes_shown(self, task: WriteTask, outcome: WriteResult, profile: Profile) -> dict[str, Any]:
        shown = super().attributes_shown(task, outcome, profile)
        return shown | {name: task.item[name] for name in outcome.named if task.item[name] is not None}


# --- late, twice, lost ----------------------------------------------------------------------------------------
@fault("applied-one-request-late", "An update of a known user takes effect after the next request.", "TS-STATE-VISIBLE")
class _AppliedOneRequestLate(Core):
    __waiting: Callable[[], None] | None = None

    def complete(self, call: Call, task: WriteTask) -> Any:
        waiting, self.__waiting = self.__waiting, None
        held = self.find(task)
        before = None if held is None else held.snapshot()
        body = super().complete(call, task)
        if held is not None and before is not None:
            held.restore(before)
            self.__waiting = lambda: self.carry_out(call, task)
        if waiting is not None:
            waiting()
        return body


@fault("applied-late", "An update of a known user takes effect some moments after the response.", "TS-STATE-VISIBLE")
class _AppliedLate(Core):
    def complete(self, call: Call, task: WriteTask) -> Any:
        held = self.find(task)
        before = None if held is None else held.snapshot()
        body = super().complete(call, task)
        if held is not None and before is not None:
            held.restore(before)
            self.later(call.now, partial(self.carry_out, call, task))
        return body


@fault(
    "applied-twice-now-and-then",
    "Every eighth update is applied twice.",
    "TS-STATE-VISIBLE",
    "TS-EVENT-COUNT",
    "TS-PURCHASE-COUNT",
)
class _AppliedTwiceNowAndThen(Core):
    __writes = 0

    def complete(self, call: Call, task: WriteTask) -> Any:
        body = super().complete(call, task)
        self.__writes += 1
        if self.__writes % 8 == 0:
            self.carry_out(call, task)
        return body


@fault(
    "applied-again-later",
    "Events and purchases are applied a second time some moments later.",
    "TS-STATE-VISIBLE",
    "TS-EVENT-COUNT",
    "TS-PURCHASE-COUNT",
)
class _AppliedAgainLater(Core):
    def complete(self, call: Call, task: WriteTask) -> Any:
        body = super().complete(call, task)
        if task.section != "attributes":
            self.later(call.now, partial(self.carry_out, call, task))
        return body


@fault("purchase-twice-for-aliases", "Purchases by alias are applied twice.", "TS-PURCHASE-COUNT")
class _PurchaseTwiceForAliases(Core):
    def write_purchase(self, call: Call, task: WriteTask, profile: Profile) -> None:
        super().write_purchase(call, task, profile)
        if task.who.kind == "user_alias":
            super().write_purchase(call, task, profile)


@fault(
    "twenty-users-kept", "Only the twenty most recently updated users are kept.", "TS-STATE-VISIBLE", "TS-EVENT-COUNT"
)
class _TwentyUsersKept(Core):
    def create(self, task: WriteTask) -> Profile:
        profile = super().create(task)
        if len(self.store) > 20:
            self.store.delete(min(self.store, key=lambda held: held.updated))
        return profile


@fault("ten-attributes-kept", "Only ten attributes of a user are kept.", "TS-STATE-KEYS-APART", "TS-OK-SHOWS")
class _TenAttributesKept(Core):
    def write_attributes(self, task: WriteTask, profile: Profile, outcome: WriteResult) -> None:
        super().write_attributes(task, profile, outcome)
        while len(profile.attributes) > 10:
            profile.attributes.pop(next(name for name in profile.attributes))


@fault(
    "memory-lost-at-the-minute",
    "All attributes are forgotten when a clock minute ends.",
    "TS-STATE-VISIBLE",
    "TS-OK-SHOWS",
    "TS-EXPORT-AGREES",
)
class _MemoryLostAtTheMinute(Core):
    __minute = 0

    def open_call(self, request: Any, now: float) -> Call:
        minute = int(now // 60)
        if minute != self.__minute:
            self.__minute = minute
            for profile in list(self.store):
                profile.attributes.clear()
        return super().open_call(request, now)
