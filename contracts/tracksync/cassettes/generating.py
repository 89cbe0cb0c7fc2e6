"""Generates cassettes: from the findings of a run as they are confirmed, and on request from all probes.

A cassette is named after clause and probe. It is redacted, moved to the fixed clock, audited and checked before it is
written; its manifest entry says what the oracle found in exactly that file. Nothing that the audit refuses is written.
"""

from __future__ import annotations

import hashlib
import random
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Final

from tracksync.cassettes import writing
from tracksync.cassettes.audit import Auditor
from tracksync.cassettes.checking import check_recording
from tracksync.cassettes.manifest import NAME, ManifestEntry, read_manifest, render
from tracksync.cassettes.normalising import OURS, rename, steady
from tracksync.cassettes.pseudonyms import identifiers_in
from tracksync.cassettes.reading import parse
from tracksync.cassettes.redacting import RecordingRedactor
from tracksync.contract.clauses import catalogue
from tracksync.errors import UsageError
from tracksync.generate.harmless import Namer
from tracksync.generate.probes import PROBES
from tracksync.model.events import Event, ExchangeChecked, FindingConfirmed, RunEnded
from tracksync.model.exchange import Exchange
from tracksync.report.redact import Redactor

# A prefix as the engine draws it: a stem and hexadecimal digits.
_RUN_PREFIX: Final = re.compile(r"((?:ts|[A-Za-z][A-Za-z0-9_-]*-)(?:[0-9a-f]{12}|[0-9a-f]{8}))-")
LARGEST: Final = 256 * 1024  # bytes of a cassette that belongs into a repository


@dataclass(frozen=True, slots=True)
class GeneratedCassette:
    """A cassette that is ready to be written."""

    text: str
    entry: ManifestEntry


def generate_cassette(exchanges: Sequence[Exchange], entry: ManifestEntry, redactor: Redactor) -> GeneratedCassette:
    """The cassette of a sequence. `entry` says what is known of the recording; the oracle fills in the rest.

    Identifiers with the prefix of a run get the fixed prefix; all others get pseudonyms.
    """
    for prefix in sorted(prefixes_in(exchanges)):
        exchanges = rename(exchanges, prefix)
    redactor_of_cassette = RecordingRedactor(redactor, OURS)
    redacted = [redactor_of_cassette.exchange(one) for one in exchanges]
    plain = _checked(redacted, entry)
    normal = _checked(steady(redacted), entry)
    # The fixed clock must not change what the oracle sees; where it does, the recording keeps its own.
    same = (normal.entry.breaks, normal.entry.covers) == (plain.entry.breaks, plain.entry.covers)
    return normal if same else plain


def prefixes_in(exchanges: Sequence[Exchange]) -> set[str]:
    """The prefixes of runs in the requests: a run draws a new one when it replays a sequence."""
    return {
        match[1]
        for one in exchanges
        for value in identifiers_in(one.request.body)
        if (match := _RUN_PREFIX.match(value)) is not None
    }


def _checked(exchanges: Sequence[Exchange], entry: ManifestEntry) -> GeneratedCassette:
    text = writing.render(exchanges)
    recording = parse(text, Path("generated.yaml"))
    covered: set[str] = set()
    broken: set[str] = set()
    shown: Mapping[str, str] = {}
    for checked in check_recording(recording, entry):
        covered |= checked.covered
        broken |= {finding.clause for finding in checked.findings}
        shown = checked.interpretations or shown
    at = datetime.fromtimestamp(exchanges[0].sent, UTC).strftime("%Y-%m-%dT%H:%M:%SZ") if exchanges else ""
    found = replace(
        entry,
        covers=tuple(sorted(covered | broken)),
        breaks=tuple(sorted(broken)),
        shown=dict(sorted(shown.items())),
        recorded_at=entry.recorded_at or at,
    )
    return GeneratedCassette(text, found)


class CassetteDirectory:
    """A directory of cassettes and its manifest. The same sequence is stored once, whatever its name.

    `anew`: the beginnings of the names of cassettes that are all generated anew; those that are not put are deleted.
    """

    def __init__(self, directory: Path, auditor: Auditor, anew: tuple[str, ...] = ()) -> None:
        self.directory = directory
        self._auditor = auditor
        try:
            directory.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise UsageError(f"cannot create {directory}: {error.strerror or error}") from None
        entries = read_manifest(directory)
        self._old = {name for name in entries if anew and name.startswith(anew)}
        self._entries = {name: entry for name, entry in entries.items() if name not in self._old}
        self._known: dict[str, str] = {}
        for name in self._entries:
            path = directory / name
            if path.is_file():
                self._known.setdefault(_digest(path.read_text(encoding="utf-8")), name)
        self._mine: set[str] = set()
        self.refused: list[str] = []

    def put(self, name: str, generated: GeneratedCassette) -> str:
        """Write a cassette, unless the same is there already. Returns its name in the directory, "" if refused."""
        if len(generated.text) > LARGEST:
            self.refused.append(
                f"{name}: it has {len(generated.text) // 1024} KB, and {LARGEST // 1024} KB is the most"
            )
            return ""
        recording = parse(generated.text, self.directory / name)
        traces = self._auditor.traces(generated.text, recording)
        if traces:
            self.refused.append(f"{name}: {traces[0].what}")
            return ""
        digest = _digest(generated.text)
        if digest in self._known:
            return self._known[digest]
        free = self._free(name)
        writing.write(self.directory / free, generated.text)
        self._known[digest] = free
        self._mine.add(free)
        self._entries[free] = generated.entry
        return free

    def close(self) -> None:
        """Write the manifest, and delete what was not generated anew."""
        for name in self._old - set(self._entries):
            (self.directory / name).unlink(missing_ok=True)
        if self._entries:
            writing.write(self.directory / NAME, render(self._entries))

    def recheck(self) -> None:
        """Delete what this run wrote and the audit refuses now: a secret may have become known since."""
        for name in sorted(self._mine):
            path = self.directory / name
            traces = self._auditor.traces(path.read_text(encoding="utf-8"))
            if traces:
                path.unlink()
                self._mine.discard(name)
                del self._entries[name]
                self.refused.append(f"{name}: {traces[0].what}")

    def _free(self, name: str) -> str:
        """`name`, or the next one that this run has not used: a cassette of an earlier run is overwritten."""
        stem, _, suffix = name.rpartition(".")
        number, free = 1, name
        while free in self._mine:
            number += 1
            free = f"{stem}-{number}.{suffix}"
        return free


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogateescape")).hexdigest()


@dataclass(slots=True)
class CassetteGenerator:
    """A consumer of a run's events that hands each on, findings with the name of their cassette.

    `entry` says what is known of the target. `every_probe`: record the sequences of all probes too.
    """

    cassettes: CassetteDirectory
    entry: ManifestEntry
    redactor: Redactor
    emit: Callable[[Event], None]
    every_probe: bool = False
    _sequences: dict[str, list[Exchange]] = field(default_factory=dict)
    _probe: str = ""

    def __call__(self, event: Event) -> None:
        """Take in the next event and hand it on."""
        match event:
            case ExchangeChecked() if self.every_probe and event.phase == "probes":
                self._probe = probe = probe_of(event.exchange, self._probe)
                if probe and len(event.exchange.request.body) <= LARGEST:
                    self._sequences.setdefault(probe, []).append(event.exchange)
            case FindingConfirmed():
                event = self._found(event)
            case RunEnded():
                for probe, exchanges in self._sequences.items():
                    self._keep(f"probe--{probe}.yaml", exchanges, probe)
                self.cassettes.close()
        self.emit(event)

    def _found(self, event: FindingConfirmed) -> FindingConfirmed:
        if (
            not event.exchanges or event.finding.clause not in catalogue()
        ):  # a clause of the client shows in no recording
            return event
        probe = next((name for one in reversed(event.exchanges) if (name := probe_of(one))), "random")
        name = self._keep(f"{event.finding.clause.lower()}--{probe}.yaml", event.exchanges, probe, event.finding.clause)
        return replace(event, cassette=str(self.cassettes.directory / name)) if name else event

    def _keep(self, name: str, exchanges: Sequence[Exchange], probe: str, clause: str = "") -> str:
        generated = generate_cassette(exchanges, replace(self.entry, probe=probe), self.redactor)
        if clause and clause not in generated.entry.breaks:
            note = f"{clause} was broken in a longer run; this sequence alone does not show it"
            generated = replace(generated, entry=replace(generated.entry, note=note))
        stored = self.cassettes.put(name, generated)
        self.cassettes.close()
        return stored


def probe_of(exchange: Exchange, before: str = "") -> str:
    """The probe that a request was sent for, by the label of its step; "" for none.

    Several probes may use one label. Then the names in the request decide, and without names the probe of the exchange
    before, named `before`, goes on.
    """
    probes = _probes().get(exchange.tags[0], ()) if exchange.tags else ()
    if len(probes) > 1:
        sent = exchange.request.path.encode() + exchange.request.body
        named = [name for name in probes if f"-{name}-".encode() in sent]
        probes = tuple(sorted(named, key=len, reverse=True)) or ((before,) if before in probes else probes)
    return probes[0] if probes else ""


@cache
def _probes() -> Mapping[str, tuple[str, ...]]:
    namer = Namer(OURS, random.Random(0))
    found: dict[str, dict[str, None]] = {}
    for probe in PROBES:
        for step in probe.steps(namer):
            found.setdefault(step.label, {})[probe.name] = None
    return {label: tuple(names) for label, names in found.items()}
