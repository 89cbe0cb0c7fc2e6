"""After a deletion: who is certainly gone, who may be, and what may not come back."""

from __future__ import annotations

from typing import Any

import deletion_runs
import pytest
from oracle_harness import (
    ALIAS,
    CREATE,
    EMAIL,
    NO_USER,
    ONLY,
    PHONE,
    TIME,
    OracleHarness,
    U,
    V,
    covered,
    purchase,
    request,
    seen,
)

from tracksync.model.exchange import FailureKind

DELETE = "/users/delete"
OLD = 400.0  # seconds: longer than any queue and any lag
PRIORITY = {"prioritization": ["most_recently_updated"]}
KINDS: list[tuple[dict[str, Any], dict[str, Any]]] = [
    (U, {"external_ids": ["u"]}),
    (ALIAS, {"user_aliases": [ALIAS["user_alias"]]}),
    (EMAIL, {"email_addresses": [{**EMAIL, **PRIORITY}]}),
    (PHONE, {"phone_numbers": [{**PHONE, **PRIORITY}]}),
]


def made(*all_names: dict[str, Any]) -> OracleHarness:
    harness = OracleHarness()
    for names in all_names:
        assert harness.write({"n": 5}, names=names, control=CREATE) == set()
        assert harness.event(1, names=names) == set()
    return harness


def delete(harness: OracleHarness, body: dict[str, Any], deleted: int = 1, *, wait: float = OLD, **how: Any) -> None:
    assert harness.check(body, {"deleted": deleted, "message": "success"}, path=DELETE, wait=wait, **how) == []


@pytest.mark.parametrize(("names", "body"), KINDS)
def test_a_deleted_user_is_gone_with_all_it_held(names: dict[str, Any], body: dict[str, Any]) -> None:
    harness = made(names)
    delete(harness, body)
    assert harness.check(seen(names, **ONLY), NO_USER, wait=OLD) == []
    assert "TS-DELETE-DONE" in covered(harness)
    harness = made(names)
    delete(harness, body)
    assert harness.event(2, names=names, wait=OLD) == {"TS-DELETE-DONE"}
    harness = made(names)
    delete(harness, body)
    assert harness.write({"n": {"inc": 1}}, {"n": 6}, names=names, control=CREATE, wait=OLD) == {"TS-DELETE-DONE"}
    harness = made(names)
    delete(harness, body)
    assert harness.event(1, names=names, flag=ONLY, wait=OLD) == {"TS-DELETE-DONE"}


def test_a_deleted_user_comes_back_with_nothing() -> None:
    harness = made(U)
    delete(harness, {"external_ids": ["u"]})
    assert harness.event(1, wait=OLD) == set()
    assert harness.write({"n": {"inc": 1}}, {"n": 1}) == set()
    assert harness.event(3) == {"TS-EVENT-COUNT"}  # what is written since is no matter of the deletion


def test_a_deleted_user_may_have_left_the_belief_by_then() -> None:
    harness = made(U)
    delete(harness, {"external_ids": ["u"]})
    harness.belief = harness.belief.without(lambda text: text == "u")
    assert harness.event(1, names={"external_id": "v"}, wait=OLD) == set()


def test_a_user_that_was_not_named_stays() -> None:
    harness = made(U, V)
    delete(harness, {"external_ids": ["u"]})
    assert harness.check(seen(V, **ONLY), NO_USER, wait=OLD) != []
    harness = made(U, V)
    delete(harness, {"external_ids": ["u"]})
    assert harness.event(1, names=V, wait=OLD) != set()


@pytest.mark.parametrize("count", [1, 2])
def test_within_the_minutes_that_a_deletion_may_take_a_user_may_be_there_or_not(count: int) -> None:
    harness = made(U)
    delete(harness, {"external_ids": ["u"]})
    assert harness.event(count, wait=1.0) == set()
    assert harness.event(1, wait=1.0) == set()  # the deletion may come in between
    assert harness.event(2, wait=1.0) == set()
    assert harness.event(1, wait=OLD) == set()  # and may have reached what was written meanwhile
    assert harness.event(3) != set()


def test_until_it_has_certainly_come_a_deleted_user_is_as_it_was_or_gone() -> None:
    harness = made(U)
    delete(harness, {"external_ids": ["u"]})
    assert harness.event(3, wait=1.0) == {"TS-EVENT-COUNT"}
    harness = made(U)
    delete(harness, {"external_ids": ["u"]}, wait=1.0)
    assert harness.write({"n": {"inc": 1}}, {"n": 4}, wait=OLD) == {"TS-ATTR-INC"}


def test_a_workspace_may_say_how_soon_it_is_consistent() -> None:
    harness = OracleHarness(consistent_after=1.0)
    harness.event(1)
    delete(harness, {"external_ids": ["u"]}, wait=1.5)
    assert harness.event(2, wait=1.5) == {"TS-DELETE-DONE"}


def test_a_user_that_is_new_may_be_unknown_to_the_deletion() -> None:
    harness = made(U)
    delete(harness, {"external_ids": ["u"]}, 0, wait=1.0)
    assert harness.event(2, wait=OLD) == set()


def test_a_deletion_without_a_response_may_come_at_any_time() -> None:
    harness = made(U)
    harness.check({"external_ids": ["u"]}, path=DELETE, failure=FailureKind.TIMEOUT, wait=OLD)
    for count in (2, 1, 2, 1):
        assert harness.event(count, wait=OLD) == set()


def test_a_deletion_that_was_accepted_and_should_not_have_been_is_over_when_its_time_is() -> None:
    harness = made(U)
    too_many = {"external_ids": ["u", *(f"v{number}" for number in range(50))]}
    assert harness.check(too_many, {"deleted": 51, "message": "success"}, path=DELETE, wait=OLD) != []
    assert harness.write({"n": 7}) == set()
    assert harness.write({"n": {"inc": 1}}, {"n": 1}) == set()  # it may just have been deleted
    assert harness.write({"n": 7}, wait=OLD) == set()
    assert harness.write({"n": {"inc": 1}}, {"n": 1}) == {"TS-ATTR-INC"}


def test_a_write_that_is_pending_may_make_a_deleted_user_anew() -> None:
    harness = made(U)
    harness.check(seen(U), failure=FailureKind.TIMEOUT)
    delete(harness, {"external_ids": ["u"]})
    assert harness.event(2, wait=OLD) == set()
    harness = made(U)
    harness.queue(seen(U), wait=OLD)
    delete(harness, {"external_ids": ["u"]}, wait=1.0)
    assert harness.event(1, wait=OLD) == set()


def test_the_email_of_a_deleted_user_leads_to_the_other_one_who_has_it() -> None:
    harness = made(U, V)
    for names in (V, U):
        harness.write({"n": 6}, names=names, control=EMAIL)
    delete(harness, {"external_ids": ["u"]})
    assert harness.event(2, names=EMAIL, wait=OLD) == set()
    assert harness.event(3, names=V) == set()


def test_a_deletion_counts_the_users_that_certainly_exist() -> None:
    body = {"external_ids": ["u", "v", "unknown"]}
    for deleted, right in ((1, False), (2, True), (3, True), (4, False)):
        findings = made(U, V).check(body, {"deleted": deleted, "message": "success"}, path=DELETE, wait=OLD)
        assert ([one.clause for one in findings] == []) == right
        assert right or (findings[0].clause, findings[0].expected) == ("TS-DELETE-ANSWER", "2 … 3")


@pytest.mark.parametrize(
    "body",
    [
        {"external_ids": [f"u{n}" for n in range(51)]},
        {"email_addresses": ["e@example.com"]},
        {"phone_numbers": [PHONE]},
    ],
)
def test_a_deletion_with_too_many_or_without_prioritization_is_refused(body: dict[str, Any]) -> None:
    refusal = {"message": "no", "errors": ["no"]}
    assert OracleHarness().check(body, refusal, 400, path=DELETE) == []
    found = OracleHarness().check(body, {"deleted": 0, "message": "success"}, path=DELETE)
    assert [one.clause for one in found] == ["TS-DELETE-REFUSED"]


def test_fifty_identifiers_are_not_refused() -> None:
    body = {"external_ids": [f"u{n}" for n in range(50)]}
    assert OracleHarness().clauses(body, {"message": "no", "errors": ["no"]}, 400, path=DELETE) == {"TS-DELETE-ANSWER"}


def test_other_cells_and_users_are_as_before_after_a_deletion_of_others() -> None:
    harness = made(U, V)
    harness.check(purchase(), {"users": [], "message": "success"}, wait=0.0)
    delete(harness, {"external_ids": ["v"]})
    assert harness.write({"n": {"inc": 1}}, {"n": 6}, wait=OLD) == set()


def test_a_prioritization_may_leave_out_a_user_that_has_an_external_id() -> None:
    for names, least in ((U, 0), (EMAIL, 1)):
        harness = OracleHarness()
        contact = EMAIL if names is U else {}
        assert harness.write({"n": 5}, names=names, control=contact) == set()
        body = {"email_addresses": [{**EMAIL, "prioritization": ["unidentified", "most_recently_updated"]}]}
        found = harness.clauses(body, {"message": "success", "deleted": 0}, 200, path=DELETE, wait=OLD)
        assert found == ({"TS-DELETE-ANSWER"} if least else set())


def test_of_a_user_that_is_shown_to_be_gone_nothing_is_left() -> None:
    for count, right in ((1, True), (2, False)):
        harness = made(U)
        delete(harness, {"external_ids": ["u"]}, wait=1.0)
        assert harness.check(seen(U, **ONLY), NO_USER, wait=OLD) == []
        assert (harness.event(count) == set()) == right


@pytest.mark.parametrize("more", [{"delete_all": True}, {"filter": {"created_before": TIME}}, {"also": ["w", 5]}])
def test_a_member_that_no_document_names_deletes_no_other_user(more: dict[str, Any]) -> None:
    harness = made(U, V)
    delete(harness, {"external_ids": ["v"], **more})
    assert harness.event(3, wait=1.0) != set()
    assert harness.event(1, wait=OLD) != set()
    assert harness.event(1, names={"external_id": "new"}) == set()
    assert harness.event(1, names={"external_id": "new"}) != set()


@pytest.mark.parametrize("more", [{"external_id": "u"}, {"also": [{"external_id": "u"}]}])
def test_a_member_that_no_document_names_may_name_users(more: dict[str, Any]) -> None:
    harness = made(U)
    delete(harness, {"external_ids": ["v"], **more})
    assert harness.event(1, wait=1.0) == set()
    harness = made({"external_id": "5"})
    delete(harness, {"also": 5})
    assert harness.event(1, names={"external_id": "5"}, wait=1.0) == set()


def strange() -> OracleHarness:
    """Users whose braze_id is unknown, and one whose braze_id is known; a braze_id is never certainly new."""
    harness = OracleHarness(new=False, fresh=lambda kind, text: kind != "braze_id")
    assert harness.event(1) == set()
    assert harness.event(4, names=B, name="met") == set()
    return harness


B = {"braze_id": "b"}


def test_an_unknown_braze_id_may_be_that_of_any_user_whose_own_is_not_known() -> None:
    for count, right in ((1, True), (2, True), (3, False)):
        harness = strange()
        delete(harness, {"braze_ids": ["x"]})
        assert (harness.event(count, wait=OLD) == set()) == right
    harness = strange()
    delete(harness, {"braze_ids": ["x"]})
    assert harness.event(1, names=B, name="met", wait=1.0) != set()
    assert harness.event(1, names=V) == set()  # certainly new since
    assert harness.event(1, names=V, wait=OLD) != set()


def test_a_user_that_is_met_while_anyone_may_be_deleted_may_be_deleted_too() -> None:
    harness = strange()
    delete(harness, {"braze_ids": ["x"]})
    assert harness.event(7, names={"braze_id": "met"}) == set()
    assert harness.event(1, names={"braze_id": "met"}) == set()
    assert harness.event(3, names={"braze_id": "met"}) != set()


def test_a_user_that_is_made_in_time_may_be_reached_by_an_earlier_deletion_of_its_identifier() -> None:
    for names, body in KINDS:
        harness = OracleHarness()
        delete(harness, body, 0)
        for _ in range(2):
            assert harness.write({"n": {"inc": 1}}, {"n": 1}, names=names, control=CREATE, wait=1.0) == set()
        assert harness.write({"n": {"inc": 1}}, {"n": 4}, names=names, control=CREATE, wait=OLD) != set()


def test_what_led_to_a_user_that_was_perhaps_deleted_need_not_lead_to_the_one_in_its_place() -> None:
    harness = OracleHarness()
    harness.write({"n": 5}, control=EMAIL)
    delete(harness, {"external_ids": ["u"]}, wait=1.0)
    assert harness.write({"n": {"inc": 1}}, {"n": 1}, wait=1.0) == set()
    assert harness.write({"n": {"inc": 1}}, {"n": 2}, wait=OLD) == set()
    assert harness.write({"n": {"inc": 1}}, {"n": 1}, names=EMAIL) == set()
    assert harness.write({"n": {"inc": 1}}, {"n": 3}) == set()


@pytest.mark.parametrize("fresh", deletion_runs.FRESH)
def test_a_correct_server_is_not_accused_whomever_it_was_told_to_delete(fresh: str) -> None:
    assert [one for seed in (11, 14, 18, 30, 31, 37, 54, 82) for one in deletion_runs.findings(seed, 100, fresh)] == []


@pytest.mark.parametrize("deleting", [body for _, body in KINDS[:1]] + [{"braze_ids": ["x"]}, {"also": ["u"]}])
def test_a_deletion_under_way_may_have_come_already_or_come_later(deleting: dict[str, Any]) -> None:
    for count in (2, 1):
        harness = OracleHarness(fresh=lambda kind, text: kind != "braze_id", new=False)
        assert harness.event(1) == set()
        under_way = (request(deleting, DELETE),)
        assert harness.event(count, in_flight=under_way, wait=OLD) == set()
        assert harness.event(1, in_flight=under_way) == set()
        delete(harness, deleting, wait=0.0, took=0.2)
        assert harness.event(1) == set()
        assert harness.event(4) != set()


def test_a_deletion_under_way_may_have_taken_what_an_export_or_another_deletion_names() -> None:
    under_way = (request({"external_ids": ["u"]}, DELETE),)
    harness = made(U)
    exported = {"external_ids": ["u"], "fields_to_export": ["external_id", "custom_attributes"]}
    none = {"users": [], "invalid_user_ids": ["u"], "message": "success"}
    assert harness.check(exported, none, 200, path="/users/export/ids", wait=OLD, in_flight=under_way) == []
    harness = made(U)
    delete(harness, {"external_ids": ["u"]}, 0, in_flight=under_way)


def test_a_deletion_under_way_of_others_excuses_nothing() -> None:
    harness = made(U)
    assert harness.event(1, in_flight=(request({"external_ids": ["v"]}, DELETE),)) != set()
