"""The golden files `requests-*`: one line for each odd request, with its class, its conditions, and what it writes."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from odd_attributes import ATTRIBUTES, OTHER_ENDPOINTS
from odd_requests import EVENTS, IDENTIFIERS, PURCHASES, TRANSPORT

from tracksync.contract.conditions import Condition
from tracksync.oracle.request import ParsedRequest
from tracksync.oracle.request_object import CounterWrite

PAGES: Final = {
    "requests-transport": TRANSPORT,
    "requests-identifiers": IDENTIFIERS,
    "requests-events": EVENTS,
    "requests-purchases": PURCHASES,
    "requests-attributes": ATTRIBUTES,
    "requests-other-endpoints": OTHER_ENDPOINTS,
}


def page_of_requests(name: str) -> str:
    """One line for each request of a group: its class, the conditions that it meets, and what it writes."""
    return "".join(f"{_line(odd.label, odd.parsed())}\n" for odd in PAGES[name])


def _line(label: str, parsed: ParsedRequest) -> str:
    conditions = "".join(f"; {_condition(one)}" for one in parsed.conditions)
    return ascii(f"{label}: {parsed.classification.request_class}{conditions} | {', '.join(_parts(parsed))}")[1:-1]


def _condition(condition: Condition) -> str:
    statuses = " or ".join(map(str, sorted(condition.statuses)))
    does = "must" if condition.refused else "may"
    shows = "".join(f" {status}:{condition.ambiguity}={shown}" for status, shown in condition.shows)
    where = condition.pointer.removeprefix("/request/")
    return f"{does} {statuses} {condition.clause} {where}{shows}"


def _parts(parsed: ParsedRequest) -> Iterator[str]:
    """What the oracle reads in the request."""
    yield " ".join(filter(None, (parsed.endpoint, parsed.section)))
    yield from (f"{kind}={_short(value)}" for kind, value in parsed.identifiers)
    flags = {
        "update only": parsed.update_only is True,
        "create": parsed.update_only is False,
        "update only or create": parsed.update_unclear is True,
        "effect unknown": parsed.vague is True,
        "merge": parsed.merge is True,
        "merge or not": parsed.merge is None,
        "body not read": parsed.body is None,
    }
    yield from (flag for flag, holds in flags.items() if holds)
    for name in parsed.attributes:
        yield f"attribute {_short(name)}{' (odd)' if name in parsed.odd_attributes else ''}"
    yield from (f"profile {name}={_short(value)}" for name, value in parsed.profile.items())
    if parsed.counter is not None:
        yield from _parts_of_counter(parsed.counter)
    yield from (f"covers {clause}" for clause in sorted(parsed.covers))


def _parts_of_counter(write: CounterWrite) -> Iterator[str]:
    yield f"{_short(write.name)} at {write.instant}"
    for amount in write.amounts:
        yield f"+{amount.added}" + (f" if {'='.join(amount.interpretation)}" if amount.interpretation else "")
    flags = {"with a zone": write.zoned, "with an offset": write.shifted, "too long": write.too_long}
    yield from (flag for flag, holds in flags.items() if holds is True)


def _short(value: Any) -> str:
    return repr(value)[:40]
