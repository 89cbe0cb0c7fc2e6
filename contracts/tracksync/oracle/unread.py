"""Requests that the oracle did not read, or that a server may have read otherwise: all that they may touch is unknown.

Such are malformed JSON that a server accepted, equal names in one object, nesting beyond what is examined, bytes in no
encoding, and compressed bodies. No finding may rest on them, so every user that a text of the body may name is
forgotten, and no identifier among these texts is certainly new afterwards. Knows texts and links; finds nothing.
"""

from __future__ import annotations

import json
import re
from functools import lru_cache
from typing import Final

from tracksync.model.exchange import Request, header
from tracksync.oracle.belief import Belief
from tracksync.oracle.forgetting import forget_all, forget_user
from tracksync.oracle.request import ParsedRequest

WRITERS: Final = ("sync", "track", "delete")  # endpoints that change users
MAX_TEXTS: Final = 20_000  # different texts of a body; where it has more, everything is forgotten
_TEXT: Final = re.compile(r"\"((?:[^\"\\]|\\.)*)\"?|'((?:[^'\\]|\\.)*)'?|([^\s\"'{}\[\]:,]+)", re.DOTALL)


def forget_unread(belief: Belief, request: Request) -> Belief:
    """The belief after a request that was accepted, or may have been, without the oracle knowing what it says."""
    if _names_anyone(request):
        return forget_all(belief)
    texts = texts_in(request.body)
    for identifier, links in belief.links.items():
        if identifier.is_any(texts.__contains__):
            for link in links:
                belief = forget_user(belief, link.uid)
    return belief.with_known(texts)


def is_encoded(request: Request) -> bool:
    """Whether the body is compressed, or in another encoding that is not read."""
    return (header(request.headers, "content-encoding") or "identity").lower() != "identity"


def is_short(body: bytes) -> bool:
    """Whether a body has certainly not so many texts that everything is forgotten, in whichever encoding it is read."""
    return 2 * len(body) <= MAX_TEXTS


def _names_anyone(request: Request) -> bool:
    """Whether no text of the body says whom it names, or too many do."""
    return is_encoded(request) or len(texts_in(request.body)) > MAX_TEXTS


def may_reach_anyone(request: Request, parsed: ParsedRequest) -> bool:
    """Whether a request may change any user, if it is accepted."""
    if parsed.endpoint == "unclear":
        return may_change_users(request)
    return (parsed.unread or parsed.refused) and parsed.endpoint in WRITERS and _names_anyone(request)


def may_change_users(request: Request) -> bool:
    """Whether a request to an endpoint that is not checked may write to users: some of the host's endpoints do."""
    path = request.path.lower()
    return request.method in ("POST", "PUT", "PATCH", "DELETE") and ("/users" in path or "/trigger" in path)


@lru_cache(maxsize=4)
def texts_in(body: bytes) -> frozenset[str]:
    """Every text that a lenient reader may find in `body`: quoted in either way, or bare, with its escapes resolved."""
    found: set[str] = set()
    for encoding in dict.fromkeys(("utf-8", json.detect_encoding(body))):
        for match in _TEXT.finditer(body.decode(encoding, "replace")):
            text = match.group(match.lastindex or 0)
            found.add(text)
            if "\\" in text:
                found.add(_unescaped(text))
            if len(found) > MAX_TEXTS:
                break
    return frozenset(found)


def _unescaped(text: str) -> str:
    try:
        value = json.loads(f'"{text}"', strict=False)
    except ValueError:
        return text
    return str(value)
