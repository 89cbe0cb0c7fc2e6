"""The protocol of adapters, version 1: what tracksync writes to an adapter and what it reads back. Pure, no I/O.

JSON Lines in UTF-8: one object a line. docs/drive.md is the reference; this file is the form.

    ->  {"type": "hello", "protocol": 1}
    <-  {"type": "hello", "protocol": 1, "client": "ours 1.2", "operations": ["set", "event"], "pipelining": true}
    ->  {"type": "operation", "id": 1, "operation": "set", "deadline": 10, "user": {…}, "attributes": {…}}
    <-  {"type": "outcome", "id": 1, "outcome": "applied", "values": {…}, "attempts": 1}
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Final

from tracksync.errors import Incomplete, UsageError

VERSION: Final = 1
SHOWN: Final = 120  # characters of a line that a message shows


class Kind(StrEnum):
    """The kinds of operation, simplest first."""

    SET = "set"
    EVENT = "event"
    PURCHASE = "purchase"
    INCREMENT = "increment"


class ReportedOutcome(StrEnum):
    """What a client makes of an operation."""

    APPLIED = "applied"
    NOT_APPLIED = "not_applied"
    REJECTED = "rejected"
    RATE_LIMITED = "rate_limited"
    UNAUTHORISED = "unauthorised"
    FAILED = "failed"


MEMBERS: Final[Mapping[Kind, tuple[str, ...]]] = {
    Kind.SET: ("attributes",),
    Kind.EVENT: ("name", "time", "properties"),
    Kind.PURCHASE: ("product_id", "currency", "price", "quantity", "time", "properties"),
    Kind.INCREMENT: ("name", "by"),
}
OPTIONAL: Final = frozenset({"properties", "quantity", "update_existing_only"})


class NoAdapter(UsageError):
    """The command does not keep the protocol from the beginning: it is not an adapter."""


class ProtocolError(Incomplete):
    """An adapter that had said hello no longer keeps the protocol: nothing that it says can be checked."""


@dataclass(frozen=True, slots=True)
class Operation:
    """One thing that the client is to do. `members` are those of its kind, and perhaps `update_existing_only`."""

    kind: Kind
    user: Mapping[str, Any]
    members: Mapping[str, Any]

    def message(self, number: int, deadline: float) -> dict[str, Any]:
        """The operation as a message. `deadline` is in seconds from when it is sent."""
        head = {"type": "operation", "id": number, "operation": str(self.kind), "deadline": deadline}
        return {**head, "user": dict(self.user), **self.members}


@dataclass(frozen=True, slots=True)
class Hello:
    """What an adapter says of itself."""

    client: str
    operations: tuple[Kind, ...] = tuple(Kind)
    pipelining: bool = False


@dataclass(frozen=True, slots=True)
class AdapterReport:
    """What a client made of an operation. `values` and `attempts` are None where it does not tell."""

    id: int
    outcome: ReportedOutcome
    values: Mapping[str, Any] | None = None
    attempts: int | None = None
    message: str = ""
    raw: Mapping[str, Any] = field(default_factory=dict)


def hello_message() -> dict[str, Any]:
    """The first line that an adapter gets."""
    return {"type": "hello", "protocol": VERSION}


def write(message: Mapping[str, Any]) -> str:
    """A message as one line without its end."""
    return json.dumps(message, ensure_ascii=False, separators=(",", ":"))


def shown(line: str) -> str:
    """A line, cut to what a message can hold."""
    return repr(line if len(line) <= SHOWN else f"{line[:SHOWN]}…")


def read_hello(line: str) -> Hello:
    """The adapter's hello. Raises NoAdapter, which says what is wrong and what to write instead."""
    example = write({"type": "hello", "protocol": VERSION, "client": "NAME VERSION"})
    message = _object(line)
    if message is None or message.get("type") != "hello":
        raise NoAdapter(
            f"the first line of the adapter is not a hello but {shown(line)}; write {example} and nothing before it: "
            "standard output belongs to the protocol, logs go to standard error"
        )
    if message.get("protocol") != VERSION:
        raise NoAdapter(f"the adapter speaks protocol {message.get('protocol')!r}; this tracksync speaks {VERSION}")
    names = message.get("operations", [str(kind) for kind in Kind])
    known = [str(kind) for kind in Kind]
    if not isinstance(names, list) or not names or any(name not in known for name in names):
        raise NoAdapter(f"the adapter's operations are {shown(json.dumps(names))}; known are {', '.join(known)}")
    pipelining = message.get("pipelining", False)
    if not isinstance(pipelining, bool):
        raise NoAdapter(f"the adapter's hello has pipelining {pipelining!r}; it is true or false")
    return Hello(str(message.get("client", "unnamed"))[:SHOWN], tuple(Kind(name) for name in known if name in names),
                 pipelining)  # fmt: skip


def read_report(line: str, number: int, open_: frozenset[int]) -> AdapterReport | None:
    """The outcome in `line`, which is the adapter's `number`-th; None for a line of a type that is not known.

    `open_` are the operations without an outcome. Raises ProtocolError.
    """
    where = f"line {number} of the adapter's standard output"
    message = _object(line)
    if message is None:
        raise ProtocolError(f"{where} is not a JSON object: {shown(line)}; logs go to standard error")
    if message.get("type") != "outcome":
        return None
    id_, name = message.get("id"), message.get("outcome")
    if isinstance(id_, bool) or not isinstance(id_, int) or id_ not in open_:
        numbers = ", ".join(map(str, sorted(open_)))
        raise ProtocolError(f"{where} is about operation {id_!r}; open are {numbers}: an outcome repeats the id")
    if name not in {str(one) for one in ReportedOutcome}:
        raise ProtocolError(f"{where} has the outcome {name!r}; there are {', '.join(map(str, ReportedOutcome))}")
    values, attempts = message.get("values"), message.get("attempts")
    if values is not None and not isinstance(values, dict):
        raise ProtocolError(f"{where}: values is an object of names and values, or left out")
    if attempts is not None and (isinstance(attempts, bool) or not isinstance(attempts, int) or attempts < 0):
        raise ProtocolError(f"{where}: attempts is the number of requests that were sent, or left out")
    return AdapterReport(id_, ReportedOutcome(name), values, attempts, str(message.get("message", ""))[:SHOWN], message)


def _object(line: str) -> dict[str, Any] | None:
    try:
        message = json.loads(line)
    except (ValueError, RecursionError):
        return None
    return message if isinstance(message, dict) else None
