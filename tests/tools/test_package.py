"""The packages, built and run in CI: sdist, wheel and pyz, outside of the checkout. `make package` begins with nothing.

The pyz here has tracksync alone in it; what it needs comes from this environment, so that no network is used.
"""

from __future__ import annotations

import importlib.util
import os
import signal
import subprocess
import sys
import sysconfig
import tarfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import ModuleType

import httpx
import pytest
from hatchling.builders.sdist import SdistBuilder
from hatchling.builders.wheel import WheelBuilder

ROOT = Path(__file__).resolve().parents[2]
CORE = ("--version", "fuzz", "replay", "gate", "docs")  # and `mock`, which is served
LONG = ("--seed 7", "--scenario")  # a whole run, and failures that a client has to wait for


@pytest.fixture(scope="module")
def script() -> ModuleType:
    """tools/package.py as a module."""
    spec = importlib.util.spec_from_file_location("package_script", ROOT / "tools" / "package.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel that is built from the sdist, as an index gets it. It is the wheel of the checkout."""
    folder = tmp_path_factory.mktemp("packages")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SOURCE_DATE_EPOCH", "1700000000")
        (sdist,) = SdistBuilder(str(ROOT)).build(directory=str(folder), versions=["standard"])
        with tarfile.open(sdist) as archive:
            archive.extractall(folder / "unpacked", filter="data")
        (unpacked,) = (folder / "unpacked").iterdir()
        (theirs,) = WheelBuilder(str(unpacked)).build(directory=str(folder / "theirs"), versions=["standard"])
        (ours,) = WheelBuilder(str(ROOT)).build(directory=str(folder / "ours"), versions=["standard"])
    assert Path(theirs).read_bytes() == Path(ours).read_bytes()
    return Path(theirs)


@pytest.fixture(scope="module")
def program(wheel: Path) -> Sequence[str | Path]:
    """The command line of a pyz. Without `site` the interpreter does not see this checkout's installation."""
    pyz = wheel.parent / "tracksync.pyz"
    shiv = [sys.executable, "-m", "shiv", "-c", "tracksync", "-o", pyz, "--no-deps", "--no-index", "--quiet", wheel]
    subprocess.run(shiv, check=True, capture_output=True)
    return [sys.executable, "-S", pyz]


@pytest.fixture(scope="module")
def environment(wheel: Path) -> Mapping[str, str]:
    """The packages of this environment, tracksync excepted."""
    others = wheel.parent / "others"
    others.mkdir()
    for name in ("purelib", "platlib"):
        for one in Path(sysconfig.get_path(name)).iterdir():
            if "tracksync" not in one.name and not (others / one.name).exists():
                (others / one.name).symlink_to(one)
    return {"PYTHONPATH": str(others), "SHIV_ROOT": str(wheel.parent / "shiv")}


def test_the_pyz_runs_the_commands_of_a_plain_installation(
    script: ModuleType, program: Sequence[str | Path], environment: Mapping[str, str], tmp_path: Path
) -> None:
    (tmp_path / "client.py").write_text(script.CLIENT, encoding="utf-8")
    chosen = [one for one in script.COMMANDS if one[0].split()[0] in CORE and not any(long in one[0] for long in LONG)]
    assert {line.split()[0] for line, _, _ in chosen} == set(CORE)
    script.run_commands(program, tmp_path, environment, chosen)


def test_the_pyz_serves_the_mock(program: Sequence[str | Path], environment: Mapping[str, str], tmp_path: Path) -> None:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("TRACKSYNC_")}
    command = [*program, "mock", "--port", "0", "--port-file", "port"]
    mock = subprocess.Popen(command, cwd=tmp_path, env={**kept, **environment}, stdout=subprocess.DEVNULL)
    try:
        waiting = [*program, "mock", "--wait", "30", "--port-file", "port"]
        subprocess.run(waiting, cwd=tmp_path, env={**kept, **environment}, check=True, stdout=subprocess.DEVNULL)
        port = (tmp_path / "port").read_text(encoding="utf-8").strip()
        assert httpx.post(f"http://127.0.0.1:{port}/users/track/sync", json={}).status_code == 401
    finally:
        mock.send_signal(signal.SIGINT)
        mock.wait(timeout=20)
