"""Schema-driven cases: what Schemathesis makes of the OpenAPI document, made harmless.

Positive cases keep the schema, negative ones break it. Schemathesis knows nothing of users, so each identifier that it
invents is replaced by one of ours of the same kind, each address by one on a reserved domain, and fields that concern
devices and subscriptions are left out. What cannot be made harmless is not sent.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator, Mapping, Set
from functools import cache, lru_cache
from typing import Any, Final

import schemathesis
from hypothesis import given, seed
from hypothesis.errors import Unsatisfiable
from schemathesis import GenerationMode
from schemathesis.errors import SchemathesisError

from tracksync.contract import spec as own_document
from tracksync.contract.bounds import SYNC
from tracksync.contract.foreign import request_schema
from tracksync.contract.second_document import SecondDocument
from tracksync.generate.build import JSON_HEADERS, Step, encode
from tracksync.generate.drawing import seeded
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
POOL_CASES: Final = 64  # cases with one pool; with more, an identifier beside many others may lead to any of them
POSITIVE: Final = 6  # positive cases to one negative case, which takes longer to make
_BATCH: Final = 4  # negative cases that are drawn at a time
_NOT_DRAWN: Final = frozenset({"not", "dependentSchemas", "propertyNames", "description", "examples", "example"})
_SCALAR: Final = {"type": ["string", "number", "boolean"]}


def schema_steps(
    seed_: int, namer: Namer, n: int, document: SecondDocument | None = None, path: str = SYNC
) -> Iterator[Step]:
    """Up to `n` different steps for `path`, positive and negative ones in turn; one seed gives the same steps.

    `document`: of other hands, and has to describe the request body of `path`; the project's own if None. Generation
    goes in batches, so that the first step does not wait for the last.
    """
    seen: set[bytes] = set()
    for batch in range(2 + 4 * n // (_BATCH * (POSITIVE + 1))):
        for mode, body in _batch(seed_ * 1_000_003 + batch, document, path):
            step = _step(mode, body, namer, path, len(seen) // POOL_CASES)
            if len(seen) < n and step is not None and step.request.body not in seen:
                seen.add(step.request.body)
                yield step
        if len(seen) >= n:
            return


@cache
def modes(document: SecondDocument, path: str) -> frozenset[GenerationMode]:
    """Which cases can be drawn from a document of other hands: none that break a schema which everything fits."""
    found = set()
    for mode in (GenerationMode.POSITIVE, GenerationMode.NEGATIVE):
        try:
            _drawn(0, mode, document, path, 1)
        except (Unsatisfiable, SchemathesisError):
            continue
        found.add(mode)
    return frozenset(found)


@lru_cache(maxsize=32)
def _batch(seed_: int, document: SecondDocument | None, path: str) -> tuple[tuple[GenerationMode, Any], ...]:
    """Bodies of both modes, mixed; drawn once for many runs with one seed."""
    wanted = {GenerationMode.POSITIVE: POSITIVE * _BATCH, GenerationMode.NEGATIVE: _BATCH}
    possible = wanted.keys() if document is None else modes(document, path)
    drawn = {
        mode: _drawn(seed_, mode, document, path, count) if mode in possible else [] for mode, count in wanted.items()
    }
    positive, negative = drawn[GenerationMode.POSITIVE], drawn[GenerationMode.NEGATIVE]
    mixed: list[tuple[GenerationMode, Any]] = []
    for number in range(max(len(positive), POSITIVE * len(negative))):
        mixed += [(GenerationMode.POSITIVE, body) for body in positive[number : number + 1]]
        if number % POSITIVE == 0:
            first = number // POSITIVE
            mixed += [(GenerationMode.NEGATIVE, body) for body in negative[first : first + 1]]
    return tuple(mixed)


def generation_form(document: Mapping[str, Any], path: str = SYNC) -> dict[str, Any]:
    """The request schema of `path` in a form that cases are drawn from quickly.

    Left out is what slows Schemathesis down and what boundary cases test: forbidden combinations, names of members,
    notes. A schema that refers to itself goes one level deep. What is drawn may thus be open or refused.
    """
    schemas = document.get("components", {}).get("schemas", {})
    deep = {name for name, schema in schemas.items() if name in _reachable(schemas, schema)}
    components = {name: _drawable(schema, deep if name in deep else frozenset()) for name, schema in schemas.items()}
    body = _drawable(request_schema(document, path), frozenset())
    operation = {
        "requestBody": {"required": True, "content": {"application/json": {"schema": body}}},
        "responses": {"default": {"description": "any"}},
    }
    return {
        "openapi": document["openapi"],
        "info": {"title": "cases", "version": "1"},
        "paths": {path: {"post": operation}},
        "components": {"schemas": components},
    }


def _reachable(schemas: Mapping[str, Any], schema: Any) -> set[str]:
    """The names of the schemas that `schema` refers to, directly or not."""
    found: set[str] = set()
    todo = [schema]
    while todo:
        one = todo.pop()
        if isinstance(one, list):
            todo += one
        elif isinstance(one, Mapping):
            name = str(one.get("$ref", "")).rpartition("/")[2]
            if name in schemas and name not in found:
                found.add(name)
                todo.append(schemas[name])
            todo += one.values()
    return found


def _drawable(schema: Any, deep: Set[str], members: bool = False) -> Any:
    if isinstance(schema, list):
        return [_drawable(one, deep) for one in schema]
    if not isinstance(schema, Mapping):
        return schema
    if str(schema.get("$ref", "")).rpartition("/")[2] in deep:
        return _SCALAR
    return {
        key: _drawable(value, deep, members=key == "properties" and not members)
        for key, value in schema.items()
        if members or not (key in _NOT_DRAWN or key.startswith("x-"))
    }


def made_harmless(value: Any, namer: Namer, pool: int = 0) -> Any:
    """`value` with every identifier, address and forbidden field replaced or left out, at any depth.

    `pool`: the number of the pool from which the users come.
    """
    if isinstance(value, dict):
        return {
            _text(key): _identifier(key.strip().casefold(), inner, namer, pool)
            for key, inner in value.items()
            if key.strip().casefold() not in FORBIDDEN_KEYS
        }
    if isinstance(value, list):
        return [made_harmless(inner, namer, pool) for inner in value]
    return _text(value) if isinstance(value, str) else value


@lru_cache(maxsize=8)
def _operation(second: SecondDocument | None, path: str) -> Any:
    document = own_document.document() if second is None else second.document
    return schemathesis.openapi.from_dict(generation_form(document, path))[path]["POST"]


def _drawn(seed_: int, mode: GenerationMode, document: SecondDocument | None, path: str, count: int) -> list[Any]:
    """Bodies of `count` cases. The key is fixed: the engine adds its own."""
    strategy = _operation(document, path).as_strategy(generation_mode=mode, headers={"Authorization": "Bearer any"})
    drawn: list[Any] = []

    @seed(seed_)
    @seeded(count)
    @given(strategy)
    def collect(case: Any) -> None:
        drawn.append(case.body)

    collect()
    return drawn


def _step(mode: GenerationMode, body: Any, namer: Namer, path: str, pool: int) -> Step | None:
    if isinstance(body, bytes):
        raw = body
    elif isinstance(body, dict | list | str | int | float) or body is None:
        raw = encode(made_harmless(body, namer, pool))
    else:  # no body at all
        raw = b""
    request = Request("POST", path, JSON_HEADERS, raw)
    if is_harmless(request, namer.prefix) is not None:
        return None
    return Step(request, label=f"schema, {mode.value}")


def _identifier(key: str, value: Any, namer: Namer, pool: int) -> Any:
    """What stands under `key`, made harmless; anything but a text keeps its JSON type where that is possible."""
    if key not in TEXT_KEYS | EMAIL_KEYS | PHONE_KEYS | ALIAS_KEYS:
        return made_harmless(value, namer, pool)
    if isinstance(value, dict | list):
        value = made_harmless(value, namer, pool)
    if harmless_identifier(key, value, namer.prefix):
        return value
    number = zlib.crc32(repr(value).encode("utf-8", "surrogatepass")) % POOL
    tag = f"schema-{pool * POOL + number}"
    if isinstance(value, list):
        return [namer.external_id(tag)]
    if isinstance(value, dict):
        return {"id": namer.external_id(tag)}
    if key in PHONE_KEYS:
        return namer.phone(tag) if isinstance(value, str) else int(namer.phone(tag)[1:])
    if key in EMAIL_KEYS:
        # a text that is not an address stays so
        return namer.email(tag) if isinstance(value, str) and "@" in value else namer.external_id(tag)
    return namer.external_id(tag) if isinstance(value, str) else namer.integer_id(tag)


def _text(text: str) -> str:
    return text if harmless_text(text) else text.replace("@", "(at)").replace("+", "plus ")
