"""Hypothesis strategies of values that no table holds: texts of all planes, numbers of all sizes, times, nested values.

What is drawn can reach no person: a text that holds an address or a phone number is not drawn.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from tracksync.generate.harmless import harmless_text

_EXACT: Final = 2**53
_LONGEST: Final = 12


@dataclass(frozen=True)
class _Unread:
    """A condition without source. Hypothesis 6.155 reads and parses that of a function again at every draw, to look for
    bounds of numbers in it: a name took four times as long to draw."""

    holds: Callable[[str], bool]

    def __call__(self, text: str) -> bool:
        return self.holds(text)


texts: Final[SearchStrategy[str]] = st.text(max_size=_LONGEST).filter(_Unread(harmless_text))
"""Short texts of any characters but lone surrogates."""

names: Final[SearchStrategy[str]] = (
    st.text(
        st.characters(exclude_categories=("Cc", "Cs", "Cn"), exclude_characters=".$"), min_size=1, max_size=_LONGEST
    )
    .filter(_Unread(harmless_text))
    .filter(_Unread(lambda name: bool(name.strip())))
)
"""Names of attributes, events and products that keep the documents, in any script."""

integers: Final[SearchStrategy[int]] = st.one_of(
    st.integers(-100, 100),
    st.integers(-_EXACT, _EXACT),
    st.sampled_from((_EXACT + 1, 2**31, 2**63 - 1, -(2**63), 2**63, 2**64, 10**30)),
    st.integers(-(2**70), 2**70),
)
"""Whole numbers: small ones, those that a double keeps, those that 64 bits hold or not."""

numbers: Final[SearchStrategy[int | float]] = integers | st.floats(allow_nan=False, allow_infinity=False)
prices: Final[SearchStrategy[int | float]] = st.one_of(
    st.integers(-10_000, 10_000), st.floats(-1e6, 1e6, allow_nan=False), st.decimals(-999, 999, places=2).map(float)
)


def _written(moment: datetime, form: int, hours: int, minutes: int) -> str:
    date, clock = f"{moment.year:04}-{moment.month:02}-{moment.day:02}", moment.strftime("%H:%M:%S")
    zone = "Z" if hours == minutes == 0 else f"{hours:+03}:{minutes:02}"
    fraction = f".{moment.microsecond // 1000:03}"
    return (f"{date}T{clock}{zone}", f"{date}T{clock}{fraction}{zone}", f"{date}T{clock}", f"{date}T{clock}{fraction}")[
        form
    ]


times: Final[SearchStrategy[str]] = st.builds(
    _written,
    st.datetimes(datetime(1600, 1, 1), datetime(2025, 12, 30)),
    st.integers(0, 3),
    st.integers(-11, 13),
    st.sampled_from((0, 0, 0, 30, 45)),
)
"""Times of events in the past, in forms that every server accepts."""

scalars: Final[SearchStrategy[Any]] = st.one_of(texts, numbers, st.booleans())
arrays: Final[SearchStrategy[list[Any]]] = st.lists(scalars, max_size=6)
edits: Final[SearchStrategy[dict[str, Any]]] = st.fixed_dictionaries(
    {}, optional={"add": st.lists(scalars, max_size=3), "remove": st.lists(scalars, max_size=3)}
).filter(bool)
_keys: Final = st.one_of(st.sampled_from(("a", "b", "town")), names.filter(_Unread(lambda name: " " not in name)))
objects: Final[SearchStrategy[dict[str, Any]]] = st.dictionaries(
    _keys,
    st.recursive(
        st.one_of(scalars, st.none(), st.builds(lambda time: {"$time": time}, times)),
        lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(_keys, inner, max_size=3)),
        max_leaves=6,
    ),
    max_size=4,
)
attribute_values: Final[SearchStrategy[Any]] = st.one_of(
    scalars, arrays, edits, objects, times, st.none(), st.builds(lambda n: {"inc": n}, st.integers(-(2**40), 2**40))
)
properties: Final[SearchStrategy[dict[str, Any]]] = st.dictionaries(
    _keys, st.one_of(scalars, times, st.lists(scalars, max_size=3)), max_size=4
)

__all__ = [
    *("arrays", "attribute_values", "edits", "integers", "names", "numbers", "objects", "prices", "properties"),
    *("scalars", "texts", "times"),
]
