"""Which users a request names, and the same request for other users: both read off the bytes that were sent.

Pure. Serves whoever plays a sequence again beside users that remain from the first time: a shrinking run on a
workspace, or a run that goes on after its users were deleted.
"""

from __future__ import annotations

import hashlib
import json
import random
import re
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any, Final

from tracksync.contract.bounds import DELETE, EXPORT
from tracksync.generate.build import Step, encode
from tracksync.generate.harmless import Namer
from tracksync.model.exchange import Request

Identifier = tuple[str, ...]  # ("external_id", text), ("user_alias", label, name), ("email", text), ("phone", text)

_ENDING: Final = 8  # characters of a prefix that a derived one changes
_ENCODINGS: Final = ("utf-8", "utf-16-le", "utf-16-be", "utf-32-le", "utf-32-be")
_NORTH_AMERICA: Final = re.compile(rb"(\+1\d{3}55501)(\d\d)(?!\d)")
_DRAMA: Final = re.compile(rb"(\+442079460|\+441614960|\+441632960|\+447700900)(\d{3})(?!\d)")
_SINGLE: Final = {"external_id": "external_id", "email": "email", "phone": "phone"}
# A number under `email` is not an address, and no user is found by it.
_NAMING: Final[Mapping[str, tuple[type, ...]]] = {"external_id": (str, int), "email": (str,), "phone": (str, int)}
_DEEPEST: Final = 50


def derived_prefix(prefix: str, number: int) -> str:
    """A prefix of the same length that no user carries yet: the same for the same prefix and number."""
    ending = hashlib.sha256(f"{prefix}/{number}".encode()).hexdigest()[:_ENDING]
    return prefix[:-_ENDING] + ending if len(prefix) > _ENDING else f"t{ending}"[: len(prefix)]


def renamed(step: Step, old: str, new: str) -> Step:
    """`step` for users with the prefix `new` where it names some with `old`; both are of the same length.

    Phone numbers, which carry no prefix, move within their range by a distance that the prefixes set.
    """
    body = step.request.body
    for encoding in _ENCODINGS:
        sought = old.casefold().encode(encoding)
        if sought in body or sought in body.lower():
            pattern = re.compile(re.escape(old.encode(encoding)), re.IGNORECASE)
            body = pattern.sub(lambda match, code=encoding: _cased(match[0], new, code), body)  # type: ignore[misc]
    body = re.sub(rb"(?<!\d)%d(?=\d{6}(?!\d))" % _digits(old), b"%d" % _digits(new), body)
    distance = zlib.crc32(f"{old}/{new}".encode())
    body = _NORTH_AMERICA.sub(lambda found: found[1] + b"%02d" % ((int(found[2]) + 1 + distance % 99) % 100), body)
    body = _DRAMA.sub(lambda found: found[1] + b"%03d" % ((int(found[2]) + 1 + distance % 999) % 1000), body)
    return step if body is step.request.body else replace(step, request=replace(step.request, body=body))


def _digits(prefix: str) -> int:
    """What the integer identifiers of a prefix begin with."""
    return Namer(prefix, random.Random(0)).integer_id("") // 10**6


def _cased(found: bytes, new: str, encoding: str) -> bytes:
    """`new` as `found` is written: all in capitals, the first letter, or none."""
    text = found.decode(encoding)
    if text.isupper():
        return new.upper().encode(encoding)
    return (new.capitalize() if text[0].isupper() else new).encode(encoding)


def identifiers_of(request: Request, prefix: str) -> tuple[Identifier, ...]:
    """The users that `request` may create, each by what it is named; repeated members count as well.

    A body that is not JSON is searched for words with the prefix, since a lenient server may read it.
    """
    if request.path.partition("?")[0].startswith(("/users/delete", "/users/export")):
        return ()
    try:
        text = request.body.decode(json.detect_encoding(request.body)).removeprefix("\ufeff")
        found = list(_members(json.loads(text, object_pairs_hook=_MemberPairs), _DEEPEST))
    except (ValueError, RecursionError):
        words = re.findall(rf"{re.escape(prefix)}-[A-Za-z0-9_@.-]*", request.body.decode("utf-8", "replace"))
        found = [("email" if "@" in word else "external_id", word) for word in words]
    return tuple(dict.fromkeys(found))


def singles(request: Request) -> list[Request]:
    """A request that deletes or exports a batch of users as one request for each user; any other as it is."""
    if request.path not in (DELETE, EXPORT):
        return [request]
    try:
        body = json.loads(request.body)
    except (ValueError, RecursionError):
        return [request]
    if not isinstance(body, dict):
        return [request]
    lists = {name: value for name, value in body.items() if isinstance(value, list) and name != "fields_to_export"}
    rest = {name: value for name, value in body.items() if name not in lists}
    parts = [{name: [value]} for name, values in lists.items() for value in values]
    return [replace(request, body=encode(part)) for part in ([rest] if rest else []) + parts] or [request]


class _MemberPairs(list[tuple[str, Any]]):
    """A JSON object as it was written, repeated keys included."""


def _members(value: Any, levels: int) -> Iterator[Identifier]:
    if levels <= 0:
        return
    if isinstance(value, _MemberPairs):
        for key, inner in value:
            name = key.strip().casefold()
            if name in _SINGLE and type(inner) in _NAMING[name]:
                yield _SINGLE[name], str(inner)
            elif name == "user_alias" and isinstance(inner, _MemberPairs):
                members = dict(inner)
                label, alias = members.get("alias_label"), members.get("alias_name")
                if isinstance(label, str) and isinstance(alias, str):
                    yield "user_alias", label, alias
            else:
                yield from _members(inner, levels - 1)
    elif isinstance(value, list):
        for inner in value:
            yield from _members(inner, levels - 1)
