"""The suites of examples/mock_admin, in Node and in Python, as their readers run them."""

from __future__ import annotations

import subprocess
from pathlib import Path

from admin_harness import KEY, setup
from process import clean_environment
from pytest_project import run_pytest
from required_programs import needs

from tracksync.admin.serving import mock_app
from tracksync.admin.workspace import MockWorkspace
from tracksync.wire.serve import served

EXAMPLES = Path(__file__).resolve().parents[2] / "examples" / "mock_admin"


@needs("node")
def test_the_suite_in_node_passes() -> None:
    with served(mock_app({"1": MockWorkspace("1", setup(KEY))})) as url:
        environment = clean_environment(BRAZE_REST_ENDPOINT=url, BRAZE_API_KEY=KEY)
        done = subprocess.run(
            ["node", "--test", "admin.test.mjs"],
            cwd=EXAMPLES,
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )
    assert done.returncode == 0, done.stdout
    assert "# pass 4" in done.stdout or "pass 4" in done.stdout


def test_the_suite_in_python_passes(tmp_path: Path) -> None:
    (tmp_path / "test_admin.py").write_bytes((EXAMPLES / "test_admin.py").read_bytes())
    done = run_pytest(tmp_path, "-p", "no:cacheprovider")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "4 passed" in done.stdout
