"""Schema-driven cases: what Schemathesis makes of the OpenAPI document, made harmless.

Positive cases keep the schema, negative ones break it. Schemathesis knows nothing of users, so each identifier that it
invents is replaced by one of ours of the same kind, each address by one on a reserved domain, and fields that concern
devices and subscriptions are left out. What cannot be made harmless is not sent.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path
from typing import Any, Final

import schemathesis
from hypothesis import HealthCheck, Phase, given, seed, settings
from schemathesis import GenerationMode

from tracksync.contract import spec as own_document
from tracksync.generate.build import JSON_HEADERS, SYNC, Step, encode
from tracksync.generate.harmless import (
    ALIAS_KEYS,
    EMAIL_KEYS,
    FORBIDDEN_KEYS,
    PHONE_KEYS,
    TEXT_KEYS,
    Namer,
    harmless_identifier,
    harmless_text,
    is_harmless,
)
from tracksync.model.exchange import Request

POOL: Final = 5  # users of each kind, so that cases collide
_BATCH: Final = 100


def schema_steps(seed_: int, namer: Namer, n: int, document: Path | None = None) -> Iterator[Step]:
    """Up to `n` different steps, positive and negative ones in turn; the same seed gives the same steps.

    `document`: the OpenAPI document, the project's own unless said otherwise. Generation goes in batches, so that the
    first step does not wait for the last.
    """
    seen: set[bytes] = set()
    sent = batch = 0
    while sent < n and batch < 10 + 10 * n // _BATCH:
        pair = [
            _drawn(seed_ * 1_000_003 + batch, mode, document or own_document.path(), min(_BATCH, n))
            for mode in GenerationMode
        ]
        batch += 1
        for mode, body in _in_turn(pair):
            step = _step(mode, body, namer)
            if step is not None and step.request.body not in seen:
                seen.add(step.request.body)
                yield step
                sent += 1
                if sent == n:
                    return


def made_harmless(value: Any, namer: Namer) -> Any:
    """`value` with every identifier, address and forbidden field replaced or left out, at any depth."""
    if isinstance(value, dict):
        return {
            _text(key): _identifier(key.strip().casefold(), inner, namer)
            for key, inner in value.items()
            if key.strip().casefold() not in FORBIDDEN_KEYS
        }
    if isinstance(value, list):
        return [made_harmless(inner, namer) for inner in value]
    return _text(value) if isinstance(value, str) else value


def _in_turn(pair: list[list[tuple[GenerationMode, Any]]]) -> Iterator[tuple[GenerationMode, Any]]:
    for index in range(max(map(len, pair))):
        for bodies in pair:
            if index < len(bodies):
                yield bodies[index]


@lru_cache(maxsize=4)
def _operation(spec: Path) -> Any:
    return schemathesis.openapi.from_path(spec)[SYNC]["POST"]


def _drawn(seed_: int, mode: GenerationMode, spec: Path, count: int) -> list[tuple[GenerationMode, Any]]:
    """Bodies of `count` cases. The key is fixed: the engine adds its own, and the trouble belongs in the body."""
    strategy = _operation(spec).as_strategy(generation_mode=mode, headers={"Authorization": "Bearer any"})
    drawn: list[tuple[GenerationMode, Any]] = []

    @seed(seed_)
    @settings(
        max_examples=count,
        database=None,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(strategy)
    def collect(case: Any) -> None:
        drawn.append((mode, case.body))

    collect()
    return drawn


def _step(mode: GenerationMode, body: Any, namer: Namer) -> Step | None:
    if isinstance(body, bytes):
        raw = body
    elif isinstance(body, dict | list | str | int | float) or body is None:
        raw = encode(made_harmless(body, namer))
    else:  # no body at all
        raw = b""
    request = Request("POST", SYNC, JSON_HEADERS, raw)
    if is_harmless(request, namer.prefix) is not None:
        return None
    return Step(request, label=f"schema, {mode.value}")


def _identifier(key: str, value: Any, namer: Namer) -> Any:
    """What stands under `key`, made harmless; anything but a text keeps its JSON type where that is possible."""
    if key not in TEXT_KEYS | EMAIL_KEYS | PHONE_KEYS | ALIAS_KEYS:
        return made_harmless(value, namer)
    if isinstance(value, dict | list):
        value = made_harmless(value, namer)
    if harmless_identifier(key, value, namer.prefix):
        return value
    tag = f"schema-{zlib.crc32(repr(value).encode('utf-8', 'surrogatepass')) % POOL}"
    if isinstance(value, list):
        return [namer.external_id(tag)]
    if isinstance(value, dict):
        return {"id": namer.external_id(tag)}
    if key in PHONE_KEYS:
        return namer.phone(tag) if isinstance(value, str) else int(namer.phone(tag)[1:])
    if key in EMAIL_KEYS:
        # a text that is no address stays none
        return namer.email(tag) if isinstance(value, str) and "@" in value else namer.external_id(tag)
    return namer.external_id(tag) if isinstance(value, str) else namer.integer_id(tag)


def _text(text: str) -> str:
    return text if harmless_text(text) else text.replace("@", "(at)").replace("+", "plus ")
