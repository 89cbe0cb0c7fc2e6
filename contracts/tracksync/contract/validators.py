"""Compiled validators of the spec's request schemas, with the spec's extensions enforced.

The schemas are the document's, with two changes: what has `x-open` fits nothing, for no server has to accept it; and
an integer must be written as one. Lengths count what the validator is given: see `measured` for UTF-16.
"""

from __future__ import annotations

import math
import re
from abc import ABC, abstractmethod
from collections.abc import Mapping
from functools import cache
from typing import Any, Final

import jsonschema_rs
import msgspec

from tracksync.contract import spec
from tracksync.contract.predicates import FORMATS
from tracksync.contract.sizes import compact_bytes, depth, keeps_loosely

_OF_SCHEMAS: Final = ("properties", "patternProperties", "dependentSchemas", "$defs")
_OF_LISTS: Final = ("anyOf", "oneOf", "allOf", "prefixItems")
_OF_ONE: Final = ("items", "additionalProperties", "propertyNames", "not", "contains", "if", "then", "else")
_NOTES: Final = ("description", "title", "examples", "example", "default", "x-clause")
_COSTLY: Final = ("x-max-bytes", "x-max-depth", "x-integer-range")
_BEYOND_BASIC: Final = re.compile("[\U00010000-\U0010ffff]")
_BEYOND_TEXT: Final = re.compile("[\ud800-\udfff]")


def strict(schema: Any, *, costly: bool = True) -> Any:
    """`schema` as it is enforced. Without `costly`, bounds on bytes, depth and digits are left to the caller."""
    if not isinstance(schema, dict):
        return schema
    if "x-open" in schema:
        return False
    made: dict[str, Any] = {}
    for key, value in schema.items():
        if key in _OF_SCHEMAS:
            made[key] = {name: strict(one, costly=costly) for name, one in value.items()}
        elif key in _OF_LISTS:
            made[key] = [strict(one, costly=costly) for one in value]
        elif key in _OF_ONE:
            made[key] = strict(value, costly=costly)
        elif key not in _NOTES and (costly or key not in _COSTLY):
            made[key] = value
    if schema.get("type") == "integer":
        made["x-integer"] = True
    return made


@cache
def components(costly: bool) -> Mapping[str, Any]:
    """The enforced schemas of the installed document, by name."""
    schemas = spec.needed(spec.document(), "/components/schemas", dict)
    return {name: strict(schema, costly=costly) for name, schema in schemas.items()}


def compiled(
    schema: Any, *, costly: bool = True, definitions: Mapping[str, Any] | None = None
) -> jsonschema_rs.Validator:
    """A validator of `schema`, which may refer to `#/components/schemas/…` and to `#/definitions/…`.

    Raises SpecificationError where the installed document has no schema that can be compiled.
    """
    root: dict[str, Any] = {"allOf": [schema]}
    if b'"$ref"' in msgspec.json.encode(schema):  # to compile all components takes long
        root |= {"components": {"schemas": components(costly)}, "definitions": definitions or {}}
    try:
        return jsonschema_rs.Draft202012Validator(
            root, formats=dict(FORMATS), validate_formats=True, keywords=dict(_KEYWORDS), offline=True
        )
    except ValueError as error:  # of the library: what is wrong, then where
        raise spec.SpecificationError("/components/schemas", str(error).splitlines()[0]) from error


@cache
def request_validator(path: str, costly: bool) -> jsonschema_rs.Validator:
    """The validator of the request bodies of `path`. Raises SpecificationError where there is no schema for them."""
    where = f"/paths/{path.replace('/', '~1')}/post/requestBody/content/application~1json/schema"
    return compiled(spec.needed(spec.document(), where), costly=costly)


def request_validator_of(document: Mapping[str, Any], path: str) -> jsonschema_rs.Validator:
    """The validator of the request bodies of `path` in any document that has the shape of ours, all bounds included."""
    body = document["paths"][path]["post"]["requestBody"]["content"]["application/json"]
    schemas = {name: strict(schema) for name, schema in document["components"]["schemas"].items()}
    root = {"allOf": [body["schema"]], "components": {"schemas": schemas}}
    return jsonschema_rs.Draft202012Validator(
        root, formats=dict(FORMATS), validate_formats=True, keywords=dict(_KEYWORDS), offline=True
    )


@cache
def schema_validator(pointer: str) -> jsonschema_rs.Validator:
    """The validator of the schema at `pointer`, such as `#/components/schemas/Event`."""
    return compiled({"$ref": pointer})


def measured(value: Any) -> Any:
    """`value` as validators can take it and with each character one UTF-16 unit: characters beyond the basic plane
    are two placeholders, lone surrogates one, and numbers that are not JSON the largest one."""
    kind = type(value)
    if kind is str and not value.isascii():
        text = _BEYOND_BASIC.sub("\ufffd\ufffd", value)
        return _BEYOND_TEXT.sub("\ufffd", text)
    if kind is list:
        return [measured(item) for item in value]
    if kind is dict:
        return {measured(key): measured(item) for key, item in value.items()}
    if kind is float and not math.isfinite(value):
        return math.copysign(_LARGEST, value)
    return value


class _Keyword(ABC):
    """A keyword of ours. The validator calls `validate`, which raises where the keyword does not hold."""

    def __init__(self, parent: dict[str, Any], value: Any, path: list[str | int]) -> None:
        self.value = value

    def validate(self, instance: Any) -> None:
        if not self.holds(instance):
            raise ValueError(f"{type(self).__name__} does not hold")

    @abstractmethod
    def holds(self, instance: Any) -> bool:
        """Whether `instance` keeps to the keyword's value."""


class _MaxBytes(_Keyword):
    """Several values: the longest form keeps the first. One value: the shortest form keeps it."""

    def holds(self, instance: Any) -> bool:
        if isinstance(self.value, int):
            return compact_bytes(instance) <= self.value
        return keeps_loosely(instance, int(self.value[0]))


class _MaxDepth(_Keyword):
    def holds(self, instance: Any) -> bool:
        return depth(instance) <= int(self.value)


class _Integer(_Keyword):
    def holds(self, instance: Any) -> bool:
        return type(instance) is int


class _IntegerRange(_Keyword):
    def holds(self, instance: Any) -> bool:
        least, most = self.value
        return type(instance) is not int or least <= instance <= most


class _MaxBatch(_Keyword):
    def holds(self, instance: Any) -> bool:
        sections = instance.values() if isinstance(instance, dict) else ()
        return sum(len(one) for one in sections if isinstance(one, list)) <= int(self.value)


_KEYWORDS: Final = {
    "x-max-bytes": _MaxBytes,
    "x-max-depth": _MaxDepth,
    "x-integer": _Integer,
    "x-integer-range": _IntegerRange,
    "x-max-batch": _MaxBatch,
}
_LARGEST: Final = 1.7976931348623157e308
