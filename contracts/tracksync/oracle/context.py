"""The working notes on one exchange while it is checked, and the few things that every step does with them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from msgspec import Struct, field
from msgspec.structs import replace

from tracksync.contract.ambiguities import ambiguity_catalogue
from tracksync.model.exchange import Exchange
from tracksync.model.finding import Finding
from tracksync.oracle import counters
from tracksync.oracle.belief import UNKNOWN, Belief, Cell, CellKey
from tracksync.oracle.cells import AttributeWrite
from tracksync.oracle.counters import CounterOp
from tracksync.oracle.request import ParsedRequest


class Context(Struct):
    """The working notes on one exchange while it is checked."""

    belief: Belief
    exchange: Exchange
    parsed: ParsedRequest
    in_flight: frozenset[CellKey] = frozenset()
    findings: list[Finding] = field(default_factory=list)
    covered: set[str] = field(default_factory=set)

    def hold(self, ambiguity: str, shown: frozenset[str], where: str) -> None:
        """The server has shown one of these interpretations of `row`: narrow, or find that it contradicts itself."""
        if not ambiguity_catalogue()[ambiguity].learned:
            return
        left = self.belief.ambiguities[ambiguity]
        self.covered.add("TS-INTERPRETATION-KEPT")
        if not left & shown:
            self.findings.append(changed(ambiguity, left, shown, where))
            self.belief = replace(self.belief, ambiguities=self.belief.ambiguities.insert(ambiguity, shown))
        elif not left <= shown:
            self.belief = replace(self.belief, ambiguities=self.belief.ambiguities.insert(ambiguity, left & shown))


def overdue(pending: Sequence[Any], sent: float) -> bool:
    """Whether a write that was queued must have been applied before `sent`, and is still pending."""
    return bool(pending) and any(write.due is not None and write.due < sent for write in pending)


def changed(ambiguity: str, held: Iterable[str], shown: Iterable[str], where: str) -> Finding:
    """The finding that a server left the reading it had shown."""
    before, now = " or ".join(sorted(held)), " or ".join(sorted(shown))
    text = f"the server followed the interpretation {ambiguity}={before} so far and now {now}"
    return Finding("TS-INTERPRETATION-KEPT", text, where, f"{ambiguity}={before}", f"{ambiguity}={now}")


def operations(context: Context) -> list[tuple[CellKey, Any]]:
    """The writes of the request by cell."""
    parsed = context.parsed
    if parsed.counter is not None:
        return [(parsed.cells()[0], counter_op(context, parsed))]
    return [
        (("attributes", name), AttributeWrite(value, parsed.merge, name in parsed.odd_attributes))
        for name, value in parsed.attributes.items()
    ]


def counter_op(context: Context, parsed: ParsedRequest) -> CounterOp:
    """The event or purchase of the request as it reaches the store."""
    counter = parsed.counter
    assert counter is not None
    exchange, skew = context.exchange, context.belief.settings.clock_skew
    return CounterOp(counters.recorded_at(counter.instant, exchange.sent, exchange.received, skew), counter.amounts)


def contended(context: Context, key: CellKey, cell: Cell) -> bool:
    """Whether another write to this cell overlapped in time: then the documents promise no outcome."""
    return cell.volatile or cell.touched >= context.exchange.sent or key in context.in_flight


def known_value(cell: Cell) -> Any:
    """The value of a cell where it is certain, otherwise UNKNOWN."""
    return cell.states[0].value if len(cell.states) == 1 and not cell.states[0].pending else UNKNOWN
