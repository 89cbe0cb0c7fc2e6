"""Findings that one defect explains are one cause; two defects stay two."""

from __future__ import annotations

from typing import Any

import pytest
from fuzz_plans import fuzz_plan
from replayed_findings import ATTRIBUTES, EVENTS, STATUS, shown

from tracksync.engine import fuzz
from tracksync.engine.causes import causes
from tracksync.engine.shrink import with_less
from tracksync.generate.build import Step, attributes_request, purchase_request
from tracksync.model.events import Event, FindingConfirmed


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


def test_an_indirect_finding_joins_a_direct_one_of_its_section_and_leads_it_only_where_it_shows_before() -> None:
    kept = shown("TS-STATE-KEYS-APART", pointer=EVENTS)
    assert causes([kept, shown("TS-EVENT-COUNT", pointer=EVENTS)]) == ((1, 0),)
    assert causes([kept, shown("TS-EVENT-COUNT", pointer=EVENTS, length=3)]) == ((0, 1),)
    exported = shown("TS-EXPORT-AGREES", pointer=EVENTS, length=1)
    assert causes([exported, shown("TS-EVENT-COUNT", pointer=EVENTS)]) == ((1, 0),)


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


@pytest.mark.parametrize(("fault", "clause"), [("event-count-stuck", "TS-EVENT-COUNT"), ("inc-by-one", "TS-ATTR-INC")])
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


@pytest.mark.parametrize(("status", "together"), [(413, True), (415, True), (400, False)])
def test_needless_refusals_with_a_status_that_says_why_are_one_cause(status: int, together: bool) -> None:
    found = [
        shown("TS-OK-STATUS", pointer=STATUS, actual=status),
        shown("TS-ROUTE-METHOD", pointer=STATUS, actual=status),
    ]
    assert causes(found) == (((0, 1),) if together else ((0,), (1,)))


def test_what_shows_with_one_kind_of_identifier_only_is_one_cause() -> None:
    created = shown("TS-USER-ALIAS-DEFAULT", kinds=("user_alias",))
    deleted = shown("TS-DELETE-ANSWER", kinds=("user_alias",))
    assert causes([created, deleted]) == ((0, 1),)
    assert causes([created, shown("TS-DELETE-ANSWER", kinds=("email",))]) == ((0,), (1,))
    assert len(causes([shown("TS-USER-CREATE"), shown("TS-DELETE-ANSWER")])) == 2
    assert len(causes([created, shown("TS-DELETE-ANSWER", kinds=("user_alias", "email"))])) == 2


def test_a_header_is_no_cause_of_what_is_wrong_elsewhere() -> None:
    reset = shown("TS-RATE-HEADERS", pointer="/response/headers/x-ratelimit-reset")
    assert causes([reset, shown("TS-REFUSE-EMPTY", "TS-RATE-HEADERS", pointer=STATUS)]) == ((0,), (1,))


@pytest.mark.parametrize(
    ("expected", "groups"), [("refused-attribute=previous", 1), ("update-without-merge=replace", 2)]
)
def test_a_changed_interpretation_follows_from_a_wrong_value_where_that_seems_to_settle_it(
    expected: str, groups: int
) -> None:
    kept = shown("TS-INTERPRETATION-KEPT", pointer=ATTRIBUTES, expected=expected)
    assert len(causes([shown("TS-ATTR-STRING", pointer=ATTRIBUTES), kept])) == groups


def test_an_indirect_finding_of_another_kind_of_value_is_a_cause_of_its_own() -> None:
    changed = shown("TS-OBJECTS-UPDATE", pointer=ATTRIBUTES, expected=[{"a": 1}], actual=[{"a": 2}])
    for expected, groups in (([{"a": 3}], 1), (4, 2)):
        queued = shown("TS-TRACK-APPLIED", pointer=ATTRIBUTES, expected=expected)
        assert len(causes([changed, queued])) == groups


def test_an_indirect_finding_about_users_joins_what_is_found_of_users() -> None:
    exported = shown("TS-EXPORT-USERS", pointer="/response/body/users/1/external_id")
    assert causes([shown("TS-USER-SPELLING", pointer="/response/body/users/0"), exported]) == ((0, 1),)
    assert len(causes([shown("TS-OK-MESSAGE"), exported])) == 2


def test_where_a_count_came_from_names_the_defect_better_than_wrong_times_beside_it() -> None:
    last = shown("TS-EVENT-LAST", "TS-STATE-USERS-APART", pointer=EVENTS.replace("count", "last"), length=1)
    other = shown("TS-STATE-USERS-APART", "TS-EVENT-LAST", pointer=EVENTS)
    assert causes([last, other]) == ((1, 0),)


def test_what_comes_first_in_the_sequence_of_another_finding_leads_it() -> None:
    found = [shown("TS-ATTR-INC", "TS-USER-PHONE-FINDS", length=3), shown("TS-USER-PHONE-FINDS", length=2)]
    assert causes(found) == ((1, 0),)


def test_a_special_case_leads_only_what_is_seen_with_it_alone() -> None:
    omitted = shown("TS-OK-SHOWS", pointer=ATTRIBUTES)
    refused = shown("TS-ATTR-INDEPENDENT", pointer=ATTRIBUTES)
    assert causes([omitted, refused]) == ((0, 1),)
    always = shown("TS-ATTR-STRING", "TS-ATTR-INDEPENDENT", pointer=ATTRIBUTES)
    assert causes([always, refused]) == ((1, 0),)


def test_two_clauses_that_are_seen_with_one_form_only_are_one_cause() -> None:
    form = shown("TS-FORM-INTEGER-ID", "TS-OK-IDENTIFIER")
    named = shown("TS-OK-IDENTIFIER", "TS-FORM-INTEGER-ID", pointer="/response/body/users/0/external_id")
    product = shown("TS-PURCHASE-PRODUCT", "TS-FORM-INTEGER-ID", pointer="/response/body/users/0/purchase_events/0")
    assert causes([named, form, product]) == ((1, 0, 2),)
    other = shown("TS-PURCHASE-PRODUCT", pointer="/response/body/users/0/purchase_events/0")
    assert len(causes([named, form, other])) == 2


def test_of_equals_the_clause_that_stands_first_in_the_table_leads() -> None:
    assert causes([shown("TS-PURCHASE-LAST"), shown("TS-EVENT-OFFSET")]) == ((1, 0),)


def test_what_a_wrong_export_shows_of_batches_follows_from_the_export() -> None:
    missing = "/response/body/users/0/custom_attributes/n"
    batch = shown("TS-TRACK-APPLIED", pointer=missing, length=1)
    assert causes([batch, shown("TS-EXPORT-AGREES", pointer=missing, length=9)]) == ((1, 0),)
    assert len(causes([batch, shown("TS-EXPORT-USERS", pointer="/response/body/users")])) == 2


def test_that_an_email_and_that_a_phone_finds_its_profile_is_one_promise() -> None:
    found = [shown("TS-USER-EMAIL-FINDS", kinds=("email",)), shown("TS-USER-PHONE-FINDS", kinds=("phone",))]
    assert causes(found) == ((0, 1),)


def test_a_look_up_leads_only_what_is_seen_with_it_alone() -> None:
    increased = shown("TS-ATTR-INC", "TS-USER-PHONE-FINDS", pointer=ATTRIBUTES, length=3)
    found = shown("TS-USER-PHONE-FINDS", pointer=ATTRIBUTES)
    assert causes([increased, found]) == ((1, 0),)
    stale = shown("TS-STATE-VISIBLE", pointer=ATTRIBUTES, length=3)
    assert causes([increased, found, stale])[0][0] == 0


def test_an_object_that_sync_refuses_and_a_batch_leaves_out_is_one_cause_led_by_the_refusal() -> None:
    fewer = shown("TS-TRACK-PROCESSED", pointer="/response/body/events_processed", expected=30, actual=29)
    lacking = shown(
        "TS-TRACK-APPLIED",
        "TS-TRACK-PROCESSED",
        pointer="/response/body/users/0/custom_events",
        earlier=("TS-TRACK-PROCESSED",),
    )
    refused = shown("TS-OK-STATUS", pointer="/response/status", expected=201, actual=400)
    assert causes([fewer, lacking, refused]) == ((2, 0, 1),)
    other = shown("TS-TRACK-PROCESSED", pointer="/response/body/events_processed", expected=30, actual=31)
    assert len(causes([other, refused])) == 2


def test_an_exported_event_whose_count_is_right_is_about_times() -> None:
    exported = shown("TS-TRACK-APPLIED", pointer="/response/body/users/0/custom_events", expected=2, actual=2)
    first = shown("TS-EVENT-FIRST", pointer=EVENTS.replace("count", "first"))
    assert causes([first, exported]) == ((0, 1),)
    counted = shown("TS-TRACK-APPLIED", pointer="/response/body/users/0/custom_events", expected=2, actual=1)
    assert len(causes([first, counted])) == 2


def test_names_that_are_mixed_up_do_not_explain_which_users_there_are() -> None:
    missing = shown("TS-EXPORT-USERS", pointer="/response/body/users")
    assert causes([shown("TS-USER-SPELLING", pointer="/response/body/users/0"), missing]) == ((0, 1),)
    assert len(causes([shown("TS-USER-SPELLING", pointer=EVENTS.removesuffix("/count")), missing])) == 2


def test_a_wrong_look_up_explains_and_leads_what_shows_only_after_it() -> None:
    counted = shown("TS-EVENT-COUNT", pointer=EVENTS, length=3, named=("external_id", "email"))
    increased = shown("TS-ATTR-INC", pointer=ATTRIBUTES, length=3, named=("external_id", "email"))
    look_up = shown("TS-USER-EMAIL-FINDS", pointer=EVENTS, kinds=("email",), named=("external_id", "email"))
    assert causes([counted, increased, look_up]) == ((2, 0, 1),)
    stuck = shown("TS-EVENT-COUNT", pointer=EVENTS)
    assert causes([stuck, increased, look_up]) == ((0, 2), (1,))


def test_what_shows_only_after_a_refused_request_is_one_cause_led_by_the_clause_on_refusals() -> None:
    counted = shown("TS-EVENT-COUNT", pointer=EVENTS, after_refusal=True)
    created = shown("TS-USER-UPDATE-ONLY", pointer="/response/body/users", actual=[1], after_refusal=True)
    refused = shown("TS-STATE-REFUSED", pointer=EVENTS, length=3, after_refusal=True)
    assert causes([counted, created, refused]) == ((2, 0, 1),)
    assert len(causes([counted, shown("TS-USER-UPDATE-ONLY", pointer="/response/body/users", actual=[1])])) == 2


@pytest.mark.parametrize("trait", [{"length": 60}, {"largest": 2**20}])
def test_what_shows_only_after_many_requests_or_with_a_large_body_is_one_cause(trait: dict[str, Any]) -> None:
    counted = shown("TS-EVENT-COUNT", pointer=EVENTS, **trait)
    assert causes([counted, shown("TS-ATTR-INC", pointer=ATTRIBUTES, **trait)]) == ((1, 0),)
    assert len(causes([counted, shown("TS-ATTR-INC", pointer=ATTRIBUTES)])) == 2


def test_the_form_of_a_body_explains_no_status() -> None:
    form = shown("TS-ANSWER-JSON", pointer="/response/body")
    accepted = shown("TS-REFUSE-SYNTAX", "TS-ANSWER-JSON", pointer=STATUS, expected=400, actual=201)
    assert len(causes([form, accepted])) == 2
    listed = shown("TS-ANSWER-SCHEMA", "TS-ANSWER-JSON", pointer="/response/body/users/0")
    assert causes([form, listed]) == ((0, 1),)


def test_what_shows_by_chance_in_a_long_sequence_explains_nothing() -> None:
    inc = shown("TS-ATTR-INC", pointer=ATTRIBUTES)
    late = shown("TS-USER-CREATE", "TS-ATTR-INC", pointer="/response/body/users", length=60, earlier=("TS-ATTR-INC",))
    assert len(causes([inc, late])) == 2


def test_what_a_smaller_request_shows_names_the_defect_better() -> None:
    found = [shown("TS-STATE-KEYS-APART", pointer=ATTRIBUTES, nearer="TS-ATTR-INC"), shown("TS-ATTR-INC")]
    assert causes(found) == ((1, 0),)


def test_updates_of_many_kinds_that_change_nothing_are_one_cause() -> None:
    arrays = [shown(f"TS-ARRAY-{name}", pointer=ATTRIBUTES, unchanged=True) for name in ("ADD", "REMOVE", "SET")]
    objects = [shown(f"TS-OBJECTS-{name}", pointer=ATTRIBUTES, unchanged=True) for name in ("ADD", "REMOVE")]
    assert len(causes([*arrays, *objects])) == 1
    assert len(causes([*arrays, objects[0]])) == 2


def test_what_shows_before_state_is_lost_does_not_follow_from_it() -> None:
    lost = [shown("TS-STATE-VISIBLE", length=3), shown("TS-ATTR-INC", length=4), shown("TS-OBJECT-MERGE", length=4)]
    assert causes([*lost, shown("TS-EVENT-COUNT", pointer=EVENTS, length=4)]) == ((0, 1, 2, 3),)
    assert causes([*lost, shown("TS-ARRAY-REMOVE")]) == ((0, 1, 2), (3,))
    assert len(causes([*lost, shown("TS-ARRAY-REMOVE"), shown("TS-EVENT-COUNT", pointer=EVENTS)])) == 1


def test_a_request_is_left_with_what_a_finding_is_about() -> None:
    user = {"external_id": "u"}
    written = Step(attributes_request(user, {"a": 1, "b": 2}, _merge_objects=True))
    beside = Step(attributes_request(user, {"c": 3}))
    less = with_less([written, beside], "a")
    assert less == [Step(attributes_request(user, {"a": 1}, _merge_objects=True)), beside]
    bought = Step(purchase_request(user, "p", "2024-05-05", quantity=2, properties={"a": 1}))
    assert with_less([written, bought], None) == [written, Step(purchase_request(user, "p", "2024-05-05"))]


def test_what_is_accepted_is_another_cause_than_what_is_refused_with_another_status() -> None:
    syntax = shown("TS-REFUSE-SYNTAX", pointer=STATUS, expected=400, actual=422)
    accepted = shown("TS-EVENT-TIME-VALID", pointer=STATUS, expected=400, actual=201)
    assert len(causes([syntax, accepted])) == 2
    assert len(causes([shown("TS-REFUSE-SYNTAX", pointer=STATUS, expected=400, actual=201), accepted])) == 1


def test_a_batch_that_counts_fewer_objects_explains_no_surplus() -> None:
    fewer = shown("TS-TRACK-PROCESSED", pointer="/response/body/events_processed", expected=30, actual=29)
    where, clause = "/response/body/users/0/purchases", "TS-TRACK-PROCESSED"
    refused = shown("TS-OK-STATUS", pointer=STATUS, expected=201, actual=400)
    assert (
        len(causes([shown("TS-TRACK-PROCESSED", pointer=fewer.finding.pointer, expected=30, actual=-1), refused])) == 2
    )
    for actual, groups in ((0, 1), (2, 2)):
        applied = shown("TS-TRACK-APPLIED", clause, pointer=where, expected=1, actual=actual, earlier=(clause,))
        assert len(causes([fewer, applied])) == groups


def test_a_user_that_is_not_created_explains_what_a_batch_lacks() -> None:
    created = shown("TS-USER-CREATE", pointer="/response/body/users", expected="one entry", actual=[])
    for actual, groups in ((0, 1), (2, 2)):
        batch = shown("TS-TRACK-APPLIED", pointer="/response/body/users/0/purchases", expected=1, actual=actual)
        assert len(causes([created, batch])) == groups


def test_the_kind_of_a_value_that_was_removed_is_not_known() -> None:
    kept = shown("TS-ATTR-NULL", pointer=ATTRIBUTES, expected=None, actual=["a"])
    assert len(causes([kept, shown("TS-TRACK-APPLIED", pointer=ATTRIBUTES, actual=1)])) == 1
