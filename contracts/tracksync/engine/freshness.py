"""Which identifiers a workspace cannot know before a run begins. Pure; in the form of the oracle's setting `fresh`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from tracksync.generate.harmless import UNASSIGNED

SHORTEST: Final = 2  # characters of a prefix; a single letter occurs in the identifiers of others


def everything(kind: str, text: str) -> bool:
    """The workspace was empty when the run began: an identifier is unknown to it unless the server may have made it."""
    return kind != "braze_id" or text.endswith(UNASSIGNED)


def nothing(kind: str, text: str) -> bool:
    """Any identifier may be known to the workspace."""
    return False


@dataclass(frozen=True, slots=True, init=False)
class Prefixes:
    """The prefixes of a run's own identifiers: `Prefixes("ts1a2b", "ts3c4d")`.

    Called with an identifier's kind and text, it says whether the identifier carries one of them, so that no earlier
    run can have used it. Each argument is one whole prefix; a list, or a text of one character, raises an error.
    """

    texts: tuple[str, ...]

    def __init__(self, *texts: str) -> None:
        for text in texts:
            if not isinstance(text, str):
                raise TypeError(f"a prefix is a text, and not {type(text).__name__}")
            if len(text) < SHORTEST:
                raise ValueError(f"{text!r} is too short for a prefix; at least {SHORTEST} characters are needed")
        object.__setattr__(self, "texts", texts)

    def __call__(self, kind: str, text: str) -> bool:
        """Whether the identifier `text` of a kind carries one of the prefixes.

        Phone numbers carry none: they come from a small block that other runs use too.
        """
        return kind != "phone" and everything(kind, text) and any(prefix in text for prefix in self.texts)
