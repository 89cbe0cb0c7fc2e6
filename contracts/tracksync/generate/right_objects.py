"""Users and right objects, drawn from ready tables: what the makers of requests begin with.

Choices are made by index, the first entry after shrinking, and no strategy is built while drawing.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Any, Final, TypeVar

from hypothesis import strategies as st
from hypothesis.strategies import DrawFn, SearchStrategy

from tracksync.contract.bounds import bounds
from tracksync.generate import tables
from tracksync.generate.build import User
from tracksync.generate.harmless import Namer

T = TypeVar("T")

ABSENT: Final = object()


@lru_cache(maxsize=64)
def upto(count: int) -> SearchStrategy[int]:
    """A number of 0 to `count` - 1."""
    return st.integers(0, count - 1)


def pick(draw: DrawFn, values: Sequence[T]) -> T:
    """One of `values`, the first after shrinking. Much cheaper than a `sampled_from` that is built for one draw."""
    return values[draw(upto(len(values)))]


@lru_cache(maxsize=64)
def users(names: Namer) -> tuple[User, ...]:
    """The few users that sequences collide on, the plain one first."""
    return (
        {"external_id": names.external_id("u")},
        {"external_id": names.external_id("U")},
        {"user_alias": names.alias("a")},
        {"email": names.email("e")},
        {"phone": names.phone("p")},
        {"external_id": names.external_id("v"), "email": names.email("e")},
        {"user_alias": names.alias("a", "other")},
        {"email": names.email("e"), "phone": names.phone("p")},
        {"braze_id": names.braze_id("b")},
        {"external_id": names.integer_id("i")},
    )


@lru_cache(maxsize=64)
def unknown_users(names: Namer) -> tuple[User, ...]:
    """Users that the workspace does not have, many for each kind of identifier that can hold a prefix."""
    tags = [f"unknown-{number}" for number in range(250)]
    return (
        *({"external_id": names.external_id(tag)} for tag in tags),
        *({"user_alias": names.alias(tag)} for tag in tags),
        *({"email": names.email(tag)} for tag in tags),
        *({"braze_id": names.braze_id(tag)} for tag in tags),
    )


_FLAGS: Final = (ABSENT, ABSENT, True, False)


def flagged(one: dict[str, Any], flag: Any) -> dict[str, Any]:
    """The object with `_update_existing_only`, without it where `flag` is ABSENT."""
    return one if flag is ABSENT else {**one, "_update_existing_only": flag}


_ATTRIBUTES: Final = tuple((name, value) for name, values in tables.ATTRIBUTES.items() for value in values)
_MERGE: Final = (ABSENT, True, False)
_QUANTITIES: Final = (ABSENT, *tables.QUANTITIES)


def right_object(draw: DrawFn, section: str, user: User) -> dict[str, Any]:
    """An object of `section` for `user` that keeps the documents, without `_update_existing_only`."""
    if section == "attributes":
        values = dict(pick(draw, _ATTRIBUTES) for _ in range(draw(upto(3)) + 1))
        merge = pick(draw, _MERGE)
        return {**user, **values} if merge is ABSENT else {**user, **values, "_merge_objects": merge}
    if section == "events":
        return {**user, "name": pick(draw, tables.EVENT_NAMES), "time": pick(draw, tables.TIMES)}
    right = {
        **user,
        "product_id": pick(draw, tables.PRODUCTS),
        "time": pick(draw, tables.TIMES),
        "currency": pick(draw, tables.CURRENCIES),
        "price": pick(draw, tables.PRICES),
    }
    quantity = pick(draw, _QUANTITIES)
    return right if quantity is ABSENT else {**right, "quantity": quantity}


def section_and_object(draw: DrawFn, names: Namer) -> tuple[str, dict[str, Any]]:
    """A section, and a right object of it for one of the few users."""
    section = pick(draw, bounds().sections)
    right = right_object(draw, section, pick(draw, users(names)))
    return section, flagged(right, pick(draw, _FLAGS))
