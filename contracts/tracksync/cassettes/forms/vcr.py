"""The VCR family, in YAML or JSON: vcrpy, Ruby's VCR, and the reports of schemathesis that took over Ruby's form.

vcrpy writes `interactions` with `body` as text; Ruby's VCR and schemathesis write `http_interactions` with
`body: {encoding, string}` or `{encoding, base64_string}`. Cassettes of tracksync are vcrpy's, with three more members
that vcrpy ignores: `recorded_at`, `elapsed`, and `tracksync` (the kind of key).
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import Any

from tracksync.cassettes.forms.common import (
    headers_of,
    json_headers,
    line_at,
    mapping,
    moment,
    seconds,
    status_of,
    text,
)
from tracksync.cassettes.interaction import Draft, RecordingProblem
from tracksync.cassettes.strict_yaml import LINE
from tracksync.model.exchange import Credential, Failure, FailureKind, Headers
from tracksync.wire import bodies
from tracksync.wire.bodies import Unreadable

_CREDENTIALS = {credential.value: credential for credential in Credential}
_FAILURES = {kind.value: kind for kind in FailureKind}


def recognise(document: Any) -> str:
    """The form's name, or ""."""
    if isinstance(document, list):  # vcrpy before 1.0
        first = document[0] if document else None
        return "vcrpy" if isinstance(first, dict) and "request" in first and "response" in first else ""
    if not isinstance(document, dict):
        return ""
    if "http_interactions" in document:
        recorder = str(document.get("recorded_with") or "")
        return "schemathesis VCR" if recorder.startswith("Schemathesis") else "Ruby VCR"
    return "vcrpy" if "interactions" in document else ""


def path(document: Any) -> tuple[str, ...]:
    """The path to the list of interactions."""
    if isinstance(document, list):
        return ()
    return ("http_interactions",) if "http_interactions" in document else ("interactions",)


def drafts(document: Any, lines: Sequence[int]) -> Iterator[Draft | RecordingProblem]:
    """Every interaction."""
    items = document if isinstance(document, list) else document[path(document)[0]]
    if items is None:
        return
    if not isinstance(items, list):
        raise Unreadable("its interactions are not a list", document.get(LINE, 0))
    lossy = recognise(document) == "schemathesis VCR"
    for index, item in enumerate(items):
        line = item.get(LINE) or line_at(lines, index) if isinstance(item, dict) else line_at(lines, index)
        try:
            yield _draft(mapping(item, "an interaction", line), line, lossy)
        except Unreadable as broken:
            yield RecordingProblem(broken.line or line, broken.message)


def _draft(item: Any, line: int, lossy: bool) -> Draft:
    request = mapping(item.get("request"), "the request", line)
    line_of_request = request.get(LINE, line)
    sent = headers_of(request.get("headers"), "request", line_of_request)
    draft = Draft(
        line=line,
        method=text(request.get("method"), "the request's method", line_of_request).upper(),
        url=text(request.get("uri") or request.get("url"), "the request's uri", line_of_request),
        request_headers=sent,
    )
    raw = request.get("body")
    if _is_data(raw):  # vcrpy stores the data that aiohttp was given as `json`
        draft.request_headers = json_headers(sent, raw)
        raw = json.dumps(_plain_data(raw))
    body, draft.gap = _body(raw, line_of_request, "request", lossy)
    draft.request_body = bodies.decoded(body, sent, line_of_request, "request")
    draft.at = moment(item.get("recorded_at"))
    _read_notes(draft, item.get("tracksync"))
    if "response" not in item:
        raise Unreadable("the response is missing", line)
    if item["response"] is None:
        draft.failure = draft.failure or Failure(FailureKind.RESET, "the recording holds no response")
        draft.elapsed = seconds(item.get("elapsed"))
        return draft
    response = mapping(item["response"], "the response", line)
    _read_response(draft, response, response.get(LINE, line), lossy)
    elapsed = item.get("elapsed")
    draft.elapsed = seconds(response.get("elapsed") if elapsed is None else elapsed)
    return draft


def _read_response(draft: Draft, response: Any, line: int, lossy: bool) -> None:
    status = response.get("status")
    code = status.get("code") if isinstance(status, dict) else response.get("status_code", status)
    draft.status = status_of(code, line)
    draft.response_headers = headers_of(response.get("headers"), "response", line)
    raw = response.get("body")
    if raw is None and "content" in response:  # vcrpy's httpx recordings before 6.0
        raw = response["content"]
    body, gap = _body(raw, line, "response", lossy)
    draft.gap = draft.gap or gap
    if response.get("truncated_from") is not None:
        draft.gap = "the recorder stored only the beginning of the response"
        return
    draft.response_body = bodies.decoded(body, draft.response_headers, line, "response")
    draft.response_headers = _plain(draft.response_headers)


def _is_data(raw: Any) -> bool:
    if isinstance(raw, dict):
        return not raw.keys() & {"string", "base64_string", "encoding"}
    return isinstance(raw, list) and any(isinstance(part, dict | list) for part in raw)


def _plain_data(raw: Any) -> Any:
    if isinstance(raw, dict):
        return {name: _plain_data(inner) for name, inner in raw.items() if name != LINE}
    if isinstance(raw, list):
        return [_plain_data(inner) for inner in raw]
    return raw.decode("utf-8", "replace") if isinstance(raw, bytes) else raw


def _plain(headers: Headers) -> Headers:
    return tuple(pair for pair in headers if pair[0].lower() != "content-encoding")


def _body(value: Any, line: int, what: str, lossy: bool) -> tuple[bytes, str]:
    """The bytes of a body, and the gap: why they are not what was sent ("" where they are)."""
    if isinstance(value, dict):
        if value.get("base64_string") is not None:
            return bodies.from_base64(value["base64_string"], line, what), ""
        encoding = value.get("encoding")
        inner = value.get("string")
        name = encoding if isinstance(encoding, str) and encoding.lower() not in ("none", "") else "utf-8"
        if lossy:  # it writes text, whatever the encoding was
            name = "utf-8"
        found = bodies.to_bytes(inner, line, what, name)
    elif isinstance(value, list):  # vcrpy stores a body from an iterator in pieces
        found = b"".join(bodies.to_bytes(part, line, what) for part in value)
    else:
        found = bodies.to_bytes(value, line, what)
    if lossy and b"\xef\xbf\xbd" in found:
        return found, "the recorder replaced bytes that are not text; record with --report-preserve-bytes"
    return found, ""


def _read_notes(draft: Draft, notes: Any) -> None:
    """Read the `tracksync` member: the kind of key, tags, and why there is no response."""
    if not isinstance(notes, dict):
        return
    draft.credential = _CREDENTIALS.get(str(notes.get("credential")), Credential.UNKNOWN)
    tags = notes.get("tags")
    draft.tags = tuple(str(tag) for tag in tags) if isinstance(tags, list) else ()
    kind = _FAILURES.get(str(notes.get("failure")))
    if kind is not None:
        draft.failure = Failure(kind, str(notes.get("detail") or ""))
