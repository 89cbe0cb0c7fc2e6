"""The example suites of clients pass the gate, and the gate finds it if their client is broken."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest
from gate_clients import gate

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"
JARS = Path("/usr/share/java")  # where Debian puts them
CONSOLE = JARS / "junit-platform-console-standalone.jar"
JACKSON = [str(JARS / f"jackson-{part}.jar") for part in ("core", "databind", "annotations")]


@dataclass(frozen=True)
class Suite:
    """An example. `faults`: what to replace in its client, so that it does not look at the response.

    `build` compiles the copy in a folder; `needs` are programs and files, and `packages` the Debian packages with them.
    """

    client: str
    faults: tuple[tuple[str, str], ...]
    command: Callable[[Path], list[str]]
    needs: tuple[str, ...]
    packages: str
    build: Callable[[Path], list[str]] | None = None


SUITES = {
    "suite_node": Suite(
        "client.mjs",
        (("shown[name] !== value", "false"), ("!result.users?.length", "false")),
        lambda folder: ["node", "--test", str(folder)],
        ("node",),
        "nodejs",
    ),
    "suite_ruby": Suite(
        "client.rb",
        (("unless shown[name] == value", "if false"), ('if (result["users"] || []).empty?', "if false")),
        lambda folder: ["ruby", str(folder / "client_test.rb")],
        ("ruby",),
        "ruby",
    ),
    "suite_go": Suite(
        "client.go",
        (("len(shown.Users) == 0 ||", "false &&"), ("len(shown.Users) == 0 {", "len(shown.Users) < 0 {")),
        lambda folder: [str(folder / "suite"), "-test.v"],
        ("go",),
        "golang-go",
        lambda folder: ["go", "test", "-c", "-o", str(folder / "suite")],
    ),
    "suite_junit": Suite(
        "Client.java",
        (
            ('throw new Failed(entry.getKey() + " was not applied");', ""),
            ('throw new Failed(name + " was not applied");', ""),
        ),
        lambda folder: [
            *("java", "-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", "-jar", str(CONSOLE)),
            *("--class-path", os.pathsep.join([str(folder), *JACKSON]), "--scan-class-path", str(folder)),
        ],
        ("javac", "java", str(CONSOLE), *JACKSON),
        "default-jdk-headless, junit5 and libjackson2-databind-java",
        lambda folder: [
            *(
                "javac",
                "-J-XX:TieredStopAtLevel=1",
                "-J-XX:+UseSerialGC",
                "-proc:none",
                "--class-path",
                os.pathsep.join([str(CONSOLE), *JACKSON]),
            ),
            *map(str, folder.glob("*.java")),
        ],
    ),
}


def built(name: str, folder: Path, *faults: tuple[str, str]) -> list[str]:
    """Copy an example into `folder`, with `faults` in its client, and compile it. Returns the command of its tests."""
    suite = SUITES[name]
    missing = [need for need in suite.needs if shutil.which(need) is None and not Path(need).exists()]
    if missing:
        pytest.skip(f"there is no {', '.join(missing)} here (Debian: {suite.packages})")
    copy = shutil.copytree(EXAMPLES / name, folder / "suite")
    client = copy / suite.client
    for right, wrong in faults:
        text = client.read_text(encoding="utf-8")
        assert text.count(right) == 1, right
        client.write_text(text.replace(right, wrong), encoding="utf-8")
    if suite.build is not None:
        done = subprocess.run(suite.build(copy), cwd=copy, capture_output=True, text=True, check=False, timeout=120)
        assert done.returncode == 0, done.stderr
    return suite.command(copy)


@pytest.mark.parametrize("name", SUITES)
def test_the_suite_of_an_example_passes(name: str, tmp_path: Path) -> None:
    # After its 503s the first scenario is the normal one, and only there may the suite succeed.
    outcome = gate(*built(name, tmp_path), scenarios=("error-503", "users-empty"), jobs=2)
    assert (outcome.broken, outcome.exit_code) == (set(), 0), outcome.printed
    assert outcome.result["requests"] >= 9 + 3


@pytest.mark.parametrize("name", SUITES)
def test_the_suite_of_a_client_that_does_not_look_at_the_response_fails(name: str, tmp_path: Path) -> None:
    outcome = gate(*built(name, tmp_path, *SUITES[name].faults), scenarios=("users-empty",))
    assert outcome.clauses == {"TC-NOT-APPLIED"}, outcome.printed
