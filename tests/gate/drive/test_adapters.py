"""`tracksync gate --driver`: correct adapters pass, faulty ones fail, and broken ones get a message that helps."""

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
from drive_harness import CORRECT, FAULTY, ROOT, Variant, drive, drive_variant, variants
from gate_commands import cli
from required_programs import needs

from tracksync.contract.clauses import Side, catalogue
from tracksync.errors import ConfigError, Incomplete, UsageError
from tracksync.gate.drive import behaviours
from tracksync.gate.drive.protocol import Kind
from tracksync.gate.drive.script import read, same_cell, single

# What takes no time; tools/drive-matrix goes through everything.
QUICK = (
    "unknown-fields",
    "header-capitals",
    "users-empty",
    "value-unchanged",
    "rejected",
    "forbidden",
    "reset-after-applying",
)
QUICK_FAULTS = {
    "python": {
        "status-only",
        "reports-null",
        "all-refusals-alike",
        "key-in-log",
        "strips",
    },
    "node": {"swallows", "repeats-purchase"},
}  # fmt: skip
PYTHON = FAULTY["python"]


def driven(*words: str) -> subprocess.CompletedProcess[str]:
    """`gate --driver` by its command line, in this process."""
    return cli("--driver", *words)


# --- correct and faulty clients ---------------------------------------------------------------------------------------


def test_the_correct_python_adapter_passes_and_its_reports_are_shown() -> None:
    outcome = drive(*CORRECT["python"], behaviours=(*QUICK, "reset-after-applying"), scripts=5)
    assert outcome.clauses == set()
    assert outcome.result["verdict"] == "passed"
    driver = outcome.driver.as_json()
    assert driver["client"] == "httpx example 1.0"
    assert driver["pipelining"] is True
    assert set(driver["outcomes"]["rejected"]["set"]) == {"rejected"}
    assert set(driver["outcomes"]["forbidden"]["event"]) == {"unauthorised"}
    assert set(driver["outcomes"]["reset-after-applying"]["purchase"]) == {"failed"}
    (section,) = outcome.result["sections"]
    assert section["columns"] == ["the server", "set", "event", "purchase", "increment"]


@pytest.mark.node
def test_the_correct_node_adapter_passes() -> None:
    outcome = drive(
        *CORRECT["node"], behaviours=("header-capitals", "users-empty", "forbidden", "reset-after-applying", "cut-body")
    )
    assert outcome.clauses == set()


@needs("bash", "curl", "jq")
def test_the_correct_shell_adapter_passes(tmp_path: Path) -> None:
    script = "\n".join(
        json.dumps({"type": "server", "behaviour": name}) + "\n" + json.dumps(operation)
        for name, operation in (
            ("normal", single("normal", Kind.SET).messages(10)[2]),
            ("users-empty", single("normal", Kind.EVENT).messages(10)[2]),
            ("reset-after-applying", single("normal", Kind.PURCHASE).messages(10)[2]),
            ("header-capitals", single("normal", Kind.INCREMENT).messages(10)[2]),
        )
    )
    (tmp_path / "script").write_text(script)
    done = driven("--script", str(tmp_path / "script"), "--", *CORRECT["shell"])
    assert done.returncode == 0, done.stdout
    assert "PASSED" in done.stdout


def test_the_template_is_naive_and_driving_it_says_where() -> None:
    template = (sys.executable, str(ROOT / "examples" / "template" / "adapter.py"))
    outcome = drive(*template, behaviours=("value-unchanged", "error-503"))
    assert outcome.clauses == {"TC-NOT-APPLIED", "TC-RETRY-SERVER-ERROR", "TC-RECOVERS"}


@pytest.mark.parametrize(
    "variant",
    [
        pytest.param(one, id=str(one), marks=[pytest.mark.node] if one.language == "node" else [])
        for one in variants()
        if one.name in QUICK_FAULTS[one.language]
    ],
)
def test_a_faulty_adapter_is_caught_by_the_clause_that_it_breaks(variant: Variant) -> None:
    outcome = drive_variant(variant)
    assert variant.clause in outcome.clauses
    assert outcome.exit_code == (0 if outcome.finding(variant.clause)["evidence"] == "assumed" else 1)
    assert outcome.operations(variant.clause) <= 1


def test_every_clause_about_reports_has_an_adapter_that_breaks_it() -> None:
    table = variants()
    assert len(table) >= 20
    assert {variant.clause for variant in table} <= catalogue(Side.CLIENT).keys()
    from tracksync.gate.summary import DRIVEN

    assert set(DRIVEN) <= {variant.clause for variant in table}
    known = {(language, name) for language, names in QUICK_FAULTS.items() for name in names}
    assert known <= {(variant.language, variant.name) for variant in table}


def test_requests_about_one_cell_at_the_same_time_are_found_where_responses_are_slow() -> None:
    script = same_cell("slow-answer", Kind.SET)
    outcome = drive(*PYTHON, "same-cell-at-once", behaviours=("slow-answer",), script=script)
    assert outcome.clauses == {"TC-ORDER"}
    correct = drive(*CORRECT["python"], behaviours=("slow-answer",), script=script)
    assert correct.clauses == set()


def test_what_only_several_operations_show_is_shrunk_to_the_shortest_script() -> None:
    source = """
import json, sys
seen = 0
for line in sys.stdin:
    message = json.loads(line)
    if message["type"] == "hello":
        print(json.dumps({"type": "hello", "protocol": 1, "client": "c", "operations": ["set"]}), flush=True)
    elif message["type"] == "operation":
        seen = 1 if message["id"] == 1 else seen + ("plan" in message["attributes"])
        if seen > 1:
            sys.exit("plan again")
        print(json.dumps({"type": "outcome", "id": message["id"], "outcome": "not_applied"}), flush=True)
"""
    outcome = drive(sys.executable, "-c", source, behaviours=("users-empty",), scripts=60)
    assert "TC-NO-RESULT" in outcome.clauses
    assert outcome.operations("TC-NO-RESULT") == 2
    assert '"plan":"red"' in outcome.finding("TC-NO-RESULT")["reproduce"], "the plainest value"


# --- adapters that are none -------------------------------------------------------------------------------------------


def test_an_adapter_that_never_says_hello_could_not_be_driven() -> None:
    with pytest.raises(Incomplete, match=r"did not say hello within 0\.3 s"):
        drive(*PYTHON, "mute", hello_timeout=0.3)


@pytest.mark.parametrize(
    ("name", "error", "words"),
    [
        ("garbage", UsageError, "is not a hello but 'Listening on port 8080'"),
        ("wrong-version", UsageError, "speaks protocol 2; this tracksync speaks 1"),
        ("dies-at-once", Incomplete, "exit status 1 before it said hello.*cannot find the configuration"),
        ("wrong-id", Incomplete, "is about operation 8; open are 1"),
        ("chatty", Incomplete, "line 2 of the adapter's standard output is not a JSON object: 'sending ...'"),
        ("odd-outcome", Incomplete, "has the outcome 'ok'; there are applied"),
    ],
)
def test_an_adapter_that_breaks_the_protocol_gets_a_message_that_says_how(
    name: str, error: type[Exception], words: str
) -> None:
    with pytest.raises(error, match=words):
        drive(*PYTHON, name, behaviours=("normal",))


def test_a_command_that_cannot_be_started_is_wrong_use() -> None:
    with pytest.raises(UsageError, match="cannot run 'no-such-program'"):
        drive("no-such-program")


def test_an_adapter_that_floods_standard_error_is_driven_all_the_same() -> None:
    outcome = drive(*PYTHON, "floods", script=single("normal", Kind.SET))
    assert outcome.clauses == set()


def test_an_adapter_that_hangs_beyond_the_deadline_is_ended_and_the_run_goes_on() -> None:
    source = """
import json, sys, time
for line in sys.stdin:
    message = json.loads(line)
    if message["type"] == "hello":
        print(json.dumps({"type": "hello", "protocol": 1, "client": "c", "operations": ["set", "event"]}), flush=True)
    elif message["operation"] == "set":
        time.sleep(60)
    else:
        print(json.dumps({"type": "outcome", "id": message["id"], "outcome": "rejected"}), flush=True)
"""
    outcome = drive(
        sys.executable, "-c", source, behaviours=("normal",), deadline=0.2, script=single("normal", Kind.SET)
    )
    assert outcome.clauses == {"TC-NO-RESULT"}
    assert "there was no outcome 1 s after the deadline of 0.2 s" in outcome.finding("TC-NO-RESULT")["message"]


def test_children_that_an_adapter_leaves_are_ended_and_named() -> None:
    outcome = drive(*PYTHON, "leaves-child", script=single("normal", Kind.SET))
    assert outcome.driver.as_json()["left_behind"] == ["sleep 300"]
    assert "Left behind and ended: sleep 300" in outcome.result["sections"][0]["text"]


# --- the command line -------------------------------------------------------------------------------------------------


def test_known_findings_stand_in_a_reviewed_file_and_fail_nothing(tmp_path: Path) -> None:
    baseline, script = tmp_path / "known.toml", tmp_path / "script"
    script.write_text(single("users-empty", Kind.SET).text(10))
    words = ("--script", str(script), "--baseline", str(baseline), "--", *PYTHON)
    first = driven("--update-baseline", *words, "status-only")
    assert first.returncode == 1
    assert 'pointer = "/outcome/users-empty"' in baseline.read_text()
    second = driven(*words, "status-only")
    assert second.returncode == 0, second.stdout
    assert "known" in second.stdout
    script.write_text(single("normal", Kind.SET).text(10))
    assert driven(*words, "lazy").returncode == 1, "another finding is not known"


def test_the_key_stands_in_no_result_although_the_adapter_prints_it(tmp_path: Path) -> None:
    paths = {name: tmp_path / name for name in ("json", "junit", "html", "markdown")}
    options = [word for name, path in paths.items() for word in (f"--{name}", str(path))]
    witness = tmp_path / "key"
    source = (
        "import os, sys, json; open(sys.argv[1], 'w').write(os.environ['BRAZE_API_KEY'])\n"
        "print('key', os.environ['BRAZE_API_KEY'], file=sys.stderr, flush=True)\n"
        "sys.stdin.readline()\n"
        "print(json.dumps({'type': 'hello', 'protocol': 1, 'client': os.environ['BRAZE_API_KEY']}), flush=True)\n"
        "sys.stdin.readline(); sys.exit('key ' + os.environ['BRAZE_API_KEY'])\n"
    )
    done = driven("--scenario", "normal", "--scripts", "0", *options, "--", sys.executable, "-c", source, str(witness))
    key = witness.read_text()
    assert len(key) == 36
    assert done.returncode == 1
    assert "TC-KEY-SECRET" in done.stdout
    for text in (done.stdout, done.stderr, *(path.read_text() for path in paths.values())):
        assert key not in text


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("--scripts", "3"), "--scripts can be used with --driver only"),
        (("--driver", "--scenario-aware"), "--scenario-aware is about the exit status"),
        (("--driver", "--scenario", "error-530"), "did you mean error-50"),
        (("--driver", "--script", "no-such-file"), "cannot read no-such-file"),
        (("--driver",), "there is no command"),
    ],
)
def test_wrong_use_says_what_to_do(words: tuple[str, ...], message: str) -> None:
    from click.testing import CliRunner

    from tracksync.cli import root

    command = () if message == "there is no command" else ("--", "true")
    result = CliRunner().invoke(root, ["gate", *words, *command])
    shown = result.output + str(result.exception)
    assert message in shown


def test_a_file_that_is_not_a_script_gets_a_message_with_the_line(tmp_path: Path) -> None:
    path = tmp_path / "script"
    normal = '{"type":"server","behaviour":"normal"}'
    for text, message in (
        ('{"type":"operation","operation":"set"}\n', "line 1: say first what the server does"),
        ('{"type":"server","behaviour":"noon"}\n', "line 1: no behaviour is called 'noon'"),
        (normal + '\n\n{"type":"operation","operation":"set"}\n', "line 3: set needs attributes"),
        ("colour\n", "line 1: not a JSON object"),
    ):
        path.write_text(text)
        with pytest.raises(ConfigError, match=message):
            read(path.read_text(), str(path), behaviours.catalogue())
    done = driven("--script", str(path), "--", "true")
    assert done.returncode == 2
    assert message in done.stderr


def test_ctrl_c_leaves_no_process_and_no_port(tmp_path: Path) -> None:
    witness = tmp_path / "pid"
    source = (
        "import os, sys, json, time; sys.stdin.readline()\n"
        "print(json.dumps({'type': 'hello', 'protocol': 1, 'client': 'c'}), flush=True)\n"
        "open(sys.argv[1], 'w').write(f'{os.getpid()} {os.environ[\"BRAZE_REST_ENDPOINT\"]}'); time.sleep(300)\n"
    )
    process = subprocess.Popen(
        [sys.executable, "-m", "tracksync", "gate", "--driver", "--", sys.executable, "-c", source, str(witness)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": str(ROOT / "contracts")},
    )
    give_up = time.monotonic() + 30
    while not (witness.exists() and " " in witness.read_text()) and time.monotonic() < give_up:
        time.sleep(0.05)
    pid, _, url = witness.read_text().partition(" ")
    process.send_signal(signal.SIGINT)
    out, _ = process.communicate(timeout=30)
    assert process.returncode == 3
    assert "stopped by hand" in out
    assert not Path(f"/proc/{pid}").exists()
    with pytest.raises(OSError, match=r"refused"):
        socket.create_connection(("127.0.0.1", int(url.rpartition(":")[2])), timeout=2)
