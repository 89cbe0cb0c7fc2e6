"""An exchange: one request, what came back, and when. Plain frozen data, no behaviour beyond look-ups.

Knows nothing of the contract. Everything that travels between rooms about HTTP has one of these types.
Times are seconds since the Unix epoch, UTC, as floats. Bodies are the decoded (uncompressed) bytes.
"""

from __future__ import annotations

import enum
from dataclasses import dataclass, field

Headers = tuple[tuple[str, str], ...]


def header(headers: Headers, name: str) -> str | None:
    """The first value of header `name`, in any spelling of its case, or None."""
    wanted, size = name.lower(), len(name)
    for key, value in headers:
        if len(key) == size and key.lower() == wanted:
            return value
    return None


def media_type(headers: Headers) -> str:
    """The content type in small letters, without parameters; empty where there is none."""
    value = header(headers, "content-type") or ""
    return value if value == "application/json" else value.partition(";")[0].strip().lower()


class Credential(enum.StrEnum):
    """What the sender knows of the key it used. The key itself never travels in an exchange."""

    VALID = "valid"
    UNPRIVILEGED = "unprivileged"  # a real key without the permission that the path needs
    INVALID = "invalid"  # wrong, wrapped in quotes, or under another scheme
    MISSING = "missing"
    UNKNOWN = "unknown"  # a recording by others: nobody can say


class FailureKind(enum.StrEnum):
    """How a request ended when no complete answer came."""

    TIMEOUT = "timeout"
    RESET = "reset"  # connection cut after the request may have been read
    UNREACHABLE = "unreachable"  # nothing was sent: the target cannot have applied it
    TRUNCATED = "truncated"  # headers came, the body did not end as announced


@dataclass(frozen=True, slots=True)
class Request:
    """One HTTP request. `path` is the URL's path and query, without scheme and host."""

    method: str
    path: str
    headers: Headers = ()
    body: bytes = b""


@dataclass(frozen=True, slots=True)
class Response:
    """One complete HTTP answer."""

    status: int
    headers: Headers = ()
    body: bytes = b""


@dataclass(frozen=True, slots=True)
class Failure:
    """Why there is no answer, in words for a person."""

    kind: FailureKind
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Exchange:
    """A request and its outcome.

    `sent` is when the first byte left, `received` when the last byte of the answer came (or the wait was given
    up). The interval is closed: two exchanges that touch in one instant count as overlapping.
    Either `response` or `failure` is set, never both.
    """

    request: Request
    response: Response | None
    sent: float
    received: float
    credential: Credential = Credential.VALID
    failure: Failure | None = None
    tags: tuple[str, ...] = field(default=())  # free labels for reports, for example the probe's name
