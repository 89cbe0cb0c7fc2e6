"""`tracksync gate`: stopping by hand, settings in files, baseline, scenarios and groups."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest
from gate_clients import COMMANDS, gate
from gate_commands import POST, ROOT, cli, script

from tracksync.errors import UsageError
from tracksync.gate.scenarios import Family, bounded, choose, expectation, groups
from tracksync.mock import MockApp, MockConfig, scenarios
from tracksync.model.exchange import Request

# --- stopping -------------------------------------------------------------------------------------------------------


def test_stopping_by_hand_leaves_no_process_and_no_port(tmp_path: Path) -> None:
    note = tmp_path / "started"
    text = POST + (
        "import signal, time\n"
        "signal.signal(signal.SIGINT, signal.SIG_IGN)\n"
        f"open({str(note)!r}, 'w').write(os.environ['BRAZE_REST_ENDPOINT'] + ' ' + str(os.getpid()))\n"
        "time.sleep(60)\n"
    )
    gate_process = subprocess.Popen(
        [sys.executable, "-m", "tracksync", "gate", "--", *script(text)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": str(ROOT / "contracts")},
    )
    deadline = time.monotonic() + 60
    while not (note.exists() and note.read_text().count(" ")) and time.monotonic() < deadline:
        time.sleep(0.02)
    url, pid = note.read_text().split()
    gate_process.send_signal(signal.SIGINT)
    out, err = gate_process.communicate(timeout=30)
    assert gate_process.returncode == 3, out + err
    assert "stopped by hand" in out
    with pytest.raises(ProcessLookupError):
        os.kill(int(pid), 0)
    with socket.socket() as probe:
        assert probe.connect_ex(("127.0.0.1", int(url.rpartition(":")[2]))) != 0


def test_stopping_by_hand_keeps_what_was_found(tmp_path: Path) -> None:
    text = (
        "import os, time\nif os.environ['TRACKSYNC_SCENARIO'] == 'outage': time.sleep(60)\n"
        + POST
        + ('post({"attributes": [{"b": 1}]})\n')
    )
    words = ["--scenario", "normal", "--scenario", "outage", "--jobs", "1", "--", *script(text)]
    shown = tmp_path / "shown"
    with shown.open("w") as file:
        gate_process = subprocess.Popen(
            [sys.executable, "-m", "tracksync", "gate", *words],
            stdout=subprocess.PIPE,
            stderr=file,
            text=True,
            env={**os.environ, "PYTHONPATH": str(ROOT / "contracts")},
        )
    deadline = time.monotonic() + 60
    while "[1/2] normal" not in shown.read_text() and time.monotonic() < deadline:
        time.sleep(0.02)
    gate_process.send_signal(signal.SIGINT)
    out, _ = gate_process.communicate(timeout=60)
    assert gate_process.returncode == 3, out + shown.read_text()
    assert "TC-IDENTIFIER" in out
    assert "INCOMPLETE" in out


# --- settings -------------------------------------------------------------------------------------------------------


def test_all_of_the_gate_can_stand_in_a_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "pyproject.toml"
    words = json.dumps([sys.executable, "-c", POST])
    file.write_text(
        f"[tool.tracksync.gate]\ncommand = {words}\nscenario = ['rejected']\nexpect = {{ rejected = 'any' }}\n"
        "fail-on = 'warning'\njobs = 1\n",
        encoding="utf-8",
    )
    monkeypatch.chdir(tmp_path)
    done = cli("--json", "-")
    result = json.loads(done.stdout)
    assert (result["verdict"], result["fail_on"]) == ("passed", "warning"), done.stderr
    assert [run["scenario"] for run in result["test_command"]["runs"]] == ["rejected"]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[gate]\nscenarios = ['all']\n", "did you mean scenario?"),
        ("[gate]\ntimeout = 'long'\n", "timeout has to be a number"),
        ("gate = 1\n", "gate has to be a table"),
        ("[gate\n", "this is not TOML"),
    ],
)
def test_a_setting_that_is_wrong_is_exit_code_2(
    text: str, said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "tracksync.toml").write_text(text, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    done = cli("--", "true")
    assert done.returncode == 2
    assert said in done.stderr


def test_known_findings_are_in_a_baseline_and_only_new_ones_fail(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    first = POST + 'post({"attributes": [{"external_id": "u", "long": "x" * 300}]})'
    written = cli("--baseline", "known.toml", "--update-baseline", "--", *script(first))
    assert written.returncode == 1, written.stderr
    known = cli("--baseline", "known.toml", "--fail-on", "new", "--", *script(first))
    assert known.returncode == 0, known.stdout
    assert "PASSED: 1 known finding" in known.stdout
    second = first + '\npost({"attributes": [{"external_id": 7, "a": 1}]})'
    assert cli("--baseline", "known.toml", "--", *script(second)).returncode == 0
    assert cli("--baseline", "known.toml", "--fail-on", "new", "--", *script(second)).returncode == 1


# --- scenarios ------------------------------------------------------------------------------------------------------


def test_every_scenario_has_an_expectation_that_follows_from_its_acts() -> None:
    families = {name: expectation(played).family for name, played in scenarios.catalogue().items()}
    assert families["normal"] is Family.NORMAL
    assert families["gzip"] is families["slow-body"] is Family.HARMLESS
    assert families["error-503"] is families["rate-long"] is families["reset-after-applying"] is Family.TRANSIENT
    assert families["outage"] is families["unauthorised"] is Family.LASTING
    assert families["users-empty"] is families["value-unchanged"] is Family.UNAPPLIED
    assert families["errors-mixed"] is families["empty-body"] is families["slow-30s"] is Family.CHANCE


def test_normal_comes_first_whatever_the_order() -> None:
    assert [played.name for played in choose(("outage", "normal"))] == ["normal", "outage"]
    assert [played.name for played in choose(())] == ["normal"]
    assert {played.name for played in choose(("all",))} == set(scenarios.catalogue())


def test_groups_contain_each_other_and_scenarios_can_be_left_out() -> None:
    quick, standard, everything = (set(names) for names in groups().values())
    assert quick < standard < everything == set(scenarios.catalogue())
    assert not groups().keys() & everything
    assert {played.name for played in choose(("all",), exclude=("quick", "http2"))} == everything - quick - {"http2"}
    with pytest.raises(UsageError, match="no scenario is left"):
        choose(("quick",), exclude=("all",))


@pytest.mark.parametrize(
    ("name", "total"), [("slow-30s", 1), ("slow-first-byte", 12), ("jitter", None), ("outage", 60)]
)
def test_what_takes_long_is_bounded_in_one_run(name: str, total: int | None) -> None:
    assert [act.total for act in bounded(scenarios.catalogue()[name]).acts] == [total]


def test_a_pause_happens_to_so_many_requests_only() -> None:
    acts = (scenarios.Act(do="status", status=503, total=2),)
    app = MockApp(MockConfig(scenario=scenarios.Scenario(name="own", sentence="", acts=acts)))
    headers = (("Content-Type", "application/json"), ("Authorization", f"Bearer {app.config.key}"))
    bodies = [b'{"attributes": [{"external_id": "u%d", "a": 1}]}' % number for number in range(4)]
    statuses = [app.handle(Request("POST", "/users/track/sync", headers, body)).status for body in bodies]
    assert statuses == [503, 503, 201, 201]


def test_a_request_that_met_an_outage_never_succeeds_however_many_are_sent_at_once() -> None:
    app = MockApp(MockConfig(scenario=bounded(scenarios.catalogue()["outage"])))
    headers = (("Content-Type", "application/json"), ("Authorization", f"Bearer {app.config.key}"))

    def send(*users: int) -> list[int]:
        bodies = [b'{"attributes": [{"external_id": "u%d", "a": 1}]}' % user for user in users]
        return [app.handle(Request("POST", "/users/track/sync", headers, body)).status for body in bodies]

    assert {*send(*range(40)), *send(*range(40))} == {503}
    assert send(0, 0, 1, 40) == [503, 503, 503, 503]
    assert send(2, 41, 3, 40) == [503, 201, 503, 503]  # three were sent three times: what fails keeps failing
    assert send(*[0] * 17) == [503] * 16 + [201]  # a client without a bound comes to its end


@pytest.mark.parametrize("name", ["cut-body", "reset-before-applying", "keep-alive-dropped"])
def test_a_connection_that_the_server_ends_is_not_held_against_the_client(name: str) -> None:
    outcome = gate(*COMMANDS["python"], scenarios=(name,))
    assert (outcome.broken, outcome.exit_code) == (set(), 0), outcome.result["findings"]


def test_a_client_of_users_track_need_not_know_results_that_no_response_shows() -> None:
    outcome = gate(*script(POST.replace("/users/track/sync", "/users/track")), scenarios=("users-empty",))
    assert (outcome.clauses, outcome.exit_code) == (set(), 0)
