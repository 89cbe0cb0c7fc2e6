"""Faults of what a server is put together from: caches, nodes, shards, retries, and leftovers of the request before."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from tracksync.faults.registry import fault
from tracksync.mock.call import UNCHANGED, Call, Detail, Refused, WriteResult, WriteTask
from tracksync.mock.config import MockConfig
from tracksync.mock.core import Core
from tracksync.mock.profiles import Profile, Store, UserIdentity
from tracksync.mock.rate import RateWindow
from tracksync.model.exchange import Response

Headers = tuple[tuple[str, str], ...]


def _who(task: WriteTask) -> tuple[str, Any]:
    """The user that a task names."""
    return task.who.kind, task.who.key


# --- caches ---------------------------------------------------------------------------------------------------
@fault(
    "response-cached-for-equal-requests",
    "A request that equals an earlier one is applied, and answered as that one was.",
    "TS-EVENT-COUNT",
    "TS-PURCHASE-COUNT",
    "TS-STATE-VISIBLE",
)
class _AnswerCachedForEqualRequests(Core):
    def __init__(self, config: MockConfig, clock: Callable[[], float]) -> None:
        super().__init__(config, clock)
        self.__bodies: dict[bytes, Any] = {}

    def serve_sync(self, call: Call) -> Any:
        return self.__bodies.setdefault(call.request.body, super().serve_sync(call))


@fault(
    "no-user-remembered",
    "Who was not found is not found by update-only requests either after being created.",
    "TS-USER-UPDATE-KNOWN",
    "TS-STATE-VISIBLE",
)
class _NoUserRemembered(Core):
    __missed: frozenset[Any] = frozenset()

    def complete(self, call: Call, task: WriteTask) -> Any:
        only = task.item.get("_update_existing_only") is True
        if only and _who(task) in self.__missed:
            call.status = 201
            return self.no_user(call, task)
        if only and self.find(task) is None:
            self.__missed |= {_who(task)}
        return super().complete(call, task)


@fault(
    "permission-remembered",
    "A body that came with the right key once is accepted with any key.",
    "TS-AUTH-INVALID",
    "TS-AUTH-PERMISSION",
)
class _PermissionRemembered(Core):
    __known: frozenset[bytes] = frozenset()

    def authenticate(self, call: Call) -> None:
        if call.request.body not in self.__known:
            super().authenticate(call)
            self.__known |= {call.request.body}


@fault(
    "refused-after-a-wrong-key",
    "The request after one with a wrong key is answered 401, whatever its key.",
    "TS-OK-STATUS",
)
class _RefusedAfterAWrongKey(Core):
    __after = False

    def authenticate(self, call: Call) -> None:
        after, self.__after = self.__after, False
        try:
            super().authenticate(call)
        except Refused:
            self.__after = True
            raise
        if after:
            self.refuse_key(call, self.key_sent(call))


# --- nodes and shards -----------------------------------------------------------------------------------------
@fault(
    "two-nodes-apart",
    "Requests go to two nodes in turn, each with a memory of its own.",
    "TS-STATE-VISIBLE",
    "TS-EVENT-COUNT",
)
class _TwoNodesApart(Core):
    __other: Store | None = None

    def serve_sync(self, call: Call) -> Any:
        other = self.__other or Store(self.config.seed + 1)
        self.__other, self.store = self.store, other
        return super().serve_sync(call)


@fault("windows-of-two-nodes", "Two nodes respond in turn, each with a rate window of its own.", "TS-RATE-REMAINING")
class _WindowsOfTwoNodes(Core):
    __used: tuple[int, ...] = (0, 0)

    def remaining_shown(self, window: RateWindow) -> int | str:
        here = self.requests % 2
        self.__used = tuple(used + (node == here) for node, used in enumerate(self.__used))
        return max(0, window.limit - self.__used[here])


@fault(
    "remaining-per-user", "x-ratelimit-remaining begins anew with each request that is accepted.", "TS-RATE-REMAINING"
)
class _RemainingPerUser(Core):
    def rate_headers(self, call: Call) -> Headers:
        headers = super().rate_headers(call)
        if call.task is None or call.status != 201:
            return headers
        return tuple((name, str(call.window.limit - 1) if "remaining" in name else value) for name, value in headers)


class _Sharded(Core):
    """Does something else for every seventh user that was made."""

    __made = 0

    def create(self, task: WriteTask) -> Profile:
        profile = super().create(task)
        self.__made += 1
        profile.fields["shard"] = self.__made % 7
        return profile

    def _stray(self, task: WriteTask) -> bool:
        """Whether the task's user is on the shard that goes wrong."""
        profile = self.find(task)
        return profile is not None and profile.fields.get("shard") == 6


@fault(
    "every-seventh-user-not-stored",
    "Updates of every seventh user are answered rightly and not stored.",
    "TS-STATE-VISIBLE",
)
class _EverySeventhUserNotStored(_Sharded):
    def complete(self, call: Call, task: WriteTask) -> Any:
        held = self.find(task)
        before = held.snapshot() if held is not None and self._stray(task) else None
        body = super().complete(call, task)
        if held is not None and before is not None:
            held.restore(before)
        return body


@fault("every-seventh-user-500", "Updates of every seventh user are answered 500.", "TS-ANSWER-SERVER-ERROR")
class _EverySeventhUser500(_Sharded):
    def complete(self, call: Call, task: WriteTask) -> Any:
        if self._stray(task):
            raise Refused(500, message="Internal Server Error", bare=True)
        return super().complete(call, task)


@fault(
    "every-seventh-user-an-hour-off",
    "The times of every seventh user are recorded an hour early.",
    "TS-EVENT-FIRST",
    "TS-EVENT-LAST",
    "TS-PURCHASE-FIRST",
    "TS-EVENT-OFFSET",
)
class _EverySeventhUserAnHourOff(_Sharded):
    def recorded(self, call: Call, task: WriteTask) -> int:
        return super().recorded(call, task) - 3_600_000_000 * self._stray(task)


@fault(
    "sixty-attributes-kept",
    "A profile keeps sixty attributes; further ones are shown and not stored.",
    "TS-STATE-VISIBLE",
)
class _SixtyAttributesKept(Core):
    def write_attributes(self, task: WriteTask, profile: Profile, outcome: WriteResult) -> None:
        super().write_attributes(task, profile, outcome)
        for name in list(profile.attributes)[60:]:
            del profile.attributes[name]


@fault(
    "profile-over-64-kilobytes-not-stored",
    "An update that makes the profile larger than 64 KB is shown and not stored.",
    "TS-STATE-VISIBLE",
    "TS-OBJECT-SET",
    "TS-STATE-KEYS-APART",
)
class _ProfileOver64KilobytesNotStored(Core):
    def write_attributes(self, task: WriteTask, profile: Profile, outcome: WriteResult) -> None:
        before = dict(profile.attributes)
        super().write_attributes(task, profile, outcome)
        if len(str(profile.attributes)) > 65_536:
            profile.attributes = before


@fault(
    "second-update-within-a-second-lost",
    "A second update of one user's attributes within a second is shown and not stored.",
    "TS-STATE-VISIBLE",
)
class _SecondUpdateWithinASecondLost(Core):
    __last: tuple[str, int] = ("", 0)

    def write_attributes(self, task: WriteTask, profile: Profile, outcome: WriteResult) -> None:
        before = dict(profile.attributes)
        super().write_attributes(task, profile, outcome)
        moment = (profile.braze_id, int(self.clock()))
        if moment == self.__last:
            profile.attributes = before
        self.__last = moment


# --- leftovers of the request before --------------------------------------------------------------------------
class _After(Core):
    """Knows the status of the response before."""

    __status = 0
    __before = 0

    def seal(self, call: Call, body: Any) -> Response:
        self.__before, self.__status = self.__status, call.status
        return super().seal(call, body)

    def _after(self, call: Call, status: int) -> bool:
        """Whether this is a success that comes right after a response with `status`."""
        return call.status == 201 and self.__before == status


@fault("errors-of-the-one-before", "The success after a 400 carries errors.", "TS-OK-NO-ERRORS")
class _ErrorsOfTheOneBefore(_After):
    def decorate(self, call: Call, body: Any) -> Any:
        body = super().decorate(call, body)
        return body | {"errors": [self.error_entry(call, Detail("Invalid"))]} if self._after(call, 400) else body


@fault("message-of-the-one-before", "The success after a 403 carries its message.", "TS-OK-MESSAGE")
class _MessageOfTheOneBefore(_After):
    def decorate(self, call: Call, body: Any) -> Any:
        body = super().decorate(call, body)
        return body | {"message": "Forbidden"} if self._after(call, 403) else body


@fault("media-of-the-one-before", "The success after a 404 is announced as HTML.", "TS-ANSWER-MEDIA")
class _MediaOfTheOneBefore(_After):
    def media(self, call: Call) -> str:
        return "text/html" if self._after(call, 404) else super().media(call)


@fault("rate-headers-missing-after-a-400", "The success after a 400 carries no rate headers.", "TS-RATE-HEADERS")
class _RateHeadersMissingAfterA400(_After):
    def rate_headers(self, call: Call) -> Headers:
        return () if self._after(call, 400) else super().rate_headers(call)


@fault(
    "merge-flag-stays", "_merge_objects holds for the user's later requests that do not say it.", "TS-OBJECT-REPLACE"
)
class _MergeFlagStays(Core):
    __merging: frozenset[Any] = frozenset()

    def merges(self, task: WriteTask) -> bool:
        if "_merge_objects" not in task.item:
            return _who(task) in self.__merging or super().merges(task)
        self.__merging = (self.__merging | {_who(task)}) if super().merges(task) else (self.__merging - {_who(task)})
        return super().merges(task)


@fault(
    "update-only-stays",
    "_update_existing_only true holds for the next request, too, where that does not say it.",
    "TS-USER-CREATE",
    "TS-USER-EMAIL-CREATE",
    "TS-USER-PHONE-CREATE",
)
class _UpdateOnlyStays(Core):
    __strict = False

    def may_create(self, section: str, index: int, item: dict[str, Any], who: UserIdentity) -> bool:
        strict, self.__strict = self.__strict, item.get("_update_existing_only") is True
        return super().may_create(section, index, item, who) and not (strict and "_update_existing_only" not in item)


# --- what a removal leaves ------------------------------------------------------------------------------------
@fault(
    "removed-value-comes-back",
    "An edit or merge after a removal works on the value that was removed.",
    "TS-ATTR-NULL",
    "TS-ATTR-INC",
    "TS-ARRAY-ADD",
    "TS-STATE-VISIBLE",
)
class _RemovedValueComesBack(Core):
    def write_custom(self, task: WriteTask, profile: Profile, name: str, value: Any) -> Any:
        hidden = profile.fields.setdefault("hidden", {})
        if isinstance(value, dict) and name in hidden:
            profile.attributes[name] = hidden.pop(name)
        elif value is None and name in profile.attributes:
            hidden[name] = profile.attributes[name]
        return super().write_custom(task, profile, name, value)


@fault(
    "removed-name-locked",
    "An attribute that was removed cannot be written again.",
    "TS-ATTR-STRING",
    "TS-ATTR-NULL",
    "TS-ATTR-INDEPENDENT",
)
class _RemovedNameLocked(Core):
    def write_custom(self, task: WriteTask, profile: Profile, name: str, value: Any) -> Any:
        gone = profile.fields.setdefault("gone", [])
        if name in gone and value is not None:
            return UNCHANGED
        if value is None and name in profile.attributes:
            gone.append(name)
        return super().write_custom(task, profile, name, value)


@fault(
    "event-clears-the-attribute-of-its-name",
    "An event removes the user's attribute of the same name.",
    "TS-STATE-KEYS-APART",
    "TS-STATE-VISIBLE",
)
class _EventClearsTheAttributeOfItsName(Core):
    def write_event(self, call: Call, task: WriteTask, profile: Profile) -> None:
        super().write_event(call, task, profile)
        profile.attributes.pop(task.name, None)


@fault(
    "attribute-clears-the-event-of-its-name",
    "An attribute resets the count of the user's event of the same name.",
    "TS-STATE-KEYS-APART",
    "TS-EVENT-COUNT",
)
class _AttributeClearsTheEventOfItsName(Core):
    def write_attributes(self, task: WriteTask, profile: Profile, outcome: WriteResult) -> None:
        super().write_attributes(task, profile, outcome)
        for name in outcome.named:
            profile.events.pop(name, None)


# --- form of the response --------------------------------------------------------------------------------------
@fault("event-shown-twice", "An event that was there before is listed twice.", "TS-OK-ONLY-EVENTS", "TS-OK-SHOWS")
class _EventShownTwice(Core):
    def events_shown(self, task: WriteTask, profile: Profile) -> Any:
        shown = super().events_shown(task, profile)
        return shown * 2 if profile.events[task.name].count > 1 else shown


@fault("media-missing-for-purchases", "The response to a purchase carries no content type.", "TS-ANSWER-MEDIA")
class _MediaMissingForPurchases(Core):
    def seal(self, call: Call, body: Any) -> Response:
        response = super().seal(call, body)
        if call.task is None or call.task.section != "purchases":
            return response
        return replace(response, headers=tuple(one for one in response.headers if one[0] != "content-type"))
