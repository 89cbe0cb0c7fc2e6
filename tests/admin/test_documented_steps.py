"""The steps for CI in docs/mock.md: a schema of others reads them, and what they run is run, on another port."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import signal
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml
from check_jsonschema import main as check_jsonschema
from click.testing import CliRunner
from process import clean_environment

ROOT = Path(__file__).resolve().parents[2]
BLOCKS = re.findall(r"```yaml\n(.*?)```", (ROOT / "docs" / "mock.md").read_text(encoding="utf-8"), re.DOTALL)
CLIENT = """#!/bin/sh
curl -sf "$BRAZE_REST_ENDPOINT/users/track/sync" -H "Authorization: Bearer $BRAZE_API_KEY" \\
  -H 'Content-Type: application/json' -d '{"attributes": [{"external_id": "ada", "plan": "trial"}]}'
"""


@pytest.fixture
def port() -> int:
    """A free port."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        number: int = listener.getsockname()[1]
        return number


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    """Where `tracksync` is this checkout's, and `npm` is a client."""
    programs = tmp_path / "bin"
    programs.mkdir()
    for name, text in (
        ("tracksync", f'#!/bin/sh\nexec {shlex.quote(sys.executable)} -m tracksync "$@"\n'),
        ("npm", CLIENT),
    ):
        (programs / name).write_text(text, encoding="utf-8")
        (programs / name).chmod(0o755)
    return clean_environment(PATH=f"{programs}{os.pathsep}{os.environ['PATH']}")


def services() -> dict[str, Any]:
    (text,) = (block for block in BLOCKS if block.startswith("services:"))
    found: dict[str, Any] = yaml.safe_load(text)["services"]
    return found


def test_the_compose_file_is_one(tmp_path: Path) -> None:
    file = tmp_path / "compose.yaml"
    file.write_text(yaml.safe_dump({"services": services()}), encoding="utf-8")
    done = CliRunner().invoke(check_jsonschema, ["--builtin-schema", "vendor.compose-spec", str(file)])
    assert done.exit_code == 0, done.output
    assert services()["tests"]["depends_on"] == {"mock": {"condition": "service_healthy"}}


def test_what_the_container_runs_is_healthy_and_open_to_the_other_one(
    environment: dict[str, str], tmp_path: Path, port: int
) -> None:
    mock = services()["mock"]
    install, start = shlex.split(mock["command"])[-1].split(" && ")
    assert install.startswith("pip install ")
    serving = subprocess.Popen(
        [*shlex.split(start), "--port", str(port)], cwd=tmp_path, env=environment, stdout=subprocess.DEVNULL
    )
    try:
        # As often as the file says; each time it asks once. Then it is waited for, for as long as a slow machine needs.
        check = [*shlex.split(mock["healthcheck"]["test"])[:-1], "60", "--port", str(port)]
        assert shlex.split(mock["healthcheck"]["test"])[-2:] == ["--wait", "0"]
        assert subprocess.run(check, cwd=tmp_path, env=environment, stdout=subprocess.DEVNULL).returncode == 0
        address = f"http://127.0.0.1:{port}/__tracksync/status"
        codes = [httpx.get(address, headers={"Host": name}).status_code for name in ("mock", "localhost", "other")]
        assert codes == [200, 200, 403]
    finally:
        serving.send_signal(signal.SIGTERM)
        assert serving.wait(timeout=60) == 0, "a container that is stopped ends in good order"


@pytest.mark.skipif(not shutil.which("jq"), reason="needs jq, which .ci/run installs")
def test_the_step_of_a_github_workflow_finds_nothing_wrong_with_a_correct_client(
    environment: dict[str, str], tmp_path: Path, port: int
) -> None:
    (text,) = (block for block in BLOCKS if block.startswith("- run:"))
    script = yaml.safe_load(text)[0]["run"].replace("8080", str(port))
    (tmp_path / "tests").mkdir()
    (tmp_path / "tests" / "users.json").write_text("[]", encoding="utf-8")
    step = subprocess.Popen(
        ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", f"trap 'kill %1' EXIT\n{script}"],
        cwd=tmp_path,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    said, _ = step.communicate(timeout=120)
    assert step.returncode == 0, said
