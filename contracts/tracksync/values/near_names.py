"""Finds the names that a user may have meant, for messages about an unknown name. Pure; knows no list of names."""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from typing import Final

_LIKENESS: Final = 0.5  # of difflib: 1 for equal texts, 0 for texts with no character in common


def near_names(name: str, known: Iterable[str], most: int = 3) -> list[str]:
    """At most `most` of the `known` names that are like `name`, the most similar first. Case makes no difference."""
    by_spelling = {candidate.lower(): candidate for candidate in known}
    return [by_spelling[one] for one in difflib.get_close_matches(name.lower(), by_spelling, most, _LIKENESS)]


def suggestion(name: str, known: Iterable[str], otherwise: str = "", most: int = 3) -> str:
    """`did you mean a, b?` for an unknown name. Where no name is like it: `otherwise`, or the whole list."""
    names = list(known)
    near = near_names(name, names, most)
    return f"did you mean {', '.join(near)}?" if near else otherwise or f"the names are {', '.join(names)}"
