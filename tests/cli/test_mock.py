"""`tracksync mock` as a process: a workspace on a port, and a clear error where it cannot be served."""

from __future__ import annotations

import json
import signal
import socket
import subprocess
import sys
import threading
import time
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
        assert "key" in process.stdout.readline() or "--key" in arguments
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


def test_it_ends_cleanly_on_sigterm_and_takes_its_port_file_with_it(tmp_path: Path) -> None:
    port = tmp_path / "port"
    with serving("--port-file", str(port)) as (address, process):
        done = tracksync("mock", "--wait", "30", "--port-file", str(port), cwd=tmp_path)
        assert (done.returncode, done.stdout) == (0, ""), done.stderr
        assert address.endswith(f":{port.read_text().strip()}")
        with httpx.stream("GET", f"{address}/__tracksync/events"):
            process.send_signal(signal.SIGTERM)
            assert process.wait(timeout=30) == 0
        assert process.stdout is not None
        assert process.stderr is not None
        assert "curl -s" in process.stdout.read()  # communicate() would leave out what is read and buffered already
        assert process.stderr.read() == ""
        assert not port.exists()


def test_waiting_for_a_mock_that_never_comes_is_incomplete(tmp_path: Path) -> None:
    done = tracksync_here("mock", "--wait", "0", "--port-file", "port", cwd=tmp_path)
    assert done.returncode == 3
    assert "no mock was ready within 0 s" in done.stderr


def test_the_first_requests_that_it_prints_work(tmp_path: Path) -> None:
    with serving() as (_, process):
        assert process.stdout is not None
        lines: list[str] = []
        while not lines or "Ctrl-C" not in lines[-1]:
            lines.append(process.stdout.readline())
        script = "".join(lines[lines.index(next(line for line in lines if line.startswith("  #"))) : -2])
        done = subprocess.run(
            ["bash", "-ec", script],
            capture_output=True,
            text=True,
            env=clean_environment(TRACKSYNC_API_KEY=KEY),
            check=True,
        )
    assert done.stdout.count('"message":"success"') == 3
    assert '"count":1' in done.stdout


def test_what_was_answered_is_there_after_kill_9_under_load(tmp_path: Path) -> None:
    state, seed = tmp_path / "mock.db", tmp_path / "users.json"
    seed.write_text('{"users": [{"external_id": "seeded", "custom_attributes": {"n": 7}}]}')
    arguments = ("--state", str(state), "--seed-file", str(seed), "--rate-limit", "1000000")
    answered: dict[str, int] = {}

    def load(address: str, user: str) -> None:
        with httpx.Client(headers={"Authorization": f"Bearer {KEY}"}) as client:
            while True:
                body = {"attributes": [{"external_id": user, "n": {"inc": 1}}]}
                try:
                    response = client.post(f"{address}/users/track/sync", json=body)
                except httpx.HTTPError:
                    return
                answered[user] = response.json()["users"][0]["custom_attributes"]["n"]

    with serving(*arguments) as (address, process):
        threads = [threading.Thread(target=load, args=(address, f"user-{number}")) for number in range(4)]
        for thread in threads:
            thread.start()
        while sum(answered.values()) < 200:
            time.sleep(0.01)
        process.kill()
        for thread in threads:
            thread.join()
    with serving(*arguments) as (address, _):
        for user, least in (answered | {"seeded": 7}).items():
            held = httpx.get(f"{address}/__tracksync/user", params={"external_id": user}).json()["custom_attributes"][
                "n"
            ]
            assert held in (least, least + 1), "one more request may have been applied whose response was lost"


def test_each_key_has_a_workspace_of_its_own_and_one_process_follows_all_options() -> None:
    first, second = "first-key-0001", "second-key-0002"
    options = ("--key", first, "--key", second, "--no-admin", "--scenario", "header-capitals")
    with serving(*options) as (address, process), httpx.Client() as client:
        assert post(address, event("seen"), first)[1]["users"][0]["custom_events"][0]["count"] == 1
        assert post(address, event("seen"), second)[1]["users"][0]["custom_events"][0]["count"] == 1
        assert post(address, event("seen"))[0] == 401
        assert client.get(f"{address}/__tracksync/health").status_code == 404, "without the admin API"
        raw = [name for name, _ in client.post(f"{address}/users/track/sync", json=event("seen")).headers.raw]
        assert b"X-RATELIMIT-REMAINING" in raw
        assert b"x-ratelimit-remaining" not in raw
        assert process.stdout is not None
        assert "inspector" not in process.stdout.readline()


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
        done = tracksync_here(
            "fuzz", "--target", address, "--seed", "7", "--only", "TS-EVENT-COUNT", cwd=tmp_path, TRACKSYNC_API_KEY=KEY
        )
    assert done.returncode == 0, done.stdout + done.stderr
    assert address in done.stdout


def test_a_port_in_use_is_exit_code_2_with_advice(tmp_path: Path) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        done = tracksync_here("mock", "--port", str(other.getsockname()[1]), cwd=tmp_path)
    refused(done, "in use", "--port")


@pytest.mark.parametrize(
    ("arguments", "hint"),
    [
        (["--fault", "no-such-fault"], "no fault is called 'no-such-fault'"),
        (["--scenario", "norml"], "did you mean normal"),
        (["--scenario", "clam"], "--list-scenarios"),
        (["--interpretation", "no-usr=omitted"], "did you mean no-user"),
        (["--interpretation", "no-user=gone"], "it has empty-list, omitted"),
        (["--interpretation", "no-user"], "AMBIGUITY=NAME"),
        (["--interpretations", "nowhere.toml"], "there is no file nowhere.toml"),
        (["--tls-cert", "nowhere.pem"], "nowhere.pem"),
        (["--tls-key", "nowhere.pem"], "--tls-cert"),
        (["--port", "99999"], "--port"),
        (["--wait", "soon"], "--wait"),
        (["--key", "short"], "--key number 1"),
        (["--key", "the-same-key", "--key", "the-same-key"], "two of the --key are the same"),
        (["--no-admin", "--open"], "--no-admin"),
        (["--seed-file", "nowhere.json"], "cannot read nowhere.json"),
        (["--state", "no/folder/mock.db"], "no/folder/mock.db"),
        (["--port-file", "no/folder/port", "--port", "0"], "no/folder"),
        (["--host", "no.such.host.invalid"], "no.such.host.invalid"),
        (["--host", "203.0.113.7"], "203.0.113.7"),
    ],
)
def test_wrong_use_of_mock_is_exit_code_2_with_clear_words(tmp_path: Path, arguments: list[str], hint: str) -> None:
    refused(tracksync_here("mock", *arguments, cwd=tmp_path), hint)
