"""The script that changes the oracle to test the tests: how it names a change, and how it counts."""

from __future__ import annotations

import importlib.util
import re
import sys
import tomllib
from importlib.machinery import SourceFileLoader
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

TOOLS = Path(__file__).resolve().parents[2] / "tools"
SOURCE = "LIMIT = 3\n\n\nclass Box:\n    def full(self, size):\n        return size > LIMIT\n"


@pytest.fixture(scope="module")
def mutation() -> ModuleType:
    loader = SourceFileLoader("mutation_script", str(TOOLS / "mutation"))
    spec = importlib.util.spec_from_loader(loader.name, loader)
    assert spec is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[loader.name] = module
    loader.exec_module(module)
    return module


def test_a_change_is_named_by_the_lines_before_and_after(mutation: ModuleType) -> None:
    changed = SOURCE.replace(">", ">=")
    assert mutation.difference(SOURCE, changed) == (6, "return size > LIMIT", "return size >= LIMIT")
    mutant = mutation.Mutant("values/text.py", *mutation.difference(SOURCE, changed), changed, "Box.full")
    assert mutant.id == "values/text.py: return size > LIMIT => return size >= LIMIT"


def test_the_changed_code_of_a_function_is_found_by_its_name(mutation: ModuleType) -> None:
    found = mutation.codes(compile(SOURCE, "box", "exec"))
    assert {"Box", "Box.full"} <= found.keys()
    namespace: dict[str, Any] = {}
    exec(SOURCE, namespace)
    box = namespace["Box"]
    assert box().full(3) is False
    changed = mutation.codes(compile(SOURCE.replace(">", ">="), "box", "exec"))
    box.full.__code__ = changed["Box.full"]
    assert box().full(3) is True


def test_sentences_are_left_alone_and_names_and_patterns_are_not(mutation: ModuleType) -> None:
    assert mutation.prose("the response has no body")
    for text in ("TS-OK-USERS", "two words", r"(?:a b c)", r"\d \d \d", 5, None):
        assert not mutation.prose(text)


def test_what_is_not_python_is_not_a_mutant(mutation: ModuleType) -> None:
    assert mutation.compiles(SOURCE)
    assert not mutation.compiles("return 5 >\n")


def test_the_score_counts_what_was_killed_of_what_was_tried(mutation: ModuleType) -> None:
    results = {"a.py: 1": "killed", "a.py: 2": "survived", "a.py: 3": "survived", "a.py: 4": "mistyped"}
    table = mutation.table(results, {"a.py: 2"}, {"a.py": 5})
    last = table.splitlines()[-1].split()
    assert last == ["all", "5", "4", "2", "1", "1", "50.0%"]


def test_every_reason_is_a_sentence_and_every_pattern_can_be_read() -> None:
    config = tomllib.loads((TOOLS / "mutation.toml").read_text(encoding="utf-8"))
    for group in (*config["justified"], *config["alike"]):
        assert len(group["why"].split()) > 3
        assert group["why"].endswith(".")
    for group in config["alike"]:
        re.compile(group["pattern"])
    for group in config["justified"]:
        for change in group["changes"]:
            before, _, after = change.partition(" => ")
            assert before
            assert after
