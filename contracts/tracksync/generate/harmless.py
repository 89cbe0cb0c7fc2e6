"""Names that can reach no person, and the guard that refuses all others.

Knows which identifiers are ours and which addresses and numbers are set aside; knows nothing of the contract.
A workspace under test may hold real people, so every identifier that generation makes carries the run's prefix:

- email addresses are on the domains reserved for documentation: example.com, .net, .org (RFC 2606 section 3) and
  the top-level domain .example (RFC 2606 section 2, RFC 6761 section 6.5);
- phone numbers are in ranges set aside for fiction. North America: 555-0100 to 555-0199 in any geographic area code
  (ATIS-0300048, "555 NXX Assignment Guidelines": fictional, non-working; toll-free codes are left out, since there
  only 555-0199 is set aside). United Kingdom: Ofcom, "Telephone numbers for use in TV and radio drama programmes":
  020 7946 0000-0999, 0161 496 0000-0999, 01632 960000-960999, mobile 07700 900000-900999;
- integer identifiers begin with nine digits drawn from the prefix;
- no push tokens, no devices, no change of a subscription.

A phone number cannot hold a prefix, so two runs on one workspace may draw the same one.
"""

from __future__ import annotations

import json
import random
import re
import time
import zlib
from collections.abc import Iterator
from typing import Any, Final

from tracksync.model.exchange import Request

PATHS: Final = ("/users/track", "/users/delete", "/users/export/ids")
RESERVED_DOMAINS: Final = ("example.com", "example.net", "example.org")
AREA_CODES: Final = (201, 202, 206, 212, 213, 214, 215, 216, 301, 302, 303, 304, 305, 307, 312, 313, 314, 316, 401, 402,
                     404, 405, 406, 410, 412, 414, 415, 416, 501, 502, 503, 504, 505, 512, 513, 514, 515, 601, 602, 603,
                     604, 605, 608, 612, 613, 614, 615, 617, 701, 702, 703, 704, 713, 716, 717, 718, 719, 801, 802, 803,
                     804, 808, 812, 813, 816, 817, 818, 901, 902, 907, 913, 914, 915, 916, 918)  # fmt: skip
DRAMA_BLOCKS: Final = ("+442079460", "+441614960", "+441632960", "+447700900")  # each followed by three digits

# What a harmless run never sends, wherever in the body it stands.
FORBIDDEN_KEYS: Final = frozenset(
    {
        "push_tokens",
        "push_token_import",
        "push_subscribe",
        "email_subscribe",
        "subscription_groups",
        "subscription_group_id",
        "subscription_state",
        "marked_email_as_spam_at",
        "device_id",
    }
)
SOON: Final = 12 * 3600  # seconds
FAR: Final = "2150-01-01T00:00:00+09:00"
_PREFIX_FORM: Final = re.compile(r"[A-Za-z][A-Za-z0-9_-]{3,47}")
_ADDRESS_DOMAIN: Final = re.compile(r"@([^\s@<>,;:\"()\[\]\\]*)")
_INTERNATIONAL: Final = re.compile(r"\+[\d\s().-]{9,24}", re.ASCII)
_FICTION_PHONE: Final = re.compile(
    r"\+?(?:1(?:" + "|".join(map(str, AREA_CODES)) + r")55501\d\d|(?:"
    + "|".join(block[1:] for block in DRAMA_BLOCKS)
    + r")\d{3})"
)  # fmt: skip
TEXT_KEYS: Final = frozenset({"external_id", "external_ids", "alias_name", "braze_id", "braze_ids"})
ALIAS_KEYS: Final = frozenset({"user_alias", "user_aliases"})
EMAIL_KEYS: Final = frozenset({"email", "email_address", "email_addresses"})
PHONE_KEYS: Final = frozenset({"phone", "phone_number", "phone_numbers"})
_KEYS_IN_TEXT: Final = re.compile(
    r"['\"]?\b(" + "|".join(sorted(TEXT_KEYS | EMAIL_KEYS | PHONE_KEYS, key=len, reverse=True)) + r")['\"]?\s*[:=]\s*"
    r"(?:\"((?:[^\"\\]|\\.)*)\"?|'([^']*)'?|(-?\d+))",
    re.IGNORECASE,
)
UNASSIGNED: Final = "-unassigned"  # the end of a braze_id that no server assigns
_INTEGER_SPAN: Final = 10**6


class Namer:
    """Makes the identifiers of one run. The same prefix, seed and tags give the same names.

    `prefix` starts with a letter and has 4 to 48 letters, digits, `_` or `-`; ValueError otherwise.
    `rng` draws the phone numbers, without repetition while there are any left.
    `now`: when the run began, in epoch seconds. `soon` is a time some hours later, a far one where that is not told.
    """

    def __init__(self, prefix: str, rng: random.Random, now: float | None = None) -> None:
        if not _PREFIX_FORM.fullmatch(prefix):
            raise ValueError(
                f"the prefix {prefix!r} does not serve: give 4 to 48 letters, digits, '_' or '-', a letter first"
            )
        self.prefix = prefix
        self.soon = FAR if now is None else time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(now + SOON))
        self._rng = rng
        self._area = ""
        self._phones: dict[str, str] = {}

    def scope(self, area: str) -> Namer:
        """A namer whose names are apart from those of every other area, with the same prefix."""
        inner = Namer(self.prefix, self._rng)
        inner.soon = self.soon
        inner._area = f"{self._area}{area}-"
        inner._phones = self._phones
        return inner

    def external_id(self, tag: str) -> str:
        """An external_id: the prefix, the scope and the tag."""
        return f"{self.prefix}-{self._area}{tag}"

    def alias(self, tag: str, label: str = "tracksync") -> dict[str, str]:
        """A user_alias object; its name carries the prefix."""
        return {"alias_name": self.external_id(tag), "alias_label": label}

    def email(self, tag: str, domain: str = "example.com") -> str:
        """An address on a reserved domain; its local part carries the prefix."""
        return f"{self.external_id(tag)}@{domain}"

    def braze_id(self, tag: str) -> str:
        """An identifier that Braze never assigned."""
        return f"{self.external_id(tag)}{UNASSIGNED}"

    def integer_id(self, tag: str) -> int:
        """An external_id as an integer of fifteen digits, which every JSON reader keeps whole."""
        return _integer_prefix(self.prefix) * _INTEGER_SPAN + zlib.crc32(f"{self._area}{tag}".encode()) % _INTEGER_SPAN

    def phone(self, tag: str) -> str:
        """A number from a range set aside for fiction, in E.164 form."""
        key = self._area + tag
        if key not in self._phones:
            taken = set(self._phones.values())
            drawn = self._draw_phone()
            for _ in range(50):
                if drawn not in taken:
                    break
                drawn = self._draw_phone()
            self._phones[key] = drawn
        return self._phones[key]

    def similar_phones(self, tag: str) -> tuple[str, str, str]:
        """Three numbers set aside for fiction: the first two begin alike, the first and the last end alike.

        Alike are all digits but the last, and all but the code of the country and one.
        """
        drawn = zlib.crc32(f"{self.prefix}{self._area}{tag}".encode())
        codes = [(one, two) for one in AREA_CODES for two in AREA_CODES if one < two and one % 100 == two % 100]
        (code, other), ending = codes[drawn // 100 % len(codes)], drawn % 100
        return f"+1{code}55501{ending:02d}", f"+1{code}55501{(ending + 1) % 100:02d}", f"+1{other}55501{ending:02d}"

    def _draw_phone(self) -> str:
        if self._rng.random() < 0.6:
            return f"+1{self._rng.choice(AREA_CODES)}55501{self._rng.randrange(100):02d}"
        return f"{self._rng.choice(DRAMA_BLOCKS)}{self._rng.randrange(1000):03d}"


def is_harmless(request: Request, prefix: str) -> str | None:
    """Why `request` may not be sent in a run with this prefix, or None when it is harmless.

    Looks at every key and value of the body, in both places where a key is repeated, and at bodies that are not
    JSON as text, since a lenient server may read what a strict one does not.
    """
    path = request.path.partition("?")[0]
    if path not in PATHS and not path.startswith("/users/track/"):
        return f"the path {path!r} is none that this suite knows"
    if not request.body:
        return None
    try:
        text = request.body.decode(json.detect_encoding(request.body))
    except UnicodeDecodeError:
        text = request.body.decode("utf-8", "replace")
    try:
        value = json.loads(text.removeprefix("\ufeff"), object_pairs_hook=_Pairs)
    except (ValueError, RecursionError):
        return next(_text_reasons(text, prefix), None)
    try:
        return next(_reasons(value, prefix), None)
    except RecursionError:
        return "an identifier is nested too deeply to be looked at"


def harmless_identifier(key: str, value: Any, prefix: str) -> bool:
    """Whether `value`, standing under the identifier `key`, names test users only."""
    return next(_identifier_reasons(key, value, prefix), None) is None


def harmless_text(text: str) -> bool:
    """Whether a free text holds no address outside the reserved domains and no number that may ring."""
    if "@" in text and not all(_reserved(domain) for domain in _ADDRESS_DOMAIN.findall(text)):
        return False
    return "+" not in text or not any(_rings(number) for number in _INTERNATIONAL.findall(text))


class _Pairs(list[tuple[str, Any]]):
    """A JSON object as it was written: all its members, repeated keys included."""


def _integer_prefix(prefix: str) -> int:
    return 9 * 10**8 + zlib.crc32(prefix.casefold().encode()) % 10**8


def _rings(number: str) -> bool:
    digits = re.sub(r"\D", "", number)
    return 10 <= len(digits) <= 15 and not _FICTION_PHONE.fullmatch(digits)


def _reserved(domain: str) -> bool:
    name = domain.rstrip(".").casefold()
    return (
        not name
        or name == "example"
        or name.endswith(".example")
        or any(name == reserved or name.endswith("." + reserved) for reserved in RESERVED_DOMAINS)
    )


def _ours(text: str, prefix: str) -> bool:
    if not text.strip():
        return True  # an empty name names no user
    if text.strip().casefold().startswith(f"{prefix}-".casefold()):
        return True
    if text.isascii() and text.isdigit() and len(text) < 20:
        return int(text) // _INTEGER_SPAN == _integer_prefix(prefix)
    return False


def _reasons(value: Any, prefix: str) -> Iterator[str]:
    """Every harmful thing inside a parsed body. A work list instead of recursion: nesting may be deep."""
    work = [value]
    while work:
        item = work.pop()
        if isinstance(item, _Pairs):
            for key, inner in item:
                yield from _member_reasons(key, inner, prefix)
                work.append(inner)
        elif isinstance(item, list):
            work.extend(item)
        elif isinstance(item, str) and not harmless_text(item):
            yield f"the text {item[:60]!r} holds an address or a number that may be a person's"


def _member_reasons(key: str, value: Any, prefix: str) -> Iterator[str]:
    name = key.strip().casefold()
    if name in FORBIDDEN_KEYS:
        yield f"the field {key!r} concerns devices or subscriptions"
    elif name in TEXT_KEYS or name in EMAIL_KEYS or name in PHONE_KEYS or name in ALIAS_KEYS:
        yield from _identifier_reasons(name, value, prefix)
    elif not harmless_text(key):
        yield f"the key {key[:60]!r} holds an address or a number that may be a person's"


def _identifier_reasons(key: str, value: Any, prefix: str) -> Iterator[str]:
    if isinstance(value, _Pairs | dict):
        members = value.items() if isinstance(value, dict) else value
        for inner_key, inner in members:
            # the members of an alias, and what a deletion says beside an email, are named by their own keys alone
            if key not in ALIAS_KEYS and inner_key != "prioritization":
                yield from _identifier_reasons(key, inner, prefix)
            yield from _member_reasons(inner_key, inner, prefix)
    elif isinstance(value, list):
        for inner in value:
            yield from _identifier_reasons(key, inner, prefix)
    elif isinstance(value, bool):
        yield f"{key} is a boolean, which another user may be called"
    elif isinstance(value, int | float):
        whole = int(value) if value == value and abs(value) < 1e18 else -1
        if key in PHONE_KEYS:
            if not _FICTION_PHONE.fullmatch(str(whole)):
                yield f"{key} {whole} is in no range set aside for fiction"
        elif key not in EMAIL_KEYS and (whole != value or whole // _INTEGER_SPAN != _integer_prefix(prefix)):
            yield f"{key} {value} does not begin with the run's digits"
    elif isinstance(value, str):
        reason = _text_reason(key, value, prefix)
        if reason:
            yield reason


def _text_reason(key: str, text: str, prefix: str) -> str | None:
    if key in PHONE_KEYS:
        digits = re.sub(r"[\s().-]", "", text)
        if _FICTION_PHONE.fullmatch(digits) or _ours(text, prefix):
            return None
        return f"{key} {text!r} is in no range set aside for fiction"
    if not harmless_text(text):
        return f"{key} {text!r} is not on a reserved domain"
    if not _ours(text, prefix):
        return f"{key} {text[:60]!r} does not carry the run's prefix {prefix!r}"
    return None


def _text_reasons(text: str, prefix: str) -> Iterator[str]:
    """The same for a body that is not JSON: whatever a lenient reader might take for an identifier."""
    for match in _KEYS_IN_TEXT.finditer(text):
        key, double, single, digits = match.groups()
        value: Any = int(digits) if digits and len(digits) < 400 else double if double is not None else single or ""
        yield from _identifier_reasons(key.casefold(), value, prefix)
    lowered = text.casefold()
    for forbidden in sorted(FORBIDDEN_KEYS):
        if forbidden in lowered:
            yield f"the field {forbidden!r} concerns devices or subscriptions"
    if not harmless_text(text):
        yield "the body holds an address or a number that may be a person's"
