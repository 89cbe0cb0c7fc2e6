"""Probes of identifiers and names that are nearly equal: whatever is folded, cut or stripped, two of them become one.

Each user is sent an event of the same name. Where two users are one, the second event is not the first any more.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from tracksync.generate.build import Step, attributes_request, event_request, purchase_request
from tracksync.generate.harmless import Namer
from tracksync.generate.probes.probe import probe, send

DAY: Final = "2023-12-31T23:30:00-01:00"
LEAP_DAY: Final = "2024-02-29T12:00:00Z"
SEEN: Final = "seen"
TAG: Final = "a.b-c_d"
# Where an address ends, what a form decodes, quotes, what a store strips, and characters of other planes.
TAILS: Final = ("/1", "#1", "?'\"1", "%30", "0", "\u200b", "🎉", "🎊")
EMAILS: Final = (("e.f", "example.com"), ("e.f", "example.org"), ("e.f+1", "example.com"))
NAMES: Final = ("s", "s ", "_s", "s/1'\"&<", "🎉", "🎊", "7", "07")


@probe("identifiers-alike", "TS-USER-SPELLING", "TS-STATE-USERS-APART", further=True)
def identifiers_alike(name: Namer) -> Iterator[Step]:
    """external_ids, phones and emails that a careless key takes for one another."""
    for tag in (TAG, "abcd", *(TAG + tail for tail in TAILS)):
        user = {"external_id": name.external_id(tag)}
        yield send(f"external_id {tag!r}", event_request(user, SEEN, DAY))
    phones = name.similar_phones("p")
    # The first again: another run may have used a number, so that its first count says nothing.
    for number, phone in enumerate((*phones, phones[0]), start=1):
        yield send(f"phone {number} of the similar ones", event_request({"phone": phone}, SEEN, DAY))
    for tag, label in (
        ("Zoë 🎉", "Größe"),
        ("Zoë 🎊", "Größe"),
        ("Zoe 🎉", "Größe"),
        ("Zoë 🎉", "Größe 2"),
    ):
        alias = {"user_alias": name.alias(tag, label)}
        yield send(
            f"the alias {tag} {label}", attributes_request(alias, {"n": {"inc": 1}}, _update_existing_only=False)
        )
    for tag, domain in EMAILS:
        email = name.email(tag, domain)
        yield send(f"the email {tag}@{domain}", event_request({"email": email}, SEEN, DAY))
    same = name.email(*EMAILS[0])
    yield send("an external_id of the same text as an email", event_request({"external_id": same}, SEEN, DAY))
    yield send(
        "the first user again, after many others", event_request({"external_id": name.external_id(TAG)}, SEEN, DAY)
    )


@probe(
    "names-alike",
    "TS-STATE-KEYS-APART",
    "TS-EVENT-NAME",
    "TS-PURCHASE-PRODUCT",
    "TS-PURCHASE-FUTURE",
    further=True,
)
def names_alike(name: Namer) -> Iterator[Step]:
    """Events and products of one user under names that a careless key takes for one another."""
    user = {"external_id": name.external_id("u")}
    for other in NAMES:
        yield send(f"the event {other!r}", event_request(user, other, LEAP_DAY))
    for other in NAMES[:-1]:
        yield send(f"the product {other!r}", purchase_request(user, other, DAY))
    yield send(f"the product {NAMES[-1]!r}, which is to come soon", purchase_request(user, NAMES[-1], name.soon))
