"""tests/contract as a user runs it: as a process, against the mock, a second server over sockets, and faults."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from contract_harness import open_harness

sys.path.insert(0, str(Path(__file__).parents[1]))

from second_server import serving

ROOT = Path(__file__).resolve().parents[1]
KEY, OTHER = "canary-key-0123456789", "canary-other-key-0123456789"


def suite(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run the contract suite as its users do."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("TRACKSYNC_", "PYTEST_"))}
    return subprocess.run(
        [sys.executable, "-m", "pytest", "tests/contract", "-q", "-p", "no:cacheprovider", *arguments],
        cwd=ROOT,
        env=kept | environment,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )


def test_the_embedded_mock_passes_and_every_clause_is_put_to_the_test() -> None:
    # What Hypothesis draws is sent to it in this suite too: tests/contract/test_contract.py.
    done = suite("-k", "probe or clause or limit")
    assert done.returncode == 0, done.stdout
    covered, clauses = re.search(r"(\d+) of (\d+) clauses covered", done.stdout).groups()  # type: ignore[union-attr]
    assert covered == clauses


def steps_of(output: str) -> list[str]:
    # Where CI is set, pytest repeats the whole example in its summary.
    output = output.partition("short test summary info")[0]
    return [line for line in output.splitlines() if re.match(r"state\.(?!teardown)", line)]


def test_an_independent_server_passes_over_sockets_and_the_key_is_never_shown() -> None:
    with serving(key=KEY, unprivileged_key=OTHER, rate_limit=100_000) as url:
        done = suite(
            "--target",
            url,
            "--rate-limit",
            "100000",
            TRACKSYNC_API_KEY=KEY,
            TRACKSYNC_UNPRIVILEGED_KEY=OTHER,
        )
    assert done.returncode == 0, done.stdout
    assert re.search(rf"\d+ requests to {re.escape(url)}; 1\d\d of \d+ clauses covered", done.stdout)
    assert "test users deleted" in done.stdout
    assert "TS-RATE-429" in done.stdout.split("not covered: ")[1], "what was not tried must be named"
    assert KEY not in done.stdout + done.stderr


def test_the_machine_shrinks_a_fault_to_a_few_steps() -> None:
    done = suite("--fault", "purchase-count-starts-over", "-k", "any_order")
    assert done.returncode == 1
    assert "TS-PURCHASE-COUNT: " in done.stdout
    assert "expected  " in done.stdout
    assert "at        /response/body/users/0/" in done.stdout
    assert "Traceback" not in done.stdout
    steps = steps_of(done.stdout)
    assert 1 <= len(steps) <= 4, done.stdout


def test_a_fault_of_the_second_server_fails_the_probes_with_the_clause_in_words() -> None:
    with serving(key=KEY, rate_limit=100_000, faults=["event_count_stuck_at_one"]) as url:
        done = suite("--target", url, "-k", "test_probe and event", TRACKSYNC_API_KEY=KEY)
    assert done.returncode == 1
    assert "TS-EVENT-COUNT: Every event adds one" in done.stdout
    assert "FAILED tests/contract/test_contract.py::test_probe[" in done.stdout


@pytest.mark.parametrize(
    ("url", "faults", "words"),
    [
        ("http://127.0.0.1:1", (), "set TRACKSYNC_API_KEY"),
        ("127.0.0.1:1", (), "begins with http:// or https://"),
        ("http://127.0.0.1:1", ("event-count-stuck",), "leave out --target"),
    ],
)
def test_a_call_that_cannot_work_ends_at_once_in_words(
    monkeypatch: pytest.MonkeyPatch, url: str, faults: tuple[str, ...], words: str
) -> None:
    monkeypatch.delenv("TRACKSYNC_API_KEY", raising=False)
    with pytest.raises(pytest.exit.Exception, match=words) as end:
        open_harness(url, rate_limit=None, probe_rate_limit=False, faults=faults, seed=None)
    assert end.value.returncode == 4


def test_a_wrong_key_is_said_and_not_reported_as_findings() -> None:
    with serving(key=KEY) as url:
        done = suite("--target", url, TRACKSYNC_API_KEY="canary-wrong-key-0123456789")
    assert done.returncode == 4
    assert "refuses the key" in done.stdout + done.stderr
    assert "canary-wrong" not in done.stdout + done.stderr
