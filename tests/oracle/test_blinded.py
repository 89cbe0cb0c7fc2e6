"""What the oracle does not examine it holds against no user: whatever a run is shown of, a correct server passes.

`python tools/blinded-runs 200` does the same over many runs.
"""

from __future__ import annotations

import pytest
from blinded_runs import REASONS, Accusation, accusations, identifiers_of, recorded
from oracle_harness import OracleHarness, U, seen

from tracksync.model.exchange import Exchange, FailureKind


@pytest.mark.parametrize("seed", [13, 14, 16])
def test_no_user_of_a_correct_server_is_accused_whatever_is_not_examined(seed: int) -> None:
    exchanges = recorded(seed, requests=160)
    found = [
        accusations(exchanges, seed + blinding, overlapping=blinding > 0, share=None if blinding < 2 else 0.0)
        for blinding in range(3)
    ]
    assert [one for blinding in found for one in blinding] == []


def users(exchanges: list[Exchange]) -> dict[str, str]:
    """By identifier, one name for all users that some request may have brought together."""
    leader: dict[str, str] = {}

    def root(one: str) -> str:
        while leader.setdefault(one, one) != one:
            one = leader[one]
        return one

    for exchange in exchanges:
        named = sorted(identifiers_of(exchange)) if exchange.request.path == "/users/track/sync" else []
        for one in named:
            leader[root(one)] = root(named[0])
    return {one: root(one) for one in list(leader)}


def accused(found: list[Accusation], named: dict[str, str]) -> set[str]:
    state = [one for one in found if not one.finding.clause.startswith("TS-RATE-")]
    return {named.get(one, one) for accusation in state for one in identifiers_of(accusation.exchange)}


@pytest.mark.parametrize(
    "fault", ["event-count-third-lost", "every-seventh-user-not-stored", "every-seventh-user-an-hour-off"]
)
def test_no_other_user_is_accused_of_a_fault_whatever_is_not_examined(fault: str) -> None:
    exchanges = recorded(4, requests=160, faults=(fault,))
    named = users(exchanges)
    right = accused(list(accusations(exchanges, 0, share=0.0)), named)
    assert right
    for blinding in range(3):
        assert accused(list(accusations(exchanges, blinding)), named) <= right


def test_every_reason_changes_what_the_oracle_is_shown() -> None:
    exchange = next(one for one in recorded(12, requests=20) if one.response is not None and one.response.status == 201)
    same = [reason for reason, change in REASONS.items() if change(exchange) == exchange]
    assert same == ["another request in flight"]


def test_a_lone_surrogate_in_another_encoding_is_read_like_one_that_is_escaped() -> None:
    body = '{"events":[{"external_id":"u\ud83c","name":"seen","time":"2022-12-06T19:20:45Z"}]}'
    raw = body.replace("\ud83c", "\\ud83c").encode("utf-16")
    assert OracleHarness().check(raw, {"message": "no", "errors": ["no"]}, 400) == []


def test_a_request_without_a_response_may_have_used_up_the_window() -> None:
    harness = OracleHarness()
    window = {"x-ratelimit-remaining": "1"}
    assert harness.clauses(seen(U), failure=FailureKind.TIMEOUT) == set()
    assert harness.event(2, headers=window) == set()
    harness.check(seen({"external_id": "v"}), failure=FailureKind.TIMEOUT)
    over = {"message": "over", "errors": ["over"]}
    assert harness.check(seen(U), over, 429, headers={"x-ratelimit-remaining": "0"}) == []
