"""The manifest beside cassettes: what each one shows, when and from which server it was recorded, what it breaks.

`manifest.toml`, one table for each cassette. Recordings made by other tools have no manifest.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from tracksync.config import toml_of
from tracksync.contract.ambiguities import UnknownInterpretation, require_interpretation
from tracksync.contract.clauses import catalogue
from tracksync.errors import ConfigError, unreadable

NAME: Final = "manifest.toml"
EVERYTHING: Final = "*"
_BARE: Final = re.compile(r"[A-Za-z0-9_-]+\Z")
_HEAD: Final = """\
# What each cassette shows. Written by tracksync; read it before you commit it.
# `covers`: clauses that its responses bear on. `breaks`: clauses that the oracle must find broken; without it, none.
# `interpretations`: what the server is held to. `shown`: interpretations that its responses show.
# `fresh`: identifiers with this text in them were unknown to the workspace before ("*": every identifier was).
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class ManifestEntry:
    """What the manifest says of one cassette.

    `fresh`: see the head of the file. `clock_skew` in seconds. `rate_limit`, `array_limit`: the workspace's, None
    where unknown. `note`: a sentence for readers.
    """

    covers: tuple[str, ...] = ()
    breaks: tuple[str, ...] = ()
    interpretations: Mapping[str, str] = field(default_factory=dict)
    shown: Mapping[str, str] = field(default_factory=dict)
    recorded_at: str = ""
    against: str = ""
    probe: str = ""
    fresh: str = ""
    rate_limit: int | None = None
    array_limit: int | None = None
    clock_skew: float | None = None
    note: str = ""


Manifest = Mapping[str, ManifestEntry]


def read_manifest(directory: Path) -> dict[str, ManifestEntry]:
    """The entries of the manifest in `directory` by cassette (a path below it, with `/`). Raises ConfigError."""
    path = directory / NAME
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        return {}
    except (OSError, UnicodeDecodeError) as error:
        raise unreadable(path, error) from None
    return {name: _entry(f"{path}, [{name}]", table) for name, table in toml_of(text, path).items()}


def _entry(where: str, table: Any) -> ManifestEntry:
    if not isinstance(table, dict):
        raise ConfigError(f"{where} is not a table")
    members = {name: _checked(where, name, value) for name, value in table.items()}
    clauses = catalogue()
    for name in ("covers", "breaks"):
        for id_ in members.get(name, ()):
            if id_ not in clauses:
                raise ConfigError(f"{where}: there is no clause {id_!r}; `tracksync clauses` lists them")
    for ambiguity, interpretation in {**members.get("interpretations", {}), **members.get("shown", {})}.items():
        try:
            require_interpretation(ambiguity, interpretation)
        except UnknownInterpretation as error:
            raise ConfigError(f"{where}: {error}") from None
    return ManifestEntry(**members)


_FORMS: Final[dict[str, Any]] = {
    "covers": list, "breaks": list, "interpretations": dict, "shown": dict, "recorded_at": str, "against": str,
    "probe": str, "fresh": str, "rate_limit": int, "array_limit": int, "clock_skew": int | float, "note": str,
}  # fmt: skip


def _checked(where: str, name: str, value: Any) -> Any:
    wanted = _FORMS.get(name)
    if wanted is None:
        raise ConfigError(f"{where}: there is no member {name!r}; there are {', '.join(_FORMS)}")
    inner = value if isinstance(value, list) else value.values() if isinstance(value, dict) else ()
    if not isinstance(value, wanted) or isinstance(value, bool) or not all(isinstance(one, str) for one in inner):
        raise ConfigError(f"{where}: {name} has a value of another kind than this member takes")
    return tuple(value) if isinstance(value, list) else value


def render(entries: Manifest) -> str:
    """The manifest's text: entries in the order of their names, members in a fixed order."""
    lines = [_HEAD.rstrip()]
    for name, entry in sorted(entries.items()):
        lines += ["", f"[{_key(name)}]"]
        for member in _FORMS:
            value = getattr(entry, member)
            if value not in ((), {}, "", None):
                lines.append(f"{member} = {_value(value)}")
    return "\n".join(lines) + "\n"


def _value(value: Any) -> str:
    if isinstance(value, Mapping):
        return "{ " + ", ".join(f"{_key(name)} = {_value(inner)}" for name, inner in sorted(value.items())) + " }"
    if isinstance(value, tuple | list):
        return _list(value)
    return json.dumps(value, ensure_ascii=False) if isinstance(value, str) else repr(value)


def _list(values: Iterable[str]) -> str:
    return "[" + ", ".join(_value(value) for value in values) + "]"


def _key(name: str) -> str:
    return name if _BARE.match(name) else json.dumps(name, ensure_ascii=False)


class Manifests:
    """Finds the manifest entry of a cassette: in its own directory or the nearest one above that has a manifest."""

    def __init__(self) -> None:
        self._read: dict[Path, dict[str, ManifestEntry]] = {}

    def entry(self, path: Path) -> ManifestEntry | None:
        """The entry for the file at `path`, or None. Raises ConfigError for a manifest that is wrong."""
        absolute = path.resolve()
        for directory in list(absolute.parents)[:6]:
            if directory not in self._read:
                self._read[directory] = read_manifest(directory)
            found = self._read[directory].get(absolute.relative_to(directory).as_posix())
            if found is not None:
                return found
        return None
