"""The check of words and shape: what it finds, what it lets pass, and that its own list is in order."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

import pytest

TOOLS = Path(__file__).resolve().parents[2] / "tools"
RULES = """
[[word]]
pattern = "desks?"
instead = "harness"

[[exception]]
file = "docs/furniture.md"
pattern = "oak"
reason = "a real desk"

[[unchecked]]
file = "recordings/**"
reason = "written by others"

[[long]]
file = "contracts/tracksync/long.py"
reason = "one table"
"""


@pytest.fixture(scope="module")
def words() -> ModuleType:
    spec = importlib.util.spec_from_file_location("words_script", TOOLS / "words.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize(
    "line", ["the desk is here", "gate_desk = 1", "class GateDesk:", "desks", "# Desk", "a-desk-b", "DESK_LIMIT"]
)
def test_a_retired_word_is_found_as_a_word_and_as_a_part_of_a_name(words: ModuleType, line: str) -> None:
    (found,) = words.retired_words({"a.py": f"first\n{line}\n"}, words.Rules.read(RULES))
    assert found.startswith("a.py:2: ")
    assert found.endswith("write harness")


@pytest.mark.parametrize("line", ["the desktop", "undesked", "", "a harness"])
def test_a_longer_word_is_another_word(words: ModuleType, line: str) -> None:
    assert list(words.retired_words({"a.py": line}, words.Rules.read(RULES))) == []


def test_file_names_are_checked_too(words: ModuleType) -> None:
    (found,) = words.retired_words({"tests/gate_desk.py": ""}, words.Rules.read(RULES))
    assert found.startswith("tests/gate_desk.py (its name): ")


def test_an_exception_covers_its_lines_of_its_file_only(words: ModuleType) -> None:
    rules = words.Rules.read(RULES)
    assert list(words.retired_words({"docs/furniture.md": "an oak desk"}, rules)) == []
    assert len(list(words.retired_words({"docs/furniture.md": "a desk"}, rules))) == 1
    assert len(list(words.retired_words({"docs/other.md": "an oak desk"}, rules))) == 1
    assert list(words.retired_words({"recordings/a.har": "desk"}, rules)) == []


def test_an_exception_that_nothing_needs_is_named(words: ModuleType) -> None:
    rules = words.Rules.read(RULES)
    needed = {"docs/furniture.md": "an oak desk", "contracts/tracksync/long.py": ""}
    assert list(words.unused_exceptions(needed, rules)) == []
    (found,) = words.unused_exceptions({**needed, "docs/furniture.md": "a table"}, rules)
    assert "docs/furniture.md" in found


def test_a_public_class_name_in_two_modules_is_named_and_a_private_one_is_not(words: ModuleType) -> None:
    one, two = "class Step:\n    pass\nclass _Run:\n    pass\n", "\nclass Step:\n    pass\nclass _Run:\n    pass\n"
    package = "contracts/tracksync/"
    (found,) = words.repeated_classes({f"{package}a.py": one, f"{package}b.py": two, "tests/c.py": one})
    assert found == f"{package}a.py:1: class Step is also in {package}b.py:2"
    assert list(words.repeated_classes({f"{package}a.py": one})) == []


def test_a_module_over_400_lines_is_named_unless_it_is_excepted(words: ModuleType) -> None:
    rules = words.Rules.read(RULES)
    assert list(words.long_modules({"a.py": "x = 1\n" * 400, "b.md": "x\n" * 900}, rules)) == []
    assert list(words.long_modules({"contracts/tracksync/long.py": "x = 1\n" * 401}, rules)) == []
    (found,) = words.long_modules({"a.py": "x = 1\n" * 401}, rules)
    assert found.startswith("a.py: 401 lines")


def test_every_entry_of_the_list_has_a_reason_or_an_alternative(words: ModuleType) -> None:
    rules = words.Rules.read((TOOLS / "words.toml").read_text(encoding="utf-8"))
    assert rules.words
    assert all(rules.words.values())
    assert all(one.reason.endswith(".") or one.reason for one in (*rules.exceptions, *rules.unchecked, *rules.long))


@pytest.mark.parametrize(
    ("line", "found"),
    [
        ("the answer holds a list", True),
        ("the server answers 401", False),
        ("under every reading", True),
        ("reading a file", False),
        ("there is no key", False),
        ("a time that is no time", True),
        ("put a server to the contract", True),
        ("a ambiguity", True),
        ("an ambiguity", False),
        ("cast(Any, x)", False),
        ("a nightly run", False),
        ("every night", True),
        ("from typing import cast", False),
        ("scenario calm", True),
        ("TS-INTERPRETATION-KEPT.", False),
        ("it is kept.", False),
    ],
)
def test_the_list_tells_a_retired_meaning_from_an_ordinary_one(words: ModuleType, line: str, found: bool) -> None:
    rules = words.Rules.read((TOOLS / "words.toml").read_text(encoding="utf-8"))
    assert bool(list(words.retired_words({"contracts/tracksync/a.py": line}, rules))) is found
