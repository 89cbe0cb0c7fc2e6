"""The phases of a run: their order, their share of the budget, and what is in every run."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest
from fuzz_plans import fuzz_plan

from tracksync.engine import fuzz
from tracksync.engine.targets import EmbeddedMock
from tracksync.generate.build import Step
from tracksync.mock import MockConfig
from tracksync.model.events import (
    PHASES,
    ConstraintsCounted,
    Event,
    ExchangeChecked,
    FindingConfirmed,
    PhaseStarted,
    RunEnded,
)
from tracksync.model.exchange import Exchange, Failure, FailureKind, Response


def events_of(target: Any = None, **flat: Any) -> list[Event]:
    events: list[Event] = []
    fuzz(fuzz_plan(**flat), events.append, None if target is None else lambda inner, prefixes: target)
    return events


def by_phase(events: list[Event]) -> Counter[str]:
    return Counter(event.phase for event in events if isinstance(event, ExchangeChecked))


def test_a_run_without_the_schema_phase_has_the_others_in_order_and_finds_nothing_in_the_mock() -> None:
    events = events_of(seed=4, requests=1000, phases=("probes", "boundaries", "stateful"))
    started = list(dict.fromkeys(event.name for event in events if isinstance(event, PhaseStarted)))
    assert started == ["probes", "boundaries", "stateful"]
    assert not [event.finding for event in events if isinstance(event, FindingConfirmed)]
    sent = by_phase(events)
    assert sum(sent.values()) == 1000
    assert all(sent[phase] >= 100 for phase in ("probes", "boundaries", "stateful"))


def test_only_the_chosen_phases_run() -> None:
    sent = by_phase(events_of(seed=1, requests=60, phases=("stateful",)))
    assert set(sent) == {"probes", "stateful"}
    assert sent["probes"] == 1  # the one that sees whether the target answers


def test_the_constraints_that_were_tried_are_counted_and_the_others_have_a_reason() -> None:
    (full,) = [one for one in events_of(requests=600, phases=("boundaries",)) if isinstance(one, ConstraintsCounted)]
    assert full.covered + len(full.not_covered) == full.total
    assert "the budget ended before it" not in full.not_covered.values()
    (short,) = [one for one in events_of(requests=120, phases=("boundaries",)) if isinstance(one, ConstraintsCounted)]
    assert 0 < short.covered < full.covered
    assert "the budget ended before it" in short.not_covered.values()


class Careless(EmbeddedMock):
    """A mock behind a gateway that gives up on some bodies: it answers 500 or cuts the connection."""

    def __init__(self, breaks: Any, how: Response | FailureKind) -> None:
        super().__init__(MockConfig(rate_limit=10_000))
        self.breaks, self.how = breaks, how

    def send(self, step: Step) -> Exchange:
        exchange = super().send(step)
        if not self.breaks(step.request.body):
            return exchange
        if isinstance(self.how, Response):
            return Exchange(step.request, self.how, exchange.sent, exchange.received, step.credential)
        failure = Failure(self.how, "cut")
        return Exchange(step.request, None, exchange.sent, exchange.received, step.credential, failure)


def nested(body: bytes, depth: int) -> bool:
    return b'{"d":' * depth in body or b"[" * depth in body


BREAKING = {
    "2^53": lambda body: b"9007199254740993" in body,
    "2^63": lambda body: b"9223372036854775808" in body,
    "2^64": lambda body: b"18446744073709551617" in body,
    "10^30": lambda body: b"1" + b"0" * 29 in body,
    "1e400": lambda body: b"1e400" in body,
    "15 levels": lambda body: nested(body, 15),
    "150 levels": lambda body: nested(body, 150),
    "1500 levels": lambda body: nested(body, 1500),
    "NUL": lambda body: b"\\u0000" in body,
    "a lone surrogate": lambda body: b"\\ud83c" in body and b"\\udf" not in body,
    "a megabyte": lambda body: b"x" * 2**20 in body,
    "an empty name": lambda body: b'"":' in body,
    "thousands of keys": lambda body: body.count(b'":') > 4000,
}


class Found(Exception):
    """Ends a run at the finding that was looked for."""

    def __init__(self, event: ExchangeChecked) -> None:
        super().__init__(event)
        self.event = event


def up_to_a_gateway_error(event: Event) -> None:
    if isinstance(event, ExchangeChecked) and any(one.clause.startswith("TS-ANSWER-") for one in event.findings):
        raise Found(event)


@pytest.mark.parametrize("how", [Response(500, (), b"oops"), FailureKind.RESET], ids=["500", "cut"])
@pytest.mark.parametrize("name", BREAKING)
def test_a_server_that_gives_up_on_a_known_breaker_is_found_in_three_hundred_requests(name: str, how: Any) -> None:
    seed = sorted(BREAKING).index(name)
    with pytest.raises(Found) as found:  # each failing request is tried four times
        fuzz(
            fuzz_plan(seed=seed, requests=330, shrink=False),
            up_to_a_gateway_error,
            lambda inner, prefixes: Careless(BREAKING[name], how),
        )
    assert BREAKING[name](found.value.event.exchange.request.body)


def test_one_seed_gives_one_run() -> None:
    def bodies(seed: int) -> list[bytes]:
        events = events_of(seed=seed, requests=420, phases=("boundaries", "stateful"))
        return [event.exchange.request.body for event in events if isinstance(event, ExchangeChecked)]

    once = bodies(5)
    assert bodies(5) == once
    assert bodies(6) != once


def test_all_phases_are_in_a_run_by_default() -> None:
    assert fuzz_plan().phases == PHASES


def test_clauses_that_are_chosen_leave_out_every_other_phase() -> None:
    events = events_of(seed=1, only=("TS-OK-MESSAGE",))
    assert set(by_phase(events)) == {"probes"}
    ended = events[-1]
    assert isinstance(ended, RunEnded)
    assert ended.verdict == "passed"


@pytest.mark.parametrize("clause", ["TS-RATE-EXCEEDED", "TS-RATE-429"])
def test_a_clause_on_the_limit_that_is_chosen_by_itself_is_tried(clause: str) -> None:
    events = events_of(only=(clause,), rate_limit=20, requests=60, target=EmbeddedMock(MockConfig(rate_limit=20)))
    assert clause in {one for event in events if isinstance(event, ExchangeChecked) for one in event.covered}
