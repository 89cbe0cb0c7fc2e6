"""Turns operations into a figure. Knows the words for a reader, and nothing of how a figure is shown."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from tracksync.model.figures import Bar, Figure, Mark
from tracksync.race.history import RaceOperation, WriteOutcome


def figure(
    title: str,
    kept: Sequence[RaceOperation],
    context: Iterable[RaceOperation] = (),
    *,
    note: str = "",
    several: bool = False,
) -> Figure:
    """The operations in `kept`, of which the last is the one that nothing explains, among those in `context`.

    `several`: more than one user appears, so that each bar names its user.
    """
    marked: list[tuple[RaceOperation, Mark]] = [(one, "context") for one in context]
    marked += [(one, "plain") for one in kept[:-1]] + [(kept[-1], "fault")]
    marked.sort(key=lambda pair: pair[0].call)
    begin = marked[0][0].call
    return Figure(title, tuple(_bar(one, mark, begin, several) for one, mark in marked), note)


def _bar(operation: RaceOperation, mark: Mark, begin: float, several: bool) -> Bar:
    user, _, key = operation.place
    where = f"{user.rpartition('-')[2]} {key}" if several else key
    ended = operation.exchange.received if operation.exchange is not None else operation.return_
    end = None if operation.fate is WriteOutcome.OPEN else ended - begin
    text = f"{where}: {operation.write} -> {operation.answer()}"
    return Bar(f"client {operation.client}", text, operation.call - begin, end, mark)
