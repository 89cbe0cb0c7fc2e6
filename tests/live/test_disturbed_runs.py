"""Whole runs with disturbances: a third of all requests goes wrong, always lawfully, and nothing may be found."""

from __future__ import annotations

import pytest
from disturbed_runs import KEY, KINDS, Disturbances, DisturbedRun, disturbances_of, interpretations_of, run_disturbed
from fuzz_plans import fuzz_plan

from tracksync.contract.bounds import DELETE, EXPORT
from tracksync.engine import fuzz
from tracksync.generate.build import Step
from tracksync.model.events import Cleaned, Event, ExchangeChecked, RunEnded
from tracksync.model.exchange import Exchange, Failure, FailureKind

# These once led to a false finding, or to minutes of checking.
DISTURBED = (8, 106, 108, 201, 224, 288, 655, 659, 781)


@pytest.mark.parametrize("seed", DISTURBED)
def test_nothing_is_found_with_disturbances_that_once_misled_the_oracle(seed: int) -> None:
    run = run_disturbed(seed, disturbances_of(seed, 0.3), interpretations=interpretations_of(seed))
    assert run.findings == []
    assert run.ended.verdict == "passed"
    assert sum(run.disturbed_run.disturbed.values()) > 100


@pytest.mark.parametrize("kind", KINDS)
def test_no_kind_of_disturbance_is_a_finding_and_no_user_stays(kind: str) -> None:
    run = run_disturbed(5, Disturbances(share=0.02 if kind == "429" else 0.3, kinds=(kind,)), requests=260)
    assert run.findings == []
    assert run.cleaned.left == ()
    assert run.disturbed_run.users() == 0


def test_the_profiles_are_read_back_with_disturbances_too() -> None:
    assert "TS-EXPORT-AGREES" in run_disturbed(5, Disturbances(share=0.1)).covered


def test_a_fault_is_found_with_disturbances_and_shrunk() -> None:
    run = run_disturbed(8, Disturbances(share=0.1), requests=1500, faults=("event-count-third-lost",))
    (count,) = [event for event in run.confirmed if event.finding.clause == "TS-EVENT-COUNT"]
    assert len(count.exchanges) <= 6
    assert not count.excerpt
    assert run.ended.verdict == "failed"


# --- the cost of cleaning -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("requests", [3, 20, 60, 120, 500])
def test_deleting_counts_and_there_is_always_enough_left_for_it(requests: int) -> None:
    run = run_disturbed(4, Disturbances(share=0.0), requests=requests)
    assert run.disturbed_run.sent <= requests
    assert run.cleaned.requests > 0
    assert run.disturbed_run.users() == 0


def test_deleting_is_counted_with_the_rest() -> None:
    run = run_disturbed(5, Disturbances(share=0.0), requests=200)
    checked = [event for event in run.events if isinstance(event, ExchangeChecked)]
    cleaning = [event for event in checked if event.phase == "cleaning"]
    assert len(checked) == checked[-1].index == run.disturbed_run.sent
    assert len(cleaning) == run.cleaned.requests
    assert {event.exchange.request.path for event in cleaning} == {DELETE, EXPORT}


def test_seconds_are_kept_for_deleting() -> None:
    run = run_disturbed(5, Disturbances(share=0.0), requests=10**6, seconds=100.0)
    assert "100 seconds" in run.ended.reason
    assert run.disturbed_run.time - run.disturbed_run.began <= 105
    assert run.disturbed_run.users() == 0


# --- stopped by hand ------------------------------------------------------------------------------------------------


class Hanging(DisturbedRun):
    """Raises KeyboardInterrupt at the eightieth request, and answers nothing after that."""

    longest = 30.0
    stopped = 0.0

    def hurry(self, seconds: float) -> None:
        self.longest = seconds

    def send(self, step: Step) -> Exchange:
        if self.stopped:
            self.time += self.longest
            return Exchange(step.request, None, self.time, self.time, failure=Failure(FailureKind.TIMEOUT))
        if self.sent >= 80:
            self.stopped = self.time
            raise KeyboardInterrupt
        return super().send(step)


def test_a_run_that_is_stopped_while_the_target_hangs_ends_within_seconds_and_names_its_users() -> None:
    disturbed_run = Hanging(5, Disturbances(share=0.0))
    events: list[Event] = []
    plan = fuzz_plan(address=disturbed_run.name, key=KEY, seed=5, prefix="disturbed-aaaaaaaaaaaa")
    fuzz(plan, events.append, lambda target, prefixes: disturbed_run)
    (cleaned,) = [event for event in events if isinstance(event, Cleaned)]
    assert disturbed_run.stopped
    assert disturbed_run.time - disturbed_run.stopped < 20
    assert len(cleaned.left) == cleaned.users > 0
    assert "stopped by hand" in cleaned.why
    ended = events[-1]
    assert isinstance(ended, RunEnded)
    assert ended.verdict == "incomplete"
