"""How long a string is. The documents say characters, which is code points or UTF-16 units and never bytes.

Interpretations are those of the ambiguity `string-length`.
"""

from __future__ import annotations


def length(text: str, unit: str) -> int:
    """The length of `text` in `unit`: "code-points" or "utf16". Lone surrogates count one in both."""
    if unit == "code-points":
        return len(text)
    if unit == "utf16":
        return len(text) if text.isascii() else len(text) + sum(character > "\uffff" for character in text)
    raise ValueError(f"a string's length is counted in code-points or utf16, not in {unit!r}")


def fits(text: str, unit: str, limit: int) -> bool:
    """Whether `text` is at most `limit` long in `unit`; the limit itself fits."""
    if 2 * len(text) <= limit:  # short enough in any unit: the case of nearly every string
        return True
    return length(text, unit) <= limit
