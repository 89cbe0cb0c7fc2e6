"""Settings of the gate in files: the table `[gate]` of tracksync.toml, or `[tool.tracksync.gate]` of pyproject.toml.

Each setting is the option of the same name (`endpoint-var`, `fail-on`); `command` is the command itself, as a list of
words or as one text. Knows files and names; the values are checked where those of the command line are.
"""

from __future__ import annotations

import difflib
import shlex
import tomllib
from collections.abc import Collection
from pathlib import Path
from typing import Any, Final

from tracksync.errors import ConfigError, unreadable

COMMAND: Final = "command"
_PLACES: Final = (("tracksync.toml", ("gate",)), ("pyproject.toml", ("tool", "tracksync", "gate")))


def read_settings(directory: Path, names: Collection[str]) -> dict[str, Any]:
    """The settings of the first file in `directory` that has some: option name to value, `command` as a list.

    `names`: the options that there are. Raises ConfigError for a file that cannot be read or a name that is unknown.
    """
    for file, tables in _PLACES:
        path = directory / file
        table = _table(path, tables)
        if table is not None:
            where = f"{path}, [{'.'.join(tables)}]"
            return {name: _value(name, value, where, names) for name, value in table.items()}
    return {}


def _table(path: Path, tables: tuple[str, ...]) -> dict[str, Any] | None:
    try:
        content: Any = tomllib.loads(path.read_text(encoding="utf-8-sig"))
    except FileNotFoundError:
        return None
    except (OSError, UnicodeDecodeError) as error:
        raise unreadable(path, error) from None
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"{path} is not TOML: {error}") from None
    for name in tables:
        content = content.get(name) if isinstance(content, dict) else None
    if content is not None and not isinstance(content, dict):
        raise ConfigError(f"{path}: {'.'.join(tables)} has to be a table")
    return content


def _value(name: str, value: Any, where: str, names: Collection[str]) -> Any:
    known = [*names, COMMAND]
    if name not in known:
        near = difflib.get_close_matches(name, known, n=1)
        raise ConfigError(f"{where}: unknown setting {name!r}; did you mean {near[0]!r}?" if near else
                          f"{where}: unknown setting {name!r}; there are {', '.join(sorted(known))}")  # fmt: skip
    if name == COMMAND and isinstance(value, str):
        return shlex.split(value)
    if isinstance(value, dict):  # expect = { outage = "success" } for --expect outage=success
        return [f"{key}={entry}" for key, entry in value.items()]
    return value
