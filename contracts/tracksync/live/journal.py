"""The journal of a run: one file of JSON lines, appended to and flushed to the disk before anything else happens.

Each user is recorded before the request that may create it is sent, and each exchange as it completes, redacted.
If the process is killed, at most the last line is incomplete, and what it was to record was not sent.
The records, by their member `record`:

    run       the plan of the run; the first line
    sending   a request is about to be sent: its number, digest, path, and the users it may create
    exchange  the exchange; `n` is the number of its request
    resumed   another process continues from here, with this prefix
    cleaned   deleted users; `verified`: they were seen to be gone, and not only the deletion accepted
    ended     the run ended; lists the users that may be left
"""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from tracksync import __version__
from tracksync.errors import UsageError
from tracksync.generate.renaming import Identifier

FORM: Final = 1  # of the records; a journal of another form is cleaned but not resumed
SUFFIX: Final = ".jsonl"

Record = dict[str, Any]


class Journal:
    """One run's journal, open for appending and locked against other processes.

    `Journal.create` begins one, `Journal.open` continues one. Both raise UsageError where the file cannot be written,
    or where another process holds it.
    """

    def __init__(self, path: Path, handle: int) -> None:
        self.path = path
        self._handle = handle

    @classmethod
    def create(cls, directory: Path, header: Mapping[str, Any], prefix: str, at: float) -> Journal:
        """Begin a journal. `header`: the plan of the run, without keys. `at`: seconds since the epoch."""
        stamp = datetime.fromtimestamp(at, UTC).strftime("%Y%m%dT%H%M%SZ")
        path = directory / f"{stamp}-{prefix}{SUFFIX}"
        try:
            directory.mkdir(parents=True, exist_ok=True)
            _ignore(directory)
            handle = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_EXCL, 0o600)
            _flush_directory(directory)
        except OSError as error:
            raise UsageError(f"cannot write the journal {path}: {error.strerror or error}") from None
        journal = cls(path, handle)
        journal._lock()
        journal.write("run", form=FORM, tracksync=__version__, prefix=prefix, at=at, **header)
        return journal

    @classmethod
    def open(cls, path: Path) -> Journal:
        """Continue a journal; an incomplete last line is cut off."""
        try:
            handle = os.open(path, os.O_RDWR | os.O_APPEND)
        except OSError as error:
            raise UsageError(f"cannot open the journal {path}: {error.strerror or error}") from None
        journal = cls(path, handle)
        journal._lock()
        whole = sum(len(line) for line, _ in _lines(path))
        os.ftruncate(handle, whole)
        return journal

    def _lock(self) -> None:
        try:
            fcntl.flock(self._handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            os.close(self._handle)
            raise UsageError(f"the run of {self.path} is still active; wait for its end, or stop it first") from None

    def write(self, record: str, **members: Any) -> None:
        """Append one record; it is on the disk when this returns."""
        line = json.dumps({"record": record, **members}, separators=(",", ":"), allow_nan=False) + "\n"
        data = line.encode("ascii")
        while data:
            data = data[os.write(self._handle, data) :]
        os.fsync(self._handle)

    def close(self) -> None:
        """Release it."""
        with suppress(OSError):
            os.close(self._handle)

    def remove(self) -> None:
        """Delete the journal."""
        self.path.unlink(missing_ok=True)
        self.close()


@dataclass(frozen=True, slots=True)
class JournalState:
    """The state that a journal records, without its exchanges.

    `header` is the first record. `users` may exist. `resumable`: the run did not end. `cleaned`: its users were
    deleted.
    """

    path: Path
    header: Mapping[str, Any]
    users: tuple[Identifier, ...]
    resumable: bool
    cleaned: bool
    prefixes: tuple[str, ...]

    @property
    def target(self) -> str:
        """The base URL that the run checked."""
        return str(self.header.get("target", ""))


def read(path: Path) -> JournalState | None:
    """The state of the journal at `path`; None without a first line: nothing was sent."""
    header: Record | None = None
    users: dict[Identifier, None] = {}
    resumable, cleaned = True, False
    prefixes: dict[str, None] = {}
    for _, record in _lines(path):
        match record.get("record"):
            case "run":
                header = record
                prefixes[str(record["prefix"])] = None
            case "sending":
                users.update(dict.fromkeys(tuple(user) for user in record["users"]))
                prefixes.update(dict.fromkeys(record.get("prefixes", ())))
                cleaned = False
            case "resumed":
                prefixes[str(record["prefix"])] = None
                resumable = True
            case "cleaned":
                for user in record["users"]:
                    users.pop(tuple(user), None)
                cleaned = True
            case "ended":
                resumable = False
                users = {tuple(user): None for user in record["left"]}
    if header is None:
        return None
    return JournalState(path, header, tuple(users), resumable, cleaned, tuple(prefixes))


def records(path: Path) -> Iterator[Record]:
    """The records of a journal, in order."""
    for _, record in _lines(path):
        yield record


def incomplete_runs(directory: Path) -> list[Path]:
    """The journals in `directory`, oldest first."""
    return sorted(directory.glob(f"*{SUFFIX}")) if directory.is_dir() else []


def _lines(path: Path) -> Iterator[tuple[bytes, Record]]:
    """Each complete line of a journal with its record, up to the first that is not a record."""
    try:
        file = path.open("rb")
    except OSError as error:
        raise UsageError(f"cannot read the journal {path}: {error.strerror or error}") from None
    with file:
        for line in file:
            if not line.endswith(b"\n"):
                return
            try:
                record = json.loads(line)
            except ValueError:
                return
            if not isinstance(record, dict):
                return
            yield line, record


def _ignore(directory: Path) -> None:
    """Keep journals out of version control."""
    note = directory / ".gitignore"
    if not note.exists():
        note.write_text("*\n", encoding="ascii")


def _flush_directory(directory: Path) -> None:
    handle = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
