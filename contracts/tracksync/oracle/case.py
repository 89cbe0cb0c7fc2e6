"""The working notes on one exchange while it is judged, and the few things that every step does with them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from msgspec import Struct, field
from msgspec.structs import replace

from tracksync.exchange import Exchange
from tracksync.findings import Finding
from tracksync.ledger import ledger
from tracksync.oracle import counters
from tracksync.oracle.belief import UNKNOWN, Belief, Cell, CellKey
from tracksync.oracle.cells import AttributeWrite
from tracksync.oracle.counters import CounterOp
from tracksync.oracle.intake import Ask


class Case(Struct):
    """The working notes on one exchange while it is judged."""

    belief: Belief
    exchange: Exchange
    ask: Ask
    in_flight: frozenset[CellKey] = frozenset()
    findings: list[Finding] = field(default_factory=list)
    exercised: set[str] = field(default_factory=set)

    def hold(self, row: str, shown: frozenset[str], where: str) -> None:
        """The server has shown one of these readings of `row`: narrow, or find that it contradicts itself."""
        if not ledger()[row].learned:
            return
        left = self.belief.rows[row]
        self.exercised.add("TS-READING-KEPT")
        if not left & shown:
            self.findings.append(changed(row, left, shown, where))
            self.belief = replace(self.belief, rows=self.belief.rows.insert(row, shown))
        elif not left <= shown:
            self.belief = replace(self.belief, rows=self.belief.rows.insert(row, left & shown))


def overdue(pending: Sequence[Any], sent: float) -> bool:
    """Whether a write that was queued must have been applied before `sent`, and is still pending."""
    return bool(pending) and any(write.due is not None and write.due < sent for write in pending)


def changed(row: str, held: Iterable[str], shown: Iterable[str], where: str) -> Finding:
    """The finding that a server left the reading it had shown."""
    before, now = " or ".join(sorted(held)), " or ".join(sorted(shown))
    text = f"the server followed the reading {row}={before} so far and now {now}"
    return Finding("TS-READING-KEPT", text, where, f"{row}={before}", f"{row}={now}")


def operations(case: Case) -> list[tuple[CellKey, Any]]:
    """The writes of the request by cell."""
    ask = case.ask
    if ask.counter is not None:
        return [(ask.cells()[0], counter_op(case, ask))]
    return [
        (("attributes", name), AttributeWrite(value, ask.merge, name in ask.odd_attributes))
        for name, value in ask.attributes.items()
    ]


def counter_op(case: Case, ask: Ask) -> CounterOp:
    """The event or purchase of the request as it reaches the store."""
    counter = ask.counter
    assert counter is not None
    exchange, skew = case.exchange, case.belief.settings.clock_skew
    return CounterOp(counters.recorded_at(counter.instant, exchange.sent, exchange.received, skew), counter.amounts)


def contended(case: Case, key: CellKey, cell: Cell) -> bool:
    """Whether another write to this cell overlapped in time: then the documents promise no outcome."""
    return cell.volatile or cell.touched >= case.exchange.sent or key in case.in_flight


def known_value(cell: Cell) -> Any:
    """The value of a cell where it is certain, otherwise UNKNOWN."""
    return cell.states[0].value if len(cell.states) == 1 and not cell.states[0].pending else UNKNOWN
