"""Maps that are never changed: a new one for each change.

Up to MOST_COPIED members that is a plain dict, copied as a whole: up to there quicker than a persistent map, which it
is beyond, and at a third of the memory.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, TypeVar

from rpds import HashTrieMap

MOST_COPIED: Final = 64

_Key = TypeVar("_Key")
_Value = TypeVar("_Value")


def with_members(before: Mapping[_Key, _Value], new: Mapping[_Key, _Value]) -> Mapping[_Key, _Value]:
    """The map with the `new` members, each added or in place of another."""
    if isinstance(before, HashTrieMap):
        return before.update(new)
    after = {**before, **new}
    return after if len(after) <= MOST_COPIED else HashTrieMap(after)
