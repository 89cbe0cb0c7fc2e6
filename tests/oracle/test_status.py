"""Which statuses are right for which requests, and what is found in the others."""

from __future__ import annotations

from typing import Any

import pytest
from oracle_harness import REFUSAL, SHOWN, TIME, OracleHarness, bought, counted, covered, only, purchase

from tracksync.model.exchange import Credential

U = {"external_id": "u"}
EVENT = {"events": [{**U, "name": "seen", "time": TIME}]}
RIGHT = counted(U, "seen", SHOWN, SHOWN, 1)
TRACK, DELETE, EXPORT = "/users/track", "/users/delete", "/users/export/ids"
DONE = {"message": "success", "events_processed": 1, "deleted": 1, "users": [], "invalid_user_ids": ["u"]}
BODIES: dict[str, Any] = {
    TRACK: EVENT,
    DELETE: {"external_ids": ["u"]},
    EXPORT: {"external_ids": ["u"], "fields_to_export": ["custom_attributes"]},
}


@pytest.mark.parametrize(
    ("path", "status", "right"),
    [
        *((TRACK, status, status == 201) for status in (200, 201, 202, 299)),
        *((path, status, True) for path in (DELETE, EXPORT) for status in (200, 201, 202, 299)),
    ],
)
def test_another_endpoint_responds_with_a_status_of_success(path: str, status: int, right: bool) -> None:
    findings = OracleHarness().check(BODIES[path], DONE, status, path=path)
    assert (findings == []) == right
    if findings:
        assert (only(findings).clause, only(findings).expected, only(findings).actual) == ("TS-OK-STATUS", 201, status)


@pytest.mark.parametrize("status", [200, 202, 299])
def test_a_completed_request_is_answered_201(status: int) -> None:
    found = only(OracleHarness().check(EVENT, RIGHT, status))
    assert (found.clause, found.pointer, found.expected, found.actual) == (
        "TS-OK-STATUS",
        "/response/status",
        201,
        status,
    )
    assert found.message == f"a completed request is answered {status}"


def test_300_is_not_a_success() -> None:
    assert OracleHarness().clauses(EVENT, {"message": "success"}, 300) == {
        "TS-OK-STATUS",
        "TS-ANSWER-STATUS",
        "TS-REFUSE-BODY",
    }
    harness = OracleHarness()
    harness.event(1)
    harness.check(EVENT, {"message": "success"}, 300)
    assert harness.event(2) == set()


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "a lawful request is answered 404"),
        (b"   ", "a lawful request is answered 404"),
        (b" gone ", "a lawful request is answered 404: gone"),
        (b"x" * 200, f"a lawful request is answered 404: {'x' * 160}"),
        (b"\xffgone", "a lawful request is answered 404: \ufffdgone"),
    ],
)
def test_a_needless_refusal_is_found_with_the_servers_own_words(content: bytes, words: str) -> None:
    (found,) = (one for one in OracleHarness().check(EVENT, content, 404) if one.clause == "TS-OK-STATUS")
    assert (found.message, found.expected, found.actual) == (words, 201, 404)


@pytest.mark.parametrize("status", [402, 418, 430, 300])
def test_a_status_that_no_document_knows_is_found(status: int) -> None:
    (found,) = (one for one in OracleHarness().check(EVENT, REFUSAL, status) if one.clause == "TS-ANSWER-STATUS")
    assert (found.message, found.expected, found.actual) == (f"the documents know no status {status}", [201], status)


@pytest.mark.parametrize("status", [400, 401, 403, 404, 405, 413, 415])
def test_a_status_that_the_documents_know_is_only_out_of_place(status: int) -> None:
    assert "TS-ANSWER-STATUS" not in OracleHarness().clauses(EVENT, REFUSAL, status)


@pytest.mark.parametrize(
    ("body", "clause"),
    [
        (EVENT, "TS-OK-STATUS"),
        (purchase(price=-1), "TS-PURCHASE-REFUND"),
        (purchase(product_id="x" * 255), "TS-PURCHASE-PRODUCT-LENGTH"),
        (purchase(properties={"a": 1}), "TS-PURCHASE-PROPERTIES"),
        ({"events": [{**EVENT["events"][0], "properties": {"a": 1}}]}, "TS-EVENT-PROPERTIES"),
        (
            {"events": [{**EVENT["events"][0], "properties": {f"p{number}": 1 for number in range(257)}}]},
            "TS-EVENT-PROPERTIES-256",
        ),
        ({"attributes": [{**U, "first_name": "Ada"}]}, "TS-PROFILE-ACCEPTED"),
        (
            {
                "events": [
                    {
                        "user_alias": {"alias_name": "a", "alias_label": "l"},
                        "name": "seen",
                        "time": TIME,
                        "_update_existing_only": False,
                    }
                ]
            },
            "TS-USER-ALIAS-CREATE-EVENT",
        ),
    ],
)
def test_a_needless_refusal_breaks_the_clause_on_what_was_in_the_request(body: Any, clause: str) -> None:
    harness = OracleHarness()
    assert harness.check(purchase(), bought(1)) == []  # purchases are available in this workspace
    assert harness.clauses(body, REFUSAL, 400) == {clause}


@pytest.mark.parametrize(
    ("path", "clause"),
    [(TRACK, "TS-TRACK-ACCEPTED"), (DELETE, "TS-DELETE-ANSWER"), (EXPORT, "TS-EXPORT-ANSWER")],
)
def test_another_endpoint_that_refuses_a_lawful_request_breaks_its_clause(path: str, clause: str) -> None:
    (found,) = (one for one in OracleHarness().check(BODIES[path], REFUSAL, 400, path=path) if one.clause == clause)
    assert found.expected == [201, 401, 403, 404, 405]
    for status in (401, 403, 404, 405):
        assert OracleHarness().check(BODIES[path], b"not here", status, path=path) == []


def test_a_finding_about_a_missing_refusal_gives_the_reasons() -> None:
    body = {"events": [{"name": 5.5}]}
    found = only([one for one in OracleHarness().check(body, RIGHT) if one.pointer == "/response/status"])
    assert found.message == "accepted (201) although the object names no user"
    assert (found.clause, found.expected, found.actual) == ("TS-REFUSE-IDENTIFIER", 400, 201)
    three = {"purchases": [{**U}]}
    harness = OracleHarness()
    assert harness.check(purchase(), bought(1)) == []  # purchases are available in this workspace
    found = only([one for one in harness.check(three, b"no", 404) if one.pointer == "/response/status"])
    assert found.message == "answered 404 although product_id is missing, and currency is missing: no"
    assert (found.clause, found.expected, found.actual) == ("TS-PURCHASE-PRODUCT-REQUIRED", 400, 404)


def test_a_refusal_that_one_condition_explains_shows_its_interpretation() -> None:
    for status, interpretation in ((415, "unsupported"), (400, "bad-request")):
        harness = OracleHarness()
        assert harness.check(EVENT, REFUSAL, status, media="text/plain") == []
        assert harness.belief.interpretations()["content-type"] == interpretation
        assert "TS-ROUTE-MEDIA" in covered(harness)
    harness = OracleHarness()
    assert harness.check({"events": EVENT["events"][0]}, REFUSAL, 400, media="text/plain") == []
    assert not {"content-type", "bare-object"} & harness.belief.interpretations().keys()
    harness = OracleHarness()
    assert harness.check({"purchases": {**U}}, REFUSAL, 400) == []
    assert "bare-object" not in harness.belief.interpretations()


def test_an_accepted_form_closes_the_interpretations_that_refuse_it() -> None:
    harness = OracleHarness()
    assert harness.check({"events": EVENT["events"][0]}, RIGHT) == []
    assert harness.belief.interpretations()["bare-object"] == "accepted"
    assert "TS-FORM-BARE" in covered(harness)


def test_each_credential_covers_its_clause() -> None:
    for credential, status, clause in (
        (Credential.INVALID, 401, "TS-AUTH-INVALID"),
        (Credential.MISSING, 401, "TS-AUTH-MISSING"),
        (Credential.UNPRIVILEGED, 403, "TS-AUTH-PERMISSION"),
    ):
        harness = OracleHarness()
        assert harness.check(EVENT, REFUSAL, status, credential=credential) == []
        assert clause in covered(harness)
        assert clause in OracleHarness().clauses(EVENT, RIGHT, credential=credential)


def test_a_429_is_not_a_refusal() -> None:
    harness = OracleHarness()
    assert harness.check(purchase(price=-1), {"message": "over"}, 429, headers={"x-ratelimit-remaining": "0"}) == []
    assert not {"TS-PURCHASE-REFUND", "TS-OK-STATUS"} & covered(harness)
    assert OracleHarness().check(purchase(price=-1), bought(1)) == []
