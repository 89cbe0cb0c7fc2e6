"""npm packages that tests need: installed once, as their lock file says, into the project's own folder."""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
import subprocess
from functools import cache
from pathlib import Path

import pytest

HOME = Path(__file__).resolve().parents[2] / ".tracksync" / "clients"
LISTS = ("package.json", "package-lock.json")


def installed(source: Path) -> Path:
    """The `node_modules` with what the lists in `source` name. Without Node the test skips; in CI it fails instead."""
    home, reason = _install(source)
    if reason and os.environ.get("CI"):
        pytest.fail(f"CI has to run what needs npm: {reason}")
    if reason:
        pytest.skip(f"{reason}; only the tests that need npm packages go without, and CI runs them")
    return home / "node_modules"


@cache
def _install(source: Path) -> tuple[Path, str]:
    """Where the packages are, and why they cannot be had or nothing."""
    home = HOME / source.name
    if shutil.which("node") is None or shutil.which("npm") is None:
        return home, "node or npm is not installed"
    home.mkdir(parents=True, exist_ok=True)
    wanted = hashlib.sha256(b"".join((source / name).read_bytes() for name in LISTS)).hexdigest()
    stamp = home / "installed"
    # Tests run in several processes; one installs, the others wait for it.
    with (home / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if stamp.is_file() and stamp.read_text(encoding="utf-8") == wanted:
            return home, ""
        for name in LISTS:
            shutil.copy(source / name, home / name)
        command = ["npm", "ci", "--prefix", str(home), "--no-audit", "--no-fund", "--loglevel=error"]
        done = subprocess.run(command, cwd=home, capture_output=True, text=True, check=False, timeout=300)
        if done.returncode:
            return home, f"npm ci failed: {done.stderr[-500:]}"
        stamp.write_text(wanted, encoding="utf-8")
    return home, ""
