"""Whether a request is valid, refused or open, and why, follows from the spec and the table of refusals."""

from __future__ import annotations

import json
from typing import Any

import pytest
from spec_schemas import EVENT, OPEN, REFUSED, VALID, attributes, event, purchase

from tracksync.contract.ambiguities import ambiguity_catalogue
from tracksync.contract.bounds import DELETE, EXPORT, SYNC, TRACK, bounds
from tracksync.contract.classify import (
    Classification,
    Line,
    classify,
    classify_body,
    classify_object,
)
from tracksync.contract.clauses import catalogue
from tracksync.contract.conditions import Condition
from tracksync.contract.refusals import RequestClass, refusals
from tracksync.values.jsontext import read_json

LARGE = 2**53


def of(body: Any, line: Line | None = None) -> Classification:
    """The class of a whole request with this body, which is bytes or a value."""
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    return classify(line or Line(), raw, read_json(raw))


def the(found: Classification) -> Condition:
    [condition] = found.conditions
    return condition


# --- the table --------------------------------------------------------------------------------------------------------
def test_every_clause_of_the_table_is_in_the_catalogue() -> None:
    named = {row.clause for row in refusals().values()}
    assert named | {clause for row in refusals().values() for clause in row.clauses.values()} <= set(catalogue())


def test_every_ambiguity_of_the_table_exists_and_has_the_interpretations_that_are_shown() -> None:
    for row in refusals().values():
        if row.ambiguity is not None:
            shown = {interpretation for _, interpretation in row.shows}
            assert shown <= set(ambiguity_catalogue()[row.ambiguity].interpretations), row.name
            assert {status for status, _ in row.shows} <= set(row.statuses), row.name


def test_every_row_has_a_source() -> None:
    assert [row.name for row in refusals().values() if len(row.source) < 10] == []


def test_every_row_compiles() -> None:
    for row in refusals().values():
        assert row.when is not None or row.predicate or row.at == "missing", row.name
        assert row.validator is None or isinstance(row.holds({}), bool)


# --- bodies -----------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("body", VALID.values(), ids=VALID.keys())
def test_what_every_server_must_accept_is_valid(body: Any) -> None:
    assert of(body) == Classification(RequestClass.VALID)


@pytest.mark.parametrize("body", REFUSED.values(), ids=REFUSED.keys())
def test_what_meets_a_refusal_is_refused_with_400(body: Any) -> None:
    found = of(body)
    assert found.request_class is RequestClass.REFUSED
    assert any(condition.refused and condition.statuses == {400} for condition in found.conditions)


@pytest.mark.parametrize("body", OPEN.values(), ids=OPEN.keys())
def test_what_the_documents_leave_open_is_open(body: Any) -> None:
    found = of(body)
    assert found.request_class is RequestClass.OPEN
    assert found.conditions
    assert not any(condition.refused for condition in found.conditions)


@pytest.mark.parametrize("case", OPEN)
def test_a_case_that_is_named_after_an_ambiguity_meets_a_row_of_it(case: str) -> None:
    name = case.partition(",")[0]
    if name in ambiguity_catalogue() and name != "coerced-types":
        ambiguities = {condition.ambiguity for condition in of(OPEN[case]).conditions}
        assert name in ambiguities or (name, ambiguities) == ("integer-identifiers", {"integer-products"})


@pytest.mark.parametrize(
    ("body", "clause", "pointer", "reason"),
    [
        (event("name"), "TS-EVENT-NAME-REQUIRED", "/events/0/name", "name is missing"),
        (event(name=None), "TS-EVENT-NAME-REQUIRED", "/events/0/name", "name is missing"),
        (event(time="yesterday"), "TS-EVENT-TIME-VALID", "/events/0/time", "'yesterday' is not a time"),
        (purchase(time="soon"), "TS-PURCHASE-TIME-REQUIRED", "/purchases/0/time", "'soon' is not a time"),
        (purchase("currency"), "TS-PURCHASE-CURRENCY-REQUIRED", "/purchases/0/currency", "currency is missing"),
        (purchase(quantity=101), "TS-PURCHASE-QUANTITY", "/purchases/0/quantity", "quantity is over 100"),
        (event(properties={"time": 1}), "TS-EVENT-RESERVED", "/events/0/properties", "a property is called time"),
        (event("external_id"), "TS-REFUSE-IDENTIFIER", "/events/0", "the object names no user"),
        ({"events": [EVENT, EVENT]}, "TS-REFUSE-OBJECTS", "/events", "events holds 2 objects"),
        (attributes(a=1) | event(), "TS-REFUSE-SECTIONS", "", "attributes and events are in one request"),
        ({}, "TS-REFUSE-EMPTY", "", "there is no attributes, event or purchase object"),
    ],
)
def test_a_refusal_says_which_clause_where_and_why(body: Any, clause: str, pointer: str, reason: str) -> None:
    condition = the(of(body))
    assert (condition.clause, condition.pointer, condition.reason) == (clause, f"/request/body{pointer}", reason)
    assert condition.refused


@pytest.mark.parametrize(
    ("body", "known"),
    [
        (event(app_id="app"), True),
        (event(external_id=5), True),
        (event(external_id=5.0), False),
        (event(external_id=LARGE), False),
        (event("external_id", email="no-address"), False),
        (event("external_id", phone="home"), False),
        (attributes(thing={"a.b": 1}), True),
        (attributes(push_token_import=True, a=1), False),
        (event(price=1) | {"purchases": None}, False),
    ],
)
def test_it_says_whether_the_effect_of_an_accepted_open_request_can_be_checked(body: Any, known: bool) -> None:
    found = of(body)
    assert found.request_class is RequestClass.OPEN
    assert found.effect_known is known


@pytest.mark.parametrize(
    ("body", "wanted"),
    [
        # EVENT: ISO 8601 or yyyy-MM-dd'T'HH:mm:ss:SSSZ; PURCH: ISO 8601; the other forms are for attributes only.
        (event(time="2022-12-06T18:20:45"), "valid"),
        (event(time="2022-12-06T18:20:45:000Z"), "valid"),
        (purchase(time="2022-12-06T18:20:45:000Z"), "open"),
        (event(time="2022-12-06 18:20:45"), "open"),
        (event(time="2022-12-06"), "open"),
        (event(time="1850-01-01T00:00:00Z"), "valid"),
        (event(time="1583-01-01T00:00:00Z"), "valid"),
        (event(time="1582-12-31T00:00:00Z"), "open"),  # ISO 8601 wants an agreement
        (event(time="2024-02-29T00:00:00Z"), "valid"),
        (event(time="2023-02-29T00:00:00Z"), "refused"),
        (event(time="2023-01-01T24:00:00Z"), "open"),
        (event(time="2023-01-01T24:30:00Z"), "refused"),
        (event(time="2023-01-01T00:00:00+25:00"), "refused"),
        # No document speaks of folding or trimming; a blank name is another matter.
        (event(name=" seen"), "valid"),
        (event(name="   "), "open"),
        (event(name="x" * 256), "open"),
        (event(name="\U0001f600" * 127), "valid"),
        (event(name="\U0001f600" * 128), "open"),  # 256 units of UTF-16
        # Ambiguity 19.
        (purchase(currency="EUR"), "valid"),
        (purchase(currency="XTS"), "open"),
        (purchase(currency="XXX"), "open"),
        (purchase(currency="XAU"), "open"),
        (purchase(currency="eur"), "open"),
        (purchase(currency="978"), "open"),
        (purchase(currency="DEM"), "open"),
        (purchase(currency="ZZZ"), "refused"),
        # PURCH: a number; 64 bits and doubles are what readers of JSON share.
        (purchase(price=1e-7), "valid"),
        (purchase(price=True), "open"),
        (purchase(price="1.5"), "open"),
        (purchase(price="cheap"), "refused"),
        (purchase(quantity=16.0), "open"),
        (attributes(a=2**63 - 1), "valid"),
        (attributes(a=2**63), "open"),
        (attributes(a=1.5e300), "valid"),
        # ATTR: null removes, `""` is stored; identifiers cannot be removed.
        (attributes(first_name=None), "valid"),
        (attributes(gender=None), "valid"),
        (event(email=None), "open"),
        (attributes(email="person@example.com"), "valid"),
        # NESTED: a null or an ill-formed time drops the update of the attribute, not the request.
        (attributes(thing={"a": None}), "valid"),
        (attributes(thing={"a": {"$time": "never"}}), "valid"),
        (attributes(things=[{"a": None}]), "open"),
        (attributes(thing={"inc": 1, "more": 2}), "valid"),
        (attributes(thing={"inc": "x"}), "open"),
        # EVENT names arrays and objects as values and no arrays in arrays.
        (event(properties={"a": {"b": {"c": {"d": {"e": {"f": {"g": {"h": 1}}}}}}}}), "valid"),
        (event(properties={"a": [[1]]}), "open"),
        (event(properties={"event_name": 1}), "refused"),
        (purchase(properties={"event_name": 1}), "open"),
        (event(app_id="app"), "open"),
        (event("external_id", braze_id="b"), "open"),
    ],
)
def test_what_was_decided_from_the_documents(body: Any, wanted: str) -> None:
    assert str(of(body).request_class) == wanted


def test_a_nul_is_open_wherever_it_stands() -> None:
    for body in (
        attributes(a="x\0"),
        attributes(a={"k\0": 1}),
        attributes(a=["\0"]),
        event(name="\0"),
        event(external_id="u\0"),
        event(properties={"a": "\0"}),
        attributes(first_name="\0"),
    ):
        assert of(body).request_class is RequestClass.OPEN, body


def test_what_no_row_speaks_of_is_open_with_an_unknown_effect() -> None:
    document_has_no_row = attributes(current_location={"longitude": 0, "latitude": 0, "altitude": 1})
    assert the(of(document_has_no_row)).row == "profile-format"
    found = classify_body(TRACK, {"attributes": [{}]})
    assert found.request_class is RequestClass.OPEN


# --- sizes ------------------------------------------------------------------------------------------------------------
def text_of(size: int) -> dict[str, str]:
    """An object of so many bytes as JSON with spaces after separators."""
    made = {f"k{number:04}": "x" * 200 for number in range((size - 500) // 212)}
    rest = size - len(json.dumps({**made, "y": "", "z": ""}))
    return {**made, "y": "y" * (rest // 2), "z": "z" * (rest - rest // 2)}


@pytest.mark.parametrize(
    ("size", "wanted", "row"),
    [(100_000, "valid", None), (100_001, "open", "doubtful-object"), (115_000, "open", "invalid-object")],
)
def test_an_object_around_its_limit(size: int, wanted: str, row: str | None) -> None:
    found = of(attributes(thing=text_of(size)))
    assert str(found.request_class) == wanted
    assert [condition.row for condition in found.conditions] == ([row] if row else [])


@pytest.mark.parametrize(("size", "wanted"), [(50_000, "valid"), (50_001, "open")])
def test_properties_around_their_least_limit(size: int, wanted: str) -> None:
    assert str(of(event(properties=text_of(size))).request_class) == wanted


def nested(levels: int) -> Any:
    value: Any = 1
    for _ in range(levels):
        value = {"a": value}
    return value


def test_nesting_is_valid_up_to_the_documented_depth() -> None:
    depth = bounds().body_depth - 3  # the body, the section, the object
    assert of(attributes(a=nested(depth))).request_class is RequestClass.VALID
    assert the(of(attributes(a=nested(depth + 1)))).row == "deep"


@pytest.mark.parametrize(("size", "row"), [(4_000_000, None), (4_000_001, "body-size-near"), (4_194_305, "body-size")])
def test_a_body_around_4_mb(size: int, row: str | None) -> None:
    found = of(json.dumps(event()).encode().ljust(size))
    assert [condition.row for condition in found.conditions] == ([row] if row else [])


# --- JSON as text -----------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("body", [b"", b"{", b'{"a":1}}', b"{'a':1}", b"\xff{}"[:1]])
def test_what_is_no_json_is_refused(body: bytes) -> None:
    found = of(body)
    if not read_json(body).quirks:
        assert (the(found).clause, found.request_class) == ("TS-REFUSE-SYNTAX", RequestClass.REFUSED)


@pytest.mark.parametrize(
    "body",
    [
        b"\xef\xbb\xbf" + json.dumps(event()).encode(),
        b'{"events":[],"events":[{"external_id":"u","name":"n","time":"2022-12-06T18:20:45Z"}]}',
        b'{"events":[{"external_id":"u","name":"n","time":"2022-12-06T18:20:45Z"}],"events":[]}',
        b'{"attributes":[{"external_id":"u","a":NaN}]}',
        b'{"attributes":[{"external_id":"u","a":"\\ud800"}]}',
        b'{"attributes":[{"external_id":"u","\\ud800":1}]}',
        b'{"attributes":[{"external_id":"u","a":1e400}]}',
        b'{"attributes":[{"external_id":"u","a":' + b"9" * 5000 + b"}]}",
        b'{"attributes":[{"external_id":"u","a":' + b"[" * 1500 + b"]" * 1500 + b"}]}",
        json.dumps(event()).encode("utf-16"),
    ],
)
def test_what_readers_of_json_differ_on_is_open(body: bytes) -> None:
    found = of(body)
    assert found.request_class is RequestClass.OPEN
    assert not found.effect_known


# --- the request line -------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("line", "wanted", "clause", "statuses"),
    [
        (Line(credential="missing"), "refused", "TS-AUTH-MISSING", {401}),
        (Line(credential="invalid"), "refused", "TS-AUTH-INVALID", {401}),
        (Line(credential="quoted"), "refused", "TS-AUTH-QUOTED", {401}),
        (Line(credential="unprivileged"), "refused", "TS-AUTH-PERMISSION", {403}),
        (Line(credential="unknown"), "open", "TS-AUTH-INVALID", {401, 403}),
        (Line(method="GET"), "refused", "TS-ROUTE-METHOD", {404, 405}),
        (Line(method="BREW"), "open", "TS-ROUTE-METHOD", {400, 404, 405, 501}),
        (Line(path="/users/track/synchronous"), "refused", "TS-ROUTE-URL", {404}),
        (Line(path="/users/track/sync/"), "open", "TS-ROUTE-URL", {400, 401, 403, 404, 405}),
        (Line(path="/messages/send"), "open", "TS-ROUTE-URL", {400, 401, 403, 404, 405}),
        (Line(media="text/plain"), "open", "TS-ROUTE-MEDIA", {400, 415}),
        (Line(media="application/xml"), "open", "TS-ROUTE-MEDIA", {400, 415}),
        (Line(encoding="gzip"), "open", "TS-OK-STATUS", {400, 413, 415}),
    ],
)
def test_the_request_line(line: Line, wanted: str, clause: str, statuses: set[int]) -> None:
    found = of(event(), line)
    condition = the(found)
    assert (str(found.request_class), condition.clause, set(condition.statuses)) == (wanted, clause, statuses)


def test_a_missing_key_is_open_on_a_path_that_is_none_of_ours() -> None:
    found = of(event(), Line(path="/messages/send", credential="missing"))
    assert found.request_class is RequestClass.OPEN


def test_the_body_does_not_count_where_it_is_not_read() -> None:
    assert the(of({}, Line(method="GET"))).clause == "TS-ROUTE-METHOD"


@pytest.mark.parametrize(
    ("path", "body", "rows"),
    [
        (TRACK, attributes(a=1) | event(), ["other-endpoint"]),
        (TRACK, {"events": [EVENT] * 76}, ["other-endpoint", "track-objects"]),
        (TRACK, {"events": [EVENT] * 75}, ["other-endpoint"]),
        (TRACK, [], ["other-endpoint", "no-object"]),
        (DELETE, {"external_ids": ["u"]}, ["other-endpoint"]),
        (DELETE, {"external_ids": ["u"] * 51}, ["other-endpoint", "delete-too-many", "delete-identifiers"]),
        (
            DELETE,
            {"email_addresses": ["e@example.com"]},
            ["other-endpoint", "delete-without-prioritization", "delete-identifiers"],
        ),
        (EXPORT, {"external_ids": ["u"], "fields_to_export": ["email"]}, ["other-endpoint"]),
        (EXPORT, {}, ["other-endpoint", "export-members"]),
    ],
)
def test_the_other_endpoints(path: str, body: Any, rows: list[str]) -> None:
    assert [condition.row for condition in of(body, Line(path=path)).conditions] == rows


def test_one_object_of_a_batch_is_classified_as_if_it_stood_alone() -> None:
    assert classify_object("events", EVENT, "/request/body/events/3").request_class is RequestClass.VALID
    found = classify_object("events", {"name": "n", "time": "never"}, "/request/body/events/3")
    assert {condition.pointer for condition in found.conditions} == {
        "/request/body/events/3",
        "/request/body/events/3/time",
    }


def test_classification_is_the_same_with_and_without_the_bytes() -> None:
    for body in (*VALID.values(), *REFUSED.values(), *OPEN.values()):
        assert classify_body(SYNC, body) == classify_body(SYNC, body, json.dumps(body).encode())
