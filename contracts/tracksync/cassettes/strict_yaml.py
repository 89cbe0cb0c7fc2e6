"""YAML as data and nothing else: no object is made, no tag obeyed, no alias expanded beyond reason.

The events of the parser are folded into dicts, lists and strings by hand. That is several times as fast as a loader,
keeps the line of every mapping, and leaves nothing that a hostile file could call. Limits: nesting, aliases, and the
number of values that aliases may multiply into.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Iterator
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
LINE: Final = "\0line"  # the member under which a mapping keeps its line; no YAML scalar can hold a NUL

_CORE: Final = "tag:yaml.org,2002:"
_TEXT_TAGS: Final = frozenset({f"{_CORE}str", f"{_CORE}python/str", f"{_CORE}python/unicode", f"{_CORE}timestamp"})
_PLAIN_TAGS: Final = frozenset({f"{_CORE}{name}" for name in ("int", "float", "bool", "null")})
_BINARY_TAGS: Final = frozenset({f"{_CORE}binary", "!binary", f"{_CORE}python/bytes"})
# Old vcrpy wrote bodies that came from a file or an iterator so. They are read as the data in them; nothing is built.
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
        return _fold(text)
    except yaml.YAMLError as error:
        reason = _reason(error)
        if "nesting depth" in reason:  # PyYAML has a limit of its own, from 6.0.4 on
            raise Unreadable(f"it is nested deeper than {MAX_DEPTH} levels", _line_of(error)) from None
        raise Unreadable(f"this is not YAML: {reason}", _line_of(error)) from None
    except RecursionError:
        raise Unreadable(f"it is nested deeper than {MAX_DEPTH} levels") from None
    except UnicodeEncodeError:
        raise Unreadable("it holds unpaired surrogates, which YAML cannot") from None


def _fold(text: str) -> Any:
    """Build the value from events: a stack of open containers, and for each mapping the key that waits."""
    root: list[Any] = []
    stack: list[tuple[Any, str | None, str | None]] = []  # (container, tag, anchor)
    keys: list[Any] = []  # per open container: the waiting key of a mapping, else _NO_KEY
    anchors: dict[str, tuple[Any, int]] = {}
    sizes: list[int] = []
    aliases = aliased = documents = 0
    container: Any = root
    key: Any = _NO_KEY

    def put(value: Any, line: int) -> None:
        nonlocal key
        if type(container) is list:
            container.append(value)
        elif key is _NO_KEY:
            if not isinstance(value, str | int | float | bool | bytes | None):
                raise Unreadable("the key of a mapping is itself a mapping or a list", line)
            key = value if isinstance(value, str) else str(value)
        else:
            container[key] = value
            key = _NO_KEY

    events: Iterator[Any] = yaml.parse(text, Loader=_Loader)
    for event in events:
        kind = type(event)
        if kind is yaml.ScalarEvent:
            value = _scalar(event)
            if event.anchor:
                anchors[event.anchor] = (value, 1)
            put(value, event.start_mark.line + 1)
            if sizes:
                sizes[-1] += 1
        elif kind is yaml.MappingStartEvent or kind is yaml.SequenceStartEvent:
            line = event.start_mark.line + 1
            if len(stack) >= MAX_DEPTH:
                raise Unreadable(f"it is nested deeper than {MAX_DEPTH} levels", line)
            mapping = kind is yaml.MappingStartEvent
            tag = event.tag
            if tag and tag != "!" and tag not in (_MAP_TAGS if mapping else _LIST_TAGS):
                raise Unreadable(f"the tag {_shown(tag)} is refused: a recording is plain data", line)
            stack.append((container, tag, event.anchor))
            keys.append(key)
            sizes.append(1)
            container = {LINE: line} if mapping else []
            key = _NO_KEY
        elif kind is yaml.MappingEndEvent or kind is yaml.SequenceEndEvent:
            value = container
            container, tag, anchor = stack.pop()
            key = keys.pop()
            size = sizes.pop()
            if sizes:
                sizes[-1] += size
            if tag in _BYTES_IO or tag in _ITERATOR:
                value = _old_body(value, tag)
            if anchor:
                anchors[anchor] = (value, size)
            put(value, event.start_mark.line + 1)
        elif kind is yaml.AliasEvent:
            line = event.start_mark.line + 1
            if event.anchor not in anchors:
                raise Unreadable(f"the alias *{_shown(event.anchor)} stands before or inside its anchor", line)
            value, size = anchors[event.anchor]
            aliases += 1
            aliased += size
            if aliases > MAX_ALIASES or aliased > MAX_ALIASED:
                raise Unreadable("its aliases multiply beyond any recording (a 'YAML bomb')", line)
            put(value, line)
            if sizes:
                sizes[-1] += size
        elif kind is yaml.DocumentStartEvent:
            documents += 1
            if documents > 1:
                raise Unreadable("it holds more than one YAML document", event.start_mark.line + 1)
    return root[0] if root else None


_NO_KEY: Final = object()


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
