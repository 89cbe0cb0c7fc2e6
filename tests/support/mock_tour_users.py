"""Parts of the tour: who is meant, and what is remembered of whom."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Any

from mock_harness import SYNC, TIME
from mock_tour_stops import ALIAS, CREATE, FUTURE, NEW, OLD, ONLY, Stop, attributes, by, event, export, purchase

TURNED = {"user_alias": {"alias_name": "Label", "alias_label": "Name"}}
LOWER = {"user_alias": {"alias_name": "name", "alias_label": "label"}}
RELABELLED = {"user_alias": {"alias_name": "Name", "alias_label": "other"}}
RENAMED = {"user_alias": {"alias_name": "other", "alias_label": "Label"}}
KNOWN = {"user_alias": {"alias_name": "u1", "alias_label": "Label"}}
PHONE, MAIL = {"phone": "+15555550100"}, {"email": "A.b+tag@example.com"}


def users() -> Iterator[Stop]:
    yield attributes("u1", a=0)
    yield by(KNOWN, a=1)
    for alias in (ALIAS, TURNED, LOWER, RELABELLED, RENAMED):
        yield by(alias, a=1)
        yield event("e", TIME, alias)
        yield by(alias | CREATE, a=1, n=7)
        yield by(alias, n={"inc": 1})
        yield event("e", TIME, alias)
        yield purchase("p", alias | {"external_id": None})
        yield purchase("p", alias | {"external_id": None})
    for half in ({"alias_name": "n"}, {"alias_label": "l"}, {}, "n"):
        yield by({"user_alias": half} | CREATE, a=1)
    fresh = {"user_alias": {"alias_name": "fresh", "alias_label": "Label"}}
    yield event("e", TIME, fresh | CREATE)
    yield event("e", TIME, fresh)
    for contact in (MAIL, PHONE):
        for _ in range(3):
            yield by(contact, n={"inc": 1})
            yield event("e", TIME, contact)
        yield by(contact | ONLY, n={"inc": 1})
    yield by({"email": "a.B+tag@example.com"}, n={"inc": 1})
    yield by({"email": "A.b@example.com"}, n={"inc": 1})
    yield by({"phone": "15555550100"}, n={"inc": 1})
    for unknown in ({"email": "unknown@example.com"}, {"phone": "+15555550199"}, {"external_id": "unknown"}):
        yield by(unknown | ONLY, a=1)
        yield event("e", TIME, unknown | ONLY)
        yield purchase("p", {"external_id": None} | unknown | ONLY)
        yield by(unknown | ONLY, a=1)
    both = {"email": "both@example.com", "phone": "+15555550101"}
    for _ in range(2):
        yield by(both, n={"inc": 1})
    yield by({"email": "both@example.com"}, n={"inc": 1})
    shared = {"email": "shared@example.com", "phone": "+15555550102"}
    for user in ("s1", "s2", "s3"):
        yield attributes(user, who=user, **shared)
    yield by({"user_alias": {"alias_name": "s4", "alias_label": "l"}} | CREATE, who="s4", email="shared@example.com")
    yield attributes("s2", who="s2")
    yield by({"email": "shared@example.com"}, who={"add": ["x"]}, found=1)
    yield by({"phone": "+15555550102"}, found={"inc": 1})
    yield export("s1", "s2", "s3")
    for spelling in (
        "Spelling",
        "spelling",
        " Spelling",
        "Spelling ",
        "007",
        "7",
        "é",
        "e\u0301",
        "x" * 45 + "a",
        "x" * 45 + "b",
    ):
        yield attributes(spelling, n={"inc": 1})
        yield attributes(
            spelling, **{name: {"inc": 1} for name in ("Key", "key", " key", "k y", "k_y", "ö", "ä", "key2")}
        )
    yield attributes("Spelling", key=None)
    yield attributes("Spelling", key2={"inc": 1})
    yield by({"external_id": "new1"} | CREATE, a=1)
    yield event("e", TIME, {"external_id": "new2"})
    yield event("e", TIME, {"external_id": "new2"})
    yield purchase("p", {"external_id": "new3"})
    yield purchase("p", {"external_id": "new3"})
    yield by({"external_id": "new1"} | ONLY, a=2)
    yield by({"external_id": "new1"} | ONLY, b={"inc": 1})
    yield by({"external_id": "new1"} | ONLY, b={"inc": 1})
    for braze_id in ("0123456789abcdef01234567", "known"):
        for _ in range(3):
            yield by({"braze_id": braze_id}, n={"inc": 1})
    for number in (70_000, 70_000):
        yield by({"external_id": number}, n={"inc": 1})
    yield attributes("u1", ö="x", n=1)
    yield attributes("u1", ö="y", n={"inc": 1})
    yield attributes("u1", ö={"inc": 1}, n={"inc": 1})
    yield attributes("u1", ö="y" * 256)


def state() -> Iterator[Stop]:
    yield attributes("k1", **{f"a{n:02}": n for n in range(15)})
    yield attributes("k1", **{f"a{n:02}": {"inc": 1} for n in range(15)})
    yield attributes("k2", a01=5, shared=1)
    yield attributes("k1", shared=1, a0="x")
    yield attributes("k2", shared=None)
    yield attributes("k1", a0=None)
    yield attributes("k1", **{f"a{n:02}": {"inc": 1} for n in range(15)}, shared={"inc": 1})
    yield event("e1", TIME, {"external_id": "k1"}, properties={"a": 1})
    yield event("e2", TIME, {"external_id": "k1"})
    yield event("e1", TIME, {"external_id": "k1"})
    yield purchase("p1", {"external_id": "k1"})
    yield purchase("p2", {"external_id": "k1"})
    yield purchase("p1", {"external_id": "k1"})
    yield attributes("k1", **{f"a{n:02}": {"inc": 1} for n in range(15)}, shared={"inc": 1})
    for n in range(25):
        yield attributes(f"many{n}", n=n)
    yield attributes("k1", **{f"a{n:02}": {"inc": 1} for n in range(15)})
    yield Stop({"attributes": [{"external_id": "k1", "a01": {"inc": 1}}]}, wait=70)
    yield export("k1", "k2", "unknown", wait=1)
    for number in range(1, 4):
        yield attributes("k2", when=(TIME, "2022-01-02T03:04:05", FUTURE)[number - 1])
    yield attributes("k2", when="2022-01-02", far="3001-02-03T00:00:00Z", edge="3000-02-03T00:00:00Z")


def crossings() -> Iterator[Stop]:
    """Every kind of identifier in every section and under every flag; texts that differ at their end only."""

    def alias(label: str, alias_name: str) -> dict[str, Any]:
        return {"user_alias": {"alias_name": alias_name, "alias_label": label}}

    long = "n" * 140
    for label, name in ((f"{long}1", "a"), ("c", "ab"), ("club", f"{long}1")):
        yield by(alias(label, name), n=1, _update_existing_only=False)
    others = ((f"{long}2", "a"), (f"{long}1".upper(), "a"), (f" {long}1 ", "a"), ("ca", "b"), ("bc", "a"))
    for label, name in (*others, ("club", f"{long}2")):
        yield event("e", TIME, alias(label, name))
    for end in "12":
        user = {"external_id": f"{long}{end}"}
        yield event(f"{long}1", TIME, user)
    yield event(f"{long}2", TIME, user)
    yield purchase(f"{long}1", user)
    yield purchase(f"{long}2", user)
    yield by(user, **{f"{long}1": 1, f"{long}2": 2})
    yield by(user, **{f"{long}1": {"inc": 1}})
    makers = (partial(by, n=1), partial(event, "e", TIME), partial(purchase, "p"))
    numbers_of = iter(range(100, 200))
    for kind in ("email", "phone", "user_alias"):
        for make in makers:
            number = next(numbers_of)
            value = {"email": f"e{number}@example.com", "phone": f"+12025550{number}"}.get(kind)
            user = {kind: value} if value else alias("crossing", str(number))
            yield make(user, _update_existing_only=True)
            yield make(user)
            yield make(user, _update_existing_only=False)
            yield by(user, n={"inc": 2}, s=None)
            yield by(user, s="x")
            yield by(user, s=None)
            for time in (NEW, OLD, TIME):
                yield event("e", time, user)
                yield purchase("p", user, time=time)
    ada = {"external_id": "ada"}
    email, phone = {"email": "ada@example.com"}, {"phone": "+12025550201"}
    yield by(ada, n=1, s="x", p=5, **email, **phone)
    yield event("e", TIME, {"braze_id": "ada"})
    yield event("e", TIME, ada)
    for contact in (email, phone):
        yield by(contact, n={"inc": 1}, s=None)
        yield purchase("p", contact)
        yield event("e", OLD, contact)
    yield by(ada, p={"inc": 1}, first_name=None)
    yield by(ada, n={"inc": 1})
    for moved in ({"phone": "+12025550202"}, {"email": "moved@example.com"}):
        yield by(ada, n={"inc": 1}, **moved)
        yield by(moved, n={"inc": 1})
        yield event("e", OLD, ada)
    yield by(ada, o={"a": 1}, tags=["a", "b", "c"], items=[{"id": n, "n": 1} for n in (1, 2, 3)])
    yield by(ada, o={"b": 1}, _merge_objects=False)
    yield by(ada, tags=["d", "e"], n={"inc": 1}, _merge_objects=True)
    yield by(ada, tags={"add": ["d", "e"]}, n={"inc": 1}, _update_existing_only=False)
    selected = [{"$identifier_key": "id", "$identifier_value": n} for n in (1, 3)]
    yield by(ada, items={"$update": [one | {"$new_object": {"id": 9, "n": 7}} for one in selected]})
    yield by(ada, items=[{"id": n, "n": 1} for n in (1, 2, 3)])
    yield by(ada, items={"$remove": selected})
    yield by(ada, noon="2023-07-01T12:00:00", early="1850-01-01T12:00:00Z", late="2050-01-01T12:00:00Z")
    yield by(ada, when={"at": {"$time": "2020-01-02T03:04:05Z"}})
    yield event("early", "1850-01-01T12:00:00Z", ada)
    yield purchase("early", ada, time="1960-01-01T12:00:00Z", price=12345.678, currency="XPF")
    yield purchase("early", ada, price=None)
    yield purchase("early", ada, time=None)
    for path, key in (
        (SYNC, "Bearer wrong"),
        (SYNC, "Bearer mock-key-without-permission"),
        (f"{SYNC}/x", "Bearer mock-key"),
    ):
        body = {"attributes": [{"external_id": f"{path} {key}", "n": 1}]}
        yield Stop(body, path, {"key": key})
        yield by({"external_id": f"{path} {key}"}, n=1, _update_existing_only=True)
    yield event("first", TIME, {"external_id": "eve"})
    yield by({"external_id": "eve"}, n=1)
    yield by({"external_id": "eve"}, n={"inc": 1}, gone=None)
    yield event("first", TIME, {"external_id": "eve"})
    yield by({"external_id": "eve"}, m=None)
    yield event("second", TIME, {"external_id": "eve"})
    yield event("first", TIME, {"external_id": "eve"})


def addresses() -> Iterator[Stop]:
    """Emails and phones that change hands, that several have, and both at once."""
    for kind, first, second in (
        ("email", "one@example.com", "two@example.com"),
        ("phone", "+12025550161", "+12025550162"),
    ):
        yield attributes("holder", n=1, **{kind: first})
        yield by({kind: first}, n={"inc": 1})
        yield attributes("holder", **{kind: second})
        yield by({kind: second}, n={"inc": 1})
        yield by({kind: first} | ONLY, n={"inc": 1})
        yield attributes("next", m=1, **{kind: first})
        yield by({kind: first}, n={"inc": 1}, m={"inc": 1})
        yield attributes("holder", n={"inc": 0}, m={"inc": 0})
        yield attributes("third", who="third", **{kind: first})
        yield by(
            {"user_alias": {"alias_name": f"{kind}-4", "alias_label": "l"}} | CREATE, who="fourth", **{kind: first}
        )
        yield by({kind: first}, found={"inc": 1}, who="found")
        yield attributes("next", found={"inc": 0}, who="next")
        yield attributes("third", m={"inc": 0})
    yield attributes("holder", own="mine")
    yield attributes("third", email="two@example.com")
    yield attributes("third", own={"inc": 0})
    yield export("third", "holder")
    yield by({"email": "fresh@example.com", "phone": "+12025550162"}, n={"inc": 1})
    yield attributes("holder", n={"inc": 0})
    yield by({"user_alias": {"alias_name": "holder", "alias_label": "l"}} | CREATE, n={"inc": 1})


def folding() -> Iterator[Stop]:
    """Pairs of identifiers and names that are different, and that something might take for one."""
    pairs = (
        "Élan Elan",
        "straße strasse",
        "Ａ A",
        "7 7.0",
        "7 7e0",
        "a-b a_b",
        "a-b ab",
        "x\0a x\0b",
        "007 7",
        "y y ",
        "z z/1",
        "a0 a%30",
        "🎉 🎊",
    )
    for pair in pairs:
        for name in pair.split(" ", 1):
            yield attributes(name, n={"inc": 1})
            yield event(name, TIME, {"external_id": "folding"})
            yield purchase(name, {"external_id": "folding"})
            yield attributes("folding", **{name: {"inc": 1}})
            yield by({"user_alias": {"alias_name": name, "alias_label": "l"}} | CREATE, n={"inc": 1})
    for mail in ("é@example.com", "e@example.com", "x@Example.com", "x@example.com"):
        yield by({"email": mail}, n={"inc": 1})
    for phone in ("+1 (202) 555-0150", "+12025550150", "+442025550150"):
        yield by({"phone": phone}, n={"inc": 1})
    for number in range(30):
        yield attributes(f"hashed-{number}", n={"inc": 1})
