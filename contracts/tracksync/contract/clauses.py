"""The clause catalogue as data: every promise the wire can show. This file loads its two tables: `clauses.toml`, what
a server promises (`TS-…`), and `client_clauses.toml`, what a client does (`TC-…`).

Knows nothing of how a clause is checked, covered or broken.
"""

from __future__ import annotations

import enum
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources
from types import MappingProxyType
from typing import Final

from tracksync.contract.bounds import with_bounds


class Evidence(enum.StrEnum):
    """How well a clause is founded. Breaking a documented one is an error, an observed one a warning."""

    DOCUMENTED = "documented"
    OBSERVED = "observed"
    ASSUMED = "assumed"


class Side(enum.StrEnum):
    """Who keeps a clause, or breaks it."""

    SERVER = "server"
    CLIENT = "client"


_TABLES: Final = {Side.SERVER: "clauses.toml", Side.CLIENT: "client_clauses.toml"}


@dataclass(frozen=True, slots=True)
class Clause:
    """One promise. `id` is stable for ever; `ambiguities` are those whose interpretations it leaves open.

    `refused_by`, of a client's clause: the server's clauses under which a request that breaks it is refused.
    """

    id: str
    sentence: str
    source: str
    evidence: Evidence = Evidence.DOCUMENTED
    ambiguities: tuple[str, ...] = ()
    refused_by: tuple[str, ...] = ()

    @property
    def side(self) -> Side:
        """Who keeps it; the prefix of the id says so."""
        return Side.CLIENT if self.id.startswith("TC-") else Side.SERVER


class UnknownClause(ValueError):
    """An id that the catalogue does not have; the message names the nearest ones."""


@cache
def catalogue(side: Side | None = Side.SERVER) -> Mapping[str, Clause]:
    """The clauses of one side by id, in the order of the table; those of both where `side` is None."""
    if side is None:
        return MappingProxyType({**catalogue(Side.SERVER), **catalogue(Side.CLIENT)})
    text = resources.files("tracksync.contract").joinpath(_TABLES[side]).read_text(encoding="utf-8")
    clauses = {
        id_: Clause(
            id=id_,
            sentence=with_bounds(raw["sentence"]),
            source=raw["source"],
            evidence=Evidence(raw.get("evidence", "documented")),
            ambiguities=tuple(raw.get("ambiguities", ())),
            refused_by=tuple(raw.get("refused_by", ())),
        )
        for id_, raw in tomllib.loads(text).items()
    }
    return MappingProxyType(clauses)


@cache
def client_clauses() -> Mapping[str, str]:
    """By a server's clause that refuses a request: the clause that its client broke."""
    return MappingProxyType({by: one.id for one in catalogue(Side.CLIENT).values() for by in one.refused_by})


def clause(id_: str) -> Clause:
    """The clause with this id, of either side, or UnknownClause."""
    import difflib

    clauses = catalogue(None)
    if id_ not in clauses:
        near = difflib.get_close_matches(id_.upper(), clauses, n=3, cutoff=0.5)
        hint = f"did you mean {', '.join(near)}?" if near else "`tracksync clauses` lists them all"
        raise UnknownClause(f"no clause is called {id_!r}; {hint}")
    return clauses[id_]
