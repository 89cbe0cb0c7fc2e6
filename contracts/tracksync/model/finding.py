"""A finding: one clause that one exchange broke. Plain frozen data."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final


class _Nothing:
    """Marks an `expected` or `actual` that has no value to show."""

    def __repr__(self) -> str:
        return "nothing"


NOTHING: Final = _Nothing()


@dataclass(frozen=True, slots=True)
class Finding:
    """One broken clause.

    `pointer` is a JSON Pointer that begins with `/request` or `/response` and then names a member of
    {`status`, `headers`, `body`}: `/response/body/users/0/custom_events/0/count`. What a driven client reported is
    `/outcome/BEHAVIOUR`, named after what the server did to it.
    `expected` and `actual` are JSON values, or NOTHING.
    """

    clause: str
    message: str
    pointer: str = ""
    expected: Any = NOTHING
    actual: Any = NOTHING
