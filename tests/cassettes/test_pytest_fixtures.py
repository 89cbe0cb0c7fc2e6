"""The pytest marker: clients record and replay through it, with three HTTP libraries, and fail on a broken clause."""

from __future__ import annotations

from pathlib import Path

import pytest
from cassette_harness import CANARY, command, served
from pytest_project import CLIENTS, project, run

RECORD = "--tracksync-record=once"
# Two equal events, of which this server shows each as the first.
FAULTY = {"key": CANARY, "faults": ("event-count-stuck",)}


def test_a_client_records_once_and_then_replays_without_a_server_and_without_the_key(tmp_path: Path) -> None:
    for library in CLIENTS:
        pytest.importorskip(library)
        project(tmp_path, library, name=library)
    project(tmp_path, marks="", fixtures="tracksync_cassette", name="fixture")
    with (tmp_path / "test_fixture.py").open("a") as file:
        file.write("    assert len(tracksync_cassette) == 2\n    assert not tracksync_cassette.findings()\n")
    with served(key=CANARY) as url:
        recorded = run(tmp_path, url, RECORD, installed=True)
    assert recorded.returncode == 0, recorded.stdout
    assert "4 passed" in recorded.stdout
    cassettes = {path: path.read_text() for path in tmp_path.glob("cassettes/*/*.yaml")}
    assert {path.parent.name for path in cassettes} == {f"test_{name}" for name in (*CLIENTS, "fixture")}
    for text in cassettes.values():
        assert CANARY not in text
        assert "bigcompany" not in text
        assert "person-1@example.com" in text

    played = run(tmp_path, url, key="another-key-today")
    assert played.returncode == 0, played.stdout
    assert "4 passed" in played.stdout
    assert {path: path.read_text() for path in tmp_path.glob("cassettes/*/*.yaml")} == cassettes
    audited = command("replay", "--audit", *map(str, cassettes))
    assert audited.returncode == 0, audited.stdout + audited.stderr


def test_a_test_whose_traffic_breaks_a_clause_fails_and_says_which_unless_its_marker_allows_it(tmp_path: Path) -> None:
    project(tmp_path, name="strict")
    project(tmp_path, marks='@pytest.mark.tracksync_cassette(allow=["TS-EVENT-COUNT"])', name="allowing")
    with served(**FAULTY) as url:
        recorded = run(tmp_path, url, RECORD)
    for done in (recorded, run(tmp_path, url)):  # and so does the replay
        assert done.returncode == 1
        assert "TS-EVENT-COUNT" in done.stdout
        assert "FAILED test_strict.py::test_signup" in done.stdout, "the test itself fails, not its teardown"
        assert "1 failed, 1 passed" in done.stdout
        assert CANARY not in done.stdout


def test_without_a_cassette_nothing_is_sent_and_the_message_says_how_to_record(tmp_path: Path) -> None:
    project(tmp_path)
    done = run(tmp_path, "http://127.0.0.1:9")
    assert done.returncode == 1
    assert f"record it with {RECORD}" in done.stdout


def test_of_the_tests_of_pytest_recording_those_with_our_marker_too_are_checked(tmp_path: Path) -> None:
    pytest.importorskip("pytest_recording")
    project(tmp_path, marks="@pytest.mark.vcr\n@pytest.mark.tracksync_cassette", name="both")
    project(tmp_path, marks="@pytest.mark.vcr", name="alone")
    with served(**FAULTY) as url:
        done = run(tmp_path, url, "-p", "recording", "--record-mode=once")
    assert done.returncode == 1
    assert "TS-EVENT-COUNT" in done.stdout
    assert "FAILED test_both.py::test_signup" in done.stdout
    assert "1 failed, 1 passed" in done.stdout
    assert len(list(tmp_path.rglob("*.yaml"))) == 2
    (ours,) = tmp_path.glob("cassettes/test_both/*.yaml")
    assert CANARY not in ours.read_text()
    assert "bigcompany" not in ours.read_text()
