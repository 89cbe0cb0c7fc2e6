"""Small made-up traffic of a client, for the tests of the gate."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

from tracksync.contract.clauses import Evidence
from tracksync.gate import ClientBelief, ClientCheckResult, Observed, check_client, conclude, observe
from tracksync.model.exchange import Exchange, Failure, FailureKind, Request, Response
from tracksync.model.verdict import evidence_of
from tracksync.wire.senders import Sender

KEY = "9b1f0c52-77aa-4d0e-8f6e-canary000001"
NOW = 1_800_000_000.0
JSON = ("Content-Type", "application/json")
ATTRIBUTES = {"external_id": "user-1", "colour": "red"}
EVENT = {"external_id": "user-1", "name": "rated", "time": "2030-01-01T12:00:00Z"}
PURCHASE = {
    "external_id": "user-1",
    "product_id": "book",
    "currency": "EUR",
    "price": 9.5,
    "time": "2030-01-01T12:00:00+01:00",
}
SUCCESS = b'{"message":"success","users":[{}]}'


def body(section: str = "attributes", **members: Any) -> bytes:
    """A body with one object; a member that is None is left out."""
    base = {"attributes": ATTRIBUTES, "events": EVENT, "purchases": PURCHASE}[section]
    target = {name: value for name, value in (base | members).items() if value is not ...}
    return json.dumps({section: [target]}).encode()


def seen(
    content: bytes | None = None,
    status: int | None = 201,
    at: float = 0.0,
    lasted: float = 0.01,
    *,
    path: str = "/users/track/sync",
    method: str = "POST",
    authorization: str | None = f"Bearer {KEY}",
    headers: tuple[tuple[str, str], ...] = (JSON,),
    response_body: bytes = SUCCESS,
    reset: float | None = None,
    connection: str = "one",
    gave_up: bool = False,
    opened: float | None = None,
    answered: float | None = None,
    tags: tuple[str, ...] = (),
    sender: Sender | None = None,
) -> Observed:
    """One exchange that began `at` seconds after NOW. `status` None: the connection was cut.

    `opened`: its connection was accepted that many seconds after NOW. `answered`: seconds from the request's arrival to
    the status line.
    """
    sent = headers if authorization is None else (*headers, ("Authorization", authorization))
    shown = () if reset is None else (("x-ratelimit-reset", str(int(NOW + reset))),)
    exchange = Exchange(
        Request(method, path, sent, body() if content is None else content),
        None if status is None else Response(status, shown, response_body),
        NOW + at,
        NOW + at + lasted,
        failure=Failure(FailureKind.RESET) if status is None else None,
        tags=tags,
    )
    return observe(
        exchange,
        KEY,
        connection=connection,
        gave_up=gave_up,
        opened=None if opened is None else NOW + opened,
        answered=None if answered is None else NOW + at + answered,
        sender=sender,
    )


def checked(traffic: Iterable[Observed]) -> list[ClientCheckResult]:
    """The result of each exchange in turn, and last that of the end."""
    belief = ClientBelief()
    found = []
    for one in traffic:
        check_result = check_client(belief, one)
        belief = check_result.belief
        found.append(check_result)
    return [*found, conclude(belief)]


def broken(*traffic: Observed, notes: bool = False) -> set[str]:
    """The clauses that the traffic breaks; assumed ones too where `notes` are wanted."""
    clauses = {finding.clause for check_result in checked(traffic) for finding in check_result.findings}
    return {id_ for id_ in clauses if notes or evidence_of(id_) is not Evidence.ASSUMED}
