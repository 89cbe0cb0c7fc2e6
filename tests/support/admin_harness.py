"""A mock and its admin API in process: requests as a browser or a program would send them, and a clock that stands."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterable, Mapping
from typing import Any

import httpx

from tracksync.admin.serving import mock_app
from tracksync.admin.workspace import MockWorkspace, Setup
from tracksync.faults.catalogue import servers
from tracksync.mock import MockConfig
from tracksync.mock.clock import SteeredClock

KEY = "admin-test-key-1"
OTHER_KEY = "admin-test-key-2"
BASE = "http://127.0.0.1:8080"
START = 1_750_000_020.0  # the beginning of a clock minute


def setup(key: str, faults: Iterable[str] = (), **config: Any) -> Setup:
    names = tuple(faults)
    unprivileged = f"{key}-without-permission"
    return Setup(MockConfig(key=key, unprivileged_key=unprivileged, faults=servers(names), **config), names)


class AdminHarness:
    """One or two workspaces. `now` is the machine's clock, which moves by a millisecond with each look."""

    def __init__(
        self,
        *,
        faults: Iterable[str] = (),
        keys: tuple[str, ...] = (KEY,),
        names: tuple[str, ...] = (),
        peer: str = "127.0.0.1",
        **config: Any,
    ) -> None:
        self.now = START
        self.workspaces = {
            str(number): MockWorkspace(str(number), setup(key, faults, **config), SteeredClock(self._clock))
            for number, key in enumerate(keys, 1)
        }
        self.workspace = self.workspaces["1"]
        self.app = mock_app(self.workspaces, names=names)
        self._peer = peer

    def _clock(self) -> float:
        self.now += 0.001
        return self.now

    def send(
        self,
        method: str,
        path: str,
        *,
        body: Any = None,
        content: bytes | None = None,
        headers: Mapping[str, str] | None = None,
        base: str = BASE,
    ) -> httpx.Response:
        """One request from `peer`. `body` is sent as JSON, `content` as it is."""

        async def sent() -> httpx.Response:
            transport = httpx.ASGITransport(app=self.app, client=(self._peer, 4711))  # type: ignore[arg-type]
            async with httpx.AsyncClient(transport=transport, base_url=base) as client:
                return await client.request(method, path, json=body, content=content, headers=headers)

        return asyncio.run(sent())

    def track(self, body: Any, path: str = "/users/track/sync", key: str = KEY) -> httpx.Response:
        """A request of a client."""
        return self.send("POST", path, body=body, headers={"authorization": f"Bearer {key}"})

    def write(self, user: str = "ada", key: str = KEY, **attributes: Any) -> httpx.Response:
        """A write of attributes."""
        return self.track({"attributes": [{"external_id": user, **attributes}]}, key=key)

    def admin(self, method: str, path: str, body: Any = None, **more: Any) -> Any:
        """The document that the admin API responds with."""
        response = self.send(method, f"/__tracksync{path}", body=body, **more)
        assert response.is_success, response.text
        return response.json() if response.content else None

    def refused(self, method: str, path: str, body: Any = None, **more: Any) -> tuple[int, str]:
        """The status and the sentence of a refusal."""
        response = self.send(method, f"/__tracksync{path}", body=body, **more)
        assert response.is_error, response.text
        return response.status_code, json.loads(response.text)["error"]
