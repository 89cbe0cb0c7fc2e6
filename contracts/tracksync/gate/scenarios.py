"""Scenarios as data: reads `scenarios.toml` and files of users. Knows nothing of how a scenario is played."""

from __future__ import annotations

import difflib
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from functools import cache
from importlib import resources
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final, Literal

from tracksync.errors import ConfigError, UsageError
from tracksync.ledger import UnknownReading, check

CALM: Final = "calm"
ALL: Final = "all"

Expect = Literal["success", "failure", "any"]
Family = Literal["harmless", "passing", "lasting", "unapplied"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Act:
    """What is done to some requests; scenarios.toml explains each member. None: not asked for."""

    first: int | None = None
    every: int | None = None
    share: float | None = None
    status: int | None = None
    body: str = "json"
    limited: float | None = None
    cut: str | None = None
    damage: str | None = None
    pause: float = 0.0
    drip: float = 0.0
    pieces: int = 1
    chunked: bool = False
    close: bool = False
    gzip: bool = False
    headers: str | None = None
    answer: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Scenario:
    """One scenario. `family`: harmless (all of it lawful), passing (trouble that goes by), lasting, unapplied."""

    name: str
    sentence: str
    expect: Expect = "any"
    family: Family = "harmless"
    acts: tuple[Act, ...] = ()
    skew: float = 0.0
    readings: Mapping[str, str] = field(default_factory=dict)


_CHOICES: Final[Mapping[str, tuple[str, ...]]] = {
    "body": ("json", "html", "empty"),
    "cut": ("before", "after", "body"),
    "damage": ("truncated", "html", "empty"),
    "headers": ("upper", "title"),
    "answer": ("rich", "users-empty", "unchanged"),
    "expect": ("success", "failure", "any"),
    "family": ("harmless", "passing", "lasting", "unapplied"),
}
_NUMBERS: Final = {"first": 1, "every": 1, "status": 200, "limited": 0, "pause": 0, "drip": 0, "pieces": 1, "share": 0}
_WHOLE: Final = frozenset({"first", "every", "status", "pieces"})
_FLAGS: Final = frozenset({"chunked", "close", "gzip"})
_SCENARIO: Final = ("sentence", "expect", "family", "acts", "skew", "readings")
_ACT: Final = tuple(member.name for member in fields(Act))


@cache
def catalogue() -> Mapping[str, Scenario]:
    """The built-in scenarios by name, in the order of the table."""
    text = resources.files("tracksync.gate").joinpath("scenarios.toml").read_text(encoding="utf-8")
    return MappingProxyType(parse(text, "scenarios.toml"))


def load(path: Path) -> dict[str, Scenario]:
    """The scenarios in a user's file. Raises ConfigError, which names the mistake and where it is."""
    try:
        return parse(path.read_text(encoding="utf-8-sig"), str(path))
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8 text"
        raise ConfigError(f"cannot read {path}: {reason}") from None


def parse(text: str, name: str) -> dict[str, Scenario]:
    """The scenarios that `text` holds; `name` is where it came from. Raises ConfigError."""
    try:
        tables = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"{name} is not TOML: {error}") from None
    return {key: _scenario(key, table, name) for key, table in tables.items()}


def choose(names: tuple[str, ...], own: Mapping[str, Scenario] | None = None) -> tuple[Scenario, ...]:
    """The scenarios with these names, calm first; `all` stands for every one. Raises UsageError."""
    known = {**catalogue(), **(own or {})}
    chosen: dict[str, Scenario] = {}
    for name in names or (CALM,):
        if name == ALL:
            chosen |= known
        elif name in known:
            chosen[name] = known[name]
        else:
            near = difflib.get_close_matches(name, known, n=3, cutoff=0.5)
            hint = f"did you mean {' or '.join(near)}?" if near else f"there are {', '.join(known)}"
            raise UsageError(f"there is no scenario {name!r}; {hint}")
    return tuple(sorted(chosen.values(), key=lambda scenario: scenario.name != CALM))


def _scenario(name: str, table: Any, source: str) -> Scenario:
    where = f"{source}, scenario {name!r}"
    if not isinstance(table, dict) or name == ALL:
        raise ConfigError(f"{where}: a scenario is a table, and not called {ALL!r}; write [{name}] above its lines")
    _check_names(table, _SCENARIO, where)
    acts = table.get("acts", [])
    if not isinstance(acts, list):
        raise ConfigError(f"{where}: acts is a list of tables, such as acts = [{{ first = 2, status = 500 }}]")
    sentence, skew, readings = table.get("sentence", ""), table.get("skew", 0), table.get("readings", {})
    if not isinstance(sentence, str):
        raise ConfigError(f"{where}: sentence has to be a string")
    if isinstance(skew, bool) or not isinstance(skew, int | float):
        raise ConfigError(f"{where}: skew has to be a number of seconds")
    for key in ("expect", "family"):
        _check_choice(key, table.get(key, _CHOICES[key][-1]), where)
    try:
        for row, reading in readings.items():
            check(row, reading)
    except (UnknownReading, AttributeError, TypeError) as error:
        raise ConfigError(f"{where}: readings: {error}") from None
    return Scenario(
        name=name,
        sentence=sentence,
        expect=table.get("expect", "any"),
        family=table.get("family", "harmless"),
        acts=tuple(_act(act, f"{where}, act {number}") for number, act in enumerate(acts, 1)),
        skew=float(skew),
        readings=readings,
    )


def _act(table: Any, where: str) -> Act:
    if not isinstance(table, dict):
        raise ConfigError(f"{where}: an act is a table, such as {{ first = 2, status = 500 }}")
    _check_names(table, _ACT, where)
    for key, value in table.items():
        if key in _CHOICES:
            _check_choice(key, value, where)
        elif key in _FLAGS:
            if not isinstance(value, bool):
                raise ConfigError(f"{where}: {key} has to be true or false")
        elif isinstance(value, bool) or not isinstance(value, int if key in _WHOLE else int | float):
            raise ConfigError(f"{where}: {key} has to be a {'whole ' if key in _WHOLE else ''}number")
        elif value < _NUMBERS[key] or (key == "status" and value > 599) or (key == "share" and value > 1):
            raise ConfigError(f"{where}: {key} is out of range: {value}")
    return Act(**table)


def _check_names(table: Mapping[str, Any], known: tuple[str, ...], where: str) -> None:
    for key in table:
        if key not in known:
            near = difflib.get_close_matches(key, known, n=1)
            hint = f"did you mean {near[0]}?" if near else f"known are {', '.join(known)}"
            raise ConfigError(f"{where}: {key!r} is unknown; {hint}")


def _check_choice(key: str, value: Any, where: str) -> None:
    if value not in _CHOICES[key]:
        raise ConfigError(f"{where}: {key} has to be one of {', '.join(_CHOICES[key])}, not {value!r}")
