"""Read the one object of a request: which user it names, which attributes, event or purchase it writes.

Knows the members of the documents' objects, and nothing of what is refused: that is the contract's to say.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from typing import Any, Final

from msgspec import Struct

from tracksync.contract.bounds import bounds
from tracksync.oracle.counters import Amount
from tracksync.oracle.interpretations import COUNT_IS_ONE, COUNT_IS_QUANTITY
from tracksync.values.numbers import is_integer, is_number
from tracksync.values.times import Certainty, read_time

_NEAR_THE_LIMIT: Final = 5  # characters: from here on a product_id shows whether the limit is kept
_FIRST_YEAR: Final = 1000  # before it, forms of dates are read in too many ways to know the instant
_PLAIN_DATE: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}|[0-9]{2}/[0-9]{2}/[0-9]{4}")


class CounterWrite(Struct, frozen=True, gc=False):
    """An event or purchase.

    `name`: a text, or an integer under the ambiguities integer-products and coerced-types.
    `instant`: its time in microseconds, None where that is not clear. `zoned`: written with a zone; `shifted`: with
    one other than UTC. `amounts`: each that it may add to the count.
    `too_long`: its name is over the documented length, and not to be recorded as it is.
    """

    section: str
    name: Any
    instant: int | None
    zoned: bool
    shifted: bool
    amounts: tuple[Amount, ...]
    too_long: bool = False


_ONE: Final = (Amount(1),)
_ANY: Final = (Amount(None),)


def read_identifiers(target: dict[str, Any]) -> tuple[tuple[str, Any], ...]:
    """The identifiers by which a server may find or create a user: texts, numbers, and aliases with both parts."""
    found = []
    for kind in bounds().identifiers:
        if kind in target and _is_identifier(kind, target[kind]):
            found.append((kind, target[kind]))
    return tuple(found)


def _is_identifier(kind: str, value: Any) -> bool:
    if kind == "user_alias":
        return is_alias(value)
    return type(value) is str or is_number(value)


def is_alias(value: Any) -> bool:
    """Whether `value` names a user by both parts of an alias."""
    parts = ("alias_name", "alias_label")
    return isinstance(value, dict) and all(
        part in value and not isinstance(value[part], (dict, list)) for part in parts
    )


def read_attributes(target: dict[str, Any]) -> tuple[dict[str, Any], dict[str, Any], bool | None]:
    """The custom attributes, the profile fields, and whether objects are merged (None: unclear)."""
    limits = bounds()
    known = limits.object_members["attributes"]
    custom, profile = {}, {}
    for name, value in target.items():
        if name not in known:
            custom[name] = value
        elif name in limits.profile_fields and name not in limits.profile_identifiers:
            profile[name] = value
    merge = target.get("_merge_objects", False)
    return custom, profile, merge if isinstance(merge, bool) else None


def read_counter(section: str, target: dict[str, Any]) -> CounterWrite | None:
    """The event or purchase that an object records; None where it has no name that could be remembered."""
    name = target.get("name" if section == "events" else "product_id")
    if name is None or isinstance(name, (dict, list)):
        return None
    instant, zoned, shifted = _read_time(target.get("time"))
    amounts = _ONE if section == "events" else _amounts(target.get("quantity", 1))
    too_long = section == "purchases" and isinstance(name, str) and len(name) > bounds().product_id_characters
    return CounterWrite(section, name, instant, zoned, shifted, amounts, too_long)


def _read_time(value: Any) -> tuple[int | None, bool, bool]:
    """The instant if it is clear, whether the text has a zone, and whether that is another than UTC."""
    if not isinstance(value, str):
        return None, True, False
    time = read_time(value)
    if time.year is None or time.year < _FIRST_YEAR:
        return None, True, False
    if time.certainty is Certainty.CERTAIN:
        return time.instant, time.zoned, bool(time.offset_minutes)
    return (time.instant if _PLAIN_DATE.fullmatch(value) else None), True, False


def _amounts(quantity: Any) -> tuple[Amount, ...]:
    limits = bounds()
    if not (is_number(quantity) and is_integer(quantity) and limits.quantity_min <= quantity <= limits.quantity_max):
        return _ANY
    count = int(quantity)
    return _ONE if count == 1 else (Amount(count, COUNT_IS_QUANTITY), Amount(1, COUNT_IS_ONE))


def covered_by_object(
    section: str, target: dict[str, Any], doubted: Collection[str], identifiers: Sequence[tuple[str, Any]]
) -> frozenset[str]:
    """The clauses that acceptance of the object covers; `doubted`: the members whose acceptance is open or refused."""
    if section == "attributes":
        if bounds().plain_profile_fields.isdisjoint(target):
            return _NOTHING
        fields = bounds().plain_profile_fields & target.keys()
        return _NOTHING if fields <= set(doubted) else _PROFILE
    covered = set()
    if target.get("_update_existing_only") is False and len(identifiers) == 1 and identifiers[0][0] == "user_alias":
        covered.add("TS-USER-ALIAS-CREATE-EVENT")
    properties = target.get("properties")
    if isinstance(properties, dict) and "properties" not in doubted:
        covered.add("TS-EVENT-PROPERTIES" if section == "events" else "TS-PURCHASE-PROPERTIES")
        if section == "events" and len(properties) > bounds().properties_count:
            covered.add("TS-EVENT-PROPERTIES-256")
    if section == "purchases":
        covered |= _covered_by_purchase(target, doubted)
    return frozenset(covered) if covered else _NOTHING


def _covered_by_purchase(target: dict[str, Any], doubted: Collection[str]) -> set[str]:
    covered = set()
    product, price = target.get("product_id"), target.get("price", 0)
    if isinstance(product, str) and len(product) > bounds().product_id_characters - _NEAR_THE_LIMIT:
        covered.add("TS-PURCHASE-PRODUCT-LENGTH")
    if is_number(price) and price < 0 and "price" not in doubted:
        covered.add("TS-PURCHASE-REFUND")
    if _amounts(target.get("quantity", 1)) != _ANY:
        covered.add("TS-PURCHASE-QUANTITY")
    return covered


_NOTHING: Final[frozenset[str]] = frozenset()
_PROFILE: Final = frozenset({"TS-PROFILE-ACCEPTED"})
