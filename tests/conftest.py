"""What holds for every test: slow ones are marked, and Hypothesis sets no deadline, since machines may be busy."""

from __future__ import annotations

import fnmatch
import tomllib
from pathlib import Path

import pytest
from hypothesis import settings

settings.register_profile("unhurried", parent=settings(), deadline=None)
settings.load_profile("unhurried")

_SLOW = tomllib.loads((Path(__file__).parent / "slow.toml").read_text(encoding="utf-8"))["slow"]


def is_slow(node: str) -> bool:
    """Whether slow.toml names the test with this node id; parameters make no difference."""
    name = node.partition("[")[0]
    return any(fnmatch.fnmatch(name, pattern) for entry in _SLOW for pattern in (entry["test"], f"{entry['test']}::*"))


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark the tests that slow.toml names; `make quick` leaves them out."""
    for item in items:
        if is_slow(item.nodeid):
            item.add_marker(pytest.mark.slow)
