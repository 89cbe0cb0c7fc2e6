"""The example suites of clients pass the gate, and the gate finds it if their client is broken."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from gate_clients import gate

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"
SCENARIOS = ("normal", "unknown-fields", "error-503", "rejected", "users-empty")
pytestmark = pytest.mark.skipif(shutil.which("node") is None, reason="there is no node here")


def test_the_suite_of_the_node_client_passes() -> None:
    outcome = gate("node", "--test", str(EXAMPLES / "suite_node"), scenarios=SCENARIOS, jobs=3)
    assert (outcome.broken, outcome.exit_code) == (set(), 0), outcome.printed


def test_the_suite_of_a_node_client_that_does_not_look_at_the_response_fails(tmp_path: Path) -> None:
    suite = shutil.copytree(EXAMPLES / "suite_node", tmp_path / "suite")
    client = (suite / "client.mjs").read_text(encoding="utf-8")
    unchecked = client.replace("shown[name] !== value", "false").replace("!result.users?.length", "false")
    assert unchecked != client
    (suite / "client.mjs").write_text(unchecked, encoding="utf-8")
    outcome = gate("node", "--test", str(suite), scenarios=("normal", "users-empty"), jobs=2)
    assert outcome.clauses == {"TC-NOT-APPLIED"}
