"""Lasting failures, forms that may be refused, overlaps, and which users are found or created."""

from __future__ import annotations

import json
from typing import Any

import pytest
from oracle_harness import (
    ALIAS,
    CREATE,
    EMAIL,
    EVENT,
    NO_USER,
    ONLY,
    PHONE,
    SHOWN,
    TIME,
    OracleHarness,
    U,
    V,
    counted,
    covered,
    only,
    parts,
    request,
    seen,
)

from tracksync.model.exchange import FailureKind, Request
from tracksync.model.finding import NOTHING, Finding

# --- failures in a row ------------------------------------------------------------------------------------------------


def failures_in_a_row(harness: OracleHarness, status: int | None, body: Any = EVENT) -> list[Finding]:
    if status is None:
        return harness.check(body, failure=FailureKind.TIMEOUT)
    return harness.check(body, b"", status)


@pytest.mark.parametrize(
    ("status", "clause", "words"),
    [
        (None, "TS-ANSWER-ARRIVES", "gets no complete response"),
        (500, "TS-ANSWER-SERVER-ERROR", "is answered 500"),
        (503, "TS-ANSWER-SERVER-ERROR", "is answered 503"),
    ],
)
def test_a_request_that_fails_four_times_in_a_row_while_others_get_a_response_is_found(
    status: int | None, clause: str, words: str
) -> None:
    harness = OracleHarness()
    harness.event(1, names=V)
    assert [failures_in_a_row(harness, status) for _ in range(3)] == [[], [], []]
    harness.event(2, names=V)
    found = only(failures_in_a_row(harness, status))
    assert parts(found) == (clause, "/response/status", "a response", NOTHING)
    assert found.message == f"the same request {words} 4 times in a row, while others get a response"
    assert failures_in_a_row(harness, status) == []


def test_a_transient_failure_is_forgotten() -> None:
    harness = OracleHarness()
    harness.event(1, names=V)
    for _ in range(3):
        failures_in_a_row(harness, 502)
    assert harness.event(4) == set()
    assert [failures_in_a_row(harness, 502) for _ in range(3)] == [[], [], []]


@pytest.mark.parametrize("status", [None, 500, 503])
def test_an_outage_with_nothing_answered_in_between_is_not_held_against_one_request(status: int | None) -> None:
    harness = OracleHarness()
    harness.event(1, names=V)
    assert [failures_in_a_row(harness, status) for _ in range(6)] == [[]] * 6
    harness.event(2, names=V)
    assert [one.clause for one in failures_in_a_row(harness, status)] == [
        "TS-ANSWER-SERVER-ERROR" if status else "TS-ANSWER-ARRIVES"
    ]


def test_nothing_is_found_where_no_request_gets_a_response() -> None:
    harness = OracleHarness()
    assert [failures_in_a_row(harness, None) for _ in range(6)] == [[]] * 6


def test_a_redirect_elsewhere_writes_nothing() -> None:
    for status, right in ((299, True), (300, False)):
        harness = OracleHarness()
        harness.event(1)
        harness.check({}, {}, status, path="/users/merge")
        assert (harness.event(7) == set()) == right


@pytest.mark.parametrize("status", [301, 302, 307, 308])
def test_a_write_that_is_sent_elsewhere_by_a_redirect_may_be_applied_there(status: int) -> None:
    for count in (2, 3):
        harness = OracleHarness()
        harness.event(1)
        findings = harness.check(EVENT, b"", status, headers={"Location": "https://other.example/users/track/sync"})
        assert "TS-OK-STATUS" in {one.clause for one in findings}
        assert harness.event(count) == set()


# --- forms that may be refused ----------------------------------------------------------------------------------------

BARE = {"events": EVENT["events"][0]}


def test_a_form_that_is_neither_refused_nor_handled_right_breaks_its_clause_too() -> None:
    findings = OracleHarness().check(BARE, counted(U, "seen", SHOWN, SHOWN, 2))
    assert [one.clause for one in findings] == ["TS-EVENT-COUNT", "TS-FORM-BARE"]
    assert findings[1].message == f"{findings[0].message}; neither refused nor handled right"
    assert parts(findings[1])[1:] == parts(findings[0])[1:]
    large = json.dumps(EVENT).encode().ljust(4 * 1024 * 1024 + 1)
    assert "TS-ROUTE-SIZE" in OracleHarness().clauses(large, counted(U, "seen", SHOWN, SHOWN, 2))
    assert OracleHarness().check(large, counted(U, "seen", SHOWN, SHOWN, 1)) == []


def test_a_form_has_no_part_in_a_wrong_rate_or_another_interpretation() -> None:
    response = counted(U, "seen", SHOWN, SHOWN, 1)
    assert OracleHarness().clauses(BARE, response, headers={"x-ratelimit-remaining": "501"}) == {"TS-RATE-REMAINING"}
    held = OracleHarness(interpretations={"bare-object": "refused"})
    assert held.clauses(BARE, response) == {"TS-INTERPRETATION-KEPT"}


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
    harness.event(1, names={"external_id": "5"})
    assert harness.event(7, names={"external_id": "5"}, in_flight=(request(seen({"external_id": 5})),)) == set()
    harness = OracleHarness()
    harness.event(1, names=ALIAS, flag=CREATE)
    turned = {"user_alias": {"alias_label": "l", "alias_name": "a"}}
    assert harness.event(7, names=ALIAS, in_flight=(request(seen(turned)),)) == set()


def test_an_attribute_that_another_request_writes_meanwhile_may_show_anything() -> None:
    for other, right in (({"a": 5}, True), ({"b": 5}, False)):
        harness = OracleHarness()
        meanwhile = (request({"attributes": [{**U, **other}]}),)
        assert (harness.write({"a": 1}, {"a": 2}, in_flight=meanwhile) == set()) == right


# --- users ------------------------------------------------------------------------------------------------------------


def test_two_candidates_that_both_fit_stay_uncertain() -> None:
    for name, count in (("u", 1), ("u", 2), ("v", 1), ("v", 2)):
        harness = OracleHarness()
        for names in (U, V):
            harness.write({"a": 1}, names=names, control=PHONE)
        assert harness.event(1, names=PHONE) == set()
        assert harness.event(count, names={"external_id": name}) == set()


def test_of_two_candidates_the_one_that_fits_is_updated() -> None:
    harness = OracleHarness()
    for names in (U, V):
        harness.write({"a": 1}, names=names, control=PHONE)
    harness.event(1, names=U)
    assert harness.event(2, names=PHONE) == set()
    assert harness.event(3, names=U) == set()
    assert harness.event(1, names=V) == set()


def test_a_user_that_did_not_exist_is_created_empty() -> None:
    harness = OracleHarness(new=False)
    assert harness.event(5, names=V) == set()
    assert harness.check(seen(U, **ONLY), NO_USER) == []
    assert harness.event(3, names=U) != set()


def test_a_user_that_did_not_exist_is_not_linked_by_the_other_identifiers() -> None:
    harness = OracleHarness()
    assert harness.check({"attributes": [{**U, **EMAIL, "a": 1, **ONLY}]}, NO_USER) == []
    assert harness.event(1, names=EMAIL) == set()
    assert harness.check(seen(U, **ONLY), NO_USER) == []


@pytest.mark.parametrize(("response", "interpretation"), [(NO_USER, "empty-list"), ({"message": "success"}, "omitted")])
def test_how_no_user_is_shown_is_learned(response: dict[str, Any], interpretation: str) -> None:
    harness = OracleHarness()
    assert harness.check(seen(U, **ONLY), response) == []
    assert harness.belief.interpretations()["no-user"] == interpretation


@pytest.mark.parametrize("response", [NO_USER, {"message": "success"}])
def test_a_missing_user_is_found(response: dict[str, Any]) -> None:
    for names, flag, clause in (
        (U, {}, "TS-OK-USERS"),
        (U, ONLY, "TS-USER-UPDATE-KNOWN"),
        (EMAIL, {}, "TS-USER-EMAIL-FINDS"),
        (PHONE, {}, "TS-USER-PHONE-FINDS"),
    ):
        harness = OracleHarness()
        harness.write({"a": 1}, names=U, control={**EMAIL, **PHONE})
        found = only(harness.check(seen(names, **flag), response))
        assert parts(found) == (clause, "/response/body/users", "one entry", response.get("users", NOTHING))
        (kind,) = names
        flagged = "true" if flag else "left out"
        assert found.message == (
            f"the response lists no user; the {kind} exists and _update_existing_only is {flagged}"
        )


def test_a_user_that_should_not_exist_is_found() -> None:
    found = OracleHarness().check(seen(U, **ONLY), counted(U, "seen", SHOWN, SHOWN, 1))[0]
    assert (found.clause, found.pointer, found.expected) == ("TS-USER-UPDATE-ONLY", "/response/body/users", "no entry")
    assert (
        found.message == "the response lists a user; the external_id does not exist and _update_existing_only is true"
    )


@pytest.mark.parametrize("contact", [EMAIL, PHONE])
def test_finding_a_user_by_email_or_phone_covers_its_clause(contact: dict[str, Any]) -> None:
    (kind,) = contact
    clause = f"TS-USER-{kind.upper()}-FINDS"
    harness = OracleHarness()
    harness.event(1, names=contact)
    assert clause not in covered(harness)
    assert {f"TS-USER-{kind.upper()}-CREATE"} <= covered(harness)
    harness = OracleHarness()
    harness.write({"a": 1}, names=U, control=contact)
    assert clause not in covered(harness)
    harness.event(1, names=contact, flag=ONLY)
    assert clause in covered(harness)
    assert harness.event(5, names=contact) == {clause}
    assert harness.event(9, names=U) == {"TS-EVENT-COUNT"}


def test_an_email_and_a_phone_in_one_object_cover_which_leads() -> None:
    harness = OracleHarness()
    harness.event(1, names={**EMAIL, **PHONE})
    assert "TS-USER-EMAIL-LEADS" in covered(harness)
    for names in (EMAIL, PHONE, U):
        harness.event(1, names=names, name="other")
        assert "TS-USER-EMAIL-LEADS" not in covered(harness)


def test_a_new_alias_covers_labels() -> None:
    harness = OracleHarness()
    harness.event(1, names=ALIAS, flag=CREATE)
    assert "TS-USER-ALIAS-LABEL" in covered(harness)
    harness.event(2, names=ALIAS)
    assert "TS-USER-ALIAS-LABEL" not in covered(harness)
    harness = OracleHarness()
    harness.event(1, names=U, flag=CREATE)
    assert "TS-USER-ALIAS-LABEL" not in covered(harness)
    harness = OracleHarness()
    harness.check(seen(ALIAS), NO_USER)
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
    harness.check(seen(V, **ONLY), NO_USER)
    assert "TS-USER-UPDATE-ONLY" in covered(harness)
    unknown = OracleHarness(new=False)
    unknown.event(1)
    assert "TS-USER-CREATE" not in covered(unknown)
