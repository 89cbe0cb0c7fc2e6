"""Gives recorded exchanges the times that the oracle needs: from the recorder where it wrote them, else made up.

Touching intervals count as overlapping, and an overlap makes the oracle hold its tongue. Three cases:

- every interaction has a moment and a duration: they are taken as they are, overlaps included;
- moments only (Ruby's VCR, a `Date` header; whole seconds): the recorder wrote one after another, so the order of the
  file is kept, and exchanges are set apart by a few milliseconds;
- no times: one after another at an unknown moment, and the oracle is told that the clock may be off by centuries.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final
from urllib.parse import urlsplit

from tracksync.cassettes.forms.common import moment
from tracksync.cassettes.interaction import Draft, Interaction, RecordingProblem
from tracksync.model.exchange import Exchange, Request, Response, header

APART: Final = 0.004  # seconds from the end of one exchange to the start of the next
TOOK: Final = 0.001
SOMEDAY: Final = 1_000_000_000.0  # an arbitrary moment, for recordings without any
UNKNOWN_SKEW: Final = 1e11  # seconds, some three thousand years
SKEW: Final = 300.0

DOCUMENTED: Final = ("/users/track/sync", "/users/export/ids", "/users/track", "/users/delete")


def settle(drafts: Sequence[Draft]) -> tuple[list[Interaction], list[RecordingProblem], float]:
    """The interactions in the order of their responses, those whose URL is none, and the clock skew for the oracle."""
    problems: list[RecordingProblem] = []
    settled: list[Interaction] = []
    parties: dict[str, int] = {}
    spans, skew = _spans(drafts)
    for draft, (sent, received) in zip(drafts, spans, strict=True):
        place = _place(draft.url)
        if place is None:
            problems.append(RecordingProblem(draft.line, f"the uri {draft.url[:80]!r} is no http or https URL"))
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
    return settled, problems, skew


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
    """Scheme, host and port; and path with query. A documented path may stand behind the path of a proxy."""
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        return None
    if parts.scheme.lower() not in ("http", "https") or not parts.hostname:
        return None
    path = parts.path or "/"
    for known in DOCUMENTED:
        if path.endswith(known):
            path = known
            break
    origin = f"{parts.scheme.lower()}://{parts.hostname}{f':{port}' if port else ''}"
    return origin, path + (f"?{parts.query}" if parts.query else "")
