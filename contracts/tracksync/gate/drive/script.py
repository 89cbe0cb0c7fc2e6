"""A script: the operations of a client, and what the server does meanwhile. Plain data, and its lines.

A script is JSON Lines: the very lines that an adapter reads, with a line of type `server` wherever the server changes
its behaviour. Adapters ignore lines of an unknown type, so that a script can be given to one by hand.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from tracksync.errors import ConfigError
from tracksync.gate.drive.protocol import MEMBERS, OPTIONAL, Kind, Operation, hello_message, shown, write

NORMAL: Final = "normal"
USER: Final[Mapping[str, Any]] = {"external_id": "user-1"}
TEXTS: Final = ("", " red ", "x\ny", 'a"b\\c', "日本語", "😀", "</script>", "null", "$HOME %s", "x" * 255)
OBJECT: Final = {"town": "Zürich", "floors": [1, 2], "sold": False}
VALUES: Final[tuple[Any, ...]] = (*TEXTS, 0, 10**15, True, False, 0.5, [], ["a", "ç"], OBJECT, None)
NAMES: Final = ('said "hi"', "Ümlaut & Co", "a b")
ALIAS: Final = {"user_alias": {"alias_name": "anna", "alias_label": "club"}}
CREATES: Final = {"update_existing_only": False}  # an unknown alias makes a user only where the request says so
CONTACTS: Final[tuple[Mapping[str, Any], ...]] = ({"email": "user-4@example.com"}, {"phone": "+12025550104"})


@dataclass(frozen=True, slots=True)
class ScriptStep:
    """Operations under one behaviour of the server: one after the other, or all at once where it is `pipelined`."""

    behaviour: str
    operations: tuple[Operation, ...]
    pipelined: bool = False


@dataclass(frozen=True, slots=True)
class Script:
    """Steps, played on a workspace without users."""

    steps: tuple[ScriptStep, ...]

    @property
    def size(self) -> tuple[int, int, int]:
        """How long it is, to compare: operations, then how simple their kinds are, then characters."""
        kinds = [operation.kind for step in self.steps for operation in step.operations]
        return len(kinds), sum(map(list(Kind).index, kinds)), len(self.text(0))

    def messages(self, deadline: float) -> list[dict[str, Any]]:
        """Every line, the hello first. Operations are numbered from 1."""
        lines: list[dict[str, Any]] = [hello_message()]
        number = 0
        for step in self.steps:
            line = {"type": "server", "behaviour": step.behaviour}
            lines.append({**line, "pipelined": True} if step.pipelined else line)
            for operation in step.operations:
                number += 1
                lines.append(operation.message(number, deadline))
        return lines

    def text(self, deadline: float) -> str:
        """The script as a file."""
        return "".join(f"{write(line)}\n" for line in self.messages(deadline))


def timed(script: Script) -> Script:
    """`script` with a time of its own for each event and purchase, so that no two of them are the same."""
    second = 0
    steps = []
    for step in script.steps:
        operations = []
        for operation in step.operations:
            if "time" in MEMBERS[operation.kind]:
                time = f"2026-01-01T12:{second // 60:02}:{second % 60:02}Z"
                operation = replace(operation, members={**operation.members, "time": time})
                second += 1
            operations.append(operation)
        steps.append(replace(step, operations=tuple(operations)))
    return Script(tuple(steps))


def shorter(script: Script) -> Iterator[Script]:
    """Every script with one operation less."""
    for place, step in enumerate(script.steps):
        for gone in range(len(step.operations)):
            rest = step.operations[:gone] + step.operations[gone + 1 :]
            kept = (replace(step, operations=rest, pipelined=step.pipelined and len(rest) > 1),) if rest else ()
            steps = (*script.steps[:place], *kept, *script.steps[place + 1 :])
            if steps:
                yield Script(steps)


def read(text: str, source: str, behaviours: Iterable[str]) -> Script:
    """The script in `text`. Raises ConfigError, which names the line."""
    known = frozenset(behaviours)
    steps: list[ScriptStep] = []
    for number, line in enumerate(text.splitlines(), 1):
        if not line.strip():
            continue
        where = f"{source}, line {number}"
        try:
            message = json.loads(line)
        except (ValueError, RecursionError):
            message = None
        if not isinstance(message, dict):
            raise ConfigError(f"{where}: not a JSON object: {shown(line)}")
        match message.get("type"):
            case "server":
                name = message.get("behaviour")
                if name not in known:
                    raise ConfigError(f"{where}: no behaviour is called {name!r}")
                steps.append(ScriptStep(str(name), (), message.get("pipelined") is True))
            case "operation":
                if not steps:
                    raise ConfigError(
                        f'{where}: say first what the server does: {{"type":"server","behaviour":"normal"}}'
                    )
                steps[-1] = replace(steps[-1], operations=(*steps[-1].operations, _operation(message, where)))
    made = Script(tuple(step for step in steps if step.operations))
    if not made.steps:
        raise ConfigError(f"{source}: there is no operation in it")
    return made


def _operation(message: Mapping[str, Any], where: str) -> Operation:
    name = message.get("operation")
    if name not in {str(kind) for kind in Kind}:
        raise ConfigError(f"{where}: no operation is called {name!r}; there are {', '.join(map(str, Kind))}")
    kind = Kind(name)
    allowed = (*MEMBERS[kind], "update_existing_only")
    members = {member: message[member] for member in allowed if member in message}
    missing = [member for member in MEMBERS[kind] if member not in members and member not in OPTIONAL]
    if missing:
        raise ConfigError(f"{where}: {kind} needs {', '.join(missing)}")
    for member in ("attributes", "properties"):
        if not isinstance(members.get(member, {}), dict):
            raise ConfigError(f"{where}: {member} is an object")
    user = message.get("user")
    if not isinstance(user, dict) or not user:
        raise ConfigError(f'{where}: user is an object such as {{"external_id": "user-1"}}')
    return Operation(kind, user, members)


def unusual(kinds: Sequence[Kind]) -> list[Script]:
    """Single operations whose contents are lawful and often handled wrong, under normal."""
    made = [Operation(Kind.SET, USER, {"attributes": {"colour": value}}) for value in VALUES]
    made += [Operation(Kind.SET, {"external_id": name}, {"attributes": {"colour": "red"}}) for name in NAMES]
    made += [replace(one, members={**one.members, "name": name}) for one in [simplest(Kind.EVENT)] for name in NAMES]
    richer = {"properties": {"note": "é", "stars": 5}}
    made += [replace(one, members={**one.members, **richer}) for one in map(simplest, (Kind.EVENT, Kind.PURCHASE))]
    made += [
        replace(simplest(Kind.PURCHASE), members={**simplest(Kind.PURCHASE).members, "price": -0.01, "quantity": 2})
    ]
    made += [replace(simplest(kind), user=user) for kind in Kind for user in CONTACTS]
    made += [replace(one, user=ALIAS, members={**one.members, **CREATES}) for one in map(simplest, Kind)]
    only = {"update_existing_only": True}
    made += [replace(one, members={**one.members, **only}) for one in map(simplest, Kind)]
    return [timed(Script((ScriptStep(NORMAL, (one,)),))) for one in made if one.kind in kinds]


def repeated(kind: Kind) -> Script:
    """The plainest operation of a kind twice for one user, then for another; what was set is removed again."""
    operations = [simplest(kind), simplest(kind), simplest(kind, "user-2")]
    if kind is Kind.SET:
        operations.append(Operation(kind, USER, {"attributes": {"colour": None}}))
    return timed(Script((ScriptStep(NORMAL, tuple(operations)),)))


def same_cell(behaviour: str, kind: Kind) -> Script:
    """Two operations on one cell at once: only one of them may be under way."""
    first = simplest(kind)
    change: Mapping[Kind, dict[str, Any]] = {
        Kind.SET: {"attributes": {"colour": "blue"}},
        Kind.EVENT: {"properties": {"stars": 5}},
        Kind.PURCHASE: {"price": 8.5},
        Kind.INCREMENT: {"by": 5},
    }
    second = replace(first, members={**first.members, **change[kind]})
    return timed(Script((ScriptStep(behaviour, (first, second), pipelined=True),)))


def simplest(kind: Kind, user: str = "user-1") -> Operation:
    """The plainest operation of a kind."""
    members: Mapping[Kind, dict[str, Any]] = {
        Kind.SET: {"attributes": {"colour": "red"}},
        Kind.EVENT: {"name": "rated", "time": ""},
        Kind.PURCHASE: {"product_id": "book", "currency": "EUR", "price": 9.5, "time": ""},
        Kind.INCREMENT: {"name": "visits", "by": 1},
    }
    return Operation(kind, {"external_id": user}, members[kind])


def single(behaviour: str, kind: Kind) -> Script:
    """One plain operation under one behaviour."""
    return timed(Script((ScriptStep(behaviour, (simplest(kind),)),)))


def concurrent(behaviour: str, kinds: Sequence[Kind]) -> Script:
    """A plain operation of each kind at once, each on a user of its own."""
    operations = tuple(simplest(kind, f"user-{place}") for place, kind in enumerate(kinds, 1))
    return timed(Script((ScriptStep(behaviour, operations, pipelined=True),)))
