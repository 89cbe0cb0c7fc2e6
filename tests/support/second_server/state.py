"""What the server keeps of its users, and what it knows of one request."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from .variants import BASE, INTERPRETATIONS


class RefusedError(Exception):
    """The request is turned down."""

    def __init__(self, detail: str, section: str = "attributes", index: int = 0, status: int = 400):
        super().__init__(detail)
        self.detail, self.section, self.index, self.status = detail, section, index, status


@dataclass
class Tally:
    first: datetime
    last: datetime
    count: int


@dataclass(eq=False)
class Profile:
    braze_id: str
    external_id: str | None = None
    aliases: list[tuple[str, str]] = field(default_factory=list)
    email: str | None = None
    phone: str | None = None
    fields: dict[str, Any] = field(default_factory=dict)
    custom: dict[str, Any] = field(default_factory=dict)
    events: dict[str, Tally] = field(default_factory=dict)
    purchases: dict[str, Tally] = field(default_factory=dict)
    touched: int = 0
    writes: int = 0

    def snapshot(self) -> tuple[dict[str, Any], dict[str, Tally], dict[str, Tally]]:
        events = {name: Tally(**vars(tally)) for name, tally in self.events.items()}
        purchases = {name: Tally(**vars(tally)) for name, tally in self.purchases.items()}
        return dict(self.custom), events, purchases

    def restore(self, shot: tuple[dict[str, Any], dict[str, Tally], dict[str, Tally]]) -> None:
        self.custom, self.events, self.purchases = shot


@dataclass
class Plan:
    """One valid object of a request."""

    section: str
    item: dict[str, Any]
    lead: str
    key: Any
    update_only: bool
    custom: dict[str, Any] = field(default_factory=dict)
    name: str = ""
    at: datetime | None = None
    times: int = 1


@dataclass
class Request:
    method: str
    path: str
    headers: dict[str, str]
    body: bytes
    now: float = 0.0
    section: str = ""


@dataclass
class Reply:
    status: int
    body: Any
    window: dict[str, str]


def _settle(interpretation: dict[str, str] | None) -> dict[str, str]:
    chosen = dict(BASE)
    for ambiguity, value in (interpretation or {}).items():
        if ambiguity not in BASE:
            raise ValueError(f"unknown interpretation: {ambiguity}")
        if value != BASE[ambiguity] and f"{ambiguity}={value}" not in INTERPRETATIONS:
            raise ValueError(f"unknown value for the interpretation {ambiguity}: {value}")
        chosen[ambiguity] = value
    return chosen
