"""The fixture `tracksync_admin`: the admin API of the mock that a test's client is given."""

from __future__ import annotations

import httpx
import pytest

from tracksync.admin.client import AdminClient, AdminError
from tracksync.gate.testing_mock import CheckedMock


def write(mock: CheckedMock, path: str = "/users/track/sync", **attributes: object) -> httpx.Response:
    body = {"attributes": [{"external_id": "ada", **attributes}]}
    return httpx.post(f"{mock.url}{path}", json=body, headers={"Authorization": f"Bearer {mock.key}"})


def test_a_test_seeds_steers_and_looks(tracksync_mock: CheckedMock, tracksync_admin: AdminClient) -> None:
    mock, admin = tracksync_mock, tracksync_admin
    assert admin.url == f"{mock.url}/__tracksync"
    assert admin.add_users([{"external_id": "ada", "custom_attributes": {"plan": "free"}}]) == 1
    held = admin.snapshot()
    write(mock, plan="paid")
    user = admin.user(external_id="ada")
    assert user is not None
    assert user["custom_attributes"] == {"plan": "paid"}
    write(mock, "/users/track", seen=True)
    admin.settle()
    assert mock.state("external_id", "ada") == admin.user(external_id="ada")
    assert [entry["verdict"] for entry in admin.log()] == ["passed", "passed"]
    assert admin.exchange(1)["changed"]["cells"] == [{"name": "plan", "change": "set"}]
    assert admin.log(after=1)[0]["path"] == "/users/track"
    assert admin.findings(conclude=True) == []
    assert "interactions:" in admin.cassette(1)
    assert len(mock.journal) == 2, "the admin API's requests do not count as the client's"
    admin.restore(held)
    assert [user["external_id"] for user in admin.users()] == ["ada"]
    admin.reset()
    assert (admin.user(external_id="ada"), mock.journal) == (None, [])


def test_the_clock_and_the_scenario_are_switched(tracksync_mock: CheckedMock, tracksync_admin: AdminClient) -> None:
    assert tracksync_admin.switch(rate_limit=1)["rate_limit"] == 1
    tracksync_admin.advance(60)
    assert write(tracksync_mock, n=1).status_code == 201
    assert tracksync_admin.status()["windows"]["/users/track/sync"]["used"] == 1
    tracksync_admin.advance(60)
    assert write(tracksync_mock, n=2).status_code == 201


def test_a_mistake_is_an_error_with_the_apis_sentence(tracksync_admin: AdminClient) -> None:
    with pytest.raises(AdminError, match="did you mean message-ok") as raised:
        tracksync_admin.switch(faults=["mesage-ok"])
    assert raised.value.status == 400


@pytest.mark.parametrize("tracksync_scenario", ["http2"], indirect=True)
def test_it_reaches_a_mock_with_a_certificate(tracksync_admin: AdminClient) -> None:
    assert tracksync_admin.status()["settings"]["scenario"] == "http2"
