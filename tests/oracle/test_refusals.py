"""What the oracle makes of refusals: which are due, which are allowed, and what one must say."""

from __future__ import annotations

import json
from typing import Any

import pytest
from oracle_harness import JSON, REFUSAL, SHOWN, TIME, OracleHarness, U, attributed, bought, counted, purchase

from tracksync.model.exchange import Credential

EVENT = {"external_id": "u", "name": "seen", "time": TIME}
ANSWER = counted({"external_id": "u"}, "seen", SHOWN, SHOWN, 1)
ANSWER_OF_ANOTHER = counted({"external_id": "u"}, "another", SHOWN, SHOWN, 1)


def event(**more: Any) -> dict[str, Any]:
    return {"events": [{key: value for key, value in (EVENT | more).items() if value is not ...}]}


MUST = [
    (b"", "TS-REFUSE-SYNTAX"),
    (b"{", "TS-REFUSE-SYNTAX"),
    ([event()], "TS-REFUSE-SYNTAX"),
    ({}, "TS-REFUSE-EMPTY"),
    ({"events": []}, "TS-REFUSE-EMPTY"),
    ({**event(), **purchase()}, "TS-REFUSE-SECTIONS"),
    ({"events": [EVENT, EVENT]}, "TS-REFUSE-OBJECTS"),
    ({"events": "text"}, "TS-REFUSE-TYPE"),
    ({"events": ["text"]}, "TS-REFUSE-TYPE"),
    (event(external_id=...), "TS-REFUSE-IDENTIFIER"),
    (event(external_id=["u"]), "TS-REFUSE-TYPE"),
    (event(external_id=..., user_alias={"alias_name": "a"}), "TS-REFUSE-ALIAS"),
    (event(external_id=..., user_alias={"alias_label": "a"}), "TS-REFUSE-ALIAS"),
    (event(external_id=..., user_alias="a"), "TS-REFUSE-ALIAS"),
    (event(name=...), "TS-EVENT-NAME-REQUIRED"),
    (event(name={"a": 1}), "TS-REFUSE-TYPE"),
    (event(time=...), "TS-EVENT-TIME-REQUIRED"),
    (event(time="yesterday"), "TS-EVENT-TIME-VALID"),
    (event(time="2022-13-45T99:00:00Z"), "TS-EVENT-TIME-VALID"),
    (event(time=[TIME]), "TS-REFUSE-TYPE"),
    (event(properties={"time": 1}), "TS-EVENT-RESERVED"),
    (event(properties={"event_name": 1}), "TS-EVENT-RESERVED"),
    (purchase(product_id=...), "TS-PURCHASE-PRODUCT-REQUIRED"),
    (purchase(product_id={"a": 1}), "TS-REFUSE-TYPE"),
    (purchase(currency=...), "TS-PURCHASE-CURRENCY-REQUIRED"),
    (purchase(currency="ZZZ"), "TS-PURCHASE-CURRENCY-VALID"),
    (purchase(currency="DOLLAR"), "TS-PURCHASE-CURRENCY-VALID"),
    (purchase(price=...), "TS-PURCHASE-PRICE-REQUIRED"),
    (purchase(price="dear"), "TS-PURCHASE-PRICE-REQUIRED"),
    (purchase(price=[1]), "TS-PURCHASE-PRICE-REQUIRED"),
    (purchase(time=...), "TS-PURCHASE-TIME-REQUIRED"),
    (purchase(time="soon"), "TS-PURCHASE-TIME-REQUIRED"),
    (purchase(quantity=101), "TS-PURCHASE-QUANTITY"),
    (purchase(quantity=2.5), "TS-PURCHASE-QUANTITY"),
    (purchase(quantity=[1]), "TS-PURCHASE-QUANTITY"),
]


@pytest.mark.parametrize(("body", "clause"), MUST)
def test_what_must_be_refused_and_is_accepted_breaks_its_clause(body: Any, clause: str) -> None:
    assert clause in OracleHarness().clauses(body, {"message": "success", "users": []})


@pytest.mark.parametrize(("body", "clause"), MUST)
def test_what_must_be_refused_and_is_refused_covers_its_clause(body: Any, clause: str) -> None:
    harness = OracleHarness()
    assert harness.check(body, REFUSAL, 400) == []
    assert harness.last is not None
    assert clause in harness.last.covered


@pytest.mark.parametrize(
    "body",
    [
        {"events": EVENT},
        {**event(), "attributes": []},
        event(external_id=7),
        purchase(product_id=7),
        purchase(quantity=0),
        purchase(price="9.99"),
        purchase(quantity="2"),
        event(name=5),
        event(time=1670350845),
        event(time="2022-12-06"),
        event(time="12/06/2022"),
        event(app_id="app"),
        event(external_id=..., email="no address"),
        event(external_id=..., braze_id="b"),
        event(user_alias={"alias_name": "a", "alias_label": "l"}),
        event(other="member"),
        {"attributes": [{"external_id": "u"}]},
        {"attributes": [{"external_id": "u", "a": {"b.c": 1}}]},
        {"attributes": [{"external_id": "u", "a": 2**63}]},
        {"attributes": [{"external_id": "u", "a": {"add": "text"}}]},
        {"attributes": [{"external_id": "u", "gender": "X", "a": 1}]},
        b'{"events": [{"external_id": "u", "external_id": "u", "name": "seen", "time": "2022-12-06T18:20:45Z"}]}',
        b'{"attributes": [{"external_id": "u", "a": NaN}]}',
        b'{"attributes": [{"external_id": "u", "a": "\\ud800"}]}',
    ],
)
def test_where_the_documents_are_silent_refusing_and_accepting_both_pass(body: Any) -> None:
    assert OracleHarness().check(body, REFUSAL, 400) == []
    names = {"external_id": 7} if b'"external_id": 7' in json.dumps(body, default=str).encode() else None
    if isinstance(body, dict) and "events" in body and names is None:
        one = body["events"][0] if isinstance(body["events"], list) else body["events"]
        if one.get("external_id") == "u" and one.get("time") == TIME and "user_alias" not in one:
            shown = counted({"external_id": "u"}, one["name"], SHOWN, SHOWN, 1)
            assert OracleHarness().check(body, shown) == []


@pytest.mark.parametrize(
    ("response", "clause"),
    [
        ({"message": "success", "errors": ["x"]}, "TS-REFUSE-BODY"),
        ({"errors": ["x"]}, "TS-REFUSE-BODY"),
        ({"message": {"text": "x"}, "errors": ["x"]}, "TS-REFUSE-BODY"),
        ({"message": "no"}, "TS-REFUSE-BODY"),
        ({"message": "no", "errors": []}, "TS-REFUSE-BODY"),
        ({"message": "no", "errors": "x"}, "TS-REFUSE-BODY"),
        ({"message": "no", "errors": [7]}, "TS-REFUSE-BODY"),
        ({"message": "no", "errors": [{}]}, "TS-REFUSE-BODY"),
        ({"message": "no", "errors": [{"type": "x", "input_array": "purchases", "index": 0}]}, "TS-REFUSE-ENTRY"),
        ({"message": "no", "errors": [{"type": "x", "input_array": "events", "index": 1}]}, "TS-REFUSE-ENTRY"),
        (b"<html>", "TS-ANSWER-JSON"),
    ],
)
def test_a_refusal_without_the_documented_body_breaks_its_clause(response: Any, clause: str) -> None:
    assert OracleHarness().clauses(event(name=...), response, 400) == {clause}


def test_entries_of_errors_may_be_texts_or_objects_but_always_the_same() -> None:
    harness = OracleHarness()
    assert harness.check(event(name=...), {"message": "no", "errors": ["text"]}, 400) == []
    assert harness.clauses(event(time=...), {"message": "no", "errors": [{"type": "text"}]}, 400) == {
        "TS-INTERPRETATION-KEPT"
    }


@pytest.mark.parametrize(
    ("credential", "status", "clause"),
    [
        (Credential.INVALID, 401, "TS-AUTH-INVALID"),
        (Credential.QUOTED, 401, "TS-AUTH-QUOTED"),
        (Credential.MISSING, 401, "TS-AUTH-MISSING"),
        (Credential.UNPRIVILEGED, 403, "TS-AUTH-PERMISSION"),
    ],
)
def test_keys_that_are_not_accepted(credential: Credential, status: int, clause: str) -> None:
    right = {"message": "Invalid API key"}
    assert OracleHarness().check(event(), right, status, credential=credential) == []
    assert OracleHarness().clauses(event(), ANSWER, credential=credential) == {clause}
    assert clause in OracleHarness().clauses(event(), {"message": "no", "errors": ["x"]}, 400, credential=credential)


def test_a_wrong_key_with_a_wrong_body_may_be_answered_for_either() -> None:
    for status, response in ((401, {"message": "Invalid API key"}), (400, REFUSAL)):
        assert OracleHarness().check({}, response, status, credential=Credential.INVALID) == []


def test_a_recording_of_others_may_show_a_refused_key() -> None:
    assert OracleHarness().check(event(), {"message": "Invalid API key"}, 401, credential=Credential.UNKNOWN) == []


@pytest.mark.parametrize(
    ("how", "lawful", "clause"),
    [
        ({"path": "/users/track/synchronous"}, {404}, "TS-ROUTE-URL"),
        ({"method": "GET"}, {404, 405}, "TS-ROUTE-METHOD"),
        ({"media": "text/plain"}, {201, 400, 415}, "TS-ROUTE-MEDIA"),
    ],
)
def test_a_wrong_method_or_media_type_has_its_lawful_statuses(
    how: dict[str, str], lawful: set[int], clause: str
) -> None:
    for status in (201, 400, 404, 405, 415):
        response = ANSWER if status == 201 else REFUSAL
        found = OracleHarness().clauses(event(), response, status, **how)  # type: ignore[arg-type]
        assert (found == set()) is (status in lawful), status
        if status not in lawful:
            assert clause in found


def test_a_body_over_four_megabytes_may_be_refused_or_read() -> None:
    big = json.dumps(event(properties={"p": "x" * (4 * 1024 * 1024)})).encode()
    for status, response in ((413, b"<html>"), (400, REFUSAL), (201, ANSWER)):
        assert OracleHarness().check(big, response, status) == []


def test_a_refund_may_not_be_refused() -> None:
    harness = OracleHarness()
    assert harness.check(purchase(), bought(1)) == []  # purchases are available in this workspace
    assert harness.clauses(purchase(price=-1), REFUSAL, 400) == {"TS-PURCHASE-REFUND"}
    assert OracleHarness().check(purchase(price=-1), bought(1)) == []


def test_properties_within_the_limits_may_not_be_refused() -> None:
    many = {f"p{n}": n for n in range(300)}
    assert OracleHarness().clauses(event(properties=many), REFUSAL, 400) == {"TS-EVENT-PROPERTIES-256"}
    assert OracleHarness().clauses(event(properties={"a": [1, {"b": True}]}), REFUSAL, 400) == {"TS-EVENT-PROPERTIES"}
    for number in (-1000, 2**53, 2**63 - 1, -0.5, 1e300):
        assert OracleHarness().clauses(event(properties={"a": number}), REFUSAL, 400) == {"TS-EVENT-PROPERTIES"}
    for number in (-(2**63) - 1, 2**63):  # beyond what many readers of JSON hold
        assert OracleHarness().clauses(event(properties={"a": number}), REFUSAL, 400) == set()


def test_a_500_is_retried_and_only_a_lasting_one_is_a_finding() -> None:
    harness = OracleHarness()
    assert harness.check(event(), ANSWER) == []
    for _ in range(4):
        assert harness.check(event(), b"", 503) == [], "it may be an outage: no other request had a response meanwhile"
    assert harness.check(event(name="another"), ANSWER_OF_ANOTHER) == []
    assert harness.clauses(event(), b"", 503) == {"TS-ANSWER-SERVER-ERROR"}


@pytest.mark.parametrize("spelling", [JSON[0][1], "application/json; charset=utf-8"])
def test_the_content_type_may_name_a_character_set(spelling: str) -> None:
    assert OracleHarness().check(event(), ANSWER, headers={"content-type": spelling}) == []


def test_a_response_of_another_content_type_is_a_finding() -> None:
    assert OracleHarness().clauses(event(), ANSWER, headers={"content-type": "text/html"}) == {"TS-ANSWER-MEDIA"}


def test_a_bad_email_may_be_ignored_beside_another_identifier_and_refused_alone() -> None:
    beside, alone = {**U, "email": "no address", "n": 1}, {"email": "no address", "n": 1}
    at = OracleHarness()
    assert at.clauses({"attributes": [beside]}, attributed(U, {"n": 1})) == set()
    assert at.clauses({"attributes": [alone]}, REFUSAL, 400) == set()
    assert at.clauses({"attributes": [beside]}, REFUSAL, 400) == set()
    assert at.clauses({"attributes": [alone]}, attributed({"email": "no address"}, {"n": 1})) == {
        "TS-INTERPRETATION-KEPT"
    }
