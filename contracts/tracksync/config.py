"""Reads what a user writes: `tracksync.toml`, interpretations files, the address of a target. Says exactly what is wrong.

Knows the ambiguities's names and nothing of runs. A key never stands in a file, only the name of the environment variable
that holds it; a value from a file is shown in a message only where it cannot be one.
"""

from __future__ import annotations

import difflib
import ipaddress
import math
import re
import tomllib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

from tracksync.contract.ambiguities import UnknownInterpretation, require_interpretation
from tracksync.errors import ConfigError, UsageError

FILE_NAME: Final = "tracksync.toml"
KEY_ENV: Final = "TRACKSYNC_API_KEY"
UNPRIVILEGED_KEY_ENV: Final = "TRACKSYNC_UNPRIVILEGED_KEY"


@dataclass(frozen=True, slots=True)
class WorkspaceSettings:
    """What differs from workspace to workspace. None means: not told."""

    rate_limit: int | None = None  # requests a minute
    array_limit: int | None = None  # elements of an array attribute
    prefix: str | None = None  # what every identifier that a run makes begins with
    shared: bool | None = None  # other jobs use up the rate limit too


@dataclass(frozen=True, slots=True)
class BudgetSettings:
    """What one run may spend at most. None means: the command's default."""

    requests: int | None = None
    seconds: float | None = None
    data_points: int | None = None


@dataclass(frozen=True, slots=True)
class Config:
    """The content of `tracksync.toml`. Paths are resolved against the directory of the file."""

    endpoint: str | None = None
    key_env: str = KEY_ENV
    unprivileged_key_env: str = UNPRIVILEGED_KEY_ENV
    live: bool = False
    interpretations: Path | None = None
    baseline: Path | None = None
    workspace: WorkspaceSettings = field(default_factory=WorkspaceSettings)
    budget: BudgetSettings = field(default_factory=BudgetSettings)


def load(path: Path) -> Config:
    """The configuration in the file at `path`. Raises ConfigError."""
    return parse(_read(path, "`tracksync init` writes one"), path)


def parse(text: str, path: Path) -> Config:
    """The configuration that `text` holds; `path` is where it came from. Raises ConfigError."""
    file = _File.parse(text, path)
    file.check_names(file.content, "", _TOP)
    top = file.values(file.content, "", _TOP)
    tables = {}
    for name, known in _TABLES.items():
        table = top.pop(name, {})
        file.check_names(table, name, known)
        tables[name] = file.values(table, name, known)
    for name in ("interpretations", "baseline"):
        if name in top:
            top[name] = path.parent / top[name]
    return Config(**top, workspace=WorkspaceSettings(**tables["workspace"]), budget=BudgetSettings(**tables["budget"]))


def read_interpretations(path: Path) -> dict[str, str]:
    """The interpretations in the file at `path`: the table `[interpretations]`, `row = "reading"`. Raises ConfigError."""
    file = _File.parse(_read(path, "`tracksync fuzz --save-interpretations FILE` writes one"), path)
    file.check_names(file.content, "", {"interpretations": _table})
    table = file.content.get("interpretations")
    if not isinstance(table, dict):
        raise ConfigError(
            f'{path}: there is no table [interpretations]; write it with lines such as `no-user = "omitted"`'
        )
    for ambiguity, interpretation in table.items():
        try:
            if not isinstance(interpretation, str):
                raise UnknownInterpretation(
                    f"the interpretation of ambiguity {ambiguity!r} has to be a string, not {_kind(interpretation)}"
                )
            require_interpretation(ambiguity, interpretation)
        except UnknownInterpretation as error:
            raise ConfigError(f"{file.at('interpretations', ambiguity)}: {error}") from None
    return dict(table)


def parse_interpretations(pairs: Iterable[str]) -> dict[str, str]:
    """Interpretations given as `AMBIGUITY=NAME`. Raises UsageError."""
    interpretations: dict[str, str] = {}
    for pair in pairs:
        ambiguity, sign, interpretation = pair.partition("=")
        if not sign:
            raise UsageError(f"an interpretation is written AMBIGUITY=NAME, not {pair!r}; for example no-user=omitted")
        try:
            require_interpretation(ambiguity.strip(), interpretation.strip())
        except UnknownInterpretation as error:
            raise UsageError(str(error)) from None
        interpretations[ambiguity.strip()] = interpretation.strip()
    return interpretations


def check_endpoint(text: str) -> str:
    """`text` as a base URL without a slash at its end. Raises UsageError; the message does not repeat credentials."""
    try:
        url = urlsplit(text.strip())
        host, _ = url.hostname, url.port
    except ValueError:
        raise UsageError("the endpoint is not a URL; write it like https://rest.iad-01.braze.com") from None
    if url.username is not None or url.password is not None:
        raise UsageError("the endpoint holds a user name or key before its @; keys come from environment variables")
    if url.scheme not in {"http", "https"} or not host:
        raise UsageError(f"the endpoint {text!r} is not a URL; write it like https://rest.iad-01.braze.com")
    if url.query or url.fragment:
        raise UsageError("the endpoint has a ? or # in it; give the base URL only, the paths are appended")
    if "/users/" in f"{url.path}/":
        base = text[: text.index("/users")]
        raise UsageError(f"give the base URL only, the documented paths are appended: {base}")
    if url.scheme == "http" and re.search(r"(^|\.)(braze|appboy)\.(com|eu)\Z", host):
        raise UsageError("Braze answers over https; over http anybody on the way could read the key")
    return text.strip().rstrip("/")


def is_loopback(endpoint: str) -> bool:
    """Whether requests to `endpoint` stay on this machine."""
    host = urlsplit(endpoint).hostname or ""
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _read(path: Path, advice: str) -> str:
    try:
        return path.read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        raise ConfigError(f"there is no file {path}; {advice}") from None
    except UnicodeDecodeError:
        raise ConfigError(f"{path} is not UTF-8 text; save it as UTF-8") from None
    except OSError as error:
        raise ConfigError(f"cannot read {path}: {error.strerror or error}") from None


# --- one value each: returns it as Config wants it, or raises ValueError with what it has to be ------------------

_Check = Callable[[Any], Any]

_VARIABLE: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*\Z")
_LIKE_A_KEY: Final = re.compile(
    r"(?=.*\d)(?=.*[a-z])[0-9A-Za-z]{16,}\Z|[0-9A-F]{20,}\Z|[0-9A-Fa-f]{8}-|\d|.*[^A-Za-z0-9_ ]"
)


def _table(value: Any) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise ValueError("has to be a table")
    return value


def _flag(value: Any) -> bool:
    if not isinstance(value, bool):
        raise ValueError("has to be true or false")
    return value


def _count(value: Any) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or value < 1:
        raise ValueError("has to be a whole number of at least 1")
    return value


def _seconds(value: Any) -> float:
    if not isinstance(value, int | float) or isinstance(value, bool) or not (0 < value < math.inf):
        raise ValueError("has to be a number of seconds above 0")
    return float(value)


def _file(value: Any) -> str:
    if not isinstance(value, str) or not value.strip():
        raise ValueError("has to be the path of a file, in quotes")
    return value


def _prefix(value: Any) -> str:
    if not isinstance(value, str) or not re.fullmatch(r"[a-z][a-z0-9-]{0,31}", value):
        raise ValueError("has to be 1 to 32 lower-case letters, digits or hyphens, a letter first")
    return value


def _endpoint(value: Any) -> str:
    if not isinstance(value, str):
        raise ValueError("has to be a URL, in quotes")
    try:
        return check_endpoint(value)
    except UsageError as error:
        raise ValueError(f"is wrong: {error}") from None


def _variable(value: Any) -> str:
    if not isinstance(value, str) or not value:
        raise ValueError(f'has to be the name of an environment variable, in quotes: "{KEY_ENV}"')
    if _LIKE_A_KEY.match(value):
        # Not shown: it may be the key itself.
        raise ValueError(
            "looks like a key and not like the name of an environment variable; take the key out of the file "
            f'(and replace it, if others could read the file), put it in a variable and name that: "{KEY_ENV}"'
        )
    if not _VARIABLE.match(value):
        raise ValueError(f'is no name of an environment variable; write something like "{KEY_ENV}"')
    return value


_TOP: Final[Mapping[str, _Check]] = {
    "endpoint": _endpoint,
    "key_env": _variable,
    "unprivileged_key_env": _variable,
    "live": _flag,
    "interpretations": _file,
    "baseline": _file,
    "workspace": _table,
    "budget": _table,
}
_TABLES: Final[Mapping[str, Mapping[str, _Check]]] = {
    "workspace": {"rate_limit": _count, "array_limit": _count, "prefix": _prefix, "shared": _flag},
    "budget": {"requests": _count, "seconds": _seconds, "data_points": _count},
}
# What people write for a name that we spell otherwise, where no similarity of letters would tell.
_OTHER_WORDS: Final[Mapping[str, str]] = {
    "key": "key_env",
    "api_key": "key_env",
    "token": "key_env",
    "url": "endpoint",
    "host": "endpoint",
    "target": "endpoint",
    "base_url": "endpoint",
    "time": "seconds",
    "max_requests": "requests",
}


@dataclass(frozen=True, slots=True)
class _File:
    """A parsed TOML file that can still say on which line a key stands."""

    path: Path
    lines: tuple[str, ...]
    content: dict[str, Any]

    @classmethod
    def parse(cls, text: str, path: Path) -> _File:
        try:
            content = tomllib.loads(text)
        except tomllib.TOMLDecodeError as error:
            raise ConfigError(_bad_toml(path, text, str(error))) from None
        except RecursionError:
            raise ConfigError(f"{path} is nested too deep to be read") from None
        return cls(path, tuple(text.splitlines()), content)

    def check_names(self, table: Mapping[str, Any], name: str, known: Mapping[str, _Check]) -> None:
        for key in table:
            if key not in known:
                place = f"in [{name}]" if name else "at the top"
                raise ConfigError(f"{self.at(name, key)}: unknown key {key!r} {place}; {_suggestion(key, name, known)}")

    def values(self, table: Mapping[str, Any], name: str, known: Mapping[str, _Check]) -> dict[str, Any]:
        checked = {}
        for key, value in table.items():
            try:
                checked[key] = known[key](value)
            except ValueError as error:
                full = f"{name}.{key}" if name else key
                raise ConfigError(f"{self.at(name, key)}: {full} {error}") from None
        return checked

    def at(self, table: str, key: str) -> str:
        """`FILE, line N` for a key of a table ("" is the top), or the file alone where the line is not plain to see."""
        current = ""
        for number, line in enumerate(self.lines, start=1):
            header = re.match(r"\s*\[+\s*([^\]#]+?)\s*\]", line)
            if header:
                current = header[1].strip("\"'")
                if not table and current.split(".")[0].strip("\"' ") == key:
                    return f"{self.path}, line {number}"
                continue
            assigned = re.match(r"\s*([^=#]+?)\s*=", line)
            if assigned:
                written = [part.strip(" \"'") for part in assigned[1].split(".")]
                full = [*([current] if current else []), *written]
                if full[: 2 if table else 1] == ([table, key] if table else [key]):
                    return f"{self.path}, line {number}"
                if table and full == [table] and key in line:  # an inline table
                    return f"{self.path}, line {number}"
        return str(self.path)


def _bad_toml(path: Path, text: str, message: str) -> str:
    found = re.search(r"\s*\(at line (\d+), column (\d+)\)", message)
    if found:
        what = message[: found.start()]
        return f"{path}, line {found[1]}, column {found[2]}: this is not TOML: {what}"
    what = re.sub(r"\s*\(at end of document\)", "", message)
    last = max(1, len(text.splitlines()))
    return f"{path}, line {last}: this is not TOML: {what} (the file ends before it should)"


def _suggestion(key: str, table: str, known: Mapping[str, _Check]) -> str:
    tables = {"": _TOP, **_TABLES} if known in (_TOP, *_TABLES.values()) else {table: known}
    places = {name: other for other, names in tables.items() for name in names}
    near = key if key in places else _OTHER_WORDS.get(key.lower())
    if near not in places:
        matches = difflib.get_close_matches(key.lower(), known, n=1) or difflib.get_close_matches(
            key.lower(), places, 1
        )
        near = matches[0] if matches else None
    if near is None:
        return f"known here: {', '.join(known)}"
    if near in known:
        return f"did you mean {near!r}?"
    where = f"in [{places[near]}]" if places[near] else "at the top of the file, before any table"
    return f"it belongs {where}" if near == key else f"did you mean {near!r}? It belongs {where}"


def _kind(value: Any) -> str:
    names = {bool: "true or false", int: "a number", float: "a number", dict: "a table", list: "a list"}
    return names.get(type(value), "something else")
