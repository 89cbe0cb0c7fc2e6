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
from typing import Final
from urllib.parse import urlsplit

from tracksync.cassettes.forms.common import moment
from tracksync.cassettes.interaction import Draft, Interaction, RecordingProblem
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
    parties: dict[str, int] = {}
    spans, skew = _spans(drafts)
    for draft, (sent, received) in zip(drafts, spans, strict=True):
        place = _place(draft.url)
        if place is None:
            problems.append(RecordingProblem(draft.line, f"the uri {draft.url[:80]!r} is not an http or https URL"))
            continue
        origin, path = place
        response = None
        if draft.failure is None and draft.status is not None:
            response = Response(draft.status, draft.response_headers, draft.response_body)
        key = header(draft.request_headers, "authorization") or ""
        exchange = Exchange(
            Request(draft.method, path, draft.request_headers, draft.request_body),
            response,
            sent,
            received,
            draft.credential,
            draft.failure,
            draft.tags,
        )
        settled.append(Interaction(exchange, origin, draft.line, parties.setdefault(key, len(parties)), draft.gap))
    settled.sort(key=lambda one: one.exchange.received)  # stable: ties keep the order of the file
    return TimedInteractions(settled, problems, skew)


def _spans(drafts: Sequence[Draft]) -> tuple[list[tuple[float, float]], float]:
    if drafts and all(draft.at is not None and draft.elapsed is not None for draft in drafts):
        return [_exact(draft) for draft in drafts], SKEW
    moments = [_coarse(draft) for draft in drafts]
    known = [one for one in moments if one is not None]
    skew = SKEW if len(known) == len(moments) else UNKNOWN_SKEW
    spans: list[tuple[float, float]] = []
    now = known[0] if known else SOMEDAY
    for one in moments:
        now = max(now + APART + TOOK, one or 0.0)
        spans.append((now - TOOK, now))
    return spans, skew


def _exact(draft: Draft) -> tuple[float, float]:
    at, elapsed = draft.at or 0.0, draft.elapsed or 0.0
    return (at, at + elapsed) if draft.at_is == "start" else (at - elapsed, at)


def _coarse(draft: Draft) -> float | None:
    if draft.at is not None:
        return draft.at
    return moment(header(draft.response_headers, "date"))


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
