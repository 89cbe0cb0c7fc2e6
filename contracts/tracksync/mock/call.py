"""What the parts of the mock tell each other about one request, and the base class of all parts."""

from __future__ import annotations

import enum
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Final

from tracksync.mock.config import MockConfig
from tracksync.mock.profiles import Profile, Store, UserIdentity
from tracksync.mock.rate import NEIGHBOUR_LIMITS, SYNC_PATH, RateWindow
from tracksync.model.exchange import FailureKind, Request, Response


class Sentinel(enum.Enum):
    """Values that no JSON value equals."""

    MISSING = enum.auto()  # no such attribute
    UNCHANGED = enum.auto()  # the update is not made
    REMOVED = enum.auto()  # the attribute goes


MISSING: Final = Sentinel.MISSING
UNCHANGED: Final = Sentinel.UNCHANGED
REMOVED: Final = Sentinel.REMOVED


@dataclass(frozen=True, slots=True)
class Detail:
    """One entry of `errors`; `section` and `index` are those of the object that is wrong, where there is one."""

    type: str
    section: str | None = None
    index: int = 0


class Refused(Exception):
    """A refusal. `message` is None for the one that was seen on the wire (WIRE)."""

    def __init__(self, status: int, *details: Detail, message: str | None = None, bare: bool = False) -> None:
        super().__init__(status, message)
        self.status = status
        self.details = details
        self.message = message
        self.bare = bare  # without `errors`, as a 401 is on the wire


@dataclass(slots=True)
class WriteTask:
    """One object of a request that passed every check: who is updated, and with what.

    For events and purchases `name` is the key of the tally, `shown` the name as it is echoed, `instant` the time in
    microseconds (not yet compared with the clock) and `offset` its zone in minutes.
    """

    section: str
    index: int
    item: dict[str, Any]
    who: UserIdentity
    create: bool
    name: str = ""
    shown: Any = ""
    instant: int = 0
    offset: int = 0
    quantity: int = 1


@dataclass(slots=True)
class WriteResult:
    """The outcome of a task. `profile` is None when no user was found and none may be created.

    `named` says for each custom attribute of the request: the value now stored, REMOVED or UNCHANGED.
    """

    profile: Profile | None
    named: dict[str, Any] = field(default_factory=dict)
    created: bool = False


@dataclass(slots=True)
class Call:
    """One request on its way through the mock."""

    request: Request
    now: float
    path: str
    window: RateWindow
    number: int = 0  # requests since the start, from 1
    known_path: bool = True
    admitted: bool = True
    status: int = 0
    task: WriteTask | None = None
    outcome: WriteResult | None = None
    applied: bool = False
    disturbed: bool = False  # the scenario changes its response or its effect, not only the delivery
    token: object = None  # what `begin` returned when the request arrived


class Cut(enum.Enum):
    """Where the connection is cut while a response is delivered."""

    NOT = enum.auto()
    BEFORE = enum.auto()  # not one byte is sent
    BODY = enum.auto()  # headers and half the body are sent


@dataclass(frozen=True, slots=True)
class Delivery:
    """A response and how it is delivered. Times in seconds."""

    response: Response
    pause: float = 0.0  # before the first byte
    drip: float = 0.0  # between the pieces of the body
    pieces: int = 1
    cut: Cut = Cut.NOT
    chunked: bool = False
    close: bool = False  # announced in the response
    hang_up: bool = False  # not announced
    gzip: bool = False

    @property
    def at_once(self) -> bool:
        """Whether all of it is delivered as soon as it is there."""
        return not (self.pause or self.drip)


class ResponseLost(ConnectionError):
    """What `MockApp.handle` raises in process where a served mock cuts the connection."""

    def __init__(self, kind: FailureKind, detail: str) -> None:
        super().__init__(detail)
        self.kind = kind


class ServerPart:
    """The state that all parts of the mock share."""

    def __init__(self, config: MockConfig, clock: Callable[[], float]) -> None:
        self.config = config
        self.clock = clock
        self.interpretations = config.all_interpretations()
        self.store = Store(config.seed)
        self.windows = {
            path: RateWindow(limit=limit, seconds=config.window_seconds)
            for path, limit in (*NEIGHBOUR_LIMITS.items(), (SYNC_PATH, config.rate_limit))
        }
        self.requests = 0

    def continue_from(self, earlier: ServerPart) -> None:
        """Take over the users of another server, and the requests counted in its windows of the same length."""
        self.store, self.requests = earlier.store, earlier.requests
        for path, window in self.windows.items():
            before = earlier.windows[path]
            if before.seconds == window.seconds:
                window.start, window.used = before.start, before.used

    def interpretation(self, ambiguity: str) -> str:
        """The interpretation of an ambiguity that this mock follows."""
        return self.interpretations[ambiguity]

    def spell(self, kind: str, text: str) -> str:
        """The spelling under which an identifier or name is kept: exactly the one that was sent.

        `kind` is an identifier's name, `alias_name`, `alias_label`, `event`, `product` or `attribute`.
        """
        return text
