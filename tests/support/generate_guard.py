"""An eye on what generation sends. It shares no code and no table with the guard in the package."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

from tracksync.model.exchange import Request

PREFIX = "ts-watch01"
PATHS = {
    "/users/track/sync",
    "/users/track",
    "/users/delete",
    "/users/export/ids",
    "/users/track/sync/more",
    "/users/track/synchronous",
}
NAMING = ("external_id", "external_ids", "alias_name", "braze_id", "braze_ids")
SUSPECT = ("push", "subscri", "device", "spam", "token")
FICTION = re.compile(r"\+?(1[2-9]\d\d55501\d\d|442079460\d{3}|441614960\d{3}|441632960\d{3}|447700900\d{3})")
RESERVED = re.compile(r"(.+\.)?(example\.(com|net|org)|example)$", re.IGNORECASE)


class Members(list[tuple[str, Any]]):
    """A JSON object with its repeated keys."""


def harm(request: Request, digits: str) -> str | None:
    """What harm `request` could do, or None. `digits`: what integer identifiers begin with."""
    if request.path not in PATHS:
        return f"path {request.path}"
    if any(name.lower() == "authorization" for name, _ in request.headers):
        return "a key"
    text = request.body.decode("utf-16" if request.body[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8-sig", "replace")
    for address in re.finditer(r"@([\w.-]*)", text):
        if address[1] and not RESERVED.fullmatch(address[1].rstrip(".")):
            return f"address {address[0]}"
    for number in re.finditer(r'"(\+[0-9 ().-]+)"', text):
        digits_only = re.sub(r"[^0-9]", "", number[1])
        if 10 <= len(digits_only) <= 15 and not FICTION.fullmatch(digits_only):
            return f"number {number[0]}"
    try:
        value = json.loads(text, object_pairs_hook=Members)
    except (ValueError, RecursionError):
        named = re.findall(r'"(?:external_id|alias_name|braze_id)"\s*:\s*"([^"]*)"', text)
        return next((f"name {name}" for name in named if not _ours(name)), None)
    return next(_harms(value, digits), None)


def _ours(name: str, digits: str = "no digits") -> bool:
    if name.lstrip("0").startswith(digits):  # an integer identifier, written as a text
        return True
    return not name.strip() or name.strip().lower().startswith(PREFIX + "-")


def _harms(value: Any, digits: str) -> Iterator[str]:
    if isinstance(value, Members):
        for key, inner in value:
            if any(word in key.lower() for word in SUSPECT):
                yield f"field {key}"
            if key.lower() in NAMING:
                yield from _names(inner, digits)
            if key.lower() in ("phone", "phone_numbers", "email", "email_addresses"):
                for leaf in _leaves(_without_priorities(inner)):
                    short = not isinstance(leaf, str) and sum(map(str.isdigit, str(leaf))) < 10  # no number of a person
                    ours = FICTION.fullmatch(str(leaf)) or _ours(str(leaf), digits)
                    if not (short or ours or (key.lower().startswith("email") and not isinstance(leaf, str))):
                        yield f"{key} {leaf!r}"
            if key == "user_alias" and isinstance(inner, str | list) and not isinstance(inner, Members):
                yield from _names(inner, digits, into_objects=False)
            yield from _harms(inner, digits)
    elif isinstance(value, list):
        for inner in value:
            yield from _harms(inner, digits)


def _names(value: Any, digits: str, into_objects: bool = True) -> Iterator[str]:
    if isinstance(value, Members):  # in a list of aliases the objects say themselves what is what
        for _, inner in value if into_objects else ():
            yield from _names(inner, digits)
    elif isinstance(value, list):
        for inner in value:
            yield from _names(inner, digits, into_objects)
    elif isinstance(value, str):
        if not _ours(value, digits):
            yield f"name {value!r}"
    elif value is not None and (isinstance(value, bool) or not str(value).lstrip("0").startswith(digits)):
        yield f"name {value!r}"


def _without_priorities(value: Any) -> Any:
    """`value` without `prioritization` of a deletion (DELETE), which says which holder is meant and names no user."""
    if isinstance(value, Members):
        return Members((key, inner) for key, inner in value if key != "prioritization")
    return [_without_priorities(inner) for inner in value] if isinstance(value, list) else value


def _leaves(value: Any) -> Iterator[Any]:
    if isinstance(value, Members):
        for _, inner in value:
            yield from _leaves(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _leaves(inner)
    else:
        yield value
