"""Requests of the tour through the mock, in short words."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from mock_harness import DELETE, EXPORT, SYNC, TIME, TRACK, purchase_of

OLD, NEW, FUTURE = "2001-02-03T04:05:06.789Z", "2024-02-03T04:05:06Z", "2999-01-01T00:00:00Z"
LIMIT = 30  # elements of an array on this tour
ALIAS = {"user_alias": {"alias_name": "Name", "alias_label": "Label"}}
CREATE, ONLY = {"_update_existing_only": False}, {"_update_existing_only": True}


@dataclass(frozen=True)
class Stop:
    """One request of the tour; `wait` are seconds that pass before it."""

    body: Any
    path: str = SYNC
    options: dict[str, Any] = field(default_factory=dict)
    wait: float = 0.0


def attributes(user: str = "u1", /, **named: Any) -> Stop:
    return Stop({"attributes": [{"external_id": user} | named]})


def by(identifier: dict[str, Any], /, **named: Any) -> Stop:
    return Stop({"attributes": [identifier | named]})


def event(name: Any = "e", time: Any = TIME, user: dict[str, Any] | None = None, /, **members: Any) -> Stop:
    return Stop({"events": [(user or {"external_id": "u1"}) | {"name": name, "time": time} | members]})


def purchase(product: Any = "p", user: dict[str, Any] | None = None, /, **members: Any) -> Stop:
    bought = purchase_of(product)
    if user:
        bought.pop("external_id", None)
    return Stop({"purchases": [bought | (user or {}) | members]})


def export(*users: str, wait: float = 0.0) -> Stop:
    return Stop({"external_ids": list(users)}, EXPORT, wait=wait)


def each(*values: Any) -> tuple[Any, ...]:
    """Values of different types to go through."""
    return values


def track(**sections: Any) -> Stop:
    return Stop(sections, TRACK)


def delete(wait: float = 0.0, **named: Any) -> Stop:
    return Stop(named, DELETE, wait=wait)
