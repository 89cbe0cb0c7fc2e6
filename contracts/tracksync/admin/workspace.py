"""One workspace of a served mock with all that can be seen and steered of it. Its own users, key, clock and log.

Knows nothing of HTTP: `routes` gives each operation an address.
"""

from __future__ import annotations

import asyncio
import heapq
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final

from tracksync.admin.checking import LogChecker
from tracksync.admin.exchange_log import ExchangeLog
from tracksync.contract.ambiguities import UnknownInterpretation
from tracksync.errors import UsageError
from tracksync.faults.catalogue import servers
from tracksync.mock import MockApp, MockConfig, snapshot
from tracksync.mock.clock import SteeredClock
from tracksync.mock.neighbours import describe
from tracksync.mock.profiles import Profile
from tracksync.mock.state_file import StateFile
from tracksync.report.redact import Redactor
from tracksync.values import times

TICK: Final = 0.25  # seconds between two looks at a queue


@dataclass(frozen=True, slots=True, kw_only=True)
class Switches:
    """What can be switched while the mock runs, by name. None leaves a member as it is.

    `async_delay`: the mean delay of queued work in seconds.
    """

    scenario: str | None = None
    faults: tuple[str, ...] | None = None
    interpretations: Mapping[str, str] | None = None
    rate_limit: int | None = None
    array_limit: int | None = None
    async_delay: float | None = None
    seed: int | None = None


@dataclass(frozen=True, slots=True)
class Setup:
    """The settings of a mock and the names of its faults, which are classes there."""

    config: MockConfig
    faults: tuple[str, ...] = field(default=())

    def with_switches(self, switches: Switches) -> Setup:
        """These settings with those members changed. Raises UsageError for names and values that are not known."""
        changes: dict[str, Any] = {
            name: value
            for name in ("scenario", "interpretations", "rate_limit", "array_limit", "async_delay", "seed")
            if (value := getattr(switches, name)) is not None
        }
        faults = self.faults if switches.faults is None else tuple(dict.fromkeys(switches.faults))
        try:
            return Setup(replace(self.config, **changes, faults=servers(faults)), faults)
        except (UnknownInterpretation, ValueError) as error:
            raise UsageError(str(error)) from None

    def as_json(self) -> dict[str, Any]:
        """The switches as they are."""
        config = self.config
        return {
            "scenario": config.played().name,
            "faults": list(self.faults),
            "interpretations": dict(config.interpretations),
            "rate_limit": config.rate_limit,
            "array_limit": config.array_limit,
            "async_delay": config.async_delay,
            "seed": config.seed,
        }


class MockWorkspace:
    """One workspace. `app` serves it; everything else here looks at it or changes it by other means than a request.

    An `app` that is there already has to have `clock`; `reset` is what makes it forget everything. Without `logged`
    nothing is noted of what is served.
    """

    def __init__(
        self,
        name: str,
        setup: Setup,
        clock: SteeredClock | None = None,
        app: MockApp | None = None,
        reset: Callable[[], None] | None = None,
        logged: bool = True,
    ) -> None:
        self.name = name
        self.clock = clock or SteeredClock()
        self.app = app or MockApp(setup.config, self.clock)
        self._reset = reset or self.app.reset
        self.setup = self._first_setup = setup
        self.log = ExchangeLog(self.clock)
        if logged:
            self.app.watched(self.log)
        self.keys = (setup.config.key, setup.config.unprivileged_key)
        self.redactor = Redactor(self.keys)
        self.checker = LogChecker(self.log, *self.keys)
        self.listeners = 0  # pages that are told what happens

    def keep_in(self, file: StateFile) -> bool:
        """Go on where the file ended, and keep everything in it; whether the file knew this workspace.

        Raises UsageError.
        """
        earlier = file.read(self.name)
        if earlier is not None:
            self.restore(earlier)
        self.app.kept(file.keeper(self.name, lambda: self.clock.advanced))
        return earlier is not None

    # --- users ----------------------------------------------------------------------------------------------------
    def users(self, matching: str = "", offset: int = 0, most: int = 1000) -> tuple[int, list[dict[str, Any]]]:
        """How many users hold `matching` in an identifier, and some of them, the one written last first.

        `offset` are left out; each is shown with its identifiers alone.
        """
        with self.app.held() as core:
            profiles = [profile for profile in core.store if not matching or _holds(profile, matching)]
            latest = heapq.nlargest(offset + most, profiles, key=lambda profile: profile.updated)
            return len(profiles), [_identifiers(profile) for profile in latest[offset:]]

    def user(self, kind: str, value: str | tuple[str, str]) -> dict[str, Any] | None:
        """The user that an identifier names, in the form of an export, or None. An alias is (alias_label, name)."""
        with self.app.held() as core:
            profile = core.store.find(kind, value)
            return None if profile is None else describe(profile, _write_time)

    def add_users(self, document: Any) -> int:
        """Add users in the form of an export; how many. Raises UsageError."""
        with self.app.changing() as core:
            return snapshot.add_users(core, document)

    # --- the whole ------------------------------------------------------------------------------------------------
    def reset(self, *, settings: bool = False) -> None:
        """Forget all users, windows, queued work and the log; with `settings`, the mock is as it was started."""
        if settings:
            self._set_up(self._first_setup)
            self.clock.set_advanced(0.0)
        self._reset()
        self.log.clear()

    def snapshot(self) -> dict[str, Any]:
        """Users, queued work, rate windows and clock."""
        with self.app.held() as core:
            return snapshot.snapshot(core) | {"advanced": self.clock.advanced}

    def restore(self, document: Any) -> None:
        """Put the state of a snapshot in the place of the present one. Raises UsageError."""
        advanced = document.get("advanced", 0.0) if isinstance(document, dict) else 0.0
        if isinstance(advanced, bool) or not isinstance(advanced, int | float):
            raise UsageError("advanced is not a number of seconds")
        earlier = self.clock.advanced
        self.clock.set_advanced(float(advanced))
        try:
            with self.app.changing() as core:
                snapshot.restore(core, document)
        except UsageError:
            self.clock.set_advanced(earlier)
            raise

    def switch(self, switches: Switches) -> None:
        """Go on with other settings. Raises UsageError."""
        self._set_up(self.setup.with_switches(switches))

    def _set_up(self, setup: Setup) -> None:
        self.app.switch(setup.config)
        self.setup = setup

    def advance(self, seconds: float) -> None:
        """Advance the clock. Raises UsageError."""
        self.clock.advance(seconds)
        self.app.store_state()

    async def settle(self, seconds: float) -> int:
        """Wait until everything that was queued is applied, at most `seconds`; how much is still queued."""
        deadline = time.monotonic() + seconds
        while (due := self.app.settle()) is not None and (left := deadline - time.monotonic()) > 0:
            await asyncio.sleep(min(due + 0.001, TICK, left))
        with self.app.held() as core:
            return len(core.queued)

    def status(self) -> dict[str, Any]:
        """What the mock is doing: its clock, its rate windows, how much it holds, its settings."""
        with self.app.held() as core:
            now = core.clock()
            windows = {
                path: {
                    "limit": window.limit,
                    "used": window.used if now < window.reset else 0,
                    "reset": window.reset if now < window.reset else window.reset_after(now),
                    "seconds": window.seconds,
                }
                for path, window in core.windows.items()
            }
            counts = {"users": len(core.store), "queued": len(core.queued)}
        return {
            "workspace": self.name,
            "now": round(now, 3),
            "advanced": self.clock.advanced,
            "windows": windows,
            **counts,
            "requests": self.log.handled_count,
            "settings": self.setup.as_json(),
        }


def _identifiers(profile: Profile) -> dict[str, Any]:
    entry: dict[str, Any] = {"braze_id": profile.braze_id}
    for name in ("external_id", "email", "phone"):
        if getattr(profile, name) is not None:
            entry[name] = getattr(profile, name)
    if profile.aliases:
        entry["user_aliases"] = [{"alias_name": name, "alias_label": label} for label, name in profile.aliases.items()]
    return entry | {"updated": profile.updated}


def _holds(profile: Profile, text: str) -> bool:
    texts = (profile.braze_id, profile.external_id, profile.email, profile.phone, *profile.aliases.values())
    return any(text in one for one in texts if one is not None)


def _write_time(instant: int) -> str:
    return times.write_time(instant, "utc-millis")
