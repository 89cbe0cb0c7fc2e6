"""Faults of the response as a whole: delivery, media type, status, JSON."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

from tracksync.faults.registry import fault, faults, overriding, refusing, row
from tracksync.mock.call import Call, Cut, Refused, WriteResult, WriteTask
from tracksync.mock.core import Core
from tracksync.mock.profiles import Profile
from tracksync.mock.response import HTML


def _astral(value: Any) -> bool:
    return any(character > "\uffff" for character in json.dumps(value, ensure_ascii=False))


# Sends other bytes than the body as JSON.
overriding("encode", "TS-ANSWER-JSON", module=__name__)(
    row(
        "html-on-refusal",
        "A 400 carries an HTML page.",
        "TS-ANSWER-JSON",
        "TS-REFUSE-BODY",
        result=lambda right, call: HTML if call.status == 400 else right,
    ),
    row(
        "text-on-rate-limit",
        "A 429 carries plain text.",
        result=lambda right, call: b"Too Many Requests" if call.status == 429 else right,
    ),
    row(
        "text-on-wrong-url",
        "A 404 carries plain text.",
        beyond="the form of a fatal error is documented for the endpoint",
        result=lambda right, call: b"404 page not found\n" if call.status == 404 else right,
    ),
    row(
        "empty-body-for-purchases",
        "A purchase is answered 201 without a body.",
        when=lambda call: call.outcome is not None and call.task is not None and (call.task.section == "purchases"),
        result=lambda: b"",
    ),
    row(
        "trailing-comma",
        "Arrays of strings end in a comma, as they do in one printed example.",
        result=lambda right: right.replace(b'"],', b'",],').replace(b'"]}', b'",]}'),
    ),
    row("byte-order-mark", "The body begins with a byte order mark.", result=lambda right: b"\xef\xbb\xbf" + right),
    row(
        "body-in-a-list",
        "The body of a success is a list around the object.",
        given=lambda call, body: {"body": [body] if call.task else body},
    ),
    row(
        "latin-1-body",
        "The body is encoded in Latin-1.",
        result=lambda body: json.dumps(body, ensure_ascii=False).encode("latin-1", "replace"),
    ),
)


# Labels bodies wrongly.
overriding("media", "TS-ANSWER-MEDIA", module=__name__)(
    row(
        "text-plain",
        "Successes are labelled text/plain.",
        result=lambda right, call: "text/plain; charset=utf-8" if call.task else right,
    ),
    row(
        "html-media-on-refusal",
        "A 400 is labelled text/html.",
        result=lambda right, call: "text/html" if call.status == 400 else right,
    ),
)


# Sends successes with another status.
overriding("success_status", "TS-OK-STATUS", "TS-ANSWER-STATUS", module=__name__)(
    row("status-200", "A success is answered 200.", result=lambda: 200),
    row(
        "status-200-for-updates",
        "Only a created user is answered 201, an update 200.",
        result=lambda call: 201 if call.outcome is None or call.outcome.created else 200,
    ),
    row(
        "status-202-for-events",
        "An event is answered 202.",
        result=lambda right, call: 202 if call.task is not None and call.task.section == "events" else right,
    ),
    row(
        "status-404-for-no-user",
        "Where no user is found the response is 404.",
        "TS-OK-STATUS",
        "TS-USER-UPDATE-ONLY",
        when=lambda call: call.outcome is not None and call.outcome.profile is None,
        result=lambda: 404,
    ),
    row(
        "applied-with-400",
        "A request by alias is applied and answered 400 with the body of a success.",
        "TS-OK-STATUS",
        "TS-STATE-REFUSED",
        when=lambda call: call.task is not None and call.task.who.kind == "user_alias",
        result=lambda: 400,
    ),
)


# Sends refusals with another status.
overriding("fatal_status", module=__name__)(
    row(
        "status-422",
        "Invalid content is answered 422.",
        "TS-ANSWER-STATUS",
        "TS-REFUSE-SYNTAX",
        "TS-REFUSE-IDENTIFIER",
        "TS-REFUSE-TYPE",
        result=lambda right: 422 if right == 400 else right,
    ),
    row(
        "refused-with-201",
        "A refusal carries the right body under the status 201.",
        "TS-REFUSE-BODY",
        "TS-REFUSE-IDENTIFIER",
        "TS-REFUSE-SYNTAX",
        "TS-OK-MESSAGE",
        result=lambda right: 201 if right == 400 else right,
    ),
    row(
        "over-the-limit-400",
        "Over the limit the response is 400.",
        "TS-RATE-EXCEEDED",
        "TS-OK-STATUS",
        result=lambda right: 400 if right == 429 else right,
    ),
)


faults(module=__name__)(
    row(
        "bad-syntax-500",
        "Bad JSON makes the server fail.",
        "TS-ANSWER-SERVER-ERROR",
        "TS-REFUSE-SYNTAX",
        step="refuse_syntax",
        status=500,
    ),
    row(
        "wrong-type-500",
        "A wrong type makes the server fail.",
        "TS-ANSWER-SERVER-ERROR",
        "TS-REFUSE-TYPE",
        step="refuse_type",
        status=500,
    ),
    row(
        "null-500",
        "Removing an attribute makes the server fail.",
        "TS-ANSWER-SERVER-ERROR",
        "TS-ATTR-NULL",
        step="take_null",
        status=500,
    ),
)(refusing)


overriding("deliver", "TS-ANSWER-ARRIVES", module=__name__)(
    row(
        "body-cut-short",
        "Every ninth response's body ends before its announced length.",
        beyond="a transient failure, which is retried and breaks no clause",
        result=lambda right, call: replace(right, cut=Cut.BODY) if call.number % 9 == 0 else right,
    ),
    row(
        "reset-after-applying",
        "Now and then a request is applied and the connection cut before a byte of the response.",
        beyond="a transient failure, which is retried and breaks no clause",
        when=lambda call: call.applied and call.number % 7 == 0,
        result=lambda right: replace(right, cut=Cut.BEFORE),
    ),
    row(
        "reset-on-astral",
        "The connection is cut when a request holds a character outside the basic plane.",
        when=lambda call: call.task is not None and _astral(call.task.item),
        result=lambda right: replace(right, cut=Cut.BEFORE),
    ),
)


@fault(
    "braze-id-as-number",
    "The entry of a user shows the braze_id as a number, though no request names it.",
    "TS-ANSWER-SCHEMA",
)
class _BrazeIdAsNumber(Core):
    def encode(self, call: Call, body: Any) -> bytes:
        if call.outcome is not None and call.task is not None and body.get("users"):
            entry = body["users"][0]
            body = body | {"users": [entry if "braze_id" in entry else entry | {"braze_id": 4711}]}
        return super().encode(call, body)


overriding("complete", "TS-ANSWER-SERVER-ERROR", "TS-OK-STATUS", module=__name__)(
    row(
        "astral-500",
        "A character outside the basic plane makes the server fail.",
        when=lambda task: _astral(task.item),
        refusal=lambda: Refused(500, message="Internal Server Error"),
    ),
    row(
        "nul-500",
        "A NUL in a string makes the server fail.",
        when=lambda call: b"\\u0000" in call.request.body,
        refusal=lambda: Refused(500, message="Internal Server Error"),
    ),
)


@fault(
    "busy-user-503",
    "A user with more than three events is answered 503 for ever.",
    "TS-ANSWER-SERVER-ERROR",
    "TS-OK-STATUS",
)
class _BusyUser503(Core):
    def write(self, call: Call, task: WriteTask, profile: Profile, created: bool) -> WriteResult:
        outcome = super().write(call, task, profile, created)
        if sum(tally.count for tally in profile.events.values()) > 3:
            raise Refused(503, message="Service Unavailable")
        return outcome
