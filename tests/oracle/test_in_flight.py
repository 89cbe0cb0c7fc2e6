"""What a request without a response yet may do: it has been carried out when another is answered, or it has not."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
from oracle_harness import EMAIL, ONLY, REFUSAL, TIME, OracleHarness, U, V, request, seen

from tracksync.model.exchange import Request

NO_USER: dict[str, Any] = {"users": [], "message": "success"}
TWICE = b'{"attributes": [{"external_id": "u", "n": 1, "n": 2}]}'
MERGE = request({"merge_updates": []}, "/users/merge")


def compressed(one: Request) -> Request:
    return replace(one, headers=(*one.headers, ("content-encoding", "gzip")))


@pytest.mark.parametrize(
    ("other", "touches"),
    [
        (MERGE, True),
        (request({}, "/users/track/sync/"), True),
        (replace(MERGE, method="GET"), False),
        (request({}, "/campaigns/list"), False),
        (compressed(request(seen(V))), True),
        (compressed(request({"external_ids": ["v"]}, "/users/delete")), True),
        (replace(MERGE, path="/users/track/sync", body=TWICE), True),
        (replace(MERGE, path="/users/track/sync", body=TWICE.replace(b'"u"', b'"v"')), False),
        (request({"events": [*seen(V)["events"], *seen({**U, **EMAIL})["events"]]}, "/users/track"), True),
        (request(seen({**V, **EMAIL})), False),
    ],
)
def test_what_an_unread_request_may_touch_is_unknown_until_its_response_and_no_longer(
    other: Request, touches: bool
) -> None:
    harness = OracleHarness()
    harness.event(1)
    assert (harness.event(7, in_flight=(other,)) == set()) == touches
    if touches:
        assert harness.event(3, in_flight=(other,)) == harness.event(11) == set()
        assert harness.event(12) == set()
        assert harness.event(12) != set()


def test_a_refusal_of_an_unread_request_shows_nothing_more() -> None:
    harness = OracleHarness()
    harness.event(1)
    assert harness.event(7, in_flight=(MERGE,)) == set()
    assert harness.check(json.loads(MERGE.body), REFUSAL, 400, path=MERGE.path) == []
    assert harness.event(3) == set()
    assert harness.event(3) != set()


@pytest.mark.parametrize("users", [NO_USER["users"], [{**U, "custom_attributes": {"n": 1}}]])
@pytest.mark.parametrize("flag", [{}, ONLY])
def test_a_user_that_a_request_in_flight_creates_is_there_or_not(users: Any, flag: dict[str, Any]) -> None:
    update = {"attributes": [{**U, "n": 1, **ONLY}]}
    harness = OracleHarness()
    assert harness.check(update, NO_USER) == []
    found = harness.check(update, {**NO_USER, "users": users}, in_flight=(request(seen(U, **flag)),))
    assert (found == []) == (not users or not flag)


def test_a_user_may_have_been_created_after_a_request_had_looked_for_it() -> None:
    for overlaps in (True, False):
        harness = OracleHarness()
        assert harness.event(1) == set()
        harness.now -= 0.015 * overlaps
        assert (harness.check({"attributes": [{**U, "n": 1, **ONLY}]}, NO_USER) == []) == overlaps
        assert harness.event(2) == set()


@pytest.mark.parametrize("given_first", [True, False])
@pytest.mark.parametrize("count", [1, 6])
def test_an_email_that_is_given_meanwhile_leads_to_either_user(given_first: bool, count: int) -> None:
    harness = OracleHarness()
    for earlier in range(1, 6):
        harness.event(earlier)
    if given_first:
        assert harness.write({"n": 1}, control=EMAIL) == set()
        harness.now -= 0.015
        assert harness.event(count, names=EMAIL) == set()
    else:
        gives = request({"attributes": [{**U, **EMAIL, "n": 1}]})
        assert harness.event(count, names=EMAIL, in_flight=(gives,)) == set()
        harness.now -= 0.015
        assert harness.write({"n": 1}, control=EMAIL) == set()
    assert harness.event(count, names=EMAIL) == set()


def test_an_export_may_show_what_a_request_in_flight_writes() -> None:
    fields = {"external_ids": ["u"], "fields_to_export": ["external_id", "custom_events", "custom_attributes"]}
    counted = [{"name": "seen", "first": TIME, "last": TIME, "count": 2}]
    shown = [{**U, "custom_events": counted, "custom_attributes": {"m": 1, "n": 1}}]
    writes = (request(seen(U)), request({"attributes": [{**U, "n": 1}]}))
    for meanwhile, right in ((writes, True), (writes[:1], False), (writes[1:], False)):
        harness = OracleHarness()
        harness.event(1)
        harness.write({"m": 1})
        found = harness.check(
            fields,
            {"users": shown, "message": "success"},
            200,
            path="/users/export/ids",
            in_flight=meanwhile,
            wait=400.0,
        )
        assert (found == []) == right
