"""Options of commands as settings in a file: the table `[fuzz]` of tracksync.toml, or `[tool.tracksync.fuzz]` of
pyproject.toml, and so for each command of `COMMAND_TABLES`.

A setting has the name of its option, without the hyphens at its front. This module alone says which options are
settings; command line, schema and pages follow from it. It knows the form of a file and of click's options, and
nothing of what they mean.
"""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final, Protocol, runtime_checkable

import click
import msgspec

from tracksync import config as configuration
from tracksync.config import COMMAND_TABLES, FILE_NAME
from tracksync.errors import ConfigError, UsageError
from tracksync.values.near_names import suggestion

PYPROJECT: Final = "pyproject.toml"
_TABLES_THERE: Final = ("tool", "tracksync")
# What stands on the command line without a name: the setting's name and the parameter's, by command.
_ARGUMENTS: Final = {"gate": ("command", "words"), "replay": ("paths", "paths")}
# What a command takes from the table of another one where its own has none: one journal serves all three.
_BORROWED: Final = {"race": ("fuzz", ("journal", "ca")), "clean": ("fuzz", ("journal", "ca"))}

_TOP: Final = "it is a setting of its own at the top of tracksync.toml"
_WORKSPACE: Final = "what is true of a workspace stands in the table [workspace]"
_BUDGET: Final = "what a run on a workspace may spend stands in the table [budget]"
_ONE_RUN: Final = "it is about one run"
_WHERE_TO: Final = "where requests go is said for each run"
_MOCK_ONLY: Final = "it changes the mock that is tested, to see a finding"
_LIVE: Final = {"interpretations": _TOP, "rate-limit": _WORKSPACE}
# Why an option is not a setting, by command; those at "" are settings of no command.
_NO_SETTINGS: Final[Mapping[str, Mapping[str, str]]] = {
    "": {
        "help": _ONE_RUN,
        "config": "it names the file of the settings",
        "docs-url": _TOP,
        "update-baseline": "a baseline grows when the command line says so",
        "list-scenarios": _ONE_RUN,
        "list-faults": _ONE_RUN,
        "list-interpretations": _ONE_RUN,
    },
    "fuzz": _LIVE
    | {"target": _WHERE_TO, "only": _ONE_RUN, "resume": _ONE_RUN, "baseline": _TOP, "shared": _WORKSPACE}
    | {"max-requests": _BUDGET, "max-time": _BUDGET, "max-data-points": _BUDGET}
    | {"fault": _MOCK_ONLY, "interpretation": _MOCK_ONLY},
    "race": _LIVE
    | {"target": _WHERE_TO, "max-time": _BUDGET, "max-data-points": _BUDGET, "history": _ONE_RUN}
    | {"fault": _MOCK_ONLY, "interpretation": _MOCK_ONLY, "scenario": _MOCK_ONLY},
    "proxy": _LIVE,
    "replay": {"against": _WHERE_TO},
    "mock": {"key": "a key never stands in a file", "wait": _ONE_RUN},
    "clean": {"discard": _ONE_RUN},
}


class Names(click.ParamType[str]):
    """Names with commas between them, in one text; a file may list them instead. There are no other than `names`."""

    name = "names"
    names: Sequence[str] = ()


@runtime_checkable
class ChecksInFile(Protocol):
    """The type of an option whose names depend on other options: only in a file all of them are at hand."""

    def check_in_file(self, value: str, others: Mapping[str, Any]) -> None:
        """Raise UsageError for a wrong name. `others` are settings of the table by the name of their parameter."""
        ...


def settings_of(name: str, command: click.Command) -> Mapping[str, click.Parameter]:
    """The parameters of the command `name` that can stand in its table, by the name of the setting."""
    if name not in COMMAND_TABLES:
        return {}
    found: dict[str, click.Parameter] = {}
    setting, argument = _ARGUMENTS.get(name, ("", ""))
    for one in command.params:
        if isinstance(one, click.Option):
            if not reason_against(name, long_name(one)):
                found[long_name(one)] = one
        elif one.name == argument:
            found[setting] = one
    return MappingProxyType(found)


def reason_against(command: str, option: str) -> str:
    """Why `option`, a name without hyphens at its front, is not a setting of `command`; empty where it is one."""
    return _NO_SETTINGS[""].get(option) or _NO_SETTINGS.get(command, {}).get(option, "")


def reasons() -> Iterator[tuple[str, str]]:
    """Each command and option with a reason why it is not a setting; the command is "" for any."""
    yield from ((command, option) for command, options in _NO_SETTINGS.items() for option in options)


def long_name(option: click.Option) -> str:
    """The longest name of an option, without the hyphens at its front."""
    return max(option.opts, key=len).lstrip("-")


def sentence(name: str, setting: click.Parameter) -> str:
    """What a setting means."""
    if isinstance(setting, click.Option):
        return setting.help or name
    return "The client's own tests." if name == "command" else "The recordings."


def form_of(setting: click.Parameter) -> dict[str, Any]:
    """The JSON Schema of a setting's value."""
    one = _form(setting)
    if isinstance(setting.type, Names):  # one text or a list
        return {"anyOf": [one, {"type": "array", "items": {"enum": list(setting.type.names)}, "minItems": 1}]}
    if not (setting.multiple or setting.nargs == -1):
        return one
    # A table stands for pairs: expect = { outage = "success" }; one text for words: command = "npm test".
    other = {"type": "object", "additionalProperties": one} if isinstance(setting, click.Option) else one
    return {"anyOf": [{"type": "array", "items": one}, other]}


def may_be_list(setting: click.Parameter) -> bool:
    """Whether a file can give the setting as a list."""
    return setting.multiple or setting.nargs == -1 or isinstance(setting.type, Names)


def _form(setting: click.Parameter) -> dict[str, Any]:
    if isinstance(setting, click.Option) and setting.is_flag:
        return {"type": "boolean"}
    type_ = setting.type
    if isinstance(type_, click.Choice):
        return {"enum": list(type_.choices)}
    if not isinstance(type_, click.types.IntParamType | click.types.FloatParamType):
        return {"type": "string"}
    form: dict[str, Any] = {"type": "integer" if isinstance(type_, click.types.IntParamType) else "number"}
    for end, word in (("min", "inimum"), ("max", "aximum")):
        limit = getattr(type_, end, None)
        if limit is not None:
            form[f"exclusiveM{word}" if getattr(type_, f"{end}_open", False) else f"m{word}"] = limit
    return form


def read(path: Path, name: str, command: click.Command) -> dict[str, Any]:
    """The settings of the command `name`: value by the name of the parameter, with paths as seen from here.

    `path` is tracksync.toml; where it has no table for the command, the pyproject.toml beside it is read, unless
    `path` has a name of its own. Raises ConfigError for a file that cannot be read, and for a wrong name or value.
    """
    if path.exists() and (found := check(path, name, command)):
        return found
    beside = path.parent / PYPROJECT
    return check(beside, name, command) if path.name == FILE_NAME and beside.exists() else {}


def check(path: Path, name: str, command: click.Command) -> dict[str, Any]:
    """The settings of the command `name` in the file at `path`, as `read` gives them. Raises ConfigError."""
    found, mistakes = checked(path, name, command)
    if mistakes:
        raise mistakes[0]
    return found


def checked(path: Path, name: str, command: click.Command) -> tuple[dict[str, Any], list[ConfigError]]:
    """The settings of the command `name` in the file at `path`, and each mistake in them. Raises ConfigError."""
    if path.name == PYPROJECT:
        tables, before = tables_of_pyproject(path), f"{'.'.join(_TABLES_THERE)}."
    else:
        tables, before = msgspec.structs.asdict(configuration.load(path)), ""
    other, borrowed = _BORROWED.get(name, ("", ()))
    values = {setting: (other, value) for setting, value in tables.get(other, {}).items() if setting in borrowed}
    values |= {setting: (name, value) for setting, value in tables.get(name, {}).items()}
    known = settings_of(name, command)
    found: dict[str, Any] = {}
    mistakes: list[ConfigError] = []
    # Files first, since other settings may name what is in them.
    for setting, (table, value) in sorted(values.items(), key=lambda one: not _is_file(known.get(one[0]))):
        place = _Place(path, before + table, setting)
        parameter = known.get(setting)
        if parameter is None:
            why = reason_against(name, setting) or suggestion(setting, known, most=1)
            mistakes.append(ConfigError(f"{place}: {setting!r} is not a setting in [{place.table}]; {why}"))
            continue
        try:
            found[str(parameter.name)] = _value(parameter, value, place, found)
        except ConfigError as error:
            mistakes.append(error)
    return found, mistakes


def _is_file(setting: click.Parameter | None) -> bool:
    return setting is not None and isinstance(setting.type, click.Path)


def tables_of_pyproject(path: Path) -> dict[str, Any]:
    """The tables of commands in `[tool.tracksync]` of the pyproject.toml at `path`. Raises ConfigError."""
    content = configuration.content_of(path) if path.exists() else {}
    for name in _TABLES_THERE:
        content = content.get(name, {}) if isinstance(content, dict) else {}
    if not isinstance(content, dict):
        raise ConfigError(f"{path}: tool.tracksync has to be a table")
    for name, table in content.items():
        if name not in COMMAND_TABLES:
            raise ConfigError(
                f"{configuration.place_of(path, '.'.join(_TABLES_THERE), name)}: unknown key {name!r} in "
                f"[tool.tracksync], which holds the options of commands ({', '.join(COMMAND_TABLES)}); the other "
                f"settings stand in {FILE_NAME}"
            )
        if not isinstance(table, dict):
            raise ConfigError(f"{path}: tool.tracksync.{name} has to be a table")
    return content


@dataclass(frozen=True, slots=True)
class _Place:
    """Where a setting stands. As text: the file and the line."""

    path: Path
    table: str
    name: str

    def __str__(self) -> str:
        return configuration.place_of(self.path, self.table, self.name)


def _value(setting: click.Parameter, value: Any, place: _Place, others: Mapping[str, Any]) -> Any:
    """A value of a file as click takes it from a default."""
    if isinstance(setting.type, Names) and isinstance(value, list) and all(isinstance(one, str) for one in value):
        value = ",".join(value)
    if not (setting.multiple or setting.nargs == -1):
        return _one(setting, value, place, others)
    if isinstance(value, dict):  # expect = { outage = "success" } for --expect outage=success
        value = [f"{key}={entry}" for key, entry in value.items()]
    elif isinstance(value, str) and isinstance(setting, click.Argument):
        value = shlex.split(value)
    if not isinstance(value, list):
        raise ConfigError(f"{place}: {place.name} has to be a list, in square brackets")
    return [_one(setting, one, place, others) for one in value]


def _one(setting: click.Parameter, value: Any, place: _Place, others: Mapping[str, Any]) -> Any:
    """One value, checked as that of the command line is; a path is relative to the directory of the file."""
    what, types = _WORDS[_form(setting).get("type", "string")]
    if not isinstance(value, types) or (isinstance(value, bool) and bool not in types):
        raise ConfigError(f"{place}: {place.name} has to be {what}")
    try:
        made = setting.type(value, param=setting, ctx=None)
        if isinstance(setting.type, ChecksInFile):
            setting.type.check_in_file(made, others)
    except (click.BadParameter, UsageError) as error:
        said = error.message if isinstance(error, click.BadParameter) else str(error)
        raise ConfigError(f"{place}: {place.name} is wrong: {said.rstrip('.')}") from None
    return place.path.parent / made if isinstance(made, Path) and str(made) != "-" else made


_WORDS: Final[Mapping[str, tuple[str, tuple[type, ...]]]] = {
    "boolean": ("true or false", (bool,)),
    "integer": ("a whole number", (int,)),
    "number": ("a number", (int, float)),
    "string": ("a text, in quotes", (str,)),
}
