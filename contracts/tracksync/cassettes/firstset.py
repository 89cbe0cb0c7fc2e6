"""The set of cassettes that comes with tracksync: what the embedded mock does under each reading and with faults.

Pure apart from the mock's own state: the same version makes the same set, byte for byte. Kept are every probe under
the default readings, every probe under another reading where the traffic differs, and one fault of each family with
the first probe that shows it.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from tracksync import __version__
from tracksync.cassettes.manifest import EVERYTHING, Entry
from tracksync.cassettes.minting import LARGEST, Minted, mint
from tracksync.cassettes.normalising import OURS
from tracksync.engine.targets import EmbeddedMock
from tracksync.exchange import Exchange
from tracksync.generate.build import Step
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
UNSEEN: Final = frozenset({"race"})  # families that show only when requests overlap


def first_set() -> Iterator[tuple[str, Minted]]:
    """Every cassette of the set with its name."""
    plain: dict[str, Minted] = {}
    for name, steps in _sequences():
        minted = record(name, steps)
        if len(minted.text) <= LARGEST:
            plain[name] = minted
            yield f"probes/{name}.yaml", minted
    for row in ledger().values():
        for reading in list(row.readings)[1:]:
            for name, steps in _sequences():
                if name in plain:
                    minted = record(name, steps, {row.name: reading})
                    if minted.text != plain[name].text and (row.learned or len(minted.text) <= LONGEST_FREE):
                        yield f"readings/{row.name}.{reading}/{name}.yaml", minted
    yield from _faults(plain)


def _faults(plain: Mapping[str, Minted]) -> Iterator[tuple[str, Minted]]:
    """One fault of each family: the first that some probe shows from its first request on."""
    families: dict[str, list[str]] = {}
    for fault in catalogue().values():
        families.setdefault(fault.family, []).append(fault.name)
    for family, faults in families.items():
        if family in UNSEEN:
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


def record(
    name: str, steps: Sequence[Step], readings: Mapping[str, str] | None = None, faults: tuple[str, ...] = ()
) -> Minted:
    """Play steps against a new mock and mint what went over the wire."""
    limit = BURST if name == "rate-burst" else RATE_LIMIT
    target = EmbeddedMock(MockConfig(rate_limit=limit, array_limit=ARRAY_LIMIT, readings=readings or {}, faults=faults))
    exchanges: list[Exchange] = [target.send(step) for step in steps]
    against = f"tracksync {__version__} mock" + (f" with the fault {', '.join(faults)}" if faults else "")
    entry = Entry(
        readings=dict(readings or {}),
        against=against,
        probe=name,
        fresh=EVERYTHING,
        rate_limit=limit,
        array_limit=ARRAY_LIMIT,
        clock_skew=1,
    )
    return mint(exchanges, entry, Redactor())


def _sequences() -> list[tuple[str, tuple[Step, ...]]]:
    namer = Namer(OURS, random.Random(0))
    found = [(probe.name, probe.steps(namer)) for probe in PROBES if not probe.heavy]
    return [*found, ("rate-burst", tuple(rate_burst(namer, BURST + 2)))]
