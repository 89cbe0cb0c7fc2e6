"""What is true of an operation: what its responses said, and what the mock knows. Pure.

`outcomes.toml` says which report fits which truth; this module finds out the truth.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from importlib import resources
from typing import Any, Final

from tracksync.gate.drive.protocol import Kind, Operation, ReportedOutcome
from tracksync.gate.retries import MAYBE_APPLIED
from tracksync.model.exchange import Request, Response
from tracksync.values.jsontext import read_json
from tracksync.values.times import read_time
from tracksync.wire.observed import Observed

SECTIONS: Final[Mapping[Kind, str]] = {
    Kind.SET: "attributes",
    Kind.INCREMENT: "attributes",
    Kind.EVENT: "events",
    Kind.PURCHASE: "purchases",
}
LISTS: Final[Mapping[str, tuple[str, str]]] = {
    "events": ("custom_events", "name"),
    "purchases": ("purchase_events", "product_id"),
}
DENIED: Final = frozenset({401, 403})


class KnownToClient(StrEnum):
    """The most that the responses to an operation said; see outcomes.toml."""

    SHOWN = "shown"
    UNMADE = "unmade"
    REFUSED = "refused"
    DENIED = "denied"
    LIMITED = "limited"
    TRANSIENT_FAILURE = "transient-failure"
    NO_RESPONSE = "no-response"


@dataclass(frozen=True, slots=True)
class Truth:
    """What is true of one operation.

    `applied`: how many of its requests took effect. `requests`: how many came. `shown`: the values of the last
    response that showed any. `disturbed`: some response was not a complete 2XX. `doubtful`: after some response a count
    may have been applied or not, so that not to send it again is prudent. `altered`: a request that said otherwise.
    """

    known: KnownToClient
    applied: int
    requests: int
    shown: Mapping[str, Any] | None = None
    disturbed: bool = False
    doubtful: bool = False
    altered: Request | None = None

    def wrong(self, outcome: ReportedOutcome) -> str:
        """The clause that a report of `outcome` breaks; empty where it is right."""
        return table()[self.known, self.applied > 0][outcome]


@cache
def table() -> Mapping[tuple[KnownToClient, bool], Mapping[ReportedOutcome, str]]:
    """outcomes.toml: (what the client can know, whether it was applied) to the clause that each outcome breaks."""
    text = resources.files("tracksync.gate.drive").joinpath("outcomes.toml").read_text(encoding="utf-8")
    return {
        (KnownToClient(known), effect == "some"): {ReportedOutcome(name): clause for name, clause in outcomes.items()}
        for known, effects in tomllib.loads(text).items()
        for effect, outcomes in effects.items()
    }


def find_truth(operation: Operation, observed: Sequence[Observed], applied: int) -> Truth:
    """The truth of `operation`, from its exchanges in order and how many of its requests the mock applied."""
    known = KnownToClient.NO_RESPONSE
    shown: Mapping[str, Any] | None = None
    disturbed = doubtful = False
    for one in observed:
        response = None if one.gave_up else one.exchange.response
        says, values = _read(operation, response)
        shown = values if values is not None else shown
        if known is not KnownToClient.SHOWN:
            known = says
        spoilt = says is KnownToClient.TRANSIENT_FAILURE
        disturbed = disturbed or spoilt or says in (KnownToClient.REFUSED, KnownToClient.DENIED, KnownToClient.LIMITED)
        doubtful = doubtful or (
            spoilt and (response is None or response.status < 500 or response.status in MAYBE_APPLIED)
        )
    requests = (one.exchange.request for one in observed)
    altered = next((request for request in requests if _likeness(request, operation) < EXACT), None)
    return Truth(known, applied, len(observed), shown, disturbed, doubtful, altered)


def _read(operation: Operation, response: Response | None) -> tuple[KnownToClient, Mapping[str, Any] | None]:
    """What a response says of the operation, and the values that it shows of it, if it shows any."""
    if response is None or response.status >= 500:
        return KnownToClient.TRANSIENT_FAILURE, None
    if response.status >= 400:
        limited = KnownToClient.LIMITED if response.status == 429 else KnownToClient.REFUSED
        return (KnownToClient.DENIED if response.status in DENIED else limited), None
    body = read_json(response.body).value
    if not 200 <= response.status < 300 or not isinstance(body, dict):
        return KnownToClient.TRANSIENT_FAILURE, None
    users = body.get("users")
    if not (isinstance(users, list) and users and isinstance(users[0], dict)):
        return KnownToClient.UNMADE, {}
    values = _values(operation, users[0])
    return (KnownToClient.SHOWN if _shows(operation, values) else KnownToClient.UNMADE), values


def _values(operation: Operation, entry: Mapping[str, Any]) -> dict[str, Any]:
    """What the entry of a user shows of the operation, in the form in which an adapter reports it."""
    section = SECTIONS[operation.kind]
    if section == "attributes":
        shown = entry.get("custom_attributes")
        return dict(shown) if isinstance(shown, dict) else {}
    member, key = LISTS[section]
    listed = entry.get(member)
    for one in listed if isinstance(listed, list) else ():
        if isinstance(one, dict) and one.get(key) == operation.members[key]:
            return {"count": one.get("count")}
    return {}


def _shows(operation: Operation, values: Mapping[str, Any]) -> bool:
    if operation.kind is Kind.SET:
        wanted = operation.members["attributes"]
        return all(same(values.get(name), value) for name, value in wanted.items())
    if operation.kind is Kind.INCREMENT:
        value = values.get(operation.members["name"])
        return isinstance(value, (int, float)) and not isinstance(value, bool)
    return "count" in values


def same(a: Any, b: Any) -> bool:
    """Whether two JSON values are the same; true is not 1, and 1.0 is 1."""
    if isinstance(a, bool) or isinstance(b, bool):
        return a is b
    if isinstance(a, dict) and isinstance(b, dict):
        return a.keys() == b.keys() and all(same(a[name], b[name]) for name in a)
    if isinstance(a, list) and isinstance(b, list):
        return len(a) == len(b) and all(map(same, a, b))
    return bool(a == b)


# --- which operation a request belongs to -----------------------------------------------------------------------------


def operation_of(request: Request, open_: Mapping[int, Operation]) -> int | None:
    """The number of the operation in `open_` of which `request` is most likely a try; None for none of them."""
    ranks = {number: _likeness(request, operation) for number, operation in open_.items()}
    best = max(ranks, key=lambda number: (ranks[number], _size(open_[number])), default=None)
    if best is None or (ranks[best] == 0 and len(open_) > 1):
        return None
    return best


def _size(operation: Operation) -> int:
    """How many members an operation has: of two that fit a request equally, the larger one is meant."""
    return len(expected_members(operation))


EXACT: Final = 4


def _likeness(request: Request, operation: Operation) -> int:
    """How much of `operation` a request has: 0 nothing, 1 the kind, 2 the user too, 3 the cell too, EXACT everything.

    Further members of the request make no difference: a client may have members of its own.
    """
    body = read_json(request.body).value
    section = SECTIONS[operation.kind]
    objects = body.get(section) if isinstance(body, dict) else None
    target = objects[0] if isinstance(objects, list) and objects else objects
    if not isinstance(target, dict):
        return 0
    if any(target.get(name) != value for name, value in operation.user.items()):
        return 1
    expected = expected_members(operation)
    cell = expected.keys() - {"_update_existing_only"} if section == "attributes" else {LISTS[section][1]}
    if not cell <= target.keys() or (section != "attributes" and not _alike(target, expected, *cell)):
        return 2
    return EXACT if all(_alike(target, expected, name) for name in expected) else 3


def expected_members(operation: Operation) -> dict[str, Any]:
    """The members that a request's object has to have beside the user."""
    members = dict(operation.members)
    only = {"_update_existing_only": members.pop("update_existing_only")} if "update_existing_only" in members else {}
    if operation.kind is Kind.SET:
        members = dict(members["attributes"])
    elif operation.kind is Kind.INCREMENT:
        members = {members["name"]: {"inc": members["by"]}}
    return {**members, **only}


def _alike(target: Mapping[str, Any], expected: Mapping[str, Any], name: str) -> bool:
    """Whether a request has a member as expected; times may be written in any form of the same instant."""
    sent, wanted = target.get(name, _ABSENT), expected[name]
    if name == "time" and isinstance(sent, str) and isinstance(wanted, str):
        return read_time(sent).instant == read_time(wanted).instant
    return sent is not _ABSENT and same(sent, wanted)


_ABSENT: Final = object()
