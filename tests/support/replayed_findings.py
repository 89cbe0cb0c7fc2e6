"""Replayed findings, made by hand, for the tests of causes."""

from __future__ import annotations

from typing import Any

from tracksync.engine.replayed_finding import ReplayedFinding
from tracksync.model.finding import NOTHING, Finding

EVENTS = "/response/body/users/0/custom_events/0/count"
ATTRIBUTES = "/response/body/users/0/custom_attributes/a"
PURCHASES = "/response/body/users/0/purchase_events/0/count"
EXPORTED = "/response/body/users/0/purchases"
STATUS = "/response/status"


def shown(
    clause: str,
    *beside: str,
    pointer: str = "",
    message: str = "m",
    length: int | None = 2,
    kinds: tuple[str, ...] = ("external_id",),
    expected: object = NOTHING,
    actual: object = NOTHING,
    **more: Any,
) -> ReplayedFinding:
    """A finding; `more`: members of ReplayedFinding, sets as tuples."""
    finding = Finding(clause, message, pointer, expected, actual)
    sets = {name: frozenset(value) if isinstance(value, tuple) else value for name, value in more.items()}
    named = sets.pop("named", frozenset(kinds))
    return ReplayedFinding(finding, length, frozenset(beside), kinds=frozenset(kinds), named=named, **sets)
