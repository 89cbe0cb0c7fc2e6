"""How a family enters its faults: a class with a decorator, or a table of rows.

A table is over one step of the server (`overriding`), or over a function that makes the classes (`faults`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import partial
from http import HTTPStatus
from inspect import signature
from itertools import islice
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


def faults(*clauses: str, module: str = "") -> Callable[..., Callable[[Maker], Maker]]:
    """The head of a table of faults, to be called with its rows, and then with the function that makes their classes.

    `clauses` are those of every row that names none. `module` is the family's, where the function is another one's.
    """

    def table(*rows: FaultRow) -> Callable[[Maker], Maker]:
        def enter(maker: Maker) -> Maker:
            for one in rows:
                complete = one if one.clauses else replace(one, clauses=clauses)
                _enter(complete, maker(**one.arguments), module or maker.__module__)
            return maker

        return enter

    return table


def overriding(step: str, *clauses: str, module: str) -> Callable[..., None]:
    """The head of a table of faults that override one step of the server, to be called with its rows.

    A row has functions that name what they need: parameters of the step, `server`, and `right` for what the correct
    step returns. `when`: whether this call goes wrong; always if it is left out. Then one of these: `given`, the
    arguments that are different, by name; `result`, what is returned instead; `refusal`, what is raised.
    """

    def table(*rows: FaultRow) -> None:
        faults(*clauses, module=module)(*rows)(partial(_override, step))

    return table


def _enter(one: FaultRow, server: type[Core], module: str) -> None:
    if one.name in REGISTERED:
        raise ValueError(f"two faults are called {one.name!r}")
    family = module.rpartition(".")[2]
    REGISTERED[one.name] = Fault(one.name, one.sentence, one.clauses, family, server, one.beyond)


def _override(
    step: str,
    *,
    when: Callable[..., Any] = lambda: True,
    given: Callable[..., dict[str, Any]] = lambda: dict[str, Any](),
    result: Callable[..., Any] = lambda right: right,
    refusal: Callable[..., Refused] | None = None,
) -> type[Core]:
    names = ("server", *islice(signature(getattr(Core, step)).parameters, 1, None))
    is_wrong, changed, returned = _by_name(when, names), _by_name(given, names), _by_name(result, (*names, "right"))
    raised = None if refusal is None else _by_name(refusal, names)
    needs_right = "right" in signature(result).parameters

    def override(self: Core, *arguments: Any) -> Any:
        correct = getattr(super(server, self), step)
        known = dict(zip(names, (self, *arguments), strict=True))
        if not is_wrong(known):
            return correct(*arguments)
        if raised is not None:
            raise raised(known)
        if needs_right:
            known["right"] = correct(*islice((known | changed(known)).values(), 1, None))
        return returned(known)

    server = type("Overriding", (Core,), {step: override})
    return server


def _by_name(function: Callable[..., Any], names: tuple[str, ...]) -> Callable[[Mapping[str, Any]], Any]:
    """`function` with the values that its parameters name. Raises ValueError if they are not among `names`."""
    wanted = tuple(signature(function).parameters)
    if not set(wanted) <= set(names):
        raise ValueError(f"{', '.join(wanted)}: known are {', '.join(names)}")
    return lambda known: function(*map(known.__getitem__, wanted))


def refusing(step: str, status: int, message: str = "", *, bare: bool = False) -> type[Core]:
    """A server whose `step` raises this refusal, whatever it is given; `bare`: without errors.

    `message` is the name of the status if it is left out.
    """
    text = message or HTTPStatus(status).phrase

    def refuse(self: Core, *_: Any) -> Any:
        raise Refused(status, *(() if bare else (Detail(text),)), message=text, bare=bare)

    return type("Refusing", (Core,), {step: refuse})


def without(members: Mapping[str, Any], name: str) -> dict[str, Any]:
    """The members of a body or an entry but for one."""
    return {key: held for key, held in members.items() if key != name}


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
