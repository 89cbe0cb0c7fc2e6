"""The pace: rate headers decide when the next request may be sent, also when other jobs use the same window."""

from __future__ import annotations

from collections.abc import Callable
from email.utils import formatdate

import pytest

from tracksync.contract.bounds import SYNC
from tracksync.engine.budget import Budget, BudgetSpent
from tracksync.engine.pace import Pace
from tracksync.engine.session import Session, SessionConfig, TargetLost
from tracksync.generate.build import Step, attributes_request
from tracksync.model.events import Event, ExchangeChecked, Paused, Retried
from tracksync.model.exchange import Credential, Exchange, Failure, FailureKind, Response
from tracksync.oracle import Belief, Settings

NOW = 1_800_000_000.0


def answer(status: int = 201, *, remaining: int = 400, reset: float = NOW + 60, date: float | None = None) -> Response:
    headers = [
        ("x-ratelimit-limit", "500"),
        ("x-ratelimit-remaining", str(remaining)),
        ("x-ratelimit-reset", str(int(reset))),
    ]
    if date is not None:
        headers.append(("date", formatdate(date, usegmt=True)))
    return Response(status, tuple(headers), b'{"message":"success","users":[]}')


def test_nothing_is_waited_for_while_requests_remain() -> None:
    pace = Pace()
    pace.read(SYNC, answer(remaining=3), NOW)
    assert pace.wait(SYNC, NOW) == 0.0


def test_a_window_that_is_used_up_is_waited_out_until_its_reset() -> None:
    pace = Pace()
    pace.read(SYNC, answer(remaining=0, reset=NOW + 20), NOW)
    assert 20 < pace.wait(SYNC, NOW) < 21


def test_a_request_counts_although_its_answer_is_lost() -> None:
    pace = Pace()
    pace.read(SYNC, answer(remaining=1, reset=NOW + 20), NOW)
    pace.sending(SYNC)
    pace.read(SYNC, None, NOW)
    assert pace.wait(SYNC, NOW) > 0


def test_as_many_are_left_over_as_another_job_took_between_two_of_ours() -> None:
    pace = Pace()
    pace.read(SYNC, answer(remaining=20), NOW)
    pace.sending(SYNC)
    pace.read(SYNC, answer(remaining=9), NOW)  # ten of them were sent by another client
    assert pace.wait(SYNC, NOW) > 0
    assert Pace().wait(SYNC, NOW) == 0.0


def test_in_a_new_window_there_is_no_wait() -> None:
    pace = Pace()
    pace.read(SYNC, answer(remaining=0, reset=NOW + 20), NOW)
    assert pace.wait(SYNC, NOW + 21) == 0.0
    pace.read(SYNC, answer(remaining=499, reset=NOW + 80), NOW + 21)
    assert pace.wait(SYNC, NOW + 22) == 0.0


def test_the_reset_is_in_the_servers_time_when_its_clock_differs() -> None:
    pace = Pace()
    pace.read(SYNC, answer(remaining=0, reset=NOW + 20, date=NOW - 100), NOW)
    assert 119 < pace.wait(SYNC, NOW) < 121


@pytest.mark.parametrize("slow", [0.4, 1.4, 1.9])
def test_no_request_is_sent_before_the_reset_on_a_clock_that_is_slow_by_less_than_two_seconds(slow: float) -> None:
    pace = Pace()
    for tenth in range(30):  # responses at any part of a second
        now = NOW + 1 + tenth / 10
        pace.read(SYNC, answer(remaining=1, reset=NOW + 60, date=float(int(now - slow))), now)
    pace.read(SYNC, answer(remaining=0, reset=NOW + 60), NOW + 5)
    arrival = NOW + 5 + pace.wait(SYNC, NOW + 5) - slow  # on the server's clock
    assert NOW + 60 <= arrival < NOW + 61.2


def test_a_429_without_a_reset_is_waited_out_until_the_next_clock_minute() -> None:
    pace = Pace()
    pace.read(SYNC, Response(429), NOW + 15)
    assert 45 <= pace.wait_after_limit(SYNC, NOW + 15) < 46


def test_each_endpoint_has_a_window_of_its_own() -> None:
    pace = Pace()
    pace.read("/users/export/ids", answer(remaining=0), NOW)
    assert pace.wait(SYNC, NOW) == 0.0
    assert pace.wait("/users/export/ids", NOW) > 0


# --- a session on a target that does as it is told ------------------------------------------------------------------


class Scripted:
    """A target that responds from a function, with a clock that jumps over every pause."""

    name, clock_skew, settling = "scripted", 1.0, 0.0

    def __init__(self, script: Callable[[int, Step, float], Response | FailureKind]) -> None:
        self.script = script
        self.sent: list[Step] = []
        self.time = NOW

    def now(self) -> float:
        return self.time

    def sleep(self, seconds: float) -> None:
        self.time += seconds

    def can(self, credential: Credential) -> bool:
        return True

    def hurry(self, seconds: float) -> None:
        return None

    def close(self) -> None:
        return None

    def send(self, step: Step) -> Exchange:
        self.sent.append(step)
        self.time += 0.1
        outcome = self.script(len(self.sent), step, self.time)
        if isinstance(outcome, FailureKind):
            return Exchange(step.request, None, self.time, self.time + 0.1, failure=Failure(outcome))
        return Exchange(step.request, outcome, self.time, self.time + 0.05)


def step(name: str = "u") -> Step:
    return Step(attributes_request({"external_id": f"tsaaaaaaaaaaaa-{name}"}, {"colour": "red"}))


def session(target: Scripted, budget: Budget | None = None) -> tuple[Session, list[Event]]:
    events: list[Event] = []
    config = SessionConfig(
        budget=budget or Budget(), pulse=lambda number: step(f"pulse-{number}"), outage_timeout=300.0, seed=1
    )
    return Session(target, Belief.start(Settings()), events.append, config), events


def failures(events: list[Event]) -> list[str]:
    """What was found about answers that fail; the scripted answers are too bare to be right otherwise."""
    found = [finding.clause for event in events if isinstance(event, ExchangeChecked) for finding in event.findings]
    return [clause for clause in found if clause in ("TS-ANSWER-SERVER-ERROR", "TS-ANSWER-ARRIVES")]


def test_an_outage_is_waited_out_and_is_not_a_finding() -> None:
    def script(number: int, one: Step, now: float) -> Response:
        return Response(503) if NOW + 5 < now < NOW + 100 else answer(reset=now // 60 * 60 + 60, remaining=400 - number)

    target = Scripted(script)
    made, events = session(target)
    made.send(step())
    target.time = NOW + 6
    exchange = made.send(step("v"))
    assert exchange is not None
    assert exchange.response is not None
    assert exchange.response.status == 201
    assert failures(events) == []
    assert any(isinstance(event, Retried) and event.why == "503" for event in events)


def test_a_target_that_never_comes_back_ends_the_run() -> None:
    target = Scripted(lambda number, one, now: FailureKind.UNREACHABLE if number > 1 else answer())
    made, _ = session(target)
    made.send(step())
    with pytest.raises(TargetLost, match="answered nothing for"):
        made.send(step("v"))


def test_a_request_that_alone_goes_wrong_again_and_again_is_a_finding() -> None:
    def script(number: int, one: Step, now: float) -> Response:
        broken = b"-bad" in one.request.body
        return Response(503) if broken else answer(reset=now // 60 * 60 + 60, remaining=400 - number)

    made, events = session(Scripted(script))
    made.send(step())
    made.send(step("bad"))
    assert failures(events) == ["TS-ANSWER-SERVER-ERROR"]


def test_a_pause_longer_than_the_budget_ends_the_run_instead() -> None:
    target = Scripted(lambda number, one, now: answer(remaining=0, reset=now + 50))
    made, events = session(target, Budget(seconds=10))
    made.send(step())
    with pytest.raises(BudgetSpent, match="10 seconds"):
        made.send(step())
    assert not any(isinstance(event, Paused) for event in events)


def test_data_points_are_counted_and_never_overspent() -> None:
    made, _ = session(Scripted(lambda number, one, now: answer(remaining=400 - number)), Budget(data_points=3))
    for _ in range(3):
        made.send(step())
    with pytest.raises(BudgetSpent, match="3 data points"):
        made.send(step())
    assert made.spending.data_points == 3
