"""The catalogue of faults: faults.toml as data, and the mock's server with some of them in it.

How a fault is made lies in `tracksync.faults`, one small subclass of the server each; this file only knows names.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources
from types import MappingProxyType

from tracksync.errors import UsageError
from tracksync.mock.core import Core
from tracksync.values.near_names import suggestion


@dataclass(frozen=True, slots=True)
class Fault:
    """One way of breaking the contract.

    `clauses` are those it breaks, the most telling first. `family` groups related ones; faults of the family `race`
    show only when requests overlap, so they need a served mock and several connections. `beyond`: why a fair check
    leaves it alone, "" for a fault that has to be found.
    """

    name: str
    sentence: str
    clauses: tuple[str, ...]
    family: str
    beyond: str = ""


class UnknownFault(UsageError):
    """A name that the catalogue does not have; the message names the nearest ones."""


@cache
def catalogue() -> Mapping[str, Fault]:
    """All faults by name, in the order of the table."""
    text = resources.files("tracksync.faults").joinpath("faults.toml").read_text(encoding="utf-8")
    faults = {
        name: Fault(name, raw["sentence"], tuple(raw["clauses"]), raw["family"], raw.get("beyond", ""))
        for name, raw in tomllib.loads(text).items()
    }
    return MappingProxyType(faults)


def fault(name: str) -> Fault:
    """The fault with this name, or UnknownFault."""
    faults = catalogue()
    if name not in faults:
        hint = suggestion(name, faults, "`tracksync mock --list-faults` lists them all")
        raise UnknownFault(f"no fault is called {name!r}; {hint}")
    return faults[name]


def faulty_core(names: Iterable[str]) -> type[Core]:
    """The server with these faults in it; without any, the correct one. The first named is the outermost."""
    wanted = tuple(dict.fromkeys(fault(name).name for name in names))
    if not wanted:
        return Core
    from tracksync.faults import implementations  # two hundred classes that a correct mock does without

    made = implementations()
    return type("FaultyCore", (*(made[name] for name in wanted), Core), {})
