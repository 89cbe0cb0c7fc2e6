"""The npm tools of the spec: installed once by tools/spec-lint, in the versions that it names."""

from __future__ import annotations

import os
import shutil
import subprocess
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
BIN = ROOT / ".tracksync" / "npm" / "node_modules" / ".bin"


@cache
def _why_not() -> str:
    """Why the tools cannot be had, or nothing."""
    if shutil.which("node") is None or shutil.which("npm") is None:
        return "node or npm is not installed"
    command = [str(ROOT / "tools" / "spec-lint"), "--install"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return "" if done.returncode == 0 else f"npm install failed: {done.stderr[-500:]}"


def tool(name: str) -> str:
    """The path of an npm tool. Where there is no Node the test skips, but not in CI, which has to prove the spec."""
    reason = _why_not()
    if reason and os.environ.get("CI"):
        pytest.fail(f"CI has to run the npm tools of the spec: {reason}")
    if reason:
        pytest.skip(f"{reason}; only the spec's use by npm tools goes untested, and CI tests it")
    return str(BIN / name)
