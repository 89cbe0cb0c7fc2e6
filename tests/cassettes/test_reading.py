"""Recordings of every recorder are read as the same exchanges, whatever their form, encoding or compression."""

from __future__ import annotations

import base64
import gzip
import json
import zlib
from pathlib import Path
from typing import Any

import pytest
import yaml
from cassette_harness import (
    ROOT,
    event_body,
    event_response,
    har_document,
    replayed,
    two_events,
    vcrpy_document,
    vcrpy_item,
)

from tracksync.cassettes.forms import har
from tracksync.cassettes.interaction import Recording
from tracksync.cassettes.reading import read_recording
from tracksync.cassettes.strict_json import item_lines

RECORDINGS = ROOT / "tests" / "recordings"
REAL = sorted(path for path in RECORDINGS.rglob("*") if path.is_file() and path.suffix != ".md")


def written(folder: Path, document: Any, name: str = "c.yaml") -> Path:
    path = folder / name
    if path.suffix in (".yaml", ".yml"):
        path.write_text(yaml.safe_dump(document, allow_unicode=True), encoding="utf-8")
    else:
        path.write_text(json.dumps(document), encoding="utf-8")
    return path


def ruby(document: dict[str, Any], *, base64_bodies: bool = False) -> dict[str, Any]:
    """The same interactions as Ruby's VCR writes them."""

    def body(text: str) -> dict[str, Any]:
        if base64_bodies:
            return {"encoding": "ASCII-8BIT", "base64_string": base64.encodebytes(text.encode()).decode()}
        return {"encoding": "UTF-8", "string": text}

    items = [
        {
            "request": {**one["request"], "method": "post", "body": body(one["request"]["body"])},
            "response": {**one["response"], "body": body(one["response"]["body"]["string"])},
            "recorded_at": "Tue, 06 Dec 2022 18:20:50 GMT",
        }
        for one in document["interactions"]
    ]
    return {"http_interactions": items, "recorded_with": "VCR 6.1.0"}


FORMS: dict[str, Any] = {
    "vcrpy.yaml": lambda pairs: vcrpy_document(pairs),
    "vcrpy.json": lambda pairs: vcrpy_document(pairs),
    "ruby.yml": lambda pairs: ruby(vcrpy_document(pairs)),
    "ruby.json": lambda pairs: ruby(vcrpy_document(pairs), base64_bodies=True),
    "devtools.har": lambda pairs: har_document(pairs),
    "proxy.har": lambda pairs: har_document(pairs, base64_bodies=True),
}


@pytest.mark.parametrize("form", list(FORMS))
def test_a_lawful_sequence_passes_in_every_form(tmp_path: Path, form: str) -> None:
    replay_events = replayed(written(tmp_path, FORMS[form](two_events()), form))
    assert (replay_events.verdict, replay_events.checked, replay_events.broken) == ("passed", 2, [])


@pytest.mark.parametrize("form", list(FORMS))
def test_a_count_that_does_not_grow_is_found_in_every_form(tmp_path: Path, form: str) -> None:
    replay_events = replayed(written(tmp_path, FORMS[form](two_events(second=1)), form))
    assert replay_events.verdict == "failed"
    assert replay_events.broken == ["TS-EVENT-COUNT"]


def only(path: Path) -> Recording:
    recording = read_recording(path)
    assert not recording.problems
    return recording


@pytest.mark.parametrize("path", REAL, ids=lambda path: f"{path.parent.name}/{path.name}")
def test_files_by_other_tools_are_checked(path: Path) -> None:
    replay_events = replayed(path)
    # Some were made with a server that did not say how much it had queued, which was only observed of the real one.
    broken = [clause for clause in replay_events.broken if clause != "TS-TRACK-PROCESSED"]
    if path.name.startswith("faulty"):
        assert broken == ["TS-EVENT-COUNT" if "chromium" in path.name else "TS-OK-MESSAGE"]
    else:
        assert (replay_events.verdict, broken) == ("passed", [])
    assert replay_events.checked >= 1


def test_the_three_reports_of_one_schemathesis_run_hold_the_same_exchanges() -> None:
    reports = [
        only(RECORDINGS / "schemathesis" / name) for name in ("whole.vcr.yaml", "whole.har.json", "whole.ndjson.ndjson")
    ]
    assert [report.form for report in reports] == ["schemathesis VCR", "HAR", "schemathesis NDJSON"]
    seen = [
        [
            (one.exchange.request.method, one.exchange.request.body, one.exchange.response.body)
            for one in report.interactions
        ]
        for report in reports
        if all(one.exchange.response for one in report.interactions)
    ]
    assert seen[0] == seen[1] == seen[2]


def test_a_lossy_report_does_not_take_replaced_bytes_for_what_was_sent() -> None:
    replay_events = replayed(RECORDINGS / "schemathesis" / "lossy.vcr.yaml")
    assert any("--report-preserve-bytes" in one.why for one in replay_events.skipped)


def test_interactions_of_other_endpoints_are_skipped_and_counted(tmp_path: Path) -> None:
    document = vcrpy_document(two_events())
    document["interactions"].insert(
        1, vcrpy_item("{}", "another service", url="https://api.example.com/v1/pets", status=200)
    )
    replay_events = replayed(written(tmp_path, document))
    assert (replay_events.verdict, replay_events.checked) == ("passed", 2)
    assert [one.why for one in replay_events.skipped] == ["another endpoint"]
    assert "1 skipped (another endpoint)" in replay_events.end.reason


def test_several_hosts_in_a_file_are_several_workspaces(tmp_path: Path) -> None:
    (first, _), (second, response) = two_events()[0], (event_body(), event_response(40))
    other = "https://rest.fra-01.braze.eu/users/track/sync"
    items = [vcrpy_item(first, event_response(1)), vcrpy_item(second, response, url=other)]
    assert replayed(written(tmp_path, {"version": 1, "interactions": items})).verdict == "passed"


def test_two_keys_at_one_host_are_two_workspaces(tmp_path: Path) -> None:
    document = vcrpy_document([(event_body(), event_response(1)), (event_body(), event_response(40))])
    document["interactions"][1]["request"]["headers"]["Authorization"] = ["ANOTHER"]
    document["interactions"][1]["response"]["headers"]["x-ratelimit-remaining"] = ["499"]
    assert replayed(written(tmp_path, document)).verdict == "passed"


def test_a_user_that_was_there_before_may_have_any_count(tmp_path: Path) -> None:
    pairs = [(event_body(), event_response(4711)), (event_body(), event_response(4712))]
    assert replayed(written(tmp_path, vcrpy_document(pairs))).verdict == "passed"


def test_a_documented_path_behind_a_proxys_path_is_checked(tmp_path: Path) -> None:
    document = vcrpy_document(two_events(1), url="http://localhost:8080/braze/users/track/sync")
    assert replayed(written(tmp_path, document)).broken == ["TS-EVENT-COUNT"]


def test_traffic_of_the_asynchronous_sibling_is_checked_too(tmp_path: Path) -> None:
    url = "https://rest.iad-01.braze.com/users/track"
    right = vcrpy_item(event_body(), '{"events_processed": 1, "message": "success"}', url=url)
    wrong = vcrpy_item(event_body(), '{"events_processed": 1, "message": "queued"}', url=url)
    assert replayed(written(tmp_path, {"version": 1, "interactions": [right]})).verdict == "passed"
    replay_events = replayed(written(tmp_path, {"version": 1, "interactions": [wrong]}))
    assert replay_events.broken == ["TS-TRACK-ACCEPTED"]


@pytest.mark.parametrize(
    ("coding", "packed"),
    [
        ("gzip", lambda body: gzip.compress(body)),
        ("gzip", lambda body: gzip.compress(body[:40]) + gzip.compress(body[40:])),
        ("gzip", lambda body: body),  # the recorder unpacked the body and stored the header
        ("deflate", lambda body: zlib.compress(body)),
        ("deflate", lambda body: zlib.compress(body)[2:-4]),
        ("br", lambda body: body),
        ("identity", lambda body: body),
    ],
)
def test_compressed_responses_are_unpacked(tmp_path: Path, coding: str, packed: Any) -> None:
    body = event_response(1).encode()
    item = vcrpy_item(event_body(), packed(body), **{"Content-Encoding": coding})
    recording = only(written(tmp_path, {"version": 1, "interactions": [item]}))
    response = recording.interactions[0].exchange.response
    assert response is not None
    assert response.body == body
    assert "content-encoding" not in {name.lower() for name, _ in response.headers}


def test_bytes_that_are_not_text_stay_unchanged(tmp_path: Path) -> None:
    sent, got = b'{"events": "\xff\xfe"}', b"\xff\x00\x80 not text"
    recording = only(written(tmp_path, {"version": 1, "interactions": [vcrpy_item(sent, got, status=400)]}))
    exchange = recording.interactions[0].exchange
    assert exchange.response is not None
    assert (exchange.request.body, exchange.response.body) == (sent, got)


def test_a_text_in_another_encoding_keeps_its_bytes(tmp_path: Path) -> None:
    document = ruby(vcrpy_document([('{"a": "é"}', "{}")]))
    document["http_interactions"][0]["request"]["body"]["encoding"] = "ISO-8859-1"
    recording = only(written(tmp_path, document))
    assert recording.interactions[0].exchange.request.body == '{"a": "é"}'.encode("latin-1")


def test_what_aiohttp_gave_vcrpy_as_data_is_read_as_the_json_that_was_sent(tmp_path: Path) -> None:
    document = vcrpy_document(two_events(1))
    for item in document["interactions"]:
        item["request"]["body"] = json.loads(item["request"]["body"])
        del item["request"]["headers"]["Content-Type"]
    assert replayed(written(tmp_path, document)).broken == ["TS-EVENT-COUNT"]


def test_bodies_that_old_vcrpy_pickled_are_read_as_the_bytes_in_them(tmp_path: Path) -> None:
    path = written(tmp_path, vcrpy_document(two_events(1)))
    raw = base64.b64encode(event_body().encode()).decode()
    old = (
        "!!python/object/new:_io.BytesIO\n      state: !!python/tuple\n"
        f"      - !!binary {raw}\n      - 0\n      - null\n"
    )
    text = yaml.safe_dump(vcrpy_document(two_events(1)), default_style=None, width=10_000)
    text = text.replace(f"body: '{event_body()}'\n", f"body: {old}")
    assert "BytesIO" in text
    path.write_text(text)
    assert replayed(path).broken == ["TS-EVENT-COUNT"]


def test_overlapping_requests_in_a_har_are_not_held_against_the_server(tmp_path: Path) -> None:
    document = har_document(two_events(second=1))
    for entry in document["log"]["entries"]:
        entry["startedDateTime"] = "2022-12-06T18:20:50.000Z"
    replay_events = replayed(written(tmp_path, document, "parallel.har"))
    assert "TS-EVENT-COUNT" not in replay_events.broken


def test_without_any_time_a_reset_and_a_future_event_cannot_be_checked(tmp_path: Path) -> None:
    body = json.loads(event_body())
    body["events"][0]["time"] = "2034-01-01T00:00:00Z"
    response = event_response(1).replace("2022-12-06T18:20:45.000Z", "2034-01-01T00:00:00.000Z")
    item = vcrpy_item(json.dumps(body), response)
    timed = replayed(written(tmp_path, {"version": 1, "interactions": [item]}))
    assert "TS-EVENT-FUTURE" in timed.broken
    del item["response"]["headers"]["Date"]
    untimed = replayed(written(tmp_path, {"version": 1, "interactions": [item]}))
    assert untimed.broken == []


def test_a_browser_that_stored_no_body_is_not_an_empty_response(tmp_path: Path) -> None:
    document = har_document(two_events())
    del document["log"]["entries"][0]["response"]["content"]["text"]
    replay_events = replayed(written(tmp_path, document, "c.har"))
    assert replay_events.broken == []
    assert [one.why for one in replay_events.skipped] == ["the recorder stored no body of the response"]


def test_after_an_exchange_that_cannot_be_checked_what_it_may_have_done_is_not_held_against_the_server(
    tmp_path: Path,
) -> None:
    pairs = [(event_body(), event_response(count)) for count in (1, 2, 3)]
    document = har_document(pairs)
    del document["log"]["entries"][1]["request"]["postData"]
    assert replayed(written(tmp_path, document, "c.har")).verdict == "passed"


def test_a_filter_that_hid_a_name_in_the_response_only_makes_no_finding(tmp_path: Path) -> None:
    document = vcrpy_document([(event_body("bob"), event_response(1, "<USER_NAME>"))])
    replay_events = replayed(written(tmp_path, document))
    assert replay_events.broken == []
    assert "a filter hid a value" in replay_events.skipped[0].why


def test_a_filter_that_hid_a_name_in_the_request_only_makes_no_finding(tmp_path: Path) -> None:
    document = vcrpy_document([(event_body("<USER_NAME>"), event_response(1, "bob"))])
    replay_events = replayed(written(tmp_path, document))
    assert replay_events.broken == []
    assert "placeholders" in replay_events.skipped[0].why


@pytest.mark.parametrize(
    "url",
    [
        "<BRAZE_REST_URL>/users/track/sync",
        "https://<BRAZE_HOST>/users/track/sync",
        "https://rest.<CLUSTER>.braze.com:<PORT>/users/track/sync",
        "<SCHEME>://<HOST>/users/track/sync?key=<KEY>",
    ],
)
def test_a_placeholder_is_an_unknown_host(tmp_path: Path, url: str) -> None:
    document = ruby(vcrpy_document(two_events(second=1), url=url))
    for item in document["http_interactions"]:
        item["request"]["headers"]["Authorization"] = ["Bearer <BRAZE_API_KEY>"]
    replay_events = replayed(written(tmp_path, document, "ruby.yml"))
    assert (replay_events.checked, replay_events.broken) == (2, ["TS-EVENT-COUNT"])


def test_another_endpoint_behind_a_placeholder_is_skipped(tmp_path: Path) -> None:
    item = vcrpy_item("{}", "{}", url="<BRAZE_REST_URL>/subscription/status/set?id=<ID>")
    replay_events = replayed(written(tmp_path, {"version": 1, "interactions": [item]}))
    assert [one.why for one in replay_events.skipped] == ["another endpoint"]


def test_users_behind_one_placeholder_may_be_different_users(tmp_path: Path) -> None:
    pairs = [(event_body("<USER_ID>"), event_response(count, "<USER_ID>")) for count in (1, 40, 7)]
    assert replayed(written(tmp_path, vcrpy_document(pairs))).broken == []


def test_what_placeholders_stand_for_is_not_held_against_other_requests(tmp_path: Path) -> None:
    both = [("u1", 1), ("<USER_ID>", 1), ("u1", 9)]
    pairs = [(event_body(user), event_response(count, user)) for user, count in both]
    assert replayed(written(tmp_path, vcrpy_document(pairs))).broken == []


def test_a_placeholder_for_an_email_is_not_an_invalid_email(tmp_path: Path) -> None:
    body = json.dumps({"attributes": [{"email": "<EMAIL>", "colour": "red"}]})
    shown = {"email": "<EMAIL>", "custom_attributes": {"colour": "red"}}
    response = json.dumps({"message": "success", "users": [shown]})
    replay_events = replayed(written(tmp_path, vcrpy_document([(body, response)])))
    assert replay_events.broken == []


def test_an_outage_with_no_other_response_in_between_is_not_held_against_one_request(tmp_path: Path) -> None:
    document = har_document([(event_body(), event_response(1)), *[(event_body("u2"), "")] * 4])
    for entry in document["log"]["entries"][1:]:
        entry["response"]["status"] = 503
    assert replayed(written(tmp_path, document, "outage.har")).broken == []


def test_a_request_without_a_response_may_have_been_applied(tmp_path: Path) -> None:
    for third in (2, 3):
        document = vcrpy_document([(event_body(), event_response(count)) for count in (1, 9, third)])
        document["interactions"][1]["response"] = None
        assert replayed(written(tmp_path, document)).broken == []


def test_a_har_read_by_entry_is_what_it_is_as_a_whole() -> None:
    """With the same lines, and the same problems of broken entries; what cannot be read by entry says so."""
    broken = har_document(two_events())
    broken["log"]["entries"][1:1] = [{}, 1, {"request": {"method": "GET", "url": "nowhere"}, "response": {}}]
    whole = [path.read_text(encoding="utf-8") for path in REAL if path.name.endswith((".har", ".har.json"))]
    for text in (*whole, json.dumps(broken), json.dumps(broken, indent=1)):
        document = json.loads(text)
        expected = list(har.drafts(document, list(item_lines(text, har.path(document)))))
        assert len(expected) > 1
        assert har.drafts_by_entry(text) == expected
    for text in (json.dumps({**broken, "interactions": []}), json.dumps(broken)[:-1], '{"log": {"entries": [NaN]}}'):
        assert har.drafts_by_entry(text) is None
