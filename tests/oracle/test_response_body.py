"""The form of a response: what each finding names, where it points, and which forms are lawful."""

from __future__ import annotations

from typing import Any

import pytest
from oracle_harness import LATER, SHOWN, TIME, OracleHarness, bought, counted, only, parts, purchase

from tracksync.model.exchange import Credential
from tracksync.model.finding import NOTHING
from tracksync.oracle.response_body import pointer_to_attribute

U = {"external_id": "u"}
EVENT = {"events": [{**U, "name": "seen", "time": TIME}]}
WRONG = {"events": [{**U, "name": "seen"}]}  # without its time
ROW = {"name": "seen", "first": SHOWN, "last": SHOWN, "count": 1}
ENTRY = "/response/body/users/0"


# --- any body ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("content", "start", "words"),
    [
        (b"", "", "the response (201) has no body"),
        (b"<html>", "<html>", "the response (201) is not a JSON object: it begins '<html>'"),
        (b"\xff\xfe{}", "\ufffd\ufffd{}", "begins"),
        (b"[]", "[]", "begins"),
        (b"x" * 99, "x" * 80, "begins"),
        (b'{"message":"success","users":NaN}', '{"message":"success","users":NaN}', "begins"),
        (b"\xef\xbb\xbf{}", "\ufeff{}", "begins"),
        (b'{"message":"\xff"}', '{"message":"\ufffd"}', "begins"),
    ],
)
def test_a_body_that_is_not_a_json_object_is_shown_by_its_beginning(content: bytes, start: str, words: str) -> None:
    found = only([one for one in OracleHarness().check(EVENT, content) if one.clause == "TS-ANSWER-JSON"])
    assert (found.pointer, found.expected, found.actual) == ("/response/body", "a JSON object", start)
    assert words in found.message


@pytest.mark.parametrize(
    ("media", "words"),
    [
        ("text/html", "the content type of the response is text/html"),
        (None, "the content type of the response is missing"),
    ],
)
def test_another_content_type_is_shown_in_the_finding(media: str | None, words: str) -> None:
    found = only(OracleHarness().check(EVENT, counted(U, "seen", SHOWN, SHOWN, 1), headers={"content-type": media}))
    assert found.message == words
    assert parts(found) == (
        "TS-ANSWER-MEDIA",
        "/response/headers/content-type",
        "application/json",
        (media or ""),
    )


@pytest.mark.parametrize(
    "media", ["application/json; charset=utf-8", "Application/JSON ;a=b;c=d", " application/json", "APPLICATION/JSON"]
)
def test_the_content_type_may_have_parameters_and_capitals(media: str) -> None:
    response = counted(U, "seen", SHOWN, SHOWN, 1)
    assert OracleHarness().check(EVENT, response, headers={"content-type": None, "Content-Type": media}) == []


# --- the body of a refusal --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("response", "pointer", "expected", "actual"),
    [
        ({"errors": ["e"]}, "/message", "a text other than success", NOTHING),
        ({"message": "success", "errors": ["e"]}, "/message", "a text other than success", "success"),
        ({"message": "", "errors": ["e"]}, "/message", "a text other than success", ""),
        ({"message": 5, "errors": ["e"]}, "/message", "a text other than success", 5),
        ({"message": "m"}, "/errors", "a list with at least one entry", NOTHING),
        ({"message": "m", "errors": []}, "/errors", "a list with at least one entry", []),
        ({"message": "m", "errors": "e"}, "/errors", "a list with at least one entry", "e"),
        ({"message": "m", "errors": [""]}, "/errors/0", "a text", ""),
        ({"message": "m", "errors": ["e", ""]}, "/errors/1", "a text", ""),
        ({"message": "m", "errors": [5]}, "/errors/0", "an object or a text", 5),
        ({"message": "m", "errors": ["e", None]}, "/errors/1", "an object or a text", None),
        ({"message": "m", "errors": [{}]}, "/errors/0", "a text in it", {}),
        ({"message": "m", "errors": [{"a": [{"b": ""}], "c": 5}]}, "/errors/0", "a text in it", ...),
    ],
)
def test_a_finding_about_a_refusal_points_to_what_is_wrong(
    response: dict[str, Any], pointer: str, expected: str, actual: Any
) -> None:
    found = only(OracleHarness().check(WRONG, response, 400))
    actual = response["errors"][0] if actual is ... else actual
    assert parts(found) == ("TS-REFUSE-BODY", f"/response/body{pointer}", expected, actual)
    assert len(found.message.split()) > 3


@pytest.mark.parametrize("response", [{"message": "m"}, {"message": "m", "errors": []}])
def test_other_refusals_than_400_need_no_errors(response: dict[str, Any]) -> None:
    assert OracleHarness().check(EVENT, response, 401, credential=Credential.INVALID) == []


ENTRY_OF = {"type": "'time' is required"}
BROKEN: dict[str, dict[str, Any]] = {
    "events": {**U, "name": "seen"},
    "purchases": {**U, "product_id": "sku"},
    "attributes": {"a": 1},
}


@pytest.mark.parametrize("section", ["attributes", "events", "purchases"])
def test_an_error_names_the_section_and_the_index_of_its_object(section: str) -> None:
    body = {section: [BROKEN[section]]}
    for right in ({"input_array": section, "index": 0}, {"input_array": section}, {"index": 7}, {}):
        response = {"message": "m", "errors": [{**ENTRY_OF, **right}]}
        assert OracleHarness().check(body, response, 400) == []
    for index in (1, -1, "0", None, 0.5):
        response = {"message": "m", "errors": [{**ENTRY_OF, "input_array": section, "index": index}]}
        found = only(OracleHarness().check(body, response, 400))
        assert parts(found) == ("TS-REFUSE-ENTRY", "/response/body/errors/0/index", 0, index)
        assert found.message == f"the error names the index {index!r} of 1 object"
    for other in ({"attributes", "events", "purchases"} - {section}) | {"event", ""}:
        response = {"message": "m", "errors": [{**ENTRY_OF, "input_array": other, "index": 0}]}
        found = only(OracleHarness().check(body, response, 400))
        assert parts(found) == ("TS-REFUSE-ENTRY", "/response/body/errors/0/input_array", section, other)
        assert found.message == f"the error names the section {other!r}; the request has {section}"


def test_a_bare_object_has_no_index_that_is_documented() -> None:
    for index in (0, 1):
        response = {"message": "m", "errors": [{**ENTRY_OF, "input_array": "events", "index": index}]}
        assert OracleHarness().check({"events": BROKEN["events"]}, response, 400) == []


def test_every_wrong_entry_of_errors_is_found() -> None:
    entries = [{**ENTRY_OF, "input_array": "purchases"}, {}, {**ENTRY_OF, "input_array": "events", "index": 3}]
    findings = OracleHarness().check(WRONG, {"message": "m", "errors": entries}, 400)
    assert [one.pointer for one in findings] == [
        "/response/body/errors/0/input_array",
        "/response/body/errors/1",
        "/response/body/errors/2/index",
    ]


def test_where_more_than_one_object_may_be_wrong_an_error_may_name_any() -> None:
    two = {"events": [EVENT["events"][0]] * 2}
    response = {"message": "m", "errors": [{**ENTRY_OF, "input_array": "purchases", "index": 9}]}
    assert OracleHarness().check(two, response, 400) == []
    forbidden = {"message": "m", "errors": [{**ENTRY_OF, "input_array": "purchases", "index": 9}]}
    assert OracleHarness().check(WRONG, forbidden, 403, credential=Credential.UNPRIVILEGED) == []


# --- users ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("users", "pointer", "expected", "actual"),
    [
        ("u", "", "a list of one entry", "u"),
        (5, "", "a list of one entry", 5),
        (None, "", "a list of one entry", None),
        ({**U, "custom_events": [ROW]}, "", "a list of one entry", ...),
        ([5], "/0", "an object", 5),
        ([{**U, "custom_events": [ROW]}, {}], "", 1, 2),
    ],
)
def test_users_is_a_list_of_one_entry(users: Any, pointer: str, expected: Any, actual: Any) -> None:
    harness = OracleHarness()
    found = only(harness.check(EVENT, {"users": users, "message": "success"}))
    actual = users if actual is ... else actual
    assert parts(found) == ("TS-OK-USERS", f"/response/body/users{pointer}", expected, actual)
    readable = isinstance(users, dict) or (isinstance(users, list) and isinstance(users[0], dict))
    assert (harness.event(2) == set()) is True
    assert (harness.event(9) != set()) is True
    harness = OracleHarness()
    harness.check(EVENT, {"users": users, "message": "success"})
    assert (harness.event(4) == set()) is not readable  # what could not be read is not known


def test_a_success_says_so_and_has_no_errors() -> None:
    response = counted(U, "seen", SHOWN, SHOWN, 1)
    for message in ("Success", "", None, ...):
        changed = {key: value for key, value in {**response, "message": message}.items() if value is not ...}
        found = only(OracleHarness().check(EVENT, changed))
        shown = NOTHING if message is ... else message
        assert parts(found) == ("TS-OK-MESSAGE", "/response/body/message", "success", shown)
    for errors in (["e"], "e", {"a": 1}, 5):
        found = only(OracleHarness().check(EVENT, {**response, "errors": errors}))
        assert parts(found) == ("TS-OK-NO-ERRORS", "/response/body/errors", NOTHING, errors)
    for errors in ([], None, "", {}):
        assert OracleHarness().check(EVENT, {**response, "errors": errors}) == []


# --- the entry's identifier -------------------------------------------------------------------------------------------


def entry(**more: Any) -> dict[str, Any]:
    return {"users": [{"custom_events": [ROW], **more}], "message": "success"}


@pytest.mark.parametrize(
    ("names", "shown", "expected", "actual"),
    [
        (U, {"external_id": "v"}, "u", "v"),
        (U, {}, "u", NOTHING),
        (U, {"braze_id": "b"}, "u", {"braze_id": "b"}),
        (U, {"external_id": None}, "u", {"external_id": None}),
        ({"external_id": 5}, {"external_id": "6"}, 5, "6"),
        ({"external_id": "5"}, {"external_id": 5}, "5", 5),
        ({"braze_id": "b"}, {"braze_id": "c"}, "b", "c"),
        ({"email": "e@example.com"}, {"email": "f@example.com"}, "e@example.com", "f@example.com"),
    ],
)
def test_the_entry_names_the_user_as_the_request_did(
    names: dict[str, Any], shown: dict[str, Any], expected: Any, actual: Any
) -> None:
    (kind,) = names
    findings = OracleHarness().check({"events": [{**names, "name": "seen", "time": TIME}]}, entry(**shown))
    found = only([one for one in findings if one.clause == "TS-OK-IDENTIFIER"])
    assert parts(found) == ("TS-OK-IDENTIFIER", f"{ENTRY}/{kind}", expected, actual)
    assert kind in found.message


@pytest.mark.parametrize(("shown", "interpretation"), [(5, "integer"), ("5", "string")])
def test_an_integer_may_be_shown_as_text_and_then_always(shown: Any, interpretation: str) -> None:
    harness = OracleHarness()
    body = {"events": [{"external_id": 5, "name": "seen", "time": TIME}]}
    assert harness.check(body, entry(external_id=shown)) == []
    assert harness.belief.interpretations()["integer-identifiers"] == interpretation


def test_an_identifier_that_is_a_text_shows_no_interpretation_of_integers() -> None:
    harness = OracleHarness()
    assert harness.check(EVENT, entry(**U)) == []
    assert "integer-identifiers" not in harness.belief.interpretations()


# --- lists of events and purchases ------------------------------------------------------------------------------------


def listed(value: Any) -> dict[str, Any]:
    return {"users": [{**U, **({} if value is ... else {"custom_events": value})}], "message": "success"}


@pytest.mark.parametrize(
    ("value", "clause", "pointer", "expected", "actual"),
    [
        (..., "TS-OK-SHOWS", "", "seen", NOTHING),
        (None, "TS-OK-SHOWS", "", "seen", NOTHING),
        ([], "TS-OK-SHOWS", "", "seen", []),
        ({}, "TS-OK-SHOWS", "", "seen", {}),
        ("x", "TS-OK-FORM", "", "a list", "x"),
        ([ROW, 5], "TS-OK-FORM", "", "a list", [ROW, 5]),
        (ROW, "TS-OK-FORM", "", "a list", ROW),
        ([{**ROW, "name": "other"}], "TS-EVENT-NAME", "/0/name", "seen", "other"),
        ([{key: value for key, value in ROW.items() if key != "name"}], "TS-EVENT-NAME", "/0/name", "seen", NOTHING),
        ([ROW, {**ROW, "name": "other"}], "TS-OK-ONLY-EVENTS", "/1", NOTHING, {**ROW, "name": "other"}),
        ([{**ROW, "name": "other"}, ROW], "TS-OK-ONLY-EVENTS", "/0", NOTHING, {**ROW, "name": "other"}),
        ([ROW, ROW], "TS-OK-ONLY-EVENTS", "/1", NOTHING, ROW),
        ([ROW, {}], "TS-OK-ONLY-EVENTS", "/1", NOTHING, {}),
    ],
)
def test_the_response_lists_the_event_and_nothing_else(
    value: Any, clause: str, pointer: str, expected: Any, actual: Any
) -> None:
    found = only(OracleHarness().check(EVENT, listed(value)))
    assert parts(found) == (clause, f"{ENTRY}/custom_events{pointer}", expected, actual)


def test_two_other_events_do_not_show_the_one_of_the_request() -> None:
    others = [{**ROW, "name": "one"}, {**ROW, "name": "two"}]
    findings = OracleHarness().check(EVENT, listed(others))
    assert [one.clause for one in findings] == ["TS-OK-ONLY-EVENTS", "TS-OK-ONLY-EVENTS", "TS-OK-SHOWS"]
    assert parts(findings[-1]) == ("TS-OK-SHOWS", f"{ENTRY}/custom_events", "seen", others)
    assert findings[-1].message == "the response does not show 'seen'"


@pytest.mark.parametrize("shown", [5, "5"])
def test_a_product_that_is_an_integer_may_come_back_as_text(shown: Any) -> None:
    assert OracleHarness().check(purchase(product_id=5), bought(1, product=shown)) == []
    findings = OracleHarness().check(purchase(product_id="5"), bought(1, product=shown))
    assert [one.clause for one in findings] == ([] if shown == "5" else ["TS-PURCHASE-PRODUCT"])


@pytest.mark.parametrize(
    ("change", "clause", "pointer", "expected"),
    [
        ({"count": 0}, "TS-OK-COUNT-FORM", "/count", "a positive integer"),
        ({"count": "1"}, "TS-OK-COUNT-FORM", "/count", "a positive integer"),
        ({"count": ...}, "TS-OK-COUNT-FORM", "/count", "a positive integer"),
        ({"first": ...}, "TS-OK-TIME-FORM", "/first", "an ISO 8601 time"),
        ({"last": ...}, "TS-OK-TIME-FORM", "/last", "an ISO 8601 time"),
        ({"first": 5}, "TS-OK-TIME-FORM", "/first", "an ISO 8601 time"),
        ({"last": "never"}, "TS-OK-TIME-FORM", "/last", "an ISO 8601 time"),
        ({"last": "2022-02-30T00:00:00Z"}, "TS-OK-TIME-FORM", "/last", "an ISO 8601 time"),
        ({"first": f"{SHOWN} "}, "TS-OK-TIME-FORM", "/first", "an ISO 8601 time"),
    ],
)
def test_count_first_and_last_have_their_forms(
    change: dict[str, Any], clause: str, pointer: str, expected: str
) -> None:
    ambiguity = {key: value for key, value in {**ROW, **change}.items() if value is not ...}
    found = only(OracleHarness().check(EVENT, listed([ambiguity])))
    (value,) = change.values()
    actual = NOTHING if value is ... else value
    assert parts(found) == (clause, f"{ENTRY}/custom_events/0{pointer}", expected, actual)


def test_first_is_not_after_last() -> None:
    ambiguity = {**ROW, "first": "2023-01-01T00:00:00.000Z"}
    found = only(OracleHarness().check({"events": [{**U, "name": "seen", "time": LATER}]}, listed([ambiguity])))
    assert parts(found) == (
        "TS-OK-TIME-FORM",
        f"{ENTRY}/custom_events/0/first",
        "first <= last",
        f"2023-01-01T00:00:00.000Z > {SHOWN}",
    )


# --- custom attributes ------------------------------------------------------------------------------------------------


def test_a_name_is_escaped_in_a_pointer() -> None:
    assert pointer_to_attribute("a/b~c") == f"{ENTRY}/custom_attributes/a~1b~0c"
    assert pointer_to_attribute("~/") == f"{ENTRY}/custom_attributes/~0~1"


@pytest.mark.parametrize("shown", [None, [], ...])
def test_a_list_of_no_attributes_may_have_any_form(shown: Any) -> None:
    more = {} if shown is ... else {"custom_attributes": shown}
    response = {"users": [{**U, **more}], "message": "success"}
    assert OracleHarness().check({"attributes": [{**U, "a": None}]}, response) == []


def test_custom_attributes_is_an_object_of_what_was_written() -> None:
    body = {"attributes": [{**U, "a": 1}]}
    for listing, clause, pointer, expected, actual in (
        ([1], "TS-OK-FORM", "", "an object", [1]),
        ("a", "TS-OK-FORM", "", "an object", "a"),
        ({"a": 1, "b/c": 2}, "TS-OK-ONLY-ATTRIBUTES", "/b~1c", NOTHING, 2),
        ({"a": 1, "email": "e"}, "TS-OK-CUSTOM-ONLY", "/email", NOTHING, "e"),
    ):
        response = {"users": [{**U, "custom_attributes": listing}], "message": "success"}
        found = only(OracleHarness().check(body, response))
        assert parts(found) == (clause, f"{ENTRY}/custom_attributes{pointer}", expected, actual)


def test_other_sections_than_the_requests_are_empty() -> None:
    more = {"custom_attributes": {"a": 1}, "purchase_events": [ROW]}
    findings = OracleHarness().check(EVENT, {"users": [{**U, "custom_events": [ROW], **more}], "message": "success"})
    assert [parts(one) for one in findings] == [
        ("TS-OK-ONLY-ATTRIBUTES", f"{ENTRY}/custom_attributes", NOTHING, {"a": 1}),
        ("TS-OK-ONLY-PURCHASES", f"{ENTRY}/purchase_events", NOTHING, [ROW]),
    ]
    empty = {"custom_attributes": {}, "purchase_events": []}
    assert OracleHarness().check(EVENT, {"users": [{**U, "custom_events": [ROW], **empty}], "message": "success"}) == []


def test_a_product_over_its_length_is_not_recorded() -> None:
    long = "x" * 256
    harness = OracleHarness()
    assert harness.check(purchase(product_id=long), {"users": [], "message": "success"}) == []
    found = only(harness.check(purchase(product_id=long), bought(1, product=long)))
    assert parts(found) == (
        "TS-PURCHASE-PRODUCT-LENGTH",
        f"{ENTRY}/purchase_events/0/product_id",
        "at most 255 characters",
        long,
    )
    for users in (None, 5, [], [5], [{}], [{"purchase_events": 5}], [{"purchase_events": [5, {"product_id": "x"}]}]):
        clauses = {one.clause for one in OracleHarness().check(purchase(product_id=long), {"users": users})}
        assert "TS-PURCHASE-PRODUCT-LENGTH" not in clauses
