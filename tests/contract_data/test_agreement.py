"""Spec, classification and oracle say the same of every request, over ten thousand bodies of all sources.

The spec is put to a validator that knows nothing of our extensions; one of other hands says of some bodies whether that
one is right. The oracle is asked by what it says of a 201 and of a 400.
"""

from __future__ import annotations

import copy
import itertools
import json
import random
from collections import Counter
from collections.abc import Iterator
from typing import Any

import jsonschema_rs
from request_pages import PAGES
from spec_schemas import OPEN, REFUSED, VALID, validator

from tracksync.contract.bounds import SYNC
from tracksync.contract.classify import classify_body
from tracksync.contract.refusals import RequestClass
from tracksync.generate.boundaries import boundary_plan, further_cases
from tracksync.generate.harmless import Namer
from tracksync.generate.probes import PROBES
from tracksync.generate.robustness import robustness_steps
from tracksync.generate.schema_cases import schema_steps
from tracksync.generate.stateful import stateful_steps
from tracksync.model.exchange import Exchange, Request, Response
from tracksync.oracle import Belief, Settings, check
from tracksync.values.jsontext import read_json

WANTED = 10_000
LONGEST = 200_000  # bytes; longer ones only cost time here
REORDERED = 500  # bodies of each class, of which the members are put in another order too
COMPARED = 5  # every so many bodies are given to the second validator, which is slow
JSON = (("content-type", "application/json"),)
RATES = (("x-ratelimit-limit", "500"), ("x-ratelimit-remaining", "499"), ("x-ratelimit-reset", "1800000060"))
REFUSAL = json.dumps({"message": "Valid data must be provided.", "errors": ["a reason"]}).encode()
SUCCESS = json.dumps({"message": "success"}).encode()
JUNK: tuple[Any, ...] = (
    *(None, True, 0, -1, 1.5, 101, 16.0, 2**53, 2**63, 1e300, "", " ", " a ", "x" * 255, "x" * 256, "\0", "🎉" * 128),
    *("2024-02-29T00:00:00Z", "2023-02-29T00:00:00Z", "1582-12-31T00:00:00", "2022-12-06", "yesterday", "EUR", "eur"),
    *("XXX", "ZZZ", [], {}, [1, "a"], [None], [{}], [[1]], {"a": None}, {"a.b": 1}, {"$time": "1980-01-01"}),
    *({"inc": 1}, {"add": [1]}, {"$add": [{"a": 1}]}, {"a": {"$time": "never"}}, {"time": 1}, {"alias_name": "a"}),
)
START = Belief.start(Settings(clock_skew=2.0, interpretations={"purchase-events": "available"}))
NAMES = ("external_id", "email", "phone", "braze_id", "user_alias", "name", "time", "properties", "quantity", "price")


def written() -> Iterator[Any]:
    """Bodies that every phase of a run and the tests write."""
    namer = Namer("agreement", random.Random(0))
    boundaries = itertools.chain(boundary_plan(namer).cases, itertools.islice(further_cases(namer), 1_000))
    steps = itertools.chain(
        (step for probe in PROBES if not probe.heavy for step in probe.steps(namer)),
        robustness_steps(namer),
        (case.step for case in boundaries),
        schema_steps(1, namer, 28),
        itertools.islice(stateful_steps(1, "agreement"), 500),
    )
    for step in steps:
        text = read_json(step.request.body)
        if step.request.path == SYNC and text.valid and not text.quirks and len(step.request.body) < LONGEST:
            yield text.value
    for odd in itertools.chain(*PAGES.values()):
        if odd.path == SYNC and not isinstance(odd.body, bytes):
            yield odd.body
    yield from (*VALID.values(), *REFUSED.values(), *OPEN.values())


def spoiled(rng: random.Random, body: Any) -> Any:
    """`body` with one or two places of it changed, added or left out."""
    changed = json.loads(json.dumps(body))
    for _ in range(rng.choice((1, 1, 2))):
        places = list(_places(changed))
        if not places:
            return rng.choice(JUNK)
        holder, key = rng.choice(places)
        chance = rng.random()
        if chance < 0.25:
            del holder[key]
        elif chance < 0.4 and isinstance(holder, dict):
            holder[rng.choice(NAMES)] = copy.deepcopy(rng.choice(JUNK))
        else:
            holder[key] = copy.deepcopy(rng.choice(JUNK))
    return changed


def _places(node: Any) -> Iterator[tuple[Any, Any]]:
    inner = node.items() if isinstance(node, dict) else enumerate(node) if isinstance(node, list) else ()
    for key, value in list(inner):
        yield node, key
        yield from _places(value)


def bodies() -> dict[str, Any]:
    """Ten thousand bodies by their text."""
    rng = random.Random(5)
    plain = list(written())
    small = [body for body in plain if len(json.dumps(body)) < 4_000]
    found = {json.dumps(body): body for body in plain}
    while len(found) < WANTED:
        body = spoiled(rng, rng.choice(small))
        found.setdefault(json.dumps(body), body)
    return found


def broken_by(body: bytes, status: int) -> set[str]:
    """The clauses that the oracle finds broken where a server without users, that has purchase events, responds so."""
    request = Request("POST", SYNC, JSON, body)
    response = Response(status, (*JSON, *RATES), SUCCESS if status == 201 else REFUSAL)
    exchange = Exchange(request, response, 1_800_000_017.0, 1_800_000_017.1)
    result = check(START, exchange)
    return {finding.clause for finding in result.findings if finding.pointer == "/response/status"}


def test_spec_classification_and_oracle_say_the_same_of_ten_thousand_bodies() -> None:
    slow = validator("SyncRequest")
    quick = jsonschema_rs.Draft202012Validator(dict(slow.schema), validate_formats=True)
    classes: Counter[RequestClass] = Counter()
    for number, (text, body) in enumerate(bodies().items()):
        found = classify_body(SYNC, body)
        classes[found.request_class] += 1
        valid = found.request_class is RequestClass.VALID
        if found.request_class is not RequestClass.OPEN:  # what is open may fit: a member may depend on the workspace
            assert quick.is_valid(body) is valid, body
        if number % COMPARED == 0:
            assert quick.is_valid(body) is slow.is_valid(body), body
        refused = {condition.clause for condition in found.conditions if condition.refused}
        sent = text.encode()
        assert bool(broken_by(sent, 201) & refused) is bool(refused), body
        assert bool(broken_by(sent, 400)) is valid, body
        assert bool(found.conditions) is not valid, f"no reason is given: {body}"
        assert found.request_class is RequestClass.REFUSED or not refused, body
        if classes[found.request_class] <= REORDERED:
            assert classify_body(SYNC, _reversed(body)).request_class is found.request_class, body
    assert sum(classes.values()) == WANTED
    assert min(classes[one] for one in RequestClass) > 1_000


def _reversed(node: Any) -> Any:
    if isinstance(node, dict):
        return {key: _reversed(value) for key, value in reversed(node.items())}
    return [_reversed(item) for item in node] if isinstance(node, list) else node
