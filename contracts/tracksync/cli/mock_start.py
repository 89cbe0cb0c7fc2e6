"""How `tracksync mock` begins: keys, workspaces, what it prints, its port file, and waiting for another one."""

from __future__ import annotations

import http.client
import json
import ssl
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from tracksync.admin.addresses import PREFIX
from tracksync.admin.workspace import MockWorkspace, Setup
from tracksync.contract.bounds import EXPORT, SYNC
from tracksync.errors import Incomplete, UsageError, unreadable
from tracksync.mock.scenarios import Scenario
from tracksync.mock.state_file import StateFile
from tracksync.report import files

SHORTEST_KEY: Final = 8  # characters; a shorter one would be taken out of many texts by chance
LOOK: Final = 0.05  # seconds between two looks whether a mock is ready
EXAMPLES: Final = (
    ("write an attribute", SYNC, {"attributes": [{"external_id": "ada", "plan": "free"}]}),
    (
        "count an event",
        SYNC,
        {"events": [{"external_id": "ada", "name": "signed_up", "time": "2026-01-01T00:00:00Z"}]},
    ),
    (
        "read the user",
        EXPORT,
        {"external_ids": ["ada"], "fields_to_export": ["custom_attributes", "custom_events"]},
    ),
)


def keys_of(given: Sequence[str], key: str, unprivileged_key: str) -> Iterator[tuple[str, str]]:
    """Each key with the one without the permission. Raises UsageError, which does not show a key."""
    for number, one in enumerate(given, 1):
        if len(one) < SHORTEST_KEY or not (one.isascii() and one.isprintable()) or " " in one:
            raise UsageError(f"--key number {number} is not a key: {SHORTEST_KEY} characters or more, without spaces")
    if len({*given}) < len(given):
        raise UsageError("two of the --key are the same; each key has a workspace of its own")
    yield from ((one, f"{one}-without-permission") for one in given) if given else [(key, unprivileged_key)]


def workspaces_of(
    setups: Iterable[Setup], state: Path | None, seed: Path | None, stack: ExitStack, *, logged: bool
) -> Mapping[str, MockWorkspace]:
    """A workspace for each setup, named by its number, in the state that the files say. Raises UsageError."""
    file = None
    if state is not None:
        file = StateFile(state)
        stack.callback(file.close)
    users = None if seed is None else _json(seed)
    workspaces = {}
    for number, setup in enumerate(setups, 1):
        workspace = workspaces[str(number)] = MockWorkspace(str(number), setup, logged=logged)
        known = file is not None and workspace.keep_in(file)
        if users is not None and not known:
            try:
                workspace.add_users(users)
            except UsageError as error:
                raise UsageError(f"{seed}: {error}") from None
    return workspaces


def _json(path: Path) -> object:
    try:
        return json.loads(path.read_text(encoding="utf-8-sig"))
    except (OSError, UnicodeDecodeError) as error:
        raise unreadable(path, error) from None
    except (ValueError, RecursionError) as error:
        raise UsageError(f"{path} is not JSON: {error}") from None


def greeting(address: str, played: Scenario, given: Sequence[str], trust: str, *, admin: bool) -> Iterator[str]:
    """What to print when the mock is ready. Keys that were given are not shown; the fixed one is not a secret."""
    from tracksync.cli.mock import KEY, UNPRIVILEGED_KEY

    yield f"tracksync mock on {address}"
    if given:
        yield f"  {len(given)} workspaces, in the order of their keys" if len(given) > 1 else "  with the key you gave"
    else:
        yield f"  key {KEY}; without the permission: {UNPRIVILEGED_KEY}"
    if trust:
        yield f"  export SSL_CERT_FILE={trust}"
    if admin:
        yield f"  inspector {address}{PREFIX}/"
    if played.window_seconds or any(act.do == "limit" for act in played.acts):
        yield "  its rate windows are shorter than a minute; fuzz and race report that as TS-RATE-RESET"
    yield "Try it:" if given else f"Try it: export TRACKSYNC_API_KEY={KEY}"
    for what, path, body in EXAMPLES:
        text = json.dumps(body, separators=(",", ":"))
        yield f"  # {what}"
        yield f'  curl -s {address}{path} -H "Authorization: Bearer $TRACKSYNC_API_KEY" \\'
        yield f"    -H 'Content-Type: application/json' -d '{text}'"
    yield f"  tracksync fuzz --target {address}"
    yield "Ctrl-C ends it"


def write_port(path: Path, address: str, stack: ExitStack) -> None:
    """Write the port of `address` to a file, which goes when the mock ends. Raises UsageError."""
    files.write(path, f"{urlsplit(address).port}\n")
    stack.callback(path.unlink, missing_ok=True)


def wait_until_ready(host: str, port: int, port_path: Path | None, seconds: float) -> None:
    """Wait until a mock responds. Raises Incomplete where none does in time."""
    deadline = time.monotonic() + seconds
    while True:
        number = _port_in(port_path) if port_path is not None else port
        if number and (_is_ready(host, number, tls=False) or _is_ready(host, number, tls=True)):
            return
        if time.monotonic() >= deadline:
            where = f"{host}:{number}" if number else f"{port_path} says no port yet"
            raise Incomplete(f"no mock was ready within {seconds:g} s ({where})")
        time.sleep(LOOK)


def _port_in(path: Path) -> int:
    try:
        text = path.read_text(encoding="ascii").strip()
    except (OSError, UnicodeDecodeError):
        return 0
    return int(text) if text.isdigit() and len(text) < 6 else 0


def _is_ready(host: str, port: int, *, tls: bool) -> bool:
    # Whether it is there is asked, and nothing secret is sent: its certificate makes no difference.
    context = ssl._create_unverified_context() if tls else None  # noqa: S323
    connection = (
        http.client.HTTPSConnection(host, port, timeout=2, context=context)
        if tls
        else http.client.HTTPConnection(host, port, timeout=2)
    )
    try:
        connection.request("GET", f"{PREFIX}/health")
        # With --no-admin the mock responds to this path as to any other: it is there all the same.
        return connection.getresponse().status in (200, 404)
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()
