"""Boundary cases: every request constraint of the document is tried on both sides, or its absence has a reason."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from functools import cache
from typing import Any

import pytest

from tracksync.contract import spec
from tracksync.contract.bounds import SYNC
from tracksync.contract.classify import classify_body
from tracksync.contract.constraints import Direction, walk
from tracksync.contract.refusals import RequestClass
from tracksync.generate.boundaries import BoundaryPlan, boundary_plan, further_cases
from tracksync.generate.harmless import Namer

PREFIX = "ts-bounds"


def namer() -> Namer:
    return Namer(PREFIX, random.Random(0)).scope("boundary")


@cache
def plan() -> BoundaryPlan:
    return boundary_plan(namer())


def sides(made: BoundaryPlan) -> dict[str, set[str]]:
    found: dict[str, set[str]] = {pointer: set() for pointer in made.pointers}
    for case in made.cases:
        for test in case.tests:
            found[test.pointer].add("outside" if test.side == "outside" else "inside")
    return found


def values(made: BoundaryPlan, pointer: str, side: str) -> Iterator[Any]:
    """The bodies that test one side of the constraint at `pointer`."""
    for case in made.cases:
        if any(test.pointer == pointer and test.side == side for test in case.tests):
            yield json.loads(case.step.request.body)


def plan_with(pointer: str, value: Any) -> BoundaryPlan:
    """The plan of a copy of the document with another value at `pointer`, for the constraint there alone."""
    document = spec.load()
    *path, last = pointer.split("/")[1:]
    node: Any = document
    for step in path:
        node = node[int(step)] if isinstance(node, list) else node[step.replace("~1", "/")]
    node[last] = value
    pointers = {pointer, *(f"{pointer}/{index}" for index in range(3))}
    return boundary_plan(namer(), document=document, paths=[SYNC], pointers=pointers)


def test_every_request_constraint_has_both_sides_or_a_reason() -> None:
    expected = {one.pointer for one in walk(spec.document()) if one.direction is Direction.REQUEST}
    assert set(plan().pointers) == expected
    for pointer, found in sides(plan()).items():
        assert (found == {"inside", "outside"}) != (pointer in plan().reasons), pointer


def test_only_what_is_open_harmful_or_never_a_choice_has_a_reason() -> None:
    for pointer, reason in plan().reasons.items():
        assert pointer.endswith(("/x-open", "/x-rate-limit", "/type")) or "devices" in reason, (pointer, reason)
    assert len(plan().reasons) < len(plan().pointers) / 8


def test_what_is_inside_of_every_constraint_is_valid_unless_the_document_leaves_it_open() -> None:
    for case in plan().cases:
        if case.step.request.path == SYNC and all(test.side != "outside" for test in case.tests):
            body = json.loads(case.step.request.body)
            found = classify_body(SYNC, body, case.step.request.body)
            assert found.request_class is not RequestClass.REFUSED, case.step.label


def test_nothing_is_sent_twice() -> None:
    requests = [case.step.request for case in plan().cases]
    assert len(requests) == len(set(requests))


def test_a_quantity_is_tried_at_its_bounds_and_just_outside() -> None:
    where = "/components/schemas/Purchase/properties/quantity"
    tried = {
        body["purchases"][0]["quantity"]
        for keyword in ("minimum", "maximum")
        for side in ("at", "outside")
        for body in values(plan(), f"{where}/{keyword}", side)
    }
    assert tried == {0, 1, 100, 101}


@pytest.mark.parametrize(
    ("pointer", "value", "member", "outside"),
    [
        ("/components/schemas/Purchase/properties/product_id/maxLength", 100, "product_id", 101),
        ("/components/schemas/Event/properties/name/maxLength", 17, "name", 18),
    ],
)
def test_another_length_in_the_document_gives_other_cases(pointer: str, value: int, member: str, outside: int) -> None:
    made = plan_with(pointer, value)
    lengths = {
        len(one[member]) for body in values(made, pointer, "outside") for section in body.values() for one in section
    }
    assert lengths == {outside}


def test_a_further_reserved_name_is_tried() -> None:
    pointer = "/components/schemas/PropertyName/not"
    made = plan_with(pointer, {"enum": ["time", "colour_code"]})
    names = {name for body in values(made, pointer, "outside") for name in body["events"][0]["properties"]}
    assert names == {"time", "colour_code"}


def test_a_further_required_member_is_in_every_body_and_once_left_out() -> None:
    pointer = "/components/schemas/Event/required"
    made = plan_with(pointer, ["name", "time", "properties"])
    (without,) = values(made, f"{pointer}/2", "outside")
    assert "properties" not in without["events"][0]
    (other,) = values(made, f"{pointer}/1", "outside")
    assert "properties" in other["events"][0]


def test_paths_that_may_not_be_used_get_a_reason_instead_of_a_request() -> None:
    made = boundary_plan(namer(), paths=[SYNC])
    assert {case.step.request.path for case in made.cases} == {SYNC}
    assert "may use" in made.reasons["/components/schemas/TrackRequest/x-max-batch"]


def test_the_seed_sets_the_order_and_nothing_else() -> None:
    one, other = (boundary_plan(namer(), seed=seed) for seed in (1, 2))
    assert one.cases != other.cases
    assert {case.step.request for case in one.cases} == {case.step.request for case in other.cases}
    assert boundary_plan(namer(), seed=1) == one


def test_further_cases_try_shared_schemas_in_their_other_places() -> None:
    pointer = "/components/schemas/ExternalId/maxLength"
    first = {next(iter(body)) for body in values(plan(), pointer, "outside")}
    more = {
        next(iter(json.loads(case.step.request.body)))
        for case in further_cases(namer(), paths=[SYNC])
        if any(test.pointer == pointer and test.side == "outside" for test in case.tests)
    }
    assert first | more == {"attributes", "events", "purchases"}
