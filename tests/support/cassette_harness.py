"""A served mock, and short ways to write recordings, for the tests of cassettes and replay."""

from __future__ import annotations

import base64
import contextlib
import json
import subprocess
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import uvicorn
from process import tracksync_here

from tracksync.cassettes.replaying import ReplayPlan, replay
from tracksync.faults.catalogue import servers
from tracksync.mock import MockApp, MockConfig
from tracksync.model.events import Event, ExchangeChecked, FindingConfirmed, RunEnded, Skipped

ROOT = Path(__file__).resolve().parents[2]
SYNC = "https://rest.iad-01.braze.com/users/track/sync"
CANARY = "c4a17b2e-93d5-4f60-8a1e-5b7c2d9e0f13"


@contextlib.contextmanager
def served(*, faults: tuple[str, ...] = (), **config: Any) -> Iterator[str]:
    """A mock on a free port; gives its URL."""
    app = MockApp(MockConfig(faults=servers(faults), **config))
    server = uvicorn.Server(uvicorn.Config(app, host="127.0.0.1", port=0, log_level="error"))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    deadline = time.monotonic() + 60
    while not server.started and time.monotonic() < deadline:
        time.sleep(0.01)
    port = server.servers[0].sockets[0].getsockname()[1]
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        server.should_exit = True
        thread.join(10)


class ReplayEvents:
    """The events of a replay, and short names for what they say."""

    def __init__(self) -> None:
        self.events: list[Event] = []

    @property
    def verdict(self) -> str:
        return self.end.verdict

    @property
    def end(self) -> RunEnded:
        return next(event for event in self.events if isinstance(event, RunEnded))

    @property
    def broken(self) -> list[str]:
        return [event.finding.clause for event in self.events if isinstance(event, FindingConfirmed)]

    @property
    def checked(self) -> int:
        return sum(isinstance(event, ExchangeChecked) for event in self.events)

    @property
    def skipped(self) -> list[Skipped]:
        return [event for event in self.events if isinstance(event, Skipped)]


def replayed(*paths: Path, **more: Any) -> ReplayEvents:
    """The events of a replay of these recordings."""
    replayed_events = ReplayEvents()
    replay(ReplayPlan(paths=paths, **more), replayed_events.events.append, lambda: 0.0)
    return replayed_events


def command(*words: str, cwd: Path | None = None, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run the command line in this process, by default in the present directory."""
    return tracksync_here(*words, cwd=cwd or Path.cwd(), **environment)


def event_body(user: str = "u1", name: str = "rented", **more: Any) -> str:
    return json.dumps({"events": [{"external_id": user, "name": name, "time": "2022-12-06T19:20:45+01:00", **more}]})


def event_response(count: int, user: str = "u1", name: str = "rented", **more: Any) -> str:
    when = "2022-12-06T18:20:45.000Z"
    shown = {"name": name, "first": when, "last": when, "count": count}
    return json.dumps({"users": [{"external_id": user, "custom_events": [shown]}], "message": "success", **more})


RATE = {"x-ratelimit-limit": "500", "x-ratelimit-remaining": "{left}", "x-ratelimit-reset": "1670350860"}


def rate(left: int = 499) -> dict[str, str]:
    """Rate headers of the minute in which these recordings were made."""
    return {**RATE, "x-ratelimit-remaining": str(left)}


def vcrpy_item(
    request: str | bytes | None,
    response: str | bytes,
    *,
    url: str = SYNC,
    status: int = 201,
    left: int = 499,
    **headers: Any,
) -> dict[str, Any]:
    """One interaction as vcrpy keeps it."""
    return {
        "request": {
            "method": "POST",
            "uri": url,
            "body": request,
            "headers": {"Content-Type": ["application/json"], "Authorization": ["DUMMY"]},
        },
        "response": {
            "status": {"code": status, "message": "Created"},
            "headers": {
                "Content-Type": ["application/json"],
                "Date": ["Tue, 06 Dec 2022 18:20:50 GMT"],
                **{name: [value] for name, value in rate(left).items()},
                **{name: [value] for name, value in headers.items()},
            },
            "body": {"string": response},
        },
    }


def two_events(second: int = 2, user: str = "u1") -> list[tuple[str, str]]:
    """Two equal events and their responses; the second shows `second` as its count."""
    return [(event_body(user), event_response(1, user)), (event_body(user), event_response(second, user))]


def vcrpy_document(pairs: list[tuple[str, str]], **more: Any) -> dict[str, Any]:
    items = [vcrpy_item(sent, got, left=499 - index, **more) for index, (sent, got) in enumerate(pairs)]
    return {"version": 1, "interactions": items}


def har_document(pairs: list[tuple[str, str]], *, base64_bodies: bool = False) -> dict[str, Any]:
    """A HAR as a browser's developer tools write it."""
    entries = []
    for index, (sent, got) in enumerate(pairs):
        content = {"size": len(got.encode()), "mimeType": "application/json", "text": got}
        if base64_bodies:
            content |= {"text": base64.b64encode(got.encode()).decode(), "encoding": "base64"}
        headers = {**rate(499 - index), "content-type": "application/json", "content-encoding": "br"}
        entries.append(
            {
                "_initiator": {"type": "script"},
                "_resourceType": "fetch",
                "startedDateTime": f"2022-12-06T18:20:{50 + index}.120Z",
                "time": 81.4,
                "request": {
                    "method": "POST",
                    "url": SYNC,
                    "httpVersion": "h2",
                    "headers": [
                        {"name": ":authority", "value": "rest.iad-01.braze.com"},
                        {"name": "content-type", "value": "application/json"},
                    ],
                    "queryString": [],
                    "cookies": [],
                    "headersSize": -1,
                    "bodySize": len(sent.encode()),
                    "postData": {"mimeType": "application/json", "text": sent},
                },
                "response": {
                    "status": 201,
                    "statusText": "",
                    "httpVersion": "h2",
                    "headers": [{"name": name, "value": value} for name, value in headers.items()],
                    "cookies": [],
                    "content": content,
                    "redirectURL": "",
                    "headersSize": -1,
                    "bodySize": -1,
                    "_transferSize": 412,
                },
                "cache": {},
                "timings": {"send": 0.2, "wait": 80.9, "receive": 0.3},
            }
        )
    return {"log": {"version": "1.2", "creator": {"name": "WebInspector", "version": "537.36"}, "entries": entries}}
