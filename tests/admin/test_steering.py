"""Steering a mock by the admin API: users, state, clock and switches, one call each."""

from __future__ import annotations

from typing import Any

import pytest
from admin_harness import KEY, OTHER_KEY, START, AdminHarness

EVENT = {"events": [{"external_id": "ada", "name": "seen", "time": "2025-01-01T00:00:00.123456Z"}]}


def attributes(harness: AdminHarness, user: str = "ada", more: str = "") -> Any:
    return harness.admin("GET", f"/user?external_id={user}{more}")["custom_attributes"]


def test_users_are_listed_by_the_last_write_and_shown_with_their_cells() -> None:
    harness = AdminHarness()
    harness.write("ada", colour="red")
    harness.write("bob", colour="blue")
    harness.track(EVENT)
    listed = harness.admin("GET", "/users")
    assert (listed["total"], [user["external_id"] for user in listed["users"]]) == (2, ["ada", "bob"])
    assert [user["external_id"] for user in harness.admin("GET", "/users?matching=bo")["users"]] == ["bob"]
    assert len(harness.admin("GET", "/users?offset=1&limit=5")["users"]) == 1
    user = harness.admin("GET", "/user?external_id=ada")
    assert user["custom_attributes"] == {"colour": "red"}
    time = "2025-01-01T00:00:00.123Z"
    assert user["custom_events"] == [{"name": "seen", "first": time, "last": time, "count": 1}]
    assert harness.admin("GET", f"/user?braze_id={user['braze_id']}") == user


def test_users_are_seeded_in_the_form_of_an_export_and_replaced_as_a_whole() -> None:
    harness = AdminHarness()
    time = "2025-01-01T00:00:00Z"
    user = {
        "external_id": "ada",
        "email": "ada@example.com",
        "user_aliases": [{"alias_name": "7", "alias_label": "crm"}],
        "first_name": "Ada",
        "custom_attributes": {"plan": "free", "tags": ["a", "b"]},
        "custom_events": [{"name": "seen", "first": time, "last": time, "count": 3}],
        "purchases": [{"name": "book", "first": time, "last": time, "count": 1}],
    }
    assert harness.admin("POST", "/users", {"users": [user]}) == {"users": 1}
    response = harness.track({"events": [{"email": "ada@example.com", "name": "seen", "time": time}]})
    assert response.json()["users"][0]["custom_events"][0]["count"] == 4
    assert harness.admin("GET", "/user?alias_label=crm&alias_name=7")["first_name"] == "Ada"
    harness.admin("POST", "/users", [{"external_id": "ada", "custom_attributes": {"plan": "paid"}}])
    assert attributes(harness) == {"plan": "paid"}
    assert harness.refused("GET", "/user?email=ada@example.com")[0] == 404
    assert harness.admin("GET", "/users")["total"] == 1


@pytest.mark.parametrize(
    ("document", "hint"),
    [
        ({"users": [{"external_id": "ada", "custom_atributes": {}}]}, "did you mean custom_attributes"),
        ({"users": [{"custom_attributes": {}}]}, "users/0 has no identifier"),
        ({"users": {}}, "users is not an array"),
        ({"user": []}, "'user' is not known"),
        ([{"external_id": 7}], "users/0/external_id is not a text"),
        ([{"external_id": "a", "custom_events": [{"name": "x", "count": 1, "first": "never"}]}], "first is not a time"),
        ([{"external_id": "a", "user_aliases": [{"alias_name": "x"}]}], "alias_label is not a text"),
        ("ada", "users is not an array"),
    ],
)
def test_users_that_cannot_be_read_change_nothing(document: Any, hint: str) -> None:
    harness = AdminHarness()
    status, error = harness.refused("POST", "/users", document)
    assert (status, hint in error) == (400, True), error
    assert harness.admin("GET", "/users")["total"] == 0


def test_reset_forgets_users_windows_and_log_and_keeps_the_settings() -> None:
    harness = AdminHarness()
    harness.admin("PATCH", "/settings", {"rate_limit": 7})
    harness.write(colour="red")
    status = harness.admin("POST", "/reset")
    assert (status["users"], status["windows"]["/users/track/sync"]["used"]) == (0, 0)
    assert harness.admin("GET", "/log")["exchanges"] == []
    assert status["settings"]["rate_limit"] == 7
    harness.admin("POST", "/clock", {"advance": 60})
    status = harness.admin("POST", "/reset", {"settings": True})
    assert (status["settings"]["rate_limit"], status["advanced"]) == (500, 0)


def test_a_snapshot_brings_back_users_windows_queue_and_clock() -> None:
    harness = AdminHarness()
    harness.write(colour="red", nested={"at": [1, {"b": None}]})
    harness.track(EVENT)
    harness.track({"attributes": [{"external_id": "late", "n": 1}]}, "/users/track")
    harness.track({"external_ids": ["ada"]}, "/users/delete")
    harness.admin("POST", "/clock", {"advance": 0})
    held = harness.admin("GET", "/snapshot")
    assert len(held["queued"]) == 2
    harness.now += 5
    harness.write(colour="blue")
    harness.admin("POST", "/reset")
    harness.now -= 5
    status = harness.admin("PUT", "/snapshot", held)
    assert status["windows"]["/users/track/sync"]["used"] == 2
    assert harness.admin("GET", "/snapshot") == held
    harness.now += 5
    assert attributes(harness, "late") == {"n": 1}
    assert harness.refused("GET", "/user?external_id=ada")[0] == 404, "the deletion was queued"


def test_no_braze_id_is_given_again_after_a_snapshot() -> None:
    harness = AdminHarness()
    harness.write("ada", n=1)
    held = harness.admin("GET", "/snapshot")
    harness.write("bob", n=1)
    bob = harness.admin("GET", "/user?external_id=bob")["braze_id"]
    harness.admin("PUT", "/snapshot", held)
    harness.write("eve", n=1)
    ids = {user["braze_id"] for user in harness.admin("GET", "/users")["users"]}
    assert len(ids) == 2
    assert bob not in ids


@pytest.mark.parametrize(
    ("change", "hint"),
    [
        ({"form": 2}, "form"),
        ({"users": [{"external_id": "x"}]}, "braze_id"),
        ({"advanced": -1}, "forward"),
        ({"advanced": "x"}, "advanced"),
        ({"queued": [{"due": "x"}]}, "queued/0/due"),
        ({"queued": [{"due": 1, "write": {}}]}, "queued/0"),
        ({"windows": {"/users/track": 1}}, "windows//users/track"),
        ({"requests": -1}, "requests"),
    ],
)
def test_a_snapshot_that_cannot_be_read_changes_nothing(change: Any, hint: str) -> None:
    harness = AdminHarness()
    harness.write(colour="red")
    held = harness.admin("GET", "/snapshot")
    status, error = harness.refused("PUT", "/snapshot", held | change)
    assert (status, hint in error) == (400, True), error
    assert harness.admin("GET", "/snapshot") == held


def test_the_clock_goes_into_the_next_rate_window() -> None:
    harness = AdminHarness(rate_limit=1)
    assert [harness.write(n=1).status_code for _ in range(2)] == [201, 429]
    status = harness.admin("POST", "/clock", {"advance": 60})
    assert status["now"] == pytest.approx(START + 60, abs=1)
    assert harness.write(n=1).status_code == 201
    for body in ({"advance": -1}, {"advance": 1e12}, {}, {"advance": "1"}, {"back": 1}):
        assert harness.refused("POST", "/clock", body)[0] == 400


def test_scenario_faults_interpretations_and_limits_are_switched_while_it_runs() -> None:
    harness = AdminHarness()
    harness.write(colour="red")
    assert harness.admin("PATCH", "/settings", {"scenario": "error-503"})["scenario"] == "error-503"
    assert harness.write(colour="blue").status_code == 503
    harness.admin("PATCH", "/settings", {"scenario": "normal", "faults": ["message-ok"]})
    assert harness.write(colour="blue").json()["message"] == "ok"
    harness.admin("PATCH", "/settings", {"faults": [], "interpretations": {"no-user": "omitted"}})
    no_user = {"attributes": [{"external_id": "unknown", "_update_existing_only": True, "n": 1}]}
    assert "users" not in harness.track(no_user).json()
    settings = harness.admin("PATCH", "/settings", {"interpretations": {"no-user": None}, "rate_limit": 6})
    assert (settings["interpretations"], settings["faults"], settings["rate_limit"]) == ({}, [], 6)
    assert harness.track(no_user).json()["users"] == []
    assert harness.write(colour="green").headers["x-ratelimit-limit"] == "6"
    assert harness.write(colour="green").status_code == 429, "the window goes on"
    assert attributes(harness) == {"colour": "green"}


@pytest.mark.parametrize(
    ("body", "hint"),
    [
        ({"scenario": "clam"}, "no scenario is called 'clam'"),
        ({"faults": ["mesage-ok"]}, "did you mean message-ok"),
        ({"interpretations": {"no-usr": "omitted"}}, "did you mean no-user"),
        ({"rate_limit": 0}, "rate_limit"),
        ({"rate_limit": "many"}, "Expected `int | null`"),
        ({"rate": 1}, "the members are scenario"),
        ([], "Expected `object`"),
    ],
)
def test_a_switch_that_is_not_known_changes_nothing(body: Any, hint: str) -> None:
    harness = AdminHarness()
    before = harness.admin("GET", "/settings")
    status, error = harness.refused("PATCH", "/settings", body)
    assert (status, hint in error) == (400, True), error
    assert harness.admin("GET", "/settings") == before


def test_settling_waits_until_what_was_accepted_is_applied() -> None:
    harness = AdminHarness(async_delay=0.05)
    harness.track({"attributes": [{"external_id": "late", "n": 1}]}, "/users/track")
    assert harness.admin("GET", "/status")["queued"] == 1
    status, error = harness.refused("POST", "/settle", {"timeout": 0})
    assert (status, "1 writes are still queued" in error) == (503, True)
    harness.admin("POST", "/clock", {"advance": 1})
    assert harness.admin("POST", "/settle") == {"queued": 0}
    assert attributes(harness, "late") == {"n": 1}
    assert harness.refused("POST", "/settle", {"timeout": 61})[0] == 400


def test_workspaces_are_isolated_from_each_other() -> None:
    harness = AdminHarness(keys=(KEY, OTHER_KEY), rate_limit=2)
    harness.write(colour="red")
    harness.write(key=OTHER_KEY, colour="blue")
    assert attributes(harness) == {"colour": "red"}
    assert attributes(harness, more="&workspace=2") == {"colour": "blue"}
    assert len(harness.admin("GET", "/log")["exchanges"]) == 1
    harness.admin("PATCH", "/settings?workspace=2", {"faults": ["message-ok"]})
    assert harness.write(n=1).json()["message"] == "success"
    assert harness.write(key=OTHER_KEY, n=1).json()["message"] == "ok"
    assert harness.write(n=1).status_code == harness.write(key=OTHER_KEY, n=1).status_code == 429
    harness.admin("POST", "/reset?workspace=2")
    assert attributes(harness) == {"colour": "red", "n": 1}
    assert [one["workspace"] for one in harness.admin("GET", "/workspaces")["workspaces"]] == ["1", "2"]
    assert harness.refused("GET", "/status?workspace=3")[0] == 404


def test_a_key_that_is_no_workspaces_is_refused_by_the_one_that_it_resembles() -> None:
    harness = AdminHarness(keys=(KEY, OTHER_KEY))
    for key in ("nonsense-key-00", f'"{OTHER_KEY}"', KEY.upper()):
        assert harness.write(key=key).status_code == 401
    logged = [len(harness.admin("GET", f"/log?workspace={name}")["exchanges"]) for name in ("1", "2")]
    assert logged == [2, 1]
