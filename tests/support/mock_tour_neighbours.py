"""Parts of the tour: /users/track, /users/delete and /users/export/ids."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from mock_harness import DELETE, EXPORT, TIME, TRACK, purchase_of
from mock_tour_stops import CREATE, OLD, ONLY, Stop, attributes, by, delete, event, export, purchase, track


def in_turn() -> Iterator[Stop]:
    batch = [{"external_id": "t", "l": {"add": [n]}, "n": {"inc": 1}} for n in range(75)]
    yield Stop({"attributes": batch}, TRACK)
    yield export("t", wait=1)
    yield Stop({"events": [{"external_id": "t", "name": "e", "time": TIME}]}, TRACK)
    yield Stop(
        {"events": [{"external_id": "t", "name": "e", "time": TIME}], "attributes": [{"external_id": "u9", "a": 1}]},
        TRACK,
    )
    yield export("t", "u9", wait=1)
    yield attributes("t", a=1, b=2)
    yield export("t")
    yield purchase("p", {"external_id": "t"})
    yield export("t")
    yield Stop({"external_ids": ["t", "unknown"]}, DELETE)
    yield export("t", wait=1)
    yield Stop({"external_ids": ["u9"]}, DELETE)


def batches() -> Iterator[Stop]:
    """Batches of every section, with every kind of identifier, at every position."""
    users: list[dict[str, Any]] = [{"external_id": f"b{n}"} for n in range(5)]
    users += [{"user_alias": {"alias_name": "b", "alias_label": "l"}} | CREATE, {"email": "b@example.com"}]
    users += [{"phone": "+12025550170"}]
    for user in users:
        yield by(user, known=1)
    equal = {"external_id": "b0", "name": "e", "time": OLD}
    bought = purchase_of("p", "b1") | {"quantity": 3}
    each = [user | {"n": {"inc": 1}, "own": n} for n, user in enumerate(users)]
    yield track(attributes=[*each, users[0] | {"ninth": 9}, users[1] | {"tenth": 10}])
    yield Stop({"external_ids": [f"b{n}" for n in range(5)]}, EXPORT, wait=1)
    yield track(events=[equal, equal, equal | {"external_id": "b2"}], attributes=[users[0] | {"n": {"inc": 1}}])
    yield track(purchases=[bought, bought | {"external_id": "b3"}], events=[equal], attributes=[users[4] | {"n": 7}])
    yield track(purchases=[bought])
    yield track(attributes=[users[0] | {"a": 1, "off": False}, {"n": 1}])
    yield Stop({"external_ids": [f"b{n}" for n in range(5)]}, EXPORT, wait=1)
    for user in users:
        yield by(user, n={"inc": 0}, own={"inc": 0})
    yield track(attributes=[users[0] | {"late": "queued"}])
    yield Stop({"attributes": [users[0] | {"late": "written"}]}, wait=1)
    made: dict[str, Any] = {"user_alias": {"alias_name": "made", "alias_label": "l"}}
    refund = purchase_of("refunded", "b0") | {"price": -2.5}
    aliased = {name: value for name, value in refund.items() if name != "external_id"} | users[5]
    yield track(purchases=[refund, aliased], attributes=[made | CREATE | {"n": 5}])
    yield export("b0", wait=1)
    yield Stop({"user_aliases": [users[5]["user_alias"]]}, EXPORT)
    yield by(made, n={"inc": 0})


def deletions() -> Iterator[Stop]:
    """Users deleted by every kind of identifier, alone and with others, and made again."""
    alias, kept = ({"user_alias": {"alias_name": name, "alias_label": "l"}} for name in ("d", "kept"))
    contacts: list[dict[str, Any]] = [{"email": "d@example.com"}, {"phone": "+12025550171"}]
    first = ("most_recently_updated",)
    for n in (1, 2, 3, 4, 11):
        yield attributes(f"d{n}", n=n)
        yield event("e", TIME, {"external_id": f"d{n}"})
        yield purchase("p", {"external_id": f"d{n}"})
    yield attributes("D1", n=1, email="shared@example.com")
    yield attributes("d1", email="shared@example.com")
    for user in (alias | CREATE, kept | CREATE, *contacts):
        yield by(user, n=1)
    yield delete(external_ids=["d1", "d2", "unknown", "d3"])
    yield Stop({"external_ids": ["d1", "d2", "d3", "d4", "d11", "D1"]}, EXPORT, wait=1)
    yield by({"email": "shared@example.com"} | ONLY, n={"inc": 1})
    for n in (1, 2, 3):
        yield event("e", TIME, {"external_id": f"d{n}"})
        yield purchase("p", {"external_id": f"d{n}"})
        yield attributes(f"d{n}", n={"inc": 1})
    yield delete(user_aliases=[alias["user_alias"]])
    yield delete(email_addresses=["d@example.com"])
    yield delete(email_addresses=["d@example.com"], prioritization=first)
    yield delete(phone_numbers=["+12025550171"], prioritization=first)
    yield delete(braze_ids=["known"])
    for user in (alias, kept, *contacts):
        yield Stop({"attributes": [user | ONLY | {"n": 2}]}, wait=1)
    for many in (11, 50, 51, 60):
        yield delete(external_ids=[f"d{n}" for n in range(many)])
    yield attributes("d1", n={"inc": 1})
    yield export("d1", "d4", wait=1)


def exports() -> Iterator[Stop]:
    """Profiles with every part, exported whole and in parts, with ids that are known and unknown."""
    user = {"external_id": "Export"}
    alias = {"alias_name": "x", "alias_label": "l"}
    yield by(user, Name=1, l=["a", "b"], email="x@example.com", phone="+12025550172", first_name="A")
    yield by({"user_alias": alias} | CREATE, n=1)
    yield event("only", TIME, {"external_id": "bare"})
    for _ in range(4):
        yield event("e", TIME, user)
    yield event("f", TIME, user)
    for product in ("p", "q"):
        yield purchase(product, user)
    for fields in (None, ["custom_attributes"], ["external_id", "custom_events"], ["email", "phone", "purchases"]):
        request = {"external_ids": ["Export", "bare", "Ex", "unknown-2"]}
        yield Stop(request | ({"fields_to_export": fields} if fields else {}), EXPORT)
    yield Stop({"user_aliases": [alias]}, EXPORT)
    yield Stop({"external_ids": ["unknown-1"]}, EXPORT)


def other_batches() -> Iterator[Stop]:
    """Every kind of edit in a batch, an object at fault before a right one, exports by contact, and another key."""
    user, right = {"external_id": "x1"}, {"external_id": "x2", "name": "e", "time": TIME}
    yield by(user | {"email": "x1@example.com", "phone": "+12025550172"}, gone=1, o={"a": 1})
    edits: list[dict[str, Any]] = [{"gone": None}, {"o": {"b": 2}, "_merge_objects": True}]
    yield track(
        attributes=[{"external_id": "x3", "n": 1} | ONLY, *(user | edit for edit in edits)],
        events=[right, {"external_id": "x2", "name": "e"}, right, right | {"name": "p", "properties": {"n": 1}}],
    )
    yield export("x1", "x2", "x3", wait=1)
    yield Stop({"email_address": "x1@example.com"}, EXPORT)
    yield Stop({"phone": "+12025550172"}, EXPORT)
    yield Stop({"events": [right]}, TRACK, {"key": "Bearer x"})
    yield event("e", TIME, {"email": "x4@example.com"})
    yield event("e", TIME, {"external_id": "x4@example.com"})
    yield event("e", "2024-02-29T12:00:00Z", user)
    yield event("e", "2022-12-31T23:30:00-01:00", user)
    yield Stop(b'{"attributes": [{"external_id": "x1", "l": ["a"}}]}')
