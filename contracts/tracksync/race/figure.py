"""Operations as the data of a figure. How a figure is drawn is the reports' concern."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from tracksync.model.figures import Bar, Figure, Mark
from tracksync.race.history import RaceOperation, WriteOutcome


def figure(
    title: str,
    chosen: Sequence[RaceOperation],
    context: Iterable[RaceOperation] = (),
    *,
    note: str = "",
    several: bool = False,
) -> Figure:
    """The operations in `chosen`, of which the last is the one that no order explains, among those in `context`.

    `several`: more than one user appears, so that each bar names its user.
    """
    marked: list[tuple[RaceOperation, Mark]] = [(one, "context") for one in context]
    marked += [(one, "plain") for one in chosen[:-1]] + [(chosen[-1], "fault")]
    marked.sort(key=lambda pair: pair[0].call)
    begin = marked[0][0].call
    return Figure(title, tuple(_bar(one, mark, begin, several) for one, mark in marked), note)


def _bar(operation: RaceOperation, mark: Mark, begin: float, several: bool) -> Bar:
    user, _, key = operation.place
    where = f"{user.rpartition('-')[2]} {key}" if several else key
    ended = operation.exchange.received if operation.exchange is not None else operation.return_
    end = None if operation.outcome is WriteOutcome.AMBIGUOUS else ended - begin
    text = f"{where}: {operation.write} -> {operation.result_text()}"
    return Bar(f"client {operation.client}", text, operation.call - begin, end, mark)
