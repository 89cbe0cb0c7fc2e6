"""Texts that differ in spelling only: two of them are taken for one another, or a braze_id was made of one."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable
from typing import TypeAlias

from rpds import HashTrieMap

from tracksync.model.finding import Finding
from tracksync.oracle.identifiers import CellKey, Identifier

Spellings: TypeAlias = "HashTrieMap[str, tuple[Identifier, ...]]"
"""The identifiers with a text, by that text in the form of `folded`."""


def folded(text: str) -> str:
    """A text without what a store may fold: case, spaces, Unicode form."""
    if text.isascii():  # the usual case, at less cost
        return text.lower().replace(" ", "")
    return unicodedata.normalize("NFC", text).casefold().replace(" ", "")


def with_identifier(spellings: Spellings, identifier: Identifier) -> Spellings:
    """The identifiers, with another one."""
    text = folded(identifier.text)
    there = spellings.get(text, ())
    return spellings if identifier in there else spellings.insert(text, (*there, identifier))


def without_identifier(spellings: Spellings, identifier: Identifier) -> Spellings:
    """The identifiers, less one."""
    text = folded(identifier.text)
    left = tuple(one for one in spellings.get(text, ()) if one != identifier)
    return spellings.insert(text, left) if left else spellings.discard(text)


def mixed_up(key: CellKey, known: Iterable[CellKey], where: str) -> list[Finding]:
    """The finding that an event or product was taken for another one of the user, spelt otherwise."""
    own = folded(key[1])
    if not any(other[0] == key[0] and other != key and folded(other[1]) == own for other in known):
        return []
    text = f"the response mixes up names that differ from {key[1]!r} in spelling only"
    return [Finding("TS-USER-SPELLING", text, where)]
