"""Judges one recording with the oracle. Pure: no files, no clock, nothing is sent.

Every origin in a recording, and every key, is a workspace of its own: its users are unknown until an answer shows
them. An interaction that cannot be judged although it was sent makes us forget what we believed of the users, since
nobody knows what it did; what was learned of readings stays.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from tracksync.cassettes.clock import DOCUMENTED
from tracksync.cassettes.interaction import Interaction, Recording
from tracksync.cassettes.manifest import EVERYTHING, Entry
from tracksync.exchange import Exchange, Request
from tracksync.findings import Finding
from tracksync.oracle import Belief, Settings, judge

_KNOWN: Final = frozenset(DOCUMENTED)
_LONGEST_FLIGHT: Final = 200  # interactions looked at for an overlap; more than any client has open
# What filters put in the place of what they hide; a request and an answer that were filtered apart do not fit together.
_HIDDEN: Final = re.compile(rb"redacted|\[?filtered\]?|<[A-Z][A-Z_ ]{2,}>|\*{4,}|x{6,}", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Judged:
    """One interaction after judging. `skipped` says why it was not judged ("" where it was)."""

    interaction: Interaction
    findings: tuple[Finding, ...] = ()
    exercised: frozenset[str] = frozenset()
    skipped: str = ""
    readings: Mapping[str, str] | None = None  # rows that are down to one, where that changed


def settings_of(entry: Entry | None, skew: float) -> Settings:
    """What the oracle is told about a recording: what its manifest says, and nothing about recordings of others."""
    if entry is None:
        return Settings(clock_skew=skew)
    return Settings(
        rate_limit=entry.rate_limit,
        array_limit=entry.array_limit,
        fresh=freshness(entry.fresh),
        readings=entry.readings,
        clock_skew=skew if entry.clock_skew is None else max(entry.clock_skew, 0.0 if skew <= 300 else skew),
    )


def freshness(fresh: str) -> Callable[[str, str], bool]:
    """Which identifiers the workspace could not know when the recording began."""
    if fresh == EVERYTHING:
        return lambda kind, text: True
    if not fresh:
        return lambda kind, text: False
    return lambda kind, text: kind not in ("phone", "braze_id") and fresh in text


def judge_recording(
    recording: Recording, entry: Entry | None = None, readings: Mapping[str, str] | None = None
) -> Iterator[Judged]:
    """Judge every interaction in the order of the answers. `readings`: what the server is held to beyond the manifest.

    With a manifest everything is judged; without one, interactions with other endpoints are skipped.
    """
    settings = settings_of(entry, recording.clock_skew)
    if readings:
        settings = replace(settings, readings={**settings.readings, **readings})
    start = Belief.start(settings)
    beliefs: dict[tuple[str, int], Belief] = {}
    learned: dict[tuple[str, int], Mapping[str, str]] = {}
    flights = _in_flight(recording.interactions)
    for index, interaction in enumerate(recording.interactions):
        exchange = interaction.exchange
        if entry is None and exchange.request.path.partition("?")[0] not in _KNOWN:
            yield Judged(interaction, skipped="another endpoint")
            continue
        # Our own recordings tell keys apart by what the probe knew of them; all belong to one workspace.
        place = (interaction.origin, 0 if entry is not None else interaction.party)
        belief = beliefs.get(place, start)
        if interaction.gap:
            beliefs[place] = belief.among_strangers(freshness(""))
            yield Judged(interaction, skipped=interaction.gap)
            continue
        judgement = judge(belief, exchange, flights.get(index, ()))
        findings = judgement.findings
        if findings and entry is None and _filtered_apart(exchange):
            beliefs[place] = belief.among_strangers(freshness(""))
            yield Judged(
                interaction, skipped="a filter hid a value in the request and not in the answer, or in one only"
            )
            continue
        beliefs[place] = judgement.belief
        shown = None
        if judgement.belief.rows is not belief.rows:
            now = {row: one for row, one in judgement.readings.items() if row not in settings.readings}
            if now != learned.get(place, {}):
                learned[place] = shown = now
        yield Judged(interaction, findings, judgement.exercised, "", shown)


def _filtered_apart(exchange: Exchange) -> bool:
    answer = exchange.response.body if exchange.response else b""
    ours = {match.lower() for match in _HIDDEN.findall(exchange.request.body)}
    theirs = {match.lower() for match in _HIDDEN.findall(answer)}
    return ours != theirs


def _in_flight(interactions: Sequence[Interaction]) -> dict[int, list[Request]]:
    """For each interaction, the requests that were sent before its answer came and answered after it."""
    found: dict[int, list[Request]] = {}
    earliest = float("inf")  # the earliest start among those answered later
    for index in range(len(interactions) - 1, -1, -1):
        one = interactions[index]
        received = one.exchange.received
        if earliest <= received:
            later = interactions[index + 1 : index + 1 + _LONGEST_FLIGHT]
            found[index] = [
                other.exchange.request
                for other in later
                if other.exchange.sent <= received and other.origin == one.origin
            ]
        earliest = min(earliest, one.exchange.sent)
    return found
