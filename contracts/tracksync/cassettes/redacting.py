"""What every exchange passes before it touches the disk: keys out for ever, people behind stand-ins, lengths put right.

Keys are irreversible: the mark says nothing of them. Stand-ins are irreversible too; a test that plays a cassette back
gets its own identifiers again because its request names them (see `pytest_fixtures`), not because the file holds them.
"""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Final
from urllib.parse import unquote

from tracksync.cassettes.pseudonyms import Pseudonyms
from tracksync.model.exchange import Exchange, Headers, Request, Response
from tracksync.report.redact import MARK, Redactor

_KEY_PARAMETER: Final = re.compile(
    r"([?&](?:api[_-]?key|key|token|access[_-]?token|auth(?:orization)?|secret)=)([^&#]*)", re.IGNORECASE
)
_BODY_KEY: Final = re.compile(
    rb'("(?:api_key|apikey|rest_api_key|authorization|access_token)"\s*:\s*")((?:[^"\\]|\\.)+)(")', re.I
)
_DROPPED: Final = frozenset(
    {"content-encoding", "transfer-encoding", "set-cookie", "cookie", "set-cookie2", "connection"}
)
_CREDENTIALS: Final = re.compile(r"auth|api-?key|token|secret|cookie|signature|credential|session", re.IGNORECASE)


class RecordingRedactor:
    """Masks the exchanges of one cassette. `ours`: what our own identifiers begin with."""

    def __init__(self, redactor: Redactor, ours: str = "") -> None:
        self._redactor = redactor
        self._people = Pseudonyms(ours)

    def exchange(self, exchange: Exchange) -> Exchange:
        """`exchange` as it may be written."""
        learned = tokens_in(exchange.request)
        clean = self._redactor.exchange(exchange)
        if learned:
            clean = Redactor(learned).exchange(clean)
        request = clean.request
        request = replace(
            request,
            path=self._people.path(_KEY_PARAMETER.sub(rf"\1{MARK}", request.path)),
            headers=self._headers(request.headers),
            body=self._people.body(_BODY_KEY.sub(rb"\1" + MARK.encode() + rb"\3", request.body)),
        )
        response = clean.response
        if response is not None:
            body = self._people.mentions(self._people.body(response.body))
            response = replace(response, headers=self._headers(response.headers), body=body)
            response = replace(response, headers=_right_length(response))
        return replace(clean, request=replace(request, headers=_right_length(request)), response=response)

    def _headers(self, headers: Headers) -> Headers:
        return tuple(
            (name, MARK if _CREDENTIALS.search(name) else self._people.text(value))
            for name, value in headers
            if name.lower() not in _DROPPED
        )


def tokens_in(request: Request) -> list[str]:
    """Secrets in the URL, which a response may echo."""
    found = [match[2] for match in _KEY_PARAMETER.finditer(request.path)]
    found += [match[2].decode("utf-8", "replace") for match in _BODY_KEY.finditer(request.body)]
    return [token for raw in found for token in {raw, unquote(raw)} if len(token) >= 6 and token != MARK]


def _right_length(message: Request | Response) -> Headers:
    """The headers with the Content-Length that the body now has. None is added where there was none."""
    size = str(len(message.body))
    return tuple((name, size if name.lower() == "content-length" else value) for name, value in message.headers)
