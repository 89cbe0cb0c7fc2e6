"""What holds for every test: slow ones are marked, and Hypothesis sets no deadline, since machines may be busy."""

from __future__ import annotations

import fnmatch
import gc
import re
import tomllib
from collections.abc import Callable, Iterable
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings

settings.register_profile("unhurried", parent=settings(), deadline=None)
settings.load_profile("unhurried")

_SLOW = tomllib.loads((Path(__file__).parent / "slow.toml").read_text(encoding="utf-8"))["slow"]


def _matches(entries: Iterable[dict[str, Any]]) -> Callable[[str], bool]:
    """Whether a node id is one that the entries name; parameters make no difference."""
    named = re.compile("|".join(fnmatch.translate(one["test"] + end) for one in entries for end in ("", "::*")))
    found = cache(lambda test: named.match(test) is not None)
    return lambda node: found(node.partition("[")[0])


is_slow = _matches(_SLOW)
is_first = _matches(entry for entry in _SLOW if entry.get("first"))


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """`make quick` does not read the files whose tests are all slow: that halves what each worker collects."""
    if config.option.markexpr != "not slow" or not collection_path.is_relative_to(config.rootpath):
        return None
    return is_slow(collection_path.relative_to(config.rootpath).as_posix()) or None


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark the tests that slow.toml names, which `make quick` leaves out, and run the longest ones first."""
    for item in items:
        if is_slow(item.nodeid):
            item.add_marker(pytest.mark.slow)
    items.sort(key=lambda item: not is_first(item.nodeid))


def pytest_collection() -> None:
    """While the tests are collected nothing becomes garbage."""
    gc.disable()


def pytest_collection_finish() -> None:
    """What was collected stays until the end: the garbage collector need not look at it again."""
    gc.freeze()
    gc.enable()
