"""What the oracle did not read makes unknown all that it may have touched, and no finding rests on it."""

from __future__ import annotations

import gzip
import json
from dataclasses import replace
from typing import Any

import pytest
from oracle_harness import EMAIL, SHOWN, SYNC, TIME, OracleHarness, U, V, attributed, counted

from tracksync.model.exchange import Exchange, Request, Response
from tracksync.oracle import Belief, Settings, check
from tracksync.oracle.unread import texts_in

EVENT = {"events": [{"external_id": "u", "name": "seen", "time": TIME}]}
DEEP = "[" * 150 + "]" * 150
START = 1_700_000_000.0
HEADERS = (
    ("content-type", "application/json"),
    ("x-ratelimit-limit", "500"),
    ("x-ratelimit-remaining", "499"),
    ("x-ratelimit-reset", "1700000040"),
)


def sent(body: bytes, answer: Any, status: int = 201, headers: tuple[tuple[str, str], ...] = HEADERS[:1]) -> Exchange:
    raw = answer if isinstance(answer, bytes) else json.dumps(answer).encode()
    response = Response(status, HEADERS, raw)
    return Exchange(Request("POST", SYNC, headers, body), response, START, START)


def clauses(*exchanges: Exchange) -> set[str]:
    """What is found in these exchanges, the rate headers aside, with every identifier new at the start."""
    belief = Belief.start(Settings(fresh=lambda kind, text: True))
    found: set[str] = set()
    for number, exchange in enumerate(exchanges):
        result = check(belief, replace(exchange, sent=START + number, received=START + number + 0.5))
        belief = result.belief
        found |= {one.clause for one in result.findings if not one.clause.startswith("TS-RATE-")}
    return found


def seen(count: int) -> Exchange:
    return sent(json.dumps(EVENT).encode(), counted({"external_id": "u"}, "seen", SHOWN, SHOWN, count))


UNREAD = {
    "too deep": b'{"events":[{"external_id":"u","name":"seen","time":"%s","properties":{"a":%s}}]}'
    % (TIME.encode(), DEEP.encode()),
    "equal names": b'{"events":[{"external_id":"v","external_id":"u","name":"seen","time":"%s"}]}' % TIME.encode(),
    "equal names, the first read": b'{"events":[{"external_id":"u","external_id":"v","name":"seen","time":"%s"}]}'
    % TIME.encode(),
}


@pytest.mark.parametrize("body", UNREAD.values(), ids=UNREAD)
@pytest.mark.parametrize("first", [True, False])
def test_a_request_that_was_not_read_and_accepted_leaves_its_users_unknown(body: bytes, first: bool) -> None:
    accepted = sent(body, {"users": [], "message": "success"})
    before = [] if first else [seen(1)]
    assert clauses(*before, accepted, seen(len(before) + 2)) == set()


@pytest.mark.parametrize("body", UNREAD.values(), ids=UNREAD)
def test_a_request_that_was_not_read_and_refused_changed_nothing(body: bytes) -> None:
    refused = sent(body, {"message": "m", "errors": [{"type": "t"}]}, 400)
    assert clauses(seen(1), refused, seen(2)) == set()
    (found,) = clauses(seen(1), refused, seen(3))
    assert found in ("TS-EVENT-COUNT", "TS-STATE-REFUSED")


def test_malformed_json_that_was_accepted_is_the_only_finding() -> None:
    body = json.dumps(EVENT).replace('"', "'").encode()
    assert clauses(seen(1), sent(body, {"message": "success"}), seen(3)) == {"TS-REFUSE-SYNTAX"}


def test_after_a_compressed_request_every_user_is_unknown() -> None:
    headers = (*HEADERS[:1], ("content-encoding", "gzip"))
    packed = sent(gzip.compress(json.dumps(EVENT).encode()), {"message": "success"}, headers=headers)
    assert clauses(seen(1), packed, seen(3)) == set()


def test_a_user_that_no_text_names_stays_known() -> None:
    other = UNREAD["too deep"].replace(b'"u"', b'"w"')
    assert clauses(seen(1), sent(other, {"message": "success"}), seen(3)) == {"TS-EVENT-COUNT"}


def test_a_response_that_is_nested_too_deep_is_not_held_against_the_server() -> None:
    body = b'{"attributes":[{"external_id":"u","o":{"d":%s}}]}' % DEEP.encode()
    shown = b'{"users":[{"external_id":"u","custom_attributes":{"o":{"d":%s}}}],"message":"success"}' % DEEP.encode()
    later = {"attributes": [{"external_id": "u", "o": {"e": 1}, "_merge_objects": True}]}
    after = attributed({"external_id": "u"}, {"o": {"e": 1, "d": []}})
    assert clauses(sent(body, shown), sent(json.dumps(later).encode(), after)) == set()


def test_a_lost_request_that_was_not_read_leaves_its_users_unknown_too() -> None:
    lost = Exchange(Request("POST", SYNC, HEADERS[:1], UNREAD["too deep"]), None, START, START)
    assert clauses(seen(1), lost, seen(3)) == set()


@pytest.mark.parametrize(
    ("body", "texts"),
    [
        (b'{"a": "b\\u0063", 12: \'d e\'}', {"a", "b\\u0063", "bc", "12", "d e"}),
        (b'{"a": "never closed', {"a", "never closed"}),
        (b"{name: value}", {"name", "value"}),
        (b"\xff\xfe", {"��"}),
    ],
)
def test_texts_are_found_in_any_notation(body: bytes, texts: set[str]) -> None:
    assert texts_in(body) == texts


def test_the_oracle_reads_again_after_what_it_did_not_read() -> None:
    harness = OracleHarness()
    assert harness.check(EVENT, counted({"external_id": "u"}, "seen", SHOWN, SHOWN, 1)) == []
    accepted = sent(UNREAD["too deep"], {"users": [], "message": "success"})
    again = [seen(1), accepted, seen(5), seen(7)]
    assert clauses(*again) == {"TS-EVENT-COUNT"}


def test_an_identifier_that_was_seen_beside_another_may_lead_to_a_user_of_its_own() -> None:
    email = {"email": "e@example.com"}
    for new in (True, False):
        harness = OracleHarness(new=new)
        harness.event(1, names={"external_id": "u", **email})
        assert (harness.event(7, names=email) == set()) is not new


def test_texts_are_found_in_every_encoding() -> None:
    for encoding in ("utf-8", "utf-16", "utf-16-be", "utf-32"):
        assert {"external_id", "ünï"} <= texts_in('{"external_id": "ünï"}'.encode(encoding))


def test_a_user_met_by_email_in_an_unknown_workspace_may_have_an_external_id() -> None:
    """Another holder of the email, who is known to have one, is then not certainly the one that is found."""
    harness = OracleHarness(new=False)
    assert harness.write({"a": 1}, names=EMAIL) == set()
    assert harness.write({"a": 1}, names=V, control=EMAIL) == set()
    assert harness.event(7, names=EMAIL) == set()  # of either, as each may be the last that was updated
    assert harness.event(1, names=V) == set()


def test_an_update_that_was_not_read_may_be_the_most_recent_one() -> None:
    harness = OracleHarness()
    for names in (U, V):
        assert harness.write({"a": 1}, names=names, control=EMAIL) == set()
    nested: Any = 1
    for _ in range(300):
        nested = [nested]
    unread = {"message": "success", "users": [{**U, "custom_attributes": {"a": nested}}]}
    assert harness.check({"attributes": [{**U, "a": 2}]}, unread) == []
    assert harness.event(1, names=EMAIL) == set()  # of U, whose update was not read
    assert harness.event(1, names=V) == set()
