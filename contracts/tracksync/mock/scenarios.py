"""Scenarios as data: scenarios.toml, and files of the same form that a user wrote. See scenario_player.py."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, fields
from functools import cache
from importlib import resources
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final

import msgspec

from tracksync.config import toml_of
from tracksync.contract.ambiguities import UnknownInterpretation, require_interpretation
from tracksync.errors import ConfigError, UsageError, unreadable
from tracksync.values.near_names import suggestion

ACTIONS: Final = (
    "status",
    "pause",
    "drip",
    "reset",
    "cut",
    "truncate",
    "empty",
    "no-user",
    "unchanged",
    "close",
    "hang-up",
    "chunked",
    "gzip",
    "limit",
    "capitals",
)
BODIES: Final = ("json", "html", "empty")
# What belongs to one connection of HTTP/1.1, and has no place where many requests share one.
ONE_CONNECTION: Final = frozenset({"reset", "cut", "close", "hang-up", "chunked"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Act:
    """Something that happens to single requests; see the head of scenarios.toml. Times in seconds."""

    do: str
    times: int | None = None
    total: int | None = None
    lasts: int | None = None
    every: int = 1
    start: int | None = None
    share: float = 1.0
    status: int = 503
    body: str = "json"
    apply: bool = False
    seconds: float = 0.0
    pieces: int = 1

    def __post_init__(self) -> None:
        if self.do not in ACTIONS:
            raise ValueError(f"do is one of {', '.join(ACTIONS)}")
        if self.body not in BODIES:
            raise ValueError(f"body is one of {', '.join(BODIES)}, not {self.body!r}")
        at_least_one = ("every", "start", "pieces", "times", "total", "lasts")
        for name, lowest in (*((name, 1) for name in at_least_one), ("seconds", 0), ("share", 0)):
            value = getattr(self, name)
            if value is not None and value < lowest:
                raise ValueError(f"{name} is at least {lowest}, not {value}")
        if not 100 <= self.status <= 599:
            raise ValueError(f"status is from 100 to 599, not {self.status}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Scenario:
    """What a mock plays. None leaves a setting as it is configured; `clock_ahead` is in seconds.

    `http2`: it wants to be served over TLS with HTTP/2.
    """

    name: str
    sentence: str
    acts: tuple[Act, ...] = ()
    rate_limit: int | None = None
    window_seconds: int | None = None
    clock_ahead: float = 0.0
    http2: bool = False
    interpretations: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for ambiguity, interpretation in self.interpretations.items():
            require_interpretation(ambiguity, interpretation)
        for name in ("rate_limit", "window_seconds"):
            value = getattr(self, name)
            if value is not None and value < 1:
                raise ValueError(f"{name} is at least 1, not {value}")
        alone = sorted({act.do for act in self.acts} & ONE_CONNECTION) if self.http2 else []
        if alone:
            raise ValueError(f"under HTTP/2 nothing does {', '.join(alone)}: many requests share one connection")


class UnknownScenario(UsageError):
    """A name that the catalogue does not have; the message names the nearest ones."""


@cache
def catalogue() -> Mapping[str, Scenario]:
    """All built-in scenarios by name, in the order of the table."""
    text = resources.files("tracksync.mock").joinpath("scenarios.toml").read_text(encoding="utf-8")
    return _read(text, "scenarios.toml")


def load(path: Path) -> Mapping[str, Scenario]:
    """The scenarios of a TOML file of the same form. Raises ConfigError, which says where it is wrong."""
    try:
        found = _read(path.read_text(encoding="utf-8"), str(path))
    except (OSError, UnicodeDecodeError) as error:
        raise unreadable(path, error) from None
    if not found:
        raise ConfigError(f"{path} has no scenario in it; a scenario is a table, such as [my-outage]")
    return found


def scenario(name: str) -> Scenario:
    """The built-in scenario with this name, or UnknownScenario."""
    known = catalogue()
    if name not in known:
        hint = suggestion(name, known, "`tracksync mock --list-scenarios` lists them all")
        raise UnknownScenario(f"no scenario is called {name!r}; {hint}")
    return known[name]


def _read(text: str, source: str) -> Mapping[str, Scenario]:
    tables = toml_of(text, Path(source))
    return MappingProxyType({name: _scenario(name, table, source) for name, table in tables.items()})


def _scenario(name: str, table: Any, source: str) -> Scenario:
    where = f"{source}, scenario {name!r}"
    if not isinstance(table, dict):
        raise ConfigError(f"{where}: a scenario is a table")
    try:
        made = msgspec.convert({"sentence": "", **table, "name": name}, Scenario)
        _known(table, Scenario)
        for act in table.get("acts", []):
            _known(act, Act)
    except (UnknownInterpretation, ValueError) as error:  # msgspec's errors are ValueErrors
        raise ConfigError(f"{where}: {error}") from error
    return made


def _known(table: Iterable[str], form: type) -> None:
    """Raise ValueError for a setting that `form` does not have; msgspec checks the types."""
    names = sorted(one.name for one in fields(form))
    for name in table:
        if name not in names:
            raise ValueError(f"{name!r} is not a setting; {suggestion(name, names, most=1)}")
