"""The line under a finding, run as it is printed, shows the same clause again: of every command that prints one."""

from __future__ import annotations

import contextlib
import json
import shlex
import socket
import sys
import threading
import time
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import click
import pytest
import yaml
from cassette_harness import two_events, vcrpy_document
from click.testing import CliRunner
from gate_commands import POST, script

from tracksync.cli import root
from tracksync.cli.reproduce import NOT_REPEATED, given_options
from tracksync.faults.catalogue import servers
from tracksync.mock import MockApp, MockConfig
from tracksync.wire.serve import served

KEY = "key-of-these-lines-0123456789"


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("GITHUB_ACTIONS", raising=False)
    monkeypatch.setenv("TRACKSYNC_API_KEY", KEY)


@contextlib.contextmanager
def mock(*faults: str) -> Iterator[str]:
    with served(MockApp(MockConfig(key=KEY, rate_limit=100_000, faults=servers(faults)))) as url:
        yield url


def result_of(words: list[str], stdin: str | None = None) -> dict[str, Any]:
    command, *options = words
    done = CliRunner().invoke(root, [command, "--json", "-", *options], input=stdin)
    assert done.exception is None, done.output
    result: dict[str, Any] = json.loads(done.stdout)
    return result


def lines_of(result: dict[str, Any]) -> dict[str, str]:
    """Clause to the line under its finding."""
    return {one["clause"]: one["reproduce"] for one in result["findings"]}


def run_line(line: str) -> dict[str, Any]:
    """What the line shows, run as the shell would run it."""
    head, _, text = line.partition(" <<'END'\n")
    program, *words = shlex.split(head)
    assert program == "tracksync"
    return result_of(words, text.removesuffix("END") or None)


def shown_again(clause: str, *words: str) -> str:
    """Run a command, then the line under its finding of `clause`, and expect the clause again. Returns the line."""
    line = lines_of(result_of(list(words)))[clause]
    assert clause in lines_of(run_line(line)), line
    return line


# --- every command ----------------------------------------------------------------------------------------------------


def test_fuzz_on_the_mock() -> None:
    faults = ("--fault", "event-count-stuck", "--fault", "message-ok")
    first = result_of(["fuzz", "--seed", "7", "--phases", "probes", "--max-requests", "5", *faults])
    (line,) = set(lines_of(first).values())
    assert line == "tracksync fuzz --seed 7 --max-requests 5 --phases probes " + " ".join(faults)
    assert lines_of(run_line(line)) == lines_of(first) != {}


def test_fuzz_with_interpretations_to_which_the_server_is_held() -> None:
    Path("what is held.toml").write_text('[interpretations]\nno-user = "omitted"\n')
    words = ("--only", "TS-USER-UPDATE-ONLY", "--interpretations", "what is held.toml")
    shown_again("TS-INTERPRETATION-KEPT", "fuzz", *words)


def test_a_nightly_run_whose_settings_name_another_key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("TRACKSYNC_API_KEY")
    monkeypatch.setenv("KEY_OF_THE_SANDBOX", KEY)
    monkeypatch.setattr("tracksync.engine.clean_up.SETTLE", 0.1)
    with mock("message-ok") as url:
        Path("ours.toml").write_text(f'endpoint = "{url}"\nkey_env = "KEY_OF_THE_SANDBOX"\n')
        words = ("--target", "live", "--config", "ours.toml", "--only", "TS-OK-MESSAGE", "--max-requests", "40")
        line = shown_again("TS-OK-MESSAGE", "fuzz", *words)
    assert "--target live" in line
    assert KEY not in line


def test_race() -> None:
    words = ("--clients", "2", "--ops", "20", "--rate-limit", "1000000", "--fault", "message-ok")
    shown_again("TS-OK-MESSAGE", "race", *words)


@pytest.mark.parametrize("against", [False, True])
def test_replay(against: bool) -> None:
    path = Path("a recording.yaml")
    path.write_text(yaml.safe_dump(vcrpy_document(two_events(2 if against else 1))))
    with mock("event-count-stuck") if against else contextlib.nullcontext("") as url:
        words = ("--against", url) if against else ("--strict",)
        shown_again("TS-EVENT-COUNT", "replay", str(path), *words)


def test_gate_under_a_scenario_of_the_user_with_settings() -> None:
    Path("our own.toml").write_text('[ours]\nsentence = "Nothing is wrong."\nacts = []\n')
    Path("tracksync.toml").write_text(
        '[gate]\nscenario = ["normal", "ours"]\nscenario-file = ["our own.toml"]\nendpoint-var = ["OUR_URL"]\n'
        'key-var = ["OUR_KEY"]\nendpoint-form = "sync-url"\nexpect = ["ours=success", "outage=any"]\n'
    )
    client = (
        "import os\nos.environ.update(BRAZE_REST_ENDPOINT=os.environ['OUR_URL'][:-17], BRAZE_API_KEY="
        f"os.environ['OUR_KEY'])\n{POST}\nif os.environ['TRACKSYNC_SCENARIO'] == 'ours': post({{'attributes': [{{}}]}})"
    )
    line = shown_again("TC-IDENTIFIER", "gate", "--seed", "3", "--", *script(client))
    assert "--scenario ours --expect ours=success --scenario-file 'our own.toml' --endpoint-var OUR_URL" in line


def test_gate_with_a_driver() -> None:
    adapter = (sys.executable, "-c", ADAPTER)
    words = ("--driver", "--scenario", "users-empty", "--scripts", "0", "--deadline", "9", "--", *adapter)
    found = lines_of(result_of(["gate", *words]))
    of_a_script, of_none = found["TC-OUTCOME-TRUE"], found["TC-KEY-SECRET"]
    assert of_a_script.startswith("tracksync gate --driver --deadline 9 --script - -- ")
    assert of_none.startswith("tracksync gate --driver --scenario users-empty --scripts 0 --deadline 9 -- ")
    for line, clause in ((of_a_script, "TC-OUTCOME-TRUE"), (of_none, "TC-KEY-SECRET")):
        assert clause in lines_of(run_line(line)), line


ADAPTER = """
import json, os, sys
for line in sys.stdin:
    message = json.loads(line)
    if message["type"] == "hello":
        print("the key is", os.environ["BRAZE_API_KEY"], file=sys.stderr, flush=True)
        print(json.dumps({"type": "hello", "protocol": 1, "client": "liar", "operations": ["set"]}), flush=True)
    elif message["type"] == "operation":
        print(json.dumps({"type": "outcome", "id": message["id"], "outcome": "applied"}), flush=True)
"""


def test_proxy() -> None:
    with mock("message-ok") as url:
        port = _free_port()
        words = ["proxy", "--upstream", url, "--port", str(port), "--max-requests", "1", "--strict"]
        line = lines_of(_beside(lambda: result_of(words), port))["TS-OK-MESSAGE"]
        assert "TS-OK-MESSAGE" in lines_of(_beside(lambda: run_line(line), port)), line


def _free_port() -> int:
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        return int(held.getsockname()[1])


def _beside(run: Callable[[], dict[str, Any]], port: int) -> dict[str, Any]:
    """The result of a proxy on `port`, to which one request is sent as soon as it listens."""
    results: list[dict[str, Any]] = []
    proxy = threading.Thread(target=lambda: results.append(run()))
    proxy.start()
    request = urllib.request.Request(
        f"http://127.0.0.1:{port}/users/track/sync",
        b'{"attributes":[{"external_id":"u","a":1}]}',
        {"Content-Type": "application/json", "Authorization": f"Bearer {KEY}"},
    )
    for _ in range(600):
        try:
            urllib.request.urlopen(request).close()
            break
        except OSError:
            time.sleep(0.05)
    proxy.join(60)
    return results[0]


SAMPLE = "it's one=a b.toml"


# --- every option -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["fuzz", "race", "replay", "proxy", "gate"])
def test_every_option_that_bears_on_findings_is_repeated(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / SAMPLE).touch()  # it is also the value of --config
    command = root.get_command(click.Context(root), name)
    assert command is not None
    options = [one for one in command.params if isinstance(one, click.Option) and one.expose_value]
    given = [word for option in options for word in _sample(option)]
    words = ("words",) if name == "gate" else ()
    with command.make_context(name, [*given, *words]) as first:
        repeated = given_options()
    with command.make_context(name, [*repeated, *words]) as again:
        for option in options:
            same = again.params[str(option.name)] == first.params[str(option.name)]
            assert same != (option.opts[0] in NOT_REPEATED), option.opts


def _sample(option: click.Option) -> list[str]:
    """The option with a value that is not its default."""
    if option.is_flag:
        return [option.opts[0]]
    kind = option.type
    names = getattr(kind, "names", ())
    if known := list(names() if callable(names) else names):
        return [option.opts[0], known[-1]] * (2 if option.multiple else 1)
    if isinstance(kind, click.Choice):
        return [option.opts[0], str(kind.choices[1])]
    whole = isinstance(kind, click.IntRange)
    number = "1234567" if whole else "1234567.25" if isinstance(kind, click.FloatRange) else SAMPLE
    if isinstance(kind, (click.IntRange, click.FloatRange)) and kind.max is not None and kind.max < 10**7:
        number = str(int(kind.max))
    return [option.opts[0], number] * (2 if option.multiple else 1)


def test_where_no_command_runs_there_is_nothing_to_repeat() -> None:
    assert given_options() == ()
