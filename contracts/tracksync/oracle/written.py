"""When cells were written, and by which kinds of identifier. Frozen data; what follows from it is in `same_user`."""

from __future__ import annotations

import enum
from typing import TypeAlias

from msgspec import Struct
from rpds import HashTrieMap, HashTrieSet

from tracksync.oracle.identifiers import CellKey, Identifier


class Origin(enum.StrEnum):
    """Whose an identifier may be: of a user that was there before; certainly new; or given to one that may be old."""

    OLD = "old"
    NEW = "new"
    GIVEN = "given"


class IdentifierKind(Struct, frozen=True, gc=False):
    """A kind of identifier that a user has at most one of. `label`: of an alias."""

    name: str
    label: str | None
    origin: Origin


class Cells(enum.Enum):
    """In the place of one cell: a write that each may have had; the last write, whichever cell it was to."""

    EACH = "each"
    LAST = "last"


class Contact(Struct, frozen=True, gc=False):
    """In the place of a cell: the email or phone of a user."""

    kind: str


WrittenPlace: TypeAlias = CellKey | Cells | Contact


class Written(Struct, frozen=True, gc=False):
    """When which cells were written last by each kind of identifier; see `same_user`.

    `alone`: by one of the `groups` so far, at `last` in epoch seconds, but for what may still take effect. A group is
    a kind; None for all that are certainly new. `given`: identifiers that were named beside one that leads to a user
    that may be old. `strangers`: any user may have been changed, so that no identifier is certainly new since.
    """

    groups: frozenset[IdentifierKind | None] = frozenset()
    last: float = float("-inf")
    times: HashTrieMap[WrittenPlace, tuple[tuple[IdentifierKind, float], ...]] = HashTrieMap()
    alone: bool = True
    given: HashTrieSet[Identifier] = HashTrieSet()
    strangers: bool = False
