#!/usr/bin/env python3
"""Build the packages, and go from a bare environment to a verdict with each: wheel, pyz, and a commit of a repository.

    make package                    build, check, install and run; a table of sizes and seconds at the end
    python tools/package.py --out DIST --python python3.12 --python python3.13

Ends with 1 where something differs from what it has to be: the sdist and the wheel are the same bytes when they are
built again from another directory, twine finds nothing, and every command runs outside of the checkout, without the
extras. Needs the extra `package` and a network for pip.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import platform
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TypeVar

Made = TypeVar("Made")
ROOT = Path(__file__).resolve().parents[1]
CLIENT = """
import json, os, urllib.request
request = urllib.request.Request(
    os.environ["BRAZE_REST_ENDPOINT"] + "/users/track/sync",
    json.dumps({"attributes": [{"external_id": "ada", "plan": "trial"}]}).encode(),
    {"Authorization": "Bearer " + os.environ["BRAZE_API_KEY"], "Content-Type": "application/json"},
)
print(urllib.request.urlopen(request, timeout=30).read())
"""
# Command, exit code, what its output holds. They run in one empty directory, in this order.
COMMANDS: tuple[tuple[str, int, str], ...] = (
    ("--version", 0, "tracksync "),
    ("fuzz -q --seed 7 --json fuzz.json", 0, "PASSED: no findings; "),
    ("fuzz -q --only TS-OK-MESSAGE --fault message-ok --record found", 1, "FAILED: 1 error"),
    ("replay -q found", 0, "PASSED: 1 known finding"),  # its manifest names it
    ("gate -q --scenario normal --scenario error-503 -- PYTHON client.py", 1, "FAILED: "),
    ("gate -q -- PYTHON client.py", 0, "PASSED: "),
    ("race -q --seed 1 --ops 30", 0, "PASSED: "),
    ("selfcheck -q --only message-ok --workers 1", 0, "passed: 1 of 1 runs"),
    ("report fuzz.json", 0, "PASSED: "),
    ("cassettes export --format har --output out.har found", 0, ""),
    ("clauses TS-OK-MESSAGE", 0, "TS-OK-MESSAGE"),
    ("spec", 0, "openapi: 3.1"),
    ("mock --list-faults", 0, "message-ok"),
    ("docs TS-OK-MESSAGE --directory site --no-browser", 0, "clauses/TS-OK-MESSAGE.html"),
    ("init", 0, "wrote tracksync.toml"),
    ("proxy --upstream http://127.0.0.1:9 --port 0 --max-time 1", 3, "INCOMPLETE"),
    ("gate -q --scenario http2 -- PYTHON client.py", 2, "'http2'"),
)


def main() -> int:
    """Build and check. Returns the exit code."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, default=ROOT / "dist", help="where the packages go")
    parser.add_argument("--python", action="append", default=[], help="also install the wheel with this Python")
    parser.add_argument("--only", choices=("build", "wheel", "pyz", "git"), action="append", default=[])
    wanted = parser.parse_args()
    parts = wanted.only or ["build", "wheel", "pyz", "git"]
    os.environ["SOURCE_DATE_EPOCH"] = _run(["git", "-C", ROOT, "log", "-1", "--format=%ct"]).strip()
    commit = _run(["git", "-C", ROOT, "rev-parse", "HEAD"]).strip()
    wheel = _timed("build, twice", lambda: build(wanted.out), lambda file: f"wheel {_mb(file)}")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        if "wheel" in parts:
            for python in dict.fromkeys([sys.executable, *wanted.python]):
                _bare(folder, f"wheel, {_version(python)}", python, str(wheel))
        if "git" in parts:
            _bare(folder, "commit of the repository", sys.executable, f"git+file://{ROOT}@{commit}")
        if "pyz" in parts:
            pyz = _timed("pyz: build", lambda: archive(wheel, wanted.out), _mb)
            home = folder / "pyz"
            home.mkdir()
            environment = {"SHIV_ROOT": str(folder / "shiv")}
            # Without `site` the interpreter does not see the extras that are installed beside this script.
            program = [sys.executable, "-S", pyz]
            _timed("pyz: first verdict", lambda: verdict(program, home, environment))
            _timed("pyz: every command", lambda: every_command(program, home, environment))
    return 0


def build(out: Path) -> Path:
    """The sdist and the wheel in `out`, which a second build in another directory gives again. Returns the wheel."""
    shutil.rmtree(out, ignore_errors=True)
    hashes = []
    with tempfile.TemporaryDirectory() as name:
        for copy, target in ((Path(name) / "one", out), (Path(name) / "elsewhere" / "two", Path(name) / "again")):
            _run(["git", "clone", "-q", ROOT, copy])
            _run([sys.executable, "-m", "build", "--no-isolation", "--outdir", target, copy])
            hashes.append({file.name: hashlib.sha256(file.read_bytes()).hexdigest() for file in target.iterdir()})
    if hashes[0] != hashes[1]:
        raise SystemExit(f"the second build differs: {hashes}")
    _run([sys.executable, "-m", "twine", "check", "--strict", *out.iterdir()])
    return next(out.glob("*.whl"))


def archive(wheel: Path, out: Path) -> Path:
    """The single file, for the Python and the machine that make it: some packages in it are compiled."""
    tag = f"{platform.system()}-{platform.machine()}-py{sys.version_info[0]}{sys.version_info[1]}".lower()
    pyz = out / f"tracksync-{tag}.pyz"
    shiv = [sys.executable, "-m", "shiv", "-c", "tracksync", "-o", pyz, "-p", "/usr/bin/env python3"]
    _run([*shiv, "--reproducible", "--compressed", wheel, "--quiet", "--disable-pip-version-check"])
    return pyz


def _bare(folder: Path, what: str, python: str, requirement: str) -> None:
    """Install in an environment that has nothing but pip, then run every command."""
    home = folder / what.replace(" ", "-")
    _run([python, "-m", "venv", home])
    pip = [home / "bin" / "python", "-m", "pip", "install", "-q", "--no-cache-dir", "--disable-pip-version-check"]
    before = _size(home)
    _timed(f"{what}: install", lambda: _run([*pip, requirement]), lambda _: f"{_size(home) - before} MB")
    work = home / "work"
    work.mkdir()
    tracksync = [home / "bin" / "tracksync"]
    _timed(f"{what}: first verdict", lambda: verdict(tracksync, work, {}))
    _timed(f"{what}: every command", lambda: every_command(tracksync, work, {}))


def verdict(program: Sequence[str | Path], folder: Path, environment: Mapping[str, str]) -> None:
    """The first thing that a newcomer runs."""
    _expect([*program, "fuzz", "-q"], folder, environment, 0, "PASSED")


def every_command(program: Sequence[str | Path], folder: Path, environment: Mapping[str, str]) -> None:
    """Run COMMANDS in `folder`."""
    (folder / "client.py").write_text(CLIENT, encoding="utf-8")
    run_commands(program, folder, environment, COMMANDS)


def run_commands(
    program: Sequence[str | Path],
    folder: Path,
    environment: Mapping[str, str],
    commands: Sequence[tuple[str, int, str]],
) -> None:
    """Run `commands` of the form of COMMANDS in `folder`."""
    for line, code, text in commands:
        words = [sys.executable if word == "PYTHON" else word for word in line.split()]
        _expect([*program, *words], folder, environment, code, text)


def _expect(command: Sequence[str | Path], folder: Path, environment: Mapping[str, str], code: int, text: str) -> None:
    kept = {
        name: value for name, value in os.environ.items() if not name.startswith(("TRACKSYNC_", "PYTHON", "GITHUB_"))
    }
    done = subprocess.run(command, cwd=folder, env={**kept, **environment}, capture_output=True, text=True, check=False)
    if done.returncode != code or text not in done.stdout + done.stderr or "a defect of tracksync" in done.stderr:
        words = " ".join(map(str, command))
        raise SystemExit(f"{words}: exit code {done.returncode}, not {code}\n{done.stdout}{done.stderr}")


def _timed(what: str, do: Callable[[], Made], size: Callable[[Made], str] = lambda made: "") -> Made:
    begun = time.monotonic()
    made = do()
    print(f"{what:45} {size(made):>16} {time.monotonic() - begun:>8.1f} s", flush=True)
    return made


def _run(command: list[str | Path]) -> str:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"{' '.join(map(str, command))} failed:\n{done.stdout}{done.stderr}")
    return done.stdout


def _version(python: str) -> str:
    return _run([python, "-c", "import platform; print('Python', platform.python_version())"]).strip()


def _size(folder: Path) -> int:
    """Megabytes of the files below `folder`."""
    return sum(file.stat().st_size for file in folder.rglob("*") if file.is_file() and not file.is_symlink()) // 10**6


def _mb(file: Path) -> str:
    return f"{file.stat().st_size / 10**6:.1f} MB"


if __name__ == "__main__":
    sys.exit(main())
