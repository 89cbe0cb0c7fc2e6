"""Boundary cases: for every request constraint of the OpenAPI document, requests at, just inside and just outside it.

Made by walking the document, with no table of bounds. A request is given for a place of the constraint, within a body
that is otherwise valid. Values that fit may share a body, since such a request tests all of them; a value outside has
one of its own. What could reach a person is not made.
"""

from __future__ import annotations

import random
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final, TypeAlias

from tracksync.contract import spec
from tracksync.contract.bounds import SYNC, bounds
from tracksync.contract.classify import classify_body
from tracksync.contract.constraints import ITEM, KEY, MEMBER, Constraint, Direction, walk
from tracksync.contract.refusals import RequestClass
from tracksync.generate.boundary_values import BoundaryValue, Keyword, Side, boundary_values
from tracksync.generate.build import Step, encode, json_request, raw_request
from tracksync.generate.harmless import FORBIDDEN_KEYS, Namer, is_harmless
from tracksync.generate.samples import CUSTOM, MOST_ITEMS, Sampler
from tracksync.model.exchange import Request
from tracksync.values.jsontext import read_json

CHOICES: Final = 3  # values that show the same, of one constraint
SHARING: Final = 6  # members that fit, in one body
LARGEST_SHARED: Final = 20_000  # bytes of a body whose value may stand beside others
_NO_SIDES: Final = {
    "x-open": "it marks an open question and bounds nothing",
    "x-rate-limit": "going over the limit is tested by TS-RATE-EXCEEDED",
}


@dataclass(frozen=True, slots=True)
class SideTest:
    """One side of one constraint. `pointer` is the JSON Pointer of the keyword in the document."""

    pointer: str
    side: Side


@dataclass(frozen=True, slots=True)
class BoundaryCase:
    """A request with the sides of constraints that it tests."""

    step: Step
    tests: tuple[SideTest, ...]


@dataclass(frozen=True, slots=True)
class BoundaryPlan:
    """Cases for both sides of every constraint; `reasons` for constraints without. `pointers` are all constraints."""

    cases: tuple[BoundaryCase, ...]
    pointers: tuple[str, ...]
    reasons: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class _Made:
    """A request for one value, before it is decided which values share a body."""

    constraint: Constraint
    value: BoundaryValue
    request: Request


_Choice: TypeAlias = tuple[BoundaryValue, Request]
_BETTER: Final = {  # the classes that show a side better than one of them does
    RequestClass.VALID: (RequestClass.REFUSED, RequestClass.OPEN),
    RequestClass.OPEN: (RequestClass.REFUSED,),
    RequestClass.REFUSED: (),
}


def boundary_plan(
    namer: Namer,
    *,
    seed: int = 0,
    document: Mapping[str, Any] | None = None,
    paths: Sequence[str] | None = None,
    pointers: Collection[str] | None = None,
) -> BoundaryPlan:
    """The cases for `document` (the installed one by default), in an order that the seed sets.

    `paths`: which paths may be sent to, all by default; constraints that stand elsewhere only get a reason.
    `pointers`: only these constraints. A constraint of a shared schema is tested at one of its places; see
    `further_cases` for the others.
    """
    document = spec.document() if document is None else document
    sampler = Sampler(document, namer)
    reasons: dict[str, str] = {}
    made: list[_Made] = []
    places = {key: found for key, found in _places(document).items() if pointers is None or key in pointers}
    for pointer, constraints in places.items():
        allowed = [one for one in constraints if paths is None or one.path in paths]
        found: list[_Made] = []
        for place in allowed:
            found = [one for one in _values(document, sampler, place) if not one.value.further]
            if _both_sides(found):
                break
        made += found
        if not _both_sides(found):
            reasons[pointer] = _reason(constraints, allowed, found)
    return BoundaryPlan(tuple(_ordered(_cases(made), seed)), tuple(places), reasons)


def further_cases(namer: Namer, *, seed: int = 0, paths: Sequence[str] | None = None) -> Iterator[BoundaryCase]:
    """More cases of the installed document: other values, and the other places of constraints of shared schemas."""
    sampler = Sampler(spec.document(), namer)
    places = list(_places(spec.document()).values())
    random.Random(f"further boundaries {seed}").shuffle(places)
    for constraints in places:
        allowed = [one for one in constraints if paths is None or one.path in paths]
        made = [
            one
            for number, place in enumerate(allowed)
            for one in _values(spec.document(), sampler, place)
            if number or one.value.further
        ]
        yield from _cases(made)


def _places(document: Mapping[str, Any]) -> dict[str, list[Constraint]]:
    """The request constraints by their pointers: a constraint of a shared schema has several places."""
    places: dict[str, list[Constraint]] = {}
    for constraint in walk(document):
        if constraint.direction is Direction.REQUEST:
            places.setdefault(constraint.pointer, []).append(constraint)
    return places


def _both_sides(made: Sequence[_Made]) -> bool:
    sides = {one.value.side for one in made}
    return "outside" in sides and len(sides) > 1


def _ordered(cases: Sequence[BoundaryCase], seed: int) -> list[BoundaryCase]:
    """The constraints as the seed sets it, those of the synchronous endpoint first; of each what is outside, then the
    rest, whose response shows whether the former left something behind."""
    testing: dict[str, list[BoundaryCase]] = {}
    for case in cases:
        for test in case.tests:
            testing.setdefault(test.pointer, []).append(case)
    pointers = list(testing)
    random.Random(f"boundaries {seed}").shuffle(pointers)
    ordered: dict[BoundaryCase, None] = {}
    for pointer in sorted(pointers, key=lambda one: testing[one][0].step.request.path != SYNC):
        sides = {SideTest(pointer, "outside")}
        ordered.update(dict.fromkeys(sorted(testing[pointer], key=lambda case: not sides & set(case.tests))))
    return list(ordered)


def _reason(constraints: Sequence[Constraint], allowed: Sequence[Constraint], found: Sequence[_Made]) -> str:
    first = constraints[0]
    if first.kind in _NO_SIDES:
        return _NO_SIDES[first.kind]
    if not allowed:
        return f"{first.path} is not among the paths that the run may use"
    if _is_beyond(first):
        return "the bound is higher than any value that a run makes"
    if all(set(one.place.split("/")) & FORBIDDEN_KEYS for one in constraints):
        return "what it bounds concerns devices or subscriptions, which a harmless run does not send"
    if all(one.place.endswith("}") and one.kind == "type" for one in constraints):
        return "the name of a member is always a text in JSON"
    if not found:
        return "no body was found in which the place stands"
    missing = "outside" if all(one.value.side != "outside" for one in found) else "inside"
    return f"no harmless value was found that is {missing} of this bound alone"


def _values(document: Mapping[str, Any], sampler: Sampler, constraint: Constraint) -> Iterator[_Made]:
    """Requests for the sides of `constraint` at its place, as far as they are harmless."""
    if constraint.header is not None or constraint.kind in _NO_SIDES or _is_beyond(constraint):
        return
    root = f"/paths/{constraint.path.replace('/', '~1')}/post/requestBody/content/application~1json/schema"
    holder, schema = _holder(document, constraint)
    if not constraint.place and constraint.kind in _OF_BODIES:
        bodies = _OF_BODIES[constraint.kind](sampler, root, constraint)
    else:
        bodies = _at_place(sampler, root, holder, schema, constraint)
    choices: list[_Choice] = []
    for value, request in bodies:
        if is_harmless(request, sampler.namer.prefix) is not None:
            continue
        if value.choice:
            choices.append((value, request))
        else:
            yield _Made(constraint, value, request)
    first, more = _chosen(choices)
    for number, (value, request) in enumerate(first + more):
        yield _Made(constraint, replace(value, further=value.further or number >= len(first)), request)


def _chosen(choices: list[_Choice]) -> tuple[list[_Choice], list[_Choice]]:
    """Those that show a side, and a few more. Where the first is not certainly refused, one that is goes with it; where
    the first is valid and none is, one that may be refused."""
    first, rest = choices[:1], choices[1:]
    if first:
        better = _BETTER[_class(first[0][1])]
        first += next(([one] for wanted in better for one in rest if _class(one[1]) is wanted), [])
    return first, [one for one in rest if one not in first][: CHOICES - len(first)]


def _class(request: Request) -> RequestClass:
    return classify_body(request.path, read_json(request.body).value).request_class


def _at_place(
    sampler: Sampler, root: str, holder: str, schema: Mapping[str, Any], constraint: Constraint
) -> Iterator[tuple[BoundaryValue, Request]]:
    place, alternatives = constraint.place, constraint.alternatives
    whole = sampler.pointer_at(root, place, alternatives)
    of_object = constraint.kind in _OF_OBJECTS and whole is not None
    sample = sampler.value(whole if of_object and whole else holder, alternatives, _name(place))
    keyword = Keyword(constraint.kind, constraint.value, schema, sample, sampler)
    for value in boundary_values(keyword):
        body = sampler.around(root, place, alternatives, value.value)
        if body is not None or not place:
            yield value, json_request(body, path=constraint.path)


def _name(place: str) -> str:
    """The member of which a value at `place` is one; the elements of a list of identifiers are such identifiers."""
    steps = place.split("/")
    return (
        {"external_ids": "external_id", "braze_ids": "braze_id"}.get(steps[-2], "")
        if steps[-1:] == [ITEM]
        else steps[-1]
    )


def _holder(document: Mapping[str, Any], constraint: Constraint) -> tuple[str, Mapping[str, Any]]:
    """The pointer of the schema in which the keyword stands, and the schema."""
    pointer = constraint.pointer
    if constraint.kind in ("not", "dependentSchemas"):
        holder = pointer[: pointer.rindex(f"/{constraint.kind}")]
    else:
        holder = pointer.rsplit("/", 2 if constraint.kind == "required" else 1)[0]
    return holder, spec.at(document, holder)


# --- bounds of whole bodies --------------------------------------------------------------------------------------


def _sized_bodies(sampler: Sampler, root: str, constraint: Constraint) -> Iterator[tuple[BoundaryValue, Request]]:
    """Bodies of a number of bytes: a valid one with spaces before its end."""
    bounds = constraint.value if isinstance(constraint.value, list) else [constraint.value]
    body = encode(sampler.value(root, constraint.alternatives))
    sides: tuple[tuple[Side, int], ...] = (("at", bounds[0]), ("outside", bounds[-1] + 1))
    for side, size in sides:
        yield BoundaryValue(side, None), raw_request(body[:-1].ljust(size - 1) + body[-1:], path=constraint.path)


def _deep_bodies(sampler: Sampler, root: str, constraint: Constraint) -> Iterator[tuple[BoundaryValue, Request]]:
    """Bodies with so many levels of objects in the one value that can hold them."""
    bound = constraint.value
    sides: tuple[tuple[Side, int], ...] = (("at", bound), ("outside", bound + 1), ("inside", bound - 1))
    for side, levels in sides:
        nested: Any = 1
        for _ in range(levels - _LEVELS_AROUND):
            nested = {"d": nested}
        body = sampler.around(root, f"/attributes/{ITEM}/{MEMBER}", constraint.alternatives, nested)
        yield BoundaryValue(side, None, further=side == "inside"), json_request(body, path=constraint.path)


def _batches(sampler: Sampler, root: str, constraint: Constraint) -> Iterator[tuple[BoundaryValue, Request]]:
    """Bodies with so many objects in all."""
    one = sampler.value(root, constraint.alternatives)
    sides: tuple[tuple[Side, int], ...] = (("at", constraint.value), ("outside", constraint.value + 1))
    for side, count in sides:
        body = {section: objects * count for section, objects in one.items()}
        yield BoundaryValue(side, None), json_request(body, path=constraint.path)


def _is_beyond(constraint: Constraint) -> bool:
    """Whether a bound is so high that a run makes no value of that size."""
    values = constraint.value if isinstance(constraint.value, list) else [constraint.value]
    most = _MOST.get(constraint.kind)
    return most is not None and any(isinstance(one, int | float) and one > most for one in values)


_MOST: Final[Mapping[str, int]] = {
    **dict.fromkeys(("minLength", "maxLength", "x-max-length", "x-max-bytes"), 10**7),
    **dict.fromkeys(("minItems", "maxItems", "x-max-elements", "x-max-batch"), MOST_ITEMS),
    **dict.fromkeys(("minProperties", "maxProperties", "x-max-distinct-properties"), MOST_ITEMS),
    "x-max-depth": 500,
}
_LEVELS_AROUND: Final = 3  # the body, its section, and the object in it
_OF_BODIES: Final = {"x-max-bytes": _sized_bodies, "x-max-depth": _deep_bodies, "x-max-batch": _batches}
_OF_OBJECTS: Final = ("required", "not", "dependentSchemas", "anyOf", "oneOf", "additionalProperties")


# --- which requests are sent -------------------------------------------------------------------------------------


def _cases(made: Sequence[_Made]) -> list[BoundaryCase]:
    """One case for each different request, after values that fit have been put together."""
    tests: dict[Request, list[SideTest]] = {}
    for request, shared in _shared(made):
        mine = tests.setdefault(request, [])
        mine += [SideTest(one.constraint.pointer, one.value.side) for one in shared]
    return [
        BoundaryCase(Step(request, label=_label(mine)), tuple(dict.fromkeys(mine))) for request, mine in tests.items()
    ]


def _label(tests: Sequence[SideTest]) -> str:
    first = tests[0]
    more = f" and {len(tests) - 1} more" if len(tests) > 1 else ""
    return f"{first.side} {first.pointer.removeprefix('/components/schemas/')}{more}"


def _shared(made: Sequence[_Made]) -> Iterator[tuple[Request, list[_Made]]]:
    """The requests, each with the values that it carries."""
    bodies: list[tuple[dict[str, Any], list[_Made]]] = []
    for one in made:
        member = _only_member(one)
        if member is None:
            yield one.request, [one]
            continue
        name, target = member
        own = f"{name}{len(bodies[-1][1]) if bodies else 0}" if name == CUSTOM else name
        if not bodies or own in bodies[-1][0] or len(bodies[-1][1]) >= SHARING:
            bodies.append(({key: value for key, value in target.items() if key != name}, []))
        bodies[-1][0][own] = target[name]
        bodies[-1][1].append(one)
    for target, shared in bodies:
        yield json_request({_SHARED_SECTION: [target]}), shared


def _only_member(one: _Made) -> tuple[str, dict[str, Any]] | None:
    """The optional member that the value is in, and the object around it; None where it needs a body of its own."""
    constraint = one.constraint
    steps = constraint.place.split("/")[1:]
    if one.value.side == "outside" or constraint.path != SYNC or len(steps) < _MEMBER_LEVEL:
        return None
    if constraint.section != _SHARED_SECTION:
        return None
    name = CUSTOM if steps[2] == MEMBER else steps[2]
    if name == KEY or name in bounds().identifiers or len(one.request.body) > LARGEST_SHARED:
        return None
    if _class(one.request) is not RequestClass.VALID:
        return None
    target = read_json(one.request.body).value[_SHARED_SECTION][0]
    return (name, target) if name in target else None


_SHARED_SECTION: Final = "attributes"  # the objects of the others do not take members of any name
_MEMBER_LEVEL: Final = 3  # section, element, member
