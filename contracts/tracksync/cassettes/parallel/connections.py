"""Which users any identifier may connect. Users that are connected are checked together.

An identifier counts by its text alone, folded as widely as any rule of the oracle folds it, whatever its kind is: two
users too many together cost speed, and two apart that belong together would cost a finding.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable
from itertools import chain
from typing import Any, Final

import msgspec
from msgspec.structs import astuple

from tracksync.contract.bounds import DELETE, EXPORT, SYNC, TRACK, bounds
from tracksync.model.exchange import Exchange
from tracksync.oracle.deletions import exported_names, identifiers_in, other_texts
from tracksync.oracle.identifiers import Identifier
from tracksync.oracle.request import objects_in, targets_in
from tracksync.oracle.request_object import read_identifiers
from tracksync.oracle.spelling import folded
from tracksync.values.jsontext import read_json

Group = tuple[int, ...]
"""Hashes of identifiers that belong to one user, or may."""


class Connections:
    """The sets of identifiers that exchanges connect (union-find). Holds only those that are connected to others."""

    def __init__(self) -> None:
        self._parents: dict[int, int] = {}

    def connect(self, group: Collection[int]) -> None:
        """The identifiers of `group` belong together."""
        if len(group) < 2:
            return
        first, *others = map(self.leader, group)
        for one in others:
            if one != first:
                self._parents[one] = first
                self._parents.setdefault(first, first)

    def leader(self, identifier: int) -> int:
        """The identifier that stands for all that are connected with this one."""
        parents = self._parents
        parent = parents.get(identifier, identifier)
        while parent != identifier:
            parents[identifier] = above = parents[parent]
            identifier, parent = parent, above
        return identifier


def groups_of(exchange: Exchange, only: Identifier | None = None) -> list[Group]:
    """The identifiers of each user that the exchange is about; of a batch one group an object, in their order.

    An exchange about no user that could be read has one group, which all requests equal to it share. `only`: the only
    identifier of the body, where it is known.
    """
    request, response = exchange.request, exchange.response
    named = groups_named(request.path.partition("?")[0], request.body, response.body if response else b"", only)
    return named or [(hash((request.method, request.path, request.body)),)]


def groups_named(path: str, body_: bytes, shown: bytes, only: Identifier | None = None) -> list[Group]:
    """The groups of the users that a body names; none where it names none. `shown`: the body of the response."""
    if path == SYNC and (only := only or only_identifier(body_)) is not None:  # the usual case, at less cost
        return [(hash(folded(only.text)),)]
    body = _value(body_)
    groups: list[Group] = []
    if isinstance(body, dict):
        if path == TRACK:
            groups = [_group(read_identifiers(one)) or (_UNNAMED,) for one in objects_in(body)]
        elif path in (DELETE, EXPORT):
            groups = [_group(identifiers_in(body), exported_names(shown) if path == EXPORT else other_texts(body))]
        else:
            groups = [_group(found for one in targets_in(body) for found in read_identifiers(one))]
    return groups if groups and groups[0] else []


def only_identifier(body: bytes) -> Identifier | None:
    """The only identifier in a body of one object, where it is a text; None also where its form is unusual."""
    try:
        (one,) = chain.from_iterable(astuple(_BODY.decode(body)))
        values = astuple(one)
        (value,) = [value for value in values if value is not None]
    except (msgspec.DecodeError, UnicodeError, RecursionError, ValueError):  # ValueError: none, or several
        return None
    return Identifier(_KINDS[values.index(value)], value) if isinstance(value, str) else None


def _value(body: bytes) -> Any:
    """The JSON value of a body. Numbers of many digits are read as the oracle reads them."""
    if len(body) < _SHORT or not _LONG_NUMBER.search(body):
        try:
            return msgspec.json.decode(body)
        except (msgspec.DecodeError, UnicodeError, RecursionError):
            pass
    return read_json(body).value


def _group(identifiers: Iterable[tuple[str, Any]], texts: Iterable[str] = ()) -> Group:
    """An alias counts by its name: one label is common to many users."""
    named = [str(value.get("alias_name") if kind == "user_alias" else value) for kind, value in identifiers]
    return tuple(dict.fromkeys(hash(folded(text)) for text in (*named, *texts)))


_KINDS: Final = bounds().identifiers
_Object: Any = msgspec.defstruct("_Object", [(one, Any, None) for one in _KINDS])
_Body: Any = msgspec.defstruct("_Body", [(one, list[_Object], []) for one in bounds().sections])
_BODY: Final = msgspec.json.Decoder(_Body)
_LONG_NUMBER: Final = re.compile(rb"[0-9]{15}")
_SHORT: Final = 15
_UNNAMED: Final = 0  # an object without an identifier, of which nothing is stored
