"""The stage: a mock workspace that plays a scenario against whoever calls it.

Knows what a scenario asks for and how the mock answers; knows nothing of judging. What it did to a request is told in
`last_tags`, for the recorder. Deterministic: the same requests in the same order meet the same acts under one seed.
"""

from __future__ import annotations

import hashlib
import json
import math
import time
from collections import Counter
from collections.abc import Callable
from contextvars import ContextVar
from dataclasses import replace
from typing import Any, Final

from tracksync.exchange import Headers, Request, Response
from tracksync.gate.observed import identity, read_key
from tracksync.gate.scenarios import Act, Scenario
from tracksync.mock import MockApp, MockConfig
from tracksync.mock.call import Cut, Delivery

UNLIMITED: Final = 1_000_000  # requests a minute: a test suite may be faster than a workspace allows
DISTURBED: Final = "disturbed"  # an act of trouble was done to the request
DAMAGED: Final = "damaged"  # it was applied, and its answer cannot be read
UNAPPLIED: Final = "unapplied"  # it was answered as completed, and nothing was applied
ACTED: Final = "acted"  # anything at all was done to it

_TAGS: ContextVar[list[str] | None] = ContextVar("tags", default=None)
_HTML: Final = b"<!DOCTYPE html><html><head><title>Error</title></head><body><h1>Sorry</h1></body></html>\n"
_ANSWERED: Final = {
    400: "Valid data must be provided in the 'attributes', 'events', or 'purchases' fields.",
    403: "Forbidden",
    404: "Not Found",
    429: "Rate limit exceeded. Retry after the reset time.",
}


def collect_tags() -> list[str]:
    """A list that takes up what is done to the request of this task."""
    tags: list[str] = []
    _TAGS.set(tags)
    return tags


def _tag(*names: str) -> None:
    tags = _TAGS.get()
    if tags is not None:
        tags.extend(name for name in names if name not in tags)


class Stage(MockApp):
    """A mock workspace under a scenario."""

    def __init__(
        self,
        config: MockConfig,
        scenario: Scenario,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.scenario = scenario
        self._seen: Counter[bytes] = Counter()
        self._number = 0
        self._limited_until = 0.0
        self._true = clock
        readings = {**scenario.readings, **config.readings}
        super().__init__(replace(config, readings=readings), self._now)

    def reset(self) -> None:
        """Forget everything, also what was done to whom."""
        super().reset()
        self._seen.clear()
        self._number = 0
        self._limited_until = 0.0

    def _now(self) -> float:
        """The server's own time."""
        return self._true() + self.scenario.skew

    def deliver(self, request: Request, token: object = None) -> Delivery:
        """Answer one request as the scenario asks for."""
        with self._lock:
            if not self.scenario.acts:
                return super().deliver(request, token)
            limited = self._now() < self._limited_until
            if not limited:
                self._number += 1
                name = identity(request)
                self._seen[name] += 1
                acts = [act for act in self.scenario.acts if self._meant(act, name)]
            else:
                acts = []
            starts = [act.limited for act in acts if act.limited]
            if starts:
                self._limited_until = math.floor(self._now()) + max(starts) + 1
                self._seen[name] -= 1
            if limited or starts:
                _tag(ACTED, DISTURBED, "429")
                return Delivery(self._refusal(429, self._rate()))
            delivery = self._answer(request, token, acts)
            for act in acts:
                delivery = self._manner(act, delivery)
            return delivery

    def _meant(self, act: Act, name: bytes) -> bool:
        if act.first is not None:
            return self._seen[name] <= act.first
        if act.every is not None:
            return self._number % act.every == 1 % act.every
        if act.share is not None:
            drawn = hashlib.sha256(f"{self.config.seed} {self._number} {act}".encode()).digest()
            return int.from_bytes(drawn[:4], "big") / 2**32 < act.share
        return True

    # --- what is said -----------------------------------------------------------------------------------------
    def _answer(self, request: Request, token: object, acts: list[Act]) -> Delivery:
        for act in acts:
            if act.status is not None:
                _tag(ACTED, DISTURBED, str(act.status))
                return Delivery(self._status(act, request))
            if act.cut == "before":
                _tag(ACTED, DISTURBED, "cut before it was applied")
                return Delivery(Response(0), cut=Cut.BEFORE)
            if act.answer in ("users-empty", "unchanged"):
                unapplied = self._unapplied(act.answer, request)
                if unapplied is not None:
                    _tag(ACTED, UNAPPLIED)
                    return Delivery(unapplied)
        return super().deliver(request, token)

    def _status(self, act: Act, request: Request) -> Response:
        assert act.status is not None
        if act.body != "json":
            content, media = (_HTML, "text/html") if act.body == "html" else (b"", "text/plain")
            return Response(act.status, (("content-type", media),), content)
        if act.status == 401:
            sent = next((value for name, value in request.headers if name.lower() == "authorization"), "")
            empty = tuple((name, "") for name, _ in self._rate())
            return self._refusal(401, empty, f"Invalid API key: {sent.partition(' ')[2]}", bare=True)
        return self._refusal(act.status, self._rate() if act.status < 500 else ())

    def _rate(self) -> Headers:
        return (
            ("x-ratelimit-limit", "500"),
            ("x-ratelimit-remaining", "0" if self._now() < self._limited_until else "499"),
            ("x-ratelimit-reset", str(int(self._limited_until or self._now() + 60))),
        )

    def _refusal(self, status: int, headers: Headers, message: str = "", *, bare: bool = False) -> Response:
        text = message or _ANSWERED.get(status, "Internal Server Error")
        body: dict[str, Any] = {"message": text} if bare or status >= 500 else {"message": text, "errors": [text]}
        return Response(status, (("content-type", "application/json"), *headers), json.dumps(body).encode())

    def _unapplied(self, answer: str, request: Request) -> Response | None:
        """A success that changed nothing; None for a request that would not have succeeded, or is not meant."""
        section, target = _only_object(request)
        use, _ = read_key(request, self.config.key)
        if target is None or use.form != "bearer" or not request.path.startswith("/users/track/sync"):
            return None
        users: list[dict[str, Any]] = []
        if answer == "unchanged":
            if section != "attributes":
                return None
            named: dict[str, Any] = {
                kind: target[kind] for kind in ("external_id", "braze_id", "user_alias") if kind in target
            }
            users = [{**named, "custom_attributes": {}}]
        body = json.dumps({"users": users, "message": "success"}).encode()
        return Response(201, (("content-type", "application/json"), *self._rate()), body)

    # --- how it travels -----------------------------------------------------------------------------------------
    def _manner(self, act: Act, delivery: Delivery) -> Delivery:
        response = delivery.response
        if act.damage is not None:
            _tag(ACTED, DISTURBED, DAMAGED)
            content = {"truncated": response.body[: len(response.body) // 2], "html": _HTML, "empty": b""}[act.damage]
            response = replace(response, body=content)
        if act.headers is not None:
            _tag(ACTED)
            change = str.upper if act.headers == "upper" else str.title
            response = replace(response, headers=tuple((change(name), value) for name, value in response.headers))
        if act.answer == "rich":
            _tag(ACTED)
            response = _enriched(response)
        cut = {"after": Cut.BEFORE, "body": Cut.BODY}.get(act.cut or "", delivery.cut)
        if act.cut in ("after", "body"):
            _tag(ACTED, DISTURBED, "cut after it was applied")
        if act.pause or act.drip or act.chunked or act.close or act.gzip:
            _tag(ACTED)
        return replace(
            delivery,
            response=response,
            cut=cut,
            pause=delivery.pause + act.pause,
            drip=delivery.drip + act.drip,
            pieces=max(delivery.pieces, act.pieces),
            chunked=delivery.chunked or act.chunked,
            close=delivery.close or act.close,
            gzip=delivery.gzip or act.gzip,
        )


def _only_object(request: Request) -> tuple[str, dict[str, Any] | None]:
    try:
        body = json.loads(request.body)
        filled = [(name, body[name]) for name in ("attributes", "events", "purchases") if body.get(name)]
        (section, value), *others = filled
    except (ValueError, RecursionError, AttributeError):
        return "", None
    target = value[0] if isinstance(value, list) and len(value) == 1 else value
    return section, target if isinstance(target, dict) and not others else None


def _enriched(response: Response) -> Response:
    """The same answer with fields and headers that no document names, and its keys turned round."""
    try:
        body = json.loads(response.body)
    except ValueError:
        return response
    if not isinstance(body, dict):
        return response
    users = body.get("users")
    if isinstance(users, list):
        body["users"] = [
            {"revision": 7, "_links": {"self": "/users"}, **dict(reversed(user.items()))}
            for user in users
            if isinstance(user, dict)
        ]
    body = {"request_id": "r-1", "warnings": None, "took": 0.012, **dict(reversed(body.items()))}
    headers = (*response.headers, ("x-request-cost", "1"), ("server-timing", "app;dur=12"))
    return replace(response, headers=headers, body=json.dumps(body).encode())
