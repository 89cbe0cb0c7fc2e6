"""The ambiguities as data: questions that the documents leave open or answer twice, with their lawful interpretations.

The table is `ambiguities.toml`; this module loads it. It knows nothing of how an interpretation is followed or checked.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources
from types import MappingProxyType

from tracksync.contract.bounds import with_bounds
from tracksync.values.near_names import suggestion


@dataclass(frozen=True, slots=True)
class Ambiguity:
    """One question that the documents leave open.

    `interpretations` maps the name of each lawful answer to its sentence, the default first. `number` groups
    ambiguities that come from one passage of the documents. `learned`: a server has to keep to the interpretation that
    it showed first; otherwise every response may follow another one. `shown_by_state`: what a response shows of a user
    tells the interpretation, so that a wrong state seems to be another one.
    """

    name: str
    number: int
    question: str
    source: str
    interpretations: Mapping[str, str]
    learned: bool = True
    shown_by_state: bool = False

    @property
    def default(self) -> str:
        """The name of the first interpretation."""
        return next(iter(self.interpretations))


class UnknownInterpretation(ValueError):
    """The name of an ambiguity or an interpretation that does not exist; the message names similar ones."""


@cache
def ambiguity_catalogue() -> Mapping[str, Ambiguity]:
    """All ambiguities by name, in the order of the table."""
    text = resources.files("tracksync.contract").joinpath("ambiguities.toml").read_text(encoding="utf-8")
    ambiguities = {
        name: Ambiguity(
            name=name,
            number=raw["number"],
            question=with_bounds(raw["question"]),
            source=raw["source"],
            interpretations=MappingProxyType(dict(raw["interpretations"])),
            learned=raw.get("learned", True),
            shown_by_state=raw.get("shown_by_state", False),
        )
        for name, raw in tomllib.loads(text).items()
    }
    return MappingProxyType(ambiguities)


def defaults() -> dict[str, str]:
    """The default interpretation of every ambiguity."""
    return {name: ambiguity.default for name, ambiguity in ambiguity_catalogue().items()}


def require_interpretation(ambiguity: str, interpretation: str) -> None:
    """Raise UnknownInterpretation unless `ambiguity` exists and has this `interpretation`."""
    ambiguities = ambiguity_catalogue()
    if ambiguity not in ambiguities:
        hint = suggestion(ambiguity, ambiguities, "`tracksync mock --list-interpretations` lists them all", most=1)
        raise UnknownInterpretation(f"no ambiguity is called {ambiguity!r}; {hint}")
    if interpretation not in ambiguities[ambiguity].interpretations:
        raise UnknownInterpretation(
            f"ambiguity {ambiguity!r} has no interpretation {interpretation!r}; "
            f"it has {', '.join(ambiguities[ambiguity].interpretations)}"
        )
