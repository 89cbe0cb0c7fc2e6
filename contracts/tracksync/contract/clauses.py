"""The clauses as data: every promise that HTTP traffic can show. This module loads the two tables: `clauses.toml` with
the clauses of a server (`TS-…`), and `client_clauses.toml` with those of a client (`TC-…`).

Knows nothing of how a clause is checked.
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
from tracksync.values.near_names import suggestion


class Evidence(enum.StrEnum):
    """What a clause stands on: if it is broken, that is an error, a warning or a note, in this order."""

    DOCUMENTED = "documented"
    OBSERVED = "observed"
    ASSUMED = "assumed"


class Side(enum.StrEnum):
    """Who has to keep a clause."""

    SERVER = "server"
    CLIENT = "client"


_TABLES: Final = {Side.SERVER: "clauses.toml", Side.CLIENT: "client_clauses.toml"}


@dataclass(frozen=True, slots=True)
class Clause:
    """One promise. `id` never changes; `ambiguities` names the questions that the clause leaves open.

    `refused_by`, of a client's clause: the server's clauses under which a request that breaks it is refused.
    `concern`: clauses of one concern are often broken by one defect. `indirect`: the clause says that something is
    wrong and not what, so that a finding of another clause may explain it. `special`: it is about a special case of
    what others promise, and names a defect best where those are kept otherwise. `after`: the clause is about
    what an earlier request left behind: a `refusal`, or a user to be found by this kind of identifier.
    """

    id: str
    sentence: str
    source: str
    evidence: Evidence = Evidence.DOCUMENTED
    ambiguities: tuple[str, ...] = ()
    refused_by: tuple[str, ...] = ()
    concern: str = ""
    indirect: bool = False
    special: bool = False
    after: str = ""

    @property
    def side(self) -> Side:
        """Who has to keep it; the prefix of the id says so."""
        return Side.CLIENT if self.id.startswith("TC-") else Side.SERVER


class UnknownClause(ValueError):
    """An id that the catalogue does not have; the message names similar ones."""


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
            concern=raw.get("concern", ""),
            indirect=raw.get("indirect", False),
            special=raw.get("special", False),
            after=raw.get("after", ""),
        )
        for id_, raw in tomllib.loads(text).items()
    }
    return MappingProxyType(clauses)


@cache
def client_clauses() -> Mapping[str, str]:
    """By a server's clause that refuses a request: the clause that its client broke."""
    return MappingProxyType({by: one.id for one in catalogue(Side.CLIENT).values() for by in one.refused_by})


def clause(id_: str) -> Clause:
    """The clause of either side with this id. Raises UnknownClause."""
    clauses = catalogue(None)
    if id_ not in clauses:
        hint = suggestion(id_, clauses, "`tracksync clauses` lists them all")
        raise UnknownClause(f"no clause is called {id_!r}; {hint}")
    return clauses[id_]
