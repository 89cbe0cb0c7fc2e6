"""An exchange: one request, its response or failure, and the times. Plain frozen data with a few look-ups.

Knows nothing of the contract. Everything about HTTP that travels between packages has one of these types.
Times are seconds since the Unix epoch, UTC, as floats. Bodies are the decoded (uncompressed) bytes.
"""

from __future__ import annotations

import enum
from dataclasses import dataclass, field

Headers = tuple[tuple[str, str], ...]


def header(headers: Headers, name: str) -> str | None:
    """The first value of the header `name`, or None. Upper and lower case make no difference."""
    wanted, size = name.lower(), len(name)
    for key, value in headers:
        if len(key) == size and key.lower() == wanted:
            return value
    return None


def lowered(headers: Headers) -> dict[str, str]:
    """The headers by their names in small letters; of repeated ones the first value."""
    return {name.lower(): value for name, value in reversed(headers)}


def media_type(headers: Headers) -> str:
    """The content type in lower case, without parameters; empty where there is none."""
    return as_media_type(header(headers, "content-type"))


def as_media_type(value: str | None) -> str:
    """A content type in lower case, without parameters; empty where there is none."""
    value = value or ""
    return value if value == "application/json" else value.partition(";")[0].strip().lower()


class Credential(enum.StrEnum):
    """What kind of key a request was sent with. The key itself is never part of an exchange."""

    __hash__ = str.__hash__  # the one of enumerations takes long

    VALID = "valid"
    UNPRIVILEGED = "unprivileged"  # a real key without the permission that the path needs
    INVALID = "invalid"  # wrong, or under another scheme
    QUOTED = "quoted"  # right, and wrapped in quotes
    MISSING = "missing"
    UNKNOWN = "unknown"  # in a recording by others


class FailureKind(enum.StrEnum):
    """How a request ended when no complete response came."""

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
    """One complete HTTP response."""

    status: int
    headers: Headers = ()
    body: bytes = b""


@dataclass(frozen=True, slots=True)
class Failure:
    """Why there is no response. `detail` is for a person."""

    kind: FailureKind
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Exchange:
    """A request and its outcome: either `response` or `failure` is set, never both.

    `sent` is when the first byte left, `received` when the last byte of the response came or the wait ended. The
    interval is closed: two exchanges that share one instant overlap. `tags` are free labels for reports, for example
    the name of the probe.
    """

    request: Request
    response: Response | None
    sent: float
    received: float
    credential: Credential = Credential.VALID
    failure: Failure | None = None
    tags: tuple[str, ...] = field(default=())

    @property
    def unreached(self) -> bool:
        """Whether the request certainly did not arrive."""
        return self.failure is not None and self.failure.kind is FailureKind.UNREACHABLE

    @property
    def without_effect(self) -> bool:
        """Whether the request certainly changed nothing: it did not arrive, or was refused."""
        return self.unreached if self.response is None else 400 <= self.response.status < 500
