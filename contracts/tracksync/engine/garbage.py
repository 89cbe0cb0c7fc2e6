"""Python's search for reference cycles: where many objects live long and none is in a cycle, it is a cost alone."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

# New objects after which Python looks for cycles: more than a divided recording holds for a while.
_RARELY: Final = 200_000


@contextmanager
def rare_collections() -> Iterator[None]:
    """Let Python look for cycles rarely meanwhile."""
    before = gc.get_threshold()
    gc.set_threshold(_RARELY, *before[1:])
    try:
        yield
    finally:
        gc.set_threshold(*before)
