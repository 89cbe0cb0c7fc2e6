"""A finding: one clause that one exchange broke. Plain frozen data."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final


class _Nothing:
    """Marks an `expected` or `actual` that has no value to show."""

    def __repr__(self) -> str:
        return "nothing"

    def __reduce__(self) -> str:  # stays itself through pickle, so that worker processes can compare by identity
        return "NOTHING"


NOTHING: Final = _Nothing()


@dataclass(frozen=True, slots=True)
class Finding:
    """One broken clause.

    `pointer` is a JSON Pointer that begins with `/request` or `/response`, then `status`, `headers` or `body`:
    `/response/body/users/0/custom_events/0/count`. For the report of a driven client it is `/outcome/BEHAVIOUR`, with
    the behaviour that the server showed.
    `expected` and `actual` are JSON values, or NOTHING where there is no value to show.
    """

    clause: str
    message: str
    pointer: str = ""
    expected: Any = NOTHING
    actual: Any = NOTHING
