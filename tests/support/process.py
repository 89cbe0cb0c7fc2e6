"""The command line, as a process or in this one, without the settings of the machine."""

from __future__ import annotations

import contextlib
import io
import os
import subprocess
import sys
from pathlib import Path
from unittest.mock import patch

from tracksync import cli

CONTRACTS = Path(__file__).resolve().parents[2] / "contracts"


def tracksync(*arguments: str | Path, cwd: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run the command line as a process."""
    return subprocess.run(
        [sys.executable, "-m", "tracksync", *map(str, arguments)],
        capture_output=True,
        text=True,
        cwd=cwd,
        timeout=120,
        check=False,
        env=clean_environment(**environment),
    )


def tracksync_here(*arguments: str | Path, cwd: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run the command line in this process: the same code without the start of an interpreter."""
    words, code = [str(argument) for argument in arguments], 0
    # With bytes below, as the streams of a process have: the gate passes on what its command prints.
    out, err = (io.TextIOWrapper(io.BytesIO(), encoding="utf-8", write_through=True) for _ in range(2))
    with (
        patch.dict(os.environ, clean_environment(**environment), clear=True),
        contextlib.chdir(cwd),
        contextlib.redirect_stdout(out),
        contextlib.redirect_stderr(err),
    ):
        try:
            cli.main(words)
        except SystemExit as ended:
            code = int(ended.code or 0)
    return subprocess.CompletedProcess(words, code, *(_text(stream) for stream in (out, err)))


def _text(stream: io.TextIOWrapper) -> str:
    """All that was written to `stream`."""
    stream.seek(0)
    return stream.read()


def clean_environment(**more: str) -> dict[str, str]:
    """The environment of this process without what would change the command line, and with `more`."""
    ours = ("TRACKSYNC_", "BRAZE_", "GITHUB_")
    others = {name: value for name, value in os.environ.items() if not name.startswith(ours)}
    return {**others, "PYTHONPATH": str(CONTRACTS), "PYTHONIOENCODING": "utf-8", **more}


def refused(done: subprocess.CompletedProcess[str], *hints: str) -> None:
    """Assert that a command ended as wrong use, with these texts in its message and nothing on standard output."""
    assert done.returncode == 2, done.stderr
    assert "Traceback" not in done.stderr
    assert done.stdout == ""
    for hint in hints:
        assert hint in done.stderr
