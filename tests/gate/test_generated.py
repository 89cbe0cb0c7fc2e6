"""Clients that two published generators write from the spec pass the gate: the spec can be used as it stands.

openapi-python-client writes a Python client, openapi-typescript the types of a TypeScript one. The small suites on top
of them, in tests/clients/generated, are checked against what was written by mypy and tsc, and then run.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from gate_commands import ROOT, cli
from npm_packages import installed

from tracksync.contract import spec

HERE = ROOT / "tests" / "clients" / "generated"
# Under the first few each write succeeds; under the others none may be taken for a success, nor be sent again.
# The Python suite takes a second to start, so it goes through those alone that the covered clauses need.
FINE = {
    "python": ("normal", "unknown-fields"),
    "typescript": ("normal", "unknown-fields", "header-capitals", "chunked", "gzip"),
}
NOT_APPLIED = ("users-empty", "value-unchanged", "rejected", "unauthorised")
COVERED = {
    *("TC-URL", "TC-METHOD", "TC-MEDIA", "TC-JSON", "TC-KEY-SENT", "TC-KEY-BEARER", "TC-KEY-HEADER-ONLY"),
    *("TC-KEY-SECRET", "TC-ONE-OBJECT", "TC-TRACK-BATCH", "TC-IDENTIFIER", "TC-TYPES", "TC-EVENT-TIME", "TC-TIME-ZONE"),
    *("TC-PURCHASE-CURRENCY", "TC-PURCHASE-PRICE", "TC-TOLERANT", "TC-NO-RETRY", "TC-NOT-APPLIED", "TC-FAILURE-TOLD"),
}


def run(command: list[str], **more: Any) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=240, **more)


def succeeds(command: list[str], cwd: Path) -> None:
    done = run(command, cwd=cwd)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.fixture(scope="module")
def typescript(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """The command of the TypeScript suite, compiled against freshly written types."""
    home = tmp_path_factory.mktemp("typescript")
    packages = installed(HERE)
    (home / "node_modules").symlink_to(packages)
    for name in ("package.json", "tsconfig.json", "use.ts"):
        shutil.copy(HERE / name, home / name)
    tools = packages / ".bin"
    succeeds([str(tools / "openapi-typescript"), str(spec.path()), "--output", "schema.ts"], home)
    succeeds([str(tools / "tsc"), "--project", "."], home)
    return ["node", str(home / "built" / "use.js")]


@pytest.fixture(scope="module")
def python(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """The command of the Python suite, checked against a freshly written client."""
    home = tmp_path_factory.mktemp("python")
    (home / "settings.yaml").write_text("post_hooks: []\n", encoding="utf-8")
    shutil.copy(HERE / "use.py", home / "use.py")
    write = ["openapi_python_client", "generate", "--meta", "none", "--fail-on-warning", "--config", "settings.yaml"]
    source = ["--path", str(spec.path()), "--output-path", "written_client"]
    succeeds([sys.executable, "-m", *write, *source], home)
    # Strict on the suite; what stands in the generator's own modules is the generator's.
    succeeds([sys.executable, "-m", "mypy", "--strict", "--follow-imports=silent", "use.py"], home)
    return [sys.executable, str(home / "use.py")]


def gated(command: list[str], result: Path, scenarios: tuple[str, ...]) -> tuple[int, dict[str, Any], str]:
    """The exit code, the result and what was printed."""
    named = [word for name in scenarios for word in ("--scenario", name)]
    done = cli("--strict", *named, "--json", str(result), "--", *command)
    return done.returncode, json.loads(result.read_text(encoding="utf-8")), done.stdout + done.stderr


@pytest.mark.parametrize("language", ["python", pytest.param("typescript", marks=pytest.mark.node)])
def test_a_generated_client_passes_the_gate(request: pytest.FixtureRequest, tmp_path: Path, language: str) -> None:
    fine = FINE[language]
    code, result, said = gated(request.getfixturevalue(language), tmp_path / "result.json", (*fine, *NOT_APPLIED))
    assert (code, result["verdict"], result["findings"]) == (0, "passed", []), said
    assert said.count("deletion: applied") == len(fine), said
    covered = {clause for clause, row in result["clauses"].items() if row["covered"]}
    assert covered >= COVERED, COVERED - covered
    for status in (400, 401):
        assert f"{status}: refused" in said


@pytest.mark.node
def test_the_gate_faults_what_no_generator_writes(typescript: list[str], tmp_path: Path) -> None:
    """A plain generated client does not try again, and the same gate says so."""
    code, result, _ = gated(typescript, tmp_path / "result.json", ("normal", "error-503"))
    assert code == 1
    assert "TC-RETRY-SERVER-ERROR" in {finding["clause"] for finding in result["findings"]}
