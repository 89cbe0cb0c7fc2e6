"""Where the families enter their faults, and what several of them need."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from tracksync.mock.call import Call, Refused, WriteTask
from tracksync.mock.core import Core
from tracksync.values import times

REGISTERED: dict[str, type[Core]] = {}
Class = TypeVar("Class", bound=type[Core])


def fault(name: str) -> Callable[[Class], Class]:
    """Enter a class as the fault called `name`."""

    def enter(made: Class) -> Class:
        if name in REGISTERED:
            raise ValueError(f"two faults are called {name!r}")
        REGISTERED[name] = made
        return made

    return enter


def wave_through(core: Core, call: Call) -> Any:
    """The body of a success that did nothing, for a request that deserves a refusal."""
    call.status = 201
    return core.with_users(call, [])


def salvage(core: Core, call: Call) -> WriteTask | None:
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
