"""Plays scripts: a served mock and an adapter, and one script at a time on both.

Plays and records, and checks nothing: what came of a script is a `PlayedScript`.
"""

from __future__ import annotations

import queue
import time
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from types import TracebackType
from typing import Final
from urllib.parse import urlsplit

from tracksync.contract.bounds import SYNC
from tracksync.gate.drive import behaviours
from tracksync.gate.drive.adapter import Adapter, AdapterGone, AdapterSilent
from tracksync.gate.drive.protocol import AdapterReport, Hello, Kind, Operation
from tracksync.gate.drive.script import Script, ScriptStep
from tracksync.gate.drive.truth import KnownToClient, Truth, find_truth, operation_of, same
from tracksync.mock import JournalEntry, MockApp, MockConfig
from tracksync.mock.scenarios import Scenario
from tracksync.wire.observed import Observed
from tracksync.wire.recorder import Recorder
from tracksync.wire.serve import served

LATE: Final = 1.0  # seconds after a deadline in which an outcome still counts
_SETTLE: Final = 1.5  # seconds to wait for requests that are on their way when an outcome is there
_JOURNAL: Final = 100_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Rig:
    """What a session is made from. Times are in seconds."""

    command: Sequence[str]
    behaviours: Mapping[str, Scenario]
    endpoint_vars: Sequence[str] = ("BRAZE_REST_ENDPOINT",)
    key_vars: Sequence[str] = ("BRAZE_API_KEY",)
    endpoint_form: str = "url"
    deadline: float = 10.0
    hello_timeout: float = 20.0
    rate_limit: int = 1_000_000
    interpretations: Mapping[str, str] = field(default_factory=dict)
    seed: int = 0
    port: int = 0
    key: str = field(repr=False)

    def environment_of(self, url: str) -> dict[str, str]:
        """What is added to the adapter's environment; `url` is the base URL of the mock."""
        value = {"url": url, "host": urlsplit(url).netloc, "sync-url": url + SYNC}[self.endpoint_form]
        return {**dict.fromkeys(self.endpoint_vars, value), **dict.fromkeys(self.key_vars, self.key)}


@dataclass(frozen=True, slots=True)
class PlayedOperation:
    """What came of one operation. Where `report` is None, `how` says why there is none.

    `late`: requests that were sent for it after its outcome had been reported. `together`: with others at once.
    """

    number: int
    behaviour: str
    operation: Operation
    report: AdapterReport | None
    how: str
    truth: Truth
    observed: tuple[Observed, ...] = ()
    late: int = 0
    together: bool = False


@dataclass(frozen=True, slots=True)
class PlayedScript:
    """What came of a script: operations in order, and the exchanges of each turn in the order in which they ended.

    A turn is one operation, or all that were asked for at once.
    """

    script: Script
    done: tuple[PlayedOperation, ...]
    turns: tuple[tuple[Observed, ...], ...]
    stray: int = 0  # requests that belong to an earlier script


@dataclass(slots=True)
class _Open:
    """An operation that was asked for, while nothing has come of it or its step is not over."""

    number: int
    operation: Operation
    until: float
    report: AdapterReport | None = None
    reported: float = 0.0
    how: str = ""


class DriveSession:
    """A context manager. `adapters` is how many were started; `left_behind` what they left that had to be ended."""

    def __init__(self, rig: Rig) -> None:
        self._rig = rig
        self._stack = ExitStack()
        self._ended: queue.SimpleQueue[Observed] = queue.SimpleQueue()
        config = MockConfig(
            key=rig.key, rate_limit=rig.rate_limit, interpretations=rig.interpretations, seed=rig.seed, journal=_JOURNAL
        )
        self._app = MockApp(config)
        self._recorder = Recorder(self._app, self._ended.put, rig.key, config.unprivileged_key)
        self._adapter: Adapter | None = None
        self._url = ""
        self._scripts = 0
        self.hello = Hello("")
        self.adapters = 0
        self.left_behind: list[str] = []
        self.key_printed: set[str] = set()
        self.last_words = ""

    def __enter__(self) -> DriveSession:
        self._url = self._stack.enter_context(served(self._recorder, port=self._rig.port, keep_case=True))
        try:
            self._start()
        except BaseException:
            self.__exit__(None, None, None)
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            self._stop(kindly=kind is None)
        finally:
            self._stack.close()

    def _start(self) -> Adapter:
        self._adapter = Adapter(self._rig.command, self._rig.environment_of(self._url), self._rig.key)
        self.adapters += 1
        self.hello = self._adapter.greet(self._rig.hello_timeout)
        return self._adapter

    def _stop(self, *, kindly: bool) -> None:
        adapter, self._adapter = self._adapter, None
        if adapter is None:
            return
        try:
            adapter.end(kindly=kindly)
        finally:
            self.last_words = adapter.errors[-1] if adapter.errors else ""
            self.left_behind += adapter.left_behind
            self.key_printed |= set(adapter.key_printed)

    def renew(self) -> None:
        """End the adapter; the next script begins with a new one."""
        self._stop(kindly=True)

    def look_for_key(self) -> set[str]:
        """The streams of any adapter in which the key stood so far."""
        return self.key_printed | set(self._adapter.key_printed if self._adapter else ())

    # --- playing ------------------------------------------------------------------------------------------------
    def play(self, script: Script) -> PlayedScript:
        """Play `script` on an empty workspace. Raises ProtocolError and Incomplete; never for what a client does."""
        adapter = self._adapter or self._start()
        self._scripts += 1
        self._app.reset()
        stray = len(self._take())
        salt = f".{self._scripts}"
        done: list[PlayedOperation] = []
        turns: list[tuple[Observed, ...]] = []
        number = 0
        for step in script.steps:
            behaviour = self._rig.behaviours[step.behaviour]
            for operations in (step.operations,) if step.pipelined else [(one,) for one in step.operations]:
                self._app.play(behaviour)
                opened = []
                for operation in operations:
                    number += 1
                    opened.append(_Open(number, _salted(operation, salt), 0.0))
                entries = len(self._app.journal)
                self._exchange_lines(adapter, opened)
                self._settle()
                observed = self._take()
                turns.append(tuple(observed))
                for one in _assign(step, opened, operations, observed, list(self._app.journal)[entries:]):
                    done.append(self._with_state(one, opened))
                if any(one.report is None for one in opened):
                    self._stop(kindly=False)
                    return PlayedScript(script, tuple(done), tuple(turns), stray)
            if behaviours.lasts(behaviour, self._rig.deadline):
                self._stop(kindly=True)  # the client remembers a limit that the next script knows nothing of
                break
        return PlayedScript(script, tuple(done), tuple(turns), stray)

    def _with_state(self, done: PlayedOperation, opened: Sequence[_Open]) -> PlayedOperation:
        """A client that does not send what is there already is right: the truth is what the workspace holds."""
        if done.truth.known is not KnownToClient.NO_RESPONSE or done.operation.kind is not Kind.SET:
            return done
        user = next(one.operation.user for one in opened if one.number == done.number)
        for kind, value in user.items():
            state = self._app.state_of(kind, value) if isinstance(value, str) else None
            held = state["custom_attributes"] if state else {}
            wanted_members = done.operation.members["attributes"]
            if all(name in held and same(held[name], wanted) for name, wanted in wanted_members.items()):
                return replace(done, truth=replace(done.truth, known=KnownToClient.SHOWN))
        return done

    def _exchange_lines(self, adapter: Adapter, opened: Sequence[_Open]) -> None:
        """Send operations and wait until each has its outcome, or no more can come."""
        waiting = {one.number: one for one in opened}
        try:
            for one in opened:
                one.until = time.monotonic() + self._rig.deadline + LATE
                adapter.send(one.number, one.operation.message(one.number, self._rig.deadline))
            while waiting:
                report = adapter.receive(min(one.until for one in waiting.values()))
                one = waiting.pop(report.id)
                one.report, one.reported = report, time.time()
        except AdapterGone as gone:
            for one in waiting.values():
                one.how = f"the adapter {gone.how} in the middle of it{adapter.last_words()}"
        except AdapterSilent:
            for one in waiting.values():
                one.how = f"there was no outcome {LATE:g} s after the deadline of {self._rig.deadline:g} s"

    def _settle(self) -> None:
        deadline = time.monotonic() + _SETTLE
        while self._recorder.ended < self._recorder.arrived and time.monotonic() < deadline:
            time.sleep(0.005)

    def _take(self) -> list[Observed]:
        taken = []
        while True:
            try:
                taken.append(self._ended.get_nowait())
            except queue.Empty:
                return taken


def _salted(operation: Operation, salt: str) -> Operation:
    """`operation` for a user of this script alone: late requests of an earlier script are not taken for its own."""
    user = {}
    for kind, value in operation.user.items():
        if kind == "email" and isinstance(value, str) and "@" in value:
            name, _, host = value.partition("@")
            user[kind] = f"{name}{salt}@{host}"
        else:
            user[kind] = f"{value}{salt}" if kind == "external_id" else value
    return replace(operation, user=user)


def _assign(
    step: ScriptStep,
    opened: Sequence[_Open],
    operations: Sequence[Operation],
    observed: Sequence[Observed],
    entries: Sequence[JournalEntry],
) -> list[PlayedOperation]:
    """Give each operation the exchanges that are its tries, and count how often it was applied."""
    by_number = {one.number: one.operation for one in opened}
    tries: dict[int | None, list[Observed]] = {}
    for seen in observed:
        tries.setdefault(operation_of(seen.exchange.request, by_number), []).append(seen)
    applied: dict[int | None, int] = {}
    for entry in entries:
        number = operation_of(entry.request, by_number)
        applied[number] = applied.get(number, 0) + entry.applied
    done = []
    for one, operation in zip(opened, operations, strict=True):
        mine = tuple(tries.get(one.number, ()))
        truth = find_truth(one.operation, mine, applied.get(one.number, 0))
        late = sum(seen.exchange.sent > one.reported for seen in mine) if one.report else 0
        done.append(
            PlayedOperation(
                one.number, step.behaviour, operation, one.report, one.how, truth, mine, late, step.pipelined
            )
        )
    return done
