"""Findings that one defect explains are one cause; two defects stay two."""

from __future__ import annotations

import pytest
from fuzz_plans import fuzz_plan

from tracksync.engine import fuzz
from tracksync.engine.causes import ReplayedFinding, causes
from tracksync.model.events import Event, FindingConfirmed
from tracksync.model.finding import Finding

EVENTS = "/response/body/users/0/custom_events/0/count"
ATTRIBUTES = "/response/body/users/0/custom_attributes/a"


def shown(clause: str, *beside: str, pointer: str = "", length: int | None = 2) -> ReplayedFinding:
    return ReplayedFinding(Finding(clause, "m", pointer), length, frozenset(beside))


def test_a_finding_that_a_minimal_sequence_shows_too_is_its_cause() -> None:
    found = [shown("TS-ANSWER-MEDIA", "TS-OK-MESSAGE"), shown("TS-OK-MESSAGE")]
    assert causes(found) == ((1, 0),)


def test_what_is_wrong_with_every_response_explains_nothing_else() -> None:
    media = shown("TS-ANSWER-MEDIA", pointer="/response/headers/content-type")
    assert causes([media, shown("TS-ATTR-STRING", "TS-ANSWER-MEDIA", pointer=ATTRIBUTES)]) == ((0,), (1,))


def test_findings_that_have_nothing_in_common_stay_apart() -> None:
    assert causes([shown("TS-OK-MESSAGE"), shown("TS-ATTR-INC", pointer=ATTRIBUTES)]) == ((0,), (1,))


def test_clauses_of_one_concern_are_one_cause_led_by_the_shortest_sequence() -> None:
    found = [shown("TS-EVENT-LAST", length=3), shown("TS-EVENT-COUNT", length=1), shown("TS-PURCHASE-FIRST")]
    assert causes(found) == ((1, 0, 2),)


def test_an_indirect_finding_joins_a_direct_one_of_its_section_and_never_leads_it() -> None:
    found = [shown("TS-STATE-KEYS-APART", pointer=EVENTS, length=1), shown("TS-EVENT-COUNT", pointer=EVENTS, length=9)]
    assert causes(found) == ((1, 0),)


def test_an_indirect_finding_of_another_section_is_a_cause_of_its_own() -> None:
    found = [shown("TS-EVENT-COUNT", pointer=EVENTS), shown("TS-STATE-KEYS-APART", pointer=ATTRIBUTES)]
    assert causes(found) == ((0,), (1,))


def test_an_indirect_finding_joins_two_direct_ones_never() -> None:
    between = shown("TS-EXPORT-AGREES", "TS-EVENT-COUNT", "TS-ATTR-INC")
    found = [shown("TS-EVENT-COUNT", pointer=EVENTS), shown("TS-ATTR-INC", pointer=ATTRIBUTES), between]
    assert len(causes(found)) == 2


def test_no_finding_has_no_cause() -> None:
    assert causes([]) == ()


def confirmed(*faults: str) -> list[FindingConfirmed]:
    events: list[Event] = []
    fuzz(fuzz_plan(seed=7, faults=faults, phases=("probes",), requests=400), events.append)
    return [event for event in events if isinstance(event, FindingConfirmed)]


@pytest.mark.parametrize(
    ("fault", "clause"), [("event-count-stuck", "TS-EVENT-COUNT"), ("message-ok", "TS-OK-MESSAGE")]
)
def test_a_fault_that_breaks_many_clauses_is_one_cause(fault: str, clause: str) -> None:
    found = confirmed(fault)
    assert {one.cause for one in found} == {1}
    assert found[0].finding.clause == clause


def test_two_faults_are_two_causes() -> None:
    found = confirmed("event-count-stuck", "null-as-word")
    assert {one.cause for one in found} == {1, 2}


def test_lost_state_that_breaks_clauses_of_three_concerns_is_one_cause() -> None:
    found = [shown("TS-EVENT-COUNT", pointer=EVENTS), shown("TS-ATTR-INC"), shown("TS-STATE-VISIBLE")]
    assert len(causes(found)) > 1
    assert causes([*found, shown("TS-ARRAY-ADD")]) == ((2, 0, 1, 3),)
    assert len(causes([shown("TS-EVENT-COUNT"), shown("TS-ATTR-INC"), shown("TS-ARRAY-ADD")])) == 3


def test_the_clause_on_a_form_leads_what_is_seen_with_it_alone() -> None:
    form = shown("TS-ROUTE-SIZE", "TS-USER-CREATE")
    assert causes([shown("TS-USER-CREATE", "TS-ROUTE-SIZE"), form]) == ((1, 0),)
    assert causes([shown("TS-USER-CREATE"), form]) == ((0, 1),)


def test_a_user_that_is_missing_joins_what_is_found_of_users() -> None:
    users = "/response/body/users"
    found = [shown("TS-USER-CREATE", pointer=users), shown("TS-TRACK-APPLIED", pointer=users)]
    assert causes(found) == ((0, 1),)
