"""Nothing that a wire can bring makes the judge fall, and judging changes no belief that was handed in."""

from __future__ import annotations

import json
import random
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from court import JSON, SYNC, everything_new
from tracksync.engine.targets import EmbeddedMock
from tracksync.exchange import Credential, Exchange, Failure, FailureKind, Request, Response
from tracksync.generate.harmless import Namer
from tracksync.generate.random_steps import random_steps
from tracksync.mock import MockConfig
from tracksync.oracle import Belief, Settings, judge

values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5) | st.sampled_from(["u", "success"]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                """users message errors external_id user_alias alias_name alias_label custom_attributes custom_events
                purchase_events name first last count product_id attributes events purchases time a _merge_objects add
                remove inc $add $update $remove $time _update_existing_only email phone braze_id price currency
                quantity properties index input_array type deleted""".split()
            ),
            inner,
            max_size=5,
        )
    ),
    max_leaves=20,
)
bodies = values.map(lambda value: json.dumps(value).encode()) | st.binary(max_size=20)


@settings(max_examples=300, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    st.lists(
        st.tuples(
            st.sampled_from([SYNC, "/users/track", "/users/delete", "/users/export/ids", "/x", ""]),
            st.sampled_from(["POST", "GET", "BREW"]),
            bodies,
            st.sampled_from([201, 200, 204, 400, 401, 404, 429, 500, 999]),
            bodies,
            st.sampled_from(list(Credential)),
            st.sampled_from([None, *FailureKind]),
        ),
        max_size=4,
    )
)
def test_any_exchange_at_all_is_judged(script: list[tuple[Any, ...]]) -> None:
    belief = Belief.start(Settings(fresh=everything_new))
    for number, (path, method, body, status, answer, credential, failure) in enumerate(script):
        request = Request(method, path, JSON, body)
        response = None if failure else Response(status, JSON, answer)
        lost = Failure(failure) if failure else None
        belief = judge(belief, Exchange(request, response, number, number + 0.5, credential, lost)).belief


def test_answers_of_other_requests_and_spoiled_ones_are_judged() -> None:
    rng = random.Random(7)
    target = EmbeddedMock(MockConfig(rate_limit=10_000))
    steps = random_steps(7, Namer("robust", rng))
    exchanges = [target.send(next(steps)) for _ in range(1500)]
    belief = Belief.start(Settings(fresh=everything_new))
    for exchange in exchanges:
        other = rng.choice(exchanges)
        response = rng.choice([exchange, exchange, other]).response
        if response is not None and rng.random() < 0.3:
            text = response.body.replace(
                rng.choice([b"1", b'"', b"[", b":", b"users"]), rng.choice([b"", b"7", b"null"])
            )
            response = Response(response.status, response.headers, text)
        mixed = Exchange(
            exchange.request, response, exchange.sent, exchange.received, exchange.credential, exchange.failure
        )
        belief = judge(belief, mixed).belief


def test_a_belief_can_be_used_again() -> None:
    target = EmbeddedMock(MockConfig())
    steps = random_steps(3, Namer("again", random.Random(3)))
    exchanges = [target.send(next(steps)) for _ in range(60)]
    beliefs = [Belief.start(Settings(fresh=everything_new))]
    first = []
    for exchange in exchanges:
        judgement = judge(beliefs[-1], exchange)
        first.append(judgement.findings)
        beliefs.append(judgement.belief)
    second = [judge(belief, exchange).findings for belief, exchange in zip(beliefs, exchanges, strict=False)]
    assert second == first
    assert not any(first)
