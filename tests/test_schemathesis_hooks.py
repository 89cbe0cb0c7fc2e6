"""The oracle inside plain Schemathesis: a real `st run` on the served mock, with the hooks and without them."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

from tracksync.contract import spec
from tracksync.contract.lenient import lenient
from tracksync.faults.catalogue import servers
from tracksync.generate.harmless import is_harmless
from tracksync.mock import MockApp, MockConfig
from tracksync.model.exchange import Request
from tracksync.wire.serve import served

CONTRACTS = Path(__file__).resolve().parents[1] / "contracts"
KEY = "canary-key-0123456789"


def st_run(
    app: MockApp, tmp_path: Path, *, hooks: bool, phases: str, mode: str, lenient_form: bool = True
) -> tuple[int, str]:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("TRACKSYNC_")}
    environment |= {"PYTHONPATH": str(CONTRACTS), "COLUMNS": "200"}
    environment |= {"SCHEMATHESIS_HOOKS": "tracksync.schemathesis_hooks"} if hooks else {}
    # Without the hooks, the cases that break the document need the form that calls only certain refusals invalid.
    # The fault is one of purchases, so that the other two sections are left out of that form.
    form, document = tmp_path / "lenient.json", lenient(spec.document())
    document["components"]["schemas"]["SyncRequest"]["oneOf"] = [{"$ref": "#/components/schemas/PurchaseRequest"}]
    form.write_text(json.dumps(document), encoding="utf-8")
    with served(app) as url:
        command = [
            *(
                sys.executable,
                "-m",
                "schemathesis.cli",
                "run",
                str(form if lenient_form else spec.path()),
                "--url",
                url,
            ),
            *("--header", f"Authorization: Bearer {KEY}", "--include-path", "/users/track/sync", "--no-color"),
            *("--checks", "all", "--phases", phases, "--mode", mode, "--max-examples", "40", "--seed", "1"),
        ]
        done = subprocess.run(
            command, env=environment, cwd=tmp_path, capture_output=True, text=True, timeout=300, check=False
        )
    return done.returncode, done.stdout + done.stderr


def mock(*faults: str) -> MockApp:
    interpretations = {"wrong-method": "not-allowed"}  # lawful either way, but schemathesis wants it so
    return MockApp(
        MockConfig(
            key=KEY, rate_limit=100_000, interpretations=interpretations, faults=servers(faults), journal=100_000
        )
    )


def sent_to_real_users(app: MockApp) -> list[Request]:
    """The requests that could reach a person. The prefix of the run is that of any user whom it created."""
    sent = [entry.request for entry in app.journal if entry.request.path == "/users/track/sync"]
    prefixes = (re.search(rb'"(ts\w{6,})-', request.body) for request in sent)
    prefix = next(found[1].decode() for found in prefixes if found)
    assert len(sent) > 40
    return [request for request in sent if is_harmless(request, prefix) is not None]


def test_without_a_fault_there_are_no_findings_and_no_real_user_is_addressed(tmp_path: Path) -> None:
    app = mock()
    code, output = st_run(app, tmp_path, hooks=True, phases="examples,fuzzing", mode="all", lenient_form=False)
    assert code == 0, output
    assert sent_to_real_users(app) == []


def test_a_fault_that_only_memory_shows_is_found_with_the_hooks_alone(tmp_path: Path) -> None:
    code, output = st_run(mock("purchase-count-stuck"), tmp_path, hooks=False, phases="coverage", mode="positive")
    assert code == 0, output
    code, output = st_run(mock("purchase-count-stuck"), tmp_path, hooks=True, phases="coverage", mode="positive")
    assert code == 1, output
    assert "Contract broken: TS-PURCHASE-COUNT" in output
    assert "Every purchase adds to the lifetime count" in output
    assert "expected: 2" in output
    assert output.count("curl -sS -i ") >= 2, "the requests that led to it must stand there"
    assert KEY not in output
