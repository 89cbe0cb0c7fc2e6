"""A drawing of how a client tried a request again: requests, statuses, pauses, and the reset time of a 429. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from tracksync.gate.retries import request_key
from tracksync.model.exchange import Exchange
from tracksync.model.figures import Bar, Figure, Mark
from tracksync.wire.observed import reset_time

DRAWN: Final = frozenset(
    {
        "TC-RATE-WAIT",
        "TC-RETRY-SERVER-ERROR",
        "TC-RETRY-BACKOFF",
        "TC-RETRY-BOUNDED",
        "TC-NO-RETRY",
        "TC-APPLIED-TWICE",
    }
)
_MOST: Final = 16  # requests
_POINT: Final = 0.002  # seconds; the length at which a reset time is drawn


def timeline(clause: str, evidence: Sequence[Exchange], traffic: Sequence[Exchange]) -> Figure | None:
    """The tries of the request at fault, for a clause about retries; None for any other.

    `evidence` are the exchanges of the finding, the one at fault last, and `traffic` all of the run.
    """
    if clause not in DRAWN or not evidence:
        return None
    key = request_key(evidence[-1])
    chosen = {id(one): one for one in (*evidence, *(one for one in traffic if request_key(one) == key))}
    tries = sorted(chosen.values(), key=lambda one: one.sent)[:_MOST]
    start = tries[0].sent
    bars = []
    before: Exchange | None = None
    for one in tries:
        pause = f", {one.sent - before.received:.2f} s after the one before" if before is not None else ""
        mark: Mark = "fault" if one is evidence[-1] and clause != "TC-RETRY-SERVER-ERROR" else "plain"
        bars.append(Bar("request", f"{_outcome(one)}{pause}", one.sent - start, one.received - start, mark))
        before = one
    resets = [reset for reset in map(_reset, tries) if reset is not None and reset > start]
    if resets:
        reset = max(resets) - start
        bars.append(Bar("reset", f"the reset time, at {reset:.2f} s", reset, reset + _POINT, "context"))
    return Figure("The tries of this request", tuple(bars))


def _outcome(exchange: Exchange) -> str:
    return str(exchange.response.status) if exchange.response else "no response"


def _reset(exchange: Exchange) -> float | None:
    if exchange.response is None or exchange.response.status != 429:
        return None
    return reset_time(exchange.response.headers)
