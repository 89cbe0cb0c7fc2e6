"""The set of cassettes that comes with tracksync: what the embedded mock does under each reading and with faults.

Pure apart from the mock's own state: the same version makes the same set, byte for byte. Kept are every probe under
the default readings, every probe under another reading where the traffic differs, one fault of each family with the
first probe that shows it, and every fault of the family that shows only when requests overlap.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from tracksync import __version__
from tracksync.cassettes.manifest import EVERYTHING, Entry
from tracksync.cassettes.minting import LARGEST, Minted, mint
from tracksync.cassettes.normalising import OURS
from tracksync.cassettes.overlapping import overlaps, record_overlap
from tracksync.engine.targets import EmbeddedMock
from tracksync.exchange import Exchange, Request
from tracksync.generate.build import Step, attributes_request, event_request, json_request, purchase_request
from tracksync.generate.harmless import Namer
from tracksync.generate.probes import PROBES, rate_burst
from tracksync.ledger import ledger
from tracksync.mock import MockConfig
from tracksync.mock.faults import catalogue
from tracksync.report.redact import Redactor

RATE_LIMIT: Final = 120
ARRAY_LIMIT: Final = 25  # the smallest that the documents name: short arrays show the limit too
BURST: Final = 6  # the limit of the sequence that goes over it
LONGEST_FREE: Final = 32 * 1024  # bytes under a reading that is free for each answer: those differ in every cassette
RACES: Final = "race"  # the family that shows only when requests overlap


def first_set() -> Iterator[tuple[str, Minted]]:
    """Every cassette of the set with its name."""
    plain: dict[str, Minted] = {}
    for name, steps in _sequences():
        minted = record(name, steps)
        if len(minted.text) <= LARGEST:
            plain[name] = minted
            yield f"probes/{name}.yaml", minted
    for row in ledger().values():
        short = _short(row.name)
        plain |= {name: record(name, steps) for name, steps in short}
        for reading in list(row.readings)[1:]:
            for name, steps in (*_sequences(), *short):
                if name in plain:
                    minted = record(name, steps, {row.name: reading})
                    if minted.text != plain[name].text and (row.learned or len(minted.text) <= LONGEST_FREE):
                        yield f"readings/{row.name}.{reading}/{name}.yaml", minted
    yield from _faults(plain)
    for fault in catalogue().values():
        if fault.family == RACES:
            yield f"faults/{RACES}--{fault.name}.yaml", _raced(fault.name)


def _faults(plain: Mapping[str, Minted]) -> Iterator[tuple[str, Minted]]:
    """One fault of each family: the first that some probe shows from its first request on."""
    families: dict[str, list[str]] = {}
    for fault in catalogue().values():
        families.setdefault(fault.family, []).append(fault.name)
    for family, faults in families.items():
        if family == RACES:
            continue
        for name in faults:
            found = _shown(name, plain)
            if found is not None:
                yield f"faults/{family}--{name}.yaml", found
                break


def _shown(fault: str, plain: Mapping[str, Minted]) -> Minted | None:
    clauses = set(catalogue()[fault].clauses)
    for name, steps in sorted(_sequences(), key=lambda one: len(one[1])):
        if name in plain:
            minted = record(name, steps, faults=(fault,))
            if clauses & set(minted.entry.breaks):
                return minted
    return None


def _raced(fault: str) -> Minted:
    """The first overlap that shows a clause which the fault is said to break, else the first that breaks any."""
    shown: list[Minted] = []
    for name, before, pair in overlaps(Namer(OURS, random.Random(0)).scope(RACES)):
        config = MockConfig(rate_limit=RATE_LIMIT, array_limit=ARRAY_LIMIT, faults=(fault,))
        minted = mint(record_overlap(config, before, pair), _entry(name, RATE_LIMIT, {}, (fault,)), Redactor())
        if set(minted.entry.breaks) & set(catalogue()[fault].clauses):
            return minted
        if minted.entry.breaks:
            shown.append(minted)
    return shown[0]


def record(
    name: str, steps: Sequence[Step], readings: Mapping[str, str] | None = None, faults: tuple[str, ...] = ()
) -> Minted:
    """Play steps against a new mock and mint what went over the wire."""
    limit = BURST if name == "rate-burst" else RATE_LIMIT
    target = EmbeddedMock(MockConfig(rate_limit=limit, array_limit=ARRAY_LIMIT, readings=readings or {}, faults=faults))
    exchanges: list[Exchange] = [target.send(step) for step in steps]
    return mint(exchanges, _entry(name, limit, readings or {}, faults), Redactor())


def _entry(name: str, limit: int, readings: Mapping[str, str], faults: tuple[str, ...]) -> Entry:
    return Entry(
        readings=dict(readings),
        against=f"tracksync {__version__} mock" + (f" with the fault {', '.join(faults)}" if faults else ""),
        probe=name,
        fresh=EVERYTHING,
        rate_limit=limit,
        array_limit=ARRAY_LIMIT,
        clock_skew=1,
    )


def _sequences() -> list[tuple[str, tuple[Step, ...]]]:
    namer = Namer(OURS, random.Random(0))
    found = [(probe.name, probe.steps(namer)) for probe in PROBES if not probe.heavy]
    return [*found, ("rate-burst", tuple(rate_burst(namer, BURST + 2)))]


def _short(row: str) -> list[tuple[str, tuple[Step, ...]]]:
    """A sequence of a few small requests for rows that only large probes, or none of them, tell apart."""
    requests = _SHORT.get(row, ())
    return [(f"short-{row}", tuple(map(Step, requests)))] if requests else []


_USER: Final = {"external_id": f"{OURS}-short-u"}
_TIME: Final = "2024-05-05T10:00:00Z"
_EVENT: Final = event_request(_USER, "ordered", _TIME)
_SHORT: Final[Mapping[str, tuple[Request, ...]]] = {
    "coerced-types": (
        json_request({"events": [{**_USER, "name": 5, "time": _TIME}]}),
        purchase_request(_USER, "book", _TIME, price="9.5"),
        purchase_request(_USER, "book", _TIME, quantity="2"),
    ),
    "identifier-precedence": (
        attributes_request(_USER, {"visits": 1}),
        attributes_request({**_USER, "braze_id": f"{OURS}-short-b"}, {"visits": 2}),
        attributes_request(_USER, {"visits": {"inc": 0}}),
    ),
    "invalid-object": (
        attributes_request(_USER, {"thing": {"size": 1}}),
        attributes_request(_USER, {"thing": {"a.b": 1}}),
        attributes_request(_USER, {"thing": {"$x": 1}}),
    ),
    "rate-counting": (_EVENT, json_request({"events": []}), _EVENT, json_request({"events": []}), _EVENT),
}
