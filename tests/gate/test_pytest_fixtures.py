"""The fixtures for tests of Python clients, as a client team's pytest run sees them."""

from __future__ import annotations

from pathlib import Path

from pytest_project import run_pytest

CLIENT = """
import httpx, pytest

def send(mock, **attributes):
    headers = {"Authorization": f"Bearer {mock.key}"}
    body = {"attributes": [{"external_id": "u", **attributes}]}
    return httpx.post(f"{mock.url}/users/track/sync", json=body, headers=headers)
"""


def run(folder: Path, tests: str, *words: str, installed: bool = False) -> tuple[int, str]:
    (folder / "test_client.py").write_text(CLIENT + tests, encoding="utf-8")
    done = run_pytest(folder, *words, installed=installed)
    return done.returncode, done.stdout + done.stderr


def test_a_correct_client_passes_and_its_test_sees_state_and_journal(tmp_path: Path) -> None:
    tests = """
def test_colour(tracksync_mock):
    assert send(tracksync_mock, colour="red").status_code == 201
    assert tracksync_mock.state("external_id", "u")["custom_attributes"] == {"colour": "red"}
    assert [exchange.response.status for exchange in tracksync_mock.journal] == [201]
    assert tracksync_mock.key not in repr(tracksync_mock.journal)

def test_every_test_has_a_workspace_of_its_own(tracksync_mock):
    import os
    assert tracksync_mock.state("external_id", "u") is None
    assert os.environ["BRAZE_REST_ENDPOINT"] == tracksync_mock.url
"""
    code, text = run(tmp_path, tests, installed=True)
    assert (code, "2 passed" in text) == (0, True), text


def test_a_client_that_breaks_a_clause_fails_its_test_with_what_and_why(tmp_path: Path) -> None:
    tests = """
def test_long(tracksync_mock):
    send(tracksync_mock, text="x" * 300)

def test_good(tracksync_mock):
    send(tracksync_mock, text="x")

@pytest.mark.tracksync_gate(allow=["TC-STRING-LIMIT"])
def test_allowed(tracksync_mock):
    send(tracksync_mock, text="x" * 300)

@pytest.mark.tracksync_scenario("error-503")
def test_503(tracksync_mock):
    send(tracksync_mock, a=1)
"""
    code, text = run(tmp_path, tests)
    assert code == 1
    assert "2 failed, 2 passed" in text, text
    assert "TC-STRING-LIMIT: a string has 300 characters, over the limit of 255" in text
    assert "asked for: A string attribute has at most 255 characters. [TYPES]" in text
    assert "  - 255\n  + 300\n" in text
    assert "at /request/body/attributes/0/text" in text
    assert "> POST /users/track/sync" in text
    _, after_503 = text.split("____ test_503 ____")
    assert "TC-RETRY-SERVER-ERROR" in after_503, "a 5xx that is not tried again fails the test"


def test_scenarios_by_marker_by_option_and_by_parameter(tmp_path: Path) -> None:
    tests = """
@pytest.mark.tracksync_scenario("users-empty")
def test_marker(tracksync_mock):
    assert send(tracksync_mock, a=1).json()["users"] == []

@pytest.mark.parametrize("tracksync_scenario", ["normal", "users-empty"], indirect=True)
def test_parameter(tracksync_mock, tracksync_scenario):
    assert bool(send(tracksync_mock, a=1).json()["users"]) == (tracksync_scenario == "normal")

def test_option(tracksync_scenario):
    assert tracksync_scenario == "gzip"
"""
    code, text = run(tmp_path, tests, "--tracksync-scenario", "gzip")
    assert (code, "4 passed" in text) == (0, True), text


def test_a_printed_key_fails_the_test_and_is_not_shown(tmp_path: Path) -> None:
    tests = """
def test_key(tracksync_mock):
    print("the key is", tracksync_mock.key)
    print("it begins with", tracksync_mock.key[:5])

def test_encoded(tracksync_mock):
    import base64
    print("Basic", base64.b64encode(b"user:" + tracksync_mock.key.encode()).decode())
"""
    code, text = run(tmp_path, tests)
    assert code == 1
    assert "2 failed" in text
    assert text.count("TC-KEY-SECRET") >= 2
    assert "the key is [redacted]" in text


def test_an_unknown_scenario_or_clause_is_named_with_its_neighbours(tmp_path: Path) -> None:
    code, text = run(tmp_path, "def test_a(tracksync_mock): pass\n", "--tracksync-scenario", "eror-503")
    assert code != 0
    assert "did you mean error-503" in text


def test_it_works_with_xdist(tmp_path: Path) -> None:
    tests = """
@pytest.mark.parametrize("n", range(6))
def test_many(tracksync_mock, n):
    send(tracksync_mock, n=n, text="x" * (300 if n == 3 else 3))
"""
    code, text = run(tmp_path, tests, "-p", "xdist", "-n", "2")
    assert code == 1
    assert "1 failed, 5 passed" in text, text
