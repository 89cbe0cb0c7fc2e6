"""Checks one recording with the oracle. Pure: no files, no clock, nothing is sent.

Every origin in a recording, and every key, is a workspace of its own: its users are unknown until a response shows
them. An interaction that cannot be checked although it was sent makes us forget what we believed of the users, since
nobody knows what it did; what was learned of interpretations stays.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from tracksync.cassettes.interaction import Interaction, Recording
from tracksync.cassettes.manifest import EVERYTHING, ManifestEntry
from tracksync.cassettes.timestamps import DOCUMENTED
from tracksync.model.exchange import Exchange, Request
from tracksync.model.finding import Finding
from tracksync.oracle import Belief, Settings, check

_KNOWN: Final = frozenset(DOCUMENTED)
_LONGEST_FLIGHT: Final = 200  # interactions looked at for an overlap; more than any client has open
# What filters put in the place of what they hide; a request and a response that were filtered apart do not fit together.
_HIDDEN: Final = re.compile(rb"redacted|\[?filtered\]?|<[A-Z][A-Z_ ]{2,}>|\*{4,}|x{6,}", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class CheckedRecording:
    """One interaction after checking. `skipped` says why it was not checked ("" where it was)."""

    interaction: Interaction
    findings: tuple[Finding, ...] = ()
    covered: frozenset[str] = frozenset()
    skipped: str = ""
    interpretations: Mapping[str, str] | None = None  # rows that are down to one, where that changed


def settings_of(entry: ManifestEntry | None, skew: float) -> Settings:
    """What the oracle is told about a recording: what its manifest says, and nothing about recordings of others."""
    if entry is None:
        return Settings(clock_skew=skew)
    return Settings(
        rate_limit=entry.rate_limit,
        array_limit=entry.array_limit,
        fresh=freshness(entry.fresh),
        interpretations=entry.interpretations,
        clock_skew=skew if entry.clock_skew is None else max(entry.clock_skew, 0.0 if skew <= 300 else skew),
    )


def freshness(fresh: str) -> Callable[[str, str], bool]:
    """Which identifiers the workspace could not know when the recording began."""
    if fresh == EVERYTHING:
        return lambda kind, text: True
    if not fresh:
        return lambda kind, text: False
    return lambda kind, text: kind not in ("phone", "braze_id") and fresh in text


def check_recording(
    recording: Recording, entry: ManifestEntry | None = None, interpretations: Mapping[str, str] | None = None
) -> Iterator[CheckedRecording]:
    """Check every interaction in the order of the responses. `interpretations`: what the server is held to beyond the manifest.

    With a manifest everything is checked; without one, interactions with other endpoints are skipped.
    """
    settings = settings_of(entry, recording.clock_skew)
    if interpretations:
        settings = replace(settings, interpretations={**settings.interpretations, **interpretations})
    start = Belief.start(settings)
    beliefs: dict[tuple[str, int], Belief] = {}
    learned: dict[tuple[str, int], Mapping[str, str]] = {}
    flights = _in_flight(recording.interactions)
    for index, interaction in enumerate(recording.interactions):
        exchange = interaction.exchange
        if entry is None and exchange.request.path.partition("?")[0] not in _KNOWN:
            yield CheckedRecording(interaction, skipped="another endpoint")
            continue
        # Our own recordings tell keys apart by what the probe knew of them; all belong to one workspace.
        place = (interaction.origin, 0 if entry is not None else interaction.party)
        belief = beliefs.get(place, start)
        if interaction.gap:
            beliefs[place] = belief.among_strangers(freshness(""))
            yield CheckedRecording(interaction, skipped=interaction.gap)
            continue
        check_result = check(belief, exchange, flights.get(index, ()))
        findings = check_result.findings
        if findings and entry is None and _filtered_apart(exchange):
            beliefs[place] = belief.among_strangers(freshness(""))
            yield CheckedRecording(
                interaction, skipped="a filter hid a value in the request and not in the response, or in one only"
            )
            continue
        beliefs[place] = check_result.belief
        shown = None
        if check_result.belief.ambiguities is not belief.ambiguities:
            now = {
                ambiguity: one
                for ambiguity, one in check_result.interpretations.items()
                if ambiguity not in settings.interpretations
            }
            if now != learned.get(place, {}):
                learned[place] = shown = now
        yield CheckedRecording(interaction, findings, check_result.covered, "", shown)


def _filtered_apart(exchange: Exchange) -> bool:
    response = exchange.response.body if exchange.response else b""
    ours = {match.lower() for match in _HIDDEN.findall(exchange.request.body)}
    theirs = {match.lower() for match in _HIDDEN.findall(response)}
    return ours != theirs


def _in_flight(interactions: Sequence[Interaction]) -> dict[int, list[Request]]:
    """For each interaction, the requests that were sent before its response came and answered after it."""
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
