"""Two OpenAPI documents compared, constraint by constraint: where they agree, and where one is stricter or silent.

The first document is ours or an older copy, the second theirs or the newer one; both as `foreign.modern` gives them.
Constraints are compared that bound the same place of the same request or response. Pure.
"""

from __future__ import annotations

import enum
import itertools
from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from typing import Any, Final

from msgspec import Struct

from tracksync.contract import spec
from tracksync.contract.classify import classify_body
from tracksync.contract.clauses import catalogue
from tracksync.contract.constraints import MOST_CONSTRAINTS, Constraint, Direction, constraints, walk
from tracksync.contract.foreign import request_validator
from tracksync.contract.refusals import RequestClass, refusals
from tracksync.errors import ConfigError

_UPPER: Final = ("maximum", "exclusiveMaximum", "maxLength", "maxItems", "maxProperties")
_LOWER: Final = ("minimum", "exclusiveMinimum", "minLength", "minItems", "minProperties")
_NUMBERS: Final = (*_UPPER, *_LOWER)
_SHOWN: Final[Mapping[str, Any]] = {
    "string": "x",
    "number": 1.5,
    "integer": 1,
    "boolean": True,
    "null": None,
    "array": ["x"],
    "object": {"x": 1},
}
_SETS: Final = ("type", "enum", "const")


class Relation(enum.StrEnum):
    """How the second document stands to the first at one constraint."""

    AGREES = "agrees"
    STRICTER = "stricter"
    LOOSER = "looser"
    DIFFERENT = "different"
    SILENT = "silent"
    ADDS = "adds"


class Key(Struct, frozen=True, order=True):
    """What a constraint bounds. `status` and `header` are "" where there is none, `name` but for `required`."""

    path: str
    direction: Direction
    status: str
    header: str
    place: str
    kind: str
    name: str = ""

    @property
    def where(self) -> str:
        """The place in words."""
        what = "request body" if self.direction is Direction.REQUEST else f"response {self.status}"
        return f"{self.path}, {what}, {f'header {self.header}' if self.header else self.place or 'as a whole'}"


class DocumentComparison(Struct, frozen=True):
    """One constraint of either document. `first`, `second`: its value there, None where it is absent.

    `clauses` and `ambiguities`: those of our contract that it touches. `contradiction`: in words why no server can keep
    both documents, "" where one can.
    """

    key: Key
    relation: Relation
    first: Any
    second: Any
    clauses: tuple[str, ...] = ()
    ambiguities: tuple[str, ...] = ()
    contradiction: str = ""


class Witness(Struct, frozen=True):
    """A request body that ours says every server must accept, and that theirs forbids, with the reason."""

    path: str
    body: Any
    place: str
    message: str


def compare(first: Mapping[str, Any], second: Mapping[str, Any]) -> tuple[DocumentComparison, ...]:
    """Every constraint of both documents, as far as they describe the same paths.

    Raises ConfigError where a reference of a document leads nowhere.
    """
    paths = set(first["paths"]) & set(second["paths"])
    one, other = (_index(document, paths) for document in (first, second))
    return tuple(_compared(key, one.get(key), other.get(key)) for key in sorted({*one, *other}))


def contradicted_requests(theirs: Mapping[str, Any]) -> tuple[Witness, ...]:
    """Bodies that ours makes every server accept and theirs forbids: one for each constraint of theirs that does.

    They show our constraints at their bounds, and theirs just beyond. Raises ConfigError for an unsound schema.
    """
    found: dict[tuple[str, str, str], Witness] = {}
    for path in theirs["paths"]:
        validator = request_validator(theirs, path)
        for body in [*_valid_bodies(path), *_beyond_theirs(theirs, path)]:
            if validator.is_valid(body):
                continue
            for error in validator.iter_errors(body):
                place = "".join(f"/{step}" for step in error.instance_path)
                pointer = "/".join(map(str, error.schema_path))
                missing = str(getattr(error.kind, "property", ""))
                found.setdefault((path, pointer, missing), Witness(path, body, place, error.message[:200]))
    return tuple(found.values())


def _beyond_theirs(theirs: Mapping[str, Any], path: str) -> Iterator[Any]:
    chosen = {**theirs, "paths": {path: theirs["paths"][path]}}
    for one in itertools.islice(walk(chosen), MOST_CONSTRAINTS):
        if one.direction is Direction.REQUEST:
            for value in _beyond(one):
                for example in _examples(path):
                    body = _with(example, one.place, value)
                    if body is not None and _is_valid(path, body):
                        yield body


def _beyond(one: Constraint) -> Iterator[Any]:
    """Values just beyond a constraint."""
    kind, value = one.kind, one.value
    if kind == "type":
        yield from (shown for name, shown in _SHOWN.items() if name not in value)
    elif kind in _NUMBERS and isinstance(value, int | float):
        if kind in ("minLength", "maxLength"):
            yield "x" * max(0, int(value) + (1 if kind == "maxLength" else -1))
        elif kind in ("maximum", "exclusiveMaximum"):
            yield value + 1
        elif kind in ("minimum", "exclusiveMinimum"):
            yield value - 1
    elif kind in ("enum", "pattern", "format"):
        yield from ("x", "tracksync")


@cache
def _valid_bodies(path: str) -> tuple[Any, ...]:
    """Bodies that every server must accept: the documented examples, with each member at its bounds or left out."""
    found: dict[str, Any] = {}
    own = [one for one in constraints() if one.path == path and one.direction is Direction.REQUEST]
    for example in _examples(path):
        candidates = [example, *(_with(example, one.place, value) for one in own for value in _at_bound(one))]
        for body in candidates:
            if body is not None and repr(body) not in found and _is_valid(path, body):
                found[repr(body)] = body
    return tuple(found.values())


@cache
def _examples(path: str) -> tuple[Any, ...]:
    """The documented request bodies, with each member there or left out, as far as they are valid."""
    content = spec.document()["paths"][path]["post"]["requestBody"]["content"]["application/json"]
    documented = [spec.at(spec.document(), one["$ref"])["value"] for one in content["examples"].values()]
    return tuple(body for example in documented for body in (example, *_with_less(example)) if _is_valid(path, body))


def _is_valid(path: str, body: Any) -> bool:
    return classify_body(path, body).request_class is RequestClass.VALID


def _with_less(body: Mapping[str, Any]) -> Iterator[Any]:
    """`body` with one member of one of its objects left out."""
    for section, objects in body.items():
        for index, one in enumerate(objects if isinstance(objects, list) else ()):
            for name in one if isinstance(one, dict) else ():
                less = {key: value for key, value in one.items() if key != name}
                yield {**body, section: [*objects[:index], less, *objects[index + 1 :]]}


def _at_bound(one: Constraint) -> Iterator[Any]:
    """Values at the bound of a constraint."""
    kind, value = one.kind, one.value
    if kind == "enum":
        yield from value
    elif kind == "maxLength":
        yield "x" * value
    elif kind in ("minimum", "maximum"):
        yield value
    elif kind in ("exclusiveMinimum", "exclusiveMaximum"):
        yield value + 0.5 if kind == "exclusiveMinimum" else value - 0.5
    elif kind == "type":
        kinds = value if isinstance(value, list) else [value]
        yield from (_SHOWN[kind] for kind in kinds if kind in _SHOWN)


def _with(body: Any, place: str, value: Any) -> Any:
    """`body` with `value` at a place; None where the place is not in it."""
    steps = place.split("/")[1:]
    if not steps:
        return None
    step = steps[0].replace("~1", "/").replace("~0", "~")
    rest = "".join(f"/{one}" for one in steps[1:])
    if isinstance(body, list) and step == "0" and body:
        inner = value if not rest else _with(body[0], rest, value)
        return None if inner is None and rest else [inner, *body[1:]]
    if isinstance(body, dict) and step != "{name}":
        name = "tracksync" if step == "{member}" else step
        if not rest:
            return {**body, name: value}
        inner = _with(body[name], rest, value) if name in body else None
        return None if inner is None else {**body, name: inner}
    return None


# --- one constraint --------------------------------------------------------------------------------------------------


def _index(document: Mapping[str, Any], paths: set[str]) -> dict[Key, list[Constraint]]:
    chosen = {**document, "paths": {path: document["paths"][path] for path in paths}}
    found: dict[Key, list[Constraint]] = {}
    try:
        all_of_them = list(itertools.islice(walk(chosen), MOST_CONSTRAINTS))
    except (KeyError, IndexError, TypeError, AttributeError, ValueError, RecursionError) as error:
        raise ConfigError(f"a document is not valid OpenAPI: {type(error).__name__}: {error}") from None
    places = {one.pointer: one.place for one in all_of_them if one.kind in ("anyOf", "oneOf")}
    for one in all_of_them:
        if one.kind.startswith("x-") or one.kind in ("anyOf", "oneOf", "dependentSchemas", "not"):
            continue
        alternative = any(places.get(pointer.rpartition("/")[0]) == one.place for pointer in one.alternatives)
        if alternative and one.kind not in _SETS:
            continue  # holds of one alternative only
        name = one.value if one.kind == "required" else ""
        kind = "enum" if one.kind == "const" else one.kind
        key = Key(one.path, one.direction, one.status or "", one.header or "", one.place, kind, name)
        found.setdefault(key, []).append(one)
    return found


def _compared(key: Key, first: list[Constraint] | None, second: list[Constraint] | None) -> DocumentComparison:
    one, other = _value(key, first), _value(key, second)
    relation = _relation(key, one, other)
    clauses = {one.clause for one in [*(first or ()), *(second or ()), *_ours(key)] if one.clause}
    return DocumentComparison(
        key,
        relation,
        one,
        other,
        tuple(sorted(clauses)),
        tuple(sorted(_ambiguities(clauses))),
        _contradiction(key, relation, one, other),
    )


def _value(key: Key, found: list[Constraint] | None) -> Any:
    """The value of a constraint; of several alternatives together."""
    if found is None:
        return None
    if key.kind in ("type", "enum"):
        parts = [one.value if isinstance(one.value, list) else [one.value] for one in found]
        return list(dict.fromkeys(itertools.chain.from_iterable(parts))) if _hashable(parts) else parts[0]
    values = [one.value for one in found]
    return min(values) if key.kind in _UPPER else max(values) if key.kind in _LOWER else values[0]


def _hashable(parts: Iterable[list[Any]]) -> bool:
    return not any(isinstance(one, list | dict) for part in parts for one in part)


def _relation(key: Key, one: Any, other: Any) -> Relation:
    if other is None:
        return Relation.SILENT
    if one is None:
        return Relation.ADDS
    if key.kind in ("type", "enum"):
        left, right = _spelled(one), _spelled(other)
        if left == right:
            return Relation.AGREES
        return Relation.STRICTER if right < left else Relation.LOOSER if left < right else Relation.DIFFERENT
    if one == other:
        return Relation.AGREES
    if key.kind in _UPPER:
        return Relation.STRICTER if other < one else Relation.LOOSER
    if key.kind in _LOWER:
        return Relation.STRICTER if other > one else Relation.LOOSER
    return Relation.DIFFERENT


def _spelled(values: Any) -> set[str]:
    """The values of a set as texts; a number is an integer as well."""
    found = {repr(one) for one in (values if isinstance(values, list) else [values])}
    return found | {"'integer'"} if "'number'" in found else found


def _contradiction(key: Key, relation: Relation, one: Any, other: Any) -> str:
    """Of a response: why none fits both documents. Of requests, bodies show it; see `contradicted_requests`."""
    if (
        key.direction is not Direction.RESPONSE
        or relation is not Relation.DIFFERENT
        or key.kind not in ("type", "enum")
    ):
        return ""
    return "" if _spelled(one) & _spelled(other) else f"no value is both {one} and {other}"


# --- what it touches -------------------------------------------------------------------------------------------------


@cache
def _our_index() -> Mapping[tuple[str, Direction, str, str], tuple[Constraint, ...]]:
    found: dict[tuple[str, Direction, str, str], list[Constraint]] = {}
    for one in constraints():
        found.setdefault((one.path, one.direction, one.status or "", one.place), []).append(one)
    return {key: tuple(value) for key, value in found.items()}


def _ours(key: Key) -> tuple[Constraint, ...]:
    """The constraints of our document at the same place, those of the same kind alone where there are such."""
    found = _our_index().get((key.path, key.direction, key.status, key.place), ())
    alike = tuple(one for one in found if one.kind == key.kind and (not key.name or one.value == key.name))
    if key.name and not alike:
        return _our_index().get((key.path, key.direction, key.status, f"{key.place}/{key.name}"), ())
    return alike or found


@cache
def _by_clause() -> Mapping[str, frozenset[str]]:
    found = {id_: set(one.ambiguities) for id_, one in catalogue().items()}
    for row in refusals().values():
        if row.ambiguity is not None and row.clause in found:
            found[row.clause].add(row.ambiguity)
    return {id_: frozenset(names) for id_, names in found.items()}


def _ambiguities(clauses: Iterable[str]) -> set[str]:
    return {name for id_ in clauses for name in _by_clause().get(id_, ())}
