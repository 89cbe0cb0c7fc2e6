"""Faults of routes, methods, media types and sizes."""

from __future__ import annotations

from typing import Any

from tracksync.faults.registry import accept_unapplied, fault, faults, overriding, refusing, row
from tracksync.mock.call import Call, Detail, Refused
from tracksync.mock.core import Core
from tracksync.mock.rate import SYNC_PATH
from tracksync.model.exchange import Request, header

faults("TS-ROUTE-METHOD", module=__name__)(
    row(
        "wrong-url-answered-400",
        "A wrong URL is answered 400.",
        "TS-ROUTE-URL",
        step="refuse_path",
        status=400,
        message="No such endpoint",
    ),
    row(
        "get-answered-as-success",
        "Another method is answered 201, and nothing is done.",
        step="refuse_method",
        status=201,
        message="success",
        bare=True,
    ),
    row(
        "wrong-method-answered-400",
        "Another method is answered 400.",
        step="refuse_method",
        status=400,
        message="Only POST is served here",
    ),
    row(
        "wrong-method-answered-501",
        "Another method is answered 501.",
        "TS-ROUTE-METHOD",
        "TS-ANSWER-SERVER-ERROR",
        step="refuse_method",
        status=501,
    ),
    row(
        "media-answered-406",
        "Another content type is answered 406.",
        "TS-ROUTE-MEDIA",
        "TS-ANSWER-STATUS",
        step="refuse_media",
        status=406,
    ),
    row(
        "media-answered-500",
        "Another content type makes the server fail.",
        "TS-ROUTE-MEDIA",
        "TS-ANSWER-SERVER-ERROR",
        step="refuse_media",
        status=500,
    ),
    row(
        "size-answered-500",
        "A body over 4 MB makes the server fail.",
        "TS-ROUTE-SIZE",
        "TS-ANSWER-SERVER-ERROR",
        step="refuse_size",
        status=500,
    ),
    row(
        "size-answered-as-success",
        "A body over 4 MB is answered 201, and nothing is done.",
        "TS-ROUTE-SIZE",
        "TS-OK-USERS",
        step="refuse_size",
        status=201,
        message="success",
        bare=True,
    ),
)(refusing)


# --- routes ---------------------------------------------------------------------------------------------------
@fault("wrong-url-accepted", "Everything below /users/track/ is served as sync.", "TS-ROUTE-URL")
class _WrongUrlAccepted(Core):
    def route(self, request: Request) -> str:
        path = super().route(request)
        return SYNC_PATH if path.startswith("/users/track/") else path


@fault("any-url-accepted", "Every URL is served as sync.", "TS-ROUTE-URL")
class _AnyUrlAccepted(Core):
    def refuse_path(self, call: Call) -> None:
        call.path = SYNC_PATH


@fault("wrong-url-answered-403", "A wrong URL is answered 403.", "TS-ROUTE-URL")
class _WrongUrlAnswered403(Core):
    def refuse_path(self, call: Call) -> None:
        self.refuse_permission(call)


overriding("refuse_method", "TS-ROUTE-METHOD", module=__name__)(
    row("any-method-accepted", "Every method is served as POST.", result=lambda: None),
    row(
        "put-accepted",
        "PUT is served as POST.",
        when=lambda call: call.request.method == "PUT",
        result=lambda: None,
    ),
)


# --- media and size -------------------------------------------------------------------------------------------
@fault(
    "media-answered-as-no-user",
    "Another content type is answered as a success and not applied.",
    "TS-ROUTE-MEDIA",
    "TS-OK-USERS",
)
class _MediaAnsweredAsNoUser(Core):
    def serve_sync(self, call: Call) -> Any:
        return super().serve_sync(call) if self.is_json(call) else accept_unapplied(self, call)


overriding("is_json", module=__name__)(
    row(
        "charset-refused",
        "application/json with a charset is refused.",
        "TS-OK-STATUS",
        when=lambda call: ";" in (header(call.request.headers, "content-type") or ""),
        refusal=lambda: Refused(400, Detail("The content type must be application/json")),
    ),
    row(
        "size-64-kilobytes",
        "A body over 64 KB is answered 413.",
        "TS-OK-STATUS",
        "TS-ROUTE-SIZE",
        when=lambda call: len(call.request.body) > 64 * 1024,
        refusal=lambda: Refused(413, Detail("The body is too large"), message="Payload Too Large"),
    ),
)
