"""JSON with limits: nesting is bounded, and errors name the line."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from typing import Any, Final

import msgspec

from tracksync.wire.bodies import Unreadable

MAX_DEPTH: Final = 200
_TOKEN: Final = re.compile(r'"(?:[^"\\]|\\.)*"|[\[\]{}]', re.DOTALL)
_SPACE: Final = re.compile(r"[ \t\r\n]*")


def read_json(text: str, first_line: int = 1) -> Any:
    """The value in `text`, whose first line is number `first_line` of its file. Raises Unreadable."""
    try:
        value = _decoded(text)
    except json.JSONDecodeError as error:
        raise Unreadable(f"this is not JSON: {error.msg}", first_line + error.lineno - 1) from None
    except RecursionError:
        raise Unreadable(f"it is nested deeper than {MAX_DEPTH} levels", first_line + _deep_line(text) - 1) from None
    except ValueError as error:  # an integer of thousands of digits
        raise Unreadable(f"this JSON is beyond reading: {error}"[:200], first_line) from None
    if (text.count("[") + text.count("{")) > MAX_DEPTH and _depth(value) > MAX_DEPTH:
        raise Unreadable(f"it is nested deeper than {MAX_DEPTH} levels", first_line + _deep_line(text) - 1)
    return value


def _decoded(text: str) -> Any:
    """The value in `text`. What msgspec does not take, such as NaN, json does, or says why it does not."""
    try:
        return msgspec.json.decode(text)
    except (msgspec.DecodeError, UnicodeError):
        return json.loads(text)


def item_lines(text: str, path: Sequence[str]) -> Iterator[int]:
    """The lines on which the items of the list at `path` begin; empty where `path` does not lead to a list."""
    decoder = json.JSONDecoder()
    at = 0
    for name in path:
        found = re.compile(rf'"{re.escape(name)}"\s*:\s*').search(text, at)
        if found is None:
            return
        at = found.end()
    if text[at : at + 1] != "[":
        return
    at += 1
    line, counted = text.count("\n", 0, at) + 1, at
    while True:
        at = _SPACE.match(text, at).end()  # type: ignore[union-attr]
        if text[at : at + 1] in ("]", ""):
            return
        line += text.count("\n", counted, at)
        counted = at
        yield line
        try:
            _, at = decoder.raw_decode(text, at)
        except (ValueError, RecursionError):
            return
        at = _SPACE.match(text, at).end()  # type: ignore[union-attr]
        if text[at : at + 1] == ",":
            at += 1


def _depth(value: Any) -> int:
    deepest = 0
    work = [(value, 1)]
    while work:
        item, depth = work.pop()
        if isinstance(item, dict | list):
            deepest = max(deepest, depth)
            work.extend((inner, depth + 1) for inner in (item.values() if isinstance(item, dict) else item))
    return deepest


def _deep_line(text: str) -> int:
    depth = 0
    for match in _TOKEN.finditer(text):
        sign = match[0]
        if sign in "[{":
            depth += 1
            if depth > MAX_DEPTH:
                return text.count("\n", 0, match.start()) + 1
        elif sign in "]}":
            depth -= 1
    return 1
