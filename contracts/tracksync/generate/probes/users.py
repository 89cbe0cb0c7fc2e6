"""Probes of identity: who is found, who is created, and that users and keys are kept apart."""

from __future__ import annotations

from collections.abc import Iterator

from tracksync.generate.build import Step, attributes_request, event_request, json_request, purchase_request
from tracksync.generate.harmless import Namer
from tracksync.generate.probes.probe import probe, send

DAY = "2023-07-01T12:00:00Z"
SEEN = "seen"
SKU = "sku"


@probe(
    "user-external-id",
    "TS-USER-CREATE",
    "TS-USER-UPDATE-ONLY",
    "TS-USER-UPDATE-KNOWN",
    "TS-OK-IDENTIFIER",
    "TS-ANSWER-SCHEMA",
    "TS-STATE-VISIBLE",
)
def external_id(name: Namer) -> Iterator[Step]:
    """Update-only requests for an unknown user, by every section; then the user is created, and counts begin at one."""
    user = {"external_id": name.external_id("u")}
    yield send("event, update only, no user", event_request(user, SEEN, DAY, _update_existing_only=True))
    yield send("attributes, update only, no user", attributes_request(user, {"n": 5}, _update_existing_only=True))
    yield send("purchase, update only, no user", purchase_request(user, SKU, DAY, _update_existing_only=True))
    yield send("event, create when unknown", event_request(user, SEEN, DAY, _update_existing_only=False))
    yield send(
        "attributes, update only, known; what was not written before stays away",
        attributes_request(user, {"n": {"inc": 1}, "m": "new"}, _update_existing_only=True),
    )
    yield send("event, update only, known", event_request(user, SEEN, DAY, _update_existing_only=True))


@probe(
    "user-alias",
    "TS-USER-ALIAS-DEFAULT",
    "TS-USER-ALIAS-CREATE",
    "TS-USER-ALIAS-CREATE-EVENT",
    "TS-USER-ALIAS-LABEL",
    "TS-USER-UPDATE-ONLY",
    "TS-USER-UPDATE-KNOWN",
    "TS-USER-SPELLING",
    "TS-OK-IDENTIFIER",
)
def alias(name: Namer) -> Iterator[Step]:
    """An alias creates no user unless the request says so; the same name under another label is another user."""
    user = {"user_alias": name.alias("a")}
    yield send("attributes, unsaid, no user", attributes_request(user, {"n": 5}))
    yield send("event, unsaid, no user", event_request(user, SEEN, DAY))
    yield send(
        "attributes, create when unknown", attributes_request(user, {"n": 1, "s": "a"}, _update_existing_only=False)
    )
    yield send("event, unsaid, known", event_request(user, SEEN, DAY))
    yield send(
        "attributes, update only, known", attributes_request(user, {"n": {"inc": 2}}, _update_existing_only=True)
    )
    known = user["user_alias"]
    exchanged = {"user_alias": {"alias_name": f"{known['alias_name']} b", "alias_label": known["alias_name"]}}
    yield send(
        "an alias whose label is that name", attributes_request(exchanged, {"n": 9}, _update_existing_only=False)
    )
    exchanged = {"user_alias": {"alias_name": known["alias_name"], "alias_label": f"{known['alias_name']} b"}}
    yield send(
        "name and label of that alias exchanged, update only, no user",
        attributes_request(exchanged, {"n": 9}, _update_existing_only=True),
    )
    other = {"user_alias": name.alias("a", "other label")}
    yield send("the name under another label, purchase, unsaid, no user", purchase_request(other, SKU, DAY))
    yield send("the alias in another case, unsaid, no user", event_request({"user_alias": name.alias("A")}, SEEN, DAY))
    yield send("the alias and a space, unsaid, no user", event_request({"user_alias": name.alias("a ")}, SEEN, DAY))
    identified = {"external_id": known["alias_name"]}
    yield send("an external_id of the same text is another user", event_request(identified, SEEN, DAY))
    stranger = {"user_alias": name.alias("stranger")}
    yield send(
        "created by external_id", event_request({"external_id": stranger["user_alias"]["alias_name"]}, SEEN, DAY)
    )
    yield send("an alias of the same text, unsaid, no user", event_request(stranger, SEEN, DAY))
    yield send("the first alias again, unsaid", attributes_request(user, {"n": {"inc": 0}}))
    by_event = {"user_alias": name.alias("by event")}
    yield send("event, create when unknown", event_request(by_event, SEEN, DAY, _update_existing_only=False))
    yield send("event, unsaid, created or not", event_request(by_event, SEEN, DAY))
    by_purchase = {"user_alias": name.alias("by purchase")}
    yield send("purchase, create when unknown", purchase_request(by_purchase, SKU, DAY, _update_existing_only=False))


@probe(
    "user-email-phone",
    "TS-USER-EMAIL-CREATE",
    "TS-USER-PHONE-CREATE",
    "TS-USER-UPDATE-ONLY",
    "TS-USER-UPDATE-KNOWN",
    "TS-OK-IDENTIFIER",
)
def email_phone(name: Namer) -> Iterator[Step]:
    """Profiles that have an email or a phone and nothing else, created and found again by every section."""
    by_email, by_phone = {"email": name.email("E.F", "mail.example")}, {"phone": name.phone("p")}
    yield send(
        "email, attributes, update only, no user", attributes_request(by_email, {"n": 5}, _update_existing_only=True)
    )
    yield send("email, event, creates", event_request(by_email, SEEN, DAY))
    yield send(
        "email, attributes, update only, known",
        attributes_request(by_email, {"n": {"inc": 1}, "s": "e"}, _update_existing_only=True),
    )
    tagged = {"email": name.email("E.F+tag", "mail.example")}
    yield send("the same with a tag behind a plus is another user", attributes_request(tagged, {"n": {"inc": 1}}))
    dotless = {"email": name.email("EF", "mail.example")}
    yield send("the same without its dot is another user", event_request(dotless, SEEN, DAY))
    yield send("phone, event, update only, no user", event_request(by_phone, SEEN, DAY, _update_existing_only=True))
    yield send("phone, attributes, creates", attributes_request(by_phone, {"n": 7}))
    yield send("phone, purchase, update only, known", purchase_request(by_phone, SKU, DAY, _update_existing_only=True))


@probe(
    "user-found-by-email",
    "TS-USER-EMAIL-FINDS",
    "TS-USER-PHONE-FINDS",
    "TS-USER-FORMER-CONTACT",
    "TS-EVENT-COUNT",
    "TS-STATE-USERS-APART",
)
def found(name: Namer) -> Iterator[Step]:
    """Profiles that were given an email or a phone, found by it; of several, the most recently updated one."""
    ada, bob = {"external_id": name.external_id("ada")}, {"external_id": name.external_id("bob")}
    email, phone = name.email("shared"), name.phone("shared")
    by_email, by_phone = {"email": email}, {"phone": phone}
    yield send("an email-only profile", event_request(by_email, SEEN, DAY))
    yield send("Ada gets the email", attributes_request(ada, {"who": "ada"}, email=email))
    yield send("by email, which is Ada now", event_request(by_email, SEEN, DAY))
    yield send("Bob gets the email too", attributes_request(bob, {"who": "bob"}, email=email))
    yield send("by email, which is Bob now", event_request(by_email, SEEN, DAY))
    yield send("Ada is updated, and gets a phone", attributes_request(ada, {"who": "ada again"}, phone=phone))
    yield send("by email, which is Ada again", event_request(by_email, SEEN, DAY))
    yield send("by phone, Ada", event_request(by_phone, SEEN, DAY))
    moved = name.email("moved")
    yield send("Ada moves to another email", attributes_request(ada, {"who": "ada moved"}, email=moved))
    yield send("by the old email, which is Bob", attributes_request(by_email, {"who": "x" * 256, "found": "old email"}))
    yield send("by the new email, which is Ada", event_request({"email": moved}, SEEN, DAY))


@probe(
    "user-contacts-replaced",
    "TS-USER-FORMER-CONTACT",
    "TS-USER-EMAIL-FINDS",
    "TS-USER-PHONE-FINDS",
    "TS-STATE-USERS-APART",
    further=True,
)
def contacts_replaced(name: Namer) -> Iterator[Step]:
    """An email and a phone that a profile replaced lead to no user, or to the next one that gets them."""
    ada, bob = {"external_id": name.external_id("ada")}, {"external_id": name.external_id("bob")}
    old = {"email": name.email("old"), "phone": name.phone("old")}
    new = {"email": name.email("new"), "phone": name.phone("new")}
    yield send("Ada has an email and a phone", attributes_request(ada, {"n": 10, "ada": 1}, **old))
    yield send("Ada gets other ones", attributes_request(ada, {"n": {"inc": 1}}, **new))
    yield send("by the new email", attributes_request({"email": new["email"]}, {"n": {"inc": 1}}))
    yield send("by the new phone", attributes_request({"phone": new["phone"]}, {"n": {"inc": 1}}))
    yield send("by the old email, a new profile", attributes_request({"email": old["email"]}, {"n": {"inc": 1}}))
    yield send("Bob takes over the old phone", attributes_request(bob, {"n": 100}, phone=old["phone"]))
    yield send("by the old phone, which is Bob", attributes_request({"phone": old["phone"]}, {"n": {"inc": 1}}))
    yield send("Bob has what was written to him", attributes_request(bob, {"n": {"inc": 0}, "ada": {"inc": 1}}))
    unknown = {"email": name.email("unknown"), "phone": new["phone"]}
    yield send("an unknown email and a known phone: a new profile", attributes_request(unknown, {"n": {"inc": 1}}))
    alias = {"user_alias": name.alias("ada")}
    yield send(
        "an alias of the text of Ada's external_id is another user",
        attributes_request(alias, {"n": {"inc": 1}}, _update_existing_only=False),
    )


@probe("user-email-leads", "TS-USER-EMAIL-LEADS", "TS-OK-IDENTIFIER", "TS-STATE-USERS-APART")
def email_leads(name: Namer) -> Iterator[Step]:
    """Email and phone of two users in one object: the email's user it is. An external_id leads over both."""
    ada, bob = {"external_id": name.external_id("ada")}, {"external_id": name.external_id("bob")}
    email, phone = name.email("ada"), name.phone("bob")
    yield send("Ada has the email", attributes_request(ada, {"n": 10}, email=email))
    yield send("Bob has the phone", attributes_request(bob, {"n": 20}, phone=phone))
    yield send("an event by both", event_request({"phone": phone, "email": email}, SEEN, DAY))
    both = {"phone": phone, "email": email}
    yield send("attributes by both", attributes_request(both, {"n": {"inc": 1}}))
    yield send("attributes by the email alone", attributes_request({"email": email}, {"n": {"inc": 0}}))


@probe("user-unknown-braze-id", "TS-USER-BRAZE-ID", "TS-USER-UPDATE-ONLY", "TS-USER-CREATE", "TS-STATE-USERS-APART")
def braze_id(name: Namer) -> Iterator[Step]:
    """A braze_id that was never assigned, and a user whose external_id is the same text."""
    user = {"braze_id": name.braze_id("b")}
    same_text = {"external_id": user["braze_id"]}
    yield send("attributes", attributes_request(user, {"n": 1}, _update_existing_only=False))
    yield send("a purchase by an external_id of this text, unsaid, creates", purchase_request(same_text, SKU, DAY))


@probe("user-precedence", "TS-OK-IDENTIFIER", "TS-INTERPRETATION-KEPT")
def precedence(name: Namer) -> Iterator[Step]:
    """An external_id and an alias of two users in one object: which of them leads is open, and stays so."""
    ada, bob = {"external_id": name.external_id("ada")}, {"user_alias": name.alias("bob")}
    for _ in range(2):  # so that Ada's count and Bob's stay apart, whoever leads first
        yield send("Ada's own", event_request(ada, SEEN, DAY))
    yield send("Bob is created", attributes_request(bob, {"who": "bob"}, _update_existing_only=False))
    for _ in range(2):
        yield send("both at once", event_request({**ada, **bob}, SEEN, DAY))


@probe("user-integer-id", "TS-FORM-INTEGER-ID", "TS-PURCHASE-PRODUCT", "TS-INTERPRETATION-KEPT")
def integer_id(name: Namer) -> Iterator[Step]:
    """Integers where the documents say strings."""
    user = {"external_id": name.integer_id("u")}
    for _ in range(2):
        yield send("an integer external_id", event_request(user, SEEN, DAY))
    for _ in range(2):
        yield send("an integer product_id", purchase_request({"external_id": name.external_id("u")}, 1_000_001, DAY))


@probe("user-spelling", "TS-USER-SPELLING", "TS-STATE-USERS-APART")
def spelling(name: Namer) -> Iterator[Step]:
    """external_ids that differ in case, spaces, Unicode form, or far behind."""
    first = name.external_id("José")
    far = first + "-" * 40
    for variant in (first, first.upper(), first + " ", name.external_id("Jose\u0301"), far + "1", far + "2"):
        yield send(f"external_id {variant!r}", event_request({"external_id": variant}, SEEN, DAY))


@probe(
    "users-apart",
    "TS-STATE-USERS-APART",
    "TS-STATE-KEYS-APART",
    "TS-STATE-VISIBLE",
    "TS-OK-ONLY-ATTRIBUTES",
    "TS-OK-ONLY-EVENTS",
    "TS-OK-ONLY-PURCHASES",
)
def apart(name: Namer) -> Iterator[Step]:
    """Two users in turn, with the same attributes, events and products, all of one name."""
    ada, bob = {"external_id": name.external_id("ada")}, {"external_id": name.external_id("bob")}
    yield send(
        "Ada's attributes",
        attributes_request(ada, {"x 🎉": 10, "y": 1, "list": ["a"], "o": {"a": 1}}, _update_existing_only=False),
    )
    yield send("Bob's attributes", attributes_request(bob, {"x 🎉": 100, "y": 2, "list": ["b"], "o": {"b": 1}}))
    yield send("Ada's event", event_request(ada, "x 🎉", "2023-01-01T00:00:00Z", properties={"y": "z"}))
    yield send(
        "Ada's again",
        attributes_request(
            ada, {"x 🎉": {"inc": 1}, "y": None, "list": {"add": ["c"]}, "o": {"c": 1}}, _merge_objects=True
        ),
    )
    yield send(
        "Bob's again",
        attributes_request(
            bob, {"x 🎉": {"inc": 1}, "y": {"inc": 1}, "list": {"add": ["c"]}, "o": {"c": 1}}, _merge_objects=True
        ),
    )
    yield send("Bob's event", event_request(bob, "x 🎉", "2022-01-01T00:00:00Z"))
    yield send("Ada's purchase", purchase_request(ada, "x 🎉", "2020-01-01T00:00:00Z"))
    yield send("Bob's purchase", purchase_request(bob, "x 🎉", "2019-01-01T00:00:00Z"))
    yield send("Ada's event again", event_request(ada, "x 🎉", "2022-06-01T00:00:00Z"))


@probe("empty-attributes", "TS-USER-CREATE", "TS-INTERPRETATION-KEPT")
def empty_attributes(name: Namer) -> Iterator[Step]:
    """An attributes object with nothing beside the identifier."""
    user = {"external_id": name.external_id("u")}
    yield send("only the identifier", json_request({"attributes": [user]}))
    yield send("update only: created or not", attributes_request(user, _update_existing_only=True))
