"""`tracksync gate -- COMMAND`: its verdict on clients, and on commands that go wrong."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import drive_harness
import pytest
from click.testing import CliRunner
from gate_clients import COMMANDS, Variant, caught, gate, gate_variant, variants
from gate_commands import POST, cli, script

from tracksync.cli import root
from tracksync.contract.clauses import Evidence, Side, catalogue
from tracksync.gate.scenarios import Expect
from tracksync.mock import scenarios
from tracksync.report import html, json_result, junit

NODE = pytest.mark.skipif(shutil.which("node") is None, reason="there is no node here")
# A few of each kind; tools/gate-matrix runs all of them.
QUICK = {
    "python": {"url-slash", "key-printed-encoded", "log-the-response", "naive-time", "status-only"},
    "node": {"object-object", "key-quoted", "price-nan", "key-order"},
    "processes": {"rate-ignored"},
}

# --- clients --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("language", ["python", pytest.param("node", marks=NODE), "shell"])
def test_a_correct_client_is_not_accused(language: str) -> None:
    outcome = gate(*COMMANDS[language], scenarios=("normal", "unknown-fields", "error-503"))
    assert (outcome.clauses, outcome.exit_code) == (set(), 0), outcome.printed
    assert outcome.result["verdict"] == "passed"


@pytest.mark.skipif(not Path("/proc/net/tcp").exists(), reason="processes cannot be told apart")
def test_processes_that_each_wait_for_their_own_429_are_not_accused() -> None:
    outcome = gate(*COMMANDS["processes"], scenarios=("rate-burst",))
    assert (outcome.clauses, outcome.exit_code) == (set(), 0), outcome.printed


@pytest.mark.parametrize(
    "variant",
    [
        pytest.param(variant, id=str(variant), marks=NODE if variant.language == "node" else ())
        for variant in variants()
        if variant.name in QUICK[variant.language]
    ],
)
def test_a_faulty_client_is_caught(variant: Variant) -> None:
    outcome = gate_variant(variant)
    assert caught(variant, outcome), outcome.result["reason"]


def test_the_table_of_faulty_clients_names_clauses_and_scenarios_that_exist() -> None:
    table = variants()
    assert len(table) >= 40
    assert {variant.clause for variant in table} <= catalogue(Side.CLIENT).keys()
    assert {name for variant in table for name in variant.scenarios} <= scenarios.catalogue().keys()


def test_every_clause_that_can_fail_a_gate_has_a_client_that_breaks_it() -> None:
    failing = {id_ for id_, one in catalogue(Side.CLIENT).items() if one.evidence is not Evidence.ASSUMED}
    assert failing <= {variant.clause for variant in (*variants(), *drive_harness.variants())}


def test_the_result_lists_client_clauses_only_and_has_the_form_of_every_result() -> None:
    outcome = gate(*script(POST))
    assert set(outcome.result["clauses"]) == set(catalogue(Side.CLIENT))
    assert outcome.result["command"] == "gate"
    json_result.checked(json.loads(json_result.render(outcome.result)), "result")
    assert "TC-RATE-WAIT" in junit.render(outcome.result)
    assert "TC-RATE-WAIT" in html.render(outcome.result)


def test_a_finding_tells_its_moment_and_how_to_see_it_again() -> None:
    text = 'print("test_the_second", flush=True)\nimport time; time.sleep(1)\npost({"attributes": [{"b": 1}]})\n'
    outcome = gate(*script(POST + text))
    (finding,) = outcome.result["findings"]
    assert finding["clause"] == "TC-IDENTIFIER"
    assert "scenario normal" in finding["message"]
    assert "after the command had printed 'test_the_second'" in finding["message"]
    assert "What to do: Name the user in every object" in finding["message"]
    assert finding["reproduce"].startswith("tracksync gate --scenario normal -- ")


# --- commands -------------------------------------------------------------------------------------------------------


def test_a_command_that_never_calls_is_incomplete_and_says_why() -> None:
    outcome = gate(*script("print('hello')"))
    assert outcome.exit_code == 3
    assert "never called the mock" in outcome.result["reason"]
    assert "BRAZE_REST_ENDPOINT" in outcome.result["reason"]


def test_a_command_that_fails_under_normal_fails_the_gate_in_every_output() -> None:
    outcome = gate(*script(POST + "raise SystemExit(7)"))
    assert (outcome.result["verdict"], outcome.exit_code, outcome.result["findings"]) == ("failed", 1, [])
    assert outcome.report.as_json()["runs"][0]["status"] == 7
    assert "no clause was broken, but the command failed under normal: exit status 7" in outcome.result["reason"]
    result = {**outcome.result, "test_command": outcome.report.as_json()}
    assert 'failures="1"' in junit.render(result)


def test_a_command_that_takes_too_long_is_ended_and_its_request_under_way_is_not_the_clients_fault() -> None:
    outcome = gate(*script(POST), scenarios=("slow-30s",), timeout=5.0)
    assert (outcome.exit_code, outcome.clauses) == (3, set())
    assert outcome.report.runs[0].timed_out
    assert outcome.report.runs[0].excused == 1
    assert "did not end within 5 s under slow-30s" in outcome.result["reason"]
    result = {**outcome.result, "test_command": outcome.report.as_json()}
    assert 'errors="1"' in junit.render(result)


def test_after_a_scenario_that_times_out_the_next_one_runs() -> None:
    outcome = gate(*COMMANDS["python"], scenarios=("normal", "slow-30s", "unknown-fields"), timeout=8.0)
    assert [one.verdict for one in outcome.report.scenarios] == ["passed", "incomplete", "passed"]
    assert outcome.exit_code == 3


def test_a_client_that_leaves_its_request_when_its_own_process_ends_is_at_fault() -> None:
    text = (
        "import os, socket, urllib.parse\n"
        "url = urllib.parse.urlsplit(os.environ['BRAZE_REST_ENDPOINT'])\n"
        "s = socket.create_connection((url.hostname, url.port))\n"
        'body = b\'{"attributes": [{"external_id": "u", "a": 1}]}\'\n'
        "s.sendall(b'POST /users/track/sync HTTP/1.1\\r\\nhost: x\\r\\ncontent-type: application/json\\r\\n'\n"
        "  + b'authorization: Bearer ' + os.environ['BRAZE_API_KEY'].encode()\n"
        "  + b'\\r\\ncontent-length: %d\\r\\n\\r\\n' % len(body) + body)\n"
        "import time; time.sleep(1.2)\n"
    )
    assert gate(*script(text), scenarios=("slow-first-byte",)).clauses == {"TC-TIMEOUT"}


def test_children_that_are_left_behind_are_ended_and_named() -> None:
    text = (
        "import subprocess, sys\n"
        "for session in (False, True):\n"
        "    subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(77.25)'], start_new_session=session)\n"
    )
    outcome = gate(*script(POST + text))
    left = outcome.report.runs[0].end.left_behind
    assert len(left) == 2
    assert all("sleep(77.25)" in line for line in left)
    listed = subprocess.run(["ps", "-eo", "args"], capture_output=True, text=True).stdout
    assert "sleep(77.25)" not in listed.replace(" ".join(sys.argv), "")
    assert outcome.exit_code == 0


def test_the_signal_that_ended_a_command_is_named() -> None:
    outcome = gate(*script(POST + "import os; os.kill(os.getpid(), 9)"))
    assert outcome.exit_code == 1
    assert "was ended by SIGKILL" in outcome.result["reason"]


def test_a_command_that_does_not_exist_is_wrong_use() -> None:
    done = cli("--", "no-such-command-here")
    assert done.returncode == 2
    assert "cannot run 'no-such-command-here'" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ((), "there is no command"),
        (("--scenario", "error-503s", "--", "true"), "did you mean error-503"),
        (("--allow", "TC-ORDR", "--", "true"), "did you mean TC-ORDER"),
        (("--scenario-file", "nowhere.toml", "--", "true"), "nowhere.toml"),
        (("--endpoint-var", "A=B", "--", "true"), "cannot be the name"),
        (("--endpoint-form", "ftp", "--", "true"), "is not one of"),
    ],
)
def test_wrong_use_is_exit_code_2_with_clear_words(words: tuple[str, ...], said: str) -> None:
    done = CliRunner().invoke(root, ["gate", *words], standalone_mode=False)
    assert done.exception is not None
    assert said in str(getattr(done.exception, "message", done.exception))


def test_variables_and_the_form_of_the_endpoint_are_configurable() -> None:
    text = (
        "import os, http.client, json\n"
        "assert 'BRAZE_API_KEY' not in os.environ\n"
        "connection = http.client.HTTPConnection(os.environ['MY_HOST'])\n"
        "body = json.dumps({'attributes': [{'external_id': 'u', 'a': 1}]})\n"
        "headers = {'Content-Type': 'application/json', 'Authorization': 'Bearer ' + os.environ['MY_KEY']}\n"
        "connection.request('POST', '/users/track/sync', body, headers)\n"
        "assert connection.getresponse().status == 201\n"
    )
    outcome = gate(*script(text), endpoint_vars=("MY_HOST",), key_vars=("MY_KEY",), endpoint_form="host")
    assert outcome.exit_code == 0, outcome.printed


def test_a_known_failure_is_shown_and_fails_nothing() -> None:
    text = POST + 'post({"attributes": [{"external_id": "u", "long": "x" * 300}]})'
    outcome = gate(*script(text), allowed=frozenset({"TC-STRING-LIMIT"}))
    assert outcome.exit_code == 0
    assert [finding["known"] for finding in outcome.result["findings"]] == [True]


@pytest.mark.parametrize(
    ("status", "expected", "verdict"),
    [(0, "success", "passed"), (1, "success", "failed"), (0, "failure", "failed"), (1, "any", "passed")],
)
def test_how_a_command_ends_under_a_scenario_can_be_said(status: int, expected: Expect, verdict: str) -> None:
    text = f"try:\n  {POST.strip().splitlines()[-1]}\nexcept OSError: pass\nraise SystemExit({status})"
    text = "\n".join(POST.strip().splitlines()[:-1]) + "\n" + text
    outcome = gate(*script(text), scenarios=("rejected",), expected={"rejected": expected})
    assert (outcome.result["verdict"], outcome.clauses) == (verdict, set()), outcome.result["reason"]


def test_a_suite_that_fails_under_any_scenario_fails_the_gate_if_it_knows_the_scenarios() -> None:
    text = POST + 'import sys; sys.exit(os.environ["TRACKSYNC_SCENARIO"] == "gzip")'
    outcome = gate(*script(text), scenarios=("normal", "gzip"), aware=True)
    assert (outcome.exit_code, outcome.clauses) == (1, set())
    assert "under gzip" in outcome.result["reason"]


def test_an_aware_command_says_itself_whether_its_client_was_right() -> None:
    text = POST + 'import sys; sys.exit(0 if os.environ["TRACKSYNC_SCENARIO"] == "users-empty" else 1)'
    assert gate(*script(text), scenarios=("users-empty",), aware=True).exit_code == 0
    assert gate(*script(text), scenarios=("users-empty",)).clauses == {"TC-NOT-APPLIED"}


def test_a_scenario_of_ones_own(tmp_path: Path) -> None:
    file = tmp_path / "mine.toml"
    file.write_text('[teapots]\nacts = [{ do = "status", status = 418 }]\n', encoding="utf-8")
    done = cli("--scenario-file", str(file), "--scenario", "teapots", "--", *script(POST))
    assert done.returncode == 0, done.stderr
    assert "scenario teapots" not in done.stdout
    listed = cli("--scenario-file", str(file), "--list-scenarios").stdout
    assert "teapots" in listed
    assert "rate-burst" in listed


def test_reports_and_annotations_hold_no_key(tmp_path: Path) -> None:
    paths = {name: tmp_path / f"result.{name}" for name in ("json", "junit", "html", "markdown")}
    options = [word for name, path in paths.items() for word in (f"--{name}", str(path))]
    text = (
        POST + "print(len(os.environ['BRAZE_API_KEY']))\npost({'attributes': [{'a': os.environ['BRAZE_API_KEY']}]})\n"
    )
    seen = tmp_path / "key"
    text = f"import os; open({str(seen)!r}, 'w').write(os.environ['BRAZE_API_KEY'])\n" + text
    done = cli(*options, "--", *script(text), GITHUB_ACTIONS="true")
    assert done.returncode == 1
    assert "::error title=TC-IDENTIFIER::" in done.stdout
    assert "TC-KEY-HEADER-ONLY" in done.stdout
    key = seen.read_text()
    assert len(key) > 20
    for where in (done.stdout, done.stderr, *(path.read_text() for path in paths.values())):
        assert key not in where
    result: Any = json.loads(paths["json"].read_text())
    assert result["test_command"]["runs"][0]["status"] == 1


def test_the_output_of_scenarios_that_run_at_once_is_kept_apart_and_in_order() -> None:
    text = POST + (
        "import sys, time\n"
        "name = os.environ['TRACKSYNC_SCENARIO']\n"
        "for number in range(3):\n"
        "    print(name, number, flush=True)\n"
        "    time.sleep({'normal': 0.3}.get(name, 0.05))\n"
        "print(name, 'end', end='')\n"
    )
    names = ("normal", "gzip", "chunked", "jitter")
    outcome = gate(*script(text), scenarios=names, jobs=4)
    own = [line for line in outcome.printed.splitlines() if line.split()[0] in names]
    assert own == [f"{name} {what}" for name in names for what in (0, 1, 2, "end")]


def test_scenarios_that_run_at_once_get_the_verdicts_of_those_that_run_one_by_one() -> None:
    names = ("normal", "error-503", "users-empty")
    one_by_one = gate(*COMMANDS["python"], "retry-at-once", scenarios=names)
    at_once = gate(*COMMANDS["python"], "retry-at-once", scenarios=names, jobs=3)
    assert one_by_one.clauses == at_once.clauses == {"TC-RETRY-BACKOFF"}
    assert [one.verdict for one in one_by_one.report.scenarios] == [one.verdict for one in at_once.report.scenarios]


def test_output_passes_through_and_a_result_on_stdout_stays_clean() -> None:
    text = POST + "import sys; print('to out'); print('to err', file=sys.stderr)"
    done = cli("--json", "-", "--", *script(text))
    assert json.loads(done.stdout)["verdict"] == "passed"
    assert "to out" in done.stderr
    assert "to err" in done.stderr
