"""What may be true of the workspace. Frozen data and the few operations on it; nothing is checked here.

A cell is one attribute, event or product of one user. It holds every state that is possible; mostly that is one.
UNKNOWN as the value of a state stands for any value. A state can have pending writes: requests with an ambiguous
outcome (time-out, reset, 5XX, queued), each of which may take effect once, at any later time, or never.
"""

from __future__ import annotations

import dataclasses
import enum
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final

from msgspec import Struct
from msgspec.structs import replace
from rpds import HashTrieMap, HashTrieSet

from tracksync.contract.ambiguities import ambiguity_catalogue
from tracksync.contract.bounds import bounds
from tracksync.contract.responses import Responses
from tracksync.oracle.identifiers import CellKey, Identifier, Link, UnknownKind
from tracksync.oracle.interpretations import Requires
from tracksync.oracle.spelling import Spellings, without_identifier
from tracksync.oracle.written import Written
from tracksync.values.maps import with_members
from tracksync.values.times import Interval


class _Marker:
    """A named value that is not a JSON value."""

    __slots__ = ("name",)

    def __init__(self, name: str) -> None:
        self.name = name

    def __repr__(self) -> str:
        return self.name

    def __reduce__(self) -> str:  # stays itself through pickle, so that worker processes can compare by identity
        return self.name


ABSENT: Final = _Marker("ABSENT")  # the attribute does not exist
UNKNOWN: Final = _Marker("UNKNOWN")  # any state is possible
OMITTED: Final = _Marker("OMITTED")  # the response does not show the attribute
ANYTHING: Final = _Marker("ANYTHING")  # the response may show any value
VOLATILE: Final = _Marker("VOLATILE")  # in place of a pending write: too many are pending to follow them

MAX_STATES: Final = 24  # a cell with more possibilities is as good as unknown
MAX_PENDING: Final = 4
CONSISTENT_AFTER: Final = 300.0  # seconds; LIMITS: what is advised for calls that depend on other endpoints


def _never(kind: str, text: str) -> bool:
    return False


@dataclasses.dataclass(frozen=True, slots=True)
class Settings:
    """What the oracle is configured with.

    `rate_limit`, `array_limit`: the workspace's, or None where they are not known.
    `fresh(kind, text)`: whether an identifier that is seen for the first time certainly leads to no user.
    `interpretations`: what the server is held to, by ambiguity.
    `clock_skew`: seconds by which the server's clock may differ from the one that stamped the exchanges.
    `window`: seconds of a rate window, or None where they are not known.
    `shared`: other clients may use up the workspace's rate windows at any time.
    `responses`: those of a document of other hands, to which the server is held beside ours.
    `consistent_after`: seconds after which what was queued has been applied, and every endpoint shows it.
    """

    rate_limit: int | None = None
    array_limit: int | None = None
    fresh: Callable[[str, str], bool] = _never
    interpretations: Mapping[str, str] = dataclasses.field(default_factory=dict)
    clock_skew: float = 300.0
    window: int | None = None
    shared: bool = False
    responses: Responses | None = None
    consistent_after: float = CONSISTENT_AFTER


class Counter(Struct, frozen=True, gc=False):
    """A state of one event or product: how often, and between which instants its first and last lie.

    `count`, `first`, `last`: None where unknown. A count of 0 has neither first nor last.
    """

    count: int | None
    first: Interval | None = None
    last: Interval | None = None


NEVER_COUNTED: Final = Counter(0)
ANY_COUNTER: Final = Counter(None)


class State(Struct, frozen=True, gc=False):
    """One possible state of a cell and the writes that may still reach it."""

    value: Any
    pending: tuple[Any, ...] = ()


class Cell(Struct, frozen=True, gc=False):
    """All that may be true of one attribute, event or product.

    `touched`: when the response to the last checked write to it came, in epoch seconds.
    `volatile`: too much is pending to know it again.
    `refused`: writes that were refused since the last applied one, kept only to name a broken clause better.
    `before`: the value before the last write, of a counter its count: for the same purpose, and for exports.
    `before_since`: when `before` had been written, in epoch seconds; infinite where that is not known.
    """

    states: tuple[State, ...]
    touched: float = float("-inf")
    volatile: bool = False
    refused: tuple[Any, ...] = ()
    before: Any = None
    before_since: float = float("inf")

    @property
    def known(self) -> Any:
        """The value where it is certain, otherwise UNKNOWN."""
        return self.states[0].value if len(self.states) == 1 and not self.states[0].pending else UNKNOWN


UNKNOWN_CELL: Final = Cell((State(UNKNOWN),))
ABSENT_CELL: Final = Cell((State(ABSENT),))
UNKNOWN_COUNTER_CELL: Final = Cell((State(ANY_COUNTER),))
ZERO_COUNTER_CELL: Final = Cell((State(NEVER_COUNTED),))


class User(Struct, frozen=True, gc=False):
    """One profile.

    `exists`: None for perhaps. `fresh`: a cell that was not seen yet is absent, not unknown.
    `external`: it was created by an external_id. `perhaps_external`: it may have been, before it was met by another
    identifier. `named`: an identifier other than email and phone leads to it, or did.
    `updated`, `profile_updated`: the exchange, by its number, that last wrote anything or last wrote attributes: two
    interpretations of "most recently updated".
    `perhaps_updated`: the last exchange that may have written anything, where it is not known whether it did.
    `held`: the emails and phones that lead to it. `identifiers`: those that lead to it, perhaps do, or did. `former`:
    emails and phones that it has replaced by others.
    `due`: of a user whose creation was queued, the time in epoch seconds by which it must exist.
    `may_be_created`: a pending write may create it at any later time.
    `update_time_unknown`: a pending write may have updated it at any time.
    `contacts_unsettled`: a pending write may give it another email or phone at any later time.
    `touched`: when the response to the last request that may have changed it came, in epoch seconds.
    """

    exists: bool | None
    fresh: bool
    external: bool
    cells: Mapping[CellKey, Cell] = {}
    updated: int = 0
    profile_updated: int = 0
    held: tuple[Identifier, ...] = ()
    due: float | None = None
    may_be_created: bool = False
    update_time_unknown: bool = False
    contacts_unsettled: bool = False
    named: bool = False
    touched: float = float("-inf")
    perhaps_external: bool = False
    perhaps_updated: int = 0
    identifiers: tuple[Identifier, ...] = ()
    former: tuple[Identifier, ...] = ()

    def cell(self, key: CellKey) -> Cell:
        """What is believed of one cell; of one never seen, absent on a user that was new, otherwise unknown."""
        found = self.cells.get(key)
        if found is not None:
            return found
        if key[0] == "attributes":
            return ABSENT_CELL if self.fresh else UNKNOWN_CELL
        return ZERO_COUNTER_CELL if self.fresh else UNKNOWN_COUNTER_CELL

    def with_cells(self, cells: Mapping[CellKey, Cell]) -> User:
        """This user with another belief of these cells."""
        return replace(self, cells=with_members(self.cells, cells))


class Deletion(Struct, frozen=True, gc=False):
    """A deletion of a user that was accepted, or may have been, and may still take effect.

    `until`: the time in epoch seconds by which it has. `certain`: it will, and nothing can have made the user anew.
    `user`: as it was left when this was noted; another one there was touched since.
    """

    until: float
    certain: bool
    user: User


class UnknownDeletion(Struct, frozen=True, gc=False):
    """A deletion by identifiers of these `kinds` that may belong to users of whom it is not known.

    `new`: kinds by which it names users that were certainly new, and have a braze_id by which one may have been met.
    `until`: the time in epoch seconds by which it has taken effect.
    """

    kinds: frozenset[str]
    new: frozenset[str]
    until: float


class LimitedEndpoint(enum.StrEnum):
    """An endpoint with rate windows of its own, by the name that a parsed request has for it."""

    __hash__ = str.__hash__  # the one of enumerations takes long

    SYNC = "sync"
    TRACK = "track"
    DELETE = "delete"
    EXPORT = "export"


class WindowBelief(Struct, frozen=True, gc=False):
    """What is known of the current rate window of one endpoint.

    `reset`: its end in epoch seconds. `lowest`: the smallest remaining number that was shown.
    `accepted`, `requests`: how many of ours were accepted in it, and how many had a response.
    `unshown`: how many of these came without usable headers since `lowest` was shown.
    `alone`: by the server's own count, every request of the window so far was ours.
    `last_received`: when the last of these responses came, in epoch seconds.
    `limit`: the workspace's, as the first response of the run showed it.
    `before`: remaining does not count the request that it answers (LIMITS is silent), which a whole limit has shown.
    `used_up`: a response that is not a 5XX said that nothing remains. `failures`: how many 5XX in a row said so since.
    """

    reset: int = 0
    lowest: int | None = None
    accepted: int = 0
    requests: int = 0
    unshown: int = 0
    alone: bool = True
    last_received: float = float("-inf")
    limit: int | None = None
    before: bool = False
    used_up: bool = False
    failures: int = 0


class Belief(Struct, frozen=True, gc=False):
    """Everything the oracle believes.

    `ambiguities`: the interpretations that are still possible. `array_limits`: the workspace's lies between these.
    `links`: to which users an identifier leads. `spellings`: the identifiers of `links` by their text.
    `moment`: how many exchanges were checked. `answered`: the last of them whose response was not a 5XX.
    `failures_in_a_row`: by hash of a request, how often in a row it failed, and the first of these exchanges (infinite
    once that was a finding).
    `writers`: by cell key, the user written last and the exchange that did, to name a broken clause better.
    `users_made`: how many users were ever made, so that no number is given twice.
    `pending_by_identifier`: pending writes that reach the user to whom the identifier leads when they take effect.
    `moved`: identifiers of these that may lead to another user since.
    `deletions`: those that may still take effect, by user. `first_over`: when the first of them is over, in epoch
    seconds. `named_in_deletions`: identifiers, each with the time until which a deletion that names it may take effect.
    `unknown_deletion`: the last one by identifiers that may be anyone's. `unsettled_until`: until then, in epoch
    seconds, a user that is met and is not certainly new may be deleted.
    `deleted`: identifiers of users that are certainly gone, to name a broken clause better.
    `known_texts`: identifiers that are not certainly new, since a request that was not read may have used them.
    `written`: when cells were written last, and by which kinds of identifier.
    `wide_integers`: "exact" or "doubles", once a response has shown an integer beyond 2^53.
    """

    settings: Settings
    ambiguities: HashTrieMap[str, frozenset[str]]
    array_limits: tuple[int, int]
    links: HashTrieMap[Identifier, tuple[Link, ...]] = HashTrieMap()
    spellings: Spellings = HashTrieMap()
    users: HashTrieMap[int, User] = HashTrieMap()
    windows: Mapping[LimitedEndpoint, WindowBelief] = {}
    moment: int = 0
    failures_in_a_row: HashTrieMap[int, tuple[int, float]] = HashTrieMap()
    writers: HashTrieMap[CellKey, tuple[int, int]] = HashTrieMap()
    users_made: int = 0
    pending_by_identifier: HashTrieMap[Identifier, tuple[tuple[CellKey, Any], ...]] = HashTrieMap()
    moved: HashTrieSet[Identifier] = HashTrieSet()
    deletions: HashTrieMap[int, Deletion] = HashTrieMap()
    first_over: float = float("inf")
    named_in_deletions: HashTrieMap[Identifier | UnknownKind, float] = HashTrieMap()
    deleted: HashTrieSet[Identifier] = HashTrieSet()
    unknown_deletion: UnknownDeletion | None = None
    unsettled_until: float = float("-inf")
    answered: int = 0
    wide_integers: str | None = None
    known_texts: HashTrieSet[str] = HashTrieSet()
    written: Written = Written()

    @classmethod
    def start(cls, settings: Settings | None = None) -> Belief:
        """The belief before the first exchange of a run."""
        settings = settings or Settings()
        ambiguities: HashTrieMap[str, frozenset[str]] = HashTrieMap()
        for name, ambiguity in ambiguity_catalogue().items():
            held = settings.interpretations.get(name)
            possible = [held] if held is not None and held in ambiguity.interpretations else ambiguity.interpretations
            ambiguities = ambiguities.insert(name, frozenset(possible))
        limit, elements = settings.array_limit, bounds().array_elements
        array_limits = (limit, limit) if limit else (elements.least, elements.most)
        return cls(settings, ambiguities, array_limits)

    def may_lead_elsewhere(self, uid: int) -> bool:
        """Whether an identifier leads to the user perhaps, so that another one may be meant by it."""
        perhaps = Link(uid, sure=False)
        return any(perhaps in self.links.get(one, ()) for one in self.users[uid].identifiers)

    def with_known(self, texts: frozenset[str]) -> Belief:
        """The belief in which none of `texts` is certainly a new identifier."""
        return replace(self, known_texts=self.known_texts.update(texts))

    def interpretations(self) -> dict[str, str]:
        """The one interpretation that is left, by ambiguity, of those that the catalogue says are learned."""
        table = ambiguity_catalogue()
        return {
            name: next(iter(left))
            for name, left in sorted(self.ambiguities.items())
            if len(left) == 1 and table[name].learned
        }

    def allows(self, requires: Requires) -> bool:
        """Whether every interpretation that an outcome requires is still possible."""
        ambiguities = self.ambiguities
        return not requires or all(answer in ambiguities[ambiguity] for ambiguity, answer in requires)

    def without(self, gone: Callable[[str], bool]) -> Belief:
        """The belief less the identifiers of which a text is `gone`: for users that are never addressed again.

        A user to whom another identifier leads stays.
        """
        links, spellings, pending = self.links, self.spellings, self.pending_by_identifier
        for key in [key for key in links if key.is_any(gone)]:
            links, spellings = links.discard(key), without_identifier(spellings, key)
        for key in [key for key in pending if key.is_any(gone)]:
            pending = pending.discard(key)
        staying, users = {link.uid for some in links.values() for link in some}, self.users
        for uid, user in self.users.items():
            if uid not in staying:
                users = users.discard(uid)
            elif any(one not in links for one in user.held):
                users = users.insert(uid, replace(user, held=tuple(one for one in user.held if one in links)))
        writers = self.writers
        for cell, (uid, _) in self.writers.items():
            if uid not in users:
                writers = writers.discard(cell)
        changed = replace(self, links=links, spellings=spellings, pending_by_identifier=pending)
        return replace(changed, users=users, writers=writers)

    def among_strangers(self, fresh: Callable[[str, str], bool]) -> Belief:
        """The belief about a workspace that may be another one: only the interpretations stay."""
        empty: HashTrieMap[Any, Any] = HashTrieMap()
        settings = dataclasses.replace(self.settings, fresh=fresh)
        known = replace(self, settings=settings, windows={}, written=replace(self.written, strangers=True))
        return replace(known, links=empty, spellings=empty, users=empty, writers=empty, deletions=empty)

    def narrow(self, outcomes: Iterable[Requires]) -> Belief:
        """The belief less the interpretations that none of the remaining `outcomes` requires.

        An ambiguity stays open where one of these outcomes is lawful under all of its interpretations.
        """
        remaining = list(outcomes)
        if not remaining or not all(remaining):
            return self
        required = [dict(requires) for requires in remaining]
        ambiguities = self.ambiguities
        for ambiguity in set.intersection(*(set(one) for one in required)):
            if ambiguity_catalogue()[ambiguity].learned:
                left = ambiguities[ambiguity] & {one[ambiguity] for one in required}
                if left and left != ambiguities[ambiguity]:
                    ambiguities = ambiguities.insert(ambiguity, left)
        return self if ambiguities is self.ambiguities else replace(self, ambiguities=ambiguities)
