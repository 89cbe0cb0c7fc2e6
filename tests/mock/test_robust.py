"""Whatever the mock is sent, it responds: one of the documented statuses, one JSON object, the rate headers."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from mock_harness import EXPORT, SYNC, Harness, head, value
from random_requests import (
    DOCUMENTS,
    INTERPRETATIONS,
    PATHS,
)

from tracksync.model.exchange import Response

STATUSES = {200, 201, 400, 401, 403, 404, 405, 413, 415, 429}


def sound(response: Response) -> bool:
    assert response.status in STATUSES
    body = json.loads(response.body, parse_constant=pytest.fail)
    assert isinstance(body, dict)
    assert isinstance(body["message"], str)
    assert (body["message"] == "success") == (response.status in (200, 201))
    assert head(response, "x-ratelimit-limit") is not None
    return True


@settings(max_examples=300, deadline=None)
@given(INTERPRETATIONS, st.lists(st.tuples(PATHS, DOCUMENTS), max_size=6))
def test_any_sequence_of_json_is_answered_under_any_interpretations(
    interpretations: dict[str, str], requests: list[tuple[str, Any]]
) -> None:
    harness = Harness(interpretations=interpretations, array_limit=3)
    for path, document in requests:
        assert sound(harness.send(document, path))
        harness.now += 0.05


@settings(max_examples=200, deadline=None)
@given(PATHS, st.binary(max_size=60) | st.text(alphabet='{}[]":,\\ua0d8e1.5-ntrf', max_size=40).map(str.encode))
def test_any_bytes_are_answered(path: str, body: bytes) -> None:
    assert sound(Harness().send(body, path))


@settings(max_examples=100, deadline=None)
@given(
    st.text(max_size=12),
    st.text(max_size=20),
    st.lists(st.tuples(st.sampled_from(["authorization", "content-type", "x"]), st.text(max_size=20))),
)
def test_any_method_path_and_headers_are_answered(method: str, path: str, headers: list[tuple[str, str]]) -> None:
    from tracksync.model.exchange import Request

    harness = Harness()
    assert sound(harness.app.handle(Request(method, path, tuple(headers), b"{}")))
    assert sound(harness.app.handle(Request("POST", SYNC, tuple(headers), b"{}")))


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
    harness = Harness()
    assert sound(harness.send(in_attribute(text)))
    assert sound(harness.send(in_attribute(b'{"inc": 1}')))
    assert sound(harness.send(in_attribute(b'{"add": [1]}')))
    assert sound(harness.send({"external_ids": ["u1"]}, EXPORT))


def test_a_number_at_the_edge_of_what_can_be_read_can_still_be_counted_up() -> None:
    harness = Harness()
    harness.send(in_attribute(b"9" * 4300))
    assert value(harness.send(in_attribute(b'{"inc": 1}')))["message"] == "success"
