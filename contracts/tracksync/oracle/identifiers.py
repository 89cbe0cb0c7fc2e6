"""How users and their cells are named: identifiers, the links from them to users, and cell keys. Frozen data."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from msgspec import Struct

CellKey = tuple[str, str]  # (section, name): ("attributes", "colour"), ("events", "rented_movie")


class Identifier(Struct, frozen=True, gc=False):
    """An identifier of a user. `text`: its value, of a number the decimal text, of an alias the alias_name.

    `label`: the alias_label; None for every other kind.
    """

    kind: str
    text: str
    label: str | None = None

    def is_any(self, test: Callable[[str], bool]) -> bool:
        """Whether `test` holds for one of its texts."""
        return test(self.text) or (self.label is not None and test(self.label))


def identifier_of(kind: str, value: Any) -> Identifier:
    """The identifier that a request states as `kind: value`."""
    if kind == "user_alias":
        return Identifier(kind, str(value.get("alias_name")), str(value.get("alias_label")))
    return Identifier(kind, str(value))


class UnknownKind(Struct, frozen=True, gc=False):
    """A text that may be an identifier, of which no document says of what kind."""

    text: str


class Link(Struct, frozen=True, gc=False):
    """From an identifier to a user, by the user's number in `Belief.users`. Not `sure`: perhaps to that user."""

    uid: int
    sure: bool = True
