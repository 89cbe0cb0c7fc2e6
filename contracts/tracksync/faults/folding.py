"""Faults of identifiers and names that a database, a hash or a phone library takes for one."""

from __future__ import annotations

import re
import unicodedata
import zlib
from urllib.parse import unquote

from tracksync.faults.registry import faults, row
from tracksync.faults.spelling import respelled


def _without_accents(text: str) -> str:
    return "".join(one for one in unicodedata.normalize("NFD", text) if not unicodedata.combining(one)) or text


def _hash(text: str, bits: int) -> str:
    return str(zlib.crc32(text.encode("utf-8", "surrogatepass")) % 2**bits)


faults("TS-USER-SPELLING", "TS-STATE-USERS-APART", module=__name__)(
    row(
        "external-id-accents-dropped",
        "external_ids that differ in accents only are one.",
        kinds=("external_id",),
        change=_without_accents,
    ),
    row(
        "external-id-casefolded",
        "external_ids that are equal when case is folded are one: ß and ss.",
        kinds=("external_id",),
        change=str.casefold,
    ),
    row(
        "external-id-trailing-spaces-dropped",
        "Spaces at the end of an external_id do not count.",
        kinds=("external_id",),
        change=lambda text: text.rstrip(" ") or text,
    ),
    row(
        "external-id-compatibility-composed",
        "external_ids of full and half width are one.",
        kinds=("external_id",),
        change=lambda text: unicodedata.normalize("NFKC", text),
    ),
    row(
        "external-id-hashed-to-eight-bits",
        "external_ids with the same checksum of eight bits are one.",
        "TS-STATE-USERS-APART",
        "TS-USER-UPDATE-ONLY",
        kinds=("external_id",),
        change=lambda text: _hash(text, 8),
    ),
    row(
        "external-id-punctuation-dropped",
        "Dashes and underscores in an external_id do not count.",
        kinds=("external_id",),
        change=lambda text: re.sub("[-_]", "", text) or text,
    ),
    row(
        "external-id-cut-at-nul",
        "An external_id ends at a NUL.",
        kinds=("external_id",),
        beyond="no store of text has to take a NUL",
        change=lambda text: text.partition("\0")[0] or text,
    ),
    row(
        "external-id-cut-at-slash",
        "An external_id ends at a slash, a hash or a question mark.",
        kinds=("external_id",),
        change=lambda text: re.split("[/#?]", text)[0] or text,
    ),
    row(
        "external-id-percent-decoded",
        "An external_id is decoded as in a URL: %30 is 0.",
        kinds=("external_id",),
        change=unquote,
    ),
    row(
        "external-id-beyond-the-basic-plane-replaced",
        "Characters beyond the basic plane are one in an external_id.",
        kinds=("external_id",),
        change=lambda text: re.sub("[\U00010000-\U0010ffff]", "?", text),
    ),
    row(
        "alias-accents-dropped",
        "Aliases that differ in accents only are one.",
        kinds=("alias_name", "alias_label"),
        change=_without_accents,
    ),
    row(
        "email-accents-dropped",
        "Emails that differ in accents only are one.",
        kinds=("email",),
        beyond="no server has to take an address beyond ASCII",
        change=_without_accents,
    ),
    row(
        "email-domain-dropped",
        "Emails that differ in their domain only are one.",
        kinds=("email",),
        change=lambda text: text.partition("@")[0],
    ),
    row(
        "email-domain-any-case",
        "The domain of an email is compared without case.",
        beyond="a domain has no case, so that a server may take both for one",
        kinds=("email",),
        change=lambda text: text.partition("@")[0] + text[text.find("@") :].lower(),
    ),
    row(
        "phone-digits-only",
        "Of a phone only the digits count.",
        kinds=("phone",),
        beyond="a number without its plus is not in the documented form",
        change=lambda text: re.sub(r"\D", "", text) or text,
    ),
    row(
        "phone-last-nine-digits",
        "Of a phone only the last nine digits count.",
        "TS-STATE-USERS-APART",
        kinds=("phone",),
        change=lambda text: text[-9:],
    ),
    row(
        "phone-first-ten-characters",
        "Of a phone only the first ten characters count.",
        "TS-STATE-USERS-APART",
        kinds=("phone",),
        change=lambda text: text[:10],
    ),
    row(
        "event-name-beyond-the-basic-plane-replaced",
        "Characters beyond the basic plane are one in the name of an event.",
        "TS-USER-SPELLING",
        "TS-STATE-KEYS-APART",
        kinds=("event",),
        change=lambda text: re.sub("[\U00010000-\U0010ffff]", "?", text),
    ),
    row(
        "event-name-accents-dropped",
        "Events that differ in accents only are one.",
        "TS-USER-SPELLING",
        "TS-STATE-KEYS-APART",
        kinds=("event",),
        change=_without_accents,
    ),
    row(
        "product-accents-dropped",
        "Products that differ in accents only are one.",
        "TS-USER-SPELLING",
        "TS-STATE-KEYS-APART",
        kinds=("product",),
        change=_without_accents,
    ),
    row(
        "product-leading-zeros-dropped",
        "Leading zeros of a product_id do not count.",
        "TS-USER-SPELLING",
        "TS-STATE-KEYS-APART",
        kinds=("product",),
        change=lambda text: text.lstrip("0") or text,
    ),
    row(
        "attribute-name-accents-dropped",
        "Attributes that differ in accents only are one.",
        "TS-USER-SPELLING",
        "TS-STATE-KEYS-APART",
        kinds=("attribute",),
        change=_without_accents,
    ),
    row(
        "attribute-name-hashed-to-eight-bits",
        "Attributes whose names have the same checksum of eight bits are one.",
        "TS-STATE-KEYS-APART",
        kinds=("attribute",),
        change=lambda text: _hash(text, 8),
    ),
)(respelled)
