"""What a correct client does about each clause: guidance.toml, for findings and for docs/client-contract.md."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from functools import cache
from importlib import resources

import msgspec


class Guidance(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One entry: a sentence, the scenarios that show it, and code, which is empty where the sentence says enough."""

    do: str
    scenarios: tuple[str, ...] = ("normal",)
    python: str = ""
    javascript: str = ""


@cache
def guidance() -> Mapping[str, Guidance]:
    """All entries by clause id."""
    text = resources.files("tracksync.gate").joinpath("guidance.toml").read_text(encoding="utf-8")
    return msgspec.convert(tomllib.loads(text), dict[str, Guidance])


def advice(clause: str) -> str:
    """What to do about a broken clause, in a sentence; empty where nothing is written down."""
    entry = guidance().get(clause)
    return entry.do if entry else ""


def scenarios_for(clause: str) -> tuple[str, ...]:
    """The scenarios that show whether a client keeps the clause, the plainest first; any scenario where it is empty."""
    entry = guidance().get(clause)
    return () if entry is None or "normal" in entry.scenarios else entry.scenarios
