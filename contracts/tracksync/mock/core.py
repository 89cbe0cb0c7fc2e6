"""The mock's server without a socket: one request in, one delivery out.

Every step is a small method of one of the parts, so that a fault is a subclass which overrides a step or two, and
several faults compose by inheritance. The parts know nothing of faults.
"""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress
from functools import partial
from typing import Any

from tracksync.mock.admission import Admission
from tracksync.mock.apply import Apply
from tracksync.mock.call import UNCHANGED, Call, Delivery, Detail, Refused, WriteTask
from tracksync.mock.neighbours import Neighbours
from tracksync.mock.rate import SYNC_PATH
from tracksync.mock.response import ResponseWriter
from tracksync.model.exchange import Request, Response


class Core(Admission, Neighbours, Apply, ResponseWriter):
    """A workspace that keeps every clause, under the interpretations it is configured with."""

    def begin(self, request: Request) -> object:
        """What is to be remembered of the moment when a request arrived: nothing in a correct server."""
        return None

    def latency(self, request: Request) -> float:
        """Seconds between the arrival of a request and its handling, where a served mock works in parallel."""
        return 0.0

    def respond(self, request: Request, token: object = None) -> tuple[Call, Delivery]:
        """Handle one request completely. Never raises, whatever the request holds."""
        now = self.clock()
        self.settle(now)
        call = self.open_call(request, now)
        call.token = token
        try:
            self.admit(call)
            body = self.serve(call)
        except Refused as refusal:
            body = self.refuse(call, refusal)
        self.count_response(call)
        return call, self.deliver(call, Delivery(self.seal(call, body)))

    def serve(self, call: Call) -> Any:
        """The body for a request that was admitted."""
        if call.path == SYNC_PATH:
            return self.serve_sync(call)
        if call.path == "/users/track":
            sent = self.sections(call, self.parse(call))
            tasks, details = self.read_track(call, sent)
            self.enqueue(call, tasks)
            call.status, call.applied = 201, True
            processed = self.processed([section for section, _ in sent], tasks)
            return self.track_body(processed, [self.error_entry(call, detail) for detail in details])
        if call.path == "/users/delete":
            body = self.delete(call, self.parse(call))
            call.status, call.applied = 200, bool(body["deleted"])
            return body
        body = self.export(call, self.parse(call))
        call.status = 200
        return body

    def serve_sync(self, call: Call) -> Any:
        """Read and apply a request; the response comes when it is done (SYNC)."""
        call.task = self.read_sync(call)
        return self.complete(call, call.task)

    def complete(self, call: Call, task: WriteTask) -> Any:
        """Apply a task and describe what resulted; ambiguity purchase-events."""
        if task.section == "purchases":
            available = self.interpretation("purchase-events")
            if available == "refused":
                raise Refused(400, Detail("purchase events are not available", task.section, task.index))
            if available == "without-effect":
                call.status = self.success_status(call)
                return self.with_users(call, [{task.who.kind: task.who.shown}])
        call.outcome = outcome = self.perform(call, task)
        call.status = self.success_status(call)
        written = outcome.named.values()
        call.applied = outcome.profile is not None and not (written and all(value is UNCHANGED for value in written))
        return self.success(call, task, outcome)

    def success_status(self, call: Call) -> int:
        """The status of a success is 201 (SYNC)."""
        return 201

    def examine(self, call: Call, section: str, index: int, item: Any) -> WriteTask:
        """The task that one object asks for; ambiguity unknown-braze-id, which needs the store, is decided here."""
        task = super().examine(call, section, index, item)
        if (
            task.who.kind == "braze_id"
            and self.interpretation("unknown-braze-id") == "refused"
            and self.lookup(task.who) is None
        ):
            raise Refused(400, Detail("'braze_id' is not valid", section, index))
        return task

    def enqueue(self, call: Call, tasks: list[WriteTask]) -> None:
        """Accept the objects of a batch, each to be applied once."""
        for task in tasks:
            self.later(call.now, partial(self.carry_out, call, task))

    def carry_out(self, call: Call, task: WriteTask) -> None:
        """Apply one object after its response was sent, so that a refusal is not told to any client."""
        if task.section == "purchases" and self.interpretation("purchase-events") != "available":
            return
        with suppress(Refused):
            self.perform(call, task)

    def refuse(self, call: Call, refusal: Refused) -> Any:
        """The body of a refusal. Nothing was changed."""
        call.status = self.fatal_status(call, refusal)
        return self.fatal(call, refusal)

    def fatal_status(self, call: Call, refusal: Refused) -> int:
        """The status of a refusal."""
        return refusal.status

    def seal(self, call: Call, body: Any) -> Response:
        """The response around a body, whose status `call` knows."""
        content = self.encode(call, self.decorate(call, body))
        headers = (
            ("content-type", self.media(call)),
            *self.rate_headers(call),
            ("x-request-id", self.request_id(call)),
            *self.further_headers(call),
        )
        return Response(call.status, headers, content)

    def deliver(self, call: Call, delivery: Delivery) -> Delivery:
        """How the response is delivered: at once and whole."""
        return delivery


def with_faults(faults: Iterable[type[Core]]) -> type[Core]:
    """The server with these faults in it, the first of them outermost; without any, the correct one."""
    wanted = tuple(faults)
    return type("FaultyCore", (*wanted, Core), {}) if wanted else Core
