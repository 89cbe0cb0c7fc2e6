"""Replaces personal identifiers in bodies by pseudonyms. Text in, text out.

Works on the text of a body, token by token, so that everything else stays as it was sent: order, spacing, repeated
keys, and bodies that are not JSON. The same value gets the same pseudonym within one cassette, numbered in the order
of first appearance: a pseudonym holds nothing of the value, and a new recording of the same sequence gives the same
text. Harmless identifiers (reserved domains, phone numbers set aside for fiction, the run's prefix) stay.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Final

from tracksync.generate.harmless import DRAMA_BLOCKS, harmless_identifier
from tracksync.values.identifiers import plausible_email

TEXT_KEYS: Final = frozenset({"external_id", "external_ids", "alias_name", "braze_id", "braze_ids"})
EMAIL_KEYS: Final = frozenset({"email", "email_address", "email_addresses"})
PHONE_KEYS: Final = frozenset({"phone", "phone_number", "phone_numbers"})
_NAMES: Final = frozenset({"first_name", "last_name", "home_city", "twitter", "facebook", "image_url"})
_PLACES: Final = frozenset({"latitude", "longitude"})
_IDENTIFIERS: Final = TEXT_KEYS | EMAIL_KEYS | PHONE_KEYS

# A string with what may follow it (a colon makes it a key), or a number.
_TOKEN: Final = re.compile(
    r'"((?:[^"\\]|\\.)*)"(\s*:)?|(?<![\w.+-])(-?\d+(?:\.\d+)?(?:[eE][-+]?\d+)?)(?![\w.])', re.DOTALL
)
ADDRESS: Final = re.compile(
    r"[A-Za-z0-9._%+'-]{1,64}(?:@|%40)([A-Za-z0-9-]{1,63}(?:\.[A-Za-z0-9-]{1,63}){0,8}\.[A-Za-z]{2,24})\b"
)
NUMBER: Final = re.compile(r"(?<![\w+.])\+[1-9]\d{7,14}(?![\d.])")
_RESERVED: Final = re.compile(
    r"(?:^|\.)(?:example\.(?:com|net|org)|example|test|invalid|localhost)\Z", re.IGNORECASE
)  # RFC 2606, RFC 6761
_PERSON: Final = "person"
_PSEUDONYM: Final = re.compile(r"person-\d+")
_LONG: Final = 100
_INTEGERS_FROM: Final = 900_000_000_000_000


def reserved_domain(domain: str) -> bool:
    """Whether `domain` is reserved, so that mail to it is never delivered (RFC 2606, RFC 6761)."""
    return _RESERVED.search(domain.rstrip(".")) is not None


def fiction(number: str) -> bool:
    """Whether a phone number is set aside for fiction."""
    return harmless_identifier("phone", number, "no-prefix")


def identifiers(body: bytes) -> Iterator[tuple[str, str]]:
    """(key, value) of every identifier in a body, in order; integers as their decimal text."""
    key = ""
    for match in _TOKEN.finditer(body.decode("utf-8", "surrogateescape")):
        if match[1] is not None:
            value = _unquoted(match[1])
            if match[2]:
                key = value
            elif key in _IDENTIFIERS:
                yield key, value
        elif key in _IDENTIFIERS:
            yield key, match[3]


def identifiers_in(body: bytes) -> frozenset[str]:
    """The identifiers that a body names, as texts."""
    return frozenset(value for _, value in identifiers(body) if value)


class Pseudonyms:
    """The pseudonyms of one cassette. `ours`: the prefix of the run's own identifiers; "" for none.

    `name`: the beginning of pseudonyms. With another name than the default, harmless identifiers get a pseudonym too.
    `integers`: the number from which pseudonyms of integers are counted.
    """

    def __init__(self, ours: str = "", name: str = _PERSON, integers: int = _INTEGERS_FROM) -> None:
        self._ours = ours
        self._name = name
        self._integers = integers
        self._all = name != _PERSON
        self._numbers: dict[str, int] = {}

    def body(self, body: bytes) -> bytes:
        """`body` with pseudonyms for everything that names a person; other bytes stay."""
        if not body:
            return body
        text = body.decode("utf-8", "surrogateescape")
        pieces: list[str] = []
        key, at = "", 0
        for match in _TOKEN.finditer(text):
            pieces.append(self.text(text[at : match.start()]))
            at = match.end()
            if match[1] is None:
                pieces.append(self._number(key, match[3]))
                continue
            value = _unquoted(match[1])
            if match[2]:
                key = value
                shown = self.text(value)
            else:
                shown = self._value(key, value)
            pieces.append(match[0] if shown == value else _quoted(shown, match[1]) + (match[2] or ""))
        pieces.append(self._tail(key, text[at:]))
        if len(pieces) == 1:  # not JSON
            return self.text(text).encode("utf-8", "surrogateescape")
        return "".join(pieces).encode("utf-8", "surrogateescape")

    def _tail(self, key: str, rest: str) -> str:
        """The text after the last whole token: perhaps a string that was cut off."""
        before, quote, value = rest.partition('"')
        return f"{self.text(before)}{quote}{self._value(key, value) if value else ''}"

    def text(self, text: str) -> str:
        """A free text without deliverable addresses and phone numbers."""
        if "@" in text or "%40" in text:
            text = ADDRESS.sub(self._address, text)
        if "+" in text:
            text = NUMBER.sub(lambda match: self._phone(match[0]), text)
        return text

    def path(self, path: str) -> str:
        """A path and query with pseudonyms."""

        def member(match: re.Match[str]) -> str:
            return f"{match[1]}{self._value(match[2], match[3])}"

        return re.sub(
            r"([?&](" + "|".join(sorted(_IDENTIFIERS)) + r")(?:%5B%5D|\[\])?=)([^&#]*)", member, self.text(path)
        )

    def mentions(self, body: bytes) -> bytes:
        """`body` with pseudonyms also for replaced identifiers within longer texts."""
        text = body.decode("utf-8", "surrogateescape")
        for value in sorted(self._numbers, key=len, reverse=True):
            if len(value) >= 6 and value in text:
                text = text.replace(value, f"{self._name}-{self._numbers[value]}")
        return text.encode("utf-8", "surrogateescape")

    def _value(self, key: str, value: str) -> str:
        if key in TEXT_KEYS:
            return self._identifier(value)
        if key in EMAIL_KEYS:
            return self._email(value)
        if key in PHONE_KEYS:
            return self._phone(value)
        if key in _NAMES and value.strip() and not value.startswith("Person "):
            return f"Person {self._count(value)}"
        if key == "dob" and re.fullmatch(r"\d{4}-\d\d-\d\d", value):
            return "1980-01-01"
        return self.text(value)

    def _number(self, key: str, digits: str) -> str:
        if key in _PLACES and abs(float(digits)) <= (90 if key == "latitude" else 180):
            return "0"
        if (
            key in _IDENTIFIERS
            and digits.isdigit()
            and not (self._ours and harmless_identifier(key, int(digits), self._ours))
        ):
            if int(digits) >= _INTEGERS_FROM and key in TEXT_KEYS and not self._all:
                return digits
            return str(self._integers + self._count(digits))
        return digits

    def _identifier(self, value: str) -> str:
        bare = value.strip()
        if (
            not bare
            or (self._ours and self._ours.casefold() in bare.casefold())
            or (_PSEUDONYM.match(bare) and not self._all)
        ):
            return self.text(value)
        if bare.isdigit() and self._ours and harmless_identifier("external_id", bare, self._ours):
            return value
        if plausible_email(bare):
            return value.replace(bare, self._email(bare))
        if NUMBER.fullmatch(bare):
            return value.replace(bare, self._phone(bare))
        pseudonym = f"{self._name}-{self._count(bare)}"
        if len(bare) > _LONG:  # limits are on lengths
            pseudonym = pseudonym.ljust(len(bare), "x")
        return value.replace(bare, pseudonym)

    def _email(self, value: str) -> str:
        domain = value.rpartition("@")[2]
        if not value.strip() or (domain and "@" in value and reserved_domain(domain) and not self._all):
            return value
        if self._ours and self._ours in value:
            return value
        number = self._count(value)
        if plausible_email(value):
            return f"{self._name}-{number}@example.com"
        # A text that is not an address must not become one, or its refusal would look like a fault.
        invalid = re.sub(r"[A-Za-z0-9]+", f"p{number}", value)
        return f"{self._name}-{invalid}" if self._all else invalid

    def _address(self, match: re.Match[str]) -> str:
        if reserved_domain(match[1]):
            return match[0]
        at = "%40" if "%40" in match[0] else "@"
        return f"{self._name}-{self._count(match[0].replace('%40', '@'))}{at}example.com"

    def _phone(self, value: str) -> str:
        if not any(character.isdigit() for character in value) or fiction(value):
            return value
        if self._ours and self._ours in value:
            return value
        if not re.fullmatch(r"\s*\+?[\d\s().-]{7,20}\s*", value):
            return re.sub(r"\d", "0", value)
        number = self._count(value)
        return f"{DRAMA_BLOCKS[number // 1000 % len(DRAMA_BLOCKS)]}{number % 1000:03d}"

    def _count(self, value: str) -> int:
        return self._numbers.setdefault(value, len(self._numbers) + 1)


def _unquoted(inner: str) -> str:
    if "\\" not in inner:
        return inner
    try:
        text = json.loads(f'"{inner}"', strict=False)
    except ValueError:
        return inner
    return text if isinstance(text, str) else inner


def _quoted(text: str, before: str) -> str:
    """A JSON string, in ASCII if the one it replaces was."""
    return json.dumps(text, ensure_ascii=before.isascii() and not any("\udc80" <= one <= "\udcff" for one in text))
