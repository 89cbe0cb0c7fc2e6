"""Reads what a user writes: `tracksync.toml`, files of interpretations, the address of a target. Every error names the
file, the line and what to write instead.

Knows the names of the ambiguities and nothing of runs. A key never stands in a file, only the name of the environment
variable that holds it. A message repeats a value from a file only where the value cannot be a key.
"""

from __future__ import annotations

import ipaddress
import re
import sys
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Final, get_args
from urllib.parse import urlsplit

import msgspec
from msgspec import Meta, Struct

from tracksync.contract.ambiguities import UnknownInterpretation, require_interpretation
from tracksync.errors import ConfigError, UsageError, unreadable
from tracksync.values.near_names import near_names

FILE_NAME: Final = "tracksync.toml"
KEY_ENV: Final = "TRACKSYNC_API_KEY"
UNPRIVILEGED_KEY_ENV: Final = "TRACKSYNC_UNPRIVILEGED_KEY"

# The description of a type completes the sentence "rate_limit has to be …" of an error message.
_Flag = Annotated[bool, Meta(description="true or false")]
_Count = Annotated[int, Meta(ge=1, description="a whole number of at least 1")]
_Seconds = Annotated[float, Meta(gt=0, le=sys.float_info.max, description="a number of seconds above 0")]
_File = Annotated[Path, Meta(description="the path of a file, in quotes")]
_Url = Annotated[str, Meta(description="a URL, in quotes")]
SITE_PATTERN: Final = r"^https?://[A-Za-z0-9.:\[\]-]+(/[A-Za-z0-9._~%/+-]*)?\Z"
_Site = Annotated[
    str, Meta(pattern=SITE_PATTERN, description="an address that begins with http:// or https://, in quotes")
]
_Prefix = Annotated[
    str,
    Meta(
        pattern=r"^[a-z][a-z0-9-]{0,31}\Z",
        description="1 to 32 lower-case letters, digits or hyphens, a letter first",
    ),
]
_Options = dict[str, Any]  # of a command, by name: `tracksync.settings` says which
_Variable = Annotated[
    str, Meta(min_length=1, description=f'the name of an environment variable, in quotes: "{KEY_ENV}"')
]


def _says(sentence: str) -> Meta:
    """What a setting means, for the schema of the file and its page."""
    return Meta(extra_json_schema={"description": sentence})


class WorkspaceSettings(Struct, frozen=True, forbid_unknown_fields=True):
    """The table `[workspace]`: what differs from workspace to workspace. None: not set.

    `rate_limit` is in requests a minute, `array_limit` in elements of an array attribute. `prefix` begins every
    identifier that a run creates. `shared`: other jobs use up the same rate limit.
    """

    rate_limit: Annotated[
        _Count | None, _says("Requests a minute to /users/track/sync, if not the documented limit.")
    ] = None
    array_limit: Annotated[_Count | None, _says("Elements that an array attribute may have, if you know it.")] = None
    prefix: Annotated[_Prefix | None, _says("What every test user's identifier begins with.")] = None
    shared: Annotated[
        _Flag | None, _says("Whether other jobs use up the same rate limit; assumed of every other machine.")
    ] = None


class BudgetSettings(Struct, frozen=True, forbid_unknown_fields=True):
    """The table `[budget]`: what one run may spend at most. None: the default of the command."""

    requests: Annotated[
        _Count | None, _says("The most requests of one run, with those that repeat, shrink and delete.")
    ] = None
    seconds: Annotated[_Seconds | None, _says("The most seconds of one run.")] = None
    data_points: Annotated[
        _Count | None, _says("The most data points of one run; each custom attribute that is sent is one.")
    ] = None


class Config(Struct, frozen=True, forbid_unknown_fields=True):
    """The content of `tracksync.toml`. Paths are relative to the directory of the file."""

    endpoint: Annotated[_Url | None, _says("The REST host of the workspace; take a sandbox.")] = None
    key_env: Annotated[
        _Variable, _says("The environment variable that holds the key. It needs the permission users.track.sync.")
    ] = KEY_ENV
    unprivileged_key_env: Annotated[
        _Variable, _says("The environment variable that holds a key without that permission.")
    ] = UNPRIVILEGED_KEY_ENV
    live: Annotated[_Flag, _says("Whether requests may be sent to a host that is not this machine.")] = False
    interpretations: Annotated[
        _File | None, _says("A file of interpretations that the workspace is held to, as `fuzz` writes one.")
    ] = None
    baseline: Annotated[_File | None, _says("A file of known findings, which do not fail the run.")] = None
    docs_url: Annotated[
        _Site | None, _says("Where the pages of `tracksync docs` are published; every output links to them.")
    ] = None
    workspace: Annotated[WorkspaceSettings, _says("What differs from workspace to workspace.")] = WorkspaceSettings()
    budget: Annotated[BudgetSettings, _says("What one run may spend.")] = BudgetSettings()
    fuzz: Annotated[_Options, _says("Options of `tracksync fuzz`.")] = {}
    gate: Annotated[_Options, _says("Options of `tracksync gate`, and its `command`.")] = {}
    replay: Annotated[_Options, _says("Options of `tracksync replay`, and its `paths`.")] = {}
    race: Annotated[_Options, _says("Options of `tracksync race`.")] = {}
    proxy: Annotated[_Options, _says("Options of `tracksync proxy`.")] = {}
    mock: Annotated[_Options, _says("Options of `tracksync mock`.")] = {}
    clean: Annotated[_Options, _says("Options of `tracksync clean`.")] = {}


# The tables of the file by name; "" is the top.
SETTINGS: Final[Mapping[str, type[Struct]]] = {"": Config, "workspace": WorkspaceSettings, "budget": BudgetSettings}
# The tables with options of a command.
COMMAND_TABLES: Final = tuple(one.name for one in msgspec.structs.fields(Config) if get_args(one.type)[0] == _Options)
# Names that people write for a setting, where no similarity of letters leads to it.
_OTHER_NAMES: Final[Mapping[str, str]] = {
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


def load(path: Path) -> Config:
    """The configuration in the file at `path`. Raises ConfigError."""
    return parse(_read(path, "`tracksync init` writes one"), path)


def parse(text: str, path: Path) -> Config:
    """The configuration that `text` holds; `path` is where it came from. Raises ConfigError."""
    file = _TomlFile.parse(text, path)
    for name, form in SETTINGS.items():
        table = file.content.get(name, {}) if name else file.content
        if isinstance(table, dict):
            file.check_names(table, name, form.__struct_fields__)

    def path_of(type_: type, value: Any) -> Path:
        if not isinstance(value, str) or not value.strip():
            raise ValueError
        return path.parent / value

    try:
        config = msgspec.convert(file.content, Config, dec_hook=path_of)
    except msgspec.ValidationError as error:
        # `Expected `int` >= 1 - at `$.workspace.rate_limit``
        *table, key = str(error).rpartition("`$.")[2].rstrip("`").split(".")
        raise file.wrong(".".join(table), key, f"has to be {_description('.'.join(table), key)}") from None
    if config.endpoint is not None:
        try:
            config = msgspec.structs.replace(config, endpoint=check_endpoint(config.endpoint))
        except UsageError as error:
            raise file.wrong("", "endpoint", f"is wrong: {error}") from None
    for key in ("key_env", "unprivileged_key_env"):
        if problem := _not_a_variable(getattr(config, key)):
            raise file.wrong("", key, problem)
    return config


def toml_of(text: str, path: Path) -> dict[str, Any]:
    """What `text` holds, which came from the TOML file at `path`. Raises ConfigError."""
    return _TomlFile.parse(text, path).content


def content_of(path: Path) -> dict[str, Any]:
    """What the TOML file at `path` holds. Raises ConfigError."""
    return _TomlFile.parse(_read(path, "name another"), path).content


def place_of(path: Path, table: str, key: str) -> str:
    """`FILE, line N` for a key of a table of the TOML file at `path`. Raises ConfigError."""
    return _TomlFile.parse(_read(path, "name another"), path).at(table, key)


def _description(table: str, key: str) -> str:
    """What the value of a setting has to be, in words; "" is the top of the file."""
    return value_of(next(one.type for one in msgspec.structs.fields(SETTINGS[table]) if one.name == key))


def sentence_of(type_: Any) -> str:
    """What a setting of this type means."""
    said = (meta.extra_json_schema.get("description") for meta in _metas(type_) if meta.extra_json_schema)
    return str(next(filter(None, said), ""))


def value_of(type_: Any) -> str:
    """What the value of a setting of this type has to be."""
    return next((one.description for one in _metas(type_) if one.description), "a table")


def _metas(type_: Any) -> Iterator[Meta]:
    """The annotations of a type and of those that it is made of."""
    yield from (meta for meta in getattr(type_, "__metadata__", ()) if isinstance(meta, Meta))
    for part in get_args(type_):
        yield from _metas(part)


_VARIABLE: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*\Z")
_LIKE_A_KEY: Final = re.compile(
    r"(?=.*\d)(?=.*[a-z])[0-9A-Za-z]{16,}\Z|[0-9A-F]{20,}\Z|[0-9A-Fa-f]{8}-|\d|.*[^A-Za-z0-9_ ]"
)


def _not_a_variable(text: str) -> str:
    """What is wrong with `text` as the name of an environment variable; empty where nothing is."""
    if _LIKE_A_KEY.match(text):
        # Not repeated: it may be the key itself.
        return (
            "looks like a key and not like the name of an environment variable; take the key out of the file "
            f'(and replace it, if others could read the file), put it in a variable and name that: "{KEY_ENV}"'
        )
    if not _VARIABLE.match(text):
        return f'is not the name of an environment variable; write something like "{KEY_ENV}"'
    return ""


def read_interpretations(path: Path) -> dict[str, str]:
    """Interpretation by ambiguity, from the table `[interpretations]` of the file at `path`. Raises ConfigError."""
    file = _TomlFile.parse(_read(path, "`tracksync fuzz --save-interpretations FILE` writes one"), path)
    file.check_names(file.content, "", ("interpretations",))
    table = file.content.get("interpretations")
    if not isinstance(table, dict):
        raise ConfigError(
            f'{path}: there is no table [interpretations]; write it with lines such as `no-user = "omitted"`'
        )
    for ambiguity, interpretation in table.items():
        try:
            if not isinstance(interpretation, str):
                raise UnknownInterpretation(f"the interpretation of {ambiguity!r} has to be a string, in quotes")
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
    if not text.isascii():
        raise UsageError("the endpoint has characters beyond ASCII; write such a host as xn--…, and such a path with %")
    if url.query or url.fragment:
        raise UsageError("the endpoint has a ? or # in it; give the base URL only, the paths are appended")
    if "/users/" in f"{url.path}/":
        base = text[: text.index("/users")]
        raise UsageError(f"give the base URL only, the documented paths are appended: {base}")
    if url.scheme == "http" and re.search(r"(^|\.)(braze|appboy)\.(com|eu)\Z", host):
        raise UsageError("Braze is reached over https only; over http, others on the network could read the key")
    return text.strip().rstrip("/")


def is_loopback(endpoint: str) -> bool:
    """Whether requests to `endpoint`, a URL or the bare name or address of a host, stay on this machine."""
    host = (urlsplit(endpoint).hostname if "://" in endpoint else endpoint) or ""
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
    except (OSError, UnicodeDecodeError) as error:
        raise unreadable(path, error) from None


@dataclass(frozen=True, slots=True)
class _TomlFile:
    """A parsed TOML file that can still say on which line a key stands."""

    path: Path
    lines: tuple[str, ...]
    content: dict[str, Any]

    @classmethod
    def parse(cls, text: str, path: Path) -> _TomlFile:
        try:
            content = tomllib.loads(text)
        except tomllib.TOMLDecodeError as error:
            raise ConfigError(_bad_toml(path, text, str(error))) from None
        except (RecursionError, ValueError):
            raise ConfigError(f"{path} is nested too deep to be read, or a number in it is too long") from None
        return cls(path, tuple(text.splitlines()), content)

    def check_names(self, table: Mapping[str, Any], name: str, known: Iterable[str]) -> None:
        """Raise ConfigError for the first key of `table` that is not `known`. `name` is the table's; "" is the top."""
        for key in table:
            if key not in known:
                place = f"in [{name}]" if name else "at the top"
                raise ConfigError(f"{self.at(name, key)}: unknown key {key!r} {place}; {_advice(key, tuple(known))}")

    def wrong(self, table: str, key: str, problem: str) -> ConfigError:
        """The error that says where a setting stands and what is wrong with it."""
        return ConfigError(f"{self.at(table, key)}: {f'{table}.{key}' if table else key} {problem}")

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


def _advice(key: str, known: tuple[str, ...]) -> str:
    """What to write instead of the unknown `key` in a table of the `known` keys: another name, or another table."""
    if known not in [form.__struct_fields__ for form in SETTINGS.values()]:
        return f"known here: {', '.join(known)}"
    table_of = {name: table for table, form in SETTINGS.items() for name in form.__struct_fields__}
    near = key if key in table_of else _OTHER_NAMES.get(key.lower())
    if near is None:
        near = next(iter(near_names(key, known, 1) or near_names(key, table_of, 1)), None)
    if near is None:
        return f"known here: {', '.join(known)}"
    if near in known:
        return f"did you mean {near!r}?"
    where = f"in [{table_of[near]}]" if table_of[near] else "at the top of the file, before any table"
    return f"it belongs {where}" if near == key else f"did you mean {near!r}? It belongs {where}"
