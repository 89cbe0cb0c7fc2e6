"""Redacts every exchange before it is written: keys are removed, persons get pseudonyms, lengths are corrected.

Neither can be reversed from the file. A test that plays a cassette gets its own identifiers again because its request
names them (see `vcrpy_adapter`).
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
    """Redacts the exchanges of one cassette. `ours`: the prefix of the run's own identifiers."""

    def __init__(self, redactor: Redactor, ours: str = "") -> None:
        self._redactor = redactor
        self._pseudonyms = Pseudonyms(ours)

    def exchange(self, exchange: Exchange) -> Exchange:
        """`exchange` as it may be written."""
        learned = tokens_in(exchange.request)
        clean = self._redactor.exchange(exchange)
        if learned:
            clean = Redactor(learned).exchange(clean)
        request = clean.request
        request = replace(
            request,
            path=self._pseudonyms.path(_KEY_PARAMETER.sub(rf"\1{MARK}", request.path)),
            headers=self._headers(request.headers),
            body=self._pseudonyms.body(_BODY_KEY.sub(rb"\1" + MARK.encode() + rb"\3", request.body)),
        )
        response = clean.response
        if response is not None:
            body = self._pseudonyms.mentions(self._pseudonyms.body(response.body))
            response = replace(response, headers=self._headers(response.headers), body=body)
            response = replace(response, headers=_right_length(response))
        return replace(clean, request=replace(request, headers=_right_length(request)), response=response)

    def _headers(self, headers: Headers) -> Headers:
        return tuple(
            (name, MARK if _CREDENTIALS.search(name) else self._pseudonyms.text(value))
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
