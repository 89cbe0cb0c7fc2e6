"""The command line, in part as a process: exit codes, where texts go, no traceback for what a user can mend."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from process import clean_environment, refused, tracksync, tracksync_here
from report_samples import finding, result_of, run

from tracksync.report import json_result

KEY = "canary-key-0123456789"


# --- fuzz -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("options", "code"),
    [
        ((), 1),
        (("--allow", "TS-OK-MESSAGE"), 0),
        (("--allow", "TS-OK-USERS, TS-OK-MESSAGE", "--strict"), 0),
        (("--allow", "TS-OK-USERS"), 1),
        (("--baseline", "known.toml", "--update-baseline", "--fail-on", "new"), 1),
        (("--fail-on", "new"), 2),
        (("--allow", "TS-NO-SUCH"), 2),
    ],
)
def test_what_is_allowed_is_shown_and_does_not_fail_fuzz(tmp_path: Path, options: tuple[str, ...], code: int) -> None:
    wanted = ("fuzz", "--fault", "message-ok", "--only", "TS-OK-MESSAGE", "--max-requests", "20", "--seed", "1")
    done = tracksync_here(*wanted, *options, cwd=tmp_path)
    assert done.returncode == code, done.stderr
    if code != 2:
        assert ("TS-OK-MESSAGE" in done.stdout, "known" in done.stdout) == (True, code == 0)


@pytest.mark.parametrize(("fail_on", "code"), [("error", 0), ("warning", 1), ("note", 1), ("new", 1)])
def test_the_mildest_finding_that_fails_fuzz_can_be_chosen(tmp_path: Path, fail_on: str, code: int) -> None:
    wanted = (
        "fuzz",
        "--fault",
        "media-missing-on-wrong-media",
        "--only",
        "TS-ANSWER-MEDIA",
        "--max-requests",
        "60",
        "--seed",
        "1",
    )
    (tmp_path / "known.toml").touch()
    done = tracksync_here(*wanted, "--baseline", "known.toml", "--fail-on", fail_on, cwd=tmp_path)
    assert done.returncode == code, done.stderr + done.stdout
    if fail_on == "new":
        assert "--fail-on note" in done.stdout, "without the baseline every finding is new"


def test_fuzz_of_the_embedded_mock_passes_and_writes_every_result(tmp_path: Path) -> None:
    names = {
        "--json": "r.json",
        "--junit": "r.xml",
        "--html": "r.html",
        "--markdown": "r.md",
        "--save-interpretations": "r.toml",
    }
    pairs = [word for pair in names.items() for word in pair]
    done = tracksync("fuzz", "--seed", "7", "--phases", "probes", *pairs, cwd=tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.startswith("PASSED: no findings;")
    assert "\x1b" not in done.stdout + done.stderr
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(names.values())
    result = json_result.read(tmp_path / "r.json")
    assert (result["verdict"], result["command"], result["seed"], result["target"]) == ("passed", "fuzz", 7, "mock")
    assert result["requests"] <= 500


def test_a_fault_is_an_error_with_exit_code_1(tmp_path: Path) -> None:
    from tracksync.faults.catalogue import catalogue

    name = next(name for name, fault in catalogue().items() if fault.clauses[0] == "TS-OK-MESSAGE")
    done = tracksync(
        *("fuzz", "--seed", "7", "--max-requests", "250", "--fault", name, "--json", "r.json"), cwd=tmp_path
    )
    assert done.returncode == 1, done.stdout + done.stderr
    assert done.stdout.startswith("FAILED: ")
    assert "TS-OK-MESSAGE" in done.stdout
    last = next(line for line in reversed(done.stdout.splitlines()) if line.startswith("   reproduce: "))
    assert last.startswith("   reproduce: tracksync fuzz ")
    assert name in last
    assert json_result.read(tmp_path / "r.json")["verdict"] == "failed"


def test_the_result_may_go_to_standard_output_and_the_verdict_then_does_not(tmp_path: Path) -> None:
    done = tracksync_here("fuzz", "--only", "TS-OK-MESSAGE", "--json", "-", cwd=tmp_path)
    assert json.loads(done.stdout)["verdict"] == "passed"
    assert "PASSED" in done.stderr


def test_an_unreachable_port_ends_incomplete_and_leaves_a_result(tmp_path: Path) -> None:
    done = tracksync_here(
        "fuzz", "--target", "http://127.0.0.1:1", "--json", "r.json", cwd=tmp_path, TRACKSYNC_API_KEY=KEY
    )
    assert done.returncode == 3, done.stdout + done.stderr
    assert "Traceback" not in done.stderr
    result = json_result.read(tmp_path / "r.json")
    assert result["verdict"] == "incomplete"
    assert "cannot be reached" in result["reason"]
    assert "INCOMPLETE" in done.stdout


class _Echo(BaseHTTPRequestHandler):
    """Answers 401 and says which key it saw, as the real API does."""

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        key = self.headers.get("Authorization", "").removeprefix("Bearer ")
        body = json.dumps({"message": f"Invalid API key: {key}", "again": key}).encode()
        self.send_response(self.server.status)  # type: ignore[attr-defined]
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """Keep quiet."""


@pytest.fixture(params=[401, 201])
def echo(request: pytest.FixtureRequest) -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Echo)
    server.status = request.param  # type: ignore[attr-defined]
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()
    thread.join()


def test_a_key_that_the_server_echoes_is_on_no_stream_and_in_no_file(tmp_path: Path, echo: str) -> None:
    done = tracksync_here(
        *("fuzz", "--target", echo, "--seed", "7", "--only", "TS-OK-MESSAGE"),
        *(
            "--json",
            "r.json",
            "--junit",
            "r.xml",
            "--html",
            "r.html",
            "--markdown",
            "r.md",
            "--save-interpretations",
            "r.toml",
        ),
        cwd=tmp_path,
        TRACKSYNC_API_KEY=KEY,
    )
    assert done.returncode in (1, 2)
    assert "Traceback" not in done.stderr
    files = [path for path in tmp_path.rglob("*") if path.is_file()]
    written = {path.name for path in files} >= {"r.json", "r.xml", "r.html", "r.md", "r.toml"}
    assert written is (done.returncode == 1)
    texts = [done.stdout, done.stderr, *(path.read_bytes().decode("utf-8", "replace") for path in files)]
    for text in texts:
        assert KEY not in text


@pytest.mark.parametrize(
    ("arguments", "hint"),
    [
        (["--only", "TS-OK-MESAGE"], "did you mean TS-OK-MESSAGE"),
        (["--target", "moc"], "did you mean mock?"),
        (["--target", "rest.iad-01.braze.com"], "a URL that begins with http"),
        (["--target", "http://127.0.0.1:1/users/track/sync"], "give the base URL only"),
        (["--target", "http://127.0.0.1:1"], "put it in the environment variable TRACKSYNC_API_KEY"),
        (["--target", "https://sandbox.example.com"], "unless tracksync.toml says `live = true`"),
        (["--target", "live"], "there is no file tracksync.toml; `tracksync init` writes one"),
        (["--max-requests", "0"], "--max-requests"),
        (["--max-time", "soon"], "--max-time"),
        (["--seed", "-1"], "--seed"),
        (["--sed", "1"], "--seed"),
        (["--interpretations", "nowhere.toml"], "there is no file nowhere.toml"),
        (["--interpretation", "no-usr=omitted"], "did you mean no-user"),
        (["--fault", "no-such-fault-at-all"], "no fault is called 'no-such-fault-at-all'"),
        (["--target", "http://127.0.0.1:1", "--fault", "message-ok"], "only the embedded mock"),
        (["--json", "nowhere/r.json"], "there is no directory nowhere"),
        (["--json", "same", "--html", "same"], "same place"),
        (["surplus"], "surplus"),
    ],
)
def test_wrong_use_of_fuzz_is_exit_code_2_with_clear_words(tmp_path: Path, arguments: list[str], hint: str) -> None:
    done = tracksync_here(
        "fuzz", *arguments, cwd=tmp_path, **({"TRACKSYNC_API_KEY": KEY} if "--fault" in arguments else {})
    )
    refused(done, hint)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("content", "hint"),
    [
        ("live = tru", "tracksync.toml, line 1, column 8: this is not TOML"),
        ("\nendpont = 'x'", "tracksync.toml, line 2: unknown key 'endpont' at the top; did you mean 'endpoint'?"),
        ("live = true", "names no endpoint"),
        ("endpoint = 'https://sandbox.example.com'", "unless tracksync.toml says `live = true`"),
        ("endpoint = 'http://127.0.0.1:1'\nkey_env = 'MY_KEY'", "the environment variable MY_KEY"),
    ],
)
def test_a_broken_tracksync_toml_is_exit_code_2_with_file_and_line(tmp_path: Path, content: str, hint: str) -> None:
    (tmp_path / "tracksync.toml").write_text(content)
    refused(tracksync_here("fuzz", "--target", "live", cwd=tmp_path), hint)


def test_a_key_that_no_header_can_carry_is_refused_and_not_shown(tmp_path: Path) -> None:
    done = tracksync_here("fuzz", "--target", "http://127.0.0.1:1", cwd=tmp_path, TRACKSYNC_API_KEY=f"{KEY}\nx")
    refused(done, "the key in TRACKSYNC_API_KEY has characters")
    assert KEY not in done.stderr


def test_the_same_key_twice_is_refused(tmp_path: Path) -> None:
    keys = {"TRACKSYNC_API_KEY": KEY, "TRACKSYNC_UNPRIVILEGED_KEY": KEY}
    done = tracksync_here("fuzz", "--target", "http://127.0.0.1:1", cwd=tmp_path, **keys)
    refused(done, "hold the same key")
    assert KEY not in done.stderr


def test_interpretations_that_a_run_learned_are_taken_by_the_next(tmp_path: Path) -> None:
    first = tracksync_here("fuzz", "--phases", "probes", "--save-interpretations", "interpretations.toml", cwd=tmp_path)
    assert first.returncode == 0, first.stdout + first.stderr
    second = tracksync_here("fuzz", "--only", "TS-OK-USERS", "--interpretations", "interpretations.toml", cwd=tmp_path)
    assert second.returncode == 0, second.stdout + second.stderr
    assert "no-user" in (tmp_path / "interpretations.toml").read_text()


class _Hang(BaseHTTPRequestHandler):
    """Takes a request, says so, and never answers."""

    def do_POST(self) -> None:
        self.server.reached.set()  # type: ignore[attr-defined]
        self.server.over.wait(60)  # type: ignore[attr-defined]

    def log_message(self, format: str, *args: object) -> None:
        """Keep quiet."""


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_run_that_is_stopped_writes_its_result_and_ends_with_3(tmp_path: Path, number: signal.Signals) -> None:
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Hang)
    server.reached, server.over = threading.Event(), threading.Event()  # type: ignore[attr-defined]
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    target = f"http://127.0.0.1:{server.server_port}"
    shown = tmp_path / "shown"
    with shown.open("w") as file:
        process = subprocess.Popen(
            [sys.executable, "-m", "tracksync", "fuzz", "--target", target, "--timeout", "2", "--json", "r.json"],
            stdout=subprocess.PIPE,
            stderr=file,
            text=True,
            cwd=tmp_path,
            env=clean_environment(TRACKSYNC_API_KEY=KEY),
        )
    try:
        assert server.reached.wait(60)  # type: ignore[attr-defined]
        process.send_signal(number)
        while process.poll() is None:  # a target that responded to nothing has no users to delete
            if "cleaning" in shown.read_text():
                process.send_signal(number)
                break
            time.sleep(0.02)
        out, _ = process.communicate(timeout=60)
    finally:
        process.kill()
        process.communicate()
        server.over.set()  # type: ignore[attr-defined]
        server.shutdown()
        server.server_close()
        thread.join()
    err = shown.read_text()
    assert process.returncode == 3, out + err
    assert "Traceback" not in err
    assert "stopped by hand" in out
    assert json_result.read(tmp_path / "r.json")["verdict"] == "incomplete"


# --- clauses ----------------------------------------------------------------------------------------------------


def test_an_unknown_clause_is_exit_code_2_with_a_suggestion(tmp_path: Path) -> None:
    refused(tracksync_here("clauses", "TS-OK-MESAGE", cwd=tmp_path), "did you mean TS-OK-MESSAGE")


# --- report -----------------------------------------------------------------------------------------------------


def result_file(path: Path, *findings: str) -> Path:
    path.write_text(json_result.render(result_of(run(*(finding(clause) for clause in findings)))))
    return path


def test_a_result_is_shown_again(tmp_path: Path) -> None:
    done = tracksync_here("report", result_file(tmp_path / "a.json", "TS-OK-MESSAGE"), cwd=tmp_path)
    assert done.returncode == 0
    assert done.stdout.startswith("FAILED: 1 error")


def test_two_results_are_compared_and_rendered(tmp_path: Path) -> None:
    before = result_file(tmp_path / "a.json", "TS-OK-MESSAGE")
    after = result_file(tmp_path / "b.json", "TS-OK-STATUS")
    done = tracksync_here("report", before, after, cwd=tmp_path)
    assert "new: 1\n  TS-OK-STATUS" in done.stdout
    assert "fixed: 1\n  TS-OK-MESSAGE" in done.stdout
    done = tracksync_here("report", before, after, "--html", "c.html", "--markdown", "-", cwd=tmp_path)
    assert done.returncode == 0
    assert "- new: 1 (TS-OK-STATUS)" in done.stdout
    assert "Since the earlier run" in (tmp_path / "c.html").read_text()


@pytest.mark.parametrize(
    ("content", "hint"),
    [
        ("", "r.json is empty"),
        ("{", "r.json, line 1: this is not JSON"),
        ('{"name": "another"}', "r.json is not a result of tracksync"),
        ('{"tracksync": "1", "schema": 9}', "result schema 9"),
    ],
)
def test_a_file_that_is_not_a_result_is_exit_code_2(tmp_path: Path, content: str, hint: str) -> None:
    (tmp_path / "r.json").write_text(content)
    refused(tracksync_here("report", "r.json", cwd=tmp_path), hint)


def test_report_wants_one_result_or_two(tmp_path: Path) -> None:
    refused(tracksync_here("report", cwd=tmp_path), "RESULT")
    refused(tracksync_here("report", "a", "b", "c", cwd=tmp_path), "3 were given")
    refused(tracksync_here("report", "nowhere.json", cwd=tmp_path), "cannot read nowhere.json")


# --- the whole --------------------------------------------------------------------------------------------------


def test_an_unknown_command_is_exit_code_2_with_a_suggestion(tmp_path: Path) -> None:
    refused(tracksync_here("fuz", cwd=tmp_path), "did you mean fuzz?")
    refused(tracksync_here("frobnicate", cwd=tmp_path), "the names are fuzz, gate")


def test_the_help_loads_no_command(tmp_path: Path) -> None:
    code = (
        "import sys\n"
        "from tracksync import cli\n"
        "sys.argv = ['tracksync', '--help']\n"
        "try:\n    cli.main()\n"
        "except SystemExit as end:\n    assert end.code == 0\n"
        "heavy = {'hypothesis', 'httpx', 'rich', 'jinja2', 'schemathesis', 'uvicorn', 'tracksync.engine'}\n"
        "print(sorted(heavy & set(sys.modules)), file=sys.stderr)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, cwd=tmp_path, check=True, env=clean_environment()
    )
    assert done.stderr.strip() == "[]"
    assert "tracksync fuzz" in done.stdout
