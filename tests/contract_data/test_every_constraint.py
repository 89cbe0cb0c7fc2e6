"""A constraint that is changed in a copy of the document is noticed: none stands there that nothing reads."""

from __future__ import annotations

import json
import pickle
import random
from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any, Final

import jsonschema_rs
from edited_documents import OPEN_MEMBERS
from spec_schemas import OPEN, REFUSED, VALID

from tracksync.contract import spec
from tracksync.contract.bounds import SYNC, read_bounds
from tracksync.contract.constraints import Constraint, Direction, constraints
from tracksync.contract.validators import request_validator_of
from tracksync.generate.boundaries import boundary_plan
from tracksync.generate.harmless import Namer

DOCUMENT: Final = spec.load()
PICKLED: Final = pickle.dumps(DOCUMENT)
REQUEST: Final = {one.pointer: one for one in reversed(constraints()) if one.direction is Direction.REQUEST}
TIME: Final = "2022-12-06T18:20:45.000Z"


@cache
def bodies(path: str) -> tuple[Any, ...]:
    """Requests on both sides of the document's constraints."""
    namer = Namer("tsbounds", random.Random(0))
    found = [
        json.loads(case.step.request.body)
        for case in boundary_plan(namer, paths=[path]).cases
        if case.step.request.path == path and len(case.step.request.body) < 10_000_000
    ]
    return (
        *found,
        *(EXTRA if path == SYNC else ()),
        *([*VALID.values(), *OPEN.values(), *REFUSED.values()] if path == SYNC else ()),
    )


EXTRA: Final = (
    *({"attributes": [{"external_id": "u", "text": "x", name: value}]} for name, value in OPEN_MEMBERS.items()),
    {"events": [{"external_id": "u", "name": "n", "time": TIME, "app_id": "a"}]},
    {"attributes": [{"braze_id": "b", "text": "x"}]},
    {"attributes": [{"external_id": "u", "email_subscribe": "opted_in"}]},
)


@cache
def classes(path: str) -> list[bool]:
    validator = request_validator_of(DOCUMENT, path)
    return [validator.is_valid(body) for body in bodies(path)]


def changed(pointer: str) -> Iterator[dict[str, Any]]:
    """Copies of the document in which the keyword at `pointer` is one that nothing fits, or dropped."""
    holder, _, key = pointer.rpartition("/")
    for change in ("other", "drop"):
        document = pickle.loads(PICKLED)  # four times as fast as a deep copy
        node = spec.at(document, holder)
        if isinstance(node, list):  # a name of `required`, or an alternative of `not`
            if change == "drop":
                del node[int(key)]
            else:
                node[int(key)] = "another" if isinstance(node[int(key)], str) else {}
        elif change == "drop":
            del node[key]
        else:
            node[key] = other(node[key], key)
        yield document


def other(value: Any, key: str) -> Any:
    if isinstance(value, bool) or key == "format":
        return value
    if key == "pattern":
        return "^(?!)"
    if key in ("x-max-bytes", "x-max-elements"):
        return [0, 0]
    if key in ("x-integer-range", "x-years"):
        return [5, 4]
    if isinstance(value, int | float):
        return 10**6 if key.startswith("min") or key == "exclusiveMinimum" else -1 if "imum" in key else 0
    if key == "type":
        return "boolean" if "boolean" not in value else "null"
    return ["another"] if isinstance(value, list) else {"const": "another"} if isinstance(value, Mapping) else "another"


def is_noticed(document: dict[str, Any], path: str) -> bool:
    try:
        if read_bounds(document) != read_bounds(spec.document()):
            return True
        validator = request_validator_of(document, path)
    except (spec.SpecificationError, jsonschema_rs.ValidationError):
        return True  # it stops those that read it
    return any(validator.is_valid(body) is not was for body, was in zip(bodies(path), classes(path), strict=True))


OPEN_NAMES: Final = {one.place.split("/")[-1] for one in REQUEST.values() if one.kind == "x-open"} | {"braze_ids"}
REDUNDANT: Final = {
    "/components/schemas/Email/format": "the pattern is narrower",
    "/components/schemas/Increment/additionalProperties": "with another member it is an object that is not an edit",
    "/components/schemas/DeleteByBrazeId/additionalProperties": "every braze_id is open",
    "/components/schemas/ExportByBrazeId/required/1": "every braze_id is open",
    "/components/schemas/ExportByBrazeId/additionalProperties": "every braze_id is open",
}


def is_of_an_open_member(one: Constraint) -> bool:
    """Whether it bounds what is open whatever it is, so that the bound is for readers and generators alone."""
    return one.kind != "x-open" and bool(set(one.place.split("/")) & OPEN_NAMES)


def test_every_request_constraint_decides_over_some_request() -> None:
    missed = [
        pointer
        for pointer, one in REQUEST.items()
        if one.kind not in ("anyOf", "oneOf")
        and not is_of_an_open_member(one)
        and not any(is_noticed(document, one.path) for document in changed(pointer))
    ]
    assert sorted(missed) == sorted(REDUNDANT)
