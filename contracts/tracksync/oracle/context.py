"""What is known of one exchange while it is checked, and the few things that every step does with it."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import Any

from msgspec import Struct, field
from msgspec.structs import replace

from tracksync.contract.ambiguities import ambiguity_catalogue
from tracksync.contract.responses import Mismatch
from tracksync.model.exchange import Exchange
from tracksync.model.finding import Finding
from tracksync.oracle import counters
from tracksync.oracle.attribute_outcomes import AttributeWrite
from tracksync.oracle.belief import Belief, Cell
from tracksync.oracle.counters import CounterOp
from tracksync.oracle.identifiers import CellKey
from tracksync.oracle.in_flight import NONE_IN_FLIGHT, InFlight
from tracksync.oracle.request import ParsedRequest, cell_key


class Context(Struct, gc=False):
    """One exchange while it is checked.

    `belief`: what is believed so far. `in_flight`: the cells that requests without a response yet may write.
    `findings`, `covered`: the clauses that the exchange broke, and that it bore on, so far.
    `headers`: of the response, by their names in small letters.
    """

    belief: Belief
    exchange: Exchange
    parsed: ParsedRequest
    in_flight: frozenset[CellKey] = frozenset()
    findings: list[Finding] = field(default_factory=list)
    covered: set[str] = field(default_factory=set)
    mismatches: tuple[Mismatch, ...] = ()
    """Where the response does not fit the document; what no other finding speaks of is one."""
    headers: dict[str, str] = field(default_factory=dict)
    objects: Collection[int] | None = None
    """Of a batch, the numbers of the objects that the belief is about; None for all."""
    around: InFlight = NONE_IN_FLIGHT
    """What requests without a response yet may do, `in_flight` among it."""

    def hold(self, ambiguity: str, shown: frozenset[str], where: str) -> None:
        """The response at `where` shows one of the interpretations `shown`: narrow, or find a contradiction."""
        if not ambiguity_catalogue()[ambiguity].learned:
            return
        left = self.belief.ambiguities[ambiguity]
        self.covered.add("TS-INTERPRETATION-KEPT")
        if not left & shown:
            self.findings.append(changed(ambiguity, left, shown, where))
            self.belief = replace(self.belief, ambiguities=self.belief.ambiguities.insert(ambiguity, shown))
        elif not left <= shown:
            self.belief = replace(self.belief, ambiguities=self.belief.ambiguities.insert(ambiguity, left & shown))

    def overlaps(self, key: CellKey, cell: Cell) -> bool:
        """Whether another write to this cell overlaps in time: then the documents promise no outcome."""
        return cell.volatile or cell.touched >= self.exchange.sent or key in self.in_flight


def changed(ambiguity: str, held: Iterable[str], shown: Iterable[str], where: str) -> Finding:
    """The finding that the server followed one of `held` so far, and follows one of `shown` at `where`."""
    before, now = " or ".join(sorted(held)), " or ".join(sorted(shown))
    text = f"the server followed the interpretation {ambiguity}={before} so far and now {now}"
    return Finding("TS-INTERPRETATION-KEPT", text, where, f"{ambiguity}={before}", f"{ambiguity}={now}")


def writes_of(context: Context) -> list[tuple[CellKey, Any]]:
    """The cells that the request writes, each with an AttributeWrite or a CounterOp."""
    parsed = context.parsed
    if parsed.counter is not None:
        return [(parsed.cells()[0], counter_op(context))]
    return [
        (cell_key("attributes", name), AttributeWrite(value, parsed.merge, name in parsed.odd_attributes))
        for name, value in parsed.attributes.items()
    ]


def counter_op(context: Context) -> CounterOp:
    """The event or purchase of the request as it reaches the store."""
    counter = context.parsed.counter
    assert counter is not None
    exchange, skew = context.exchange, context.belief.settings.clock_skew
    return CounterOp(counters.recorded_at(counter.instant, exchange.sent, exchange.received, skew), counter.amounts)
