"""What may be true of the workspace. Frozen data and the few operations on it; it checks nothing.

A *cell* is one attribute, event or product of one user. It holds the set of states that are possible; most of the
time that is one. UNKNOWN as a state stands for any. A state can have *pending* writes: requests whose fate is not
known (time-out, reset, 5XX, queued), which may take effect once, at any later moment, or never.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final

from msgspec import Struct
from msgspec.structs import replace
from rpds import HashTrieMap

from tracksync.contract.ambiguities import ambiguity_catalogue
from tracksync.contract.bounds import bounds


class _Marker:
    """A named singleton beside the JSON values."""

    __slots__ = ("name",)

    def __init__(self, name: str) -> None:
        self.name = name

    def __repr__(self) -> str:
        return self.name

    def __reduce__(self) -> str:  # stays itself through pickle, so that worker processes can compare by identity
        return self.name


ABSENT: Final = _Marker("ABSENT")  # the attribute does not exist
UNKNOWN: Final = _Marker("UNKNOWN")  # any state is possible
OMITTED: Final = _Marker("OMITTED")  # the answer leaves it out

Requires = tuple[tuple[str, str], ...]  # (ambiguity, reading) pairs that an outcome stands on

MAX_STATES: Final = 24  # a cell with more possibilities is as good as unknown
MAX_PENDING: Final = 4
CONSISTENT_AFTER: Final = 300.0  # seconds; LIMITS: what is advised for calls that depend on other endpoints


def _never(kind: str, text: str) -> bool:
    return False


@dataclasses.dataclass(frozen=True, slots=True)
class Settings:
    """What the oracle is told from outside.

    `rate_limit`, `array_limit`: the workspace's, or None when nobody told. `fresh(kind, text)`: is this identifier
    certainly unknown to the workspace when first seen? `interpretations`: what the server is held to. `clock_skew`: seconds
    by which the server's clock may differ from the one that stamped the exchanges. `window`: seconds of a rate window.
    `shared`: other jobs may use up the workspace's rate windows at any moment.
    """

    rate_limit: int | None = None
    array_limit: int | None = None
    fresh: Callable[[str, str], bool] = _never
    interpretations: Mapping[str, str] = dataclasses.field(default_factory=dict)
    clock_skew: float = 300.0
    window: int = 60
    shared: bool = False


class Counter(Struct, frozen=True):
    """A state of one event or product: how often, and between which instants its first and last lie.

    `count` None: unknown. `first`, `last`: closed intervals of instants in microseconds, None: unknown.
    A count of 0 has neither.
    """

    count: int | None
    first: tuple[int, int] | None = None
    last: tuple[int, int] | None = None


NEVER_COUNTED: Final = Counter(0)
ANY_COUNTER: Final = Counter(None)


class State(Struct, frozen=True):
    """One possible state of a cell and the writes that may still reach it."""

    value: Any
    pending: tuple[Any, ...] = ()


class Cell(Struct, frozen=True):
    """All that may be true of one attribute, event or product.

    `touched`: when the last checked write to it was answered. `volatile`: too much is pending to ever be sure again.
    `refused`: writes that were refused since the last applied one, kept only to name a broken promise better.
    `before`: the value before the last write, for the same purpose.
    """

    states: tuple[State, ...]
    touched: float = float("-inf")
    volatile: bool = False
    refused: tuple[Any, ...] = ()
    before: Any = None


UNKNOWN_CELL: Final = Cell((State(UNKNOWN),))
ABSENT_CELL: Final = Cell((State(ABSENT),))
UNKNOWN_COUNTER_CELL: Final = Cell((State(ANY_COUNTER),))
ZERO_COUNTER_CELL: Final = Cell((State(NEVER_COUNTED),))

CellKey = tuple[str, str]  # (section, name): ("attributes", "colour"), ("events", "rented_movie")
Identifier = tuple[str, str]  # (kind, text); an alias is ("user_alias", "label\0name")


class User(Struct, frozen=True):
    """One profile. `exists`: True, False, or None for perhaps. `fresh`: what was not seen yet is absent, not unknown.

    `seen` is the moment in checked exchanges of the last write of any kind, `profiled` of the last attributes write:
    two interpretations of "most recently updated". `held`: the emails and phones that lead to it.
    `due`: where its creation was queued, the time in epoch seconds by which it must exist. `coming`: a write whose fate
    is unknown may create it at any later time. `unsettled`: one may have updated it at a moment that nobody knows.
    `adrift`: one may give it another email or phone at any later time.
    """

    exists: bool | None
    fresh: bool
    external: bool
    cells: HashTrieMap[CellKey, Cell] = HashTrieMap()
    seen: int = 0
    profiled: int = 0
    held: tuple[Identifier, ...] = ()
    due: float | None = None
    coming: bool = False
    unsettled: bool = False
    unplaced: bool = False

    def cell(self, key: CellKey) -> Cell:
        """What is believed of one cell; of one never seen, absent on a user that was new, otherwise unknown."""
        found = self.cells.get(key)
        if found is not None:
            return found
        if key[0] == "attributes":
            return ABSENT_CELL if self.fresh else UNKNOWN_CELL
        return ZERO_COUNTER_CELL if self.fresh else UNKNOWN_COUNTER_CELL

    def with_cell(self, key: CellKey, cell: Cell) -> User:
        """This user with another belief of one cell."""
        return replace(self, cells=self.cells.insert(key, cell))


def linked_user(link: int) -> int:
    """The number of the user that a link leads to, surely (n) or perhaps (~n)."""
    return max(link, ~link)


class WindowBelief(Struct, frozen=True):
    """What is known of the current rate window. `reset` in epoch seconds; `lowest`: the smallest remaining shown.

    `unshown`: requests answered since then without the headers' values. `alone`: every request of the window so far was
    ours, by the server's own count.
    """

    reset: int = 0
    lowest: int | None = None
    accepted: int = 0
    requests: int = 0
    unshown: int = 0
    alone: bool = True
    last_received: float = float("-inf")
    limit: int | None = None


class Belief(Struct, frozen=True):
    """Everything the oracle believes.

    `names` lead to the users they stand for, as numbers in `users`: n surely, ~n perhaps.
    `failures_in_a_row`: per request hash, how often in a row it failed, and the moment of the first failure (infinite
    once that was found).
    `writers`: per cell key, the user written last, to name a broken promise better.
    `floating`: per email or phone, writes whose fate is unknown: they reach whomever it leads to when they come.
    """

    settings: Settings
    ambiguities: HashTrieMap[str, frozenset[str]]
    array_limits: tuple[int, int]
    names: HashTrieMap[Identifier, tuple[int, ...]] = HashTrieMap()
    users: HashTrieMap[int, User] = HashTrieMap()
    windows: HashTrieMap[int, WindowBelief] = HashTrieMap()
    moment: int = 0
    failures_in_a_row: HashTrieMap[int, tuple[int, float]] = HashTrieMap()
    writers: HashTrieMap[CellKey, int] = HashTrieMap()
    made: int = 0  # how many users were ever made, so that a number is not given twice
    pending_by_contact: HashTrieMap[Identifier, tuple[tuple[CellKey, Any], ...]] = HashTrieMap()
    answered: int = 0  # the moment of the last answer that was not a 5XX
    wide_integers: str | None = None  # "exact" or "doubles", once an answer has shown an integer beyond 2^53

    @classmethod
    def start(cls, settings: Settings | None = None) -> Belief:
        """The belief of a run that has seen nothing yet."""
        settings = settings or Settings()
        ambiguities: HashTrieMap[str, frozenset[str]] = HashTrieMap()
        for name, ambiguity in ambiguity_catalogue().items():
            held = settings.interpretations.get(name)
            open_ones = [held] if held is not None and held in ambiguity.interpretations else ambiguity.interpretations
            ambiguities = ambiguities.insert(name, frozenset(open_ones))
        limit = settings.array_limit
        return cls(
            settings,
            ambiguities,
            (limit, limit) if limit else (bounds().array_elements.least, bounds().array_elements.most),
        )

    def interpretations(self) -> dict[str, str]:
        """The rows of which one interpretation is left, where the ambiguities asks for consistency."""
        table = ambiguity_catalogue()
        return {
            name: next(iter(left))
            for name, left in sorted(self.ambiguities.items())
            if len(left) == 1 and table[name].learned
        }

    def allows(self, requires: Requires) -> bool:
        """Whether every interpretation that an outcome stands on is still open."""
        ambiguities = self.ambiguities
        return not requires or all(interpretation in ambiguities[ambiguity] for ambiguity, interpretation in requires)

    def without(self, gone: Callable[[str], bool]) -> Belief:
        """The belief less the identifiers whose text is `gone`: for users that are never addressed again.

        A user to whom another identifier leads stays.
        """
        names = self.names
        for key in [key for key in names if gone(key[1])]:
            names = names.discard(key)
        pending_by_contact = self.pending_by_contact
        for key in [key for key in pending_by_contact if gone(key[1])]:
            pending_by_contact = pending_by_contact.discard(key)
        kept = {linked_user(link) for links in names.values() for link in links}
        users = self.users
        for uid, user in self.users.items():
            if uid not in kept:
                users = users.discard(uid)
            elif any(one not in names for one in user.held):
                users = users.insert(uid, replace(user, held=tuple(one for one in user.held if one in names)))
        writers = self.writers
        for cell, uid in self.writers.items():
            if uid not in users:
                writers = writers.discard(cell)
        return replace(self, names=names, users=users, writers=writers, pending_by_contact=pending_by_contact)

    def among_strangers(self, fresh: Callable[[str, str], bool]) -> Belief:
        """The belief about a workspace that may be another one: the interpretations stay, nobody and no window is known."""
        nobody: HashTrieMap[Any, Any] = HashTrieMap()
        settings = dataclasses.replace(self.settings, fresh=fresh)
        return replace(self, settings=settings, names=nobody, users=nobody, windows=nobody, writers=nobody)

    def narrow(self, outcomes: Iterable[Requires]) -> Belief:
        """Close the interpretations that none of the surviving `outcomes` stands on. A row some outcome ignores stays open."""
        surviving = list(outcomes)
        if not surviving or not all(surviving):
            return self
        needed = [dict(requires) for requires in surviving]
        ambiguities = self.ambiguities
        for ambiguity in set.intersection(*(set(one) for one in needed)):
            if ambiguity_catalogue()[ambiguity].learned:
                left = ambiguities[ambiguity] & {one[ambiguity] for one in needed}
                if left and left != ambiguities[ambiguity]:
                    ambiguities = ambiguities.insert(ambiguity, left)
        return self if ambiguities is self.ambiguities else replace(self, ambiguities=ambiguities)
