"""The ledger as data: rows where the documents are silent or contradict themselves, each with lawful readings.

The table is `ledger.toml`; this file only loads it. It knows nothing of how a reading is played or judged.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources
from types import MappingProxyType


@dataclass(frozen=True, slots=True)
class Row:
    """One question and its lawful answers. `readings`: name to sentence, the default first."""

    name: str
    number: int
    question: str
    source: str
    readings: Mapping[str, str]
    learned: bool = True

    @property
    def default(self) -> str:
        """The name of the first reading."""
        return next(iter(self.readings))


class UnknownReading(ValueError):
    """A row or reading that the ledger does not have; the message names the nearest ones."""


@cache
def ledger() -> Mapping[str, Row]:
    """All rows by name, in the order of the table."""
    text = resources.files("tracksync").joinpath("ledger.toml").read_text(encoding="utf-8")
    rows = {
        name: Row(
            name=name,
            number=raw["number"],
            question=raw["question"],
            source=raw["source"],
            readings=MappingProxyType(dict(raw["readings"])),
            learned=raw.get("learned", True),
        )
        for name, raw in tomllib.loads(text).items()
    }
    return MappingProxyType(rows)


def defaults() -> dict[str, str]:
    """The first reading of every row."""
    return {name: row.default for name, row in ledger().items()}


def check(row: str, reading: str) -> None:
    """Raise UnknownReading unless `reading` is one of `row`'s."""
    import difflib

    rows = ledger()
    if row not in rows:
        near = difflib.get_close_matches(row, rows, n=1) or sorted(rows)
        raise UnknownReading(f"no ledger row is called {row!r}; did you mean {', '.join(near)}?")
    if reading not in rows[row].readings:
        raise UnknownReading(f"row {row!r} has no reading {reading!r}; it has {', '.join(rows[row].readings)}")
