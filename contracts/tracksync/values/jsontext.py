"""Reading JSON text strictly, and naming what lawful servers may see differently in it.

Knows RFC 8259 and how real parsers depart from it. Knows nothing of the contract.
"""

from __future__ import annotations

import json
import math
import re
from itertools import accumulate
from typing import Any, Final, NoReturn

import msgspec

DEPTH: Final = 100
"""Nesting that is read. Common parsers stop at this depth by default, others at thousands, others never."""


class JsonText(msgspec.Struct, frozen=True, gc=False):
    """What a body says.

    `valid` is False for plain bad syntax only; `value` is then None. `quirks` names what makes servers differ
    lawfully, so a reader with any quirk should expect either acceptance or refusal:

    - `duplicate-keys`: the last one is in `value`;
    - `nan`: a literal NaN, Infinity or -Infinity, which RFC 8259 does not have; in `value` as that float;
    - `bom`: a byte order mark before the text;
    - `not-utf8`: UTF-16 or UTF-32, or bytes in no encoding, which are U+FFFD in `value`;
    - `lone-surrogate`: an escape such as \\ud800 without its partner, in `value` as it is;
    - `too-deep`: nested deeper than DEPTH. In `value` the parts beyond that depth are null; they were not examined;
    - `huge-number`: beyond the range of an IEEE double. An integer of more than 4,300 digits is infinite in `value`.
    """

    value: Any
    valid: bool
    quirks: frozenset[str]


def read_json(body: bytes) -> JsonText:
    """The JSON value of `body` by RFC 8259, and its quirks. Never raises."""
    if len(body) > DEPTH and body.count(b"[") + body.count(b"{") > DEPTH and _is_too_deep(body):
        return _read_shallow(body)
    return _read(body)


def _read(body: bytes) -> JsonText:
    # The usual case: no integer can be huge.
    if len(body) <= _DOUBLE_DIGITS or _LONG_NUMBER not in body.translate(_SAME_DIGIT):
        try:
            value = msgspec.json.decode(body)
            if _comes_back(value, body):
                return JsonText(value, True, _NONE)
        except (msgspec.DecodeError, UnicodeError, RecursionError):
            pass  # read at length, which says what is wrong
    try:
        text = body.decode()
        value = _CLEAN.decode(text)
    except (_QuirkError, UnicodeDecodeError, ValueError):
        return _read_slowly(body)
    if ("\\ud" in text or "\\uD" in text) and _has_lone_surrogate(value):
        return JsonText(value, True, frozenset({"lone-surrogate"}))
    return JsonText(value, True, _NONE)


def _comes_back(value: Any, body: bytes) -> bool:
    """Whether `value`, written in one of the usual forms, is `body` to the byte: then `body` has no quirk."""
    written = msgspec.json.encode(value)
    if written == body or written == body.replace(b'": ', b'":').replace(b", ", b","):
        return True
    return b"\\u" in body and _ESCAPING.encode(value).encode() == body


class _QuirkError(Exception):
    """Ends the fast reading at the first quirk, so that clean bodies pay nothing for the book-keeping."""


def _clean_object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    value = dict(pairs)
    if len(value) != len(pairs):
        raise _QuirkError
    return value


def _clean_int(digits: str) -> int:
    if len(digits) > _DOUBLE_DIGITS:
        raise _QuirkError
    return int(digits)


def _clean_float(digits: str) -> float:
    value = float(digits)
    if _beyond_double(digits, value):
        raise _QuirkError
    return value


def _clean_constant(_: str) -> NoReturn:
    raise _QuirkError


def _read_slowly(body: bytes) -> JsonText:
    """As `read_json`, for a body that has quirks or is not valid."""
    quirks: set[str] = set()

    def object_(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        value = dict(pairs)
        if len(value) != len(pairs):
            quirks.add("duplicate-keys")
        return value

    def int_(digits: str) -> int | float:
        if len(digits) <= _DOUBLE_DIGITS:
            return int(digits)
        if math.isinf(float(digits)):
            quirks.add("huge-number")
        return int(digits) if len(digits) <= _INT_DIGITS else float(digits)

    def float_(digits: str) -> float:
        value = float(digits)
        if _beyond_double(digits, value):
            quirks.add("huge-number")
        return value

    def constant(name: str) -> float:
        quirks.add("nan")
        return float(name)

    text, found = _decode(body)
    decoder = json.JSONDecoder(object_pairs_hook=object_, parse_int=int_, parse_float=float_, parse_constant=constant)
    try:
        value = decoder.decode(text)
    except ValueError:
        return _BROKEN
    if _has_lone_surrogate(value):
        quirks.add("lone-surrogate")
    return JsonText(value, True, frozenset(quirks | found))


def _decode(body: bytes) -> tuple[str, set[str]]:
    encoding = json.detect_encoding(body)
    quirks = {"bom"} if body.startswith(_MARKS) else set()
    if encoding not in ("utf-8", "utf-8-sig"):
        quirks.add("not-utf8")
    try:
        return body.decode(encoding), quirks
    except UnicodeDecodeError:
        return body.decode(encoding, "replace"), quirks | {"not-utf8"}


def _is_too_deep(body: bytes) -> bool:
    """Whether the nesting before the first syntax error is over DEPTH; behind one it may seem higher than it is."""
    brackets = _STRING.sub(b"", body).translate(_SQUARE, _NO_BRACKETS)
    rest, levels = brackets, 0
    while levels <= DEPTH and b"[]" in rest:  # level by level from within: quick where there are few levels
        rest, levels = rest.replace(b"[]", b""), levels + 1
    return any(map(DEPTH.__lt__, accumulate(map(_STEP.__getitem__, brackets)))) if rest else levels > DEPTH


def _read_shallow(body: bytes) -> JsonText:
    """What a body says down to DEPTH. A text that is wrong down to there is wrong as a whole."""
    kept, depth, begin = bytearray(), 0, 0
    for match in _STRING_OR_BRACKET.finditer(body):
        if match.group() in _OPENING:
            depth += 1
            if depth == DEPTH + 1:
                kept += body[begin : match.start()] + b"null"
        elif match.group() in _CLOSING:
            if depth == DEPTH + 1:
                begin = match.end()
            depth -= 1
    kept += body[begin:] if depth <= DEPTH else b""
    text = _read(bytes(kept))
    return JsonText(text.value, text.valid, text.quirks | {"too-deep"}) if text.valid else text


def _beyond_double(digits: str, value: float) -> bool:
    if value:
        return math.isinf(value)
    return any(digit in "123456789" for digit in re.split("[eE]", digits, maxsplit=1)[0])


def _has_lone_surrogate(value: Any) -> bool:
    try:
        _ENCODER.encode(value).encode()
    except UnicodeEncodeError:
        return True
    return False


_SQUARE: Final = bytes.maketrans(b"{}", b"[]")
_NONE: Final[frozenset[str]] = frozenset()
_STRING_OR_BRACKET: Final = re.compile(rb'"(?:[^"\\]|\\.)*"|[\[\]{}]', re.DOTALL)
_OPENING: Final = (b"[", b"{")
_CLOSING: Final = (b"]", b"}")
_BROKEN: Final = JsonText(None, False, _NONE)
_DOUBLE_DIGITS: Final = 300  # every integer literal this short is within the range of a double
_INT_DIGITS: Final = 4300  # Python's own guard against quadratic conversion
_SAME_DIGIT: Final = bytes.maketrans(b"123456789", b"000000000")
_LONG_NUMBER: Final = b"0" * (_DOUBLE_DIGITS + 1)
_ESCAPING: Final = json.JSONEncoder(check_circular=False, separators=(",", ":"))
_MARKS: Final = (b"\xef\xbb\xbf", b"\xff\xfe", b"\xfe\xff", b"\x00\x00\xfe\xff")
# The closing quote is optional so that an unterminated string is one match, not a search that begins at every quote.
_STRING: Final = re.compile(rb'"[^"\\]*+(?:\\.[^"\\]*+)*+"?', re.DOTALL)
_STEP: Final = {ord("["): 1, ord("]"): -1}
_NO_BRACKETS: Final = bytes(byte for byte in range(256) if byte not in b"[]{}")
_ENCODER: Final = json.JSONEncoder(ensure_ascii=False, check_circular=False)
_CLEAN: Final = json.JSONDecoder(
    object_pairs_hook=_clean_object, parse_int=_clean_int, parse_float=_clean_float, parse_constant=_clean_constant
)
