"""Why a body that does not fit the spec is refused or open: the rows of `refusals.toml` that it meets, with words.

Works on values as `validators.measured` gives them. What no row speaks of is open, and its effect unknown.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cache, lru_cache
from typing import Any, Final

import jsonschema_rs
from msgspec import Struct

from tracksync.contract.bounds import SYNC, bounds
from tracksync.contract.constraints import constraints
from tracksync.contract.refusals import RequestClass, Row, bound, rows_at
from tracksync.contract.validators import compiled, components, schema_validator

_BODY: Final = "/request/body"
_OBJECTS: Final = {"attributes": "UserAttributes", "events": "Event", "purchases": "Purchase"}
_SHORT: Final = 64  # characters
_ALIAS_PARTS: Final = ("alias_name", "alias_label")
# A value of each kind, for rows that look at nothing else of it.
_KINDS: Final = {str: "text", int: "number", float: "number", bool: "boolean", list: "array", dict: "object"}
_EXAMPLES: Final[Mapping[str, Any]] = {
    "text": "x",
    "number": 1,
    "boolean": True,
    "null": None,
    "array": [],
    "object": {},
    "array of an object": [{}],
    "array of another": [0],
    "array of objects": [{}, {}],
    "array of others": [0, 0],
}


class Condition(Struct, frozen=True, gc=False):
    """One condition that a request meets, with words for a finding.

    `refused`: the documents say that it is refused, with one of `statuses`; otherwise a refusal with one of them is
    lawful. `shows`: the interpretation of `ambiguity` that a status shows. `effect_known`: what an accepted request
    does can be checked. `covers`: acceptance covers the clause. `client`: the clause that a client breaks where the
    condition is open, or "none". `row` is "" where no row of the table speaks of it.
    """

    row: str
    clause: str
    statuses: frozenset[int]
    refused: bool
    reason: str
    pointer: str
    ambiguity: str | None = None
    shows: tuple[tuple[int, str], ...] = ()
    effect_known: bool = True
    covers: bool = False
    client: str = "TC-DOUBT"


def body_conditions(path: str, body: Any, large: bool) -> Iterator[Condition]:
    """The conditions that a body meets which does not fit the spec of `path`. `large`: it may reach a bound."""
    found = False
    for condition in _whole_body(path, body, large):
        found = True
        yield condition
    if path == SYNC and isinstance(body, dict):
        for condition in _sections(body):
            found = True
            yield condition
    if not found:
        yield unexplained_part("the body", _BODY)


def object_conditions(section: str, target: Mapping[str, Any], where: str) -> Iterator[Condition]:
    """The conditions that one object meets, and what is left of it that does not fit the spec."""
    unfit = [name for name, value in target.items() if not _fits(section, name, value)]
    conditions = [*_whole_object(section, target, where), *_members(section, target, unfit, where)]
    yield from conditions
    explained = {condition.pointer[len(where) + 1 :].partition("/")[0] for condition in conditions}
    for name in unfit:
        if name not in explained:
            yield unexplained_part(name, f"{where}/{name}")
    if not (conditions or unfit) and not is_valid(object_validator(section), target):
        yield unexplained_part("the object", where)


# --- the body and its sections ---------------------------------------------------------------------------------------


def _whole_body(path: str, body: Any, large: bool) -> Iterator[Condition]:
    for row in rows_at("large-body", path=path) if large else ():
        if row.holds(body):
            yield condition_of(row, _BODY)
    for row in _body_rows(path, body):
        names = " and ".join(name for name in bounds().sections if isinstance(body, dict) and body.get(name))
        yield condition_of(row, _BODY, names=names)


def _body_rows(path: str, body: Any) -> tuple[Row, ...]:
    """Rows about a whole body of the synchronous endpoint look at the kinds of its sections only."""
    if path != SYNC or not isinstance(body, dict):
        return _that_hold(rows_at("body", path=path), body)
    return _body_rows_by_kinds(tuple((name, _kind(body[name])) for name in bounds().sections if name in body))


@lru_cache(maxsize=1024)
def _body_rows_by_kinds(kinds: tuple[tuple[str, str], ...]) -> tuple[Row, ...]:
    return _that_hold(rows_at("body", path=SYNC), {name: _EXAMPLES[kind] for name, kind in kinds})


@cache
def _section_rows(kind: str) -> tuple[Row, ...]:
    """Rows about a section look at its kind, its length and the kind of its first entry only."""
    return _that_hold(rows_at("section"), _EXAMPLES[kind])


def _kind(value: Any) -> str:
    """The kind of a section's value; of an array also how many entries it has, and whether the first is an object."""
    if isinstance(value, list) and value:
        several = len(value) > 1
        if isinstance(value[0], dict):
            return "array of objects" if several else "array of an object"
        return "array of others" if several else "array of another"
    return _KINDS.get(type(value), "null")


def _sections(body: dict[str, Any]) -> Iterator[Condition]:
    sections = bounds().sections
    for name in body:
        if name not in sections:
            for row in rows_at("body-member"):
                yield condition_of(row, f"{_BODY}/{name}", member=name)
    target: tuple[str, dict[str, Any]] | None = None
    filled = False
    for section in sections:
        if section not in body:
            continue
        value = body[section]
        for row in _section_rows(_kind(value)):
            if not (filled and row.pointer):  # of several sections only the first that holds something is looked into
                count = len(value) if isinstance(value, list) else 1
                yield condition_of(row, f"{_BODY}/{section}", section=section, count=count)
        objects = value if isinstance(value, list) else [value] if isinstance(value, dict) else []
        if objects and not filled:
            filled = True
            if isinstance(objects[0], dict):
                target = section, objects[0]
    if target is not None:
        yield from object_conditions(target[0], target[1], f"{_BODY}/{target[0]}/0")


# --- one object ------------------------------------------------------------------------------------------------------


def _whole_object(section: str, target: Mapping[str, Any], where: str) -> Iterator[Condition]:
    limits = bounds()
    kinds = tuple((name, _identifier_kind(target[name])) for name in limits.identifiers if name in target)
    more = not target.keys() <= limits.naming_keys
    for row in _object_rows(section, kinds, more):
        wanted = limits.profile_identifiers if row.names == "profile identifiers" else limits.identifiers
        names = " and ".join(kind for kind in wanted if kind in target)
        yield condition_of(row, where, names=names, section=section)


@lru_cache(maxsize=4096)
def _object_rows(section: str, kinds: tuple[tuple[str, tuple[str, ...]], ...], more: bool) -> tuple[Row, ...]:
    """Rows about a whole object look at the kinds of its identifiers, and at whether it has further members."""
    example: dict[str, Any] = {name: _identifier_example(kind) for name, kind in kinds}
    return _that_hold(rows_at("object", section), {**example, "further": None} if more else example)


def _identifier_kind(value: Any) -> tuple[str, ...]:
    """The kind of an identifier; of an object also those of the parts of an alias, "" where one is missing."""
    kind = _KINDS.get(type(value), "null")
    if kind != "object":
        return (kind,)
    return kind, *(_KINDS.get(type(value[part]), "null") if part in value else "" for part in _ALIAS_PARTS)


def _identifier_example(kind: tuple[str, ...]) -> Any:
    if len(kind) == 1:
        return _EXAMPLES[kind[0]]
    return {part: _EXAMPLES[one] for part, one in zip(_ALIAS_PARTS, kind[1:], strict=True) if one}


def _members(section: str, target: Mapping[str, Any], unfit: list[str], where: str) -> Iterator[Condition]:
    limits = bounds()
    known, required = limits.object_members[section], limits.required_members[section]
    for name in required:
        if target.get(name) is None:
            for row in rows_at("missing"):
                clause = _required_clauses().get((section, name))
                yield condition_of(row, f"{where}/{name}", member=name, clause=clause)
    if section == "attributes":
        for name in target:
            if name not in known:
                yield from _first(rows_at("attribute-name", section), name, f"{where}/{name}", name)
    for name in unfit:
        if target[name] is None and name in required:
            continue
        rows = rows_at(name, section)
        if name not in known:
            rows = rows_at("attribute" if section == "attributes" else "undocumented", section)
        elif not rows and section == "attributes":
            rows = rows_at("profile", section)
        if any(row.without for row in rows):
            rows = tuple(row for row in rows if target.keys().isdisjoint(row.without))
        yield from _first(rows, target[name], f"{where}/{name}", name)


def _first(rows: tuple[Row, ...], value: Any, pointer: str, name: str) -> Iterator[Condition]:
    """The first row that holds of `value`."""
    row = _remembered(rows, value, type(value).__name__) if _is_short(value) else _first_row(rows, value)
    if row is not None:
        reserved = sorted(bounds().reserved_properties & value.keys()) if isinstance(value, dict) else []
        yield condition_of(row, pointer, member=name, value=value, names=" and ".join(reserved))


def _first_row(rows: tuple[Row, ...], value: Any) -> Row | None:
    return next((row for row in rows if row.holds(value)), None)


@lru_cache(maxsize=8192)
def _remembered(rows: tuple[Row, ...], value: Any, kind: str) -> Row | None:
    """As `_first_row`, for short values. `kind` tells 1 from 1.0 and from true."""
    return _first_row(rows, value)


def _is_short(value: Any) -> bool:
    """Whether a value is a scalar that is worth remembering, since requests often repeat it."""
    kind = type(value)
    return len(value) <= _SHORT if kind is str else kind is not list and kind is not dict


@cache
def _required_clauses() -> Mapping[tuple[str, str], str]:
    """By section and member: the clause that says that the member is required."""
    return {
        (one.section or "", one.value): one.clause
        for one in constraints()
        if one.kind == "required" and one.path == SYNC and one.clause and one.place == f"/{one.section}/0"
    }


def _fits(section: str, name: str, value: Any) -> bool:
    """Whether one member of an object fits the spec by itself. An undocumented one does not, a custom attribute may."""
    validator = _member_validators(section).get(name)
    if validator is None:
        if section != "attributes":
            return False
        validator = schema_validator("#/components/schemas/CustomAttribute")
    return _fits_remembered(validator, value, type(value).__name__) if _is_short(value) else is_valid(validator, value)


@lru_cache(maxsize=8192)
def _fits_remembered(validator: jsonschema_rs.Validator, value: Any, kind: str) -> bool:
    """As `is_valid`, for short values. `kind` tells 1 from 1.0 and from true."""
    return is_valid(validator, value)


@cache
def _member_validators(section: str) -> Mapping[str, jsonschema_rs.Validator]:
    properties = components(True)[_OBJECTS[section]]["properties"]
    return {name: compiled(schema) for name, schema in properties.items()}


@cache
def object_validator(section: str) -> jsonschema_rs.Validator:
    """The validator of the objects of one section."""
    return schema_validator(f"#/components/schemas/{_OBJECTS[section]}")


# --- what all of them use --------------------------------------------------------------------------------------------


def _that_hold(rows: tuple[Row, ...], value: Any) -> tuple[Row, ...]:
    """The rows that hold of `value`; of those with `once` the first of a family."""
    found: list[Row] = []
    done: set[str] = set()
    for row in rows:
        family = row.name.partition("/")[0]
        if not (row.once and family in done) and row.holds(value):
            done.add(family)
            found.append(row)
    return tuple(found)


def is_valid(validator: jsonschema_rs.Validator, value: Any) -> bool:
    """Whether `value` fits. What the validator cannot take in, such as nesting beyond its own limit, does not."""
    try:
        return validator.is_valid(value)
    except (ValueError, UnicodeError, OverflowError, RecursionError):
        return False


def condition_of(
    row: Row,
    where: str,
    *,
    request_class: RequestClass | None = None,
    clause: str | None = None,
    member: str = "",
    section: str = "",
    value: Any = None,
    count: int = 0,
    names: str = "",
) -> Condition:
    """The condition that a row makes of one place, with its words filled in."""
    shown = value[:40] if isinstance(value, str) else value
    limit = bound(row.bound) if row.bound else None
    return Condition(
        row.name,
        clause or row.clause,
        row.status_set,
        (request_class or row.request_class) is RequestClass.REFUSED,
        row.reason.format(member=member, section=section, value=shown, count=count, names=names, bound=limit),
        where + row.pointer,
        row.ambiguity,
        row.shows,
        row.effect_known,
        row.covers,
        row.client,
    )


def unexplained_part(what: str, pointer: str) -> Condition:
    """The open condition of `what`, at `pointer`: it does not fit the spec, and no row speaks of it."""
    reason = f"{what} is in a form of which no page speaks"
    return Condition("", "TS-OK-STATUS", frozenset({400}), False, reason, pointer, effect_known=False)
