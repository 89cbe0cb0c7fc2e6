"""Probes of the neighbouring endpoints, which need permissions of their own: all of them are optional.

What is queued there takes time, so each sends all of it first, and looks at everything after one pause.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from tracksync.contract.bounds import DELETE, EXPORT, TRACK
from tracksync.generate.build import (
    SentKey,
    Step,
    User,
    attributes,
    attributes_request,
    event,
    event_request,
    json_request,
    purchase,
    purchase_request,
    without,
)
from tracksync.generate.harmless import Namer
from tracksync.generate.probes.probe import later, probe, send
from tracksync.model.exchange import Request

DAY = "2023-09-01T12:00:00Z"
EARLIER, LATER = "2022-12-31T23:30:00-01:00", "2024-02-29T12:00:00.250Z"
FIELDS = (
    "external_id",
    "braze_id",
    "email",
    "phone",
    "user_aliases",
    "custom_attributes",
    "custom_events",
    "purchases",
)
PRIORITY = {"prioritization": ["unidentified", "most_recently_updated"]}


def exporting(*users: User, fields: tuple[str, ...] = FIELDS) -> Request:
    """An export of users that have an external_id."""
    ids = [user["external_id"] for user in users]
    return json_request({"external_ids": ids, "fields_to_export": list(fields)}, path=EXPORT)


def deleting(**named: list[Any]) -> Request:
    """A deletion of users, by any kind of identifier."""
    return json_request(named, path=DELETE)


@probe("track", "TS-TRACK-ACCEPTED", "TS-TRACK-PROCESSED", "TS-TRACK-APPLIED", optional=True, group="neighbours")
def track(name: Namer) -> Iterator[Step]:
    """The asynchronous sibling: each object of a batch is applied once, some time later, and never again."""
    user, other = {"external_id": name.external_id("u")}, {"external_id": name.external_id("Other")}
    ghost, alias = {"external_id": name.external_id("ghost")}, {"user_alias": name.alias("ghost")}
    yield send(
        "known before",
        attributes_request(user, {"gone": 1, "was": True, "word": "a", "tags": ["a"], "o": {"a": 1}, "sum": 5}),
    )
    edits: list[dict[str, Any]] = [
        {"gone": None},
        {"was": False},
        {"word": "b"},
        {"tags": {"add": ["b"], "remove": ["a"]}},
        {"o": {"b": 2}, "_merge_objects": True},
        {"sum": {"inc": -2}},
    ]
    batch = {
        "attributes": [
            attributes(user, {"n": 1}),
            attributes(other, {"n": 2}),
            attributes(ghost, {"n": 3}, _update_existing_only=True),
            *(attributes(user, edit) for edit in edits),
            attributes(other, {"objects": [{"id": 1, "at": {"$time": DAY}}]}),
            *(attributes((other, user)[n % 2], {f"A{n}": n}) for n in range(11, 21)),
        ],
        "events": [
            event(user, "tracked", DAY),
            event(user, "tracked", DAY),
            event(other, "tracked", DAY),
            event(user, "E4", EARLIER, properties={"n": 1}),
            event(user, "E4", LATER),
            event(alias, "E6", DAY),
            *(event(user, "E4", f"2023-08-{n:02}T12:00:00Z") for n in (7, 8)),
            *(event(user, f"E{n}", f"2023-09-{n:02}T23:30:00-01:00") for n in range(9, 31)),
        ],
        "purchases": [
            purchase(user, "tracked", DAY, quantity=2),
            purchase(other, "tracked", DAY),
            purchase(user, "P3", LATER, price=-9.99, properties={"n": 1}),
            purchase(user, "P3", EARLIER, quantity=3),
            *(purchase(user, f"P{n}", f"2023-09-{n:02}T12:00:00Z") for n in range(5, 26)),
        ],
    }
    yield send("75 objects, 20 and 30 and 25", json_request(batch, path=TRACK))
    yield later("after all was applied, an attribute", attributes_request(user, {"n": {"inc": 4}}))
    yield send("and an event", event_request(user, "tracked", DAY))
    yield later("every object, and the later writes over them", exporting(user, other, ghost))


@probe("track-by-identifier", "TS-TRACK-APPLIED", optional=True, group="neighbours", further=True)
def track_by_identifier(name: Namer) -> Iterator[Step]:
    """The asynchronous sibling, by every other kind of identifier, of users that are there and of one that it creates;
    and a batch with one object at fault."""
    by_alias, new_alias = {"user_alias": name.alias("a")}, {"user_alias": name.alias("new")}
    by_email, by_phone = {"email": name.email("e")}, {"phone": name.phone("p")}
    beside = {"external_id": name.external_id("beside")}
    yield send("an alias", attributes_request(by_alias, {"n": 1}, _update_existing_only=False))
    yield send("an email", event_request(by_email, "tracked", DAY))
    yield send("a phone", event_request(by_phone, "tracked", DAY))
    batch = {
        "attributes": [
            attributes(by_alias, {"n": {"inc": 1}}),
            attributes(new_alias, {"n": 1}, _update_existing_only=False),
        ],
        "purchases": [purchase(by_alias, "tracked", DAY)],
        "events": [event(by_email, "tracked", DAY), event(by_phone, "tracked", DAY)],
    }
    yield later("by alias, email and phone", json_request(batch, path=TRACK))
    right, wrong = event(beside, "tracked", DAY), without(event(beside, "at fault", DAY), "time")
    yield send("two events, and one without its time", json_request({"events": [right, wrong, right]}, path=TRACK))
    yield later("what the alias has", attributes_request(by_alias, {"n": {"inc": 0}}))
    yield send("what the new alias has", attributes_request(new_alias, {"n": {"inc": 0}}))
    yield send("what the alias has bought", purchase_request(by_alias, "tracked", DAY))
    yield send("what the email has", event_request(by_email, "tracked", DAY))
    yield send("what the phone has", event_request(by_phone, "tracked", DAY))
    yield send("what the right object of the two made", event_request(beside, "tracked", DAY))


@probe(
    "export",
    "TS-EXPORT-ANSWER",
    "TS-EXPORT-USERS",
    "TS-EXPORT-FIELDS",
    "TS-EXPORT-AGREES",
    "TS-USER-BRAZE-ID",
    optional=True,
    group="neighbours",
)
def export(name: Namer) -> Iterator[Step]:
    """What completed requests claimed, read back from the profile; and whose braze_id this shows has no other one."""
    text = name.braze_id("u")
    user = {"external_id": text}
    yield send(
        "attributes of every kind",
        attributes_request(
            user,
            {
                "s": "Zoë 🎉 " * 20,
                "n": 2**53 + 1,
                "f": 219.98,
                "b": True,
                "list": ["b", "a"],
                "o": {"deep": {"x": 1}},
                "d": "",
                "e": "",
            },
        ),
    )
    yield send("an event", event_request(user, "exported", "2022-12-06T19:20:45+01:00"))
    yield send("a purchase", purchase_request(user, "exported", DAY, quantity=2))
    yield send(
        "attributes once more", attributes_request(user, {"s": "x" * 256, "b": False, "d": None, "n": {"inc": 1}})
    )
    unknown = [{"external_id": name.external_id(tag)} for tag in ("u", "unknown")]  # the user's begins with the first
    yield send("the profile, soon", exporting(user, *unknown))
    yield send("another event", event_request(user, "exported", "2023-12-06T19:20:45Z"))
    yield later("the profile, when it must have arrived", exporting(unknown[0], user, unknown[1]))
    yield send(
        "an event by a braze_id of the text of the external_id", event_request({"braze_id": text}, "exported", DAY)
    )


@probe("export-fields", "TS-EXPORT-FIELDS", "TS-EXPORT-USERS", optional=True, group="neighbours", further=True)
def export_fields(name: Namer) -> Iterator[Step]:
    """What a profile is found by, under the names of an export; and exports of few fields, and of no user."""
    user, by_alias = {"external_id": name.external_id("U")}, {"user_alias": name.alias("a")}
    contacts = {"email": name.email("u"), "phone": name.phone("u")}
    yield send("a user with an email and a phone", attributes_request(user, {"Colour": "red"}, **contacts))
    yield send("a user with an alias", attributes_request(by_alias, {"Colour": "red"}, _update_existing_only=False))
    yield send("its purchase", purchase_request(user, "first", DAY))
    yield send("another one", purchase_request(user, "second", DAY))
    yield later("a user by external_id", exporting(user))
    fields = ["user_aliases", "custom_attributes"]
    aliases = json_request({"user_aliases": [by_alias["user_alias"]], "fields_to_export": fields}, path=EXPORT)
    yield send("a user by alias, two fields", aliases)
    for member, kind in (("email_address", "email"), ("phone", "phone")):
        by_contact = json_request({member: contacts[kind], "fields_to_export": list(FIELDS)}, path=EXPORT)
        yield send(f"the user by {kind}", by_contact)


@probe("delete", "TS-DELETE-ANSWER", "TS-DELETE-REFUSED", "TS-DELETE-DONE", optional=True, group="neighbours")
def delete(name: Namer) -> Iterator[Step]:
    """A user made, deleted together with as many unknown ones as one request may name, and made again."""
    user = {"external_id": name.external_id("u")}
    yield send("created", event_request(user, "deleted", DAY))
    yield send("an email without prioritization", deleting(email_addresses=[name.email("unknown")]))
    ids = [*(name.external_id(f"unknown {n}") for n in range(1, 50)), user["external_id"]]
    yield later("deleted, the last of 50", deleting(external_ids=ids))
    yield later("created again", event_request(user, "deleted", DAY))


@probe("deletions", "TS-DELETE-ANSWER", "TS-DELETE-DONE", optional=True, group="neighbours", further=True)
def deletions(name: Namer) -> Iterator[Step]:
    """By every kind of identifier: whoever was named is gone, with everything, and no other user is."""
    first, second, last = ({"external_id": name.external_id(tag)} for tag in ("First", "second", "last"))
    longer, lower = ({"external_id": name.external_id(tag)} for tag in ("First and more", "first"))
    by_alias, sharing, by_email, by_phone = (
        {"user_alias": name.alias("a")},
        {"user_alias": name.alias("sharing")},
        {"email": name.email("e")},
        {"phone": name.phone("p")},
    )
    shared = name.email("shared")
    yield send("a user's attributes", attributes_request(first, {"n": 5}))
    yield send("a user's event", event_request(first, "deleted", DAY))
    yield send("a user's purchase", purchase_request(first, "deleted", DAY))
    yield send("a second user", event_request(second, "deleted", DAY))
    yield send("a third one, with an email", attributes_request(last, {"n": 5}, email=shared))
    shares = attributes_request(sharing, {"n": 50}, email=shared, _update_existing_only=False)
    yield send("an alias that shares this email, and its label with the alias to be deleted", shares)
    yield send("one whose name begins like the first", event_request(longer, "deleted", DAY))
    yield send("one whose name differs in case", event_request(lower, "deleted", DAY))
    yield send("an alias", attributes_request(by_alias, {"n": 5}, _update_existing_only=False))
    yield send("an email", event_request(by_email, "deleted", DAY))
    yield send("a phone", event_request(by_phone, "deleted", DAY))
    named = [user["external_id"] for user in (first, second, {"external_id": name.external_id("unknown")}, last)]
    too_many = [name.external_id(f"unknown {n}") for n in range(51)]
    yield send("51 users, none of them there", deleting(external_ids=too_many))
    yield later("three users, and one that is not there", deleting(external_ids=named))
    yield send("an alias", deleting(user_aliases=[by_alias["user_alias"]]))
    yield send("an email", deleting(email_addresses=[{**by_email, **PRIORITY}]))
    yield send("a phone", deleting(phone_numbers=[{**by_phone, **PRIORITY}]))
    yield later("who is there", exporting(second, last, longer, lower))
    yield send("none that is there", exporting(second))
    yield send("the first again, an event", event_request(first, "deleted", DAY))
    yield send("its attributes", attributes_request(first, {"n": {"inc": 1}}))
    yield send("its purchase", purchase_request(first, "deleted", DAY))
    left = attributes_request(sharing, {"n": {"inc": 1}}, _update_existing_only=True)
    yield send("who shared an email and a label with the deleted ones", left)
    yield send("the alias again", event_request(by_alias, "deleted", DAY))
    yield send("the email again", event_request(by_email, "deleted", DAY))
    yield send("the phone again", event_request(by_phone, "deleted", DAY))


@probe("neighbours-keys", "TS-AUTH-INVALID", "TS-STATE-REFUSED", optional=True, group="neighbours", further=True)
def keys(name: Namer) -> Iterator[Step]:
    """The neighbours with a key that is not valid: nothing is queued, deleted or exported."""
    user = {"external_id": name.external_id("u")}
    yield send("the first event", event_request(user, "counted", DAY))
    batch = json_request({"events": [event(user, "counted", DAY)]}, path=TRACK)
    for label, request in (
        ("an event for /users/track", batch),
        ("the user's deletion", deleting(external_ids=[user["external_id"]])),
        ("the user's export", exporting(user)),
    ):
        yield send(f"{label}, with an invalid key", request, SentKey.INVALID)
    yield later("the second event", event_request(user, "counted", DAY))
