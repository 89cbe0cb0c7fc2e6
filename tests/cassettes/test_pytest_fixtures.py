"""The pytest marker: clients record and replay through it, with three HTTP libraries, and fail on a broken clause."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from cassette_harness import CANARY, command, served
from pytest_project import CLIENTS, project, run


@pytest.mark.parametrize("library", list(CLIENTS))
def test_a_client_records_once_and_then_replays_without_a_server_and_without_the_key(
    tmp_path: Path, library: str
) -> None:
    pytest.importorskip(library)
    project(tmp_path, library)
    with served(key=CANARY) as url:
        recorded = run(tmp_path, url, "--tracksync-record=once")
    assert recorded.returncode == 0, recorded.stdout
    (cassette,) = tmp_path.glob("cassettes/test_client/*.yaml")
    text = cassette.read_text()
    assert CANARY not in text
    assert "bigcompany" not in text
    assert "person-1@example.com" in text

    played = run(tmp_path, url, key="another-key-today")
    assert played.returncode == 0, played.stdout
    assert cassette.read_text() == text
    audited = command("replay", "--audit", str(cassette))
    assert audited.returncode == 0, audited.stdout + audited.stderr


def test_a_test_whose_traffic_breaks_a_clause_fails_and_says_which(tmp_path: Path) -> None:
    project(tmp_path)
    with served(key=CANARY, faults=("event-count-stuck",)) as url:
        done = run(tmp_path, url, "--tracksync-record=once")
    assert done.returncode == 1
    assert "TS-EVENT-COUNT" in done.stdout
    assert "1 failed" in done.stdout, "the test itself fails, not its teardown"
    assert CANARY not in done.stdout
    again = run(tmp_path, url)
    assert "TS-EVENT-COUNT" in again.stdout, "and so does the replay"


def test_a_clause_that_the_marker_allows_does_not_fail_the_test(tmp_path: Path) -> None:
    project(tmp_path, marks='@pytest.mark.tracksync_cassette(allow=["TS-EVENT-COUNT"])')
    with served(key=CANARY, faults=("event-count-stuck",)) as url:
        done = run(tmp_path, url, "--tracksync-record=once")
    assert done.returncode == 0, done.stdout


def test_without_a_cassette_nothing_is_sent_and_the_message_says_how_to_record(tmp_path: Path) -> None:
    project(tmp_path)
    done = run(tmp_path, "http://127.0.0.1:9")
    assert done.returncode == 1
    assert "record it with --tracksync-record=once" in done.stdout


def test_a_test_with_the_marker_of_pytest_recording_too_is_checked_by_its_cassette(tmp_path: Path) -> None:
    pytest.importorskip("pytest_recording")
    project(tmp_path, marks="@pytest.mark.vcr\n@pytest.mark.tracksync_cassette")
    with served(key=CANARY, faults=("event-count-stuck",)) as url:
        done = run(tmp_path, url, "--record-mode=once")
    assert done.returncode == 1
    assert "TS-EVENT-COUNT" in done.stdout
    files = [path.read_text() for path in tmp_path.rglob("*.yaml")]
    assert len(files) == 1
    assert CANARY not in files[0]
    assert "bigcompany" not in files[0]


def test_tests_with_the_marker_of_pytest_recording_alone_are_left_to_it(tmp_path: Path) -> None:
    pytest.importorskip("pytest_recording")
    project(tmp_path, marks="@pytest.mark.vcr")
    with served(key=CANARY, faults=("event-count-stuck",)) as url:
        done = run(tmp_path, url, "--record-mode=once")
    assert done.returncode == 0, done.stdout


def test_the_fixture_gives_the_test_its_recording(tmp_path: Path) -> None:
    project(tmp_path, marks="", fixtures="tracksync_cassette")
    source = (tmp_path / "test_client.py").read_text()
    (tmp_path / "test_client.py").write_text(
        source + "    assert len(tracksync_cassette) == 2\n    assert not tracksync_cassette.findings()\n"
    )
    with served(key=CANARY) as url:
        done = run(tmp_path, url, "--tracksync-record=once")
    assert done.returncode == 0, done.stdout
    assert re.search(r"1 passed", done.stdout)
