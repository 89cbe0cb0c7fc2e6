"""Removes API keys from everything that is written: files, terminal, logs, errors.

Knows how a key can be spelled (plain, percent-encoded, escaped for JSON, HTML or a shell, in base64 or hex, in
UTF-16, in other case) and nothing of reports. A key is matched character by character, each in any of its
spellings, so that mixed spellings are found too.
"""

from __future__ import annotations

import base64
import math
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Any, Final

from tracksync.model.exchange import Exchange, Headers

MARK: Final = "[redacted]"

_WHOLE_HEADERS: Final = frozenset({"authorization", "proxy-authorization", "cookie", "set-cookie", "x-api-key"})
# WIRE: a 401 says `Invalid API key: <the key that was sent>`. In a recording by others the key is not known.
_ECHO: Final = re.compile(r"""(invalid\s+api\s+key:\s*)(?:\\.|[^"\\<\r\n])+""", re.IGNORECASE)
_ESCAPED: Final = re.compile(r"[%\\&\x00]")
_SHORTEST: Final = 6
_DEEPEST: Final = 100
_LONGEST_NUMBER: Final = 1023  # bits: what a double can hold, so that `isfinite` can take it


class Redactor:
    """Replaces every spelling of the given secrets with `[redacted]`.

    Empty strings among the `secrets` (an unset variable) are ignored.
    """

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        unquoted = {
            secret.strip("\"'` \t\r\n") for secret in secrets
        }  # a variable may hold the key with quotes around it
        self._secrets = tuple(sorted(unquoted - {""}))
        needles = sorted({needle for secret in self._secrets for needle in _needles(secret)}, key=len, reverse=True)
        # Two patterns: the fast one matches the exact text, which is enough where the text has no escape character.
        self._plain = re.compile("|".join(map(re.escape, needles)), re.IGNORECASE) if needles else None
        self._spelled = re.compile("|".join(map(_spelled, needles)), re.IGNORECASE) if needles else None

    def text(self, text: str) -> str:
        """`text` without secrets."""
        text = _ECHO.sub(rf"\1{MARK}", text)
        if self._plain is None or self._spelled is None:
            return text
        if _ESCAPED.search(text):
            return self._spelled.sub(MARK, text)
        return self._plain.sub(MARK, text)

    def bytes(self, data: bytes) -> bytes:
        """`data` without secrets. Other bytes stay as they are, also if they are not UTF-8."""
        text = data.decode("utf-8", "surrogateescape")
        return self.text(text).encode("utf-8", "surrogateescape")

    def json(self, value: Any) -> Any:
        """`value` as plain JSON without secrets, in strings, names of members and numbers.

        A text stands for what JSON cannot express or a report cannot hold: a number that is not finite or has
        thousands of digits, nesting deeper than a hundred levels, any other type.
        """
        return self._json(value, _DEEPEST)

    def _json(self, value: Any, levels: int) -> Any:
        if value is None or isinstance(value, bool):
            return value
        if isinstance(value, str):
            return self.text(value)
        if isinstance(value, int) and value.bit_length() > _LONGEST_NUMBER:
            return f"[a number of {value.bit_length()} bits]"
        if isinstance(value, int | float):
            shown = repr(value)
            return value if self.text(shown) == shown and math.isfinite(value) else self.text(shown)
        if isinstance(value, Mapping | list | tuple) and levels <= 0:
            return "[nested deeper]"
        if isinstance(value, Mapping):
            return {self.text(str(name)): self._json(member, levels - 1) for name, member in value.items()}
        if isinstance(value, list | tuple):
            return [self._json(member, levels - 1) for member in value]
        return self.text(repr(value))

    def exchange(self, exchange: Exchange) -> Exchange:
        """`exchange` without secrets. A header that carries credentials loses its whole value.

        A token in such a header counts as a secret in the rest of the exchange: the response may echo it.
        """
        learned = [token for token in _tokens(exchange.request.headers) if token not in self._secrets]
        redactor = Redactor((*self._secrets, *learned)) if learned else self
        return redactor._exchange(exchange)

    def _exchange(self, exchange: Exchange) -> Exchange:
        request = exchange.request
        response = exchange.response
        failure = exchange.failure
        return replace(
            exchange,
            request=replace(
                request,
                path=self.text(request.path),
                headers=self._headers(request.headers),
                body=self.bytes(request.body),
            ),
            response=response
            and replace(response, headers=self._headers(response.headers), body=self.bytes(response.body)),
            failure=failure and replace(failure, detail=self.text(failure.detail)),
            tags=tuple(self.text(tag) for tag in exchange.tags),
        )

    def _headers(self, headers: Headers) -> Headers:
        return tuple(
            (self.text(name), MARK if name.lower() in _WHOLE_HEADERS else self.text(value)) for name, value in headers
        )


def _tokens(headers: Headers) -> Iterator[str]:
    for name, value in headers:
        if name.lower() in {"authorization", "x-api-key"}:
            token = value.split(None, 1)[-1] if value.strip() else ""
            bare = token.strip("\"'` ")
            if len(bare) >= _SHORTEST and bare != MARK:
                yield bare


def _needles(secret: str) -> Iterator[str]:
    """The texts that reveal the secret: itself, its hex form, and the part that every base64 text of it contains."""
    raw = secret.encode("utf-8", "surrogatepass")
    yield secret
    yield raw.hex()
    for shift in range(3):
        # Three bytes become four characters, so the secret can begin at three offsets. The characters at both ends
        # depend on the bytes beside it; the rest is in every base64 text that holds the secret at this offset.
        encoded = base64.b64encode(b"\0" * shift + raw).decode().rstrip("=")
        core = encoded[(0, 2, 3)[shift] : (len(raw) + shift) * 8 // 6]
        if len(core) >= _SHORTEST:
            yield core
            yield core.translate(str.maketrans("+/", "-_"))


# Every repetition is bounded. Otherwise a text of escape characters would take quadratic time.
_BACKSLASH: Final = r"(?:\\|%(?:25){0,3}5c)"
_ZERO: Final = rf"(?:\x00|{_BACKSLASH}{{1,4}}u0000|%00){{0,3}}"  # between the characters of UTF-16 read as bytes


def _spelled(needle: str) -> str:
    return _ZERO.join(map(_spellings, needle))


def _spellings(character: str) -> str:
    """A pattern for one character in every escaped form of JSON, URLs, HTML and source code, nested ones included."""
    point = ord(character)
    utf8 = character.encode("utf-8", "surrogatepass")
    utf16 = character.encode("utf-16-be", "surrogatepass").hex()
    units = [utf16[at : at + 4] for at in range(0, len(utf16), 4)]
    forms = [
        rf"{_BACKSLASH}{{0,8}}{re.escape(character)}",
        "".join(rf"%(?:25){{0,4}}{byte:02x}" for byte in utf8),
        "".join(rf"{_BACKSLASH}{{1,8}}u{{?0{{0,6}}{unit.lstrip('0') or '0'}}}?" for unit in units),
        "".join(rf"{_BACKSLASH}{{1,8}}x{byte:02x}" for byte in utf8),
        rf"&(?:amp;){{0,4}}#(?:0{{0,6}}{point}|x0{{0,6}}{point:x});?",
    ]
    return f"(?:{'|'.join(forms)})"
