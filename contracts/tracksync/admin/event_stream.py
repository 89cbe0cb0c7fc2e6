"""The server-sent events of a workspace, for the inspector: what came since, what was found, how the mock is.

A listener holds one number and no queue. What has left the log before it was sent is not sent: the next event says so.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any, Final

from starlette.requests import Request as HttpRequest
from starlette.responses import Response as HttpResponse
from starlette.responses import StreamingResponse

from tracksync.admin import entries
from tracksync.admin.exchange_log import LogEntry
from tracksync.admin.workspace import MockWorkspace

TICK: Final = 0.2  # seconds between two looks at the log
CHECKING: Final = 0.06  # seconds of checking at each look, so that requests are served at any rate
IDLE: Final = 1.0  # seconds after which the status is sent although nothing came
MOST_AT_ONCE: Final = 200  # exchanges of one event
MOST_LISTENERS: Final = 8


async def stream(workspace: MockWorkspace, request: HttpRequest) -> HttpResponse:
    """The events from now on; those of the log after the number `after` or the header Last-Event-ID come first."""
    if workspace.listeners >= MOST_LISTENERS:
        error = {"error": f"{MOST_LISTENERS} pages listen already; close one"}
        return HttpResponse(json.dumps(error), status_code=503, media_type="application/json")
    said = request.headers.get("last-event-id") or request.query_params.get("after") or ""
    after = int(said) if said.isascii() and said.isdigit() and len(said) <= 12 else 0
    return StreamingResponse(_events(workspace, after), media_type="text/event-stream")


async def _events(workspace: MockWorkspace, after: int) -> AsyncIterator[str]:
    workspace.listeners += 1
    try:
        listener = _Listener(workspace, after)
        while True:
            for event in listener.next_events():
                yield event
            await asyncio.sleep(TICK)
    finally:
        workspace.listeners -= 1


class _Listener:
    """What one page has been sent."""

    def __init__(self, workspace: MockWorkspace, after: int) -> None:
        self._workspace = workspace
        self._after = min(after, workspace.log.handled_count)
        self._open: dict[int, LogEntry] = {}  # sent, and not yet to the end
        self._status = ""
        self._quiet = IDLE

    def next_events(self) -> list[str]:
        """What is to be sent by now."""
        workspace, log = self._workspace, self._workspace.log
        workspace.checker.advance(log.handled_count, CHECKING)
        found = log.since(self._after, MOST_AT_ONCE)
        later = [entry for entry in self._open.values() if _settled(entry)]
        events = []
        if found or later:
            missed = found[0].number - self._after - 1 if found else 0
            self._after = found[-1].number if found else self._after
            self._open |= {entry.number: entry for entry in found}
            shown = sorted({entry.number: entry for entry in (*later, *found)}.items())
            payload = {"exchanges": [entries.summary(workspace, entry) for _, entry in shown], "missed": missed}
            events.append(_event("exchanges", payload, self._after))
            # What left the log before it was checked is not sent again.
            first = log.first_number
            self._open = {
                number: entry for number, entry in self._open.items() if number >= first and not _settled(entry)
            }
        status = json.dumps(workspace.status() | {"first": log.first_number}, separators=(",", ":"))
        self._quiet += TICK
        if found or later or self._quiet >= IDLE:
            self._quiet = 0.0
            events.append(f"event: status\ndata: {status}\n\n")
        return events


def _settled(entry: LogEntry) -> bool:
    """Whether nothing more will be found about an entry."""
    return entry.server_findings is not None and entry.client_findings is not None


def _event(name: str, payload: Any, number: int) -> str:
    return f"id: {number}\nevent: {name}\ndata: {json.dumps(payload, separators=(',', ':'))}\n\n"
