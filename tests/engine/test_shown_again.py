"""Every finding is shown once, and by a sequence that shows it again."""

from __future__ import annotations

import pytest
from fuzz_plans import fuzz_plan

from tracksync.engine import confirmation, fuzz, run
from tracksync.engine.confirmation import kind_of
from tracksync.engine.freshness import everything
from tracksync.engine.plan import EMBEDDED_RATE
from tracksync.engine.session import Session, TargetLost
from tracksync.generate.build import Step
from tracksync.model.events import Event, FindingConfirmed
from tracksync.oracle import Belief, Settings, check

FAULTS = ["event-count-stuck", "null-as-word"]


@pytest.mark.parametrize("fault", FAULTS)
def test_a_sequence_under_a_finding_shows_it_to_an_oracle_that_saw_nothing_else(fault: str) -> None:
    events: list[Event] = []
    fuzz(fuzz_plan(seed=3, faults=(fault,), phases=("probes",), requests=130), events.append)
    confirmed = [event for event in events if isinstance(event, FindingConfirmed)]
    assert confirmed
    kinds = [kind_of(event.finding) for event in confirmed]
    assert len(set(kinds)) == len(kinds)
    settings = Settings(rate_limit=EMBEDDED_RATE, fresh=everything, clock_skew=1.0)
    for event in confirmed:
        belief, last = Belief.start(settings), None
        for exchange in event.exchanges:
            last = check(belief, exchange)
            belief = last.belief
        assert last is not None
        shown = event.finding.clause in {finding.clause for finding in last.findings}
        assert shown or event.excerpt, event.finding


def test_shrinking_ends_where_its_requests_are_used_up_and_the_finding_is_shown_all_the_same(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def lengths(allowance: int) -> list[tuple[int, bool]]:
        monkeypatch.setattr(run, "MOCK_REQUESTS", allowance)
        events: list[Event] = []
        fuzz(fuzz_plan(seed=3, faults=("event-count-stuck",), only=("TS-EVENT-COUNT",), requests=40), events.append)
        return [(len(one.exchanges), one.excerpt) for one in events if isinstance(one, FindingConfirmed)]

    short, long = lengths(10_000), lengths(0)
    assert short
    assert len(short) == len(long)
    assert sum(one for one, _ in short) < sum(one for one, _ in long)
    assert not any(excerpt for _, excerpt in long)


@pytest.mark.parametrize("lost", [False, True])
def test_a_request_that_fails_for_good_is_shown_again_where_others_are_answered(
    monkeypatch: pytest.MonkeyPatch, lost: bool
) -> None:
    class Lost(Session):
        def send(self, step: Step) -> None:
            raise TargetLost("nothing responds")

    if lost:
        monkeypatch.setattr(confirmation, "Session", Lost)
    events: list[Event] = []
    fuzz(fuzz_plan(seed=0, faults=("null-500",), phases=("probes",), requests=10), events.append)
    confirmed = [event for event in events if isinstance(event, FindingConfirmed)]
    assert [(one.finding.clause, one.excerpt) for one in confirmed] == [("TS-ANSWER-SERVER-ERROR", lost)]
    assert lost or len(confirmed[0].exchanges) == 5  # four tries, and another request that is answered
