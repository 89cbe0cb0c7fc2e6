"""What an object of a batch, and every other part of a request, can be refused for: conditions, made from rows.

A condition is a row of `refusals.toml` that holds of a part, or a part that does not fit the spec and of which no row
speaks. Pure.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any, Final

import jsonschema_rs
from msgspec import Struct

from tracksync.contract.bounds import SYNC, bounds
from tracksync.contract.constraints import constraints
from tracksync.contract.refusals import RequestClass, Row, bound, rows_at, union
from tracksync.contract.validators import compiled, components, schema_validator


class Condition(Struct, frozen=True):
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


# --- one condition --------------------------------------------------------------------------------------------------


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
    """The condition of `row` at the pointer `where`; the keywords fill in its reason, or replace what the row says."""
    shown = value[:40] if isinstance(value, str) else value
    limit = bound(row.bound) if row.bound else None
    return Condition(
        row.name,
        clause or row.clause,
        frozenset(row.statuses),
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


# --- one object ------------------------------------------------------------------------------------------------------


def object_conditions(section: str, target: dict[str, Any], where: str) -> Iterator[Condition]:
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


def _whole_object(section: str, target: dict[str, Any], where: str) -> Iterator[Condition]:
    if not is_valid(union("object", section), target):
        return
    limits = bounds()
    done: set[str] = set()
    for row in rows_at("object", section):
        family = row.name.partition("/")[0]
        if not (row.once and family in done) and row.holds(target):
            done.add(family)
            kinds = limits.profile_identifiers if row.names == "profile identifiers" else limits.identifiers
            names = " and ".join(kind for kind in kinds if kind in target)
            yield condition_of(row, where, names=names, section=section)


def _members(section: str, target: dict[str, Any], unfit: list[str], where: str) -> Iterator[Condition]:
    known = bounds().object_members[section]
    for name in bounds().required_members[section]:
        if target.get(name) is None:
            for row in rows_at("missing"):
                yield condition_of(row, f"{where}/{name}", member=name, clause=_required_clauses().get((section, name)))
    if section == "attributes":
        for name in target:
            if name in known:
                continue
            yield from _first(rows_at("attribute-name", section), name, f"{where}/{name}", name)
    for name in unfit:
        if target[name] is None and name in bounds().required_members[section]:
            continue
        rows = rows_at(name, section)
        if name not in known:
            rows = rows_at("attribute" if section == "attributes" else "undocumented", section)
        elif not rows and section == "attributes":
            rows = rows_at("profile", section)
        yield from _first(rows, target[name], f"{where}/{name}", name)


def _first(rows: tuple[Row, ...], value: Any, pointer: str, name: str) -> Iterator[Condition]:
    """The first row that holds of `value`."""
    for row in rows:
        if row.holds(value):
            reserved = sorted(bounds().reserved_properties & value.keys()) if isinstance(value, dict) else []
            yield condition_of(row, pointer, member=name, value=value, names=" and ".join(reserved))
            return


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
        return section == "attributes" and is_valid(schema_validator("#/components/schemas/CustomAttribute"), value)
    return is_valid(validator, value)


@cache
def _member_validators(section: str) -> Mapping[str, jsonschema_rs.Validator]:
    properties = components(True)[_OBJECTS[section]]["properties"]
    return {name: compiled(schema) for name, schema in properties.items()}


@cache
def object_validator(section: str) -> jsonschema_rs.Validator:
    """The validator of one object of `section`."""
    return schema_validator(f"#/components/schemas/{_OBJECTS[section]}")


_OBJECTS: Final = {"attributes": "UserAttributes", "events": "Event", "purchases": "Purchase"}
