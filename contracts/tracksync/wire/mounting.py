"""Serves a second application under a prefix of the same address."""

from __future__ import annotations

from tracksync.mock.app import Receive, Scope, Send
from tracksync.wire.serve import App


class Mounted:
    """ASGI 3: `app`, and under a prefix another one, once there is one."""

    def __init__(self, app: App) -> None:
        self._app = app
        self._prefix = ""
        self._other: App | None = None

    def mount(self, prefix: str, app: App) -> None:
        """Let `app` serve the paths under `prefix`, a path without a slash at its end, from now on."""
        self._prefix, self._other = prefix, app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve a request by the application that its path belongs to."""
        if self._other is not None and scope["type"] == "http" and scope["path"].startswith(self._prefix):
            rest = scope["path"][len(self._prefix) :]
            if not rest or rest[0] == "/":
                await self._other(scope, receive, send)
                return
        await self._app(scope, receive, send)
