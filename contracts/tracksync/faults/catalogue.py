"""The catalogue of faults: names, sentences and clauses, and the mock's server with some faults in it.

Asking for it imports every family; importing this module imports none.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import cache
from importlib import import_module
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from tracksync.errors import UsageError
from tracksync.values.near_names import suggestion

if TYPE_CHECKING:
    from tracksync.faults.registry import Fault
    from tracksync.mock.core import Core

FAMILIES: Final = (
    "addresses",
    "arrays",
    "auth",
    "by_identifier",
    "counts",
    "creation",
    "dates",
    "delete",
    "export",
    "export_parts",
    "extremes",
    "folding",
    "headers",
    "identity",
    "impossible_times",
    "infrastructure",
    "interpretations",
    "isolation",
    "json_syntax",
    "listing",
    "numbers",
    "object_arrays",
    "objects",
    "profile_fields",
    "properties",
    "race",
    "rate",
    "refusal_body",
    "refusals",
    "required_fields",
    "responses",
    "routes",
    "runtimes",
    "sizes",
    "spelling",
    "state",
    "strings",
    "success_body",
    "times",
    "track",
)


class UnknownFault(UsageError):
    """A name that the catalogue does not have; the message names the nearest ones."""


@cache
def catalogue() -> Mapping[str, Fault]:
    """All faults by name, family by family."""
    for family in FAMILIES:
        import_module(f"tracksync.faults.{family}")
    from tracksync.faults.registry import REGISTERED

    return MappingProxyType(REGISTERED)


def fault(name: str) -> Fault:
    """The fault with this name. Raises UnknownFault."""
    known = catalogue()
    if name not in known:
        hint = suggestion(name, known, "`tracksync mock --list-faults` lists them all")
        raise UnknownFault(f"no fault is called {name!r}; {hint}")
    return known[name]


def servers(names: Iterable[str]) -> tuple[type[Core], ...]:
    """The faults with these names, each once, as `MockConfig` takes them. Raises UnknownFault."""
    return tuple(fault(name).server for name in dict.fromkeys(names))
