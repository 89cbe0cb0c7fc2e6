"""Make a failing sequence short: keep removing items while the same clause still breaks.

Delta debugging (Zeller and Hildebrandt, "Simplifying and isolating failure-inducing input", 2002) over steps, or over
the operations of a history. Knows nothing of targets: whoever calls says how a sequence is played or checked, since
playing costs requests on a live workspace.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar

from tracksync.generate.build import Step

Item = TypeVar("Item")


def shrink(steps: Sequence[Item], breaks: Callable[[Sequence[Item]], bool]) -> tuple[Item, ...]:
    """The shortest sequence found for which `breaks` holds; it must hold for `steps` itself.

    The last item, in which the break shows, always stays.
    """
    left = list(steps)
    size = max(len(left) // 2, 1)
    while len(left) > 1:
        removed = False
        start = 0
        while start < len(left) - 1:
            end = min(start + size, len(left) - 1)
            candidate = left[:start] + left[end:]
            if breaks(candidate):
                left = candidate
                removed = True
            else:
                start = end
        if size == 1 and not removed:
            break
        size = max(size // 2, 1)
    return tuple(left)


def related(steps: Sequence[Step], last: int, words: Callable[[Step], frozenset[str]]) -> list[Step]:
    """The steps up to `last` that share a word (an identifier) with it, directly or through another step."""
    wanted = set(words(steps[last]))
    chosen = [steps[last]]
    for step in reversed(steps[:last]):
        mine = words(step)
        if mine & wanted:
            wanted |= mine
            chosen.append(step)
    return chosen[::-1]
