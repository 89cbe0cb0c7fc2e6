"""Keeps workspaces in a SQLite file: what was answered is there after the process was killed.

Before each response what the request has changed is written in one transaction. The file is SQLite's write-ahead log,
so a killed process loses nothing; when the machine itself fails, the last moments may be lost, and the file is sound.
No key is written: workspaces are told apart by their names.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, Final

from tracksync.errors import UsageError
from tracksync.mock import snapshot
from tracksync.mock.core import Core
from tracksync.mock.profiles import Store

APPLICATION: Final = 0x7472636B  # in the head of the file, so that no other database is taken for a state
VERSION: Final = 1
_TABLES: Final = """
CREATE TABLE users (workspace TEXT, braze_id TEXT, document TEXT, PRIMARY KEY (workspace, braze_id)) WITHOUT ROWID;
CREATE TABLE queued (workspace TEXT, number INTEGER, document TEXT, PRIMARY KEY (workspace, number)) WITHOUT ROWID;
CREATE TABLE counters (workspace TEXT PRIMARY KEY, document TEXT) WITHOUT ROWID;
"""


class StateFile:
    """The file at `path`, made where there is none. Raises UsageError where it cannot be used."""

    def __init__(self, path: Path) -> None:
        self._path = path
        try:
            self._database = sqlite3.connect(path, isolation_level=None, check_same_thread=False, timeout=0.2)
            self._open()
        except sqlite3.Error as error:
            raise UsageError(f"{path} cannot be used as --state: {_reason(error)}") from None

    def _open(self) -> None:
        run = self._database.execute
        run("PRAGMA locking_mode = EXCLUSIVE")
        run("BEGIN EXCLUSIVE")
        application, version = (run(f"PRAGMA {name}").fetchone()[0] for name in ("application_id", "user_version"))
        if (application, version) == (0, 0) and not run("SELECT name FROM sqlite_schema").fetchall():
            run("COMMIT")
            self._database.executescript(
                f"BEGIN; {_TABLES} PRAGMA application_id = {APPLICATION}; PRAGMA user_version = {VERSION}; COMMIT;"
            )
        elif (application, version) != (APPLICATION, VERSION):
            raise UsageError(f"{self._path} is not a state of tracksync {VERSION}; name another file with --state")
        else:
            run("COMMIT")
        run("PRAGMA journal_mode = WAL")
        run("PRAGMA synchronous = NORMAL")

    def close(self) -> None:
        """Let go of the file."""
        self._database.close()

    def read(self, workspace: str) -> dict[str, Any] | None:
        """The snapshot of a workspace, or None where the file has none. Raises UsageError where it is damaged."""
        try:
            counters = self._rows("counters", workspace)
            if not counters:
                return None
            users, queued = self._rows("users", workspace), self._rows("queued", workspace)
        except (sqlite3.Error, ValueError) as error:
            raise UsageError(f"{self._path} is damaged ({error}); name another file with --state") from None
        return {"form": snapshot.FORM, "users": users, "queued": queued, **counters[0]}

    def _rows(self, table: str, workspace: str) -> list[Any]:
        rows = self._database.execute(f"SELECT document FROM {table} WHERE workspace = ?", (workspace,))  # noqa: S608
        return [json.loads(document) for (document,) in rows]

    def keeper(self, workspace: str, advanced: Callable[[], float]) -> WorkspaceKeeper:
        """What keeps a workspace in this file. `advanced` gives the seconds by which its clock was advanced."""
        return WorkspaceKeeper(self._database, workspace, advanced)


class WorkspaceKeeper:
    """Writes what has changed in one workspace since it was called last."""

    def __init__(self, database: sqlite3.Connection, workspace: str, advanced: Callable[[], float]) -> None:
        self._database, self._workspace, self._advanced = database, workspace, advanced
        self._store: Store | None = None
        self._written: dict[str, int] = {}  # hashes of the users by braze_id
        self._queue_version: tuple[int, int] | None = None
        self._queued: set[int] = set()
        self._counters = ""

    def __call__(self, core: Core) -> None:
        """Write the changes in one transaction. Raises sqlite3.Error; then nothing was written."""
        run = self._database.execute
        run("BEGIN")
        try:
            self._write(core)
            run("COMMIT")
        except BaseException:
            run("ROLLBACK")
            self._store = None  # what was written is uncertain: everything is written next time
            raise

    def _write(self, core: Core) -> None:
        store, name = core.store, self._workspace
        if store is not self._store:
            self._database.execute("DELETE FROM users WHERE workspace = ?", (name,))
            self._database.execute("DELETE FROM queued WHERE workspace = ?", (name,))
            self._store, self._written, self._queued, self._queue_version = store, {}, set(), None
            store.changed = {profile.braze_id for profile in store}
        changed = store.changed or set()
        if changed or core.config.faults:
            # A fault may change users that were not written to.
            others = (profile.braze_id for profile in store) if core.config.faults else ()
            self._write_users(store, {*changed, *others})
            store.changed = set()
        if core.queue_version != self._queue_version:
            self._write_queue(snapshot.queue_json(core))
            self._queue_version = core.queue_version
        counters = json.dumps(snapshot.counters_json(core) | {"advanced": self._advanced()})
        if counters != self._counters:
            self._database.execute("INSERT OR REPLACE INTO counters VALUES (?, ?)", (name, counters))
            self._counters = counters

    def _write_users(self, store: Store, braze_ids: Iterable[str]) -> None:
        for braze_id in braze_ids:
            profile = store.find("braze_id", braze_id)
            key = (self._workspace, braze_id)
            if profile is None:
                self._database.execute("DELETE FROM users WHERE workspace = ? AND braze_id = ?", key)
                self._written.pop(braze_id, None)
                continue
            document = json.dumps(snapshot.user_json(profile))
            if self._written.get(braze_id) != hash(document):
                self._database.execute("INSERT OR REPLACE INTO users VALUES (?, ?, ?)", (*key, document))
                self._written[braze_id] = hash(document)

    def _write_queue(self, queue: dict[int, dict[str, Any]]) -> None:
        name = self._workspace
        for number in self._queued - queue.keys():
            self._database.execute("DELETE FROM queued WHERE workspace = ? AND number = ?", (name, number))
        for number in queue.keys() - self._queued:
            self._database.execute("INSERT INTO queued VALUES (?, ?, ?)", (name, number, json.dumps(queue[number])))
        self._queued = set(queue)


def _reason(error: sqlite3.Error) -> str:
    text = str(error)
    return "another mock uses it" if "locked" in text else text
