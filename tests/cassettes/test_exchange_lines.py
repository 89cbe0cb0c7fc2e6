"""Exchanges as lines of NDJSON: written and read back, in any order and compression, broken in any place."""

from __future__ import annotations

import gzip
import io
import json
import sys
from pathlib import Path
from typing import Any

import pytest
import zstandard
from cassette_harness import ReplayEvents, event_body, event_response, replayed

from tracksync.cassettes import sources
from tracksync.cassettes.audit import Auditor
from tracksync.cassettes.exchange_lines import read_line, write_line
from tracksync.cassettes.reading import read_recording
from tracksync.errors import UsageError
from tracksync.model.events import FindingConfirmed
from tracksync.model.exchange import Credential, Exchange, Failure, FailureKind, Request, Response

ORIGIN = "https://rest.example"
SYNC = f"{ORIGIN}/users/track/sync"
START = 1_764_201_600.0


def line(number: int, *, count: int | None = None, **changed: Any) -> str:
    """The exchange that records the event for the time with this number."""
    return json.dumps(
        {
            "at": START + number,
            "elapsed": 0.1,
            "request": {
                "method": "POST",
                "url": SYNC,
                "headers": {"Content-Type": "application/json"},
                "body": event_body(),
            },
            "response": {
                "status": 201,
                "headers": {
                    "Content-Type": "application/json",
                    "x-ratelimit-limit": "500",
                    "x-ratelimit-remaining": str(499 - number),
                    "x-ratelimit-reset": str(int(START) + 60),
                },
                "body": event_response(count or number),
            },
            **changed,
        }
    )


def events_of(folder: Path, *texts: str, name: str = "traffic.ndjson") -> ReplayEvents:
    path = folder / name
    path.write_text("\n".join(texts) + "\n", encoding="utf-8")
    return replayed(path)


def test_a_lawful_server_passes(tmp_path: Path) -> None:
    events = events_of(tmp_path, *(line(number) for number in range(1, 6)))
    assert (events.verdict, events.broken) == ("passed", []), events.end.reason
    assert "5 interactions of 1 recording were" in events.end.reason


def test_a_wrong_count_is_found_on_its_line(tmp_path: Path) -> None:
    events = events_of(tmp_path, line(1), line(2), line(3, count=7))
    (found,) = [event for event in events.events if isinstance(event, FindingConfirmed)]
    assert (found.finding.clause, found.cassette.rpartition(":")[2]) == ("TS-EVENT-COUNT", "3")
    assert len(found.exchanges) == 3, "with the exchanges that lead to it"


def test_lines_out_of_order_are_put_in_order(tmp_path: Path) -> None:
    assert events_of(tmp_path, *(line(number) for number in (2, 1, 4, 3))).verdict == "passed"


def test_a_line_that_comes_far_too_late_is_not_held_against_the_server(tmp_path: Path) -> None:
    texts = [line(number, response=None) for number in range(10, 260)]
    events = events_of(tmp_path, *texts, line(1, count=4711), line(300, count=3))
    assert events.broken == []
    assert "1 skipped (its line comes more than 200 lines after one with a later response)" in events.end.reason


@pytest.mark.parametrize(
    "compress", [gzip.compress, zstandard.ZstdCompressor().compress, bytes], ids=["gzip", "zstd", "plain"]
)
def test_compression_is_seen_by_its_first_bytes(tmp_path: Path, compress: Any) -> None:
    pieces = [f"{line(number)}\n".encode() for number in (1, 2, 3)]
    path = tmp_path / "traffic.log"
    path.write_bytes(compress(pieces[0]) + compress(pieces[1] + pieces[2]))  # appended to, as logs are
    events = replayed(path)
    assert (events.verdict, events.checked) == ("passed", 3)


def test_a_file_that_is_cut_short_is_checked_up_to_there(tmp_path: Path) -> None:
    path = tmp_path / "traffic.ndjson.gz"
    path.write_bytes(
        gzip.compress("".join(f"{line(number, response=None)}\n" for number in range(1, 1000)).encode())[:-20]
    )
    events = replayed(path)
    assert events.verdict == "incomplete"
    assert "its compression is broken or cut short" in events.end.reason
    assert events.checked > 500


def test_standard_input_and_patterns(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class Stdin:
        buffer = io.BufferedReader(io.BytesIO(f"{line(1)}\n{line(2)}\n".encode()))  # type: ignore[arg-type]

    monkeypatch.setattr(sys, "stdin", Stdin)
    assert replayed(Path("-")).checked == 2
    for name in ("a.ndjson", "b.ndjson", "c.txt"):
        (tmp_path / name).write_text(line(1), encoding="utf-8")
    assert replayed(tmp_path / "*.ndjson").checked == 2


@pytest.mark.parametrize(
    ("broken", "said"),
    [
        ("{", "this is not an exchange: Input data was truncated"),
        ("[]", "this is not an exchange: Expected `object`"),
        (line(2, request={"method": 1, "url": SYNC}), "Expected `str`, got `int` - at `$.request.method`"),
        (line(2, request={"method": "POST"}), "missing required field `url`"),
        (line(2, request={"method": "POST", "url": "nowhere"}), "the uri 'nowhere' is not an http or https URL"),
        (line(2, response={"status": 1}), "the status of the response is '1'"),
        (line(2, elapsed=None), "it has no `at` and `elapsed`, which the first line has"),
        (line(2, request={"method": "POST", "url": SYNC, "body_base64": "*"}), "base64"),
    ],
)
def test_a_line_that_cannot_be_read_is_named_and_the_rest_is_checked(tmp_path: Path, broken: str, said: str) -> None:
    events = events_of(tmp_path, line(1), broken, line(2))
    assert events.verdict == "incomplete"
    assert f"{tmp_path}/traffic.ndjson:2: " in events.end.reason
    assert said in events.end.reason
    assert events.checked == 2


def test_times_of_every_kind_are_read(tmp_path: Path) -> None:
    iso = {"at": "2025-11-27T00:00:01Z", "elapsed": "0.010"}
    assert events_of(tmp_path, line(1, **iso)).verdict == "passed"
    for changed in ({"elapsed": None}, {"at": None}, {"at": "soon"}):
        assert events_of(tmp_path, line(1, **changed), line(2, **changed)).broken == [], changed


EXCHANGES = [
    Exchange(
        Request("POST", "/users/track/sync?a=b", (("X-A", "1"), ("X-A", "2")), body),
        None if failure else Response(201, (("Content-Type", "application/json"),), body),
        START - 0.5,
        START,
        credential,
        failure,
        tags,
    )
    for body in (b"", b'{"\xc3\xa9": "\\ud800"}', b"\xff\xfe\x00", b'"\xe2\x80\xa8"')
    for failure in (None, Failure(FailureKind.TIMEOUT, "no byte in 30 s"))
    for credential, tags in ((Credential.UNKNOWN, ()), (Credential.INVALID, ("a probe",)))
]


@pytest.mark.parametrize("exchange", EXCHANGES)
def test_what_is_written_is_read_back(exchange: Exchange, tmp_path: Path) -> None:
    path = tmp_path / "one.ndjson"
    path.write_bytes(write_line(exchange, ORIGIN))
    (read,) = read_recording(path).interactions
    assert read.exchange == exchange
    assert read.origin == ORIGIN


def test_a_key_in_a_line_is_refused_by_the_audit(tmp_path: Path) -> None:
    request = json.loads(line(2))["request"]
    request["headers"]["Authorization"] = "Bearer c4a17b2e-93d5-4f60-8a1e-5b7c2d9e0f13"
    path = tmp_path / "traffic.ndjson"
    path.write_text(f"{line(1)}\n{line(2, request=request)}\n", encoding="utf-8")
    events = replayed(path, auditor=Auditor([]))
    assert events.verdict == "failed"
    assert f"{path}:2:" in events.end.reason
    assert "c4a17b2e" not in events.end.reason


def test_numbers_written_as_texts_are_read() -> None:
    draft = read_line(line(1, at="1764201601.250", elapsed="0.120").encode(), 1)
    assert (draft.at, draft.elapsed) == (1764201601.25, 0.12)


def test_zstd_needs_an_extra(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "traffic.ndjson.zst"
    path.write_bytes(zstandard.ZstdCompressor().compress(line(1).encode()))
    monkeypatch.setattr(sources, "zstandard", None)
    with pytest.raises(UsageError, match=r"tracksync\[zstd\]"):
        replayed(path)
