"""The oracle on a server that was not written for it: lawful differences pass, and faults are found.

The second server was written from the documents alone, by an author who saw neither the mock nor the oracle. All
lawful interpretations of it are run, many at a time; of its faults every seventh, so that the suite stays quick.
"""

from __future__ import annotations

import pytest
from fuzz_plans import fuzz_plan
from second_server.variants import BASE, FAULTS, INTERPRETATIONS
from second_server_harness import KEY, UNPRIVILEGED, findings

from second_server import sockets
from tracksync.engine import fuzz
from tracksync.model.events import Event, FindingConfirmed, RunEnded
from tracksync.model.finding import Finding
from tracksync.model.verdict import evidence_of

# What the oracle leaves alone, and why: each would accuse a lawful server that this author did not think of.
BEYOND = {
    "headers_missing_on_404": "a wrong URL has no rate limit to show",
    "event_name_may_be_number": "the documents name the type and no consequence",
    "event_time_as_number_accepted": "the documents name the type and no consequence",
    "quantity_as_text_accepted": "the documents name the type and no consequence",
    "price_as_text_accepted": "the documents name the type and no consequence",
    "quantity_zero_accepted": "the documents name the maximum only",
    "quantity_negative_accepted": "the documents name the maximum only",
    "time_date_only_refused": "the list of date forms is the attributes'",
    "time_with_slashes_refused": "the list of date forms is the attributes'",
    "reserved_property_accepted_for_purchases": "the reserved names are the events'",
    "properties_of_any_kind_accepted": "the documents name no consequence",
    "phone_prefers_unidentified": "which holder is meant is said of emails only",
    "phone_goes_to_oldest": "which holder is meant is said of emails only",
    "old_email_still_found": "no document says what becomes of a former email",
    "parallel_events_lost": "needs overlapping requests: tracksync race",
    "parallel_purchases_lost": "needs overlapping requests: tracksync race",
    "parallel_responses_mixed": "needs overlapping requests: tracksync race",
    "parallel_gives_400": "needs overlapping requests: tracksync race",
    "parallel_attributes_lost": "needs overlapping requests: tracksync race",
    "purchases_section_renamed": "a workspace may have no purchase events, and show none",
    "purchase_future_time_kept": "of purchases in the future the documents do not speak; a note",
}
ROWS = 16  # each value of each ambiguity comes in at least two
SAMPLE = [name for name in sorted(FAULTS) if name not in BEYOND][::7]


def test_the_base_server_keeps_the_contract_with_probes_and_random_requests() -> None:
    assert findings() == []


def interpretations_together(row: int) -> dict[str, str]:
    """One value of every ambiguity; ROWS rows hold each value of each."""
    values: dict[str, list[str]] = {}
    for name in INTERPRETATIONS:
        ambiguity, _, value = name.partition("=")
        values.setdefault(ambiguity, [BASE[ambiguity]]).append(value)
    values["pace"] = [BASE["pace"]]  # the other pace waits
    return {name: those[(row + place) % len(those)] for place, (name, those) in enumerate(values.items())}


def test_the_rows_hold_every_interpretation() -> None:
    held = {f"{name}={value}" for row in range(ROWS) for name, value in interpretations_together(row).items()}
    assert held >= set(INTERPRETATIONS) - {"pace=slow"}


@pytest.mark.parametrize("row", range(ROWS))
def test_lawful_interpretations_together_are_not_accused(row: int) -> None:
    assert findings(interpretation=interpretations_together(row), max_requests=300) == []


@pytest.mark.parametrize("name", SAMPLE)
def test_a_fault_is_found_and_fails_the_run(name: str) -> None:
    def documented(finding: Finding) -> bool:
        return evidence_of(finding.clause) == "documented"

    assert any(documented(one) for one in findings(faults={name}, enough=documented)), FAULTS[name]


def over_sockets(max_requests: int, **config: object) -> tuple[RunEnded, list[FindingConfirmed]]:
    """A run against the second server over real sockets. The limit is given, so that no run waits for a window."""
    events: list[Event] = []
    with sockets.serving(key=KEY, unprivileged_key=UNPRIVILEGED, rate_limit=5000, **config) as url:
        plan = fuzz_plan(
            address=url,
            key=KEY,
            unprivileged_key=UNPRIVILEGED,
            seed=1,
            rate_limit=5000,
            requests=max_requests,
            seconds=120,
        )
        fuzz(plan, events.append)
    ended = events[-1]
    assert isinstance(ended, RunEnded)
    return ended, [event for event in events if isinstance(event, FindingConfirmed)]


def test_over_real_sockets_the_base_server_keeps_the_contract() -> None:
    ended, confirmed = over_sockets(300)
    assert [event.finding for event in confirmed] == []
    assert ended.verdict == "passed"


def test_over_real_sockets_a_fault_is_found_and_shown_by_a_short_sequence() -> None:
    ended, confirmed = over_sockets(400, faults={"every_fifth_not_kept"})
    assert ended.verdict == "failed"
    assert all(event.exchanges for event in confirmed)
