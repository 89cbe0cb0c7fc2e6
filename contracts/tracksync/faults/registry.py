"""How a family enters its faults: a decorator on a class, or a table of rows over a function that makes classes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

from tracksync.mock.call import Call, Detail, Refused, WriteTask
from tracksync.mock.core import Core
from tracksync.values import times


@dataclass(frozen=True, slots=True)
class Fault:
    """One way of breaking the contract.

    `clauses` are those it breaks, the most telling first. `family` is the module it stands in; faults of the family
    `race` show only when requests overlap, so they need a served mock and several connections. `server` is the mock's
    server with this fault. `beyond`: why a fair oracle leaves it alone, "" for a fault that has to be found.
    """

    name: str
    sentence: str
    clauses: tuple[str, ...]
    family: str
    server: type[Core]
    beyond: str = ""


@dataclass(frozen=True, slots=True)
class FaultRow:
    """One fault of a table: what is said of it, and the arguments from which its class is made."""

    name: str
    sentence: str
    clauses: tuple[str, ...]
    beyond: str
    arguments: dict[str, Any]


REGISTERED: dict[str, Fault] = {}
Class = TypeVar("Class", bound=type[Core])
Maker = TypeVar("Maker", bound=Callable[..., type[Core]])


def fault(name: str, sentence: str, *clauses: str, beyond: str = "") -> Callable[[Class], Class]:
    """Enter the decorated class as a fault. Raises ValueError if the name is taken."""

    def enter(server: Class) -> Class:
        _enter(FaultRow(name, sentence, clauses, beyond, {}), server, server.__module__)
        return server

    return enter


def row(name: str, sentence: str, *clauses: str, beyond: str = "", **arguments: Any) -> FaultRow:
    """One row of a table of faults."""
    return FaultRow(name, sentence, clauses, beyond, arguments)


def faults(*rows: FaultRow, module: str = "") -> Callable[[Maker], Maker]:
    """Enter a fault for each row: the class that the decorated function makes of the row's arguments.

    `module` is the family's, where the function stands in another one.
    """

    def enter(maker: Maker) -> Maker:
        for one in rows:
            _enter(one, maker(**one.arguments), module or maker.__module__)
        return maker

    return enter


def _enter(one: FaultRow, server: type[Core], module: str) -> None:
    if one.name in REGISTERED:
        raise ValueError(f"two faults are called {one.name!r}")
    family = module.rpartition(".")[2]
    REGISTERED[one.name] = Fault(one.name, one.sentence, one.clauses, family, server, one.beyond)


def refusing(step: str, status: int, message: str, *, bare: bool = False) -> type[Core]:
    """A server whose `step` raises this refusal, whatever it is given; `bare`: without errors."""

    def refuse(self: Core, *_: Any) -> Any:
        raise Refused(status, *(() if bare else (Detail(message),)), message=message, bare=bare)

    return type("Refusing", (Core,), {step: refuse})


def accept_unapplied(core: Core, call: Call) -> Any:
    """The body of a success that did nothing, for a request that deserves a refusal."""
    call.status = 201
    return core.with_users(call, [])


def read_leniently(core: Core, call: Call) -> WriteTask | None:
    """What a refused request asks for all the same, as far as anything can be made of it."""
    try:
        return core.read_sync(call)
    except Refused:
        pass
    try:
        section, found = core.sections(call, core.parse(call))[0]
        item = found[0]
        who = core.identify(section, 0, item)
    except (Refused, IndexError, AttributeError):
        return None
    task = WriteTask(section, 0, item, who, core.may_create(section, 0, item, who))
    name = item.get("product_id" if section == "purchases" else "name")
    if section != "attributes":
        if not isinstance(name, str):
            return None
        task.name = task.shown = name
        written = item.get("time")
        instant = times.read_time(written).instant if isinstance(written, str) else None
        task.instant = int(call.now * 1_000_000) if instant is None else instant
    return task
