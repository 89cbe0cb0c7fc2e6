"""How array attributes keep unique values, are edited, and are cut at the workspace's limit.

Interpretations are those of the ambiguities `remove-add-order` and `array-overflow`. Values are compared by `same`.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Final

from tracksync.values.numbers import canonical

_TEXTS: Final = {str}


def has_repeats(values: Sequence[Any]) -> bool:
    """Whether two of `values` are the same."""
    keys: Iterable[Any] = values if _are_texts(values) else map(canonical, values)
    return len(set(keys)) < len(values)


def unique(values: list[Any], keep: str = "last") -> list[Any]:
    """`values` with one of each, at the place of the "first" or the "last" of the repeated ones."""
    if keep == "first":
        return _first(values)
    if keep == "last":
        return _first(values[::-1])[::-1]
    raise ValueError(f"of repeated values the first or the last can be kept, not {keep!r}")


def _first(values: list[Any]) -> list[Any]:
    if _are_texts(values):
        return list(dict.fromkeys(values))
    kept: dict[Any, Any] = {}
    for value in values:
        kept.setdefault(canonical(value), value)
    return list(kept.values())


def _are_texts(values: Iterable[Any]) -> bool:
    """Whether all values are texts: the usual case, in which each is its own key."""
    return set(map(type, values)) <= _TEXTS


def edit(current: list[Any], add: list[Any], remove: list[Any], order: str) -> list[Any]:
    """`current` after an update that adds and removes; `order` is "remove-first" or "add-first".

    Adding a value that is present moves it to the end (ATTR). The result repeats no value, even if `current` does.
    """
    removed = {canonical(value) for value in remove}
    if order == "remove-first":
        return unique([value for value in current if canonical(value) not in removed] + add)
    if order == "add-first":
        return [value for value in unique(current + add) if canonical(value) not in removed]
    raise ValueError(f"an update is made remove-first or add-first, not {order!r}")


def cap(values: list[Any], limit: int, interpretation: str, previous: list[Any] | None) -> list[Any] | None:
    """`values` within `limit` by an interpretation of `array-overflow`: "unchanged", "newest" or "first".

    `previous` is what is stored. None means that the update is not made, which is so under "unchanged" if the array
    would grow beyond the limit; one that was longer before (the setting was lowered) may still shrink.
    """
    if len(values) <= limit:
        return values
    if interpretation == "unchanged":
        return values if previous is not None and len(values) < len(previous) else None
    if interpretation == "newest":
        return values[len(values) - limit :]
    if interpretation == "first":
        return values[:limit]
    raise ValueError(
        f"an array over the limit is left unchanged, or keeps its newest or first values, not {interpretation!r}"
    )
