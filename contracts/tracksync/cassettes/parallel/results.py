"""What the blocks of one recording come to, in the order of its exchanges: as events, and as what replay sums up."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from tracksync.cassettes.exchange_lines import interaction_of
from tracksync.cassettes.interaction import Kept
from tracksync.cassettes.parallel.blocks import Block
from tracksync.cassettes.parallel.part import Located, Summary
from tracksync.model.counts import Counts
from tracksync.model.events import ExchangeChecked, ExchangesChecked


@dataclass(frozen=True, slots=True)
class Reported:
    """Interactions in order, and those findings of the last that are the first about their clauses in its block."""

    interactions: list[Kept]
    findings: tuple[Located, ...] = ()


@dataclass(slots=True)
class Concluded:
    """A block in order. `checked`: how many interactions were. `shown`: interpretations that it changed."""

    event: ExchangesChecked
    steps: list[Reported]
    checked: int
    skipped: Counter[str] = field(default_factory=Counter)
    shown: dict[str, str] = field(default_factory=dict)


def concluded(blocks: Iterable[Block], phase: str) -> Iterator[Concluded]:
    """Each block as one process would report it. `phase`: of the run."""
    before = 0
    for block in blocks:
        skipped = Counter(one.skipped for one in block.passed if one.skipped)
        counts = Counts(skipped=sum(skipped.values()))
        for summary in block.summaries:
            counts.merge(summary.counts)
            skipped.update(summary.skipped)
        firsts = _firsts(block.summaries)
        by_index: dict[int, list[Located]] = {}
        for one in sorted(firsts, key=lambda one: (one.index, one.position)):
            by_index.setdefault(one.index, []).append(one)
        interactions, start = [one.kept for one in block.passed], block.passed[0].index
        steps: list[Reported] = []
        events: list[ExchangeChecked] = []
        done = 0
        for index, located in by_index.items():
            number = index - start + 1
            findings = tuple(one.finding for one in located)
            steps.append(Reported(interactions[done:number], tuple(located)))
            exchange = interaction_of(interactions[number - 1]).exchange
            events.append(ExchangeChecked(before + number, exchange, findings, phase=phase))
            done = number
        steps.append(Reported(interactions[done:]))
        checked = sum(summary.checked for summary in block.summaries)
        shown = dict(block.change.shown or {}) if block.change else {}
        yield Concluded(ExchangesChecked(counts, tuple(events)), steps, checked, skipped, shown)
        before += checked


def _firsts(summaries: Iterable[Summary]) -> list[Located]:
    """Of each clause the first finding."""
    found: dict[str, Located] = {}
    for summary in summaries:
        for clause, one in summary.firsts.items():
            known = found.get(clause)
            if known is None or (one.index, one.position) < (known.index, known.position):
                found[clause] = one
    return list(found.values())
