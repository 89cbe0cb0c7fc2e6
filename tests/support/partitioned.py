"""Checks a recording as one process does and in parts, and gives what has to be the same."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from tracksync.cassettes.checking import check_interactions, settings_for, with_flights
from tracksync.cassettes.interaction import Interaction
from tracksync.cassettes.manifest import ManifestEntry
from tracksync.cassettes.parallel.blocks import LONGEST, Block, PartsHere, check_in_blocks
from tracksync.cassettes.parallel.connections import Connections, groups_of
from tracksync.cassettes.parallel.part import Answer, Change, Item, Partition, Summary
from tracksync.cassettes.parallel.results import concluded
from tracksync.cassettes.parallel.routing import Router
from tracksync.model.counts import Counts
from tracksync.model.exchange import Exchange

Outcome = dict[str, Any]
"""Counts, interpretations, skipped interactions, and of each clause the first finding with its line."""


def interactions_of(exchanges: Sequence[Exchange], origin: str = "http://mock") -> list[Interaction]:
    """The exchanges as a recording of one workspace, in the order of their responses."""
    ordered = sorted(exchanges, key=lambda one: one.received)
    return [Interaction(one, origin, line) for line, one in enumerate(ordered, 1)]


def by_one_process(
    interactions: Sequence[Interaction],
    skew: float = 300.0,
    entry: ManifestEntry | None = None,
    held: Mapping[str, str] | None = None,
) -> Outcome:
    counts, shown, firsts, skipped = Counts(), {}, {}, []
    for checked in check_interactions(with_flights(interactions), skew, entry, held):
        if checked.skipped:
            counts.skipped += 1
            skipped.append(checked.skipped)
            continue
        counts.add(checked.interaction.exchange, {one.clause for one in checked.findings}, checked.covered)
        shown |= checked.interpretations or {}
        for finding in checked.findings:
            firsts.setdefault(finding.clause, (checked.interaction.line, finding))
    return {"counts": counts, "shown": shown, "firsts": list(firsts.items()), "skipped": sorted(skipped)}


def in_parts(
    interactions: Sequence[Interaction],
    parts: int,
    skew: float = 300.0,
    entry: ManifestEntry | None = None,
    held: Mapping[str, str] | None = None,
    *,
    assign: Callable[[int], int] | None = None,
    longest: int = LONGEST,
) -> Outcome:
    counts, shown, firsts, skipped = Counts(), {}, {}, []
    for block in concluded(blocks(interactions, parts, skew, entry, held, assign, longest), "replay"):
        counts.merge(block.event.counts)
        shown |= block.shown
        skipped += block.skipped.elements()
        for step in block.steps:
            for one in step.findings:
                firsts.setdefault(one.finding.clause, (step.interactions[-1].line, one.finding))
    return {"counts": counts, "shown": shown, "firsts": list(firsts.items()), "skipped": sorted(skipped)}


def blocks(
    interactions: Sequence[Interaction],
    parts: int,
    skew: float,
    entry: ManifestEntry | None,
    held: Mapping[str, str] | None,
    assign: Callable[[int], int] | None,
    longest: int,
) -> Iterator[Block]:
    settings = settings_for(skew, entry, held)
    connections = Connections()
    for one in interactions:
        for group in groups_of(one.exchange):
            connections.connect(group)
    foreign = entry is None
    router = Router(settings, connections, parts, foreign=foreign, assign=assign)
    here = PartsAhead([Partition(settings, foreign=foreign) for _ in range(parts)])
    yield from check_in_blocks(router.directed(with_flights(interactions)), here, longest=longest)


class PartsAhead(PartsHere):
    """All parts but the first check whatever they have at once, as processes may that wait for the first one."""

    def take(self, items: Sequence[Sequence[Item]]) -> None:
        super().take(items)
        self._check_ahead()

    def commit(self, upto: int, change: Change | None, answers: Mapping[int, Answer]) -> list[Summary]:
        summaries = super().commit(upto, change, answers)
        self._check_ahead()
        return summaries

    def settle(self, change: Change, until: float) -> None:
        super().settle(change, until)
        self._check_ahead()

    def _check_ahead(self) -> None:
        for part in self._parts[1:]:
            while part.check_next():
                pass


def differences(one: Outcome, other: Outcome) -> list[str]:
    """What differs, in words; nothing where the outcomes are the same."""
    found = []
    for name in ("shown", "firsts", "skipped"):
        if one[name] != other[name]:
            found.append(f"{name}: {one[name]} / {other[name]}")
    for name in Counts.__slots__:
        mine, its = getattr(one["counts"], name), getattr(other["counts"], name)
        if mine != its:
            found.append(f"{name}: {_differing(mine, its)}")
    return found


def _differing(mine: Any, its: Any) -> Any:
    if not isinstance(mine, dict):
        return mine, its
    return {key: (mine.get(key), its.get(key)) for key in mine.keys() | its.keys() if mine.get(key) != its.get(key)}
