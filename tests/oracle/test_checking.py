"""Trouble that lasts, forms that may be refused, what overlaps, and which users are found or created."""

from __future__ import annotations

import json
from typing import Any

import pytest
from oracle_harness import (
    ALIAS,
    CREATE,
    EMAIL,
    EVENT,
    NOBODY,
    ONLY,
    PHONE,
    SHOWN,
    TIME,
    OracleHarness,
    U,
    V,
    bought,
    counted,
    covered,
    only,
    purchase,
    request,
    seen,
    told,
)

from tracksync.model.exchange import FailureKind, Request
from tracksync.model.finding import NOTHING, Finding

# --- trouble that lasts -----------------------------------------------------------------------------------------------


def failures_in_a_row(harness: OracleHarness, status: int | None, body: Any = EVENT) -> list[Finding]:
    if status is None:
        return harness.hear(body, failure=FailureKind.TIMEOUT)
    return harness.hear(body, b"", status)


@pytest.mark.parametrize(
    ("status", "clause", "words"),
    [
        (None, "TS-ANSWER-ARRIVES", "gets no complete response"),
        (500, "TS-ANSWER-SERVER-ERROR", "is answered 500"),
        (503, "TS-ANSWER-SERVER-ERROR", "is answered 503"),
    ],
)
def test_a_request_that_goes_wrong_four_times_in_a_row_while_others_are_answered_is_found(
    status: int | None, clause: str, words: str
) -> None:
    harness = OracleHarness()
    harness.event(1, who=V)
    assert [failures_in_a_row(harness, status) for _ in range(3)] == [[], [], []]
    harness.event(2, who=V)
    found = only(failures_in_a_row(harness, status))
    assert told(found) == (clause, "/response/status", "a response", NOTHING)
    assert found.message == f"the same request {words} 4 times in a row, while others get a response"
    assert failures_in_a_row(harness, status) == []


def test_trouble_that_passed_is_forgotten() -> None:
    harness = OracleHarness()
    harness.event(1, who=V)
    for _ in range(3):
        failures_in_a_row(harness, 502)
    assert harness.event(4) == set()
    assert [failures_in_a_row(harness, 502) for _ in range(3)] == [[], [], []]


@pytest.mark.parametrize("status", [None, 500, 503])
def test_an_outage_with_nothing_answered_in_between_is_not_held_against_one_request(status: int | None) -> None:
    harness = OracleHarness()
    harness.event(1, who=V)
    assert [failures_in_a_row(harness, status) for _ in range(6)] == [[]] * 6
    harness.event(2, who=V)
    assert [one.clause for one in failures_in_a_row(harness, status)] == [
        "TS-ANSWER-SERVER-ERROR" if status else "TS-ANSWER-ARRIVES"
    ]


def test_where_nothing_is_answered_no_request_is_singled_out() -> None:
    harness = OracleHarness()
    assert [failures_in_a_row(harness, None) for _ in range(6)] == [[]] * 6


def test_a_redirect_elsewhere_writes_nothing() -> None:
    for status, right in ((299, True), (300, False)):
        harness = OracleHarness()
        harness.event(1)
        harness.hear({}, {}, status, path="/users/merge")
        assert (harness.event(7) == set()) == right


# --- forms that may be refused ----------------------------------------------------------------------------------------

BARE = {"events": EVENT["events"][0]}


def test_a_form_that_is_neither_refused_nor_read_right_breaks_its_clause_too() -> None:
    findings = OracleHarness().hear(BARE, counted(U, "seen", SHOWN, SHOWN, 2))
    assert [one.clause for one in findings] == ["TS-EVENT-COUNT", "TS-FORM-BARE"]
    assert findings[1].message == f"{findings[0].message}; neither refused nor handled right"
    assert told(findings[1])[1:] == told(findings[0])[1:]
    large = json.dumps(EVENT).encode().ljust(4 * 1024 * 1024 + 1)
    assert "TS-ROUTE-SIZE" in OracleHarness().clauses(large, counted(U, "seen", SHOWN, SHOWN, 2))
    assert OracleHarness().hear(large, counted(U, "seen", SHOWN, SHOWN, 1)) == []


def test_a_form_has_no_part_in_a_wrong_rate_or_another_interpretation() -> None:
    answer = counted(U, "seen", SHOWN, SHOWN, 1)
    assert OracleHarness().clauses(BARE, answer, headers={"x-ratelimit-remaining": "500"}) == {"TS-RATE-REMAINING"}
    held = OracleHarness(interpretations={"bare-object": "refused"})
    assert held.clauses(BARE, answer) == {"TS-INTERPRETATION-KEPT"}


# --- what overlaps ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("other", "overlaps"),
    [
        (request(EVENT), True),
        (request(EVENT, "/users/track"), True),
        (request({"events": [seen(V)["events"][0], EVENT["events"][0]]}, "/users/track"), True),
        (request(seen(EMAIL)), True),
        (request(seen({"external_id": "other", **EMAIL})), False),
        (request(seen(V)), False),
        (request(seen(V), "/users/track"), False),
        (request({"events": [{**U, "name": "other", "time": TIME}]}), False),
        (request({"attributes": [{**U, "seen": 1}]}), False),
    ],
)
def test_requests_overlap_where_they_may_write_the_same(other: Request, overlaps: bool) -> None:
    harness = OracleHarness()
    harness.event(1)
    assert (harness.event(7, in_flight=(other,)) == set()) == overlaps


def test_an_integer_and_its_text_may_be_one_user_and_so_may_an_alias_in_another_order() -> None:
    harness = OracleHarness()
    harness.event(1, who={"external_id": "5"})
    assert harness.event(7, who={"external_id": "5"}, in_flight=(request(seen({"external_id": 5})),)) == set()
    harness = OracleHarness()
    harness.event(1, who=ALIAS, flag=CREATE)
    turned = {"user_alias": {"alias_label": "l", "alias_name": "a"}}
    assert harness.event(7, who=ALIAS, in_flight=(request(seen(turned)),)) == set()


def test_an_attribute_that_another_request_writes_meanwhile_may_show_anything() -> None:
    for other, right in (({"a": 5}, True), ({"b": 5}, False)):
        harness = OracleHarness()
        meanwhile = (request({"attributes": [{**U, **other}]}),)
        assert (harness.write({"a": 1}, {"a": 2}, in_flight=meanwhile) == set()) == right


# --- users ------------------------------------------------------------------------------------------------------------


def test_of_two_that_may_be_meant_and_fit_both_stay_uncertain() -> None:
    for name, count in (("u", 1), ("u", 2), ("v", 1), ("v", 2)):
        harness = OracleHarness()
        for who in (U, V):
            harness.write({"a": 1}, who=who, control=PHONE)
        assert harness.event(1, who=PHONE) == set()
        assert harness.event(count, who={"external_id": name}) == set()


def test_of_two_that_may_be_meant_the_one_that_fits_is_updated() -> None:
    harness = OracleHarness()
    for who in (U, V):
        harness.write({"a": 1}, who=who, control=PHONE)
    harness.event(1, who=U)
    assert harness.event(2, who=PHONE) == set()
    assert harness.event(3, who=U) == set()
    assert harness.event(1, who=V) == set()


def test_who_was_not_there_begins_with_nothing() -> None:
    harness = OracleHarness(new=False)
    assert harness.event(5, who=V) == set()
    assert harness.hear(seen(U, **ONLY), NOBODY) == []
    assert harness.event(3, who=U) != set()


def test_who_was_not_there_is_not_found_by_what_else_was_said() -> None:
    harness = OracleHarness()
    assert harness.hear({"attributes": [{**U, **EMAIL, "a": 1, **ONLY}]}, NOBODY) == []
    assert harness.event(1, who=EMAIL) == set()
    assert harness.hear(seen(U, **ONLY), NOBODY) == []


@pytest.mark.parametrize(("answer", "interpretation"), [(NOBODY, "empty-list"), ({"message": "success"}, "omitted")])
def test_how_nobody_is_shown_is_learned(answer: dict[str, Any], interpretation: str) -> None:
    harness = OracleHarness()
    assert harness.hear(seen(U, **ONLY), answer) == []
    assert harness.belief.interpretations()["no-user"] == interpretation


@pytest.mark.parametrize("answer", [NOBODY, {"message": "success"}])
def test_a_user_that_is_missing_is_told(answer: dict[str, Any]) -> None:
    for who, flag, clause in (
        (U, {}, "TS-OK-USERS"),
        (U, ONLY, "TS-USER-UPDATE-KNOWN"),
        (EMAIL, {}, "TS-USER-EMAIL-FINDS"),
        (PHONE, {}, "TS-USER-PHONE-FINDS"),
    ):
        harness = OracleHarness()
        harness.write({"a": 1}, who=U, control={**EMAIL, **PHONE})
        found = only(harness.hear(seen(who, **flag), answer))
        assert told(found) == (clause, "/response/body/users", "one entry", answer.get("users", NOTHING))
        (kind,) = who
        flagged = "true" if flag else "left out"
        assert found.message == (
            f"the response lists no user; the {kind} exists and _update_existing_only is {flagged}"
        )


def test_a_user_that_should_not_be_there_is_told() -> None:
    found = OracleHarness().hear(seen(U, **ONLY), counted(U, "seen", SHOWN, SHOWN, 1))[0]
    assert (found.clause, found.pointer, found.expected) == ("TS-USER-UPDATE-ONLY", "/response/body/users", "no entry")
    assert (
        found.message == "the response lists a user; the external_id does not exist and _update_existing_only is true"
    )


@pytest.mark.parametrize("contact", [EMAIL, PHONE])
def test_who_is_found_by_email_or_phone_covers_that(contact: dict[str, Any]) -> None:
    (kind,) = contact
    clause = f"TS-USER-{kind.upper()}-FINDS"
    harness = OracleHarness()
    harness.event(1, who=contact)
    assert clause not in covered(harness)
    assert {f"TS-USER-{kind.upper()}-CREATE"} <= covered(harness)
    harness = OracleHarness()
    harness.write({"a": 1}, who=U, control=contact)
    assert clause not in covered(harness)
    harness.event(1, who=contact, flag=ONLY)
    assert clause in covered(harness)
    assert harness.event(5, who=contact) == {clause}
    assert harness.event(9, who=U) == {"TS-EVENT-COUNT"}


def test_an_email_and_a_phone_in_one_object_cover_which_leads() -> None:
    harness = OracleHarness()
    harness.event(1, who={**EMAIL, **PHONE})
    assert "TS-USER-EMAIL-LEADS" in covered(harness)
    for who in (EMAIL, PHONE, U):
        harness.event(1, who=who, name="other")
        assert "TS-USER-EMAIL-LEADS" not in covered(harness)


def test_a_new_alias_covers_labels() -> None:
    harness = OracleHarness()
    harness.event(1, who=ALIAS, flag=CREATE)
    assert "TS-USER-ALIAS-LABEL" in covered(harness)
    harness.event(2, who=ALIAS)
    assert "TS-USER-ALIAS-LABEL" not in covered(harness)
    harness = OracleHarness()
    harness.event(1, who=U, flag=CREATE)
    assert "TS-USER-ALIAS-LABEL" not in covered(harness)
    harness = OracleHarness()
    harness.hear(seen(ALIAS), NOBODY)
    assert "TS-USER-ALIAS-LABEL" not in covered(harness)


def test_whether_a_user_is_created_or_found_covers_its_clause() -> None:
    harness = OracleHarness()
    harness.event(1)
    assert "TS-USER-CREATE" in covered(harness)
    harness.event(2)
    assert "TS-USER-CREATE" not in covered(harness)
    assert "TS-OK-USERS" in covered(harness)
    harness.event(3, flag=ONLY)
    assert "TS-USER-UPDATE-KNOWN" in covered(harness)
    harness.hear(seen(V, **ONLY), NOBODY)
    assert "TS-USER-UPDATE-ONLY" in covered(harness)
    unknown = OracleHarness(new=False)
    unknown.event(1)
    assert "TS-USER-CREATE" not in covered(unknown)


# --- users that /users/track creates ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("queued", "certain"),
    [
        (seen(U), True),
        (seen(U, _update_existing_only=False), True),
        (seen(U, **ONLY), False),
        (seen({**U, **EMAIL}), False),
        ({"attributes": [{**U, "a": 1}]}, True),
    ],
)
def test_who_was_to_be_created_by_track_is_there_in_the_end(queued: dict[str, Any], certain: bool) -> None:
    for wait, found in ((1.0, set()), (400.0, {"TS-TRACK-APPLIED"} if certain else set())):
        harness = OracleHarness()
        assert harness.hear(queued, {"message": "success"}, path="/users/track") == []
        asked = {"attributes": [{**U, "b": 1, **ONLY}]}
        assert harness.clauses(asked, NOBODY, wait=wait) == found


def test_a_user_that_track_was_to_create_and_that_is_there_is_known_then() -> None:
    harness = OracleHarness()
    harness.hear(seen(U), {"message": "success"}, path="/users/track")
    assert harness.event(2, who=U, flag=ONLY, wait=400.0) == set()
    assert harness.last is not None
    assert {"TS-TRACK-APPLIED", "TS-USER-UPDATE-KNOWN"} <= harness.last.covered


def test_a_user_that_track_was_to_create_is_due_after_five_minutes_and_not_before() -> None:
    for wait, right in ((300.0, True), (300.5, False)):
        harness = OracleHarness()
        harness.hear(seen(U), {"message": "success"}, path="/users/track")
        findings = harness.hear(seen(U, **ONLY), NOBODY, wait=wait)
        assert (findings == []) == right
        if findings:
            (found,) = findings
            assert (found.clause, found.pointer, found.expected, found.actual) == (
                "TS-TRACK-APPLIED",
                "/response/body/users",
                "one entry",
                [],
            )
            assert found.message == "a user that /users/track was to create does not exist"


def test_a_user_that_track_creates_may_come_after_it_was_not_there() -> None:
    harness = OracleHarness()
    harness.hear(seen(U), {"message": "success"}, path="/users/track")
    assert harness.hear(seen(U, **ONLY), NOBODY) == []
    assert harness.event(2, who=U, flag=ONLY) == set()


def test_what_track_was_sent_and_did_not_answer_is_never_due() -> None:
    harness = OracleHarness()
    harness.hear(seen(U), path="/users/track", failure=FailureKind.TIMEOUT)
    assert harness.hear({"attributes": [{**U, "b": 1, **ONLY}]}, NOBODY, wait=400.0) == []
    harness = OracleHarness()
    harness.event(1, who=U)
    harness.hear(seen(U), path="/users/track", failure=FailureKind.TIMEOUT)
    assert harness.event(2, who=U, wait=400.0) == set()
    assert harness.event(4, who=U) == set()


@pytest.mark.parametrize(
    ("body", "media", "clause"),
    [
        (BARE, "application/json", "TS-FORM-BARE"),
        ({"attributes": [], **EVENT}, "application/json", "TS-FORM-EMPTY-SECTIONS"),
        (seen({"external_id": 5}), "application/json", "TS-FORM-INTEGER-ID"),
        (EVENT, "text/plain", "TS-ROUTE-MEDIA"),
        (json.dumps(EVENT).encode().ljust(4 * 1024 * 1024 + 1), "application/json", "TS-ROUTE-SIZE"),
    ],
)
def test_every_form_that_may_be_refused_is_read_right_where_it_is_not(body: Any, media: str, clause: str) -> None:
    who = {"external_id": 5} if clause == "TS-FORM-INTEGER-ID" else U
    assert clause in OracleHarness().clauses(body, counted(who, "seen", SHOWN, SHOWN, 2), media=media)
    harness = OracleHarness()
    assert harness.hear(body, counted(who, "seen", SHOWN, SHOWN, 1), media=media) == []
    assert clause in covered(harness)


def test_the_state_of_another_shown_for_an_email_and_a_phone_is_a_question_of_which_leads() -> None:
    both = {**EMAIL, **PHONE}
    led = {"TS-USER-EMAIL-LEADS"}
    harness = OracleHarness()
    harness.event(1, who=both)
    assert harness.event(5, who=both) == led
    for other, shown in (({}, 9), ({"external_id": "ada"}, 11)):
        harness = OracleHarness()
        harness.write({"n": 1}, who=both)
        if other:
            harness.write({"n": 10}, who=other)
        assert harness.write({"n": {"inc": 1}}, {"n": shown}, who=both) == led
    harness = OracleHarness()
    harness.write({"n": 1, "m": 50}, who=both)
    assert harness.write({"n": {"inc": 1}}, {"n": 51}, who=both) == led


@pytest.mark.parametrize("contact", [EMAIL, PHONE])
def test_the_state_of_another_shown_for_an_email_or_a_phone_is_a_question_of_whom_it_finds(
    contact: dict[str, Any],
) -> None:
    (kind,) = contact
    harness = OracleHarness()
    harness.write({"a": 1}, who=U, control=contact)
    bodies = {"purchases": [{**purchase()["purchases"][0], **contact}]}
    bodies["purchases"][0].pop("external_id")
    answer = {"users": [{**contact, **bought(7)["users"][0]}], "message": "success"}
    answer["users"][0].pop("external_id")
    assert harness.clauses(bodies, answer) == {f"TS-USER-{kind.upper()}-FINDS"}
    harness = OracleHarness()
    for value in (1, 5):
        harness.write({"n": value}, who=U, control=contact)
    assert harness.write({"n": {"inc": 1}}, {"n": 2}, who=contact) == {f"TS-USER-{kind.upper()}-FINDS"}


def test_who_was_made_by_a_lost_write_and_deleted_does_not_come_back() -> None:
    harness = OracleHarness()
    harness.hear(EVENT, failure=FailureKind.TIMEOUT)
    assert harness.event(2) == set()
    harness.hear({"external_ids": ["u"]}, {"deleted": 1, "message": "success"}, path="/users/delete")
    assert harness.hear(seen(U, **ONLY), NOBODY) == []
    assert "TS-USER-UPDATE-ONLY" in harness.event(1, flag=ONLY)
