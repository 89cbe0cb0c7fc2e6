"""The composite action: its steps run as a runner of GitHub runs them, with the command line of this checkout."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from process import clean_environment

ROOT = Path(__file__).resolve().parents[2]
ACTION: dict[str, Any] = yaml.safe_load((ROOT / "action.yml").read_text(encoding="utf-8"))
(INSTALL, GATE) = (step for step in ACTION["runs"]["steps"] if "run" in step)
SEND = (
    'curl -s "$BRAZE_REST_ENDPOINT/users/track/sync" -H "Authorization: Bearer $BRAZE_API_KEY"'
    " -H 'Content-Type: application/json' -d '%s' > response.json"
)
CORRECT = SEND % '{"attributes": [{"external_id": "ada", "plan": "trial"}]}'
WRONG = SEND % '{"attributes": [{"plan": "trial"}]}'


@pytest.fixture
def runner(tmp_path: Path) -> dict[str, str]:
    """The environment of a runner, where the step before has installed tracksync."""
    programs = tmp_path / "temp" / "tracksync" / "bin"
    programs.mkdir(parents=True)
    (programs / "tracksync").write_text(f'#!/bin/sh\nexec {shlex.quote(sys.executable)} -m tracksync "$@"\n')
    (programs / "tracksync").chmod(0o755)
    return {
        "RUNNER_TEMP": str(tmp_path / "temp"),
        "GITHUB_ACTIONS": "true",
        "GITHUB_ACTION_PATH": str(ROOT),
        "GITHUB_OUTPUT": str(tmp_path / "output"),
        "GITHUB_STEP_SUMMARY": str(tmp_path / "summary.md"),
    }


def run(step: dict[str, Any], runner: dict[str, str], cwd: Path, **inputs: str) -> subprocess.CompletedProcess[str]:
    """Run a step with these inputs, and the defaults of the others."""
    given = {name: str(one.get("default", "")) for name, one in ACTION["inputs"].items()} | inputs
    variables = {
        name: re.sub(r"\$\{\{ inputs\.([a-z-]+) \}\}", lambda match: given[match[1]], value)
        for name, value in step["env"].items()
    }
    command = ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", step["run"]]
    environment = clean_environment(**runner, **variables)
    return subprocess.run(command, cwd=cwd, env=environment, capture_output=True, text=True, check=False, timeout=60)


def test_a_correct_client_passes(runner: dict[str, str], tmp_path: Path) -> None:
    done = run(GATE, runner, tmp_path, command=CORRECT)
    assert done.returncode == 0, done.stdout + done.stderr
    assert Path(runner["GITHUB_OUTPUT"]).read_text() == "verdict=passed\n"
    assert Path(runner["GITHUB_STEP_SUMMARY"]).read_text().count("## ✅ tracksync gate") == 1
    names = {path.name for path in (tmp_path / "tracksync-results").iterdir()}
    assert names == {"result.json", "junit.xml", "result.html"}


def test_a_wrong_client_fails_with_annotations_and_an_output(runner: dict[str, str], tmp_path: Path) -> None:
    inputs = {"scenarios": "normal\nchunked", "strict": "true", "results": "out", "command": WRONG}
    done = run(GATE, runner, tmp_path, **inputs)
    assert done.returncode == 1, done.stdout + done.stderr
    assert "::error title=TC-IDENTIFIER" in done.stdout
    assert Path(runner["GITHUB_OUTPUT"]).read_text() == "verdict=failed\n"
    assert "chunked" in (tmp_path / "out" / "result.json").read_text()


def test_a_known_finding_is_allowed(runner: dict[str, str], tmp_path: Path) -> None:
    done = run(GATE, runner, tmp_path, allow="TC-IDENTIFIER TC-TRACK-BATCH", command=WRONG)
    assert done.returncode == 0, done.stdout + done.stderr


def test_an_input_is_never_run_as_code(runner: dict[str, str], tmp_path: Path) -> None:
    run(GATE, runner, tmp_path, command="true", scenarios="$(touch made) `touch made`", allow="; touch made")
    assert not (tmp_path / "made").exists()
    for step in (INSTALL, GATE):
        assert "${{" not in step["run"]


def test_the_installation_is_of_the_action_itself(runner: dict[str, str], tmp_path: Path) -> None:
    """The step with a Python that only writes down how it is called; `make package` installs in earnest."""
    fake = tmp_path / "python"
    pip = Path(runner["RUNNER_TEMP"]) / "tracksync" / "bin" / "pip"
    for program in (fake, pip):
        program.write_text(f'#!/bin/sh\nprintf "%s " "$@" >> {tmp_path}/calls\n')
        program.chmod(0o755)
    done = run({**INSTALL, "env": {"PYTHON": str(fake)}}, runner, tmp_path)
    assert done.returncode == 0, done.stderr
    calls = (tmp_path / "calls").read_text()
    assert calls.startswith(f"-m venv {runner['RUNNER_TEMP']}{os.sep}tracksync install ")
    assert calls.endswith(f"{ROOT} ")
