"""The list of slow tests: every entry names tests that exist, and says why they cannot be fast."""

from __future__ import annotations

import fnmatch
import tomllib
from pathlib import Path

import pytest

TESTS = Path(__file__).parent
ENTRIES = tomllib.loads((TESTS / "slow.toml").read_text(encoding="utf-8"))["slow"]


@pytest.mark.parametrize("entry", ENTRIES, ids=lambda entry: entry["test"])
def test_an_entry_names_a_test_and_has_a_reason(entry: dict[str, str]) -> None:
    file, _, test = entry["test"].partition("::")
    files = [path for path in TESTS.rglob("test_*.py") if fnmatch.fnmatch(f"tests/{path.relative_to(TESTS)}", file)]
    assert files
    if test:
        names = [line[4:].partition("(")[0] for path in files for line in path.read_text().splitlines()]
        assert any(fnmatch.fnmatch(name, test) for name in names)
    assert len(entry["reason"].split()) >= 4
    assert set(entry) - {"first"} == {"test", "reason"}


def test_no_test_is_listed_twice() -> None:
    names = [entry["test"] for entry in ENTRIES]
    assert len(names) == len(set(names))


def test_the_longest_come_first(request: pytest.FixtureRequest) -> None:
    names = [entry["test"].partition("*")[0] for entry in ENTRIES if entry.get("first")]
    first = [any(item.nodeid.startswith(name) for name in names) for item in request.session.items]
    assert first == sorted(first, reverse=True)


def test_the_marker_follows_the_list(request: pytest.FixtureRequest) -> None:
    marked = {item.nodeid for item in request.session.items if item.get_closest_marker("slow")}
    listed = {
        item.nodeid
        for item in request.session.items
        if any(item.nodeid.startswith(entry["test"].partition("*")[0]) for entry in ENTRIES)
    }
    assert marked == listed
