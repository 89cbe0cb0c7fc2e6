"""What holds for every test: slow ones are marked, and Hypothesis sets no deadline, since machines may be busy."""

from __future__ import annotations

import fnmatch
import gc
import re
import tomllib
from functools import cache
from pathlib import Path

import pytest
from hypothesis import settings

settings.register_profile("unhurried", parent=settings(), deadline=None)
settings.load_profile("unhurried")

_SLOW = tomllib.loads((Path(__file__).parent / "slow.toml").read_text(encoding="utf-8"))["slow"]
_NAMED = re.compile("|".join(fnmatch.translate(entry["test"] + end) for entry in _SLOW for end in ("", "::*")))


@cache
def _is_named(test: str) -> bool:
    return _NAMED.match(test) is not None


def is_slow(node: str) -> bool:
    """Whether slow.toml names the test with this node id; parameters make no difference."""
    return _is_named(node.partition("[")[0])


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark the tests that slow.toml names; `make quick` leaves them out."""
    for item in items:
        if is_slow(item.nodeid):
            item.add_marker(pytest.mark.slow)


def pytest_collection() -> None:
    """While the tests are collected nothing becomes garbage."""
    gc.disable()


def pytest_collection_finish() -> None:
    """What was collected stays until the end: the garbage collector need not look at it again."""
    gc.freeze()
    gc.enable()
