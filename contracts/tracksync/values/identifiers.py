"""Whether a text can be an email address."""

from __future__ import annotations

import re
from typing import Final

_ORDINARY: Final = re.compile(
    r"(?=.{1,64}@)[A-Za-z0-9_%+-]+(?:\.[A-Za-z0-9_%+-]+)*"
    r"@(?=.{1,253}\Z)(?:[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?\.)+[A-Za-z]{2,24}"
)


def plausible_email(text: str) -> bool | None:
    """True for an ordinary address, False for what certainly is none, None where lawful servers differ."""
    if len(text) <= 254 and _ORDINARY.fullmatch(text):
        return True
    inner = text.strip()  # some servers trim
    if '"' in inner:
        return None if "@" in inner else False  # a quoted local part may hold anything
    local, at, domain = inner.partition("@")
    if not (local and at and domain) or "@" in domain or any(character.isspace() for character in inner):
        return False
    return None
