"""How each fault of faults.toml is made: a subclass of the correct server that overrides a step or two.

One file a family. A fault calls `super()` for everything that it does not spoil, so that several compose.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from importlib import import_module

from tracksync.faults.registry import REGISTERED
from tracksync.mock.core import Core

FAMILIES = (
    "responses",
    "arrays",
    "auth",
    "bodies",
    "rare_cases",
    "counts",
    "identity",
    "runtimes",
    "neighbours",
    "numbers",
    "objects",
    "infrastructure",
    "race",
    "rate",
    "interpretations",
    "refusals",
    "state",
    "strings",
    "times",
)


@cache
def implementations() -> Mapping[str, type[Core]]:
    """Every fault's class by the fault's name."""
    for family in FAMILIES:
        import_module(f"tracksync.faults.{family}")
    return REGISTERED
