"""The wheel: it has what the commands read, and the same commit gives the same bytes. `make package` does the rest."""

from __future__ import annotations

import subprocess
import sys
import tomllib
import zipfile
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
from hatchling.builders.wheel import WheelBuilder
from packaging.requirements import Requirement

from tracksync import __version__
from tracksync.errors import MissingExtraError
from tracksync.wire.http2 import identity, served_http2

ROOT = Path(__file__).resolve().parents[1]
PROJECT: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]


def built(folder: Path) -> Path:
    """The wheel of this checkout, built in `folder`."""
    (name,) = WheelBuilder(str(ROOT)).build(directory=str(folder), versions=["standard"])
    return Path(name)


def test_the_wheel_has_every_file_and_is_the_same_when_it_is_built_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1800000000")
    one, other = built(tmp_path / "one"), built(tmp_path / "other")
    assert one.read_bytes() == other.read_bytes()
    assert one.name == f"tracksync-{__version__}-py3-none-any.whl"
    inside = set(zipfile.ZipFile(one).namelist())
    listed = subprocess.run(
        ["git", "-C", ROOT, "ls-files", "contracts/tracksync", "docs", "spec"],
        capture_output=True,
        text=True,
        check=False,
    )
    if listed.returncode:
        pytest.skip("the files are listed by git, and this is not a checkout")
    places = {"contracts/tracksync": "tracksync", "docs": "tracksync/documents/docs", "spec": "tracksync/spec"}
    for name in listed.stdout.splitlines():
        top = next(one for one in places if name.startswith(f"{one}/"))
        assert places[top] + name.removeprefix(top) in inside, name
    for name in ("README.md", "CHANGELOG.md", "SECURITY.md"):
        assert f"tracksync/documents/{name}" in inside


def test_the_version_stands_in_one_place() -> None:
    assert PROJECT["dynamic"] == ["version"]
    assert "version" not in PROJECT


def test_every_extra_of_users_is_in_the_one_that_has_all_and_in_the_tools_of_development() -> None:
    extras = {name: [Requirement(one) for one in wanted] for name, wanted in PROJECT["optional-dependencies"].items()}
    (everything,) = extras["all"]
    assert everything.extras == extras.keys() - {"all", "dev", "mutation", "package"}
    assert "tracksync[all]" in map(str, extras["dev"])


@pytest.mark.parametrize(
    ("module", "use"),
    [
        ("trustme", lambda: identity()),
        ("hypercorn.asyncio", lambda: served_http2(lambda *_: None, certificate=Path("none"))),  # type: ignore
    ],
)
def test_what_needs_an_extra_says_so(module: str, use: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    assert find_spec(module.partition(".")[0])
    monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(MissingExtraError, match=r"needs packages that are not installed; .* its extra 'http2'"), use():
        pass
