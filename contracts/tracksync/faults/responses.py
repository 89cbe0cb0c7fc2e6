"""Faults of the answer as a whole: delivery, media type, status, JSON."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

from tracksync.faults.registry import fault
from tracksync.mock.call import Call, Cut, Delivery, Refused, WriteResult, WriteTask
from tracksync.mock.core import Core
from tracksync.mock.profiles import Profile
from tracksync.mock.response import HTML


def _astral(value: Any) -> bool:
    return any(character > "\uffff" for character in json.dumps(value, ensure_ascii=False))


@fault("body-cut-short")
class _BodyCutShort(Core):
    def deliver(self, call: Call, delivery: Delivery) -> Delivery:
        delivery = super().deliver(call, delivery)
        return replace(delivery, cut=Cut.BODY) if call.number % 9 == 0 else delivery


@fault("reset-after-applying")
class _ResetAfterApplying(Core):
    def deliver(self, call: Call, delivery: Delivery) -> Delivery:
        delivery = super().deliver(call, delivery)
        return replace(delivery, cut=Cut.BEFORE) if call.applied and call.number % 7 == 0 else delivery


@fault("reset-on-astral")
class _ResetOnAstral(Core):
    def deliver(self, call: Call, delivery: Delivery) -> Delivery:
        delivery = super().deliver(call, delivery)
        spoiled = call.task is not None and _astral(call.task.item)
        return replace(delivery, cut=Cut.BEFORE) if spoiled else delivery


@fault("html-on-refusal")
class _HtmlOnRefusal(Core):
    def encode(self, call: Call, body: Any) -> bytes:
        return HTML if call.status == 400 else super().encode(call, body)


@fault("text-on-rate-limit")
class _TextOnRateLimit(Core):
    def encode(self, call: Call, body: Any) -> bytes:
        return b"Too Many Requests" if call.status == 429 else super().encode(call, body)


@fault("text-on-wrong-url")
class _TextOnWrongUrl(Core):
    def encode(self, call: Call, body: Any) -> bytes:
        return b"404 page not found\n" if call.status == 404 else super().encode(call, body)


@fault("answer-in-a-list")
class _AnswerInAList(Core):
    def encode(self, call: Call, body: Any) -> bytes:
        return super().encode(call, [body] if call.task else body)


@fault("empty-body-for-purchases")
class _EmptyBodyForPurchases(Core):
    def encode(self, call: Call, body: Any) -> bytes:
        spoiled = call.outcome is not None and call.task is not None and call.task.section == "purchases"
        return b"" if spoiled else super().encode(call, body)


@fault("trailing-comma")
class _TrailingComma(Core):
    def encode(self, call: Call, body: Any) -> bytes:
        return super().encode(call, body).replace(b'"],', b'",],').replace(b'"]}', b'",]}')


@fault("latin-1-body")
class _Latin1Body(Core):
    def encode(self, call: Call, body: Any) -> bytes:
        return json.dumps(body, ensure_ascii=False).encode("latin-1", "replace")


@fault("text-plain")
class _TextPlain(Core):
    def media(self, call: Call) -> str:
        return "text/plain; charset=utf-8" if call.task else super().media(call)


@fault("html-media-on-refusal")
class _HtmlMediaOnRefusal(Core):
    def media(self, call: Call) -> str:
        return "text/html" if call.status == 400 else super().media(call)


@fault("status-200")
class _Status200(Core):
    def success_status(self, call: Call) -> int:
        return 200


@fault("status-200-for-updates")
class _Status200ForUpdates(Core):
    def success_status(self, call: Call) -> int:
        return 201 if call.outcome is None or call.outcome.created else 200


@fault("status-202-for-events")
class _Status202ForEvents(Core):
    def success_status(self, call: Call) -> int:
        return 202 if call.task is not None and call.task.section == "events" else super().success_status(call)


@fault("status-404-for-nobody")
class _Status404ForNobody(Core):
    def success_status(self, call: Call) -> int:
        return 404 if call.outcome is not None and call.outcome.profile is None else super().success_status(call)


@fault("status-422")
class _Status422(Core):
    def fatal_status(self, call: Call, refusal: Refused) -> int:
        status = super().fatal_status(call, refusal)
        return 422 if status == 400 else status


@fault("refused-with-201")
class _RefusedWith201(Core):
    def fatal_status(self, call: Call, refusal: Refused) -> int:
        status = super().fatal_status(call, refusal)
        return 201 if status == 400 else status


@fault("applied-with-400")
class _AppliedWith400(Core):
    def success_status(self, call: Call) -> int:
        spoiled = call.task is not None and call.task.who.kind == "user_alias"
        return 400 if spoiled else super().success_status(call)


@fault("bad-syntax-500")
class _BadSyntax500(Core):
    def refuse_syntax(self, call: Call) -> dict[str, Any]:
        raise Refused(500, message="Internal Server Error")


@fault("wrong-type-500")
class _WrongType500(Core):
    def refuse_type(self, section: str, index: int, name: str, value: Any) -> Any:
        raise Refused(500, message="Internal Server Error")


@fault("astral-500")
class _Astral500(Core):
    def complete(self, call: Call, task: WriteTask) -> Any:
        if _astral(task.item):
            raise Refused(500, message="Internal Server Error")
        return super().complete(call, task)


@fault("nul-500")
class _Nul500(Core):
    def complete(self, call: Call, task: WriteTask) -> Any:
        if b"\\u0000" in call.request.body:
            raise Refused(500, message="Internal Server Error")
        return super().complete(call, task)


@fault("null-500")
class _Null500(Core):
    def take_null(self, task: WriteTask, name: str, current: Any) -> Any:
        raise Refused(500, message="Internal Server Error")


@fault("busy-user-503")
class _BusyUser503(Core):
    def write(self, call: Call, task: WriteTask, profile: Profile, created: bool) -> WriteResult:
        outcome = super().write(call, task, profile, created)
        if sum(tally.count for tally in profile.events.values()) > 3:
            raise Refused(503, message="Service Unavailable")
        return outcome
