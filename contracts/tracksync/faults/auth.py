"""Faults of keys and permissions."""

from __future__ import annotations

import re

from tracksync.faults.registry import fault, faults, overriding, refusing, row
from tracksync.mock.call import Call, Detail, Refused
from tracksync.mock.core import Core
from tracksync.mock.rate import SYNC_PATH
from tracksync.model.exchange import header

faults(module=__name__)(
    row(
        "permission-answered-as-success",
        "A key without the permission is answered 201, and nothing is done.",
        "TS-AUTH-PERMISSION",
        step="refuse_permission",
        status=201,
        message="success",
        bare=True,
    ),
)(refusing)


overriding("is_key", "TS-AUTH-INVALID", module=__name__)(
    row(
        "any-key-accepted",
        "Any key will do.",
        result=lambda right, server, sent: (
            (bool(sent) and not (sent == server.config.unprivileged_key or '"' in sent)) or right
        ),
    ),
    row(
        "any-key-accepted-by-the-neighbours",
        "The other endpoints take any key.",
        result=lambda right, call, sent: right or (call.request.path != SYNC_PATH and bool(sent)),
    ),
    row("missing-key-accepted", "No key is needed.", "TS-AUTH-MISSING", result=lambda right, sent: not sent or right),
    row(
        "quoted-key-accepted",
        "Quotes around the key are taken off.",
        "TS-AUTH-QUOTED",
        given=lambda sent: {"sent": sent.strip("\"'")},
    ),
    row(
        "digits-behind-the-key-ignored",
        "Signs and digits behind the key are ignored.",
        result=lambda right, sent, key: right or re.sub(r"[^A-Za-z-]+$", "", sent) == key,
    ),
    row(
        "other-scheme-accepted",
        "The key is accepted under another scheme than Bearer.",
        result=lambda right, sent, key: sent.rpartition(" ")[2] == key or right,
    ),
)


overriding("refuse_permission", "TS-AUTH-PERMISSION", module=__name__)(
    row("permission-not-checked", "A key without the permission is accepted.", result=lambda: None),
    row(
        "permission-not-checked-for-events",
        "A key without the permission is accepted for events.",
        when=lambda call: b'"events"' in call.request.body,
        result=lambda: None,
    ),
    row(
        "permission-answered-401",
        "A key without the permission is answered 401.",
        result=lambda server, call: server.refuse_key(call, server.key_sent(call)),
    ),
    row(
        "permission-answered-404",
        "A key without the permission is answered 404.",
        result=lambda server, call: server.refuse_path(call),
    ),
)


@fault("invalid-key-answered-403", "An invalid key is answered 403.", "TS-AUTH-INVALID", "TS-AUTH-QUOTED")
class _InvalidKeyAnswered403(Core):
    def refuse_key(self, call: Call, sent: str) -> None:
        if header(call.request.headers, "authorization"):
            self.refuse_permission(call)
        super().refuse_key(call, sent)


overriding("refuse_key", module=__name__)(
    row(
        "missing-key-answered-400",
        "A missing key is answered 400.",
        "TS-AUTH-MISSING",
        when=lambda call: not header(call.request.headers, "authorization"),
        refusal=lambda: Refused(400, Detail("The Authorization header is required")),
    ),
    row(
        "quoted-key-answered-500",
        "A quoted key makes the server fail.",
        "TS-AUTH-QUOTED",
        "TS-ANSWER-SERVER-ERROR",
        when=lambda sent: '"' in sent,
        refusal=lambda: Refused(500, message="Internal Server Error"),
    ),
    row(
        "quoted-key-answered-400",
        "A quoted key is answered 400.",
        "TS-AUTH-QUOTED",
        when=lambda sent: '"' in sent,
        refusal=lambda: Refused(400, Detail("The Authorization header is not valid")),
    ),
)


@fault("missing-key-answered-403", "A missing key is answered 403.", "TS-AUTH-MISSING")
class _MissingKeyAnswered403(Core):
    def refuse_key(self, call: Call, sent: str) -> None:
        if not header(call.request.headers, "authorization"):
            self.refuse_permission(call)
        super().refuse_key(call, sent)
