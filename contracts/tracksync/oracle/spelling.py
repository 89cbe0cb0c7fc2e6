"""Texts that differ in spelling only: to name the clause that two of them break when they are taken for one another."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable

from tracksync.model.finding import Finding
from tracksync.oracle.identifiers import CellKey


def folded(text: str) -> str:
    """A text without what a store may fold: case, spaces, Unicode form."""
    if text.isascii():  # the usual case, at less cost
        return text.lower().replace(" ", "")
    return unicodedata.normalize("NFC", text).casefold().replace(" ", "")


def mixed_up(key: CellKey, known: Iterable[CellKey], where: str) -> list[Finding]:
    """The finding that an event or product was taken for another one of the user, spelt otherwise."""
    own = folded(key[1])
    if not any(other[0] == key[0] and other != key and folded(other[1]) == own for other in known):
        return []
    text = f"the response mixes up names that differ from {key[1]!r} in spelling only"
    return [Finding("TS-USER-SPELLING", text, where)]
