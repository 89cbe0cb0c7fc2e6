"""Small pure builders of requests, and the step that generation hands to the engine.

Knows the form of a request; knows neither users nor what a response should be. No request carries an Authorization
header: the engine adds it, from the step's key.
"""

from __future__ import annotations

import enum
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from tracksync.contract.bounds import SYNC
from tracksync.model.exchange import Credential, Headers, Request

JSON_HEADERS: Final[Headers] = (("Content-Type", "application/json"),)
User = Mapping[str, Any]

_compact = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode
_escaped = json.JSONEncoder(ensure_ascii=True, separators=(",", ":")).encode


class SentKey(enum.StrEnum):
    """What the engine writes into the Authorization header of a step."""

    VALID = "the key"
    UNPRIVILEGED = "a key without the permission"
    MISSING = "no key"
    INVALID = "an invalid key"
    QUOTED = "a key in quotes"
    OTHER_SCHEME = "a key under another scheme"
    EMPTY = "an empty key"
    OTHER_CASE = "the key in another case"
    CUT_SHORT = "the beginning of the key"
    LENGTHENED = "the key with more behind it"

    @property
    def credential(self) -> Credential:
        """How the exchange names it."""
        return _CREDENTIALS.get(self, Credential.INVALID)

    @classmethod
    def for_credential(cls, credential: Credential) -> SentKey:
        """The plainest key that an exchange names `credential`."""
        return next(key for key in cls if key.credential is credential)


_CREDENTIALS: Final = {
    SentKey.VALID: Credential.VALID,
    SentKey.UNPRIVILEGED: Credential.UNPRIVILEGED,
    SentKey.MISSING: Credential.MISSING,
    SentKey.QUOTED: Credential.QUOTED,
}


@dataclass(frozen=True, slots=True)
class Step:
    """One request to send, and with which key.

    `label` says in a few words what the step is for. `settle`: before it, let pass what eventual consistency takes.
    """

    request: Request
    key: SentKey = SentKey.VALID
    label: str = ""
    settle: bool = False

    @property
    def credential(self) -> Credential:
        """How the exchange names the key."""
        return self.key.credential


def encode(value: Any) -> bytes:
    """`value` as compact JSON in UTF-8; lone surrogates are escaped, since UTF-8 cannot hold them."""
    try:
        return _compact(value).encode()
    except UnicodeEncodeError:
        return _escaped(value).encode()


def json_request(body: Any, *, path: str = SYNC) -> Request:
    """A POST of `body` as JSON."""
    return Request("POST", path, JSON_HEADERS, encode(body))


def raw_request(
    body: bytes, *, method: str = "POST", path: str = SYNC, content_type: str | None = "application/json"
) -> Request:
    """A request with exactly these bytes, under any method, path and content type."""
    return Request(method, path, (("Content-Type", content_type),) if content_type is not None else (), body)


def attributes(user: User, values: Mapping[str, Any] | None = None, **more: Any) -> dict[str, Any]:
    """An attributes object: the identifiers, then the attributes; `more` serves for control keys and profile fields."""
    return {**user, **(values or {}), **more}


def event(user: User, name: str, time: str, **more: Any) -> dict[str, Any]:
    """An event object; `more` adds optional fields, or replaces required ones by wrong values."""
    return {**user, "name": name, "time": time, **more}


def purchase(
    user: User, product_id: Any, time: str, *, currency: Any = "EUR", price: Any = 9.99, **more: Any
) -> dict[str, Any]:
    """A purchase object; `more` adds optional fields."""
    return {**user, "product_id": product_id, "currency": currency, "price": price, "time": time, **more}


def without(value: Mapping[str, Any], *keys: str) -> dict[str, Any]:
    """`value` less these members."""
    return {key: inner for key, inner in value.items() if key not in keys}


def attributes_request(user: User, values: Mapping[str, Any] | None = None, **more: Any) -> Request:
    """A request with one attributes object."""
    return json_request({"attributes": [attributes(user, values, **more)]})


def event_request(user: User, name: str, time: str, **more: Any) -> Request:
    """A request with one event."""
    return json_request({"events": [event(user, name, time, **more)]})


def purchase_request(user: User, product_id: Any, time: str, **more: Any) -> Request:
    """A request with one purchase."""
    return json_request({"purchases": [purchase(user, product_id, time, **more)]})
