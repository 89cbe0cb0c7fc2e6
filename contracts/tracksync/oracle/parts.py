"""Checks a part of a workspace's traffic: the exchanges about some of its users. For checks that run side by side.

Each part has a belief of its own. What a check in one belief has to know of the exchanges in the others is listed here,
and nothing else is:

- `Beside`: what the whole traffic shows of an exchange, whoever its user is. It is found in one pass over statuses,
  times and headers (`Pass`): its number, the last response before it, the rate windows, the writes in flight.
- `Shared`: what a response about one user teaches about the server. A change of it, and whatever makes unknown more
  than the users of one exchange, is an `Effect`: every part takes it over before it goes on (`with_effect`).
- `Writer`: who wrote a cell of some name last. It only names a broken clause better, so it is asked for then.

The belief of a part is about users that no exchange connects with those of another part; who sorts them is not here.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any, Final

from msgspec import Struct
from msgspec.structs import replace
from rpds import HashTrieMap, HashTrieSet

from tracksync.model.exchange import Exchange, Request
from tracksync.model.finding import Finding
from tracksync.oracle import deletions, rates, same_user
from tracksync.oracle.belief import Belief, Cell, State, UnknownDeletion, User
from tracksync.oracle.checking import CheckResult, check_beside, headers_of
from tracksync.oracle.forgetting import forget_all
from tracksync.oracle.identifiers import CellKey, Identifier
from tracksync.oracle.in_flight import NONE_IN_FLIGHT, InFlight
from tracksync.oracle.request import endpoint_of, read_request
from tracksync.oracle.unread import forget_unread

_ANOTHER: Final = -1  # the number of a user of another part


class Beside(Struct, frozen=True, gc=False):
    """What the whole traffic shows of one exchange.

    `moment`: its number among those of the workspace. `answered`: as in Belief, before it. `latest`: when the last of
    those before it was sent, in epoch seconds. `findings`, `covered`: of its rate headers. `in_flight`: what requests
    without a response yet may do. `written`: as in `same_user`, before it. `objects`: of a batch, the numbers of the
    objects about users of the part; None for all.
    """

    moment: int
    answered: int
    latest: float
    findings: tuple[Finding, ...]
    covered: frozenset[str]
    in_flight: InFlight = NONE_IN_FLIGHT
    written: same_user.Times = same_user.NO_TIMES
    objects: frozenset[int] | None = None


class Pass:
    """One pass over all exchanges of a workspace, in the order of their responses. `start`: the belief before them."""

    def __init__(self, start: Belief) -> None:
        self._belief = start
        self._moment = 0
        self._answered = 0
        self._latest = float("-inf")
        self._written = start.written

    def next(
        self,
        exchange: Exchange,
        in_flight: InFlight = NONE_IN_FLIGHT,
        only: Identifier | None = None,
        *,
        crowded: bool = False,
    ) -> Beside:
        """What is known beside the next exchange.

        `only`: the one identifier of the body, if known. `crowded`: other requests are without a response yet.
        """
        headers = headers_of(exchange)
        rate = rates.check_exchange(self._belief, exchange, headers, endpoint_of(exchange), crowded=crowded)
        if rate.windows is not self._belief.windows:
            self._belief = replace(self._belief, windows=rate.windows)
        self._moment += 1
        times = self._noted(exchange, only)
        if in_flight.anyone and not self._written.strangers:
            self._written = replace(self._written, strangers=True)
        beside = Beside(
            self._moment,
            self._answered,
            self._latest,
            tuple(rate.findings),
            rate.covered,
            in_flight,
            times,
        )
        self._latest = max(self._latest, exchange.sent)
        if exchange.response is not None and exchange.response.status < 500:
            self._answered = self._moment
        return beside

    def note(self, exchange: Exchange, only: Identifier | None = None) -> None:
        """An exchange with another key, which may be of this workspace. `only`: as in `next`."""
        self._noted(exchange, only)

    def _noted(self, exchange: Exchange, only: Identifier | None) -> same_user.Times:
        """Those of the writes before the exchange that bear on it, which is noted after them."""
        before, settings = self._written, self._belief.settings
        after = same_user.noted_usual(before, settings, exchange, only)
        if after is not None:
            self._written = after
            return same_user.NO_TIMES
        parsed = read_request(exchange)
        self._written = same_user.noted(before, settings, exchange, parsed)
        return same_user.times_for(before, parsed)

    def forget(self) -> None:
        """After a gap nothing is known of the rate windows, nor which identifiers are new."""
        self._belief = replace(self._belief, windows={})
        self._written = replace(self._written, strangers=True)


def check_part(belief: Belief, exchange: Exchange, beside: Beside) -> CheckResult:
    """Check one exchange in the belief of a part."""
    if belief.deletions:
        belief = deletions.ended(belief, beside.latest)
    belief = replace(belief, moment=beside.moment - 1, answered=beside.answered)
    rate = rates.RateCheck(belief.windows, list(beside.findings), beside.covered)
    headers = headers_of(exchange)
    parsed = read_request(exchange)
    return check_beside(
        belief,
        exchange,
        headers,
        parsed,
        beside.in_flight,
        rate,
        beside.written,
        beside.objects,
    )


class Shared(Struct, frozen=True):
    """What is believed of the server as a whole; the members as in Belief."""

    ambiguities: HashTrieMap[str, frozenset[str]]
    array_limits: tuple[int, int]
    wide_integers: str | None
    known_texts: HashTrieSet[str]
    unsettled_until: float


class Effect(Struct, frozen=True):
    """What one exchange changed for every part.

    `forgot`: any user may have been changed. `unread`: a request that was not read, if it may have been carried out.
    `deletion`: it may reach users of any part.
    """

    shared: Shared
    forgot: bool = False
    unread: Request | None = None
    deletion: UnknownDeletion | None = None


def effect_of(before: Belief, after: Belief, exchange: Exchange) -> Effect | None:
    """What the exchange between two beliefs of one part changed for all; None in the usual case."""
    read = after.known_texts is before.known_texts
    forgot = after.settings is not before.settings
    deletion = after.unknown_deletion if after.unknown_deletion is not before.unknown_deletion else None
    if (
        read
        and not forgot
        and deletion is None
        and after.ambiguities is before.ambiguities
        and after.array_limits == before.array_limits
        and after.wide_integers == before.wide_integers
        and after.unsettled_until == before.unsettled_until
    ):
        return None
    return Effect(shared_of(after), forgot, None if read else exchange.request, deletion)


def shared_of(belief: Belief) -> Shared:
    """The members that all parts share."""
    return Shared(
        belief.ambiguities, belief.array_limits, belief.wide_integers, belief.known_texts, belief.unsettled_until
    )


def with_effect(belief: Belief, effect: Effect) -> Belief:
    """The belief of a part after an exchange of another part had the effect."""
    if effect.deletion is not None:
        belief = deletions.reach_unknown(belief, effect.deletion)
    if effect.unread is not None:
        belief = forget_unread(belief, effect.unread)
    if effect.forgot:
        belief = forget_all(belief)
    until = max(belief.unsettled_until, effect.shared.unsettled_until)
    return replace(with_shared(belief, effect.shared), unsettled_until=until)


def with_shared(belief: Belief, shared: Shared) -> Belief:
    """The belief with the members that all parts share."""
    return replace(
        belief,
        ambiguities=shared.ambiguities,
        array_limits=shared.array_limits,
        wide_integers=shared.wide_integers,
        known_texts=shared.known_texts,
        unsettled_until=shared.unsettled_until,
    )


class Writer(Struct, frozen=True):
    """The last write to a cell of some name: by which exchange of the workspace, and the value that is known of it."""

    moment: int
    known: Any


def writers_of(belief: Belief, keys: Collection[CellKey]) -> dict[CellKey, Writer]:
    """The last writers that a part knows, for those of `keys` that have one."""
    found = {key: belief.writers[key] for key in keys if key in belief.writers}
    return {key: Writer(moment, belief.users[uid].cell(key).known) for key, (uid, moment) in found.items()}


def with_writers(belief: Belief, writers: Mapping[CellKey, Writer]) -> Belief:
    """The belief with those of the `writers` that wrote later than the users of the part: only to name a clause."""
    cells: dict[CellKey, Cell] = {}
    known = belief.writers
    for key, writer in writers.items():
        own = known.get(key)
        if own is None or own[1] < writer.moment:
            cells[key] = Cell((State(writer.known),))
            known = known.insert(key, (_ANOTHER, writer.moment))
    if known is belief.writers:
        return belief
    another = User(exists=True, fresh=False, external=False).with_cells(cells)
    return replace(belief, writers=known, users=belief.users.insert(_ANOTHER, another))
