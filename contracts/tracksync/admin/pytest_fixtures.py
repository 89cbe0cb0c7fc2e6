"""The fixture `tracksync_admin`: the admin API of the mock that the fixture `tracksync_mock` serves.

    def test_upgrade(tracksync_mock, tracksync_admin):
        tracksync_admin.add_users([{"external_id": "ada", "custom_attributes": {"plan": "free"}}])
        upgrade(tracksync_mock.url, tracksync_mock.key, "ada")
        assert tracksync_admin.user(external_id="ada")["custom_attributes"] == {"plan": "paid"}

The API is at `tracksync_admin.url` for tests in other processes. Imports nothing heavy until a test uses it.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

import pytest

if TYPE_CHECKING:
    from tracksync.admin.client import AdminClient
    from tracksync.gate.testing_mock import CheckedMock


CA: Final = "TRACKSYNC_CA_FILE"  # the variable that names the CA of the mock's certificate, where it has one


@pytest.fixture
def tracksync_admin(tracksync_mock: CheckedMock) -> Iterator[AdminClient]:
    """A client of the admin API of this test's mock."""
    from tracksync.admin.addresses import PREFIX
    from tracksync.admin.app import AdminApp
    from tracksync.admin.client import AdminClient
    from tracksync.admin.workspace import MockWorkspace, Setup

    mock = tracksync_mock
    workspace = MockWorkspace("1", Setup(mock.app.config), mock.clock, mock.app, mock.reset)
    mock.mounted.mount(PREFIX, AdminApp({workspace.name: workspace}))
    with AdminClient(mock.url, ca=mock.trust.get(CA)) as client:
        yield client
