"""Profiles are read back by exports, so that the oracle can compare them with what the responses showed."""

from __future__ import annotations

import json
from types import SimpleNamespace
from typing import Any

from tracksync.contract.bounds import EXPORT
from tracksync.engine.read_back import EVERY, USERS, Verifier
from tracksync.generate.build import Step, event_request
from tracksync.model.exchange import Exchange, Request, Response
from tracksync.oracle import Belief, Settings

PREFIX = "ts01-"


class Exporting:
    """A session whose exports list no user, and which remembers the names it was sent."""

    def __init__(self) -> None:
        self.belief = Belief.start(Settings())
        self.exports: list[list[str]] = []
        self.target = SimpleNamespace(now=lambda: 1_800_000_100.0)

    def send(self, step: Step) -> Exchange:
        assert step.request.path == EXPORT
        self.exports.append(json.loads(step.request.body)["external_ids"])
        return answered(step.request, 200, {"users": [], "message": "success"})


def answered(request: Request, status: int, body: Any) -> Exchange:
    response = Response(status, (("content-type", "application/json"),), json.dumps(body).encode())
    return Exchange(request, response, 1_800_000_000.0, 1_800_000_000.1)


def written(verifier: Verifier, users: range) -> None:
    for number in users:
        request = event_request({"external_id": f"{PREFIX}{number}"}, "seen", "2023-07-01T12:00:00Z")
        verifier.note(answered(request, 201, {"message": "success"}))


def no_sleep(seconds: float, reason: str) -> None:
    raise AssertionError("nothing is to be waited for")


def test_users_are_read_back_after_so_many_writes_each_once() -> None:
    session = Exporting()
    verifier = Verifier(session, PREFIX)  # type: ignore[arg-type]
    written(verifier, range(EVERY))
    written(verifier, range(EVERY, 2 * EVERY))
    assert session.exports == [
        [f"{PREFIX}{number}" for number in range(EVERY)],
        [f"{PREFIX}{number}" for number in range(EVERY, 2 * EVERY)],
    ]


def test_at_the_end_the_first_users_are_read_once_more_since_a_store_may_forget_with_time() -> None:
    session = Exporting()
    verifier = Verifier(session, PREFIX)  # type: ignore[arg-type]
    written(verifier, range(2 * EVERY))
    verifier.finish(no_sleep)
    assert session.exports[2:] == [[f"{PREFIX}{number}" for number in range(USERS)]]


def test_a_key_without_the_permission_ends_it_and_says_so() -> None:
    session = Exporting()
    session.send = lambda step: answered(step.request, 403, {"message": "no"})  # type: ignore[method-assign]
    verifier = Verifier(session, PREFIX)  # type: ignore[arg-type]
    written(verifier, range(EVERY))
    assert "needs users.export.ids" in verifier.why_not
    verifier.finish(no_sleep)
