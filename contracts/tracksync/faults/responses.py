"""Faults of the response as a whole: delivery, media type, status, JSON."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from tracksync.faults.registry import fault, faults, refusing, row
from tracksync.mock.call import Call, Cut, Delivery, Refused, WriteResult, WriteTask
from tracksync.mock.core import Core
from tracksync.mock.profiles import Profile
from tracksync.mock.response import HTML


def _astral(value: Any) -> bool:
    return any(character > "\uffff" for character in json.dumps(value, ensure_ascii=False))


@faults(
    row(
        "html-on-refusal",
        "A 400 carries an HTML page.",
        "TS-ANSWER-JSON",
        "TS-REFUSE-BODY",
        content=lambda core, call, body, right: HTML if call.status == 400 else right,
    ),
    row(
        "text-on-rate-limit",
        "A 429 carries plain text.",
        "TS-ANSWER-JSON",
        content=lambda core, call, body, right: b"Too Many Requests" if call.status == 429 else right,
    ),
    row(
        "text-on-wrong-url",
        "A 404 carries plain text.",
        "TS-ANSWER-JSON",
        beyond="the form of a fatal error is documented for the endpoint",
        content=lambda core, call, body, right: b"404 page not found\n" if call.status == 404 else right,
    ),
    row(
        "empty-body-for-purchases",
        "A purchase is answered 201 without a body.",
        "TS-ANSWER-JSON",
        content=lambda core, call, body, right: (
            b"" if call.outcome is not None and call.task is not None and (call.task.section == "purchases") else right
        ),
    ),
    row(
        "trailing-comma",
        "Arrays of strings end in a comma, as they do in one printed example.",
        "TS-ANSWER-JSON",
        content=lambda core, call, body, right: right.replace(b'"],', b'",],').replace(b'"]}', b'",]}'),
    ),
    row(
        "byte-order-mark",
        "The body begins with a byte order mark.",
        "TS-ANSWER-JSON",
        content=lambda core, call, body, right: b"\xef\xbb\xbf" + right,
    ),
)
def _encoded(content: Callable[[Core, Call, Any, bytes], bytes]) -> type[Core]:
    """Sends other bytes than the body as JSON."""

    class Encoded(Core):
        def encode(self, call: Call, body: Any) -> bytes:
            return content(self, call, body, super().encode(call, body))

    return Encoded


@faults(
    row(
        "text-plain",
        "Successes are labelled text/plain.",
        "TS-ANSWER-MEDIA",
        media=lambda call, right: "text/plain; charset=utf-8" if call.task else right,
    ),
    row(
        "html-media-on-refusal",
        "A 400 is labelled text/html.",
        "TS-ANSWER-MEDIA",
        media=lambda call, right: "text/html" if call.status == 400 else right,
    ),
)
def _media(media: Callable[[Call, str], str]) -> type[Core]:
    """Labels bodies wrongly."""

    class Media(Core):
        def media(self, call: Call) -> str:
            return media(call, super().media(call))

    return Media


@faults(
    row("status-200", "A success is answered 200.", "TS-OK-STATUS", "TS-ANSWER-STATUS", status=lambda call, right: 200),
    row(
        "status-200-for-updates",
        "Only a created user is answered 201, an update 200.",
        "TS-OK-STATUS",
        "TS-ANSWER-STATUS",
        status=lambda call, right: 201 if call.outcome is None or call.outcome.created else 200,
    ),
    row(
        "status-202-for-events",
        "An event is answered 202.",
        "TS-OK-STATUS",
        "TS-ANSWER-STATUS",
        status=lambda call, right: 202 if call.task is not None and call.task.section == "events" else right,
    ),
    row(
        "status-404-for-no-user",
        "Where no user is found the response is 404.",
        "TS-OK-STATUS",
        "TS-USER-UPDATE-ONLY",
        status=lambda call, right: 404 if call.outcome is not None and call.outcome.profile is None else right,
    ),
    row(
        "applied-with-400",
        "A request by alias is applied and answered 400 with the body of a success.",
        "TS-OK-STATUS",
        "TS-STATE-REFUSED",
        status=lambda call, right: 400 if call.task is not None and call.task.who.kind == "user_alias" else right,
    ),
)
def _success_status(status: Callable[[Call, int], int]) -> type[Core]:
    """Sends successes with another status."""

    class SuccessStatus(Core):
        def success_status(self, call: Call) -> int:
            return status(call, super().success_status(call))

    return SuccessStatus


@faults(
    row(
        "status-422",
        "Invalid content is answered 422.",
        "TS-ANSWER-STATUS",
        "TS-REFUSE-SYNTAX",
        "TS-REFUSE-IDENTIFIER",
        "TS-REFUSE-TYPE",
        status=lambda right: 422 if right == 400 else right,
    ),
    row(
        "refused-with-201",
        "A refusal carries the right body under the status 201.",
        "TS-REFUSE-BODY",
        "TS-REFUSE-IDENTIFIER",
        "TS-REFUSE-SYNTAX",
        "TS-OK-MESSAGE",
        status=lambda right: 201 if right == 400 else right,
    ),
    row(
        "over-the-limit-400",
        "Over the limit the response is 400.",
        "TS-RATE-EXCEEDED",
        "TS-OK-STATUS",
        status=lambda right: 400 if right == 429 else right,
    ),
)
def _fatal_status(status: Callable[[int], int]) -> type[Core]:
    """Sends refusals with another status."""

    class FatalStatus(Core):
        def fatal_status(self, call: Call, refusal: Refused) -> int:
            return status(super().fatal_status(call, refusal))

    return FatalStatus


faults(
    row(
        "bad-syntax-500",
        "Bad JSON makes the server fail.",
        "TS-ANSWER-SERVER-ERROR",
        "TS-REFUSE-SYNTAX",
        step="refuse_syntax",
        status=500,
        message="Internal Server Error",
    ),
    row(
        "wrong-type-500",
        "A wrong type makes the server fail.",
        "TS-ANSWER-SERVER-ERROR",
        "TS-REFUSE-TYPE",
        step="refuse_type",
        status=500,
        message="Internal Server Error",
    ),
    row(
        "null-500",
        "Removing an attribute makes the server fail.",
        "TS-ANSWER-SERVER-ERROR",
        "TS-ATTR-NULL",
        step="take_null",
        status=500,
        message="Internal Server Error",
    ),
    module=__name__,
)(refusing)


@fault(
    "body-cut-short",
    "Every ninth response's body ends before its announced length.",
    "TS-ANSWER-ARRIVES",
    beyond="a transient failure, which is retried and breaks no clause",
)
class _BodyCutShort(Core):
    def deliver(self, call: Call, delivery: Delivery) -> Delivery:
        delivery = super().deliver(call, delivery)
        return replace(delivery, cut=Cut.BODY) if call.number % 9 == 0 else delivery


@fault(
    "reset-after-applying",
    "Now and then a request is applied and the connection cut before a byte of the response.",
    "TS-ANSWER-ARRIVES",
    beyond="a transient failure, which is retried and breaks no clause",
)
class _ResetAfterApplying(Core):
    def deliver(self, call: Call, delivery: Delivery) -> Delivery:
        delivery = super().deliver(call, delivery)
        return replace(delivery, cut=Cut.BEFORE) if call.applied and call.number % 7 == 0 else delivery


@fault(
    "reset-on-astral",
    "The connection is cut when a request holds a character outside the basic plane.",
    "TS-ANSWER-ARRIVES",
)
class _ResetOnAstral(Core):
    def deliver(self, call: Call, delivery: Delivery) -> Delivery:
        delivery = super().deliver(call, delivery)
        spoiled = call.task is not None and _astral(call.task.item)
        return replace(delivery, cut=Cut.BEFORE) if spoiled else delivery


@fault("body-in-a-list", "The body of a success is a list around the object.", "TS-ANSWER-JSON")
class _AnswerInAList(Core):
    def encode(self, call: Call, body: Any) -> bytes:
        return super().encode(call, [body] if call.task else body)


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


@fault("latin-1-body", "The body is encoded in Latin-1.", "TS-ANSWER-JSON")
class _Latin1Body(Core):
    def encode(self, call: Call, body: Any) -> bytes:
        return json.dumps(body, ensure_ascii=False).encode("latin-1", "replace")


@fault(
    "astral-500", "A character outside the basic plane makes the server fail.", "TS-ANSWER-SERVER-ERROR", "TS-OK-STATUS"
)
class _Astral500(Core):
    def complete(self, call: Call, task: WriteTask) -> Any:
        if _astral(task.item):
            raise Refused(500, message="Internal Server Error")
        return super().complete(call, task)


@fault("nul-500", "A NUL in a string makes the server fail.", "TS-ANSWER-SERVER-ERROR", "TS-OK-STATUS")
class _Nul500(Core):
    def complete(self, call: Call, task: WriteTask) -> Any:
        if b"\\u0000" in call.request.body:
            raise Refused(500, message="Internal Server Error")
        return super().complete(call, task)


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
