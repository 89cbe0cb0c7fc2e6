"""The ambiguities as data: rows where the documents are silent or contradict themselves, each with lawful interpretations.

The table is `ambiguities.toml`; this file only loads it. It knows nothing of how an interpretation is played or checked.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources
from types import MappingProxyType

from tracksync.values.near_names import suggestion


@dataclass(frozen=True, slots=True)
class Ambiguity:
    """One question and its lawful answers. `interpretations`: name to sentence, the default first."""

    name: str
    number: int
    question: str
    source: str
    interpretations: Mapping[str, str]
    learned: bool = True

    @property
    def default(self) -> str:
        """The name of the first interpretation."""
        return next(iter(self.interpretations))


class UnknownInterpretation(ValueError):
    """A row or reading that the ambiguities does not have; the message names the nearest ones."""


@cache
def ambiguity_catalogue() -> Mapping[str, Ambiguity]:
    """All rows by name, in the order of the table."""
    text = resources.files("tracksync.contract").joinpath("ambiguities.toml").read_text(encoding="utf-8")
    ambiguities = {
        name: Ambiguity(
            name=name,
            number=raw["number"],
            question=raw["question"],
            source=raw["source"],
            interpretations=MappingProxyType(dict(raw["interpretations"])),
            learned=raw.get("learned", True),
        )
        for name, raw in tomllib.loads(text).items()
    }
    return MappingProxyType(ambiguities)


def defaults() -> dict[str, str]:
    """The first interpretation of every row."""
    return {name: ambiguity.default for name, ambiguity in ambiguity_catalogue().items()}


def require_interpretation(ambiguity: str, interpretation: str) -> None:
    """Raise UnknownReading unless `interpretation` is one of `row`'s."""
    ambiguities = ambiguity_catalogue()
    if ambiguity not in ambiguities:
        hint = suggestion(ambiguity, sorted(ambiguities), most=1)
        raise UnknownInterpretation(f"no ambiguity is called {ambiguity!r}; {hint}")
    if interpretation not in ambiguities[ambiguity].interpretations:
        raise UnknownInterpretation(
            f"ambiguity {ambiguity!r} has no interpretation {interpretation!r}; "
            f"it has {', '.join(ambiguities[ambiguity].interpretations)}"
        )
