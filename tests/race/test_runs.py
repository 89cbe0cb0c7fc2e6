"""Races against the mock on a real port: a correct mock passes, a fault is found, and the report shows it."""

from __future__ import annotations

import json
import threading
import xml.etree.ElementTree as ElementTree
from collections.abc import Iterator, Sequence
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
import trustme
from upstream import Upstream

from tracksync.cli import main
from tracksync.faults.catalogue import catalogue
from tracksync.mock import MockApp, MockConfig
from tracksync.model.events import Cleaned, Event, FindingConfirmed, RunEnded, SectionAdded
from tracksync.model.exchange import Request
from tracksync.race import RacePlan, race
from tracksync.race.history import RaceOperation, WriteOutcome
from tracksync.report import json_result
from tracksync.wire.serve import served

FAULTS = [name for name, fault in catalogue().items() if fault.family == "race"]


def run(**plan: Any) -> tuple[list[Event], list[RaceOperation]]:
    events: list[Event] = []
    rounds = race(RacePlan(**{"operations": 150, **plan}), events.append)
    return events, [operation for one in rounds for operation in one.history]


def ended(events: Sequence[Event]) -> RunEnded:
    assert isinstance(events[-1], RunEnded)
    return events[-1]


def found(events: Sequence[Event]) -> list[FindingConfirmed]:
    return [event for event in events if isinstance(event, FindingConfirmed)]


def section(events: Sequence[Event]) -> dict[str, list[int]]:
    (added,) = [event for event in events if isinstance(event, SectionAdded)]
    return {row[0]: [int(cell) for cell in row[1:-1]] for row in added.section.rows}


# --- a correct server -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("clients", [1, 2, 64])
def test_a_correct_server_passes_with_any_number_of_clients(clients: int) -> None:
    # So many operations that most clients get to send one, however busy the machine is.
    events, operations = run(clients=clients, operations=100 + 8 * clients, seed=clients)
    assert found(events) == []
    assert ended(events).verdict == "passed"
    assert len({operation.client for operation in operations}) > clients // 2


def test_on_each_cell_the_next_request_leaves_after_the_response_and_elsewhere_they_overlap() -> None:
    _, operations = run(clients=8)
    by_place: dict[object, list[RaceOperation]] = {}
    for operation in operations:
        by_place.setdefault(operation.place, []).append(operation)
    for part in by_place.values():
        assert all(one.return_ < other.call for one, other in pairwise(part))
    assert any(one.overlaps(other) for one, other in pairwise(operations))


def test_slow_and_jittering_responses_are_not_a_finding() -> None:
    events, _ = run(scenario="jitter", operations=80)
    assert ended(events).verdict == "passed"
    assert found(events) == []


@pytest.mark.parametrize("scenario", ["errors-mixed", "reset-after-applying", "reset-before-applying", "cut-body"])
def test_lost_responses_and_retries_are_not_a_finding(scenario: str) -> None:
    events, operations = run(scenario=scenario, operations=80)
    assert any(operation.outcome is WriteOutcome.AMBIGUOUS for operation in operations)
    assert found(events) == []
    assert ended(events).verdict == "passed"


def test_requests_over_the_rate_limit_wait_for_the_next_window_and_are_not_a_finding() -> None:
    events, operations = run(rate_limit=60, window_seconds=1, clients=16, operations=150)
    assert any(operation.outcome is WriteOutcome.REFUSED for operation in operations)
    assert found(events) == []
    assert ended(events).verdict == "passed"


def test_a_window_that_others_used_up_is_waited_for_before_the_first_request() -> None:
    app = MockApp(MockConfig(rate_limit=30, window_seconds=2, async_delay=0.01))
    with served(app) as url:
        body = b'{"attributes": [{"external_id": "another-user", "colour": "red"}]}'
        headers = (("content-type", "application/json"), ("authorization", "Bearer mock-key"))
        for _ in range(31):
            app.handle(Request("POST", "/users/track/sync", headers, body))
        events, _ = run(target=url, key="mock-key", rate_limit=30, window_seconds=2, operations=12, clients=4)
    assert ended(events).verdict == "passed"
    assert found(events) == []


def test_overlapping_requests_are_not_a_finding_and_their_consistency_is_reported() -> None:
    events, operations = run(overlap=True)
    assert any(operation.same_cell for operation in operations)
    assert found(events) == []
    assert ended(events).verdict == "passed"
    cells = section(events)
    assert cells["linearizable"][0] == len({operation.place for operation in operations})


# --- both endpoints ---------------------------------------------------------------------------------------------------


def test_sync_keeps_the_order_that_track_loses() -> None:
    events, _ = run(endpoint="both", operations=200)
    cells = section(events)
    sync, track = cells["linearizable"]
    assert sync == sum(row[0] for row in cells.values()), "every cell is linearizable on sync"
    assert track < sum(row[1] for row in cells.values()), "and not every one on track"
    assert ended(events).verdict == "passed", "since /users/track promises no order"
    assert found(events) == []


def test_strict_fails_a_run_on_track_that_is_not_linearizable_and_the_smallest_histories_are_drawn() -> None:
    events, _ = run(endpoint="track", strict=True)
    assert ended(events).verdict == "failed"
    (added,) = [event for event in events if isinstance(event, SectionAdded)]
    figures = added.section.figures
    assert 1 <= len(figures) <= 3
    for figure in figures:
        assert [bar.mark for bar in figure.bars].count("fault") == 1


# --- a server with a fault --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("fault", FAULTS)
def test_each_race_fault_is_found_and_drawn(fault: str) -> None:
    events, _ = run(faults=(fault,), operations=600, stop_at_finding=True)
    assert ended(events).verdict == "failed"
    first = found(events)[0]
    assert first.figure is not None
    assert [bar.mark for bar in first.figure.bars].count("fault") == 1
    assert first.exchanges


# --- other targets ------------------------------------------------------------------------------------------------


def test_the_users_of_a_run_on_a_workspace_behind_a_ca_of_ones_own_are_deleted(tmp_path: Path) -> None:
    authority = trustme.CA()
    issued = authority.issue_cert("127.0.0.1")
    ca, certificate, key = (tmp_path / name for name in ("ca.pem", "cert.pem", "key.pem"))
    authority.cert_pem.write_to_path(str(ca))
    issued.cert_chain_pems[0].write_to_path(str(certificate))
    issued.private_key_pem.write_to_path(str(key))
    app = MockApp(MockConfig(rate_limit=100_000, async_delay=0.01))
    with served(app, certificate=certificate, key=key) as url:
        events, operations = run(target=url, key="mock-key", operations=60, rate_limit=100_000, ca=ca)
    assert ended(events).verdict == "passed"
    (cleaned,) = [event for event in events if isinstance(event, Cleaned)]
    assert cleaned.left == ()
    assert len(app.store) == 0
    assert operations


def test_a_wrong_key_is_a_mistake_in_the_command_and_not_a_finding() -> None:
    from tracksync.errors import UsageError

    with served(MockApp()) as url, pytest.raises(UsageError, match="refuses the key"):
        run(target=url, key="wrong")
    page = Upstream(200, ((b"content-type", b"text/html"),), b"<html></html>")
    with served(page, transparent=True) as url, pytest.raises(UsageError, match="web page"):
        run(target=url, key="wrong")


def test_a_target_that_is_not_there_is_incomplete() -> None:
    events, _ = run(target="http://127.0.0.1:9", key="any")
    assert ended(events).verdict == "incomplete"
    assert "cannot be reached" in ended(events).reason


class _Vanishing(BaseHTTPRequestHandler):
    """Answers the first request, cuts all others, and refuses deletion."""

    answered = False

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["content-length"]))
        if _Vanishing.answered and "track" in self.path:
            self.close_connection = True
            return
        self.send_response(403 if _Vanishing.answered else 201)
        _Vanishing.answered = True
        self.send_header("content-length", "0")
        self.end_headers()

    def log_message(self, format: str, *args: Any) -> None:
        pass


@pytest.fixture
def vanishing() -> Iterator[str]:
    _Vanishing.answered = False
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Vanishing)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()
    thread.join()


def test_a_server_that_cuts_every_connection_ends_the_run_and_not_the_program(vanishing: str) -> None:
    events, operations = run(target=vanishing, key="any", operations=20, max_seconds=5.0)
    assert ended(events).verdict in ("passed", "incomplete", "failed")
    assert all(operation.outcome is WriteOutcome.AMBIGUOUS for operation in operations)


# --- the command ------------------------------------------------------------------------------------------------------


def command(*words: str) -> int:
    with pytest.raises(SystemExit) as stopped:
        main(["race", *words])
    assert isinstance(stopped.value.code, int)
    return stopped.value.code


def test_the_command_writes_results_and_the_history_which_is_checked_again(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    paths = {name: tmp_path / f"race.{name}" for name in ("json", "junit", "html", "markdown")}
    words = [word for name, path in paths.items() for word in (f"--{name}", str(path))]
    history = str(tmp_path / "race.ndjson")
    words += ["--seed", "3", "--fault", "whole-profile-written-back", "--exchanges", history]
    assert command("--ops", "150", *words) == 1
    printed = capsys.readouterr().out
    assert "The smallest part of the history that breaks TS-" in printed
    (marked, *_) = [line for line in printed.splitlines() if "| ! client" in " ".join(line.split())]
    assert "=" in marked
    result = json_result.read(paths["json"])
    assert result["command"] == "race"
    assert result["verdict"] == "failed"
    assert all(finding["figure"]["bars"] for finding in result["findings"] if finding.get("confirmed", True))
    assert json.loads(paths["json"].read_text())["sections"][0]["title"] == "Which consistency held"
    page = paths["html"].read_text()
    assert page.count("<svg") >= len(result["findings"])
    for drawing in page.split("<svg")[1:]:
        ElementTree.fromstring("<svg" + drawing.split("</svg>")[0] + "</svg>")
    assert ElementTree.parse(paths["junit"]).getroot().tag == "testsuites"
    assert "Which consistency held" in paths["markdown"].read_text()

    assert command("--history", history, "--json", str(paths["json"])) == 1
    again = json_result.read(paths["json"])
    assert again["command"] == "race"
    assert again["findings"]
    levels = [[int(row[1]) for row in one["sections"][0]["rows"]] for one in (result, again)]
    assert levels[0] == levels[1]


def test_a_fault_that_does_not_exist_is_named_with_similar_ones(capsys: pytest.CaptureFixture[str]) -> None:
    assert command("--fault", "lost-in-paralel") == 2
    assert "lost-in-parallel" in capsys.readouterr().err


def test_only_the_mock_can_be_given_a_fault(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("TRACKSYNC_API_KEY", "some-key")
    assert command("--target", "http://127.0.0.1:9", "--fault", "lost-in-parallel") == 2
    assert "only the mock" in capsys.readouterr().err


def test_more_clients_than_the_limit_are_refused(capsys: pytest.CaptureFixture[str]) -> None:
    assert command("--clients", "65") == 2
    assert "1<=x<=64" in capsys.readouterr().err


def test_a_run_on_a_workspace_leaves_no_journal_when_its_users_are_gone(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("TRACKSYNC_API_KEY", "mock-key")
    with served(MockApp(MockConfig(rate_limit=100_000, async_delay=0.01))) as url:
        words = ["--target", url, "--ops", "40", "--rate-limit", "100000", "--journal", str(tmp_path / "journal")]
        assert command(*words) == 0
    assert list((tmp_path / "journal").glob("*.jsonl")) == []


def test_the_users_of_a_run_that_could_not_delete_them_are_in_the_journal(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, vanishing: str
) -> None:
    from tracksync.live import journal

    monkeypatch.setenv("TRACKSYNC_API_KEY", "any")
    command("--target", vanishing, "--ops", "5", "--max-time", "5", "--journal", str(tmp_path))
    (path,) = tmp_path.glob("*.jsonl")
    state = journal.read(path)
    assert state is not None
    assert len(state.users) == 4, "three of the race, and the one of the first request"
    assert not state.resumable
