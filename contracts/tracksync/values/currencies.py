"""Which texts are ISO 4217 currency codes, and on which of them servers lawfully differ.

Active codes come from the package iso4217, doubtful ones and the reasons from `currencies.toml`.
"""

from __future__ import annotations

import tomllib
from functools import lru_cache
from importlib import resources
from typing import Any, Final

from iso4217 import Currency

_ACTIVE: Final = frozenset(str(currency.value) for currency in Currency)
_DOUBTFUL: Final = frozenset(
    code
    for codes in tomllib.loads(resources.files(__package__).joinpath("currencies.toml").read_text("utf-8")).values()
    for code in codes
)


def is_currency(code: Any) -> bool:
    """Whether `code` is exactly an active ISO 4217 code, in capitals. See `is_doubtful` before relying on it."""
    return type(code) is str and code in _ACTIVE


@lru_cache(maxsize=4096)
def _is_doubtful(code: str) -> bool:
    plain = code.strip().upper()
    return plain in _DOUBTFUL or (plain != code and plain in _ACTIVE)


def is_doubtful(code: Any) -> bool:
    """Whether lawful servers differ on `code`.

    So it is with a code withdrawn, added recently or unofficial, with funds, metals and testing codes, and with an
    active one in small letters or between spaces.
    """
    return type(code) is str and len(code) <= 16 and _is_doubtful(code)
