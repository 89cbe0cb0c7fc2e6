"""Faults of keys, permissions and routes."""

from __future__ import annotations

from typing import Any

from tracksync.faults.registry import fault, wave_through
from tracksync.mock.call import Call, Detail, Refused
from tracksync.mock.core import Core
from tracksync.mock.rate import SYNC_PATH
from tracksync.model.exchange import Request, header


# --- keys -------------------------------------------------------------------------------------------------------
@fault("any-key-accepted")
class _AnyKeyAccepted(Core):
    def is_key(self, call: Call, sent: str, key: str) -> bool:
        unprivileged = sent == self.config.unprivileged_key or '"' in sent
        return (bool(sent) and not unprivileged) or super().is_key(call, sent, key)


@fault("missing-key-accepted")
class _MissingKeyAccepted(Core):
    def is_key(self, call: Call, sent: str, key: str) -> bool:
        return not sent or super().is_key(call, sent, key)


@fault("quoted-key-accepted")
class _QuotedKeyAccepted(Core):
    def is_key(self, call: Call, sent: str, key: str) -> bool:
        return super().is_key(call, sent.strip("\"'"), key)


@fault("other-scheme-accepted")
class _OtherSchemeAccepted(Core):
    def is_key(self, call: Call, sent: str, key: str) -> bool:
        return sent.rpartition(" ")[2] == key or super().is_key(call, sent, key)


@fault("permission-not-checked")
class _PermissionNotChecked(Core):
    def refuse_permission(self, call: Call) -> None:
        return


@fault("permission-not-checked-for-events")
class _PermissionNotCheckedForEvents(Core):
    def refuse_permission(self, call: Call) -> None:
        if b'"events"' not in call.request.body:
            super().refuse_permission(call)


@fault("permission-answered-401")
class _PermissionAnswered401(Core):
    def refuse_permission(self, call: Call) -> None:
        self.refuse_key(call, self.key_sent(call))


@fault("permission-answered-404")
class _PermissionAnswered404(Core):
    def refuse_permission(self, call: Call) -> None:
        self.refuse_path(call)


@fault("permission-answered-as-success")
class _PermissionAnsweredAsSuccess(Core):
    def refuse_permission(self, call: Call) -> None:
        raise Refused(201, message="success", bare=True)


@fault("invalid-key-answered-403")
class _InvalidKeyAnswered403(Core):
    def refuse_key(self, call: Call, sent: str) -> None:
        if header(call.request.headers, "authorization"):
            self.refuse_permission(call)
        super().refuse_key(call, sent)


@fault("missing-key-answered-400")
class _MissingKeyAnswered400(Core):
    def refuse_key(self, call: Call, sent: str) -> None:
        if not header(call.request.headers, "authorization"):
            raise Refused(400, Detail("The Authorization header is required"))
        super().refuse_key(call, sent)


@fault("missing-key-answered-403")
class _MissingKeyAnswered403(Core):
    def refuse_key(self, call: Call, sent: str) -> None:
        if not header(call.request.headers, "authorization"):
            self.refuse_permission(call)
        super().refuse_key(call, sent)


@fault("quoted-key-answered-500")
class _QuotedKeyAnswered500(Core):
    def refuse_key(self, call: Call, sent: str) -> None:
        if '"' in sent:
            raise Refused(500, message="Internal Server Error")
        super().refuse_key(call, sent)


@fault("quoted-key-answered-400")
class _QuotedKeyAnswered400(Core):
    def refuse_key(self, call: Call, sent: str) -> None:
        if '"' in sent:
            raise Refused(400, Detail("The Authorization header is not valid"))
        super().refuse_key(call, sent)


# --- routes -----------------------------------------------------------------------------------------------------
@fault("wrong-url-accepted")
class _WrongUrlAccepted(Core):
    def route(self, request: Request) -> str:
        path = super().route(request)
        return SYNC_PATH if path.startswith("/users/track/") else path


@fault("any-url-accepted")
class _AnyUrlAccepted(Core):
    def refuse_path(self, call: Call) -> None:
        call.path = SYNC_PATH


@fault("wrong-url-answered-400")
class _WrongUrlAnswered400(Core):
    def refuse_path(self, call: Call) -> None:
        raise Refused(400, Detail("No such endpoint"))


@fault("wrong-url-answered-403")
class _WrongUrlAnswered403(Core):
    def refuse_path(self, call: Call) -> None:
        self.refuse_permission(call)


@fault("any-method-accepted")
class _AnyMethodAccepted(Core):
    def refuse_method(self, call: Call) -> None:
        return


@fault("put-accepted")
class _PutAccepted(Core):
    def refuse_method(self, call: Call) -> None:
        if call.request.method != "PUT":
            super().refuse_method(call)


@fault("get-answered-as-success")
class _GetAnsweredAsSuccess(Core):
    def refuse_method(self, call: Call) -> None:
        raise Refused(201, message="success", bare=True)


@fault("wrong-method-answered-400")
class _WrongMethodAnswered400(Core):
    def refuse_method(self, call: Call) -> None:
        raise Refused(400, Detail("Only POST is served here"))


@fault("wrong-method-answered-501")
class _WrongMethodAnswered501(Core):
    def refuse_method(self, call: Call) -> None:
        raise Refused(501, message="Not Implemented")


# --- media and size ---------------------------------------------------------------------------------------------
@fault("media-answered-406")
class _MediaAnswered406(Core):
    def refuse_media(self, call: Call) -> None:
        raise Refused(406, Detail("Not acceptable"), message="Not Acceptable")


@fault("media-answered-500")
class _MediaAnswered500(Core):
    def refuse_media(self, call: Call) -> None:
        raise Refused(500, message="Internal Server Error")


@fault("media-answered-as-nobody")
class _MediaAnsweredAsNobody(Core):
    def serve_sync(self, call: Call) -> Any:
        return super().serve_sync(call) if self.is_json(call) else wave_through(self, call)


@fault("charset-refused")
class _CharsetRefused(Core):
    def is_json(self, call: Call) -> bool:
        if ";" in (header(call.request.headers, "content-type") or ""):
            raise Refused(400, Detail("The content type must be application/json"))
        return super().is_json(call)


@fault("size-answered-500")
class _SizeAnswered500(Core):
    def refuse_size(self, call: Call) -> None:
        raise Refused(500, message="Internal Server Error")


@fault("size-answered-as-success")
class _SizeAnsweredAsSuccess(Core):
    def refuse_size(self, call: Call) -> None:
        raise Refused(201, message="success", bare=True)


@fault("size-64-kilobytes")
class _Size64Kilobytes(Core):
    def is_json(self, call: Call) -> bool:
        if len(call.request.body) > 64 * 1024:
            raise Refused(413, Detail("The body is too large"), message="Payload Too Large")
        return super().is_json(call)
