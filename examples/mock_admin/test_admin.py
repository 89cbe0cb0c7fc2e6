"""Tests of a client that use the mock's admin API by the pytest fixture `tracksync_admin`: run `pytest` here."""

import time

import httpx
import pytest


def upgrade(mock, user, pause=0.6):
    """The client under test: it upgrades a user, and tries again when the server has no capacity."""
    response = httpx.post(
        f"{mock.url}/users/track/sync",
        headers={"Authorization": f"Bearer {mock.key}"},
        json={"attributes": [{"external_id": user, "plan": "paid"}]},
    )
    if response.status_code == 503:
        time.sleep(pause)
        return upgrade(mock, user, 2 * pause)
    return response.status_code


def test_an_upgrade_changes_the_plan_and_nothing_else(tracksync_mock, tracksync_admin):
    tracksync_admin.add_users([{"external_id": "ada", "custom_attributes": {"plan": "free", "seats": 3}}])
    assert upgrade(tracksync_mock, "ada") == 201
    assert tracksync_admin.user(external_id="ada")["custom_attributes"] == {"plan": "paid", "seats": 3}
    assert tracksync_admin.findings(conclude=True) == []


def test_an_upgrade_is_tried_again_when_the_server_has_no_capacity(tracksync_mock, tracksync_admin):
    tracksync_admin.switch(scenario="error-503")
    assert upgrade(tracksync_mock, "ada") == 201
    assert [one["status"] for one in tracksync_admin.log()] == [503, 503, 201]


@pytest.mark.tracksync_gate(allow=["TC-RATE-WAIT"])
def test_a_full_rate_window_ends_when_the_clock_reaches_the_next_one(tracksync_mock, tracksync_admin):
    tracksync_admin.switch(rate_limit=1)
    assert [upgrade(tracksync_mock, "ada"), upgrade(tracksync_mock, "bob")] == [201, 429]
    tracksync_admin.advance(60)
    assert upgrade(tracksync_mock, "bob") == 201


def test_a_snapshot_brings_a_user_back(tracksync_mock, tracksync_admin):
    tracksync_admin.add_users([{"external_id": "ada", "custom_attributes": {"plan": "free"}}])
    before = tracksync_admin.snapshot()
    upgrade(tracksync_mock, "ada")
    tracksync_admin.restore(before)
    assert tracksync_admin.user(external_id="ada")["custom_attributes"] == {"plan": "free"}
