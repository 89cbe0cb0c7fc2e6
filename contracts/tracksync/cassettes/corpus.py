"""The cassettes that come with tracksync: what the embedded mock does under each interpretation and with faults.

Pure apart from the mock's own state: the same version generates the same set, byte for byte. The set has every probe
under the default interpretations, every probe under another interpretation where the traffic differs, one fault of
each family with the first probe that shows it, and every fault that shows only when requests overlap.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from tracksync import __version__
from tracksync.cassettes.generating import LARGEST, GeneratedCassette, generate_cassette
from tracksync.cassettes.manifest import EVERYTHING, ManifestEntry
from tracksync.cassettes.normalising import OURS
from tracksync.cassettes.overlapping import overlaps, record_overlap
from tracksync.contract.ambiguities import ambiguity_catalogue
from tracksync.engine.targets import EmbeddedMock
from tracksync.faults.catalogue import catalogue, servers
from tracksync.generate.build import Step, attributes_request, event_request, json_request, purchase_request
from tracksync.generate.harmless import Namer
from tracksync.generate.probes import PROBES, rate_burst
from tracksync.mock import MockConfig
from tracksync.model.exchange import Exchange, Request
from tracksync.report.redact import Redactor

RATE_LIMIT: Final = 120
ARRAY_LIMIT: Final = 25  # the smallest that the documents name: short arrays show the limit too
BURST: Final = 6  # the limit of the sequence that goes over it
# Bytes under an interpretation that a server may choose anew for each response: those differ in every cassette.
LONGEST_FREE: Final = 32 * 1024
RACES: Final = "race"  # the family that shows only when requests overlap


def corpus() -> Iterator[tuple[str, GeneratedCassette]]:
    """Every cassette of the set with its name."""
    plain: dict[str, GeneratedCassette] = {}
    for name, steps in _sequences():
        generated = record(name, steps)
        if len(generated.text) <= LARGEST:
            plain[name] = generated
            yield f"probes/{name}.yaml", generated
    for ambiguity in ambiguity_catalogue().values():
        short = _short(ambiguity.name)
        plain |= {name: record(name, steps) for name, steps in short}
        for interpretation in list(ambiguity.interpretations)[1:]:
            for name, steps in (*_sequences(), *short):
                if name in plain:
                    generated = record(name, steps, {ambiguity.name: interpretation})
                    if generated.text != plain[name].text and (
                        ambiguity.learned or len(generated.text) <= LONGEST_FREE
                    ):
                        yield f"interpretations/{ambiguity.name}.{interpretation}/{name}.yaml", generated
    yield from _faults(plain)
    for fault in catalogue().values():
        if fault.family == RACES:
            yield f"faults/{RACES}--{fault.name}.yaml", _overlapping(fault.name)


def _faults(plain: Mapping[str, GeneratedCassette]) -> Iterator[tuple[str, GeneratedCassette]]:
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


def _shown(fault: str, plain: Mapping[str, GeneratedCassette]) -> GeneratedCassette | None:
    clauses = set(catalogue()[fault].clauses)
    for name, steps in sorted(_sequences(), key=lambda one: len(one[1])):
        if name in plain:
            generated = record(name, steps, faults=(fault,))
            if clauses & set(generated.entry.breaks):
                return generated
    return None


def _overlapping(fault: str) -> GeneratedCassette:
    """The first overlap that shows a clause which the fault is said to break, else the first that breaks any."""
    shown: list[GeneratedCassette] = []
    for overlap in overlaps(Namer(OURS, random.Random(0)).scope(RACES)):
        config = MockConfig(rate_limit=RATE_LIMIT, array_limit=ARRAY_LIMIT, faults=servers((fault,)))
        generated = generate_cassette(
            record_overlap(config, overlap), _entry(overlap.name, RATE_LIMIT, {}, (fault,)), Redactor()
        )
        if set(generated.entry.breaks) & set(catalogue()[fault].clauses):
            return generated
        if generated.entry.breaks:
            shown.append(generated)
    return shown[0]


def record(
    name: str, steps: Sequence[Step], interpretations: Mapping[str, str] | None = None, faults: tuple[str, ...] = ()
) -> GeneratedCassette:
    """Play steps against a new mock and record what went over the wire."""
    limit = BURST if name == "rate-burst" else RATE_LIMIT
    target = EmbeddedMock(
        MockConfig(
            rate_limit=limit,
            array_limit=ARRAY_LIMIT,
            interpretations=interpretations or {},
            faults=servers(faults),
        )
    )
    exchanges: list[Exchange] = [target.send(step) for step in steps]
    return generate_cassette(exchanges, _entry(name, limit, interpretations or {}, faults), Redactor())


def _entry(name: str, limit: int, interpretations: Mapping[str, str], faults: tuple[str, ...]) -> ManifestEntry:
    return ManifestEntry(
        interpretations=dict(interpretations),
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


def _short(ambiguity: str) -> list[tuple[str, tuple[Step, ...]]]:
    """A sequence of a few small requests for an ambiguity that only large probes, or no probes, show."""
    requests = _SHORT.get(ambiguity, ())
    return [(f"short-{ambiguity}", tuple(map(Step, requests)))] if requests else []


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
