"""No exchange makes the oracle raise, and checking does not change the belief that it was given."""

from __future__ import annotations

import json
import random
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from oracle_harness import JSON, LATER, SHOWN, SYNC, TIME, OracleHarness, bought, everything_new, purchase

from tracksync.engine.targets import EmbeddedMock
from tracksync.generate.stateful import stateful_steps
from tracksync.mock import MockConfig
from tracksync.model.exchange import Credential, Exchange, Failure, FailureKind, Request, Response
from tracksync.oracle import Belief, Settings, check

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


@settings(max_examples=200, deadline=None, suppress_health_check=list(HealthCheck))
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
def test_any_exchange_at_all_is_checked(script: list[tuple[Any, ...]]) -> None:
    belief = Belief.start(Settings(fresh=everything_new))
    for number, (path, method, body, status, response, credential, failure) in enumerate(script):
        request = Request(method, path, JSON, body)
        response = None if failure else Response(status, JSON, response)
        lost = Failure(failure) if failure else None
        belief = check(belief, Exchange(request, response, number, number + 0.5, credential, lost)).belief


ROW = {"name": "seen", "first": SHOWN, "last": SHOWN, "count": 1}
PROFILE = {"external_id": "u", "custom_attributes": {"a": 1}, "custom_events": [ROW]}
SOLD = {"first": SHOWN, "last": SHOWN, "count": 1}
DONE = {"message": "success"}
LAWFUL: list[tuple[str, dict[str, Any], dict[str, Any]]] = [
    (
        "/users/export/ids",
        {"external_ids": ["u"], "fields_to_export": ["custom_attributes", "custom_events", "purchases"]},
        {"users": [{**PROFILE, "purchases": [{"name": "sku", **SOLD}]}], "invalid_user_ids": [], **DONE},
    ),
    ("/users/delete", {"external_ids": ["u", "v"]}, {"deleted": 1, **DONE}),
    ("/users/delete", {"user_aliases": [{"alias_name": "u", "alias_label": "l"}]}, {"deleted": 1, **DONE}),
    ("/users/track", {"attributes": [{"external_id": "u", "a": 2}, {"external_id": "v"}]}, DONE),
    ("/users/track", {"events": [{"external_id": "u", "name": "seen", "time": LATER}]}, DONE),
    (
        SYNC,
        {"attributes": [{"external_id": "u", "a": 2}]},
        {"users": [{**PROFILE, "custom_attributes": {"a": 2}}], **DONE},
    ),
    (
        SYNC,
        {"attributes": [{"external_id": "u", "o": {"$add": [{"k": 1}]}, "l": {"add": [1]}, "_merge_objects": True}]},
        {"users": [{"external_id": "u", "custom_attributes": {"o": [{"k": 1}], "l": [1]}}], **DONE},
    ),
    (
        SYNC,
        {"events": [{"external_id": "u", "name": "seen", "time": TIME, "properties": {"p": 1}}]},
        {"users": [PROFILE], **DONE},
    ),
    (SYNC, purchase(quantity=2), bought(3)),
    (
        SYNC,
        {"events": [{"external_id": "u"}]},
        {"message": "no", "errors": [{"type": "t", "input_array": "events", "index": 0}]},
    ),
]
ODD = st.sampled_from(
    [None, True, 0, 5, -1, 1.5, "", "text", "u", [], [[]], [{}], [None], ["u", 5], {}, {"a": {}}, {"u": []}]
)


def places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    inside = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [path, *(place for key, item in inside for place in places(item, (*path, key)))]


def spoiled(value: Any, path: tuple[Any, ...], odd: Any) -> Any:
    if not path:
        return odd
    copy = value.copy()
    copy[path[0]] = spoiled(value[path[0]], path[1:], odd)
    return copy


def known_user() -> OracleHarness:
    harness = OracleHarness()
    assert harness.write({"a": 1}) == set()
    assert harness.event(1) == set()
    assert harness.check(purchase(), bought(1)) == []
    return harness


@settings(max_examples=250, deadline=None)
@given(st.data())
def test_an_exchange_that_is_odd_in_one_place_is_checked(data: st.DataObject) -> None:
    path, body, response = data.draw(st.sampled_from(LAWFUL))
    place = data.draw(
        st.sampled_from([(side, *inner) for side, whole in enumerate((body, response)) for inner in places(whole)])
    )
    odd_body, odd_answer = spoiled([body, response], place, data.draw(ODD))
    harness = known_user()
    status = 400 if "errors" in response else 201
    harness.check(odd_body, odd_answer, status, path=path, wait=data.draw(st.sampled_from([0.01, 400.0])))
    harness.write({"a": 3})


@pytest.mark.parametrize(
    "body", [{}, {"external_ids": 5}, {"external_ids": "u"}, {"external_ids": [{}, None]}, {"braze_ids": {}}]
)
def test_an_odd_deletion_is_checked_by_its_response(body: Any) -> None:
    assert known_user().check(body, {"deleted": 0, "message": "success"}, path="/users/delete") == []
    assert known_user().clauses(body, {"deleted": "0", "message": "success"}, path="/users/delete") == {
        "TS-DELETE-ANSWER"
    }


@pytest.mark.parametrize("wanted", [[{}], [[]], [None], 5, True, {"custom_attributes": 1}])
def test_an_export_of_oddly_named_fields_is_checked(wanted: Any) -> None:
    requested = {"external_ids": ["u"], "fields_to_export": wanted}
    assert known_user().check(requested, {"users": [PROFILE], **DONE}, path="/users/export/ids") == []


@pytest.mark.parametrize(
    ("name", "clause"),
    [([], "TS-EXPORT-ANSWER"), ({}, "TS-EXPORT-ANSWER"), (None, "TS-EXPORT-ANSWER"), (5, "TS-EXPORT-AGREES")],
)
def test_an_exported_event_without_a_usable_name_is_no_other_one(name: Any, clause: str) -> None:
    ambiguities = [{**ROW, "name": name}]
    response = {"users": [{**PROFILE, "custom_events": ambiguities}], **DONE}
    requested = {"external_ids": ["u"], "fields_to_export": ["custom_events"]}
    assert known_user().clauses(requested, response, path="/users/export/ids", wait=400.0) == {clause}


def test_responses_to_other_requests_and_damaged_ones_are_checked() -> None:
    rng = random.Random(7)
    target = EmbeddedMock(MockConfig(rate_limit=10_000))
    steps = stateful_steps(7, "robust")
    exchanges = [target.send(next(steps)) for _ in range(1000)]
    belief = Belief.start(Settings(fresh=everything_new))
    for number, exchange in enumerate(exchanges):
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
        belief = check(belief, mixed).belief
        if number % 50 == 0:
            links = [(identifier, link) for identifier, some in belief.links.items() for link in some]
            assert all(identifier in belief.users[link.uid].identifiers for identifier, link in links)


def test_a_belief_can_be_used_again() -> None:
    target = EmbeddedMock(MockConfig())
    steps = stateful_steps(3, "again")
    exchanges = [target.send(next(steps)) for _ in range(60)]
    beliefs = [Belief.start(Settings(fresh=everything_new))]
    first = []
    for exchange in exchanges:
        check_result = check(beliefs[-1], exchange)
        first.append(check_result.findings)
        beliefs.append(check_result.belief)
    second = [check(belief, exchange).findings for belief, exchange in zip(beliefs, exchanges, strict=False)]
    assert second == first
    assert not any(first)
