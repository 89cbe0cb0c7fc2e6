"""The common form of recordings: drafts while a file is read, interactions once they have their times. Plain data."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, TypeAlias

from msgspec import Struct

from tracksync.model.exchange import Credential, Exchange, Failure, Headers, Request


class Draft(Struct, kw_only=True, gc=False):
    """One interaction as a recorder wrote it, with decoded bodies and times that may be missing.

    `at` is seconds since the epoch, of the request's start or the response's end as `at_is` says; `elapsed` in seconds.
    `gap` says why the interaction cannot be checked ("" where it can); it still counts in the sequence.
    """

    line: int
    method: str
    url: str
    request_headers: Headers = ()
    request_body: bytes = b""
    status: int | None = None
    response_headers: Headers = ()
    response_body: bytes = b""
    at: float | None = None
    at_is: Literal["start", "end"] = "end"
    elapsed: float | None = None
    credential: Credential = Credential.UNKNOWN
    tags: tuple[str, ...] = ()
    failure: Failure | None = None
    gap: str = ""


@dataclass(frozen=True, slots=True)
class RecordingProblem:
    """An interaction or a line that could not be read, although the rest of the file could."""

    line: int
    message: str


class TimedLine(Struct, frozen=True, gc=False):
    """An exchange as its line in a file, which takes less memory. `line`: its number. Times in epoch seconds."""

    line: int
    text: bytes
    sent: float
    received: float


class Interaction(Struct, frozen=True, gc=False):
    """One recorded exchange and its place.

    `origin` is scheme, host and port; `line` is where the interaction begins in the file; `party` numbers the keys that
    were used, as far as the recording shows them; `gap` as in Draft. `source`: the line that it was read from.
    """

    exchange: Exchange
    origin: str
    line: int
    party: int = 0
    gap: str = ""
    source: TimedLine | None = None


Flown: TypeAlias = tuple[Interaction, Sequence[Request]]
"""An interaction, and the requests that were in flight when its response came."""


Kept: TypeAlias = Interaction | TimedLine
"""An interaction that may be needed again: as its line, where there is one, since that takes less memory."""


@dataclass(slots=True)
class Recording:
    """All that one file holds. `clock_skew`: seconds by which the times may differ from the server's clock."""

    path: Path
    form: str
    interactions: list[Interaction] = field(default_factory=list)
    problems: list[RecordingProblem] = field(default_factory=list)
    clock_skew: float = 300.0
    notes: Mapping[str, Any] = field(default_factory=dict)
