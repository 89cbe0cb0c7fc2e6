"""Names that a user writes, on the command line and in files: which there are, completing them, and an unknown one."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final

import click
from click.shell_completion import CompletionItem

from tracksync import config
from tracksync.contract.ambiguities import ambiguity_catalogue
from tracksync.contract.clauses import UnknownClause, catalogue, clause
from tracksync.errors import UsageError
from tracksync.values.near_names import suggestion


class Name(click.ParamType[str]):
    """A name of a known set: the shell completes it, and `check` raises UsageError for one that is unknown."""

    name = "name"

    def __init__(self, names: Callable[[], Iterable[str]], check: Callable[[str], object]) -> None:
        self.names, self.check = names, check

    def convert(self, value: str, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """`value`, once it is checked."""
        self.check(value)
        return value

    def shell_complete(self, ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
        """The names that begin with what was typed."""
        return [CompletionItem(name) for name in self.names() if name.startswith(incomplete)]


def known_name(name: str, names: Iterable[str] | Mapping[str, object], word: str, listing: str = "") -> str:
    """`name` if it is one of `names`. Raises UsageError with similar names; `word` says what is named."""
    known = list(names)
    if name in known:
        return name
    raise UsageError(f"there is no {word} {name!r}; {suggestion(name, known, listing)}")


def clauses_named(values: Iterable[str]) -> tuple[str, ...]:
    """The ids of clauses that `values` name, several in one with commas, each once. Raises UsageError."""
    ids = [id_.strip() for value in values for id_ in value.split(",") if id_.strip()]
    try:
        return tuple(dict.fromkeys(clause(id_).id for id_ in ids))
    except UnknownClause as error:
        raise UsageError(str(error)) from None


def interpretation_names() -> list[str]:
    """Every interpretation as `AMBIGUITY=NAME`."""
    return [f"{one.name}={name}" for one in ambiguity_catalogue().values() for name in one.interpretations]


def _clause_names() -> Iterable[str]:
    return catalogue(None)


def _check_clauses(value: str) -> None:
    if not clauses_named((value,)):  # such as an empty variable: without --only, a run is about every clause
        raise UsageError("no clause is named; `tracksync clauses` lists them all")


def _fault_names() -> Iterable[str]:
    from tracksync.faults.catalogue import catalogue as faults

    return faults()


def _check_fault(name: str) -> Any:
    from tracksync.faults.catalogue import fault

    return fault(name)


def _scenario_names() -> Iterable[str]:
    from tracksync.mock.scenarios import catalogue as scenarios

    return scenarios()


def _check_scenario(name: str) -> Any:
    from tracksync.mock.scenarios import scenario

    return scenario(name)


CLAUSE: Final = Name(_clause_names, _check_clauses)
FAULT: Final = Name(_fault_names, _check_fault)
SCENARIO: Final = Name(_scenario_names, _check_scenario)
INTERPRETATION: Final = Name(interpretation_names, lambda value: config.parse_interpretations((value,)))
