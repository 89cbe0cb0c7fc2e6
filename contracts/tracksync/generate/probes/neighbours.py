"""Probes of the neighbouring endpoints, which need permissions of their own: all of them are optional."""

from __future__ import annotations

from collections.abc import Iterator

from tracksync.generate.build import (
    DELETE,
    EXPORT,
    TRACK,
    Step,
    attributes,
    attributes_request,
    event,
    event_request,
    json_request,
    purchase,
    purchase_request,
)
from tracksync.generate.harmless import Namer
from tracksync.generate.probes.probe import later, probe, send

DAY = "2023-09-01T12:00:00Z"
EXPORTED = ["external_id", "custom_attributes", "custom_events", "purchases", "email", "user_aliases"]


@probe("track", "TS-TRACK-ACCEPTED", "TS-TRACK-APPLIED", optional=True, group="neighbours")
def track(name: Namer) -> Iterator[Step]:
    """The asynchronous sibling: what it accepts is applied once, some time later."""
    user, other = {"external_id": name.external_id("u")}, {"external_id": name.external_id("other")}
    yield send("known before", event_request(user, "tracked", DAY))
    yield send(
        "several objects at once",
        json_request(
            {
                "attributes": [attributes(user, {"n": 1}), attributes(other, {"n": 2})],
                "events": [event(user, "tracked", DAY), event(other, "tracked", DAY)],
                "purchases": [purchase(user, "tracked", DAY, quantity=2)],
            },
            path=TRACK,
        ),
    )
    full = {"events": [event({"external_id": name.external_id(f"of {n}")}, "tracked", DAY) for n in range(75)]}
    yield send("75 objects", json_request(full, path=TRACK))
    yield later("after all was applied", event_request(user, "tracked", DAY))
    yield send("the purchases too", purchase_request(user, "tracked", DAY))
    yield send("the attributes too", attributes_request(user, {"n": {"inc": 0}}))
    yield send("and the user that was made", event_request(other, "tracked", DAY, _update_existing_only=True))


@probe("export", "TS-EXPORT-ANSWER", "TS-EXPORT-AGREES", optional=True, group="neighbours")
def export(name: Namer) -> Iterator[Step]:
    """What completed requests claimed, read back from the profile."""
    user = {"external_id": name.external_id("u")}
    yield send(
        "attributes of every kind",
        attributes_request(
            user,
            {
                "s": "Zoë 🎉",
                "n": 2**53 + 1,
                "f": 219.98,
                "b": True,
                "list": ["b", "a"],
                "o": {"deep": {"x": 1}},
                "d": "",
            },
        ),
    )
    yield send("an event", event_request(user, "exported", "2022-12-06T19:20:45+01:00"))
    yield send("a purchase", purchase_request(user, "exported", DAY, quantity=2))
    yield send(
        "attributes once more", attributes_request(user, {"s": "x" * 256, "b": False, "d": None, "n": {"inc": 1}})
    )
    exporting = json_request({"external_ids": [user["external_id"]], "fields_to_export": EXPORTED}, path=EXPORT)
    yield send("the profile, soon", exporting)
    yield send("one more event", event_request(user, "exported", "2023-12-06T19:20:45Z"))
    yield later("the profile, when it must have arrived", exporting)


@probe("delete", "TS-DELETE-ANSWER", optional=True, group="neighbours")
def delete(name: Namer) -> Iterator[Step]:
    """A user made and deleted."""
    user = {"external_id": name.external_id("u")}
    yield send("created", event_request(user, "deleted", DAY))
    yield send("deleted", json_request({"external_ids": [user["external_id"]]}, path=DELETE))
