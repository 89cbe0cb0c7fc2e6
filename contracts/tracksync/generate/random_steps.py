"""An endless stream of steps that collide on few users, drawn from the tables with one seed.

The engine's random phase: fast, deterministic, shrunk by leaving steps out. Three quarters of it keep the documents,
so that an oracle can be strict most of the time; about a sixth must be refused or not applied; the rest is wild.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from typing import Any, Final

from tracksync.generate import tables
from tracksync.generate.build import JSON_HEADERS, SYNC, KeyForm, Step, User, encode
from tracksync.generate.harmless import Namer
from tracksync.model.exchange import Credential, Request

EPOCH: Final = 240  # steps until a new set of users: keeps stored arrays, and with them bodies and shrinking, small
_SECTIONS: Final = ("attributes",) * 9 + ("events",) * 7 + ("purchases",) * 5
_NAMES: Final = tuple(tables.ATTRIBUTES)
_PHONES: Final = 40  # phone numbers of fiction are few: epochs take turns
_AUTH: Final[tuple[tuple[str, Credential, KeyForm], ...]] = (
    ("an invalid key", Credential.INVALID, "plain"),
    ("a quoted key", Credential.INVALID, "quoted"),
    ("no key", Credential.MISSING, "plain"),
    ("a key without the permission", Credential.UNPRIVILEGED, "plain"),
)


def random_steps(seed: int, namer: Namer) -> Iterator[Step]:
    """Steps without end. The same seed and an equal namer give the same steps."""
    rng = random.Random(seed)
    epoch = 0
    while True:
        users = _users(namer.scope(epoch_scope(seed, epoch)), namer, epoch)
        for _ in range(EPOCH):
            yield _step(rng, users)
        epoch += 1


def epoch_scope(seed: int, epoch: int) -> str:
    """What stands in the names of an epoch's users, and in no others."""
    return f"r{seed}-{epoch}"


def _users(names: Namer, phones: Namer, epoch: int) -> tuple[User, ...]:
    """Few users, some more often: two by external_id that differ in case only, and one by each other identifier."""
    first = {"external_id": names.external_id("u")}
    second = {"external_id": names.external_id("U")}
    alias = {"user_alias": names.alias("a")}
    return (
        first,
        first,
        first,
        first,
        first,
        second,
        second,
        {"external_id": names.external_id("v"), "email": names.email("e")},
        alias,
        alias,
        {"user_alias": names.alias("a", "other")},
        {"email": names.email("e")},
        {"phone": phones.phone(f"random-{epoch % _PHONES}")},
        {"braze_id": names.braze_id("b")},
    )


def _step(rng: random.Random, users: tuple[User, ...]) -> Step:
    chance = rng.random()
    section = rng.choice(_SECTIONS)
    right = draw_object(rng, section, rng.choice(users))
    if chance < 0.75:
        return Step(_post(encode({section: [right]})), label=f"random {section}")
    if chance < 0.80:
        label, spoil = rng.choice(tables.OBJECT_SPOILERS[section])
        return Step(_post(encode({section: [spoil(right)]})), label=label)
    if chance < 0.84:
        label, wrap = rng.choice(tables.BODY_SPOILERS)
        return Step(_post(wrap(section, right)), label=label)
    if chance < 0.86:
        other = rng.choice([name for name in tables.OBJECT_SPOILERS if name != section])
        beside = draw_object(rng, other, rng.choice(users))
        return Step(_post(encode({section: [right], other: [beside]})), label="two sections")
    if chance < 0.88:
        label, credential, form = rng.choice(_AUTH)
        return Step(_post(encode({section: [right]})), credential, label, form)
    if chance < 0.91:
        user = rng.choice(users)
        return Step(_post(encode({"attributes": [{**user, **_not_applied(rng)}]})), label="not to be applied")
    if chance < 0.97:
        return Step(_post(encode({section: [_wild(rng, section, right)]})), label=f"wild {section}")
    label, wrap = rng.choice(tables.WILD_BODIES)
    return Step(_post(wrap(section, right)), label=label)


def draw_object(rng: random.Random, section: str, user: User) -> dict[str, Any]:
    """One object that keeps the documents."""
    drawn: dict[str, Any] = dict(user)
    chance = rng.random()
    if chance < 0.15:
        drawn["_update_existing_only"] = True
    elif chance < 0.40:
        drawn["_update_existing_only"] = False
    if section == "attributes":
        for _ in range(1 + int(rng.random() * 4)):
            name = rng.choice(_NAMES)
            drawn[name] = rng.choice(tables.ATTRIBUTES[name])
        chance = rng.random()
        if chance < 0.4:
            drawn["_merge_objects"] = chance < 0.35
        elif chance > 0.93:
            drawn.update(rng.choice(tables.PROFILE))
        return drawn
    drawn["time"] = rng.choice(tables.TIMES)
    if section == "events":
        drawn["name"] = rng.choice(tables.EVENT_NAMES)
    else:
        drawn["product_id"] = rng.choice(tables.PRODUCTS)
        drawn["currency"] = rng.choice(tables.CURRENCIES)
        drawn["price"] = rng.choice(tables.PRICES)
        if rng.random() < 0.5:
            drawn["quantity"] = rng.choice(tables.QUANTITIES)
    if rng.random() < 0.1:
        drawn["properties"] = rng.choice(tables.PROPERTIES)
    return drawn


def _not_applied(rng: random.Random) -> dict[str, Any]:
    """One update that completes without effect, beside one that has an effect."""
    if rng.random() < 0.1:
        return {"tags": rng.choice(tables.OVERFLOWS), "vip": True}
    name = rng.choice(tuple(tables.NOT_APPLIED))
    return {name: rng.choice(tables.NOT_APPLIED[name]), "vip": rng.random() < 0.5}


def _wild(rng: random.Random, section: str, right: dict[str, Any]) -> dict[str, Any]:
    if rng.random() < 0.1:
        return {**right, "_update_existing_only": rng.choice(tables.WILD_FLAGS)}
    if section == "attributes":
        name = rng.choice(_NAMES) if rng.random() < 0.3 else "wild"
        return {**right, name: rng.choice(tables.WILD_VALUES)}
    if section == "purchases" and rng.random() < 0.6:
        key, values = rng.choice(_WILD_PURCHASE)
        return {**right, key: rng.choice(values)}
    if rng.random() < 0.5:
        return {**right, "time": rng.choice(tables.WILD_TIMES)}
    return {**right, "properties": {"w": rng.choice(tables.WILD_VALUES)}}


_WILD_PURCHASE: Final = (
    ("quantity", tables.WILD_QUANTITIES),
    ("currency", tables.WILD_CURRENCIES),
    ("price", tables.WILD_PRICES),
)


def _post(body: bytes) -> Request:
    return Request("POST", SYNC, JSON_HEADERS, body)
