"""Faults of keys and permissions."""

from __future__ import annotations

from tracksync.faults.registry import fault, faults, refusing, row
from tracksync.mock.call import Call, Detail, Refused
from tracksync.mock.core import Core
from tracksync.mock.rate import SYNC_PATH
from tracksync.model.exchange import header

faults(
    row(
        "permission-answered-as-success",
        "A key without the permission is answered 201, and nothing is done.",
        "TS-AUTH-PERMISSION",
        step="refuse_permission",
        status=201,
        message="success",
        bare=True,
    ),
    module=__name__,
)(refusing)


@fault("any-key-accepted", "Any key will do.", "TS-AUTH-INVALID")
class _AnyKeyAccepted(Core):
    def is_key(self, call: Call, sent: str, key: str) -> bool:
        unprivileged = sent == self.config.unprivileged_key or '"' in sent
        return (bool(sent) and not unprivileged) or super().is_key(call, sent, key)


@fault("any-key-accepted-by-the-neighbours", "The other endpoints take any key.", "TS-AUTH-INVALID")
class _AnyKeyAcceptedByTheNeighbours(Core):
    def is_key(self, call: Call, sent: str, key: str) -> bool:
        return super().is_key(call, sent, key) or (call.request.path != SYNC_PATH and bool(sent))


@fault("missing-key-accepted", "No key is needed.", "TS-AUTH-MISSING")
class _MissingKeyAccepted(Core):
    def is_key(self, call: Call, sent: str, key: str) -> bool:
        return not sent or super().is_key(call, sent, key)


@fault("quoted-key-accepted", "Quotes around the key are taken off.", "TS-AUTH-QUOTED")
class _QuotedKeyAccepted(Core):
    def is_key(self, call: Call, sent: str, key: str) -> bool:
        return super().is_key(call, sent.strip("\"'"), key)


@fault("other-scheme-accepted", "The key is accepted under another scheme than Bearer.", "TS-AUTH-INVALID")
class _OtherSchemeAccepted(Core):
    def is_key(self, call: Call, sent: str, key: str) -> bool:
        return sent.rpartition(" ")[2] == key or super().is_key(call, sent, key)


@fault("permission-not-checked", "A key without the permission is accepted.", "TS-AUTH-PERMISSION")
class _PermissionNotChecked(Core):
    def refuse_permission(self, call: Call) -> None:
        return


@fault(
    "permission-not-checked-for-events", "A key without the permission is accepted for events.", "TS-AUTH-PERMISSION"
)
class _PermissionNotCheckedForEvents(Core):
    def refuse_permission(self, call: Call) -> None:
        if b'"events"' not in call.request.body:
            super().refuse_permission(call)


@fault("permission-answered-401", "A key without the permission is answered 401.", "TS-AUTH-PERMISSION")
class _PermissionAnswered401(Core):
    def refuse_permission(self, call: Call) -> None:
        self.refuse_key(call, self.key_sent(call))


@fault("permission-answered-404", "A key without the permission is answered 404.", "TS-AUTH-PERMISSION")
class _PermissionAnswered404(Core):
    def refuse_permission(self, call: Call) -> None:
        self.refuse_path(call)


@fault("invalid-key-answered-403", "An invalid key is answered 403.", "TS-AUTH-INVALID", "TS-AUTH-QUOTED")
class _InvalidKeyAnswered403(Core):
    def refuse_key(self, call: Call, sent: str) -> None:
        if header(call.request.headers, "authorization"):
            self.refuse_permission(call)
        super().refuse_key(call, sent)


@fault("missing-key-answered-400", "A missing key is answered 400.", "TS-AUTH-MISSING")
class _MissingKeyAnswered400(Core):
    def refuse_key(self, call: Call, sent: str) -> None:
        if not header(call.request.headers, "authorization"):
            raise Refused(400, Detail("The Authorization header is required"))
        super().refuse_key(call, sent)


@fault("missing-key-answered-403", "A missing key is answered 403.", "TS-AUTH-MISSING")
class _MissingKeyAnswered403(Core):
    def refuse_key(self, call: Call, sent: str) -> None:
        if not header(call.request.headers, "authorization"):
            self.refuse_permission(call)
        super().refuse_key(call, sent)


@fault("quoted-key-answered-500", "A quoted key makes the server fail.", "TS-AUTH-QUOTED", "TS-ANSWER-SERVER-ERROR")
class _QuotedKeyAnswered500(Core):
    def refuse_key(self, call: Call, sent: str) -> None:
        if '"' in sent:
            raise Refused(500, message="Internal Server Error")
        super().refuse_key(call, sent)


@fault("quoted-key-answered-400", "A quoted key is answered 400.", "TS-AUTH-QUOTED")
class _QuotedKeyAnswered400(Core):
    def refuse_key(self, call: Call, sent: str) -> None:
        if '"' in sent:
            raise Refused(400, Detail("The Authorization header is not valid"))
        super().refuse_key(call, sent)
