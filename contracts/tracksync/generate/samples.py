"""Valid values of an OpenAPI document's schemas, and whole bodies around one place of them.

Works on any OpenAPI 3 document. Identifiers are the namer's, so that what is made names test users only.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, Final

import jsonschema_rs
import msgspec

from tracksync.contract import spec
from tracksync.contract.bounds import bounds
from tracksync.contract.constraints import ITEM, KEY, MEMBER
from tracksync.contract.predicates import FORMATS
from tracksync.generate.harmless import Namer

CUSTOM: Final = "colour"
"""The name of a member that stands for any that the schema does not name."""
TEXTS: Final = ("a", "US", "en", "Abc", "1")
MOST_ITEMS: Final = 100_000
"""Elements of an array, or members of an object, that are made for a bound."""
_DEEPEST: Final = 12
_REFERENCE: Final = re.compile(rb'"\$ref":"#/components/([^/"]+)/([^/"]+)')


@dataclass(frozen=True, slots=True)
class Part:
    """One schema that applies to a place, and the JSON Pointer of it in the document."""

    pointer: str
    schema: Mapping[str, Any]


@dataclass(slots=True)
class Sampler:
    """Makes values that fit the schemas of `document`, for the users that `namer` names."""

    document: Mapping[str, Any]
    namer: Namer
    _compiled: dict[str | bytes, jsonschema_rs.Validator] = field(default_factory=dict)
    _parts: dict[tuple[str, tuple[str, ...]], list[Part]] = field(default_factory=dict)
    _values: dict[tuple[str, tuple[str, ...], str, int], Any] = field(default_factory=dict)

    def fits(self, schema: Mapping[str, Any], value: Any, pointer: str = "") -> bool:
        """Whether `value` keeps the JSON Schema keywords of `schema`; those that begin with `x-` are not looked at.

        `pointer` says where in the document the schema stands, if it does.
        """
        key = pointer or msgspec.json.encode(schema)
        if key not in self._compiled:
            text = msgspec.json.encode(schema)
            self._compiled[key] = _validator(text, self._needed(text))
        try:
            return self._compiled[key].is_valid(value)
        except (ValueError, UnicodeError, OverflowError, RecursionError):
            return False

    def _needed(self, text: bytes) -> bytes:
        """The components that a schema refers to, directly or not, as JSON: to compile all of them takes long."""
        components = self.document.get("components", {})
        needed: dict[str, dict[str, Any]] = {}
        left = _REFERENCE.findall(text)
        while left:
            kind, name = (_unescaped(step.decode()) for step in left.pop())
            if name in components.get(kind, {}) and name not in needed.setdefault(kind, {}):
                needed[kind][name] = components[kind][name]
                left += _REFERENCE.findall(msgspec.json.encode(components[kind][name]))
        return msgspec.json.encode(needed, order="deterministic")

    def parts(self, pointer: str, alternatives: Sequence[str] = ()) -> list[Part]:
        """Every schema that applies where the one at `pointer` does, the most special last.

        Of anyOf and oneOf it is the branch that `alternatives` names, otherwise the first.
        """
        key = pointer, tuple(alternatives)
        if key not in self._parts:
            self._parts[key] = list(self._applying(pointer, alternatives, _DEEPEST))
        return self._parts[key]

    def _applying(self, pointer: str, alternatives: Sequence[str], levels: int) -> Iterator[Part]:
        schema = spec.at(self.document, pointer)
        if not isinstance(schema, Mapping) or not levels:
            return
        if "$ref" in schema:
            yield from self._applying(schema["$ref"].removeprefix("#"), alternatives, levels - 1)
        yield Part(pointer, schema)
        for index in range(len(schema.get("allOf", ()))):
            yield from self._applying(f"{pointer}/allOf/{index}", alternatives, levels - 1)
        for keyword in ("anyOf", "oneOf"):
            branches = [f"{pointer}/{keyword}/{index}" for index in range(len(schema.get(keyword, ())))]
            if branches:
                chosen = next((one for one in branches if one in alternatives), branches[0])
                yield from self._applying(chosen, alternatives, levels - 1)

    def value(self, pointer: str, alternatives: Sequence[str] = (), name: str = "", levels: int = _DEEPEST) -> Any:
        """A value that fits the schema at `pointer`; `name` is the name of its member. Not to be changed."""
        own = self._identifier(name)
        if own is not None:
            return own
        key = pointer, tuple(alternatives), name, levels
        if key not in self._values:
            self._values[key] = self._value(pointer, alternatives, levels)
        return self._values[key]

    def _value(self, pointer: str, alternatives: Sequence[str], levels: int) -> Any:
        parts = self.parts(pointer, alternatives)
        for candidate in self._candidates(parts, alternatives, levels):
            if all(self.fits(part.schema, candidate, part.pointer) for part in parts):
                return candidate
        return next(self._typed(parts, alternatives, levels), None)

    def _candidates(self, parts: Sequence[Part], alternatives: Sequence[str], levels: int) -> Iterator[Any]:
        objects = _type_of(parts) in ("object", "array")
        for part in reversed(parts):
            schema = part.schema
            if "const" in schema:
                yield schema["const"]
            yield from schema.get("enum", ())[:1]
            if not objects:  # an example of an object may name a real user
                yield from schema.get("examples", ())
        yield from self._typed(parts, alternatives, levels)

    def _typed(self, parts: Sequence[Part], alternatives: Sequence[str], levels: int) -> Iterator[Any]:
        match _type_of(parts):
            case "object":
                yield from self._objects(parts, alternatives, levels)
            case "array":
                count = max((part.schema.get("minItems", 1) for part in parts), default=1)
                item = self.child(parts, ITEM)
                one = self.value(item, alternatives, levels=levels - 1) if item and levels else "a"
                yield [one] * min(max(count, 1), MOST_ITEMS)
            case "integer" | "number":
                bounds = [part.schema.get("minimum") for part in parts if "minimum" in part.schema]
                yield from (1, *bounds, 0, 9.5)
            case "boolean":
                yield True
            case "null":
                yield None
            case _:
                yield from TEXTS

    def _objects(self, parts: Sequence[Part], alternatives: Sequence[str], levels: int) -> Iterator[dict[str, Any]]:
        made: dict[str, Any] = {}
        for name in dict.fromkeys(name for part in parts for name in part.schema.get("required", ())):
            child = self.child(parts, name)
            made[name] = self.value(child, alternatives, name, levels - 1) if child and levels else "a"
        yield made
        more = self.child(parts, MEMBER)
        if more and levels:
            yield {**made, CUSTOM: self.value(more, alternatives, levels=levels - 1)}
        for part in parts:  # none is required, and at least one has to be there
            for name in part.schema.get("properties", {}):
                child = self.child(parts, name)
                if child and levels and name not in made:
                    yield {**made, name: self.value(child, alternatives, name, levels - 1)}

    def _identifier(self, name: str) -> Any:
        makers: Mapping[str, Callable[[str], Any]] = {
            "external_id": self.namer.external_id,
            "alias_name": self.namer.external_id,
            "braze_id": self.namer.braze_id,
            "email": self.namer.email,
            "phone": self.namer.phone,
            "external_ids": lambda tag: [self.namer.external_id(tag)],
            "braze_ids": lambda tag: [self.namer.braze_id(tag)],
            "email_address": self.namer.email,
        }
        return makers[name]("u") if name in makers else None

    # --- places ---------------------------------------------------------------------------------------------------

    def child(self, parts: Sequence[Part], step: str) -> str | None:
        """The pointer of the schema of one member, of any other member (MEMBER), or of the elements (ITEM)."""
        for part in parts:
            properties = part.schema.get("properties", {})
            if step in properties:
                return f"{part.pointer}/properties/{_escaped(step)}"
        for part in parts:
            if step == ITEM and "items" in part.schema:
                return f"{part.pointer}/items"
            more = part.schema.get("additionalProperties")
            if step in (MEMBER, KEY) and isinstance(more, Mapping):
                return f"{part.pointer}/additionalProperties"
        return None

    def around(
        self, pointer: str, place: str, alternatives: Sequence[str], value: Any, member: str = CUSTOM
    ) -> Any | None:
        """A value for the schema at `pointer` that has `value` at `place`; None where the place cannot be reached.

        `member` is the name where the place says any.
        """
        steps = [_unescaped(step) for step in place.split("/")[1:]]
        return self._around(pointer, steps, alternatives, value, member)

    def pointer_at(self, pointer: str, place: str, alternatives: Sequence[str]) -> str | None:
        """The pointer of the schema that applies to `place`; None where the place cannot be reached."""
        for step in place.split("/")[1:]:
            below = self.child(self.parts(pointer, alternatives), _unescaped(step))
            if below is None:
                return None
            pointer = below
        return pointer

    def _around(self, pointer: str, steps: list[str], alternatives: Sequence[str], value: Any, member: str) -> Any:
        if not steps:
            return value
        step, rest = steps[0], steps[1:]
        parts = self.parts(pointer, alternatives)
        child = self.child(parts, step)
        if child is None:
            return None
        if step == ITEM:
            inner = self._around(child, rest, alternatives, value, member)
            return None if inner is None and rest else [inner]
        holder = self.value(pointer, alternatives)
        holder = dict(holder) if isinstance(holder, dict) else {}
        if step == KEY:
            holder.pop(CUSTOM, None)
            return {**holder, value: self.value(child, alternatives)} if isinstance(value, str) else None
        name = member if step == MEMBER else step
        if step == MEMBER:
            holder.pop(CUSTOM, None)
        if step in bounds().identifiers:
            holder = {key: inner for key, inner in holder.items() if key not in bounds().identifiers}
        inner = self._around(child, rest, alternatives, value, member if rest and rest[0] != MEMBER else CUSTOM)
        return None if inner is None and rest else {**holder, name: inner}


@lru_cache(maxsize=2048)
def _validator(schema: bytes, components: bytes) -> jsonschema_rs.Validator:
    """The validator of a schema of which the document's components are these, both as JSON."""
    root = {"allOf": [msgspec.json.decode(schema)], "components": msgspec.json.decode(components)}
    return jsonschema_rs.Draft202012Validator(root, formats=dict(FORMATS), validate_formats=True, offline=True)


def _type_of(parts: Sequence[Part]) -> str:
    for part in reversed(parts):
        kind = part.schema.get("type")
        if kind is not None:
            return str(kind if isinstance(kind, str) else kind[0])
        if "properties" in part.schema or "required" in part.schema:
            return "object"
    return "object" if any("additionalProperties" in part.schema for part in parts) else ""


def _escaped(name: str) -> str:
    return name.replace("~", "~0").replace("/", "~1")


def _unescaped(name: str) -> str:
    return name.replace("~1", "/").replace("~0", "~")
