"""Who may use the admin API: programs on this machine, and pages that it served itself.

A browser sends requests for any page that it shows. So the name in `Host` has to be one of this machine (a page of
another site may have its name resolved to this address: DNS rebinding), a page that a request comes from has to be the
inspector (cross-site request forgery), and a body has to be JSON, which no form can send.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from tracksync.config import is_loopback
from tracksync.mock.app import Message, Receive, Scope, Send

LARGEST_BODY: Final = 32 * 1024 * 1024  # bytes
HEADERS: Final = (
    (b"cache-control", b"no-store"),
    (
        b"content-security-policy",
        b"default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; "
        b"base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    ),
    (b"cross-origin-resource-policy", b"same-origin"),
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"referrer-policy", b"no-referrer"),
    (b"x-content-type-options", b"nosniff"),
    (b"x-frame-options", b"DENY"),
)


@dataclass(frozen=True, slots=True)
class Denial:
    """Why a request is refused: a status and a sentence."""

    status: int
    error: str


Headers = Mapping[str, list[str]]  # by name in lower case
_NOT_JSON: Final = Denial(415, "a body is JSON, with the Content-Type application/json")


class TooLarge(Exception):
    """A body with more than LARGEST_BODY bytes."""


class Guard:
    """Decides on requests. `names`: further host names under which other machines may use the admin API."""

    def __init__(self, names: Iterable[str] = ()) -> None:
        self._names = frozenset(name.lower().rstrip(".") for name in names)

    def denial(self, scope: Scope) -> Denial | None:
        """Why this request is refused, or None."""
        headers: dict[str, list[str]] = {}
        for name, value in scope["headers"]:
            headers.setdefault(name.decode("latin-1").lower(), []).append(value.decode("latin-1"))
        if not self._names and not _is_local(scope.get("client")):
            return Denial(403, "the admin API is for this machine only; --admin-host NAME opens it to others")
        hosts = headers.get("host", [])
        if len(hosts) != 1 or not self._knows(hosts[0]):
            return Denial(403, "the Host header names another machine; --admin-host NAME allows a name")
        own = f"{scope.get('scheme', 'http')}://{hosts[0].lower()}"
        return _foreign_page(scope["method"], own, headers) or _odd_body(scope["method"], headers)

    def _knows(self, host: str) -> bool:
        """Whether the value of a Host header names this machine, or a name that was allowed."""
        name = (
            host.lower().rpartition("]")[0].removeprefix("[")
            if host.startswith("[")
            else host.lower().partition(":")[0]
        )
        name = name.rstrip(".")
        return name in self._names or is_loopback(name)


def _foreign_page(method: str, own: str, headers: Headers) -> Denial | None:
    """Why a page that sent this request may not; `own` is the origin of the admin API."""
    if any(origin.lower() != own for origin in headers.get("origin", [])):
        return Denial(403, "the request comes from a page of another origin")
    # A link on another page may lead to the inspector: that page learns nothing of what is shown then.
    follows_link = method == "GET" and headers.get("sec-fetch-mode") == ["navigate"]
    foreign = any(site.lower() not in ("same-origin", "none") for site in headers.get("sec-fetch-site", []))
    return Denial(403, "the request comes from a page of another site") if foreign and not follows_link else None


def _odd_body(method: str, headers: Headers) -> Denial | None:
    """What is wrong with the body that the headers announce."""
    media = headers.get("content-type", []) if method not in ("GET", "HEAD") else []
    lengths = headers.get("content-length", [])
    has_body = any(length != "0" for length in lengths) or "transfer-encoding" in headers
    if any(one.partition(";")[0].strip().lower() != "application/json" for one in media):
        return _NOT_JSON
    if any(not length.isdigit() or len(length) > 15 or int(length) > LARGEST_BODY for length in lengths):
        return Denial(413, f"a body has at most {LARGEST_BODY} bytes")
    return _NOT_JSON if has_body and not media else None


def _is_local(client: object) -> bool:
    """Whether a request came from this machine."""
    if not isinstance(client, tuple | list) or not client:
        return False
    try:
        address = ipaddress.ip_address(str(client[0]).partition("%")[0])
    except ValueError:
        return False
    mapped = getattr(address, "ipv4_mapped", None)
    return (mapped or address).is_loopback


def limited(receive: Receive) -> Receive:
    """`receive` that raises TooLarge once a body is over the limit, whatever its Content-Length says."""
    size = 0

    async def limited_receive() -> Message:
        nonlocal size
        message = await receive()
        size += len(message.get("body", b""))
        if size > LARGEST_BODY:
            raise TooLarge
        return message

    return limited_receive


def with_headers(send: Send) -> Send:
    """`send` that adds the headers which tell browsers to keep other pages away."""

    async def send_with_headers(message: Message) -> None:
        if message["type"] == "http.response.start":
            message = {**message, "headers": [*message.get("headers", ()), *HEADERS]}
        await send(message)

    return send_with_headers
