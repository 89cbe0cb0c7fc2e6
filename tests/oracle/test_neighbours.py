"""What the responses of the other endpoints must be, and with what an export must agree."""

from __future__ import annotations

from typing import Any

import pytest
from oracle_harness import NO_USER, SHOWN, TIME, OracleHarness, bought, purchase

from tracksync.model.exchange import FailureKind
from tracksync.model.finding import NOTHING, Finding

DELETE, EXPORT = "/users/delete", "/users/export/ids"
DONE = {"message": "success"}
LATE = 400.0
ROW = {"first": SHOWN, "last": SHOWN, "count": 1}
PROFILE = {
    "external_id": "u",
    "custom_attributes": {"a": 1},
    "custom_events": [{"name": "seen", **ROW}],
    "purchases": [{"name": "sku", **ROW}],
}


def written(names: tuple[str, ...] = ("u",), *, new: bool = True) -> OracleHarness:
    harness = OracleHarness(new=new)
    for name in names:
        names = {"external_id": name}
        harness.write({"a": 1}, names=names)
        harness.event(1, names=names)
    assert harness.check(purchase(), bought(1)) == []
    return harness


def export(harness: OracleHarness, *entries: Any, wait: float = LATE, fields: list[str] | None = None) -> list[Finding]:
    body = {"external_ids": ["u"], **({"fields_to_export": fields} if fields is not None else {})}
    return harness.check(body, {"users": list(entries), **DONE}, path=EXPORT, wait=wait)


# --- deleting ---------------------------------------------------------------------------------------------------------


def test_a_deletion_says_how_many_it_deleted() -> None:
    for deleted, right in ((0, True), (1, True), (2, False), (-1, False), (None, False), ("1", False), (1.5, False)):
        findings = OracleHarness().check({"external_ids": ["u"]}, {"deleted": deleted, **DONE}, path=DELETE)
        assert (findings == []) == right
        if findings:
            (found,) = findings
            assert (found.clause, found.pointer, found.expected, found.actual) == (
                "TS-DELETE-ANSWER",
                "/response/body/deleted",
                "0 … 1",
                deleted,
            )


def test_an_odd_deletion_may_show_any_number() -> None:
    assert OracleHarness().check({"external_ids": "u"}, {"deleted": 5, **DONE}, path=DELETE) == []
    assert OracleHarness().check({}, {"deleted": 5, **DONE}, path=DELETE) == []
    assert OracleHarness().check({"external_ids": ["u"], "braze_ids": ["b"]}, {"deleted": 2, **DONE}, path=DELETE) == []


def test_a_deletion_that_is_not_json_changes_nothing_even_if_it_was_lost() -> None:
    harness = written()
    for body in (b"[", b"[1]", b"null"):
        harness.check(body, path=DELETE, failure=FailureKind.TIMEOUT)
    assert harness.event(5) != set()


@pytest.mark.parametrize("answered", [True, False])
@pytest.mark.parametrize("count", [1, 2])
def test_a_deleted_user_has_the_old_history_or_none(answered: bool, count: int) -> None:
    harness = written(("u", "v"))
    failure = None if answered else FailureKind.TIMEOUT
    harness.check({"external_ids": ["u"]}, {"deleted": 1, **DONE}, path=DELETE, failure=failure)
    assert harness.event(count) == set()
    assert harness.event(5, names={"external_id": "v"}) != set()


@pytest.mark.parametrize("names", [{"user_aliases": [{"alias_name": "a", "alias_label": "l"}]}, {"braze_ids": ["b"]}])
@pytest.mark.parametrize("count", [1, 2])
def test_a_deletion_by_an_identifier_never_seen_may_have_deleted_any_user(names: dict[str, Any], count: int) -> None:
    deleted = {"deleted": 1, **DONE}
    for name in ("u", "v"):
        harness = written(("u", "v"), new=False)
        assert harness.check(names, deleted, path=DELETE) == []
        assert harness.event(count, names={"external_id": name}) == set()
    harness = written(("u", "v"), new=False)
    harness.check(names, deleted, path=DELETE)
    only = {"events": [{"external_id": "u", "name": "seen", "time": TIME, "_update_existing_only": True}]}
    assert harness.check(only, NO_USER) == []
    harness = written()
    harness.check(names, deleted, path=DELETE)  # certainly new, so that it leads to no user
    assert harness.event(1) != set()


def test_a_user_to_whom_an_identifier_may_lead_is_deleted_by_it_too() -> None:
    harness = OracleHarness()
    harness.event(1, names={"user_alias": {"alias_name": "a", "alias_label": "l"}, "external_id": "u"})
    assert harness.check({"external_ids": ["u"]}, {"deleted": 1, **DONE}, path=DELETE) == []
    assert harness.event(1, names={"external_id": "u"}) == set()


# --- other endpoints of the host --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("method", "path", "may_write"),
    [
        ("POST", "/users/merge", True),
        ("PUT", "/users/merge", True),
        ("PATCH", "/users/merge", True),
        ("DELETE", "/users/merge", True),
        ("GET", "/users/merge", False),
        ("POST", "/campaigns/trigger/send", True),
        ("POST", "/Canvas/Trigger/send", True),
        ("PUT", "/canvas/trigger/send", True),
        ("POST", "/content_blocks/create", False),
        ("GET", "/campaigns/trigger/list", False),
    ],
)
def test_some_endpoints_of_the_host_write_to_users(method: str, path: str, may_write: bool) -> None:
    harness = OracleHarness()
    harness.event(1)
    assert harness.check({}, DONE, 200, path=path, method=method) == []
    assert (harness.event(7) == set()) == may_write


# --- exporting --------------------------------------------------------------------------------------------------------


def test_a_profile_that_agrees_is_right() -> None:
    harness = written()
    assert export(harness, PROFILE) == []
    assert harness.last is not None
    assert {"TS-EXPORT-ANSWER", "TS-EXPORT-AGREES"} <= harness.last.covered


@pytest.mark.parametrize(
    ("change", "pointer", "expected", "actual"),
    [
        ({"custom_attributes": {"a": 2}}, "custom_attributes/a", 1, 2),
        ({"custom_attributes": {}}, "custom_attributes/a", 1, NOTHING),
        ({"custom_attributes": None}, "custom_attributes/a", 1, NOTHING),
        ({"custom_events": []}, "custom_events", 1, 0),
        ({"custom_events": [{"name": "seen", **ROW, "count": 2}]}, "custom_events", 1, 2),
        ({"purchases": [{"name": "sku", **ROW, "count": 2}]}, "purchases", 1, 2),
        ({"custom_events": [{"name": "seen", **ROW, "first": "2020-01-01T00:00:00Z"}]}, "custom_events", 1, 1),
        ({"custom_events": [{"name": "seen", **ROW, "last": "2024-01-01T00:00:00Z"}]}, "custom_events", 1, 1),
        ({"purchases": [{"name": "sku", **ROW, "first": "2020-01-01T00:00:00Z"}]}, "purchases", 1, 1),
        ({"purchases": [{"name": "sku", **ROW, "last": "2024-01-01T00:00:00Z"}]}, "purchases", 1, 1),
    ],
)
def test_an_export_with_another_value_is_found(
    change: dict[str, Any], pointer: str, expected: Any, actual: Any
) -> None:
    (found,) = export(written(), {**PROFILE, **change})
    assert found.clause == "TS-EXPORT-AGREES"
    assert (found.pointer, found.expected, found.actual) == (f"/response/body/users/0/{pointer}", expected, actual)


def test_a_removed_attribute_that_is_exported_is_found() -> None:
    harness = written()
    harness.write({"a": None})
    (found,) = export(harness, PROFILE)
    assert (found.clause, found.expected, found.actual) == ("TS-EXPORT-AGREES", NOTHING, 1)
    assert export(harness, {**PROFILE, "custom_attributes": {}}) == []
    assert export(harness, {**PROFILE, "custom_attributes": {"a": None}}) == []


@pytest.mark.parametrize(
    ("change", "right"),
    [
        ({"custom_events": [*PROFILE["custom_events"], {"name": "other", **ROW}]}, False),
        ({"custom_attributes": {"a": 1, "more": 2}}, False),
        ({"custom_attributes": {"a": 1, "image_url": "x"}}, True),  # a field of the profile on older pages
        ({"country": "US"}, True),
    ],
)
def test_an_export_holds_nothing_that_was_not_written(change: dict[str, Any], right: bool) -> None:
    assert [one.clause for one in export(written(), {**PROFILE, **change})] == ([] if right else ["TS-EXPORT-AGREES"])
    old = OracleHarness(new=False)
    old.write({"a": 1})
    entry = {**PROFILE, "custom_events": [], "purchases": [], **change}
    assert export(old, entry) == []  # it may have been there before


@pytest.mark.parametrize(
    ("rows", "clause"),
    [
        ([{"name": "seen", "count": 1}], "TS-OK-TIME-FORM"),
        ([{"name": "seen", **ROW, "first": 5}], "TS-OK-TIME-FORM"),
        ([{"name": "seen", **ROW, "first": "once"}], "TS-OK-TIME-FORM"),
        ([{"name": "seen", **ROW, "count": "1"}], "TS-OK-COUNT-FORM"),
        ([{"event": "seen", **ROW}], "TS-EXPORT-ANSWER"),
        ([{"name": "seen", **ROW}] * 2, "TS-EXPORT-AGREES"),
    ],
)
def test_an_exported_event_has_a_name_a_count_and_two_times_and_stands_once(rows: list[Any], clause: str) -> None:
    fields = ["custom_attributes", "custom_events", "purchases"]
    found = export(written(), {**PROFILE, "custom_events": rows}, fields=fields)
    assert {one.clause for one in found} == {clause}


def test_a_member_that_was_not_requested_may_be_missing() -> None:
    some = {"external_id": "u", "custom_attributes": {"a": 1}}
    assert export(written(), some, fields=["custom_attributes"]) == []
    (found,) = export(written(), some, fields=["custom_attributes", "purchases"])
    assert (found.clause, found.pointer) == ("TS-EXPORT-ANSWER", "/response/body/users/0/purchases")
    assert export(written(), some, fields=[]) == export(written(), some) == []  # no document says what it then has


def test_every_profile_of_an_export_is_checked() -> None:
    wrong = {**PROFILE, "custom_attributes": {"a": 2}}
    findings = export(written(("u", "v")), wrong, {**wrong, "external_id": "v", "purchases": []})
    assert [one.pointer for one in findings] == [f"/response/body/users/{n}/custom_attributes/a" for n in (0, 1)]


@pytest.mark.parametrize("name", [5, ["u"], {"u": 1}, "another user"])
def test_a_profile_of_an_unknown_user_is_not_checked(name: Any) -> None:
    assert export(written(), {**PROFILE, "external_id": name, "custom_attributes": {"a": 2}}) == []


def test_a_profile_to_which_another_identifier_may_lead_is_not_checked() -> None:
    harness = written()
    wrong = {**PROFILE, "custom_attributes": {"a": 2}}
    email = {"email": "e@example.com"}
    harness.write({"b": 1}, names={"external_id": "v"})
    harness.check(
        {"events": [{"external_id": "v", **email, "name": "seen", "time": TIME}]}, failure=FailureKind.TIMEOUT
    )
    assert len(export(harness, wrong)) == 1
    harness.check({"attributes": [{"external_id": "u", **email, "c": 1}]}, failure=FailureKind.TIMEOUT)
    assert export(harness, wrong) == []


def test_an_export_may_lag_and_then_has_the_former_value() -> None:
    harness = written()
    harness.write({"a": 2}, wait=400.0)
    for value, right in ((1, True), (2, True), (3, False)):
        assert (export(harness, {**PROFILE, "custom_attributes": {"a": value}}, wait=0.1) == []) == right
    for value, right in ((1, False), (2, True)):
        assert (export(harness, {**PROFILE, "custom_attributes": {"a": value}}) == []) == right
    harness = written()
    harness.event(2)
    for count, right in ((0, True), (1, True), (2, True), (3, False)):
        events = [{"name": "seen", **ROW, "count": count}]
        assert (export(harness, {**PROFILE, "custom_events": events}, wait=0.1) == []) == right


def test_an_export_may_lag_for_five_minutes_and_no_longer() -> None:
    for wait, right in ((300.0, True), (300.5, False)):
        harness = OracleHarness()
        harness.now = 1_800_000_000.0
        harness.write({"a": 1}, wait=0.0, took=0.0)
        assert (
            export(harness, {**PROFILE, "custom_attributes": {}}, wait=wait, fields=["custom_attributes"]) == []
        ) == right


def test_a_cell_with_pending_writes_is_not_compared_with_an_export() -> None:
    harness = written()
    harness.check({"attributes": [{"external_id": "u", "a": 5}]}, failure=FailureKind.TIMEOUT)
    assert export(harness, {**PROFILE, "custom_attributes": {"a": 9}}) == []


@pytest.mark.parametrize(
    ("member", "value", "wanted"),
    [
        ("custom_attributes", [1], "an object"),
        ("custom_events", {"a": 1}, "a list"),
        ("purchases", "none", "a list"),
    ],
)
def test_the_members_of_a_profile_have_their_forms(member: str, value: Any, wanted: str) -> None:
    (found,) = export(written(), {**PROFILE, member: value})
    assert found.message == f"{member} of an exported user is not {wanted}"
    assert (found.clause, found.pointer, found.expected, found.actual) == (
        "TS-EXPORT-ANSWER",
        f"/response/body/users/0/{member}",
        wanted,
        value,
    )


@pytest.mark.parametrize("path", ["/users/track", DELETE, EXPORT])
def test_the_message_of_the_other_endpoints_is_success(path: str) -> None:
    bodies = {
        "/users/track": {"events": [{"external_id": "u", "name": "seen", "time": TIME}]},
        DELETE: {"external_ids": ["u"]},
        EXPORT: {"external_ids": ["u"]},
    }
    clauses = {"/users/track": "TS-TRACK-ACCEPTED", DELETE: "TS-DELETE-ANSWER", EXPORT: "TS-EXPORT-ANSWER"}
    for message in ("done", None, ...):
        response = {"deleted": 1, "users": [], "events_processed": 1}
        response |= {} if message is ... else {"message": message}
        (found,) = OracleHarness().check(bodies[path], response, path=path)
        assert (found.clause, found.pointer, found.expected) == (clauses[path], "/response/body/message", "success")
        assert found.actual == (NOTHING if message is ... else message)


def test_every_fault_of_an_export_is_found() -> None:
    harness = written()
    wrong = {"users": [{**PROFILE, "custom_attributes": {"a": 2}}], **DONE, "message": "success"}
    how: dict[str, Any] = {"path": EXPORT, "wait": LATE, "headers": {"content-type": "text/plain"}}
    assert harness.clauses({"external_ids": ["u"]}, wrong, **how) == {"TS-ANSWER-MEDIA", "TS-EXPORT-AGREES"}


def test_a_profile_to_which_an_email_was_shown_to_lead_is_checked_again() -> None:
    harness = written()
    email = {"email": "e@example.com"}
    harness.check({"events": [{"external_id": "u", **email, "name": "seen", "time": TIME}]}, NO_USER)
    response = {"users": [{"external_id": "u", "custom_events": [{"name": "seen", **ROW, "count": 2}]}], **DONE}
    harness = written()
    assert harness.check({"events": [{"external_id": "u", **email, "name": "seen", "time": TIME}]}, response) == []
    profile = {**PROFILE, "custom_events": [{"name": "seen", **ROW, "count": 2}]}
    wrong = {**profile, "custom_attributes": {"a": 2}}
    assert export(harness, wrong) == []  # the documents do not say whether the email leads there
    assert harness.event(3, names=email) == set()
    counted = {**wrong, "custom_events": [{"name": "seen", **ROW, "count": 3}]}
    assert [one.clause for one in export(harness, counted)] == ["TS-EXPORT-AGREES"]


# --- the form of all three ------------------------------------------------------------------------------------------

AT = "/response/body"
EXPORTED = {"users": [PROFILE], **DONE}
QUEUED = {"message": "success", "attributes_processed": 1}
BATCH = {"attributes": [{"external_id": "u", "a": 1}]}
IDS = {"external_ids": ["u"], "fields_to_export": ["custom_events"]}


def exported(**changes: Any) -> dict[str, Any]:
    """An export in which one event is shown with `changes`; None leaves a member out."""
    row = {name: value for name, value in {"name": "seen", **ROW, **changes}.items() if value is not None}
    return {"users": [{"external_id": "u", "custom_events": [row]}], **DONE}


@pytest.mark.parametrize(
    ("path", "body", "response", "clause", "pointer"),
    [
        (EXPORT, IDS, exported(count="1"), "TS-OK-COUNT-FORM", "/users/0/custom_events/0/count"),
        (EXPORT, IDS, exported(count=0), "TS-OK-COUNT-FORM", "/users/0/custom_events/0/count"),
        (EXPORT, IDS, exported(count=None), "TS-OK-COUNT-FORM", "/users/0/custom_events/0/count"),
        (EXPORT, IDS, exported(first="soon"), "TS-OK-TIME-FORM", "/users/0/custom_events/0/first"),
        (EXPORT, IDS, exported(name=True), "TS-EXPORT-ANSWER", "/users/0/custom_events/0/name"),
        (EXPORT, IDS, exported(name=None), "TS-EXPORT-ANSWER", "/users/0/custom_events/0/name"),
        (EXPORT, IDS, {"users": {}, **DONE}, "TS-EXPORT-ANSWER", "/users"),
        (EXPORT, IDS, DONE, "TS-EXPORT-ANSWER", "/users"),
        (EXPORT, IDS, {"users": [{"external_id": True}], **DONE}, "TS-EXPORT-ANSWER", "/users/0/external_id"),
        (EXPORT, IDS, {"users": [], "invalid_user_ids": "u", **DONE}, "TS-EXPORT-ANSWER", "/invalid_user_ids"),
        (DELETE, {"external_ids": ["u"]}, {"deleted": "1", **DONE}, "TS-DELETE-ANSWER", "/deleted"),
        (DELETE, {"external_ids": ["u"]}, {"deleted": 1}, "TS-DELETE-ANSWER", "/message"),
        ("/users/track", BATCH, {**QUEUED, "attributes_processed": "1"}, "TS-TRACK-PROCESSED", "/attributes_processed"),
        ("/users/track", BATCH, {**QUEUED, "errors": "none"}, "TS-TRACK-ACCEPTED", "/errors"),
        ("/users/track", BATCH, {**QUEUED, "message": 1}, "TS-TRACK-ACCEPTED", "/message"),
    ],
)
def test_a_response_of_another_form_is_found_once_under_the_nearest_clause(
    path: str, body: Any, response: Any, clause: str, pointer: str
) -> None:
    found = OracleHarness(new=False).check(body, response, path=path)
    assert [(one.clause, one.pointer) for one in found] == [(clause, f"{AT}{pointer}")]


@pytest.mark.parametrize(
    ("path", "body", "response"),
    [
        (EXPORT, IDS, EXPORTED),
        (EXPORT, IDS, {"users": [], "invalid_user_ids": ["u"], **DONE}),
        (EXPORT, IDS, {"users": [{"external_id": 7, "custom_events": None, "more": 1}], **DONE}),
        (EXPORT, IDS, exported(name=7, first="2022-12-06 18:20:45")),
        (DELETE, {"external_ids": ["u"]}, {"deleted": 0, "message": "success", "more": None}),
        ("/users/track", BATCH, QUEUED),
        ("/users/track", BATCH, {**QUEUED, "errors": ["one of them"], "events_processed": None}),
        ("/users/track", BATCH, {**QUEUED, "errors": [{"type": "t", "input_array": "attributes", "index": 0}]}),
    ],
)
def test_a_form_that_no_document_forbids_is_not_found(path: str, body: Any, response: Any) -> None:
    assert OracleHarness(new=False).check(body, response, path=path) == []


def test_where_a_request_may_be_refused_the_form_of_its_acceptance_is_open() -> None:
    odd = {"attributes": [{"external_id": "u", "app_id": 1, "push_token_import": "perhaps"}]}
    assert OracleHarness().check(odd, {**QUEUED, "attributes_processed": "1"}, path="/users/track") == []
