"""Stateful sequences that failed: stored without names or keys, sent again first, and made simple by Hypothesis."""

from __future__ import annotations

import json
import random
import shutil
from itertools import islice
from pathlib import Path
from typing import Any

import pytest
from fuzz_plans import fuzz_plan
from hypothesis.database import DirectoryBasedExampleDatabase

from tracksync.engine import fuzz
from tracksync.generate.build import Step
from tracksync.generate.failures import Failures, Shown, simplest
from tracksync.generate.harmless import Namer
from tracksync.generate.machine import Send
from tracksync.generate.stateful import Sequence, stateful_sequences
from tracksync.model.events import Event, ExchangeChecked, FindingConfirmed

KEY = "canary-key-0123456789"
PREFIX = "tsfailures"
FAULT = {"faults": ("purchase-count-stuck",), "phases": ("stateful",), "requests": 300}


def namer() -> Namer:
    return Namer("tslater", random.Random(0))


def some(count: int) -> list[Sequence]:
    return list(islice(stateful_sequences(1, PREFIX), count))


def replaced(sequence: Sequence, prefix: str, scope: str) -> list[bytes]:
    """The bodies of a sequence, for users of another run; phone numbers and integer names aside."""
    return [
        step.request.body.replace(f"{prefix}-{scope}-".encode(), b"X-")
        for step in sequence.steps
        if b'"phone"' not in step.request.body and b'"external_id":9' not in step.request.body
    ]


# --- the database -----------------------------------------------------------------------------------------------------


def test_a_stored_sequence_comes_again_with_the_same_operations_for_other_users(tmp_path: Path) -> None:
    stored = sorted(some(4), key=lambda one: (len(one.choices), one.choices))
    Failures(tmp_path).keep(stored, ())
    again = list(Failures(tmp_path).sequences(namer()))
    assert [one.scope for one in again] == ["f0", "f1", "f2", "f3"]
    for old, new in zip(stored, again, strict=True):
        assert len(new.steps) == len(old.steps)
        assert replaced(new, "tslater", new.scope) == replaced(old, PREFIX, old.scope)


def test_what_is_stored_holds_no_name_of_a_run(tmp_path: Path) -> None:
    Failures(tmp_path).keep(some(6), ())
    stored = b"".join(file.read_bytes() for file in tmp_path.rglob("*") if file.is_file())
    assert stored
    assert PREFIX.encode() not in stored


def test_a_sequence_that_fails_no_longer_is_forgotten(tmp_path: Path) -> None:
    first, second = some(2)
    Failures(tmp_path).keep([first, second], ())
    again = list(Failures(tmp_path).sequences(namer()))
    Failures(tmp_path).keep([], [one for one in again if one.choices == first.choices])
    assert [one.choices for one in Failures(tmp_path).sequences(namer())] == [second.choices]


def test_an_entry_of_another_version_is_passed_over(tmp_path: Path) -> None:
    DirectoryBasedExampleDatabase(tmp_path).save(b"tracksync stateful sequences", b"\xff\xff not choices")
    assert list(Failures(tmp_path).sequences(namer())) == []


# --- made simple ------------------------------------------------------------------------------------------------------


def test_a_sequence_is_made_simple_in_its_values_too() -> None:
    def start() -> Send:
        seen: list[Step] = []

        def send(step: Step) -> None:
            seen.append(step)
            if sum(b'"purchases"' in one.request.body for one in seen) == 2:
                raise Shown

        return send

    long = next(one for one in some(20) if sum(b'"purchases"' in step.request.body for step in one.steps) > 3)
    simple = simplest(long, PREFIX, start)
    assert simple is not None
    assert len(simple) < len(long.steps)
    last = json.loads(simple[-1].request.body)["purchases"][0]
    assert (last["product_id"], last["price"]) == ("sku-1", 9.99)


def test_a_sequence_that_does_not_fail_has_no_simple_form() -> None:
    assert simplest(some(1)[0], PREFIX, lambda: lambda step: None) is None


# --- in a run ---------------------------------------------------------------------------------------------------------


def events_of(**flat: Any) -> list[Event]:
    events: list[Event] = []
    fuzz(fuzz_plan(**flat), events.append)
    return events


def first_scope(events: list[Event]) -> bytes:
    bodies = [one.exchange.request.body for one in events if isinstance(one, ExchangeChecked) and one.phase != "probes"]
    return next(body for body in bodies if b"-u" in body).partition(b"-")[2][:2]


@pytest.fixture(scope="module")
def failed(tmp_path_factory: pytest.TempPathFactory) -> tuple[FindingConfirmed, Path]:
    """The finding of a run with a key, and the directory with the sequences that failed in it."""
    folder = tmp_path_factory.mktemp("examples")
    events = events_of(seed=1, examples=str(folder), key=KEY, **FAULT)
    (found,) = [one for one in events if isinstance(one, FindingConfirmed)]
    return found, folder


def test_what_failed_comes_first_in_the_next_run_and_goes_when_it_is_mended(
    failed: tuple[FindingConfirmed, Path], tmp_path: Path
) -> None:
    folder = shutil.copytree(failed[1], tmp_path / "examples")
    assert failed[0].finding.clause == "TS-PURCHASE-COUNT"
    assert list(Failures(folder).sequences(namer()))
    again = events_of(seed=9, examples=str(folder), shrink=False, **FAULT)
    assert first_scope(again) == b"f0"
    events_of(seed=9, examples=str(folder), **{**FAULT, "faults": ()})
    assert list(Failures(folder).sequences(namer())) == []


def test_the_finding_is_told_as_its_simple_sequence_shows_it(failed: tuple[FindingConfirmed, Path]) -> None:
    found, _ = failed
    shown = found.exchanges[-1].response
    assert len(found.exchanges) == 2
    assert (found.finding.expected, found.finding.actual) == (2, 1)
    assert shown is not None
    assert b'"count":1' in shown.body


def test_no_key_is_stored(failed: tuple[FindingConfirmed, Path]) -> None:
    stored = b"".join(file.read_bytes() for file in failed[1].rglob("*") if file.is_file())
    assert stored
    assert KEY.encode() not in stored


def test_without_a_directory_nothing_is_stored(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    events = events_of(seed=1, shrink=False, **FAULT)
    assert any(isinstance(one, FindingConfirmed) for one in events)
    assert list(tmp_path.rglob("*")) == []


def test_a_url_has_a_directory_by_default_and_the_mock_has_none() -> None:
    assert fuzz_plan().default_examples is None
    elsewhere = fuzz_plan(address="http://127.0.0.1:1")
    assert elsewhere.default_examples == ".hypothesis/examples"
