"""A mock that keeps its state in a file: everything that was answered is there when it starts again."""

from __future__ import annotations

import sqlite3
from pathlib import Path
from typing import Any

import pytest
from admin_harness import KEY, START, setup

from tracksync.admin.workspace import MockWorkspace
from tracksync.errors import UsageError
from tracksync.mock.clock import SteeredClock
from tracksync.mock.state_file import StateFile
from tracksync.model.exchange import Request, Response


class Kept:
    """A workspace that is kept in a file; `again` is what a new process finds there."""

    def __init__(self, path: Path, name: str = "1", now: float = START, **config: Any) -> None:
        self.path, self.name, self.now, self.config = path, name, now, config
        self.file = StateFile(path)
        self.workspace = MockWorkspace(name, setup(KEY, **config), SteeredClock(lambda: self.now))
        self.known = self.workspace.keep_in(self.file)

    def send(self, body: str, path: str = "/users/track/sync") -> Response:
        headers = (("authorization", f"Bearer {KEY}"), ("content-type", "application/json"))
        return self.workspace.app.handle(Request("POST", path, headers, body.encode()))

    def again(self) -> Kept:
        self.file.close()  # the lock alone; a killed process leaves it, too
        return Kept(self.path, self.name, self.now, **self.config)


def test_users_queue_windows_and_clock_come_back(tmp_path: Path) -> None:
    kept = Kept(tmp_path / "mock.db")
    assert not kept.known
    kept.send(
        '{"attributes":[{"external_id":"ada","n":1,"odd":"\\ud800","deep":[{"a":[1,{"b":2.5}]}],"big":123456789012345678901}]}'
    )
    kept.send('{"events":[{"email":"e@example.com","name":"seen","time":"2020-01-01T00:00:00.123456Z"}]}')
    kept.send('{"attributes":[{"external_id":"late","n":1}]}', "/users/track")
    kept.send('{"external_ids":["ada"]}', "/users/delete")
    kept.workspace.advance(0.001)
    before = kept.workspace.snapshot()
    assert len(before["queued"]) == 2
    again = kept.again()
    assert again.known
    after = again.workspace.snapshot()
    for state in (before, after):
        state["users"].sort(key=lambda user: user["braze_id"])
    assert after == before
    again.now += 5
    assert again.workspace.user("external_id", "late") is not None
    assert again.workspace.user("external_id", "ada") is None


def test_every_change_is_kept_whoever_made_it(tmp_path: Path) -> None:
    kept = Kept(tmp_path / "mock.db")
    kept.workspace.add_users([{"external_id": "ada"}, {"external_id": "bob"}])
    kept = kept.again()
    assert {user["external_id"] for user in kept.workspace.users()[1]} == {"ada", "bob"}
    held = kept.workspace.snapshot()
    kept.send('{"external_ids":["ada"]}', "/users/delete")
    kept.now += 5
    kept.send('{"attributes":[{"external_id":"eve","n":1}]}')
    kept = kept.again()
    assert {user["external_id"] for user in kept.workspace.users()[1]} == {"bob", "eve"}
    kept.workspace.restore(held)
    kept = kept.again()
    assert {user["external_id"] for user in kept.workspace.users()[1]} == {"ada", "bob"}
    kept.workspace.reset()
    assert kept.again().workspace.users() == (0, [])


def test_counting_goes_on_after_a_start(tmp_path: Path) -> None:
    kept = Kept(tmp_path / "mock.db", rate_limit=3)
    event = '{"events":[{"external_id":"ada","name":"seen","time":"2020-01-01T00:00:00Z"}]}'
    statuses = []
    for _ in range(4):
        statuses.append(kept.send(event).status)
        kept = kept.again()
    assert statuses == [201, 201, 201, 429]
    kept.now += 60
    assert b'"count":4' in kept.send(event).body


def test_what_a_fault_changes_behind_a_users_back_is_kept_too(tmp_path: Path) -> None:
    kept = Kept(tmp_path / "mock.db", faults=["write-touches-the-same-prefix"])
    kept.send('{"attributes":[{"external_id":"ada","ab":1,"abc":2}]}')
    kept.send('{"attributes":[{"external_id":"ada","ab":3}]}')
    shown = kept.workspace.user("external_id", "ada")
    assert kept.again().workspace.user("external_id", "ada") == shown


def test_workspaces_share_a_file_and_nothing_else(tmp_path: Path) -> None:
    file = StateFile(tmp_path / "mock.db")
    for name, user in (("1", "ada"), ("2", "bob")):
        workspace = MockWorkspace(name, setup(KEY))
        assert not workspace.keep_in(file)
        workspace.add_users([{"external_id": user}])
    file.close()
    file = StateFile(tmp_path / "mock.db")
    for name, user in (("2", "bob"), ("1", "ada")):
        workspace = MockWorkspace(name, setup(KEY))
        assert workspace.keep_in(file)
        assert [one["external_id"] for one in workspace.users()[1]] == [user]


def test_no_key_is_written(tmp_path: Path) -> None:
    kept = Kept(tmp_path / "mock.db")
    kept.send('{"attributes":[{"external_id":"ada","n":1}]}')
    kept.send('{"attributes":[{"external_id":"late","n":1}]}', "/users/track")
    kept.file.close()
    assert not [file for file in tmp_path.iterdir() if KEY.encode() in file.read_bytes()]


def test_a_file_that_is_something_else_is_named_and_left_alone(tmp_path: Path) -> None:
    other = tmp_path / "notes.txt"
    other.write_text("not a database, and long enough to have a head of a hundred bytes " * 3)
    database = tmp_path / "other.db"
    connection = sqlite3.connect(database)
    connection.execute("CREATE TABLE other (x)")
    connection.close()
    for path in (other, database, tmp_path / "no" / "such" / "folder.db", tmp_path):
        before = path.read_bytes() if path.is_file() else b""
        with pytest.raises(UsageError, match=path.name):
            StateFile(path)
        assert not path.is_file() or path.read_bytes() == before


def test_two_mocks_cannot_share_a_file(tmp_path: Path) -> None:
    kept = Kept(tmp_path / "mock.db")
    with pytest.raises(UsageError, match="another mock uses it"):
        StateFile(kept.path)
