"""Checks one recording with the oracle. Pure: no files, no clock, nothing is sent.

Every origin in a recording, and every key, is a workspace of its own: its users are unknown until a response shows
them. Two keys of one origin may be of one workspace, so that what is written with one may show with the other. An
interaction that was sent and cannot be checked makes all users unknown; what was learned of interpretations stays.
"""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Final, TypeAlias

from msgspec import Struct, structs

from tracksync.cassettes.interaction import Flown, Interaction, Recording
from tracksync.cassettes.manifest import EVERYTHING, ManifestEntry
from tracksync.cassettes.timestamps import DOCUMENTED
from tracksync.engine.freshness import Prefixes, everything, nothing
from tracksync.model.exchange import Exchange, header
from tracksync.model.finding import Finding
from tracksync.oracle import Belief, CheckResult, Settings, check
from tracksync.oracle.another_key import perhaps_written
from tracksync.oracle.forgetting import forget_all
from tracksync.oracle.unread import may_change_users

_KNOWN: Final = frozenset(DOCUMENTED)
_LONGEST_FLIGHT: Final = 200  # interactions looked at for an overlap; more than any client has in flight
# What Ruby VCR's `filter_sensitive_data` and its like put in the place of a text, such as <USER_ID>.
_PLACEHOLDER: Final = re.compile(rb"<(?:[A-Z][A-Z0-9]*(?:[_ .-][A-Z0-9]+)*|[a-z][a-z0-9]*(?:[_-][a-z0-9]+)+)>")
_HIDDEN: Final = re.compile(rb"redacted|\[?filtered\]?|<[a-z][a-z_ ]{2,}>|\*{4,}|x{6,}")

ANOTHER_ENDPOINT: Final = "another endpoint"
PLACEHOLDERS: Final = "the recording has placeholders in the place of texts"
FILTERED_APART: Final = "a filter hid a value in the request and not in the response, or in one only"


class CheckedRecording(Struct, frozen=True, gc=False):
    """One interaction after checking. `skipped` says why it was not checked ("" where it was).

    `interpretations`: the ambiguities that are down to one interpretation, where that changed, else None.
    """

    interaction: Interaction
    findings: tuple[Finding, ...] = ()
    covered: frozenset[str] = frozenset()
    skipped: str = ""
    interpretations: Mapping[str, str] | None = None


def settings_of(entry: ManifestEntry | None, skew: float) -> Settings:
    """What the oracle is told about a recording: what its manifest says; without one only the clock skew in seconds."""
    if entry is None:
        return Settings(clock_skew=skew)
    return Settings(
        rate_limit=entry.rate_limit,
        array_limit=entry.array_limit,
        fresh=fresh_identifiers(entry),
        interpretations=entry.interpretations,
        clock_skew=skew if entry.clock_skew is None else max(entry.clock_skew, 0.0 if skew <= 300 else skew),
    )


def fresh_identifiers(entry: ManifestEntry) -> Callable[[str, str], bool]:
    """Which identifiers the workspace could not know when the recording began."""
    if entry.fresh == EVERYTHING:
        return everything
    return Prefixes(entry.fresh) if entry.fresh else nothing


Place: TypeAlias = tuple[str, int]
"""Which workspace an interaction belongs to: its origin, and the number of its key."""


class RecordedWorkspace(Struct, frozen=True, gc=False):
    """One workspace of a recording: what is believed of it, and the interpretations that were reported."""

    belief: Belief
    learned: Mapping[str, str] = {}


def check_recording(
    recording: Recording, entry: ManifestEntry | None = None, interpretations: Mapping[str, str] | None = None
) -> Iterator[CheckedRecording]:
    """Check every interaction in the order of the responses.

    `interpretations`: what the server is held to beyond the manifest. With a manifest everything is checked; without
    one, interactions with other endpoints are skipped.
    """
    return check_interactions(with_flights(recording.interactions), recording.clock_skew, entry, interpretations)


def check_interactions(
    interactions: Iterable[Flown],
    clock_skew: float,
    entry: ManifestEntry | None = None,
    interpretations: Mapping[str, str] | None = None,
) -> Iterator[CheckedRecording]:
    """Check interactions that come in the order of their responses, one by one; few are held at a time.

    `clock_skew`: seconds by which their times may differ from the server's clock.
    """
    start = RecordedWorkspace(Belief.start(settings_for(clock_skew, entry, interpretations)))
    foreign = entry is None
    workspaces: dict[Place, RecordedWorkspace] = {}
    for interaction, in_flight in interactions:
        place = place_of(interaction, foreign=foreign)
        workspace = workspaces.get(place, start)
        gap = gap_of(interaction, foreign=foreign)
        if gap.skipped:
            for one in (place, *places_of_gap(interaction, workspaces)) if gap.changes_users else ():
                workspaces[one] = forgetting(workspaces.get(one, start))
            yield CheckedRecording(interaction, skipped=gap.skipped)
            continue
        result = check(workspace.belief, interaction.exchange, in_flight)
        checked, workspaces[place] = concluded(workspace, interaction, result, foreign=foreign)
        for one in others_of(place, workspaces):
            workspaces[one] = beside_another_key(workspaces[one], interaction)
        yield checked


def settings_for(
    clock_skew: float, entry: ManifestEntry | None, interpretations: Mapping[str, str] | None = None
) -> Settings:
    """What the oracle is told about a recording: by its manifest, and `interpretations` to which it is held beside."""
    settings = settings_of(entry, clock_skew)
    if interpretations:
        settings = replace(settings, interpretations={**settings.interpretations, **interpretations})
    return settings


class UncheckedInteraction(Struct, frozen=True, gc=False):
    """Why an interaction is not checked, "" where it is, and whether it may have changed users all the same."""

    skipped: str = ""
    changes_users: bool = False


_CHECKED: Final = UncheckedInteraction()


def gap_of(interaction: Interaction, *, foreign: bool) -> UncheckedInteraction:
    """Whether an interaction is checked. `foreign`: of a recording without a manifest."""
    if foreign and _is_elsewhere(interaction):
        exchange = interaction.exchange
        changes = may_change_users(exchange.request) and not exchange.without_effect
        return UncheckedInteraction(ANOTHER_ENDPOINT, changes)
    return UncheckedInteraction(interaction.gap, True) if interaction.gap else _CHECKED


def _is_elsewhere(interaction: Interaction) -> bool:
    """Whether the request went to an endpoint that is not documented here."""
    return interaction.exchange.request.path.partition("?")[0] not in _KNOWN


def place_of(interaction: Interaction, *, foreign: bool) -> Place:
    """The workspace of an interaction. `foreign`: of a recording without a manifest.

    Our own recordings tell keys apart by what the probe knew of them; all belong to one workspace.
    """
    return interaction.origin, interaction.party if foreign else 0


def places_of_gap(gap: Interaction, places: Iterable[Place]) -> list[Place]:
    """Those of `places` that a gap may be about beside its own: all of its origin, where it names no key.

    Also for a request to another endpoint, which may need another key of the same workspace.
    """
    if not _is_elsewhere(gap) and header(gap.exchange.request.headers, "authorization") is not None:
        return []
    return [one for one in places if one[0] == gap.origin]


def others_of(place: Place, places: Iterable[Place]) -> list[Place]:
    """Those of `places` that may be the same workspace, known by another key."""
    return [one for one in places if one[0] == place[0] and one != place]


def beside_another_key(
    workspace: RecordedWorkspace, interaction: Interaction, objects: Collection[int] | None = None
) -> RecordedWorkspace:
    """The workspace after an interaction with another key of its host. `objects`: of a batch; None for all."""
    belief = perhaps_written(workspace.belief, interaction.exchange, objects)
    return workspace if belief is workspace.belief else structs.replace(workspace, belief=belief)


def forgetting(workspace: RecordedWorkspace) -> RecordedWorkspace:
    """The workspace after an exchange that cannot be checked: any user may have been changed."""
    return structs.replace(workspace, belief=structs.replace(_forgotten(workspace.belief), windows={}))


def _forgotten(belief: Belief) -> Belief:
    """The belief in which nothing is known of users. Until when any may be deleted stays what all parts know alike."""
    return structs.replace(forget_all(belief), unsettled_until=belief.unsettled_until)


def concluded(
    workspace: RecordedWorkspace, interaction: Interaction, result: CheckResult, *, foreign: bool
) -> tuple[CheckedRecording, RecordedWorkspace]:
    """What the oracle's result says of the interaction, and the workspace after it.

    `workspace`: before it. `foreign`: of a recording without a manifest.
    """
    belief = workspace.belief
    unread = _unread_text(interaction.exchange) if foreign else ""
    if unread == PLACEHOLDERS or (unread and result.findings):
        # Who was meant is unknown: nothing is held against the server, and nothing is learned.
        belief = structs.replace(_forgotten(result.belief), ambiguities=belief.ambiguities)
        if result.findings:
            return CheckedRecording(interaction, skipped=unread), structs.replace(workspace, belief=belief)
        checked = CheckedRecording(interaction, (), result.covered)
        return checked, structs.replace(workspace, belief=belief)
    changed = _newly_learned(workspace, result)
    learned = workspace.learned if changed is None else changed
    checked = CheckedRecording(interaction, result.findings, result.covered, "", changed)
    return checked, RecordedWorkspace(result.belief, learned)


def _newly_learned(workspace: RecordedWorkspace, result: CheckResult) -> Mapping[str, str] | None:
    """The interpretations that the server has shown so far, where the response changed them, else None."""
    if result.belief.ambiguities is workspace.belief.ambiguities:
        return None
    given = result.belief.settings.interpretations
    now = {ambiguity: one for ambiguity, one in result.interpretations.items() if ambiguity not in given}
    return now if now != workspace.learned else None


def _unread_text(exchange: Exchange) -> str:
    """Why the texts of an exchange may not be those that were sent; "" where they are."""
    request, response = exchange.request.body, exchange.response.body if exchange.response else b""
    both = (request + response).lower()
    if not (b"<" in both or b"****" in both or b"redacted" in both or b"filtered" in both or b"xxxxxx" in both):
        return ""  # the usual case: each match of the patterns has one of these
    if _PLACEHOLDER.search(request):
        return PLACEHOLDERS
    if _PLACEHOLDER.search(response) and not response.lstrip().startswith(b"<"):  # a page of HTML has tags of its own
        return FILTERED_APART
    return FILTERED_APART if _hidden_in(request) != _hidden_in(response) else ""


def _hidden_in(body: bytes) -> set[bytes]:
    """What a filter put in the place of values, in small letters."""
    return set(_HIDDEN.findall(body.lower()))


def with_flights(interactions: Iterable[Interaction]) -> Iterator[Flown]:
    """Each interaction, with the requests that were in flight when its response came."""
    rest = iter(interactions)
    ahead: deque[Interaction] = deque()
    earliest: deque[Interaction] = deque()  # of those ahead, each that starts before all that come after it
    while True:
        while len(ahead) <= _LONGEST_FLIGHT and (one := next(rest, None)) is not None:
            ahead.append(one)
            while earliest and earliest[-1].exchange.sent >= one.exchange.sent:
                earliest.pop()
            earliest.append(one)
        if not ahead:
            return
        first = ahead.popleft()
        if earliest[0] is first:
            earliest.popleft()
        received = first.exchange.received
        if not earliest or earliest[0].exchange.sent > received:
            yield first, ()
        else:
            yield (
                first,
                [one.exchange.request for one in ahead if one.exchange.sent <= received and one.origin == first.origin],
            )
