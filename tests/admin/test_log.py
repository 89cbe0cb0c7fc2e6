"""The log of a mock: every exchange with what either side broke, within a bound, and no finding without ground."""

from __future__ import annotations

import asyncio
import time
from contextlib import suppress
from pathlib import Path
from unittest.mock import patch

import httpx
import pytest
from admin_harness import KEY, AdminHarness, setup
from mock_harness import request

from tracksync.admin.client import AdminClient
from tracksync.admin.exchange_log import ExchangeLog
from tracksync.admin.serving import mock_app
from tracksync.admin.workspace import MockWorkspace
from tracksync.cassettes.audit import Auditor
from tracksync.cassettes.checking import check_recording
from tracksync.cassettes.manifest import ManifestEntry
from tracksync.cassettes.reading import parse
from tracksync.mock import MockApp, MockConfig
from tracksync.mock.scenarios import Act, Scenario, catalogue
from tracksync.wire.serve import served

EVENT = {"events": [{"external_id": "ada", "name": "seen", "time": "2025-01-01T00:00:00Z"}]}
PURCHASE = {"external_id": "ada", "product_id": "book", "currency": "EUR", "price": 1, "time": "2025-01-01T00:00:00Z"}


def findings(harness: AdminHarness) -> list[tuple[int, str]]:
    return [(one["number"], one["clause"]) for one in harness.admin("GET", "/findings")["findings"]]


def test_an_exchange_is_shown_with_request_response_user_and_what_it_changed() -> None:
    harness = AdminHarness()
    harness.write(colour="red", gone=None)
    entry = harness.admin("GET", "/log/1")
    assert (entry["status"], entry["verdict"], entry["applied"], entry["user"]) == (
        201,
        "passed",
        True,
        "external_id ada",
    )
    assert '"colour":"red"' in entry["request"]["body"].replace(" ", "")
    assert '"message":"success"' in entry["response"]["body"]
    changes = {cell["name"]: cell["change"] for cell in entry["changed"]["cells"]}
    assert changes == {"colour": "set", "gone": "removed"}
    assert entry["changed"]["created"] is True
    assert {"TS-OK-MESSAGE", "TC-JSON"} <= set(entry["covered"])
    assert "curl" in entry["curl"]
    assert "$TRACKSYNC_API_KEY" in entry["curl"]
    harness.track({"purchases": [PURCHASE]})
    assert harness.admin("GET", "/log/2")["changed"]["cells"] == [{"name": "book", "change": "counted"}]


def test_a_clients_fault_is_found_with_its_clause_explained_and_advice() -> None:
    harness = AdminHarness()
    harness.track({"purchases": [PURCHASE | {"price": "1"}]})
    (finding,) = harness.admin("GET", "/log/1")["findings"]
    assert (finding["clause"], finding["side"], finding["severity"]) == ("TC-PURCHASE-PRICE", "client", "error")
    assert finding["pointer"] == "/request/body/purchases/0/price"
    assert finding["sentence"]
    assert finding["advice"]
    log = harness.admin("GET", "/log")
    assert log["verdicts"] == {"error": 1}
    assert log["exchanges"][0]["clauses"] == ["TC-PURCHASE-PRICE"]


def test_a_servers_fault_is_found_though_it_was_not_looked_for_while_it_happened() -> None:
    harness = AdminHarness(faults=["event-count-third-lost"])
    for _ in range(4):
        harness.track(EVENT)
    assert {clause for _, clause in findings(harness)} == {"TS-EVENT-COUNT"}


def test_what_the_mock_was_told_to_do_is_not_held_against_it() -> None:
    harness = AdminHarness()
    harness.write(n=1)
    harness.admin("POST", "/users", {"users": [{"external_id": "ada", "custom_attributes": {"n": 7}}]})
    harness.track({"attributes": [{"external_id": "ada", "n": {"inc": 1}}]})
    held = harness.admin("GET", "/snapshot")
    harness.track({"attributes": [{"external_id": "ada", "n": {"inc": 1}}]})
    harness.admin("PUT", "/snapshot", held)
    harness.track({"attributes": [{"external_id": "ada", "n": {"inc": 1}}]})
    harness.admin("PATCH", "/settings", {"rate_limit": 90, "interpretations": {"no-user": "omitted"}})
    harness.write("eve", n=1)
    harness.admin("POST", "/clock", {"advance": 3600})
    harness.write("eve", n=2)
    harness.admin("POST", "/reset")
    harness.track({"attributes": [{"external_id": "ada", "n": {"inc": 1}}]})
    assert findings(harness) == []


def test_exchanges_that_left_the_log_before_they_were_looked_at_are_a_gap_and_no_finding() -> None:
    harness = AdminHarness()
    harness.workspace.log._most = 5
    counted = {"attributes": [{"external_id": "ada", "n": {"inc": 1}}]}
    harness.write(n=1)
    assert findings(harness) == []
    for _ in range(12):
        harness.track(counted)
    log = harness.admin("GET", "/log")
    assert [entry["number"] for entry in log["exchanges"]] == [9, 10, 11, 12, 13]
    assert log["first"] == 9
    assert log["verdicts"] == {"passed": 5}
    assert harness.refused("GET", "/log/8") == (404, "the log has no exchange 8; it has 9 to 13")


def test_the_log_is_bounded_in_number_and_in_bytes() -> None:
    app = MockApp(MockConfig())
    log = ExchangeLog(lambda: 0.0, most=10, most_bytes=50_000)
    app.watched(log)
    for size in (10, 10, 60_000, 20_000, 20_000, 20_000):
        call, delivery = app._respond(request(b"x" * size), None)
        log.handled({}, call, delivery, 0.0)(False)
        assert len(log) == 1 or sum(entry.size for entry in log) <= 50_000
    for _ in range(30):
        call, delivery = app._respond(request(b"x"), None)
        log.handled({}, call, delivery, 0.0)(False)
    assert (len(log), len(log.ended), log.first_number, log.handled_count) == (10, 10, 27, 36)


def test_a_large_exchange_is_not_checked_and_what_follows_is() -> None:
    harness = AdminHarness()
    harness.track({"attributes": [{"external_id": "ada", "big": ["x" * 250] * 1200}]})
    harness.track({"purchases": [PURCHASE | {"price": "1"}]})
    entry = harness.admin("GET", "/log/1")
    assert (entry["verdict"], entry["unchecked"]) == ("unchecked", "its bodies are too large")
    assert findings(harness) == [(2, "TC-PURCHASE-PRICE")]


def test_names_that_no_text_can_hold_are_logged_all_the_same() -> None:
    harness = AdminHarness()
    body = b'{"attributes":[{"external_id":"\\ud800","\\udfff":1}]}'
    headers = {"authorization": f"Bearer {KEY}", "content-type": "application/json"}
    response = harness.send("POST", "/users/track/sync", content=body, headers=headers)
    assert response.status_code == 201
    entry = harness.admin("GET", "/log/1")
    assert entry["user"] == "external_id \ufffd"
    assert harness.admin("GET", "/users")["total"] == 1


def test_no_key_stands_in_anything_that_the_api_shows() -> None:
    harness = AdminHarness()
    harness.track({"attributes": [{"external_id": KEY, KEY: KEY}]})
    harness.write(key="a-real-key-of-another-server", n=1)
    harness.track({"attributes": []}, f"/users/track/sync?api_key={KEY}")
    for path in ("/log", "/log/1", "/log/2", "/log/3", "/findings", "/cassette", "/status", "/settings"):
        text = harness.send("GET", f"/__tracksync{path}").text
        assert KEY not in text, path
        assert "a-real-key" not in text, path


def test_a_saved_cassette_replays_and_holds_no_persons() -> None:
    harness = AdminHarness()
    harness.write("jane@company.com", colour="red")
    harness.track({"purchases": [PURCHASE | {"price": "1"}]})
    response = harness.send("GET", "/__tracksync/cassette?number=1&number=2")
    recording = parse(response.text, Path("saved.yaml"))
    assert len(recording.interactions) == 2
    assert "jane" not in response.text
    assert Auditor([KEY]).traces(response.text, recording) == []
    assert not [one for one in check_recording(recording, ManifestEntry()) if one.findings]
    assert 'filename="tracksync.yaml"' in response.headers["content-disposition"]
    assert harness.refused("GET", "/cassette?number=x")[0] == 400
    assert harness.refused("GET", "/cassette?number=7")[0] == 404


def test_a_fault_beside_a_scenario_is_found_in_what_the_scenario_leaves_alone() -> None:
    harness = AdminHarness(scenario="error-503", faults=["message-ok"])
    for _ in range(4):
        harness.write(n=1)
    server = [(number, clause) for number, clause in findings(harness) if clause.startswith("TS-")]
    assert server == [(3, "TS-OK-MESSAGE"), (4, "TS-OK-MESSAGE")]
    shown = [entry["disturbed"] for entry in harness.admin("GET", "/log")["exchanges"]]
    assert shown == [True, True, False, False]


def test_a_client_that_hangs_up_too_early_is_found_and_one_that_waits_is_not() -> None:
    pause = 1.2  # seconds
    slow = Scenario(name="slow", sentence="", acts=(Act(do="pause", seconds=pause),))
    workspace = MockWorkspace("1", setup(KEY, scenario=slow))
    with served(mock_app({"1": workspace})) as url, AdminClient(url) as admin:
        with httpx.Client(base_url=url, headers={"authorization": f"Bearer {KEY}"}, trust_env=False) as client:
            client.post("/users/track/sync", json=EVENT)
            with pytest.raises(httpx.TimeoutException):
                client.post(
                    "/users/track/sync", json={"attributes": [{"external_id": "ada", "n": 1}]}, timeout=pause / 4
                )
        give_up = time.monotonic() + 60
        while admin.log()[-1]["verdict"] == "waiting" and time.monotonic() < give_up:
            time.sleep(0.01)
        waited, left = admin.log()
        assert (waited["failure"], waited["clauses"], waited["seconds"] >= pause) == ("", [], True)
        assert (left["failure"], left["clauses"], left["seconds"] < pause) == (
            "the client hung up",
            ["TC-TIMEOUT"],
            True,
        )


def test_clearing_the_log_keeps_numbers_and_users() -> None:
    harness = AdminHarness()
    harness.write(n=1)
    assert harness.send("DELETE", "/__tracksync/log").status_code == 204
    harness.write(n=2)
    log = harness.admin("GET", "/log")
    assert [entry["number"] for entry in log["exchanges"]] == [2]
    assert findings(harness) == []
    assert harness.admin("GET", "/log?after=2")["exchanges"] == []
    assert harness.refused("GET", "/log?after=x")[0] == 400
    assert harness.refused("GET", "/log?findings=yes")[0] == 400


def test_requests_that_were_never_sent_again_show_at_the_end_only() -> None:
    harness = AdminHarness(scenario="error-503")
    harness.write(n=1)
    assert findings(harness) == []
    concluded = harness.admin("GET", "/findings?conclude=true")["findings"]
    assert [(one["number"], one["side"]) for one in concluded] == [(None, "client")]


@pytest.mark.parametrize("name", sorted(set(catalogue()) - {"http2"}))
def test_the_mock_is_accused_of_nothing_under_any_scenario(name: str) -> None:
    harness = AdminHarness(scenario=name)
    counted = {"attributes": [{"external_id": "ada", "n": {"inc": 1}}]}
    with patch("asyncio.sleep", _no_sleep):
        for body in (counted, EVENT) * 6:
            with suppress(ConnectionError):
                harness.track(body)
    assert {clause for _, clause in findings(harness) if clause.startswith("TS-")} == set()
    log = harness.admin("GET", "/log")["exchanges"]
    assert len(log) == 12
    assert all(entry["verdict"] != "waiting" for entry in log)


_SLEEP = asyncio.sleep


async def _no_sleep(seconds: float) -> None:
    await _SLEEP(0)
