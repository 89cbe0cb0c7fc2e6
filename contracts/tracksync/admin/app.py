"""The admin API as an ASGI application: the guard before the routes, and a sentence for every mistake."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request as HttpRequest
from starlette.responses import Response as HttpResponse

from tracksync.admin.guard import Guard, TooLarge, limited, with_headers
from tracksync.admin.routes import NotThereError, failed, routes
from tracksync.admin.workspace import MockWorkspace
from tracksync.errors import TracksyncError
from tracksync.mock.app import Receive, Scope, Send


class AdminApp:
    """ASGI 3: serves the admin API of `workspaces`. `names`: host names under which other machines may use it."""

    def __init__(self, workspaces: Mapping[str, MockWorkspace], names: Iterable[str] = ()) -> None:
        self._guard = Guard(names)
        self._app = Starlette(
            routes=routes(workspaces),
            exception_handlers={
                NotThereError: _not_there,
                TracksyncError: _wrong_use,
                TooLarge: _too_large,
                HTTPException: _http_error,
            },
        )
        self._app.router.redirect_slashes = False

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        send = with_headers(send)
        denial = self._guard.denial(scope)
        if denial is not None:
            await failed(denial.status, denial.error)(scope, receive, send)
            return
        await self._app(scope, limited(receive), send)


async def _wrong_use(request: HttpRequest, error: Exception) -> HttpResponse:
    return failed(400, str(error))


async def _not_there(request: HttpRequest, error: Exception) -> HttpResponse:
    return failed(404, str(error))


async def _too_large(request: HttpRequest, error: Exception) -> HttpResponse:
    return failed(413, "the body is too large")


async def _http_error(request: HttpRequest, error: Exception) -> HttpResponse:
    status = error.status_code if isinstance(error, HTTPException) else 500
    if status == 404:
        return failed(404, "there is no such address; openapi.yaml here lists them")
    return failed(
        status, "this address takes another method; openapi.yaml here lists them" if status == 405 else "failed"
    )
