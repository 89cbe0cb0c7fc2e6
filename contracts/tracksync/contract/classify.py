"""The class of a request: valid, refused or open, with the conditions that make it so.

A body is valid if it fits the spec's request schema; it is refused if a row of `refusals.toml` says so, and open
otherwise. The usual valid body costs one call of a compiled validator. Pure: no state, no clock.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache, lru_cache
from typing import Any, Final

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from tracksync.contract import spec
from tracksync.contract.bounds import SYNC, bounds
from tracksync.contract.conditions import (
    Condition,
    body_conditions,
    condition_of,
    is_valid,
    object_conditions,
    object_validator,
)
from tracksync.contract.refusals import RequestClass, refusals, rows_at
from tracksync.contract.validators import measured, request_validator
from tracksync.values.jsontext import JsonText

_BEYOND_BASIC: Final = b"\xf0\xf1\xf2\xf3\xf4"  # where UTF-8 has characters that are two units of UTF-16
_DIGITS: Final = bytes.maketrans(b"123456789", b"000000000")
_LONG_NUMBER: Final = b"0" * 19  # digits: fewer are within 64 bits


class Classification(Struct, frozen=True, gc=False):
    """What a server owes a request, and why. A valid request meets no condition."""

    request_class: RequestClass
    conditions: tuple[Condition, ...] = ()

    @property
    def refused(self) -> bool:
        """Whether the documents say that the request is refused."""
        return self.request_class is RequestClass.REFUSED

    @property
    def effect_known(self) -> bool:
        """Whether what the request does when it is accepted can be checked."""
        return not self.conditions or all(condition.effect_known for condition in self.conditions)


class Line(Struct, frozen=True, gc=False):
    """A request without its body. `credential`: valid, invalid, quoted, missing, unprivileged or unknown."""

    method: str = "POST"
    path: str = SYNC
    media: str = "application/json"
    encoding: str = ""
    credential: str = "valid"


VALID: Final = Classification(RequestClass.VALID)
USUAL: Final = Line()


def require_usable() -> None:
    """Read what the class of a request depends on. Raises SpecificationError if an edit of the document stops that."""
    refusals()
    for path in _paths():
        request_validator(path, True)


def classify(line: Line, raw: bytes, text: JsonText) -> Classification:
    """The class of a whole request; `text` is what `read_json` says of its body `raw`. Never raises."""
    if line == USUAL and text.valid and not text.quirks and len(raw) <= bounds().body_bytes.least:
        return classify_body(line.path, text.value, raw)
    conditions = line_conditions(line, raw, text)
    if is_served(line) and text.valid and not (text.value is None and text.quirks):
        found = classify_body(line.path, text.value, None if text.quirks else raw).conditions
        conditions += tuple(map(_unless_read_otherwise, found)) if text.quirks else found
    return _classified(conditions)


def _unless_read_otherwise(condition: Condition) -> Condition:
    """What another reader of JSON makes of a body with quirks, it need not refuse."""
    row = refusals().get(condition.row)
    return condition if row and row.regardless_of_quirks else replace(condition, refused=False)


def line_conditions(line: Line, raw: bytes, text: JsonText) -> tuple[Condition, ...]:
    """The conditions about everything but the JSON value of the body."""
    limits = bounds().body_bytes
    size = len(raw) if len(raw) > limits.least else 0  # a smaller one does not matter
    json = "value" if text.valid else "broken"
    return _line_conditions(line, size, json, tuple(sorted(text.quirks)))


def is_served(line: Line) -> bool:
    """Whether the request is a POST to one of the contract's paths, so that its body counts."""
    return line.method == "POST" and line.path in _paths()


def classify_body(path: str, value: Any, raw: bytes | None = None) -> Classification:
    """The class of a body that is the JSON `value`, sent to one of the contract's paths. `raw`: its bytes, if known."""
    if raw is None:
        raw = _encoded(value)
    if b"\\u" in raw or not (raw.isascii() or len(raw.translate(None, _BEYOND_BASIC)) == len(raw)):
        value = measured(value)
    large = _may_reach_a_bound(raw)
    if is_valid(request_validator(path, large), value):
        return VALID
    return _classified(tuple(body_conditions(path, value, large)))


def classify_object(section: str, target: Mapping[str, Any], pointer: str) -> Classification:
    """The class of one object of a batch, as if it stood alone in a request; `pointer` is where it stands."""
    value = measured(target)
    if is_valid(object_validator(section), value):
        return VALID
    return _classified(tuple(object_conditions(section, value, pointer)))


def _may_reach_a_bound(raw: bytes) -> bool:
    """False where so few bytes, brackets and digits keep every bound that only costly keywords hold a body to."""
    limits = bounds()
    return (
        6 * len(raw) > limits.properties_bytes.least  # no character takes more than six bytes when it is escaped
        or raw.count(b"[") + raw.count(b"{") > limits.body_depth
        or _LONG_NUMBER in raw.translate(_DIGITS)
    )


# --- the request line ----------------------------------------------------------------------------------------------


@lru_cache(maxsize=1024)
def _line_conditions(line: Line, size: int, json: str, quirks: tuple[str, ...]) -> tuple[Condition, ...]:
    place = place_of(line)
    record = {
        "method": line.method,
        "path": line.path,
        "place": place,
        "served": is_served(line),
        "media": line.media,
        "encoding": line.encoding,
        "credential": str(line.credential),
        "bytes": size,
        "json": json,
        "quirks": list(quirks),
    }
    found = []
    for row in rows_at("request"):
        if row.holds(measured(record)):
            elsewhere = row.elsewhere if place != "known" else None
            value = str(record[row.value]) if row.value else ""
            clause = row.clauses.get(line.path, row.clause)
            found.append(
                condition_of(
                    row,
                    "/request",
                    request_class=elsewhere,
                    clause=clause,
                    value=value or "missing",
                    names=", ".join(quirks),
                )
            )
    return tuple(found)


def place_of(line: Line) -> str:
    """What the path is: known, wrong beyond doubt, or unclear. The host has more endpoints than this contract's."""
    path = line.path
    if path in _paths():
        return "known"
    near = path.rstrip("/") in _paths() or path.lower() in _paths()
    ours = path.startswith("/users/track") and path != "/users/track/bulk"
    plain = line.method in ("GET", "POST", "PUT", "DELETE", "PATCH")
    return "wrong" if ours and plain and not near else "unclear"


@cache
def _paths() -> frozenset[str]:
    return frozenset(spec.document()["paths"])


def _encoded(value: Any) -> bytes:
    try:
        return msgspec.json.encode(value)
    except (UnicodeError, RecursionError):
        return b"\\u" + b"[" * (bounds().body_depth + 1)  # taken for the worst: measured, and held to every bound


def _classified(conditions: tuple[Condition, ...]) -> Classification:
    if not conditions:
        return VALID
    refused = any(condition.refused for condition in conditions)
    return Classification(RequestClass.REFUSED if refused else RequestClass.OPEN, conditions)
