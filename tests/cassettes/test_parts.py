"""A recording that is checked in parts gives what one process gives, however its users are divided."""

from __future__ import annotations

import json
import random
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from itertools import chain, repeat
from typing import Any
from unittest.mock import patch

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from mixed_traffic import mixed
from msgspec import structs
from partitioned import Outcome, by_one_process, differences, in_parts, interactions_of

from tracksync.cassettes.checking import FILTERED_APART
from tracksync.cassettes.interaction import Interaction
from tracksync.cassettes.manifest import EVERYTHING, ManifestEntry
from tracksync.cassettes.parallel import blocks, connections
from tracksync.cassettes.parallel.connections import Connections, groups_named, only_identifier
from tracksync.cassettes.parallel.part import Change, Partition
from tracksync.cassettes.parallel.routing import Router
from tracksync.cassettes.parallel.shares import Costs, assigned
from tracksync.contract.bounds import SYNC
from tracksync.engine.targets import EmbeddedMock
from tracksync.faults.catalogue import catalogue, servers
from tracksync.generate.build import Step, attributes_request, json_request
from tracksync.mock import MockConfig
from tracksync.model.exchange import Exchange, Request, Response
from tracksync.oracle import Belief, Settings, in_flight, same_user, unread
from tracksync.oracle.parts import Effect, shared_of
from tracksync.oracle.written import Written

DELETE = "/users/delete"
FAULTS = st.none() | st.sampled_from(sorted(catalogue()))


def compared(
    interactions: list[Interaction], parts: int, seed: int, longest: int, entry: ManifestEntry | None
) -> list[str]:
    def part_of(leader: int) -> int:
        return hash((leader, seed)) % parts

    other: Outcome = in_parts(interactions, parts, entry=entry, assign=part_of, longest=longest)
    return differences(by_one_process(interactions, entry=entry), other)


@contextmanager
def texts_of_a_body(most: int) -> Iterator[None]:
    """A body with more texts may name anyone. What was remembered of bodies under another bound is dropped."""
    remembered = (unread.texts_in, in_flight._effect)
    try:
        for one in remembered:
            one.cache_clear()
        with patch.object(unread, "MAX_TEXTS", most):
            yield
    finally:
        for one in remembered:
            one.cache_clear()


@settings(max_examples=22, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    seed=st.integers(0, 10**6),
    fault=FAULTS,
    parts=st.integers(2, 5),
    longest=st.sampled_from([1, 5, 64, 4096]),
    odd=st.sampled_from([0.0, 0.1, 0.4]),
    new=st.booleans(),
    texts=st.sampled_from([4, unread.MAX_TEXTS]),
    keys=st.sampled_from([1, 1, 2]),
)
def test_any_division_gives_one_result(
    seed: int, fault: str | None, parts: int, longest: int, odd: float, new: bool, texts: int, keys: int
) -> None:
    recorded = interactions_of(mixed(seed, 60, fault=fault, odd=odd))
    draw = random.Random(seed)
    interactions = [structs.replace(one, party=draw.randrange(keys)) for one in recorded]
    entry = ManifestEntry(fresh=EVERYTHING) if new else None
    with texts_of_a_body(texts):
        assert compared(interactions, parts, seed, longest, entry) == []


def test_a_body_that_may_have_too_many_texts_is_read_for_whom_it_names() -> None:
    (exchange,) = played([inc("ada")])
    only = only_identifier(exchange.request.body)
    assert same_user.noted_usual(Written(), Settings(), exchange, only) is not None
    with texts_of_a_body(2 * len(exchange.request.body) - 1):
        assert same_user.noted_usual(Written(), Settings(), exchange, only) is None


USERS = ("ada", "bob")


def by_name(leader: int) -> int:
    """Ada's exchanges are in part 0, all others in part 1."""
    return int(leader != groups_named(SYNC, b'{"attributes":[{"external_id":"ada"}]}', b"")[0][0])


def played(requests: list[Request], fault: str | None = None) -> list[Exchange]:
    target = EmbeddedMock(MockConfig(faults=tuple(servers([fault])) if fault else ()))
    return [target.send(Step(request)) for request in requests]


def the_same(exchanges: list[Exchange], keys: tuple[int, ...] = ()) -> Outcome:
    parties = chain(keys, repeat(0))
    interactions = [
        structs.replace(one, party=key) for one, key in zip(interactions_of(exchanges), parties, strict=False)
    ]
    alone = by_one_process(interactions)
    assert differences(alone, in_parts(interactions, 2, assign=by_name)) == []
    return alone


def clauses(outcome: Outcome) -> set[str]:
    return {clause for clause, _ in outcome["firsts"]}


def inc(user: str) -> Request:
    return attributes_request({"external_id": user}, {"visits": {"inc": 1}})


def in_turn(*exchanges: Exchange) -> list[Exchange]:
    """The exchanges, a second apart."""
    begin = exchanges[0].sent
    return [replace(one, sent=begin + n, received=begin + n + 0.1) for n, one in enumerate(exchanges)]


def test_what_is_written_with_another_key_may_show_or_not() -> None:
    written = played([inc("ada"), inc("ada"), inc("ada"), inc("bob"), inc("bob")])
    of_another = played([inc("ada")])
    for second, count, found in (
        (written[1], b"3", set()),  # of the same workspace
        (of_another[0], b"2", set()),  # of another one
        (written[1], b"7", {"TS-ATTR-INC"}),
    ):
        assert written[2].response is not None
        body = written[2].response.body.replace(b'"visits":3', b'"visits":' + count)
        third = replace(written[2], response=replace(written[2].response, body=body))
        assert clauses(the_same(in_turn(written[0], second, third), (0, 1))) == found
    shown = written[4].response
    assert shown is not None
    wrong = replace(written[4], response=replace(shown, body=shown.body.replace(b'"visits":2', b'"visits":3')))
    assert clauses(the_same(in_turn(written[3], written[1], wrong), (0, 1))) == {"TS-ATTR-INC"}  # of another user


def test_a_value_of_a_user_in_another_part_is_named_so(monkeypatch: pytest.MonkeyPatch) -> None:
    exchanges = played([inc(user) for user in USERS * 3], "attributes-shared-between-users")
    assert "TS-STATE-USERS-APART" in clauses(the_same(exchanges))
    monkeypatch.setattr(blocks, "_answered", lambda *_: {})
    with pytest.raises(AssertionError):
        the_same(exchanges)


def test_a_failure_is_lasting_where_users_of_another_part_get_a_response() -> None:
    down = Response(503, (("content-type", "application/json"),), b'{"message": "no capacity"}')
    failing = attributes_request({"external_id": "ada"}, {"n": 1})
    exchanges = [
        replace(one, response=down) if one.request == failing else one for one in played([failing, inc("bob")] * 5)
    ]
    assert "TS-ANSWER-SERVER-ERROR" in clauses(the_same(exchanges))


def test_a_deletion_of_a_stranger_is_known_in_every_part() -> None:
    stranger = json_request({"braze_ids": ["stranger"]}, path=DELETE)
    exchanges = played([inc("ada"), inc("ada"), stranger, inc("ada")])

    def found(count: bytes, *, deleted: bool = True) -> set[str]:
        shown = exchanges[-1].response
        assert shown is not None
        last = replace(
            exchanges[-1], response=replace(shown, body=shown.body.replace(b'"visits":3', b'"visits":' + count))
        )
        return clauses(the_same([*exchanges[: 3 if deleted else 2], last]))

    assert found(b"3") == found(b"1") == set()
    assert found(b"7") == found(b"1", deleted=False) == {"TS-ATTR-INC"}


@pytest.mark.parametrize(
    ("path", "status", "known"),
    [("/users/merge", 201, False), ("/users/merge", 400, True), ("/campaigns/list", 201, True)],
)
def test_what_another_endpoint_may_have_changed_is_held_against_no_user(path: str, status: int, known: bool) -> None:
    exchanges = played([inc("ada"), inc("bob"), inc("bob"), inc("ada")])
    elsewhere = replace(exchanges[1], request=replace(exchanges[1].request, path=path))
    shown, right = elsewhere.response, exchanges[3].response
    assert shown is not None
    assert right is not None
    headers = (*elsewhere.request.headers, ("authorization", "Bearer <key>"))
    request = replace(elsewhere.request, headers=headers)
    elsewhere = replace(elsewhere, request=request, response=replace(shown, status=status))
    last = replace(exchanges[3], response=replace(right, body=right.body.replace(b'"visits":2', b'"visits":7')))
    for key in (0, 1):  # the same, and another one of the workspace
        found = clauses(the_same([exchanges[0], elsewhere, exchanges[2], last], (0, key)))
        assert ("TS-ATTR-INC" in found) == known


def test_what_one_user_shows_of_the_server_is_held_against_it_in_every_part() -> None:
    removals = [attributes_request({"external_id": user}, {"visits": None}) for user in reversed(USERS)]
    exchanges = played([inc("ada"), inc("bob"), *removals])
    shown = exchanges[-1].response
    assert shown is not None
    body = shown.body.replace(b'"visits":null', b"") if b"null" in shown.body else with_null(shown.body)
    other = replace(exchanges[-1], response=replace(shown, body=body))
    assert "TS-INTERPRETATION-KEPT" in clauses(the_same([*exchanges[:-1], other]))


def with_null(body: bytes) -> bytes:
    return body.replace(b'"custom_attributes":{}', b'"custom_attributes":{"visits":null}')


def test_what_is_pending_is_so_in_every_part_after_all_users_were_forgotten() -> None:
    queued = replace(inc("ada"), path="/users/track")
    hidden = attributes_request({"external_id": "bob"}, {"text": "x" * 8})
    exchanges = played([inc("ada"), queued, hidden, inc("ada"), inc("ada")])
    shown, late = exchanges[2].response, exchanges[4].response
    assert shown is not None
    assert late is not None
    exchanges[2] = replace(exchanges[2], response=replace(shown, body=shown.body.replace(b"xxxxxxxx", b"other")))
    counts = (late.body.replace(b'"visits":3', b'"visits":' + count) for count in (b"3", b"4", b"9"))
    outcomes = [the_same([*exchanges[:4], replace(exchanges[4], response=replace(late, body=body))]) for body in counts]
    assert [one["skipped"] for one in outcomes] == [[FILTERED_APART]] * 3
    assert [clauses(one) for one in outcomes] == [set(), set(), {"TS-ATTR-INC"}]


def test_spellings_of_one_identifier_are_in_one_part() -> None:
    both = [groups_named(SYNC, json_request({"attributes": [{"external_id": one}]}).body, b"") for one in ("a B", "AB")]
    assert both[0] == both[1]


@pytest.mark.parametrize(
    "body",
    [
        {"attributes": [{"external_id": "Ada L", "n": 1}]},
        {"attributes": {"external_id": "ada"}, "events": []},
        {"attributes": [{"external_id": "ada", "email": "ada@example.com"}]},
        {"events": [{"external_id": "ada"}], "purchases": [{"external_id": "bob"}]},
        {"events": [{"user_alias": {"alias_name": "ada", "alias_label": "app"}}]},
        {"events": [{"external_id": 12345678901234567890}]},
        {"events": [{"external_id": None, "phone": "+12015550100"}], "other": {"external_id": "bob"}},
        {"events": [{"name": "seen"}, "text"]},
        ["ada"],
    ],
)
def test_the_short_way_to_the_users_of_a_body_finds_those_of_the_long_one(
    body: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = json.dumps(body).encode()
    short, one = groups_named(SYNC, text, b""), only_identifier(text)
    monkeypatch.setattr(connections, "only_identifier", lambda body: None)
    assert short == groups_named(SYNC, text, b"")
    assert not one or [len(group) for group in short] == [1]


@pytest.mark.parametrize(("others", "share"), [(1, 0.381), (2, 0.161), (3, 0.049), (7, 0.0)])
def test_the_process_that_directs_checks_fewer_users_than_the_others(others: int, share: float) -> None:
    costs = Costs(directing=0.3, taking=0.1, checking=1.0)
    assert costs.share(others) == pytest.approx(share, abs=0.01)
    part_of = assigned(costs.share(others), others)
    counted = Counter(part_of(hash(str(number))) for number in range(20_000))
    assert counted[0] / 20_000 == pytest.approx(share, abs=0.02)
    assert sorted(counted)[-others:] == list(range(1, others + 1))


def test_an_export_connects_the_users_that_it_shows() -> None:
    shown = b'{"users": [{"external_id": "bob"}, {"external_id": 5}, 7]}'
    (group,) = groups_named("/users/export/ids", b'{"external_ids": ["ada"]}', shown)
    assert len(group) == 2


def test_connections_are_found_over_any_number_of_steps() -> None:
    found = Connections()
    for one in range(1, 50):
        found.connect((one, one + 1))
    assert len({found.leader(one) for one in range(1, 51)}) == 1
    assert found.leader(77) == 77


def test_a_part_goes_on_after_all_users_are_forgotten_once_it_is_settled_until_when() -> None:
    interactions = interactions_of(played([inc("ada"), inc("ada")]))
    directed = Router(Settings(), Connections(), 1, foreign=True).directed((one, ()) for one in interactions)
    part = Partition(Settings(), foreign=True)
    part.take(item for one in directed for _, item in one.items)
    part.run(1)
    change = Change(0, ("http://mock", 0), Effect(shared_of(Belief.start(Settings())), forgot=True), False, {})
    part.commit(0, change, {})
    assert not part.check_next()
    part.settle(change.place, 0.0)
    assert part.check_next()
