"""Faults that show only when requests overlap: a served mock, several connections, and some chance.

Each begins by remembering something when a request arrives, waits a moment, and then works with what it remembers.
In process, where one request ends before the next begins, none of them shows.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

from tracksync.faults.registry import fault, read_leniently
from tracksync.mock.call import Call, WriteResult, WriteTask
from tracksync.mock.config import MockConfig
from tracksync.mock.core import Core
from tracksync.mock.profiles import Profile
from tracksync.mock.rate import SYNC_PATH, RateWindow
from tracksync.model.exchange import Request

SLOWEST = 0.012  # seconds between arrival and handling


def _overtaken(call: Call) -> _Seen | None:
    """What the request saw on arrival, if its user was written to since then."""
    seen = call.token
    return seen if isinstance(seen, _Seen) and seen.profile.updated > seen.then.updated else None


@dataclass(frozen=True, slots=True)
class _Seen:
    """What was there when a request arrived."""

    profile: Profile
    then: Profile  # as it was
    task: WriteTask


class _Slow(Core):
    """Takes a moment between arrival and handling, of a length that only chance knows."""

    def __init__(self, config: MockConfig, clock: Callable[[], float]) -> None:
        super().__init__(config, clock)
        self._dice = random.Random(config.seed)

    def latency(self, request: Request) -> float:
        return super().latency(request) + self._dice.random() * SLOWEST

    def begin(self, request: Request) -> object:
        """The profile as it is when the request arrives."""
        path = self.route(request)
        task = read_leniently(self, Call(request, self.clock(), path, RateWindow())) if path == SYNC_PATH else None
        profile = None if task is None else self.find(task)
        return None if task is None or profile is None else _Seen(profile, profile.snapshot(), task)


@fault(
    "whole-profile-written-back",
    "A slow request writes the whole profile back as it was when the request arrived.",
    "TS-STATE-KEYS-APART",
    "TS-STATE-VISIBLE",
)
class _WholeProfileWrittenBack(_Slow):
    def perform(self, call: Call, task: WriteTask) -> WriteResult:
        seen = _overtaken(call)
        if seen is not None:
            seen.profile.restore(seen.then)
        return super().perform(call, task)


@fault(
    "attributes-written-back",
    "A slow attributes request writes all attributes back as they were when it arrived.",
    "TS-STATE-KEYS-APART",
    "TS-STATE-VISIBLE",
)
class _AttributesWrittenBack(_Slow):
    def perform(self, call: Call, task: WriteTask) -> WriteResult:
        seen = _overtaken(call)
        if seen is not None and task.section == "attributes":
            seen.profile.attributes = seen.then.snapshot().attributes
        return super().perform(call, task)


@fault(
    "counts-written-back",
    "A slow event or purchase writes all counts back as they were when it arrived.",
    "TS-STATE-KEYS-APART",
    "TS-STATE-VISIBLE",
)
class _CountsWrittenBack(_Slow):
    def perform(self, call: Call, task: WriteTask) -> WriteResult:
        seen = _overtaken(call)
        if seen is not None and task.section != "attributes":
            held = seen.then.snapshot()
            seen.profile.events, seen.profile.purchases = held.events, held.purchases
        return super().perform(call, task)


@fault(
    "lost-in-parallel",
    "A request that another one for the same user overtakes is answered rightly and not stored.",
    "TS-STATE-VISIBLE",
)
class _LostInParallel(_Slow):
    def complete(self, call: Call, task: WriteTask) -> Any:
        seen = _overtaken(call)
        held = None if seen is None else seen.profile.snapshot()
        body = super().complete(call, task)
        if seen is not None and held is not None:
            seen.profile.restore(held)
        return body


@fault(
    "applied-twice-in-parallel",
    "An event or purchase that another request for the same user overtakes is applied twice.",
    "TS-STATE-VISIBLE",
    "TS-EVENT-COUNT",
    "TS-PURCHASE-COUNT",
)
class _AppliedTwiceInParallel(_Slow):
    def complete(self, call: Call, task: WriteTask) -> Any:
        seen = _overtaken(call)
        body = super().complete(call, task)
        if seen is not None and task.section != "attributes":
            self.carry_out(call, task)
        return body


@fault(
    "count-jumps-in-parallel",
    "An event or purchase that another request for the same user overtakes counts one too many.",
    "TS-EVENT-COUNT",
    "TS-PURCHASE-COUNT",
)
class _CountJumpsInParallel(_Slow):
    __overtaken = False

    def count_after(self, task: WriteTask, count: int, amount: int) -> int:
        return super().count_after(task, count, amount) + self.__overtaken

    def perform(self, call: Call, task: WriteTask) -> WriteResult:
        self.__overtaken = _overtaken(call) is not None
        return super().perform(call, task)


@fault(
    "stale-response-in-parallel",
    "A request that another one for the same user overtakes shows the values of its arrival.",
    "TS-OK-SHOWS",
    "TS-STATE-VISIBLE",
)
class _StaleAnswerInParallel(_Slow):
    def complete(self, call: Call, task: WriteTask) -> Any:
        seen = _overtaken(call)
        body = super().complete(call, task)
        then = {} if seen is None else seen.then.attributes
        for entry in body.get("users", ()):
            shown = entry.get("custom_attributes", {})
            shown |= {name: then[name] for name in shown.keys() & then.keys()}
        return body


@fault(
    "answered-before-it-is-applied",
    "Now and then a request is answered some moments before it takes effect.",
    "TS-STATE-VISIBLE",
)
class _AnsweredBeforeItIsApplied(_Slow):
    def complete(self, call: Call, task: WriteTask) -> Any:
        seen = call.token if isinstance(call.token, _Seen) else None
        held = seen.profile.snapshot() if seen is not None and self._dice.random() < 0.3 else None
        body = super().complete(call, task)
        if seen is not None and held is not None:
            seen.profile.restore(held)
            self.later(call.now, partial(self.carry_out, call, task))
        return body


@fault(
    "user-of-a-parallel-request", "A write goes to the user of the request that arrived last.", "TS-STATE-USERS-APART"
)
class _UserOfAParallelRequest(_Slow):
    __latest: _Seen | None = None  # one variable for all requests

    def begin(self, request: Request) -> object:
        token = super().begin(request)
        if isinstance(token, _Seen):
            self.__latest = token
        return token

    def write(self, call: Call, task: WriteTask, profile: Profile, created: bool) -> WriteResult:
        latest = self.__latest
        crossed = isinstance(call.token, _Seen) and latest is not None and latest.task.section == task.section
        if crossed and latest is not None:
            profile = latest.profile
        return super().write(call, task, profile, created)


@fault(
    "value-of-a-parallel-request",
    "An attribute takes the value that a parallel request sends for another user.",
    "TS-STATE-USERS-APART",
    "TS-STATE-VISIBLE",
)
class _ValueOfAParallelRequest(_Slow):
    __latest: _Seen | None = None  # one variable for all requests

    def begin(self, request: Request) -> object:
        token = super().begin(request)
        if isinstance(token, _Seen):
            self.__latest = token
        return token

    def write_custom(self, task: WriteTask, profile: Profile, name: str, value: Any) -> Any:
        latest = self.__latest
        if latest is not None and latest.profile is not profile:
            value = latest.task.item.get(name, value)
        return super().write_custom(task, profile, name, value)
