"""One test's traffic through vcrpy: recorded or played, checked at the end, redacted before it is written.

vcrpy patches the HTTP libraries (httpx, requests, aiohttp and more) and decides what to play; this module wraps its
cassette and its persister. Knows vcrpy and nothing of pytest.
"""

from __future__ import annotations

import copy
import json
import os
import re
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType
from typing import Any, Final
from urllib.parse import urlsplit

from tracksync.cassettes import writing
from tracksync.cassettes.audit import Auditor
from tracksync.cassettes.checking import check_recording
from tracksync.cassettes.forms.common import headers_of, json_headers, moment, seconds
from tracksync.cassettes.interaction import Draft, Recording
from tracksync.cassettes.pseudonyms import identifiers
from tracksync.cassettes.reading import plain, read_file
from tracksync.cassettes.redacting import RecordingRedactor
from tracksync.cassettes.strict_yaml import read_yaml
from tracksync.cassettes.timestamps import settle
from tracksync.model.exchange import Credential, Exchange, Request, Response
from tracksync.model.finding import Finding
from tracksync.report.redact import Redactor
from tracksync.wire import bodies
from tracksync.wire.bodies import Unreadable

_KEY_VARIABLE: Final = re.compile(r"(?:BRAZE|TRACKSYNC).*(?:KEY|TOKEN|SECRET)", re.IGNORECASE)


class RefusedToWriteError(RuntimeError):
    """A cassette that would hold a secret or a deliverable address; nothing was written."""


@dataclass(slots=True)
class VcrpyRecording:
    """The traffic of one test. `path` is the cassette's file; `secrets` are redacted besides the environment's keys."""

    path: Path
    secrets: tuple[str, ...] = ()
    clock: Callable[[], float] = time.time
    interpretations: Mapping[str, str] = field(default_factory=dict)
    _drafts: list[Draft] = field(default_factory=list)
    _begun: dict[int, float] = field(default_factory=dict)
    _times: dict[int, tuple[float | None, float | None]] = field(default_factory=dict)
    _alive: list[Any] = field(default_factory=list)  # the requests whose ids are keys above: ids are reused

    def __len__(self) -> int:
        """How many exchanges there were."""
        return len(self._drafts)

    def __bool__(self) -> bool:
        return True  # vcrpy takes a false persister for none

    def findings(self) -> list[tuple[Finding, Exchange]]:
        """The findings so far, each with the exchange that broke the clause."""
        timed = settle(self._drafts)
        recording = Recording(self.path, "vcrpy", timed.interactions, clock_skew=timed.clock_skew)
        return [
            (finding, checked.interaction.exchange)
            for checked in check_recording(recording, None, self.interpretations)
            for finding in checked.findings
        ]

    # --- vcrpy's cassette and persister -------------------------------------------------------------------------

    def attach(self, cassette: Any) -> None:
        """Record what a vcrpy cassette plays and what it is given to store."""
        play, append, can_play = cassette.play_response, cassette.append, cassette.can_play_response_for

        def can_play_response_for(request: Any) -> Any:
            self._begun.setdefault(id(request), self.clock())
            self._alive.append(request)
            return can_play(request)

        def play_response(request: Any) -> Any:
            response = play(request)
            stored = next((one for one, other in cassette.data if other is response), None)
            played = copy.deepcopy(response)
            if stored is not None:
                _give_back(request, stored, played)
            at, elapsed = self._times.get(id(stored), (None, None))
            self._note(request, played, at, elapsed)
            return played

        def keep(request: Any, response: Any) -> None:
            now = self.clock()
            begun = self._begun.get(id(request), now)
            self._times[id(request)] = (now, max(now - begun, 0.0))
            self._alive.append(request)
            self._note(request, response, now, max(now - begun, 0.0))
            append(request, response)

        cassette.can_play_response_for = can_play_response_for
        cassette.play_response = play_response
        cassette.append = keep

    def load_cassette(
        self, cassette_path: str | Path, serializer: ModuleType | None = None
    ) -> tuple[list[Any], list[Any]]:
        """vcrpy's persister: read the file, safely."""
        from vcr.persisters.filesystem import (  # type: ignore[import-untyped]
            CassetteDecodeError,
            CassetteNotFoundError,
        )
        from vcr.serialize import deserialize  # type: ignore[import-untyped]

        path = Path(cassette_path)
        if not path.is_file():
            raise CassetteNotFoundError
        try:
            document = read_yaml(read_file(path))
        except Unreadable as broken:
            where = f"{path}:{broken.line}" if broken.line else str(path)
            raise CassetteDecodeError(f"{where}: {broken.message}") from None
        items = plain(document)
        requests, responses = deserialize("", _ReadDocument(items))[:2]
        for request, item in zip(requests, items["interactions"], strict=True):
            self._times[id(request)] = (moment(item.get("recorded_at")), seconds(item.get("elapsed")))
        self._alive.extend(requests)
        return requests, responses

    def save_cassette(
        self, cassette_path: str | Path, cassette_dict: Mapping[str, Any], serializer: Any = None
    ) -> None:
        """vcrpy's persister: redact, audit, then write.

        Raises RefusedToWriteError where the audit finds a secret or a deliverable address.
        """
        path = Path(cassette_path)
        secrets = (*self.secrets, *environment_keys())
        redactor = RecordingRedactor(Redactor(secrets))
        interactions: list[dict[str, Any]] = []
        for request, response in zip(cassette_dict["requests"], cassette_dict["responses"], strict=True):
            at, elapsed = self._times.get(id(request), (None, None))
            draft = _draft(request, response, at, elapsed)
            parts = urlsplit(draft.url)
            target = parts.path + (f"?{parts.query}" if parts.query else "")
            sent = (at or 0.0) - (elapsed or 0.0)
            exchange = Exchange(
                Request(draft.method, target, draft.request_headers, draft.request_body),
                Response(draft.status or 0, draft.response_headers, draft.response_body),
                sent,
                at or 0.0,
                Credential.UNKNOWN,
            )
            origin = f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}"
            redacted = redactor.exchange(exchange)
            item = writing.interaction(redacted, origin)
            if at is None:
                del item["recorded_at"], item["elapsed"]
            if isinstance(response, dict) and "url" in response:  # vcrpy's aiohttp needs it back
                item["response"]["url"] = origin + redacted.request.path
            interactions.append(item)
        text = writing.render_items(interactions)
        traces = Auditor(secrets).traces(text)
        if traces:
            raise RefusedToWriteError(
                f"{path} was not written: line {traces[0].line} would hold {traces[0].what}; "
                "remove it with vcrpy's before_record hooks, or send test data"
            )
        writing.write(path, text)

    def _note(self, request: Any, response: Any, at: float | None, elapsed: float | None) -> None:
        try:
            self._drafts.append(_draft(request, response, at, elapsed))
        except Unreadable as broken:
            lost = Draft(line=len(self._drafts) + 1, method=request.method, url=request.uri, gap=broken.message)
            lost.status = 0
            self._drafts.append(lost)


class _ReadDocument:
    """A serializer of vcrpy for a document that was read before."""

    def __init__(self, document: Any) -> None:
        self._document = document

    def deserialize(self, text: str) -> Any:
        return self._document


def environment_keys() -> list[str]:
    """The values of environment variables with the usual names for a Braze key."""
    return [value for name, value in os.environ.items() if _KEY_VARIABLE.search(name) and len(value) >= 6]


def _draft(request: Any, response: Any, at: float | None, elapsed: float | None) -> Draft:
    line = 0
    headers = headers_of(dict(request.headers), "request", line)
    headers = json_headers(headers, getattr(request, "body", None))
    raw = _raw(request)
    received = headers_of(dict(response.get("headers") or {}), "response", line)
    status = response.get("status")
    body = response.get("body")
    inner = body.get("string") if isinstance(body, dict) else body
    return Draft(
        line=line,
        method=str(request.method).upper(),
        url=request.uri,
        request_headers=headers,
        request_body=bodies.decoded(bodies.checked(raw, line, "request"), headers, line, "request"),
        status=status["code"] if isinstance(status, dict) else int(response.get("status_code", 0)),
        response_headers=tuple(pair for pair in received if pair[0].lower() != "content-encoding"),
        response_body=bodies.decoded(bodies.to_bytes(inner, line, "response"), received, line, "response"),
        at=at,
        elapsed=elapsed,
    )


def _give_back(request: Any, stored: Any, played: Any) -> None:
    """Replace the pseudonyms of the recorded request in its response by the identifiers of this request."""
    sent, recorded = (_named(one) for one in (request, stored))
    if len(sent) != len(recorded):
        return
    body = played.get("body")
    if not isinstance(body, dict) or not isinstance(body.get("string"), bytes):
        return
    content: bytes = body["string"]
    for (key, name), (other_key, pseudonym) in zip(sent, recorded, strict=True):
        if key == other_key and name != pseudonym and pseudonym:
            content = content.replace(_escaped(pseudonym), _escaped(name))
    if content != body["string"]:
        body["string"] = content
        for header_name, values in (played.get("headers") or {}).items():
            if header_name.lower() == "content-length":
                played["headers"][header_name] = [str(len(content))] if isinstance(values, list) else str(len(content))


def _raw(request: Any) -> bytes:
    """The body as bytes. vcrpy stores bytes, text, a file, pieces of an iterator, or the data of aiohttp's `json`."""
    if isinstance(request.body, dict | list):
        return json.dumps(request.body).encode()
    raw = getattr(request, "body_bytes", None)
    if raw is None:
        raw = request.body
    if hasattr(raw, "read"):
        raw = raw.read()
    if isinstance(raw, str):
        return raw.encode("utf-8", "surrogatepass")
    if raw is None or isinstance(raw, bytes | bytearray | memoryview):
        return bytes(raw or b"")
    return b"".join(piece.encode() if isinstance(piece, str) else bytes(piece) for piece in raw)


def _named(request: Any) -> list[tuple[str, str]]:
    return list(identifiers(_raw(request)))


def _escaped(text: str) -> bytes:
    return json.dumps(text, ensure_ascii=False)[1:-1].encode("utf-8", "surrogatepass")
