"""Gives recorded exchanges the times that the oracle needs: the recorder's where it wrote them, else made-up ones.

Exchanges whose intervals touch count as overlapping, and the oracle expects nothing of overlapping writes. Three
cases:

- every interaction has a time and a duration: they are taken as they are, overlaps included;
- times only (Ruby's VCR, a `Date` header; whole seconds): the recorder wrote one after another, so the exchanges
  stay in the order of the file, a few milliseconds apart;
- no times: one after another at an unknown time, and the oracle is told that the clock may be off by centuries.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Final
from urllib.parse import urlsplit

from msgspec.structs import replace

from tracksync.cassettes.forms.common import moment
from tracksync.cassettes.interaction import Draft, Interaction, RecordingProblem, TimedLine
from tracksync.model.exchange import Exchange, Request, Response, header

APART: Final = 0.004  # seconds from the end of one exchange to the start of the next
TOOK: Final = 0.001
SOMEDAY: Final = 1_000_000_000.0  # an arbitrary time, for recordings without any
UNKNOWN_SKEW: Final = 1e11  # seconds, some three thousand years
SKEW: Final = 300.0

DOCUMENTED: Final = ("/users/track/sync", "/users/export/ids", "/users/track", "/users/delete")


@dataclass(frozen=True, slots=True)
class TimedInteractions:
    """The interactions in the order of their responses, the problems, and the clock skew for the oracle in seconds."""

    interactions: list[Interaction]
    problems: list[RecordingProblem]
    clock_skew: float


def settle(drafts: Sequence[Draft]) -> TimedInteractions:
    """The drafts with their times. A draft without a readable URL becomes a problem."""
    problems: list[RecordingProblem] = []
    settled: list[Interaction] = []
    exact = bool(drafts) and all(map(is_exact, drafts))
    settler = Settler(drafts)
    for draft in drafts:
        one = settler.settled(draft, exact=exact)
        if isinstance(one, RecordingProblem):
            problems.append(one)
        else:
            settled.append(one)
    settled.sort(key=lambda one: one.exchange.received)  # stable: ties keep the order of the file
    skew = SKEW if all(map(is_coarse, drafts)) else UNKNOWN_SKEW
    return TimedInteractions(settled, problems, skew)


def is_exact(draft: Draft) -> bool:
    """Whether the recorder wrote a time and a duration."""
    return draft.at is not None and draft.elapsed is not None


def is_coarse(draft: Draft) -> bool:
    """Whether the recorder wrote a time, or the response has a `Date` header."""
    return _coarse(draft) is not None


class Settler:
    """Gives drafts their times, one after another in the order of the file.

    `known`: where they are all at hand. Without exact times the first time in the file is where they begin.
    """

    def __init__(self, known: Sequence[Draft] = ()) -> None:
        self._parties: dict[str, int] = {}
        self._known = known
        self._now: float | None = None

    def settled(self, draft: Draft, *, exact: bool) -> Interaction | RecordingProblem:
        """The draft with its times, which are those of the recorder where they are `exact`.

        One without a readable URL is a problem.
        """
        settled = settled_at(draft, *self.times(draft, exact=exact))
        return settled if isinstance(settled, RecordingProblem) else self.numbered(settled)

    def times(self, draft: Draft, *, exact: bool) -> tuple[float, float]:
        """When the request was sent and when the response came, in epoch seconds."""
        return _exact(draft) if exact else self._span(draft)

    def numbered(self, interaction: Interaction) -> Interaction:
        """The interaction with the number of its key."""
        key = header(interaction.exchange.request.headers, "authorization") or ""
        party = self._parties.setdefault(key, len(self._parties))
        return replace(interaction, party=party) if party else interaction

    def _span(self, draft: Draft) -> tuple[float, float]:
        moment_ = _coarse(draft)
        if self._now is None:
            known = (one for one in map(_coarse, self._known) if one is not None)
            self._now = next(known, SOMEDAY if moment_ is None else moment_)
        self._now = max(self._now + APART + TOOK, moment_ or 0.0)
        return self._now - TOOK, self._now


def settled_at(
    draft: Draft, sent: float, received: float, source: TimedLine | None = None
) -> Interaction | RecordingProblem:
    """The draft with these times. One without a readable URL is a problem."""
    place = _place(draft.url)
    if place is None:
        return RecordingProblem(draft.line, f"the uri {draft.url[:80]!r} is not an http or https URL")
    origin, path = place
    response = None
    if draft.failure is None and draft.status is not None:
        response = Response(draft.status, draft.response_headers, draft.response_body)
    request = Request(draft.method, path, draft.request_headers, draft.request_body)
    exchange = Exchange(request, response, sent, received, draft.credential, draft.failure, draft.tags)
    return Interaction(exchange, origin, draft.line, 0, draft.gap, source)


@lru_cache(maxsize=1024)
def path_of(url: str) -> str:
    """The path of a URL without its query, as an interaction has it; "" where it has no host."""
    place = _place(url)
    return place[1].partition("?")[0] if place else ""


def _exact(draft: Draft) -> tuple[float, float]:
    at, elapsed = draft.at or 0.0, draft.elapsed or 0.0
    return (at, at + elapsed) if draft.at_is == "start" else (at - elapsed, at)


def _coarse(draft: Draft) -> float | None:
    if draft.at is not None:
        return draft.at
    return moment(header(draft.response_headers, "date"))


@lru_cache(maxsize=1024)
def _place(url: str) -> tuple[str, str] | None:
    """The origin (scheme, host and port), and the path with its query; None where the URL has no host.

    A documented path may follow the path of a proxy. A placeholder in angle brackets is an unknown host, or an unknown
    scheme, host and port.
    """
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        return _place_of_placeholder(url)
    if parts.scheme.lower() not in ("http", "https") or not parts.hostname:
        return _place_of_placeholder(url)
    origin = f"{parts.scheme.lower()}://{parts.hostname}{f':{port}' if port else ''}"
    return origin, (_documented(parts.path) or parts.path or "/") + (f"?{parts.query}" if parts.query else "")


def _place_of_placeholder(url: str) -> tuple[str, str] | None:
    """The origin and path of a URL such as `<REST_URL>/users/track` or `<SCHEME>://<HOST>:<PORT>/users/track`."""
    whole, mark, query = url.partition("?")
    known = _documented(whole)
    found = re.match(r".*<[^<>/]+>[^/<>]*", whole.removesuffix(known))
    if found is None:
        return None
    origin = found[0] if not known else whole.removesuffix(known)
    return origin, (known or whole.removeprefix(origin) or "/") + mark + query


def _documented(path: str) -> str:
    """The documented path with which `path` ends; "" for none."""
    return next((known for known in DOCUMENTED if path.endswith(known)), "")
