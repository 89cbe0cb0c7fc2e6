"""The command line as a process, without the settings of the machine."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

CONTRACTS = Path(__file__).resolve().parents[2] / "contracts"


def tracksync(*arguments: str | Path, cwd: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "tracksync", *map(str, arguments)],
        capture_output=True,
        text=True,
        cwd=cwd,
        timeout=120,
        check=False,
        env=clean_environment(**environment),
    )


def clean_environment(**more: str) -> dict[str, str]:
    others = {name: value for name, value in os.environ.items() if not name.startswith("TRACKSYNC_")}
    return {**others, "PYTHONPATH": str(CONTRACTS), "PYTHONIOENCODING": "utf-8", **more}


def refused(done: subprocess.CompletedProcess[str], *hints: str) -> None:
    assert done.returncode == 2, done.stderr
    assert "Traceback" not in done.stderr
    assert done.stdout == ""
    for hint in hints:
        assert hint in done.stderr
