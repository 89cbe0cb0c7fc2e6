"""`tracksync mock` as a process: a workspace on a port, and a clear error where it cannot be served."""

from __future__ import annotations

import json
import signal
import socket
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
from process import clean_environment, refused, tracksync, tracksync_here

KEY = "tracksync-mock-key"


@contextmanager
def serving(*arguments: str) -> Iterator[tuple[str, subprocess.Popen[str]]]:
    """A mock on a free port; gives its address, as it printed it."""
    process = subprocess.Popen(
        [sys.executable, "-m", "tracksync", "mock", "--port", "0", *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=clean_environment(PYTHONUNBUFFERED="1"),
    )
    try:
        assert process.stdout is not None
        first = process.stdout.readline()
        assert first.startswith("tracksync mock on http://127.0.0.1:"), first + process.communicate()[1]
        assert KEY in process.stdout.readline()
        yield first.split()[-1], process
    finally:
        if process.poll() is None:
            process.kill()
        process.communicate()


def post(address: str, body: Any, key: str = KEY) -> tuple[int, Any]:
    request = urllib.request.Request(
        f"{address}/users/track/sync",
        json.dumps(body).encode(),
        {"Content-Type": "application/json", "Authorization": f"Bearer {key}"},
    )
    try:
        with urllib.request.urlopen(request, timeout=30) as response:
            return response.status, json.load(response)
    except urllib.error.HTTPError as error:
        with error:
            return error.code, json.load(error)


def event(name: str) -> dict[str, Any]:
    return {"events": [{"external_id": "u1", "name": name, "time": "2026-01-01T00:00:00Z"}]}


def test_it_serves_a_workspace_that_remembers_and_ends_on_ctrl_c() -> None:
    with serving() as (address, process):
        for count in (1, 2):
            status, body = post(address, event("seen"))
            assert (status, body["users"][0]["custom_events"][0]["count"]) == (201, count)
        assert post(address, event("seen"), "another")[0] == 401
        assert post(address, event("seen"), "tracksync-mock-key-without-permission")[0] == 403
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=30)
        assert process.returncode == 0, err
        assert "Traceback" not in err


def test_names_of_headers_are_in_capitals_where_the_scenario_says_so() -> None:
    with serving("--scenario", "header-capitals") as (address, _), httpx.Client() as client:
        raw = [name for name, _ in client.post(f"{address}/users/track/sync", json=event("seen")).headers.raw]
        assert b"X-RATELIMIT-REMAINING" in raw
        assert b"x-ratelimit-remaining" not in raw


def test_windows_shorter_than_a_minute_are_announced() -> None:
    with serving("--scenario", "rate-burst") as (_, process):
        assert process.stdout is not None
        assert "TS-RATE-RESET" in "".join(process.stdout.readline() for _ in range(2))


def test_it_follows_the_interpretations_and_the_limit_it_is_given(tmp_path: Path) -> None:
    path = tmp_path / "interpretations.toml"
    path.write_text('[interpretations]\nno-user = "omitted"\n')
    no_user = {"attributes": [{"external_id": "u9", "_update_existing_only": True, "colour": "red"}]}
    for arguments in (["--interpretations", str(path)], ["--interpretation", "no-user=omitted"]):
        with serving(*arguments, "--rate-limit", "2") as (address, _):
            assert post(address, no_user) == (201, {"message": "success"})
            statuses = {post(address, no_user)[0] for _ in range(6)}  # a minute may end among them: twice at most
            assert 429 in statuses


def test_fuzz_checks_it_by_its_address(tmp_path: Path) -> None:
    with serving() as (address, _):
        done = tracksync(
            "fuzz", "--target", address, "--seed", "7", "--only", "TS-EVENT-COUNT", cwd=tmp_path, TRACKSYNC_API_KEY=KEY
        )
    assert done.returncode == 0, done.stdout + done.stderr
    assert address in done.stdout


def test_a_port_in_use_is_exit_code_2_with_advice(tmp_path: Path) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        done = tracksync("mock", "--port", str(other.getsockname()[1]), cwd=tmp_path)
    refused(done, "in use", "--port")


@pytest.mark.parametrize(
    ("arguments", "hint"),
    [
        (["--fault", "no-such-fault"], "no fault is called 'no-such-fault'"),
        (["--scenario", "clam"], "normal"),
        (["--interpretation", "no-usr=omitted"], "did you mean no-user"),
        (["--interpretation", "no-user=gone"], "it has empty-list, omitted"),
        (["--interpretation", "no-user"], "AMBIGUITY=NAME"),
        (["--interpretations", "nowhere.toml"], "there is no file nowhere.toml"),
        (["--tls-cert", "nowhere.pem"], "nowhere.pem"),
        (["--tls-key", "nowhere.pem"], "--tls-cert"),
        (["--port", "99999"], "--port"),
        (["--host", "no.such.host.invalid"], "no.such.host.invalid"),
        (["--host", "203.0.113.7"], "203.0.113.7"),
    ],
)
def test_wrong_use_of_mock_is_exit_code_2_with_clear_words(tmp_path: Path, arguments: list[str], hint: str) -> None:
    refused(tracksync_here("mock", *arguments, cwd=tmp_path), hint)
