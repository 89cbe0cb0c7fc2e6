"""Whatever is thrown at the mock, it answers: one of the documented statuses, one JSON object, the rate headers."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mock_desk import DELETE, EXPORT, SYNC, TIME, TRACK, Desk, head, purchase_of, value
from tracksync import ledger
from tracksync.exchange import Response
from tracksync.limits import CONTROL_KEYS, PROFILE_FIELDS

STATUSES = {200, 201, 400, 401, 403, 404, 405, 413, 415, 429}
PATHS = st.sampled_from([SYNC, SYNC, SYNC, TRACK, DELETE, EXPORT, "/"])
NAMES = st.sampled_from(
    [
        *sorted(PROFILE_FIELDS | CONTROL_KEYS),
        *("attributes", "events", "purchases", "app_id", "name", "time", "properties"),
        *("product_id", "currency", "price", "quantity", "inc", "add", "remove", "$add", "$update", "$remove", "$time"),
        *("$identifier_key", "$identifier_value", "$new_object", "external_ids", "user_aliases", "email_addresses"),
        *("phone_numbers", "braze_ids", "fields_to_export", "prioritization"),
    ]
)
TEXTS = st.one_of(
    st.text(max_size=8),
    st.sampled_from([TIME, "USD", "a@example.com", "u1", "x" * 256, "🎉" * 200, "2022-02-30", "3001-01-01"]),
    st.just("\ud800"),
)
SCALARS = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(), TEXTS, st.sampled_from([10**400, -(2**63) - 1, 1e308, 16.0])
)
KEYS = NAMES | st.text(max_size=4)
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(KEYS, inner, max_size=4),
    max_leaves=12,
)
OBJECTS = st.dictionaries(KEYS, VALUES, max_size=6)
ALMOST = st.one_of(
    OBJECTS.map(lambda extra: {"external_id": "u1"} | extra),
    OBJECTS.map(lambda extra: {"external_id": "u1", "name": "e", "time": TIME} | extra),
    OBJECTS.map(lambda extra: purchase_of() | extra),
    OBJECTS.map(lambda extra: {"user_alias": {"alias_name": "n", "alias_label": "l"}} | extra),
    OBJECTS.map(lambda extra: {"email": "a@example.com", "_update_existing_only": False} | extra),
)
SECTIONS = st.sampled_from(["attributes", "events", "purchases"])
DOCUMENTS = st.one_of(
    VALUES,
    st.dictionaries(SECTIONS, st.lists(ALMOST | VALUES, max_size=2) | ALMOST, max_size=2),
    st.dictionaries(NAMES, VALUES | st.lists(TEXTS, max_size=3), max_size=4),
)
READINGS = st.fixed_dictionaries({name: st.sampled_from(list(row.readings)) for name, row in ledger.ledger().items()})


def sound(response: Response) -> bool:
    assert response.status in STATUSES
    body = json.loads(response.body, parse_constant=pytest.fail)
    assert isinstance(body, dict)
    assert isinstance(body["message"], str)
    assert (body["message"] == "success") == (response.status in (200, 201))
    assert head(response, "x-ratelimit-limit") is not None
    return True


@settings(max_examples=300, deadline=None)
@given(READINGS, st.lists(st.tuples(PATHS, DOCUMENTS), max_size=6))
def test_any_sequence_of_json_is_answered_under_any_readings(
    readings: dict[str, str], requests: list[tuple[str, Any]]
) -> None:
    desk = Desk(readings=readings, array_limit=3)
    for path, document in requests:
        assert sound(desk.send(document, path))
        desk.now += 0.05


@settings(max_examples=200, deadline=None)
@given(PATHS, st.binary(max_size=60) | st.text(alphabet='{}[]":,\\ua0d8e1.5-ntrf', max_size=40).map(str.encode))
def test_any_bytes_are_answered(path: str, body: bytes) -> None:
    assert sound(Desk().send(body, path))


@settings(max_examples=100, deadline=None)
@given(
    st.text(max_size=12),
    st.text(max_size=20),
    st.lists(st.tuples(st.sampled_from(["authorization", "content-type", "x"]), st.text(max_size=20))),
)
def test_any_method_path_and_headers_are_answered(method: str, path: str, headers: list[tuple[str, str]]) -> None:
    from tracksync.exchange import Request

    desk = Desk()
    assert sound(desk.app.handle(Request(method, path, tuple(headers), b"{}")))
    assert sound(desk.app.handle(Request("POST", SYNC, tuple(headers), b"{}")))


def in_attribute(text: bytes) -> bytes:
    return b'{"attributes":[{"external_id":"u1","a":' + text + b"}]}"


@pytest.mark.parametrize(
    "text",
    [
        b"[" * 100_000 + b"]" * 100_000,
        b'{"a":' * 50_000 + b"1" + b"}" * 50_000,
        b"[" * 90 + b"]" * 90,
        b"NaN",
        b"-Infinity",
        b"1e999",
        b"1" * 5000,
        b"1" * 4299,
        b'"\\ud800"',
        b'{"a":1,"a":2}',
        b'"\\u0000"',
        b"-0.0",
        b"1e-400",
    ],
)
def test_extreme_json_is_answered_and_so_is_what_follows(text: bytes) -> None:
    desk = Desk()
    assert sound(desk.send(in_attribute(text)))
    assert sound(desk.send(in_attribute(b'{"inc": 1}')))
    assert sound(desk.send(in_attribute(b'{"add": [1]}')))
    assert sound(desk.send({"external_ids": ["u1"]}, EXPORT))


def test_a_number_at_the_edge_of_what_can_be_read_can_still_be_counted_up() -> None:
    desk = Desk()
    desk.send(in_attribute(b"9" * 4300))
    assert value(desk.send(in_attribute(b'{"inc": 1}')))["message"] == "success"
