"""Exports recordings in the forms of other tools, so that teams in any language can serve the recorded responses.

Three forms: WireMock stub mappings (a scenario keeps the order of each recording), named examples in the OpenAPI
document for Prism (`Prefer: example=NAME`), and HAR 1.2. The exchanges have to be redacted already.
"""

from __future__ import annotations

import base64
import copy
import json
import re
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import parse_qsl, urlsplit

from tracksync import __version__
from tracksync.cassettes.writing import iso, phrase
from tracksync.model.exchange import Exchange, Headers, header

_SPACE: Final = uuid.UUID("6ba7b811-9dad-11d1-80b4-00c04fd430c8")  # RFC 9562: names that are URLs
_SERVER_SETS: Final = frozenset({"content-length", "connection", "date", "keep-alive", "transfer-encoding"})


@dataclass(frozen=True, slots=True)
class NamedRecording:
    """One recording to export: its name, and (origin, exchange) in order; every exchange has a response."""

    name: str
    exchanges: tuple[tuple[str, Exchange], ...]


def wiremock(recordings: Sequence[NamedRecording]) -> dict[str, Any]:
    """Stub mappings in the form of WireMock's `/__admin/mappings/import`."""
    mappings: list[dict[str, Any]] = []
    for recording in recordings:
        last = len(recording.exchanges)
        for number, (_, exchange) in enumerate(recording.exchanges, start=1):
            stub = _stub(recording.name, number, exchange)
            if last > 1:
                stub["scenarioName"] = recording.name
                stub["requiredScenarioState"] = "Started" if number == 1 else f"step {number}"
                if number < last:
                    stub["newScenarioState"] = f"step {number + 1}"
            mappings.append(stub)
    return {"mappings": mappings, "importOptions": {"duplicatePolicy": "OVERWRITE", "deleteAllNotInImport": False}}


def _stub(name: str, number: int, exchange: Exchange) -> dict[str, Any]:
    request, response = exchange.request, exchange.response
    assert response is not None
    matcher: dict[str, Any] = {"method": request.method, "url": request.path}
    if request.body:
        matcher["bodyPatterns"] = [_pattern(request.body)]
    stubbed: dict[str, Any] = {"status": response.status, "headers": _one_each(response.headers)}
    text = _text(response.body)
    if text is None:
        stubbed["base64Body"] = base64.b64encode(response.body).decode()
    else:
        stubbed["body"] = text
    return {
        "id": str(uuid.uuid5(_SPACE, f"tracksync:{name}:{number}")),
        "name": f"{name} {number}",
        "priority": 1,
        "request": matcher,
        "response": stubbed,
        "metadata": {"tracksync": {"cassette": name, "step": number, "credential": exchange.credential.value}},
    }


def _pattern(body: bytes) -> dict[str, Any]:
    text = _text(body)
    if text is None:
        return {"binaryEqualTo": base64.b64encode(body).decode()}
    try:
        json.loads(text)
    except (ValueError, RecursionError):
        return {"equalTo": text}
    return {"equalToJson": text, "ignoreArrayOrder": False, "ignoreExtraElements": False}


def prism_examples(recordings: Sequence[NamedRecording], document: dict[str, Any]) -> tuple[dict[str, Any], int]:
    """The OpenAPI `document` with the recorded responses as named examples, and how many have no place in it.

    Prism answers with the example that a request names in `Prefer: example=NAME`.
    """
    made = copy.deepcopy(document)
    left = 0
    for recording in recordings:
        for number, (_, exchange) in enumerate(recording.exchanges, start=1):
            assert exchange.response is not None
            media = _media(made, exchange)
            try:
                value = json.loads(exchange.response.body)
            except (ValueError, RecursionError):
                media = None
            if media is None:
                left += 1
                continue
            media.pop("example", None)
            examples = media.setdefault("examples", {})
            name = re.sub(r"[^A-Za-z0-9._-]", "-", f"{recording.name}-{number}")
            examples[name] = {"summary": f"{recording.name}, exchange {number}", "value": value}
    return made, left


def _media(document: dict[str, Any], exchange: Exchange) -> dict[str, Any] | None:
    """The media type object in which the example of this response belongs, or None."""
    assert exchange.response is not None
    path = exchange.request.path.partition("?")[0]
    operation = document.get("paths", {}).get(path, {}).get(exchange.request.method.lower())
    if not isinstance(operation, dict):
        return None
    responses = operation.get("responses", {})
    status = str(exchange.response.status)
    key = status if status in responses else f"{status[0]}XX"
    found = responses.get(key)
    if isinstance(found, dict) and "$ref" in found:  # shared responses would mix the examples of their users
        target: Any = document
        for part in found["$ref"].removeprefix("#/").split("/"):
            target = target[part]
        found = responses[key] = copy.deepcopy(target)
    content = found.get("content") if isinstance(found, dict) else None
    media = content.get("application/json") if isinstance(content, dict) else None
    return media if isinstance(media, dict) else None


def har(recordings: Sequence[NamedRecording]) -> dict[str, Any]:
    """All recordings as one HAR 1.2 log; `pageref` tells which recording an entry belongs to."""
    pages, entries = [], []
    for index, recording in enumerate(recordings, start=1):
        if not recording.exchanges:
            continue
        page = f"page_{index}"
        pages.append(
            {
                "startedDateTime": _millis(recording.exchanges[0][1].sent),
                "id": page,
                "title": recording.name,
                "pageTimings": {},
            }
        )
        entries += [_entry(page, origin, exchange) for origin, exchange in recording.exchanges]
    creator = {"name": "tracksync", "version": __version__}
    return {"log": {"version": "1.2", "creator": creator, "pages": pages, "entries": entries}}


def _entry(page: str, origin: str, exchange: Exchange) -> dict[str, Any]:
    request, response = exchange.request, exchange.response
    assert response is not None
    took = round(max(exchange.received - exchange.sent, 0.0) * 1000, 3)
    url = origin + request.path
    sent: dict[str, Any] = {
        "method": request.method,
        "url": url,
        "httpVersion": "HTTP/1.1",
        "cookies": [],
        "headers": [{"name": name, "value": value} for name, value in request.headers],
        "queryString": [
            {"name": name, "value": value} for name, value in parse_qsl(urlsplit(url).query, keep_blank_values=True)
        ],
        "headersSize": -1,
        "bodySize": len(request.body),
    }
    if request.body:
        sent["postData"] = {
            "mimeType": header(request.headers, "content-type") or "",
            "params": [],
            **_har_text(request.body),
        }
    return {
        "pageref": page,
        "startedDateTime": _millis(exchange.sent),
        "time": took,
        "request": sent,
        "response": {
            "status": response.status,
            "statusText": phrase(response.status),
            "httpVersion": "HTTP/1.1",
            "cookies": [],
            "headers": [{"name": name, "value": value} for name, value in response.headers],
            "content": {
                "size": len(response.body),
                "mimeType": header(response.headers, "content-type") or "",
                **_har_text(response.body),
            },
            "redirectURL": "",
            "headersSize": -1,
            "bodySize": len(response.body),
        },
        "cache": {},
        "timings": {"send": 0, "wait": took, "receive": 0},
    }


def _har_text(body: bytes) -> dict[str, str]:
    text = _text(body)
    return {"text": base64.b64encode(body).decode(), "encoding": "base64"} if text is None else {"text": text}


def _millis(at: float) -> str:
    return iso(at)[:-1] + "Z"


def _one_each(headers: Headers) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, value in headers:
        if name.lower() in _SERVER_SETS:
            continue
        if name in found:
            earlier = found[name]
            found[name] = [*(earlier if isinstance(earlier, list) else [earlier]), value]
        else:
            found[name] = value
    return found


def _text(body: bytes) -> str | None:
    try:
        return body.decode("utf-8")
    except UnicodeDecodeError:
        return None
