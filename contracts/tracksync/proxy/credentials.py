"""Which keys a client uses. The proxy reads them from the requests, and from then on shows none.

Knows requests and the redactor, and nothing of checking or of the network.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import replace
from typing import Any, Final

from tracksync.cassettes.redacting import tokens_in
from tracksync.model.exchange import Credential, Exchange, Request, header
from tracksync.report.redact import MARK, Redactor
from tracksync.wire.observed import KeyForm, KeyUse, Observed, read_key, without_key

SHORTEST: Final = 8  # characters; what is shorter is not a key, and stands in many words by chance
MOST: Final = 16  # keys that are known in every spelling beside those that were given; a client has one or two
PLAIN: Final = 500  # further ones that are known as they were sent: to learn one has to cost next to nothing
_QUOTES: Final = "\"'`\u2018\u2019\u201c\u201d \t"
# What clients send when the variable with the key is not set.
_UNSET: Final = frozenset({"undefined", "null", "none", "nil", "nan", "[object object]", "$braze_api_key"})


class Keys(Redactor):
    """A redactor that learns: what a request used as a key is taken out of everything that is written afterwards.

    `secrets`: keys that are known before anything is sent. May be used from two threads at once.
    """

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        given = tuple(secrets)
        super().__init__(given)
        self._given = Redactor(given)
        self._learned: dict[str, Redactor] = {}
        self._exact: dict[str, None] = {}
        self._newest = ""

    def learn(self, secret: str) -> None:
        """Take out `secret` from now on."""
        if len(secret) < SHORTEST or secret in self._learned or secret in self._exact:
            return
        # A new table each time: the other thread may be walking through the old one.
        if len(self._learned) < MOST:
            self._learned = {**self._learned, secret: Redactor([secret])}
        else:
            self._exact = dict.fromkeys([*list(self._exact)[-(PLAIN - 1) :], secret])

    def text(self, text: str) -> str:
        """`text` without any key that is known by now."""
        text = self._given.text(text)
        for redactor in self._learned.values():
            text = redactor.text(text)
        for secret in self._exact:
            text = text.replace(secret, MARK)
        return text

    def exchange(self, exchange: Exchange) -> Exchange:
        """`exchange` without any key that is known by now."""
        for token in tokens_in(exchange.request):
            self.learn(token)
        return self._exchange(exchange)

    def result(self, result: dict[str, Any]) -> None:
        """Take out of a whole result what was learned only after parts of it had been written down."""
        clean = self.json(result)
        result.clear()
        result.update(clean)

    def read(self, request: Request) -> tuple[KeyUse, Credential]:
        """How `request` uses its key, and what that says of its worth: of a well-formed one, nothing."""
        for token in tokens_in(request):
            self.learn(token)
        value = (header(request.headers, "authorization") or "").strip()
        key = _key_in(value)
        if not key or key.lower() in _UNSET:
            elsewhere = read_key(request, self._newest)[0].elsewhere if self._newest else ()
            if key:
                return KeyUse(KeyForm.OTHER, elsewhere), Credential.INVALID
            return KeyUse(KeyForm.MISSING, elsewhere), Credential.MISSING
        if len(key) < SHORTEST:
            form = read_key(Request("", "", request.headers), key)[0].form
            return KeyUse(form), Credential.UNKNOWN
        self.learn(key)
        self._newest = key
        use, _ = read_key(request, key)
        return use, Credential.QUOTED if use.form is KeyForm.QUOTED else Credential.UNKNOWN

    def observe(self, exchange: Exchange, connection: str, *, gave_up: bool = False) -> Observed:
        """`exchange` without the key in its header; what is left of the key is how it was used."""
        use, credential = self.read(exchange.request)
        request = replace(exchange.request, headers=without_key(exchange.request.headers))
        return Observed(replace(exchange, request=request, credential=credential), use, connection, gave_up)


def _key_in(value: str) -> str:
    """What an Authorization header holds as a key, without scheme and quotes."""
    bare = re.sub(r"%2[27]", "", value).strip(_QUOTES)
    scheme, _, rest = bare.partition(" ")
    if scheme.lower() == "bearer":
        return rest.strip(_QUOTES)
    return bare.split()[-1].strip(_QUOTES) if bare else ""
