"""Every constraint of an OpenAPI document: what it bounds, where in a request or response, and the clause for it.

Boundary cases are made from this list, two documents are compared by it, and results count it. Works on any OpenAPI 3
document. A constraint of a shared schema stands in the list once for each place that it applies to; `pointer` is the
same in all of them.
"""

from __future__ import annotations

import enum
from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any, Final

from msgspec import Struct

from tracksync.contract import spec

MEMBER: Final = "{member}"
"""In a place: any member of an object that the schema does not name."""
KEY: Final = "{name}"
"""In a place: the name of a member, not its value."""
ITEM: Final = "0"
"""In a place: an element of an array."""
MOST_CONSTRAINTS: Final = 50_000
"""Constraints of one document of other hands that are looked at."""

_PLAIN: Final = (
    *("type", "enum", "const", "format", "pattern", "minLength", "maxLength"),
    *("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf"),
    *("minItems", "maxItems", "uniqueItems", "minProperties", "maxProperties"),
    *("x-max-bytes", "x-max-depth", "x-max-length", "x-max-elements", "x-max-distinct-properties"),
    *("x-max-batch", "x-integer-range", "x-years", "x-open"),
)
_METHODS: Final = ("get", "put", "post", "delete", "options", "head", "patch", "trace")


class Direction(enum.StrEnum):
    """Who sends what the constraint bounds."""

    REQUEST = "request"
    RESPONSE = "response"


class Constraint(Struct, frozen=True):
    """One keyword of the document that bounds something.

    `pointer`: JSON Pointer of the keyword in the document (of one name of `required`: of its entry).
    `kind`: the keyword. `value`: its value; of `required` a name, of combinations their schemas.
    `place`: JSON Pointer template in the body, with MEMBER, KEY and ITEM; "" is the whole body. Of a header its name.
    `section`: the section of the body in which it stands, if any. `status`: of a response, as the document writes it.
    `alternatives`: the pointers of the branches of anyOf and oneOf, and of dependent schemas, that lead to it.
    """

    pointer: str
    kind: str
    value: Any
    clause: str | None
    direction: Direction
    path: str
    place: str
    section: str | None = None
    status: str | None = None
    header: str | None = None
    alternatives: tuple[str, ...] = ()


@cache
def constraints() -> tuple[Constraint, ...]:
    """The constraints of the installed document, in its order."""
    return tuple(walk(spec.document()))


def walk(document: Mapping[str, Any]) -> Iterator[Constraint]:
    """The constraints of `document`, path by path. References are followed, recursive ones once."""
    for path, item in document.get("paths", {}).items():
        for method in _METHODS:
            if method in item:
                base = f"/paths/{_escaped(path)}/{method}"
                yield from _operation(document, base, path, item[method])


def _operation(document: Mapping[str, Any], base: str, path: str, operation: Mapping[str, Any]) -> Iterator[Constraint]:
    if "x-rate-limit" in operation:
        value = operation["x-rate-limit"]
        yield Constraint(f"{base}/x-rate-limit", "x-rate-limit", value, "TS-RATE-LIMIT", Direction.REQUEST, path, "")
    if "requestBody" in operation:
        where, body = follow(document, f"{base}/requestBody", operation["requestBody"])
        walker = _Walker(document, Direction.REQUEST, path, None)
        yield from walker.content(where, body)
    for status, given in operation.get("responses", {}).items():
        where, response = follow(document, f"{base}/responses/{_escaped(str(status))}", given)
        walker = _Walker(document, Direction.RESPONSE, path, str(status))
        yield from walker.headers(where, response)
        yield from walker.content(where, response)


class _At(Struct, frozen=True):
    """Where a walk stands. `inherited`: the clause of what is around; `named`: clauses by keyword, of this place."""

    pointer: str
    place: str = ""
    header: str | None = None
    inherited: str | None = None
    named: Mapping[str, str] = {}
    alternatives: tuple[str, ...] = ()
    seen: tuple[str, ...] = ()

    def below(self, step: str, place: str, **changes: Any) -> _At:
        """The position of a schema that applies to another place."""
        return _At(
            f"{self.pointer}/{step}",
            self.place + place,
            self.header,
            self.inherited,
            changes.get("named", {}),
            self.alternatives,
            self.seen,
        )

    def beside(self, step: str, alternative: bool = False) -> _At:
        """The position of another schema for the same place."""
        pointer = f"{self.pointer}/{step}"
        more = (pointer,) if alternative else ()
        return _At(pointer, self.place, self.header, self.inherited, self.named, (*self.alternatives, *more), self.seen)


class _Walker:
    """Walks the schemas of one request or response."""

    def __init__(self, document: Mapping[str, Any], direction: Direction, path: str, status: str | None) -> None:
        self.document = document
        self.direction = direction
        self.path = path
        self.status = status

    def content(self, pointer: str, holder: Mapping[str, Any]) -> Iterator[Constraint]:
        for media, described in holder.get("content", {}).items():
            if "json" in media and "schema" in described:
                at = _At(f"{pointer}/content/{_escaped(media)}/schema")
                yield from self.schema(at, described["schema"])

    def headers(self, pointer: str, response: Mapping[str, Any]) -> Iterator[Constraint]:
        for name, given in response.get("headers", {}).items():
            where, header = follow(self.document, f"{pointer}/headers/{_escaped(name)}", given)
            clause = header.get("x-clause")
            at = _At(where, header=name, inherited=clause)
            if header.get("required"):
                yield self.constraint(at, f"{where}/required", "required", name, clause)
            yield from self.schema(at.beside("schema"), header.get("schema", {}))

    def constraint(self, at: _At, pointer: str, kind: str, value: Any, clause: str | None) -> Constraint:
        first = at.place.split("/")[1:2]
        section = first[0] if first and self.direction is Direction.REQUEST and first[0] not in (KEY, MEMBER) else None
        return Constraint(
            pointer,
            kind,
            value,
            clause,
            self.direction,
            self.path,
            at.place,
            section,
            self.status,
            at.header,
            at.alternatives,
        )

    def schema(self, at: _At, schema: Any) -> Iterator[Constraint]:
        if not isinstance(schema, dict):
            return
        at = _with_clause(at, schema)
        if "$ref" in schema:
            target = schema["$ref"].removeprefix("#")
            if target not in at.seen:
                followed = _At(target, at.place, at.header, at.inherited, at.named, at.alternatives, (*at.seen, target))
                yield from self.schema(followed, spec.at(self.document, target))
        for kind in _PLAIN:
            if kind in schema:
                yield self.constraint(at, f"{at.pointer}/{kind}", kind, schema[kind], _clause(at, kind))
        yield from self.objects(at, schema)
        yield from self.arrays(at, schema)
        yield from self.combined(at, schema)

    def objects(self, at: _At, schema: Mapping[str, Any]) -> Iterator[Constraint]:
        properties = schema.get("properties", {})
        for index, name in enumerate(schema.get("required", ())):
            clause = self.required_clause(at, properties.get(name))
            yield self.constraint(at, f"{at.pointer}/required/{index}", "required", name, clause)
        for name, member in properties.items():
            yield from self.schema(at.below(f"properties/{_escaped(name)}", f"/{_escaped(name)}"), member)
        for pattern, member in schema.get("patternProperties", {}).items():
            yield from self.schema(at.below(f"patternProperties/{_escaped(pattern)}", f"/{MEMBER}"), member)
        more = schema.get("additionalProperties", True)
        if more is False:
            clause = _clause(at, "additionalProperties")
            yield self.constraint(at, f"{at.pointer}/additionalProperties", "additionalProperties", False, clause)
        else:
            yield from self.schema(at.below("additionalProperties", f"/{MEMBER}"), more)
        if "propertyNames" in schema:
            names = at.below("propertyNames", f"/{KEY}", named=at.named)
            yield from self.schema(names, schema["propertyNames"])

    def required_clause(self, at: _At, member: Any) -> str | None:
        """The clause for a missing member: the one that the member's own schema names, else the object's.

        A member that may be left out names none for that; if it becomes required, it is the one for its type.
        """
        while isinstance(member, dict):
            own = member.get("x-clause")
            if isinstance(own, dict) and ("required" in own or "type" in own):
                return str(own.get("required", own.get("type")))
            if isinstance(own, str):
                return own
            if "$ref" not in member:
                break
            member = spec.at(self.document, member["$ref"])
        return _clause(at, "required")

    def arrays(self, at: _At, schema: Mapping[str, Any]) -> Iterator[Constraint]:
        for index, item in enumerate(schema.get("prefixItems", ())):
            yield from self.schema(at.below(f"prefixItems/{index}", f"/{index}"), item)
        if "items" in schema:
            yield from self.schema(at.below("items", f"/{ITEM}"), schema["items"])

    def combined(self, at: _At, schema: Mapping[str, Any]) -> Iterator[Constraint]:
        for index, part in enumerate(schema.get("allOf", ())):
            yield from self.schema(at.beside(f"allOf/{index}"), part)
        for keyword in ("anyOf", "oneOf"):
            for index, part in enumerate(schema.get(keyword, ())):
                yield from self.schema(at.beside(f"{keyword}/{index}", alternative=True), part)
            if keyword in schema:
                yield self.constraint(at, f"{at.pointer}/{keyword}", keyword, schema[keyword], _clause(at, keyword))
        for pointer, wrong in _forbidden(at, schema):
            own = wrong.get("x-clause") if isinstance(wrong, dict) else None
            clause = own if isinstance(own, str) else _clause(at, "not")
            yield self.constraint(at, pointer, "not", wrong, clause)
        for name, part in schema.get("dependentSchemas", {}).items():
            dependent = _with_clause(at.beside(f"dependentSchemas/{_escaped(name)}", alternative=True), part)
            clause = _clause(dependent, "dependentSchemas")
            yield self.constraint(dependent, dependent.pointer, "dependentSchemas", part, clause)


def _forbidden(at: _At, schema: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """What `not` forbids, each alternative of it by itself."""
    if "not" not in schema:
        return
    wrong = schema["not"]
    if isinstance(wrong, dict) and "anyOf" in wrong:
        for index, part in enumerate(wrong["anyOf"]):
            yield f"{at.pointer}/not/anyOf/{index}", part
    else:
        yield f"{at.pointer}/not", wrong


def _with_clause(at: _At, schema: Any) -> _At:
    own = schema.get("x-clause") if isinstance(schema, dict) else None
    inherited = own if isinstance(own, str) else at.inherited
    # What the place that refers to a shared schema says goes before what the shared schema says.
    named = {**own, **at.named} if isinstance(own, dict) else at.named
    return _At(at.pointer, at.place, at.header, inherited, named, at.alternatives, at.seen)


def _clause(at: _At, kind: str) -> str | None:
    return at.named.get(kind, at.inherited)


def follow(document: Mapping[str, Any], pointer: str, node: Mapping[str, Any]) -> tuple[str, Mapping[str, Any]]:
    """Where a referenced part of the document stands, and the part. Raises KeyError where there is none."""
    seen: set[str] = set()
    while "$ref" in node:
        pointer = node["$ref"].removeprefix("#")
        if pointer in seen:
            raise KeyError(f"{pointer} refers to itself")
        seen.add(pointer)
        node = spec.at(document, pointer)
    return pointer, node


def _escaped(name: str) -> str:
    return name.replace("~", "~0").replace("/", "~1")
