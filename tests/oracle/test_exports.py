"""Which users an export holds, which of their fields, and what a batch to /users/track made of them."""

from __future__ import annotations

from typing import Any

import pytest
from oracle_harness import ALIAS, CREATE, EMAIL, PHONE, TIME, OracleHarness, U, V, attributed, covered, seen

from tracksync.model.finding import Finding

EXPORT = "/users/export/ids"
OLD = 400.0
ENTRY = {"external_id": "u", "custom_attributes": {"n": 5}}
FIELDS = ["external_id", "custom_attributes"]


def made(*all_names: dict[str, Any], contacts: dict[str, Any] | None = None) -> OracleHarness:
    harness = OracleHarness()
    for names in all_names:
        control = {**CREATE, **(contacts or {})}
        assert harness.write({"n": 5}, names=names, control=control) == set()
    return harness


def export(
    harness: OracleHarness,
    entries: list[dict[str, Any]],
    unknown: Any = ...,
    *,
    ids: tuple[str, ...] = ("u",),
    fields: list[str] | None = None,
    names: dict[str, Any] | None = None,
    wait: float = OLD,
) -> list[Finding]:
    body = {**(names or {"external_ids": list(ids)}), "fields_to_export": fields or FIELDS}
    shown = {"users": entries, "message": "success", **({} if unknown is ... else {"invalid_user_ids": unknown})}
    return harness.check(body, shown, path=EXPORT, wait=wait)


def clauses(findings: list[Finding]) -> list[str]:
    return [one.clause for one in findings]


def test_every_user_that_was_asked_for_is_exported() -> None:
    other = {**ENTRY, "external_id": "v"}
    for entries, right in (([ENTRY, other], True), ([other, ENTRY], True), ([ENTRY], False), ([], False)):
        harness = made(U, V)
        assert clauses(export(harness, entries, ids=("u", "v"))) == ([] if right else ["TS-EXPORT-USERS"])
        assert "TS-EXPORT-USERS" in covered(harness)
    assert export(made(U), [], wait=1.0) == []  # it may lag


@pytest.mark.parametrize(
    "entries",
    [[ENTRY, ENTRY], [ENTRY, {**ENTRY, "external_id": "v"}]],
)
def test_no_user_is_exported_twice_or_without_being_asked_for(entries: list[dict[str, Any]]) -> None:
    assert clauses(export(made(U, V), entries)) == ["TS-EXPORT-USERS"]


def test_an_identifier_that_leads_to_no_user_is_listed_and_no_other_one() -> None:
    for unknown, right in (
        (["x", "y"], True),
        (["y", "x"], True),
        (["x"], False),
        ([], False),
        (..., False),
        (None, False),
        (["x", "y", "u"], False),
    ):
        findings = export(made(U), [ENTRY], unknown, ids=("x", "u", "y"))
        assert set(clauses(findings)) == (set() if right else {"TS-EXPORT-USERS"})
    assert clauses(export(made(U), [ENTRY], "x")) == ["TS-EXPORT-ANSWER"]
    assert export(OracleHarness(new=False), [], ids=("x",)) == []  # it may exist, and lag


def test_a_user_that_does_not_exist_is_not_exported() -> None:
    assert clauses(export(made(U), [{"external_id": "x"}], ["x"], ids=("x",))) == ["TS-EXPORT-USERS"]
    harness = made(U)
    harness.check({"external_ids": ["u"]}, {"deleted": 1, "message": "success"}, path="/users/delete", wait=OLD)
    assert clauses(export(harness, [ENTRY], ["u"])) == ["TS-DELETE-DONE"]
    assert "TS-DELETE-DONE" in covered(harness)


def test_a_user_by_alias_is_exported_and_its_values_are_checked() -> None:
    names = {"user_aliases": [ALIAS["user_alias"]]}
    fields = ["user_aliases", "custom_attributes"]
    right = {"user_aliases": [ALIAS["user_alias"]], "custom_attributes": {"n": 5}}
    swapped = {"user_aliases": [{"alias_name": "l", "alias_label": "a"}]}
    for entries, wanted in (
        ([right], []),
        ([], ["TS-EXPORT-USERS"]),
        ([{**right, "custom_attributes": {"n": 6}}], ["TS-EXPORT-AGREES"]),
        ([{"custom_attributes": {"n": 5}}], ["TS-EXPORT-FIELDS"]),
        ([{**right, **swapped}], ["TS-EXPORT-FIELDS"]),
    ):
        assert clauses(export(made(ALIAS), entries, names=names, fields=fields)) == wanted


@pytest.mark.parametrize(
    ("field", "lawful", "wrong"),
    [
        ("email", ["e@example.com", "E@Example.com"], ["f@example.com", None, 5]),
        ("phone", ["+12025550100", "12025550100"], ["+12025550101", None]),
        ("braze_id", ["0123456789abcdef"], [None, 5, ""]),
        ("external_id", ["u"], [None]),
    ],
)
def test_the_fields_that_were_asked_for_are_there(field: str, lawful: list[Any], wrong: list[Any]) -> None:
    for value in (*lawful, *wrong):
        harness = made(U, contacts={**EMAIL, **PHONE})
        found = export(harness, [{**ENTRY, field: value}], fields=list(dict.fromkeys([*FIELDS, field])))
        assert clauses(found) == ([] if value in lawful else ["TS-EXPORT-FIELDS"])
    entry = {name: held for name, held in ENTRY.items() if name != field}
    assert clauses(
        export(made(U, contacts={**EMAIL, **PHONE}), [entry], fields=list(dict.fromkeys([*FIELDS, field])))
    ) == ["TS-EXPORT-FIELDS"]


def test_an_export_shows_what_track_made() -> None:
    batch = {"attributes": [{**U, "n": {"inc": 1}}, {**V, "m": 1}], "events": seen(U)["events"] * 2}
    rows = [{"name": "seen", "first": TIME, "last": TIME, "count": 2}]
    right = {"external_id": "u", "custom_attributes": {"n": 6}, "custom_events": rows}
    other = {"external_id": "v", "custom_attributes": {"m": 1}}
    fields = [*FIELDS, "custom_events"]
    for entries, wanted in (
        ([right, other], []),
        ([{**right, "custom_attributes": {"n": 5}}, other], ["TS-TRACK-APPLIED"]),
        ([{**right, "custom_attributes": {"n": 7}}, other], ["TS-TRACK-APPLIED"]),
        ([{**right, "custom_events": [{**rows[0], "count": 1}]}, other], ["TS-TRACK-APPLIED"]),
        ([{**right, "custom_events": [{**rows[0], "count": 3}]}, other], ["TS-TRACK-APPLIED"]),
        ([right], ["TS-TRACK-APPLIED"]),
    ):
        harness = made(U)
        assert harness.queue(batch) == []
        assert clauses(export(harness, entries, ids=("u", "v"), fields=fields)) == wanted
    harness = made(U)
    harness.queue(batch)
    assert export(harness, [{**right, "custom_events": []}], ids=("u", "v"), fields=fields, wait=1.0) == []


@pytest.mark.parametrize(
    ("processed", "clause"),
    [
        ({"attributes_processed": 2, "events_processed": 1}, None),
        ({"attributes_processed": 2, "events_processed": 1, "purchases_processed": 0}, None),
        ({"attributes_processed": 2}, "TS-TRACK-PROCESSED"),
        ({"attributes_processed": 1, "events_processed": 2}, "TS-TRACK-PROCESSED"),
        ({"attributes_processed": "2", "events_processed": 1}, "TS-TRACK-PROCESSED"),
        ({"attributes_processed": 2, "events_processed": True}, "TS-TRACK-PROCESSED"),
        ({"attributes_processed": 2, "events_processed": 1, "purchases_processed": 1}, "TS-TRACK-PROCESSED"),
    ],
)
def test_a_batch_is_told_how_much_of_each_section_was_queued(processed: dict[str, Any], clause: str | None) -> None:
    batch = {"attributes": [{**U, "n": 1}, {**V, "n": 1}], **seen(U)}
    found = OracleHarness().check(batch, {"message": "success", **processed}, path="/users/track")
    assert set(clauses(found)) == ({clause} if clause else set())


def test_a_batch_with_an_object_at_fault_may_say_anything_of_how_much_was_queued() -> None:
    batch = {"attributes": [{**U, "n": 1}, {"n": 1}]}
    shown = {"message": "success", "attributes_processed": 1, "errors": ["no user"]}
    assert OracleHarness().check(batch, shown, path="/users/track") == []


def test_an_email_that_was_replaced_leads_to_its_user_no_more() -> None:
    def moved() -> OracleHarness:
        harness = made(U, contacts=EMAIL)
        assert harness.write({"m": 1}, names=U, control={"email": "new@example.com"}) == set()
        return harness

    look = {"attributes": [{**EMAIL, "n": {"inc": 1}}]}
    harness = moved()
    assert harness.check(look, attributed(EMAIL, {"n": 1})) == []
    assert "TS-USER-FORMER-CONTACT" in covered(harness)
    assert clauses(moved().check(look, attributed(EMAIL, {"n": 6}))) == ["TS-USER-FORMER-CONTACT"]
    harness = moved()
    harness.write({"m": 2}, names=U, control=EMAIL)  # it has this one again
    assert harness.check(look, attributed(EMAIL, {"n": 6})) == []


def test_no_two_users_have_one_braze_id() -> None:
    fields = ["external_id", "braze_id", "custom_attributes"]
    for other, found in (("b", []), ("a", ["TS-EXPORT-USERS"])):
        shown = [{**ENTRY, "braze_id": "a"}, {**ENTRY, "external_id": "v", "braze_id": other}]
        checked = export(made(U, V), shown, ids=("u", "v"), fields=fields)
        assert [one.clause for one in checked] == found


def test_an_export_may_lag_behind_several_writes_and_shows_no_value_that_never_was() -> None:
    for pauses, wait, values in (
        ((1.0, 1.0), 1.0, {5: True, 6: True, 7: True, 8: True}),  # which was the last one long ago is not known
        ((1.0, OLD), 1.0, {6: True, 7: True, 5: False, 8: False}),
        ((1.0, 1.0), OLD, {7: True, 6: False, 5: False, 8: False}),
    ):
        for value, lawful in values.items():
            harness = made(U)
            for written, pause in zip((6, 7), pauses, strict=True):
                assert harness.write({"n": written}, wait=pause) == set()
            found = export(harness, [{**ENTRY, "custom_attributes": {"n": value}}], wait=wait)
            assert clauses(found) == ([] if lawful else ["TS-EXPORT-AGREES"]), (pauses, wait, value)


def test_an_export_that_names_no_fields_may_leave_parts_out() -> None:
    shown = {"users": [{"external_id": "u", "braze_id": "a"}], "message": "success"}
    assert made(U).check({"external_ids": ["u"]}, shown, path=EXPORT, wait=OLD) == []


@pytest.mark.parametrize(("names", "flag"), [(V, {"_update_existing_only": True}), (ALIAS, {})])
def test_what_track_may_not_create_is_no_user(names: dict[str, Any], flag: dict[str, Any]) -> None:
    harness = made(U)
    assert harness.queue({"attributes": [{**names, "n": 1, **flag}]}) == []
    if names is V:
        assert export(harness, [ENTRY], ["v"], ids=("u", "v")) == []
        found = export(harness, [ENTRY, {**ENTRY, "external_id": "v"}], ids=("u", "v"), wait=0.0)
        assert {one.clause for one in found} == {"TS-EXPORT-USERS"}
    # It may take effect when another request creates the user, and need not.
    for shown in (1, 6):
        other = made(U)
        assert other.queue({"attributes": [{**names, "n": {"inc": 1}, **flag}]}) == []
        assert other.write({"n": 5}, names=names, control=CREATE, wait=OLD) == set()
        checked = other.write({"n": {"inc": 0}}, {"n": 5 if shown == 1 else 6}, names=names)
        assert checked == set()
