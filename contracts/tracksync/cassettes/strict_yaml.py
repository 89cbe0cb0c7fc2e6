"""YAML as plain data: no object is created and no tag is executed.

The parser's events become dicts, lists and scalars here. That is several times as fast as a loader, keeps the line of
every mapping, and leaves nothing that a hostile file could call. Limited are nesting, aliases, and the number of values
that aliases stand for.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, Final

import yaml

from tracksync.wire.bodies import Unreadable

try:
    from yaml import CSafeLoader as _Loader
except ImportError:  # a PyYAML without libyaml: slower, and otherwise the same
    from yaml import SafeLoader as _Loader  # type: ignore[assignment]

MAX_DEPTH: Final = 64
MAX_ALIASES: Final = 1000
MAX_ALIASED: Final = 100_000  # values that all aliases together stand for
LINE: Final = "\0line"  # the member that holds a mapping's line; no YAML scalar can hold a NUL

_CORE: Final = "tag:yaml.org,2002:"
_TEXT_TAGS: Final = frozenset({f"{_CORE}str", f"{_CORE}python/str", f"{_CORE}python/unicode", f"{_CORE}timestamp"})
_PLAIN_TAGS: Final = frozenset({f"{_CORE}{name}" for name in ("int", "float", "bool", "null")})
_BINARY_TAGS: Final = frozenset({f"{_CORE}binary", "!binary", f"{_CORE}python/bytes"})
# Old vcrpy wrote bodies from a file or an iterator like this. The data in them is read; no object is created.
_BYTES_IO: Final = frozenset({f"{_CORE}python/object/new:_io.BytesIO"})
_ITERATOR: Final = frozenset({f"{_CORE}python/object/apply:builtins.iter"})
_LIST_TAGS: Final = frozenset({f"{_CORE}seq", f"{_CORE}python/tuple"})
_MAP_TAGS: Final = frozenset({f"{_CORE}map"}) | _BYTES_IO | _ITERATOR

_INTEGER: Final = re.compile(r"[-+]?(?:0|[1-9][0-9]{0,30})\Z")
_FLOAT: Final = re.compile(r"[-+]?[0-9]{1,30}\.[0-9]{0,30}(?:[eE][-+]?[0-9]{1,3})?\Z")
_WORDS: Final[dict[str, Any]] = {
    "": None, "~": None, "null": None, "Null": None, "NULL": None,
    "true": True, "True": True, "TRUE": True, "false": False, "False": False, "FALSE": False,
}  # fmt: skip


def read_yaml(text: str) -> Any:
    """The one document in `text`. Every mapping holds its line under LINE. Raises Unreadable."""
    try:
        return _Composer().compose(yaml.parse(text, Loader=_Loader))
    except yaml.YAMLError as error:
        reason = _reason(error)
        if "nesting depth" in reason:  # PyYAML has a limit of its own, from 6.0.4 on
            raise Unreadable(f"it is nested deeper than {MAX_DEPTH} levels", _line_of(error)) from None
        raise Unreadable(f"this is not YAML: {reason}", _line_of(error)) from None
    except RecursionError:
        raise Unreadable(f"it is nested deeper than {MAX_DEPTH} levels") from None
    except UnicodeEncodeError:
        raise Unreadable("it holds unpaired surrogates, which YAML cannot") from None


_NO_KEY: Final = object()


@dataclass(slots=True)
class _Container:
    """A mapping or a list under construction. `key` waits for its value; `size` counts the values, aliases included."""

    value: Any
    tag: str | None = None
    anchor: str | None = None
    key: Any = _NO_KEY
    size: int = 1

    def put(self, value: Any, size: int, line: int) -> None:
        """Add the next node: an element of a list, or a key and then its value."""
        self.size += size
        if type(self.value) is list:
            self.value.append(value)
        elif self.key is not _NO_KEY:
            self.value[self.key] = value
            self.key = _NO_KEY
        elif isinstance(value, str | int | float | bool | bytes | None):
            self.key = value if isinstance(value, str) else str(value)
        else:
            raise Unreadable("the key of a mapping is itself a mapping or a list", line)


@dataclass(frozen=True, slots=True)
class _Anchored:
    value: Any
    size: int


class _Composer:
    """Makes the value of one document from the parser's events, which it takes in their order."""

    def __init__(self) -> None:
        self._open = [_Container([])]
        self._anchors: dict[str, _Anchored] = {}
        self._documents = self._aliases = self._aliased = 0

    def compose(self, events: Iterable[Any]) -> Any:
        """The value; None for a file without a document."""
        handlers: dict[type, Callable[[Any, int], None]] = {
            yaml.DocumentStartEvent: self._document,
            yaml.ScalarEvent: self._scalar,
            yaml.MappingStartEvent: self._mapping,
            yaml.SequenceStartEvent: self._list,
            yaml.MappingEndEvent: self._end,
            yaml.SequenceEndEvent: self._end,
            yaml.AliasEvent: self._alias,
        }
        for event in events:
            handler = handlers.get(type(event))
            if handler is not None:
                handler(event, event.start_mark.line + 1)
        root = self._open[0].value
        return root[0] if root else None

    def _document(self, event: Any, line: int) -> None:
        self._documents += 1
        if self._documents > 1:
            raise Unreadable("it holds more than one YAML document", line)

    def _scalar(self, event: Any, line: int) -> None:
        value = _scalar(event)
        if event.anchor:
            self._anchors[event.anchor] = _Anchored(value, 1)
        self._open[-1].put(value, 1, line)

    def _mapping(self, event: Any, line: int) -> None:
        self._begin(event, line, {LINE: line}, _MAP_TAGS)

    def _list(self, event: Any, line: int) -> None:
        self._begin(event, line, [], _LIST_TAGS)

    def _begin(self, event: Any, line: int, empty: Any, tags: frozenset[str]) -> None:
        if len(self._open) > MAX_DEPTH:
            raise Unreadable(f"it is nested deeper than {MAX_DEPTH} levels", line)
        if event.tag and event.tag != "!" and event.tag not in tags:
            raise Unreadable(f"the tag {_shown(event.tag)} is refused: a recording is plain data", line)
        self._open.append(_Container(empty, event.tag, event.anchor))

    def _end(self, event: Any, line: int) -> None:
        closed = self._open.pop()
        value = closed.value
        if closed.tag in _BYTES_IO or closed.tag in _ITERATOR:
            value = _old_body(value, closed.tag)
        if closed.anchor:
            self._anchors[closed.anchor] = _Anchored(value, closed.size)
        self._open[-1].put(value, closed.size, line)

    def _alias(self, event: Any, line: int) -> None:
        target = self._anchors.get(event.anchor)
        if target is None:
            raise Unreadable(f"the alias *{_shown(event.anchor)} comes before or inside its anchor", line)
        self._aliases += 1
        self._aliased += target.size
        if self._aliases > MAX_ALIASES or self._aliased > MAX_ALIASED:
            raise Unreadable("its aliases stand for more values than any recording has (a 'YAML bomb')", line)
        self._open[-1].put(target.value, target.size, line)


def _scalar(event: Any) -> Any:
    tag, text = event.tag, event.value
    if tag is None or tag == "!":
        return _resolved(text) if event.implicit[0] else text
    if tag in _TEXT_TAGS:
        return text
    if tag in _BINARY_TAGS:
        try:
            return base64.b64decode(text, validate=False)
        except (binascii.Error, ValueError):
            raise Unreadable("the base64 text under !!binary is damaged", event.start_mark.line + 1) from None
    if tag in _PLAIN_TAGS:
        return _resolved(text)
    raise Unreadable(f"the tag {_shown(tag)} is refused: a recording is plain data", event.start_mark.line + 1)


def _resolved(text: str) -> Any:
    """A plain scalar as YAML's core schema reads it; times, and numbers in other bases, stay texts."""
    if text in _WORDS:
        return _WORDS[text]
    first = text[0]
    if first.isdigit() or first in "+-":
        if _INTEGER.match(text):
            return int(text)
        if _FLOAT.match(text):
            return float(text)
    return text


def _old_body(value: dict[str, Any], tag: str) -> Any:
    parts = value.get("state") if tag in _BYTES_IO else value.get("args")
    first = parts[0] if isinstance(parts, list) and parts else b""
    if isinstance(first, list):
        return b"".join(part if isinstance(part, bytes) else str(part).encode() for part in first)
    return first


def _shown(tag: str) -> str:
    return tag.replace(_CORE, "!!")[:80]


def _line_of(error: yaml.YAMLError) -> int:
    mark = getattr(error, "problem_mark", None) or getattr(error, "context_mark", None)
    return mark.line + 1 if mark is not None else 0


def _reason(error: yaml.YAMLError) -> str:
    text = getattr(error, "problem", None) or getattr(error, "reason", None) or str(error)
    return " ".join(str(text).split())[:200]
