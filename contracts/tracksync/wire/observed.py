"""What the server's end of a connection saw of a client: the exchange, the use of the key, the end of the connection.

Plain frozen data, and the one rule that takes the key out of a request: after `observe` no exchange holds it in its
Authorization header, only how it stood there.
"""

from __future__ import annotations

import base64
import enum
import hashlib
import json
import re
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any, Final
from urllib.parse import unquote

from tracksync.model.exchange import Credential, Exchange, Headers, Request, header
from tracksync.wire.senders import Sender


class KeyForm(enum.StrEnum):
    """How the Authorization header held the key."""

    BEARER = "bearer"  # as documented
    QUOTED = "quoted"  # wrapped in quotes
    SPELLED = "spelled"  # under another scheme, without one, or with other spacing
    OTHER = "other"  # another key than the one that was given
    MISSING = "missing"


_CREDENTIALS: Final = {
    KeyForm.BEARER: Credential.VALID,
    KeyForm.QUOTED: Credential.QUOTED,
    KeyForm.SPELLED: Credential.INVALID,
    KeyForm.OTHER: Credential.INVALID,
    KeyForm.MISSING: Credential.MISSING,
}


@dataclass(frozen=True, slots=True)
class KeyUse:
    """How one request used the key. `elsewhere`: JSON Pointers of other places in the request that hold it."""

    form: KeyForm = KeyForm.BEARER
    elsewhere: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Observed:
    """One exchange as the server's end saw it.

    `exchange.sent` is when the request had arrived, `exchange.received` when the last byte of the response was handed
    to the connection, or when the connection ended. `connection` names the connection; `opened` is when it was
    accepted, and None for every later request on it. `answered` is when the status line and the headers were handed to
    the connection. `gave_up`: the client hung up before the response was complete. `test`: the name of the test that
    was running, where it is known. `sender`: the process that sent the request, where it is known. Times are seconds
    since the Unix epoch.
    """

    exchange: Exchange
    key: KeyUse = KeyUse()
    connection: str = ""
    gave_up: bool = False
    test: str = ""
    opened: float | None = None
    answered: float | None = None
    sender: Sender | None = None

    @property
    def known(self) -> float:
        """When the client could know the outcome: from the status line on, also while the body is on its way."""
        return self.exchange.received if self.answered is None else self.answered


def read_key(request: Request, key: str, unprivileged_key: str = "") -> tuple[KeyUse, Credential]:
    """How `request` uses the key that the client was given."""
    value = header(request.headers, "authorization")
    form = KeyForm.MISSING
    credential = None
    if value is not None and value.strip():
        form = _form(value, key)
        if form is KeyForm.OTHER and unprivileged_key and value == f"Bearer {unprivileged_key}":
            form, credential = KeyForm.BEARER, Credential.UNPRIVILEGED
    return KeyUse(form, tuple(_elsewhere(request, key))), credential or _CREDENTIALS[form]


def _form(value: str, key: str) -> KeyForm:
    if value[:7].lower() == "bearer " and value[7:] == key:
        return KeyForm.BEARER
    if not _holds(value, key):
        return KeyForm.OTHER
    quotes = "[\"'`\u2018-\u201d]|%2[27]"
    return KeyForm.QUOTED if re.search(f"(?:{quotes}).*{re.escape(key)}.*(?:{quotes})", value) else KeyForm.SPELLED


def _elsewhere(request: Request, key: str) -> list[str]:
    places = []
    if _holds(request.path, key):
        places.append("/request/path")
    places += [
        f"/request/headers/{name.lower()}"
        for name, value in request.headers
        if name.lower() != "authorization" and _holds(value, key)
    ]
    if _holds(request.body.decode("utf-8", "replace"), key):
        places.append("/request/body")
    return places


def _holds(text: str, key: str) -> bool:
    if key in text or ("%" in text and key in unquote(text)):
        return True
    return any(key in _decoded(word) for word in re.findall(r"[A-Za-z0-9+/_-]{16,}={0,2}", text) if len(text) < 10_000)


def _decoded(word: str) -> str:
    try:
        return base64.b64decode(word.replace("-", "+").replace("_", "/") + "==").decode("latin-1")
    except ValueError:
        return ""


def without_key(headers: Headers) -> Headers:
    """`headers` without Authorization."""
    return tuple(pair for pair in headers if pair[0].lower() != "authorization")


def reset_time(headers: Headers) -> float | None:
    """The time until which the headers of a 429 ask to wait, in seconds since the epoch."""
    value = header(headers, "x-ratelimit-reset") or ""
    return float(value) if value.isascii() and value.isdigit() and len(value) < 16 else None


def observe(
    exchange: Exchange,
    key: str,
    unprivileged_key: str = "",
    *,
    connection: str = "",
    gave_up: bool = False,
    test: str = "",
    opened: float | None = None,
    answered: float | None = None,
    sender: Sender | None = None,
) -> Observed:
    """`exchange` without the key in its header; what is left of the key is how it was used."""
    use, credential = read_key(exchange.request, key, unprivileged_key)
    request = replace(exchange.request, headers=without_key(exchange.request.headers))
    clean = replace(exchange, request=request, credential=credential)
    return Observed(clean, use, connection, gave_up, test, opened, answered, sender)


def identity(request: Request, *, timeless: bool = False) -> bytes:
    """What makes two requests tries of one: the same content; `timeless`: but for the time that it names."""
    body = request.body
    with suppress(ValueError, RecursionError):
        content = json.loads(body)
        body = json.dumps(_timeless(content) if timeless else content, sort_keys=True).encode()
    return hashlib.sha256(b"\0".join((request.method.encode(), request.path.encode("utf-8", "replace"), body))).digest()


def _timeless(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _timeless(item) for name, item in value.items() if name != "time"}
    return [_timeless(item) for item in value] if isinstance(value, list) else value
