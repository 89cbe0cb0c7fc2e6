"""Puts together what is served on one port: workspaces, each chosen by its key, and the admin API beside them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from tracksync.admin.addresses import PREFIX
from tracksync.admin.workspace import MockWorkspace
from tracksync.mock.app import Receive, Scope, Send
from tracksync.wire.mounting import Mounted
from tracksync.wire.serve import App


class KeyRouter:
    """ASGI 3: hands a request to the workspace whose key it names; to the first one where it names none."""

    def __init__(self, workspaces: Iterable[MockWorkspace]) -> None:
        self._all = tuple(workspaces)
        self._by_header = {
            f"Bearer {key}".encode("latin-1"): workspace.app for workspace in self._all for key in workspace.keys
        }

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        await self._app(scope)(scope, receive, send)

    def _app(self, scope: Scope) -> App:
        for name, value in scope.get("headers", ()):
            if name.lower() == b"authorization":
                found = self._by_header.get(value)
                return found if found is not None else self._resembling(value.decode("latin-1"))
        return self._all[0].app

    def _resembling(self, header: str) -> App:
        """The workspace whose key stands in a header that is written wrongly: it is the one to refuse it."""
        for workspace in self._all[1:]:
            if any(key in header for key in workspace.keys):
                return workspace.app
        return self._all[0].app


def mock_app(workspaces: Mapping[str, MockWorkspace], *, admin: bool = True, names: Iterable[str] = ()) -> App:
    """What to serve for these workspaces. `names`: host names under which other machines may use the admin API."""
    first, *others = workspaces.values()
    app: App = KeyRouter(workspaces.values()) if others else first.app
    if not admin:
        return app
    mounted = Mounted(app)
    mounted.mount(PREFIX, LazyAdmin(workspaces, tuple(names)))
    return mounted


class LazyAdmin:
    """ASGI 3: the admin API, imported when it is asked for the first time."""

    def __init__(self, workspaces: Mapping[str, MockWorkspace], names: tuple[str, ...] = ()) -> None:
        self._workspaces, self._names = workspaces, names
        self._app: App | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if self._app is None:
            from tracksync.admin.app import AdminApp

            self._app = AdminApp(self._workspaces, self._names)
        await self._app(scope, receive, send)
