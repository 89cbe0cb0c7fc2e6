"""Mocks that assign braze_ids of another form: no document says what form they have."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Hashable, Iterator
from contextlib import contextmanager
from typing import Final
from unittest.mock import patch
from uuid import UUID

from tracksync.mock.profiles import Profile, Store

_NUMBERS: Final = itertools.count(1)

# What is assigned to a user that is created by an identifier of this text.
FORMS: Final[dict[str, Callable[[str], str]]] = {
    "the text of the identifier": lambda text: text,
    "the text in small letters": str.lower,
    "the text in capitals": lambda text: text.strip().upper(),
    "a UUID": lambda text: str(UUID(int=next(_NUMBERS))),
    "200 characters": lambda text: f"{next(_NUMBERS):0200}",
    "in two spellings": lambda text: ("abc", "ABC")[next(_NUMBERS) % 2] + str(next(_NUMBERS) // 4),
}


@contextmanager
def assigned(form: str) -> Iterator[None]:
    """Meanwhile every mock assigns braze_ids of this form of FORMS, each once."""
    create = Store.create

    def created(store: Store, kind: str, key: Hashable) -> Profile:
        braze_id = FORMS[form](str(key[1] if isinstance(key, tuple) else key))
        while store.find("braze_id", braze_id):
            braze_id += "+"
        with patch.object(store, "new_braze_id", lambda: braze_id):
            return create(store, kind, key)

    with patch.object(Store, "create", created):
        yield
