"""Writes a cassette in vcrpy's own form, so that vcrpy and pytest-recording can play it.

Each interaction has three more members, which vcrpy ignores: `recorded_at` and `elapsed`, which clauses on time need,
and `tracksync`: the kind of key, and why there is no response.
"""

from __future__ import annotations

import http
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import yaml

from tracksync.model.exchange import Credential, Exchange, Headers
from tracksync.report import files

try:
    from yaml import CSafeDumper as _Dumper
except ImportError:
    from yaml import SafeDumper as _Dumper  # type: ignore[assignment]

ORIGIN: Final = "https://rest.tracksync.example"  # where cassettes without an origin of their own play
# YAML readers differ on these characters; under !!binary all of them read the same bytes.
_FRAGILE: Final = frozenset("\x85\u2028\u2029\ufeff") | {chr(code) for code in range(32)} - frozenset("\t\n")


def render(exchanges: Sequence[Exchange], origin: str = ORIGIN) -> str:
    """The cassette's text. The same exchanges give the same text."""
    return render_items([interaction(exchange, origin) for exchange in exchanges])


def render_items(items: Sequence[dict[str, Any]]) -> str:
    """The text of a cassette with these interactions."""
    document = {"interactions": list(items), "version": 1}
    text: str = yaml.dump(
        document, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=1_000_000, default_flow_style=False
    )
    return text


def interaction(exchange: Exchange, origin: str = ORIGIN) -> dict[str, Any]:
    """One interaction as vcrpy's data."""
    request, response = exchange.request, exchange.response
    item: dict[str, Any] = {
        "request": {
            "method": request.method,
            "uri": origin + request.path,
            "body": body_value(request.body) if request.body else None,
            "headers": headers_value(request.headers),
        },
        "response": None,
    }
    if response is not None:
        item["response"] = {
            "status": {"code": response.status, "message": phrase(response.status)},
            "headers": headers_value(response.headers),
            "body": {"string": body_value(response.body)},
        }
    # the end of the response, as in other recorders of this family
    item["recorded_at"] = iso(exchange.received)
    item["elapsed"] = round(max(exchange.received - exchange.sent, 0.0), 6)
    notes = _notes(exchange)
    if notes:
        item["tracksync"] = notes
    return item


def _notes(exchange: Exchange) -> dict[str, Any]:
    notes: dict[str, Any] = {}
    if exchange.credential is not Credential.UNKNOWN:
        notes["credential"] = exchange.credential.value
    if exchange.tags:
        notes["tags"] = list(exchange.tags)
    if exchange.failure is not None:
        notes["failure"] = exchange.failure.kind.value
        notes["detail"] = exchange.failure.detail
    return notes


def body_value(body: bytes) -> str | bytes:
    """A body as text where YAML brings it back unchanged, else as bytes."""
    try:
        text = body.decode("utf-8")
    except UnicodeDecodeError:
        return body
    return body if _FRAGILE.intersection(text) else text


def headers_value(headers: Headers) -> dict[str, list[str]]:
    """Headers as vcrpy keeps them: each name with its values."""
    grouped: dict[str, list[str]] = {}
    for name, value in headers:
        grouped.setdefault(name, []).append(value)
    return grouped


def phrase(status: int) -> str:
    """The reason phrase of a status code; "" where there is none."""
    try:
        return http.HTTPStatus(status).phrase
    except ValueError:
        return ""


def iso(at: float) -> str:
    """Seconds since the epoch in ISO 8601, to the microsecond."""
    return datetime.fromtimestamp(at, UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")


def write(path: Path, text: str) -> None:
    """Write a file as a whole, or leave it where it has the same text already."""
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        if path.read_text(encoding="utf-8") == text:
            return
    except (OSError, UnicodeDecodeError):
        pass
    files.write(path, text)
