"""A mock in process for tests, with a clock of its own, and short words for requests."""

from __future__ import annotations

import json
from typing import Any

from tracksync.faults.catalogue import servers
from tracksync.mock import MockApp, MockConfig
from tracksync.model.exchange import Request, Response, header

SYNC = "/users/track/sync"
TRACK = "/users/track"
DELETE = "/users/delete"
EXPORT = "/users/export/ids"
START = 1_750_000_020.0  # 2025-06-15T15:07:00Z, the beginning of a clock minute
TIME = "2022-12-06T19:20:45+01:00"


def request(
    body: Any,
    path: str = SYNC,
    *,
    method: str = "POST",
    key: str | None = "Bearer mock-key",
    media: str | None = "application/json",
) -> Request:
    headers = [("host", "mock")]
    if key is not None:
        headers.append(("authorization", key))
    if media is not None:
        headers.append(("content-type", media))
    return Request(method, path, tuple(headers), body if isinstance(body, bytes) else json.dumps(body).encode())


class Harness:
    """One mock and a clock that only moves when it is told to."""

    def __init__(self, *, faults: tuple[str, ...] = (), **config: Any) -> None:
        self.now = START
        self.app = MockApp(MockConfig(faults=servers(faults), **config), clock=lambda: self.now)

    def send(
        self,
        body: Any,
        path: str = SYNC,
        *,
        method: str = "POST",
        key: str | None = "Bearer mock-key",
        media: str | None = "application/json",
    ) -> Response:
        return self.app.handle(request(body, path, method=method, key=key, media=media))

    def overlapped(self, slow: Any, quick: Any) -> tuple[Response, Response]:
        """Two requests of which the second arrives after the first and is handled before it."""
        first, second = request(slow), request(quick)
        arrival = self.app.arrive(first)
        response = self.app.deliver(second, self.app.arrive(second)).response
        return self.app.deliver(first, arrival).response, response

    def attributes(self, user: str = "u1", /, **attributes: Any) -> Response:
        return self.send({"attributes": [{"external_id": user} | attributes]})

    def event(self, name: Any = "e", user: str = "u1", /, **members: Any) -> Response:
        return self.send({"events": [{"external_id": user, "name": name, "time": TIME} | members]})

    def purchase(self, product: str = "p", user: str = "u1", /, **members: Any) -> Response:
        return self.send({"purchases": [purchase_of(product, user) | members]})

    def shown(self, user: str = "u1", /, **attributes: Any) -> Any:
        """The custom attributes that the response shows."""
        return entry(self.attributes(user, **attributes))["custom_attributes"]

    def stored(self, user: str = "u1") -> dict[str, Any]:
        profile = self.app.state_of("external_id", user)
        assert profile is not None, f"no user {user}"
        return profile


def purchase_of(product: str = "p", user: str = "u1") -> dict[str, Any]:
    return {"external_id": user, "product_id": product, "currency": "USD", "price": 9.99, "time": TIME}


def value(response: Response) -> Any:
    return json.loads(response.body)


def entry(response: Response) -> Any:
    """The one user of a success."""
    assert response.status == 201, response
    users = value(response)["users"]
    assert len(users) == 1
    return users[0]


def errors(response: Response, status: int = 400) -> Any:
    assert response.status == status, response
    return value(response)["errors"]


def head(response: Response, name: str) -> str:
    found = header(response.headers, name)
    assert found is not None, name
    return found
