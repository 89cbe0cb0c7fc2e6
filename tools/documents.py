"""Keeps the examples and figures of the documents true: runs them, compares them, and writes them anew.

    python tools/documents.py            compare; exit code 1 and a diff where a document is out of date
    python tools/documents.py --write    write the present output and figures into the documents

An example is a code block of the language `console`: each line that begins with `$ ` is a command, `> ` continues it,
and the lines after it are what it prints on standard output. The blocks of a document run in one temporary directory,
which holds `cassettes`, `examples` and `spec`. A server (`tracksync mock`, `tracksync proxy`) is stopped once it has
printed as many lines as the document shows. Times and ports are compared as such, not by their values.

A figure is a number in a document that FIGURES can compute; the text around it says which one it is.
"""

from __future__ import annotations

import difflib
import os
import re
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
DOCUMENTS = ("README.md", "ARCHITECTURE.md", "CONTRIBUTING.md", "docs/*.md", "docs/tutorials/*.md")
MEASURED = ("docs/economy.md", "docs/ordering.md")  # of one measurement; tools/curve.py and tools/ordering-page
SHARED = ("cassettes", "examples", "spec")
LONGEST = 120  # seconds that one command may take
_BLOCK = re.compile(r"^```console\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_SERVER = re.compile(r"tracksync (mock|proxy) (?!--list)")
_CHANGING = (  # what differs from run to run, and what stands for it in a comparison
    (re.compile(r"in \d+(\.\d+)? s\b"), "in N s"),
    (re.compile(r"\b\d+ seconds?\b"), "N seconds"),
    (re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z"), "TIME"),
    (re.compile(r"\d+\.\d+ s after"), "N s after"),
    (re.compile(r"127\.0\.0\.1:\d+"), "127.0.0.1:PORT"),
)


@dataclass(frozen=True)
class Example:
    """A command of a document and the lines that the document shows under it."""

    command: str
    shown: tuple[str, ...]


def examples(block: str) -> list[Example]:
    """The commands of a console block with what is shown under each."""
    found: list[Example] = []
    for line in block.splitlines():
        if line.startswith("$ "):
            found.append(Example(line[2:], ()))
        elif line.startswith("> ") and not found[-1].shown:
            found[-1] = Example(f"{found[-1].command}\n{line[2:]}", ())
        else:
            found[-1] = Example(found[-1].command, (*found[-1].shown, line))
    return found


def comparable(lines: tuple[str, ...]) -> tuple[str, ...]:
    """`lines` without what differs from run to run: times, durations, ports, and where a long line was wrapped."""
    text = "\n".join(lines)
    for pattern, name in _CHANGING:
        text = pattern.sub(name, text)
    return tuple(line.rstrip() for line in text.splitlines())


def output(example: Example, folder: Path) -> tuple[str, ...]:
    """What the command of `example` prints on standard output, run in `folder`."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("TRACKSYNC_", "GITHUB_"))}
    environment |= {
        "PATH": f"{folder / '.bin'}{os.pathsep}{environment['PATH']}",
        "PYTHONPATH": str(ROOT / "contracts"),
        "TRACKSYNC_API_KEY": "tracksync-mock-key",
        "PYTHONUNBUFFERED": "1",
        "NO_COLOR": "1",
        "COLUMNS": "118",
    }
    server = bool(_SERVER.match(example.command))
    command = re.sub(r"--port \d+", "--port 0", example.command) if server else example.command
    process = subprocess.Popen(
        ["bash", "-c", f"exec {command}" if server else command],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        cwd=folder,
        env=environment,
    )
    assert process.stdout is not None
    try:
        if server:
            return tuple(process.stdout.readline().rstrip("\n") for _ in example.shown)
        return tuple(process.communicate(timeout=LONGEST)[0].splitlines())
    finally:
        if process.poll() is None:
            process.send_signal(signal.SIGINT)
        process.communicate()


def prepared(folder: Path) -> Path:
    """`folder` with what the examples use: a command `tracksync`, and links to directories of the repository."""
    for name in SHARED:
        (folder / name).symlink_to(ROOT / name)
    (folder / ".bin").mkdir()
    program = folder / ".bin" / "tracksync"
    program.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m tracksync "$@"\n')
    program.chmod(0o755)
    return folder


def with_output(text: str, folder: Path) -> str:
    """A document with the present output in its console blocks; what only differs as times do stays as it is."""

    def block(match: re.Match[str]) -> str:
        lines = []
        for example in examples(match[1]):
            printed = output(example, folder)
            same = comparable(printed) == comparable(example.shown)
            lines += ["$ " + example.command.replace("\n", "\n> "), *(example.shown if same else printed)]
        return "\n".join(["```console", *lines, "```"])

    return _BLOCK.sub(block, text)


def figures() -> dict[str, Callable[[], int]]:
    """What is said in documents, as a pattern with one number in it, to what the number is."""
    from tracksync.contract.ambiguities import ambiguity_catalogue
    from tracksync.contract.clauses import Side, catalogue
    from tracksync.faults.catalogue import catalogue as faults
    from tracksync.mock.scenarios import catalogue as scenarios

    return {
        r"(\d+) clauses of a server": lambda: len(catalogue(Side.SERVER)),
        r"(\d+) clauses of a client": lambda: len(catalogue(Side.CLIENT)),
        r"(\d+) ambiguities": lambda: len(ambiguity_catalogue()),
        r"(\d+) interpretations": lambda: sum(len(one.interpretations) for one in ambiguity_catalogue().values()),
        r"(\d+) faults": lambda: len(faults()),
        r"(\d+) scenarios": lambda: len(scenarios()),
    }


def with_figures(text: str) -> str:
    """A document with the present figures."""
    for pattern, number in figures().items():
        text = re.sub(pattern, lambda match, value=number: match[0].replace(match[1], str(value())), text)
    return text


def documents() -> Iterator[Path]:
    """The documents whose examples and figures are checked."""
    for pattern in DOCUMENTS:
        yield from (path for path in sorted(ROOT.glob(pattern)) if str(path.relative_to(ROOT)) not in MEASURED)


def present(path: Path) -> str:
    """The document at `path` as it should be: with the present output and figures."""
    with tempfile.TemporaryDirectory() as folder:
        return with_figures(with_output(path.read_text(encoding="utf-8"), prepared(Path(folder))))


def main() -> int:
    """Compare, or with --write bring up to date. Returns the exit code."""
    changed = 0
    for path in documents():
        old, new = path.read_text(encoding="utf-8"), present(path)
        if old == new:
            continue
        changed += 1
        name = str(path.relative_to(ROOT))
        if "--write" in sys.argv[1:]:
            path.write_text(new, encoding="utf-8")
            print(f"wrote {name}")
        else:
            sys.stdout.writelines(difflib.unified_diff(old.splitlines(True), new.splitlines(True), name, "present"))
    return 1 if changed and "--write" not in sys.argv[1:] else 0


if __name__ == "__main__":
    sys.path.insert(0, str(ROOT / "contracts"))
    sys.exit(main())
