"""The usual exchange costs less, and is checked with the same result."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from mixed_traffic import mixed

from tracksync.faults.catalogue import catalogue
from tracksync.model.exchange import Exchange
from tracksync.oracle import Belief, CheckResult, Settings, check, checking, rates
from tracksync.oracle.context import Context
from tracksync.oracle.usual import check_usual

FAULTS = st.none() | st.sampled_from(sorted(catalogue()))
START = Belief.start(Settings(fresh=lambda kind, text: True, clock_skew=1.0))


def check_at_length(belief: Belief, exchange: Exchange) -> CheckResult:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(checking, "check_usual", lambda *_: False)
        patch.setattr(rates, "_is_next", lambda *_: False)
        return check(belief, exchange)


@settings(max_examples=10, deadline=None, suppress_health_check=list(HealthCheck))
@given(seed=st.integers(0, 10**6), fault=FAULTS, odd=st.sampled_from([0.0, 0.1, 0.4]))
def test_a_usual_exchange_is_checked_with_the_same_result(seed: int, fault: str | None, odd: float) -> None:
    belief = START
    for exchange in mixed(seed, 40, fault=fault, odd=odd):
        result = check(belief, exchange)
        assert result == check_at_length(belief, exchange)
        belief = result.belief
    by_text = {identifier for some in belief.spellings.values() for identifier in some}
    assert by_text == set(belief.links)


def test_there_are_usual_exchanges_in_mixed_traffic(monkeypatch: pytest.MonkeyPatch) -> None:
    taken: list[bool] = []

    def counted(context: Context, body: dict[str, Any]) -> bool:
        taken.append(check_usual(context, body))
        return taken[-1]

    monkeypatch.setattr(checking, "check_usual", counted)
    belief = START
    for exchange in mixed(1, 60, odd=0.0):
        belief = check(belief, exchange).belief
    assert taken.count(True) > 10
