"""Checks the words and the shape of this repository, for `make lint`.

Retired words (`tools/words.toml` lists them, with reviewed exceptions) appear in no file and in no file name; no public
class name is in two modules of the package; no module has more than 400 lines. Prints what is left, one line each.
Exit code 1 if there is something.
"""

from __future__ import annotations

import ast
import fnmatch
import re
import subprocess
import sys
import tomllib
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
TABLE = Path(__file__).with_suffix(".toml")
LONGEST = 400  # lines of a module
PACKAGE = "contracts/tracksync/"


@dataclass(frozen=True)
class Allowance:
    """A place where something is right although the rule says otherwise: a glob of files, a pattern of lines."""

    file: str
    reason: str
    pattern: re.Pattern[str] | None = None

    def covers(self, file: str, line: str) -> bool:
        """Whether this line of this file is excepted."""
        return fnmatch.fnmatch(file, self.file) and (self.pattern is None or self.pattern.search(line) is not None)


@dataclass(frozen=True)
class Rules:
    """The content of words.toml. `words` maps a compiled pattern to what to write instead."""

    words: Mapping[re.Pattern[str], str]
    exceptions: tuple[Allowance, ...]
    unchecked: tuple[Allowance, ...]
    long: tuple[Allowance, ...]

    @classmethod
    def read(cls, text: str) -> Rules:
        """The rules in `text`. Raises KeyError for an entry without a reason or an alternative."""
        tables = tomllib.loads(text)
        return cls(
            {_pattern(entry["pattern"]): entry["instead"] for entry in tables.get("word", ())},
            *(tuple(map(_exception, tables.get(name, ()))) for name in ("exception", "unchecked", "long")),
        )


def _exception(entry: Mapping[str, str]) -> Allowance:
    pattern = re.compile(entry["pattern"]) if "pattern" in entry else None
    return Allowance(entry["file"], entry["reason"], pattern)


def _pattern(pattern: str) -> re.Pattern[str]:
    """A pattern that begins and ends where a word or a part of a name does."""
    return re.compile(rf"(?<![A-Za-z])(?:{pattern})(?![A-Za-z])", re.IGNORECASE)


def _spaced(text: str) -> str:
    """`text` with a space before each capital inside a name, so that `GateDesk` has two words."""
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", " ", text)


def retired_words(files: Mapping[str, str], rules: Rules) -> Iterator[str]:
    """A line for each retired word in the files' names and texts; `files` maps path to text."""
    any_word = re.compile("|".join(pattern.pattern for pattern in rules.words), re.IGNORECASE)
    for file, text in files.items():
        if any(one.covers(file, "") for one in rules.unchecked):
            continue
        lines = (file, *text.splitlines())
        for number, line in enumerate(_spaced("\n".join(lines)).splitlines()):
            if any_word.search(line) and not any(one.covers(file, lines[number]) for one in rules.exceptions):
                place = f"{file}:{number}" if number else f"{file} (its name)"
                for pattern, instead in rules.words.items():
                    if found := pattern.search(line):
                        yield f"{place}: {found[0].strip()!r}; write {instead}"


def repeated_classes(files: Mapping[str, str]) -> Iterator[str]:
    """A line for each public class name that several modules of the package define."""
    places = defaultdict(list)
    for file, text in files.items():
        if file.startswith(PACKAGE) and file.endswith(".py"):
            for node in ast.parse(text).body:
                if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
                    places[node.name].append(f"{file}:{node.lineno}")
    for name, where in sorted(places.items()):
        if len(where) > 1:
            yield f"{where[0]}: class {name} is also in {', '.join(where[1:])}"


def long_modules(files: Mapping[str, str], rules: Rules) -> Iterator[str]:
    """A line for each Python module with more lines than allowed."""
    for file, text in files.items():
        lines = len(text.splitlines())
        if file.endswith(".py") and lines > LONGEST and not any(one.covers(file, "") for one in rules.long):
            yield f"{file}: {lines} lines; a module has at most {LONGEST} and one subject"


def unused_exceptions(files: Mapping[str, str], rules: Rules) -> Iterator[str]:
    """A line for each exception that no file needs, so that the list stays short."""
    for one in (*rules.exceptions, *rules.long):
        matching = ((file, text) for file, text in files.items() if fnmatch.fnmatch(file, one.file))
        if not any(one.covers(file, line) for file, text in matching for line in (file, *text.splitlines())):
            yield f"{TABLE.name}: nothing needs the exception for {one.file} ({one.reason})"


def everything(files: Mapping[str, str], rules: Rules) -> list[str]:
    """All that is wrong, in the order of the checks."""
    return [
        *retired_words(files, rules),
        *repeated_classes(files),
        *long_modules(files, rules),
        *unused_exceptions(files, rules),
    ]


def tracked_files(root: Path) -> dict[str, str]:
    """Path to text of every text file that git knows or would add."""
    command = ["git", "-C", str(root), "ls-files", "--cached", "--others", "--exclude-standard", "-z"]
    names = subprocess.run(command, check=True, capture_output=True, text=True).stdout.split("\0")
    return dict(_texts(root, filter(None, sorted(names))))


def _texts(root: Path, names: Iterable[str]) -> Iterator[tuple[str, str]]:
    for name in names:
        try:
            yield name, (root / name).read_text(encoding="utf-8")
        except (UnicodeDecodeError, FileNotFoundError, IsADirectoryError):
            continue


def main() -> int:
    """Check the repository. Arguments are globs: only what begins with such a file is shown."""
    wrong = everything(tracked_files(ROOT), Rules.read(TABLE.read_text(encoding="utf-8")))
    shown = [
        line for line in wrong if not sys.argv[1:] or any(fnmatch.fnmatch(line, f"{one}*") for one in sys.argv[1:])
    ]
    for line in shown:
        print(line)
    print(f"words: {len(shown)} places to mend" if shown else "words: nothing to mend", file=sys.stderr)
    return 1 if shown else 0


if __name__ == "__main__":
    sys.exit(main())
