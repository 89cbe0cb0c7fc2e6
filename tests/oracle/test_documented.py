"""The exchanges that the documents show are checked clean, alone and one after the other."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tracksync.contract import spec
from tracksync.model.exchange import Exchange, Request, Response
from tracksync.oracle import Belief, Settings, check

EXAMPLES = spec.examples()
RATE = (("X-RateLimit-Limit", "500"), ("X-RateLimit-Remaining", "{left}"), ("X-RateLimit-Reset", "1800000060"))


def exchange(name: str, number: int = 0, **changes: Any) -> Exchange:
    """The documented exchange; the documents leave the rate headers out, so they are added as LIMITS has them."""
    request, response = EXAMPLES[name]["request"], EXAMPLES[name]["response"]
    sent = 1_800_000_020.0 + number
    body = response["body"] | changes
    headers = (("Content-Type", "application/json"), *((key, text.format(left=499 - number)) for key, text in RATE))
    return Exchange(
        Request(
            request["method"], request["path"], tuple(request["headers"].items()), json.dumps(request["body"]).encode()
        ),
        Response(response["status"], headers, json.dumps(body).encode()),
        sent,
        sent + 0.2,
    )


def test_there_are_the_three_documented_exchanges() -> None:
    assert sorted(EXAMPLES) == ["attributes", "event", "purchase"]


@pytest.mark.parametrize("name", sorted(EXAMPLES))
def test_a_documented_exchange_has_no_findings(name: str) -> None:
    check_result = check(Belief.start(Settings()), exchange(name))
    assert check_result.findings == ()
    assert {"TS-OK-MESSAGE", "TS-OK-STATUS"} & check_result.covered, "it must have been looked at as a success"


@pytest.mark.parametrize("name", sorted(EXAMPLES))
def test_the_same_exchange_with_another_message_has_a_finding(name: str) -> None:
    check_result = check(Belief.start(Settings()), exchange(name, message="done"))
    assert [finding.clause for finding in check_result.findings] == ["TS-OK-MESSAGE"]


def test_the_three_after_each_other_have_no_findings() -> None:
    belief = Belief.start(Settings())
    for number, name in enumerate(sorted(EXAMPLES)):
        check_result = check(belief, exchange(name, number))
        assert check_result.findings == ()
        belief = check_result.belief
