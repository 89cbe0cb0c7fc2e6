"""Stateful sequences: one seed gives one run; operations collide; values from strategies; plain things when shrunk."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import random
import re
import subprocess
import sys
from collections import Counter
from itertools import islice
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, find, given, seed, settings
from hypothesis.stateful import run_state_machine_as_test

from tracksync.generate import strategies, tables
from tracksync.generate.build import Step
from tracksync.generate.drawing import seeded
from tracksync.generate.harmless import Namer
from tracksync.generate.machine import Send, machine_class
from tracksync.generate.probes import PROBES
from tracksync.generate.renaming import identifiers_of
from tracksync.generate.schema_cases import schema_steps
from tracksync.generate.stateful import drawn, stateful_sequences, stateful_steps
from tracksync.model.exchange import Credential

QUIET = settings(
    max_examples=100, derandomize=True, deadline=None, database=None, suppress_health_check=list(HealthCheck)
)


PREFIX = "ts-random"


def namer() -> Namer:
    return Namer(PREFIX, random.Random(0))


def stream(seed: int, count: int) -> list[Step]:
    return list(islice(stateful_steps(seed, PREFIX), count))


def test_the_same_seed_gives_the_same_steps_and_another_seed_others() -> None:
    once = stream(1, 200)
    drawn.cache_clear()
    assert stream(1, 200) == once
    assert stream(2, 200) != once


def digest() -> str:
    """All that is fixed by seed and prefix, in one number; also run in a process of its own, see below."""
    sha = hashlib.sha256()
    for step in (*stream(3, 100), *(step for probe in PROBES if not probe.heavy for step in probe.steps(namer()))):
        sha.update(repr(step).encode("utf-8", "backslashreplace"))
    return sha.hexdigest()


def test_a_run_does_not_depend_on_the_process() -> None:
    hash_seed = "1" if os.environ.get("PYTHONHASHSEED") != "1" else "2"  # not that of this process
    here = Path(__file__).resolve().parent
    path = os.pathsep.join([str(here), str(here.parent / "support"), str(here.parent.parent / "contracts")])
    found = subprocess.run(
        [sys.executable, "-c", "import test_stateful as t; print(t.digest())"],
        env={**os.environ, "PYTHONHASHSEED": hash_seed, "PYTHONPATH": path},
        capture_output=True,
        text=True,
        check=True,
    )
    assert found.stdout.strip() == digest()


def test_schema_driven_steps_are_fixed_by_the_seed_and_all_different() -> None:
    once, again = (list(schema_steps(11, namer(), 20)) for _ in range(2))
    assert once == again
    assert len({step.request.body for step in once}) == 20
    assert {step.label for step in once} == {"schema, positive", "schema, negative"}


def bodies(steps: list[Step]) -> list[dict[str, Any]]:
    """The bodies that are JSON objects."""
    found = []
    for step in steps:
        with contextlib.suppress(ValueError):
            found.append(json.loads(step.request.body))
    return [body for body in found if isinstance(body, dict)]


def objects(steps: list[Step], section: str) -> list[dict[str, Any]]:
    listed = [body.get(section) for body in bodies(steps)]
    return [one[0] for one in listed if isinstance(one, list) and one and isinstance(one[0], dict)]


def test_operations_collide_on_users_events_and_attributes() -> None:
    steps = stream(1, 600)
    events = Counter((str(one.get("external_id")), str(one.get("name"))) for one in objects(steps, "events"))
    assert max(events.values()) >= 3
    names = Counter(name for one in objects(steps, "attributes") for name in one)
    assert sum(number > 1 for number in names.values()) >= 5


def test_values_are_drawn_that_no_table_holds() -> None:
    steps = stream(1, 600)
    known = {*tables.EVENT_NAMES, *tables.PRODUCTS, *tables.ATTRIBUTES}
    names = {str(one.get("name")) for one in objects(steps, "events")}
    assert len(names - known) >= 10
    text = " ".join(step.request.body.decode("utf-8", "replace") for step in steps)
    assert any(ord(character) > 0xFFFF for character in text)
    assert re.search(r"[0-9]{17}", text)
    times = {str(one.get("time")) for one in objects(steps, "events")} - set(tables.TIMES)
    assert len(times) >= 20


def test_every_sequence_has_users_of_its_own() -> None:
    sequences = list(islice(stateful_sequences(1, PREFIX), 12))
    assert len({sequence.scope for sequence in sequences}) == 12
    for sequence in sequences:
        for step in sequence.steps:
            for kind, *texts in identifiers_of(step.request, PREFIX):
                if kind == "external_id" and not texts[0].isdigit():
                    assert f"-{sequence.scope}-" in texts[0].casefold()


def test_sequences_look_at_what_is_stored_and_send_again_what_was_counted() -> None:
    labels = Counter(step.label.split(" at ")[0] for step in stream(1, 600))
    assert labels["a look"] >= 10
    assert labels["event"] + labels["purchase"] >= 60
    assert sum(number for label, number in labels.items() if label.endswith(" key")) >= 5


# --- strategies ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["valid", "keys", "update-only"])
def test_steps_shrink_to_what_a_person_would_have_written(kind: str) -> None:
    smallest = find(
        strategies.steps(namer(), [kind]),
        lambda step: b'"events"' in step.request.body,
        settings=QUIET,
        random=random.Random(0),
    )
    user = "ts-random-unknown-0" if kind == "update-only" else "ts-random-u"
    event = json.loads(smallest.request.body)["events"][0]
    event.pop("_update_existing_only", None)
    assert event == {"external_id": user, "name": "viewed", "time": "2023-06-01T00:00:00Z"}


def test_attributes_shrink_to_one_plain_value() -> None:
    steps = strategies.steps(namer(), ["valid"])
    smallest = find(steps, lambda step: b"attributes" in step.request.body, settings=QUIET, random=random.Random(0))
    assert smallest.request.body == b'{"attributes":[{"external_id":"ts-random-u","colour":"red"}]}'


def test_a_purchase_shrinks_to_the_plainest_one() -> None:
    smallest = find(
        strategies.steps(namer(), ["valid"]), lambda step: b"purchases" in step.request.body, settings=QUIET
    )
    assert json.loads(smallest.request.body) == {
        "purchases": [
            {
                "external_id": "ts-random-u",
                "product_id": "sku-1",
                "time": "2023-06-01T00:00:00Z",
                "currency": "USD",
                "price": 9.99,
            }
        ]
    }


def test_limits_are_met_from_both_sides() -> None:
    lengths: set[int] = set()
    quantities: set[object] = set()

    @settings(QUIET, max_examples=1500)
    @given(strategies.steps(namer(), ["boundary"]))
    def every(step: Step) -> None:
        body = json.loads(step.request.body)
        for one in body.get("attributes", []):
            if isinstance(one.get("colour"), str):
                lengths.add(len(one["colour"]))
            if isinstance(one.get("tags"), list):
                lengths.add(len(one["tags"]))
        for one in body.get("purchases", []):
            quantities.add(one.get("quantity"))

    every()
    assert {254, 255, 256, 499, 500, 501} <= lengths
    assert {99, 100, 101, 0, -1} <= quantities


def test_an_unknown_kind_is_an_error() -> None:
    with pytest.raises(KeyError, match="nonsense"):
        strategies.steps(namer(), ["nonsense"])


# --- the state machine --------------------------------------------------------------------------------------------


def test_what_send_raises_fails_the_machine_and_is_made_short() -> None:
    class BrokenError(AssertionError):
        pass

    shortest: list[list[Step]] = []

    def send_factory() -> Send:
        steps: list[Step] = []

        def send(step: Step) -> None:
            steps.append(step)
            if sum(one.label == "purchase" for one in steps) == 2:
                shortest.append(steps)
                raise BrokenError("two purchases")

        return send

    machine = seed(1)(machine_class(send_factory, namer))
    with pytest.raises(BrokenError):
        run_state_machine_as_test(machine, settings=settings(seeded(50, 8), phases=[Phase.generate, Phase.shrink]))
    assert [step.label for step in shortest[-1]] == ["purchase", "purchase"]
    assert shortest[-1][0].credential is Credential.VALID


def test_the_machine_tries_everything_it_knows() -> None:
    labels: Counter[str] = Counter()
    machine = machine_class(lambda: lambda step: labels.update([step.label]), namer)
    run_state_machine_as_test(machine, settings=seeded(30, 30))
    assert {"event", "purchase", "attributes", "an address", "not to be applied", "no key"} <= set(labels)
    assert any(label.startswith("a look at") for label in labels)
