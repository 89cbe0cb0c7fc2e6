"""A little server for `POST /users/track/sync`, written from the published facts alone.

It shares nothing with the project that it is used to test: a plain WSGI application over dictionaries,
with its own interpretation of times, values and identities, and its own sockets.
"""

from __future__ import annotations

import gzip
import json
import threading
import time
from collections.abc import Callable, Iterable
from typing import Any

from .admission import Admission
from .applying import Applying
from .attributes import Law
from .content import Content
from .facts import (
    INVALID,
    REASONS,
)
from .neighbours import Neighbours
from .reading import Reading
from .responding import Responding
from .state import Profile, Reply, Request, _settle
from .variants import FAULTS


class App(Admission, Reading, Content, Applying, Responding, Neighbours):
    """The WSGI application."""

    def __init__(
        self,
        key: str,
        unprivileged_key: str | None,
        rate_limit: int,
        array_limit: int,
        interpretation: dict[str, str] | None,
        faults: Iterable[str],
        clock: Callable[[], float],
    ):
        self.bad = frozenset(faults)
        if unknown := self.bad - FAULTS.keys():
            raise ValueError(f"unknown faults: {', '.join(sorted(unknown))}")
        self.interpretation = _settle(interpretation)
        if self.interpretation["array_limit"] != "configured":
            array_limit = int(self.interpretation["array_limit"])
        self.law = Law(self.interpretation, self.bad, array_limit)
        self.key, self.unprivileged_key, self.rate_limit, self.clock = key, unprivileged_key, rate_limit, clock
        self.lock = threading.RLock()
        self.crashes: list[BaseException] = []
        self.windows: dict[str, list[int]] = {}
        self.profiles: dict[str, Profile] = {}
        self.index: dict[tuple[str, Any], list[Profile]] = {}
        self.common = Profile("common")
        self.jobs: list[tuple[float, Callable[[], None]]] = []
        self.turn = 0
        self.served = 0
        self.born = 0
        self.after_400 = False
        self.in_flight = 0
        self.lately: Reply | None = None

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> list[bytes]:
        headers = {name[5:].replace("_", "-").lower(): value for name, value in environ.items() if name[:5] == "HTTP_"}
        headers["content-type"] = environ.get("CONTENT_TYPE") or ""
        length = environ.get("CONTENT_LENGTH") or ""
        body = environ["wsgi.input"].read(int(length) if length.isdigit() else 0)
        request = Request(environ["REQUEST_METHOD"], environ.get("PATH_INFO") or "/", headers, body)
        if self.interpretation["pace"] == "slow":
            time.sleep(0.15)
        try:
            reply = self.handle(request)
        except Exception as crash:  # noqa: BLE001 (whatever it was, the wire must see a refusal)
            self.crashes.append(crash)
            reply = Reply(400, self.fatal(INVALID, "could not be read", "attributes", 0), {})
        return self.send(reply, headers, start_response)

    def send(self, reply: Reply, asked: dict[str, str], start_response: Callable[..., Any]) -> list[bytes]:
        interpretation, body = self.interpretation, reply.body
        if isinstance(body, dict):
            if interpretation["extra_fields"] == "present":
                body = {**body, "request_id": f"r{self.served}", "dispatch": {"queue": None}}
            if interpretation["key_order"] == "message_first":
                body = dict(sorted(body.items()))
        if isinstance(body, str):
            data = body.encode()
        else:
            data = json.dumps(
                body,
                ensure_ascii=interpretation["non_ascii"] == "escaped",
                indent=4 if interpretation["layout"] == "pretty" else None,
                separators=None if interpretation["layout"] == "pretty" else (",", ":"),
                sort_keys=interpretation["key_order"] == "sorted",
            ).encode()
        charset = "; charset=utf-8" if interpretation["content_type_out"] == "charset" else ""
        headers = [("Content-Type", f"application/json{charset}"), *reply.window.items()]
        if interpretation["extra_headers"] == "present":
            headers += [
                ("X-Request-Id", f"r{self.served}"),
                ("Vary", "Accept"),
                ("Strict-Transport-Security", "max-age=1"),
            ]
        if interpretation["retry_after"] == "present" and reply.status == 429:
            headers.append(("Retry-After", str(60 - int(self.clock()) % 60)))
        if interpretation["compression"] == "gzip" and "gzip" in asked.get("accept-encoding", ""):
            data = gzip.compress(data, 1)
            headers.append(("Content-Encoding", "gzip"))
        if interpretation["framing"] != "chunked":
            headers.append(("Content-Length", str(len(data))))
        if interpretation["connection"] == "close":
            headers.append(("Connection", "close"))
        if interpretation["header_case"] == "lower":
            headers = [(name.lower(), value) for name, value in headers]
        elif interpretation["header_case"] == "title":
            headers = [(name.title(), value) for name, value in headers]
        start_response(f"{reply.status} {REASONS.get(reply.status, 'Unknown')}", headers)
        return [data]

    def handle(self, request: Request) -> Reply:
        bad = self.bad
        with self.lock:
            request.now = self.clock()
            self.in_flight += 1
            crowded = self.in_flight > 1
            for due in [job for job in self.jobs if job[0] <= request.now]:
                self.jobs.remove(due)
                due[1]()
        try:
            if "parallel_gives_400" in bad:
                if crowded:
                    return self.respond(request, "sync", 400, self.fatal(INVALID, "busy"))
                time.sleep(0.03)
            shots = self.parallel_shots(request)
            with self.lock:
                reply = self.route(request)
                if shots is not None and reply.status == 201:
                    self.overwrite(request, *shots)
            if "parallel_responses_mixed" in bad:
                self.lately = reply
                time.sleep(0.03)
                return self.lately
            return reply
        finally:
            with self.lock:
                self.in_flight -= 1


def create(
    key: str,
    unprivileged_key: str | None = None,
    rate_limit: int = 500,
    array_limit: int = 500,
    interpretation: dict[str, str] | None = None,
    faults: Iterable[str] = (),
    clock: Callable[[], float] = time.time,
) -> App:
    """The application. Names that are in no table raise ValueError."""
    return App(key, unprivileged_key, rate_limit, array_limit, interpretation, faults, clock)
