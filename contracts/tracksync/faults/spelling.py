"""Faults of spelling: identifiers and names that are different and taken for one."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable

from tracksync.faults.registry import faults, overriding, row
from tracksync.mock.core import Core


def _without_tag(text: str) -> str:
    local, at, domain = text.partition("@")
    return local.partition("+")[0] + at + domain


# Takes different aliases for one.
overriding("alias_key", "TS-USER-ALIAS-LABEL", module=__name__)(
    row(
        "alias-label-cut-at-20",
        "Of an alias_label only twenty characters count.",
        given=lambda label: {"label": label[:20]},
    ),
    row(
        "alias-label-cut-at-128",
        "Of an alias_label only 128 characters count.",
        given=lambda label: {"label": label[:128]},
    ),
    row(
        "alias-label-in-any-case",
        "Labels that differ in case only are the same.",
        "TS-USER-ALIAS-LABEL",
        "TS-USER-SPELLING",
        given=lambda label: {"label": label.casefold()},
    ),
    row(
        "alias-label-trimmed",
        "Spaces around an alias_label do not count.",
        "TS-USER-ALIAS-LABEL",
        "TS-USER-SPELLING",
        given=lambda label: {"label": label.strip()},
    ),
    row(
        "alias-parts-run-together",
        "An alias is looked up by its label and name in one piece.",
        given=lambda label, name: {"label": "", "name": label + name},
    ),
    row(
        "alias-name-then-label",
        "An alias is looked up by its name and label in one piece.",
        "TS-USER-ALIAS-DEFAULT",
        given=lambda label, name: {"label": "", "name": name + label},
    ),
    row(
        "alias-name-cut-at-100",
        "Of an alias_name only a hundred characters count.",
        "TS-USER-ALIAS-DEFAULT",
        given=lambda name: {"name": name[:100]},
    ),
    row("alias-label-ignored", "Aliases of one name are one user, whatever their labels.", given=lambda: {"label": ""}),
    row(
        "alias-name-ignored",
        "Aliases of one label are one user, whatever their names.",
        "TS-STATE-USERS-APART",
        "TS-USER-UPDATE-ONLY",
        "TS-USER-ALIAS-DEFAULT",
        given=lambda: {"name": ""},
    ),
    row(
        "alias-key-joined",
        "An alias and the one with name and label exchanged are one user.",
        "TS-USER-ALIAS-LABEL",
        "TS-STATE-USERS-APART",
        given=lambda label, name: {"label": "", "name": ":".join(sorted((label, name)))},
    ),
)


@faults("TS-STATE-USERS-APART", "TS-USER-SPELLING")(
    row(
        "external-id-any-case",
        "external_ids that differ in case are one user.",
        "TS-USER-SPELLING",
        "TS-STATE-USERS-APART",
        kinds=("external_id",),
        change=str.lower,
    ),
    row(
        "external-id-trimmed",
        "external_ids that differ in spaces around them are one user.",
        "TS-USER-SPELLING",
        "TS-STATE-USERS-APART",
        kinds=("external_id",),
        change=lambda text: text.strip() or text,
    ),
    row(
        "external-id-first-40",
        "external_ids are compared by their first 40 characters.",
        kinds=("external_id",),
        change=lambda text: text[:40],
    ),
    row(
        "external-id-composed",
        "external_ids are compared in Unicode's form NFC.",
        kinds=("external_id",),
        change=lambda text: unicodedata.normalize("NFC", text),
    ),
    row(
        "external-id-leading-zeros-dropped",
        "Leading zeros of an external_id do not count.",
        beyond="every identifier of a run begins with its prefix, a letter",
        kinds=("external_id",),
        change=lambda text: text.lstrip("0") or text,
    ),
    row(
        "alias-any-case",
        "Aliases that differ in case are one user.",
        "TS-USER-SPELLING",
        "TS-STATE-USERS-APART",
        kinds=("alias_name", "alias_label"),
        change=str.lower,
    ),
    row(
        "email-any-case",
        "Emails that differ in case are one user.",
        "TS-USER-SPELLING",
        "TS-STATE-USERS-APART",
        beyond="email addresses are commonly folded, and the documents are silent",
        kinds=("email",),
        change=str.lower,
    ),
    row(
        "email-tag-dropped",
        "Emails that differ in what follows a plus are one user.",
        kinds=("email",),
        change=_without_tag,
    ),
    row(
        "phone-without-plus",
        "Phones with and without a plus are one user.",
        beyond="E.164 is recommended only, so that another form is not checked",
        kinds=("phone",),
        change=lambda text: text.lstrip("+"),
    ),
    row(
        "event-name-any-case",
        "Event names that differ in case are one event.",
        "TS-USER-SPELLING",
        "TS-EVENT-COUNT",
        kinds=("event",),
        change=str.lower,
    ),
    row(
        "event-name-trimmed",
        "Event names that differ in spaces around them are one event.",
        "TS-USER-SPELLING",
        "TS-EVENT-COUNT",
        kinds=("event",),
        change=str.strip,
    ),
    row(
        "event-name-ascii-only",
        "Event names that differ only beyond ASCII are one event.",
        "TS-EVENT-COUNT",
        "TS-STATE-KEYS-APART",
        "TS-USER-SPELLING",
        kinds=("event",),
        change=lambda text: text.encode("ascii", "replace").decode(),
    ),
    row(
        "event-name-composed",
        "Event names are compared in Unicode's form NFC.",
        "TS-EVENT-COUNT",
        "TS-STATE-KEYS-APART",
        "TS-USER-SPELLING",
        kinds=("event",),
        change=lambda text: unicodedata.normalize("NFC", text),
    ),
    row(
        "product-any-case",
        "Products that differ in case are one product.",
        "TS-USER-SPELLING",
        "TS-PURCHASE-COUNT",
        kinds=("product",),
        change=str.lower,
    ),
    row(
        "product-trimmed",
        "Products that differ in spaces around them are one product.",
        "TS-USER-SPELLING",
        "TS-PURCHASE-COUNT",
        kinds=("product",),
        change=str.strip,
    ),
    row(
        "product-punctuation-dropped",
        "Products that differ only in punctuation are one product.",
        "TS-PURCHASE-COUNT",
        "TS-STATE-KEYS-APART",
        "TS-USER-SPELLING",
        kinds=("product",),
        change=lambda text: "".join(c for c in text if c.isalnum() or c == " "),
    ),
    row(
        "attribute-name-any-case",
        "Attribute names that differ in case are one attribute.",
        "TS-USER-SPELLING",
        "TS-STATE-KEYS-APART",
        kinds=("attribute",),
        change=str.lower,
    ),
    row(
        "attribute-name-trimmed",
        "Attribute names that differ in spaces around them are one attribute.",
        "TS-USER-SPELLING",
        "TS-STATE-KEYS-APART",
        kinds=("attribute",),
        change=str.strip,
    ),
    row(
        "attribute-name-ascii-only",
        "Attribute names that differ only beyond ASCII are one attribute.",
        "TS-STATE-KEYS-APART",
        "TS-USER-SPELLING",
        kinds=("attribute",),
        change=lambda text: text.encode("ascii", "replace").decode(),
    ),
    row(
        "attribute-name-with-underscores",
        "Spaces and dashes in attribute names become underscores.",
        "TS-STATE-KEYS-APART",
        "TS-USER-SPELLING",
        kinds=("attribute",),
        change=lambda text: text.replace(" ", "_").replace("-", "_"),
    ),
    row(
        "attribute-name-composed",
        "Attribute names that differ in Unicode form are one attribute.",
        "TS-USER-SPELLING",
        "TS-STATE-KEYS-APART",
        kinds=("attribute",),
        change=lambda text: unicodedata.normalize("NFC", text),
    ),
    row(
        "product-composed",
        "Products that differ in Unicode form are one product.",
        "TS-USER-SPELLING",
        "TS-STATE-KEYS-APART",
        "TS-PURCHASE-COUNT",
        kinds=("product",),
        change=lambda text: unicodedata.normalize("NFC", text),
    ),
    row(
        "alias-trimmed",
        "Spaces around an alias_name do not count.",
        "TS-USER-SPELLING",
        "TS-USER-ALIAS-DEFAULT",
        kinds=("alias_name",),
        change=str.strip,
    ),
    row(
        "email-dots-dropped",
        "Dots before the @ of an email do not count.",
        "TS-USER-SPELLING",
        "TS-STATE-USERS-APART",
        "TS-USER-EMAIL-FINDS",
        kinds=("email",),
        change=lambda text: text.partition("@")[0].replace(".", "") + text[text.find("@") :],
    ),
    row(
        "external-id-cut-at-128",
        "Of an external_id only 128 characters count.",
        "TS-STATE-USERS-APART",
        kinds=("external_id",),
        change=lambda text: text[:128],
    ),
    row(
        "event-names-cut-at-128",
        "Of an event's name only 128 characters count.",
        "TS-STATE-KEYS-APART",
        kinds=("event",),
        change=lambda text: text[:128],
    ),
    row(
        "products-cut-at-128",
        "Of a product_id only 128 characters count.",
        "TS-STATE-KEYS-APART",
        kinds=("product",),
        change=lambda text: text[:128],
    ),
    row(
        "attribute-names-cut-at-128",
        "Of an attribute's name only 128 characters count.",
        "TS-STATE-KEYS-APART",
        kinds=("attribute",),
        change=lambda text: text[:128],
    ),
    row(
        "long-event-names-share-a-count",
        "Event names that begin with the same 20 characters are one.",
        "TS-EVENT-COUNT",
        "TS-USER-SPELLING",
        "TS-STATE-KEYS-APART",
        kinds=("event",),
        change=lambda text: text[:20],
    ),
)
def respelled(kinds: tuple[str, ...], change: Callable[[str], str]) -> type[Core]:
    """Keeps identifiers or names of some kinds under another spelling."""

    class _Respelled(Core):
        def spell(self, kind: str, text: str) -> str:
            spelt = super().spell(kind, text)
            return change(spelt) if kind in kinds else spelt

    return _Respelled
